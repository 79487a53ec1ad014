//! Why a rule says no.

use std::time::Duration;

use crate::model::duration::short;
use crate::model::{ItemId, Time};

use super::MAX_WORDS;

/// Why a command is refused by a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such item.
    #[error("this run has no item {0}")]
    NoSuchItem(ItemId),
    /// There is no such item, and one with nearly that name.
    #[error("this run has no item {asked}; did you mean {nearest}?")]
    Misspelt {
        /// What was asked for.
        asked: ItemId,
        /// The item with the name most like it.
        nearest: ItemId,
    },
    /// It is already done, skipped, waived or failed.
    #[error("{item} is already {stage}{}", if stage.starts_with("failed") { "; reopen it first, with a reason" } else { "" })]
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
    /// Nobody vouches for the author.
    #[error(
        "{0} is unverified, and this checklist takes changes only from people who are signed in (gonogo login, :sign-in)"
    )]
    Identity(String),
    /// Another issuer vouches for the author than for whoever began the run: its names and roles mean nothing
    /// here.
    #[error("{by} is not signed in at {wanted}, where whoever began this run is: its roles count here")]
    Issuer {
        /// Who.
        by: String,
        /// The issuer that counts.
        wanted: String,
    },
    /// It is another role's.
    #[error("{item} is for {role}{}: act as {role} (--as, :as)", acting_as(.acting.as_deref()))]
    Role {
        /// The item.
        item: String,
        /// The role that may.
        role: String,
        /// The role that the author acts in.
        acting: Option<String>,
    },
    /// Words are missing.
    #[error("{0} needs a reason in words")]
    NeedsWords(&'static str),
    /// A gate was asked, and did not pass.
    #[error("{item} is not ticked: {why}")]
    GateSaysNo {
        /// The item.
        item: ItemId,
        /// The gate's reason.
        why: String,
    },
    /// The gates were asked, and not all passed.
    #[error("not {what}: {why}")]
    NoGo {
        /// `GO`, `resumed`, `lifted off`.
        what: &'static str,
        /// The worst gate's reason.
        why: String,
    },
    /// A gate item was ticked without evidence of a pass.
    #[error("{0} is a gate: it is ticked by a number that passes, not by hand")]
    NeedsEvidence(ItemId),
    /// A decision was asked for without numbers.
    #[error("{0} needs numbers that pass, polled for it")]
    NeedsNumbers(&'static str),
    /// Evidence must be brought first.
    #[error("{item} asks for evidence: {missing} is missing (--evidence {missing}=…, e)")]
    EvidenceMissing {
        /// The item.
        item: ItemId,
        /// The kinds that are missing.
        missing: String,
    },
    /// Something that only a source can tell was brought by hand.
    #[error("a {0} is polled and not written down by hand: bring a link, words or a file")]
    NotPolled(String),
    /// It is signed, not ticked.
    #[error("{item} is signed by {of} people, not ticked: {have} signed so far (sign, A)")]
    Signed {
        /// The item.
        item: ItemId,
        /// How many must.
        of: usize,
        /// How many have.
        have: usize,
    },
    /// It takes no signatures.
    #[error("{0} takes no signature: tick it")]
    NoSignature(ItemId),
    /// The same person never signs twice.
    #[error("{by} has signed {item} already at {}: another person must", at.clock())]
    SignedTwice {
        /// The item.
        item: ItemId,
        /// Who.
        by: String,
        /// When.
        at: Time,
    },
    /// What was signed changed under the pen.
    #[error("{0} has other evidence now than you saw: look at it again, then sign")]
    SignedOther(ItemId),
    /// Nobody may waive it.
    #[error("{0} cannot be waived: its checklist names nobody who may")]
    NotWaivable(ItemId),
    /// Others may waive it.
    #[error("{item} can be waived by {}{}", roles.join(", "), acting_as(.acting.as_deref()))]
    MayNotWaive {
        /// The item.
        item: ItemId,
        /// Who may.
        roles: Vec<String>,
        /// The role that the author acts in.
        acting: Option<String>,
    },
    /// Who owns it does not excuse it.
    #[error("{0} is yours: somebody else must waive it")]
    OwnWaiver(ItemId),
    /// It is of another kind.
    #[error("{item} is a {kind} item, not a {wanted}")]
    OtherKind {
        /// The item.
        item: ItemId,
        /// What it is.
        kind: &'static str,
        /// What it would have to be.
        wanted: &'static str,
    },
    /// A command settles itself.
    #[error(
        "{0} is a command: it is done when it has run (run, x); if it was done by hand, break the glass with a reason"
    )]
    RunsInstead(ItemId),
    /// A message is marked as sent.
    #[error("{0} is a message: it is done when it is marked as sent (sent, w in its dialog)")]
    SentInstead(ItemId),
    /// Its command is running.
    #[error("{item} is running since {}", since.clock())]
    Running {
        /// The item.
        item: ItemId,
        /// Since when.
        since: Time,
    },
    /// Nobody knows whether its command ran to the end.
    #[error(
        "whether the command of {0} ran to its end is not known: look at what it did, then reopen the item with a reason"
    )]
    UnknownOutcome(ItemId),
    /// No such command was started.
    #[error("{0} has no command running that this could be the end of")]
    NotStarted(ItemId),
    /// The clock is held.
    #[error("{what} must wait: the clock is held{}", why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default())]
    Held {
        /// What was to be done.
        what: String,
        /// Why it is held.
        why: Option<String>,
    },
    /// A wait is not over.
    #[error("{item} is not over: {} to go", short(*.left))]
    NotOver {
        /// The item.
        item: ItemId,
        /// What is left.
        left: Duration,
    },
    /// A wait was begun already.
    #[error("{item} was begun at {}", since.clock())]
    Begun {
        /// The item.
        item: ItemId,
        /// When.
        since: Time,
    },
    /// A parameter is wrong.
    #[error("parameter {name}: {why}")]
    Param {
        /// Its name.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// A note says nothing.
    #[error("a note needs words")]
    EmptyNote,
    /// A reason, a note or a message is longer than [`MAX_WORDS`].
    #[error("{0} bytes are too long for a reason or a note; the most is {MAX_WORDS}")]
    TooLong(usize),
    /// T-0 lies outside the years 0 to 9999.
    #[error("T-0 must lie in the years 0 to 9999")]
    NoDate,
    /// The clock does not do that now.
    #[error("{0}")]
    Clock(String),
    /// The poll does not allow it.
    #[error("{0}")]
    Poll(String),
    /// The desk is somebody else's.
    #[error("{0}")]
    Desk(String),
    /// The proposal does not allow it.
    #[error("{0}")]
    Proposal(String),
    /// The run is closed.
    #[error("the run was closed by {by} at {}: only notes are taken", at.clock())]
    Closed {
        /// Who closed it.
        by: String,
        /// When.
        at: Time,
    },
}

fn names(ids: &[ItemId]) -> String {
    ids.iter().map(ItemId::as_str).collect::<Vec<_>>().join(", ")
}

fn acting_as(role: Option<&str>) -> String {
    match role {
        Some(role) => format!(", and you act as {role}"),
        None => ", and you act in no role".into(),
    }
}
