//! What the desk writes by itself, and nobody else: proposals, holds, deadlines, due times.
//!
//! Asked once for every new second. Whoever has no desk writes nothing here, so that five terminals do
//! not write five holds, and one laptop's bad network does not hold everybody.

use crate::checklist::template::{Exit, OnTimeout};
use crate::checklist::{Auto, Command, Evidence, Item, Kind, Run, Stage};
use crate::engine::Outcome;
use crate::model::gate::Watched;
use crate::model::trigger::Action;
use crate::model::{GateId, Time, Verdict};

use super::evidence;
use super::msg::Effect;
use super::state::State;
use super::tick;

/// How long people have to answer where a regressed item proposes a hold.
const ANSWER_WITHIN: std::time::Duration = std::time::Duration::from_mins(2);

impl State {
    /// Whether this terminal has the desk of the launch's run.
    pub fn has_desk(&self) -> bool {
        self.desk().is_some_and(|desk| desk.terminal == self.terminal)
    }

    fn desk(&self) -> Option<&crate::checklist::Desk> {
        self.run.as_ref()?.run.desk.as_ref()
    }

    /// Whether somebody sits at the desk: the terminal that has it has been seen a moment ago.
    pub fn is_watched(&self) -> bool {
        // A terminal that may not write watches nothing.
        let stuck = self.has_desk() && self.run.as_ref().is_some_and(|view| view.frozen.is_some());
        !stuck && self.desk().is_some_and(|desk| !self.is_gone(&desk.terminal))
    }

    /// Whether a terminal is not to be seen, as far as that is known.
    fn is_gone(&self, terminal: &str) -> bool {
        let seen = |present: &Vec<crate::checklist::Present>| present.iter().any(|p| p.terminal == terminal);
        terminal != self.terminal && self.present.as_ref().is_some_and(|present| !seen(present))
    }

    /// The item's gate is watched and has gone bad since the item was done.
    pub fn is_regressed(&self, item: &Item) -> bool {
        let Some((_, state)) = self.run.as_ref().and_then(|view| view.run.item(&item.id)) else {
            return false;
        };
        let Some(gate) = item.kind.gate().filter(|gate| gate.watch == Watched::UntilClosed) else {
            return false;
        };
        state.stage == Stage::Done && !state.overridden && self.is_bad(&gate.id).is_some()
    }

    /// Why a gate that is watched counts as gone bad: it fails, or has been unknown for longer than a
    /// sample may be old; a hiccup is neither (rules 3 and 8).
    pub(super) fn is_bad(&self, gate: &GateId) -> Option<String> {
        let judgement = self.watch.judge(gate, self.now)?;
        let gate = self.watch.gate(gate)?;
        let too_long = || {
            let old = judgement.age.is_some_and(|age| age > gate.max_age);
            let long = judgement.lasting.is_some_and(|lasting| lasting > gate.max_age);
            let pending = matches!(judgement.reason.code.as_str(), "holding" | "recovering");
            // Never answered since the room was opened, for longer than a sample may be old.
            let never = gate.recent.is_empty() && self.now.since(self.opened) > gate.max_age + gate.every * 2;
            never
                || !pending
                    && (old || (long && gate.recent.back().is_some_and(|m| m.verdict != Verdict::Pass)))
        };
        match judgement.verdict {
            Verdict::Fail => Some(judgement.reason.text),
            Verdict::Unknown if too_long() => Some(judgement.reason.text),
            Verdict::Unknown | Verdict::Pass => None,
        }
    }
}

/// Takes the desk where nobody has it, and does what the desk does.
pub(super) fn clock(state: &mut State) -> Vec<Effect> {
    let Ok(view) = state.may_write_run() else { return Vec::new() };
    if state.forwarding || state.replay.is_some() || view.run.closed.is_some() {
        return Vec::new();
    }
    // One thing at a time: what is being written changes what is to be written next.
    let busy = |command: &Command| {
        matches!(command, Command::Auto { .. } | Command::Desk { .. } | Command::LeaveDesk { .. })
    };
    if view.saving.values().any(busy) {
        return Vec::new();
    }
    let run = view.run.id.clone();
    if !state.has_desk() {
        let gone = state.desk().map(|desk| desk.terminal.clone());
        // Whether the terminal that has the desk is there is not known before it was asked.
        let free = gone.as_ref().is_none_or(|terminal| state.is_gone(terminal));
        if !state.wants_desk || !free {
            return Vec::new();
        }
        let command = Command::Desk { terminal: state.terminal.clone(), force: false, gone };
        return tick::append_to(state, &run, command);
    }
    let view = state.run.as_ref();
    let found = view.map(|view| next(state, &view.run, state.now)).unwrap_or_default();
    let terminal = state.terminal.clone();
    let command = |what| Command::Auto { terminal: terminal.clone(), what };
    found.into_iter().flat_map(|what| tick::append_to(state, &run, command(what))).collect()
}

/// The first thing that is due, most pressing first.
fn next(state: &State, run: &Run, now: Time) -> Vec<Auto> {
    if let Some(overdue) = run.open_proposals().find(|proposal| now >= proposal.deadline) {
        return vec![Auto::Silence { proposal: overdue.seq }];
    }
    if let Some(proposal) = triggered(state, run).or_else(|| regressed(state, run)) {
        return vec![proposal];
    }
    if let Some(auto) = hold(state, run, now).or_else(|| lapse(state, run, now)) {
        return vec![auto];
    }
    if let Some(auto) = wait(state, run, now) {
        return vec![auto];
    }
    // One thing at a time: the hold first, for what says that it is late says so only once.
    late(run, now)
}

/// Whether a cause may propose: it does not already, and what it proposed before was answered before
/// this trouble began.
fn may_propose(run: &Run, cause: &str, began: Time) -> bool {
    let before = run.proposals.iter().rev().find(|proposal| proposal.cause == cause);
    before.is_none_or(|proposal| proposal.answer.as_ref().is_some_and(|answer| began > answer.at))
}

fn triggered(state: &State, run: &Run) -> Option<Auto> {
    run.template.triggers.iter().find_map(|trigger| {
        let judgement = state.watch.judge(&trigger.gate.id, state.now)?;
        let lasting = judgement.lasting?;
        let fires = judgement.verdict == Verdict::Fail && lasting >= trigger.lasting;
        let began = state.now.before(lasting);
        // What is held already needs no hold.
        let held = run.clock.hold_at(&run.template, state.now).is_some_and(|held| held.hold.is_none());
        let needed = match trigger.action {
            Action::Hold => !held,
            // Once the rollback is under way there is nothing left to propose.
            Action::ProposeRollback => run.rollbacks.is_empty(),
        };
        (fires && needed && may_propose(run, &trigger.id, began)).then(|| Auto::Propose {
            cause: trigger.id.clone(),
            action: trigger.action,
            within: trigger.answer_within,
            reason: judgement.reason.text.clone(),
        })
    })
}

fn regressed(state: &State, run: &Run) -> Option<Auto> {
    if run.clock.hold_at(&run.template, state.now).is_some_and(|held| held.hold.is_none()) {
        return None;
    }
    run.template.items.iter().filter(|item| state.is_regressed(item)).find_map(|item| {
        let gate = &item.kind.gate()?.id;
        let lasting = state.watch.judge(gate, state.now)?.lasting.unwrap_or_default();
        may_propose(run, item.id.as_str(), state.now.before(lasting)).then(|| Auto::Propose {
            cause: item.id.to_string(),
            action: Action::Hold,
            within: ANSWER_WITHIN,
            reason: format!("done, and now {}", state.is_bad(gate).unwrap_or_default()),
        })
    })
}

fn hold(state: &State, run: &Run, now: Time) -> Option<Auto> {
    let held = run.clock.hold_at(&run.template, now)?;
    let def = run.template.hold(held.hold.as_deref()?)?;
    if held.by.is_none() {
        return Some(Auto::HoldReached { hold: def.id.clone() });
    }
    match def.exit {
        Exit::Poll => None,
        Exit::Time => {
            let over = held.until(&run.template).is_some_and(|until| now >= until);
            over.then(|| Auto::Resume { evidence: Vec::new() })
        }
        Exit::Gates => {
            let overall = state.overall();
            let gates = || overall.gates.iter().map(|(gate, _)| gate);
            let go =
                overall.outcome == Outcome::Go && gates().all(|gate| answered_since(state, gate, held.since));
            go.then(|| Auto::Resume { evidence: evidence::of_all(&state.watch, gates(), now) })
        }
    }
}

fn lapse(state: &State, run: &Run, now: Time) -> Option<Auto> {
    run.poll_with_go(now)?;
    let mut gates = state.watch.gates.iter().map(|gate| &gate.def.id).filter(|gate| state.counts(gate));
    gates.find_map(|gate| {
        let why = state.is_bad(gate)?;
        Some(Auto::Lapse { reason: format!("{gate} {why}") })
    })
}

fn wait(state: &State, run: &Run, now: Time) -> Option<Auto> {
    // What a rule refuses (a signature, evidence, something opened again) must not keep others waiting.
    let may = |what: &Auto| {
        let command = Command::Auto { terminal: state.terminal.clone(), what: what.clone() };
        crate::checklist::decide(run, &command, &state.author, now).is_ok()
    };
    run.template.items.iter().zip(&run.items).find_map(|(item, item_state)| {
        let Kind::Wait { span, gate } = &item.kind else { return None };
        let (_, since) = item_state.begun.as_ref().filter(|_| item_state.stage == Stage::InProgress)?;
        let judgement = gate.as_ref().and_then(|gate| state.watch.judge(&gate.id, now));
        if let Some(failed) = judgement.as_ref().filter(|judgement| judgement.verdict == Verdict::Fail) {
            let reason = failed.reason.text.clone();
            return Some(Auto::WaitFailed { item: item.id.clone(), reason }).filter(may);
        }
        if now.since(*since) < *span || run.signatures_missing(&item.id) > 0 {
            return None;
        }
        let backed: Option<Vec<Evidence>> = match gate {
            None => Some(Vec::new()),
            Some(gate) => judgement
                .filter(|judgement| judgement.verdict == Verdict::Pass)
                .filter(|_| answered_since(state, &gate.id, since.after(*span)))
                .and_then(|_| evidence::of_gate(&state.watch, &gate.id, now))
                .map(|number| vec![number]),
        };
        Some(Auto::WaitOver { item: item.id.clone(), evidence: backed? }).filter(may)
    })
}

/// Whether a gate rests on an answer that was asked for since a moment, of sources that answer now: what is
/// decided by itself rests on numbers that were polled for it, as what a person decides.
fn answered_since(state: &State, gate: &GateId, since: Time) -> bool {
    let newest = state.watch.gate(gate).and_then(|gate| gate.recent.back());
    let sound = |id: &crate::model::SourceId| state.watch.source(id).is_some_and(|s| s.fault.is_none());
    newest.is_some_and(|measure| measure.at >= since) && state.watch.sources_of(gate).iter().all(sound)
}

fn late(run: &Run, now: Time) -> Vec<Auto> {
    let is_late = |(item, state): &(&Item, &crate::checklist::ItemState)| {
        let due = item.due.and_then(|due| due.time(run.clock.t0));
        !state.reminded && due.is_some_and(|due| now >= due) && !run.stands(&item.id)
    };
    let scrubbed = run.clock.scrubbed.is_some();
    let Some((item, _)) = run.template.items.iter().zip(&run.items).find(is_late).filter(|_| !scrubbed)
    else {
        return Vec::new();
    };
    let held = run.clock.hold_at(&run.template, now).is_some_and(|held| held.hold.is_none());
    if item.on_timeout == OnTimeout::Hold && !held {
        return vec![Auto::HoldFor { reason: format!("{} is late", item.id) }];
    }
    vec![Auto::Late { item: item.id.clone() }]
}
