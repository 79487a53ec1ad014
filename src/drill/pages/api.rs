//! `/api/metrics`: requests, flag evaluations, usage and support, as a Node gateway exports them.

use std::time::Duration;

use super::super::exposition::Family;
use super::super::product::Product;
use super::super::service::Service;
use super::super::tenants;
use super::super::traffic::IDENTITY;
use super::boundaries;
use super::process::{self, Work};

/// How long a request takes that is refused at the door.
const LOCKED_OUT_TAKES: Duration = Duration::from_millis(20);

/// All families of the page.
pub fn families(product: &Product) -> Vec<Family> {
    let services = product.traffic.services.get(..IDENTITY).unwrap_or_default();
    let work = Work {
        done: services.iter().map(Service::total).sum(),
        cost: 0.0019,
        held: product.rollout.taken_up(),
        mebibytes: 164.0,
        started: Duration::ZERO,
    };
    let mut families = process::node(product, work);
    families.extend(requests(services, tenants::locked_out(product.uptime())));
    families.extend([evaluations(product), usage(product), organisations(product), escalations(product)]);
    families.extend(boundaries::families(product));
    families
}

/// Counters and durations of requests; so many more than the tasks service was asked by others were
/// refused to the tenant that gets nothing but 403.
pub fn requests(services: &[Service], locked_out: u64) -> [Family; 2] {
    let mut total =
        Family::counter("http_requests_total", "Requests, by service, tenant, method and status code.");
    let mut durations =
        Family::histogram("http_request_duration_seconds", "Duration of requests, by service.");
    for service in services {
        for (tenant, method, code, count) in service.counts() {
            let code = code.to_string();
            let labels =
                [("service", service.name()), ("tenant", tenant), ("code", &*code), ("method", method)];
            total = total.count(labels, count);
        }
        let mut took = service.durations.clone();
        if service.name() == "tasks" {
            for (code, count) in [("200", 0), ("403", locked_out)] {
                let labels = [
                    ("service", "tasks"),
                    ("tenant", tenants::LOCKED_OUT),
                    ("code", code),
                    ("method", "GET"),
                ];
                total = total.count(labels, count);
            }
            (0..locked_out).for_each(|_| took.observe(LOCKED_OUT_TAKES));
        }
        durations = durations.observed([("service", service.name())], &took);
    }
    [total, durations]
}

fn evaluations(product: &Product) -> Family {
    let family =
        Family::counter("feature_flag_evaluations_total", "Answers to callers that asked for a flag.");
    product.rollout.evaluations().fold(family, |family, (flag, got)| {
        family
            .count([("flag", flag), ("variant", "on")], got.on)
            .count([("flag", flag), ("variant", "off")], got.off)
    })
}

fn usage(product: &Product) -> Family {
    let tally = &product.tally;
    let event = |product, event| [("product", product), ("event", event)];
    Family::counter("usage_events_total", "What customers did, by product.")
        .count(event("tasks", "task_created"), tally.tasks_created)
        .count(event("tasks", "task_changed"), tally.tasks_changed)
        .count(event("billing", "invoice_created"), tally.invoices)
        .count(event("billing", "payment_captured"), tally.payments)
}

fn organisations(product: &Product) -> Family {
    // 420 organisations; those with the flag use Tasks, nearly all see invoices.
    let tasks = (product.rollout.taken_up() * 4.2).round();
    Family::gauge("usage_active_organisations", "Organisations that used a product in the last hour.")
        .value([("product", "tasks")], tasks)
        .value([("product", "billing")], 388.0)
}

fn escalations(product: &Product) -> Family {
    let of = |product, severity| [("product", product), ("severity", severity)];
    Family::gauge("support_escalations_open", "Cases that customers have escalated and nobody has closed.")
        .value(of("tasks", "high"), f64::from(product.escalated()))
        .value(of("tasks", "low"), 1.0)
        .value(of("billing", "high"), 0.0)
        .value(of("billing", "low"), 1.0)
}
