//! `gonogo identity`, and the demo's identity screen.

use std::fmt::Write as _;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gonogo::drill::{Access, DEMO_SEED, DEMO_START, Product, Server};
use serde_json::{Value, json};

use crate::http::canned::{Canned, ok};

/// A Prometheus server that answers each expression with these rates by tenant.
fn prometheus(traffic: &'static [(&str, &str)], refused: &'static [(&str, &str)]) -> Canned {
    Canned::new(move |seen, _| {
        if !seen.path().starts_with("/api/v1/query") {
            return crate::http::canned::answer(404, "", "");
        }
        let query = format!("{} {}", seen.path(), seen.body);
        // Asked one by one, when the samples were taken is easier to tell.
        if query.contains("gonogo_question") {
            return crate::http::canned::answer(400, "", "");
        }
        let rates = if query.contains("refused") { refused } else { traffic };
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let result: Vec<Value> = rates
            .iter()
            .map(|(tenant, rate)| {
                let taken = now.to_string();
                let value = if query.contains("timestamp") { taken.as_str() } else { rate };
                json!({ "metric": { "tenant": tenant }, "value": [now, value] })
            })
            .collect();
        let matrix = query.contains("query_range");
        let result = if matrix { Vec::new() } else { result };
        let kind = if matrix { "matrix" } else { "vector" };
        let body = json!({ "status": "success", "data": { "resultType": kind, "result": result } });
        ok("application/json", body.to_string())
    })
}

/// Serves the simulated identity service on a thread of its own for as long as the guard lives.
struct Service {
    url: String,
    _quit: tokio::sync::oneshot::Sender<()>,
}

fn service(scopes: &[&str]) -> Service {
    let mut product = Product::new(DEMO_SEED, DEMO_START);
    product.advance_to(DEMO_START.after(Duration::from_mins(2)));
    let access = Access { token: None, scopes: scopes.iter().map(|s| (*s).to_owned()).collect() };
    let (told, url) = std::sync::mpsc::channel();
    let (quit, quits) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let product = Arc::new(Mutex::new(product));
            let server = Server::start_as(product, ([127, 0, 0, 1], 0).into(), access).await.unwrap();
            told.send(server.base_url()).unwrap();
            let _ = quits.await;
        });
    });
    Service { url: url.recv().unwrap(), _quit: quit }
}

fn identity(service: &Service, prometheus: Option<&Canned>, args: &[&str]) -> Output {
    identity_with(service, prometheus, "", args)
}

fn identity_with(service: &Service, prometheus: Option<&Canned>, more: &str, args: &[&str]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("launch.toml");
    let mut text = format!(
        "schema = 1\n[launch]\nproduct = \"Tasks\"\nversion = \"0.1.4\"\nenvironment = \"production\"\n\
         [source.identity]\nkind = \"identity\"\nurl = \"{}\"\n",
        service.url
    );
    if let Some(server) = prometheus {
        write!(
            text,
            "[source.prom]\nkind = \"prometheus\"\nurl = \"{}\"\n\
             [[signal]]\nid = \"traffic\"\nboard = \"hidden\"\nsource = \"prom\"\nquery = \"traffic\"\n\
             [[signal]]\nid = \"refused\"\nboard = \"hidden\"\nsource = \"prom\"\nquery = \"refused\"\n\
             [tenants]\nentitlement = \"tasks\"\ntraffic = \"traffic\"\nrefused = \"refused\"\n",
            server.url("")
        )
        .unwrap();
    }
    text.push_str(more);
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gonogo"));
    command.arg("identity").arg("--config").arg(&config).args(args).env("XDG_STATE_HOME", dir.path());
    command.output().unwrap()
}

const ALL: [&str; 5] = ["flags:read", "orgs:read", "entitlements:read", "audit:read", "impersonation:read"];

#[test]
fn findings_are_told_as_json_with_the_rates_behind_them_and_fail_the_command() {
    let rates: &[(&str, &str)] =
        &[("acme", "2.5"), ("org_vandelay", "1"), ("nakatomi", "0.025"), ("nobody", "1"), ("stark", "0")];
    let server = prometheus(rates, &[("nakatomi", "0.025")]);
    let output = identity(&service(&ALL), Some(&server), &["--output", "json", "--timeout", "30s"]);
    let told: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(output.status.code(), Some(1), "{told}");
    let orgs = told["organisations"].as_array().unwrap();
    let found: Vec<_> = orgs
        .iter()
        .filter(|org| !org["finding"].is_null())
        .map(|org| (org["name"].as_str().unwrap(), org["finding"]["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        found,
        [("Nakatomi", "only-refused"), ("Vandelay", "unentitled"), ("nobody", "no-organisation")]
    );
    let acme = orgs.iter().find(|org| org["id"] == "org_acme").unwrap();
    assert_eq!(
        (&acme["traffic"], &acme["refused"], &acme["entitled"]),
        (&json!("2.5"), &json!("0"), &json!(true))
    );
    assert_eq!(acme["entitlements"][0]["key"], "tasks");
    assert!(told["changes"].as_array().unwrap().iter().any(|e| e["action"] == "entitlement.revoked"));
    assert_eq!(told["errors"], json!([]));
}

#[test]
fn one_organisation_is_shown_with_its_entitlements_and_judged_alone() {
    let server = prometheus(&[("acme", "2.5"), ("vandelay", "1")], &[]);
    let output = identity(&service(&ALL), Some(&server), &["--org", "acme", "--timeout", "30s"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("Acme") && !text.contains("Vandelay") && text.contains("sso"), "{text}");
    let output = identity(&service(&ALL), Some(&server), &["--org", "acmee", "--timeout", "30s"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no organisation \"acmee\""));
}

#[test]
fn a_missing_scope_makes_it_unknown_and_is_named() {
    let server = prometheus(&[("acme", "2.5")], &[]);
    let output = identity(&service(&["flags:read", "orgs:read"]), Some(&server), &["--timeout", "30s"]);
    let (text, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(3), "{text}{said}");
    assert!(text.contains("unknown: needs entitlements:read"), "{text}");
    for told in ["audit: needs audit:read", "impersonation: needs impersonation:read", "roles: needs"] {
        assert!(said.contains(told), "{told}\n{said}");
    }
}

#[test]
fn a_token_that_may_not_read_flags_shows_every_other_part() {
    let flag = "[[flag]]\nkey = \"tasks.enabled\"\nsource = \"identity\"\n";
    for more in ["", flag] {
        let output = identity_with(&service(&ALL[1..]), None, more, &["--timeout", "30s"]);
        let (text, said) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(0), "{text}{said}");
        assert!(text.contains("Pied Piper") && text.contains("CHANGES"), "{text}");
        assert!(!said.contains("flags:read"), "{said}");
    }
}

#[test]
fn without_a_comparison_organisations_are_listed_and_it_is_said_that_nothing_is_compared() {
    let output = identity(&service(&ALL), None, &["--timeout", "30s"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("Pied Piper") && text.contains("nothing is compared"), "{text}");
}

/// The demo's screen at a moment, after these keys.
fn demo(at: &str, size: &str, keys: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_gonogo"))
        .args(["demo", "--by", "ana", "--at", at, "--size", size, "--keys", keys])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_demo_finds_the_tenant_without_the_right_and_the_one_that_gets_only_403() {
    let screen = demo("26m", "160x48", "6");
    for told in [
        "Organisations  22 · 2 found",
        "▲ entitled, but only 403s",
        "▲ traffic, not entitled",
        "Sam as Eve (Globex)  read only",
        "flag.rollout_changed",
        "percent 25 → 50",
        "+tasks:write",
    ] {
        assert!(screen.contains(told), "{told}\n{screen}");
    }
    assert!(!screen.contains("unknown"), "{screen}");
    let room = demo("26m", "160x48", "");
    assert!(room.contains("● Sam acts as Eve (Globex), read only, until 14:51"), "{room}");
    let narrowed = demo("26m", "110x40", "o g l o b enter 5");
    assert!(narrowed.contains("Globex only") && !narrowed.contains("umbrella"), "{narrowed}");
}
