//! A seeded capture of two hours with everything in it that makes evaluation hard: counter resets,
//! gaps, jitter, late and early ends, NaN, infinities, histograms good and bad.

use std::fmt::Write as _;
use std::time::Duration;

use fastrand::Rng;
use gonogo::model::{Labels, Time, value};
use gonogo::promql::{History, Limits};

/// The first scrape, in milliseconds.
pub const START: i64 = 1_700_000_000_000;
/// How long it lasts.
const LENGTH: i64 = 2 * 3600 * 1000;
/// The time between scrapes.
const EVERY: i64 = 15_000;

pub struct Capture {
    pub series: Vec<(Labels, Vec<(i64, f64)>)>,
}

/// How a series moves.
enum Moves {
    Gauge(f64, f64),
    Counter(f64),
    Constant(f64),
    Cycle(&'static [f64]),
    Clock(f64),
}

impl Capture {
    pub fn seeded(seed: u64) -> Capture {
        let mut rng = Rng::with_seed(seed);
        let mut capture = Capture { series: Vec::new() };
        for queue in ["tasks", "billing", "mail"] {
            for state in ["waiting", "delayed", "active"] {
                let moves = if queue == "mail" { Moves::Constant(0.0) } else { Moves::Gauge(40.0, 9.0) };
                capture.add(&mut rng, "tasks_queue_depth", &[("queue", queue), ("state", state)], &moves);
            }
            let oldest = if queue == "mail" { Moves::Constant(0.0) } else { Moves::Clock(35.0) };
            capture.add(
                &mut rng,
                "tasks_queue_oldest_enqueued_timestamp_seconds",
                &[("queue", queue)],
                &oldest,
            );
            capture.add(&mut rng, "tasks_jobs_enqueued_total", &[("queue", queue)], &Moves::Counter(30.0));
            for outcome in ["success", "failure"] {
                if (queue, outcome) != ("mail", "failure") {
                    let labels = [("queue", queue), ("outcome", outcome)];
                    capture.add(&mut rng, "tasks_jobs_finished_total", &labels, &Moves::Counter(14.0));
                }
            }
        }
        for service in ["portal", "admin"] {
            for code in ["200", "404", "500", "503"] {
                for tenant in ["acme", "globex", "initech", "umbrella"] {
                    if (service, code) != ("admin", "503") {
                        let labels = [("service", service), ("code", code), ("tenant", tenant)];
                        capture.add(&mut rng, "http_requests_total", &labels, &Moves::Counter(20.0));
                    }
                }
            }
            capture.histogram(&mut rng, "http_request_duration_seconds", &[("service", service)]);
        }
        for (flag, variant) in [("bulk", "on"), ("bulk", "off"), ("search", "on"), ("search", "off")] {
            let labels = [("flag", flag), ("variant", variant)];
            capture.add(&mut rng, "feature_flag_evaluations_total", &labels, &Moves::Counter(50.0));
        }
        for result in ["ok", "denied"] {
            capture.add(&mut rng, "identity_signins_total", &[("result", result)], &Moves::Counter(4.0));
            capture.add(
                &mut rng,
                "identity_token_requests_total",
                &[("result", result)],
                &Moves::Counter(9.0),
            );
        }
        capture.add(&mut rng, "tasks_synthetic_last_success_timestamp_seconds", &[], &Moves::Clock(61.0));
        for product in ["tasks", "portal"] {
            capture.add(&mut rng, "usage_events_total", &[("product", product)], &Moves::Counter(8.0));
            for severity in ["low", "high"] {
                let labels = [("product", product), ("severity", severity)];
                capture.add(&mut rng, "support_escalations_open", &labels, &Moves::Gauge(3.0, 1.0));
            }
        }
        for instance in ["a:80", "b:80", "c:80"] {
            let labels = [("job", "tasks"), ("instance", instance)];
            capture.add(&mut rng, "up", &labels, &Moves::Cycle(&[1.0, 1.0, 1.0, 0.0, 1.0]));
        }
        capture.odd(&mut rng);
        capture
    }

    fn odd(&mut self, rng: &mut Rng) {
        const NAN: f64 = f64::NAN;
        const INF: f64 = f64::INFINITY;
        let odd: [(&str, Moves); 7] = [
            ("nan", Moves::Cycle(&[1.0, NAN, 3.0, NAN, NAN])),
            ("all-nan", Moves::Constant(NAN)),
            ("inf", Moves::Cycle(&[1.0, INF, -2.0, 7.5])),
            ("both-inf", Moves::Cycle(&[INF, -INF, 0.5])),
            ("negative", Moves::Gauge(-200.0, 30.0)),
            ("tiny", Moves::Cycle(&[1e-300, 3e-300, -1e-300])),
            ("large", Moves::Cycle(&[1e17, 1.0, -1e17, 3.0])),
        ];
        for (kind, moves) in odd {
            self.add(rng, "odd", &[("kind", kind)], &moves);
        }
        self.add(rng, "gappy", &[("kind", "long")], &Moves::Gauge(5.0, 1.0));
        if let Some((_, samples)) = self.series.last_mut() {
            samples.retain(|(time, _)| (time - START) / 600_000 % 3 != 1);
        }
        self.add(rng, "gappy", &[("kind", "sparse")], &Moves::Counter(500.0));
        if let Some((_, samples)) = self.series.last_mut() {
            let mut i = 0;
            samples.retain(|_| {
                i += 1;
                i % 9 == 0
            });
        }
        self.add(rng, "gappy", &[("kind", "late")], &Moves::Counter(40.0));
        if let Some((_, samples)) = self.series.last_mut() {
            samples.retain(|(time, _)| *time > START + 80 * 60_000);
        }
        // Not counted upwards, a bucket missing at the top, a bound written twice, no number at all.
        for (le, count) in [("0.1", 5.0), ("0.5", 3.0), ("1", 9.0), ("1.0", 2.0), ("+Inf", 20.0)] {
            self.add(rng, "bad_bucket", &[("le", le), ("kind", "falling")], &Moves::Constant(count));
        }
        for le in ["0.1", "0.5", "1"] {
            self.add(rng, "bad_bucket", &[("le", le), ("kind", "no-inf")], &Moves::Counter(5.0));
        }
        for (le, count) in [("-2", 1.0), ("-1", 4.0), ("+Inf", 9.0)] {
            self.add(rng, "bad_bucket", &[("le", le), ("kind", "negative")], &Moves::Constant(count));
        }
        self.add(rng, "bad_bucket", &[("le", "+Inf"), ("kind", "one")], &Moves::Constant(3.0));
        self.add(rng, "bad_bucket", &[("le", "x"), ("kind", "text")], &Moves::Constant(3.0));
        for le in ["1", "+Inf"] {
            self.add(rng, "bad_bucket", &[("le", le), ("kind", "empty")], &Moves::Constant(0.0));
        }
    }

    fn histogram(&mut self, rng: &mut Rng, name: &str, labels: &[(&str, &str)]) {
        let times = times(rng);
        let bounds = ["0.005", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "+Inf"];
        let mut counts = [0.0; 8];
        let mut columns = vec![Vec::new(); 8];
        for time in times {
            if rng.f64() < 0.004 {
                counts = [0.0; 8];
            }
            for _ in 0..rng.u32(0..25) {
                let slowest = rng.usize(0..8).min(rng.usize(0..8));
                counts.iter_mut().skip(slowest).for_each(|count| *count += 1.0);
            }
            for (column, count) in columns.iter_mut().zip(counts) {
                column.push((time, count));
            }
        }
        for (le, column) in bounds.iter().zip(columns) {
            let mut pairs = labels.to_vec();
            pairs.push(("le", le));
            self.push(&format!("{name}_bucket"), &pairs, column);
        }
    }

    fn add(&mut self, rng: &mut Rng, name: &str, labels: &[(&str, &str)], moves: &Moves) {
        let mut total = 1000.0 * rng.f64();
        let samples = times(rng)
            .into_iter()
            .enumerate()
            .map(|(i, time)| {
                let value = match moves {
                    Moves::Gauge(middle, spread) => middle + spread * (rng.f64() - 0.5) * 2.0,
                    Moves::Constant(value) => *value,
                    Moves::Cycle(values) => values[i % values.len()],
                    Moves::Clock(behind) => ((time as f64 / 1000.0 - behind * rng.f64()) * 8.0).floor() / 8.0,
                    Moves::Counter(step) => {
                        total += (step * rng.f64()).floor();
                        if rng.f64() < 0.006 {
                            total = (step * rng.f64()).floor();
                        }
                        total
                    }
                };
                (time, value)
            })
            .collect();
        self.push(name, labels, samples);
    }

    fn push(&mut self, name: &str, labels: &[(&str, &str)], samples: Vec<(i64, f64)>) {
        let mut pairs = vec![("__name__", name), ("job", "tasks"), ("instance", "worker:9100")];
        pairs.extend(labels);
        self.series.push((Labels::from_pairs(pairs), samples));
    }

    /// As `OpenMetrics` text.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for (labels, samples) in &self.series {
            for (time, sample) in samples {
                let _ = writeln!(out, "{labels} {} {}.{:03}", value::text(*sample), time / 1000, time % 1000);
            }
        }
        out.push_str("# EOF\n");
        out
    }

    pub fn history(&self) -> History {
        let mut history = History::capture(Limits { keep: Duration::MAX, max_series: 10_000 });
        for (labels, samples) in &self.series {
            for (time, sample) in samples {
                assert!(history.push(labels, Time::from_millis(*time), *sample));
            }
        }
        history
    }
}

/// Scrape times with jitter, and one in fifty missing.
fn times(rng: &mut Rng) -> Vec<i64> {
    (0..LENGTH / EVERY)
        .filter_map(|i| {
            let time = START + i * EVERY + rng.i64(0..900);
            (rng.f64() > 0.02).then_some(time)
        })
        .collect()
}
