//! A room in which alerts fire, are pending, silenced and inhibited.

use std::sync::Arc;
use std::time::Duration;

use gonogo::app::command::Keymap;
use gonogo::app::{Msg, State, update};
use gonogo::model::alert::{AlertOrigin, Rule, RuleHealth, Silence};
use gonogo::model::{Alert, AlertState, AlertsAnswer, Answer, Fault, Labels, Polled, SourceKind, Time};

use super::launch::{launch, template};
use super::{Day, at, play, pressed};

/// How the alerts stand.
#[derive(Clone, Copy, PartialEq)]
pub enum Alarm {
    /// Nothing fires.
    Quiet,
    /// One of each kind.
    Loud,
    /// The rule server stops answering.
    Deaf,
}

/// The room after twenty minutes.
pub fn room(alarm: Alarm) -> State {
    let mut launch = launch();
    let mut source = |id: &str, kind: SourceKind| {
        let mut def = launch.sources[0].clone();
        def.id = id.into();
        def.kind = kind;
        launch.sources.push(def);
    };
    source("rules", SourceKind::Prometheus { url: "http://127.0.0.1:9090".into(), alerts: true });
    source(
        "am",
        SourceKind::Alertmanager { url: "http://127.0.0.1:9093".into(), watchdog: Some("Watchdog".into()) },
    );
    let keymap = Keymap::new(&std::collections::BTreeMap::new()).unwrap();
    let mut state = State::new(Arc::new(launch), Some(Arc::new(template())), keymap, at(0));
    super::open(&mut state);
    for second in (0..1200).step_by(60) {
        play(&mut state, Day::Trouble, second, second + 60);
        for id in ["rules", "am"] {
            let told = answer(
                id,
                if alarm == Alarm::Loud && second > 900 { alarm } else { Alarm::Quiet },
                second + 58,
            );
            let outcome = if alarm == Alarm::Deaf && id == "rules" && second > 900 {
                Err(Fault::new(gonogo::model::FaultCode::Unreachable, "refused"))
            } else {
                Ok(Answer { alerts: Some(Ok(told)), ..Answer::default() })
            };
            let took = Duration::from_millis(12);
            update(
                &mut state,
                Msg::Polled(Box::new(Polled { source: id.into(), asked: at(second + 58), took, outcome })),
            );
        }
    }
    update(&mut state, Msg::Clock(at(1200)));
    pressed(state, "tab")
}

fn alert(name: &str, labels: &[(&str, &str)], state: AlertState, active: i64, hold: i64) -> Alert {
    let all = labels.iter().copied().chain([("alertname", name)]);
    let mut alert = Alert::new(Labels::from_pairs(all), state);
    alert.active_at = Some(at(active));
    alert.fires_at = Some(at(active + hold));
    alert.annotations = Labels::from_pairs([
        ("summary", "A job of the tasks queue waits for more than a minute"),
        ("runbook_url", "https://runbooks.example.com/queue-stalled"),
    ]);
    alert.runbook = Some("https://runbooks.example.com/queue-stalled".into());
    alert
}

fn answer(id: &str, alarm: Alarm, second: i64) -> AlertsAnswer {
    let origin = if id == "am" { AlertOrigin::Alertmanager } else { AlertOrigin::Rules };
    let page = |queue| [("queue", queue), ("severity", "page")];
    let mut alerts = vec![alert("Watchdog", &[("severity", "none")], AlertState::Firing, 0, 0)];
    if alarm == Alarm::Loud {
        let mut silenced = alert("BillingLate", &[("severity", "ticket")], AlertState::Firing, 300, 0);
        let mut inhibited = alert("TasksApiSlow", &[("service", "tasks")], AlertState::Firing, 700, 0);
        if id == "am" {
            silenced.silences = vec![Silence {
                id: "5d1e".into(),
                by: Some("kim".into()),
                comment: Some("the bank is down, they know".into()),
                until: Some(at(4800)),
            }];
            inhibited.inhibited_by = vec!["DatabaseDown".into()];
        }
        alerts.extend([
            alert("TasksQueueOldestHigh", &page("tasks"), AlertState::Firing, 930, 60),
            alert("TasksQueueOldestHigh", &page("imports"), AlertState::Firing, 1000, 60),
            silenced,
            inhibited,
        ]);
        if id == "rules" {
            alerts.push(alert("TasksQueueDepthHigh", &page("tasks"), AlertState::Pending, 1100, 180));
            alerts.push(alert("Odd", &[], AlertState::Other("NoData".into()), 1100, 0));
        }
    }
    for alert in &mut alerts {
        alert.updated_at = Some(at(second));
    }
    let rule = |name: &str| Rule {
        name: name.into(),
        group: "tasks".into(),
        labels: Labels::none(),
        query: "time() - min by (queue) (oldest > 0) > 60".into(),
        state: AlertState::Inactive,
        health: RuleHealth::Ok,
        last_error: None,
        last_evaluation: Some(Time::from_millis(at(second).millis() - 1_000)),
        hold: Duration::from_secs(60),
        interval: Some(Duration::from_secs(15)),
    };
    let rules = if id == "rules" {
        ["Watchdog", "TasksQueueOldestHigh", "TasksQueueDepthHigh", "BillingLate"].map(rule).to_vec()
    } else {
        Vec::new()
    };
    AlertsAnswer { origin, alerts, rules, ..AlertsAnswer::default() }
}
