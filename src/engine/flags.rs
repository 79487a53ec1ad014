//! The flags that matter, as their provider has shown them, and whether callers get what is set.

use std::time::Duration;

use crate::model::duration::short;
use crate::model::flag::interval;
use crate::model::poll::FlagsAnswer;
use crate::model::{Caps, Flag, FlagDef, Percent, Point, Time};
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
    /// The environment that its provider speaks of; empty before it has.
    pub environment: String,
    /// The provider's clock less this program's, in seconds, where it is known.
    offset: Option<f64>,
    /// When a change was seen here last.
    changed: Option<Time>,
    /// The estimate that later ones are held against: the last that was told, or the first, once it was
    /// counted on all keys.
    estimate: Option<(f64, u32)>,
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
    /// Whether that is too long ago, or was too badly told, to say anything of now.
    pub stale: bool,
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
        Self {
            def,
            flag: None,
            missing: false,
            asked: None,
            caps: Caps::default(),
            environment: String::new(),
            offset: None,
            changed: None,
            estimate: None,
        }
    }

    /// Takes an answer in; returns the change where there is one. `offset` is the provider's clock less this
    /// program's, where it is known.
    pub fn observe(&mut self, asked: Time, answer: &FlagsAnswer, offset: Option<f64>) -> Option<Changed> {
        let before = self.asked.replace(asked);
        (self.caps, self.offset) = (answer.caps, offset);
        self.environment.clone_from(&answer.environment);
        let found = answer.flags.iter().find(|flag| flag.key == self.def.key);
        let was_missing = std::mem::replace(&mut self.missing, found.is_none());
        let new = found?;
        let from = self.moved(new.percent);
        let mut text = self.flag.as_ref().and_then(|old| change_text(old, new, from));
        if was_missing && before.is_some() && text.is_none() {
            text = Some((format!("{} is there again", new.key), None));
        }
        if text.is_some() {
            self.changed = Some(asked);
        }
        let at = new.updated_at.map(|at| self.here(at));
        let at = at.filter(|at| before.is_some_and(|before| *at > before) && *at <= asked);
        let by = new.updated_by.clone();
        self.flag = Some(new.clone());
        text.map(|(text, then)| Changed { text, then, by, at })
    }

    /// The environment that its provider speaks of, where it is another than that of the launch.
    pub fn elsewhere(&self, of_launch: &str) -> Option<&str> {
        let known = !self.environment.is_empty() && !of_launch.is_empty();
        let other = known && self.environment != of_launch;
        other.then_some(self.environment.as_str())
    }

    /// A moment of the provider's clock, by this program's.
    fn here(&self, at: Time) -> Time {
        let Some(offset) = self.offset else { return at };
        let span = Duration::try_from_secs_f64(offset.abs()).unwrap_or_default();
        if offset > 0.0 { at.before(span) } else { at.after(span) }
    }

    /// The percentage that it has moved from, where it has.
    ///
    /// An estimate is held against the one that was told last, and not against the one before it, which
    /// is of nearly the same keys. While the keys are still being asked anew, after one of them got
    /// something else, it is of too few of them to say that anything has moved.
    fn moved(&mut self, new: Percent) -> Option<Percent> {
        let old = self.flag.as_ref().map(|flag| flag.percent);
        let Percent::Estimated { value, n } = new else {
            self.estimate = None;
            return old.filter(|old| *old != new);
        };
        let Some((before, of)) = self.estimate else {
            self.estimate = Some((value, n));
            return old.filter(|old| *old != new);
        };
        if n < of {
            return None;
        }
        // More keys of one and the same count make an estimate better, and no change.
        if n > of && matches!(old, Some(Percent::Estimated { n: last, .. }) if last == of) {
            self.estimate = Some((value, n));
            return None;
        }
        // Each must be more than the other's error explains.
        let is_out = |value: f64, of: (f64, f64)| value < of.0 || of.1 < value;
        let moved =
            is_out(value, interval(before, u64::from(of))) && is_out(before, interval(value, u64::from(n)));
        if moved || n > of {
            self.estimate = Some((value, n));
        }
        moved.then_some(Percent::Estimated { value: before, n: of })
    }

    /// What callers got: what the provider counts, else what the flag's signal says. `None` where nobody
    /// counts, or nobody asked.
    pub fn seen(&self, signal: Option<&Track>, evaluations: Option<&Track>, now: Time) -> Option<Seen> {
        let counted = self.flag.as_ref().and_then(|flag| flag.observed);
        if let Some(observed) = counted
            && let Some(percent) = observed.percent()
        {
            let at = observed.at.map(|at| self.here(at)).or(self.asked)?;
            let window = observed.window;
            let stale = now.since(at) > window.unwrap_or_default().max(OBSERVED_AGE);
            return Some(Seen { percent, count: Some(observed.count()), window, at, stale });
        }
        let track = signal?;
        let own = |track: &Track| -> Vec<Point> {
            let points = track.points();
            points.filter(|p| p.labels.get("flag").is_none_or(|f| f == self.def.key)).cloned().collect()
        };
        let points = own(track);
        let percent = share_on(&points)?;
        let at = points.iter().map(|point| point.sampled).min()?;
        let count = evaluations.filter(|track| is_told(track, now)).and_then(|track| {
            let sum: f64 = own(track).iter().map(|p| p.value).sum();
            (sum.is_finite() && sum >= 1.0).then_some(sum as u64)
        });
        let window = Expr::parse(&track.def.query).ok().map(|expr| expr.window());
        let stale = !is_told(track, now);
        Some(Seen { percent, count, window, at, stale })
    }

    /// Holds what was seen against what is set: chance explains max(2 points, 3√(p(1−p)/n)), and the
    /// error of an estimate. Of a lower bound only its lower side is held. `None` where either is unknown.
    pub fn drift(&self, seen: &Seen) -> Option<Drift> {
        let flag = self.flag.as_ref().filter(|flag| !self.missing && !flag.archived && !seen.stale)?;
        let (low, high) = flag.reach().bounds()?;
        let points = (low - seen.percent).max(seen.percent - high).max(0.0);
        let nearest = seen.percent.clamp(low, high) / 100.0;
        let chance = seen.count.map_or(0.0, |n| 300.0 * (nearest * (1.0 - nearest) / n as f64).sqrt());
        let tolerance = chance.max(LEAST_TOLERANCE);
        if points <= tolerance {
            return Some(Drift::None);
        }
        let window = seen.window.unwrap_or_default() + TAKE_UP;
        let young = flag.updated_at.is_some_and(|at| seen.at.since(self.here(at)) < window);
        Some(if young { Drift::Settling } else { Drift::Off { points, tolerance } })
    }
}

/// Values of the label `variant` that mean that a caller got the feature.
const ON: [&str; 5] = ["on", "true", "enabled", "treatment", "1"];
/// A provider counts now and then; what it counted longer ago says nothing of now.
const OBSERVED_AGE: Duration = Duration::from_mins(5);
/// Fewer points than this are no drift.
const LEAST_TOLERANCE: f64 = 2.0;
/// How long a change takes to reach callers, whose libraries ask now and then.
const TAKE_UP: Duration = Duration::from_mins(1);

/// What has changed, the weightiest first; all of it, because each can move what callers get. `from` is
/// the percentage that it has moved from.
fn change_text(old: &Flag, new: &Flag, from: Option<Percent>) -> Option<(String, Option<String>)> {
    let mut parts = Vec::new();
    if let (Some(before), Some(now)) = (old.switched(), new.switched())
        && before != now
    {
        parts.push(if new.enabled { "switched on" } else { "switched off" }.to_owned());
    }
    if let Some(from) = from {
        parts.push(format!("{} → {}", from.text(), new.percent.text()));
    }
    let moved = from.is_some();
    if old.archived != new.archived {
        parts.push(if new.archived { "archived" } else { "taken out of the archive" }.to_owned());
    }
    let others = [
        ("unit", old.unit != new.unit),
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

/// Whether a signal's newest answer was whole, and is young enough.
fn is_told(track: &Track, now: Time) -> bool {
    let young = |point: &Point| now.since(point.sampled) <= track.def.max_age;
    track.fault.is_none() && track.warnings.is_empty() && track.points().all(young)
}

/// The share of callers for whom the flag was on, out of series by variant or one series of its own. Where no
/// variant says "on", it is 0 only if the others are everybody.
fn share_on(points: &[Point]) -> Option<f64> {
    let (by_variant, plain): (Vec<&Point>, Vec<&Point>) =
        points.iter().partition(|point| point.labels.get("variant").is_some());
    let share = match (by_variant.as_slice(), plain.as_slice()) {
        ([], [only]) => only.value,
        ([], _) => return None,
        (variants, _) => {
            let is_on = |p: &&&Point| p.labels.get("variant").is_some_and(|v| ON.contains(&v));
            let on: Vec<f64> = variants.iter().filter(is_on).map(|p| p.value).collect();
            let all: f64 = variants.iter().map(|p| p.value).sum();
            if on.is_empty() && (all - 100.0).abs() > 0.5 {
                return None;
            }
            on.iter().sum()
        }
    };
    share.is_finite().then_some(share)
}

/// Why a flag has not been unchanged for long enough, or that it has.
///
/// # Errors
/// Why not, and whether that is certain.
pub(super) fn unchanged(
    state: &FlagState,
    flag: &Flag,
    wanted: Duration,
    at: Time,
) -> Result<(), (bool, String)> {
    let Some(changed) = flag.updated_at.map(|changed| state.here(changed)) else {
        return Err((false, "when it was changed last is not told".into()));
    };
    if changed.since(at) > Duration::from_secs(30) {
        return Err((false, format!("changed {} from now: the clocks differ", short(changed.since(at)))));
    }
    // What was seen here counts too: the provider's clock may be behind, and nobody may know by how much.
    let changed = state.changed.map_or(changed, |seen| seen.max(changed));
    let quiet = at.since(changed);
    if quiet >= wanted {
        return Ok(());
    }
    Err((true, format!("changed {} ago, wants {} of quiet", short(quiet), short(wanted))))
}
