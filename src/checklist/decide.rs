//! What may happen next: a command on a state gives a fact, or is refused with a reason.

use crate::model::{ItemId, Time};

use super::{Evidence, Fact, Run};

/// What somebody wants to do to a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Tick an item; a gate item brings the evidence of an answer that passed.
    Tick {
        /// The item.
        item: ItemId,
        /// What backs it.
        evidence: Vec<Evidence>,
    },
    /// Skip an item, with a reason.
    Skip {
        /// The item.
        item: ItemId,
        /// Why; must not be blank.
        reason: String,
    },
    /// Open a settled item again, with a reason.
    Reopen {
        /// The item.
        item: ItemId,
        /// Why; must not be blank.
        reason: String,
    },
    /// Write a note.
    Note {
        /// The item, or none for the run.
        item: Option<ItemId>,
        /// The words; must not be blank.
        text: String,
    },
    /// Set or move T-0.
    SetT0 {
        /// The new T-0.
        t0: Time,
    },
}

/// Why a command is refused by a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such item.
    #[error("this run has no item {0}")]
    NoSuchItem(ItemId),
    /// It is already done or skipped.
    #[error("{item} is already {stage}")]
    Settled {
        /// The item.
        item: ItemId,
        /// `done by ana at 14:02:11`.
        stage: String,
    },
    /// It is not settled, so it cannot be opened again.
    #[error("{0} is open already")]
    NotSettled(ItemId),
    /// Something must come first.
    #[error("{item} waits for {}", names(.waits_for))]
    Blocked {
        /// The item.
        item: ItemId,
        /// What must come first.
        waits_for: Vec<ItemId>,
    },
    /// Words are missing.
    #[error("{0} needs a reason in words")]
    NeedsWords(&'static str),
    /// A gate item was ticked without evidence of a pass.
    #[error("{0} is a gate: it is ticked by a number that passes, not by hand")]
    NeedsEvidence(ItemId),
}

fn names(ids: &[ItemId]) -> String {
    ids.iter().map(ItemId::as_str).collect::<Vec<_>>().join(", ")
}

/// The fact that the command adds to the run.
///
/// # Errors
/// [`Refused`], with the rule in words.
pub fn decide(_run: &Run, _command: &Command) -> Result<Fact, Refused> {
    todo!()
}
