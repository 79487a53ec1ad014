//! Round numbers for the axes of a chart.

use std::time::Duration;

use crate::model::Time;

/// A little air above the highest value.
const AIR: f64 = 1.05;

/// Bottom, top and step of a value axis: zero is on it, and so are the values and the thresholds,
/// unless a threshold is so far away that the values would lie flat.
pub(super) fn bounds(values: &[f64], limits: impl Iterator<Item = f64>, steps: usize) -> (f64, f64, f64) {
    let high = values.iter().copied().fold(0.0_f64, f64::max);
    let low = values.iter().copied().fold(0.0_f64, f64::min);
    let near: Vec<f64> = limits.filter(|l| *l <= high * 3.0 || high == 0.0).collect();
    let high = near.iter().copied().fold(high, f64::max);
    let low = near.iter().copied().fold(low, f64::min);
    let high = if high > low { high } else { low + 1.0 / AIR };
    let span = (high - low) * AIR;
    let step = round_up(span / steps.max(1) as f64);
    let bottom = (low / step).floor() * step;
    let top = (bottom + step).max((high * AIR / step).ceil() * step);
    (bottom, top, step)
}

/// The values that are labelled.
pub(super) fn ticks(bottom: f64, top: f64, step: f64) -> Vec<f64> {
    let count = ((top - bottom) / step).round().clamp(0.0, 50.0) as u32;
    (0..=count).map(|i| bottom + f64::from(i) * step).collect()
}

/// The next 1, 2 or 5 times a power of ten.
fn round_up(step: f64) -> f64 {
    if !(step.is_finite() && step > 0.0) {
        return 1.0;
    }
    let power = 10_f64.powf(step.log10().floor());
    let rounded = [1.0, 2.0, 5.0].into_iter().map(|m| m * power).find(|s| *s >= step * 0.999);
    rounded.unwrap_or(10.0 * power)
}

/// Round moments of the window with their labels.
pub(super) fn times(begin: Time, now: Time, window: Duration) -> Vec<(Time, String)> {
    let step: i64 = match window.as_secs() {
        ..=300 => 60_000,
        ..=900 => 180_000,
        ..=3600 => 600_000,
        _ => 3_600_000,
    };
    let first = begin.millis().div_euclid(step) + 1;
    let last = now.millis().div_euclid(step).min(first + 30);
    (first..=last)
        .map(|i| {
            let at = Time::from_millis(i.saturating_mul(step));
            (at, at.clock().chars().take(5).collect())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_round_steps_and_holds_values_and_near_thresholds() {
        assert_eq!(bounds(&[12.0, 312.0], [500.0].into_iter(), 5), (0.0, 600.0, 200.0));
        assert_eq!(bounds(&[0.3], [1e9].into_iter(), 4).1, 0.4);
        assert_eq!(bounds(&[], [].into_iter(), 4), (0.0, 1.0, 0.5));
        let (bottom, top, _) = bounds(&[-3.0, 2.0], [].into_iter(), 4);
        assert!(bottom <= -3.0 && top >= 2.0);
    }

    #[test]
    fn no_number_makes_an_axis_without_end() {
        for values in [[f64::MAX, 0.0], [f64::MIN_POSITIVE, 0.0], [f64::MIN, f64::MAX], [1e-300, 5e-324]] {
            let (bottom, top, step) = bounds(&values, [].into_iter(), 4);
            assert!(ticks(bottom, top, step).len() <= 51);
        }
    }
}
