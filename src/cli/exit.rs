//! Exit codes, one table for all commands.

use std::io;
use std::process::{ExitCode, Termination};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Yes, done, GO.
    Yes = 0,
    /// No: NO-GO, refused by a rule, something unreadable.
    No = 1,
    /// Usage or config.
    Usage = 2,
    /// Cannot tell: unknown, unreachable.
    CannotTell = 3,
    /// Timed out.
    TimedOut = 4,
    /// Somebody else was first.
    Conflict = 5,
    /// Not saved.
    NotSaved = 6,
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}

/// The exit of a command; an error is printed on stderr. A closed pipe (`| head`) ends quietly.
pub fn of_result(result: anyhow::Result<Exit>) -> Exit {
    match result {
        Ok(exit) => exit,
        Err(error) => {
            let closed = error.chain().any(|cause| {
                cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
            });
            if closed {
                return Exit::Yes;
            }
            super::output::complain(&format!("{error:#}"));
            Exit::Usage
        }
    }
}

/// The exit of a command line that clap did not take (or that asked for help).
pub fn of_clap(error: &clap::Error) -> Exit {
    let printed = error.print();
    if error.use_stderr() && printed.is_ok() { Exit::Usage } else { Exit::Yes }
}
