//! What somebody wants to do to a run.

use std::time::Duration;

use crate::model::{ItemId, RunId, Time, trigger};

use super::fact::Step;
use super::{Evidence, Hash};

/// What somebody wants to do to a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Begin an item; of a wait, start its timer.
    Begin {
        /// The item.
        item: ItemId,
    },
    /// Bring evidence for an item.
    Attach {
        /// The item.
        item: ItemId,
        /// What is brought.
        evidence: Vec<Evidence>,
    },
    /// Tick an item; a gate item brings the evidence of an answer that passed.
    Tick {
        /// The item.
        item: ItemId,
        /// What backs it.
        evidence: Vec<Evidence>,
    },
    /// Sign an item.
    Sign {
        /// The item.
        item: ItemId,
        /// Words beside the signature.
        note: Option<String>,
        /// What the signer saw; `None`: what stands there when it is written.
        binds: Option<Hash>,
    },
    /// Skip an item, with a reason.
    Skip {
        /// The item.
        item: ItemId,
        /// Why; must not be blank.
        reason: String,
    },
    /// Excuse an item, with a reason.
    Waive {
        /// The item.
        item: ItemId,
        /// Why; must not be blank.
        reason: String,
    },
    /// Say that an item did not come true, with a reason.
    Fail {
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
    /// Complete a step against the rules, with a reason.
    BreakGlass {
        /// The step.
        step: Step,
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
    /// Say that an item's command is about to be started.
    Run {
        /// The item.
        item: ItemId,
    },
    /// Say how a command ended.
    Ended {
        /// The item.
        item: ItemId,
        /// The number of the event that started it.
        of: u64,
        /// `exit 0`, `exit 3`, `signal 9`, `timed out`, `not started: …`, `exercised`.
        outcome: String,
        /// How long it took.
        took: Duration,
        /// Bytes of output.
        bytes: u64,
        /// Hash of the output.
        output: Option<Hash>,
    },
    /// Mark a message as sent, with the text as it was.
    Sent {
        /// The item.
        item: ItemId,
        /// The text.
        text: String,
    },
    /// Set or move T-0.
    SetT0 {
        /// The new T-0.
        t0: Time,
    },
    /// Hold the clock.
    Hold {
        /// Why.
        reason: Option<String>,
    },
    /// Let the hold last longer.
    Extend {
        /// By how much.
        by: Duration,
    },
    /// End the hold. A hold that ends by gates brings the numbers.
    Resume {
        /// What it rests on.
        evidence: Vec<Evidence>,
    },
    /// Go back to a built-in hold, and hold there.
    Recycle {
        /// The hold.
        hold: String,
        /// Why; must not be blank.
        reason: String,
    },
    /// Call the launch off for now.
    Scrub {
        /// Why; must not be blank.
        reason: String,
    },
    /// T-0, on numbers that were polled for it.
    LiftOff {
        /// The numbers.
        evidence: Vec<Evidence>,
    },
    /// Ask stations, outside the built-in holds.
    Poll {
        /// Who is asked.
        stations: Vec<String>,
        /// How long they have.
        within: Duration,
    },
    /// Answer the poll.
    Vote {
        /// For which station.
        station: String,
        /// GO or NO-GO.
        go: bool,
        /// Words beside it.
        note: Option<String>,
        /// The numbers that a GO rests on.
        evidence: Vec<Evidence>,
        /// The poll that was in view; `None`: the one there is.
        poll: Option<String>,
    },
    /// Take the desk.
    Desk {
        /// The terminal that takes it.
        terminal: String,
        /// Also from somebody who is there.
        force: bool,
        /// The terminal that has it and is seen to be gone.
        gone: Option<String>,
    },
    /// Leave the desk.
    LeaveDesk {
        /// The terminal that has it.
        terminal: String,
    },
    /// Answer a proposal.
    Answer {
        /// The number of the event that proposed.
        proposal: u64,
        /// Confirm or dismiss.
        confirm: bool,
        /// Why it is dismissed.
        reason: Option<String>,
    },
    /// Say that the rollback list was begun.
    Rollback {
        /// Its run.
        run: RunId,
        /// Why.
        reason: String,
    },
    /// Nothing more is to happen.
    Close {
        /// Words at the end.
        reason: Option<String>,
    },
    /// What the desk writes by itself.
    Auto {
        /// The terminal that writes; only the desk may.
        terminal: String,
        /// What it writes.
        what: Auto,
    },
}

/// What the desk writes by itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Auto {
    /// Propose a rollback or a hold.
    Propose {
        /// The trigger's id, or the regressed item's.
        cause: String,
        /// What is proposed.
        action: trigger::Action,
        /// How long people have to answer.
        within: Duration,
        /// The numbers behind it.
        reason: String,
    },
    /// Nobody answered a proposal in time: hold.
    Silence {
        /// The number of the event that proposed.
        proposal: u64,
    },
    /// T reached a built-in hold.
    HoldReached {
        /// The hold.
        hold: String,
    },
    /// A hold that ends by time or by gates ends.
    Resume {
        /// The numbers, where gates end it.
        evidence: Vec<Evidence>,
    },
    /// A watched gate went bad: the GOs of the poll lapse.
    Lapse {
        /// Which gate, and how.
        reason: String,
    },
    /// An item is late.
    Late {
        /// The item.
        item: ItemId,
    },
    /// Hold the clock, for an item that is late and asks for it.
    HoldFor {
        /// Why.
        reason: String,
    },
    /// A wait is over.
    WaitOver {
        /// The item.
        item: ItemId,
        /// The numbers of its gate.
        evidence: Vec<Evidence>,
    },
    /// The gate of a wait failed.
    WaitFailed {
        /// The item.
        item: ItemId,
        /// The gate's reason.
        reason: String,
    },
    /// A scripted incident of a drill.
    Inject {
        /// Which.
        inject: String,
        /// What happens.
        text: String,
    },
    /// The drill's score.
    Score {
        /// The figures in words.
        text: String,
    },
}

impl Command {
    /// The item it is about.
    pub fn item(&self) -> Option<&ItemId> {
        match self {
            Self::Begin { item }
            | Self::Attach { item, .. }
            | Self::Tick { item, .. }
            | Self::Sign { item, .. }
            | Self::Skip { item, .. }
            | Self::Waive { item, .. }
            | Self::Fail { item, .. }
            | Self::Reopen { item, .. }
            | Self::BreakGlass { step: Step::Item(item), .. }
            | Self::Run { item }
            | Self::Ended { item, .. }
            | Self::Sent { item, .. } => Some(item),
            Self::Note { item, .. } => item.as_ref(),
            _ => None,
        }
    }
}
