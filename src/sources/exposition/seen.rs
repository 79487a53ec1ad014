//! Which series a text has already held.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use crate::model::Labels;

/// The series seen so far, by a keyed 128-bit fingerprint: sixteen bytes a series however long its
/// labels are, and two series look the same once in 10²⁶ times even among a million.
#[derive(Debug, Default)]
pub(super) struct Seen {
    prints: HashSet<u128>,
    keys: (RandomState, RandomState),
}

impl Seen {
    /// Whether this is the first time; the rule of a Prometheus scrape: a series comes once, or each
    /// time with another timestamp.
    pub(super) fn first_time(&mut self, labels: &Labels, timestamp_ms: Option<i64>) -> bool {
        let series = self.print(&(labels, None));
        let new = self.prints.insert(series);
        if timestamp_ms.is_none() {
            return new;
        }
        let print = self.print(&(labels, timestamp_ms));
        self.prints.insert(print)
    }

    fn print(&self, series: &(&Labels, Option<i64>)) -> u128 {
        u128::from(self.keys.0.hash_one(series)) << 64 | u128::from(self.keys.1.hash_one(series))
    }
}
