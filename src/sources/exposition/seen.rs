//! Which series a text has already held.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};

use foldhash::SharedSeed;
use foldhash::quality::FoldHasher;

use crate::model::labels::LabelsRef;

/// How a sample stands to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// It comes for the first time.
    New,
    /// It has come before, with the same value.
    Again,
    /// It has come before, with another value.
    Otherwise,
    /// It may be new, but no more are kept.
    Full,
}

/// The series seen so far, by a keyed fingerprint of 96 bits: sixteen bytes a series however long its
/// labels are, and yet among a million series two look the same once in 10¹⁷ times. Those of one name
/// lie together, because they come together: what they are compared with is in the processor's cache.
#[derive(Default)]
pub(super) struct Seen {
    /// Where the series of a name are, by a hash of it; two names may share a place.
    places: HashMap<u64, usize, BuildHasherDefault<Own>>,
    series: Vec<Series>,
    /// The hash of the last name and its place.
    last: Option<(u64, usize)>,
    keys: Keys,
    /// How many were new.
    kept: usize,
}

/// Beside each fingerprint that of the value that came first. Many names have one series only.
enum Series {
    One(Print, u32),
    Many(HashMap<Print, u32, BuildHasherDefault<Own>>),
}

impl Seen {
    /// Whether this is the first time; the rule of a Prometheus scrape: a series comes once, or each
    /// time with another timestamp. Past `most` new ones nothing is remembered any more, so that
    /// memory does not grow with what an endpoint sends.
    pub(super) fn see(
        &mut self,
        labels: LabelsRef<'_>,
        value: f64,
        timestamp_ms: Option<i64>,
        most: usize,
    ) -> Sight {
        let value = short(value);
        let print = self.keys.print(labels, timestamp_ms);
        let name = self.keys.name(labels);
        let place = match self.last {
            Some((last, place)) if last == name => Some(place),
            _ => self.places.get(&name).copied(),
        };
        let series = place.and_then(|place| self.series.get(place));
        match series.and_then(|series| series.get(print)) {
            Some(before) if before == value => return Sight::Again,
            Some(_) => return Sight::Otherwise,
            None if self.kept >= most => return Sight::Full,
            None => {}
        }
        self.kept += 1;
        if place.is_none() {
            self.places.insert(name, self.series.len());
            self.series.push(Series::One(print, value));
        }
        let place = place.unwrap_or(self.series.len() - 1);
        self.last = Some((name, place));
        if let Some(series) = self.series.get_mut(place) {
            series.add(print, value);
            if timestamp_ms.is_some() {
                series.add(self.keys.print(labels, None), value);
            }
        }
        Sight::New
    }
}

impl Series {
    fn get(&self, print: Print) -> Option<u32> {
        match self {
            Self::One(own, value) => (*own == print).then_some(*value),
            Self::Many(all) => all.get(&print).copied(),
        }
    }

    /// Adds one, unless it is in.
    fn add(&mut self, print: Print, value: u32) {
        match self {
            Self::One(own, first) if *own != print => {
                *self = Self::Many([(*own, *first)].into_iter().collect());
            }
            Self::One(..) | Self::Many(_) => {}
        }
        if let Self::Many(all) = self {
            all.entry(print).or_insert(value);
        }
    }
}

/// A fingerprint in three parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Print([u32; 3]);

impl Hash for Print {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self([one, two, _]) = *self;
        state.write_u64(u64::from(one) << 32 | u64::from(two));
    }
}

/// Takes a part of a fingerprint for its hash: it is one.
#[derive(Default)]
struct Own(u64);

impl Hasher for Own {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, own: u64) {
        self.0 = own;
    }
}

/// A value in 32 bits: two that differ look the same once in four thousand million times, and then a
/// duplicate counts as one with the same value.
fn short(value: f64) -> u32 {
    // Every bit of the value weighs in the upper half of the product.
    (value.to_bits().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}

/// Two hashes that have nothing in common but the text. Nobody who writes an exposition knows the
/// seeds, which differ in each scrape, so that nobody can write one whose series look alike.
struct Keys([(u64, SharedSeed); 2]);

impl Default for Keys {
    fn default() -> Self {
        // Each is seeded by the system.
        let random = |what: u8| RandomState::new().hash_one(what);
        Self([(random(0), SharedSeed::from_u64(random(1))), (random(2), SharedSeed::from_u64(random(3)))])
    }
}

impl Keys {
    /// A hash of the metric name.
    fn name(&self, labels: LabelsRef<'_>) -> u64 {
        let [(seed, shared), _] = &self.0;
        let mut hasher = FoldHasher::with_seed(*seed, shared);
        labels.name().hash(&mut hasher);
        hasher.finish()
    }

    fn print(&self, labels: LabelsRef<'_>, timestamp_ms: Option<i64>) -> Print {
        let [one, other] = self.0.each_ref().map(|(seed, shared)| {
            let mut hasher = FoldHasher::with_seed(*seed, shared);
            labels.hash(&mut hasher);
            timestamp_ms.hash(&mut hasher);
            hasher.finish()
        });
        Print([(one >> 32) as u32, one as u32, other as u32])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Labels;

    #[test]
    fn a_series_is_known_again_by_its_labels_and_its_time() {
        let series = |n: u32| Labels::from_pairs([("a", n.to_string())]);
        let mut seen = Seen::default();
        for n in 0..1000 {
            assert_eq!(seen.see(series(n).as_ref(), f64::from(n), None, usize::MAX), Sight::New, "{n}");
        }
        for n in 0..1000 {
            let (labels, value) = (series(n), f64::from(n));
            assert_eq!(seen.see(labels.as_ref(), value, None, usize::MAX), Sight::Again);
            assert_eq!(seen.see(labels.as_ref(), value + 1.0, None, usize::MAX), Sight::Otherwise);
            assert_eq!(seen.see(labels.as_ref(), value, Some(5), usize::MAX), Sight::New);
            assert_eq!(seen.see(labels.as_ref(), value, Some(5), usize::MAX), Sight::Again);
            assert_eq!(seen.see(labels.as_ref(), value, Some(6), usize::MAX), Sight::New);
        }
        // One that came with a time has come without one, too.
        assert_eq!(seen.see(series(2000).as_ref(), 1.0, Some(5), usize::MAX), Sight::New);
        assert_eq!(seen.see(series(2000).as_ref(), 1.0, None, usize::MAX), Sight::Again);
    }

    #[test]
    fn series_are_known_again_whatever_names_came_between() {
        let series = |name: u32, n: u32| {
            Labels::from_pairs([("__name__", name), ("n", n)].map(|(k, v)| (k, v.to_string())))
        };
        let mut seen = Seen::default();
        for sight in [Sight::New, Sight::Again] {
            for n in 0..20 {
                for name in (0..50).filter(|name| n <= *name) {
                    assert_eq!(
                        seen.see(series(name, n).as_ref(), 1.0, None, usize::MAX),
                        sight,
                        "{name} {n}"
                    );
                }
            }
        }
        assert_eq!((seen.series.len(), seen.kept), (50, 20 * 50 - 19 * 20 / 2));
    }

    #[test]
    fn past_the_most_that_are_kept_those_that_came_are_known_and_no_more_is_remembered() {
        let series = |n: u32| Labels::from_pairs([("a", n.to_string())]);
        let mut seen = Seen::default();
        for n in 0..3 {
            assert_eq!(seen.see(series(n).as_ref(), 1.0, None, 3), Sight::New);
        }
        for n in 3..1000 {
            assert_eq!(seen.see(series(n).as_ref(), 1.0, None, 3), Sight::Full);
        }
        let [Series::Many(all)] = seen.series.as_slice() else {
            panic!("series without a name are together")
        };
        assert_eq!((all.len(), seen.places.len()), (3, 1));
        assert_eq!(seen.see(series(1).as_ref(), 1.0, None, 3), Sight::Again);
    }

    #[test]
    fn no_two_scrapes_and_no_two_parts_hash_alike() {
        let (one, other) = (Keys::default(), Keys::default());
        let labels = Labels::from_pairs([("a", "b"), ("a_long_name", "and a value that is long, too")]);
        let (a, b) = (one.print(labels.as_ref(), None), other.print(labels.as_ref(), None));
        assert_eq!(a, one.print(labels.as_ref(), None));
        let all: std::collections::BTreeSet<u32> = a.0.into_iter().chain(b.0).collect();
        assert_eq!(all.len(), 6, "{a:?} {b:?}");
    }
}
