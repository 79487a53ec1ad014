//! The Redis that holds the queues: how full it is.

use std::time::Duration;

use super::strengths::Filling;

const MIB: u64 = 1 << 20;
/// How much memory it may use.
const MOST: u64 = 512 * MIB;
/// What no job of this product holds.
const OTHER: u64 = 148 * MIB;
/// What a job takes with its payload, keys and lock, in bytes.
const JOB: u64 = 2560;
/// What an inject wants is there after so long.
const FILLS_IN: Duration = Duration::from_secs(60);
/// From so much of its memory on it has too little.
const TIGHT: f64 = 0.95;
/// The policy that loses no job.
const NO_EVICTION: &str = "noeviction";

/// The Redis of the queues at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redis {
    /// Bytes in use.
    pub used: u64,
    /// The most it may use.
    pub most: u64,
    /// What it does when it has no more.
    pub policy: &'static str,
    /// Keys that it has thrown away.
    pub evicted: u64,
}

impl Redis {
    /// With so many jobs in it, and what an inject does to it.
    pub fn holding(jobs: u64, evicted: u64, filling: Option<Filling>, now: Duration) -> Self {
        let used = OTHER.saturating_add(jobs.saturating_mul(JOB)).min(MOST);
        let Some(filling) = filling else {
            return Self { used, most: MOST, policy: NO_EVICTION, evicted };
        };
        let wanted = (MOST as f64 * filling.share) as u64;
        let passed = now.saturating_sub(filling.since).as_secs_f64() / FILLS_IN.as_secs_f64();
        let more = wanted.saturating_sub(used) as f64 * passed.min(1.0);
        Self { used: (used + more as u64).min(MOST), most: MOST, policy: filling.policy, evicted }
    }

    /// Whether it throws keys away: it has too little memory, and its policy lets it.
    pub fn evicts(&self) -> bool {
        self.policy != NO_EVICTION && self.used as f64 >= TIGHT * self.most as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_fills_with_jobs_and_within_a_minute_to_what_an_inject_wants_and_never_beyond_its_memory() {
        let at = |seconds, jobs| {
            let since = Duration::from_secs(10);
            let filling = Filling { since, share: 0.97, policy: "allkeys-lru" };
            Redis::holding(jobs, 0, Some(filling), Duration::from_secs(seconds))
        };
        let calm = Redis::holding(0, 0, None, Duration::ZERO);
        assert_eq!((calm.used, calm.policy), (OTHER, NO_EVICTION));
        assert!(Redis::holding(1_000, 0, None, Duration::ZERO).used > calm.used);
        assert_eq!(at(10, 0).used, OTHER);
        assert!(at(40, 0).used > OTHER && at(40, 0).used < at(70, 0).used);
        assert_eq!((at(70, 0).used as f64 / MOST as f64 * 100.0).round(), 97.0);
        assert_eq!(at(70, 0), at(700, 0));
        assert!(at(70, 0).evicts() && !at(40, 0).evicts() && !calm.evicts());
        assert_eq!(at(70, u64::MAX / JOB / 2).used, MOST);
    }
}
