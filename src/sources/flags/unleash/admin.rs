//! The admin API: other environments, who changed a flag, and what callers got. It is asked flag by flag,
//! when the client API's answer changed and once a minute; what fails here costs only what it would have
//! told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::join3;
use futures_util::stream;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::{clean, moment, path_segment, send};
use super::rollout::{DependencyDoc, Rollout, StrategyDoc, VariantDoc, rollout, under};
use crate::http::{Client, Request};
use crate::model::flag::Elsewhere;
use crate::model::{Caps, Fault, FaultCode, Flag, Observed, Percent, Time};
use crate::sources::json;

/// How often what may have changed without the client API's answer changing is asked for.
const EVERY: Duration = Duration::from_mins(1);
/// What is older than this is not told any more: a gate must not go by it.
const TOO_OLD: Duration = Duration::from_mins(3);
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
    /// Whether the client API has answered the same ever since; else they may be of before a change.
    current: bool,
    state: Result<State, Fault>,
    change: Result<Option<Change>, Fault>,
    observed: Result<Observed, Fault>,
}

struct State {
    elsewhere: Vec<Elsewhere>,
    /// Those of the environment, the ones that are switched off too; `None` where it has none.
    own: Option<Rollout>,
    archived: bool,
    /// The flags that it depends on, in every environment.
    parents: Vec<DependencyDoc>,
}

struct Change {
    at: Option<Time>,
    /// The login, which is nobody else's: what gates compare.
    by: Option<String>,
}

#[derive(Deserialize)]
struct FeatureDoc {
    environments: Vec<EnvironmentDoc>,
    archived: Option<bool>,
    dependencies: Option<Vec<DependencyDoc>>,
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

    /// Asks about the flags whose turn it is, as many as there is time for. `changed` names the flags that
    /// the client API's new answer tells otherwise than the one before; `None` where it is the same answer.
    pub(super) async fn refresh(&mut self, keys: &[String], now: Time, changed: Option<&BTreeSet<String>>) {
        let due = self.due(keys, now, changed);
        let older = self.older;
        let (scope, client) = (&self.scope, &self.client);
        let count = due.len();
        let asks = due.into_iter().map(|key| async move {
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

    /// The flags whose turn it is: those that changed first, then those whose facts may be of before a
    /// change, then the longest unasked. After a change that is all of them, and none is current any more.
    fn due(&mut self, keys: &[String], now: Time, changed: Option<&BTreeSet<String>>) -> Vec<String> {
        self.known.retain(|key, _| keys.contains(key));
        if changed.is_some() {
            self.known.values_mut().for_each(|facts| facts.current = false);
        }
        let mut due: Vec<(bool, bool, Option<Time>, &String)> = Vec::new();
        for key in keys {
            let facts = self.known.get(key);
            let asked = facts.map(|facts| facts.asked);
            if changed.is_some() || self.late > 0 || asked.is_none_or(|at| now < at || now.since(at) >= EVERY)
            {
                let same = changed.is_none_or(|changed| !changed.contains(key));
                due.push((same, facts.is_some_and(|facts| facts.current), asked, key));
            }
        }
        due.sort();
        due.into_iter().map(|(_, _, _, key)| key.clone()).collect()
    }

    /// What is known of a flag and may be told: nothing of before a change, and nothing that is old.
    fn facts(&self, key: &str, now: Time) -> Option<&Facts> {
        self.known.get(key).filter(|facts| facts.current && now.since(facts.asked) <= TOO_OLD)
    }

    /// The other environments, where how far the flag is out depends on its parents there too.
    fn elsewhere(&self, state: &State, now: Time) -> Vec<Elsewhere> {
        let reach = |parent: &str, environment: &str| {
            let parent = self.facts(parent, now)?.state.as_ref().ok()?;
            // A parent has no parents of its own.
            let found = parent.elsewhere.iter().find(|there| there.environment == environment)?;
            (parent.parents.is_empty() && !parent.archived).then_some(found.percent)
        };
        let under_parents = |there: &Elsewhere| Elsewhere {
            percent: under(there.percent, &state.parents, |parent| reach(parent, &there.environment)),
            ..there.clone()
        };
        state.elsewhere.iter().map(under_parents).collect()
    }

    /// Adds what is known to the flags.
    pub(super) fn tell(&self, flags: &mut [Flag], now: Time) {
        for flag in flags {
            let Some(facts) = self.facts(&flag.key, now) else { continue };
            if let Ok(state) = &facts.state {
                flag.elsewhere = self.elsewhere(state, now);
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
        current: true,
        state: feature.and_then(|doc| state(scope, key, doc)),
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

fn state(scope: &Scope, key: &str, doc: FeatureDoc) -> Result<State, Fault> {
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
    let (archived, parents) = (doc.archived.unwrap_or(false), doc.dependencies.unwrap_or_default());
    if scope.beside.is_empty() {
        return Ok(State { elsewhere: told, own, archived, parents });
    }
    let beside = scope.beside.iter().map(|name| {
        let found = told.iter().find(|elsewhere| elsewhere.environment == clean(name)).cloned();
        found.unwrap_or_else(|| Elsewhere {
            environment: clean(name),
            enabled: None,
            percent: Percent::Unknown,
        })
    });
    Ok(State { elsewhere: beside.collect(), own, archived, parents })
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
    Some(Change { at: at(newest), by })
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
        assert_eq!(change.by.as_deref(), Some("ravi@example.com"));
        assert_eq!(change.at.unwrap().rfc3339(), "2026-11-23T06:00:00.250Z");
        let token: EventsDoc = serde_json::from_str(
            r#"{"events":[{"type":"feature-created","createdBy":"ci","createdByUserId":-42}]}"#,
        )
        .unwrap();
        let change = last_change(&token.events, "production").unwrap();
        assert_eq!(change.by.as_deref(), Some("ci"));
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

    fn admin() -> Admin {
        let scope = Scope {
            base: String::new(),
            project: "default".into(),
            environment: "production".into(),
            beside: Vec::new(),
        };
        Admin::new(scope, Client::new(crate::http::Options::default()), Duration::ZERO)
    }

    fn at(second: i64) -> Time {
        Time::from_millis(second * 1000)
    }

    /// What is known of a flag: Ravi changed it, and in staging its one strategy is as given.
    fn known(admin: &mut Admin, key: &str, asked: Time, strategies: &str, dependencies: &str) {
        let doc = format!(
            r#"{{"environments":[{{"name":"staging","enabled":true,"strategies":{strategies}}}],"dependencies":{dependencies}}}"#
        );
        let facts = Facts {
            asked,
            current: true,
            state: state(&admin.scope, key, serde_json::from_str(&doc).unwrap()),
            change: Ok(Some(Change { at: Some(at(10)), by: Some("Ravi".into()) })),
            observed: Ok(Observed { on: 1, off: 1, ..Observed::default() }),
        };
        admin.known.insert(key.into(), facts);
    }

    fn told(admin: &Admin, key: &str, now: Time) -> Flag {
        let mut flags = [Flag { key: key.into(), ..Flag::default() }];
        admin.tell(&mut flags, now);
        let [flag] = flags;
        flag
    }

    const ALL: &str = r#"[{"name":"default"}]"#;

    #[test]
    fn after_a_change_nothing_is_told_that_was_asked_before_it() {
        let keys = ["a", "b", "c"].map(String::from);
        let mut admin = admin();
        for (key, asked) in [("a", 100), ("b", 90), ("c", 95)] {
            known(&mut admin, key, at(asked), ALL, "null");
        }
        assert!(admin.due(&keys, at(110), None).is_empty());
        assert_eq!(told(&admin, "a", at(110)).updated_by.as_deref(), Some("Ravi"));
        // The one that changed is first, then the longest unasked; what there is no time for is absent.
        assert_eq!(admin.due(&keys, at(120), Some(&BTreeSet::from(["c".into()]))), ["c", "b", "a"]);
        known(&mut admin, "c", at(120), ALL, "null");
        let (asked, unasked) = (told(&admin, "c", at(120)), told(&admin, "a", at(120)));
        assert!(asked.updated_at.is_some() && asked.observed.is_some() && asked.elsewhere.len() == 1);
        assert_eq!(unasked, Flag { key: "a".into(), ..Flag::default() });
        // The next poll goes on with those, and an answer that was the same does not make them current.
        admin.late = 2;
        assert_eq!(admin.due(&keys, at(125), None), ["b", "a", "c"]);
        assert_eq!(told(&admin, "b", at(125)).updated_by, None);
    }

    #[test]
    fn what_is_older_than_three_minutes_is_not_told() {
        let mut admin = admin();
        known(&mut admin, "a", at(100), ALL, "null");
        assert!(told(&admin, "a", at(280)).updated_at.is_some());
        assert_eq!(told(&admin, "a", at(281)), Flag { key: "a".into(), ..Flag::default() });
    }

    #[test]
    fn elsewhere_too_a_flag_is_out_no_further_than_its_parents_let_it() {
        let half = r#"[{"name":"flexibleRollout","parameters":{"rollout":"50"}}]"#;
        let on_p = r#"[{"feature":"p","enabled":true,"variants":[]}]"#;
        let mut admin = admin();
        known(&mut admin, "child", at(100), half, on_p);
        let percent = |admin: &Admin| told(admin, "child", at(100)).elsewhere[0].percent;
        assert_eq!(percent(&admin), Percent::Unknown, "nothing is known of its parent");
        known(&mut admin, "p", at(100), ALL, "null");
        assert_eq!(percent(&admin), Percent::Known { value: 50.0 });
        known(&mut admin, "p", at(100), half, "null");
        assert_eq!(percent(&admin), Percent::Unknown);
    }
}
