//! The preset `bullmq` against a real `BullMQ` on a real Redis: what it says is what the queues' own API says.
//!
//! Two replicas work the queues off and are scraped. Polls are made where nothing moves, and are told to be
//! ten seconds apart, so that five minutes of rates take a few seconds of test.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gonogo::engine::Watch;
use gonogo::http::Client;
use gonogo::model::{FaultCode, Launch, Polled, SignalId, Time, Verdict};
use gonogo::settings;
use gonogo::sources::{self, Source};
use serde_json::Value;

use crate::node::Node;
use crate::servers::{free_port, installed, request, tied};

/// A Redis that keeps nothing.
pub(crate) struct Redis {
    port: u16,
    child: Child,
    _dir: tempfile::TempDir,
}

impl Redis {
    pub(crate) fn start() -> Option<Redis> {
        if !installed("redis-server") {
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        let child = tied("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(dir.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let redis = Redis { port, child, _dir: dir };
        let patience = Instant::now() + Duration::from_mins(1);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < patience, "redis-server does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(redis)
    }

    /// Where it listens on the loopback.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a queue's own API says.
pub(crate) struct Api(Value);

impl Api {
    fn count(&self, state: &str) -> f64 {
        self.0["counts"][state].as_f64().unwrap()
    }

    /// Jobs that wait for a worker.
    pub(crate) fn depth(&self) -> f64 {
        self.count("waiting") + self.count("prioritized")
    }

    fn unfinished(&self) -> f64 {
        self.depth() + self.count("active") + self.count("delayed") + self.count("waiting-children")
    }

    fn total(&self, of: &str) -> f64 {
        self.0[of].as_f64().unwrap()
    }

    fn finished(&self) -> f64 {
        self.total("completed") + self.total("failed")
    }
}

/// Asks a replica, and gives what the queue's own API says then.
pub(crate) fn ask(replica: &Node, method: &str, path: &str) -> Api {
    let (status, body) = request(replica.port(), method, path, "").unwrap();
    assert_eq!(status, 200, "{path}: {body}");
    Api(serde_json::from_str(&body).unwrap())
}

fn api(replica: &Node, queue: &str) -> Api {
    ask(replica, "GET", &format!("/api?queue={queue}"))
}

/// Waits until a queue is as it should be.
pub(crate) fn until(replica: &Node, queue: &str, what: &str, is: impl Fn(&Api) -> bool) -> Api {
    let patience = Instant::now() + Duration::from_mins(1);
    loop {
        let api = api(replica, queue);
        if is(&api) {
            return api;
        }
        assert!(Instant::now() < patience, "{queue} is never {what}: {}", api.0);
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until no job waits or is at work.
pub(crate) fn quiet(replica: &Node, queue: &str) -> Api {
    until(replica, queue, "quiet", |api| api.depth() + api.count("active") == 0.0)
}

/// The launch that looks at the replicas with the preset, and a signal and gates of its own.
fn config(replicas: &[&Node]) -> String {
    let urls: Vec<String> =
        replicas.iter().map(|r| format!("\"http://127.0.0.1:{}/metrics\"", r.port())).collect();
    format!(
        r#"
schema = 1
[launch]
product = "Tasks"
version = "0.1.4"
environment = "test"
[source.worker]
kind = "scrape"
urls = [{}]
every = "10s"
timeout = "20s"
preset = "bullmq"
[[signal]]
id = "queue-depth"
bad = "> 500"
[[signal]]
id = "duration"
board = "queues"
title = "p95"
source = "worker"
query = "histogram_quantile(0.95, sum by (queue, le) (tasks_job_duration_seconds_bucket))"
[[gate]]
id = "short"
signal = "queue-depth"
where = {{ queue = "tasks" }}
op = "<"
value = 500
[[gate]]
id = "nothing-stalled"
signal = "queue-stalled"
op = "=="
value = 0
allow-infinite = true
"#,
        urls.join(", ")
    )
}

/// The launch being watched, on a clock of its own.
struct Watched {
    source: Source,
    watch: Watch,
    last: Time,
}

impl Watched {
    fn new(launch: &Launch) -> Self {
        let def = &launch.sources[0];
        let client = Client::new(sources::options(def, None));
        let source = Source::new(def, &launch.signals, &[], client).unwrap();
        Self { source, watch: Watch::new(launch, []), last: Time::from_millis(1_764_684_000_000) }
    }

    async fn poll(&mut self) -> Polled {
        self.last = self.last.after(Duration::from_secs(10));
        let polled = self.source.poll(self.last).await;
        self.watch.observe(&polled);
        polled
    }

    /// The signal's value for a queue.
    fn value(&self, signal: &str, queue: &str) -> f64 {
        let track = self.watch.track(&SignalId::from(signal)).unwrap();
        let mut points = track.points().filter(|p| p.labels.get("queue") == Some(queue));
        points.next().unwrap_or_else(|| panic!("{signal} of {queue}: {:?}", track.fault)).value
    }

    fn verdict(&self, gate: &str) -> (Verdict, String) {
        let judged = self.watch.judge(&gate.into(), self.last).unwrap();
        (judged.verdict, judged.reason.code)
    }
}

fn near(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-9 * left.abs().max(right.abs()).max(1.0)
}

/// Lets some jobs of the paused queue be worked off, and pauses it again.
fn work_off(replica: &Node, queue: &str) -> Api {
    let depth = api(replica, queue).depth() - 5.0;
    ask(replica, "POST", &format!("/resume?queue={queue}"));
    until(replica, queue, "worked off", |api| api.depth() <= depth);
    ask(replica, "POST", &format!("/pause?queue={queue}"));
    until(replica, queue, "at rest", |api| api.count("active") == 0.0)
}

#[tokio::test]
async fn the_queue_board_says_what_a_real_bullmq_says_of_itself() {
    let Some(redis) = Redis::start() else { return };
    let port = redis.port().to_string();
    let start = || Node::start("bullmq.js", &[&port], &["bullmq", "ioredis", "prom-client"]);
    let Some(first) = start() else { return };
    let second = start().unwrap();
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    fs::write(file.path(), config(&[&first, &second])).unwrap();
    let launch = settings::load(file.path()).unwrap_or_else(|error| panic!("{error}")).launch;
    let mut watched = Watched::new(&launch);

    // Totals that are far from 0, a backlog with priorities, a paused queue, delayed jobs.
    let post = |path: &str| ask(&first, "POST", path);
    post("/add?queue=tasks&count=60");
    post("/add?queue=tasks&count=10&fail=1");
    post("/add?queue=tasks&count=7&delay=3600000");
    for queue in ["billing", "mail"] {
        post(&format!("/pause?queue={queue}"));
    }
    // Slow enough that a worker is paused again long before the last of them.
    post("/add?queue=billing&count=1900&ms=100");
    post("/add?queue=billing&count=100&ms=100&priority=3");
    post("/add?queue=mail&count=5");
    quiet(&first, "tasks");

    let mut seen: Vec<[Api; 2]> = Vec::new();
    for step in 0..=30_u32 {
        if step > 0 {
            post("/add?queue=tasks&count=4");
            post("/add?queue=tasks&count=1&fail=1&priority=1");
            post("/add?queue=tasks&count=1&delay=3600000");
            post("/add?queue=uncounted&count=2&fail=1");
        }
        let tasks = quiet(&first, "tasks");
        let billing = work_off(&first, "billing");
        quiet(&first, "uncounted");
        seen.push([tasks, billing]);
        watched.poll().await.outcome.unwrap();
    }

    let value = |signal: &str, queue: &str| watched.value(signal, queue);
    let ([tasks_then, billing_then], [tasks, billing]) = (&seen[1], &seen[30]);
    // The window of five minutes begins just behind the first poll: 290 s lie between its samples.
    let rate = |then: f64, now: f64| (now - then) / 290.0;
    // Depth: what waits with and without a priority; what is delayed stands apart.
    assert_eq!(value("queue-depth", "tasks"), 0.0);
    assert_eq!(value("queue-delayed", "tasks"), tasks.count("delayed"));
    assert_eq!(tasks.count("delayed"), 37.0);
    assert_eq!(value("queue-depth", "billing"), billing.depth());
    assert!(billing.count("prioritized") > 0.0 && billing.depth() > 50.0, "{}", billing.0);
    assert_eq!(value("queue-depth", "mail"), 5.0);
    assert_eq!(value("queue-failed-kept", "tasks"), tasks.count("failed"));
    // In, out and failures, by the totals that the workers collect.
    let (out, failed) = (
        rate(tasks_then.finished(), tasks.finished()),
        rate(tasks_then.total("failed"), tasks.total("failed")),
    );
    assert!(near(out, 29.0 * 5.0 / 290.0), "{out}");
    assert!(near(value("queue-out", "tasks"), out), "{}", value("queue-out", "tasks"));
    assert!(near(value("queue-failures", "tasks"), 100.0 * failed / out));
    assert!(near(value("queue-failures", "tasks"), 20.0));
    let more = rate(tasks_then.unfinished(), tasks.unfinished());
    assert!(near(value("queue-in", "tasks"), out + more), "{}", value("queue-in", "tasks"));
    assert!(near(value("queue-in", "tasks"), 29.0 * 6.0 / 290.0), "what the test put in");
    // Drain: the depth over how fast it falls.
    let falls = rate(billing.depth(), billing_then.depth());
    assert!(falls > 0.0);
    assert!(near(value("queue-drain", "billing"), billing.depth() / falls));
    assert!(value("queue-drain", "tasks").is_nan(), "an empty queue has nothing to drain");
    assert_eq!(value("queue-drain", "mail"), f64::INFINITY);
    // A pause is told in words, and only of the queue that stands still.
    assert_eq!(value("queue-stalled", "mail"), f64::INFINITY);
    for queue in ["tasks", "billing", "uncounted"] {
        assert_eq!(value("queue-stalled", queue), 0.0, "{queue}");
    }
    assert_eq!(watched.verdict("nothing-stalled").0, Verdict::Fail);
    assert_eq!(watched.verdict("short").0, Verdict::Pass);
    // Workers that collect no metrics: 60 jobs failed, and nothing says 0.
    assert_eq!(api(&first, "uncounted").count("failed"), 60.0);
    assert_eq!(value("queue-failures", "uncounted"), f64::INFINITY);
    assert!(value("queue-out", "uncounted").is_nan() && value("queue-in", "uncounted").is_nan());
    // prom-client's metrics on the same page are read too.
    assert!(value("duration", "tasks") > 0.0);

    // Resumed and worked off, the queue is no longer stalled.
    ask(&first, "POST", "/resume?queue=mail");
    quiet(&first, "mail");
    watched.poll().await.outcome.unwrap();
    assert_eq!(watched.value("queue-stalled", "mail"), 0.0);
    assert_eq!(watched.verdict("nothing-stalled").0, Verdict::Pass);
    by_the_program(file.path(), &first);

    // A replica that died must not hold up what the other one says.
    let before = watched.value("queue-depth", "billing");
    drop(second);
    work_off(&first, "billing");
    let polled = watched.poll().await.outcome.unwrap();
    assert!(polled.signals[0].warnings[0].starts_with("1 of 2 targets"), "{:?}", polled.signals[0].warnings);
    let depth = api(&first, "billing").depth();
    assert!(depth < before);
    assert_eq!(watched.value("queue-depth", "billing"), depth);
    let unknown = |watched: &Watched| {
        let (verdict, code) = watched.verdict("short");
        assert_eq!(verdict, Verdict::Unknown);
        code
    };
    assert_eq!(unknown(&watched), "partial");
    // With no replica left the source fails, and nothing is decided on what was.
    drop(first);
    let fault = watched.poll().await.outcome.unwrap_err();
    assert_eq!(fault.code, FaultCode::Unreachable, "{fault}");
    unknown(&watched);
    assert_eq!(watched.verdict("nothing-stalled").0, Verdict::Unknown);
}

/// The same through the program: `gonogo config show` and `gonogo query`.
fn by_the_program(config: &Path, replica: &Node) {
    let gonogo = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_gonogo"))
            .args(args)
            .arg("--config")
            .arg(config)
            .args(["--output", "json"])
            .output()
            .unwrap();
        let json: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
        (output.status.code(), json)
    };
    let (_, shown) = gonogo(&["config", "show"]);
    let depth = shown["signals"].as_array().unwrap().iter().find(|s| s["id"] == "queue-depth").unwrap();
    assert_eq!((&depth["bad"], &depth["source"]), (&"> 500".into(), &"worker".into()));
    let (code, answer) = gonogo(&["query", depth["query"].as_str().unwrap(), "--source", "worker"]);
    assert_eq!(code, Some(0), "{answer}");
    let rows = answer["data"]["result"].as_array().unwrap();
    for queue in ["tasks", "billing", "mail"] {
        let row = rows.iter().find(|row| row["metric"]["queue"] == queue).unwrap();
        let found: f64 = row["value"][1].as_str().unwrap().parse().unwrap();
        assert_eq!(found, api(replica, queue).depth(), "{queue}");
    }
}
