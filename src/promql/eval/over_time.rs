//! The `…_over_time` functions.

use super::sums::{Sum, mean};
use super::window::Window;

pub(in crate::promql) fn avg(window: &Window<'_>) -> f64 {
    mean(window.values())
}

pub(in crate::promql) fn sum(window: &Window<'_>) -> f64 {
    let mut sum = Sum::default();
    window.values().for_each(|value| sum.add(value));
    sum.total()
}

pub(in crate::promql) fn count(window: &Window<'_>) -> f64 {
    window.len() as f64
}

pub(in crate::promql) fn max(window: &Window<'_>) -> f64 {
    window
        .values()
        .reduce(|most, value| if value > most || most.is_nan() { value } else { most })
        .unwrap_or(f64::NAN)
}

pub(in crate::promql) fn min(window: &Window<'_>) -> f64 {
    window
        .values()
        .reduce(|least, value| if value < least || least.is_nan() { value } else { least })
        .unwrap_or(f64::NAN)
}

pub(in crate::promql) fn last(window: &Window<'_>) -> f64 {
    window.last().map_or(f64::NAN, |point| point.value)
}

pub(in crate::promql) fn present(_window: &Window<'_>) -> f64 {
    1.0
}

pub(in crate::promql) fn quantile(window: &Window<'_>) -> f64 {
    quantile_of(window.parameter, window.values().collect())
}

pub(in crate::promql) fn stddev(window: &Window<'_>) -> f64 {
    variance(window).sqrt()
}

pub(in crate::promql) fn stdvar(window: &Window<'_>) -> f64 {
    variance(window)
}

/// Welford's method, as Prometheus does it.
fn variance(window: &Window<'_>) -> f64 {
    let mut count = 0.0;
    let mut mean = Sum::default();
    let mut squares = Sum::default();
    for value in window.values() {
        count += 1.0;
        let delta = value - mean.raw_total();
        mean.add(delta / count);
        squares.add(delta * (value - mean.raw_total()));
    }
    squares.raw_total() / count
}

/// The quantile of values in any order: weighted between the two samples it lies between, -Inf
/// below 0 and +Inf above 1. NaN sorts lowest.
pub(super) fn quantile_of(q: f64, mut values: Vec<f64>) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    values.sort_by(|a, b| a.partial_cmp(b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan())));
    let highest = values.len() - 1;
    let rank = q * highest as f64;
    let lower = (rank.floor() as usize).min(highest);
    let upper = (lower + 1).min(highest);
    let weight = rank - rank.floor();
    match (values.get(lower), values.get(upper)) {
        (Some(a), Some(b)) => a * (1.0 - weight) + b * weight,
        _ => f64::NAN,
    }
}
