//! The only place that starts processes.
//!
//! May import `model` only. Start with [`run`]: one program, its output, a time-out that ends the
//! program and everything it started.

pub mod claim;
mod group;
mod kept;
mod redact;
mod run;
mod tail;

use std::time::Duration;

pub use run::{ExecError, Output, run};
pub use tail::tail;

/// How long a pipe may stay open after the program ended, held by something it left behind.
const LINGER: Duration = Duration::from_millis(200);
