//! One immutable fact in a run.

use serde::{Deserialize, Serialize};

use crate::model::{ItemId, Time, text};

/// What a run is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The real launch.
    #[default]
    Live,
    /// The real systems, nothing executed.
    DryRun,
    /// Against the simulated product.
    Drill,
}

impl Mode {
    /// As written in events and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::DryRun => "dry-run",
            Self::Drill => "drill",
        }
    }
}

/// `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hash(pub String);

/// Who does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// `ana@corp`, or `unverified:ana` where nobody authenticated.
    pub by: String,
    /// The role they act in.
    pub role: Option<String>,
}

impl Author {
    /// Somebody whom nobody authenticated.
    pub fn unverified(name: &str) -> Self {
        let by = if name.starts_with(UNVERIFIED) { name.to_owned() } else { format!("{UNVERIFIED}{name}") };
        Self { by, role: None }
    }

    /// The name for a sentence, harmless to print: `ana` of `unverified:ana`, `ana@corp` as it is.
    pub fn name(&self) -> String {
        text::harmless_line(self.by.strip_prefix(UNVERIFIED).unwrap_or(&self.by), 60)
    }
}

const UNVERIFIED: &str = "unverified:";

/// What backs a tick: the number that was true then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Evidence {
    /// `metric` or `flag`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The expression as asked, or the flag's key.
    pub query: String,
    /// The value as Prometheus prints it, so that NaN and Inf survive.
    pub value: String,
    /// When the sample was taken.
    pub sampled: Time,
    /// The source that answered.
    pub source: String,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// The run began.
    Start {
        /// Hash of the template's bytes.
        template: Hash,
        /// The template's id.
        checklist: String,
        /// What the run is for.
        mode: Mode,
        /// T-0, where it was set at the start.
        t0: Option<Time>,
    },
    /// An item was ticked.
    Tick {
        /// The item.
        item: ItemId,
        /// What backs it.
        evidence: Vec<Evidence>,
    },
    /// An item was skipped.
    Skip {
        /// The item.
        item: ItemId,
        /// Why.
        reason: String,
    },
    /// An item was opened again.
    Reopen {
        /// The item.
        item: ItemId,
        /// Why.
        reason: String,
    },
    /// Somebody wrote something down, on an item or on the run.
    Note {
        /// The item, or none for the run.
        item: Option<ItemId>,
        /// The words.
        text: String,
    },
    /// T-0 was set or moved.
    T0 {
        /// The new T-0.
        t0: Time,
    },
}

impl Fact {
    /// The `kind` in an event file.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Start { .. } => "start",
            Self::Tick { .. } => "tick",
            Self::Skip { .. } => "skip",
            Self::Reopen { .. } => "reopen",
            Self::Note { .. } => "note",
            Self::T0 { .. } => "t0",
        }
    }

    /// The item it is about.
    pub fn item(&self) -> Option<&ItemId> {
        match self {
            Self::Tick { item, .. } | Self::Skip { item, .. } | Self::Reopen { item, .. } => Some(item),
            Self::Note { item, .. } => item.as_ref(),
            Self::Start { .. } | Self::T0 { .. } => None,
        }
    }
}

/// A fact with its place in the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// 1, 2, 3, … dense.
    pub seq: u64,
    /// Idempotency key: a ULID.
    pub id: String,
    /// The store's clock.
    pub at: Time,
    /// Who.
    pub author: Author,
    /// What.
    pub fact: Fact,
    /// The revision of the item (or, where T-0 moves, of the clock) that was seen; else 0.
    pub seen_rev: u64,
    /// Hash of the event before; of nothing for event 1.
    pub prev: Hash,
    /// Hash over length-prefixed fields and `prev`.
    pub hash: Hash,
}
