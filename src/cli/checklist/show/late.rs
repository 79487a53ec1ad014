//! What is late, by item and by milestone.

use crate::checklist::template::Milestone;
use crate::checklist::{Item, Run};
use crate::model::{ItemId, Time};

/// When an item is to be settled, as far as that is known: a mark of the clock needs T-0.
pub(super) fn due(run: &Run, item: &Item) -> Option<Time> {
    item.due.and_then(|due| due.time(run.clock.t0))
}

/// Whether an item should stand by now and does not: by its own time, or by its milestone's.
pub(super) fn is_late(run: &Run, item: &Item, now: Time) -> bool {
    let milestone = item.milestone.as_ref();
    let milestone = milestone.and_then(|id| run.template.milestones.iter().find(|known| known.id == *id));
    let own = due(run, item);
    !run.stands(&item.id) && own.into_iter().chain(milestone.map(|m| m.date)).any(|due| now >= due)
}

/// A milestone with its items.
pub(super) struct Progress<'r> {
    pub(super) milestone: &'r Milestone,
    pub(super) settled: usize,
    pub(super) items: usize,
    pub(super) late: Vec<&'r ItemId>,
}

/// The milestones in the order of their dates, each with what is late under it.
pub(super) fn milestones<'r>(run: &'r Run, now: Time) -> Vec<Progress<'r>> {
    let of = |milestone: &'r Milestone| {
        let items = run.template.items.iter().filter(|item| item.milestone.as_ref() == Some(&milestone.id));
        let mut progress = Progress { milestone, settled: 0, items: 0, late: Vec::new() };
        for item in items {
            progress.items += 1;
            progress.settled += usize::from(run.stands(&item.id));
            if is_late(run, item, now) {
                progress.late.push(&item.id);
            }
        }
        progress
    };
    run.template.milestones.iter().map(of).collect()
}
