//! What a run's events add up to.
//!
//! Whether an item *stands* is derived, never stored: a done item stands while everything that it
//! came after stands, a skipped one likewise and only where it is optional. Reopening an item thus
//! makes all that depended on it fall back to unmet at once; ticking it again brings them back,
//! because nothing was undone but the one thing they rest on. Whoever wants a dependant done anew
//! reopens that too.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::model::{ItemId, RunId, Time};

use super::{Author, Event, Evidence, Fact, Hash, Item, Mode, Template};

/// How far an item is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// Nothing happened yet, or it was opened again.
    #[default]
    Todo,
    /// Ticked.
    Done,
    /// Left out, with a reason.
    Skipped,
}

impl Stage {
    /// The word for the screen and for JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Todo => "todo",
            Self::Done => "done",
            Self::Skipped => "skipped",
        }
    }
}

/// What follows from the stages of other items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Derived {
    /// To do, and nothing stands in the way.
    Ready,
    /// To do, and these must be met first.
    Blocked(Vec<ItemId>),
    /// Done or skipped; whether it still stands is told by [`Run::lapsed`].
    Settled,
}

/// The state of one item of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ItemState {
    /// How far it is.
    pub stage: Stage,
    /// Counts the events that changed it (notes do not); what a writer must have seen.
    pub rev: u64,
    /// Who settled it, and when.
    pub settled: Option<(Author, Time)>,
    /// Why it was skipped or opened again.
    pub reason: Option<String>,
    /// What backed the tick.
    pub evidence: Vec<Evidence>,
    /// Notes, oldest first.
    pub notes: Vec<(Author, Time, String)>,
}

impl ItemState {
    /// `done by ana at 14:02:11`, harmless to print.
    pub fn words(&self) -> String {
        match &self.settled {
            Some((author, at)) => format!("{} by {} at {}", self.stage.word(), author.name(), at.clock()),
            None => self.stage.word().to_owned(),
        }
    }
}

/// A run: its template and what happened.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its name in the ledger.
    pub id: RunId,
    /// The template it was started from, as it was then.
    pub template: Arc<Template>,
    /// The hash of the template's bytes, from event 1.
    pub template_hash: Option<Hash>,
    /// What it is for.
    pub mode: Mode,
    /// When it was started, and by whom.
    pub started: Option<(Author, Time)>,
    /// T-0.
    pub t0: Option<Time>,
    /// Counts the events that moved T-0.
    pub clock_rev: u64,
    /// The last event's number; 0 where there is none.
    pub seq: u64,
    /// The last event's hash.
    pub head: Option<Hash>,
    /// One for each item of the template, in its order.
    pub items: Vec<ItemState>,
    /// Notes on the run itself.
    pub notes: Vec<(Author, Time, String)>,
    /// The ids of all events, so that one that is sent twice is taken once.
    ids: HashSet<Box<str>>,
}

impl Run {
    /// A run without events.
    pub fn new(id: RunId, template: Arc<Template>) -> Self {
        let items = vec![ItemState::default(); template.items.len()];
        Self {
            id,
            template,
            template_hash: None,
            mode: Mode::Live,
            started: None,
            t0: None,
            clock_rev: 0,
            seq: 0,
            head: None,
            items,
            notes: Vec::new(),
            ids: HashSet::new(),
        }
    }

    /// Takes the next event in. One that was already taken in is ignored, and so is one that leaves
    /// a gap: reading again from `seq + 1` brings what is missing. What names an unknown item counts
    /// in `seq` and `head` only.
    pub fn apply(&mut self, event: &Event) {
        if event.seq != self.seq + 1 {
            return;
        }
        self.seq = event.seq;
        self.head = Some(event.hash.clone());
        self.ids.insert(event.id.as_str().into());
        let signed = || (event.author.clone(), event.at);
        match &event.fact {
            Fact::Start { template, mode, t0, .. } => {
                self.template_hash = Some(template.clone());
                self.mode = *mode;
                self.started = Some(signed());
                if t0.is_some() {
                    self.t0 = *t0;
                    self.clock_rev += 1;
                }
            }
            Fact::Tick { item, evidence } => self.change(item, |state| {
                state.stage = Stage::Done;
                state.settled = Some(signed());
                state.reason = None;
                state.evidence.clone_from(evidence);
            }),
            Fact::Skip { item, reason } => self.change(item, |state| {
                state.stage = Stage::Skipped;
                state.settled = Some(signed());
                state.reason = Some(reason.clone());
                state.evidence.clear();
            }),
            Fact::Reopen { item, reason } => self.change(item, |state| {
                state.stage = Stage::Todo;
                state.settled = None;
                state.reason = Some(reason.clone());
                state.evidence.clear();
            }),
            Fact::Note { item, text } => {
                let note = (event.author.clone(), event.at, text.clone());
                match item {
                    None => self.notes.push(note),
                    Some(item) => {
                        if let Some(state) = self.state_mut(item) {
                            state.notes.push(note);
                        }
                    }
                }
            }
            Fact::T0 { t0 } => {
                self.t0 = Some(*t0);
                self.clock_rev += 1;
            }
        }
    }

    fn change(&mut self, item: &ItemId, change: impl FnOnce(&mut ItemState)) {
        if let Some(state) = self.state_mut(item) {
            change(state);
            state.rev += 1;
        }
    }

    fn state_mut(&mut self, id: &ItemId) -> Option<&mut ItemState> {
        let place = self.template.items.iter().position(|item| item.id == *id)?;
        self.items.get_mut(place)
    }

    /// An item of the template with its state.
    pub fn item(&self, id: &ItemId) -> Option<(&Item, &ItemState)> {
        self.template.items.iter().zip(&self.items).find(|(item, _)| item.id == *id)
    }

    /// Whether an event with this id is in the run already.
    pub fn knows(&self, event_id: &str) -> bool {
        self.ids.contains(event_id)
    }

    /// Whether these bytes are another template than the one this run was started from. `false` where
    /// the run has no event yet.
    pub fn template_changed(&self, source: &str) -> bool {
        self.template_hash.as_ref().is_some_and(|hash| *hash != Hash::of(source.as_bytes()))
    }

    /// What follows for an item from the others. An item that is not in the template is blocked by
    /// nothing and never ready: it reads as settled.
    pub fn derived(&self, id: &ItemId) -> Derived {
        match self.item(id) {
            Some((item, state)) => derive(item, state, &self.standing()),
            None => Derived::Settled,
        }
    }

    /// What follows for every item, in the order of the template; for a screen that asks for all.
    pub fn all_derived(&self) -> Vec<Derived> {
        let standing = self.standing();
        self.template
            .items
            .iter()
            .zip(&self.items)
            .map(|(item, state)| derive(item, state, &standing))
            .collect()
    }

    /// What the item rests on and is not met, whatever its own stage.
    pub fn waits_for(&self, id: &ItemId) -> Vec<ItemId> {
        self.item(id).map_or_else(Vec::new, |(item, _)| unmet(item, &self.standing()))
    }

    /// Whether the item is settled and no longer stands, because something it came after was opened
    /// again: it counts as unmet until that is settled anew.
    pub fn lapsed(&self, id: &ItemId) -> bool {
        self.item(id).is_some_and(|(_, state)| state.stage != Stage::Todo) && !self.waits_for(id).is_empty()
    }

    /// How many items are settled and not lapsed, of how many.
    pub fn progress(&self) -> (usize, usize) {
        let standing = self.standing();
        let settled = self
            .template
            .items
            .iter()
            .zip(&self.items)
            .filter(|(item, state)| state.stage != Stage::Todo && unmet(item, &standing).is_empty())
            .count();
        (settled, self.items.len())
    }

    /// The first item that is ready, in the order of the list.
    pub fn next(&self) -> Option<&Item> {
        let standing = self.standing();
        self.template
            .items
            .iter()
            .zip(&self.items)
            .find(|(item, state)| derive(item, state, &standing) == Derived::Ready)
            .map(|(item, _)| item)
    }

    /// For each item, whether it meets what depends on it. Starts from the stages and takes away what
    /// rests on something that does not stand, until nothing changes.
    fn standing(&self) -> HashMap<&str, bool> {
        let mut standing: HashMap<&str, bool> = self
            .template
            .items
            .iter()
            .zip(&self.items)
            .map(|(item, state)| {
                let settled = match state.stage {
                    Stage::Done => true,
                    Stage::Skipped => item.optional,
                    Stage::Todo => false,
                };
                (item.id.as_str(), settled)
            })
            .collect();
        loop {
            let fallen: Vec<&str> = self
                .template
                .items
                .iter()
                .filter(|item| {
                    standing.get(item.id.as_str()) == Some(&true) && !unmet(item, &standing).is_empty()
                })
                .map(|item| item.id.as_str())
                .collect();
            if fallen.is_empty() {
                return standing;
            }
            standing.extend(fallen.into_iter().map(|id| (id, false)));
        }
    }
}

fn unmet(item: &Item, standing: &HashMap<&str, bool>) -> Vec<ItemId> {
    item.after.iter().filter(|id| standing.get(id.as_str()) != Some(&true)).cloned().collect()
}

fn derive(item: &Item, state: &ItemState, standing: &HashMap<&str, bool>) -> Derived {
    if state.stage != Stage::Todo {
        return Derived::Settled;
    }
    let waits_for = unmet(item, standing);
    if waits_for.is_empty() { Derived::Ready } else { Derived::Blocked(waits_for) }
}
