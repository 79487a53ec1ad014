//! A series' past as a chart reads it.

use std::time::Duration;

use crate::engine::Series;
use crate::model::Time;

/// A silence this many times longer than the one before it was not watched, whatever lies beyond.
const SILENCE: u32 = 5;

/// The runs without a gap since `begin`, and one point before it, so that a line enters from the left.
pub(super) fn segments(series: &Series, begin: Time, every: Duration) -> Vec<Vec<(Time, f64)>> {
    let first = series.past.iter().rposition(|(t, _)| *t < begin).unwrap_or(0);
    let mut runs: Vec<Vec<(Time, f64)>> = Vec::new();
    let mut run: Vec<(Time, f64)> = Vec::new();
    let mut usual: Option<Duration> = None;
    for (at, value) in series.past.iter().skip(first).copied() {
        let silence = run.last().map(|(last, _)| at.since(*last));
        let broken = match (silence, usual) {
            (Some(silence), Some(usual)) => silence > usual.max(every) * SILENCE,
            _ => false,
        };
        if (broken || !value.is_finite()) && !run.is_empty() {
            runs.push(std::mem::take(&mut run));
            usual = None;
        } else if silence.is_some() {
            usual = silence;
        }
        if value.is_finite() {
            run.push((at, value));
        }
    }
    if !run.is_empty() {
        runs.push(run);
    }
    runs
}

/// The value at a moment: the newest not younger than it, if that is near and not a gap.
pub(super) fn at(series: &Series, moment: Time, every: Duration) -> Option<f64> {
    let after = series.past.partition_point(|(t, _)| *t <= moment);
    let (at, value) = *series.past.get(after.checked_sub(1)?)?;
    let step = after.checked_sub(2).and_then(|i| series.past.get(i)).map(|(before, _)| at.since(*before));
    let near = moment.since(at) <= step.unwrap_or(every).max(every) * SILENCE;
    (near && !value.is_nan()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Labels;

    fn series(points: &[(i64, f64)]) -> Series {
        let past = points.iter().map(|(t, v)| (Time::from_millis(t * 1000), *v)).collect();
        Series { labels: Labels::none(), past, now: None }
    }

    const EVERY: Duration = Duration::from_secs(5);

    #[test]
    fn a_gap_breaks_the_line_and_a_suspended_laptop_is_a_gap() {
        let s = series(&[(0, 1.0), (5, 1.0), (10, f64::NAN), (15, 2.0), (20, 2.0), (620, 3.0), (625, 3.0)]);
        let sizes: Vec<usize> = segments(&s, Time::MIN, EVERY).iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 2, 2]);
    }

    #[test]
    fn a_coarse_past_from_a_range_query_is_one_line_with_the_fine_present() {
        let s = series(&[(0, 1.0), (60, 1.0), (120, 1.0), (125, 1.0), (130, 1.0)]);
        assert_eq!(segments(&s, Time::MIN, EVERY).len(), 1);
    }

    #[test]
    fn a_moment_in_a_gap_has_no_value() {
        let s = series(&[(0, 1.0), (5, 2.0), (10, f64::NAN), (100, 4.0)]);
        assert_eq!(at(&s, Time::from_millis(7_000), EVERY), Some(2.0));
        assert_eq!(at(&s, Time::from_millis(50_000), EVERY), None);
        assert_eq!(at(&s, Time::from_millis(-1), EVERY), None);
    }
}
