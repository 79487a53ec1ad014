//! Captures: what is recorded comes back, in gonogo and in a real Prometheus.

mod damage;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gonogo::app::Msg;
use gonogo::checklist::Template;
use gonogo::drill::{DEMO_SEED, DEMO_START, Product, Server};
use gonogo::engine::{Judgement, Watch};
use gonogo::model::{GateId, Labels, Launch, SourceKind, Time};
use gonogo::promql::{self, Expr, Value};
use gonogo::runtime::feed::Lockstep;
use gonogo::runtime::{Clock, Deck, Feed, deck};
use gonogo::settings;
use gonogo::sources::capture::{Recorder, Tape, Written, beside};
use serde_json::Value as Json;

use crate::servers::{Prometheus, database, free_port, installed};

const CONFIG: &str = include_str!("../../config/demo.toml");
const CHECKLIST: &str = include_str!("../../checklists/tasks-launch.toml");

/// The judgements of a second, and its alerts and flags.
type Told = (Vec<(GateId, Judgement)>, String);

type Verdicts = Vec<(i64, Told)>;

fn gonogo(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gonogo")).args(args).env_remove("GONOGO_CONFIG").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn watch(launch: &Launch, template: &Template) -> Watch {
    let gates = template.items.iter().filter_map(|item| item.kind.gate());
    Watch::new(launch, gates)
}

/// What is told of a moment: a judgement of the time that an answer took would be of the machine.
fn told(watch: &Watch, at: Time) -> Told {
    let flags: Vec<_> = watch.flags.iter().map(|f| (&f.flag, f.missing, f.asked)).collect();
    (watch.judge_all(at), format!("{:?} {flags:?}", watch.alerts.list))
}

/// Records the demo's product in step, and gives the verdicts of each second as they were live.
fn recorded(file: &Path, minutes: u64) -> Verdicts {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let product = Arc::new(Mutex::new(Product::new(DEMO_SEED, DEMO_START)));
        let server = Server::start(Arc::clone(&product), ([127, 0, 0, 1], 0).into()).await.unwrap();
        let config = CONFIG.replace("127.0.0.1:9464", &server.addr().to_string());
        let checklist = Some(("tasks-launch.toml", CHECKLIST));
        let (launch, template) =
            settings::parse("demo.toml", &config, Path::new("config"), checklist).unwrap();
        let (launch, template) = (Arc::new(launch), template.unwrap());
        let config = Written { name: "demo.toml".into(), text: settings::redacted(&config).unwrap() };
        let checklist = Written { name: "tasks-launch.toml".into(), text: CHECKLIST.into() };
        let deck = Deck::default();
        let head = deck::head(&launch, config, Some(checklist), DEMO_START);
        deck.begin(Recorder::create(file, &head).unwrap());
        let clock = Clock::simulated(DEMO_START);
        let stop = DEMO_START.after(Duration::from_secs(60 * minutes));
        let feed =
            Feed::Lockstep(Lockstep { stop_at: Some(stop), ..Lockstep::new(product, DEMO_START, stop) });
        let (room, mut messages) = tokio::sync::mpsc::channel(64);
        let _polls = feed.start_on(&launch, &clock, room, deck.clone()).unwrap();
        let mut watch = watch(&launch, &template);
        let mut verdicts = Verdicts::new();
        loop {
            match messages.recv().await.unwrap() {
                Msg::Polled(poll) => drop(watch.observe(&poll)),
                Msg::Clock(now) => {
                    watch.tick(now);
                    verdicts.push((now.millis(), told(&watch, now)));
                }
                Msg::Forwarding(false) => break,
                _ => {}
            }
        }
        deck.end().unwrap().unwrap();
        verdicts
    })
}

/// The verdicts of each second from a capture alone.
fn replayed(file: &Path) -> Verdicts {
    let tape = Tape::open(file).unwrap();
    assert!(tape.remarks().is_empty(), "{:?}", tape.remarks());
    let head = tape.head().unwrap();
    let checklist = head.checklist.as_ref().map(|c| (c.name.as_str(), c.text.as_str()));
    let (launch, template) = settings::parse("capture", &head.config.text, Path::new(""), checklist).unwrap();
    let mut watch = watch(&launch, &template.unwrap());
    let mut play = tape.play(&launch, Some(&launch)).unwrap();
    let mut verdicts = Verdicts::new();
    let mut now = DEMO_START;
    let mut next = play.next().unwrap();
    while let Some((at, poll)) = next.take() {
        while now < at {
            watch.tick(now);
            verdicts.push((now.millis(), told(&watch, now)));
            now = now.after(Duration::from_secs(1));
        }
        watch.observe(&poll);
        next = play.next().unwrap();
    }
    watch.tick(now);
    verdicts.push((now.millis(), told(&watch, now)));
    assert!(play.remarks().is_empty(), "{:?}", play.remarks());
    verdicts
}

#[test]
fn a_replay_says_each_second_what_the_living_room_said() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("demo.om");
    let live = recorded(&file, 6);
    let again = replayed(&file);
    assert!(live.len() > 300 && again.len() >= live.len() - 5, "{} {}", live.len(), again.len());
    let (mut passes, mut alerts) = (0, BTreeSet::new());
    let gate = GateId::from("no-page");
    for ((at, live), (then, again)) in live.iter().zip(&again) {
        assert_eq!(at, then);
        assert_eq!(live, again, "at {at}");
        passes += live.0.iter().filter(|(_, j)| j.verdict == gonogo::model::Verdict::Pass).count();
        alerts.insert(&live.1);
        assert!(live.0.iter().any(|(id, _)| *id == gate), "a gate on alerts is among them");
    }
    assert!(passes > 100, "{passes} passes");
    assert!(alerts.len() > 2 && alerts.iter().any(|told| told.contains("Watchdog")), "{}", alerts.len());
    assert_eq!(replayed(&file), again, "the same each time");

    // Not where the lines are, but by their times: the same again.
    let bytes = fs::read_to_string(&file).unwrap();
    let mut lines: Vec<&str> = bytes.lines().filter(|l| *l != "# EOF").collect();
    lines.sort_unstable();
    fs::write(&file, format!("{}\n# EOF\n", lines.join("\n"))).unwrap();
    let tape = Tape::open(&file).unwrap();
    assert!(tape.remarks().iter().any(|r| r.contains("by their times")), "{:?}", tape.remarks());
    let name = file.to_str().unwrap();
    let at = Time::from_millis(again[again.len() - 10].0).rfc3339();
    let sorted = gonogo(&["check", "--file", name, "--at", &at, "--output", "json"]);
    fs::write(&file, &bytes).unwrap();
    let straight = gonogo(&["check", "--file", name, "--at", &at, "--output", "json"]);
    assert_eq!(text(&sorted.stdout), text(&straight.stdout));
    let json: Json = serde_json::from_slice(&straight.stdout).unwrap();
    assert!(json["gates"].as_array().unwrap().len() > 7, "{json}");

    // A whole range, as text and as JSON; the frame of a room at a moment.
    let range = gonogo(&["check", "--file", name, "--range", "..", "--output", "json"]);
    let json: Json = serde_json::from_slice(&range.stdout).unwrap();
    let coverage = json["gates"].as_array().unwrap().iter().find(|g| g["id"] == "worker-coverage").unwrap();
    assert!(coverage["percent"]["pass"].as_f64().unwrap() > 90.0, "{coverage}");
    let spans = json["launch"]["spans"].as_array().unwrap();
    assert!(spans.windows(2).all(|w| w[0]["to"] == w[1]["from"]), "{spans:?}");
    let page = gonogo(&["check", "--file", name, "--range", "..", "--plain"]);
    let page = text(&page.stdout);
    assert!(page.contains("worker-coverage") && page.contains("......") && !page.contains('▁'), "{page}");
    let frame = gonogo(&["replay", name, "--once", "--at", &at, "--size", "160x48"]);
    let frame = text(&frame.stdout);
    assert!(frame.contains("REPLAY") && frame.contains("billing") && !frame.contains("DEMO"), "{frame}");
    let outside = gonogo(&["check", "--file", name, "--at", "2001-01-01T00:00:00Z"]);
    assert_eq!(outside.status.code(), Some(3));
    assert!(text(&outside.stderr).contains("before the capture"));
}

#[test]
fn a_recorded_capture_answers_alike_in_a_real_prometheus() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("demo.om");
    recorded(&file, 6);
    let capture = fs::read_to_string(&file).unwrap();
    let Some((_dir, data)) = database(&capture) else { return };
    let server = Prometheus::start("", Some(&data));
    let (launch, _) = settings::parse("demo.toml", CONFIG, Path::new("config"), None).unwrap();
    let (mut compared, mut full) = (0, 0);
    for signal in &launch.signals {
        let SourceKind::Scrape { .. } = launch.source(&signal.source).unwrap().kind else { continue };
        // Between two scrapes, where versions do not differ about the edges of windows. The server
        // has all sources in one database, so each expression's own are picked by the source's filter.
        let at = DEMO_START.after(Duration::from_millis(5 * 60_000 + 42_345));
        let expr = Expr::parse(&signal.query).unwrap();
        let mut history =
            promql::History::capture(promql::Limits { keep: Duration::MAX, max_series: usize::MAX });
        gonogo::sources::capture::read_file(&file, &promql::Filter::of([&expr]), &mut history).unwrap();
        let ours = promql::instant(&expr, &history, at);
        let theirs =
            server.api("query", &[("query", &signal.query), ("time", &format!("{:.3}", at.seconds()))]);
        match (ours, theirs["status"].as_str()) {
            (Ok(Value::Vector(mut ours)), Some("success")) => {
                let theirs = theirs["data"]["result"].as_array().unwrap();
                assert_eq!(ours.len(), theirs.len(), "{}", signal.query);
                let mut rows: Vec<(Labels, f64)> = theirs
                    .iter()
                    .map(|row| {
                        let labels = row["metric"].as_object().unwrap().iter();
                        let labels = labels.map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
                        (Labels::from_pairs(labels), row["value"][1].as_str().unwrap().parse().unwrap())
                    })
                    .collect();
                ours.sort_by(|a, b| a.0.cmp(&b.0));
                rows.sort_by(|a, b| a.0.cmp(&b.0));
                for ((series, a), (of, b)) in ours.iter().zip(&rows) {
                    assert_eq!(series, of, "{}", signal.query);
                    let alike = a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-9 * b.abs();
                    assert!(alike, "{} {series}: {a} {b}", signal.query);
                }
                full += usize::from(!ours.is_empty());
            }
            (Err(_), Some("error")) => {}
            (ours, _) => panic!("{}: {ours:?} and {theirs}", signal.query),
        }
        compared += 1;
    }
    assert!(compared > 20 && full * 10 >= compared * 8, "{full} of {compared} have an answer");
}

fn small_config(dir: &Path, url: &str, more: &str) -> PathBuf {
    let file = dir.join("gonogo.toml");
    let text = format!(
        "schema = 1 # s3cret\n[launch]\nproduct = \"Tasks\"\nversion = \"1\"\nenvironment = \"production\"\n\
         [source.worker]\nkind = \"scrape\"\nurls = [\"{url}\"]\nevery = \"200ms\"\n{more}\
         [[signal]]\nid = \"depth\"\nboard = \"queues\"\ntitle = \"depth\"\nsource = \"worker\"\nunit = \"jobs\"\n\
         query = 'max by (queue) (tasks_queue_depth{{state=\"waiting\"}})'\n\
         [[gate]]\nid = \"g\"\nsignal = \"depth\"\nop = \"<\"\nvalue = 1e9\nmax-age = \"2s\"\n"
    );
    fs::write(&file, text).unwrap();
    file
}

#[test]
fn openmetrics_from_elsewhere_is_judged_with_a_config_and_its_gaps_stay_gaps() {
    let dir = tempfile::tempdir().unwrap();
    let config = small_config(dir.path(), "http://127.0.0.1:1/metrics", "");
    let file = dir.path().join("other.om");
    let mut capture = String::new();
    for second in (0..60).chain(120..180) {
        let at = 1_764_684_000 + second;
        let _ = writeln!(capture, "tasks_queue_depth{{queue=\"tasks\",state=\"waiting\"}} {second} {at}");
    }
    fs::write(&file, capture + "# EOF\n").unwrap();
    let (config, name) = (config.to_str().unwrap(), file.to_str().unwrap());
    let without = gonogo(&["check", "--file", name, "--range", ".."]);
    assert_eq!(without.status.code(), Some(2));
    assert!(text(&without.stderr).contains("--config"));
    let out = gonogo(&["check", "--config", config, "--file", name, "--range", "..", "--output", "json"]);
    let json: Json = serde_json::from_slice(&out.stdout).unwrap();
    let verdicts: Vec<&str> = json["gates"][0]["spans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(verdicts, ["pass", "unknown", "pass"], "{json}");
    assert_eq!(out.status.code(), Some(3));
}

#[test]
fn a_real_servers_answers_come_back_as_they_were() {
    if !installed("prometheus") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("server.om");
    let port = free_port();
    let server = Prometheus::start(
        &format!(
            "scrape_configs: [{{job_name: nobody, scrape_interval: 1s, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]"
        ),
        None,
    );
    let mut config = format!(
        "schema = 1\n[launch]\nproduct = \"T\"\nversion = \"1\"\nenvironment = \"e\"\n\
         [source.prom]\nkind = \"prometheus\"\nurl = \"{}\"\nevery = \"500ms\"\nalerts = true\n\
         headers = {{ X-Scope-OrgID = \"s3cret\" }}\n",
        server.url
    );
    let queries =
        ["up", "vector(1) / 3", "sum by (job) (scrape_duration_seconds)", "up / 0", "absent(nothing)"];
    for (i, query) in queries.iter().enumerate() {
        let _ = write!(
            config,
            "[[signal]]\nid = \"s{i}\"\nboard = \"api\"\ntitle = \"s{i}\"\nsource = \"prom\"\nunit = \"none\"\nquery = '{query}'\n"
        );
    }
    let (launch, _) = settings::parse("c.toml", &config, Path::new(""), None).unwrap();
    let launch = Arc::new(launch);
    let written = Written { name: "c.toml".into(), text: settings::redacted(&config).unwrap() };
    let deck = Deck::default();
    let clock = Clock::wall();
    deck.begin(Recorder::create(&file, &deck::head(&launch, written, None, clock.now())).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let live = runtime.block_on(async {
        let (room, mut messages) = tokio::sync::mpsc::channel(64);
        let polls = Feed::Polling(None).start_on(&launch, &clock, room, deck.clone()).unwrap();
        let mut live = Vec::new();
        // The server finds its targets some seconds after it is ready.
        let mut told = 0;
        while told < 4 {
            assert!(live.len() < 200, "the server scrapes nothing");
            if let Some(Msg::Polled(poll)) = messages.recv().await {
                let answer = poll.outcome.as_ref().unwrap();
                let up = answer.signals.first().and_then(|signal| signal.result.as_ref().ok());
                told += usize::from(up.is_some_and(|points| !points.is_empty()));
                live.push(*poll);
            }
        }
        drop(polls);
        deck.end().unwrap().unwrap();
        live
    });
    let both = fs::read_to_string(&file).unwrap() + &fs::read_to_string(beside(&file)).unwrap();
    assert!(!both.contains("s3cret"), "{both}");
    let tape = Tape::open(&file).unwrap();
    let (recorded, _) =
        settings::parse("capture", &tape.head().unwrap().config.text, Path::new(""), None).unwrap();
    let mut play = tape.play(&recorded, Some(&recorded)).unwrap();
    let mut points = 0;
    for live in &live {
        let (_, again) = play.next().unwrap().unwrap();
        assert_eq!(format!("{live:?}"), format!("{again:?}"));
        let answer = live.outcome.as_ref().unwrap();
        points += answer.signals.iter().filter_map(|s| s.result.as_ref().ok()).map(Vec::len).sum::<usize>();
    }
    assert!(points > 20, "{points} points");
}

#[test]
fn only_the_command_line_puts_another_launch_in_the_place_of_a_captures_own() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("c.om");
    recorded(&file, 1);
    let name = file.to_str().unwrap();
    let check = |more: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_gonogo"))
            .args(["check", "--file", name, "--range", ".."])
            .args(more)
            .env("GONOGO_CONFIG", "/nowhere/gonogo.toml")
            .output()
            .unwrap()
    };
    let own = check(&[]);
    assert!(text(&own.stderr).contains("not by $GONOGO_CONFIG"), "{}", text(&own.stderr));
    assert!(text(&own.stdout).contains("worker-coverage"), "{}", text(&own.stdout));
    let named = check(&["--config", "/nowhere/gonogo.toml"]);
    assert_eq!(named.status.code(), Some(2));
    assert!(text(&named.stderr).contains("/nowhere/gonogo.toml"), "{}", text(&named.stderr));
}
