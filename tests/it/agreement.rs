//! A real Prometheus scrapes the simulated product; what it answers for each default signal, and what
//! gonogo works out itself over the same scrapes, are the same numbers.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gonogo::drill::{Product, Server, pace};
use gonogo::model::{SourceKind, Time, value};
use serde_json::Value;

use super::servers::{Prometheus, installed};

/// How long the server scrapes, once a second, before the answers are compared.
const SCRAPES: Duration = Duration::from_secs(12);

/// The product, free-running on a thread of its own; returns its address.
fn product() -> String {
    let (told, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let now = Time::from_millis(jiff::Timestamp::now().as_millisecond());
            let warm_up = Duration::from_mins(20);
            let mut product = Product::new(14, now.before(warm_up));
            product.advance_to(now);
            let product = Arc::new(Mutex::new(product));
            let server = Server::start(Arc::clone(&product), "127.0.0.1:0".parse().unwrap()).await.unwrap();
            told.send(server.addr().to_string()).unwrap();
            pace(product, 1.0).await;
        });
    });
    address.recv().unwrap()
}

fn query(args: &[&str]) -> Value {
    let out = Command::new(env!("CARGO_BIN_EXE_gonogo"))
        .arg("query")
        .args(args)
        .args(["--output", "json"])
        .output();
    let out = out.unwrap();
    serde_json::from_slice(&out.stdout)
        .unwrap_or_else(|e| panic!("{args:?}: {e}: {}", String::from_utf8_lossy(&out.stderr)))
}

/// The instant vector of an answer, by series.
fn vector(answer: &Value) -> BTreeMap<String, f64> {
    let series = answer["data"]["result"].as_array().unwrap_or_else(|| panic!("{answer}"));
    let of = |s: &Value| {
        (s["metric"].to_string(), s["value"][1].as_str().unwrap().replace("Inf", "inf").parse().unwrap())
    };
    series.iter().map(of).collect()
}

/// Every raw sample the server holds, as `OpenMetrics` with timestamps, and the last of those.
fn capture(server: &Prometheus) -> (String, f64) {
    let answer = server.api("query", &[("query", "{__name__=~\".+\"}[15m]")]);
    let (mut text, mut latest) = (String::new(), 0.0_f64);
    for series in answer["data"]["result"].as_array().unwrap() {
        let labels = series["metric"].as_object().unwrap();
        let name = labels["__name__"].as_str().unwrap();
        let rest: Vec<String> =
            labels.iter().filter(|(n, _)| *n != "__name__").map(|(n, v)| format!("{n}={v}")).collect();
        for sample in series["values"].as_array().unwrap() {
            latest = latest.max(sample[0].as_f64().unwrap());
            let _ =
                writeln!(text, "{name}{{{}}} {} {}", rest.join(","), sample[1].as_str().unwrap(), sample[0]);
        }
    }
    (text + "# EOF\n", latest)
}

/// A moment some seconds before the capture was taken, in the middle of the longest stretch without a
/// sample: the server may scrape again at any time, but not in the past.
fn quiet_moment(server: &Prometheus, latest: f64) -> f64 {
    let answer = server.api("query", &[("query", "up[15m]"), ("time", &latest.to_string())]);
    let series = answer["data"]["result"].as_array().unwrap();
    let mut times: Vec<f64> = series
        .iter()
        .flat_map(|series| series["values"].as_array().unwrap())
        .map(|sample| sample[0].as_f64().unwrap())
        .filter(|time| (latest - 4.5..latest - 2.0).contains(time))
        .collect();
    times.sort_by(f64::total_cmp);
    let quiet = times.windows(2).max_by(|a, b| (a[1] - a[0]).total_cmp(&(b[1] - b[0]))).unwrap();
    assert!(quiet[1] - quiet[0] > 0.01, "no quiet moment among {times:?}");
    (f64::midpoint(quiet[0], quiet[1]) * 1000.0).round() / 1000.0
}

#[test]
fn a_real_prometheus_and_the_local_evaluation_agree_on_every_default_signal() {
    if !installed("prometheus") {
        return;
    }
    let address = product();
    let job = |name: &str| {
        format!(
            "- job_name: {name}\n  metrics_path: /{name}/metrics\n  scrape_interval: 1s\n  \
             static_configs: [{{targets: ['{address}'], labels: {{service: {name}}}}}]\n"
        )
    };
    let server = Prometheus::start(
        &format!("scrape_configs:\n{}{}{}", job("worker"), job("api"), job("identity")),
        None,
    );
    std::thread::sleep(SCRAPES);
    let file = tempfile::NamedTempFile::new().unwrap();
    let (text, latest) = capture(&server);
    let moment = quiet_moment(&server, latest);
    std::fs::write(file.path(), text).unwrap();
    let file = file.path().to_str().unwrap();
    let at = value::text(moment);

    let (launch, _) = gonogo::settings::parse(
        "config/demo.toml",
        include_str!("../../config/demo.toml"),
        std::path::Path::new("config"),
        Some(("list", include_str!("../../checklists/tasks-launch.toml"))),
    )
    .unwrap();
    let mut compared = 0;
    let mut filled = 0;
    for signal in &launch.signals {
        let source = launch.source(&signal.source).unwrap();
        assert!(matches!(source.kind, SourceKind::Scrape { .. }));
        let theirs = query(&[&signal.query, "--url", &server.url, "--time", &at]);
        let ours = query(&[&signal.query, "--file", file, "--time", &at]);
        let (theirs, ours) = (vector(&theirs), vector(&ours));
        let same = |a: &f64, b: &f64| {
            a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
        };
        let by_value = |vector: &BTreeMap<String, f64>| {
            let mut values: Vec<f64> = vector.values().copied().collect();
            values.sort_by(f64::total_cmp);
            values
        };
        // Of series that are equal to the last bit but one, `topk` may take either.
        let differ = !theirs.keys().eq(ours.keys());
        let tied = differ && signal.query.starts_with("topk") && theirs.len() == ours.len() && {
            let (theirs, ours) = (by_value(&theirs), by_value(&ours));
            theirs.iter().zip(&ours).all(|(a, b)| same(a, b))
        };
        assert!(!differ || tied, "{}: {theirs:?} and {ours:?}", signal.query);
        for (series, theirs) in &theirs {
            let ours = ours.get(series).filter(|_| !tied);
            assert!(
                ours.is_none_or(|ours| same(theirs, ours)),
                "{} {series}: {theirs} and {ours:?}",
                signal.query
            );
        }
        compared += 1;
        filled += usize::from(!theirs.is_empty());
    }
    println!("{compared} signals agree, {filled} of them with series");
    assert!(filled * 4 >= compared * 3, "only {filled} of {compared} signals have series");
}
