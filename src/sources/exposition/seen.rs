//! Which series a text has already held.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use crate::model::Labels;

/// How many series a scrape remembers, well above the most that a source keeps by default. Beyond it
/// nothing is known to come twice: that costs no memory without end, and the history still counts the
/// first.
pub(super) const MOST: usize = 50_000;

/// The series seen so far, by a keyed 128-bit fingerprint: some bytes a series however long its
/// labels are, and two series look the same once in 10²⁶ times even among a million.
#[derive(Debug)]
pub(super) struct Seen {
    /// Beside the fingerprint the bits of the value that came first.
    prints: HashMap<u128, u64>,
    keys: (RandomState, RandomState),
    most: usize,
}

/// Whether a series was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// For the first time.
    New,
    /// Again, with the same value.
    Again,
    /// Again, with another value.
    Otherwise,
}

impl Seen {
    /// Remembers at most so many series.
    pub(super) fn new(most: usize) -> Self {
        Self { prints: HashMap::new(), keys: <(RandomState, RandomState)>::default(), most }
    }

    /// How a sample came; the rule of a Prometheus scrape: a series comes once, or each time with
    /// another timestamp.
    pub(super) fn came(&mut self, labels: &Labels, value: f64, timestamp_ms: Option<i64>) -> Came {
        let series = self.print(&(labels, None));
        let new = self.insert(series, value);
        if timestamp_ms.is_none() {
            return new;
        }
        let print = self.print(&(labels, timestamp_ms));
        self.insert(print, value)
    }

    fn insert(&mut self, print: u128, value: f64) -> Came {
        match self.prints.get(&print) {
            Some(before) if *before == value.to_bits() => Came::Again,
            Some(_) => Came::Otherwise,
            None => {
                if self.prints.len() < self.most {
                    self.prints.insert(print, value.to_bits());
                }
                Came::New
            }
        }
    }

    fn print(&self, series: &(&Labels, Option<i64>)) -> u128 {
        u128::from(self.keys.0.hash_one(series)) << 64 | u128::from(self.keys.1.hash_one(series))
    }
}
