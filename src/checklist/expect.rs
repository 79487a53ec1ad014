//! What a decision read, and whether that has moved since: compare and append.
//!
//! A tick that races the reopening of what it depends on must lose, so a writer names every revision
//! that its decision rests on, and the ledger asks again at the moment of writing.

use crate::model::{ItemId, text};

use super::{Command, Event, Fact, Run};

/// What a decision read, and the revision it saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// An item's revision.
    Item(ItemId, u64),
    /// The clock's revision.
    Clock(u64),
}

/// Everything that deciding the command reads of the run as it is seen now: for a tick the item and
/// all that it rests on, directly or not; for a skip or a reopening the item; for T-0 the clock. A
/// note rests on nothing and cannot come too late.
pub fn expects(run: &Run, command: &Command) -> Vec<Expect> {
    match command {
        Command::Tick { item, .. } => with_all_before(run, item),
        Command::Skip { item, .. } | Command::Reopen { item, .. } => seen(run, item).into_iter().collect(),
        Command::Note { .. } => Vec::new(),
        Command::SetT0 { .. } => vec![Expect::Clock(run.clock_rev)],
    }
}

fn seen(run: &Run, id: &ItemId) -> Option<Expect> {
    run.item(id).map(|(_, state)| Expect::Item(id.clone(), state.rev))
}

fn with_all_before(run: &Run, id: &ItemId) -> Vec<Expect> {
    let mut found: Vec<&ItemId> = vec![id];
    let mut looked_at = 0;
    while let Some(id) = found.get(looked_at).copied() {
        looked_at += 1;
        for before in run.template.item(id).map_or(&[][..], |item| &item.after) {
            if !found.contains(&before) {
                found.push(before);
            }
        }
    }
    found.into_iter().filter_map(|id| seen(run, id)).collect()
}

/// The first expectation that no longer holds, as a sentence that says who did what, harmless to
/// print; `since` are the events that came after the revisions were seen. `None` where all hold.
pub fn moved(run: &Run, expects: &[Expect], since: &[Event]) -> Option<String> {
    expects.iter().find_map(|expect| match expect {
        Expect::Item(id, rev) => {
            let (_, state) = run.item(id)?;
            if state.rev == *rev {
                return None;
            }
            let last = since.iter().rev().find(|e| e.fact.item() == Some(id) && changes_item(&e.fact));
            Some(last.map_or_else(|| format!("{id} is already {}", state.words()), said))
        }
        Expect::Clock(rev) => (run.clock_rev != *rev).then(|| {
            let last = since.iter().rev().find(|e| matches!(e.fact, Fact::T0 { .. }));
            last.map_or_else(|| "T-0 was moved meanwhile".to_owned(), said)
        }),
    })
}

fn changes_item(fact: &Fact) -> bool {
    matches!(fact, Fact::Tick { .. } | Fact::Skip { .. } | Fact::Reopen { .. })
}

/// What an event did, in a sentence for the one who came second.
fn said(event: &Event) -> String {
    let who = format!("by {} at {}", event.author.name(), event.at.clock());
    match &event.fact {
        Fact::Tick { item, .. } => format!("{item} is already done {who}"),
        Fact::Skip { item, reason } => {
            format!("{item} is already skipped {who}: {}", text::harmless_line(reason, 120))
        }
        Fact::Reopen { item, reason } => {
            format!("{item} was opened again {who}: {}", text::harmless_line(reason, 120))
        }
        Fact::T0 { t0 } => format!("T-0 was set to {t0} {who}"),
        Fact::Note { .. } => format!("a note was written {who}"),
        Fact::Start { .. } => format!("the run was started {who}"),
    }
}
