//! A series as the evaluator reads it.

use super::LOOKBACK;
use super::series::is_stale;
use super::values::Falls;
use crate::model::Labels;

/// One sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::promql) struct Point {
    /// Milliseconds since the epoch.
    pub(in crate::promql) time: i64,
    pub(in crate::promql) value: f64,
}

/// Samples side by side, oldest first: as many values as times.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::promql) struct Samples<'s> {
    pub(in crate::promql) times: &'s [i64],
    pub(in crate::promql) values: &'s [f64],
    /// Where a value is less than the one before it, and the place that the first one has in this
    /// counting; `None` where that has to be looked for.
    pub(in crate::promql) falls: Option<(&'s [u64], u64)>,
}

/// Samples that are not in one piece where they are kept.
#[derive(Debug, Default)]
pub(in crate::promql) struct Copied {
    pub(in crate::promql) times: Vec<i64>,
    pub(in crate::promql) values: Vec<f64>,
}

impl Copied {
    pub(in crate::promql) fn as_samples(&self) -> Samples<'_> {
        Samples { times: &self.times, values: &self.values, falls: None }
    }

    pub(in crate::promql) fn push(&mut self, time: i64, value: f64) {
        self.times.push(time);
        self.values.push(value);
    }
}

/// Where the edges of the last window were, counted from the newest sample. Series of one source are
/// scraped together and steps follow each other, so the next edges are found near them.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::promql) struct Hint {
    begin: usize,
    end: usize,
}

/// The samples of one series, oldest first.
#[derive(Clone, Copy, Debug)]
pub(in crate::promql) struct Track<'h> {
    pub(in crate::promql) labels: &'h Labels,
    samples: Samples<'h>,
    falls: Falls<'h>,
}

impl<'h> Track<'h> {
    pub(super) fn new(labels: &'h Labels, (times, values): (&'h [i64], &'h [f64]), falls: Falls<'h>) -> Self {
        Self { labels, samples: Samples { times, values, falls: None }, falls }
    }

    /// The sample an instant selector gives at `at`: the last one, if it is younger than the
    /// lookback and not the mark of the series' end.
    pub(in crate::promql) fn latest(&self, at: i64, hint: &mut Hint) -> Option<Point> {
        let place = after(self.samples.times, at, &mut hint.end).checked_sub(1)?;
        let (time, value) = (*self.samples.times.get(place)?, *self.samples.values.get(place)?);
        (time > at.saturating_sub(LOOKBACK) && !is_stale(value)).then_some(Point { time, value })
    }

    /// The samples after `from` up to and including `to`: where no mark is among them as they are
    /// kept, else copied into `copied`.
    pub(in crate::promql) fn between<'s>(
        &self,
        (from, to): (i64, i64),
        hint: &mut Hint,
        copied: &'s mut Copied,
    ) -> Samples<'s>
    where
        'h: 's,
    {
        let begin = after(self.samples.times, from, &mut hint.begin);
        let end = after(self.samples.times, to, &mut hint.end);
        let samples = Samples {
            times: self.samples.times.get(begin..end).unwrap_or_default(),
            values: self.samples.values.get(begin..end).unwrap_or_default(),
            falls: self.falls.within(begin, end),
        };
        let look = || samples.values.iter().fold(false, |marked, value| marked | is_stale(*value));
        if !self.falls.marked(begin, end).unwrap_or_else(look) {
            return samples;
        }
        copied.times.clear();
        copied.values.clear();
        for (time, value) in samples.times.iter().zip(samples.values) {
            if !is_stale(*value) {
                copied.push(*time, *value);
            }
        }
        copied.as_samples()
    }
}

/// How many of the times are not after `edge`, looked for around the place where it was the last
/// time: in leaps of 1, 2, 4 … and then between the last two.
fn after(times: &[i64], edge: i64, from_end: &mut usize) -> usize {
    let len = times.len();
    let guess = len.saturating_sub(*from_end);
    let not_after = |place: usize| times.get(place).is_some_and(|time| *time <= edge);
    let (mut low, mut high) = (guess, guess);
    let mut leap = 1;
    if not_after(guess) {
        while high < len && not_after(high) {
            low = high + 1;
            high = high.saturating_add(leap).min(len);
            leap *= 2;
        }
    } else {
        while low > 0 && !not_after(low - 1) {
            high = low - 1;
            low = low.saturating_sub(leap);
            leap *= 2;
        }
    }
    let place = low + times.get(low..high).unwrap_or_default().partition_point(|time| *time <= edge);
    *from_end = len - place;
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_is_found_from_wherever_the_search_begins() {
        let times = [10, 20, 20, 30, 40, 50, 60, 70];
        for edge in 0..80 {
            for guess in 0..=10 {
                let mut from_end = guess;
                let place = after(&times, edge, &mut from_end);
                assert_eq!(place, times.partition_point(|time| *time <= edge), "{edge} from {guess}");
                assert_eq!(from_end, times.len() - place);
            }
        }
        assert_eq!(after(&[], 5, &mut 3), 0);
    }
}
