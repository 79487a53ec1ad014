//! What follows for every item from all the others, worked out once after a change.
//!
//! Whether an item *stands* is derived, never stored: a done or waived item stands while everything
//! that it came after stands, a skipped one likewise and only where it is optional. Reopening an item
//! thus makes all that depended on it fall back to unmet at once; ticking it again brings them back,
//! because nothing was undone but the one thing they rest on. Whoever wants a dependant done anew
//! reopens that too. An item that was completed by breaking the glass stands by itself, and so does
//! every settled item of a rollback list.

use crate::model::ItemId;

use super::item_state::{Derived, ItemState, Stage};
use super::{Item, Template};

/// What follows for every item, in the order of the template.
#[derive(Clone, Debug, Default)]
pub(super) struct Survey {
    /// Whether it meets what comes after it.
    pub(super) standing: Vec<bool>,
    /// Items that are settled and stand.
    pub(super) settled: usize,
    /// The first that is ready.
    pub(super) next: Option<usize>,
}

impl Survey {
    pub(super) fn of(template: &Template, states: &[ItemState]) -> Self {
        let standing = standing(template, states);
        let mut survey = Self { standing, settled: 0, next: None };
        for (place, (item, state)) in template.items.iter().zip(states).enumerate() {
            let met = survey.meets_all(template, item, state);
            if state.stage.is_settled() && met {
                survey.settled += 1;
            }
            if survey.next.is_none() && state.stage.is_open() && met {
                survey.next = Some(place);
            }
        }
        survey
    }

    fn meets_all(&self, template: &Template, item: &Item, state: &ItemState) -> bool {
        !template.has_process() || state.overridden || item.after.iter().all(|id| self.stands(template, id))
    }

    fn stands(&self, template: &Template, id: &ItemId) -> bool {
        template.place(id).and_then(|place| self.standing.get(place)).is_some_and(|stands| *stands)
    }

    /// What the item rests on and is not met, whatever its own stage.
    pub(super) fn unmet(&self, template: &Template, item: &Item) -> Vec<ItemId> {
        if !template.has_process() {
            return Vec::new();
        }
        item.after.iter().filter(|id| !self.stands(template, id)).cloned().collect()
    }

    pub(super) fn derived(&self, template: &Template, item: &Item, state: &ItemState) -> Derived {
        if !state.stage.is_open() {
            return Derived::Settled;
        }
        let waits_for = self.unmet(template, item);
        if waits_for.is_empty() { Derived::Ready } else { Derived::Blocked(waits_for) }
    }

    pub(super) fn lapsed(&self, template: &Template, item: &Item, state: &ItemState) -> bool {
        state.stage.is_settled() && !self.meets_all(template, item, state)
    }
}

/// For each item, whether it meets what depends on it. Goes down what each rests on with a stack of its
/// own, each item once; what rests on itself never stands.
fn standing(template: &Template, states: &[ItemState]) -> Vec<bool> {
    let by_itself = |place: usize| {
        let (Some(item), Some(state)) = (template.items.get(place), states.get(place)) else { return false };
        match state.stage {
            Stage::Done | Stage::Waived => true,
            Stage::Skipped => item.optional,
            Stage::Todo | Stage::InProgress | Stage::Failed => false,
        }
    };
    let rests = |place: usize| {
        let free = !template.has_process() || states.get(place).is_some_and(|state| state.overridden);
        template.items.get(place).filter(|_| !free).map_or(&[][..], |item| &item.after)
    };
    // `None`: not looked at; until it is settled an item counts as not standing.
    let mut known: Vec<Option<bool>> = vec![None; template.items.len()];
    let mut path: Vec<(usize, usize)> = Vec::new();
    for start in 0..template.items.len() {
        if known.get(start).is_none_or(Option::is_some) {
            continue;
        }
        path.push((start, 0));
        set(&mut known, start, by_itself(start) && rests(start).is_empty());
        while let Some((place, asked)) = path.last_mut() {
            let place = *place;
            let Some(id) = rests(place).get(*asked) else {
                path.pop();
                let met = rests(place).iter().all(|id| {
                    template.place(id).and_then(|below| known.get(below).copied().flatten()) == Some(true)
                });
                set(&mut known, place, by_itself(place) && met);
                continue;
            };
            *asked += 1;
            if let Some(below) = template.place(id)
                && known.get(below).is_some_and(Option::is_none)
            {
                path.push((below, 0));
                set(&mut known, below, by_itself(below) && rests(below).is_empty());
            }
        }
    }
    known.into_iter().map(|stands| stands == Some(true)).collect()
}

fn set(known: &mut [Option<bool>], place: usize, stands: bool) {
    if let Some(known) = known.get_mut(place) {
        *known = Some(stands);
    }
}
