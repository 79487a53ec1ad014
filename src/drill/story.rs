//! What happens when: the rollout of `tasks.enabled`, and what goes wrong after each raise to 50 %.
//!
//! ```text
//!  percent   10          25            50                25            50
//!            |-----------|-------------|-----------------|-------------|---- … every 30 minutes
//!  minute    0           12            24   27‥30        40            54   57‥60
//!                                            trouble
//! ```

use std::time::Duration;

const FIRST_RAISE: Duration = Duration::from_mins(12);
const RAISE: Duration = Duration::from_mins(24);
const LOWER: Duration = Duration::from_mins(40);
const CYCLE: Duration = Duration::from_mins(30);

/// From a raise to 50 % to the first sign of trouble.
const TROUBLE_AFTER: Duration = Duration::from_secs(190);
/// How long the trouble lasts.
const TROUBLE_FOR: Duration = Duration::from_secs(160);
/// How long it takes to come up, and to go away.
const TROUBLE_EDGE: Duration = Duration::from_secs(20);
/// From the first sign of trouble to the first customer who calls, and to the last call closed.
const CALLS: (Duration, Duration) = (Duration::from_secs(75), Duration::from_mins(9));

/// The percentage before the first step.
pub const FIRST_PERCENT: f64 = 10.0;

/// One step of the rollout.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// When, from the start of the product.
    pub at: Duration,
    /// To how many percent.
    pub percent: f64,
    /// Whose hand.
    pub by: &'static str,
}

/// The first step after a moment.
pub fn next_step(after: Duration) -> Step {
    if after < FIRST_RAISE {
        return Step { at: FIRST_RAISE, percent: 25.0, by: "ravi" };
    }
    let base = CYCLE * cycle(after);
    let raise = Step { at: RAISE + base, percent: 50.0, by: "ravi" };
    let lower = Step { at: LOWER + base, percent: 25.0, by: "ana" };
    let again = Step { at: raise.at + CYCLE, ..raise };
    [raise, lower].into_iter().find(|step| step.at > after).unwrap_or(again)
}

/// How bad the trouble is at a moment, from 0 to 1: the tasks database runs out of connections.
pub fn trouble(at: Duration) -> f64 {
    let Some(since) = since_trouble(at).filter(|since| *since < TROUBLE_FOR) else { return 0.0 };
    let edge = since.min(TROUBLE_FOR.saturating_sub(since)).as_secs_f64() / TROUBLE_EDGE.as_secs_f64();
    edge.min(1.0)
}

/// Whether customers have called about the trouble and wait for an answer.
pub fn customers_call(at: Duration) -> bool {
    since_trouble(at).is_some_and(|since| since >= CALLS.0 && since < CALLS.1)
}

fn since_trouble(at: Duration) -> Option<Duration> {
    at.checked_sub(RAISE + CYCLE * cycle(at) + TROUBLE_AFTER)
}

/// How many raises to 50 % lie behind the first one.
fn cycle(at: Duration) -> u32 {
    u32::try_from(at.saturating_sub(RAISE).as_secs() / CYCLE.as_secs()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rollout_goes_to_25_then_50_then_back_and_never_ends() {
        let mut at = Duration::ZERO;
        let mut told = Vec::new();
        for _ in 0..6 {
            let step = next_step(at);
            assert!(step.at > at);
            at = step.at;
            told.push((at.as_secs() / 60, step.percent as u32));
        }
        assert_eq!(told, [(12, 25), (24, 50), (40, 25), (54, 50), (70, 25), (84, 50)]);
        let day = Duration::from_hours(24);
        let step = next_step(day);
        assert!(step.at > day && step.at <= day + CYCLE);
    }

    #[test]
    fn trouble_comes_three_minutes_after_each_raise_and_goes_again() {
        let at = |minutes: u64, seconds: u64| trouble(Duration::from_secs(minutes * 60 + seconds));
        assert_eq!([at(3, 0), at(20, 0), at(24, 30), at(27, 9), at(30, 0), at(39, 0)], [0.0; 6]);
        assert_eq!([at(27, 40), at(29, 20), at(58, 0), at(24 * 60 + 28, 0)], [1.0; 4]);
        assert!(at(27, 20) > 0.4 && at(27, 20) < 0.6);
        assert!(customers_call(Duration::from_mins(29)) && !customers_call(Duration::from_mins(38)));
    }
}
