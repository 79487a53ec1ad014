//! `/worker/metrics`: the queues and their jobs, as a Node worker exports them.

use super::super::exposition::Family;
use super::super::product::Product;
use super::super::queue::Queue;
use super::jobs;
use super::process::{self, Work};
use crate::model::Time;

/// All families of the page.
pub fn families(product: &Product) -> Vec<Family> {
    let queues = [("tasks", &product.tasks), ("billing", &product.billing)];
    let work = Work {
        done: queues.iter().map(|(_, queue)| queue.durations.count()).sum(),
        cost: 0.0042,
        held: queues.iter().map(|(_, queue)| queue.depth() as f64).sum(),
        mebibytes: 118.0,
        started: product.surroundings.worker_started,
    };
    let mut families = process::node(product, work);
    families.extend([depth(queues), oldest(queues, product), enqueued(queues), finished(queues)]);
    families.push(queues.into_iter().fold(
        Family::histogram("tasks_job_duration_seconds", "Duration of one attempt at a job, by queue."),
        |family, (name, queue)| family.observed([("queue", name)], &queue.durations),
    ));
    families.push(queues.into_iter().fold(
        Family::counter("tasks_jobs_retried_total", "Attempts that failed and were tried again, by queue."),
        |family, (name, queue)| family.count([("queue", name)], queue.retried),
    ));
    families.push(queues.into_iter().fold(
        Family::gauge("tasks_queue_workers", "Attempts that the running workers can make at the same time."),
        |family, (name, queue)| family.value([("queue", name)], f64::from(queue.workers)),
    ));
    families.extend(jobs::families(product));
    families.extend(product.synthetic.map(|at| {
        Family::gauge(
            "tasks_synthetic_last_success_timestamp_seconds",
            "When the synthetic task of each minute was last worked off.",
        )
        .value([("queue", "tasks")], whole_seconds(product.at(at)))
    }));
    families
}

type Queues<'a> = [(&'static str, &'a Queue); 2];

fn depth(queues: Queues<'_>) -> Family {
    let family = Family::gauge("tasks_queue_depth", "Jobs in a queue, by state.");
    queues.into_iter().fold(family, |family, (name, queue)| {
        let state = |state| [("queue", name), ("state", state)];
        family
            .value(state("waiting"), queue.depth() as f64)
            .value(state("active"), f64::from(queue.active))
            .value(state("delayed"), f64::from(queue.delayed))
            .value(state("failed"), queue.failed_kept() as f64)
    })
}

fn oldest(queues: Queues<'_>, product: &Product) -> Family {
    let family = Family::gauge(
        "tasks_queue_oldest_enqueued_timestamp_seconds",
        "Since when the job at the head of the queue has been waiting; 0 where none waits.",
    );
    queues.into_iter().fold(family, |family, (name, queue)| {
        let since = queue.oldest().map_or(0.0, |at| product.at(at).seconds());
        family.value([("queue", name)], since)
    })
}

fn enqueued(queues: Queues<'_>) -> Family {
    let family =
        Family::counter("tasks_jobs_enqueued_total", "Jobs put into a queue; a retry is no new job.");
    queues.into_iter().fold(family, |family, (name, queue)| family.count([("queue", name)], queue.enqueued))
}

fn finished(queues: Queues<'_>) -> Family {
    let family = Family::counter("tasks_jobs_finished_total", "Jobs that are done or given up, by outcome.");
    queues.into_iter().fold(family, |family, (name, queue)| {
        let outcome = |outcome| [("queue", name), ("outcome", outcome)];
        family.count(outcome("success"), queue.succeeded).count(outcome("failure"), queue.failed)
    })
}

fn whole_seconds(at: Time) -> f64 {
    at.seconds().floor()
}
