//! The simulated product's alerts as others would tell them: a Prometheus server its rules and alerts,
//! an Alertmanager (under `/alertmanager`) what it was sent, with one silence.

use serde_json::{Value, json};

use super::alerts::{EVERY, RULES, Rule, Standing};
use super::contract::Reply;
use super::product::Product;
use crate::model::Time;

/// Where the Alertmanager's API begins.
const ALERTMANAGER: &str = "/alertmanager/api/v2/";
/// Where the rule server's API begins.
const RULE_SERVER: &str = "/api/v1/";
/// The one silence: who works on escalations needs no alert about them.
const SILENCE: &str = "5d1e0c7a-6f0e-4b7e-9a43-0f6f2f1f9d14";
const SILENCED: &str = "TasksEscalationsOpen";

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
        "alerts" => Some(success(
            &json!({ "alerts": active(product).map(|(r, s)| alert(product, r, s)).collect::<Vec<_>>() }),
        )),
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
    let rules: Vec<Value> = RULES
        .iter()
        .zip(product.alerts.standing)
        .map(|(rule, standing)| {
            let alerts: Vec<Value> =
                standing.active.map(|_| alert(product, rule, standing)).into_iter().collect();
            json!({
                "type": "alerting",
                "name": rule.name,
                "query": rule.query,
                "duration": rule.hold.as_secs(),
                "labels": { "severity": rule.severity },
                "annotations": annotations(rule),
                "state": state(product, rule, standing),
                "health": if evaluated.is_some() { "ok" } else { "unknown" },
                "lastEvaluation": evaluated,
                "evaluationTime": 0.001,
                "alerts": alerts,
            })
        })
        .collect();
    json!({ "name": "tasks", "file": "tasks.yml", "interval": EVERY.as_secs(), "rules": rules })
}

/// What the rule server has sent: firing alerts, again at every evaluation.
fn sent(product: &Product) -> Value {
    let evaluated = product.alerts.evaluated.unwrap_or_default();
    let firing = active(product).filter(|(rule, standing)| standing.fires(rule, evaluated));
    let all = firing.map(|(rule, standing)| {
        let silenced: &[&str] = if rule.name == SILENCED { &[SILENCE] } else { &[] };
        json!({
            "labels": labels(rule),
            "annotations": annotations(rule),
            "startsAt": standing.active.map(|at| product.at(at + rule.hold).rfc3339()),
            "updatedAt": product.at(evaluated).rfc3339(),
            "endsAt": product.at(evaluated + EVERY * 48).rfc3339(),
            "fingerprint": format!("{:016x}", rule.name.bytes().fold(7_u64, |all, b| all.wrapping_mul(131) + u64::from(b))),
            "receivers": [{ "name": if rule.severity == "page" { "on-call" } else { "tickets" } }],
            "status": { "state": if silenced.is_empty() { "active" } else { "suppressed" },
                "silencedBy": silenced, "inhibitedBy": [] },
        })
    });
    all.collect()
}

fn silences(product: &Product) -> Value {
    let begin: Time = product.at(std::time::Duration::ZERO);
    json!([{
        "id": SILENCE,
        "status": { "state": "active" },
        "createdBy": "kim",
        "comment": "support works on the cases itself",
        "startsAt": begin.rfc3339(),
        "endsAt": begin.after(std::time::Duration::from_hours(2)).rfc3339(),
        "updatedAt": begin.rfc3339(),
        "matchers": [{ "name": "alertname", "value": SILENCED, "isRegex": false, "isEqual": true }],
    }])
}
