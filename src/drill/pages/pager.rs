//! `/alertmanager/metrics`: what an Alertmanager tells of itself: whether pages are delivered.

use std::time::Duration;

use super::super::exposition::Family;
use super::super::product::Product;
use super::process::{self, Work};

/// How often the watchdog's notification is sent again.
const AGAIN: Duration = Duration::from_mins(5);

/// All families of the page.
pub fn families(product: &Product) -> Vec<Family> {
    let around = &product.surroundings;
    let webhook = product.uptime().as_secs() / AGAIN.as_secs() + 1;
    let by = |integration| [("integration", integration)];
    let state = |state| [("state", state)];
    let mut families = process::go(product, Work::EXPORTER);
    families.extend([
        Family::counter("alertmanager_notifications_total", "The total number of attempted notifications.")
            // The test page of this morning, and those that did not arrive.
            .count(by("pagerduty"), 1 + around.undelivered)
            .count(by("webhook"), webhook),
        Family::counter(
            "alertmanager_notifications_failed_total",
            "The total number of failed notifications.",
        )
        .count(by("pagerduty"), around.undelivered)
        .count(by("webhook"), 0),
        Family::gauge("alertmanager_silences", "How many silences by state.")
            // One is always there: see `alert_pages`.
            .value(state("active"), 1.0 + product.injects.now.silenced.len() as f64)
            .value(state("expired"), 3.0)
            .value(state("pending"), 0.0),
    ]);
    families
}
