//! A gate in time: the rules that turn measurements into a verdict.
//!
//! Only pass is GO (rule 1). NaN and ±Inf are unknown (2). A failed poll is shown at once and decides
//! nothing until `max-age`; past it the gate is unknown and its hold starts again (3). Absent is not
//! zero (4). A hold is proven by polls (6). Hysteresis (7). That ticking polls again (5) is `app`'s.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::duration::short;
use crate::model::{Fault, GateDef, Labels, Reason, SourceId, Time, Unit, Verdict};

use super::hold::{Hold, Progress};
use super::measure::{self, Measure};

/// How many measurements a gate remembers, to explain itself.
const REMEMBERED: usize = 10;

/// A gate with its recent past.
#[derive(Clone, Debug)]
pub struct Gate {
    /// What it asks for.
    pub def: GateDef,
    /// The source whose answers it is measured on.
    pub source: SourceId,
    /// The expression, or the flag's key.
    pub query: String,
    /// The unit of its value.
    pub unit: Unit,
    /// The interval of its source.
    pub every: Duration,
    /// The oldest sample that counts.
    pub max_age: Duration,
    /// The oldest answer that counts, where samples are older than the answers that tell them: rules
    /// are evaluated more seldom than their server is asked.
    pub answer_age: Option<Duration>,
    hold: Hold,
    /// It has failed and not yet cleared.
    failed: bool,
    /// Polls that cleared since it failed.
    cleared: u32,
    /// The last ten measurements, oldest first.
    pub recent: VecDeque<Measure>,
    /// When the verdict of the newest measurement began.
    since: Option<Time>,
}

/// What a gate says at a moment, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Pass, fail or unknown.
    pub verdict: Verdict,
    /// Why, in words that stand on their own.
    pub reason: Reason,
    /// The value that decided.
    pub value: Option<f64>,
    /// What it is compared with.
    pub threshold: measure::Limit,
    /// The series it belongs to.
    pub labels: Labels,
    /// When its oldest sample was taken.
    pub sampled: Option<Time>,
    /// The age of that sample.
    pub age: Option<Duration>,
    /// How long the newest measurement's verdict has lasted.
    pub lasting: Option<Duration>,
    /// The hold, where the gate asks for one.
    pub hold: Option<Progress>,
}

impl Gate {
    /// A gate that was never measured.
    pub fn new(
        def: GateDef,
        source: SourceId,
        query: String,
        unit: Unit,
        every: Duration,
        max_age: Duration,
    ) -> Self {
        Self {
            def,
            source,
            query,
            unit,
            every,
            max_age,
            answer_age: None,
            hold: Hold::default(),
            failed: false,
            cleared: 0,
            recent: VecDeque::with_capacity(REMEMBERED + 1),
            since: None,
        }
    }

    /// Whether its threshold is the `clear` one.
    pub fn failed(&self) -> bool {
        self.failed
    }

    /// Takes a measurement in; `every` is the interval it was promised at.
    pub fn observe(&mut self, measure: Measure, every: Duration) {
        let fresh = measure
            .sampled
            .is_none_or(|s| measure.at.since(s) <= self.max_age && !self.is_ahead(s, measure.at));
        match measure.verdict {
            Verdict::Pass if fresh => {
                let silence = self.answer_age.unwrap_or(self.max_age).max(every * 2);
                self.hold.pass(measure.at, every, self.def.hold, silence);
                self.cleared += 1;
                if self.cleared >= 2 || self.def.clear.is_none() {
                    self.failed = false;
                }
            }
            Verdict::Fail => {
                self.failed = true;
                self.cleared = 0;
                self.hold.restart();
            }
            Verdict::Pass | Verdict::Unknown => {
                self.cleared = 0;
                self.hold.restart();
            }
        }
        if self.recent.back().is_none_or(|last| last.verdict != measure.verdict) {
            self.since = Some(measure.at);
        }
        self.recent.push_back(measure);
        if self.recent.len() > REMEMBERED {
            self.recent.pop_front();
        }
    }

    /// A poll of its source failed: the hold pauses.
    pub fn pause(&mut self, at: Time) {
        self.hold.pause(at, self.every, self.def.hold);
    }

    /// Time passed: a sample that has become too old takes the hold with it.
    pub fn tick(&mut self, now: Time) {
        let too_old =
            |m: &Measure| m.sampled.is_some_and(|s| now.since(s) > self.max_age) || self.is_unheard(m, now);
        if self.recent.back().is_some_and(too_old) {
            self.hold.restart();
            self.cleared = 0;
        }
    }

    /// What it says at `now`, given what is wrong with its source.
    pub fn judge(&self, now: Time, fault: Option<&Fault>) -> Judgement {
        let limit = measure::threshold(&self.def, self.failed);
        let Some(last) = self.recent.back() else {
            let reason = fault.map_or_else(|| Reason::new("no-samples", "no answer yet"), Reason::from);
            return self.judgement(Verdict::Unknown, reason, None, now, limit);
        };
        let age = last.sampled.map(|s| now.since(s));
        let value = last.value.map(|v| measure::number(v, self.unit));
        if let Some(age) = age.filter(|age| *age > self.max_age) {
            let reason = match (fault, value) {
                (Some(f), Some(v)) => {
                    Reason::new(f.code.as_str(), format!("{f}; last good {v}, {} ago", short(age)))
                }
                (Some(f), None) => Reason::from(f),
                (None, _) => Reason::new(
                    "stale",
                    format!("sample is {} old, max-age {}", short(age), short(self.max_age)),
                ),
            };
            return self.judgement(Verdict::Unknown, reason, Some(last), now, limit);
        }
        if let Some(sampled) = last.sampled.filter(|s| self.is_ahead(*s, now.min(last.at))) {
            let text =
                format!("sample is from {} ahead of this clock", short(sampled.since(now.min(last.at))));
            return self.judgement(Verdict::Unknown, Reason::new("clock", text), Some(last), now, limit);
        }
        // An unknown without a sample ages by the moment it was asked for.
        if last.sampled.is_none() && now.since(last.at) > self.max_age || self.is_unheard(last, now) {
            let reason = fault.map_or_else(
                || {
                    Reason::new(
                        "stale",
                        format!("last answer {} ago: {}", short(now.since(last.at)), last.reason.text),
                    )
                },
                Reason::from,
            );
            return self.judgement(Verdict::Unknown, reason, Some(last), now, limit);
        }
        if last.verdict != Verdict::Pass {
            return self.judgement(last.verdict, last.reason.clone(), Some(last), now, limit);
        }
        if self.failed {
            let text = format!("{}, recovering ({} of 2 polls)", last.reason.text, self.cleared.min(2));
            return self.judgement(Verdict::Unknown, Reason::new("recovering", text), Some(last), now, limit);
        }
        let progress = self.hold.progress(self.def.hold);
        if !self.def.hold.is_zero() && !progress.complete {
            let text =
                format!("{}, held {} of {}", last.reason.text, short(progress.held), short(progress.of));
            return self.judgement(Verdict::Unknown, Reason::new("holding", text), Some(last), now, limit);
        }
        self.judgement(Verdict::Pass, last.reason.clone(), Some(last), now, limit)
    }

    /// Whether the sample is from further ahead than clocks may differ: it proves nothing of now.
    fn is_ahead(&self, sampled: Time, now: Time) -> bool {
        sampled.since(now) > self.max_age / 2
    }

    /// Whether the answer is too old, whatever the age of its samples.
    fn is_unheard(&self, last: &Measure, now: Time) -> bool {
        self.answer_age.is_some_and(|oldest| now.since(last.at) > oldest)
    }

    fn judgement(
        &self,
        verdict: Verdict,
        reason: Reason,
        last: Option<&Measure>,
        now: Time,
        threshold: measure::Limit,
    ) -> Judgement {
        Judgement {
            verdict,
            reason,
            value: last.and_then(|m| m.value),
            threshold,
            labels: last.map(|m| m.labels.clone()).unwrap_or_default(),
            sampled: last.and_then(|m| m.sampled),
            age: last.and_then(|m| m.sampled).map(|s| now.since(s)),
            lasting: self.since.map(|s| now.since(s)),
            hold: (!self.def.hold.is_zero()).then(|| self.hold.progress(self.def.hold)),
        }
    }
}
