//! Starting a run: its directory appears whole, under its final name, or not at all.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use ulid::Ulid;

use crate::checklist::{Author, Begun, Hash, Run, begin, event_file};
use crate::model::{RunId, Time};

use super::directory::{DirectoryLedger, not_saved};
use super::disk::{make_dirs, sweep};
use super::events::{name, one};
use super::{Ledger as _, LedgerError, names, view};

/// How many names are tried before the ledger is called full of them.
const NAMES: usize = 20;

impl DirectoryLedger {
    /// Builds the run beside its final name and moves it there: what is seen under that name has a
    /// template and an event 1, both durable.
    pub(super) fn start_run(&self, text: &str, begun: &Begun, by: &Author) -> Result<Run, LedgerError> {
        self.start_with(text, begun, by, None)
    }

    /// Starts a run whose first event has this id, or gives the one that was started with it before, and
    /// whether there was one. Two calls at the very same moment may start two.
    ///
    /// # Errors
    /// As [`start`](super::Ledger::start).
    pub fn start_once(
        &self,
        text: &str,
        begun: &Begun,
        by: &Author,
        event_id: &str,
    ) -> Result<(Run, bool), LedgerError> {
        for name in names::all(self.path())? {
            let id = RunId::new(name);
            // A damaged run of somebody else's is no reason not to start one.
            let first = one(&self.run_dir(&id).join("events"), 1).ok().flatten();
            if first.is_some_and(|event| event.id == event_id) {
                return Ok((self.open(id.as_str())?, true));
            }
        }
        Ok((self.start_with(text, begun, by, Some(event_id))?, false))
    }

    fn start_with(
        &self,
        text: &str,
        begun: &Begun,
        by: &Author,
        event_id: Option<&str>,
    ) -> Result<Run, LedgerError> {
        let ledger = self.path();
        let template = self.parse(text).map_err(|why| {
            not_saved(
                ledger,
                "a run in",
                io::Error::new(io::ErrorKind::InvalidData, format!("the template: {why}")),
            )
        })?;
        let template = Arc::new(template);
        let at = self.now();
        make_dirs(self.disk(), ledger).map_err(|e| not_saved(ledger, "the directory", e))?;
        let unfinished = ledger.join(format!(".tmp-{}", Ulid::generate()));
        let attempt_all = || -> Result<Run, LedgerError> {
            for attempt in 0..NAMES {
                let id = RunId::new(names::of_run(at, &template.id, attempt > 0));
                let dir = ledger.join(id.as_str());
                if fs::symlink_metadata(&dir).is_ok() {
                    continue;
                }
                let mut run = Run::new(id, template.clone());
                let fact = begin(&template, text, begun, by)?;
                let event_id = event_id.map_or_else(|| first_id(at, &run.id, text), ToOwned::to_owned);
                let event = run.next_event(&event_id, at, by, fact);
                self.build(&unfinished, text, &event_file::render(&event))?;
                run.apply(&event);
                let _ = view::write(&unfinished, &run);
                match fs::rename(&unfinished, &dir) {
                    Ok(()) => {}
                    // Another process took the name since; an existing run is never empty, so it cannot be replaced.
                    Err(e)
                        if matches!(
                            e.kind(),
                            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists
                        ) =>
                    {
                        let _ = fs::remove_dir_all(&unfinished);
                        continue;
                    }
                    Err(e) => return Err(not_saved(&dir, "the run", e)),
                }
                self.disk().sync_dir(ledger).map_err(|e| self.unconfirmed(&run.id, e))?;
                sweep(ledger, &dir);
                return Ok(run);
            }
            Err(not_saved(ledger, "a run in", io::ErrorKind::AlreadyExists.into()))
        };
        let started = attempt_all();
        if started.is_err() {
            let _ = fs::remove_dir_all(&unfinished);
        }
        started
    }

    fn build(&self, making: &Path, template: &str, event: &str) -> Result<(), LedgerError> {
        let events = making.join("events");
        let copy = making.join("template.toml");
        let (temp, first) = (events.join(".tmp-start"), events.join(name(1)));
        fs::create_dir_all(&events).map_err(|e| not_saved(&events, "the directory", e))?;
        self.disk()
            .write_synced(&copy, template.as_bytes())
            .map_err(|e| not_saved(&copy, "the template", e))?;
        self.disk().write_synced(&temp, event.as_bytes()).map_err(|e| not_saved(&temp, "the event", e))?;
        // Linked and not just written, so that a file system without hard links says so before launch day.
        self.disk().link(&temp, &first).map_err(|e| not_saved(&first, "the event", e))?;
        fs::remove_file(&temp).map_err(|e| not_saved(&temp, "the event", e))?;
        self.disk().sync_dir(&events).map_err(|e| not_saved(&events, "the directory", e))?;
        self.disk().sync_dir(making).map_err(|e| not_saved(making, "the directory", e))
    }
}

/// The id of event 1: of the moment, and for the rest of the run's name and its template, so that a
/// rehearsal with the same seed and clock has the same chain.
fn first_id(at: Time, run: &RunId, template: &str) -> String {
    let digest = Hash::of(format!("{run}\n{template}").as_bytes());
    let random = digest.0.get(7..27).and_then(|digits| u128::from_str_radix(digits, 16).ok()).unwrap_or(0);
    Ulid::from_parts(names::millis(at), random).to_string()
}
