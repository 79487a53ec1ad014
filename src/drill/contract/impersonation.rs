//! `GET /impersonation-sessions`: support helps a customer in the customer's name, now and then.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::product::Product;
use super::orgs;
use super::query::Query;

const FIRST: Duration = Duration::from_mins(21);
const EVERY: Duration = Duration::from_mins(16);
/// How long it takes, and how long it may take.
const LENGTH: Duration = Duration::from_mins(12);
const MOST: Duration = Duration::from_mins(30);
/// Ended sessions are told of for so long.
const REMEMBERED: u32 = 8;

/// One session.
pub struct Session {
    number: u32,
    /// When it began, from the start of the product.
    pub began: Duration,
    /// When it ended, where it did.
    pub ended: Option<Duration>,
    /// Who acts, in whose name, in which organisation, and why.
    pub actor: &'static str,
    pub subject: &'static str,
    pub org: &'static str,
    pub reason: &'static str,
    pub read_only: bool,
}

impl Session {
    /// Its id.
    pub fn id(&self) -> String {
        format!("imp_{}", self.number + 1)
    }
}

/// Every session that has begun, oldest first.
pub fn begun(product: &Product) -> impl Iterator<Item = Session> {
    let now = product.uptime();
    (0..u32::MAX).map_while(move |number| {
        let began = FIRST + EVERY * number;
        let end = began + LENGTH;
        let (actor, subject, org, reason, read_only) = match number % 3 {
            0 => ("sam", "eve", "globex", "ticket 981: tasks are listed twice", true),
            1 => ("noa", "bob", "initech", "ticket 995: a bulk edit does not end", false),
            _ => ("sam", "kim", "acme", "ticket 1002: cannot see invoices", true),
        };
        let ended = (end <= now).then_some(end);
        (began <= now).then_some(Session { number, began, ended, actor, subject, org, reason, read_only })
    })
}

/// The sessions, newest first; with `active=true` only those that go on.
pub fn sessions(product: &Product, query: &Query) -> Value {
    let active = query.one("active") == Some("true");
    let last = begun(product).last().map_or(0, |session| session.number);
    let recent = begun(product).filter(|session| session.number + REMEMBERED > last);
    let mut told: Vec<Value> =
        recent.filter(|session| !active || session.ended.is_none()).map(|s| told(product, &s)).collect();
    told.reverse();
    json!({ "sessions": told })
}

fn told(product: &Product, session: &Session) -> Value {
    json!({
        "id": session.id(),
        "actor": super::person(session.actor),
        "subject": {
            "id": format!("u_{}", session.subject),
            "display": super::capital(session.subject),
            "org_id": orgs::id(session.org),
        },
        "reason": session.reason,
        "read_only": session.read_only,
        "started_at": product.at(session.began).rfc3339(),
        "expires_at": product.at(session.began + MOST).rfc3339(),
        "ended_at": session.ended.map(|at| product.at(at).rfc3339()),
    })
}
