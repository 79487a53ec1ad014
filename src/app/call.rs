//! What needs an answer from a person, and calling for it: a hidden tmux window must ring.

use std::collections::BTreeSet;

use crate::checklist::template::Exit;
use crate::checklist::{PollOutcome, Run};
use crate::model::Time;

use super::msg::Effect;
use super::state::State;

/// Calls out what has newly come to need an answer. Nobody is called in a replay, and nobody while
/// simulated time runs ahead.
pub(super) fn clock(state: &mut State) -> Vec<Effect> {
    if state.forwarding || state.replay.is_some() {
        return Vec::new();
    }
    let needs = state.run.as_ref().map(|view| needed(&view.run, state.now)).unwrap_or_default();
    let keys: BTreeSet<String> = needs.iter().map(|(key, _)| key.clone()).collect();
    let new = needs.into_iter().filter(|(key, _)| !state.called.contains(key));
    let effects = new.map(|(_, text)| Effect::Call(text)).collect();
    state.called = keys;
    effects
}

/// What needs an answer now, in words, the most pressing first.
pub fn words(state: &State) -> Option<String> {
    let needs = state.run.as_ref().map(|view| needed(&view.run, state.now)).unwrap_or_default();
    needs.into_iter().next().map(|(_, text)| text)
}

/// Each with a key by which it is called out once.
fn needed(run: &Run, now: Time) -> Vec<(String, String)> {
    let mut needs = Vec::new();
    for proposal in run.open_proposals() {
        let text = format!("{} PROPOSED by {}: {}", proposal.action.word(), proposal.cause, proposal.reason);
        needs.push((format!("proposal {}", proposal.seq), text));
    }
    if let Some(held) = run.clock.hold_at(&run.template, now) {
        let def = held.hold.as_deref().and_then(|id| run.template.hold(id));
        if held.until(&run.template).is_some_and(|until| now >= until)
            && def.is_none_or(|def| def.exit != Exit::Time)
        {
            let name = held.hold.clone().unwrap_or_else(|| "by hand".into());
            let key = format!("hold {name} over {}", held.extended.as_secs());
            needs.push((key, format!("HOLD {name} has lasted as long as it may: extend or scrub")));
        } else if held.hold.is_none() {
            let reason = held.reason.clone().unwrap_or_default();
            needs.push((format!("held {}", held.since.millis()), format!("HOLD {reason}")));
        }
    }
    if let Some(poll) = run.poll_at(now)
        && let PollOutcome::Waiting(stations) = poll.outcome(now)
    {
        let text = format!("poll {} waits for {}", poll.id, stations.join(", "));
        needs.push((format!("poll {} {}", poll.id, poll.since.millis()), text));
    }
    needs
}
