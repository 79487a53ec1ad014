//! What a decision read, and whether that has moved since: compare and append.
//!
//! A tick that races the reopening of what it depends on must lose, so a writer names every revision
//! that its decision rests on, and the ledger asks again at the moment of writing.

use std::collections::HashSet;

use crate::model::ItemId;

use super::fact::{Revised, Step};
use super::{Command, Event, Run, words};

/// What a decision read, and the revision it saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// An item's revision.
    Item(ItemId, u64),
    /// The clock's revision.
    Clock(u64),
    /// The revision of the votes.
    Poll(u64),
    /// The revision of the desk.
    Desk(u64),
}

/// Everything that deciding the command reads of the run as it is seen now: for what settles an item,
/// the item and all that it rests on, directly or not; for what only looks at an item, the item; for the
/// clock, the clock, and for what rests on a poll the votes too. A note rests on nothing and cannot
/// come too late; an answer to a proposal is decided again on what is stored then.
pub fn expects(run: &Run, command: &Command) -> Vec<Expect> {
    let clock = Expect::Clock(run.clock.rev);
    let polls = Expect::Poll(run.polls.rev);
    match command {
        Command::Tick { item, .. }
        | Command::Sign { item, .. }
        | Command::Begin { item }
        | Command::Run { item, .. }
        | Command::Sent { item, .. } => with_all_before(run, item),
        Command::Skip { item, .. }
        | Command::Waive { item, .. }
        | Command::Fail { item, .. }
        | Command::Reopen { item, .. }
        | Command::Attach { item, .. }
        | Command::BreakGlass { step: Step::Item(item), .. } => seen(run, item).into_iter().collect(),
        Command::SetT0 { .. }
        | Command::Hold { .. }
        | Command::Extend { .. }
        | Command::Recycle { .. }
        | Command::Scrub { .. }
        | Command::Vote { .. }
        | Command::BreakGlass { .. } => vec![clock],
        Command::Resume { .. } | Command::LiftOff { .. } => vec![clock, polls],
        Command::Desk { .. } => vec![Expect::Desk(run.desk_rev)],
        Command::Note { .. }
        | Command::Ended { .. }
        | Command::Poll { .. }
        | Command::LeaveDesk { .. }
        | Command::Answer { .. }
        | Command::Rollback { .. }
        | Command::Auto { .. }
        | Command::Close { .. } => Vec::new(),
    }
}

fn seen(run: &Run, id: &ItemId) -> Option<Expect> {
    run.item(id).map(|(_, state)| Expect::Item(id.clone(), state.rev))
}

fn with_all_before(run: &Run, id: &ItemId) -> Vec<Expect> {
    let mut found: Vec<&ItemId> = vec![id];
    let mut known: HashSet<&ItemId> = HashSet::from([id]);
    let mut looked_at = 0;
    while let Some(id) = found.get(looked_at).copied() {
        looked_at += 1;
        for before in run.template.item(id).map_or(&[][..], |item| &item.after) {
            if known.insert(before) {
                found.push(before);
            }
        }
    }
    found.into_iter().filter_map(|id| seen(run, id)).collect()
}

/// The first expectation that no longer holds, as a sentence that says who did what, harmless to
/// print; `since` are the events that came after the revisions were seen. `None` where all hold.
pub fn moved(run: &Run, expects: &[Expect], since: &[Event]) -> Option<String> {
    let last = |revised: Revised| since.iter().rev().find(|e| e.fact.revision() == Some(revised));
    expects.iter().find_map(|expect| {
        let (still, event, otherwise) = match expect {
            Expect::Item(id, rev) => {
                let (_, state) = run.item(id)?;
                let last = since.iter().rev().find(|e| e.fact.item() == Some(id) && changes_item(e));
                (state.rev == *rev, last, format!("{id} is already {}", state.words()))
            }
            Expect::Clock(rev) => {
                (run.clock.rev == *rev, last(Revised::Clock), "the clock was changed meanwhile".to_owned())
            }
            Expect::Poll(rev) => {
                (run.polls.rev == *rev, last(Revised::Poll), "a vote came in meanwhile".to_owned())
            }
            Expect::Desk(rev) => {
                (run.desk_rev == *rev, last(Revised::Desk), "the desk was taken meanwhile".to_owned())
            }
        };
        (!still).then(|| event.map_or(otherwise, words::first))
    })
}

fn changes_item(event: &Event) -> bool {
    !matches!(event.fact, super::Fact::Note { .. } | super::Fact::Remind { .. })
}
