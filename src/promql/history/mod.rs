//! Samples of one source, columnar and bounded.
//!
//! The times of the scrapes are kept once, each series keeps a ring of values beside them. Start with
//! [`History::record`]; the evaluator reads through [`Track`].

mod catalogue;
mod gaps;
mod ring;
mod saved;
mod series;
mod track;
mod values;

use std::time::Duration;

use self::catalogue::Catalogue;
use self::gaps::Gaps;
use self::ring::Ring;
pub use self::saved::Unreadable;
use self::series::Column;
pub(super) use self::track::{Copied, Hint, Point, Samples, Track};
use super::matcher::Matcher;
use crate::model::{Labels, Time};

/// How far back Prometheus looks for the last sample of a series, in milliseconds.
pub(super) const LOOKBACK: i64 = 5 * 60 * 1000;

/// Where nothing is said of how often a source is polled: so many times the usual distance between two
/// scrapes is a hole, for nobody looked. The machine slept.
const HOLE: i64 = 4;
/// What is shorter than this is no hole then, in milliseconds: a poll may wait for its time-out.
const SHORTEST_HOLE: i64 = 30_000;
/// By how much a poll may be late that has to wait for a busy machine, in milliseconds.
const BUSY: i64 = 2000;

/// How much history is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Samples older than this may be dropped.
    pub keep: Duration,
    /// The most series; further ones are refused and counted.
    pub max_series: usize,
}

/// The recent samples of one source: rings that drop what no expression needs any more.
#[derive(Clone, Debug)]
pub struct History {
    limits: Limits,
    /// The times of the scrapes, oldest first.
    scrapes: Ring<i64>,
    /// The number of the oldest scrape kept, counted from the first ever.
    first: u64,
    series: Catalogue,
    /// From when on it is known what the source had.
    since: Option<i64>,
    last: Option<i64>,
    /// When nobody looked.
    gaps: Gaps,
    /// The distance that is meant to be between scrapes, in milliseconds; 0 where it is not known.
    every: i64,
    /// The longest time between two scrapes that is no hole, in milliseconds; 0 where it is not known.
    longest: i64,
    /// Before its first sample there was nothing: a capture is all there is.
    complete: bool,
    /// When the last scrape was, if it held more than there was room for.
    flooded: Option<i64>,
}

impl History {
    /// An empty history of a source that is being watched: what was before its first answered scrape
    /// is not known, and an expression that looks back further is
    /// [`TooLittleHistory`](super::EvalError::TooLittleHistory).
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            scrapes: Ring::default(),
            first: 0,
            series: Catalogue::default(),
            since: None,
            last: None,
            gaps: Gaps::default(),
            every: 0,
            longest: 0,
            complete: false,
            flooded: None,
        }
    }

    /// An empty history for a capture, which is taken as all there ever was, as Prometheus takes its
    /// database: a window that reaches back behind the first sample is evaluated on what it holds.
    pub fn capture(limits: Limits) -> Self {
        Self { complete: true, ..Self::new(limits) }
    }

    /// The same, of a source that is polled `every` so often, each poll of which may take as long as
    /// `timeout`: where more than that and a missed poll lies between two scrapes, it is a hole at which
    /// nobody looked. Where this is not said (`every` is 0), the times of the scrapes tell.
    #[must_use]
    pub fn polled_every(self, every: Duration, timeout: Duration) -> Self {
        let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let every = millis(every);
        let longest = every.saturating_mul(2).saturating_add(millis(timeout)).saturating_add(BUSY);
        Self { every, longest: if every == 0 { 0 } else { longest }, ..self }
    }

    /// Records one scrape at `at`: every series it held, with the timestamp the endpoint gave, if
    /// any. A series of the previous scrape that is not in this one becomes stale at `at`, as in
    /// Prometheus (unless its samples carry timestamps of their own). An empty batch marks all
    /// series stale: that is what a failed scrape does. Returns how many series were refused
    /// because of `max_series`.
    ///
    /// Of a series that comes twice in a batch the first counts. Where `at` is not after the last
    /// scrape, the clock was set back: what was recorded from `at` on is dropped, for samples from
    /// the future would hide the new ones. Set back by more than the time between two scrapes, the
    /// history begins anew, for what remains is older than it says, and a rate over both would be
    /// wrong. Where `at` is much later than the last scrape, the machine slept (or the clock was set
    /// forward): the time between is unseen.
    ///
    /// The history begins with the first scrape that was answered: one that holds an `up` of 1, or
    /// any series but those that a scrape writes about itself (`up`, `scrape_…`).
    pub fn record(
        &mut self,
        at: Time,
        batch: impl IntoIterator<Item = (Labels, f64, Option<Time>)>,
    ) -> usize {
        let at = at.millis();
        match self.last {
            Some(last) if last >= at => self.set_back(at),
            Some(last) if self.is_hole(at.saturating_sub(last)) => self.gaps.open(last),
            _ => {}
        }
        if let Some(flood) = self.flooded.take() {
            let (scrapes, first) = (self.scrapes.as_slice(), self.first);
            self.series.retain(|column| column.began(scrapes, first).is_some_and(|began| began < flood));
        }
        self.gaps.close(at);
        self.scrapes.push(at);
        let scrape = self.first + self.scrapes.len() as u64 - 1;
        let mut refused = 0;
        let mut answered = false;
        for (labels, value, time) in batch {
            answered = answered || tells_of_an_answer(&labels, value);
            let fresh = || Column::scraped_from(scrape);
            let Some(column) = self.series.column(&labels, self.limits.max_series, fresh) else {
                refused += 1;
                continue;
            };
            match time {
                None => column.scraped(scrape, at, value),
                Some(time) => {
                    column.own_times(&self.scrapes, self.first);
                    column.timed(time.millis(), value, true)
                }
            };
        }
        for column in self.series.columns_mut() {
            column.end(scrape, at);
        }
        if answered {
            self.since.get_or_insert(at);
        }
        self.last = Some(at);
        self.trim(at);
        refused
    }

    /// Not all that the last scrape held was recorded: what windows that reach back to it come to is
    /// not known, so that the history begins anew with the next scrape. That one drops the series
    /// which began with this one, lest those of a flood keep out those that come after it.
    pub fn begin_again(&mut self) {
        self.since = None;
        self.flooded = self.scrapes.last().copied();
    }

    /// Adds one sample with a time of its own: for captures. Samples of a series must come in order
    /// of time; one that does not is refused (`false`), and so is a series beyond `max_series`.
    pub fn push(&mut self, labels: &Labels, at: Time, value: f64) -> bool {
        let at = at.millis();
        let column = self.series.column(labels, self.limits.max_series, Column::default);
        let taken = column.is_some_and(|column| column.timed(at, value, true));
        if taken {
            self.since = Some(self.since.map_or(at, |since| since.min(at)));
            self.last = Some(self.last.map_or(at, |last| last.max(at)));
        }
        taken
    }

    /// When the first kept scrape or sample was; scrapes before the first answered one do not count.
    pub fn begins(&self) -> Option<Time> {
        self.since.map(Time::from_millis)
    }

    /// When the last one was.
    pub fn ends(&self) -> Option<Time> {
        self.last.map(Time::from_millis)
    }

    /// How many series are kept.
    pub fn series(&self) -> usize {
        self.series.len()
    }

    /// The middle of the times between scrapes, in milliseconds: how much later than it should a
    /// history may begin, for the first scrape cannot hit the edge of a window.
    pub(super) fn interval(&self) -> i64 {
        let scrapes = self.scrapes.as_slice();
        let mut gaps: Vec<i64> =
            scrapes.iter().rev().zip(scrapes.iter().rev().skip(1)).take(61).map(|(b, a)| b - a).collect();
        gaps.sort_unstable();
        gaps.get(gaps.len() / 2).copied().unwrap_or(0)
    }

    /// What is usually between two scrapes, in milliseconds.
    fn usual(&self) -> i64 {
        if self.every > 0 { self.every } else { self.interval() }
    }

    /// Whether so much time between two scrapes is more than a late poll.
    fn is_hole(&self, step: i64) -> bool {
        if self.longest > 0 {
            return step > self.longest;
        }
        step > SHORTEST_HOLE && (1..step / HOLE).contains(&self.usual())
    }

    /// Whether everything before its beginning is known to be empty.
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    /// How long within `from` to `to` nobody looked, in milliseconds.
    pub(super) fn unseen(&self, from: i64, to: i64) -> i64 {
        self.gaps.within(from, to)
    }

    /// A number that changes whenever a series comes or goes; no two histories share one.
    pub(super) fn stamp(&self) -> u64 {
        self.series.stamp()
    }

    /// The places of the series that fulfil all matchers, in the order of their labels.
    pub(super) fn select(&self, matchers: &[Matcher]) -> Vec<u32> {
        self.series.select(matchers)
    }

    /// The series at these places.
    pub(super) fn tracks<'h>(&'h self, places: &[u32]) -> Vec<Track<'h>> {
        let scrapes = self.scrapes.as_slice();
        places
            .iter()
            .filter_map(|place| self.series.at(*place))
            .map(|(labels, column)| Track::new(labels, column.samples(scrapes, self.first), column.falls()))
            .collect()
    }

    /// Drops what no window reaches any more, and series of which nothing is left.
    fn trim(&mut self, now: i64) {
        let keep = i64::try_from(self.limits.keep.as_millis()).unwrap_or(i64::MAX);
        let cutoff = now.saturating_sub(keep).saturating_sub(LOOKBACK);
        let gone = self.scrapes.as_slice().partition_point(|time| *time <= cutoff);
        self.scrapes.drop_first(gone);
        self.gaps.trim(cutoff);
        self.first += gone as u64;
        let first = self.first;
        self.series.retain(|column| {
            column.trim(first, cutoff);
            !column.is_dead()
        });
        if self.since.is_some_and(|since| since <= cutoff) {
            self.since = self.scrapes.as_slice().first().copied();
        }
    }

    /// The clock says `at`, which is not after the last scrape.
    fn set_back(&mut self, at: i64) {
        if self.last.is_some_and(|last| last.saturating_sub(at) > self.usual()) {
            let Self { every, longest, complete, .. } = *self;
            *self = Self { every, longest, complete, ..Self::new(self.limits) };
        } else {
            self.cut(at);
        }
    }

    /// Drops what was recorded at or after `at`.
    fn cut(&mut self, at: i64) {
        let kept = self.scrapes.as_slice().partition_point(|time| *time < at);
        self.scrapes.truncate(kept);
        let next = self.first + kept as u64;
        self.series.retain(|column| {
            column.cut(next, at);
            !column.is_dead()
        });
        self.since = self.since.filter(|since| *since < at);
        self.last = self.scrapes.last().copied();
        self.gaps.cut(at);
    }
}

/// Whether a sample can only be there because the source answered.
fn tells_of_an_answer(labels: &Labels, value: f64) -> bool {
    match labels.name() {
        Some("up") => value == 1.0,
        Some(
            "scrape_duration_seconds"
            | "scrape_samples_scraped"
            | "scrape_samples_post_metric_relabeling"
            | "scrape_series_added",
        ) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests;
