//! Runs as directories of immutable event files.
//!
//! No lock is needed: link(2) gives a number to one event only, and whoever comes second reads what
//! came before and decides again. What is reported as saved was synced before: the file, then its
//! name.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::io::Errno;

use crate::checklist::{
    Author, Begun, Command, Event, Mode, Present, Run, Template, decide, event_file, moved,
};
use crate::model::{RunId, Time};

use super::disk::{Disk, RealDisk, sweep};
use super::events::{self, Trouble, shown};
use super::{
    Clock, Expect, Ledger, LedgerError, Listed, ParseTemplate, Watch, names, presence, snapshot, view, watch,
};

/// How often a number may be lost to others, or a temporary file to a sweep, before giving up.
const ATTEMPTS: u32 = 1000;

/// A ledger in a directory.
pub struct DirectoryLedger {
    path: PathBuf,
    clock: Clock,
    parse: ParseTemplate,
    disk: Box<dyn Disk>,
    /// Runs that went read only here, with the reason.
    read_only: Mutex<HashMap<RunId, String>>,
}

/// Where a run's files are.
pub(super) struct Place {
    pub(super) id: RunId,
    pub(super) dir: PathBuf,
    pub(super) events: PathBuf,
}

impl Place {
    /// The text of the run's own copy of its template, as it was when the run began.
    pub(super) fn template(&self, run: &Run) -> Result<String, Trouble> {
        let bad = |why: &str| Trouble::Bad { seq: Some(1), file: "template.toml".into(), why: why.into() };
        let text =
            events::whole_text(&self.dir.join("template.toml"), bad)?.ok_or_else(|| bad("it is missing"))?;
        if run.template_changed(&text) {
            return Err(bad(
                "it was edited after the run began: event 1 holds another hash; put the original back",
            ));
        }
        Ok(text)
    }

    fn trouble(&self, trouble: Trouble) -> LedgerError {
        trouble.of(&self.id)
    }
}

/// How linking an event to its number ended.
enum Linked {
    Done,
    /// The number is taken.
    Taken,
    /// The temporary file is gone.
    Swept,
}

impl DirectoryLedger {
    /// A ledger in `path`, which is made when the first run is started. `clock` stamps events,
    /// `parse` reads templates.
    pub fn new(path: PathBuf, clock: Clock, parse: ParseTemplate) -> Self {
        Self::on(Box::new(RealDisk), path, clock, parse)
    }

    pub(super) fn on(disk: Box<dyn Disk>, path: PathBuf, clock: Clock, parse: ParseTemplate) -> Self {
        Self { path, clock, parse, disk, read_only: Mutex::default() }
    }

    /// The directory that holds the runs.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory of a run.
    pub fn run_dir(&self, run: &RunId) -> PathBuf {
        self.path.join(run.as_str())
    }

    pub(super) fn now(&self) -> Time {
        (self.clock)()
    }

    pub(super) fn parse(&self, text: &str) -> Result<Template, String> {
        (self.parse)(text)
    }

    pub(super) fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    pub(super) fn place(&self, run: &RunId) -> Place {
        let dir = self.run_dir(run);
        Place { id: run.clone(), events: dir.join("events"), dir }
    }

    fn fold(&self, place: &Place) -> Result<Run, LedgerError> {
        let text = events::whole_text(&place.dir.join("template.toml"), |why| Trouble::Bad {
            seq: None,
            file: "template.toml".into(),
            why: why.into(),
        })
        .map_err(|t| place.trouble(t))?;
        // An edited template may not even parse: its hash is asked first, which takes the events.
        let parsed = text.as_deref().map(|text| self.parse(text));
        let template = parsed.as_ref().and_then(|p| p.as_ref().ok()).cloned().unwrap_or_default();
        let template = Arc::new(template);
        let snapshot = snapshot::read(&place.dir, &place.events, &place.id, &template);
        let mut run = snapshot.unwrap_or_else(|| Run::new(place.id.clone(), template));
        let known = run.seq;
        events::all(&place.events, &mut run).map_err(|t| place.trouble(t))?;
        place.template(&run).map_err(|t| place.trouble(t))?;
        if snapshot::is_due(known, &run) {
            // A run that may only be read is opened a little slower each time.
            let _ = snapshot::write(&place.dir, &run);
        }
        match parsed {
            Some(Err(why)) => Err(LedgerError::Damaged {
                run: place.id.clone(),
                what: crate::model::text::harmless_line(&format!("template.toml: {why}"), 600),
            }),
            _ => Ok(run),
        }
    }

    fn read_only(&self) -> MutexGuard<'_, HashMap<RunId, String>> {
        self.read_only.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the run out of writing for as long as this process lives: whether its last event will
    /// be there after a power cut is not known, so nothing may be built on it.
    pub(super) fn unconfirmed(&self, run: &RunId, error: io::Error) -> LedgerError {
        self.read_only().insert(run.clone(), error.to_string());
        LedgerError::Unconfirmed(error)
    }

    fn writable(&self, run: &RunId) -> Result<(), LedgerError> {
        let Some(why) = self.read_only().get(run).cloned() else { return Ok(()) };
        let what = format!("{run} is read only here, because an event of it could not be confirmed ({why})");
        let source =
            io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "look at the disk, then open the run again");
        Err(LedgerError::NotSaved { what, source })
    }

    /// What the caller has folded must still be what is stored, or its events would hang on nothing.
    fn unchanged(place: &Place, run: &Run) -> Result<(), Trouble> {
        place.template(run)?;
        if run.seq == 0 {
            return Ok(());
        }
        let stored = events::one(&place.events, run.seq)?;
        if stored.is_some_and(|event| Some(&event.hash) == run.head.as_ref()) {
            return Ok(());
        }
        Err(Trouble::bad(run.seq, "it was removed or replaced after this program had read it"))
    }

    /// Steps 2 to 4 and 8: the event under a temporary name, synced, then linked to its number.
    fn publish(&self, place: &Place, event: &Event) -> Result<Linked, LedgerError> {
        let temp = place.events.join(format!(".tmp-{}", event.id));
        let target = place.events.join(events::name(event.seq));
        let text = event_file::render(event);
        if event_file::read(&text).as_ref() != Ok(event) {
            let odd = io::Error::new(io::ErrorKind::InvalidData, "it would not read back as it was meant");
            return Err(not_saved(&target, "the event", odd));
        }
        self.disk.write_synced(&temp, text.as_bytes()).map_err(|e| not_saved(&temp, "the event", e))?;
        let linked = self.disk.link(&temp, &target);
        if linked.is_ok() {
            sweep(&place.events, &target);
        }
        let _ = std::fs::remove_file(&temp);
        match linked {
            Ok(()) => Ok(Linked::Done),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(Linked::Taken),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Linked::Swept),
            Err(e) => Err(not_saved(&target, "the event", e)),
        }
    }

    fn confirm(&self, place: &Place, run: &Run) -> Result<(), LedgerError> {
        self.disk.sync_dir(&place.events).map_err(|e| self.unconfirmed(&place.id, e))?;
        if snapshot::is_due(run.seq - 1, run) {
            let _ = snapshot::write(&place.dir, run);
        }
        if let Err(error) = view::write(&place.dir, run) {
            tracing::warn!(run = %place.id, %error, "run.toml could not be rebuilt");
        }
        Ok(())
    }
}

/// A path that could not be written, with the system's word or a clearer one.
pub(super) fn not_saved(path: &Path, thing: &str, error: io::Error) -> LedgerError {
    let what = format!("{thing} {}", shown(path));
    let no_links = [Errno::PERM, Errno::OPNOTSUPP, Errno::NOTSUP, Errno::NOSYS];
    let source = match Errno::from_io_error(&error) {
        Some(errno) if thing == "the event" && no_links.contains(&errno) => {
            io::Error::new(error.kind(), format!("this file system has no hard links ({error})"))
        }
        _ => error,
    };
    LedgerError::NotSaved { what, source }
}

/// Waits a moment that grows with each loss and differs from the others'.
fn back_off(attempt: u32) {
    let most = 1_u64 << attempt.min(6);
    std::thread::sleep(Duration::from_micros(fastrand::u64(..most * 1000)));
}

impl Ledger for DirectoryLedger {
    fn list(&self) -> Result<Vec<Listed>, LedgerError> {
        let mut runs: Vec<Listed> = names::all(&self.path)?
            .into_iter()
            .map(|name| {
                let id = RunId::new(name);
                match self.fold(&self.place(&id)) {
                    Ok(run) => listed(&run),
                    Err(error) => damaged(id, &error),
                }
            })
            .collect();
        runs.sort_by(|a, b| b.started.cmp(&a.started).then_with(|| b.id.cmp(&a.id)));
        Ok(runs)
    }

    fn start(&self, template: &str, begun: &Begun, by: &Author) -> Result<Run, LedgerError> {
        self.start_run(template, begun, by)
    }

    fn template(&self, run: &RunId) -> Result<String, LedgerError> {
        let place = self.place(run);
        let bad = |why: &str| Trouble::Bad { seq: None, file: "template.toml".into(), why: why.into() };
        let text = events::whole_text(&place.dir.join("template.toml"), bad);
        text.and_then(|text| text.ok_or_else(|| bad("it is missing"))).map_err(|t| place.trouble(t))
    }

    fn open(&self, id: &str) -> Result<Run, LedgerError> {
        self.fold(&self.place(&names::resolve(&self.path, id)?))
    }

    fn read(&self, run: &RunId, from: u64) -> Result<Vec<Event>, LedgerError> {
        let place = self.place(run);
        let mut found: Vec<Event> = Vec::new();
        while let Some(event) =
            events::one(&place.events, from.max(1) + found.len() as u64).map_err(|t| place.trouble(t))?
        {
            if found.last().is_some_and(|before| before.hash != event.prev) {
                let why = crate::checklist::BrokenChain::Previous;
                return Err(place.trouble(Trouble::bad(event.seq, why)));
            }
            found.push(event);
        }
        Ok(found)
    }

    fn append(
        &self,
        run: &Run,
        expects: &[Expect],
        event_id: &str,
        by: &Author,
        command: &Command,
    ) -> Result<Vec<Event>, LedgerError> {
        let place = self.place(&run.id);
        self.writable(&run.id)?;
        if event_id.is_empty() || !event_id.bytes().all(|b| b.is_ascii_alphanumeric()) {
            let odd = io::Error::new(io::ErrorKind::InvalidInput, "its id is no ULID");
            return Err(not_saved(&place.events, "an event in", odd));
        }
        Self::unchanged(&place, run).map_err(|t| place.trouble(t))?;
        let mut state = run.clone();
        let mut new = Vec::new();
        let mut failed = None;
        for attempt in 0..ATTEMPTS {
            new.extend(events::tail(&place.events, &mut state).map_err(|t| place.trouble(t))?);
            if state.knows(event_id) {
                self.confirm(&place, &state)?;
                return Ok(new);
            }
            if let Some(error) = failed {
                return Err(error);
            }
            if let Some(words) = moved(&state, expects, &new) {
                return Err(LedgerError::Conflict(words));
            }
            let now = self.now();
            let fact = decide(&state, command, by, now)?;
            let event = state.next_event(event_id, now, by, fact);
            match self.publish(&place, &event) {
                Ok(Linked::Done) => {
                    state.apply(&event);
                    new.push(event);
                    self.confirm(&place, &state)?;
                    return Ok(new);
                }
                Ok(Linked::Taken) => back_off(attempt),
                Ok(Linked::Swept) => {}
                // The reply may have been lost, and not the event: it is looked for once more.
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(|| {
            let busy = io::Error::new(io::ErrorKind::ResourceBusy, "every number was taken by others");
            not_saved(&place.events, "an event in", busy)
        }))
    }

    fn present(&self, run: &RunId, me: &Present) -> Result<Vec<Present>, LedgerError> {
        let dir = self.run_dir(run);
        presence::touch(self.disk(), &dir, me)
            .map_err(|e| not_saved(&dir.join("here"), "this terminal in", e))
    }

    fn leave(&self, run: &RunId, terminal: &str) {
        presence::leave(&self.run_dir(run), terminal);
    }

    fn whole(&self, run: &RunId) -> Result<Option<String>, LedgerError> {
        let verified = self.verify(run.as_str(), None)?;
        Ok(verified.first_bad.map(|bad| format!("{}: {}", bad.file, bad.why)))
    }

    fn watch(&self, run: &RunId, changed: Box<dyn Fn() + Send + Sync>) -> Result<Watch, LedgerError> {
        let events = self.place(run).events;
        watch::start(events.clone(), changed).map_err(|e| events::unreadable(&events, e))
    }
}

fn listed(run: &Run) -> Listed {
    Listed {
        id: run.id.clone(),
        title: run.template.title.clone(),
        mode: run.mode,
        started: run.started.as_ref().map_or(Time::MIN, |(_, at)| *at),
        progress: run.progress(),
        seq: run.seq,
    }
}

/// A run that cannot be opened: its trouble as title, no events, and the date of its name.
fn damaged(id: RunId, error: &LedgerError) -> Listed {
    let date = id.as_str().get(..10).and_then(|date| Time::parse(&format!("{date}T00:00:00Z")).ok());
    let title = match error {
        LedgerError::Damaged { what, .. } => format!("damaged: {what}"),
        other => other.to_string(),
    };
    Listed { id, title, mode: Mode::Live, started: date.unwrap_or_default(), progress: (0, 0), seq: 0 }
}
