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

fn def(server: &Node, bulk: bool, seed: &str) -> SourceDef {
    let context = json!({ "plan": "team" });
    source_def(SourceKind::Flags(Box::new(FlagSource {
        url: format!("http://127.0.0.1:{}", server.port()),
        environment: "production".into(),
        beside: Vec::new(),
        provider: Provider::Ofrep(OfrepDef {
            bulk,
            context: context.as_object().unwrap().clone(),
            keys: 400,
            seed: seed.into(),
            on: vec!["new".into()],
        }),
    })))
}

async fn poll(source: &mut Source, turn: u32) -> (Vec<Flag>, Vec<String>) {
    let told = answer(source, at(f64::from(turn) * 5.0)).await.flags.unwrap();
    assert!(!told.caps.conditional && told.caps.percent && !told.caps.author);
    (told.flags, told.missing)
}

/// The estimate of a flag that is not off, and of how many keys.
fn estimate(flags: &[Flag], key: &str) -> (f64, u32) {
    let flag = flags.iter().find(|flag| flag.key == key).unwrap();
    let Percent::Estimated { value, n } = flag.percent else { panic!("{flag:?}") };
    // Where none of the keys got it, it is not known to be on.
    assert_eq!(flag.switched(), (value > 0.0).then_some(true), "{flag:?}");
    (value, n)
}

/// Whether the true share lies within the error that is drawn beside an estimate.
fn holds((value, n): (f64, u32), truth: f64) -> bool {
    let (low, high) = interval(value, u64::from(n));
    low <= truth && truth <= high
}

#[tokio::test]
async fn percentages_are_estimated_over_polls_and_a_change_begins_anew() {
    let Some(server) = Node::start("ofrep.js", &[], &["@openfeature/flagd-core"]) else { return };
    flags(&server, 25);
    let mut source = source(&def(&server, true, "test"), &[], &KEYS);
    let mut told = poll(&mut source, 0).await;
    assert_eq!(estimate(&told.0, "tasks.quarter").1, 20);
    for turn in 1..20 {
        told = poll(&mut source, turn).await;
    }
    let (all, missing) = told.clone();
    for (key, truth) in [("tasks.quarter", 25.0), ("tasks.all", 100.0), ("tasks.design", 60.0)] {
        let told = estimate(&all, key);
        assert!(told.1 == 400 && holds(told, truth), "{key}: {told:?}");
    }
    let off = all.iter().find(|flag| flag.key == "tasks.off").unwrap();
    assert!(!off.enabled, "disabled, and left out of the bulk answer");
    assert_eq!(missing, ["tasks.gone"]);

    // The same keys get the same again, so the estimate stands still while nothing changes.
    let (again, _) = poll(&mut source, 20).await;
    assert_eq!(again, all);

    flags(&server, 75);
    let (changed, _) = poll(&mut source, 21).await;
    assert_eq!(estimate(&changed, "tasks.quarter").1, 20, "what was counted before the change is dropped");
    assert_eq!(estimate(&changed, "tasks.design").1, 400);
    for turn in 22..42 {
        told = poll(&mut source, turn).await;
    }
    let told = estimate(&told.0, "tasks.quarter");
    assert!(told.1 == 400 && holds(told, 75.0), "{told:?}");
}

/// The error is that of 95 in 100: of many estimates about so many must hold the truth, and a bar that
/// always did would be too wide to tell anything.
#[tokio::test]
async fn the_error_beside_an_estimate_is_neither_too_small_nor_too_large() {
    let Some(server) = Node::start("ofrep.js", &[], &["@openfeature/flagd-core"]) else { return };
    flags(&server, 25);
    let mut held = [0, 0];
    for seed in 0..200 {
        let mut source = source(&def(&server, true, &seed.to_string()), &[], &KEYS);
        let (all, _) = poll(&mut source, 0).await;
        for (count, (key, truth)) in held.iter_mut().zip([("tasks.quarter", 25.0), ("tasks.design", 60.0)]) {
            *count += usize::from(holds(estimate(&all, key), truth));
        }
    }
    assert!(held.iter().all(|held| (180..200).contains(held)), "{held:?} of 200");
}

#[tokio::test]
async fn a_server_without_bulk_evaluation_is_asked_flag_by_flag() {
    let Some(server) = Node::start("ofrep.js", &[], &["@openfeature/flagd-core"]) else { return };
    flags(&server, 25);
    put(&server, "/bulk?on=0", &Value::Null);
    let mut found_out = source(&def(&server, true, "test"), &[], &KEYS);
    let mut told_so = source(&def(&server, false, "test"), &[], &KEYS);
    for turn in 0..5 {
        poll(&mut found_out, turn).await;
        poll(&mut told_so, turn).await;
    }
    for source in [&mut found_out, &mut told_so] {
        let (all, missing) = poll(source, 5).await;
        assert_eq!(missing, ["tasks.gone"]);
        let off = all.iter().find(|flag| flag.key == "tasks.off").unwrap();
        assert!(!off.enabled);
        let told = estimate(&all, "tasks.quarter");
        assert!((20..=24).contains(&told.1), "four keys a poll: {told:?}");
    }
}
