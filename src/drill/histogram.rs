//! A classic histogram: counts below upper bounds, and a sum.

use std::time::Duration;

/// Durations, counted by upper bounds.
#[derive(Clone, Debug)]
pub struct Histogram {
    bounds: &'static [f64],
    // One more than there are bounds: the last counts what lies above all of them.
    counts: Vec<u64>,
    sum: Duration,
}

impl Histogram {
    /// An empty histogram with these upper bounds, in seconds, ascending.
    pub fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len() + 1], sum: Duration::ZERO }
    }

    /// Counts one duration; a bound belongs to its bucket (`le`).
    pub fn observe(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = self.bounds.partition_point(|bound| *bound < seconds);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.sum += took;
    }

    /// Upper bounds with how many lie at or below them; the last bound is +Inf.
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        bounds.zip(self.counts.iter().scan(0, |total, count| {
            *total += count;
            Some(*total)
        }))
    }

    /// The sum of all durations, in seconds.
    pub fn sum(&self) -> f64 {
        self.sum.as_secs_f64()
    }

    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_on_a_bound_belongs_to_the_bucket_of_that_bound() {
        let mut h = Histogram::new(&[0.1, 0.5]);
        for millis in [50, 100, 101, 500, 9000] {
            h.observe(Duration::from_millis(millis));
        }
        let buckets: Vec<_> = h.cumulative().collect();
        assert_eq!(buckets, [(0.1, 2), (0.5, 4), (f64::INFINITY, 5)]);
        assert_eq!((h.count(), h.sum()), (5, 9.751));
    }
}
