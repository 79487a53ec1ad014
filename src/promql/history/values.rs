//! The values of a series, with the places that a function over a window would else have to look for.

use super::ring::Ring;
use super::series::is_stale;

/// The values, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    ring: Ring<f64>,
    /// How many were dropped at the beginning, ever: places are counted from the first ever.
    dropped: u64,
    marks: Places,
    falls: Places,
}

/// The newest places at which something was seen.
#[derive(Clone, Debug, Default)]
struct Places {
    /// Rising.
    at: Vec<u64>,
    /// From here on they are all there.
    whole_from: u64,
}

/// So many places are kept; a counter is not reset more often, and a gauge that falls at every other
/// scrape is not to take twice the memory.
const MOST_PLACES: usize = 16;

impl Places {
    fn add(&mut self, place: u64) {
        if self.at.len() >= MOST_PLACES {
            self.whole_from = self.at.remove(0) + 1;
        }
        self.at.push(place);
    }

    /// Those from `from` up to, not including, `to`; `None` where they are not all known.
    fn between(&self, from: u64, to: u64) -> Option<&[u64]> {
        if from < self.whole_from {
            return None;
        }
        let begin = self.at.partition_point(|place| *place < from);
        let end = self.at.partition_point(|place| *place < to);
        self.at.get(begin..end)
    }
}

impl Values {
    pub(super) fn as_slice(&self) -> &[f64] {
        self.ring.as_slice()
    }

    pub(super) fn len(&self) -> usize {
        self.ring.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    pub(super) fn last(&self) -> Option<&f64> {
        self.ring.last()
    }

    pub(super) fn push(&mut self, value: f64) {
        let place = self.dropped + self.ring.len() as u64;
        if is_stale(value) {
            self.marks.add(place);
        } else if self.ring.last().is_some_and(|last| value < *last) {
            self.falls.add(place);
        }
        self.ring.push(value);
    }

    pub(super) fn drop_first(&mut self, count: usize) {
        let count = count.min(self.ring.len());
        self.ring.drop_first(count);
        self.dropped += count as u64;
        for places in [&mut self.marks, &mut self.falls] {
            let gone = places.at.partition_point(|place| *place < self.dropped);
            places.at.drain(..gone);
        }
    }

    pub(super) fn truncate(&mut self, count: usize) {
        self.ring.truncate(count);
        let end = self.dropped + self.ring.len() as u64;
        for places in [&mut self.marks, &mut self.falls] {
            places.at.retain(|place| *place < end);
            places.whole_from = places.whole_from.min(end);
        }
    }

    pub(super) fn places(&self) -> Falls<'_> {
        Falls { values: Some(self) }
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.ring.capacity()
    }
}

impl FromIterator<f64> for Values {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut all = Self::default();
        values.into_iter().for_each(|value| all.push(value));
        all
    }
}

/// Where the values of a series fall, and where it ends.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Falls<'h> {
    values: Option<&'h Values>,
}

impl<'h> Falls<'h> {
    /// Whether a mark is among the values from place `begin` to before `end` of those that are kept;
    /// `None` where that has to be looked for.
    pub(super) fn marked(self, begin: usize, end: usize) -> Option<bool> {
        let values = self.values?;
        let at = |place: usize| values.dropped + place as u64;
        values.marks.between(at(begin), at(end)).map(|places| !places.is_empty())
    }

    /// The places from `begin` to before `end`, counted from `begin`, whose value is less than the one
    /// before it, which is among them too; `None` where they have to be looked for.
    pub(super) fn within(self, begin: usize, end: usize) -> Option<(&'h [u64], u64)> {
        let values = self.values?;
        let first = values.dropped + begin as u64;
        let falls = values.falls.between(first + 1, values.dropped + end as u64)?;
        Some((falls, first))
    }
}

#[cfg(test)]
mod tests {
    use super::super::series::stale;
    use super::*;

    #[test]
    fn falls_and_marks_are_known_wherever_the_window_lies_or_said_to_be_unknown() {
        let mut values = Values::default();
        let mut plain: Vec<f64> = Vec::new();
        for i in 0..400u64 {
            let value = match i % 41 {
                40 => stale(),
                n if i < 200 => (n % 3) as f64,
                n if n == 17 && i % 2 == 0 => f64::NAN,
                n => (n % 20) as f64,
            };
            values.push(value);
            plain.push(value);
            if i % 7 == 0 {
                values.drop_first(4);
                plain.drain(..4.min(plain.len()));
            }
            if i % 50 == 49 {
                let kept = plain.len() - 3;
                values.truncate(kept);
                plain.truncate(kept);
            }
            let mut known = 0;
            for begin in 0..plain.len() {
                let end = plain.len() - begin % 5;
                if begin >= end {
                    continue;
                }
                let window = &plain[begin..end];
                let places = values.places();
                if let Some(marked) = places.marked(begin, end) {
                    assert_eq!(marked, window.iter().any(|v| is_stale(*v)), "{i} {begin}");
                }
                if let Some((falls, first)) = places.within(begin, end) {
                    known += 1;
                    let falls: Vec<usize> = falls.iter().map(|place| (place - first) as usize).collect();
                    let seen: Vec<usize> = (1..window.len()).filter(|n| window[*n] < window[n - 1]).collect();
                    assert_eq!(falls, seen, "{i} {begin}");
                }
            }
            assert!(known > 0 || plain.is_empty());
        }
    }
}
