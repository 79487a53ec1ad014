//! Carries out what the room wants done, and tells it what came of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::Sender;
use ulid::Ulid;

use crate::app::{Effect, List, Msg, NotSaved, RecordControl, Recorded};
use crate::checklist::{Author, Begun, Command, Mode, Present, Run, expects};
use crate::drill::{self, SharedProduct};
use crate::ledger::{Approved, Ledger, LedgerError, Watch};
use crate::model::credential::CredentialDef;
use crate::model::{ItemId, RunId};

use super::commands::{Asked, Commands};
use super::deck::Tapes;
use super::signing::{self, Signing};
use super::{Clock, Polls};

/// What a room needs of the ledger.
#[derive(Clone)]
pub struct Book {
    /// Where runs live.
    pub ledger: Arc<dyn Ledger>,
    /// The directory of the ledger: outputs of commands lie beside the events.
    pub runs: PathBuf,
    /// Which templates this user has approved the commands of.
    pub approved: Approved,
    /// Who starts a run.
    pub author: Author,
    /// This terminal, as others see it.
    pub me: Present,
    /// The launch's checklist.
    pub list: Arc<List>,
    /// What a run started from here is begun with.
    pub begun: Begun,
    /// The run that was asked for; `None`: the newest open one of the template.
    pub run: Option<String>,
    /// Start a run where there is none.
    pub start: bool,
    /// The room's clock.
    pub clock: Clock,
    /// The product that is rehearsed on.
    pub product: Option<SharedProduct>,
}

impl Book {
    /// Opens the run that was asked for, or the newest of the launch's checklist that is still looked
    /// after; starts one where that is wanted.
    ///
    /// # Errors
    /// The ledger's.
    pub fn open(&self) -> Result<Option<Run>, LedgerError> {
        if let Some(id) = &self.run {
            return self.ledger.open(id).map(Some);
        }
        // A rehearsal begins its own run: what lies in the ledger is not its to touch.
        if self.clock.is_simulated() {
            return if self.start { self.begin().map(Some) } else { Ok(None) };
        }
        for listed in self.ledger.list()? {
            // A damaged run is listed, and must not keep a sound one from being opened.
            let Ok(run) = self.ledger.open(listed.id.as_str()) else { continue };
            let ours = run.template.id == self.list.template.id && self.opens(run.mode);
            if ours && run.is_watched_for() {
                return Ok(Some(run));
            }
        }
        if self.start { self.begin().map(Some) } else { Ok(None) }
    }

    /// Whether a run of this mode is opened without being asked for by name. A drill's product is gone.
    fn opens(&self, mode: Mode) -> bool {
        mode == self.begun.mode || mode == Mode::DryRun
    }

    /// The id of a new event. In step with a simulation it must come out the same each time.
    fn event_id(&self, ticket: u64, part: u64) -> Ulid {
        if self.clock.is_simulated() {
            let at = u64::try_from(self.clock.now().millis()).unwrap_or(0);
            return Ulid::from_parts(at, (u128::from(part) << 64) | u128::from(ticket));
        }
        Ulid::generate()
    }

    /// Starts a run.
    ///
    /// # Errors
    /// The ledger's.
    pub fn begin(&self) -> Result<Run, LedgerError> {
        self.ledger.start(&self.list.text, &self.begun, &self.author)
    }

    fn commands(&self) -> Commands {
        Commands {
            ledger: Arc::clone(&self.ledger),
            runs: self.runs.clone(),
            approved: self.approved.clone(),
            exercise: self.clock.is_simulated(),
            binary: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("gonogo")),
        }
    }
}

/// The longest that a room which is closed waits for histories to be saved: a large one takes a while to
/// reach the disk, and one that a slow disk keeps longer is as it was a minute ago.
const PATIENCE: Duration = Duration::from_secs(5);

/// The room's hands: polls, the ledger, the watch on its run.
pub(super) struct Hands {
    polls: Polls,
    book: Option<Book>,
    watches: BTreeMap<RunId, Option<Watch>>,
    tapes: Tapes,
    signing: Signing,
    room: Sender<Msg>,
}

impl Hands {
    pub(super) fn new(polls: Polls, book: Option<Book>, tapes: Tapes, room: Sender<Msg>) -> Self {
        Self { polls, book, watches: BTreeMap::new(), tapes, signing: Signing::default(), room }
    }

    /// Ends the polls; waits a little until they have saved what they know. Ends the capture, where one
    /// is being written.
    ///
    /// # Errors
    /// Why the capture has no end.
    pub(super) fn finish(self) -> std::io::Result<()> {
        if let Some(book) = self.book.as_ref().filter(|book| !book.clock.is_simulated()) {
            for run in self.watches.keys() {
                book.ledger.leave(run, &book.me.terminal);
            }
        }
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

    /// Tells the room who is signed in with this credential, from now on.
    pub(super) fn watch_person(&self, def: &CredentialDef) {
        signing::watch(def, self.room.clone());
    }

    /// Opens the run, off the screen's thread.
    pub(super) fn open(&self) {
        self.with_book(|book| Some(Msg::Opened(book.open().map(|run| run.map(Box::new)).map_err(words))));
    }

    /// Watches a run that was opened, for what other terminals write, and recomputes its whole chain
    /// behind the screen: it was opened from its newest snapshot.
    pub(super) fn follow(&mut self, run: &Run) {
        if self.watches.contains_key(&run.id) {
            return;
        }
        let changed = self.book.as_ref().is_some_and(|book| {
            run.template.id == book.list.template.id && run.template_changed(&book.list.text)
        });
        if changed {
            let _ = self.room.try_send(Msg::TemplateChanged(true));
        }
        let (room, id) = (self.room.clone(), run.id.clone());
        // A full channel is no loss: what fills it will make the room look again.
        let changed = Box::new(move || drop(room.try_send(Msg::RunChanged(id.clone()))));
        let watch = self.book.as_ref().and_then(|book| book.ledger.watch(&run.id, changed).ok());
        self.watches.insert(run.id.clone(), watch);
        let id = run.id.clone();
        self.with_book(move |book| {
            let bad = book.ledger.whole(&id).unwrap_or_else(|error| Some(words(error)));
            Some(Msg::Verified { run: id, bad })
        });
    }

    /// Does one thing; what needs the terminal (quit, suspend) is the loop's.
    pub(super) fn carry_out(&self, effect: Effect) {
        match effect {
            Effect::Poll(source) => self.polls.ask(&source),
            Effect::Append { ticket, seen, command, author } => self.append(ticket, seen, command, author),
            Effect::Run { ticket, seen, item, author, approved } => {
                self.run(ticket, seen, item, author, approved);
            }
            Effect::Cancel { run, started } => {
                self.with_book(move |book| {
                    book.commands().cancel(&run, started).err().map(|error| Msg::Noted(error.to_string()))
                });
            }
            Effect::Tail { run, item, started } => {
                self.with_book(move |book| {
                    let (text, alive) = book.commands().tail(&run, started);
                    Some(Msg::Output { run, item, text, alive })
                });
            }
            Effect::Read(run, from) => {
                self.with_book(move |book| {
                    let outcome = book.ledger.read(&run, from).map_err(words);
                    Some(Msg::Events { run, outcome })
                });
            }
            Effect::Start(author) => {
                self.with_book(move |book| {
                    let run = book.ledger.start(&book.list.text, &book.begun, &author);
                    Some(Msg::Opened(run.map(|r| Some(Box::new(r))).map_err(words)))
                });
            }
            Effect::BeginList { list, mode, params, of, author } => {
                self.with_book(move |book| {
                    // Beside a simulated product nothing is live, whatever the room has been told so far.
                    let mode = if book.clock.is_simulated() { Mode::Drill } else { mode };
                    let require_identity = book.begun.require_identity;
                    let begun = Begun { mode, t0: None, params, of, require_identity };
                    let run = book.ledger.start(&list.text, &begun, &author);
                    let outcome = run.map(Box::new).map_err(words);
                    Some(Msg::ListBegan { list: list.template.id.clone(), outcome })
                });
            }
            Effect::OpenList { list, run } => {
                self.with_book(move |book| {
                    let outcome = book.ledger.open(run.as_str()).map(Box::new).map_err(words);
                    Some(Msg::ListBegan { list, outcome })
                });
            }
            Effect::Present(run, name) => self.present(run, name),
            Effect::SignIn { credential, ticket } => {
                self.signing.begin(&credential, ticket, self.room.clone());
            }
            Effect::CancelSignIn => self.signing.cancel(),
            Effect::SignOut(credential) => signing::sign_out(&credential, self.room.clone()),
            Effect::Act(tags) => self.act(&tags),
            Effect::Replay(control) => self.polls.tell_replay(control),
            Effect::Record(control) => self.record(control),
            Effect::Quit | Effect::Suspend | Effect::Copy(_) | Effect::Call(_) => {}
        }
    }

    /// What was done in a rehearsal is done to the product at once: it is small, and in memory.
    fn act(&self, tags: &[String]) {
        let Some(product) = self.book.as_ref().and_then(|book| book.product.as_ref()) else { return };
        let mut product = product.lock().unwrap_or_else(PoisonError::into_inner);
        for action in drill::action_of(tags) {
            product.act(action);
        }
    }

    fn present(&self, run: RunId, name: String) {
        self.with_book(move |book| {
            if book.clock.is_simulated() {
                return None;
            }
            // Where it cannot be told who is there, nobody is taken for gone.
            book.ledger.present(&run, &Present { name, ..book.me.clone() }).ok().map(Msg::Present)
        });
    }

    fn append(&self, ticket: u64, seen: Box<Run>, command: Command, author: Author) {
        self.with_book(move |book| {
            let id = book.event_id(ticket, 0).to_string();
            let needs = expects(&seen, &command);
            let outcome = book.ledger.append(&seen, &needs, &id, &author, &command).map_err(not_saved);
            Some(Msg::Appended { ticket, outcome })
        });
    }

    /// Says that a command is started, and starts it once that is durable.
    fn run(&self, ticket: u64, seen: Box<Run>, item: ItemId, author: Author, approved: bool) {
        let Some(book) = self.book.clone() else { return };
        let room = self.room.clone();
        tokio::spawn(async move {
            let commands = book.commands();
            let ids = [0, 1].map(|part| book.event_id(ticket, part).to_string());
            let by = author.clone();
            let begun = tokio::task::spawn_blocking({
                let commands = commands.clone();
                move || commands.begin(&seen, &item, &by, approved, &ids)
            });
            let Ok(asked) = begun.await else { return };
            let (msg, spawn) = match asked {
                Ok(Asked::Started(events, spawn)) => (Msg::Appended { ticket, outcome: Ok(events) }, spawn),
                Ok(Asked::NotApproved(commands)) => (Msg::NotApproved { ticket, commands }, None),
                Err(error) => (Msg::Appended { ticket, outcome: Err(not_saved(error)) }, None),
            };
            let _ = room.send(msg).await;
            if let Some(spawn) = spawn
                && let Err(why) = commands.spawn(&spawn, &author).await
            {
                let _ = room.send(Msg::Noted(format!("{} {why}", spawn.item))).await;
            }
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

fn not_saved(error: LedgerError) -> NotSaved {
    NotSaved {
        unconfirmed: matches!(error, LedgerError::Unconfirmed(_)),
        second: matches!(error, LedgerError::Conflict(_) | LedgerError::Refused(_)),
        text: words(error),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn words(error: LedgerError) -> String {
    error.to_string()
}
