//! Gates tried on the past: the same polls, the same rules, and when each gate would have passed,
//! failed, been unknown.

use std::time::Duration;

use crate::model::{GateId, Polled, Reason, Time, Verdict};

use super::{Outcome, Watch};

/// A watch whose verdicts are written down.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What has been seen so far.
    pub watch: Watch,
    /// By gate, in the order of the watch.
    pub gates: Vec<Past<Verdict>>,
    /// Of the launch, over the gates that count.
    pub launch: Past<Outcome>,
}

/// What a gate, or the launch, said over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Past<V> {
    /// Oldest first, each beginning where the one before ends.
    pub spans: Vec<Span<V>>,
}

/// A span of time in which the verdict and the kind of its reason stayed the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Span<V> {
    /// The first moment that was judged so.
    pub from: Time,
    /// The first that was not any more, or the last that was judged.
    pub to: Time,
    /// The verdict.
    pub verdict: V,
    /// Why, as it was at the beginning.
    pub reason: Reason,
    /// The value that decided then.
    pub value: Option<f64>,
}

impl<V: Copy + PartialEq> Past<V> {
    fn judged(&mut self, at: Time, verdict: V, reason: &Reason, value: Option<f64>) {
        if let Some(last) = self.spans.last_mut() {
            last.to = at;
            if last.verdict == verdict && last.reason.code == reason.code {
                return;
            }
        }
        self.spans.push(Span { from: at, to: at, verdict, reason: reason.clone(), value });
    }

    /// How long it was so.
    pub fn lasted(&self, verdict: V) -> Duration {
        self.spans.iter().filter(|s| s.verdict == verdict).map(|s| s.to.since(s.from)).sum()
    }

    /// Its share of the whole time, in percent; of a single moment all or nothing.
    pub fn percent(&self, verdict: V) -> f64 {
        let whole: Duration = self.spans.iter().map(|s| s.to.since(s.from)).sum();
        if whole.is_zero() {
            return if self.ever(verdict) { 100.0 } else { 0.0 };
        }
        100.0 * self.lasted(verdict).as_secs_f64() / whole.as_secs_f64()
    }

    /// Whether it was ever so.
    pub fn ever(&self, verdict: V) -> bool {
        self.spans.iter().any(|s| s.verdict == verdict)
    }

    /// When it was first so.
    pub fn first(&self, verdict: V) -> Option<&Span<V>> {
        self.spans.iter().find(|s| s.verdict == verdict)
    }
}

impl Trial {
    /// Nothing judged yet.
    pub fn new(watch: Watch) -> Self {
        let gates = watch.gates.iter().map(|_| Past { spans: Vec::new() }).collect();
        Self { watch, gates, launch: Past { spans: Vec::new() } }
    }

    /// A poll's answer was there.
    pub fn observe(&mut self, poll: &Polled) {
        self.watch.observe(poll);
    }

    /// Time passed, as a room's clock tells it each second.
    pub fn tick(&mut self, now: Time) {
        self.watch.tick(now);
    }

    /// Writes down what every gate says at `now`.
    pub fn judge(&mut self, now: Time, counts: impl Fn(&GateId) -> bool) {
        for ((_, judgement), past) in self.watch.judge_all(now).iter().zip(&mut self.gates) {
            past.judged(now, judgement.verdict, &judgement.reason, judgement.value);
        }
        let overall = self.watch.overall(now, counts);
        let (reason, value) = overall.gates.iter().find(|(_, j)| j.verdict != Verdict::Pass).map_or_else(
            || (Reason::new("holds", "every gate passes"), None),
            |(id, j)| (Reason::new(id.as_str(), format!("{id}: {}", j.reason.text)), j.value),
        );
        self.launch.judged(now, overall.outcome, &reason, value);
    }
}
