//! Gates on alerts over a capture: when each would have passed, failed, been unknown.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gonogo::engine::Watch;
use gonogo::model::{GateId, Time};
use gonogo::runtime::{deck, feed};
use gonogo::settings;
use gonogo::sources::capture::{Recorder, Written};
use serde_json::Value;

use super::config;
use crate::http::canned::{Act, Canned, answer, ok};

const BEGIN: Time = Time::from_millis(1_764_684_000_000);
const EVERY: u64 = 5;

/// What the servers do from a second on.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Weather {
    Calm,
    Pending,
    Firing,
    /// It fires, and somebody silenced it.
    Silenced,
    /// The servers answer 503.
    Down,
    /// The rule failed; the dead man's switch is not there.
    Blind,
    /// There is no such rule; the dead man's switch is old.
    Gone,
}

use Weather::{Blind, Calm, Down, Firing, Gone, Pending, Silenced};

/// From which second on.
const DAY: [(u64, Weather); 9] = [
    (0, Calm),
    (50, Pending),
    (80, Firing),
    (120, Silenced),
    (150, Down),
    (200, Calm),
    (250, Blind),
    (280, Gone),
    (310, Calm),
];
/// What the gate on the rules says, and the one on the Alertmanager, which does not know what is
/// pending. An alert that fired fires on while nobody answers, until it is too old to be true.
const RULES: [(u64, &str); 7] = [
    (0, "pass"),
    (50, "unknown"),
    (80, "fail"),
    (166, "unknown"),
    (200, "pass"),
    (250, "unknown"),
    (310, "pass"),
];
const SWITCH: [(u64, &str); 6] =
    [(0, "pass"), (80, "fail"), (166, "unknown"), (200, "pass"), (250, "unknown"), (310, "pass")];
const END: u64 = 350;

fn alert(state: &str, at: Time) -> String {
    format!(
        r#"{{"labels":{{"alertname":"Deep","severity":"page"}},"annotations":{{"summary":"deep"}},"state":"{state}","activeAt":"{}","value":"9"}}"#,
        at.before(Duration::from_secs(20)).rfc3339()
    )
}

fn prometheus(weather: Weather, at: Time, path: &str) -> Vec<Act> {
    let state = match weather {
        Pending => "pending",
        Firing | Silenced => "firing",
        Calm | Down | Blind | Gone => "inactive",
    };
    let alerts = if state == "inactive" { String::new() } else { alert(state, at) };
    let health = if weather == Blind { "err" } else { "ok" };
    let name = if weather == Gone { "Other" } else { "Deep" };
    let evaluated = at.before(Duration::from_secs(2)).rfc3339();
    let body = match path {
        "/prom/api/v1/rules" => format!(
            r#"{{"status":"success","data":{{"groups":[{{"name":"g","file":"f","interval":5,"rules":[{{"type":"alerting","name":"{name}","query":"depth > 1","duration":30,"labels":{{"severity":"page"}},"annotations":{{}},"state":"{state}","health":"{health}","lastError":"no such host","lastEvaluation":"{evaluated}","evaluationTime":0.1,"alerts":[{alerts}]}}]}}]}}}}"#
        ),
        "/prom/api/v1/alerts" => format!(r#"{{"status":"success","data":{{"alerts":[{alerts}]}}}}"#),
        _ => {
            let at = at.seconds();
            format!(
                r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{}},"value":[{at},"1"]}}]}}}}"#
            )
        }
    };
    ok("application/json", body)
}

fn alertmanager(weather: Weather, at: Time, path: &str) -> Vec<Act> {
    let one = |name: &str, sent: Time, silences: &str| {
        format!(
            r#"{{"labels":{{"alertname":"{name}","severity":"page"}},"annotations":{{}},"startsAt":"{}","endsAt":"{}","updatedAt":"{}","fingerprint":"{name}","receivers":[{{"name":"ops"}}],"status":{{"state":"active","silencedBy":[{silences}],"inhibitedBy":[],"mutedBy":[]}},"generatorURL":""}}"#,
            at.before(Duration::from_mins(10)).rfc3339(),
            at.after(Duration::from_mins(4)).rfc3339(),
            sent.rfc3339(),
        )
    };
    let sent = at.before(if weather == Gone { Duration::from_mins(9) } else { Duration::from_secs(3) });
    let mut alerts = Vec::new();
    if weather != Blind {
        alerts.push(one("Watchdog", sent, ""));
    }
    if matches!(weather, Firing | Silenced) {
        alerts.push(one("Deep", at, if weather == Silenced { r#""s1""# } else { "" }));
    }
    match path {
        "/am/api/v2/alerts" => ok("application/json", format!("[{}]", alerts.join(","))),
        "/am/api/v2/silences" => ok("application/json", "[]"),
        _ => answer(404, "", ""),
    }
}

fn body(server: &Canned) -> String {
    format!(
        "[source.prom]\nkind = \"prometheus\"\nurl = \"{}\"\nalerts = true\nevery = \"{EVERY}s\"\n\
         [source.am]\nkind = \"alertmanager\"\nurl = \"{}\"\nwatchdog = \"Watchdog\"\nevery = \"{EVERY}s\"\n\
         [[gate]]\nid = \"rules\"\nalert = \"Deep\"\nsource = \"prom\"\nmax-age = \"20s\"\n\
         [[gate]]\nid = \"switch\"\nalert = \"Deep\"\nsource = \"am\"\nmax-age = \"20s\"\n\
         [[gate]]\nid = \"none\"\nalert = \"*\"\nsource = \"prom\"\nmax-age = \"20s\"\n\
         [[gate]]\nid = \"elsewhere\"\nalert = \"Deep\"\nsource = \"prom\"\nwhere = {{ severity = \"ticket\" }}\nmax-age = \"20s\"\n",
        server.url("/prom"),
        server.url("/am")
    )
}

/// Polls through the day, records it, and gives what the living room said each second.
fn recorded(file: &Path) -> Vec<Vec<(GateId, String, String)>> {
    let state = Arc::new(Mutex::new((Calm, BEGIN)));
    let shared = Arc::clone(&state);
    let server = Canned::new(move |seen, _| {
        let (weather, at) = *shared.lock().unwrap();
        let path = seen.path().split('?').next().unwrap();
        match weather {
            Down => answer(503, "", ""),
            _ if path.starts_with("/am") => alertmanager(weather, at, path),
            _ => prometheus(weather, at, path),
        }
    });
    let text = config(&body(&server));
    let (launch, _) =
        settings::parse("c.toml", &text, Path::new(""), None).unwrap_or_else(|e| panic!("{}", e.rendered));
    let written = Written { name: "c.toml".into(), text: settings::redacted(&text).unwrap() };
    let mut recorder = Recorder::create(file, &deck::head(&launch, written, None, BEGIN)).unwrap();
    let mut sources: Vec<_> = launch.sources.iter().map(|def| feed::source(&launch, def).unwrap()).collect();
    let mut watch = Watch::new(&launch, []);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut told = Vec::new();
    for second in 0..=END {
        let now = BEGIN.after(Duration::from_secs(second));
        if second % EVERY == 0 {
            let weather = DAY.iter().rev().find(|(from, ..)| *from <= second).unwrap().1;
            *state.lock().unwrap() = (weather, now);
            for source in &mut sources {
                let poll = runtime.block_on(source.poll(now));
                recorder.take(&poll, &[], now).unwrap();
                watch.observe(&poll);
            }
        }
        watch.tick(now);
        let judged = watch.judge_all(now).into_iter();
        told.push(
            judged.map(|(id, j)| (id, format!("{:?}", j.verdict).to_lowercase(), j.reason.text)).collect(),
        );
    }
    recorder.finish().unwrap();
    told
}

fn gonogo(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gonogo"));
    let out = command.args(arguments).env_remove("GONOGO_CONFIG").output().unwrap();
    assert!(out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    (out.status.code(), String::from_utf8(out.stdout).unwrap())
}

fn second(time: &Value) -> u64 {
    let time = Time::parse(time.as_str().unwrap()).unwrap();
    time.since(BEGIN).as_secs()
}

/// The spans of a gate: from, to, verdict, reason.
fn spans(document: &Value, gate: &str) -> Vec<(u64, u64, String, String)> {
    let gates = document["gates"].as_array().unwrap();
    let gate = gates.iter().find(|g| g["id"] == gate).unwrap_or_else(|| panic!("{gate}: {document}"));
    let spans = gate["spans"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    spans
        .map(|s| (second(&s["from"]), second(&s["to"]), text(&s["verdict"]), text(&s["reason"]["text"])))
        .collect()
}

#[test]
fn a_backtest_tells_when_gates_on_alerts_passed_failed_and_were_unknown() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("day.om");
    let live = recorded(&file);
    let name = file.to_str().unwrap();
    let (code, said) = gonogo(&["check", "--file", name, "--range", "..", "--output", "json"]);
    assert_eq!(code, Some(1), "NO-GO at some moment: {said}");
    let document: Value = serde_json::from_str(&said).unwrap();

    // Each second as it was live, whatever the gate.
    let mut compared = 0;
    for (at, live) in (0..).zip(&live) {
        for (id, verdict, _) in live {
            let spans = spans(&document, id.as_str());
            let last = spans.len() - 1;
            let here = spans.iter().enumerate().find(|(n, s)| s.0 <= at && (at < s.1 || *n == last));
            let (_, span) = here.unwrap_or_else(|| panic!("{id} says nothing at {at} s: {spans:?}"));
            assert_eq!(&span.2, verdict, "{id} at {at} s: {spans:?}");
            compared += 1;
        }
    }
    assert_eq!(compared, live.len() * 4);

    // And as it must be.
    for (gate, expected) in [("rules", &RULES[..]), ("switch", &SWITCH[..])] {
        let found = spans(&document, gate);
        let mut merged: Vec<(u64, &str)> = Vec::new();
        for (from, _, verdict, _) in &found {
            if merged.last().is_none_or(|(_, last)| last != verdict) {
                merged.push((*from, verdict));
            }
        }
        assert_eq!(merged, expected, "{gate}: {found:#?}");
    }
    let said_of = |gate: &str, at: u64| {
        let spans = spans(&document, gate);
        spans.into_iter().rev().find(|s| s.0 <= at).unwrap().3
    };
    for (gate, at, words) in [
        ("rules", 60, "Deep pending, fires in"),
        ("rules", 90, "Deep firing since 14:0"),
        ("rules", 170, "503"),
        ("rules", 260, "rule Deep failed at its last evaluation: no such host"),
        ("rules", 290, "prom has no rule Deep"),
        ("switch", 130, "Deep firing since 14:01:30"),
        ("switch", 260, "Watchdog is not there"),
        ("switch", 290, "Watchdog was sent 9m"),
    ] {
        assert!(said_of(gate, at).contains(words), "{gate} at {at}: {}", said_of(gate, at));
    }
    // An alert of another severity is none, and what no rule sets never passes by being absent.
    assert!(
        spans(&document, "elsewhere").iter().all(|s| s.2 == "unknown"),
        "{:?}",
        spans(&document, "elsewhere")
    );
    assert!(spans(&document, "none").iter().any(|s| s.2 == "fail"));

    // One moment, and a part.
    let at = |seconds: u64| BEGIN.after(Duration::from_secs(seconds)).rfc3339();
    let (_, firing) = gonogo(&["check", "--file", name, "--at", &at(100)]);
    assert!(firing.contains("NO-GO") && firing.contains("Deep firing"), "{firing}");
    let (_, silenced) = gonogo(&["check", "--file", name, "--at", &at(130)]);
    assert!(silenced.contains("NO-GO") && silenced.contains("silenced"), "{silenced}");
    let part = format!("{}..{}", at(85), at(100));
    let (code, said) = gonogo(&["check", "--file", name, "--range", &part, "--output", "json"]);
    assert_eq!(code, Some(1));
    let document: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(spans(&document, "rules").len(), 1, "{said}");
    assert_eq!(spans(&document, "rules")[0].2, "fail");
    let (_, page) = gonogo(&["check", "--file", name, "--range", "..", "--plain"]);
    assert!(page.contains("rules") && page.contains("switch"), "{page}");
}
