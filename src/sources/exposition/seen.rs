//! Which series a text has already held.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use crate::model::Labels;

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

/// The series seen so far, by a keyed 128-bit fingerprint: some bytes a series however long its
/// labels are, and two series look the same once in 10²⁶ times even among a million.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Beside the fingerprint the bits of the value that came first.
    prints: HashMap<u128, u64>,
    keys: (RandomState, RandomState),
    /// How many were new.
    kept: usize,
}

impl Seen {
    /// Whether this is the first time; the rule of a Prometheus scrape: a series comes once, or each
    /// time with another timestamp. Past `most` new ones nothing is remembered any more, so that
    /// memory does not grow with what an endpoint sends.
    pub(super) fn see(
        &mut self,
        labels: &Labels,
        value: f64,
        timestamp_ms: Option<i64>,
        most: usize,
    ) -> Sight {
        let series = self.print(&(labels, None));
        let print = if timestamp_ms.is_some() { self.print(&(labels, timestamp_ms)) } else { series };
        match self.prints.get(&print) {
            Some(before) if *before == value.to_bits() => return Sight::Again,
            Some(_) => return Sight::Otherwise,
            None if self.kept >= most => return Sight::Full,
            None => {}
        }
        self.kept += 1;
        self.prints.entry(series).or_insert_with(|| value.to_bits());
        self.prints.insert(print, value.to_bits());
        Sight::New
    }

    fn print(&self, series: &(&Labels, Option<i64>)) -> u128 {
        u128::from(self.keys.0.hash_one(series)) << 64 | u128::from(self.keys.1.hash_one(series))
    }
}
