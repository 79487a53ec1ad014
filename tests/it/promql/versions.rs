//! Where Prometheus 2 and 3 differ, gonogo answers as 3 does. One table pins both.

use std::fmt::Write as _;
use std::time::Duration;

use gonogo::model::{Labels, Time};
use gonogo::promql::{self, Expr, History, Limits, Value};
use serde_json::Value as Json;

use crate::servers::{Prometheus, database};

/// A whole minute.
const START: i64 = 1_699_999_980_000;

/// Expression, answer of Prometheus 2, answer of Prometheus 3; values in the order of the series.
const TABLE: [(&str, &str, &str); 19] = [
    // A window is open at its left end.
    ("count_over_time(each_minute[5m])", "6", "5"),
    ("sum_over_time(each_minute[1m])", "190", "100"),
    ("rate(each_minute[1m])", "0.16666666666666666", ""),
    ("increase(each_minute[5m])", "50", "50"),
    ("count_over_time(each_minute[5m:1m])", "6", "5"),
    ("each_minute[1m]", "90 100", "100"),
    // A sample that is exactly as old as the lookback is too old.
    ("ended", "7", ""),
    ("absent(ended)", "", "1"),
    // A young counter is stretched by half a distance between samples at most.
    ("rate(young[20m])", "0.65", "0.6"),
    // A subquery is open at its left end.
    ("sum_over_time(vector(time())[3m:1m])", "6800001960", "5100001560"),
    // Sums and means lose nothing.
    ("sum(huge)", "0", "1"),
    ("avg_over_time(swings[10m])", "0", "0.2"),
    // One NaN deviates from itself by no number.
    ("stddev(lone)", "0", "NaN"),
    // Only where the name was kept does it match by name again.
    ("(lone atan2 lone) and on (__name__) lone", "NaN", ""),
    // A label's name may be any text.
    ("label_replace(young, \"not a name\", \"x\", \"\", \"\")", "error", "660"),
    ("label_join(young, \"not-a-name\", \"x\")", "error", "660"),
    // Too many to count is told apart from too few.
    ("bottomk(-Inf, young)", "error", "error"),
    // A dot matches a newline too.
    ("two_lines{text=~\"a.b\"}", "", "1"),
    ("two_lines{text!~\"a.b\"}", "1", ""),
];

fn series() -> Vec<(Labels, Vec<(i64, f64)>)> {
    let one = |pairs: &[(&str, &str)], samples: &[(i64, f64)]| {
        let samples = samples.iter().map(|(minute, value)| (START + minute * 60_000, *value)).collect();
        (Labels::from_pairs(pairs.iter().copied()), samples)
    };
    let minutes: Vec<(i64, f64)> = (0..=10).map(|i| (i, i as f64 * 10.0)).collect();
    let swings = [(6, 1e100), (7, 1.0), (8, -1e100), (9, 0.0), (10, 0.0)];
    vec![
        one(&[("__name__", "each_minute")], &minutes),
        one(&[("__name__", "ended")], &[(4, 7.0), (5, 7.0)]),
        one(&[("__name__", "huge"), ("i", "1")], &[(10, 1e100)]),
        one(&[("__name__", "huge"), ("i", "2")], &[(10, 1.0)]),
        one(&[("__name__", "huge"), ("i", "3")], &[(10, -1e100)]),
        one(&[("__name__", "swings")], &swings),
        one(&[("__name__", "lone")], &[(10, f64::NAN)]),
        one(&[("__name__", "young")], &[(0, 180.0), (4, 420.0), (8, 660.0)]),
        one(&[("__name__", "two_lines"), ("text", "a\nb")], &[(10, 1.0)]),
    ]
}

#[test]
fn where_prometheus_2_and_3_differ_the_answer_is_that_of_3() {
    let mut history = History::capture(Limits { keep: Duration::MAX, max_series: 100 });
    let mut text = String::new();
    for (labels, samples) in series() {
        for (time, value) in samples {
            assert!(history.push(&labels, Time::from_millis(time), value));
            writeln!(text, "{labels} {value} {}", time / 1000).unwrap();
        }
    }
    text.push_str("# EOF\n");
    let at = Time::from_millis(START + 600_000);
    for (text, _, ours) in TABLE {
        let value = promql::instant(&Expr::parse(text).unwrap(), &history, at);
        assert_eq!(value.map_or("error".into(), values), ours, "{text}");
    }
    let Some((_dir, data)) = database(&text) else { return };
    let server = Prometheus::start("", Some(&data));
    for (text, theirs, _) in TABLE {
        let answer = server.api("query", &[("query", text), ("time", &(at.millis() / 1000).to_string())]);
        assert_eq!(values_of(&answer), theirs, "{text}");
    }
    for (text, _) in [("5m", 300.0), ("0x1F * 1m", 1860.0)] {
        assert_eq!(server.api("query", &[("query", text)])["status"], "error", "{text}");
        assert!(Expr::parse(text).is_ok(), "{text}");
    }
}

fn values(value: Value) -> String {
    let numbers: Vec<String> = match value {
        Value::Vector(samples) => samples.iter().map(|(_, value)| value.to_string()).collect(),
        Value::Matrix(series) => series.iter().flat_map(|(_, p)| p.iter().map(|p| p.1.to_string())).collect(),
        other => panic!("{other:?}"),
    };
    numbers.join(" ")
}

fn values_of(answer: &Json) -> String {
    if answer["status"] == "error" {
        return "error".into();
    }
    let result = answer["data"]["result"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let numbers: Vec<&str> = result
        .iter()
        .flat_map(|series| match series["values"].as_array() {
            Some(points) => points.iter().map(|point| point[1].as_str().unwrap()).collect(),
            None => vec![series["value"][1].as_str().unwrap()],
        })
        .collect();
    numbers.join(" ")
}
