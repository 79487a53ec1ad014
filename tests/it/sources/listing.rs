//! `gonogo sources`: each source polled once, told in words and in JSON, with its exit code.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::canned::{Act, Canned, answer, ok, raw};

const METRICS: &str = "# TYPE depth gauge\ndepth{queue=\"a\"} 3\ndepth{queue=\"b\"} 4\nother 1\n";

fn metrics(body: &str) -> Canned {
    Canned::always(ok("text/plain; version=0.0.4", body))
}

fn alertmanager() -> Canned {
    Canned::new(|seen, _| match seen.path() {
        path if path.ends_with("/status") => ok(
            "application/json",
            r#"{"cluster":{"status":"ready"},"versionInfo":{"version":"0.25.0"},"uptime":"2025-12-02T14:00:00Z","config":{"original":""}}"#,
        ),
        _ => ok("application/json", "[]"),
    })
}

fn scrape(id: &str, server: &Canned) -> String {
    format!(
        "[source.{id}]\nkind = \"scrape\"\nurls = [\"{}\"]\ntimeout = \"700ms\"\n\
         [[signal]]\nid = \"{id}-depth\"\nboard = \"queues\"\ntitle = \"depth\"\nsource = \"{id}\"\n\
         unit = \"jobs\"\nquery = \"sum by (queue) (depth)\"\n",
        server.url("/metrics")
    )
}

fn sources(body: &str, more: &[&str]) -> (Option<i32>, String) {
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    let head = "schema = 1\n[launch]\nproduct = \"Tasks\"\nversion = \"1\"\nenvironment = \"production\"\n";
    std::fs::write(file.path(), format!("{head}{body}")).unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_gonogo"))
        .args(["sources", "--config"])
        .arg(file.path())
        .args(more)
        .output()
        .unwrap();
    let text = if out.status.code() == Some(2) { out.stderr } else { out.stdout };
    (out.status.code(), String::from_utf8(text).unwrap())
}

fn in_json(body: &str, more: &[&str]) -> (Option<i32>, Vec<Value>) {
    let (code, text) = sources(body, &[&["--output", "json"], more].concat());
    let document: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    (code, document["sources"].as_array().unwrap().clone())
}

/// The address of an OFREP source and its headers may come from the environment, as of its other clients.
#[test]
fn an_ofrep_source_without_an_address_takes_it_from_the_environment() {
    let server = Canned::always(ok("application/json", r#"{"flags":[]}"#));
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    let head = "schema = 1\n[launch]\nproduct = \"Tasks\"\nversion = \"1\"\nenvironment = \"production\"\n";
    std::fs::write(file.path(), format!("{head}[source.flags]\nkind = \"ofrep\"\nkeys = 1\n")).unwrap();
    let run = |endpoint: Option<String>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gonogo"));
        command.args(["sources", "--output", "json", "--config"]).arg(file.path());
        command.env_remove("OFREP_ENDPOINT").env("OFREP_HEADERS", "X-API-Key=s3cret,X-Team=tasks");
        if let Some(endpoint) = endpoint {
            command.env("OFREP_ENDPOINT", endpoint);
        }
        let out = command.output().unwrap();
        (out.status.code(), String::from_utf8(out.stdout).unwrap())
    };
    let (code, text) = run(Some(server.url("/")));
    assert_eq!(code, Some(0), "{text}");
    let seen = &server.seen()[0];
    assert_eq!(seen.path(), "/ofrep/v1/evaluate/flags");
    assert_eq!((seen.header("x-api-key"), seen.header("x-team")), (Some("s3cret"), Some("tasks")));
    let (code, text) = run(None);
    assert_eq!(code, Some(3), "{text}");
    assert!(
        text.contains("no url is configured, and the environment variable OFREP_ENDPOINT is not set"),
        "{text}"
    );
    assert!(!text.contains("s3cret"));
}

#[test]
fn sources_that_answer_well_are_listed_with_what_they_sent_and_end_with_0() {
    let (worker, alerts) = (metrics(METRICS), alertmanager());
    let body = scrape("worker", &worker)
        + &format!("[source.am]\nkind = \"alertmanager\"\nurl = \"{}\"\n", alerts.url(""));
    let (code, listed) = in_json(&body, &[]);
    assert_eq!(code, Some(0), "{listed:?}");
    let by = |id: &str| listed.iter().find(|s| s["id"] == id).unwrap();
    let (worker, am) = (by("worker"), by("am"));
    assert_eq!((&worker["kind"], &worker["health"]), (&json!("scrape"), &json!("fresh")));
    assert_eq!((&worker["series_sent"], &worker["unreadable"]), (&json!(3), &json!(0)));
    assert_eq!((&worker["bytes"], &worker["reason"]), (&json!(METRICS.len()), &Value::Null));
    assert!(worker["last_good"].as_str().unwrap().ends_with('Z') && worker["took_seconds"].is_f64());
    assert_eq!((&am["kind"], &am["health"]), (&json!("alertmanager"), &json!("fresh")));
    assert_eq!(am["series_kept"], Value::Null, "an Alertmanager sends no series");
    let (code, text) = sources(&body, &[]);
    assert_eq!((code, text.lines().count()), (Some(0), 2), "{text}");
    assert!(text.contains("● am      alertmanager") && text.contains("of 3 series kept"), "{text}");
}

#[test]
fn a_source_that_fails_and_one_that_hangs_say_why_and_end_with_3_after_one_time_out() {
    let broken = Canned::always(answer(503, "Retry-After: 7\r\n", "no"));
    let deaf = Canned::always(vec![raw("HTTP/1.1 200 OK\r\n"), Act::Hang]);
    let well = metrics(METRICS);
    let body = scrape("broken", &broken) + &scrape("deaf", &deaf) + &scrape("well", &well);
    let begun = Instant::now();
    let (code, listed) = in_json(&body, &[]);
    // Not a figure: a hang that nothing ended would be here for good.
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert_eq!(code, Some(3), "{listed:?}");
    let by = |id: &str| listed.iter().find(|s| s["id"] == id).unwrap();
    assert_eq!(
        (&by("broken")["health"], &by("broken")["reason"]["code"]),
        (&json!("failed"), &json!("status"))
    );
    assert!(by("broken")["reason"]["text"].as_str().unwrap().contains("503"), "{listed:?}");
    assert_eq!(by("broken")["retry_after_seconds"], json!(7.0));
    assert_eq!(by("deaf")["reason"]["code"], json!("timed-out"), "{listed:?}");
    for id in ["broken", "deaf"] {
        let source = by(id);
        assert_eq!(
            (&source["last_good"], &source["series_kept"], &source["bytes"]),
            (&Value::Null, &Value::Null, &Value::Null),
            "what did not come is not 0"
        );
    }
    assert_eq!(by("well")["health"], json!("fresh"));
    let (code, listed) = in_json(&body, &["well"]);
    assert_eq!((code, listed.len()), (Some(0), 1), "only the source that was asked for");
    let (code, text) = sources(&body, &["nobody"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("no source \"nobody\"; this launch has broken, deaf, well"), "{text}");
}

#[test]
fn lines_that_cannot_be_read_are_told_with_the_first_one_and_end_with_1() {
    let one = metrics("depth 3\ndepth{queue=\"b\"} four\n");
    let (code, listed) = in_json(&scrape("one", &one), &[]);
    assert_eq!((code, &listed[0]["unreadable"]), (Some(1), &json!(1)), "{listed:?}");
    assert_eq!(listed[0]["first_unreadable"]["line"], json!(2));
    let (code, text) = sources(&scrape("one", &one), &[]);
    assert_eq!(code, Some(1));
    assert!(text.contains(", 1 line unreadable, the first is line 2: "), "{text}");
    let two = metrics("depth 3\ndepth{queue=\"b\"} four\ndepth{queue=\"c\" 5\n");
    let (_, text) = sources(&scrape("two", &two), &[]);
    assert!(text.contains(", 2 lines unreadable, the first is line 2: "), "{text}");
}
