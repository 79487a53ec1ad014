//! A thousand expressions made up from the capture's own metrics and labels, each with the answer of a
//! real Prometheus; a difference is shrunk to the smallest expression that shows it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gonogo::model::Time;
use gonogo::promql::{self, Expr, History, Value};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::capture::{Capture, START};
use super::oracle::{self, compare, flat, named, seconds};
use crate::servers::{Line, Prometheus, database};

/// How many expressions are compared.
const EXPRESSIONS: usize = 1000;
/// Moments after the capture's start at which no sample lies on the edge of a window.
const MOMENTS: [i64; 2] = [3_601_957, 6_302_999];
const RANGE: (i64, i64, u64) = (4_801_957, 6_602_957, 300);

/// Metrics with the labels that tell their series apart.
const GAUGES: [Metric; 4] = [
    (
        "tasks_queue_depth",
        &[("queue", &["tasks", "billing", "mail"]), ("state", &["waiting", "delayed", "active"])],
    ),
    ("support_escalations_open", &[("product", &["tasks", "portal"]), ("severity", &["low", "high"])]),
    ("odd", &[("kind", &["nan", "inf", "negative"])]),
    ("up", &[("instance", &["a:80", "b:80", "c:80"])]),
];
const COUNTERS: [Metric; 5] = [
    ("tasks_jobs_finished_total", &[("queue", &["tasks", "billing"]), ("outcome", &["success", "failure"])]),
    (
        "http_requests_total",
        &[
            ("service", &["portal", "admin"]),
            ("code", &["200", "404", "500"]),
            ("tenant", &["acme", "globex", "initech"]),
        ],
    ),
    ("feature_flag_evaluations_total", &[("flag", &["bulk", "search"]), ("variant", &["on", "off"])]),
    ("identity_signins_total", &[("result", &["ok", "denied"])]),
    ("usage_events_total", &[("product", &["tasks", "portal"])]),
];

type Metric = (&'static str, &'static [(&'static str, &'static [&'static str])]);

/// A selector, and the labels to group by.
#[derive(Clone, Debug)]
struct Selected {
    text: String,
    label: &'static str,
}

fn selector(metrics: &'static [Metric]) -> impl Strategy<Value = Selected> {
    let modifier = prop_oneof![
        8 => Just(String::new()),
        1 => Just(" offset 7m".to_owned()),
        1 => Just(" offset -90s".to_owned()),
        1 => Just(format!(" @ {}.457", START / 1000 + 4000)),
    ];
    let metric = prop::sample::select(metrics);
    (metric, 0..7usize, any::<prop::sample::Index>(), any::<prop::sample::Index>(), modifier).prop_map(
        |((name, labels), kind, label, value, modifier)| {
            let (label, values) = labels[label.index(labels.len())];
            let value = values[value.index(values.len())];
            let matchers = match kind {
                0 => format!("{{{label}=\"{value}\"}}"),
                1 => format!("{{{label}!=\"{value}\"}}"),
                2 => format!("{{{label}=~\"{}.*\"}}", &value[..1]),
                3 => format!("{{{label}!~\"{value}|x\"}}"),
                // `large` and `tiny` differ in the last digits with how sums are made.
                _ if name == "odd" => "{kind=~\"nan|inf|negative\"}".to_owned(),
                _ => String::new(),
            };
            let matchers =
                if name == "odd" && matches!(kind, 1 | 3) { "{kind=\"negative\"}".into() } else { matchers };
            Selected { text: format!("{name}{matchers}§{modifier}"), label }
        },
    )
}

impl Selected {
    fn instant(&self) -> String {
        self.text.replace('§', "")
    }

    fn range(&self, range: &str) -> String {
        self.text.replace('§', &format!("[{range}]"))
    }
}

fn any_selector() -> impl Strategy<Value = Selected> {
    prop_oneof![selector(&GAUGES), selector(&COUNTERS)]
}

/// A function of a range over a selector, and the label to group by.
fn ranged() -> impl Strategy<Value = (String, &'static str)> {
    let range = prop::sample::select(&["2m", "5m", "17m", "1h"][..]);
    let over = prop::sample::select(
        &["avg", "min", "max", "sum", "count", "last", "present", "stddev", "stdvar"][..],
    );
    let rates = prop::sample::select(&["rate", "increase", "irate", "resets", "changes"][..]);
    let trends = prop::sample::select(&["delta", "idelta", "deriv"][..]);
    prop_oneof![
        (selector(&COUNTERS), range.clone(), rates)
            .prop_map(|(s, range, f)| (format!("{f}({})", s.range(range)), s.label)),
        (any_selector(), range.clone(), over)
            .prop_map(|(s, range, f)| (format!("{f}_over_time({})", s.range(range)), s.label)),
        (selector(&GAUGES), range.clone(), trends)
            .prop_map(|(s, range, f)| (format!("{f}({})", s.range(range)), s.label)),
        (selector(&GAUGES), range.clone(), 0..11u8)
            .prop_map(|(s, range, q)| (format!("quantile_over_time(0.{q}, {})", s.range(range)), s.label)),
        (selector(&GAUGES), range.clone())
            .prop_map(|(s, range)| (format!("predict_linear({}, 600)", unpinned(&s.range(range))), s.label)),
        (any_selector(), prop::sample::select(&["30m:1m", "20m:30s", "1h:"][..]))
            .prop_map(|(s, range)| (format!("max_over_time({})", s.range(range)), s.label)),
        (selector(&COUNTERS), range)
            .prop_map(|(s, range)| (format!("min_over_time(rate({})[10m:1m])", s.range(range)), s.label)),
    ]
}

/// Without `@`: over a pinned range a Prometheus 2 gives `predict_linear` at the first step only.
fn unpinned(range: &str) -> &str {
    range.split(" @ ").next().unwrap()
}

fn vector() -> impl Strategy<Value = String> {
    let aggregation =
        prop::sample::select(&["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"][..]);
    let grouping = prop::sample::select(&["by", "without"][..]);
    let either = prop_oneof![any_selector().prop_map(|s| (s.instant(), s.label)), ranged()];
    let grouped = (aggregation, grouping, either, any::<bool>()).prop_map(|(op, by, (inner, label), all)| {
        // Of one NaN the two versions have different deviations: see the table of versions.
        let op = if inner.contains("odd{") && op.starts_with("std") { "max" } else { op };
        if all { format!("{op}({inner})") } else { format!("{op} {by} ({label}) ({inner})") }
    });
    let plain = any_selector().prop_map(|s| s.instant());
    let mapped = (
        prop::sample::select(
            &[
                "abs",
                "ceil",
                "floor",
                "round",
                "sgn",
                "sqrt",
                "exp",
                "ln",
                "log2",
                "log10",
                "sin",
                "cosh",
                "atan",
                "deg",
                "timestamp",
                "sort",
                "sort_desc",
                "-",
            ][..],
        ),
        any_selector(),
    )
        .prop_map(|(f, s)| format!("{f}({})", s.instant()));
    let picked = (
        prop::sample::select(&["topk(2,", "bottomk(3,", "quantile(0.7,", "count_values(\"v\","][..]),
        selector(&COUNTERS),
        grouping_by(),
    )
        .prop_map(|(f, s, by)| {
            if by {
                format!("{f} {}) by ({})", s.instant(), s.label)
            } else {
                format!("{f} {})", s.instant())
            }
        });
    let histogram = (1..10u8, prop::sample::select(&["2m", "5m", "30m"][..]), any::<bool>()).prop_map(
        |(q, range, sum)| {
            let rate = format!("rate(http_request_duration_seconds_bucket[{range}])");
            if sum {
                format!("histogram_quantile(0.{q}, sum by (le) ({rate}))")
            } else {
                format!("histogram_quantile(0.{q}, {rate})")
            }
        },
    );
    let labels = any_selector().prop_map(|s| {
        format!("label_join(label_replace({}, \"to\", \"<$1>\", \"{}\", \"(.).*\"), \"j\", \"-\", \"to\", \"job\")", s.instant(), s.label)
    });
    let absent =
        any_selector().prop_map(|s| format!("absent({}) or absent(nothing{{a=\"b\"}})", s.instant()));
    prop_oneof![4 => grouped, 2 => plain, 4 => ranged().prop_map(|(text, _)| text), 2 => mapped, 2 => picked, 2 => histogram, 1 => labels, 1 => absent]
}

fn grouping_by() -> impl Strategy<Value = bool> {
    any::<bool>()
}

fn expression() -> impl Strategy<Value = String> {
    let arithmetic = prop::sample::select(&["+", "*", "/", "^", "%"][..]);
    let comparison = prop::sample::select(&[">", "<", ">=", "<=", "!=", "== bool", "> bool"][..]);
    let scalars =
        prop::sample::select(&["2", "0.5", "10.5", "-3", "0", "time()", "scalar(up{instance=\"a:80\"})"][..]);
    let matched =
        (any_selector(), prop::sample::select(&["+", "*", ">", "<= bool", "and", "or", "unless"][..]))
            .prop_map(|(s, op)| match op {
                "and" | "or" | "unless" => format!("{} {op} on ({}) {}", s.instant(), s.label, s.instant()),
                op => format!("{} {op} ignoring (job) {}", s.instant(), s.instant()),
            });
    let many = (selector(&COUNTERS), prop::sample::select(&["/", "*", "+"][..])).prop_map(|(s, op)| {
        format!("{0} {op} on ({1}) group_left () sum by ({1}) ({0})", s.instant(), s.label)
    });
    let shares = (ranged(), prop::sample::select(&["/", "+"][..])).prop_map(|((text, label), op)| {
        format!("sum by ({label}) ({text}) {op} ignoring ({label}) group_left sum({text})")
    });
    prop_oneof![
        6 => vector(),
        2 => (vector(), arithmetic, scalars.clone()).prop_map(|(v, op, s)| format!("({v}) {op} {s}")),
        2 => (any_selector(), comparison, scalars).prop_map(|(v, op, s)| format!("{} {op} {s}", v.instant())),
        2 => matched,
        2 => many,
        1 => shares,
    ]
}

#[test]
fn a_thousand_generated_expressions_have_the_answers_of_a_real_prometheus() {
    let capture = Capture::seeded(23);
    let Some((_dir, data)) = database(&capture.text()) else { return };
    let server = Prometheus::start("", Some(&data));
    let history = capture.history();
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config { failure_persistence: None, ..Config::default() }, rng);
    let strategy = expression();
    let mut trees: Vec<_> = (0..EXPRESSIONS).map(|_| strategy.new_tree(&mut runner).unwrap()).collect();
    let texts: Vec<String> = trees.iter().map(ValueTree::current).collect();
    let (next, filled) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut line = server.line();
                while let Some((i, text)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|i| Some((i, texts.get(i)?)))
                {
                    match differs(text, &history, &mut line) {
                        Ok(answers) => drop(filled.fetch_add(answers, Ordering::Relaxed)),
                        Err(difference) => wrong.lock().unwrap().push((i, difference)),
                    }
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    let mut line = server.line();
    let smallest: Vec<String> = wrong
        .iter()
        .take(8)
        .map(|(i, first)| {
            let tree = &mut trees[*i];
            let mut found = (tree.current(), first.clone());
            for _ in 0..200 {
                let moved = match differs(&tree.current(), &history, &mut line) {
                    Err(difference) => {
                        found = (tree.current(), difference);
                        tree.simplify()
                    }
                    Ok(_) => tree.complicate(),
                };
                if !moved {
                    break;
                }
            }
            format!("{}: {}", found.0, found.1)
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {EXPRESSIONS} differ, the smallest:\n{}",
        wrong.len(),
        smallest.join("\n")
    );
    let (filled, asked) = (filled.into_inner(), EXPRESSIONS * (MOMENTS.len() + 1));
    println!("{EXPRESSIONS} expressions, {asked} answers, {filled} of them not empty");
    assert!(filled * 10 >= asked * 8, "only {filled} of {asked} answers are not empty");
}

/// Compares at each moment and as a range; how many answers were not empty.
fn differs(text: &str, history: &History, line: &mut Line) -> Result<usize, String> {
    let expr = Expr::parse(text).map_err(|error| format!("refused: {error}"))?;
    let mut filled = 0;
    for moment in MOMENTS {
        let at = Time::from_millis(START + moment);
        let theirs = line.api("query", &[("query", text), ("time", &seconds(at))]);
        let ours = promql::instant(&expr, history, at);
        filled += usize::from(!matches!(&ours, Ok(Value::Vector(v)) if v.is_empty()));
        compare(&theirs, ours.map(|value| flat(value, at)), oracle::roughly)
            .map_err(|difference| format!("at {moment}: {difference}"))?;
    }
    let (start, end) = (Time::from_millis(START + RANGE.0), Time::from_millis(START + RANGE.1));
    let theirs = line.api(
        "query_range",
        &[
            ("query", text),
            ("start", &seconds(start)),
            ("end", &seconds(end)),
            ("step", &RANGE.2.to_string()),
        ],
    );
    let ours = promql::range(&expr, history, start, end, Duration::from_secs(RANGE.2));
    filled += usize::from(!matches!(&ours, Ok(matrix) if matrix.is_empty()));
    compare(&theirs, ours.map(named), oracle::roughly)
        .map_err(|difference| format!("as a range: {difference}"))?;
    Ok(filled)
}
