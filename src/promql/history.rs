//! Samples of one source, columnar and bounded.

use std::time::Duration;

use crate::model::{Labels, Time};

/// How much history is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Samples older than this may be dropped.
    pub keep: Duration,
    /// The most series; further ones are refused and counted.
    pub max_series: usize,
}

/// The recent samples of one source: rings that drop what no expression needs any more.
#[derive(Debug)]
pub struct History {}

impl History {
    /// An empty history.
    pub fn new(_limits: Limits) -> Self {
        todo!()
    }

    /// Records one scrape at `at`: every series it held, with the timestamp the endpoint gave, if
    /// any. A series of the previous scrape that is not in this one becomes stale at `at`, as in
    /// Prometheus (unless its samples carry timestamps of their own). An empty batch marks all
    /// series stale: that is what a failed scrape does. Returns how many series were refused
    /// because of `max_series`.
    pub fn record(
        &mut self,
        _at: Time,
        _batch: impl IntoIterator<Item = (Labels, f64, Option<Time>)>,
    ) -> usize {
        todo!()
    }

    /// Adds one sample with a time of its own: for captures. Samples of a series must come in order
    /// of time; one that does not is refused (`false`).
    pub fn push(&mut self, _labels: &Labels, _at: Time, _value: f64) -> bool {
        todo!()
    }

    /// When the first kept scrape or sample was.
    pub fn begins(&self) -> Option<Time> {
        todo!()
    }

    /// When the last one was.
    pub fn ends(&self) -> Option<Time> {
        todo!()
    }

    /// How many series are kept.
    pub fn series(&self) -> usize {
        todo!()
    }
}
