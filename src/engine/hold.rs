//! How long a gate has held (rule 6): pass for the whole window, with at least 90 % of the polls that
//! the interval promises. A failed poll pauses it, a fail or a long silence starts it again.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::Time;

/// The passes of a gate since it last failed.
#[derive(Clone, Debug, Default)]
pub struct Hold {
    polls: VecDeque<Poll>,
}

#[derive(Clone, Copy, Debug)]
struct Poll {
    at: Time,
    passed: bool,
    /// The interval that was promised when it was made; a chart's range query has a coarser one.
    every: Duration,
}

/// How far a hold is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Time held so far, at most `of`.
    pub held: Duration,
    /// Time asked for.
    pub of: Duration,
    /// Whether enough of it is proven by polls.
    pub complete: bool,
}

impl Hold {
    /// A poll that passed. `gap` is the longest silence that does not start the hold again: what a
    /// suspended laptop did not see, it cannot vouch for.
    pub fn pass(&mut self, at: Time, every: Duration, want: Duration, gap: Duration) {
        if self.polls.back().is_some_and(|last| at.since(last.at) > gap || at < last.at) {
            self.restart();
        }
        self.polls.push_back(Poll { at, passed: true, every });
        self.forget(want);
    }

    /// A poll that failed to answer: the time around it does not count.
    pub fn pause(&mut self, at: Time, every: Duration, want: Duration) {
        if !self.polls.is_empty() {
            self.polls.push_back(Poll { at, passed: false, every });
            self.forget(want);
        }
    }

    /// Begins again from nothing.
    pub fn restart(&mut self) {
        self.polls.clear();
    }

    /// How much of `want` is proven.
    pub fn progress(&self, want: Duration) -> Progress {
        let held = self.held();
        let passed = self.polls.iter().filter(|p| p.passed).count() as f64;
        let missed = self.polls.len() as f64 - passed;
        let promised: f64 = self.pairs().map(|(a, b)| span(a, b).as_secs_f64() / seconds(b.every)).sum();
        let proven = passed >= 0.9 * promised && missed <= 0.1 * (passed + missed);
        let complete = passed > 0.0 && held >= want && (proven || want.is_zero());
        Progress { held: held.min(want), of: want, complete }
    }

    fn pairs(&self) -> impl Iterator<Item = (&Poll, &Poll)> {
        self.polls.iter().zip(self.polls.iter().skip(1))
    }

    fn held(&self) -> Duration {
        self.pairs().map(|(a, b)| span(a, b)).sum()
    }

    /// Drops the oldest polls while the rest still proves the whole window.
    fn forget(&mut self, want: Duration) {
        let mut held = self.held();
        while let (Some(first), Some(second)) = (self.polls.front(), self.polls.get(1)) {
            let rest = held.saturating_sub(span(first, second));
            if rest < want {
                break;
            }
            held = rest;
            self.polls.pop_front();
        }
    }
}

/// The time between two polls counts only if both passed.
fn span(a: &Poll, b: &Poll) -> Duration {
    if a.passed && b.passed { b.at.since(a.at) } else { Duration::ZERO }
}

fn seconds(every: Duration) -> f64 {
    every.as_secs_f64().max(1e-3)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(5);
    const WANT: Duration = Duration::from_secs(60);
    const GAP: Duration = Duration::from_secs(15);

    fn at(s: i64) -> Time {
        Time::from_millis(s * 1000)
    }

    fn passes(hold: &mut Hold, seconds: impl IntoIterator<Item = i64>) {
        for s in seconds {
            hold.pass(at(s), EVERY, WANT, GAP);
        }
    }

    #[test]
    fn it_is_complete_only_when_the_whole_window_was_seen_to_pass() {
        let mut hold = Hold::default();
        passes(&mut hold, (0..=55).step_by(5));
        assert!(!hold.progress(WANT).complete);
        passes(&mut hold, [60]);
        assert!(hold.progress(WANT).complete);
        hold.restart();
        assert_eq!(hold.progress(WANT).held, Duration::ZERO);
    }

    #[test]
    fn a_failed_poll_pauses_it_and_many_of_them_prove_nothing() {
        let mut hold = Hold::default();
        passes(&mut hold, (0..=30).step_by(5));
        hold.pause(at(35), EVERY, WANT);
        passes(&mut hold, (40..=60).step_by(5));
        assert_eq!(hold.progress(WANT).held, Duration::from_secs(50));
        passes(&mut hold, [65, 70]);
        assert!(hold.progress(WANT).complete);

        let mut flapping = Hold::default();
        for i in 0..100 {
            flapping.pass(at(i * 10), EVERY, WANT, GAP);
            flapping.pause(at(i * 10 + 5), EVERY, WANT);
        }
        assert!(!flapping.progress(WANT).complete);
    }

    #[test]
    fn a_suspended_laptop_starts_it_again() {
        let mut hold = Hold::default();
        passes(&mut hold, (0..=55).step_by(5));
        passes(&mut hold, [600]);
        assert_eq!(hold.progress(WANT).held, Duration::ZERO);
    }
}
