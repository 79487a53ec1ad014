//! The one place where the room changes.

use super::log::LogKind;
use super::msg::{Effect, Msg};
use super::state::State;
use super::{dialog, follow, press, recording, replay, tick};

/// Takes a message in and says what is to be done. Awaits nothing, reads no clock, draws nothing.
pub fn update(state: &mut State, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Key(key, at) => {
            state.now = state.now.max(at);
            press::key(state, key)
        }
        Msg::Paste(text) => {
            dialog::paste(state, &text);
            Vec::new()
        }
        Msg::Resize => Vec::new(),
        Msg::Clock(now) => {
            state.now = now;
            follow::clock(state);
            Vec::new()
        }
        Msg::Asked(source, at) => {
            state.watch.asked(&source, at);
            Vec::new()
        }
        Msg::Polled(poll) => {
            state.now = state.now.max(poll.asked);
            let changes = state.watch.observe(&poll);
            follow::changes(state, changes);
            follow::clock(state);
            tick::answered(state, &poll)
        }
        Msg::Opened(outcome) => {
            follow::opened(state, outcome);
            Vec::new()
        }
        Msg::RunChanged => {
            let from = state.run.as_ref().map_or(1, |view| view.run.seq + 1);
            vec![Effect::Read(from)]
        }
        Msg::Events(Ok(events)) => {
            follow::events(state, &events);
            Vec::new()
        }
        Msg::Events(Err(why)) => {
            let now = state.now;
            if let Some(view) = &mut state.run
                && view.frozen.as_ref() != Some(&why)
            {
                view.frozen = Some(why.clone());
                state.log.add(now, LogKind::Run, why);
            }
            Vec::new()
        }
        Msg::Appended { ticket, outcome } => {
            tick::appended(state, ticket, outcome);
            Vec::new()
        }
        Msg::TemplateChanged(changed) => {
            follow::template_changed(state, changed);
            Vec::new()
        }
        Msg::Noted(text) => {
            let now = state.now;
            state.log.add(now, LogKind::Source, text);
            Vec::new()
        }
        Msg::Forwarding(on) => {
            state.forwarding = on;
            Vec::new()
        }
        Msg::Replay(now) => {
            replay::told(state, now);
            Vec::new()
        }
        Msg::Rewound(now) => {
            replay::rewound(state, now);
            Vec::new()
        }
        Msg::Recorded(told) => {
            recording::told(state, told);
            Vec::new()
        }
    }
}
