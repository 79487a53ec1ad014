//! Checklists: what a template says, what a run's events add up to, and what may happen next.
//!
//! May import `model` only; nothing here reads a file or a clock. Start with [`template`], then
//! [`event`], then [`state`] (the fold), [`decide`](mod@decide) (the rules), [`expect`] (what a
//! decision read), and last [`chain`] and [`event_file`] (how an event is hashed and written).

pub mod chain;
pub mod decide;
pub mod event;
pub mod event_file;
pub mod expect;
pub mod state;
pub mod template;

pub use chain::BrokenChain;
pub use decide::{Command, Refused, begin, decide};
pub use event::{Author, Event, Evidence, Fact, Hash, Mode};
pub use event_file::BadEvent;
pub use expect::{Expect, expects, moved};
pub use state::{Derived, ItemState, Run, Stage};
pub use template::{Item, Kind, Template};

/// What the screen and `checklist show` say when a template in the repository no longer is the one
/// that a run was started from. The run goes on with its own copy.
pub const TEMPLATE_CHANGED: &str = "template changed since this run began";

#[cfg(test)]
mod tests;
