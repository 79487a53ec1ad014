//! The simulated product's alerts as others would tell them: a Prometheus server its rules and alerts,
//! an Alertmanager (under `/alertmanager`) what it was sent, with one silence.

use serde_json::{Value, json};

use super::alerts::{EVERY, RULES, Rule, Standing};
use super::contract::Reply;
use super::product::Product;
use crate::model::Time;
use crate::model::scenario::Effect;

/// Where the Alertmanager's API begins.
const ALERTMANAGER: &str = "/alertmanager/api/v2/";
/// Where the rule server's API begins.
const RULE_SERVER: &str = "/api/v1/";
/// The one silence: who works on escalations needs no alert about them.
const SILENCE: &str = "5d1e0c7a-6f0e-4b7e-9a43-0f6f2f1f9d14";
const SILENCED: &str = "TasksEscalationsOpen";
/// How the ids of silences begin that an inject makes.
const SILENCE_OF_INJECT: &str = "77aa1c9e-0000-4000-8000-";

/// The rule that many instances break at once; it is there where a scenario has such a storm.
const STORM: Rule = Rule {
    name: "TasksPodNotReady",
    query: "kube_pod_status_ready{namespace=\"tasks\",condition=\"true\"} == 0",
    hold: std::time::Duration::ZERO,
    severity: "page",
    about: ("namespace", "tasks"),
    summary: "A pod of the product is not ready",
    runbook: Some("incident-response"),
};

/// Answers a request for a path of one of the two; `None` for any other path.
pub fn answer(product: &Product, path: &str) -> Option<Reply> {
    if let Some(endpoint) = path.strip_prefix(ALERTMANAGER) {
        return Some(match endpoint {
            "alerts" => Reply::document(&sent(product)),
            "silences" => Reply::document(&silences(product)),
            "status" => Reply::document(&json!({ "versionInfo": { "version": "simulated" } })),
            _ => Reply::unknown_path(path),
        });
    }
    match path.strip_prefix(RULE_SERVER)? {
        "rules" => Some(success(&json!({ "groups": [group(product)] }))),
        "alerts" => {
            let ruled = active(product).map(|(rule, standing)| alert(product, rule, standing));
            Some(success(&json!({ "alerts": ruled.chain(storm(product)).collect::<Vec<_>>() })))
        }
        "status/config" => Some(success(&json!({ "yaml": "global:\n  evaluation_interval: 5s\n" }))),
        "query" | "query_range" => {
            let body = json!({ "status": "error", "errorType": "bad_data",
                "error": "the simulated product evaluates no expressions: ask its metrics endpoints" });
            Some(Reply { status: 422, ..Reply::document(&body) })
        }
        _ => None,
    }
}

fn success(data: &Value) -> Reply {
    Reply::document(&json!({ "status": "success", "data": data }))
}

fn active(product: &Product) -> impl Iterator<Item = (&'static Rule, Standing)> {
    RULES.iter().zip(product.alerts.standing).filter(|(_, standing)| standing.active.is_some())
}

fn state(product: &Product, rule: &Rule, standing: Standing) -> &'static str {
    let evaluated = product.alerts.evaluated.unwrap_or_default();
    match standing.active {
        None => "inactive",
        Some(_) if standing.fires(rule, evaluated) => "firing",
        Some(_) => "pending",
    }
}

fn labels(rule: &Rule) -> Value {
    let mut labels = json!({ "alertname": rule.name, "severity": rule.severity });
    if let Some(labels) = labels.as_object_mut() {
        labels.insert(rule.about.0.into(), rule.about.1.into());
    }
    labels
}

fn annotations(rule: &Rule) -> Value {
    let mut all = json!({ "summary": rule.summary });
    if let (Some(all), Some(runbook)) = (all.as_object_mut(), rule.runbook) {
        all.insert("runbook_url".into(), format!("https://runbooks.example.com/{runbook}").into());
    }
    all
}

fn alert(product: &Product, rule: &Rule, standing: Standing) -> Value {
    json!({
        "labels": labels(rule),
        "annotations": annotations(rule),
        "state": state(product, rule, standing),
        "activeAt": standing.active.map(|at| product.at(at).rfc3339()),
        "value": format!("{:e}", standing.value),
    })
}

fn group(product: &Product) -> Value {
    let evaluated = product.alerts.evaluated.map(|at| product.at(at).rfc3339());
    let told = |rule: &Rule, state: &str, alerts: Vec<Value>| {
        json!({
            "type": "alerting",
            "name": rule.name,
            "query": rule.query,
            "duration": rule.hold.as_secs(),
            "labels": { "severity": rule.severity },
            "annotations": annotations(rule),
            "state": state,
            "health": if evaluated.is_some() { "ok" } else { "unknown" },
            "lastEvaluation": evaluated,
            "evaluationTime": 0.001,
            "alerts": alerts,
        })
    };
    let mut rules: Vec<Value> = RULES
        .iter()
        .zip(product.alerts.standing)
        .map(|(rule, standing)| {
            let alerts = standing.active.map(|_| alert(product, rule, standing)).into_iter().collect();
            told(rule, state(product, rule, standing), alerts)
        })
        .collect();
    if product.injects.any(|effect| matches!(effect, Effect::AlertStorm(_))) {
        let alerts: Vec<Value> = storm(product).collect();
        rules.push(told(&STORM, if alerts.is_empty() { "inactive" } else { "firing" }, alerts));
    }
    json!({ "name": "tasks", "file": "tasks.yml", "interval": EVERY.as_secs(), "rules": rules })
}

/// The alerts of an inject's storm, one for each instance.
fn storm(product: &Product) -> impl Iterator<Item = Value> + '_ {
    (0..product.injects.now.storm).map(|instance| {
        let mut labels = labels(&STORM);
        if let Some(labels) = labels.as_object_mut() {
            labels.insert("pod".into(), format!("tasks-{instance}").into());
        }
        json!({
            "labels": labels,
            "annotations": annotations(&STORM),
            "state": "firing",
            "activeAt": product.injects.now.storm_since.map(|at| product.at(at).rfc3339()),
            "value": "0e+00",
        })
    })
}

/// What the rule server has sent: firing alerts, again at every evaluation.
fn sent(product: &Product) -> Value {
    let evaluated = product.alerts.evaluated.unwrap_or_default();
    let firing = active(product).filter(|(rule, standing)| standing.fires(rule, evaluated));
    let ruled = firing.map(|(rule, standing)| {
        let since = standing.active.map(|at| at + rule.hold);
        (rule, labels(rule), since)
    });
    let storm = storm(product).filter_map(|alert| alert.get("labels").cloned());
    let all = ruled.chain(storm.map(|labels| (&STORM, labels, product.injects.now.storm_since)));
    if product.injects.now.alerts_lost {
        return Value::Array(Vec::new());
    }
    let all = all.map(|(rule, labels, since)| {
        let silenced = all_silences(product).filter(|silence| silence.alert == rule.name);
        let silenced: Vec<String> = silenced.map(|silence| silence.id).collect();
        // The name alone where one rule gives one alert, as it has always been.
        let identity = labels.get("pod").and_then(Value::as_str).unwrap_or_default();
        let hash = rule
            .name
            .bytes()
            .chain(identity.bytes())
            .fold(7_u64, |all, b| all.wrapping_mul(131) + u64::from(b));
        json!({
            "labels": labels,
            "annotations": annotations(rule),
            "startsAt": since.map(|at| product.at(at).rfc3339()),
            "updatedAt": product.at(evaluated).rfc3339(),
            "endsAt": product.at(evaluated + EVERY * 48).rfc3339(),
            "fingerprint": format!("{hash:016x}"),
            "receivers": [{ "name": if rule.severity == "page" { "on-call" } else { "tickets" } }],
            "status": { "state": if silenced.is_empty() { "active" } else { "suppressed" },
                "silencedBy": silenced, "inhibitedBy": [] },
        })
    });
    all.collect()
}

/// A silence of one alert.
struct Silence<'p> {
    id: String,
    alert: &'p str,
    by: &'static str,
    comment: &'static str,
    since: std::time::Duration,
}

/// The silence that is always there, and those of injects.
fn all_silences(product: &Product) -> impl Iterator<Item = Silence<'_>> {
    let usual = Silence {
        id: SILENCE.to_owned(),
        alert: SILENCED,
        by: "kim",
        comment: "support works on the cases itself",
        since: std::time::Duration::ZERO,
    };
    let injected = product.injects.now.silenced.iter().zip(1_u32..).map(|((alert, since), n)| Silence {
        id: format!("{SILENCE_OF_INJECT}{n:012x}"),
        alert,
        by: "ravi",
        comment: "too noisy",
        since: *since,
    });
    std::iter::once(usual).chain(injected)
}

fn silences(product: &Product) -> Value {
    let all = all_silences(product).map(|silence| {
        let begin: Time = product.at(silence.since);
        json!({
            "id": silence.id,
            "status": { "state": "active" },
            "createdBy": silence.by,
            "comment": silence.comment,
            "startsAt": begin.rfc3339(),
            "endsAt": begin.after(std::time::Duration::from_hours(2)).rfc3339(),
            "updatedAt": begin.rfc3339(),
            "matchers": [{ "name": "alertname", "value": silence.alert, "isRegex": false, "isEqual": true }],
        })
    });
    all.collect()
}
