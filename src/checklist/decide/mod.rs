//! What may happen next: a command on a state gives a fact, or is refused with a reason.
//!
//! A rollback list has no process: roles, sign-offs, `after` and `evidence` of its items are advice
//! there. What rests on a number stays that way in every list.

mod clock;
mod desk;
mod item;
mod refused;

use std::time::Duration;

use crate::model::{ItemId, RunId, Time};

use super::{Author, Command, Evidence, Fact, Hash, Item, ItemState, Mode, Run, Template, params};

pub use refused::Refused;

/// The longest reason, note or message, in bytes; an event file stays far below what a reader accepts.
pub const MAX_WORDS: usize = 64 * 1024;

/// The fact that the command adds to the run, where this author gives it at this moment.
///
/// # Errors
/// [`Refused`], with the rule in words.
pub fn decide(run: &Run, command: &Command, author: &Author, now: Time) -> Result<Fact, Refused> {
    if let (Some((by, at)), false) =
        (&run.closed, matches!(command, Command::Note { .. } | Command::Ended { .. }))
    {
        return Err(Refused::Closed { by: by.name(), at: *at });
    }
    if requires_identity(run) && author.is_unverified() && !is_open_to_all(command) {
        return Err(Refused::Identity(author.name()));
    }
    if requires_identity(run) && !is_open_to_all(command) {
        let issuer = |author: &Author| author.identity.as_ref().map(|identity| identity.issuer.clone());
        let wanted = run.started.as_ref().and_then(|(starter, _)| issuer(starter));
        if let Some(wanted) = wanted.filter(|wanted| issuer(author).as_ref() != Some(wanted)) {
            return Err(Refused::Issuer { by: author.name(), wanted });
        }
    }
    let asked = Asked { run, author, now };
    match command {
        Command::Begin { item } => asked.begin(item),
        Command::Attach { item, evidence } => asked.attach(item, evidence),
        Command::Tick { item, evidence } => asked.tick(item, evidence),
        Command::Sign { item, note, binds } => asked.sign(item, note.as_deref(), binds.as_ref()),
        Command::Skip { item, reason } => asked.skip(item, reason),
        Command::Waive { item, reason } => asked.waive(item, reason),
        Command::Fail { item, reason } => asked.fail(item, reason),
        Command::Reopen { item, reason } => asked.reopen(item, reason),
        Command::BreakGlass { step, reason } => asked.break_glass(step, reason),
        Command::Note { item, text } => {
            if let Some(item) = item {
                asked.item(item)?;
            }
            Ok(Fact::Note { item: item.clone(), text: words(text, Refused::EmptyNote)? })
        }
        Command::Run { item } => asked.run_command(item),
        Command::Ended { item, of, outcome, took, bytes, output } => {
            let (_, state) = asked.item(item)?;
            if !state.attempt.as_ref().is_some_and(|attempt| attempt.seq == *of && attempt.end.is_none()) {
                return Err(Refused::NotStarted(item.clone()));
            }
            let (item, outcome, output) = (item.clone(), short_words(outcome), output.clone());
            Ok(Fact::Ended { item, of: *of, outcome, took: whole_millis(*took), bytes: *bytes, output })
        }
        Command::Sent { item, text } => asked.sent(item, text),
        Command::SetT0 { t0 } => asked.set_t0(*t0),
        Command::Hold { reason } => asked.hold(reason.as_deref()),
        Command::Extend { by } => asked.extend(*by),
        Command::Resume { evidence } => asked.resume(evidence),
        Command::Recycle { hold, reason } => asked.recycle(hold, reason),
        Command::Scrub { reason } => asked.scrub(reason),
        Command::LiftOff { evidence } => asked.lift_off(evidence),
        Command::Poll { stations, within } => asked.poll(stations, *within),
        Command::Vote { station, go, note, evidence, poll } => {
            asked.is_about(poll.as_deref())?;
            asked.vote(station, *go, note.as_deref(), evidence)
        }
        Command::Desk { terminal, force, gone } => asked.desk(terminal, *force, gone.as_deref()),
        Command::LeaveDesk { terminal } => asked.leave_desk(terminal),
        Command::Answer { proposal, confirm, reason } => asked.answer(*proposal, *confirm, reason.as_deref()),
        Command::Rollback { run, reason } => Ok(Fact::Rollback {
            run: run.clone(),
            reason: words(reason, Refused::NeedsWords("rolling back"))?,
        }),
        Command::Close { reason } => Ok(Fact::Close { reason: some_words(reason.as_deref())? }),
        Command::Auto { terminal, what } => asked.auto(terminal, what),
    }
}

/// Whether this run takes changes only from people who are signed in. A rehearsal on the simulated product
/// does not, and neither does a rollback list.
fn requires_identity(run: &Run) -> bool {
    binds_identity(&run.template, run.require_identity, run.mode)
}

fn binds_identity(template: &Template, of_launch: bool, mode: Mode) -> bool {
    (template.require_identity || of_launch) && template.has_process() && mode != Mode::Drill
}

/// What nobody has to sign in for: an emergency must not wait for a browser, and what the program says
/// itself is no person's decision.
fn is_open_to_all(command: &Command) -> bool {
    matches!(
        command,
        Command::Hold { .. }
            | Command::Rollback { .. }
            | Command::Answer { confirm: true, .. }
            | Command::Ended { .. }
            | Command::Auto { .. }
            | Command::LeaveDesk { .. }
    )
}

/// The first fact of a run.
///
/// # Errors
/// [`Refused`], where T-0 cannot be written as a date, a parameter is wrong, or the author would have to be
/// signed in.
pub fn begin(template: &Template, bytes: &str, begun: &Begun, by: &Author) -> Result<Fact, Refused> {
    if binds_identity(template, begun.require_identity, begun.mode) && by.is_unverified() {
        return Err(Refused::Identity(by.name()));
    }
    Ok(Fact::Start {
        template: Hash::of(bytes.as_bytes()),
        checklist: template.id.clone(),
        mode: begun.mode,
        t0: begun.t0.map(datable).transpose()?,
        params: params::of_run(template, &begun.params)?,
        of: begun.of.clone(),
        require_identity: begun.require_identity,
    })
}

/// What a run is begun with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Begun {
    /// What it is for.
    pub mode: Mode,
    /// T-0, where it is known already.
    pub t0: Option<Time>,
    /// Parameters that are given.
    pub params: Vec<(String, String)>,
    /// The run that it is opened from.
    pub of: Option<RunId>,
    /// Whether the launch's config takes changes only from people who are signed in.
    pub require_identity: bool,
}

/// Who asks, of which run, when.
struct Asked<'r> {
    run: &'r Run,
    author: &'r Author,
    now: Time,
}

impl<'r> Asked<'r> {
    fn item(&self, id: &ItemId) -> Result<(&'r Item, &'r ItemState), Refused> {
        self.run.item(id).ok_or_else(|| Refused::NoSuchItem(id.clone()))
    }

    /// Whether the list's process binds.
    fn has_process(&self) -> bool {
        self.run.template.has_process()
    }
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

/// Words that may be left out.
fn some_words(text: Option<&str>) -> Result<Option<String>, Refused> {
    match text.map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => words(text, Refused::EmptyNote).map(Some),
    }
}

/// Whether a source was asked: what people bring decides nothing that rests on a number.
fn has_numbers(evidence: &[Evidence]) -> bool {
    evidence.iter().any(Evidence::is_polled)
}

/// A length of time as an event file writes it, in milliseconds: what is written must read back.
fn whole_millis(span: Duration) -> Duration {
    Duration::from_millis(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}

/// What the program says itself, kept short.
fn short_words(text: &str) -> String {
    crate::model::text::harmless_line(text, 400)
}

/// T-0 goes into files and onto screens as RFC 3339, which ends with the year 9999.
fn datable(t0: Time) -> Result<Time, Refused> {
    let year_0 = -62_167_219_200_000;
    let last_of_9999 = 253_402_207_199_999;
    if (year_0..=last_of_9999).contains(&t0.millis()) { Ok(t0) } else { Err(Refused::NoDate) }
}
