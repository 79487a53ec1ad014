//! An OFREP server over flagd's own evaluation.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use gonogo::model::flag::interval;
use gonogo::model::provider::{FlagSource, OfrepDef, Provider};
use gonogo::model::{Flag, Percent, SourceDef, SourceKind};
use gonogo::sources::Source;
use serde_json::{Value, json};

use super::{answer, at, source, source_def};
use crate::node::Node;

const KEYS: [&str; 5] = ["tasks.quarter", "tasks.off", "tasks.all", "tasks.design", "tasks.gone"];

fn put(server: &Node, path: &str, body: &Value) {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    let body = body.to_string();
    write!(stream, "PUT {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}

/// A fractional rollout, one that is disabled, one for everybody, and one of three designs.
fn flags(server: &Node, percent: u32) {
    let switch = json!({ "on": true, "off": false });
    let split = json!({ "fractional": [["on", percent], ["off", 100 - percent]] });
    let designs = json!({ "if": [{ "==": [{ "var": "plan" }, "team"] },
        { "fractional": [["new", 60], ["old", 40]] }, "old"] });
    let definition = json!({ "flags": {
        "tasks.quarter": { "state": "ENABLED", "variants": switch, "defaultVariant": "off", "targeting": split },
        "tasks.off": { "state": "DISABLED", "variants": switch, "defaultVariant": "on" },
        "tasks.all": { "state": "ENABLED", "variants": switch, "defaultVariant": "on" },
        "tasks.design": { "state": "ENABLED", "variants": { "new": "blue", "old": "grey" },
            "defaultVariant": "old", "targeting": designs },
    }});
    put(server, "/flags", &definition);
}

fn def(server: &Node, bulk: bool) -> SourceDef {
    let context = json!({ "plan": "team" });
    source_def(SourceKind::Flags(Box::new(FlagSource {
        url: format!("http://127.0.0.1:{}", server.port()),
        environment: "production".into(),
        beside: Vec::new(),
        provider: Provider::Ofrep(OfrepDef {
            bulk,
            context: context.as_object().unwrap().clone(),
            keys: 400,
            seed: "test".into(),
            on: vec!["new".into()],
        }),
    })))
}

async fn poll(source: &mut Source, turn: u32) -> (Vec<Flag>, Vec<String>) {
    let told = answer(source, at(f64::from(turn) * 5.0)).await.flags.unwrap();
    assert!(!told.caps.conditional && told.caps.percent && !told.caps.author);
    (told.flags, told.missing)
}

/// That the estimate of a flag is from `n` keys, and the true share within its own error.
fn estimated(flags: &[Flag], key: &str, truth: f64, n: u32) {
    let flag = flags.iter().find(|flag| flag.key == key).unwrap();
    let Percent::Estimated { value, n: counted } = flag.percent else { panic!("{flag:?}") };
    let (low, high) = interval(value, u64::from(counted));
    assert!(
        flag.enabled && counted == n && low <= truth && truth <= high,
        "{key}: {} of {truth}",
        flag.percent.text()
    );
}

#[tokio::test]
async fn percentages_are_estimated_over_polls_and_a_change_begins_anew() {
    let Some(server) = Node::start("ofrep.js", &[], &["@openfeature/flagd-core"]) else { return };
    flags(&server, 25);
    let mut source = source(&def(&server, true), &[], &KEYS);
    let mut told = poll(&mut source, 0).await;
    estimated(&told.0, "tasks.quarter", 25.0, 20);
    for turn in 1..20 {
        told = poll(&mut source, turn).await;
    }
    let (all, missing) = told;
    estimated(&all, "tasks.quarter", 25.0, 400);
    estimated(&all, "tasks.all", 100.0, 400);
    estimated(&all, "tasks.design", 60.0, 400);
    let off = all.iter().find(|flag| flag.key == "tasks.off").unwrap();
    assert!(!off.enabled, "disabled, and left out of the bulk answer");
    assert_eq!(missing, ["tasks.gone"]);

    // The same keys get the same again, so the estimate stands still while nothing changes.
    let (again, _) = poll(&mut source, 20).await;
    assert_eq!(again, all);

    flags(&server, 75);
    let (changed, _) = poll(&mut source, 21).await;
    estimated(&changed, "tasks.quarter", 75.0, 20);
    estimated(&changed, "tasks.design", 60.0, 400);
}

#[tokio::test]
async fn a_server_without_bulk_evaluation_is_asked_flag_by_flag() {
    let Some(server) = Node::start("ofrep.js", &[], &["@openfeature/flagd-core"]) else { return };
    flags(&server, 25);
    put(&server, "/bulk?on=0", &Value::Null);
    let mut found_out = source(&def(&server, true), &[], &KEYS);
    let mut told_so = source(&def(&server, false), &[], &KEYS);
    for turn in 0..5 {
        poll(&mut found_out, turn).await;
        poll(&mut told_so, turn).await;
    }
    for source in [&mut found_out, &mut told_so] {
        let (all, missing) = poll(source, 5).await;
        assert_eq!(missing, ["tasks.gone"]);
        let off = all.iter().find(|flag| flag.key == "tasks.off").unwrap();
        assert!(!off.enabled);
        let quarter = all.iter().find(|flag| flag.key == "tasks.quarter").unwrap();
        let Percent::Estimated { value, n } = quarter.percent else { panic!("{quarter:?}") };
        let (low, high) = interval(value, u64::from(n));
        assert!(n >= 20 && low <= 25.0 && 25.0 <= high, "{}", quarter.percent.text());
    }
}
