//! The series of a history, found by their labels or by the name of their metric.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::series::Column;
use crate::model::Labels;
use crate::promql::matcher::Matcher;

/// Series at places that stay theirs as long as they live.
#[derive(Clone, Debug, Default)]
pub(super) struct Catalogue {
    slots: Vec<Option<(Labels, Column)>>,
    free: Vec<u32>,
    places: HashMap<Labels, u32>,
    /// The places of each metric's series, in the order of their labels.
    by_name: HashMap<Box<str>, Vec<u32>>,
    stamp: u64,
}

/// Numbers for [`Catalogue::stamp`].
static STAMPS: AtomicU64 = AtomicU64::new(1);

impl Catalogue {
    /// How many series there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// A number that changes whenever a series comes or goes; no two catalogues share one but zero,
    /// which is that of the empty ones.
    pub(super) fn stamp(&self) -> u64 {
        self.stamp
    }

    pub(super) fn at(&self, place: u32) -> Option<(&Labels, &Column)> {
        self.slots.get(place as usize)?.as_ref().map(|(labels, column)| (labels, column))
    }

    /// The column of a series, which is made where there is none; `None` where it would be one more
    /// than `most`.
    pub(super) fn column(
        &mut self,
        labels: &Labels,
        most: usize,
        fresh: impl FnOnce() -> Column,
    ) -> Option<&mut Column> {
        let place = match self.places.get(labels) {
            Some(place) => *place,
            None if self.len() >= most => return None,
            None => self.add(labels.clone(), fresh()),
        };
        self.slots.get_mut(place as usize)?.as_mut().map(|(_, column)| column)
    }

    fn add(&mut self, labels: Labels, column: Column) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let name = labels.name().unwrap_or("");
        let slots = &self.slots;
        let list = self.by_name.entry(name.into()).or_default();
        let at = match list.last().and_then(|last| labels_at(slots, *last)) {
            Some(last) if *last < labels => list.len(),
            _ => list.partition_point(|other| labels_at(slots, *other).is_some_and(|other| *other < labels)),
        };
        list.insert(at, place);
        self.places.insert(labels.clone(), place);
        if let Some(slot) = self.slots.get_mut(place as usize) {
            *slot = Some((labels, column));
        }
        self.stamp = STAMPS.fetch_add(1, Ordering::Relaxed);
        place
    }

    pub(super) fn columns_mut(&mut self) -> impl Iterator<Item = &mut Column> {
        self.slots.iter_mut().flatten().map(|(_, column)| column)
    }

    /// All series, in the order of their places.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Labels, &Column)> {
        self.slots.iter().flatten().map(|(labels, column)| (labels, column))
    }

    /// Drops the series for which `keep` is false.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&mut Column) -> bool) {
        let mut gone = Vec::new();
        for (place, slot) in (0u32..).zip(&mut self.slots) {
            if slot.as_mut().is_some_and(|(_, column)| !keep(column)) {
                gone.push(place);
            }
        }
        if gone.is_empty() {
            return;
        }
        self.stamp = STAMPS.fetch_add(1, Ordering::Relaxed);
        for place in &gone {
            if let Some((labels, _)) = self.slots.get_mut(*place as usize).and_then(Option::take) {
                self.places.remove(&labels);
            }
        }
        let slots = &self.slots;
        self.by_name.retain(|_, list| {
            list.retain(|place| labels_at(slots, *place).is_some());
            !list.is_empty()
        });
        self.free.extend(gone);
    }

    /// The places of the series that fulfil all matchers, in the order of their labels.
    pub(super) fn select(&self, matchers: &[Matcher]) -> Vec<u32> {
        let fulfils = |place: &u32| {
            labels_at(&self.slots, *place)
                .is_some_and(|labels| matchers.iter().all(|matcher| matcher.matches(labels)))
        };
        if let Some(name) = matchers.iter().find_map(Matcher::demanded_name) {
            let list = self.by_name.get(name).map_or(&[][..], Vec::as_slice);
            return list.iter().copied().filter(fulfils).collect();
        }
        let on_name: Vec<&Matcher> =
            matchers.iter().filter(|matcher| matcher.name == crate::model::labels::NAME).collect();
        let mut found: Vec<u32> = self
            .by_name
            .iter()
            .filter(|(name, _)| on_name.iter().all(|matcher| matcher.accepts(name)))
            .flat_map(|(_, list)| list.iter().copied())
            .filter(fulfils)
            .collect();
        found.sort_by(|a, b| labels_at(&self.slots, *a).cmp(&labels_at(&self.slots, *b)));
        found
    }
}

fn labels_at(slots: &[Option<(Labels, Column)>], place: u32) -> Option<&Labels> {
    slots.get(place as usize)?.as_ref().map(|(labels, _)| labels)
}
