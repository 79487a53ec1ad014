//! Functions that look at how samples follow each other: rates, changes, trends.

use super::sums::Sum;
use super::window::Window;
use crate::promql::history::{Point, Samples};

pub(in crate::promql) fn rate(window: &Window<'_>) -> Option<f64> {
    Some(increase(window)? / window.seconds())
}

pub(in crate::promql) fn increase(window: &Window<'_>) -> Option<f64> {
    let (first, last) = ends(window)?;
    let lost = match window.samples.falls {
        Some(([], _)) => 0.0,
        Some((falls, first)) => {
            let before = |fall: &u64| usize::try_from(fall.checked_sub(first + 1)?).ok();
            let places = falls.iter().filter_map(before);
            places.filter_map(|place| window.samples.values.get(place)).sum()
        }
        // Nearly no window has a reset, and to see that there is none is quick.
        None if window.pairs().any(|(a, b)| b < a) => {
            window.pairs().filter(|(a, b)| b < a).map(|(a, _)| a).sum()
        }
        None => 0.0,
    };
    Some(extrapolated(window, last.value - first.value + lost, Some(first.value)))
}

pub(in crate::promql) fn delta(window: &Window<'_>) -> Option<f64> {
    let (first, last) = ends(window)?;
    Some(extrapolated(window, last.value - first.value, None))
}

/// The first and the last of at least two samples.
fn ends(window: &Window<'_>) -> Option<(Point, Point)> {
    (window.len() > 1).then_some((window.first()?, window.last()?))
}

/// Stretches what was seen between the first and the last sample to the edges of the window: all the
/// way where a sample is about as near to the edge as samples are to each other, else by half that
/// distance, taking the series to begin or end there. A counter (`from` is its first value) is not
/// stretched to before it was zero.
fn extrapolated(window: &Window<'_>, seen: f64, from: Option<f64>) -> f64 {
    let Some((first, last)) = ends(window) else { return seen };
    let sampled = (last.time - first.time) as f64 / 1000.0;
    let between = sampled / (window.len() - 1) as f64;
    let near = between * 1.1;

    let mut to_start = (first.time - window.start) as f64 / 1000.0;
    if to_start >= near {
        to_start = between / 2.0;
    }
    if let Some(from) = from
        && seen > 0.0
        && from >= 0.0
    {
        to_start = to_start.min(sampled * (from / seen));
    }
    let mut to_end = (window.end - last.time) as f64 / 1000.0;
    if to_end >= near {
        to_end = between / 2.0;
    }
    seen * ((sampled + to_start + to_end) / sampled)
}

pub(in crate::promql) fn irate(window: &Window<'_>) -> Option<f64> {
    let (before, last) = last_two(window)?;
    let grown = if last.value < before.value { last.value } else { last.value - before.value };
    Some(grown / ((last.time - before.time) as f64 / 1000.0))
}

pub(in crate::promql) fn idelta(window: &Window<'_>) -> Option<f64> {
    let (before, last) = last_two(window)?;
    Some(last.value - before.value)
}

fn last_two(window: &Window<'_>) -> Option<(Point, Point)> {
    match (window.samples.times, window.samples.values) {
        ([.., before, last], [.., from, to]) if last != before => {
            Some((Point { time: *before, value: *from }, Point { time: *last, value: *to }))
        }
        _ => None,
    }
}

pub(in crate::promql) fn resets(window: &Window<'_>) -> f64 {
    match window.samples.falls {
        Some((falls, _)) => falls.len() as f64,
        None => window.pairs().filter(|(a, b)| b < a).count() as f64,
    }
}

pub(in crate::promql) fn changes(window: &Window<'_>) -> f64 {
    let changed = |(a, b): &(f64, f64)| a != b && !(a.is_nan() && b.is_nan());
    window.pairs().filter(changed).count() as f64
}

pub(in crate::promql) fn deriv(window: &Window<'_>) -> Option<f64> {
    let (first, _) = ends(window)?;
    Some(line(window.samples, first.time).0)
}

pub(in crate::promql) fn predict_linear(window: &Window<'_>) -> Option<f64> {
    ends(window)?;
    let (slope, now) = line(window.samples, window.at);
    Some(slope * window.parameter + now)
}

/// The least-squares line through the samples: its slope per second and its height at `origin`.
fn line(samples: Samples<'_>, origin: i64) -> (f64, f64) {
    let height = samples.values.first().copied().unwrap_or(f64::NAN);
    if samples.values.iter().all(|value| *value == height) || samples.values.len() == 1 {
        return if height.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, height) };
    }
    let [mut x, mut y, mut xy, mut xx] = [Sum::default(); 4];
    for (time, value) in samples.times.iter().zip(samples.values) {
        let seconds = (time - origin) as f64 / 1000.0;
        x.add(seconds);
        y.add(*value);
        xy.add(seconds * value);
        xx.add(seconds * seconds);
    }
    let n = samples.values.len() as f64;
    let [x, y, xy, xx] = [x, y, xy, xx].map(Sum::raw_total);
    let slope = (xy - x * y / n) / (xx - x * x / n);
    (slope, y / n - slope * x / n)
}
