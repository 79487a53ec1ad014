//! The autoscaler of the tasks workers: quick to add, slow to take away.

use std::time::Duration;

/// Attempts that one replica of the worker makes at the same time.
pub const REPLICA: u32 = 4;

/// How often the scaler looks.
pub const EVERY: Duration = Duration::from_secs(10);

/// How long replicas take to start.
pub const START_UP: Duration = Duration::from_secs(25);

const FEWEST: u32 = 6;
const MOST: u32 = 13;
/// How many are started at once.
const STRIDE: u32 = 3;
const ADD_ABOVE: usize = 150;
/// So many looks in a row at a backlog before replicas are added: a bulk edit is over by then.
const BACKLOG_LOOKS: u32 = 2;
const CALM_BELOW: usize = 25;
/// So many more calm looks than others before a replica is taken away.
const CALM_LOOKS: u32 = 5;

/// The number of replicas, and what the scaler has seen.
#[derive(Debug)]
pub struct Scaler {
    running: u32,
    starting: u32,
    calm: u32,
    backlog: u32,
}

/// What the scaler decided at one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Leave it.
    Stay,
    /// Start so many more.
    Add(u32),
    /// One less from now on.
    Remove,
}

impl Scaler {
    /// The fewest replicas, all running.
    pub fn new() -> Self {
        Self { running: FEWEST, starting: 0, calm: 0, backlog: 0 }
    }

    /// Attempts that the running replicas can make at the same time.
    pub fn workers(&self) -> u32 {
        self.running * REPLICA
    }

    /// Looks at how many jobs wait and how many workers are busy.
    pub fn look(&mut self, waiting: usize, active: u32) -> Decision {
        // Calm only where one replica less would still leave air.
        let spare = f64::from(active) < 0.9 * f64::from(self.workers().saturating_sub(REPLICA));
        self.calm = if waiting < CALM_BELOW && spare { self.calm + 1 } else { self.calm.saturating_sub(1) };
        self.backlog = if waiting > ADD_ABOVE { self.backlog + 1 } else { 0 };
        if self.backlog >= BACKLOG_LOOKS && self.starting == 0 && self.running < MOST {
            self.starting = STRIDE.min(MOST - self.running);
            return Decision::Add(self.starting);
        }
        if self.calm >= CALM_LOOKS && self.running > FEWEST {
            self.calm = 0;
            self.running -= 1;
            return Decision::Remove;
        }
        Decision::Stay
    }

    /// Replicas that were starting now work.
    pub fn up(&mut self, replicas: u32) {
        self.starting = self.starting.saturating_sub(replicas);
        self.running += replicas;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_adds_replicas_once_until_they_have_started_and_never_too_many() {
        let mut scaler = Scaler::new();
        // One look at a backlog may be a bulk edit.
        assert_eq!(scaler.look(500, 24), Decision::Stay);
        assert_eq!(scaler.look(600, 24), Decision::Add(3));
        assert_eq!(scaler.look(700, 24), Decision::Stay);
        scaler.up(3);
        assert_eq!(scaler.workers(), 36);
        assert_eq!(scaler.look(700, 36), Decision::Add(3));
        scaler.up(3);
        assert_eq!(scaler.look(700, 48), Decision::Add(1));
        scaler.up(1);
        assert_eq!((scaler.look(700, 52), scaler.workers()), (Decision::Stay, 52));
    }

    #[test]
    fn a_long_calm_takes_replicas_away_one_by_one_but_never_the_last_six() {
        let mut scaler = Scaler::new();
        scaler.up(2);
        let looks: Vec<_> = (0..60).map(|_| scaler.look(3, 6)).collect();
        assert_eq!(looks.iter().filter(|d| **d == Decision::Remove).count(), 2);
        assert!(looks[..4].iter().all(|d| *d == Decision::Stay));
        assert_eq!(scaler.workers(), 24);
    }
}
