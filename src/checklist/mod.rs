//! Checklists: what a template says, what a run's events add up to, and what may happen next.
//!
//! May import `model` only; nothing here reads a file or a clock. Start with [`template`], then
//! [`event`], then [`state`] (the fold) and [`decide`](mod@decide) (the rules).

pub mod decide;
pub mod event;
pub mod state;
pub mod template;

pub use decide::{Command, Refused, decide};
pub use event::{Author, Event, Evidence, Fact, Hash, Mode};
pub use state::{Derived, ItemState, Run, Stage};
pub use template::{Item, Kind, Template};
