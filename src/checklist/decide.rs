//! What may happen next: a command on a state gives a fact, or is refused with a reason.

use crate::model::{ItemId, Time};

use super::{Evidence, Fact, Hash, Item, ItemState, Kind, Mode, Run, Stage, Template};

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
    /// There is no such item, and one with nearly that name.
    #[error("this run has no item {asked}; did you mean {nearest}?")]
    Misspelt {
        /// What was asked for.
        asked: ItemId,
        /// The item with the name most like it.
        nearest: ItemId,
    },
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
    /// A gate was asked, and did not pass.
    #[error("{item} is not ticked: {why}")]
    GateSaysNo {
        /// The item.
        item: ItemId,
        /// The gate's reason.
        why: String,
    },
    /// A gate item was ticked without evidence of a pass.
    #[error("{0} is a gate: it is ticked by a number that passes, not by hand")]
    NeedsEvidence(ItemId),
    /// A note says nothing.
    #[error("a note needs words")]
    EmptyNote,
    /// A reason or a note is longer than [`MAX_WORDS`].
    #[error("{0} bytes are too long for a reason or a note; the most is {MAX_WORDS}")]
    TooLong(usize),
    /// T-0 lies outside the years 0 to 9999.
    #[error("T-0 must lie in the years 0 to 9999")]
    NoDate,
}

fn names(ids: &[ItemId]) -> String {
    ids.iter().map(ItemId::as_str).collect::<Vec<_>>().join(", ")
}

/// The longest reason or note, in bytes; an event file stays far below what a reader accepts.
pub const MAX_WORDS: usize = 64 * 1024;

/// The fact that the command adds to the run.
///
/// # Errors
/// [`Refused`], with the rule in words.
pub fn decide(run: &Run, command: &Command) -> Result<Fact, Refused> {
    match command {
        Command::Tick { item, evidence } => {
            let (definition, _) = open_item(run, item)?;
            let waits_for = run.waits_for(item);
            if !waits_for.is_empty() {
                return Err(Refused::Blocked { item: item.clone(), waits_for });
            }
            if matches!(definition.kind, Kind::Gate(_)) && evidence.is_empty() {
                return Err(Refused::NeedsEvidence(item.clone()));
            }
            Ok(Fact::Tick { item: item.clone(), evidence: evidence.clone() })
        }
        Command::Skip { item, reason } => {
            open_item(run, item)?;
            let reason = words(reason, Refused::NeedsWords("skipping"))?;
            Ok(Fact::Skip { item: item.clone(), reason })
        }
        Command::Reopen { item, reason } => {
            let (_, state) = known_item(run, item)?;
            if state.stage == Stage::Todo {
                return Err(Refused::NotSettled(item.clone()));
            }
            let reason = words(reason, Refused::NeedsWords("opening again"))?;
            Ok(Fact::Reopen { item: item.clone(), reason })
        }
        Command::Note { item, text } => {
            if let Some(item) = item {
                known_item(run, item)?;
            }
            Ok(Fact::Note { item: item.clone(), text: words(text, Refused::EmptyNote)? })
        }
        Command::SetT0 { t0 } => Ok(Fact::T0 { t0: datable(*t0)? }),
    }
}

/// The first fact of a run.
///
/// # Errors
/// [`Refused`], where T-0 cannot be written as a date.
pub fn begin(template: &Template, bytes: &str, mode: Mode, t0: Option<Time>) -> Result<Fact, Refused> {
    Ok(Fact::Start {
        template: Hash::of(bytes.as_bytes()),
        checklist: template.id.clone(),
        mode,
        t0: t0.map(datable).transpose()?,
    })
}

fn known_item<'a>(run: &'a Run, id: &ItemId) -> Result<(&'a Item, &'a ItemState), Refused> {
    run.item(id).ok_or_else(|| Refused::NoSuchItem(id.clone()))
}

fn open_item<'a>(run: &'a Run, id: &ItemId) -> Result<(&'a Item, &'a ItemState), Refused> {
    let (item, state) = known_item(run, id)?;
    if state.stage == Stage::Todo {
        return Ok((item, state));
    }
    Err(Refused::Settled { item: id.clone(), stage: state.words() })
}

fn words(text: &str, blank: Refused) -> Result<String, Refused> {
    let text = text.trim();
    if text.is_empty() {
        return Err(blank);
    }
    if text.len() > MAX_WORDS {
        return Err(Refused::TooLong(text.len()));
    }
    Ok(text.to_owned())
}

/// T-0 goes into files and onto screens as RFC 3339, which ends with the year 9999.
fn datable(t0: Time) -> Result<Time, Refused> {
    let year_0 = -62_167_219_200_000;
    let last_of_9999 = 253_402_207_199_999;
    if (year_0..=last_of_9999).contains(&t0.millis()) { Ok(t0) } else { Err(Refused::NoDate) }
}
