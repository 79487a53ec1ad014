//! Where runs live: append, read, watch. A directory of immutable event files is the default.
//!
//! May import `model` and `checklist`. Start with [`Ledger`] (the contract), then [`directory`] (how
//! an event is appended), [`events`] (how it is read), and the small ones: `disk` (what must be
//! durable), `names` (of runs), `view` (`run.toml`), `snapshot` (`state.json`), [`verify`], `watch`.
//!
//! Everything here blocks; the runtime calls it on threads of its own.

pub mod approved;
pub mod directory;
mod disk;
pub mod events;
mod names;
mod presence;
mod snapshot;
mod start;
pub mod verify;
mod view;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;

use crate::checklist::{Author, Begun, Command, Event, Mode, Present, Refused, Run, Template};
use crate::model::{RunId, Time};

pub use crate::checklist::Expect;
pub use approved::Approved;
pub use directory::DirectoryLedger;
pub use verify::{FirstBad, Verified};

/// The store's clock. A demo hands in the simulated one.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// Reads a template's text; the parser lives in `settings`, which this room may not import.
pub type ParseTemplate = Arc<dyn Fn(&str) -> Result<Template, String> + Send + Sync>;

/// Why nothing, or nothing certain, was saved.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// There is no such run; names that exist are listed.
    #[error("no run {asked:?} in {}{}", .ledger.display(), .nearest.as_ref().map(|n| format!("; did you mean {n}?")).unwrap_or_default())]
    NoSuchRun {
        /// What was asked for.
        asked: String,
        /// Where it was looked for.
        ledger: PathBuf,
        /// The nearest name.
        nearest: Option<String>,
    },
    /// A shortened name fits several runs.
    #[error("{asked:?} fits several runs: {}", .names.join(", "))]
    Ambiguous {
        /// What was asked for.
        asked: String,
        /// The runs that it fits.
        names: Vec<String>,
    },
    /// The store could not be read: permission, a broken disk, a server that went away.
    #[error("cannot read {what}: {source}")]
    Unreadable {
        /// The path.
        what: String,
        /// The system's word.
        source: std::io::Error,
    },
    /// Something the decision read has changed: who was first, with what.
    #[error("{0}")]
    Conflict(String),
    /// A rule says no.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Written, but the directory could not be synced; the run is read only from here on.
    #[error("written, not confirmed: {0}")]
    Unconfirmed(std::io::Error),
    /// Not saved.
    #[error("not saved: {what}: {source}")]
    NotSaved {
        /// What was being done, with the path.
        what: String,
        /// The system's word.
        source: std::io::Error,
    },
    /// An event or the template cannot be read, or the chain is broken; names the first bad one.
    #[error("{run}: {what}")]
    Damaged {
        /// The run.
        run: RunId,
        /// What is wrong, with the file.
        what: String,
    },
}

/// A run as listed.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its id.
    pub id: RunId,
    /// The template's title.
    pub title: String,
    /// What it is for.
    pub mode: Mode,
    /// When it was started.
    pub started: Time,
    /// Items settled, and all.
    pub progress: (usize, usize),
    /// Events.
    pub seq: u64,
}

/// Keeps a watch alive; dropping it ends the watch.
pub type Watch = Box<dyn Send>;

/// The contract of every ledger.
pub trait Ledger: Send + Sync {
    /// All runs, newest first. A damaged run is listed with its trouble as title, not left out.
    fn list(&self) -> Result<Vec<Listed>, LedgerError>;

    /// Starts a run from a template's exact bytes.
    fn start(&self, template: &str, begun: &Begun, by: &Author) -> Result<Run, LedgerError>;

    /// Opens a run: its template and the fold of its events. `id` may be shortened where unique.
    fn open(&self, id: &str) -> Result<Run, LedgerError>;

    /// The exact bytes of the run's template.
    fn template(&self, run: &RunId) -> Result<String, LedgerError>;

    /// Events from `from` on, in order.
    fn read(&self, run: &RunId, from: u64) -> Result<Vec<Event>, LedgerError>;

    /// Decides a command on the run as it stands and appends the fact, durably, unless something in
    /// `expects` has moved. `event_id` makes it idempotent. Returns the new events since `run.seq`,
    /// the appended one last (or where it already was).
    fn append(
        &self,
        run: &Run,
        expects: &[Expect],
        event_id: &str,
        by: &Author,
        command: &Command,
    ) -> Result<Vec<Event>, LedgerError>;

    /// Says that a terminal is on the run, and who else was a moment ago. No fact of the run.
    fn present(&self, run: &RunId, me: &Present) -> Result<Vec<Present>, LedgerError>;

    /// Says that a terminal leaves the run.
    fn leave(&self, run: &RunId, terminal: &str);

    /// Recomputes the whole chain of a run; what is wrong with it, where anything is.
    fn whole(&self, run: &RunId) -> Result<Option<String>, LedgerError>;

    /// Calls `changed` (on another thread) whenever the run may have new events.
    fn watch(&self, run: &RunId, changed: Box<dyn Fn() + Send + Sync>) -> Result<Watch, LedgerError>;
}

#[cfg(test)]
mod tests;
