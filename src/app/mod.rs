//! The launch room as a pure machine: [`State`], what can happen to it ([`Msg`]), what it wants done
//! ([`Effect`]), and [`update()`], which awaits nothing and reads no clock.
//!
//! May import `model`, `promql`, `engine`, `checklist`. Start with [`state`], then [`update`](mod@update);
//! [`command`] is the one table behind keymap, help, palette and README; [`board`] and [`summary`]
//! make the rows that `ui` draws.

pub mod alerts;
pub mod ask;
pub mod board;
pub mod call;
pub mod command;
mod desk;
pub mod dialog;
pub mod evidence;
mod follow;
pub mod identity;
pub mod key;
mod launch;
pub mod lists;
pub mod log;
pub mod message;
pub mod msg;
pub mod press;
mod recording;
mod replay;
pub mod run;
pub mod seen;
pub mod signing;
pub mod state;
pub mod summary;
mod tick;
pub mod update;

pub use ask::Asking;
pub use command::Action;
pub use key::Key;
pub use lists::{List, Side};
pub use log::{LogKind, LogLine};
pub use msg::{Effect, Msg, NotSaved};
pub use recording::{RecordControl, Recorded, Recording};
pub use replay::{Replay, ReplayControl};
pub use run::RunView;
pub use signing::{SignInTold, Signing};
pub use state::{Block, Dialog, State};
pub use update::update;

#[cfg(test)]
mod tests;
