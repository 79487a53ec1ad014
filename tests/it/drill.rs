//! The simulated product over real HTTP, read by others: a plain socket and promtool.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gonogo::drill::{DEMO_SEED, DEMO_START, DEMO_WARM_UP, Format, Page, Product, Server};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const FLAGS: &str = "/launch/v1/flags?environment=production";

pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect(&self.body)
    }
}

fn demo() -> Product {
    let mut product = Product::new(DEMO_SEED, DEMO_START);
    product.advance_to(DEMO_START.after(DEMO_WARM_UP));
    product
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

async fn ask(addr: SocketAddr, method: &str, path: &str, headers: &str) -> Answer {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

pub(crate) async fn get(addr: SocketAddr, path: &str) -> Answer {
    ask(addr, "GET", path, "").await
}

#[tokio::test]
async fn each_endpoint_sends_what_the_product_is_at_and_moves_only_when_the_product_does() {
    let product = Arc::new(Mutex::new(demo()));
    let server = Server::start(Arc::clone(&product), loopback()).await.unwrap();
    for page in Page::ALL {
        let first = get(server.addr(), page.path()).await;
        assert_eq!(first.status, 200);
        assert_eq!(first.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        assert_eq!(first.header("date"), Some("Tue, 02 Dec 2025 14:20:00 GMT"));
        assert_eq!(first.body, product.lock().unwrap().exposition(page, Format::Text));
        assert_eq!(get(server.addr(), page.path()).await.body, first.body);
        let next = product.lock().unwrap().now().after(Duration::from_secs(1));
        product.lock().unwrap().advance_to(next);
        assert_ne!(get(server.addr(), page.path()).await.body, first.body);
        product.lock().unwrap().advance_to(next);
        *product.lock().unwrap() = demo();
    }
}

#[tokio::test]
async fn a_prometheus_that_prefers_openmetrics_gets_it_whole() {
    let server = Server::start(Arc::new(Mutex::new(demo())), loopback()).await.unwrap();
    let accept = "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5\r\n";
    for page in Page::ALL {
        let answer = ask(server.addr(), "GET", page.path(), accept).await;
        assert!(
            answer.header("content-type").unwrap().starts_with("application/openmetrics-text; version=1.0.0")
        );
        assert!(answer.body.ends_with("\n# EOF\n") && !answer.body.contains("\n\n"));
        let counters = answer.body.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        for name in counters.filter_map(|line| line.strip_suffix(" counter")) {
            assert!(!name.ends_with("_total"), "{name}");
            assert!(answer.body.contains(&format!("\n{name}_total")), "{name}");
        }
    }
}

#[test]
fn promtool_reads_every_page_at_every_hour_of_the_story_and_has_nothing_to_remark() {
    if Command::new("promtool").arg("--version").output().is_err() {
        assert!(std::env::var_os("GONOGO_REQUIRE_SERVERS").is_none(), "promtool is not installed");
        eprintln!("promtool is not installed: the pages of the simulated product are not checked by it");
        return;
    }
    let mut product = Product::new(DEMO_SEED, DEMO_START);
    for minute in [0, 1, 20, 28] {
        product.advance_to(DEMO_START.after(Duration::from_mins(minute)));
        for page in Page::ALL {
            let mut lint = Command::new("promtool")
                .args(["check", "metrics"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let text = product.exposition(page, Format::Text);
            lint.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
            let said = lint.wait_with_output().unwrap();
            let remarks = String::from_utf8_lossy(&said.stderr).into_owned();
            assert!(said.status.success() && remarks.is_empty(), "{page:?} at minute {minute}: {remarks}");
        }
    }
}

#[tokio::test]
async fn flags_are_told_once_and_then_304_until_something_changes() {
    let product = Arc::new(Mutex::new(demo()));
    let server = Server::start(Arc::clone(&product), loopback()).await.unwrap();
    let first = get(server.addr(), FLAGS).await;
    assert_eq!((first.status, first.header("content-type")), (200, Some("application/json")));
    let flags = first.json();
    assert_eq!(flags["environment"], "production");
    let enabled = flags["flags"].as_array().unwrap().iter().find(|f| f["key"] == "tasks.enabled").unwrap();
    let state = &enabled["state"];
    assert_eq!(state["rollout"]["percent"], 25.0);
    assert_eq!(state["updated_at"], "2025-12-02T14:12:00.000Z");
    assert_eq!(state["updated_by"]["id"], "ravi");
    assert_eq!(state["schedule"]["next"]["at"], "2025-12-02T14:24:00.000Z");
    assert_eq!(state["schedule"]["next"]["percent"], 50.0);
    let (on, off) = (state["observed"]["on"].as_f64().unwrap(), state["observed"]["off"].as_f64().unwrap());
    assert!((23.0..27.0).contains(&(100.0 * on / (on + off))), "{on} {off}");

    let tag = first.header("etag").unwrap();
    let conditional = format!("If-None-Match: {tag}\r\n");
    let second = ask(server.addr(), "GET", FLAGS, &conditional).await;
    assert_eq!((second.status, second.body.as_str(), second.header("etag")), (304, "", Some(tag)));
    product.lock().unwrap().set_flag_percent(50.0);
    let third = ask(server.addr(), "GET", FLAGS, &conditional).await;
    assert_eq!(third.status, 200);
    assert!(third.body.contains("\"percent\":50.0") && third.body.contains("\"ada\""));
}

#[tokio::test]
async fn a_flag_without_a_percentage_says_so_and_a_missing_one_is_named() {
    let server = Server::start(Arc::new(Mutex::new(demo())), loopback()).await.unwrap();
    let path = format!("{FLAGS}&key=tasks.bulk-import&key=tasks.gone&key=tasks.ai-suggest");
    let answer = get(server.addr(), &path).await.json();
    assert_eq!(answer["missing"], serde_json::json!(["tasks.gone"]));
    let flags = answer["flags"].as_array().unwrap();
    assert_eq!(flags.len(), 2);
    assert_eq!(
        (&flags[0]["key"], &flags[0]["state"]["enabled"]),
        (&"tasks.ai-suggest".into(), &false.into())
    );
    let rollout = &flags[1]["state"]["rollout"];
    assert_eq!((&rollout["mode"], &rollout["exact"]), (&"rules".into(), &false.into()));
    assert!(rollout["percent"].is_null());
}

#[tokio::test]
async fn pages_of_flags_follow_their_cursor_to_the_end_without_a_gap_or_a_repeat() {
    let server = Server::start(Arc::new(Mutex::new(demo())), loopback()).await.unwrap();
    let mut path = format!("{FLAGS}&limit=1");
    let mut keys = Vec::new();
    loop {
        let page = get(server.addr(), &path).await.json();
        assert_eq!(page["flags"].as_array().unwrap().len(), 1);
        keys.push(page["flags"][0]["key"].as_str().unwrap().to_owned());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("{FLAGS}&limit=1&cursor={cursor}");
    }
    assert_eq!(keys, ["billing.new-invoices", "tasks.ai-suggest", "tasks.bulk-import", "tasks.enabled"]);
}

#[tokio::test]
async fn what_cannot_be_answered_is_a_problem_with_its_status() {
    let server = Server::start(Arc::new(Mutex::new(demo())), loopback()).await.unwrap();
    for (method, path, status) in [
        ("GET", "/launch/v1/flags", 400),
        ("GET", "/launch/v1/flags?environment=", 400),
        ("GET", "/launch/v1/flags?environment=prod", 400),
        ("GET", "/launch/v1/flags?environment=production&limit=201", 400),
        ("GET", "/launch/v1/flags?environment=production&limit=0", 400),
        ("GET", "/launch/v1/flags?environment=production&cursor=x", 400),
        ("GET", "/launch/v1/orgs/org_none/entitlements", 404),
        ("GET", "/launch/v1/orgs?cursor=x", 400),
        ("GET", "/launch/v1/audit-events?limit=0", 400),
        ("GET", "/launch/v1/audit-events?after=x", 400),
        ("GET", "/launch/v1/teams", 404),
        ("GET", "/launch/v1/flags/", 404),
        ("GET", "/launch/v1", 404),
        ("GET", "/metrics", 404),
        ("POST", "/launch/v1/flags?environment=production", 405),
        ("DELETE", "/worker/metrics", 405),
    ] {
        let answer = ask(server.addr(), method, path, "").await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
        let problem = answer.json();
        assert_eq!(problem["status"], status);
        assert!(problem["type"].is_string() && problem["title"].is_string(), "{problem}");
    }
    assert_eq!(ask(server.addr(), "PUT", "/x", "").await.header("allow"), Some("GET, HEAD"));
}

#[tokio::test]
async fn meta_lists_only_what_is_served_and_tells_simulated_time() {
    let server = Server::start(Arc::new(Mutex::new(demo())), loopback()).await.unwrap();
    let meta = get(server.addr(), "/launch/v1/meta").await.json();
    assert_eq!(meta["contract"], "launch-identity/1");
    assert_eq!(meta["server_time"], "2025-12-02T14:20:00.000Z");
    for (capability, path) in [
        ("flags", "flags?environment=production"),
        ("orgs", "orgs"),
        ("roles", "roles"),
        ("entitlements", "orgs/org_acme/entitlements"),
        ("audit", "audit-events"),
        ("impersonation", "impersonation-sessions"),
    ] {
        assert!(meta["capabilities"].as_array().unwrap().contains(&capability.into()), "{capability}");
        assert_eq!(get(server.addr(), &format!("/launch/v1/{path}")).await.status, 200);
    }
    assert_eq!(meta["capabilities"].as_array().unwrap().len(), 6);
    for environment in meta["environments"].as_array().unwrap() {
        let path = format!("/launch/v1/flags?environment={}", environment.as_str().unwrap());
        assert_eq!(get(server.addr(), &path).await.json()["environment"], *environment);
    }
    let head = ask(server.addr(), "HEAD", "/launch/v1/meta", "").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[tokio::test]
async fn a_contract_with_a_token_answers_401_without_it_and_metrics_stay_open() {
    let product = Arc::new(Mutex::new(demo()));
    let server = Server::start_with_token(product, loopback(), "let-me-in").await.unwrap();
    let path = "/launch/v1/whoami";
    for headers in ["", "Authorization: Bearer no\r\n", "Authorization: Basic let-me-in\r\n"] {
        let answer = ask(server.addr(), "GET", path, headers).await;
        assert_eq!((answer.status, &answer.json()["status"]), (401, &401.into()), "{headers}");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer realm="));
    }
    let known = ask(server.addr(), "GET", path, "Authorization: Bearer let-me-in\r\n").await;
    assert_eq!((known.status, &known.json()["subject"]["id"]), (200, &"ada".into()));
    assert_eq!(get(server.addr(), "/worker/metrics").await.status, 200);
}

#[tokio::test]
async fn a_dropped_server_closes_its_port_and_its_open_connections() {
    let server = Server::start(Arc::new(Mutex::new(demo())), loopback()).await.unwrap();
    let addr = server.addr();
    let mut idle = TcpStream::connect(addr).await.unwrap();
    idle.write_all(b"GET /launch/v1/meta HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut some = [0; 16];
    idle.read_exact(&mut some).await.unwrap();
    drop(server);
    let mut rest = Vec::new();
    let _ = idle.read_to_end(&mut rest).await;
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn the_simulated_product_is_not_served_to_other_machines() {
    let product = Arc::new(Mutex::new(demo()));
    let error = Server::start(product, SocketAddr::from(([0, 0, 0, 0], 0))).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

/// The expressions of the demo's config: id, source, `PromQL`.
fn expressions() -> Vec<(String, String, String)> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/demo.toml")).unwrap();
    let config: toml::Table = toml::from_str(&text).unwrap();
    let tables = ["signal", "gate"].into_iter().flat_map(|kind| config[kind].as_array().unwrap().iter());
    let asked = tables.filter(|table| table.get("query").is_some());
    let word = |table: &toml::Value, key: &str| table[key].as_str().unwrap().to_owned();
    asked.map(|table| (word(table, "id"), word(table, "source"), word(table, "query"))).collect()
}

#[test]
fn every_expression_of_the_demo_is_accepted_by_prometheus() {
    if Command::new("promtool").arg("--version").output().is_err() {
        assert!(std::env::var_os("GONOGO_REQUIRE_SERVERS").is_none(), "promtool is not installed");
        eprintln!("promtool is not installed: the expressions of the demo are not checked by it");
        return;
    }
    let rules: Vec<Value> = expressions()
        .into_iter()
        .map(|(id, _, query)| serde_json::json!({ "record": format!("demo:{}", id.replace('-', "_")), "expr": query }))
        .collect();
    assert!(rules.len() > 20);
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    // JSON is YAML.
    let groups = serde_json::json!({ "groups": [{ "name": "demo", "rules": rules }] });
    std::fs::write(file.path(), groups.to_string()).unwrap();
    let said = Command::new("promtool").args(["check", "rules"]).arg(file.path()).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}

#[test]
fn every_metric_that_the_demo_asks_for_is_sent_by_the_source_it_is_asked_of() {
    let product = demo();
    for (id, source, query) in expressions() {
        let page = match source.as_str() {
            "worker" => Page::Worker,
            "api" => Page::Api,
            "redis" => Page::Redis,
            "pager" => Page::Pager,
            _ => Page::Identity,
        };
        let text = product.exposition(page, Format::Text);
        let words = query.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let names: Vec<&str> = words.filter(|word| word.matches('_').count() >= 2).collect();
        assert!(!names.is_empty() || query.contains("up"), "{id}");
        for name in names {
            let sent = ["{", " "].iter().any(|next| text.contains(&format!("\n{name}{next}")));
            assert!(sent, "{id}: {source} sends no {name}");
        }
    }
}
