//! `:record FILE` and `:record stop`: whoever wants a capture sits in front of the room already.

use crate::model::text::harmless_line;

use super::log::LogKind;
use super::msg::Effect;
use super::state::State;

/// What the room is recorded to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// The capture's file.
    pub file: String,
    /// How many polls it holds.
    pub polls: u64,
    /// Why no more is written.
    pub broken: Option<String>,
}

/// What a recorder can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordControl {
    /// Begin in this file; `None`: in one that is named after the product and the time.
    Begin(Option<String>),
    /// End the capture.
    Stop,
}

/// What a recorder tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It has begun, in this file.
    Began(String),
    /// It could not begin, and why.
    Refused(String),
    /// It goes on, with so many polls.
    Holds(u64),
    /// It broke off, and why; what was written stays readable.
    BrokeOff(String),
    /// It was ended; what it holds, in words.
    Ended(String),
}

/// `:record` and its argument.
pub(super) fn ask(state: &mut State, argument: &str) -> Vec<Effect> {
    if state.replay.is_some() {
        state.say("this is a replay: it is a capture already");
        return Vec::new();
    }
    let broke_off = state.recording.take_if(|recording| recording.broken.is_some());
    let going = state.recording.as_ref();
    let control = match (argument, going) {
        ("stop", Some(_)) => RecordControl::Stop,
        ("stop", None) if broke_off.is_some() => return Vec::new(),
        ("stop", None) => {
            state.say("nothing is being recorded: :record FILE begins");
            return Vec::new();
        }
        (_, Some(recording)) => {
            state.say(format!("recording to {} already: :record stop ends it", recording.file));
            return Vec::new();
        }
        ("", None) => RecordControl::Begin(None),
        (file, None) => RecordControl::Begin(Some(file.to_owned())),
    };
    vec![Effect::Record(control)]
}

/// The recorder has told something.
pub(super) fn told(state: &mut State, told: Recorded) {
    let file = |state: &State| state.recording.as_ref().map(|r| r.file.clone()).unwrap_or_default();
    let text = match told {
        Recorded::Holds(polls) => {
            if let Some(recording) = &mut state.recording {
                recording.polls = polls;
            }
            return;
        }
        Recorded::Refused(why) => {
            state.say(format!("not recording: {why}"));
            return;
        }
        Recorded::Began(file) => {
            let file = harmless_line(&file, 200);
            let text = format!("recording to {file}");
            state.recording = Some(Recording { file, ..Recording::default() });
            text
        }
        Recorded::BrokeOff(why) => {
            let why = harmless_line(&why, 300);
            let text = format!("the recording broke off, what was written can be read: {why}");
            if let Some(recording) = &mut state.recording {
                recording.broken = Some(why);
            }
            text
        }
        Recorded::Ended(words) => {
            let text = format!("recorded to {}: {words}", file(state));
            state.recording = None;
            text
        }
    };
    let now = state.now;
    state.say(&text);
    state.log.add(now, LogKind::Notice, harmless_line(&text, 500));
}
