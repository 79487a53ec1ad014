//! The one place where the room changes.

use super::log::LogKind;
use super::msg::{Effect, Msg};
use super::state::State;
use super::{ask, dialog, follow, lists, press, recording, replay, signing, tick};

/// Takes a message in and says what is to be done. Awaits nothing, reads no clock, draws nothing.
pub fn update(state: &mut State, msg: Msg) -> Vec<Effect> {
    let mut effects = of_msg(state, msg);
    // What was done in a rehearsal is done to the product that is rehearsed on.
    effects.extend(std::mem::take(&mut state.acted).into_iter().map(Effect::Act));
    effects
}

fn of_msg(state: &mut State, msg: Msg) -> Vec<Effect> {
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
            follow::by_itself(state)
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
            let mut effects = tick::answered(state, &poll);
            effects.extend(ask::answered(state, &poll));
            effects
        }
        Msg::Opened(outcome) => {
            follow::opened(state, outcome);
            Vec::new()
        }
        Msg::ListBegan { list, outcome } => lists::began(state, &list, outcome),
        Msg::RunChanged(run) => {
            let from = state.runs().find(|view| view.run.id == run).map_or(1, |view| view.run.seq + 1);
            vec![Effect::Read(run, from)]
        }
        Msg::Events { run, outcome: Ok(events) } => {
            follow::events(state, &run, &events);
            Vec::new()
        }
        Msg::Events { run, outcome: Err(why) } => {
            follow::freeze(state, &run, &why);
            Vec::new()
        }
        Msg::Verified { run, bad } => {
            if let Some(why) = bad {
                follow::freeze(state, &run, &why);
            }
            Vec::new()
        }
        Msg::Present(present) => {
            state.present = Some(present);
            Vec::new()
        }
        Msg::Output { run, item, text, alive } => {
            follow::output(state, &run, item, &text, alive);
            Vec::new()
        }
        Msg::NotApproved { ticket, commands } => {
            tick::not_approved(state, ticket, commands);
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
        Msg::Over => {
            state.over = true;
            if state.quits_when_over { vec![Effect::Quit] } else { Vec::new() }
        }
        Msg::Forwarding(on) => {
            state.forwarding = on;
            state.opened = state.now;
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
        Msg::SignIn(told) => signing::told(state, told),
        Msg::Recorded(told) => {
            recording::told(state, told);
            Vec::new()
        }
    }
}
