//! A series as the evaluator reads it.

use std::collections::VecDeque;

use super::LOOKBACK;
use super::series::is_stale;
use crate::model::Labels;

/// One sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::promql) struct Point {
    /// Milliseconds since the epoch.
    pub(in crate::promql) time: i64,
    pub(in crate::promql) value: f64,
}

/// The samples of one series, oldest first.
#[derive(Clone, Copy, Debug)]
pub(in crate::promql) struct Track<'h> {
    pub(in crate::promql) labels: &'h Labels,
    times: &'h VecDeque<i64>,
    /// The place of the first value among the times.
    skip: usize,
    values: &'h VecDeque<f64>,
}

impl<'h> Track<'h> {
    pub(super) fn new(
        labels: &'h Labels,
        (times, skip, values): (&'h VecDeque<i64>, usize, &'h VecDeque<f64>),
    ) -> Self {
        Self { labels, times, skip, values }
    }

    /// The sample an instant selector gives at `at`: the last one, if it is younger than the
    /// lookback and not the mark of the series' end.
    pub(in crate::promql) fn latest(&self, at: i64) -> Option<Point> {
        let behind = self.times.partition_point(|time| *time <= at).min(self.skip + self.values.len());
        let place = behind.checked_sub(1)?;
        let value = *self.values.get(place.checked_sub(self.skip)?)?;
        let time = *self.times.get(place)?;
        (time > at.saturating_sub(LOOKBACK) && !is_stale(value)).then_some(Point { time, value })
    }

    /// Puts the samples after `from` up to and including `to` into `points`.
    pub(in crate::promql) fn between(&self, from: i64, to: i64, points: &mut Vec<Point>) {
        points.clear();
        let begin = self.times.partition_point(|time| *time <= from).max(self.skip);
        let end = self.times.partition_point(|time| *time <= to).min(self.skip + self.values.len());
        if begin >= end {
            return;
        }
        let values = self.values.range(begin - self.skip..end - self.skip);
        points.extend(
            self.times
                .range(begin..end)
                .zip(values)
                .filter(|(_, value)| !is_stale(**value))
                .map(|(time, value)| Point { time: *time, value: *value }),
        );
    }
}
