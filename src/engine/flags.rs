//! The flags that matter, as their provider has shown them, and whether callers get what is set.

use std::time::Duration;

use crate::model::duration::short;
use crate::model::poll::FlagsAnswer;
use crate::model::{Caps, Flag, FlagDef, Percent, Time};
use crate::promql::Expr;

use super::Track;

/// What is known of one flag.
#[derive(Clone, Debug)]
pub struct FlagState {
    /// Which flag, and where it is asked for.
    pub def: FlagDef,
    /// Its last known state, kept when a later answer does not hold it.
    pub flag: Option<Flag>,
    /// Whether the last answer said that it does not exist; an error, not "off".
    pub missing: bool,
    /// When the provider last spoke of it.
    pub asked: Option<Time>,
    /// What its provider can tell.
    pub caps: Caps,
}

/// A flag's rollout, or what decides it, is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// In words: `tasks.enabled 10 % → 25 %`.
    pub text: String,
    /// What is planned now, where that has changed: `50 % at 14:24:00`.
    pub then: Option<String>,
    /// Who did it, where the provider tells.
    pub by: Option<String>,
    /// When, where the provider tells and it lies between the last two answers.
    pub at: Option<Time>,
}

/// What callers got.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// Percent that had the flag on.
    pub percent: f64,
    /// Of how many evaluations, where it is known.
    pub count: Option<u64>,
    /// Over how long they were counted.
    pub window: Option<Duration>,
    /// When they were.
    pub at: Time,
}

/// Whether callers get what is set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Drift {
    /// They do, as far as so many evaluations can tell.
    None,
    /// They do not, and the last change is so young that they may not have taken it up.
    Settling,
    /// They do not: this far off, in points, where so many points are chance.
    Off {
        /// Points between what is set and what was seen.
        points: f64,
        /// Points that may be chance.
        tolerance: f64,
    },
}

impl FlagState {
    /// A flag nobody has told of yet.
    pub fn new(def: FlagDef) -> Self {
        Self { def, flag: None, missing: false, asked: None, caps: Caps::default() }
    }

    /// Takes an answer in; returns the change where there is one.
    pub fn observe(&mut self, asked: Time, answer: &FlagsAnswer) -> Option<Changed> {
        let before = self.asked.replace(asked);
        self.caps = answer.caps;
        let found = answer.flags.iter().find(|flag| flag.key == self.def.key);
        self.missing = found.is_none();
        let new = found?;
        let text = self.flag.as_ref().and_then(|old| change_text(old, new));
        let at = new.updated_at.filter(|at| before.is_some_and(|before| *at > before) && *at <= asked);
        let by = new.updated_by.clone();
        self.flag = Some(new.clone());
        text.map(|(text, then)| Changed { text, then, by, at })
    }

    /// What callers got: what the provider counts, else what the flag's signal says. `None` where nobody
    /// counts, or nobody asked.
    pub fn seen(&self, signal: Option<&Track>, evaluations: Option<&Track>) -> Option<Seen> {
        let counted = self.flag.as_ref().and_then(|flag| flag.observed);
        if let Some(observed) = counted
            && let Some(percent) = observed.percent()
        {
            let at = observed.at.or(self.asked)?;
            return Some(Seen { percent, count: Some(observed.count()), window: observed.window, at });
        }
        let track = signal?;
        let own: Vec<_> =
            track.points().filter(|p| p.labels.get("flag").is_none_or(|f| f == self.def.key)).collect();
        let on = own.iter().find(|p| p.labels.get("variant").is_some_and(|v| ON.contains(&v)));
        let point = match (on, own.as_slice()) {
            (Some(point), _) => *point,
            (None, [only]) => *only,
            _ => return None,
        };
        let count = evaluations.and_then(|track| {
            let own = track.points().filter(|p| p.labels.get("flag").is_none_or(|f| f == self.def.key));
            let sum: f64 = own.map(|p| p.value).sum();
            (sum.is_finite() && sum >= 1.0).then_some(sum as u64)
        });
        let window = Expr::parse(&track.def.query).ok().map(|expr| expr.window());
        point.value.is_finite().then_some(Seen { percent: point.value, count, window, at: point.sampled })
    }

    /// Holds what was seen against what is set: chance explains max(2 points, 3√(p(1−p)/n)), and the
    /// error of an estimate. Of a lower bound only its lower side is held. `None` where either is unknown.
    pub fn drift(&self, seen: &Seen) -> Option<Drift> {
        let flag = self.flag.as_ref().filter(|_| !self.missing)?;
        let (low, high) = flag.reach().bounds()?;
        let points = (low - seen.percent).max(seen.percent - high).max(0.0);
        let nearest = seen.percent.clamp(low, high) / 100.0;
        let chance = seen.count.map_or(0.0, |n| 300.0 * (nearest * (1.0 - nearest) / n as f64).sqrt());
        let tolerance = chance.max(LEAST_TOLERANCE);
        if points <= tolerance {
            return Some(Drift::None);
        }
        let window = seen.window.unwrap_or_default() + TAKE_UP;
        let young = flag.updated_at.is_some_and(|at| seen.at.since(at) < window);
        Some(if young { Drift::Settling } else { Drift::Off { points, tolerance } })
    }
}

/// Values of the label `variant` that mean that a caller got the feature.
const ON: [&str; 5] = ["on", "true", "enabled", "treatment", "1"];
/// Fewer points than this are no drift.
const LEAST_TOLERANCE: f64 = 2.0;
/// How long a change takes to reach callers, whose libraries ask now and then.
const TAKE_UP: Duration = Duration::from_mins(1);

/// What has changed, the weightiest first; all of it, because each can move what callers get.
fn change_text(old: &Flag, new: &Flag) -> Option<(String, Option<String>)> {
    let mut parts = Vec::new();
    if old.enabled != new.enabled {
        parts.push(if new.enabled { "switched on" } else { "switched off" }.to_owned());
    }
    // An estimate wavers by itself; it has moved where the two intervals do not meet.
    let moved = match (old.percent, new.percent) {
        (Percent::Estimated { .. }, Percent::Estimated { .. }) => {
            let ((low, high), (from, to)) = (old.percent.bounds()?, new.percent.bounds()?);
            high < from || to < low
        }
        (from, to) => from != to,
    };
    if moved {
        parts.push(format!("{} → {}", old.percent.text(), new.percent.text()));
    }
    if old.archived != new.archived {
        parts.push(if new.archived { "archived" } else { "taken out of the archive" }.to_owned());
    }
    let others = [
        ("rules", old.rules != new.rules),
        ("targets", old.targets != new.targets),
        ("variants", old.variants != new.variants && !moved),
        ("prerequisites", old.prerequisites != new.prerequisites),
    ];
    let others: Vec<&str> =
        others.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name).collect();
    if !others.is_empty() {
        parts.push(format!("{} changed", others.join(" and ")));
    }
    // A step that was planned and was taken is told by what it did.
    if old.next.is_some() && new.next.is_none() && !moved {
        parts.push("nothing planned any more".into());
    }
    let then = new.next.filter(|_| old.next != new.next).map(|(at, percent)| planned(at, percent));
    match (parts.is_empty(), then) {
        (false, then) => Some((format!("{} {}", new.key, parts.join(", ")), then)),
        (true, Some(then)) => Some((format!("{} planned: {then}", new.key), None)),
        (true, None) => None,
    }
}

fn planned(at: Time, percent: f64) -> String {
    format!("{} on {} at {}", Percent::Known { value: percent }.text(), at.date(), at.clock())
}

/// Why a flag has not been unchanged for long enough, or that it has.
pub(super) fn unchanged(flag: &Flag, wanted: Duration, at: Time) -> Result<(), (bool, String)> {
    let Some(changed) = flag.updated_at else {
        return Err((false, "when it was changed last is not told".into()));
    };
    if changed.since(at) > Duration::from_secs(30) {
        return Err((false, format!("changed {} from now: the clocks differ", short(changed.since(at)))));
    }
    let quiet = at.since(changed);
    if quiet >= wanted {
        return Ok(());
    }
    Err((true, format!("changed {} ago, wants {} of quiet", short(quiet), short(wanted))))
}
