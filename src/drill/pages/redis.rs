//! `/redis/metrics`: the Redis that holds the queues, as `redis_exporter` tells of it.

use super::super::exposition::Family;
use super::super::product::Product;
use super::process::{self, Work};

/// All families of the page; the exporter gives them no labels of their own.
pub fn families(product: &Product) -> Vec<Family> {
    let redis = product.redis();
    let mut families = process::go(product, Work::EXPORTER);
    // The exporter names these after the fields of INFO.
    families.extend([
        Family::gauge("redis_up", "Information about the Redis instance").value([], 1.0),
        Family::gauge("redis_memory_used_bytes", "memory_used_bytes metric").value([], redis.used as f64),
        Family::gauge("redis_memory_max_bytes", "memory_max_bytes metric").value([], redis.most as f64),
        Family::counter("redis_evicted_keys_total", "evicted_keys_total metric").count([], redis.evicted),
        Family::gauge("redis_connected_clients", "connected_clients metric")
            .value([], f64::from(product.replicas().1) * 6.0 + 11.0),
        Family::gauge("redis_instance_info", "Information about the Redis instance").value(
            [
                ("role", "master"),
                ("redis_version", "7.2.5"),
                ("redis_mode", "standalone"),
                ("os", "Linux 6.1.0 x86_64"),
                ("maxmemory_policy", redis.policy),
                ("tcp_port", "6379"),
            ],
            1.0,
        ),
    ]);
    families
}
