//! Checklists: what a template says, what a run's events add up to, and what may happen next.
//!
//! May import `model` only; nothing here reads a file or a clock. Start with [`template`], then
//! [`fact`] (what can happen) and [`event`], then [`state`] (the fold, with [`item_state`], [`clock`]
//! and [`poll`]), [`command`] and [`decide`](mod@decide) (the rules), [`expect`] (what a decision
//! read), and last [`chain`] and [`event_file`] (how an event is hashed and written).

pub mod chain;
pub mod clock;
pub mod command;
pub mod decide;
pub mod event;
pub mod event_file;
pub mod expect;
pub mod fact;
mod fields;
pub mod item_state;
pub mod params;
pub mod poll;
pub mod state;
mod survey;
pub mod template;
pub mod words;

pub use chain::{BrokenChain, binding};
pub use clock::{Clock, Held, Phase};
pub use command::{Auto, Command};
pub use decide::{Begun, Refused, begin, decide};
pub use event::{Author, Event, Evidence, Hash, Identity, Mode};
pub use event_file::BadEvent;
pub use expect::{Expect, expects, moved};
pub use fact::{Fact, Step};
pub use item_state::{Attempt, Derived, End, ItemState, Stage};
pub use poll::{Poll, PollOutcome, Vote};
pub use state::{Answer, Desk, Deviation, Present, Proposal, Run};
pub use template::{Item, Kind, Template};

/// What the screen and `checklist show` say when a template in the repository no longer is the one
/// that a run was started from. The run goes on with its own copy.
pub const TEMPLATE_CHANGED: &str = "template changed since this run began";

#[cfg(test)]
mod tests;
