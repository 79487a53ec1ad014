//! A checklist as its template file describes it, checked.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use crate::model::{GateDef, ItemId, Mark, Time, TriggerDef};

/// A checklist template; never written by the program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template {
    /// `tasks-launch`.
    pub id: String,
    /// `Tasks v0.1.4 launch`.
    pub title: String,
    /// What the list is for.
    pub kind: ListKind,
    /// The id of the list that a rollback opens.
    pub rollback: Option<String>,
    /// Whether it takes changes only from people who are signed in.
    pub require_identity: bool,
    /// What is filled in when a run starts.
    pub params: Vec<Param>,
    /// Built-in holds, the earliest mark first.
    pub holds: Vec<HoldDef>,
    /// Dates that items belong to, the earliest first.
    pub milestones: Vec<Milestone>,
    /// What proposes a rollback or a hold.
    pub triggers: Vec<TriggerDef>,
    /// The items in the order of the file.
    pub items: Vec<Item>,
    /// Made when it is first asked for.
    pub places: Places,
}

/// What a checklist is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListKind {
    /// A launch: roles, sign-offs, dependencies, the clock.
    #[default]
    Launch,
    /// A rollback, which process never blocks: roles, sign-offs and `after` are advice.
    Rollback,
    /// Steps for an incident, opened from an item.
    Runbook,
}

impl ListKind {
    /// As written in a template.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Launch => "launch",
            Self::Rollback => "rollback",
            Self::Runbook => "runbook",
        }
    }
}

/// A value that a run is started with.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// As in `{{name}}`.
    pub name: String,
    /// What it means, for people.
    pub title: Option<String>,
    /// The value where none is given; without one it must be.
    pub default: Option<String>,
    /// The regular expression that the whole value must match.
    pub pattern: Option<String>,
}

/// A built-in hold: T stops there, the wall clock runs.
#[derive(Clone, Debug, PartialEq)]
pub struct HoldDef {
    /// `t-10`.
    pub id: String,
    /// For people.
    pub title: Option<String>,
    /// Where T stops.
    pub at: Mark,
    /// How long it may last before the captain is asked: extend or scrub. With [`Exit::Time`], how long
    /// it lasts.
    pub max: Option<Duration>,
    /// What ends it.
    pub exit: Exit,
    /// The stations of its poll, with [`Exit::Poll`].
    pub stations: Vec<String>,
}

/// What ends a built-in hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// GO from every station.
    Poll,
    /// Every gate that counts passes.
    Gates,
    /// Its time is over.
    Time,
}

impl Exit {
    /// As written in a template.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::Gates => "gates",
            Self::Time => "time",
        }
    }
}

/// A date that items belong to.
#[derive(Clone, Debug, PartialEq)]
pub struct Milestone {
    /// Unique in its template.
    pub id: String,
    /// `Sprint 1: hardening`.
    pub title: String,
    /// When its items are to be settled: the end of that day where the file gives only a day.
    pub date: Time,
    /// When it begins, where it has a length of its own.
    pub from: Option<Time>,
}

/// One line of a checklist.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// The role that may settle it; `None`: anybody.
    pub role: Option<String>,
    /// Who is asked to do it.
    pub owner: Option<String>,
    /// Whether the launch may go on with this item skipped.
    pub optional: bool,
    /// Items that must be done, waived or (if optional) skipped first.
    pub after: Vec<ItemId>,
    /// When it is to be settled.
    pub due: Option<Due>,
    /// What happens when it is not.
    pub on_timeout: OnTimeout,
    /// The roles that may waive it; empty: nobody.
    pub waivable_by: Vec<String>,
    /// Whose signatures it takes.
    pub signoff: Option<SignOff>,
    /// What must be attached before it is settled.
    pub evidence: Vec<EvidenceKind>,
    /// A runbook: the id of a checklist, or a URL.
    pub runbook: Option<String>,
    /// Free words, for filters and for the simulator.
    pub tags: Vec<String>,
    /// The milestone it belongs to.
    pub milestone: Option<String>,
    /// The item that undoes it.
    pub undo: Option<ItemId>,
}

/// The kinds of items.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Kind {
    /// A person says that it is so.
    #[default]
    Check,
    /// A gate must pass; the gate's id is the item's. A gate with a `query` of its own names the
    /// signal `gate:ITEM`, which settings add to the launch.
    Gate(GateDef),
    /// A program is run.
    Command(CommandDef),
    /// A text is filled with live values, copied, and marked as sent.
    Message(MessageDef),
    /// Time must pass; with a gate it fails early.
    Wait {
        /// How long.
        span: Duration,
        /// What must not fail meanwhile.
        gate: Option<Box<GateDef>>,
    },
}

impl Kind {
    /// The word in a template.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Gate(_) => "gate",
            Self::Command(_) => "command",
            Self::Message(_) => "message",
            Self::Wait { .. } => "wait",
        }
    }

    /// The gate that the item is watched by.
    pub fn gate(&self) -> Option<&GateDef> {
        match self {
            Self::Gate(gate) => Some(gate),
            Self::Wait { gate, .. } => gate.as_deref(),
            Self::Check | Self::Command(_) | Self::Message(_) => None,
        }
    }
}

/// What a command item runs. There is no shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandDef {
    /// The program and its arguments, with `{{param}}` in them; each stays one argument.
    pub argv: Vec<String>,
    /// Names of the environment variables that are handed on.
    pub env: Vec<String>,
    /// The longest it may run.
    pub timeout: Duration,
    /// Whether the item's id must be typed first.
    pub type_id: bool,
}

/// What a message item says, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageDef {
    /// The file of its text, relative to the template's.
    pub file: String,
    /// `status page`.
    pub channel: Option<String>,
}

/// When an item is to be settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// When the clock shows this.
    Mark(Mark),
    /// At a moment.
    At(Time),
}

impl Due {
    /// The moment, as far as it is known: a mark needs T-0.
    pub fn time(self, t0: Option<Time>) -> Option<Time> {
        match self {
            Self::Mark(mark) => t0.map(|t0| mark.time(t0)),
            Self::At(time) => Some(time),
        }
    }
}

/// What happens when an item is not settled in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnTimeout {
    /// The log says so.
    #[default]
    Remind,
    /// The clock is held.
    Hold,
}

/// Whose signatures an item takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignOff {
    /// How many different people.
    pub count: usize,
    /// The roles in which they may sign; empty: any.
    pub roles: Vec<String>,
}

/// A kind of evidence that an item asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvidenceKind {
    /// An address.
    Link,
    /// Words.
    Text,
    /// A number that was polled.
    Metric,
    /// A file, by its hash.
    File,
}

impl EvidenceKind {
    /// All of them, for messages that say what is allowed.
    pub const ALL: [EvidenceKind; 4] = [Self::Link, Self::Text, Self::Metric, Self::File];

    /// As written in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Text => "text",
            Self::Metric => "metric",
            Self::File => "file",
        }
    }
}

/// Where each item stands, by its id.
#[derive(Clone, Debug, Default)]
pub struct Places(OnceLock<HashMap<ItemId, usize>>);

/// It follows from the items.
impl PartialEq for Places {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Template {
    /// Where an item stands in [`Template::items`].
    pub fn place(&self, id: &ItemId) -> Option<usize> {
        let places = self.places.0.get_or_init(|| {
            self.items.iter().enumerate().map(|(place, item)| (item.id.clone(), place)).collect()
        });
        places.get(id).copied()
    }

    /// An item by id.
    pub fn item(&self, id: &ItemId) -> Option<&Item> {
        self.place(id).and_then(|place| self.items.get(place))
    }

    /// A built-in hold by id.
    pub fn hold(&self, id: &str) -> Option<&HoldDef> {
        self.holds.iter().find(|hold| hold.id == id)
    }

    /// Every gate that its run is watched by: those of its items and its triggers.
    pub fn gates(&self) -> impl Iterator<Item = &GateDef> {
        let of_items = self.items.iter().filter_map(|item| item.kind.gate());
        of_items.chain(self.triggers.iter().map(|trigger| &trigger.gate))
    }

    /// Whether process may block its items.
    pub fn has_process(&self) -> bool {
        self.kind != ListKind::Rollback
    }
}
