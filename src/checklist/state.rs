//! What a run's events add up to.

use std::sync::Arc;

use crate::model::{ItemId, RunId, Time};

use super::{Author, Event, Evidence, Hash, Item, Mode, Template};

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

/// What follows from the stages of other items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Derived {
    /// To do, and nothing stands in the way.
    Ready,
    /// To do, and these must be met first.
    Blocked(Vec<ItemId>),
    /// Done or skipped.
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

/// A run: its template and what happened.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its name in the ledger.
    pub id: RunId,
    /// The template it was started from, as it was then.
    pub template: Arc<Template>,
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
}

impl Run {
    /// A run without events.
    pub fn new(id: RunId, template: Arc<Template>) -> Self {
        let items = vec![ItemState::default(); template.items.len()];
        Self {
            id,
            template,
            mode: Mode::Live,
            started: None,
            t0: None,
            clock_rev: 0,
            seq: 0,
            head: None,
            items,
            notes: Vec::new(),
        }
    }

    /// Takes one more event in. Events must come in the order of their numbers; one that was
    /// already taken in is ignored. What names an unknown item counts in `seq` and `head` only.
    pub fn apply(&mut self, _event: &Event) {
        todo!()
    }

    /// An item of the template with its state.
    pub fn item(&self, id: &ItemId) -> Option<(&Item, &ItemState)> {
        self.template.items.iter().zip(&self.items).find(|(item, _)| item.id == *id)
    }

    /// What follows for an item from the others.
    pub fn derived(&self, _id: &ItemId) -> Derived {
        todo!()
    }

    /// How many items are settled, of how many.
    pub fn progress(&self) -> (usize, usize) {
        let settled = self.items.iter().filter(|i| i.stage != Stage::Todo).count();
        (settled, self.items.len())
    }

    /// The first item that is ready, in the order of the list.
    pub fn next(&self) -> Option<&Item> {
        self.template.items.iter().find(|item| self.derived(&item.id) == Derived::Ready)
    }
}
