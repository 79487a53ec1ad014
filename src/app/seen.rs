//! What a drill is scored by: what the room showed, and what the team did about it, each at its moment.

use crate::checklist::template::ListKind;
use crate::checklist::{Event, Fact, Mode};
use crate::engine::Change;
use crate::model::{RunId, Verdict};

use super::state::State;

/// Something that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A gate, a trigger or a source of this id turned bad.
    Bad(String),
    /// The team held the clock.
    Held,
    /// The team began the rollback.
    Rollback,
    /// The first section of the rollback list, where its immediate items stand, is settled.
    RolledBack,
}

/// The most that is kept: a drill that tells more than this has gone wrong itself.
const MOST: usize = 10_000;

/// Notes what turned bad, in a drill that runs.
pub(super) fn change(state: &mut State, change: &Change) {
    let bad = match change {
        Change::SourceFailed(id, _) => id.to_string(),
        Change::Gate(id, Verdict::Fail, _) if state.counts(id) => id.to_string(),
        _ => return,
    };
    note(state, Seen::Bad(bad));
}

/// Notes what was done, and what it does to the product that is rehearsed on.
pub(super) fn event(state: &mut State, run: &RunId, event: &Event) {
    let Some(view) = state.runs().find(|view| view.run.id == *run) else { return };
    if view.run.mode != Mode::Drill {
        return;
    }
    let is_rollback = view.run.template.kind == ListKind::Rollback;
    let settled = event.fact.item().and_then(|id| view.run.item(id)).filter(|(_, s)| s.settled.is_some());
    let done = matches!(event.fact, Fact::Tick { .. } | Fact::Ended { .. } | Fact::Sent { .. });
    let tags = settled.filter(|_| done).map(|(item, _)| item.tags.clone()).filter(|tags| !tags.is_empty());
    let rolled_back = is_rollback && settled.is_some() && {
        let items = view.run.template.items.iter().zip(&view.run.items);
        let first = view.run.template.items.first().map_or("", |item| item.section.as_str());
        items.filter(|(item, _)| item.section == first).all(|(_, item_state)| item_state.stage.is_settled())
    };
    let confirms_hold = |proposal: u64| {
        let proposal = view.run.proposal(proposal);
        proposal.is_some_and(|p| p.action == crate::model::trigger::Action::Hold)
    };
    let seen = match &event.fact {
        Fact::Propose { cause, .. } => Some(Seen::Bad(cause.clone())),
        Fact::Hold { hold: None, proposal: None, .. } => Some(Seen::Held),
        Fact::Answer { proposal, confirm: true, .. } if confirms_hold(*proposal) => Some(Seen::Held),
        Fact::Rollback { .. } => Some(Seen::Rollback),
        _ => None,
    };
    state.acted.extend(tags);
    if let Some(seen) = seen {
        note(state, seen);
    }
    if rolled_back && !state.seen.iter().any(|(_, seen)| *seen == Seen::RolledBack) {
        note(state, Seen::RolledBack);
    }
}

fn note(state: &mut State, seen: Seen) {
    let drill = state.run.as_ref().is_some_and(|view| view.run.mode == Mode::Drill);
    if drill && !state.forwarding && state.seen.len() < MOST {
        state.seen.push((state.now, seen));
    }
}
