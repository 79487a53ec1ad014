//! `/redis/metrics`: the Redis that holds the queues, as `redis_exporter` tells of it.

use super::super::exposition::Family;
use super::super::product::Product;
use super::super::queue::Queue;
use super::process::{self, Work};

/// What a job takes in Redis with its payload, keys and lock, in bytes.
const JOB: f64 = 2560.0;
/// Finished jobs that a queue keeps.
const KEEP_COMPLETED: u64 = 10_000;

/// All families of the page; the exporter gives them no labels of their own.
pub fn families(product: &Product) -> Vec<Family> {
    let around = &product.surroundings;
    let used = around.redis_other as f64 + JOB * kept(product);
    let mut families = process::go(product, Work::EXPORTER);
    // The exporter names these after the fields of INFO.
    families.extend([
        Family::gauge("redis_up", "Information about the Redis instance").value([], 1.0),
        Family::gauge("redis_memory_used_bytes", "memory_used_bytes metric").value([], used.round()),
        Family::gauge("redis_memory_max_bytes", "memory_max_bytes metric").value([], around.redis_max as f64),
        Family::counter("redis_evicted_keys_total", "evicted_keys_total metric")
            .count([], around.redis_evicted),
        Family::gauge("redis_connected_clients", "connected_clients metric")
            .value([], f64::from(super::jobs::replicas(product)) * 6.0 + 11.0),
        Family::gauge("redis_instance_info", "Information about the Redis instance").value(
            [
                ("role", "master"),
                ("redis_version", "7.2.5"),
                ("redis_mode", "standalone"),
                ("os", "Linux 6.1.0 x86_64"),
                ("maxmemory_policy", around.redis_policy),
                ("tcp_port", "6379"),
            ],
            1.0,
        ),
    ]);
    families
}

fn kept(product: &Product) -> f64 {
    let of = |queue: &Queue| {
        queue.depth() as f64
            + f64::from(queue.active)
            + f64::from(queue.delayed)
            + queue.failed_kept() as f64
            + queue.succeeded.min(KEEP_COMPLETED) as f64
    };
    of(&product.tasks) + of(&product.billing)
}
