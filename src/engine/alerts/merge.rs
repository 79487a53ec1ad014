//! One list of what several sources tell: a rule server knows the state of an alert, an Alertmanager
//! who silenced it, and both mean the same one where the labels are the same, but for those that the
//! server adds on sending.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::alert::AlertOrigin;
use crate::model::{Alert, AlertsAnswer, Labels, Time};

use super::{AlertSource, Alerts, Seen};

/// How many pairs of alerts are compared where it is not known which labels a server adds: a merge
/// must not cost the screen a frame.
const MOST_COMPARED: usize = 20_000;

/// The list of all sources' alerts.
pub(super) fn list(alerts: &Alerts) -> Vec<Seen> {
    let of =
        |origin: AlertOrigin| alerts.sources.iter().filter(move |s| s.origin == origin && s.asked.is_some());
    let mut list: Vec<Seen> = Vec::new();
    let mut places = Places::default();
    for source in of(AlertOrigin::Rules) {
        for alert in &source.told.alerts {
            places.add(source, alert, list.len());
            list.push(seen(alerts, source, alert));
        }
    }
    for source in of(AlertOrigin::Alertmanager) {
        for alert in &source.told.alerts {
            match places.find(alert).and_then(|at| list.get_mut(at)) {
                Some(known) => add(known, source, alert),
                None => list.push(seen(alerts, source, alert)),
            }
        }
    }
    list.sort_by(|a, b| {
        let rank = |s: &Seen| (s.watchdog, std::cmp::Reverse(s.alert.state.clone()), s.alert.is_muted());
        rank(a)
            .cmp(&rank(b))
            .then_with(|| a.alert.name.cmp(&b.alert.name))
            .then_with(|| a.alert.labels.cmp(&b.alert.labels))
    });
    list
}

fn seen(alerts: &Alerts, source: &AlertSource, alert: &Alert) -> Seen {
    Seen {
        watchdog: alerts.is_watchdog(&alert.name),
        alert: local(alert, &source.told),
        sources: vec![source.id.clone()],
    }
}

/// The alert with its times by this program's clock.
fn local(alert: &Alert, told: &AlertsAnswer) -> Alert {
    let here = |at: Option<Time>| at.map(|at| told.local_time(at));
    let mut alert = alert.clone();
    alert.active_at = here(alert.active_at);
    alert.fires_at = here(alert.fires_at);
    alert.keep_firing_since = here(alert.keep_firing_since);
    alert.updated_at = here(alert.updated_at);
    for silence in &mut alert.silences {
        silence.until = here(silence.until);
    }
    alert
}

/// Adds what an Alertmanager knows to what the rule server said.
fn add(known: &mut Seen, source: &AlertSource, alert: &Alert) {
    let alert = local(alert, &source.told);
    if !known.sources.contains(&source.id) {
        known.sources.push(source.id.clone());
    }
    let known = &mut known.alert;
    known.fingerprint = known.fingerprint.take().or(alert.fingerprint);
    known.updated_at = known.updated_at.or(alert.updated_at);
    known.generator = known.generator.take().or(alert.generator);
    known.fires_at = known.fires_at.or(alert.fires_at);
    extend(&mut known.silences, alert.silences, |a, b| a.id == b.id);
    extend(&mut known.inhibited_by, alert.inhibited_by, |a, b| a == b);
    extend(&mut known.muted_by, alert.muted_by, |a, b| a == b);
    extend(&mut known.receivers, alert.receivers, |a, b| a == b);
}

fn extend<T>(all: &mut Vec<T>, more: Vec<T>, same: impl Fn(&T, &T) -> bool) {
    for one in more {
        if !all.iter().any(|known| same(known, &one)) {
            all.push(one);
        }
    }
}

/// Where alerts of rule servers stand in the list.
#[derive(Default)]
struct Places<'a> {
    exact: BTreeMap<&'a Labels, usize>,
    /// Alerts of servers that do not tell which labels they add.
    open: BTreeMap<&'a str, Vec<(&'a Labels, usize)>>,
    /// Labels that servers are known to add.
    external: Vec<&'a Labels>,
    /// What was found to be added, where nobody tells.
    guessed: BTreeSet<Labels>,
    compared: usize,
}

impl<'a> Places<'a> {
    fn add(&mut self, source: &'a AlertSource, alert: &'a Alert, place: usize) {
        self.exact.entry(&alert.labels).or_insert(place);
        match &source.told.external_labels {
            Some(external) if !self.external.contains(&external) => self.external.push(external),
            Some(_) => {}
            None => self.open.entry(&alert.name).or_default().push((&alert.labels, place)),
        }
    }

    /// The place of the alert that was sent as this one.
    fn find(&mut self, sent: &Alert) -> Option<usize> {
        if let Some(place) = self.exact.get(&sent.labels) {
            return Some(*place);
        }
        let without = |added: &Labels| {
            let kept = |name: &str| added.get(name).is_none_or(|value| sent.labels.get(name) != Some(value));
            sent.labels.filtered(kept)
        };
        let known = self.external.iter().copied().chain(&self.guessed);
        if let Some(place) = known.map(without).find_map(|labels| self.exact.get(&labels)) {
            return Some(*place);
        }
        let open = self.open.get(sent.name.as_str())?;
        if self.compared + open.len() > MOST_COMPARED {
            return None;
        }
        self.compared += open.len();
        // The labels that were added are the rest; of two that fit, the one with the smaller rest.
        let fits = open.iter().filter(|(labels, _)| sent.labels.contains(labels.iter()));
        let (labels, place) = fits.max_by_key(|(labels, _)| labels.len())?;
        self.guessed.insert(sent.labels.filtered(|name| labels.get(name).is_none()));
        Some(*place)
    }
}
