//! Servers that send other shapes, too much, or nothing of use.

use std::time::Duration;

use gonogo::model::Verdict;

use super::{Room, gonogo, now};
use crate::http::canned::{self, Act, Canned, ok};

/// One rule, evaluated at this moment.
fn rules(state: &str, health: &str, evaluated: &str, alerts: &str) -> String {
    format!(
        r#"{{"status":"success","data":{{"groups":[{{"name":"g","file":"f","interval":30,"rules":[
        {{"type":"alerting","name":"Deep","query":"depth > 1","duration":60,"labels":{{"severity":"page"}},"annotations":{{}},
          "state":"{state}","health":"{health}","lastEvaluation":"{evaluated}","evaluationTime":0.1,"alerts":[{alerts}]}}]}}]}}}}"#
    )
}

const NO_ALERTS: &str = r#"{"status":"success","data":{"alerts":[]}}"#;

fn server(rules: String, alerts: Vec<Act>) -> Canned {
    Canned::new(move |seen, _| match seen.path() {
        p if p.starts_with("/pre/fix/api/v1/rules") => ok("application/json", &rules),
        "/pre/fix/api/v1/alerts" => alerts.clone(),
        _ => canned::answer(404, "", "404 page not found"),
    })
}

fn body(server: &Canned) -> String {
    format!(
        "[source.prom]\nkind = \"prometheus\"\nurl = \"{}\"\nalerts = true\ntimeout = \"2s\"\n\
         [[gate]]\nid = \"g\"\nalert = \"Deep\"\n",
        server.url("/pre/fix/")
    )
}

fn verdict(server: &Canned) -> (Verdict, String, String) {
    let mut room = Room::new(&body(server));
    room.poll();
    let judged = room.judge("g");
    (judged.verdict, judged.reason.code, judged.reason.text)
}

#[test]
fn only_a_known_healthy_rule_evaluated_a_moment_ago_passes_a_gate() {
    let fresh = now().rfc3339();
    let old = now().before(Duration::from_mins(10)).rfc3339();
    let ahead = now().after(Duration::from_hours(1)).rfc3339();
    let alerts = || ok("application/json", NO_ALERTS);
    for (state, health, evaluated, expected) in [
        ("inactive", "ok", fresh.as_str(), (Verdict::Pass, "not-firing")),
        ("inactive", "err", &fresh, (Verdict::Unknown, "rule-failed")),
        ("inactive", "unknown", &fresh, (Verdict::Unknown, "rule-not-evaluated")),
        ("inactive", "no match", &fresh, (Verdict::Unknown, "rule-unhealthy")),
        ("inactive", "ok", &old, (Verdict::Unknown, "stale")),
        ("inactive", "ok", "0001-01-01T00:00:00Z", (Verdict::Unknown, "rule-not-evaluated")),
        ("inactive", "ok", &ahead, (Verdict::Unknown, "clock")),
        ("firing", "ok", &fresh, (Verdict::Unknown, "other-state")),
        ("unheard-of", "ok", &fresh, (Verdict::Unknown, "other-state")),
    ] {
        let (verdict, code, text) = verdict(&server(rules(state, health, evaluated, ""), alerts()));
        assert_eq!((verdict, code.as_str()), expected, "{state} {health} {evaluated}: {text}");
    }
}

#[test]
fn the_worse_of_the_two_lists_counts_and_a_server_may_lack_one_of_them() {
    let fresh = now().rfc3339();
    let firing = format!(
        r#"{{"status":"success","data":{{"alerts":[{{"labels":{{"alertname":"Deep","severity":"page"}},"annotations":{{}},"state":"firing","activeAt":"{fresh}","value":"1"}}]}}}}"#
    );
    let pending =
        r#"{"labels":{"alertname":"Deep","severity":"page"},"annotations":{},"state":"pending","value":"1"}"#;
    let both = server(rules("pending", "ok", &fresh, pending), ok("application/json", &firing));
    assert_eq!(verdict(&both).0, Verdict::Fail);
    let no_alerts = server(rules("pending", "ok", &fresh, pending), canned::answer(404, "", "no"));
    assert_eq!(verdict(&no_alerts).1, "pending");
    let only = Canned::new(move |seen, _| {
        if seen.path() == "/pre/fix/api/v1/alerts" {
            ok("application/json", NO_ALERTS)
        } else {
            canned::answer(404, "", "no")
        }
    });
    let (verdict, code, text) = verdict(&only);
    assert_eq!((verdict, code.as_str()), (Verdict::Unknown, "partial"), "{text}");
}

#[test]
fn an_answer_that_is_no_list_of_alerts_is_a_fault_in_words() {
    let fresh = now().rfc3339();
    for (answer, code) in [
        (ok("text/html", "<html>sign in</html>"), "content-type"),
        (ok("application/json", "<html>"), "content-type"),
        (ok("application/json", ""), "cut-short"),
        (ok("application/json", r#"{"status":"success","data":{"alerts":[{"#), "cut-short"),
        (ok("application/json", r#"{"status":"success","data":{"alerts":7}}"#), "unreadable"),
        (ok("application/json", r#"{"status":"success"}"#), "unreadable"),
        (ok("application/json", r#"{"status":"error","error":"rules are off"}"#), "query"),
        (canned::answer(503, "", r#"{"status":"error","error":"starting up"}"#), "status"),
        (vec![Act::Hang], "timed-out"),
        (vec![Act::Reset], "unreachable"),
    ] {
        let (verdict, found, text) = verdict(&server(rules("inactive", "ok", &fresh, ""), answer));
        assert_eq!((verdict, found.as_str()), (Verdict::Unknown, code), "{text}");
        assert!(!text.is_empty());
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let (verdict, code, _) =
        verdict(&server(rules("inactive", "ok", &fresh, ""), ok("application/json", &deep)));
    assert_eq!((verdict, code.as_str()), (Verdict::Unknown, "unreadable"));
}

#[test]
fn a_flood_of_alerts_is_cut_and_the_cut_proves_nothing() {
    let fresh = now().rfc3339();
    let one = |i: usize| {
        format!(
            r#"{{"labels":{{"alertname":"Other","i":"{i}"}},"annotations":{{}},"state":"firing","activeAt":"{fresh}","value":"1"}}"#
        )
    };
    let all: Vec<String> = (0..5_000).map(one).collect();
    let alerts = format!(r#"{{"status":"success","data":{{"alerts":[{}]}}}}"#, all.join(","));
    let server = server(rules("inactive", "ok", &fresh, ""), ok("application/json", &alerts));
    let (verdict, code, text) = verdict(&server);
    assert_eq!((verdict, code.as_str()), (Verdict::Unknown, "partial"), "{text}");
    assert!(text.contains("3000 alerts left out"), "{text}");
}

/// An Alertmanager's answer.
fn alertmanager(alerts: &str, silences: Vec<Act>) -> Canned {
    let alerts = alerts.to_owned();
    Canned::new(move |seen, _| match seen.path() {
        p if p.starts_with("/am/api/v2/alerts?") => ok("application/json", &alerts),
        "/am/api/v2/silences" => silences.clone(),
        _ => canned::answer(404, "", ""),
    })
}

fn by_alertmanager(server: &Canned, more: &str) -> Room {
    let mut room = Room::new(&format!(
        "[source.am]\nkind = \"alertmanager\"\nurl = \"{}\"\n{more}\n[[gate]]\nid = \"g\"\nalert = \"Deep\"\n",
        server.url("/am")
    ));
    room.poll();
    room
}

fn sent(name: &str, status: &str, updated: &str, ends: &str) -> String {
    format!(
        r#"{{"annotations":{{}},"endsAt":"{ends}","fingerprint":"f-{name}","receivers":[{{"name":"r"}}],"startsAt":"{updated}",
        "status":{status},"updatedAt":"{updated}","generatorURL":"javascript:x","labels":{{"alertname":"{name}"}}}}"#
    )
}

const ACTIVE: &str = r#"{"inhibitedBy":[],"silencedBy":[],"state":"active"}"#;

#[test]
fn an_absent_alert_at_an_alertmanager_proves_nothing_without_a_dead_mans_switch() {
    let none = || ok("application/json", "[]");
    let (fresh, ends) = (now().rfc3339(), now().after(Duration::from_mins(4)).rfc3339());
    let old = now().before(Duration::from_mins(5)).rfc3339();
    let judged = |room: &Room| (room.judge("g").verdict, room.judge("g").reason.code);
    let dog = "watchdog = \"Watchdog\"";

    let empty = alertmanager("[]", none());
    assert_eq!(judged(&by_alertmanager(&empty, "")), (Verdict::Unknown, "unproven".into()));
    assert_eq!(judged(&by_alertmanager(&empty, dog)), (Verdict::Unknown, "watchdog-missing".into()));
    for (updated, ends, expected) in [
        (&fresh, &ends, (Verdict::Pass, "not-firing")),
        (&old, &ends, (Verdict::Unknown, "stale")),
        (&old, &old, (Verdict::Unknown, "watchdog-missing")),
    ] {
        let server = alertmanager(&format!("[{}]", sent("Watchdog", ACTIVE, updated, ends)), none());
        let (verdict, code) = judged(&by_alertmanager(&server, dog));
        assert_eq!((verdict, code.as_str()), expected, "{updated} {ends}");
    }
    let silenced = r#"{"inhibitedBy":[],"silencedBy":["s1"],"state":"suppressed"}"#;
    let server = alertmanager(
        &format!("[{},{}]", sent("Watchdog", ACTIVE, &fresh, &ends), sent("Deep", silenced, &fresh, &ends)),
        canned::answer(500, "", ""),
    );
    let room = by_alertmanager(&server, dog);
    assert_eq!(judged(&room).0, Verdict::Fail);
    let text = room.judge("g").reason.text;
    assert!(text.ends_with(", silenced"), "nobody knows by whom: {text}");
    assert_eq!(room.watch.alerts.list[0].alert.generator, None);
}

#[test]
fn the_command_says_by_its_exit_code_whether_an_alert_fires_or_that_it_cannot_tell() {
    let fresh = now().rfc3339();
    let quiet = server(rules("inactive", "ok", &fresh, ""), ok("application/json", NO_ALERTS));
    let output = gonogo(&body(&quiet), &["alerts"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("0 firing, 0 pending; 1 rules, the oldest evaluated "), "{text}");

    let down = Canned::always(canned::answer(503, "", ""));
    let output = gonogo(&body(&down), &["alerts", "--output", "json"]);
    assert_eq!(output.status.code(), Some(3));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["errors"][0], serde_json::json!({"code": "status", "text": "prom: answers 503"}));

    let none = gonogo("", &["alerts"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(String::from_utf8(none.stderr).unwrap().contains("has no source of alerts"));
}
