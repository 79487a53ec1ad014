//! The alerts of a launch, as its sources have told them, and the one list that is made of them.
//!
//! Start with [`Alerts::observe`]. `merge` makes one alert of what a rule server and an Alertmanager
//! say of the same one; [`judge`] holds the rules of gates on alerts.

pub mod judge;
mod merge;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::model::alert::{AlertOrigin, AlertState};
use crate::model::{Alert, AlertsAnswer, Fault, Labels, Launch, Polled, SourceId, SourceKind, Time};

use super::Change;
use super::source::STALE_INTERVALS;

/// One source's last word on alerts.
#[derive(Clone, Debug)]
pub struct AlertSource {
    /// The source.
    pub id: SourceId,
    /// What the absence of an alert is worth there.
    pub origin: AlertOrigin,
    /// The alert that always fires, where the config names one.
    pub watchdog: Option<String>,
    /// The time between two polls.
    pub every: Duration,
    /// When it was asked for its last good answer.
    pub asked: Option<Time>,
    /// Why its last poll told no alerts, where only they failed.
    pub fault: Option<Fault>,
    /// The last good answer.
    pub told: AlertsAnswer,
}

impl AlertSource {
    /// Whether its last good answer is young enough to be acted on.
    pub fn is_fresh(&self, now: Time) -> bool {
        self.asked.is_some_and(|asked| now.since(asked) <= self.every * STALE_INTERVALS)
    }
}

/// One alert of the list; its times are by this program's clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The alert: its state from the rule server, who mutes it from the Alertmanager.
    pub alert: Alert,
    /// The sources that told of it, in the order of the config.
    pub sources: Vec<SourceId>,
    /// It is a dead man's switch, which fires as long as all is well.
    pub watchdog: bool,
}

/// Everything that is known of alerts.
#[derive(Clone, Debug, Default)]
pub struct Alerts {
    /// The sources that tell alerts, in the order of the config.
    pub sources: Vec<AlertSource>,
    /// One list of them all: what fires first, and of that what nobody mutes, then by name.
    pub list: Vec<Seen>,
}

impl Alerts {
    /// Nothing told yet.
    pub fn new(launch: &Launch) -> Self {
        let sources = launch.sources.iter().filter_map(|def| {
            let (origin, watchdog) = match &def.kind {
                SourceKind::Prometheus { alerts: true, .. } => (AlertOrigin::Rules, None),
                SourceKind::Alertmanager { watchdog, .. } => (AlertOrigin::Alertmanager, watchdog.clone()),
                _ => return None,
            };
            Some(AlertSource {
                id: def.id.clone(),
                origin,
                watchdog,
                every: def.every,
                asked: None,
                fault: None,
                told: AlertsAnswer { origin, ..AlertsAnswer::default() },
            })
        });
        Self { sources: sources.collect(), list: Vec::new() }
    }

    /// A source by id.
    pub fn source(&self, id: &SourceId) -> Option<&AlertSource> {
        self.sources.iter().find(|s| s.id == *id)
    }

    /// Whether the alert of this name is a dead man's switch.
    pub fn is_watchdog(&self, name: &str) -> bool {
        self.sources.iter().any(|s| s.watchdog.as_deref() == Some(name))
    }

    /// Takes an answer in; tells what began and ceased to fire. A failed poll changes nothing here.
    pub(super) fn observe(&mut self, poll: &Polled) -> Vec<Change> {
        let Ok(answer) = &poll.outcome else { return Vec::new() };
        let Some(told) = &answer.alerts else { return Vec::new() };
        let Some(source) = self.sources.iter_mut().find(|s| s.id == poll.source) else { return Vec::new() };
        match told {
            Err(fault) => {
                source.fault = Some(fault.clone());
                return Vec::new();
            }
            Ok(told) => {
                source.fault = None;
                source.asked = Some(poll.asked);
                // Who told is the config's to say, not the answer's.
                source.told = AlertsAnswer { origin: source.origin, ..told.clone() };
            }
        }
        let list = merge::list(self);
        let before = std::mem::replace(&mut self.list, list);
        changes(&before, &self.list)
    }

    /// Alerts in this state that are no watchdogs.
    pub fn count(&self, state: &AlertState) -> usize {
        self.list.iter().filter(|s| !s.watchdog && s.alert.state == *state).count()
    }

    /// How many alerting rules there are, and the age of the oldest evaluation among those that were
    /// ever evaluated; `None` where no source evaluates rules.
    pub fn rules(&self, now: Time) -> Option<(usize, Option<Duration>)> {
        let tellers = || self.sources.iter().filter(|s| s.origin == AlertOrigin::Rules && s.asked.is_some());
        tellers().next()?;
        let count = tellers().map(|s| s.told.rules.len()).sum();
        let oldest = tellers()
            .flat_map(|s| s.told.rules.iter().filter_map(|r| Some(s.told.local_time(r.last_evaluation?))))
            .min();
        Some((count, oldest.map(|at| now.since(at))))
    }

    /// Rules that cannot be trusted to fire, with why, and the watchdogs that do not bark.
    pub fn troubles(&self, now: Time) -> Vec<String> {
        let mut all = Vec::new();
        for source in self.sources.iter().filter(|s| s.asked.is_some()) {
            all.extend(source.told.partial.iter().map(|why| format!("{}: {why}", source.id)));
            for rule in source.told.rules.iter().filter(|r| r.health != crate::model::alert::RuleHealth::Ok) {
                let why = rule.last_error.as_deref().map(|e| format!(": {e}")).unwrap_or_default();
                all.push(format!("rule {} {}{why}", rule.name, rule.health.word()));
            }
            if let Some(name) = &source.watchdog
                && source.is_fresh(now)
                && !source.told.alerts.iter().any(|a| a.name == *name && a.state == AlertState::Firing)
            {
                all.push(format!("{name} does not fire at {}: nobody vouches for its silence", source.id));
            }
        }
        all
    }
}

/// What began and ceased to fire, and what began to be pending, by name.
fn changes(before: &[Seen], now: &[Seen]) -> Vec<Change> {
    type Keys<'a> = BTreeMap<&'a str, BTreeSet<&'a Labels>>;
    fn by_name<'a>(list: &'a [Seen], state: &AlertState) -> Keys<'a> {
        let mut keys = Keys::new();
        for seen in list.iter().filter(|s| s.alert.state == *state) {
            keys.entry(&seen.alert.name).or_default().insert(&seen.alert.labels);
        }
        keys
    }
    let none = BTreeSet::new();
    let mut out = Vec::new();
    for state in [AlertState::Firing, AlertState::Pending] {
        let (old, new) = (by_name(before, &state), by_name(now, &state));
        let names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
        for name in names {
            let (was, is) = (old.get(name).unwrap_or(&none), new.get(name).unwrap_or(&none));
            let (mut came, mut went) =
                (is.difference(was).collect::<Vec<_>>(), was.difference(is).collect::<Vec<_>>());
            // The same alert may change its labels when a second source tells of it.
            let same = came.len().min(went.len());
            came.truncate(came.len() - same);
            went.truncate(went.len() - same);
            let find = |list: &'_ [Seen], labels: &Labels| {
                list.iter()
                    .find(|s| s.alert.name == name && s.alert.labels == *labels)
                    .map(|s| s.alert.clone())
            };
            if let Some(alert) = came.first().and_then(|labels| find(now, labels)) {
                out.push(Change::AlertIs(Box::new(alert), came.len()));
            }
            if state == AlertState::Firing
                && let Some(alert) = went.first().and_then(|labels| find(before, labels))
            {
                out.push(Change::AlertGone(Box::new(alert), went.len()));
            }
        }
    }
    out
}
