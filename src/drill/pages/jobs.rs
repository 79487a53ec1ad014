//! The part of `/worker/metrics` that tells who works the queues, and what became of jobs that nobody
//! could work off.

use super::super::exposition::Family;
use super::super::product::Product;

/// Replicas of the billing worker.
const BILLING: f64 = 2.0;

/// The families.
pub fn families(product: &Product) -> [Family; 3] {
    let queue = |queue| [("queue", queue)];
    [
        Family::gauge("tasks_queue_replicas", "Worker processes that are connected to a queue.")
            .value(queue("tasks"), f64::from(product.replicas().1))
            .value(queue("billing"), BILLING),
        Family::counter(
            "tasks_jobs_stalled_total",
            "Jobs whose worker died and that others took up, by queue.",
        )
        .count(queue("tasks"), product.surroundings.stalled)
        .count(queue("billing"), 0),
        Family::gauge(
            "tasks_dead_letter_jobs",
            "Jobs that were given up as poison and wait for a person, by queue.",
        )
        .value(queue("tasks"), product.dead_letters() as f64)
        .value(queue("billing"), 0.0),
    ]
}
