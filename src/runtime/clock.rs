//! The clock of the program: the wall's, or the simulated one that a demo keeps step with.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::model::Time;

/// A clock that can be handed around.
#[derive(Clone, Debug)]
pub struct Clock(Option<Arc<Mutex<Step>>>);

/// The simulated second that is being served.
#[derive(Debug)]
struct Step {
    at: Time,
    since: Instant,
    /// How far the clock may run on by itself before the next step: nothing while the simulation is
    /// driven faster than the wall, so that what is shown does not depend on the machine.
    runs_on: Duration,
}

impl Clock {
    /// The wall clock.
    pub fn wall() -> Self {
        Self(None)
    }

    /// A simulated clock that stands at `at` until it is moved.
    pub fn simulated(at: Time) -> Self {
        Self(Some(Arc::new(Mutex::new(Step { at, since: Instant::now(), runs_on: Duration::ZERO }))))
    }

    /// Moves a simulated clock; it runs on with the wall for at most `runs_on`.
    pub fn set(&self, at: Time, runs_on: Duration) {
        if let Some(step) = &self.0 {
            *step.lock().unwrap_or_else(PoisonError::into_inner) =
                Step { at, since: Instant::now(), runs_on };
        }
    }

    /// What it shows.
    pub fn now(&self) -> Time {
        match &self.0 {
            Some(step) => {
                let step = step.lock().unwrap_or_else(PoisonError::into_inner);
                step.at.after(step.since.elapsed().min(step.runs_on))
            }
            None => wall(),
        }
    }

    /// Whether it is simulated.
    pub fn is_simulated(&self) -> bool {
        self.0.is_some()
    }
}

fn wall() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulated_clock_stands_still_until_it_is_moved() {
        let clock = Clock::simulated(Time::from_millis(1000));
        assert_eq!(clock.now(), Time::from_millis(1000));
        clock.set(Time::from_millis(5000), Duration::ZERO);
        assert_eq!(clock.clone().now(), Time::from_millis(5000));
        assert!(clock.is_simulated() && !Clock::wall().is_simulated());
    }
}
