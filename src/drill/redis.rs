//! The Redis that holds the queues: how full it is.

use std::time::Duration;

use super::strengths::Filling;

/// How much memory it may use: 4 GiB.
const MOST: u64 = 4 << 30;
/// What it uses with no job in it.
const EMPTY: u64 = 1_180 << 20;
/// What a job that waits, is retried or is kept costs.
const JOB: u64 = 6 << 10;
/// What an inject wants is there after so long.
const FILLS_IN: Duration = Duration::from_secs(60);

/// The memory of Redis at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redis {
    /// Bytes in use.
    pub used: u64,
    /// The most it may use.
    pub most: u64,
    /// What it does when it has no more.
    pub policy: &'static str,
}

impl Redis {
    /// With so many jobs in it, and what an inject does to it.
    pub fn holding(jobs: u64, filling: Option<Filling>, now: Duration) -> Self {
        let used = EMPTY.saturating_add(jobs.saturating_mul(JOB)).min(MOST);
        let Some(filling) = filling else { return Self { used, most: MOST, policy: "noeviction" } };
        let wanted = (MOST as f64 * filling.share) as u64;
        let passed = now.saturating_sub(filling.since).as_secs_f64() / FILLS_IN.as_secs_f64();
        let more = wanted.saturating_sub(used) as f64 * passed.min(1.0);
        Self { used: (used + more as u64).min(MOST), most: MOST, policy: filling.policy }
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
            Redis::holding(jobs, Some(filling), Duration::from_secs(seconds))
        };
        let calm = Redis::holding(0, None, Duration::ZERO);
        assert_eq!((calm.used, calm.policy), (EMPTY, "noeviction"));
        assert!(Redis::holding(1_000, None, Duration::ZERO).used > calm.used);
        assert_eq!(at(10, 0).used, EMPTY);
        assert!(at(40, 0).used > EMPTY && at(40, 0).used < at(70, 0).used);
        assert_eq!((at(70, 0).used as f64 / MOST as f64 * 100.0).round(), 97.0);
        assert_eq!(at(70, 0), at(700, 0));
        assert_eq!(at(70, u64::MAX / JOB / 2).used, MOST);
    }
}
