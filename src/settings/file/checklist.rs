//! A checklist template as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::gate::GateTerms;
use super::{At, FormVersion, IdText};

/// A checklist: what must be true before a launch, and in which order.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Checklist")]
pub(in crate::settings) struct ChecklistFile {
    /// The version of this form: 1.
    #[schemars(with = "FormVersion")]
    #[expect(dead_code, reason = "checked before the file is read as this type")]
    pub(in crate::settings) schema: u32,
    /// Its id; runs are named after it.
    #[schemars(with = "IdText")]
    pub(in crate::settings) id: At<String>,
    /// For people: `Tasks v0.1.4 launch`.
    pub(in crate::settings) title: At<String>,
    /// The id of the checklist that a rollback opens.
    #[schemars(with = "Option<IdText>")]
    pub(in crate::settings) rollback: Option<At<String>>,
    /// The items, in the order they are shown.
    #[serde(default)]
    pub(in crate::settings) item: Vec<At<ItemTable>>,
}

/// One line of a checklist.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Item")]
pub(in crate::settings) struct ItemTable {
    /// Unique in its checklist: lower-case letters, digits, `.`, `_`, `-`.
    #[schemars(with = "IdText")]
    pub(in crate::settings) id: At<String>,
    /// The heading it stands under; that of the item before it where it is left out.
    pub(in crate::settings) section: Option<At<String>>,
    /// What is to be true when it is ticked.
    pub(in crate::settings) title: At<String>,
    /// More words, for the item's dialog.
    pub(in crate::settings) detail: Option<At<String>>,
    /// What it takes to tick it; `check` where it is left out.
    pub(in crate::settings) kind: Option<At<ItemKind>>,
    /// Who is asked to do it.
    pub(in crate::settings) owner: Option<At<String>>,
    /// Whether the launch may go on with this item skipped.
    pub(in crate::settings) optional: Option<At<bool>>,
    /// Items that must be done (or, if optional, skipped) first.
    pub(in crate::settings) after: Option<At<Vec<At<String>>>>,
    /// A runbook: the id of a checklist, or a URL.
    pub(in crate::settings) runbook: Option<At<String>>,
    /// What must pass, for an item of the kind `gate`.
    pub(in crate::settings) gate: Option<At<GateTerms>>,
}

/// The kinds of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::settings) enum ItemKind {
    /// A person says that it is so.
    Check,
    /// A gate must pass.
    Gate,
}
