//! What a function over a range is given.

use crate::promql::history::Point;

/// The samples of one series within a range that is open at its left end.
#[derive(Clone, Copy, Debug)]
pub(in crate::promql) struct Window<'p> {
    /// Oldest first; at least one.
    pub(super) points: &'p [Point],
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
    pub(super) fn first(&self) -> Option<&'p Point> {
        self.points.first()
    }

    pub(super) fn last(&self) -> Option<&'p Point> {
        self.points.last()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = f64> + Clone + 'p {
        self.points.iter().map(|point| point.value)
    }

    /// Neighbouring samples, oldest first.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&'p Point, &'p Point)> + 'p {
        self.points.iter().zip(self.points.iter().skip(1))
    }

    /// Its length in seconds.
    pub(super) fn seconds(&self) -> f64 {
        (self.end - self.start) as f64 / 1000.0
    }
}
