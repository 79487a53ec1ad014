//! What can happen to the room, and what the room wants done.

use std::sync::Arc;

use crate::checklist::{Author, Command, Event, Mode, Present, Run};
use crate::model::credential::CredentialDef;
use crate::model::{ItemId, Polled, RunId, SourceId, Time};

use super::lists::List;
use super::signing::SignInTold;
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
    /// A run of another list was begun or opened.
    ListBegan {
        /// The list's id.
        list: String,
        /// The run, or why there is none.
        outcome: Result<Box<Run>, String>,
    },
    /// A run may have new events.
    RunChanged(RunId),
    /// A run's events since those that were asked for.
    Events {
        /// The run.
        run: RunId,
        /// The events, or why they cannot be read.
        outcome: Result<Vec<Event>, String>,
    },
    /// The whole chain of a run was recomputed: what is wrong with it, where anything is.
    Verified {
        /// The run.
        run: RunId,
        /// The first thing that is not as it was written.
        bad: Option<String>,
    },
    /// The terminals that were seen on the run a moment ago.
    Present(Vec<Present>),
    /// The end of a command's output.
    Output {
        /// The run.
        run: RunId,
        /// The item.
        item: ItemId,
        /// The text; not harmless yet.
        text: String,
        /// Whether whoever supervises the command is still there.
        alive: bool,
    },
    /// The commands of this template were never approved by this user.
    NotApproved {
        /// The append that waits for it.
        ticket: u64,
        /// What would be run, a line each.
        commands: Vec<String>,
    },
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
    /// A simulation has come to its end.
    Over,
    /// Simulated time runs ahead of the wall (`true`), or does so no more.
    Forwarding(bool),
    /// The replay stands otherwise: paused, faster, at its end.
    Replay(Replay),
    /// The replay is back at its beginning, which was then.
    Rewound(Time),
    /// The recorder tells how it stands.
    Recorded(Recorded),
    /// Something was heard of a sign-in, or of who is signed in.
    SignIn(SignInTold),
}

/// Why a command was not saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotSaved {
    /// In words: who was first, which rule, what the system said.
    pub text: String,
    /// It may have been written, but that is not certain: the run is read only from here on.
    pub unconfirmed: bool,
    /// Somebody or something was first, or a rule says no by now.
    pub second: bool,
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
        /// Who does it, in which role.
        author: Author,
    },
    /// Decide and append that a command is started, and start it once that is durable.
    Run {
        /// Comes back in [`Msg::Appended`].
        ticket: u64,
        /// The run as it was on the screen.
        seen: Box<Run>,
        /// The item.
        item: ItemId,
        /// Who does it.
        author: Author,
        /// The user has just approved the template's commands.
        approved: bool,
    },
    /// End a command that is running.
    Cancel {
        /// The run.
        run: RunId,
        /// The number of the event that started it.
        started: u64,
    },
    /// Read the end of a command's output.
    Tail {
        /// The run.
        run: RunId,
        /// The item.
        item: ItemId,
        /// The number of the event that started it.
        started: u64,
    },
    /// Read a run's events from this number on.
    Read(RunId, u64),
    /// Start a run of the launch's checklist, as this person.
    Start(Author),
    /// Start a run of another list.
    BeginList {
        /// The list.
        list: Arc<List>,
        /// What the run is for.
        mode: Mode,
        /// Parameters of the launch's run that the list has too.
        params: Vec<(String, String)>,
        /// The launch's run.
        of: Option<RunId>,
        /// Who begins it.
        author: Author,
    },
    /// Open a run of another list that was begun before.
    OpenList {
        /// The list's id.
        list: String,
        /// The run.
        run: RunId,
    },
    /// Say that this terminal is on the run, and who sits there, and ask who else is.
    Present(RunId, String),
    /// Put a text into the clipboard of whoever looks (OSC 52).
    Copy(String),
    /// Something needs an answer: ring the bell, and say it where nobody looks (OSC 9).
    Call(String),
    /// Tell the replay something.
    Replay(ReplayControl),
    /// Tell the recorder something.
    Record(RecordControl),
    /// Do to the simulated product what the tags of an item say that was done.
    Act(Vec<String>),
    /// Sign in with a credential of kind device.
    SignIn {
        /// Which.
        credential: Box<CredentialDef>,
        /// Comes back in what is heard of it.
        ticket: u64,
    },
    /// Stop the sign-in that is under way.
    CancelSignIn,
    /// Forget the sign-in of a credential, here and at the issuer.
    SignOut(Box<CredentialDef>),
    /// Hand the terminal back to the shell until it continues the program.
    Suspend,
    /// Restore the terminal and leave.
    Quit,
}
