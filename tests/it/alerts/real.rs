//! A real Prometheus with alerting rules and a real Alertmanager.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use gonogo::engine::Change;
use gonogo::model::Verdict;
use serde_json::{Value, json};

use super::{Room, gonogo, now};
use crate::http::canned::{Canned, ok};
use crate::servers::{Alertmanager, Prometheus, installed};

const RULES: &str = r#"
groups:
- name: tasks
  interval: 1s
  rules:
  - alert: Watchdog
    expr: vector(1)
    labels: {severity: none}
  - alert: TasksQueueDepthHigh
    expr: max by (queue) (tasks_queue_depth) > 100
    for: 3s
    labels: {severity: page}
    annotations:
      summary: "{{ $labels.queue }} holds {{ $value }} jobs"
      runbook_url: https://runbooks.example.com/queue
  - alert: DatabaseDown
    expr: max(database_up) == 0
    labels: {severity: page}
  - alert: NeverFires
    expr: tasks_queue_depth > 1e9
    labels: {severity: warn}
- name: broken
  interval: 1s
  rules:
  - alert: Broken
    expr: tasks_queue_depth + on () tasks_queue_depth > 0
    labels: {severity: ticket}
"#;

const ALERTMANAGER: &str = r"
route: {receiver: nobody, group_wait: 0s}
receivers: [{name: nobody}]
inhibit_rules:
- source_matchers: [alertname = DatabaseDown]
  target_matchers: [alertname = TasksQueueDepthHigh]
";

/// The queue's name holds what labels may hold.
const QUEUE: &str = r#"a\"b\\c}\u{1b}"#;

struct World {
    depth: Arc<AtomicI64>,
    database: Arc<AtomicI64>,
    prometheus: Prometheus,
    alertmanager: Alertmanager,
    _rules: tempfile::TempDir,
    _exporter: Canned,
}

/// Everything started, or nothing where a server is not installed.
fn world() -> Option<World> {
    let all = ["prometheus", "prometheus-alertmanager"].map(installed);
    if all.contains(&false) {
        return None;
    }
    let (depth, database) = (Arc::new(AtomicI64::new(3)), Arc::new(AtomicI64::new(1)));
    let (d, b) = (Arc::clone(&depth), Arc::clone(&database));
    let exporter = Canned::new(move |_, _| {
        let text = format!(
            "tasks_queue_depth{{queue=\"a\\\"b\\\\c}}\u{1b}\"}} {}\ntasks_queue_depth{{queue=\"other\"}} 1\ndatabase_up {}\n",
            d.load(Ordering::SeqCst),
            b.load(Ordering::SeqCst)
        );
        ok("text/plain; version=0.0.4", &text)
    });
    let alertmanager = Alertmanager::start(ALERTMANAGER);
    let rules = tempfile::tempdir().unwrap();
    let file = rules.path().join("rules.yml");
    std::fs::write(&file, RULES).unwrap();
    let config = format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s, external_labels: {{cluster: eu-1}}}}\n\
         rule_files: ['{}']\n\
         scrape_configs: [{{job_name: tasks, static_configs: [{{targets: ['{}']}}]}}]\n\
         alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{}']}}]}}]}}\n",
        file.display(),
        exporter.instance(),
        alertmanager.url.trim_start_matches("http://"),
    );
    let prometheus = Prometheus::start(&config, None);
    Some(World { depth, database, prometheus, alertmanager, _rules: rules, _exporter: exporter })
}

fn sources(world: &World) -> String {
    format!(
        "[source.prom]\nkind = \"prometheus\"\nurl = \"{}/\"\nalerts = true\nevery = \"1s\"\n\
         [source.am]\nkind = \"alertmanager\"\nurl = \"{}\"\nwatchdog = \"Watchdog\"\nevery = \"1s\"\n",
        world.prometheus.url, world.alertmanager.url
    )
}

fn gate(id: &str, terms: &str) -> String {
    format!("[[gate]]\nid = \"{id}\"\nmax-age = \"20s\"\n{terms}\n")
}

#[test]
fn a_real_alert_goes_from_pending_to_firing_to_silenced_to_inhibited_to_resolved_and_the_gates_with_it() {
    let Some(world) = world() else { return };
    let body = [
        sources(&world),
        gate("depth", "alert = \"TasksQueueDepthHigh\""),
        gate("warn", "alert = \"TasksQueueDepthHigh\"\nwhere = { severity = \"warn\" }"),
        gate("other-queue", "alert = \"TasksQueueDepthHigh\"\nwhere = { queue = \"other\" }"),
        gate("cluster", "alert = \"TasksQueueDepthHigh\"\nwhere = { cluster = \"eu-1\" }"),
        gate("pages", "alert = \"*\"\nwhere = { severity = \"page\" }"),
        gate("any", "alert = \"*\""),
        gate("typo", "alert = \"TaskQueueDepthHigh\""),
        gate("label-typo", "alert = \"*\"\nwhere = { severty = \"page\" }"),
        gate("broken", "alert = \"Broken\""),
        gate("by-alertmanager", "alert = \"TasksQueueDepthHigh\"\nsource = \"am\""),
    ]
    .concat();
    let mut room = Room::new(&body);

    // Nothing fires, and every word says what it rests on.
    let quiet = room.until("depth", Verdict::Pass, "not-firing");
    assert!(
        quiet.reason.text.starts_with("TasksQueueDepthHigh does not fire; 1 rule evaluated"),
        "{quiet:?}"
    );
    assert_eq!((quiet.value, quiet.threshold.value), (Some(0.0), 0.0));
    room.until("pages", Verdict::Pass, "not-firing");
    room.until("by-alertmanager", Verdict::Pass, "not-firing");
    let dog = room.judge("by-alertmanager");
    assert!(dog.reason.text.contains("Watchdog was sent"), "{dog:?}");
    assert_eq!(room.judge("warn").reason.code, "no-rule");
    assert_eq!(room.judge("other-queue").verdict, Verdict::Pass);
    let typo = room.judge("typo");
    assert_eq!(typo.verdict, Verdict::Unknown);
    assert!(typo.reason.text.contains("did you mean TasksQueueDepthHigh?"), "{typo:?}");
    let label = room.judge("label-typo");
    assert_eq!((label.verdict, label.reason.code.as_str()), (Verdict::Unknown, "no-label"));
    assert!(label.reason.text.contains("did you mean severity?"), "{label:?}");
    let broken = room.until("broken", Verdict::Unknown, "rule-failed");
    assert!(
        broken.reason.text.contains("many-to-many") || broken.reason.text.contains("duplicate"),
        "{broken:?}"
    );
    assert_eq!(room.judge("any").reason.code, "rule-failed");
    let told = room.watch.alerts.source(&"prom".into()).unwrap();
    assert_eq!(told.told.external_labels.as_ref().unwrap().to_string(), "{cluster=\"eu-1\"}");
    assert_eq!(room.watch.alerts.source(&"am".into()).unwrap().told.version.as_deref(), Some("0.25.0"));

    // Too deep, but not for three seconds yet.
    world.depth.store(300, Ordering::SeqCst);
    let pending = room.until("depth", Verdict::Unknown, "pending");
    assert!(pending.reason.text.starts_with("TasksQueueDepthHigh pending, fires in "), "{pending:?}");
    assert_eq!(room.judge("pages").reason.code, "pending");
    assert!(
        room.changes
            .iter()
            .any(|c| matches!(c, Change::AlertIs(a, 1) if a.state == gonogo::model::AlertState::Pending))
    );

    let firing = room.until("depth", Verdict::Fail, "firing");
    assert!(firing.reason.text.starts_with("TasksQueueDepthHigh firing since "), "{firing:?}");
    assert_eq!(firing.labels.get("severity"), Some("page"));
    assert_eq!(firing.labels.get("queue"), Some("a\"b\\c}\\u{1b}"), "{QUEUE}");
    assert_eq!(room.judge("pages").verdict, Verdict::Fail);
    assert_eq!(room.judge("cluster").verdict, Verdict::Fail);
    assert_eq!(room.judge("other-queue").verdict, Verdict::Pass);
    room.until("by-alertmanager", Verdict::Fail, "firing");
    // Both sources tell of it, and it is one.
    let of_name =
        |room: &Room| room.watch.alerts.list.iter().filter(|s| s.alert.name == "TasksQueueDepthHigh").count();
    assert_eq!(of_name(&room), 1, "{:#?}", room.watch.alerts.list);
    let seen = room.watch.alerts.list.iter().find(|s| s.alert.name == "TasksQueueDepthHigh").unwrap();
    assert_eq!(seen.sources.len(), 2);
    assert_eq!(seen.alert.runbook.as_deref(), Some("https://runbooks.example.com/queue"));
    assert_eq!(seen.alert.receivers, ["nobody"]);
    assert_eq!(seen.alert.summary(), Some("a\"b\\c}\\u{1b} holds 300 jobs"));

    // A silence is not health.
    let ends = now().after(std::time::Duration::from_hours(1)).rfc3339();
    let silence = json!({
        "matchers": [{"name": "alertname", "value": "TasksQueueDepthHigh", "isRegex": false, "isEqual": true}],
        "startsAt": now().rfc3339(), "endsAt": ends, "createdBy": "ana", "comment": "known, being drained",
    });
    let (status, body) = world.alertmanager.post("silences", &silence.to_string());
    assert_eq!(status, 200, "{body}");
    let id = serde_json::from_str::<Value>(&body).unwrap()["silenceID"].as_str().unwrap().to_owned();
    poll_until(&mut room, |room| room.judge("depth").reason.text.contains("silenced by ana until"));
    assert_eq!(room.judge("depth").verdict, Verdict::Fail);

    // The command line says the same.
    let output = gonogo(&sources(&world), &["alerts", "--output", "json", "--label", "severity=page"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let alert = &document["alerts"][0];
    assert_eq!(document["alerts"].as_array().unwrap().len(), 1, "{document:#}");
    assert_eq!(
        (alert["name"].as_str(), alert["state"].as_str()),
        (Some("TasksQueueDepthHigh"), Some("firing"))
    );
    assert_eq!(alert["silenced_by"][0]["by"], "ana");
    assert_eq!(alert["silenced_by"][0]["comment"], "known, being drained");
    let table = gonogo(&sources(&world), &["alerts", "--state", "silenced"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("silenced  TasksQueueDepthHigh") && !table.contains('\u{1b}'), "{table}");
    assert!(table.contains("1 firing (1 muted), 0 pending; 5 rules"), "{table}");

    assert_eq!(world.alertmanager.delete(&format!("silence/{id}")), 200);
    world.database.store(0, Ordering::SeqCst);
    poll_until(&mut room, |room| room.judge("depth").reason.text.contains("inhibited by DatabaseDown"));
    let both = room.judge("pages");
    assert_eq!(both.value, Some(2.0));
    assert!(both.reason.text.starts_with("DatabaseDown firing"), "what nobody mutes comes first: {both:?}");

    world.depth.store(1, Ordering::SeqCst);
    world.database.store(1, Ordering::SeqCst);
    room.until("depth", Verdict::Pass, "not-firing");
    room.until("pages", Verdict::Pass, "not-firing");
    room.until("by-alertmanager", Verdict::Pass, "not-firing");
    assert!(
        room.changes.iter().any(|c| matches!(c, Change::AlertGone(a, 1) if a.name == "TasksQueueDepthHigh"))
    );
    let came = room.changes.iter().filter(|c| matches!(c, Change::AlertIs(a, _) if a.name == "TasksQueueDepthHigh" && a.state == gonogo::model::AlertState::Firing));
    assert_eq!(came.count(), 1, "{:#?}", room.changes);
    let output = gonogo(&sources(&world), &["alerts", "--name", "TasksQueueDepthHigh"]);
    assert_eq!(output.status.code(), Some(3), "a rule that fails makes the list no proof");

    // The server dies: its last word counts until max-age, and then no more.
    let later = |seconds| now().after(std::time::Duration::from_secs(seconds));
    drop(world.prometheus);
    room.poll();
    assert_eq!(room.judge("depth").verdict, Verdict::Pass);
    let gone = room.watch.judge(&"depth".into(), later(30)).unwrap();
    assert_eq!((gone.verdict, gone.reason.code.as_str()), (Verdict::Unknown, "unreachable"), "{gone:?}");
}

fn poll_until(room: &mut Room, done: impl Fn(&Room) -> bool) {
    for _ in 0..300 {
        room.poll();
        if done(room) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("it never came to it: {:#?}", room.watch.alerts.list);
}

#[test]
fn the_rules_of_this_test_are_rules_to_promtool() {
    if !installed("promtool") {
        return;
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), RULES).unwrap();
    let output = crate::servers::tied("promtool").args(["check", "rules"]).arg(file.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
