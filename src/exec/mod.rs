//! The only place that starts processes.
//!
//! May import `model` only. [`run`] starts a short program for its output, such as the one that prints
//! a token. The command of a checklist's item goes another way: [`Executor`] starts a supervisor,
//! which is this program once more in a session of its own, or only says what it would start. The
//! supervisor calls [`supervise()`]: it claims the [`Job`], runs it, and keeps its output in a file
//! that a screen reads with [`tail()`]; [`claim`] tells whether it still lives. Start reading at
//! `executor`, then `supervise`, then `program`.

pub mod claim;
mod executor;
mod group;
mod job;
mod kept;
mod output;
mod program;
mod redact;
mod run;
mod supervise;
mod tail;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use executor::{Begun, Executor, Spawner, StartError};
pub use job::{Job, Outcome, Status};
pub use kept::{HEAD, TAIL};
pub use run::{ExecError, Output, run};
pub use supervise::{SuperviseError, settle, supervise};
pub use tail::tail;

/// How long a pipe may stay open after the program ended, held by something it left behind.
const LINGER: Duration = Duration::from_millis(200);
