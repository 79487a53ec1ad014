//! The checklist run as the room sees it: what is saved, and what is under way.

use std::collections::{BTreeMap, BTreeSet};

use crate::checklist::{Command, Run};
use crate::model::{ItemId, SourceId, Time};

/// What is under way on an item.
#[derive(Clone, Debug, PartialEq)]
pub enum Pending {
    /// A gate is being asked again: the sources that have yet to answer, and since when.
    Polling {
        /// Those that have not answered since.
        waiting: BTreeSet<SourceId>,
        /// When the tick was asked for; only younger answers count.
        since: Time,
    },
    /// The ledger is writing.
    Saving {
        /// The append's ticket.
        ticket: u64,
    },
}

/// A run with what is under way.
#[derive(Clone, Debug)]
pub struct RunView {
    /// What is saved, and nothing else.
    pub run: Run,
    /// What is under way, by item.
    pub pending: BTreeMap<ItemId, Pending>,
    /// Appends under way, by ticket.
    pub saving: BTreeMap<u64, Command>,
    /// Why the last command on an item did not come to be saved.
    pub failed: BTreeMap<ItemId, String>,
    /// The ends of the outputs of commands that run or ran here, harmless line by line.
    pub outputs: BTreeMap<ItemId, Vec<String>>,
    /// Commands that nobody supervises any more, by item.
    pub orphaned: BTreeSet<ItemId>,
    /// Why nothing may be written any more.
    pub frozen: Option<String>,
    /// The template's file is not what the run was started from.
    pub template_changed: bool,
}

impl RunView {
    /// A run with nothing under way.
    pub fn new(run: Run) -> Self {
        Self {
            run,
            pending: BTreeMap::new(),
            saving: BTreeMap::new(),
            failed: BTreeMap::new(),
            outputs: BTreeMap::new(),
            orphaned: BTreeSet::new(),
            frozen: None,
            template_changed: false,
        }
    }
}
