//! When to poll next.

use std::time::Duration;

/// The longest a server may ask to be left alone and be heeded: beyond it, nobody would see that it
/// is well again.
pub const MAX_RETRY_AFTER: Duration = Duration::from_mins(5);

/// The time from the beginning of one poll to the beginning of the next: at most one interval, so
/// that a source that is well again is seen within one, however long it was not. Failures do not
/// stretch it; a poll costs a broken server no more than it costs a sound one.
///
/// Jitter of up to a tenth keeps sources, and the terminals of a team, from polling in step. It only
/// shortens the pause. `retry_after` is heeded up to [`MAX_RETRY_AFTER`] and never shortened.
/// `random` lies in 0..1; what lies outside is taken as the nearest end.
pub fn next_delay(every: Duration, retry_after: Option<Duration>, random: f64) -> Duration {
    let random = if random.is_nan() { 0.5 } else { random.clamp(0.0, 1.0) };
    let pause = every.mul_f64(0.9).saturating_add(every.mul_f64(0.1 * random)).min(every);
    let asked = retry_after.unwrap_or_default().min(MAX_RETRY_AFTER);
    pause.max(asked.mul_f64(1.0 + 0.1 * random).min(MAX_RETRY_AFTER))
}

/// How long after the start the first poll of the `place`-th of `count` sources begins. A few begin
/// at once; many are spread over the shortest interval among them, so that they do not all ask in the
/// same moment, then and ever after.
pub fn first_delay(place: usize, count: usize, every: Duration) -> Duration {
    const AT_ONCE: usize = 32;
    if count <= AT_ONCE {
        return Duration::ZERO;
    }
    every.mul_f64(place as f64 / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE: Duration = Duration::from_secs(5);

    #[test]
    fn polls_are_never_more_than_an_interval_apart() {
        for (random, millis) in [(0.0, 4500), (0.5, 4750), (1.0, 5000), (7.0, 5000), (f64::NAN, 4750)] {
            assert_eq!(next_delay(FIVE, None, random), Duration::from_millis(millis), "{random}");
        }
    }

    #[test]
    fn a_server_that_asks_for_rest_gets_it_but_not_for_ever() {
        let wait = |s| next_delay(FIVE, Some(Duration::from_secs(s)), 0.0).as_secs();
        assert_eq!([wait(12), wait(86_400)], [12, 300]);
        assert!(next_delay(FIVE, Some(Duration::from_secs(12)), 0.9) >= Duration::from_secs(12));
        assert_eq!(next_delay(FIVE, Some(Duration::MAX), 1.0), MAX_RETRY_AFTER);
        assert_eq!(next_delay(FIVE, Some(Duration::ZERO), 1.0), FIVE);
    }

    #[test]
    fn a_few_sources_begin_at_once_and_a_thousand_are_spread_over_the_interval() {
        assert_eq!(first_delay(31, 32, FIVE), Duration::ZERO);
        assert_eq!(first_delay(500, 1000, FIVE), FIVE / 2);
        assert!(first_delay(999, 1000, FIVE) < FIVE);
    }
}
