//! Every preset on what its exporter really sends.
//!
//! A fixture holds two scrapes, five minutes apart; between them every number goes in a straight line, so
//! that what a rate must be can be worked out by hand. The answers beside it are such numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::process::Stdio;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use gonogo::http::Client;
use gonogo::model::{Labels, Point, SignalDef, SourceDef, SourceKind, Time, value};
use gonogo::promql::{self, Expr, Filter, History, Limits, Value};
use gonogo::settings::{self, Preset};
use gonogo::sources::{self, Source, capture};

use crate::http::canned::{Canned, ok};
use crate::servers::{Prometheus, database, installed, tied};

const FOLDER: &str = "tests/data/presets";
const EVERY: i64 = 10;
const STEPS: i64 = 30;
const START: i64 = 1_764_684_000;

/// The presets whose numbers are the same at every replica of the exporter.
const REPEATED: [&str; 5] = ["bullmq", "bullmq-prometheus", "sidekiq", "kafka", "redis-streams"];

fn all() -> Vec<Preset> {
    settings::presets().unwrap_or_else(|error| panic!("{error}"))
}

/// The text of the scrape `step` tens of seconds after the first.
fn scrape(name: &str, step: i64) -> String {
    let text = fs::read_to_string(format!("{FOLDER}/{name}.prom")).unwrap();
    let (first, last) = text.split_once("# ---- 300 s later ----\n").unwrap();
    let begun = first.lines().skip(1);
    let mut out = String::new();
    for (from, to) in begun.zip(last.lines()) {
        if from == to || from.starts_with('#') {
            let _ = writeln!(out, "{from}");
            continue;
        }
        let (series, from) = from.rsplit_once(' ').unwrap();
        let (same, to) = to.rsplit_once(' ').unwrap();
        assert_eq!(series, same, "{name}: the two scrapes have the same lines");
        let (from, to): (f64, f64) = (from.parse().unwrap(), to.parse().unwrap());
        let _ = writeln!(out, "{series} {}", from + (to - from) * step as f64 / STEPS as f64);
    }
    out
}

fn at(seconds: i64) -> Time {
    Time::from_millis((START + seconds) * 1000)
}

/// `ID {labels} value`.
fn line(id: &str, labels: &Labels, number: f64) -> String {
    // What a quotient of sums has in its last digits is nobody's business.
    let number = if number.is_finite() { format!("{number:.6}").parse().unwrap() } else { number };
    format!("{id} {labels} {}", value::text(number))
}

fn source_def(urls: Vec<String>) -> SourceDef {
    SourceDef {
        id: "src".into(),
        kind: SourceKind::Scrape { urls, labels: Labels::none() },
        every: Duration::from_secs(EVERY as u64),
        timeout: Duration::from_secs(20),
        max_body: 16 << 20,
        max_series: 1000,
        max_history: std::time::Duration::from_hours(24),
        max_line: 1 << 20,
        headers: Vec::new(),
        credential: None,
        ca_file: None,
        route: gonogo::model::launch::Route::default(),
        allow_http: false,
    }
}

/// What a scrape source with this preset says after five minutes, with so many replicas.
async fn answers(preset: &Preset, replicas: usize) -> Vec<String> {
    let name = &preset.name;
    let replica = || {
        let (name, polled) = (name.clone(), AtomicI64::new(0));
        Canned::new(move |_, _| {
            ok("text/plain; version=0.0.4", scrape(&name, polled.fetch_add(1, Ordering::Relaxed)))
        })
    };
    let servers: Vec<Canned> = (0..replicas).map(|_| replica()).collect();
    let def = source_def(servers.iter().map(|s| s.url("/metrics")).collect());
    let signals: Vec<SignalDef> =
        preset.signals.iter().cloned().map(|s| SignalDef { source: "src".into(), ..s }).collect();
    let client = Client::new(sources::options(&def, None));
    let mut source = Source::new(&def, &signals, &[], client).unwrap();
    for step in 0..STEPS {
        source.poll(at(step * EVERY)).await.outcome.unwrap();
    }
    let answer = source.poll(at(STEPS * EVERY)).await.outcome.unwrap();
    assert_eq!((answer.notes.unreadable, answer.notes.series_cut), (0, 0), "{name}");
    let mut lines = Vec::new();
    for signal in &answer.signals {
        let points: &Vec<Point> = signal.result.as_ref().unwrap_or_else(|f| panic!("{}: {f}", signal.signal));
        assert!(!points.is_empty(), "{name}: {} has no series", signal.signal);
        assert!(signal.warnings.is_empty(), "{name}: {:?}", signal.warnings);
        lines.extend(points.iter().map(|p| line(signal.signal.as_str(), &p.labels, p.value)));
    }
    lines
}

#[tokio::test]
async fn the_signals_of_a_preset_share_their_rows() {
    for preset in all() {
        let label_names = |line: &String| {
            let labels = line.split_once('{').unwrap().1.rsplit_once('}').unwrap().0;
            labels.split(',').filter_map(|pair| Some(pair.split_once('=')?.0.to_owned())).collect::<Vec<_>>()
        };
        let names: BTreeSet<Vec<String>> = answers(&preset, 1).await.iter().map(label_names).collect();
        // What is told for all queues together has a row of its own, without labels.
        assert!(names.iter().filter(|labels| !labels.is_empty()).count() == 1, "{}: {names:?}", preset.name);
    }
}

/// `GONOGO_BLESS=1 cargo test` writes the numbers anew; work them out by hand before they are committed.
#[tokio::test]
async fn every_signal_of_every_preset_says_the_right_number_on_a_recorded_exposition() {
    let mut wrong = Vec::new();
    for preset in all() {
        assert!(preset.foreign.is_none(), "{}: {:?}", preset.name, preset.foreign);
        let beside = format!("{FOLDER}/{}.expected", preset.name);
        let found: String = answers(&preset, 1).await.into_iter().map(|line| line + "\n").collect();
        if std::env::var_os("GONOGO_BLESS").is_some() {
            fs::write(&beside, &found).unwrap();
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        if found != expected {
            wrong.push(format!("{}: expected\n{expected}\nfound\n{found}", preset.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_second_replica_that_repeats_the_numbers_changes_none_of_them() {
    for preset in all().iter().filter(|p| REPEATED.contains(&p.name.as_str())) {
        let sorted = |lines: Vec<String>| lines.into_iter().collect::<BTreeSet<_>>();
        assert_eq!(sorted(answers(preset, 1).await), sorted(answers(preset, 2).await), "{}", preset.name);
    }
}

#[test]
fn every_metric_that_a_preset_asks_for_is_in_the_recorded_exposition() {
    // What the other endpoint of RabbitMQ sends, and what it sends only where it happens.
    let elsewhere =
        |name: &str| name.starts_with("rabbitmq_detailed_") || name.starts_with("rabbitmq_global_");
    for preset in all() {
        let text = scrape(&preset.name, 0);
        let sent = |metric: &str| {
            text.lines().any(|l| l.strip_prefix(metric).is_some_and(|rest| rest.starts_with(['{', ' '])))
        };
        let missing: Vec<&String> =
            preset.metrics.iter().filter(|name| !elsewhere(name) && !sent(name)).collect();
        assert!(missing.is_empty(), "{}: {missing:?}", preset.name);
        assert!(preset.metrics.len() >= 3, "{}: {:?}", preset.name, preset.metrics);
    }
}

/// The five minutes as `OpenMetrics` with timestamps, the series of a metric together.
fn recorded(name: &str) -> String {
    let mut series: BTreeMap<String, String> = BTreeMap::new();
    for step in 0..=STEPS {
        for line in scrape(name, step).lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let (labels, number) = line.rsplit_once(' ').unwrap();
            let labels = labels.replace(", ", ",");
            let labels = match labels.strip_suffix('}') {
                Some(some) => format!("{some},instance=\"a\"}}"),
                None => format!("{labels}{{instance=\"a\"}}"),
            };
            let samples = series.entry(labels.clone()).or_default();
            let _ = writeln!(samples, "{labels} {number} {}", START + step * EVERY);
        }
    }
    series.into_values().collect::<String>() + "# EOF\n"
}

#[test]
fn a_real_prometheus_says_the_same_numbers_for_every_preset() {
    for preset in all() {
        let text = recorded(&preset.name);
        let Some((_dir, data)) = database(&text) else { return };
        let server = Prometheus::start("", Some(&data));
        // A moment at which no sample lies on the edge of a window.
        let now = at(STEPS * EVERY + 1);
        for signal in &preset.signals {
            let expr = Expr::parse(&signal.query).unwrap();
            let mut history = History::capture(Limits { keep: Duration::MAX, max_series: 10_000 });
            capture::read(text.as_bytes(), &Filter::of([&expr]), &mut history).unwrap();
            let Value::Vector(ours) = promql::instant(&expr, &history, now).unwrap() else { panic!() };
            let ours: BTreeSet<String> =
                ours.iter().map(|(labels, v)| line(signal.id.as_str(), labels, *v)).collect();
            let time = value::text(now.seconds());
            let answer = server.api("query", &[("query", &signal.query), ("time", &time)]);
            let rows = answer["data"]["result"].as_array().unwrap_or_else(|| panic!("{answer}"));
            let theirs: BTreeSet<String> = rows
                .iter()
                .map(|row| {
                    let labels = row["metric"].as_object().unwrap();
                    let labels = labels.iter().map(|(n, v)| (n.as_str(), v.as_str().unwrap()));
                    let number = row["value"][1].as_str().unwrap().replace("Inf", "inf");
                    line(signal.id.as_str(), &Labels::from_pairs(labels), number.parse().unwrap())
                })
                .collect();
            assert_eq!(ours, theirs, "{}: {}", preset.name, signal.query);
            assert!(!theirs.is_empty(), "{}: {}", preset.name, signal.id);
        }
    }
}

#[test]
fn promtool_takes_every_expression_of_every_preset_as_a_rule() {
    if !installed("promtool") {
        return;
    }
    let mut rules = String::from("groups:\n");
    let mut count = 0;
    for preset in all() {
        let _ = writeln!(rules, "- name: {}\n  rules:", preset.name);
        for signal in &preset.signals {
            let record = format!("{}:{}", preset.name, signal.id).replace('-', "_");
            let expr = serde_json::to_string(&signal.query).unwrap();
            let _ = writeln!(rules, "  - record: {record}\n    expr: {expr}");
            count += 1;
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("rules.yml");
    fs::write(&file, rules).unwrap();
    let output =
        tied("promtool").args(["check", "rules"]).arg(&file).stderr(Stdio::piped()).output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains(&format!("{count} rules found")), "{said}");
}
