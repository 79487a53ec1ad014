//! Carries out what the room wants done, and tells it what came of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Sender;
use ulid::Ulid;

use crate::app::{Effect, Msg, NotSaved, RecordControl, Recorded};
use crate::checklist::{Author, Begun, Command, Mode, Run, Template, expects};
use crate::ledger::{Ledger, LedgerError, Watch};
use crate::model::{RunId, Time};

use super::deck::Tapes;
use super::{Clock, Polls};

/// What a room needs of the ledger.
#[derive(Clone)]
pub struct Book {
    /// Where runs live.
    pub ledger: Arc<dyn Ledger>,
    /// Who writes.
    pub author: Author,
    /// The launch's checklist and its exact text.
    pub template: Arc<Template>,
    /// See [`Book::template`].
    pub text: Arc<str>,
    /// What a run started from here is for.
    pub mode: Mode,
    /// T-0 of a run started from here.
    pub t0: Option<Time>,
    /// The run that was asked for; `None`: the newest open one of the template.
    pub run: Option<String>,
    /// Start a run where there is none.
    pub start: bool,
    /// The room's clock.
    pub clock: Clock,
}

impl Book {
    /// Opens the run that was asked for, or the newest of the launch's checklist that is not all
    /// settled; starts one where that is wanted.
    ///
    /// # Errors
    /// The ledger's.
    pub fn open(&self) -> Result<Option<Run>, LedgerError> {
        if let Some(id) = &self.run {
            return self.ledger.open(id).map(Some);
        }
        for listed in self.ledger.list()? {
            // A damaged run is listed, and must not keep a sound one from being opened.
            let Ok(run) = self.ledger.open(listed.id.as_str()) else { continue };
            let (settled, of) = run.progress();
            if run.template.id == self.template.id && settled < of {
                return Ok(Some(run));
            }
        }
        if self.start { self.begin().map(Some) } else { Ok(None) }
    }

    /// The id of a new event. In step with a simulation it must come out the same each time.
    fn event_id(&self, ticket: u64) -> Ulid {
        if self.clock.is_simulated() {
            let at = u64::try_from(self.clock.now().millis()).unwrap_or(0);
            return Ulid::from_parts(at, u128::from(ticket));
        }
        Ulid::generate()
    }

    /// Starts a run.
    ///
    /// # Errors
    /// The ledger's.
    pub fn begin(&self) -> Result<Run, LedgerError> {
        let begun = Begun { mode: self.mode, t0: self.t0, ..Begun::default() };
        self.ledger.start(&self.text, &begun, &self.author)
    }
}

/// The longest that a room which is closed waits for histories to be saved: a large one takes a while to
/// reach the disk, and one that a slow disk keeps longer is as it was a minute ago.
const PATIENCE: Duration = Duration::from_secs(5);

/// The room's hands: polls, the ledger, the watch on its run.
pub(super) struct Hands {
    polls: Polls,
    book: Option<Book>,
    run: Option<RunId>,
    watch: Option<Watch>,
    tapes: Tapes,
    room: Sender<Msg>,
}

impl Hands {
    pub(super) fn new(polls: Polls, book: Option<Book>, tapes: Tapes, room: Sender<Msg>) -> Self {
        Self { polls, book, run: None, watch: None, tapes, room }
    }

    /// Ends the polls; waits a little until they have saved what they know. Ends the capture, where one
    /// is being written.
    ///
    /// # Errors
    /// Why the capture has no end.
    pub(super) fn finish(self) -> std::io::Result<()> {
        self.polls.finish(PATIENCE);
        self.tapes.close()
    }

    /// How a recording stands, where there is one.
    pub(super) fn recorded(&self) -> Option<Msg> {
        self.tapes.deck.told().map(Msg::Recorded)
    }

    /// Begins or ends a capture, off the screen's thread.
    fn record(&self, control: RecordControl) {
        let (tapes, room) = (self.tapes.clone(), self.room.clone());
        tokio::task::spawn_blocking(move || {
            let told = match control {
                RecordControl::Begin(file) => match tapes.begin(file) {
                    Ok(file) => Some(Recorded::Began(file)),
                    Err(error) => Some(Recorded::Refused(error.to_string())),
                },
                RecordControl::Stop => tapes.end(),
            };
            if let Some(told) = told {
                let _ = room.blocking_send(Msg::Recorded(told));
            }
        });
    }

    /// Opens the run, off the screen's thread.
    pub(super) fn open(&self) {
        self.with_book(|book| Some(Msg::Opened(book.open().map(|run| run.map(Box::new)).map_err(words))));
    }

    /// Watches a run that was opened, for what other terminals write.
    pub(super) fn follow(&mut self, run: &Run) {
        if self.run.as_ref() == Some(&run.id) {
            return;
        }
        self.run = Some(run.id.clone());
        let changed = self.book.as_ref().is_some_and(|book| run.template_changed(&book.text));
        if changed {
            let _ = self.room.try_send(Msg::TemplateChanged(true));
        }
        let room = self.room.clone();
        // A full channel is no loss: what fills it will make the room look again.
        let changed = Box::new(move || drop(room.try_send(Msg::RunChanged)));
        self.watch = self.book.as_ref().and_then(|book| book.ledger.watch(&run.id, changed).ok());
    }

    /// Does one thing; what needs the terminal (quit, suspend) is the loop's.
    pub(super) fn carry_out(&self, effect: Effect) {
        match effect {
            Effect::Poll(source) => self.polls.ask(&source),
            Effect::Append { ticket, seen, command } => self.append(ticket, seen, command),
            Effect::Read(from) => {
                let Some(run) = self.run.clone() else { return };
                self.with_book(move |book| Some(Msg::Events(book.ledger.read(&run, from).map_err(words))));
            }
            Effect::Start => {
                self.with_book(|book| {
                    Some(Msg::Opened(book.begin().map(|r| Some(Box::new(r))).map_err(words)))
                });
            }
            Effect::Replay(control) => self.polls.tell_replay(control),
            Effect::Record(control) => self.record(control),
            Effect::Quit | Effect::Suspend => {}
        }
    }

    fn append(&self, ticket: u64, seen: Box<Run>, command: Command) {
        self.with_book(move |book| {
            let id = book.event_id(ticket).to_string();
            let needs = expects(&seen, &command);
            let outcome = book.ledger.append(&seen, &needs, &id, &book.author, &command);
            let outcome = outcome.map_err(|error| NotSaved {
                unconfirmed: matches!(error, LedgerError::Unconfirmed(_)),
                text: words(error),
            });
            Some(Msg::Appended { ticket, outcome })
        });
    }

    /// Does ledger work on a blocking thread and sends what came of it.
    fn with_book(&self, work: impl FnOnce(&Book) -> Option<Msg> + Send + 'static) {
        let Some(book) = self.book.clone() else { return };
        let room = self.room.clone();
        tokio::task::spawn_blocking(move || {
            if let Some(msg) = work(&book) {
                let _ = room.blocking_send(msg);
            }
        });
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn words(error: LedgerError) -> String {
    error.to_string()
}
