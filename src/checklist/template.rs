//! A checklist as its template file describes it, checked.

use crate::model::{GateDef, ItemId};

/// A checklist template; never written by the program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template {
    /// `tasks-launch`.
    pub id: String,
    /// `Tasks v0.1.4 launch`.
    pub title: String,
    /// The id of the list that a rollback opens.
    pub rollback: Option<String>,
    /// The items in the order of the file.
    pub items: Vec<Item>,
}

impl Template {
    /// An item by id.
    pub fn item(&self, id: &ItemId) -> Option<&Item> {
        self.items.iter().find(|item| item.id == *id)
    }
}

/// One line of a checklist.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Unique in its template.
    pub id: ItemId,
    /// The heading it stands under.
    pub section: String,
    /// What is to be true when it is ticked.
    pub title: String,
    /// More words, for the item's dialog.
    pub detail: Option<String>,
    /// What it takes to tick it.
    pub kind: Kind,
    /// Who is asked to do it.
    pub owner: Option<String>,
    /// Whether the launch may go on with this item skipped.
    pub optional: bool,
    /// Items that must be done (or, if optional, skipped) first.
    pub after: Vec<ItemId>,
    /// A runbook: the id of a checklist, or a URL.
    pub runbook: Option<String>,
}

/// The kinds of items.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A person says that it is so.
    Check,
    /// A gate must pass; the gate's id is the item's. A gate with a `query` of its own names the
    /// signal `gate:ITEM`, which settings add to the launch.
    Gate(GateDef),
}
