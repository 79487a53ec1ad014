//! The alerting rules of the simulated product, evaluated by the simulation on its own state, each
//! with a `for` of its own, as a Prometheus server would.

use std::collections::VecDeque;
use std::time::Duration;

use super::product::Product;
use super::traffic::TASKS;

/// The time between two evaluations.
pub const EVERY: Duration = Duration::from_secs(5);

/// How far back the rule on errors looks.
const WINDOW: Duration = Duration::from_mins(1);

/// One alerting rule.
#[derive(Debug)]
pub struct Rule {
    /// The name of its alerts.
    pub name: &'static str,
    /// What a server would evaluate.
    pub query: &'static str,
    /// How long its condition must hold.
    pub hold: Duration,
    /// `page`, `ticket`, `none`.
    pub severity: &'static str,
    /// The label of the series it is about.
    pub about: (&'static str, &'static str),
    /// What it says of itself.
    pub summary: &'static str,
    /// The name of its runbook, where there is one.
    pub runbook: Option<&'static str>,
}

/// All rules, in the order in which they are told.
pub const RULES: [Rule; 6] = [
    Rule {
        name: "Watchdog",
        query: "vector(1)",
        hold: Duration::ZERO,
        severity: "none",
        about: ("team", "sre"),
        summary: "Always fires: while it is there, alerts come through",
        runbook: None,
    },
    Rule {
        name: "TasksQueueDepthHigh",
        query: "max by (queue) (tasks_queue_depth{state=\"waiting\"}) > 300",
        hold: Duration::from_secs(60),
        severity: "page",
        about: ("queue", "tasks"),
        summary: "More than 300 jobs wait in the tasks queue",
        runbook: Some("queue-stalled"),
    },
    Rule {
        name: "TasksQueueOldestHigh",
        query: "time() - min by (queue) (tasks_queue_oldest_enqueued_timestamp_seconds > 0) > 15",
        hold: Duration::from_secs(60),
        severity: "page",
        about: ("queue", "tasks"),
        summary: "A job of the tasks queue waits for more than 15 s",
        runbook: Some("queue-stalled"),
    },
    Rule {
        name: "TasksApiErrorsHigh",
        query: "100 * sum by (service) (rate(http_requests_total{code=~\"5..\"}[1m])) / sum by (service) (rate(http_requests_total[1m])) > 2",
        hold: Duration::from_secs(30),
        severity: "page",
        about: ("service", "tasks"),
        summary: "More than 2 % of requests to the Tasks API fail",
        runbook: Some("error-spike"),
    },
    Rule {
        name: "TasksSyntheticLate",
        query: "time() - max by (queue) (tasks_synthetic_last_success_timestamp_seconds) > 180",
        hold: Duration::ZERO,
        severity: "page",
        about: ("queue", "tasks"),
        summary: "No synthetic task was finished for three minutes",
        runbook: Some("queue-stalled"),
    },
    Rule {
        name: "TasksEscalationsOpen",
        query: "sum by (product) (support_escalations_open{severity=\"high\"}) > 0",
        hold: Duration::ZERO,
        severity: "ticket",
        about: ("product", "tasks"),
        summary: "Customers have escalated cases about Tasks",
        runbook: None,
    },
];

/// How a rule stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standing {
    /// Since when its condition holds.
    pub active: Option<Duration>,
    /// The value of its expression then.
    pub value: f64,
}

impl Standing {
    /// Whether its alert fires at this moment.
    pub fn fires(&self, rule: &Rule, now: Duration) -> bool {
        self.active.is_some_and(|since| now.saturating_sub(since) >= rule.hold)
    }
}

/// The rules with how they stood at the last evaluation.
#[derive(Debug, Default)]
pub struct Alerts {
    /// When that was.
    pub evaluated: Option<Duration>,
    /// One for each of [`RULES`].
    pub standing: [Standing; RULES.len()],
    /// Requests and failed ones of the tasks service at past evaluations.
    counted: VecDeque<(Duration, u64, u64)>,
}

impl Alerts {
    /// Evaluates every rule on the product at `now`.
    pub fn evaluate(&mut self, now: Duration, values: [Option<f64>; RULES.len()]) {
        self.evaluated = Some(now);
        for (standing, value) in self.standing.iter_mut().zip(values) {
            standing.active = value.map(|_| standing.active.unwrap_or(now));
            standing.value = value.unwrap_or_default();
        }
    }

    /// The share of failed requests in the last minute, in percent.
    pub fn error_percent(&mut self, now: Duration, total: u64, failed: u64) -> f64 {
        self.counted.push_back((now, total, failed));
        while self.counted.front().is_some_and(|(at, ..)| now.saturating_sub(*at) > WINDOW) {
            self.counted.pop_front();
        }
        let (_, old_total, old_failed) = self.counted.front().copied().unwrap_or((now, total, failed));
        let requests = total.saturating_sub(old_total);
        if requests == 0 { 0.0 } else { 100.0 * failed.saturating_sub(old_failed) as f64 / requests as f64 }
    }
}

/// The value of each rule's expression where its condition holds.
pub fn values(product: &Product, now: Duration, error_percent: f64) -> [Option<f64>; RULES.len()] {
    let above = |value: f64, limit: f64| (value > limit).then_some(value);
    let since = |at: Option<Duration>| at.map_or(0.0, |at| now.saturating_sub(at).as_secs_f64());
    [
        Some(1.0),
        above(product.tasks.depth() as f64, 300.0),
        above(since(product.tasks.oldest()), 15.0),
        above(error_percent, 2.0),
        above(since(product.synthetic), 180.0),
        above(f64::from(product.escalated()), 0.0),
    ]
}

/// Requests to the tasks service, and those that failed.
pub fn requests(product: &Product) -> (u64, u64) {
    let Some(service) = product.traffic.services.get(TASKS) else { return (0, 0) };
    let failed = service.counts().filter(|(.., code, _)| *code >= 500).map(|(.., count)| count).sum();
    (service.total(), failed)
}

#[cfg(test)]
mod tests {
    use super::super::{DEMO_SEED, DEMO_START};
    use super::*;

    fn at(minutes: u64, seconds: u64) -> Product {
        let mut product = Product::new(DEMO_SEED, DEMO_START);
        product.advance_to(DEMO_START.after(Duration::from_secs(minutes * 60 + seconds)));
        product
    }

    fn firing(product: &Product) -> Vec<&'static str> {
        let now = product.alerts.evaluated.unwrap();
        let all = RULES.iter().zip(&product.alerts.standing);
        all.filter(|(rule, standing)| standing.fires(rule, now)).map(|(rule, _)| rule.name).collect()
    }

    #[test]
    fn the_trouble_of_the_demo_is_pending_then_firing_then_resolved() {
        assert_eq!(firing(&at(20, 0)), ["Watchdog"]);
        let standing = |product: &Product| product.alerts.standing[3].active.is_some();
        let pending = at(28, 0);
        assert!(
            standing(&pending) && !firing(&pending).contains(&"TasksApiErrorsHigh"),
            "{:?}",
            firing(&pending)
        );
        assert!(firing(&at(29, 0)).contains(&"TasksApiErrorsHigh"));
        let over = firing(&at(38, 50));
        assert_eq!(over, ["Watchdog"]);
    }

    #[test]
    fn evaluations_do_not_depend_on_how_time_is_cut_into_steps() {
        let whole = at(28, 3);
        let mut cut = Product::new(DEMO_SEED, DEMO_START);
        for second in 0..=28 * 60 + 3 {
            cut.advance_to(DEMO_START.after(Duration::from_secs(second)));
        }
        assert_eq!(format!("{:?}", whole.alerts), format!("{:?}", cut.alerts));
    }
}
