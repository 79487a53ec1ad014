//! The way of a tick: asked for, backed by a fresh number where it is a gate, saved, and only then
//! shown as done.

use crate::checklist::{Command, Event, Evidence, Kind};
use crate::model::{GateId, ItemId, Polled, Verdict};

use super::log::LogKind;
use super::msg::{Effect, NotSaved};
use super::run::Pending;
use super::state::State;

/// Asks for an item to be ticked. A gate is polled again first (rule 5).
pub(super) fn ask(state: &mut State, item: &ItemId) -> Vec<Effect> {
    if let Err(why) = state.may_write() {
        state.say(why);
        return Vec::new();
    }
    let now = state.now;
    let gate = GateId::new(item.as_str());
    let Some(view) = &mut state.run else { return Vec::new() };
    let Some((definition, _)) = view.run.item(item) else { return Vec::new() };
    if view.pending.contains_key(item) {
        return Vec::new();
    }
    match definition.kind {
        Kind::Check | Kind::Command(_) | Kind::Message(_) | Kind::Wait { .. } => {
            append(state, Command::Tick { item: item.clone(), evidence: Vec::new() })
        }
        Kind::Gate(_) => {
            // A rule that refuses the tick whatever the number says is told without a poll.
            let proof = Command::Tick { item: item.clone(), evidence: vec![placeholder()] };
            if let Err(refused) = crate::checklist::decide(&view.run, &proof, &state.author, now) {
                let why = refused.to_string();
                state.say(&why);
                fail(state, item, why);
                return Vec::new();
            }
            let waiting = state.watch.sources_of(&gate);
            let polls = waiting.iter().cloned().map(Effect::Poll).collect();
            view.failed.remove(item);
            view.pending.insert(item.clone(), Pending::Polling { waiting, since: now });
            polls
        }
    }
}

/// Stands in for the evidence in the question "would this tick be allowed if the gate passed?"; it
/// never reaches an append.
fn placeholder() -> Evidence {
    Evidence::brought("metric", "")
}

/// A source answered, or failed to: gates that wait for it are decided on that answer.
pub(super) fn answered(state: &mut State, poll: &Polled) -> Vec<Effect> {
    let Some(view) = &mut state.run else { return Vec::new() };
    let mut ready = Vec::new();
    let mut unanswered = Vec::new();
    for (item, pending) in &mut view.pending {
        let Pending::Polling { waiting, since } = pending else { continue };
        if poll.asked < *since || !waiting.contains(&poll.source) {
            continue;
        }
        match &poll.outcome {
            Ok(_) => {
                waiting.remove(&poll.source);
                if waiting.is_empty() {
                    ready.push(item.clone());
                }
            }
            Err(fault) => unanswered.push((item.clone(), format!("{} {fault}", poll.source))),
        }
    }
    for (item, why) in unanswered {
        settle(state, &item);
        fail(state, &item, format!("not ticked: {why}"));
    }
    ready.into_iter().flat_map(|item| decide(state, &item)).collect()
}

fn decide(state: &mut State, item: &ItemId) -> Vec<Effect> {
    settle(state, item);
    let gate = GateId::new(item.as_str());
    let Some(judgement) = state.watch.judge(&gate, state.now) else {
        fail(state, item, "not ticked: the gate is not watched".into());
        return Vec::new();
    };
    if judgement.verdict != Verdict::Pass {
        fail(state, item, format!("not ticked: {}", judgement.reason.text));
        return Vec::new();
    }
    let Some(evidence) = super::evidence::of_gate(&state.watch, &gate, state.now) else {
        fail(state, item, "not ticked: there is no number to back it".into());
        return Vec::new();
    };
    append(state, Command::Tick { item: item.clone(), evidence: vec![evidence] })
}

/// Hands a command to the ledger; the item shows "saving" until it is durable.
pub(super) fn append(state: &mut State, command: Command) -> Vec<Effect> {
    if let Err(why) = state.may_write() {
        state.say(why);
        return Vec::new();
    }
    let ticket = state.ticket();
    let Some(view) = &mut state.run else { return Vec::new() };
    if let Err(refused) = crate::checklist::decide(&view.run, &command, &state.author, state.now) {
        let why = refused.to_string();
        state.say(&why);
        return Vec::new();
    }
    if let Some(item) = command.item() {
        view.failed.remove(item);
        view.pending.insert(item.clone(), Pending::Saving { ticket });
    }
    view.saving.insert(ticket, command.clone());
    vec![Effect::Append { ticket, seen: Box::new(view.run.clone()), command }]
}

/// An append came to its end. Events that are new are taken in either way: what made it fail is
/// among them.
pub(super) fn appended(state: &mut State, ticket: u64, outcome: Result<Vec<Event>, NotSaved>) {
    let Some(view) = &mut state.run else { return };
    let command = view.saving.remove(&ticket);
    view.pending.retain(|_, pending| *pending != Pending::Saving { ticket });
    match outcome {
        Ok(events) => super::follow::events(state, &events),
        Err(trouble) => {
            if trouble.unconfirmed {
                view.frozen = Some(trouble.text.clone());
            }
            let now = state.now;
            state.log.add(now, LogKind::Run, &trouble.text);
            state.say(&trouble.text);
            if let Some(item) = command.as_ref().and_then(Command::item) {
                let item = item.clone();
                fail(state, &item, trouble.text);
            }
        }
    }
}

fn settle(state: &mut State, item: &ItemId) {
    if let Some(view) = &mut state.run {
        view.pending.remove(item);
    }
}

fn fail(state: &mut State, item: &ItemId, why: String) {
    let now = state.now;
    state.log.add(now, LogKind::Run, format!("{item} {why}"));
    state.say(format!("{item} {why}"));
    if let Some(view) = &mut state.run {
        view.failed.insert(item.clone(), why);
    }
}
