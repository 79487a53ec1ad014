//! `GET /audit-events`: who changed what, oldest first; the tail is followed with `after`.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::product::Product;
use super::super::rollout::TASKS_ENABLED;
use super::query::Query;
use super::{Reply, bad, impersonation, limit, orgs, person};
use crate::model::Time;

const MOST: usize = 200;
const USUAL: usize = 50;
const DAY: Duration = Duration::from_hours(24);
const ID: &str = "ev_";

/// One event, without its id.
struct Event {
    at: Time,
    actor: String,
    action: &'static str,
    target: (&'static str, String),
    org: Option<&'static str>,
    before: Value,
    after: Value,
    session: Option<String>,
}

/// A page of the log.
///
/// # Errors
/// A limit that is none.
pub fn page(product: &Product, query: &Query) -> Result<Value, Reply> {
    let limit = limit(query, USUAL, MOST)?;
    let all = all(product);
    let head = all.last().map(|(id, _)| id.clone());
    let wanted = query.one("action");
    let mut found: Vec<&(String, Value)> =
        all.iter().filter(|(_, event)| wanted.is_none_or(|action| event["action"] == action)).collect();
    let more = match query.one("after") {
        Some(after) if !after.starts_with(ID) => {
            return Err(bad("after", "after is the id of an event"));
        }
        Some(after) => {
            found.retain(|(id, _)| id.as_str() > after);
            let more = found.len() > limit;
            found.truncate(limit);
            more
        }
        None => {
            found.drain(..found.len().saturating_sub(limit));
            false
        }
    };
    let events: Vec<&Value> = found.into_iter().map(|(_, event)| event).collect();
    Ok(json!({ "head": head, "has_more": more, "events": events }))
}

/// Everything that has happened, oldest first, under its id. An id never changes: what comes later comes
/// behind what was there.
fn all(product: &Product) -> Vec<(String, Value)> {
    let mut events = before(product);
    events.extend(sessions(product));
    events.extend(changes(product));
    events.sort_by_key(|event| event.at);
    events
        .into_iter()
        .enumerate()
        .map(|(place, event)| {
            let id = format!("{ID}{:012}", place + 101);
            let told = json!({
                "id": id,
                "at": event.at.rfc3339(),
                "actor": person(&event.actor),
                "action": event.action,
                "target": { "type": event.target.0, "id": event.target.1 },
                "org_id": event.org.map(orgs::id),
                "environment": "production",
                "outcome": "success",
                "before": event.before,
                "after": event.after,
                "request_id": null,
                "impersonation_id": event.session,
            });
            (id, told)
        })
        .collect()
}

/// What happened in the days before the product started.
fn before(product: &Product) -> Vec<Event> {
    let ago = |span: Duration| product.at(Duration::ZERO).before(span);
    let event = |at, actor: &str, action, target: (&'static str, &str), org, before, after| Event {
        at,
        actor: actor.to_owned(),
        action,
        target: (target.0, target.1.to_owned()),
        org,
        before,
        after,
        session: None,
    };
    let rollout = &product.rollout;
    let first = rollout.changes.first().map_or(rollout.percent, |change| change.before);
    let scopes = |scopes: &[&str]| json!({ "scopes": scopes.join(" ") });
    vec![
        event(
            ago(DAY * 12),
            "mei",
            "role.updated",
            ("role", "tenant-member"),
            None,
            scopes(&["tasks:read"]),
            scopes(&["tasks:read", "tasks:write"]),
        ),
        event(
            ago(DAY * 9),
            "mei",
            "flag.enabled",
            ("flag", "billing.new-invoices"),
            None,
            Value::Null,
            json!({ "percent": 100 }),
        ),
        event(
            ago(DAY * 2),
            "billing",
            "entitlement.revoked",
            ("entitlement", "tasks"),
            Some(orgs::LAPSED),
            json!({ "granted": true }),
            json!({ "granted": false }),
        ),
        event(
            ago(DAY),
            "ravi",
            "flag.rollout_changed",
            ("flag", TASKS_ENABLED),
            None,
            json!({ "percent": 5 }),
            json!({ "percent": first }),
        ),
    ]
}

fn sessions(product: &Product) -> Vec<Event> {
    let mut events = Vec::new();
    for session in impersonation::begun(product) {
        let mut add = |at: Duration, action, after: Value| {
            events.push(Event {
                at: product.at(at),
                actor: session.actor.to_owned(),
                action,
                target: ("user", format!("u_{}", session.subject)),
                org: Some(session.org),
                before: Value::Null,
                after,
                session: Some(session.id()),
            });
        };
        add(session.began, "impersonation.started", json!({ "reason": session.reason }));
        if let Some(ended) = session.ended {
            add(ended, "impersonation.ended", Value::Null);
        }
    }
    events
}

fn changes(product: &Product) -> impl Iterator<Item = Event> + '_ {
    product.rollout.changes.iter().map(|change| Event {
        at: product.at(change.at),
        actor: change.by.clone().into_owned(),
        action: "flag.rollout_changed",
        target: ("flag", TASKS_ENABLED.to_owned()),
        org: None,
        before: json!({ "percent": change.before }),
        after: json!({ "percent": change.after }),
        session: None,
    })
}
