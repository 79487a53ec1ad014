//! A source as its polls have shown it.

use std::time::Duration;

use crate::model::identity::{Meta, Whoami};
use crate::model::poll::Notes;
use crate::model::{Fault, Health, Polled, SourceDef, Time};

/// How many intervals without an answer make a source stale, and a sample too old for a gate.
pub const STALE_INTERVALS: u32 = 3;

/// After this long a poll under way is worth a word.
const SLOW: Duration = Duration::from_secs(1);

/// What is known of one source.
#[derive(Clone, Debug)]
pub struct SourceState {
    /// What it is.
    pub def: SourceDef,
    /// When the last good answer was asked for.
    pub last_good: Option<Time>,
    /// When it was asked last, well or not.
    pub last_asked: Option<Time>,
    /// When the poll was begun that is under way, and has no answer yet.
    pub asking: Option<Time>,
    /// What went wrong last, until it answers again.
    pub fault: Option<Fault>,
    /// Failed polls since the last good one.
    pub failures: u32,
    /// How long the last answer took.
    pub took: Option<Duration>,
    /// Remarks on the last good answer.
    pub notes: Notes,
    /// Who the credential stands for.
    pub whoami: Option<Whoami>,
    /// The service's description of itself.
    pub meta: Option<Meta>,
}

impl SourceState {
    /// A source that was never asked.
    pub fn new(def: SourceDef) -> Self {
        Self {
            def,
            last_good: None,
            last_asked: None,
            asking: None,
            fault: None,
            failures: 0,
            took: None,
            notes: Notes::default(),
            whoami: None,
            meta: None,
        }
    }

    /// Takes in that a poll has begun.
    pub fn begin(&mut self, at: Time) {
        self.asking = Some(at);
    }

    /// How long the poll under way has been waited for, where that is longer than usual: more than a
    /// second, and more than the last one took. A source that hangs is known by it long before its
    /// time-out.
    pub fn waiting(&self, now: Time) -> Option<Duration> {
        let waited = now.since(self.asking?);
        let usual = self.took.filter(|_| self.fault.is_none()).unwrap_or_default();
        (waited >= SLOW.max(usual)).then_some(waited)
    }

    /// Takes a poll in.
    pub fn observe(&mut self, poll: &Polled) {
        self.asking = None;
        self.last_asked = Some(poll.asked);
        self.took = Some(poll.took);
        match &poll.outcome {
            Ok(answer) => {
                self.last_good = Some(poll.asked);
                self.fault = None;
                self.failures = 0;
                self.notes = answer.notes.clone();
                if answer.whoami.is_some() {
                    self.whoami.clone_from(&answer.whoami);
                }
                if answer.meta.is_some() {
                    self.meta.clone_from(&answer.meta);
                }
            }
            Err(fault) => {
                self.fault = Some(fault.clone());
                self.failures = self.failures.saturating_add(1);
            }
        }
    }

    /// How far its last word can be trusted at `now`.
    pub fn health(&self, now: Time) -> Health {
        match (&self.fault, self.last_good) {
            (Some(_), _) => Health::Failed,
            (None, None) => Health::Never,
            (None, Some(good)) if now.since(good) > self.patience() => Health::Stale,
            (None, Some(_)) => Health::Fresh,
        }
    }

    /// The age of its last good answer.
    pub fn age(&self, now: Time) -> Option<Duration> {
        self.last_good.map(|good| now.since(good))
    }

    /// How old a good answer may be before the source counts as stale: three intervals, and the
    /// time a slow answer may take on top.
    pub fn patience(&self) -> Duration {
        self.def.every * STALE_INTERVALS
    }
}
