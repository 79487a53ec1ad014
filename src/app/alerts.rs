//! The lines of the alerts block: grouped by name, what fires first.

use std::time::Duration;

use crate::engine::alerts::Seen;
use crate::model::alert::{ALERTNAME, Alert, AlertState};
use crate::model::duration::short;
use crate::model::{Health, Time, text};

use super::log::LogKind;
use super::state::State;

/// How an alert stands, in one word, with a glyph of its own: never by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It fires, and nothing mutes it.
    Firing,
    /// It is in a state that is not known here.
    Other,
    /// It fires, and somebody silenced it.
    Silenced,
    /// It fires, and another alert or a time interval keeps it back.
    Inhibited,
    /// Its condition holds, not for long enough yet.
    Pending,
    /// A dead man's switch that fires, as it should.
    Watchdog,
}

impl Standing {
    /// Of an alert of the list.
    pub fn of(seen: &Seen) -> Self {
        match &seen.alert.state {
            AlertState::Other(_) => Self::Other,
            AlertState::Pending | AlertState::Inactive => Self::Pending,
            AlertState::Firing if seen.watchdog => Self::Watchdog,
            AlertState::Firing if !seen.alert.silences.is_empty() => Self::Silenced,
            AlertState::Firing if seen.alert.is_muted() => Self::Inhibited,
            AlertState::Firing => Self::Firing,
        }
    }

    /// The glyph for the screen.
    pub fn glyph(self) -> &'static str {
        match self {
            Self::Firing => "▲",
            Self::Other => "?",
            Self::Silenced => "◇",
            Self::Inhibited => "▽",
            Self::Pending => "◔",
            Self::Watchdog => "◉",
        }
    }

    /// The word for the screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Other => "unknown",
            Self::Silenced => "silenced",
            Self::Inhibited => "inhibited",
            Self::Pending => "pending",
            Self::Watchdog => "watchdog",
        }
    }
}

/// A line: a group's heading, or one alert.
#[derive(Clone, Debug)]
pub struct AlertLine<'a> {
    /// Where its alert stands among the alerts of the block.
    pub index: usize,
    /// The alert.
    pub seen: &'a Seen,
    /// How it stands.
    pub standing: Standing,
    /// How many alerts have its name, on the first of them.
    pub group: Option<usize>,
}

/// The alerts by name, groups and lines worst first. Watchdogs come last.
pub fn lines(state: &State) -> Vec<AlertLine<'_>> {
    let mut all: Vec<(Standing, &Seen)> =
        state.watch.alerts.list.iter().map(|seen| (Standing::of(seen), seen)).collect();
    // The list is in order of state and name; a group stands where its worst alert does.
    all.sort_by_key(|(standing, _)| *standing);
    let mut worst: std::collections::BTreeMap<&str, (usize, usize)> = std::collections::BTreeMap::new();
    for (_, seen) in &all {
        let place = worst.len();
        worst.entry(&seen.alert.name).or_insert((place, 0)).1 += 1;
    }
    all.sort_by_key(|(standing, seen)| (worst.get(seen.alert.name.as_str()).map(|w| w.0), *standing));
    let mut last = None;
    all.into_iter()
        .enumerate()
        .map(|(index, (standing, seen))| {
            let name = Some(seen.alert.name.as_str());
            let first = last != name;
            last = name;
            let size = worst.get(seen.alert.name.as_str()).map_or(0, |w| w.1);
            AlertLine { index, seen, standing, group: first.then_some(size) }
        })
        .collect()
}

/// How many alerts can be selected.
pub(super) fn length(state: &State) -> usize {
    state.watch.alerts.list.len()
}

/// The labels that tell alerts of one name apart: those that not all of them share.
pub fn telling_labels(seen: &Seen) -> String {
    let rest = seen.alert.labels.filtered(|name| name != ALERTNAME);
    let all: Vec<String> = rest.iter().map(|(name, value)| format!("{name}={value}")).collect();
    all.join(" ")
}

/// How long an alert has been in its state, or until it fires.
pub fn time_text(alert: &Alert, now: Time) -> String {
    if let Some(left) = alert.fires_in(now) {
        return format!("fires in {}", short(whole(left)));
    }
    alert.since().map_or_else(String::new, |at| short(whole(now.since(at))))
}

/// What is to be said where no alert is shown: what that rests on, never a bare nothing.
pub fn none_text(state: &State) -> String {
    let alerts = &state.watch.alerts;
    let heard: Vec<_> = alerts.sources.iter().filter(|s| s.asked.is_some()).collect();
    if alerts.sources.is_empty() {
        return "no source of alerts in the config".into();
    }
    if heard.is_empty() {
        let failed = alerts.sources.iter().find_map(|s| {
            let fault = state.watch.source(&s.id).and_then(|s| s.fault.clone()).or_else(|| s.fault.clone());
            Some(format!("{} {}", s.id, fault?))
        });
        return failed.map_or_else(
            || "waiting for the first answer".into(),
            |why| format!("cannot tell whether an alert fires: {why}"),
        );
    }
    if let (Some(old), true) = age(state) {
        return format!("no alert was firing at {}", state.now.before(old).clock());
    }
    match alerts.rules(state.now) {
        Some((0, _)) => "no alerts firing: the server has no alerting rules".into(),
        Some((count, Some(age))) => {
            let rules = if count == 1 { "1 rule".into() } else { format!("{count} rules") };
            format!("no alerts firing, {rules} evaluated {} ago", short(whole(age)))
        }
        Some((count, None)) => format!("no alerts firing, none of {count} rules evaluated yet"),
        None => "no alerts held; whether rules are evaluated is not known here".into(),
    }
}

/// The age of the oldest source's answer, and whether any of them cannot be trusted now.
pub fn age(state: &State) -> (Option<Duration>, bool) {
    let sources = &state.watch.alerts.sources;
    let oldest = sources.iter().map(|s| s.asked).min().flatten();
    let bad = sources.iter().any(|s| {
        s.fault.is_some()
            || state
                .watch
                .source(&s.id)
                .is_some_and(|s| matches!(s.health(state.now), Health::Failed | Health::Stale))
    });
    (oldest.map(|at| state.now.since(at)), bad)
}

/// What keeps a source from telling alerts now, in words, with when it did last.
pub fn trouble(state: &State) -> Option<String> {
    let failed = state.watch.alerts.sources.iter().find_map(|s| {
        let fault = state.watch.source(&s.id).and_then(|s| s.fault.as_ref()).or(s.fault.as_ref())?;
        let as_of = s.asked.map(|at| format!("  as of {}", at.clock())).unwrap_or_default();
        Some(format!("{} {fault}{as_of}", s.id))
    });
    failed.or_else(|| {
        let troubles = state.watch.alerts.troubles(state.now);
        let more = troubles.len().saturating_sub(1);
        let first = troubles.into_iter().next()?;
        Some(if more > 0 { format!("{first} (+{more} more)") } else { first })
    })
}

/// An alert that began to fire, or to be pending, as the log says it.
pub(super) fn came(alert: &Alert, count: usize, now: Time) -> (LogKind, String) {
    let which = which(alert, count);
    if alert.state == AlertState::Pending {
        let left = alert.fires_in(now).map(|left| format!(", fires in {}", short(whole(left))));
        return (LogKind::Alert, format!("◔ {which} pending{}", left.unwrap_or_default()));
    }
    let muted = alert.muted_text().map(|text| format!(", {text}")).unwrap_or_default();
    (LogKind::AlertFires, format!("▲ {which} firing{muted}"))
}

/// An alert that ceased to fire, as the log says it.
pub(super) fn went(alert: &Alert, count: usize) -> (LogKind, String) {
    (LogKind::AlertEnds, format!("△ {} resolved", which(alert, count)))
}

fn which(alert: &Alert, count: usize) -> String {
    match count {
        0 | 1 => text::harmless_line(format!("{} {}", alert.name, alert.series()).trim(), 160),
        more => format!("{} ({more} of it)", alert.name),
    }
}

fn whole(span: Duration) -> Duration {
    Duration::from_secs(span.as_secs())
}
