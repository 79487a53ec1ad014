//! When to poll next.

use std::time::Duration;

/// The longest a server may ask to be left alone and be heeded: beyond it, nobody would see that it
/// is well again.
const MAX_RETRY_AFTER: Duration = Duration::from_mins(5);
/// The longest pause that failures alone bring about.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// The time from the beginning of one poll to the beginning of the next.
///
/// Jitter of ±10 % keeps sources, and the terminals of a team, from polling in step. Each failure in
/// a row after the first doubles the pause, up to six intervals or 30 s, whichever is less, but never
/// below one interval: a source that is back is seen soon, and what it said before grows stale by its
/// age all the while. `retry_after` is heeded up to five minutes and never shortened by jitter.
/// `random` lies in 0..1; what lies outside is taken as the nearest end.
pub fn next_delay(every: Duration, failures: u32, retry_after: Option<Duration>, random: f64) -> Duration {
    let factor = 2_u32.saturating_pow(failures.saturating_sub(1).min(16));
    let cap = every.saturating_mul(6).min(MAX_BACKOFF).max(every);
    let pause = every.saturating_mul(factor).min(cap);
    let random = if random.is_nan() { 0.5 } else { random.clamp(0.0, 1.0) };
    let jittered =
        Duration::try_from_secs_f64(pause.as_secs_f64() * (0.9 + 0.2 * random)).unwrap_or(Duration::MAX);
    let asked = retry_after.unwrap_or_default().min(MAX_RETRY_AFTER);
    jittered.max(asked.mul_f64(1.0 + 0.1 * random))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE: Duration = Duration::from_secs(5);

    #[test]
    fn polls_are_an_interval_apart_give_or_take_a_tenth() {
        for (random, millis) in [(0.0, 4500), (0.5, 5000), (1.0, 5500), (7.0, 5500), (f64::NAN, 5000)] {
            assert_eq!(next_delay(FIVE, 0, None, random), Duration::from_millis(millis), "{random}");
        }
    }

    #[test]
    fn the_first_failure_is_tried_again_at_the_next_interval_and_further_ones_back_off_to_a_cap() {
        let seconds: Vec<u64> = (0..9).map(|n| next_delay(FIVE, n, None, 0.5).as_secs()).collect();
        assert_eq!(seconds, [5, 5, 10, 20, 30, 30, 30, 30, 30]);
        let second = Duration::from_secs(1);
        assert_eq!(next_delay(second, u32::MAX, None, 0.5), Duration::from_secs(6));
        let minute = Duration::from_mins(1);
        assert_eq!(next_delay(minute, 9, None, 0.5), minute);
    }

    #[test]
    fn a_server_that_asks_for_rest_gets_it_but_not_for_ever() {
        let wait = |s| next_delay(FIVE, 1, Some(Duration::from_secs(s)), 0.0).as_secs();
        assert_eq!([wait(12), wait(86_400)], [12, 300]);
        assert!(next_delay(FIVE, 1, Some(Duration::from_secs(12)), 0.9) >= Duration::from_secs(12));
        assert_eq!(next_delay(FIVE, 0, Some(Duration::ZERO), 0.5), FIVE);
        assert_eq!(next_delay(Duration::MAX, 3, None, 1.0), Duration::MAX);
    }
}
