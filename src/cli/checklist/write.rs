//! What every verb that writes has: the run, who writes, the event's id, and what is said of it.
//!
//! JSON: `{"run","seq","head","item","stage","repeated","events":[{"seq","id","kind","head","text"}]}`. `seq`
//! and `head` are those of the verb's own event, the last of `events`; before it stands what was brought with
//! it (`--evidence`). `item` and `stage` are null where it is not about an item. `repeated` is true where an
//! earlier call with the same `--event-id` had written it.

use serde_json::{Value, json};
use ulid::Ulid;

use crate::checklist::{Author, Command, Event, ItemState, Refused, Run, decide, expects, words};
use crate::ledger::{Ledger as _, LedgerError};
use crate::model::{ItemId, Time, text};
use crate::runtime::Clock;

use super::super::who::Signed;
use super::super::{Common, Exit, Output, output};
use super::place::Place;

/// The run that is written to, and who writes.
#[derive(Debug, clap::Args)]
pub(super) struct On {
    /// The run: its name, or a part that fits no other
    run: String,
    #[command(flatten)]
    signed: Signed,
    #[command(flatten)]
    id: EventId,
}

/// The id of the event that is written.
#[derive(Clone, Copy, Debug, clap::Args)]
#[group(skip)]
pub(super) struct EventId {
    /// The event's id: a call that is made again with the same one writes nothing twice
    #[arg(long, value_name = "ULID", value_parser = ulid)]
    event_id: Option<Ulid>,
}

fn ulid(text: &str) -> Result<Ulid, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is no ULID: 26 digits and letters, such as {}", Ulid::generate()))
}

impl EventId {
    /// The id, where one was given.
    pub(super) fn given(self) -> Option<Ulid> {
        self.event_id
    }
}

impl On {
    /// Opens the run.
    ///
    /// # Errors
    /// The ledger's; a blank name.
    pub(super) fn open<'p>(&self, place: &'p Place, common: &'p Common) -> anyhow::Result<Pen<'p>> {
        Ok(Pen {
            place,
            common,
            run: place.ledger.open(&self.run)?,
            author: self.signed.author_here(common)?,
            id: self.id.event_id.unwrap_or_else(Ulid::generate),
            written: Vec::new(),
            repeated: false,
        })
    }
}

/// An open run with who writes to it.
pub(super) struct Pen<'p> {
    pub(super) place: &'p Place,
    pub(super) common: &'p Common,
    pub(super) run: Run,
    pub(super) author: Author,
    id: Ulid,
    written: Vec<Event>,
    repeated: bool,
}

impl Pen<'_> {
    /// The moment, as the rules see it before anything is written.
    pub(super) fn now() -> Time {
        Clock::wall().now()
    }

    /// The item that is meant; one that does not exist is refused with the nearest that does.
    pub(super) fn item(&self, named: &str) -> Result<ItemId, LedgerError> {
        let ids = || self.run.template.items.iter().map(|item| &item.id);
        if let Some(id) = ids().find(|id| id.as_str() == named) {
            return Ok(id.clone());
        }
        let like = |id: &ItemId| strsim::normalized_damerau_levenshtein(id.as_str(), named);
        let nearest = ids().max_by(|a, b| like(a).total_cmp(&like(b))).filter(|id| like(id) >= 0.5);
        let asked = ItemId::new(named);
        Err(LedgerError::Refused(match nearest {
            Some(nearest) => Refused::Misspelt { asked, nearest: nearest.clone() },
            None => Refused::NoSuchItem(asked),
        }))
    }

    /// Whether an earlier call with this id has written the event.
    pub(super) fn is_repeated(&self) -> bool {
        self.run.knows(&self.id.to_string())
    }

    /// Whether the rules would take these commands, one after the other, as the run is now: asked before
    /// a server is, and before the first of several is written. What was written before would be.
    ///
    /// # Errors
    /// The rule that refuses one of them.
    pub(super) fn would(&self, commands: &[&Command]) -> Result<(), LedgerError> {
        if self.is_repeated() {
            return Ok(());
        }
        let (mut run, now) = (self.run.clone(), Self::now());
        for command in commands {
            let fact = decide(&run, command, &self.author, now)?;
            let event = run.next_event("", now, &self.author, fact);
            run.apply(&event);
        }
        Ok(())
    }

    /// Writes what comes before the verb's own event, under an id that follows from the verb's.
    ///
    /// # Errors
    /// The ledger's.
    pub(super) fn write_before(&mut self, what: &str, command: &Command) -> Result<(), LedgerError> {
        let id = derived(self.id, what);
        self.append(&id.to_string(), command)
    }

    /// Writes what follows from the verb's own event, without a word about it.
    ///
    /// # Errors
    /// The ledger's.
    pub(super) fn write_beside(&mut self, what: &str, command: &Command) -> Result<(), LedgerError> {
        self.write_before(what, command).map(|()| drop(self.written.pop()))
    }

    /// Writes the verb's event, and says so.
    ///
    /// # Errors
    /// The ledger's, a closed pipe.
    pub(super) fn write(mut self, command: &Command) -> anyhow::Result<Exit> {
        self.save(command)?;
        self.tell(command, &json!({}), "")?;
        Ok(Exit::Yes)
    }

    /// Writes the verb's event. What was written before it is told on stderr where this fails.
    ///
    /// # Errors
    /// The ledger's.
    pub(super) fn save(&mut self, command: &Command) -> Result<(), LedgerError> {
        self.repeated = self.is_repeated();
        let saved = self.append(&self.id.to_string(), command);
        if saved.is_err() {
            for event in &self.written {
                output::complain(&format!("saved before that: event {}, {}", event.seq, words::of(event)));
            }
        }
        saved
    }

    /// The ids of the verb's event and of one that follows from it.
    pub(super) fn ids(&self, what: &str) -> [String; 2] {
        [self.id.to_string(), derived(self.id, what).to_string()]
    }

    /// Takes in what was written elsewhere, and what of it are this call's own events.
    pub(super) fn take(&mut self, events: Vec<Event>, ids: &[String]) {
        for event in events {
            self.run.apply(&event);
            if ids.contains(&event.id) {
                self.written.push(event);
            }
        }
    }

    /// Takes in what others have written since.
    ///
    /// # Errors
    /// The ledger's.
    pub(super) fn catch_up(&mut self) -> Result<(), LedgerError> {
        for event in self.place.ledger.read(&self.run.id, self.run.seq + 1)? {
            self.run.apply(&event);
        }
        Ok(())
    }

    /// The number of the first event that this call wrote, or that an earlier one had written for it.
    pub(super) fn first(&self) -> Option<u64> {
        self.written.first().map(|event| event.seq)
    }

    /// Says what was saved; `more` are further keys of the document, `after` further lines for people.
    ///
    /// # Errors
    /// A closed pipe.
    pub(super) fn tell(&self, command: &Command, more: &Value, after: &str) -> anyhow::Result<()> {
        match self.common.output {
            Output::Json => {
                let mut document = self.document();
                if let (Value::Object(document), Value::Object(more)) = (&mut document, more) {
                    document.extend(more.clone());
                }
                output::json(&document)?;
            }
            Output::Text => output::print(&format!("{}{after}", self.page(command)))?,
        }
        Ok(())
    }

    fn document(&self) -> Value {
        let last = self.written.last();
        let state = self.state_of(last);
        let events: Vec<Value> = self
            .written
            .iter()
            .map(|event| {
                json!({
                    "seq": event.seq, "id": event.id, "kind": event.fact.kind(), "head": event.hash,
                    "text": words::of(event),
                })
            })
            .collect();
        json!({
            "run": self.run.id, "seq": last.map(|event| event.seq), "head": last.map(|event| &event.hash),
            "item": last.and_then(|event| event.fact.item()), "stage": state.map(|state| state.stage.word()),
            "repeated": self.repeated, "events": events,
        })
    }

    fn state_of(&self, event: Option<&Event>) -> Option<&ItemState> {
        event.and_then(|event| event.fact.item()).and_then(|item| self.run.item(item)).map(|(_, state)| state)
    }

    fn page(&self, command: &Command) -> String {
        let saved = if self.repeated { "saved already" } else { "saved" };
        let count = self.written.len();
        let lines = self.written.iter().enumerate().map(|(place, event)| {
            let what = if place + 1 == count { self.words(command, event) } else { words::of(event) };
            let head = if place + 1 == count { format!(", head {}", event.hash.0) } else { String::new() };
            format!("{saved}: {}\n  event {} of {}{head}\n", text::harmless(&what), event.seq, self.run.id)
        });
        lines.collect()
    }

    /// What the verb did: of an item, how it stands then.
    fn words(&self, command: &Command, event: &Event) -> String {
        let item = event.fact.item();
        let state = self.state_of(Some(event)).map_or_else(String::new, ItemState::words);
        let name = item.map_or("the run", ItemId::as_str);
        match command {
            Command::Note { .. } => format!("a note on {name}"),
            Command::SetT0 { t0 } => format!("T-0 is {t0}"),
            Command::Sign { item, .. } => {
                let missing = self.run.signatures_missing(item);
                let left = match missing {
                    0 => String::new(),
                    1 => "; 1 more person must sign".to_owned(),
                    more => format!("; {more} more people must sign"),
                };
                format!("{}{left}", words::of(event))
            }
            Command::Tick { .. }
            | Command::Skip { .. }
            | Command::Waive { .. }
            | Command::Fail { .. }
            | Command::Reopen { .. } => format!("{name} {state}"),
            _ => words::of(event),
        }
    }

    fn append(&mut self, id: &str, command: &Command) -> Result<(), LedgerError> {
        let needs = expects(&self.run, command);
        let known = self.run.knows(id);
        let events = self.place.ledger.append(&self.run, &needs, id, &self.author, command)?;
        for event in &events {
            self.run.apply(event);
        }
        let found = if known {
            self.place.ledger.read(&self.run.id, 1)?.into_iter().find(|event| event.id == id)
        } else {
            events.into_iter().find(|event| event.id == id)
        };
        let Some(event) = found else {
            return Err(LedgerError::Damaged {
                run: self.run.id.clone(),
                what: format!("the event {id} was saved and is not there"),
            });
        };
        if event.fact.kind() != kind(command) || event.fact.item() != command.item() {
            let what = format!("{id} is the id of event {} already: {}", event.seq, words::of(&event));
            return Err(LedgerError::Conflict(what));
        }
        self.written.push(event);
        Ok(())
    }
}

/// An id of the same moment that follows from another, so that both are found again by the one.
fn derived(id: Ulid, what: &str) -> Ulid {
    let digest = crate::checklist::Hash::of(format!("{id} {what}").as_bytes());
    let random = digest.0.get(7..27).and_then(|digits| u128::from_str_radix(digits, 16).ok()).unwrap_or(0);
    Ulid::from_parts(id.timestamp_ms(), random)
}

/// The kind of the event that a command becomes.
fn kind(command: &Command) -> &'static str {
    match command {
        Command::Begin { .. } => "begin",
        Command::Attach { .. } => "evidence",
        Command::Tick { .. } => "tick",
        Command::Sign { .. } => "signoff",
        Command::Skip { .. } => "skip",
        Command::Waive { .. } => "waive",
        Command::Fail { .. } => "fail",
        Command::Reopen { .. } => "reopen",
        Command::BreakGlass { .. } => "break-glass",
        Command::Note { .. } => "note",
        Command::Run { .. } => "started",
        Command::Ended { .. } => "ended",
        Command::Sent { .. } => "sent",
        Command::SetT0 { .. } => "t0",
        Command::Hold { .. } => "hold",
        Command::Extend { .. } => "extend",
        Command::Resume { .. } => "resume",
        Command::Recycle { .. } => "recycle",
        Command::Scrub { .. } => "scrub",
        Command::LiftOff { .. } => "lift-off",
        Command::Poll { .. } => "poll",
        Command::Vote { .. } => "vote",
        Command::Desk { .. } => "desk",
        Command::LeaveDesk { .. } => "leave-desk",
        Command::Answer { .. } => "answer",
        Command::Rollback { .. } => "rollback",
        Command::Close { .. } => "close",
        // No verb writes what the desk writes by itself.
        Command::Auto { .. } => "",
    }
}
