//! A signal's series with their recent past, for charts.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::{Fault, Labels, Point, SignalAnswer, SignalDef, Time};

/// How much of a signal's past is kept for charts.
pub const CHART_SPAN: Duration = Duration::from_hours(6);

/// The most points of one series; beyond it the older half is thinned to every second point.
const MOST_POINTS: usize = 2_000;

/// The most series of one signal that are kept; the config's expressions aggregate, so more than
/// this is a mistake that must not cost memory without end.
const MOST_SERIES: usize = 500;

/// One series of a signal.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its labels.
    pub labels: Labels,
    /// Its past, oldest first. A gap is a NaN between two times.
    pub past: VecDeque<(Time, f64)>,
    /// The newest value, while the last good answer had one.
    pub now: Option<Point>,
}

/// A signal as its answers have shown it.
#[derive(Clone, Debug)]
pub struct Track {
    /// What it is.
    pub def: SignalDef,
    /// When the last answer was asked for, with or without a value.
    pub asked: Option<Time>,
    /// Its series, in the order in which the last answer gave them, those gone at the end.
    pub series: Vec<Series>,
    /// Why the last answer had no value.
    pub fault: Option<Fault>,
    /// Why its numbers may be incomplete.
    pub warnings: Vec<String>,
    /// Why the last answer had no series, where the server could tell.
    pub absence: Option<String>,
    /// The server's remarks on the query, which leave the numbers whole.
    pub infos: Vec<String>,
    /// Series that were left out because there are too many.
    pub cut: usize,
}

impl Track {
    /// A signal that has no answer yet.
    pub fn new(def: SignalDef) -> Self {
        Self {
            def,
            asked: None,
            series: Vec::new(),
            fault: None,
            warnings: Vec::new(),
            absence: None,
            infos: Vec::new(),
            cut: 0,
        }
    }

    /// Takes an answer in.
    pub fn observe(&mut self, asked: Time, answer: &SignalAnswer) {
        for (labels, points) in &answer.history {
            let Some(series) = self.series_mut(labels) else { continue };
            let begins = series.past.front().map_or(asked, |(t, _)| *t);
            for point in points.iter().rev().filter(|(t, _)| *t < begins) {
                series.past.push_front(*point);
            }
        }
        self.asked = Some(asked);
        self.warnings.clone_from(&answer.warnings);
        let points = match &answer.result {
            Ok(points) => {
                self.fault = None;
                points.as_slice()
            }
            Err(fault) => {
                self.fault = Some(fault.clone());
                &[]
            }
        };
        self.cut = points.len().saturating_sub(MOST_SERIES);
        for series in &mut self.series {
            series.now = None;
        }
        for (place, point) in points.iter().take(MOST_SERIES).enumerate() {
            let Some(found) = self.place_of(&point.labels) else { continue };
            let place = place.min(self.series.len().saturating_sub(1));
            self.series.swap(place, found);
            if let Some(series) = self.series.get_mut(place) {
                series.past.push_back((asked, point.value));
                series.now = Some(point.clone());
            }
        }
        for series in &mut self.series {
            if series.now.is_none() && series.past.back().is_some_and(|(_, v)| !v.is_nan()) {
                series.past.push_back((asked, f64::NAN));
            }
            trim(&mut series.past, asked);
        }
        self.series.retain(|s| s.now.is_some() || !s.past.is_empty());
    }

    /// A poll of the source failed: the line of the chart breaks here, the last values stay.
    pub fn gap(&mut self, asked: Time) {
        for series in &mut self.series {
            if series.past.back().is_some_and(|(_, v)| !v.is_nan()) {
                series.past.push_back((asked, f64::NAN));
            }
        }
    }

    /// The newest points of the last good answer.
    pub fn points(&self) -> impl Iterator<Item = &Point> {
        self.series.iter().filter_map(|s| s.now.as_ref())
    }

    fn place_of(&mut self, labels: &Labels) -> Option<usize> {
        self.series_mut(labels)?;
        self.series.iter().position(|s| s.labels == *labels)
    }

    fn series_mut(&mut self, labels: &Labels) -> Option<&mut Series> {
        let at = self.series.iter().position(|s| s.labels == *labels);
        if at.is_none() {
            if self.series.len() >= MOST_SERIES * 2 {
                return None;
            }
            self.series.push(Series { labels: labels.clone(), past: VecDeque::new(), now: None });
        }
        let last = self.series.len().saturating_sub(1);
        self.series.get_mut(at.unwrap_or(last))
    }
}

fn trim(past: &mut VecDeque<(Time, f64)>, now: Time) {
    let oldest = now.before(CHART_SPAN);
    while past.front().is_some_and(|(t, _)| *t < oldest) {
        past.pop_front();
    }
    if past.iter().all(|(_, v)| v.is_nan()) {
        past.clear();
    }
    if past.len() > MOST_POINTS {
        let half = MOST_POINTS / 2;
        let mut i = 0;
        // The older half loses every second point, but never a gap: a chart must not bridge it.
        past.retain(|(_, v)| {
            i += 1;
            i > half || i % 2 == 0 || v.is_nan()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Board, SignalId, SourceId, Unit};

    fn track() -> Track {
        Track::new(SignalDef {
            id: SignalId::from("depth"),
            board: Board::Queues,
            title: "depth".into(),
            source: SourceId::from("worker"),
            query: "x".into(),
            unit: Unit::Jobs,
            warn: None,
            bad: None,
            max_age: Duration::from_secs(15),
            empty: None,
            infinite: None,
            nan: None,
        })
    }

    fn answer(points: &[(&str, f64)]) -> SignalAnswer {
        let point = |(q, v): &(&str, f64)| Point {
            labels: Labels::from_pairs([("queue", *q)]),
            value: *v,
            sampled: Time::from_millis(0),
        };
        SignalAnswer {
            signal: SignalId::from("depth"),
            result: Ok(points.iter().map(point).collect()),
            warnings: Vec::new(),
            history: Vec::new(),
        }
    }

    #[test]
    fn series_keep_the_order_of_the_last_answer_and_one_that_left_is_a_gap() {
        let mut t = track();
        t.observe(Time::from_millis(0), &answer(&[("a", 1.0), ("b", 2.0)]));
        t.observe(Time::from_millis(1000), &answer(&[("c", 3.0), ("b", 4.0)]));
        let now: Vec<_> = t.points().map(|p| p.labels.get("queue").unwrap().to_owned()).collect();
        assert_eq!(now, ["c", "b"]);
        let gone = t.series.iter().find(|s| s.labels.get("queue") == Some("a")).unwrap();
        assert!(gone.now.is_none() && gone.past.back().unwrap().1.is_nan());
    }

    #[test]
    fn a_long_watch_stays_within_its_memory() {
        let mut t = track();
        for i in 0..10_000 {
            t.observe(Time::from_millis(i * 1000), &answer(&[("a", i as f64)]));
        }
        let past = &t.series[0].past;
        assert!(past.len() <= MOST_POINTS + 1, "{}", past.len());
        assert_eq!(past.back().unwrap().1, 9999.0);
    }
}
