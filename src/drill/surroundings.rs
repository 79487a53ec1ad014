//! What stands around the product and does not come of its requests and jobs: Redis' limit, replicas
//! that died, probes, the audit log, delivery of pages. In calm nothing here moves; injects change it,
//! and the pages tell it.

use std::time::Duration;

const MIB: u64 = 1024 * 1024;

/// The state of the surroundings at a moment, from the start of the product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// The memory that Redis may use, in bytes; 0 is no limit.
    pub redis_max: u64,
    /// Memory of Redis that no job of this product holds, in bytes.
    pub redis_other: u64,
    /// What Redis does when it is full; anything but `noeviction` loses jobs.
    pub redis_policy: &'static str,
    /// Keys that Redis has thrown away.
    pub redis_evicted: u64,
    /// Replicas of the tasks worker that are gone although they should run.
    pub replicas_lost: u32,
    /// When the worker was started last; it is the start of the product where it never restarted.
    pub worker_started: Duration,
    /// Jobs of the tasks queue whose worker died and that others took up.
    pub stalled: u64,
    /// Jobs of the tasks queue that were given up as poison and wait for a person.
    pub dead_letters: u64,
    /// Whether a probe that asks for another tenant's task is refused.
    pub tenant_boundary: bool,
    /// Whether a probe that asks without having bought the product is refused.
    pub product_boundary: bool,
    /// Requests of the largest tenant that were denied beyond the usual.
    pub denials: u64,
    /// Impersonations that left no audit record.
    pub unaudited: u64,
    /// Switches of the organisation that failed.
    pub failed_switches: u64,
    /// Notifications that the pager did not take.
    pub undelivered: u64,
    /// Silences beside the one that is always there.
    pub silences: u32,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            redis_max: 512 * MIB,
            redis_other: 148 * MIB,
            redis_policy: "noeviction",
            redis_evicted: 0,
            replicas_lost: 0,
            worker_started: Duration::ZERO,
            stalled: 0,
            dead_letters: 0,
            tenant_boundary: true,
            product_boundary: true,
            denials: 0,
            unaudited: 0,
            failed_switches: 0,
            undelivered: 0,
            silences: 0,
        }
    }
}
