//! The admin API: other environments, who changed a flag, and what callers got. It is asked flag by flag,
//! when the client API's answer changed and once a minute; what fails here costs only what it would have
//! told.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::join3;
use futures_util::stream;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::{clean, moment, path_segment, send};
use super::rollout::{Rollout, StrategyDoc, VariantDoc, rollout};
use crate::http::{Client, Request};
use crate::model::flag::Elsewhere;
use crate::model::{Caps, Fault, FaultCode, Flag, Observed, Percent, Time};
use crate::sources::json;

/// How often what may have changed without the client API's answer changing is asked for.
const EVERY: Duration = Duration::from_mins(1);
/// How many flags are asked about at once.
const AT_ONCE: usize = 8;
/// How many events of a flag are looked through for the last one that counts.
const EVENTS: &str = "50";
/// What metrics are counted over.
const HOUR: Duration = Duration::from_hours(1);

/// What is asked for.
#[derive(Clone)]
pub(super) struct Scope {
    pub(super) base: String,
    pub(super) project: String,
    pub(super) environment: String,
    /// The other environments that are told; all of them where none is named.
    pub(super) beside: Vec<String>,
}

/// The admin API of one server, and what it last told.
pub(super) struct Admin {
    scope: Scope,
    client: Client,
    patience: Duration,
    known: BTreeMap<String, Facts>,
    /// Flags that there was no time to ask about.
    late: usize,
    /// Whether events have to be asked for at the address of older versions.
    older: bool,
}

/// What is known of one flag. A part that failed is told as its fault until it comes.
struct Facts {
    asked: Time,
    state: Result<State, Fault>,
    change: Result<Option<Change>, Fault>,
    observed: Result<Observed, Fault>,
}

struct State {
    elsewhere: Vec<Elsewhere>,
    /// Those of the environment, the ones that are switched off too; `None` where it has none.
    own: Option<Rollout>,
    archived: bool,
}

struct Change {
    at: Option<Time>,
    by: Option<String>,
    by_id: Option<String>,
}

#[derive(Deserialize)]
struct FeatureDoc {
    environments: Vec<EnvironmentDoc>,
    archived: Option<bool>,
}

#[derive(Deserialize)]
struct EnvironmentDoc {
    name: String,
    enabled: bool,
    strategies: Option<Vec<StrategyDoc>>,
    variants: Option<Vec<VariantDoc>>,
}

#[derive(Deserialize)]
struct EventsDoc {
    events: Vec<EventDoc>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventDoc {
    id: Option<u64>,
    #[serde(rename = "type")]
    kind: String,
    created_at: Option<Value>,
    created_by: Option<String>,
    created_by_user_id: Option<Value>,
    environment: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MetricsDoc {
    last_hour_usage: Vec<UsageDoc>,
}

#[derive(Deserialize)]
struct UsageDoc {
    environment: String,
    timestamp: Option<Value>,
    yes: u64,
    no: u64,
}

impl Admin {
    pub(super) fn new(scope: Scope, client: Client, patience: Duration) -> Self {
        Self { scope, client, patience, known: BTreeMap::new(), late: 0, older: false }
    }

    /// Asks about the flags whose turn it is, the longest unasked first, as many as there is time for.
    pub(super) async fn refresh(&mut self, keys: &[String], now: Time, changed: bool) {
        self.known.retain(|key, _| keys.contains(key));
        let mut due: Vec<(Option<Time>, String)> = keys
            .iter()
            .map(|key| (self.known.get(key).map(|facts| facts.asked), key.clone()))
            .filter(|(asked, _)| {
                changed || self.late > 0 || asked.is_none_or(|at| now < at || now.since(at) >= EVERY)
            })
            .collect();
        due.sort_by_key(|(asked, _)| *asked);
        let older = self.older;
        let (scope, client) = (&self.scope, &self.client);
        let count = due.len();
        let asks = due.into_iter().map(|(_, key)| async move {
            let told = facts(scope, client, &key, now, older).await;
            (key, told)
        });
        let mut asked = stream::iter(asks.collect::<Vec<_>>()).buffer_unordered(AT_ONCE);
        let mut told = Vec::new();
        let all = async {
            while let Some(one) = asked.next().await {
                told.push(one);
            }
        };
        let _ = tokio::time::timeout(self.patience, all).await;
        drop(asked);
        self.late = count - told.len();
        for (key, (facts, older)) in told {
            self.older |= older;
            self.known.insert(key, facts);
        }
    }

    /// Adds what is known to the flags.
    pub(super) fn tell(&self, flags: &mut [Flag]) {
        for flag in flags {
            let Some(facts) = self.known.get(&flag.key) else { continue };
            if let Ok(state) = &facts.state {
                flag.elsewhere.clone_from(&state.elsewhere);
                flag.archived = state.archived;
                // The rules with their names, and those that are switched off; how far the flag is rolled
                // out stays what its callers are told.
                if let Some(own) = &state.own {
                    flag.rules.clone_from(&own.rules);
                }
            }
            if let Ok(Some(change)) = &facts.change {
                flag.updated_at = change.at;
                flag.updated_by.clone_from(&change.by);
                flag.updated_by_id.clone_from(&change.by_id);
            }
            flag.observed = facts.observed.as_ref().ok().copied();
        }
    }

    /// What the parts that did not fail can tell.
    pub(super) fn caps(&self) -> Caps {
        let well = |part: fn(&Facts) -> Option<&Fault>| self.known.values().all(|f| part(f).is_none());
        let changed = well(|f| f.change.as_ref().err());
        Caps {
            environments: well(|f| f.state.as_ref().err()),
            changed,
            author: changed,
            observed: well(|f| f.observed.as_ref().err()),
            ..Caps::NONE
        }
    }

    /// Which parts failed, and why.
    pub(super) fn remarks(&self) -> Vec<String> {
        let first = |part: fn(&Facts) -> Option<&Fault>| self.known.values().find_map(part);
        let parts = [
            ("other environments are not told", first(|f| f.state.as_ref().err())),
            ("who changed flags is not told", first(|f| f.change.as_ref().err())),
            ("what callers got is not told", first(|f| f.observed.as_ref().err())),
        ];
        let failed =
            parts.into_iter().filter_map(|(what, fault)| Some(format!("admin API: {what}: {}", fault?)));
        let late = (self.late > 0)
            .then(|| format!("admin API: no time to ask about {} flags, the next poll goes on", self.late));
        failed.chain(late).collect()
    }
}

/// Everything about one flag, and whether its events were found where older versions have them.
async fn facts(scope: &Scope, client: &Client, key: &str, now: Time, older: bool) -> (Facts, bool) {
    let segment = path_segment(key);
    let project = path_segment(&scope.project);
    let feature = get::<FeatureDoc>(
        client,
        format!("{}/api/admin/projects/{project}/features/{segment}", scope.base),
        &[],
    );
    let metrics =
        get::<MetricsDoc>(client, format!("{}/api/admin/client-metrics/features/{segment}", scope.base), &[]);
    let (feature, (events, older), metrics) =
        join3(feature, events(scope, client, key, older), metrics).await;
    let facts = Facts {
        asked: now,
        state: feature.and_then(|doc| state(scope, key, &doc)),
        change: events.map(|doc| last_change(&doc.events, &scope.environment)),
        observed: metrics.map(|doc| observed(&doc, &scope.environment, now)),
    };
    (facts, older)
}

/// The events of a flag; version 6.4 moved them.
async fn events(scope: &Scope, client: &Client, key: &str, older: bool) -> (Result<EventsDoc, Fault>, bool) {
    if !older {
        let is = format!("IS:{key}");
        let url = format!("{}/api/admin/search/events", scope.base);
        let told = get(client, url, &[("feature", is.as_str()), ("limit", EVENTS)]).await;
        match told {
            // What an older version has no path for it answers with 404, or with its page.
            Err(Fault { code: FaultCode::Status | FaultCode::ContentType, .. }) => {}
            told => return (told, false),
        }
    }
    let url = format!("{}/api/admin/events/{}", scope.base, path_segment(key));
    let told = get(client, url, &[]).await;
    let older = told.is_ok();
    (told, older)
}

async fn get<T: DeserializeOwned + Send + 'static>(
    client: &Client,
    url: String,
    query: &[(&str, &str)],
) -> Result<T, Fault> {
    let query = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut response = send(client, Request { url, query, ..Request::default() }).await?;
    json::body(&mut response).await
}

fn state(scope: &Scope, key: &str, doc: &FeatureDoc) -> Result<State, Fault> {
    let mut own = None;
    let mut told: Vec<Elsewhere> = Vec::new();
    for environment in &doc.environments {
        let strategies = environment.strategies.as_deref().unwrap_or_default();
        let variants = environment.variants.as_deref().unwrap_or_default();
        let rollout = rollout(key, environment.enabled, strategies, variants)?;
        if environment.name == scope.environment {
            own = Some(rollout);
        } else {
            told.push(Elsewhere {
                environment: clean(&environment.name),
                enabled: Some(environment.enabled),
                percent: rollout.percent,
            });
        }
    }
    if scope.beside.is_empty() {
        return Ok(State { elsewhere: told, own, archived: doc.archived.unwrap_or(false) });
    }
    let beside = scope.beside.iter().map(|name| {
        let found = told.iter().find(|elsewhere| elsewhere.environment == clean(name)).cloned();
        found.unwrap_or_else(|| Elsewhere {
            environment: clean(name),
            enabled: None,
            percent: Percent::Unknown,
        })
    });
    Ok(State { elsewhere: beside.collect(), own, archived: doc.archived.unwrap_or(false) })
}

/// The newest event that changed what callers in the environment get.
fn last_change(events: &[EventDoc], environment: &str) -> Option<Change> {
    /// Those of no environment count where they change a flag in all.
    const EVERYWHERE: &[&str] = &[
        "feature-created",
        "feature-archived",
        "feature-revived",
        "feature-variants-updated",
        "feature-dependency-added",
        "feature-dependency-removed",
        "feature-dependencies-removed",
        "feature-project-change",
    ];
    let counts = |event: &&EventDoc| match event.environment.as_deref() {
        Some(of) => of == environment,
        None => EVERYWHERE.contains(&event.kind.as_str()),
    };
    let newest = events.iter().filter(counts).max_by_key(|event| (at(event), event.id))?;
    let by = newest.created_by.as_deref().map(clean).filter(|by| !by.is_empty());
    // Numbers below zero stand for Unleash itself and for all admin tokens together: they are nobody's.
    let by_id = newest.created_by_user_id.as_ref().filter(|id| id.as_i64().is_none_or(|id| id > 0));
    let by_id = by_id.filter(|id| !id.is_null());
    Some(Change { at: at(newest), by, by_id: by_id.map(|id| clean(&super::super::words(id))) })
}

fn at(event: &EventDoc) -> Option<Time> {
    event.created_at.as_ref().and_then(moment)
}

/// The server adds up by the hour of the clock, and "the last hour" is the one that began last: what was
/// counted goes back to its beginning.
fn observed(doc: &MetricsDoc, environment: &str, now: Time) -> Observed {
    let own = || doc.last_hour_usage.iter().filter(|usage| usage.environment == environment);
    let (on, off) = own().fold((0_u64, 0_u64), |(on, off), usage| {
        (on.saturating_add(usage.yes), off.saturating_add(usage.no))
    });
    let begun = own().filter_map(|usage| moment(usage.timestamp.as_ref()?)).min();
    Observed { on, off, window: Some(begun.map_or(HOUR, |begun| now.since(begun))), at: Some(now) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_callers_got_is_that_of_the_environment_since_the_hour_began() {
        let doc: MetricsDoc = serde_json::from_str(
            r#"{"lastHourUsage":[{"environment":"production","timestamp":"2026-11-29T22:00:00.000Z","yes":30,"no":70},
                {"environment":"development","timestamp":"2026-11-29T22:00:00.000Z","yes":9,"no":9}]}"#,
        )
        .unwrap();
        let now = Time::parse("2026-11-29T22:20:00Z").unwrap();
        let seen = observed(&doc, "production", now);
        assert_eq!((seen.on, seen.off, seen.window), (30, 70, Some(Duration::from_mins(20))));
        assert_eq!(observed(&doc, "staging", now).percent(), None);
    }

    #[test]
    fn the_last_change_is_the_newest_event_that_callers_there_could_feel() {
        let events: EventsDoc = serde_json::from_str(
            r#"{"version":1,"events":[
            {"id":9,"type":"feature-tagged","createdAt":"2026-11-23T09:00:00Z","createdBy":"tagger"},
            {"id":8,"type":"feature-strategy-update","createdAt":"2026-11-23T08:00:00Z","createdBy":"eve","environment":"staging"},
            {"id":6,"type":"feature-strategy-update","createdAt":"2026-11-23T06:00:00.250Z","createdBy":"ravi@example.com","createdByUserId":7,"environment":"production","preData":{},"data":{}},
            {"id":7,"type":"feature-created","createdAt":"2026-11-20T06:00:00Z","createdBy":"ada"}]}"#,
        )
        .unwrap();
        let change = last_change(&events.events, "production").unwrap();
        assert_eq!((change.by.as_deref(), change.by_id.as_deref()), (Some("ravi@example.com"), Some("7")));
        assert_eq!(change.at.unwrap().rfc3339(), "2026-11-23T06:00:00.250Z");
        let token: EventsDoc = serde_json::from_str(
            r#"{"events":[{"type":"feature-created","createdBy":"ci","createdByUserId":-42}]}"#,
        )
        .unwrap();
        let change = last_change(&token.events, "production").unwrap();
        assert_eq!((change.by.as_deref(), change.by_id), (Some("ci"), None));
        let nowhere = last_change(&events.events[..1], "production");
        assert!(nowhere.is_none());
    }

    #[test]
    fn a_key_is_one_part_of_a_path_whatever_it_holds() {
        assert_eq!(path_segment("tasks.enabled"), "tasks.enabled");
        assert_eq!(path_segment("../admin?x#y"), "..%2Fadmin%3Fx%23y");
        assert_eq!(path_segment(".."), "%2E%2E");
        assert_eq!(path_segment("größe"), "gr%C3%B6%C3%9Fe");
    }
}
