//! What a function over a range is given.

use crate::promql::history::{Point, Samples};

/// The samples of one series within a range that is open at its left end.
#[derive(Clone, Copy, Debug)]
pub(in crate::promql) struct Window<'p> {
    /// Oldest first; at least one.
    pub(super) samples: Samples<'p>,
    /// The left edge, in milliseconds; a sample there is outside.
    pub(super) start: i64,
    /// The right edge; a sample there is inside.
    pub(super) end: i64,
    /// The moment of evaluation, which `offset` moves away from the right edge.
    pub(super) at: i64,
    /// The scalar argument of the function, where it takes one.
    pub(super) parameter: f64,
}

impl<'p> Window<'p> {
    pub(super) fn len(&self) -> usize {
        self.samples.values.len()
    }

    pub(super) fn first(&self) -> Option<Point> {
        Some(Point { time: *self.samples.times.first()?, value: *self.samples.values.first()? })
    }

    pub(super) fn last(&self) -> Option<Point> {
        Some(Point { time: *self.samples.times.last()?, value: *self.samples.values.last()? })
    }

    pub(super) fn values(&self) -> impl Iterator<Item = f64> + Clone + 'p {
        self.samples.values.iter().copied()
    }

    /// Neighbouring values, oldest first.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (f64, f64)> + 'p {
        let values = self.samples.values;
        values.iter().copied().zip(values.iter().copied().skip(1))
    }

    /// Its length in seconds.
    pub(super) fn seconds(&self) -> f64 {
        (self.end - self.start) as f64 / 1000.0
    }
}
