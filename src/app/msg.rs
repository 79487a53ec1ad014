//! What can happen to the room, and what the room wants done.

use crate::checklist::{Command, Event, Run};
use crate::model::{Polled, SourceId, Time};

use super::{Key, RecordControl, Recorded, Replay, ReplayControl};

/// Something that happened. Every one carries its own time, or needs none.
#[derive(Clone, Debug)]
pub enum Msg {
    /// A key was pressed.
    Key(Key, Time),
    /// Text was pasted: only text fields take it.
    Paste(String),
    /// The terminal has another size; drawing reads it from the frame.
    Resize,
    /// The clock shows a new second.
    Clock(Time),
    /// A poll of a source has begun.
    Asked(SourceId, Time),
    /// A source was polled.
    Polled(Box<Polled>),
    /// The run was opened or started; `None`: there is no run of this checklist yet.
    Opened(Result<Option<Box<Run>>, String>),
    /// The run's directory changed.
    RunChanged,
    /// The run's events since those that were asked for.
    Events(Result<Vec<Event>, String>),
    /// An append came to its end.
    Appended {
        /// Which one.
        ticket: u64,
        /// The new events up to and with the appended one, or why it was not saved.
        outcome: Result<Vec<Event>, NotSaved>,
    },
    /// The template's file differs from (or is again) what the run was started from.
    TemplateChanged(bool),
    /// Something about a source that belongs into the log.
    Noted(String),
    /// Simulated time runs ahead of the wall (`true`), or does so no more.
    Forwarding(bool),
    /// The replay stands otherwise: paused, faster, at its end.
    Replay(Replay),
    /// The replay is back at its beginning, which was then.
    Rewound(Time),
    /// The recorder tells how it stands.
    Recorded(Recorded),
}

/// Why a command was not saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotSaved {
    /// In words: who was first, which rule, what the system said.
    pub text: String,
    /// It may have been written, but that is not certain: the run is read only from here on.
    pub unconfirmed: bool,
}

/// Something the room wants done; it hears of the outcome in a [`Msg`].
#[derive(Clone, Debug)]
pub enum Effect {
    /// Poll a source now, out of turn.
    Poll(SourceId),
    /// Decide and append a command, on the run as the user saw it.
    Append {
        /// Comes back in [`Msg::Appended`].
        ticket: u64,
        /// The run as it was on the screen.
        seen: Box<Run>,
        /// What to do.
        command: Command,
    },
    /// Read the run's events from this number on.
    Read(u64),
    /// Start a run of the launch's checklist.
    Start,
    /// Tell the replay something.
    Replay(ReplayControl),
    /// Tell the recorder something.
    Record(RecordControl),
    /// Hand the terminal back to the shell until it continues the program.
    Suspend,
    /// Restore the terminal and leave.
    Quit,
}
