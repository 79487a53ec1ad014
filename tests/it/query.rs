//! `gonogo query` as a program: captures, servers, endpoints, and what goes wrong with each.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::thread;

use serde_json::{Value as Json, json};

use crate::promql::capture::{Capture, START};
use crate::servers::{Prometheus, database, free_port};

/// Two series of one metric, a minute apart, and a third that says nothing of its time.
const CAPTURE: &str = "\
# TYPE depth gauge
depth{queue=\"tasks\"} 1 1700000000
depth{queue=\"tasks\"} 3 1700000060.5
depth{queue=\"mail\"} NaN 1700000060.5
jobs_total 10 1700000000
jobs_total 40 1700000060.5
# EOF
";

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn json(&self) -> Json {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", self.stdout, self.stderr))
    }
}

fn query(args: &[&str]) -> Ran {
    let dir = tempfile::tempdir().unwrap();
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_gonogo"))
        .arg("query")
        .args(args)
        .current_dir(dir.path())
        .env("HOME", dir.path())
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("GONOGO_CONFIG")
        .output()
        .unwrap();
    Ran {
        code: status.code().unwrap(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

fn file(text: &str) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path: PathBuf = dir.path().join("capture.om");
    std::fs::write(&path, text).unwrap();
    let name = path.to_str().unwrap().to_owned();
    (dir, name)
}

#[test]
fn a_capture_answers_in_the_shape_of_the_prometheus_api() {
    let (_dir, name) = file(CAPTURE);
    let ran = query(&["depth", "--file", &name, "--output", "json"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(
        ran.json(),
        json!({"status": "success", "data": {"resultType": "vector", "result": [
            {"metric": {"__name__": "depth", "queue": "mail"}, "value": [1_700_000_060.5, "NaN"]},
            {"metric": {"__name__": "depth", "queue": "tasks"}, "value": [1_700_000_060.5, "3"]},
        ]}})
    );
    let ran = query(&["sum(depth)", "--file", &name, "--time", "2023-11-14T22:13:20Z", "--output", "json"]);
    assert_eq!(ran.json()["data"]["result"], json!([{"metric": {}, "value": [1_700_000_000, "1"]}]));
    let ran = query(&["time()", "--file", &name, "--time", "-1.25", "--output", "json"]);
    assert_eq!(ran.json()["data"], json!({"resultType": "scalar", "result": [-1.25, "-1.25"]}));
    let ran = query(&["jobs_total[2m]", "--file", &name, "--output", "json"]);
    assert_eq!(
        ran.json()["data"]["result"][0]["values"],
        json!([[1_700_000_000, "10"], [1_700_000_060.5, "40"]])
    );
    let many = ["--start", "1700000000", "--end", "1700000060", "--step", "30s"];
    let ran = query(&[&["jobs_total", "--file", &name, "--output", "json"], &many[..]].concat());
    assert_eq!(
        ran.json()["data"],
        json!({"resultType": "matrix", "result": [{"metric": {"__name__": "jobs_total"},
            "values": [[1_700_000_000, "10"], [1_700_000_030, "10"], [1_700_000_060, "10"]]}]})
    );
}

#[test]
fn a_window_longer_than_the_capture_is_evaluated_on_what_it_holds_as_a_server_would() {
    let (_dir, name) = file(CAPTURE);
    let ran = query(&["increase(jobs_total[1h])", "--file", &name]);
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.starts_with("{}  "), "{}", ran.stdout);
    let ran = query(&["nothing_of_that_name", "--file", &name]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", "gonogo: no series\n"));
}

#[test]
fn what_cannot_be_read_of_a_capture_is_said_and_a_missing_end_is_not_fatal() {
    let (_dir, name) = file(CAPTURE.strip_suffix("# EOF\n").unwrap());
    let ran = query(&["sum(jobs_total)", "--file", &name]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "{}  40\n"));
    assert!(ran.stderr.contains("does not end with # EOF"), "{}", ran.stderr);
    let (_dir, name) = file(&CAPTURE.replace("jobs_total 40", "jobs_total forty"));
    let ran = query(&["sum(jobs_total)", "--file", &name, "--output", "json"]);
    assert_eq!(ran.code, 1);
    assert!(ran.json()["warnings"][0].as_str().unwrap().contains("1 lines cannot be read, first line 6"));
    let ran = query(&["up", "--file", "/nowhere/capture.om"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("/nowhere/capture.om"), "{}", ran.stderr);
    let (_dir, name) = file("# EOF\n");
    assert_eq!(query(&["up", "--file", &name]).code, 3);
}

#[test]
fn an_expression_that_is_refused_shows_the_part_that_is_to_blame() {
    let (_dir, name) = file(CAPTURE);
    let ran = query(&["1 + rate(depth)", "--file", &name]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.ends_with("\n  1 + rate(depth)\n      ^^^^^^^^^^^\n"), "{}", ran.stderr);
    let ran = query(&["depth{", "--file", &name, "--output", "json"]);
    assert_eq!((ran.code, &ran.json()["errorType"]), (2, &json!("bad_data")));
    assert!(ran.json()["error"].as_str().unwrap().starts_with("1:7: parse error: "));
    let ran = query(&["info(depth)", "--file", &name]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("info() is evaluated by a Prometheus server only"), "{}", ran.stderr);
    let ran = query(&["depth + on () depth", "--file", &name, "--output", "json"]);
    assert_eq!((ran.code, &ran.json()["errorType"]), (3, &json!("execution")));
    assert!(ran.json()["error"].as_str().unwrap().contains("found duplicate series for the match group {}"));
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    let (_dir, name) = file(CAPTURE);
    for args in [
        vec!["--file", &name, "--url", "http://127.0.0.1:1"],
        vec!["--file", &name, "--time", "noon"],
        vec!["--file", &name, "--start", "0"],
        vec!["--file", &name, "--start", "0", "--end", "5", "--step", "0"],
        vec!["--file", &name, "--start", "5", "--end", "0", "--step", "1"],
        vec!["--file", &name, "--start", "0", "--end", "1e6", "--step", "1"],
        vec!["--file", &name, "--time", "0", "--start", "0", "--end", "5", "--step", "1"],
        vec!["--source", "main"],
        vec![],
    ] {
        let ran = query(&[&["up"], &args[..]].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{args:?}: {}", ran.stderr);
        assert!(!ran.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn a_server_and_its_capture_answer_alike_to_the_letter() {
    let capture = Capture::seeded(5);
    let text = capture.text();
    let Some((_data_dir, data)) = database(&text) else { return };
    let server = Prometheus::start("", Some(&data));
    let (_dir, name) = file(&text);
    let at = format!("{}", (START + 3_601_957) as f64 / 1000.0);
    let (start, end) = (&at, format!("{}", (START + 5_402_957) as f64 / 1000.0));
    for expression in
        ["odd", "up[1m]", "scalar(up{instance=\"a:80\"})", "\"text\"", "sort(tasks_queue_depth)"]
    {
        let one = ["--time", &at, "--output", "json"];
        let theirs = query(&[&[expression, "--url", &server.url], &one[..]].concat());
        let ours = query(&[&[expression, "--file", &name], &one[..]].concat());
        assert_eq!((theirs.code, ours.code), (0, 0), "{expression}: {}{}", theirs.stderr, ours.stderr);
        assert_eq!(theirs.json(), ours.json(), "{expression}");
        let raw = server.api("query", &[("query", expression), ("time", &at)]);
        assert_eq!(ours.json()["data"], raw["data"], "{expression}");
    }
    let many = ["--start", start, "--end", &end, "--step", "5m"];
    let theirs = query(&[&["tasks_queue_depth", "--url", &server.url], &many[..]].concat());
    let ours = query(&[&["tasks_queue_depth", "--file", &name], &many[..]].concat());
    assert_eq!((theirs.code, &theirs.stdout), (0, &ours.stdout));
    let refused = query(&["rate(up)", "--url", &server.url]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("expected type range vector"), "{}", refused.stderr);
    let failed = query(&["up + on () up", "--url", &server.url, "--time", &at]);
    assert_eq!(failed.code, 3);
    assert!(failed.stderr.contains("many-to-many matching not allowed"), "{}", failed.stderr);
}

#[test]
fn a_server_that_is_not_there_is_unknown_and_not_empty() {
    let url = format!("http://127.0.0.1:{}", free_port());
    let ran = query(&["up", "--url", &url, "--output", "json"]);
    assert_eq!((ran.code, &ran.json()["status"]), (3, &json!("error")));
    assert_eq!(ran.json()["errorType"], "unavailable");
}

#[test]
fn an_endpoint_of_the_config_is_scraped_once_and_a_window_takes_waiting() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for (i, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut head = [0; 4096];
            let _ = stream.read(&mut head);
            let body = format!("jobs_total {}\n", 10 * i);
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("launch.toml");
    let text = format!(
        "schema = 1\n[launch]\nproduct = \"Tasks\"\nversion = \"0.1.4\"\nenvironment = \"test\"\n\n\
         [source.worker]\nkind = \"scrape\"\nurls = [\"http://127.0.0.1:{port}/metrics\"]\nevery = \"1s\"\n\
         timeout = \"500ms\"\n"
    );
    std::fs::write(&config, text).unwrap();
    let config = config.to_str().unwrap();
    let ran = query(&["jobs_total", "--config", config, "--output", "json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let metric = &ran.json()["data"]["result"][0]["metric"];
    assert_eq!(
        (&metric["job"], &metric["instance"]),
        (&json!("worker"), &json!(format!("127.0.0.1:{port}")))
    );

    let ran = query(&["rate(jobs_total[5m])", "--config", config]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("0s of 5m seen"), "{}", ran.stderr);
    let ran = query(&["rate(jobs_total[5m])", "--config", config, "--wait", "1500ms"]);
    assert_eq!(ran.code, 4);
    assert!(ran.stderr.contains("of 5m seen"), "{}", ran.stderr);
    let ran = query(&["increase(jobs_total[2s])", "--config", config, "--wait", "20s", "--output", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert_eq!(ran.json()["data"]["result"].as_array().unwrap().len(), 1);
    let ran = query(&["jobs_total", "--config", config, "--time", "5"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

#[test]
fn the_series_of_a_server_are_listed_and_an_empty_answer_says_why() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let lines: Vec<String> = (0..3).map(|n| format!("depth{{queue=\"q{n}\"}} 1 {}\n", now - 600)).collect();
    let Some((_dir, data)) = database(&format!("# TYPE depth gauge\n{}# EOF\n", lines.concat())) else {
        return;
    };
    let server = Prometheus::start("scrape_configs: []\n", Some(&data));
    let ran = query(&["--series", "depth{queue!=\"q1\"}", "--url", &server.url]);
    assert_eq!(ran.stdout, "depth{queue=\"q0\"}\ndepth{queue=\"q2\"}\n");
    assert_eq!((ran.code, ran.stderr.trim()), (0, "gonogo: 2 series"), "{}", ran.stderr);
    let ran = query(&["--series", "nope", "--url", &server.url, "--output", "json"]);
    assert_eq!((ran.code, ran.json()), (1, json!({"status": "success", "data": []})));
    let ran = query(&["--series", "rate(depth[5m])", "--url", &server.url]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let ran = query(&["--series", "depth", "depth", "--url", &server.url]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let ran = query(&["sum(depth)", "--url", &server.url]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    assert!(
        ran.stderr.contains("no series") && ran.stderr.contains("depth died, last seen at "),
        "{}",
        ran.stderr
    );
}
