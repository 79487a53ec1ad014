//! The way of a tick: asked for, backed by a fresh number where it is a gate, saved, and only then
//! shown as done.

use crate::checklist::{Command, Event, Evidence, Kind, Stage, decide as decides};
use crate::model::{ItemId, Polled, RunId, Verdict};

use super::log::LogKind;
use super::msg::{Effect, NotSaved};
use super::run::Pending;
use super::state::{Dialog, State};

/// Asks for an item to be ticked. A gate is polled again first (rule 5).
pub(super) fn ask(state: &mut State, item: &ItemId) -> Vec<Effect> {
    if let Err(why) = state.may_write() {
        state.say(why);
        return Vec::new();
    }
    let Some(definition) = state.shown_template().and_then(|t| t.item(item)).cloned() else {
        return Vec::new();
    };
    if state.shown_run().is_some_and(|view| view.pending.contains_key(item)) {
        return Vec::new();
    }
    let begun = state.shown_run().and_then(|view| view.run.item(item)).map(|(_, s)| s.stage);
    let tick = || Command::Tick { item: item.clone(), evidence: Vec::new() };
    match &definition.kind {
        Kind::Wait { .. } if begun != Some(Stage::InProgress) => {
            append(state, Command::Begin { item: item.clone() })
        }
        Kind::Gate(_) | Kind::Wait { gate: Some(_), .. } => ask_gate(state, item),
        Kind::Command(_) if has_process(state) => {
            state.say(format!("{item} is a command: x runs it"));
            Vec::new()
        }
        Kind::Message(_) => {
            super::dialog::open_message(state, item);
            Vec::new()
        }
        Kind::Check if definition.signoff.is_some() && has_process(state) => {
            append(state, Command::Sign { item: item.clone(), note: None, binds: None })
        }
        _ => append(state, tick()),
    }
}

/// Whether the process of the list that is shown binds.
fn has_process(state: &State) -> bool {
    state.shown_template().is_some_and(|template| template.has_process())
}

/// Polls what the item's gate looks at; the tick follows from the answers.
fn ask_gate(state: &mut State, item: &ItemId) -> Vec<Effect> {
    let now = state.now;
    let gate =
        state.shown_template().and_then(|t| t.item(item)).and_then(|i| i.kind.gate()).map(|g| g.id.clone());
    let Some(gate) = gate else { return Vec::new() };
    // A rule that refuses the tick whatever the number says is told without a poll.
    let proof = Command::Tick { item: item.clone(), evidence: vec![placeholder()] };
    // On a list without a run one is begun first; then the gate is asked.
    let Some(view) = state.shown_run() else {
        return super::lists::begin_with(state, Command::Tick { item: item.clone(), evidence: Vec::new() });
    };
    if let Err(refused) = decides(&view.run, &proof, &state.author, now) {
        fail(state, item, refused.to_string());
        return Vec::new();
    }
    let waiting = state.watch.sources_of(&gate);
    let polls = waiting.iter().cloned().map(Effect::Poll).collect();
    if let Some(view) = state.shown_run_mut() {
        view.failed.remove(item);
        view.pending.insert(item.clone(), Pending::Polling { waiting, since: now });
    }
    polls
}

/// Stands in for the evidence in the question "would this tick be allowed if the gate passed?"; it
/// never reaches an append.
fn placeholder() -> Evidence {
    Evidence::brought("metric", "")
}

/// A source answered, or failed to: gates that wait for it are decided on that answer.
pub(super) fn answered(state: &mut State, poll: &Polled) -> Vec<Effect> {
    let runs: Vec<RunId> = state.runs().map(|view| view.run.id.clone()).collect();
    let mut effects = Vec::new();
    for run in runs {
        let mut ready = Vec::new();
        let mut unanswered = Vec::new();
        let Some(view) = state.run_mut(&run) else { continue };
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
            settle(state, &run, &item);
            fail_in(state, &run, &item, format!("not ticked: {why}"));
        }
        effects.extend(ready.into_iter().flat_map(|item| decide(state, &run, &item)));
    }
    effects
}

/// No tick that waits for numbers is made any more.
pub(super) fn call_off(state: &mut State, why: &str) {
    let waiting = |view: &super::run::RunView| -> Vec<(RunId, ItemId)> {
        let polling = view.pending.iter().filter(|(_, pending)| matches!(pending, Pending::Polling { .. }));
        polling.map(|(item, _)| (view.run.id.clone(), item.clone())).collect()
    };
    let all: Vec<(RunId, ItemId)> = state.runs().flat_map(waiting).collect();
    for (run, item) in all {
        settle(state, &run, &item);
        fail_in(state, &run, &item, format!("not ticked: {why}"));
    }
}

fn decide(state: &mut State, run: &RunId, item: &ItemId) -> Vec<Effect> {
    settle(state, run, item);
    let gate = state
        .runs()
        .find(|view| view.run.id == *run)
        .and_then(|view| view.run.template.item(item))
        .and_then(|item| item.kind.gate())
        .map(|gate| gate.id.clone());
    let judgement = gate.as_ref().and_then(|gate| state.watch.judge(gate, state.now));
    let (Some(gate), Some(judgement)) = (gate, judgement) else {
        fail_in(state, run, item, "not ticked: the gate is not watched".into());
        return Vec::new();
    };
    if judgement.verdict != Verdict::Pass {
        fail_in(state, run, item, format!("not ticked: {}", judgement.reason.text));
        return Vec::new();
    }
    let Some(evidence) = super::evidence::of_gate(&state.watch, &gate, state.now) else {
        fail_in(state, run, item, "not ticked: there is no number to back it".into());
        return Vec::new();
    };
    append_to(state, run, Command::Tick { item: item.clone(), evidence: vec![evidence] })
}

/// Hands a command on the list that is shown to the ledger; where it has no run yet, one is begun.
pub(super) fn append(state: &mut State, command: Command) -> Vec<Effect> {
    if let Err(why) = state.may_write() {
        state.say(why);
        return Vec::new();
    }
    match state.shown_run().map(|view| view.run.id.clone()) {
        Some(run) => append_to(state, &run, command),
        None => super::lists::begin_with(state, command),
    }
}

/// Hands a command to the ledger; the item shows "saving" until it is durable. What a rule refuses is
/// told at once.
pub(super) fn append_to(state: &mut State, run: &RunId, command: Command) -> Vec<Effect> {
    let ticket = state.ticket();
    let (now, author) = (state.now, state.author.clone());
    let by_itself = matches!(command, Command::Auto { .. });
    let Some(view) = state.run_mut(run) else { return Vec::new() };
    if let Err(refused) = decides(&view.run, &command, &author, now) {
        if !by_itself {
            let why = refused.to_string();
            match command.item() {
                Some(item) => fail_in(state, run, &item.clone(), why),
                None => state.say(why),
            }
        }
        return Vec::new();
    }
    if let Some(item) = command.item() {
        view.failed.remove(item);
        view.pending.insert(item.clone(), Pending::Saving { ticket });
    }
    view.saving.insert(ticket, command.clone());
    let seen = Box::new(view.run.clone());
    match command {
        Command::Run { item } => vec![Effect::Run { ticket, seen, item, author, approved: false }],
        command => vec![Effect::Append { ticket, seen, command, author }],
    }
}

/// An append came to its end. Events that are new are taken in either way: what made it fail is
/// among them.
pub(super) fn appended(state: &mut State, ticket: u64, outcome: Result<Vec<Event>, NotSaved>) {
    let run = state.runs().find(|view| view.saving.contains_key(&ticket)).map(|view| view.run.id.clone());
    let Some(run) = run else { return };
    let Some(view) = state.run_mut(&run) else { return };
    let command = view.saving.remove(&ticket);
    view.pending.retain(|_, pending| *pending != Pending::Saving { ticket });
    match outcome {
        Ok(events) => super::follow::events(state, &run, &events),
        Err(trouble) => {
            if trouble.unconfirmed {
                view.frozen = Some(trouble.text.clone());
            }
            // What the desk writes by itself may come second; that is no news.
            if trouble.second && matches!(command, Some(Command::Auto { .. } | Command::Desk { .. })) {
                return;
            }
            let now = state.now;
            state.log.add(now, LogKind::Run, &trouble.text);
            state.say(&trouble.text);
            if let Some(item) = command.as_ref().and_then(Command::item) {
                fail_in(state, &run, &item.clone(), trouble.text);
            }
        }
    }
}

/// The commands of the run's template were never approved by this user: they are shown first.
pub(super) fn not_approved(state: &mut State, ticket: u64, commands: Vec<String>) {
    let run = state.runs().find(|view| view.saving.contains_key(&ticket)).map(|view| view.run.id.clone());
    let Some(view) = run.and_then(|run| state.run_mut(&run)) else { return };
    let command = view.saving.remove(&ticket);
    view.pending.retain(|_, pending| *pending != Pending::Saving { ticket });
    if let Some(item) = command.as_ref().and_then(Command::item) {
        state.open(Dialog::Approve(item.clone(), commands));
    }
}

/// The user approves, and the command is run.
pub(super) fn approved(state: &mut State, item: &ItemId) -> Vec<Effect> {
    let effects = append(state, Command::Run { item: item.clone() });
    let approve = |effect| match effect {
        Effect::Run { ticket, seen, item, author, .. } => {
            Effect::Run { ticket, seen, item, author, approved: true }
        }
        other => other,
    };
    effects.into_iter().map(approve).collect()
}

fn settle(state: &mut State, run: &RunId, item: &ItemId) {
    if let Some(view) = state.run_mut(run) {
        view.pending.remove(item);
    }
}

fn fail(state: &mut State, item: &ItemId, why: String) {
    match state.shown_run().map(|view| view.run.id.clone()) {
        Some(run) => fail_in(state, &run, item, why),
        None => state.say(why),
    }
}

fn fail_in(state: &mut State, run: &RunId, item: &ItemId, why: String) {
    let now = state.now;
    // A refusal names its item already.
    let told = if why.contains(item.as_str()) { why.clone() } else { format!("{item} {why}") };
    state.log.add(now, LogKind::Run, &told);
    state.say(told);
    if let Some(view) = state.run_mut(run) {
        view.failed.insert(item.clone(), why);
    }
}
