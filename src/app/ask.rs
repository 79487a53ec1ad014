//! Decisions of the whole run that rest on numbers: a GO, lift-off, the end of a hold. Every gate that
//! counts is polled again, and all of those answers must pass (rule 5).

use std::collections::BTreeSet;

use crate::checklist::{Command, Evidence, Refused, decide};
use crate::engine::Outcome;
use crate::model::{GateId, Polled, SourceId, Time, Verdict};

use super::evidence;
use super::msg::Effect;
use super::state::State;
use super::tick;

/// A decision that waits for answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Asking {
    /// What is decided then.
    pub wanted: Wanted,
    /// Sources that have not answered since.
    pub waiting: BTreeSet<SourceId>,
    /// When it was asked for; only younger answers count.
    pub since: Time,
}

/// What is decided on the numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A station's GO.
    Go {
        /// The station.
        station: String,
        /// The poll that was in view.
        poll: Option<String>,
        /// Words beside it.
        note: Option<String>,
    },
    /// Lift-off.
    LiftOff,
    /// The end of a hold.
    Resume,
}

impl Wanted {
    fn command(&self, evidence: Vec<Evidence>) -> Command {
        match self {
            Self::Go { station, poll, note } => {
                let (station, poll, note) = (station.clone(), poll.clone(), note.clone());
                Command::Vote { station, go: true, note, evidence, poll }
            }
            Self::LiftOff => Command::LiftOff { evidence },
            Self::Resume => Command::Resume { evidence },
        }
    }

    /// What it is not, where the numbers say no.
    fn what(&self) -> &'static str {
        match self {
            Self::Go { .. } => "GO",
            Self::LiftOff => "lifted off",
            Self::Resume => "resumed",
        }
    }
}

/// Asks for the numbers that a decision needs. What a rule refuses whatever they say is told at once.
pub(super) fn begin(state: &mut State, wanted: Wanted) -> Vec<Effect> {
    let now = state.now;
    let view = match state.may_write_run() {
        Ok(view) => view,
        Err(why) => {
            state.say(why);
            return Vec::new();
        }
    };
    let proof = wanted.command(vec![Evidence::brought("metric", "")]);
    if let Err(refused) = decide(&view.run, &proof, &state.author, now) {
        state.say(refused.to_string());
        return Vec::new();
    }
    let waiting: BTreeSet<SourceId> =
        counting(state).iter().flat_map(|gate| state.watch.sources_of(gate)).collect();
    if waiting.is_empty() {
        state.say("no gate counts yet, and nothing is GO by default");
        return Vec::new();
    }
    let polls = waiting.iter().cloned().map(Effect::Poll).collect();
    state.asking = Some(Asking { wanted, waiting, since: now });
    polls
}

fn counting(state: &State) -> Vec<GateId> {
    let gates = state.watch.gates.iter().map(|gate| &gate.def.id);
    gates.filter(|gate| state.counts(gate)).cloned().collect()
}

/// A source answered, or failed to.
pub(super) fn answered(state: &mut State, poll: &Polled) -> Vec<Effect> {
    let Some(asking) = &mut state.asking else { return Vec::new() };
    if poll.asked < asking.since || !asking.waiting.contains(&poll.source) {
        return Vec::new();
    }
    let what = asking.wanted.what();
    if let Err(fault) = &poll.outcome {
        let why = format!("not {what}: {} {fault}", poll.source);
        state.asking = None;
        refuse(state, why);
        return Vec::new();
    }
    asking.waiting.remove(&poll.source);
    if asking.waiting.is_empty() { settle(state) } else { Vec::new() }
}

fn settle(state: &mut State) -> Vec<Effect> {
    let Some(asking) = state.asking.take() else { return Vec::new() };
    let overall = state.overall();
    // A gate that has come to count meanwhile was not asked.
    let unasked = overall.gates.iter().any(|(gate, _)| {
        state
            .watch
            .gate(gate)
            .and_then(|gate| gate.recent.back())
            .is_none_or(|measure| measure.at < asking.since)
    });
    if unasked && overall.outcome == Outcome::Go {
        refuse(state, format!("not {}: a gate has come to count meanwhile; ask again", asking.wanted.what()));
        return Vec::new();
    }
    if overall.outcome != Outcome::Go {
        let why = overall.gates.iter().find(|(_, judgement)| judgement.verdict != Verdict::Pass);
        let why = why.map_or_else(
            || "no gate counts".to_owned(),
            |(gate, judgement)| format!("{gate} {}", judgement.reason.text),
        );
        refuse(state, Refused::NoGo { what: asking.wanted.what(), why }.to_string());
        return Vec::new();
    }
    let evidence = evidence::of_all(&state.watch, overall.gates.iter().map(|(gate, _)| gate), state.now);
    if evidence.is_empty() {
        refuse(state, format!("not {}: there is no number to back it", asking.wanted.what()));
        return Vec::new();
    }
    let Some(run) = state.run.as_ref().map(|view| view.run.id.clone()) else { return Vec::new() };
    tick::append_to(state, &run, asking.wanted.command(evidence))
}

/// Everything that waits for numbers is called off: it would be written down in another name or role than
/// it was asked for in.
pub(super) fn call_off(state: &mut State, why: &str) {
    if let Some(asking) = state.asking.take() {
        refuse(state, format!("not {}: {why}", asking.wanted.what()));
    }
    tick::call_off(state, why);
}

fn refuse(state: &mut State, why: String) {
    let now = state.now;
    state.log.add(now, super::LogKind::Run, &why);
    state.say(why);
}
