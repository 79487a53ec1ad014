//! A checklist template as it is written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::gate::{GateTerms, TriggerTable};
use super::{At, DateText, DueText, FormVersion, IdText, MarkText, SpanText};

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
    /// What the list is for; `launch` where it is left out.
    pub(in crate::settings) kind: Option<At<ListWord>>,
    /// The id of the checklist that a rollback opens.
    #[schemars(with = "Option<IdText>")]
    pub(in crate::settings) rollback: Option<At<String>>,
    /// Whether only people who are signed in may change a live run or a dry run of it. Holding the clock and
    /// rolling back are never refused.
    pub(in crate::settings) require_identity: Option<bool>,
    /// What is filled in when a run starts: `{{name}}` in commands and messages.
    #[serde(default)]
    pub(in crate::settings) params: BTreeMap<String, At<ParamTable>>,
    /// Built-in holds.
    #[serde(default)]
    pub(in crate::settings) hold: Vec<At<HoldTable>>,
    /// Dates that items belong to.
    #[serde(default)]
    pub(in crate::settings) milestone: Vec<At<MilestoneTable>>,
    /// What proposes a rollback or a hold.
    #[serde(default)]
    pub(in crate::settings) trigger: Vec<At<TriggerTable>>,
    /// The items, in the order they are shown.
    #[serde(default)]
    pub(in crate::settings) item: Vec<At<ItemTable>>,
}

/// What a list is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "ListKind")]
pub(in crate::settings) enum ListWord {
    /// Roles, sign-offs, dependencies and the clock bind.
    Launch,
    /// Nothing but numbers binds: a rollback is never blocked by process.
    Rollback,
    /// Steps for an incident, opened from an item.
    Runbook,
}

/// A value that a run is started with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Param")]
pub(in crate::settings) struct ParamTable {
    /// What it means, for people.
    pub(in crate::settings) title: Option<At<String>>,
    /// The value where none is given; without one it must be given when a run starts.
    pub(in crate::settings) default: Option<At<String>>,
    /// A regular expression that the whole value must match.
    pub(in crate::settings) pattern: Option<At<String>>,
}

/// A built-in hold: T stops there, the wall clock runs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Hold")]
pub(in crate::settings) struct HoldTable {
    /// Unique among the holds.
    #[schemars(with = "IdText")]
    pub(in crate::settings) id: At<String>,
    /// For people.
    pub(in crate::settings) title: Option<At<String>>,
    /// Where T stops.
    #[schemars(with = "MarkText")]
    pub(in crate::settings) at: At<String>,
    /// How long it may last before the captain is asked to extend or scrub; with exit = "time", how long
    /// it lasts.
    #[schemars(with = "Option<SpanText>")]
    pub(in crate::settings) max: Option<At<String>>,
    /// What ends it.
    pub(in crate::settings) exit: At<ExitWord>,
    /// The stations that must say GO, with exit = "poll".
    pub(in crate::settings) poll: Option<At<Vec<At<String>>>>,
}

/// What ends a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "HoldExit")]
pub(in crate::settings) enum ExitWord {
    /// GO from every station.
    Poll,
    /// Every gate that counts passes.
    Gates,
    /// Its time is over.
    Time,
}

/// A date that items belong to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Milestone")]
pub(in crate::settings) struct MilestoneTable {
    /// Unique among the milestones.
    #[schemars(with = "IdText")]
    pub(in crate::settings) id: At<String>,
    /// `Sprint 1: hardening`.
    pub(in crate::settings) title: At<String>,
    /// The day, or the moment, by which its items are to be settled; its beginning, where it has `until`.
    #[schemars(with = "DateText")]
    pub(in crate::settings) date: At<toml::Value>,
    /// The day, or the moment, by which its items are to be settled, where it lasts longer than a day.
    #[schemars(with = "Option<DateText>")]
    pub(in crate::settings) until: Option<At<toml::Value>>,
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
    /// The role that may settle it; anybody where it is left out.
    pub(in crate::settings) role: Option<At<String>>,
    /// Who is asked to do it.
    pub(in crate::settings) owner: Option<At<String>>,
    /// Whether the launch may go on with this item skipped.
    pub(in crate::settings) optional: Option<At<bool>>,
    /// Items that must be done, waived or (if optional) skipped first.
    pub(in crate::settings) after: Option<At<Vec<At<String>>>>,
    /// When it is to be settled: a mark of the clock, or a date.
    #[schemars(with = "Option<DueText>")]
    pub(in crate::settings) due: Option<At<toml::Value>>,
    /// What happens when it is not; `remind` where it is left out.
    pub(in crate::settings) on_timeout: Option<At<TimeoutWord>>,
    /// The roles that may waive it; nobody where it is left out.
    pub(in crate::settings) waivable_by: Option<At<Vec<At<String>>>>,
    /// Whose signatures it takes.
    pub(in crate::settings) signoff: Option<At<SignOffTable>>,
    /// What must be attached before it is settled.
    pub(in crate::settings) evidence: Option<At<Vec<At<EvidenceWord>>>>,
    /// A runbook: the id of a checklist, or a URL.
    pub(in crate::settings) runbook: Option<At<String>>,
    /// Free words, for filters and for the simulator.
    pub(in crate::settings) tags: Option<At<Vec<At<String>>>>,
    /// The milestone that it belongs to.
    #[schemars(with = "Option<IdText>")]
    pub(in crate::settings) milestone: Option<At<String>>,
    /// The item that undoes this one.
    #[schemars(with = "Option<IdText>")]
    pub(in crate::settings) undo: Option<At<String>>,
    /// What must pass, for an item of the kind `gate`; what must not fail meanwhile, for a `wait`.
    pub(in crate::settings) gate: Option<At<GateTerms>>,
    /// What is run, for an item of the kind `command`.
    pub(in crate::settings) command: Option<At<CommandTable>>,
    /// The file of the text, relative to this file, for an item of the kind `message`.
    pub(in crate::settings) message: Option<At<String>>,
    /// Where the message goes: `status page`.
    pub(in crate::settings) channel: Option<At<String>>,
    /// How long to wait, for an item of the kind `wait`.
    #[serde(rename = "for")]
    #[schemars(with = "Option<SpanText>")]
    pub(in crate::settings) span: Option<At<String>>,
}

/// The kinds of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::settings) enum ItemKind {
    /// A person says that it is so.
    Check,
    /// A gate must pass.
    Gate,
    /// A program is run.
    Command,
    /// A text is filled in, copied and marked as sent.
    Message,
    /// Time must pass.
    Wait,
}

impl ItemKind {
    /// As written.
    pub(in crate::settings) fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Gate => "gate",
            Self::Command => "command",
            Self::Message => "message",
            Self::Wait => "wait",
        }
    }
}

/// What a command item runs. There is no shell.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Command")]
pub(in crate::settings) struct CommandTable {
    /// The program and its arguments; `{{param}}` is filled in, and each stays one argument.
    pub(in crate::settings) argv: At<Vec<At<String>>>,
    /// Names of the environment variables that are handed on; their values are taken out of the output.
    pub(in crate::settings) env: Option<At<Vec<At<String>>>>,
    /// The longest it may run; a minute where it is left out.
    #[schemars(with = "Option<SpanText>")]
    pub(in crate::settings) timeout: Option<At<String>>,
    /// How it is confirmed; `type-id` where it is left out.
    pub(in crate::settings) confirm: Option<At<ConfirmWord>>,
    /// The item that undoes it.
    #[schemars(with = "Option<IdText>")]
    pub(in crate::settings) undo: Option<At<String>>,
}

/// How a command is confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Confirm")]
pub(in crate::settings) enum ConfirmWord {
    /// By typing the item's id.
    TypeId,
    /// By one more key.
    Press,
}

/// What happens when an item is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "OnTimeout")]
pub(in crate::settings) enum TimeoutWord {
    /// The clock is held.
    Hold,
    /// The log says so.
    Remind,
}

/// Whose signatures an item takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "SignOff")]
pub(in crate::settings) struct SignOffTable {
    /// How many different people.
    #[schemars(range(min = 1))]
    pub(in crate::settings) count: At<u32>,
    /// The roles in which they may sign; any where it is left out.
    pub(in crate::settings) roles: Option<At<Vec<At<String>>>>,
}

/// A kind of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Evidence")]
pub(in crate::settings) enum EvidenceWord {
    /// An address.
    Link,
    /// Words.
    Text,
    /// A number that was polled.
    Metric,
    /// A file, by its hash.
    File,
}
