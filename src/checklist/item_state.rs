//! How far one item of a run is.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{ItemId, Time};

use super::{Author, Evidence, Hash};

/// How far an item is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Nothing happened yet, or it was opened again.
    #[default]
    Todo,
    /// Begun: a first signature, a running command, a timer.
    InProgress,
    /// Ticked.
    Done,
    /// It did not come true, with a reason.
    Failed,
    /// Left out, with a reason.
    Skipped,
    /// Excused by somebody who may, with a reason.
    Waived,
}

impl Stage {
    /// The word for the screen and for JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Todo => "todo",
            Self::InProgress => "in-progress",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Waived => "waived",
        }
    }

    /// Whether nothing more is expected of it.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Done | Self::Skipped | Self::Waived)
    }

    /// Whether somebody may still settle it.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Todo | Self::InProgress)
    }
}

/// What follows from the stages of other items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Derived {
    /// To do, and nothing stands in the way.
    Ready,
    /// To do, and these must be met first.
    Blocked(Vec<ItemId>),
    /// Done, failed, skipped or waived; whether it still stands is told by [`super::Run::lapsed`].
    Settled,
}

/// A signature on an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signature {
    /// Whose.
    pub author: Author,
    /// When.
    pub at: Time,
    /// What was signed.
    pub binds: Hash,
    /// Words beside it.
    pub note: Option<String>,
}

/// A command that was started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// The number of the event that started it.
    pub seq: u64,
    /// By whom.
    pub author: Author,
    /// When.
    pub at: Time,
    /// What was run.
    pub argv: Vec<String>,
    /// The longest it may run.
    pub timeout: Duration,
    /// How it ended, once it has.
    pub end: Option<End>,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// `exit 0`, `exit 3`, `signal 9`, `timed out`, `not started: …`, `exercised`.
    pub outcome: String,
    /// When that was written down.
    pub at: Time,
    /// How long it took.
    pub took: Duration,
    /// Bytes of output.
    pub bytes: u64,
    /// Hash of the output, secrets taken out.
    pub output: Option<Hash>,
}

/// The outcomes that settle a command item.
pub const GOOD_OUTCOMES: [&str; 2] = ["exit 0", EXERCISED];
/// The outcome of a command in a dry run or a drill, where nothing is run.
pub const EXERCISED: &str = "exercised";

/// How much longer than its time-out a command's end may take to be written down before its outcome is
/// called unknown: the grace after TERM, and a busy ledger.
pub const RESULT_GRACE: Duration = Duration::from_secs(60);

impl Attempt {
    /// Whether nobody can tell any more how it ended: its supervisor is gone without a word.
    pub fn is_unknown(&self, now: Time) -> bool {
        self.end.is_none() && now.since(self.at) > self.timeout + RESULT_GRACE
    }

    /// The last moment at which its end may still come. Until then it is neither reopened nor run again,
    /// also where its supervisor is known to be gone: the command itself may run on.
    pub fn awaited_until(&self) -> Time {
        self.at.after(self.timeout + RESULT_GRACE)
    }

    /// Whether it may still be running.
    pub fn is_running(&self, now: Time) -> bool {
        self.end.is_none() && !self.is_unknown(now)
    }
}

/// The state of one item of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ItemState {
    /// How far it is.
    pub stage: Stage,
    /// Counts the events that changed it (notes and reminders do not); what a writer must have seen.
    pub rev: u64,
    /// Who settled it, and when.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub settled: Option<(Author, Time)>,
    /// Who began it, and when.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub begun: Option<(Author, Time)>,
    /// Why it was skipped, waived, failed or opened again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// What backs it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub evidence: Vec<Evidence>,
    /// Signatures that are valid.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub signatures: Vec<Signature>,
    /// The newest run of its command.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub attempt: Option<Attempt>,
    /// Notes, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<(Author, Time, String)>,
    /// It was completed against the rules.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub overridden: bool,
    /// Its being late was written down.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub reminded: bool,
}

impl ItemState {
    /// `done by ana at 14:02:11`, harmless to print.
    pub fn words(&self) -> String {
        let word = self.stage.word();
        match self.settled.as_ref().or(self.begun.as_ref()) {
            Some((author, at)) => format!("{word} by {} at {}", author.name(), at.clock()),
            None => word.to_owned(),
        }
    }

    pub(super) fn settle(&mut self, stage: Stage, author: &Author, at: Time, reason: Option<&str>) {
        self.stage = stage;
        self.settled = Some((author.clone(), at));
        self.reason = reason.map(ToOwned::to_owned);
    }

    pub(super) fn begin(&mut self, author: &Author, at: Time) {
        self.stage = Stage::InProgress;
        self.begun = Some((author.clone(), at));
        self.settled = None;
        self.reason = None;
    }

    /// What was polled anew takes the place of what was polled before; what people brought stays.
    pub(super) fn back_with(&mut self, polled: &[Evidence]) {
        if polled.is_empty() {
            return;
        }
        self.evidence.retain(|evidence| !evidence.is_polled());
        self.evidence.extend_from_slice(polled);
    }
}
