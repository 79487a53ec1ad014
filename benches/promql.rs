//! What it costs to evaluate signals over a history: the goal stands beside each number.
//!
//! A tick is what a scrape source does after each scrape: every signal, and how old the samples behind
//! each of its rows are.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

use std::hint::black_box;
use std::time::Duration;

use gonogo::model::{Board, Labels, SignalDef, Time, Unit};
use gonogo::promql::{self, Expr, History, Limits};
use gonogo::sources::scrape::Signals;

const START: i64 = 1_700_000_000_000;
const EVERY: Duration = Duration::from_secs(5);

/// Expressions of the default signals and of those that the presets give, in turn.
const SIGNALS: [&str; 16] = [
    "max by (queue) (tasks_queue_depth{state=\"waiting\"})",
    "sum by (queue) (rate(tasks_jobs_finished_total[5m]))",
    "(time() - min by (queue) (tasks_queue_oldest_enqueued_timestamp_seconds > 0)) or 0 * max by (queue) (tasks_queue_depth{state=\"waiting\"} == 0)",
    "(sum by (queue)(rate(tasks_jobs_finished_total{outcome=\"failure\"}[5m])) or 0*sum by (queue)(rate(tasks_jobs_finished_total[5m]))) / sum by (queue)(rate(tasks_jobs_finished_total[5m]))",
    "sum by (service) (rate(http_requests_total[5m]))",
    "(sum by (service)(rate(http_requests_total{code=~\"5..\"}[5m])) or 0*sum by (service)(rate(http_requests_total[5m]))) / sum by (service)(rate(http_requests_total[5m]))",
    "histogram_quantile(0.95, sum by (service,le)(rate(http_request_duration_seconds_bucket[5m])))",
    "sum by (service) (rate(http_requests_total{code=~\"5..\"}[1h])) / sum by (service) (rate(http_requests_total[1h]))",
    "topk(5, sum by (tenant)(rate(http_requests_total{code=~\"5..\"}[5m])))",
    "100*sum by (flag,variant)(rate(feature_flag_evaluations_total[5m])) / ignoring(variant) group_left sum by (flag)(rate(feature_flag_evaluations_total[5m]))",
    "sum by (queue)(resets(tasks_jobs_finished_total[15m]))",
    "sum by (job)(up) / count by (job)(up)",
    "histogram_quantile(0.99, sum by (service,le)(rate(http_request_duration_seconds_bucket[5m])))",
    "sum by (queue) (rate(tasks_jobs_finished_total{outcome=\"success\"}[5m])) - sum by (queue) (rate(tasks_jobs_finished_total{outcome=\"failure\"}[5m]))",
    "max_over_time(sum(tasks_queue_depth{state=\"waiting\"})[10m:1m])",
    "sum(increase(http_requests_total{code=\"503\"}[15m]))",
];

/// The labels of about `count` series of a product of six services.
fn series(count: usize) -> Vec<Labels> {
    let mut all = Vec::new();
    let mut add = |pairs: &[(&str, &str)]| {
        let own = [("job", "tasks"), ("instance", "worker-7f6d9:9100")];
        all.push(Labels::from_pairs(pairs.iter().chain(&own).copied()));
    };
    let scaled = |parts: usize| (count * parts / 200).max(1);
    for i in 0..scaled(10) {
        let (queue, state) = (format!("queue-{}", i / 4), ["waiting", "active", "delayed", "failed"][i % 4]);
        add(&[("__name__", "tasks_queue_depth"), ("queue", &queue), ("state", state)]);
    }
    for i in 0..scaled(5) {
        let queue = format!("queue-{i}");
        add(&[("__name__", "tasks_queue_oldest_enqueued_timestamp_seconds"), ("queue", &queue)]);
    }
    for i in 0..scaled(15) {
        let (queue, outcome) = (format!("queue-{}", i / 2), ["success", "failure"][i % 2]);
        add(&[("__name__", "tasks_jobs_finished_total"), ("queue", &queue), ("outcome", outcome)]);
    }
    for i in 0..scaled(60) {
        let (service, tenant) = (format!("service-{}", i % 6), format!("tenant-{}", i / 24));
        let code = ["200", "404", "500", "503"][i / 6 % 4];
        let labels = [("service", &*service), ("tenant", &*tenant), ("code", code)];
        add(&[&[("__name__", "http_requests_total")], &labels[..]].concat());
    }
    let bounds = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"];
    for i in 0..scaled(90) {
        let (service, path) = (format!("service-{}", i / 12 % 6), format!("/api/v1/things/{}", i / 72));
        let labels = [("service", &*service), ("path", &*path), ("le", bounds[i % 12])];
        add(&[&[("__name__", "http_request_duration_seconds_bucket")], &labels[..]].concat());
    }
    for i in 0..scaled(10) {
        let (flag, variant) = (format!("flag-{}", i / 2), ["on", "off"][i % 2]);
        add(&[("__name__", "feature_flag_evaluations_total"), ("flag", &flag), ("variant", variant)]);
    }
    for i in 0..scaled(10) {
        let pod = format!("pod-{i}");
        add(&[("__name__", "up"), ("pod", &pod)]);
    }
    all
}

/// A signal of a config.
fn def(i: usize) -> SignalDef {
    SignalDef {
        id: format!("signal-{i}").as_str().into(),
        board: Board::Queues,
        title: "bench".into(),
        source: "bench".into(),
        query: SIGNALS[i % SIGNALS.len()].into(),
        unit: Unit::None,
        warn: None,
        bad: None,
        max_age: Duration::from_secs(15),
        empty: None,
        infinite: None,
        nan: None,
    }
}

struct World {
    history: History,
    series: Vec<Labels>,
    signals: Signals,
    scrape: u32,
}

impl World {
    fn new(count: usize, seen: Duration, signals: usize) -> World {
        let series = series(count);
        let limits = Limits { keep: seen, max_series: 100_000 };
        let signal = |i: usize| {
            let expr = Expr::parse(SIGNALS[i % SIGNALS.len()]).expect("it parses");
            (def(i), expr)
        };
        let defs: Vec<_> = (0..signals).map(signal).collect();
        let mut world = World {
            history: History::new(limits),
            series,
            signals: Signals::new(defs.iter().map(|(def, expr)| (def, expr.clone()))),
            scrape: 0,
        };
        let scrapes = (seen.as_secs() + 300) / EVERY.as_secs();
        (0..scrapes).for_each(|_| world.scrape());
        world
    }

    fn now(&self) -> Time {
        Time::from_millis(START).after(EVERY * self.scrape)
    }

    fn scrape(&mut self) {
        self.scrape += 1;
        let now = self.now();
        let n = f64::from(self.scrape);
        let batch = self.series.iter().enumerate().map(|(i, labels)| {
            let value = if i % 97 == 0 { n % 100.0 } else { n * (1.0 + (i % 13) as f64) };
            (labels.clone(), value, None)
        });
        self.history.record(now, batch);
    }

    /// Evaluates every signal; returns how many rows there were.
    fn tick(&mut self) -> usize {
        let now = self.now();
        let mut round = self.signals.round(&self.history, now);
        let answers = std::iter::from_fn(|| round.next_answer(&[], None));
        answers.map(|answer| answer.result.map_or(0, |rows| rows.len())).sum()
    }

    /// Milliseconds of CPU of a tick and of a scrape's recording: the middle of many.
    fn cost(&mut self) -> (f64, f64) {
        let (mut ticks, mut records) = (Vec::new(), Vec::new());
        for _ in 0..25 {
            let before = cpu();
            self.scrape();
            let between = cpu();
            assert!(black_box(self.tick()) >= 25, "signals have rows");
            records.push(between - before);
            ticks.push(cpu() - between);
        }
        ticks.sort_by(f64::total_cmp);
        records.sort_by(f64::total_cmp);
        (ticks[ticks.len() / 2], records[records.len() / 2])
    }
}

/// Milliseconds this thread has run for.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells it");
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).expect("it is a number") / 1e6
}

/// How cost grows with size: 1 is linear.
fn exponent(points: &[(f64, f64)]) -> f64 {
    let (first, last) = (points.first().expect("there are points"), points.last().expect("there are points"));
    (last.1 / first.1).ln() / (last.0 / first.0).ln()
}

fn curve(what: &str, points: &[(f64, f64)]) {
    let text: Vec<String> = points.iter().map(|(size, cost)| format!("{size}: {cost:.3} ms")).collect();
    println!(
        "  by {what}: {} — grows as its power {:.2} (goal: at most 1.1)",
        text.join(", "),
        exponent(points)
    );
}

fn main() {
    let hour = Duration::from_secs(3600);
    let (tick, record) = World::new(2000, hour, 50).cost();
    println!(
        "50 signals, 2,000 series, an hour of 5 s history: {tick:.2} ms of CPU a tick (goal: under 5 ms)"
    );
    println!("  recording the scrape before it: {record:.2} ms");
    let by_series: Vec<_> = [1000, 2000, 4000].map(|n| (n as f64, World::new(n, hour, 50).cost().0)).into();
    curve("series", &by_series);
    let by_history: Vec<_> = [3600, 7200, 14_400]
        .map(|s| (s as f64, World::new(2000, Duration::from_secs(s), 50).cost().0))
        .into();
    curve("seconds of history", &by_history);
    let by_signals: Vec<_> = [25, 50, 100].map(|n| (n as f64, World::new(2000, hour, n).cost().0)).into();
    curve("signals", &by_signals);

    let world = World::new(2000, hour, 1);
    let expr = Expr::parse("sum by (service) (rate(http_requests_total[5m]))").expect("it parses");
    let (end, start) = (world.now(), world.now().before(Duration::from_secs(3000)));
    let by_steps: Vec<_> = [50u32, 200, 800]
        .map(|steps| {
            let step = Duration::from_millis(3_000_000 / u64::from(steps));
            let mut costs: Vec<f64> = (0..5)
                .map(|_| {
                    let before = cpu();
                    black_box(promql::range(&expr, &world.history, start, end, step).expect("it evaluates"));
                    cpu() - before
                })
                .collect();
            costs.sort_by(f64::total_cmp);
            (f64::from(steps), costs[2])
        })
        .into();
    println!("a range over 600 series, 5 m windows:");
    curve("steps", &by_steps);
    let saved = world.history.save(&[0; 32]);
    println!("saved: {} bytes for {} series", saved.len(), world.history.series());
}
