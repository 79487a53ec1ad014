//! What can happen in a run. How a fact is written stands in `fields`, what it changes in `state`.

use std::time::Duration;

use crate::model::{ItemId, RunId, Time, trigger};

use super::{Evidence, Hash, Mode};

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
        /// The template's parameters with their values.
        params: Vec<(String, String)>,
        /// The run that this one was opened from: a rollback's launch.
        of: Option<RunId>,
        /// Whether the launch's config takes changes only from people who are signed in.
        require_identity: bool,
    },
    /// Somebody has begun an item; of a wait, its timer runs.
    Begin {
        /// The item.
        item: ItemId,
    },
    /// Evidence was brought.
    Attach {
        /// The item.
        item: ItemId,
        /// What was brought.
        evidence: Vec<Evidence>,
    },
    /// An item was ticked.
    Tick {
        /// The item.
        item: ItemId,
        /// What backs it.
        evidence: Vec<Evidence>,
    },
    /// An item was signed.
    Sign {
        /// The item.
        item: ItemId,
        /// What was signed: the hash of definition, parameters and evidence.
        binds: Hash,
        /// Words beside the signature.
        note: Option<String>,
    },
    /// An item was skipped.
    Skip {
        /// The item.
        item: ItemId,
        /// Why.
        reason: String,
    },
    /// An item was waived by somebody who may.
    Waive {
        /// The item.
        item: ItemId,
        /// Why.
        reason: String,
    },
    /// An item has failed.
    Fail {
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
    /// A step was completed against the rules: a recorded deviation.
    BreakGlass {
        /// The step.
        step: Step,
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
    /// A command is about to be started; nothing was started before this was durable.
    Started {
        /// The item.
        item: ItemId,
        /// The program and its arguments, parameters filled in.
        argv: Vec<String>,
        /// Names of the variables handed on.
        env: Vec<String>,
        /// The longest it may run.
        timeout: Duration,
    },
    /// A command came to its end.
    Ended {
        /// The item.
        item: ItemId,
        /// The number of the event that started it.
        of: u64,
        /// How: `exit 0`, `exit 3`, `signal 9`, `timed out`, `not started: …`, `exercised`.
        outcome: String,
        /// How long it took.
        took: Duration,
        /// Bytes of output.
        bytes: u64,
        /// Hash of the output, secrets taken out.
        output: Option<Hash>,
    },
    /// A message was marked as sent.
    Sent {
        /// The item.
        item: ItemId,
        /// Where.
        channel: Option<String>,
        /// The text as it was then.
        text: String,
        /// Its hash.
        hash: Hash,
    },
    /// T-0 was set or moved.
    T0 {
        /// The new T-0.
        t0: Time,
    },
    /// The clock is held.
    Hold {
        /// The built-in hold that was reached; `None`: somebody or something else holds.
        hold: Option<String>,
        /// Why.
        reason: Option<String>,
        /// The proposal that nobody answered in time.
        proposal: Option<u64>,
    },
    /// A hold may last longer.
    Extend {
        /// By how much.
        by: Duration,
    },
    /// The clock goes on.
    Resume {
        /// The numbers it was allowed on.
        evidence: Vec<Evidence>,
    },
    /// The count goes back to a built-in hold, and is held there.
    Recycle {
        /// The hold.
        hold: String,
        /// Why.
        reason: String,
    },
    /// The launch is off for now.
    Scrub {
        /// Why.
        reason: String,
    },
    /// T-0: the launch is on its way.
    LiftOff {
        /// The numbers it was allowed on.
        evidence: Vec<Evidence>,
    },
    /// Stations are asked, outside the built-in holds.
    Poll {
        /// Who is asked.
        stations: Vec<String>,
        /// How long they have; silence past it is NO-GO.
        within: Duration,
    },
    /// A station answered.
    Vote {
        /// The poll: a hold's id, or `poll-SEQ`.
        poll: String,
        /// Whose answer it is.
        station: String,
        /// GO or NO-GO.
        go: bool,
        /// Words beside it.
        note: Option<String>,
        /// The numbers a GO rests on.
        evidence: Vec<Evidence>,
    },
    /// Every GO of a poll lapsed, because a watched gate went bad.
    Lapse {
        /// The poll.
        poll: String,
        /// Which gate, and how.
        reason: String,
    },
    /// A terminal took the desk.
    Desk {
        /// The terminal.
        terminal: String,
        /// The terminal that it was taken from by force.
        forced_from: Option<String>,
    },
    /// The desk was left.
    LeaveDesk {
        /// The terminal that had it.
        terminal: String,
    },
    /// A trigger or a regressed item proposes something.
    Propose {
        /// The trigger's id, or the item's.
        cause: String,
        /// What is proposed.
        action: trigger::Action,
        /// How long people have to answer.
        within: Duration,
        /// The numbers behind it, in words.
        reason: String,
    },
    /// A proposal was answered.
    Answer {
        /// The number of the event that proposed.
        proposal: u64,
        /// Confirmed or dismissed.
        confirm: bool,
        /// Why it was dismissed.
        reason: Option<String>,
    },
    /// Something is due.
    Remind {
        /// The item.
        item: ItemId,
        /// What is late.
        text: String,
    },
    /// The rollback list was opened and begun.
    Rollback {
        /// Its run.
        run: RunId,
        /// Why.
        reason: String,
    },
    /// A scripted incident of a drill began or ended.
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
    /// Nothing more is to happen.
    Close {
        /// Words at the end.
        reason: Option<String>,
    },
}

/// A step that the glass can be broken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// An item counts as done.
    Item(ItemId),
    /// The current hold ends.
    Hold,
    /// Lift-off.
    LiftOff,
}

impl Step {
    /// `item flags-reviewed`, `hold`, `lift-off`.
    pub fn words(&self) -> String {
        match self {
            Self::Item(id) => id.to_string(),
            Self::Hold => "hold".into(),
            Self::LiftOff => "lift-off".into(),
        }
    }
}

/// What a revision is counted of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revised {
    /// An item.
    Item,
    /// The clock with its holds.
    Clock,
    /// The votes.
    Poll,
    /// The desk.
    Desk,
}

impl Revised {
    /// The key in an event file.
    pub fn key(self) -> &'static str {
        match self {
            Self::Item => "item-rev",
            Self::Clock => "clock-rev",
            Self::Poll => "poll-rev",
            Self::Desk => "desk-rev",
        }
    }
}

impl Fact {
    /// The `kind` in an event file.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Start { .. } => "start",
            Self::Begin { .. } => "begin",
            Self::Attach { .. } => "evidence",
            Self::Tick { .. } => "tick",
            Self::Sign { .. } => "signoff",
            Self::Skip { .. } => "skip",
            Self::Waive { .. } => "waive",
            Self::Fail { .. } => "fail",
            Self::Reopen { .. } => "reopen",
            Self::BreakGlass { .. } => "break-glass",
            Self::Note { .. } => "note",
            Self::Started { .. } => "started",
            Self::Ended { .. } => "ended",
            Self::Sent { .. } => "sent",
            Self::T0 { .. } => "t0",
            Self::Hold { .. } => "hold",
            Self::Extend { .. } => "extend",
            Self::Resume { .. } => "resume",
            Self::Recycle { .. } => "recycle",
            Self::Scrub { .. } => "scrub",
            Self::LiftOff { .. } => "lift-off",
            Self::Poll { .. } => "poll",
            Self::Vote { .. } => "vote",
            Self::Lapse { .. } => "lapse",
            Self::Desk { .. } => "desk",
            Self::LeaveDesk { .. } => "leave-desk",
            Self::Propose { .. } => "propose",
            Self::Answer { .. } => "answer",
            Self::Remind { .. } => "remind",
            Self::Rollback { .. } => "rollback",
            Self::Inject { .. } => "inject",
            Self::Score { .. } => "score",
            Self::Close { .. } => "close",
        }
    }

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
            | Self::Started { item, .. }
            | Self::Ended { item, .. }
            | Self::Sent { item, .. }
            | Self::Remind { item, .. }
            | Self::BreakGlass { step: Step::Item(item), .. } => Some(item),
            Self::Note { item, .. } => item.as_ref(),
            _ => None,
        }
    }

    /// What it counts as a change of; notes and reminders change nothing.
    pub fn revision(&self) -> Option<Revised> {
        match self {
            Self::Note { item: None, .. }
            | Self::Start { .. }
            | Self::Propose { .. }
            | Self::Answer { .. }
            | Self::Inject { .. }
            | Self::Score { .. }
            | Self::Close { .. }
            | Self::Rollback { .. } => None,
            Self::T0 { .. }
            | Self::Hold { .. }
            | Self::Extend { .. }
            | Self::Resume { .. }
            | Self::Recycle { .. }
            | Self::Scrub { .. }
            | Self::LiftOff { .. }
            | Self::BreakGlass { step: Step::Hold | Step::LiftOff, .. } => Some(Revised::Clock),
            Self::Poll { .. } | Self::Vote { .. } | Self::Lapse { .. } => Some(Revised::Poll),
            Self::Desk { .. } | Self::LeaveDesk { .. } => Some(Revised::Desk),
            // Of a note on an item, the revision that was seen.
            _ => Some(Revised::Item),
        }
    }

    /// What backs it.
    pub fn evidence(&self) -> &[Evidence] {
        match self {
            Self::Attach { evidence, .. }
            | Self::Tick { evidence, .. }
            | Self::Resume { evidence }
            | Self::LiftOff { evidence }
            | Self::Vote { evidence, .. } => evidence,
            _ => &[],
        }
    }
}
