//! The same capture, the same expressions, the same answers as a real Prometheus.
//!
//! Debian's server is a Prometheus 2, which includes the left edge of a window and a sample that is
//! exactly five minutes old. The moments asked for lie so that no sample is on an edge.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gonogo::model::{Labels, Time, value};
use gonogo::promql::{self, EvalError, Expr, Matrix, Value};
use serde_json::Value as Json;

use super::capture::{Capture, START};
use crate::servers::{Prometheus, database};

/// Expressions that both must answer alike, one a line.
const EXPRESSIONS: &str = include_str!("../../data/promql/expressions.txt");

/// Milliseconds after the capture's start; samples lie within the first 900 ms of multiples of 15 s.
const MOMENTS: [i64; 5] = [1_807_941, 3_601_957, 5_408_357 + 1_000, 6_302_999, 7_243_913];

/// Series by their labels, in the order of the answer.
pub type Rows = Vec<(String, Vec<(i64, f64)>)>;
type Series = BTreeMap<String, Vec<(i64, f64)>>;

#[test]
fn every_expression_has_the_answer_of_a_real_prometheus() {
    let capture = Capture::seeded(14);
    let Some((_dir, data)) = database(&capture.text()) else { return };
    let server = Prometheus::start("", Some(&data));
    let history = capture.history();
    let expressions: Vec<&str> = EXPRESSIONS
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    assert!(expressions.len() >= 150, "{} expressions", expressions.len());

    let mut asked = 0;
    let mut empty = 0;
    let mut wrong = Vec::new();
    let mut fresh = BTreeSet::new();
    for text in expressions {
        let expr = Expr::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        fresh.extend(expr.freshness(&["queue", "service", "__name__"]));
        for moment in MOMENTS {
            let at = Time::from_millis(START + moment);
            let theirs = server.api("query", &[("query", text), ("time", &seconds(at))]);
            let ours = promql::instant(&expr, &history, at);
            asked += 1;
            empty += usize::from(matches!(&ours, Ok(Value::Vector(v)) if v.is_empty()));
            if let Err(difference) = compare(&theirs, ours.map(|value| flat(value, at)), nearly) {
                wrong.push(format!("{text} at {moment}: {difference}"));
            }
        }
        let (start, end) = (Time::from_millis(START + MOMENTS[1]), Time::from_millis(START + MOMENTS[4]));
        if !matches!(promql::instant(&expr, &history, end), Ok(Value::Matrix(_) | Value::String(_))) {
            let parameters =
                [("query", text), ("start", &*seconds(start)), ("end", &*seconds(end)), ("step", "105")];
            let theirs = server.api("query_range", &parameters);
            let ours = promql::range(&expr, &history, start, end, Duration::from_secs(105));
            if let Err(difference) = compare(&theirs, ours.map(named), nearly) {
                wrong.push(format!("{text} as a range: {difference}"));
            }
        }
    }
    for text in fresh {
        let answer = server
            .api("query", &[("query", &text), ("time", &seconds(Time::from_millis(START + MOMENTS[1])))]);
        if answer["status"] != "success" {
            wrong.push(format!("{text}: {}", answer["error"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {asked} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(empty * 5 <= asked, "{empty} of {asked} answers are empty");
    println!("{asked} answers compared, {empty} of them empty");
}

#[test]
fn what_prometheus_refuses_is_refused_at_a_place() {
    let refused = include_str!("../../data/promql/refused.txt");
    let server = crate::servers::installed("prometheus").then(|| Prometheus::start("", None));
    let mut asked = 0;
    for line in refused.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        // `expression  ~~  the part that is to blame`
        let (text, blamed) = line.split_once("  ~~  ").unwrap_or_else(|| panic!("{line}: no part to blame"));
        let error = Expr::parse(text).err().unwrap_or_else(|| panic!("{text}: was taken"));
        let part = text.get(error.offset..(error.offset + error.len).min(text.len())).unwrap();
        assert_eq!(part, blamed.trim_start_matches("END"), "{text}: {error}");
        if let Some(server) = &server {
            assert_eq!(
                server.api("query", &[("query", text)])["status"],
                "error",
                "{text}: taken by the server"
            );
        }
        asked += 1;
    }
    assert!(asked >= 60, "{asked}");
}

pub fn seconds(at: Time) -> String {
    format!("{}.{:03}", at.millis() / 1000, at.millis() % 1000)
}

pub fn named(matrix: Matrix) -> Rows {
    matrix
        .into_iter()
        .map(|(labels, points)| (key(&labels), points.into_iter().map(|(t, v)| (t.millis(), v)).collect()))
        .collect()
}

fn key(labels: &Labels) -> String {
    let pairs: BTreeMap<&str, &str> = labels.iter().collect();
    format!("{pairs:?}")
}

pub fn flat(value: Value, at: Time) -> Rows {
    match value {
        Value::Scalar(value) => vec![(String::new(), vec![(at.millis(), value)])],
        Value::String(text) => vec![(text, Vec::new())],
        Value::Vector(samples) => {
            samples.into_iter().map(|(labels, value)| (key(&labels), vec![(at.millis(), value)])).collect()
        }
        Value::Matrix(matrix) => named(matrix),
    }
}

/// What the server said, as series.
fn read(answer: &Json) -> Rows {
    let point = |pair: &Json| {
        let value = pair[1].as_str().unwrap();
        ((pair[0].as_f64().unwrap() * 1000.0).round() as i64, value.parse::<f64>().unwrap())
    };
    let key = |metric: &Json| {
        let pairs: BTreeMap<&str, &str> =
            metric.as_object().unwrap().iter().map(|(k, v)| (k.as_str(), v.as_str().unwrap())).collect();
        format!("{pairs:?}")
    };
    let result = &answer["data"]["result"];
    match answer["data"]["resultType"].as_str().unwrap() {
        "scalar" => vec![(String::new(), vec![point(result)])],
        "string" => vec![(result[1].as_str().unwrap().to_owned(), Vec::new())],
        "vector" => result
            .as_array()
            .unwrap()
            .iter()
            .map(|series| (key(&series["metric"]), vec![point(&series["value"])]))
            .collect(),
        _ => result
            .as_array()
            .unwrap()
            .iter()
            .map(|series| {
                (key(&series["metric"]), series["values"].as_array().unwrap().iter().map(point).collect())
            })
            .collect(),
    }
}

pub fn compare(
    theirs: &Json,
    ours: Result<Rows, EvalError>,
    nearly: fn(f64, f64) -> bool,
) -> Result<(), String> {
    let ours = match (theirs["status"].as_str(), ours) {
        (Some("success"), Ok(ours)) => ours,
        (Some("error"), Err(_)) => return Ok(()),
        (_, Ok(ours)) => return Err(format!("the server says {}, not {ours:?}", theirs["error"])),
        (_, Err(error)) => return Err(format!("refused: {error}; the server gives {}", theirs["data"])),
    };
    let theirs: Series = read(theirs).into_iter().collect();
    let count = ours.len();
    let ours: Series = ours.into_iter().collect();
    if count != ours.len() {
        return Err("the same series twice".into());
    }
    if !ours.keys().eq(theirs.keys()) {
        return Err(format!("series\n  ours   {:?}\n  theirs {:?}", ours.keys(), theirs.keys()));
    }
    for ((key, ours), theirs) in ours.iter().zip(theirs.values()) {
        let same = ours.len() == theirs.len()
            && ours.iter().zip(theirs).all(|(a, b)| a.0 == b.0 && nearly(a.1, b.1));
        if !same {
            let first = ours.iter().zip(theirs).find(|(a, b)| a.0 != b.0 || !nearly(a.1, b.1));
            let text = |p: &(i64, f64)| format!("{} at {}", value::text(p.1), p.0);
            return Err(format!(
                "{key}: {:?} of {} and {} points",
                first.map(|(a, b)| (text(a), text(b))),
                ours.len(),
                theirs.len()
            ));
        }
    }
    Ok(())
}

/// Equal to a part in 10¹⁰: sums are added up more exactly than Prometheus 2 does.
pub fn nearly(a: f64, b: f64) -> bool {
    a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-10 * a.abs().max(b.abs())
}

/// As [`nearly`], a little wider: what was computed from what was computed.
pub fn roughly(a: f64, b: f64) -> bool {
    nearly(a, b) || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}
