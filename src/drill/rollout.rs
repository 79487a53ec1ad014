//! The flags of the product, how far callers have taken them up, and what callers really got.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Duration;

use super::dice::{Dice, Stream};

/// The flag that the launch is about.
pub const TASKS_ENABLED: &str = "tasks.enabled";
/// Rolled out by rules, so that no percentage can be told.
pub const BULK_IMPORT: &str = "tasks.bulk-import";
/// On for everybody.
pub const NEW_INVOICES: &str = "billing.new-invoices";
/// Off for everybody.
pub const AI_SUGGEST: &str = "tasks.ai-suggest";

/// All flags, in the order in which they are told.
pub const KEYS: [&str; 4] = [BULK_IMPORT, NEW_INVOICES, AI_SUGGEST, TASKS_ENABLED];

/// How long callers keep a flag's old state, on average: their libraries ask now and then.
const TAKE_UP: f64 = 60.0;
/// The share of callers that the rules of [`BULK_IMPORT`] match, in percent.
const BULK_IMPORT_MATCHES: f64 = 8.0;
/// Over how many counts (one a minute) the flag service says what callers got.
const WINDOW: usize = 5;

/// What callers got: how often a flag was on, and how often off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evaluations {
    /// On.
    pub on: u64,
    /// Off.
    pub off: u64,
}

/// What callers got in a window that ended at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The window's length.
    pub window: Duration,
    /// What they got in it.
    pub evaluations: Evaluations,
    /// When it ended.
    pub at: Duration,
}

/// A target that was set.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// When.
    pub at: Duration,
    /// The target before, in percent.
    pub before: f64,
    /// The target from then on, in percent.
    pub after: f64,
    /// Whose hand.
    pub by: Cow<'static, str>,
}

/// The state of `tasks.enabled`, and the evaluations of all flags.
#[derive(Debug)]
pub struct Rollout {
    dice: Dice,
    /// The target, in percent of organisations.
    pub percent: f64,
    /// How often it was changed.
    pub version: u32,
    /// When it was changed last; `None`: the day before the product started.
    pub changed: Option<Duration>,
    /// Who changed it last.
    pub by: Cow<'static, str>,
    /// Every change since the product started, oldest first.
    pub changes: Vec<Change>,
    /// Whether somebody took it out of the story's hands.
    pub pinned: bool,
    // Percent of callers that act on the target already.
    taken_up: f64,
    evaluations: [Evaluations; KEYS.len()],
    // What had been evaluated at the end of each of the last minutes, oldest first.
    marks: VecDeque<(Duration, [Evaluations; KEYS.len()])>,
}

impl Rollout {
    /// The state before anybody moves it: it has been at so many percent for a day.
    pub fn new(seed: u64, percent: f64) -> Self {
        let evaluations = [Evaluations::default(); KEYS.len()];
        Self {
            dice: Dice::new(seed, Stream::Flags),
            percent,
            version: 6,
            changed: None,
            by: Cow::Borrowed("ravi"),
            changes: Vec::new(),
            pinned: false,
            taken_up: percent,
            evaluations,
            marks: VecDeque::from([(Duration::ZERO, evaluations)]),
        }
    }

    /// Sets the target.
    pub fn set(&mut self, now: Duration, percent: f64, by: impl Into<Cow<'static, str>>) {
        let by = by.into();
        self.changes.push(Change { at: now, before: self.percent, after: percent, by: by.clone() });
        self.percent = percent;
        self.version += 1;
        self.changed = Some(now);
        self.by = by;
    }

    /// Callers ask for the flags' state now and then: `passed` more seconds have gone by.
    pub fn take_up(&mut self, passed: f64) {
        self.taken_up += (self.percent - self.taken_up) * (1.0 - (-passed / TAKE_UP).exp());
    }

    /// Percent of callers for whom the flag is on at this moment.
    pub fn taken_up(&self) -> f64 {
        self.taken_up
    }

    /// A caller asks for every flag.
    pub fn evaluate(&mut self) {
        let percents = [BULK_IMPORT_MATCHES, 100.0, 0.0, self.taken_up];
        for (count, percent) in self.evaluations.iter_mut().zip(percents) {
            if self.dice.chance(percent / 100.0) {
                count.on += 1;
            } else {
                count.off += 1;
            }
        }
    }

    /// The flag service counts what callers got in the last minutes.
    pub fn count(&mut self, now: Duration) {
        self.marks.push_back((now, self.evaluations));
        while self.marks.len() > WINDOW + 1 {
            self.marks.pop_front();
        }
    }

    /// All flags with what callers got since the product started.
    pub fn evaluations(&self) -> impl Iterator<Item = (&'static str, Evaluations)> + '_ {
        KEYS.into_iter().zip(self.evaluations)
    }

    /// What callers got lately of a flag; `None` before the first count.
    pub fn observed(&self, key: &str) -> Option<Observed> {
        let place = KEYS.iter().position(|k| *k == key)?;
        let (from, before) = self.marks.front()?;
        let (at, after) = self.marks.back()?;
        let (before, after) = (before.get(place)?, after.get(place)?);
        let window = at.checked_sub(*from).filter(|window| !window.is_zero())?;
        let evaluations = Evaluations { on: after.on - before.on, off: after.off - before.off };
        Some(Observed { window, evaluations, at: *at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_follow_a_raise_within_minutes_and_the_counts_show_it() {
        let mut rollout = Rollout::new(3, 10.0);
        assert_eq!(rollout.observed(TASKS_ENABLED), None);
        rollout.set(Duration::ZERO, 50.0, "ravi");
        rollout.take_up(0.1);
        assert!(rollout.taken_up() < 11.0);
        for minute in 1..=10 {
            rollout.take_up(60.0);
            for _ in 0..2000 {
                rollout.evaluate();
            }
            rollout.count(Duration::from_mins(minute));
        }
        let seen = rollout.observed(TASKS_ENABLED).unwrap();
        assert_eq!((seen.window, seen.at), (Duration::from_mins(5), Duration::from_mins(10)));
        assert_eq!(seen.evaluations.on + seen.evaluations.off, 10_000);
        assert!((4_700..5_300).contains(&seen.evaluations.on), "{seen:?}");
        assert_eq!(rollout.observed(AI_SUGGEST).unwrap().evaluations.on, 0);
        assert_eq!(rollout.observed(NEW_INVOICES).unwrap().evaluations.off, 0);
    }
}
