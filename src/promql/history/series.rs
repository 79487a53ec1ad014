//! One series: its values, and when they were.

use super::ring::Ring;
use super::values::{Falls, Values};

/// Prometheus' mark for "this series ended here": a NaN with these bits. Any other NaN is a value.
const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// The mark as a value.
pub(super) fn stale() -> f64 {
    f64::from_bits(STALE_BITS)
}

/// Whether a value is the mark; ordinary NaN is not.
pub(super) fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_BITS
}

/// The samples of a series.
#[derive(Clone, Debug)]
pub(super) enum Column {
    /// One value a scrape, aligned with the scrape times of the history. A series that ended lags
    /// behind them, its last value being the mark.
    Scraped {
        /// The number of the scrape that the first value belongs to.
        from: u64,
        values: Values,
    },
    /// Values with times of their own.
    Timed {
        times: Ring<i64>,
        values: Values,
        /// The last sample carried its time itself: leaving a scrape does not end such a series.
        explicit: bool,
    },
}

impl Default for Column {
    fn default() -> Self {
        Self::Timed { times: Ring::default(), values: Values::default(), explicit: true }
    }
}

impl Column {
    /// An empty column of scraped values that begins with this scrape.
    pub(super) fn scraped_from(scrape: u64) -> Self {
        Self::Scraped { from: scrape, values: Values::default() }
    }

    /// Marks the end of the series at the scrape with number `scrape`, at `at`, unless it ended
    /// before or carries its own times.
    pub(super) fn end(&mut self, scrape: u64, at: i64) {
        match self {
            Self::Scraped { from, values } => {
                let behind = *from + values.len() as u64 == scrape;
                if behind && values.last().is_some_and(|last| !is_stale(*last)) {
                    values.push(stale());
                }
            }
            Self::Timed { times, values, explicit } => {
                let alive = values.last().is_some_and(|last| !is_stale(*last));
                if alive && !*explicit && times.last().is_some_and(|last| *last < at) {
                    times.push(at);
                    values.push(stale());
                }
            }
        }
    }

    /// Adds the value of the scrape with number `scrape`; false where it has one already.
    pub(super) fn scraped(&mut self, scrape: u64, at: i64, value: f64) -> bool {
        match self {
            Self::Scraped { from, values } => {
                if values.is_empty() {
                    *from = scrape;
                }
                if *from + values.len() as u64 > scrape {
                    return false;
                }
                while *from + (values.len() as u64) < scrape {
                    values.push(stale());
                }
                values.push(value);
                true
            }
            Self::Timed { .. } => self.timed(at, value, false),
        }
    }

    /// Adds a value with its own time; false where that is not after the last. A column of scraped
    /// values needs [`Column::own_times`] first.
    pub(super) fn timed(&mut self, at: i64, value: f64, by_itself: bool) -> bool {
        let Self::Timed { times, values, explicit } = self else { return false };
        if times.last().is_some_and(|last| *last >= at) {
            return false;
        }
        times.push(at);
        values.push(value);
        *explicit = by_itself;
        true
    }

    /// Gives every sample its own time, if it has none yet.
    pub(super) fn own_times(&mut self, scrapes: &Ring<i64>, first: u64) {
        if let Self::Scraped { from, values } = self {
            let skip = usize::try_from(from.saturating_sub(first)).unwrap_or(usize::MAX);
            let times = scrapes.as_slice().iter().skip(skip).take(values.len()).copied().collect();
            *self = Self::Timed { times, values: std::mem::take(values), explicit: false };
        }
    }

    /// Drops what is not after `cutoff`; `first` is the number of the first scrape that is kept.
    pub(super) fn trim(&mut self, first: u64, cutoff: i64) {
        match self {
            Self::Scraped { from, values } => {
                let gone =
                    usize::try_from(first.saturating_sub(*from)).unwrap_or(usize::MAX).min(values.len());
                values.drop_first(gone);
                *from = (*from).max(first);
            }
            Self::Timed { times, values, .. } => {
                let gone = times.as_slice().partition_point(|time| *time <= cutoff).min(values.len());
                times.drop_first(gone);
                values.drop_first(gone);
            }
        }
    }

    /// Drops what is at or after `at`; `next` is the number of the first scrape that is dropped.
    pub(super) fn cut(&mut self, next: u64, at: i64) {
        match self {
            Self::Scraped { from, values } => {
                values.truncate(usize::try_from(next.saturating_sub(*from)).unwrap_or(usize::MAX));
            }
            Self::Timed { times, values, .. } => {
                let kept = times.as_slice().partition_point(|time| *time < at);
                times.truncate(kept);
                values.truncate(kept);
            }
        }
    }

    /// Whether nothing is left of it but the mark of its end.
    pub(super) fn is_dead(&self) -> bool {
        match self {
            Self::Scraped { values, .. } | Self::Timed { values, .. } => {
                values.as_slice().iter().all(|v| is_stale(*v))
            }
        }
    }

    /// When its first sample was.
    pub(super) fn began(&self, scrapes: &[i64], first: u64) -> Option<i64> {
        match self {
            Self::Scraped { from, .. } => {
                scrapes.get(usize::try_from(from.saturating_sub(first)).unwrap_or(usize::MAX)).copied()
            }
            Self::Timed { times, .. } => times.as_slice().first().copied(),
        }
    }

    /// Where its values fall, and where it ended.
    pub(super) fn falls(&self) -> Falls<'_> {
        match self {
            Self::Scraped { values, .. } | Self::Timed { values, .. } => values.places(),
        }
    }

    /// Its times and values, of which there are as many.
    pub(super) fn samples<'h>(&'h self, scrapes: &'h [i64], first: u64) -> (&'h [i64], &'h [f64]) {
        match self {
            Self::Scraped { from, values } => {
                let skip = usize::try_from(from.saturating_sub(first)).unwrap_or(usize::MAX);
                let times = scrapes.get(skip..skip.saturating_add(values.len())).unwrap_or_default();
                (times, values.as_slice().get(..times.len()).unwrap_or_default())
            }
            Self::Timed { times, values, .. } => (times.as_slice(), values.as_slice()),
        }
    }
}
