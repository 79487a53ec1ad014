//! Exit codes, one table for all commands.

use std::io;
use std::process::{ExitCode, Termination};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Yes, done, GO.
    Yes,
    /// No: NO-GO, refused by a rule, something unreadable.
    No,
    /// Usage or config.
    Usage,
    /// Cannot tell: unknown, unreachable.
    CannotTell,
    /// Timed out.
    TimedOut,
    /// Somebody else was first.
    Conflict,
    /// Not saved.
    NotSaved,
    /// Ended by a signal of this number.
    Signal(u8),
}

impl Exit {
    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Yes => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::CannotTell => 3,
            Self::TimedOut => 4,
            Self::Conflict => 5,
            Self::NotSaved => 6,
            Self::Signal(number) => number.saturating_add(128),
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
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
