//! What stands around the product and does not come of its requests and jobs: restarts, the audit log,
//! delivery of pages. In calm nothing here moves; injects change it, and the pages tell it.

use std::time::Duration;

use super::redis::Redis;
use super::strengths::Strengths;

/// Keys that a Redis with too little memory throws away in a minute.
const EVICTED: u64 = 240;

/// The state of the surroundings at a moment, from the start of the product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// When the worker was started last; it is the start of the product where it never restarted.
    pub worker_started: Duration,
    /// Jobs of the tasks queue whose worker died and that others took up.
    pub stalled: u64,
    /// Keys that Redis has thrown away.
    pub evicted: u64,
    /// Impersonations that left no audit record.
    pub unaudited: u64,
    /// Switches of the organisation that failed.
    pub failed_switches: u64,
    /// Notifications that the pager did not take.
    pub undelivered: u64,
}

impl Surroundings {
    /// What one more minute of these injects adds.
    pub fn count(&mut self, now: &Strengths, redis: &Redis) {
        self.unaudited += u64::from(now.unaudited);
        self.failed_switches += u64::from(now.failed_switches);
        self.undelivered += u64::from(now.undelivered);
        if redis.evicts() {
            self.evicted += EVICTED;
        }
    }
}
