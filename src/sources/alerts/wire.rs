//! The JSON of Prometheus' `/api/v1/rules` and `/api/v1/alerts` and of Alertmanager's API v2, as
//! Prometheus, Thanos, Mimir, vmalert and Grafana send it. Unknown fields are ignored; what may be
//! left out is optional; words that are not known are kept as such.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::model::alert::{Alert, AlertState, Rule, RuleHealth, Silence};
use crate::model::text::{harmless, harmless_line};
use crate::model::{Labels, Time};

/// The most labels, or annotations, that are kept of one alert.
const PAIRS: usize = 64;
/// The longest name of a label, in characters.
const NAME: usize = 100;
/// The longest value of a label, in characters.
const VALUE: usize = 300;
/// The longest value of an annotation, in characters.
const PROSE: usize = 2_000;
/// The longest address.
const ADDRESS: usize = 2_000;
/// The most silences, receivers, inhibiting alerts that are kept of one alert.
const NAMES: usize = 16;

/// The envelope of the Prometheus API.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope<T> {
    pub(super) status: Option<String>,
    pub(super) data: Option<T>,
    pub(super) error: Option<String>,
    pub(super) warnings: Option<Vec<String>>,
}

/// `/api/v1/rules`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RulesDoc {
    pub(super) groups: Option<Vec<GroupDoc>>,
    /// There are more pages than this one.
    pub(super) group_next_token: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct GroupDoc {
    name: Option<String>,
    /// Seconds.
    interval: Option<f64>,
    pub(super) rules: Option<Vec<RuleDoc>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RuleDoc {
    #[serde(rename = "type")]
    kind: Option<String>,
    name: Option<String>,
    query: Option<String>,
    state: Option<String>,
    /// The rule's `for`, in seconds.
    duration: Option<f64>,
    labels: Option<BTreeMap<String, Value>>,
    health: Option<String>,
    last_error: Option<String>,
    last_evaluation: Option<String>,
    pub(super) alerts: Option<Vec<AlertDoc>>,
}

/// `/api/v1/alerts`.
#[derive(Deserialize)]
pub(super) struct AlertsDoc {
    pub(super) alerts: Option<Vec<AlertDoc>>,
}

/// An alert of a server that evaluates rules.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AlertDoc {
    name: Option<String>,
    labels: Option<BTreeMap<String, Value>>,
    annotations: Option<BTreeMap<String, Value>>,
    state: Option<String>,
    active_at: Option<String>,
    keep_firing_since: Option<String>,
    value: Option<Value>,
    source: Option<String>,
}

/// `/api/v1/status/config`.
#[derive(Deserialize)]
pub(super) struct ConfigDoc {
    pub(super) yaml: Option<String>,
}

/// An alert of Alertmanager's API v2.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GettableAlert {
    labels: Option<BTreeMap<String, Value>>,
    annotations: Option<BTreeMap<String, Value>>,
    starts_at: Option<String>,
    pub(super) ends_at: Option<String>,
    updated_at: Option<String>,
    fingerprint: Option<String>,
    receivers: Option<Vec<Receiver>>,
    status: Option<AlertStatus>,
    #[serde(rename = "generatorURL")]
    generator_url: Option<String>,
}

#[derive(Deserialize)]
struct Receiver {
    name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AlertStatus {
    state: Option<String>,
    silenced_by: Option<Vec<String>>,
    inhibited_by: Option<Vec<String>>,
    muted_by: Option<Vec<String>>,
}

/// A silence of Alertmanager's API v2.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GettableSilence {
    id: Option<String>,
    created_by: Option<String>,
    comment: Option<String>,
    ends_at: Option<String>,
}

/// `/api/v2/status`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusDoc {
    pub(super) version_info: Option<VersionDoc>,
}

#[derive(Deserialize)]
pub(super) struct VersionDoc {
    pub(super) version: Option<String>,
}

/// A moment; the zero of Go's clock, in the year 1, is none.
pub(super) fn time(text: Option<&str>) -> Option<Time> {
    let at = text?.parse::<jiff::Timestamp>().ok()?;
    (at.as_millisecond() > 0).then(|| Time::from_millis(at.as_millisecond()))
}

fn span(seconds: Option<f64>) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds?).ok()
}

fn clean(text: &str, max: usize) -> String {
    harmless_line(text, max)
}

fn some(text: Option<&str>, max: usize) -> Option<String> {
    text.map(|t| clean(t, max)).filter(|t| !t.is_empty())
}

/// A value as it is, harmless and cut, not trimmed: a label is compared.
fn exact(text: &str, max: usize) -> String {
    let text = harmless(text);
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.into_owned(),
    }
}

fn pairs(map: Option<&BTreeMap<String, Value>>, longest: usize) -> Labels {
    let text = |value: &Value| match value {
        Value::String(text) => exact(text, longest),
        Value::Null => String::new(),
        other => exact(&other.to_string(), longest),
    };
    let all = map.into_iter().flatten().take(PAIRS);
    Labels::from_pairs(all.map(|(name, value)| (exact(name, NAME), text(value))))
}

fn address(text: Option<&str>) -> Option<String> {
    let text = text?.trim();
    let scheme = |name: &str| text.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name));
    let safe = text.chars().count() <= ADDRESS && !text.contains(char::is_whitespace);
    (safe && (scheme("http://") || scheme("https://"))).then(|| harmless(text).into_owned())
}

fn names(all: Option<&Vec<String>>) -> Vec<String> {
    all.into_iter().flatten().take(NAMES).map(|name| clean(name, NAME)).collect()
}

impl GroupDoc {
    /// The group's alerting rules, each with its alerts.
    pub(super) fn alerting(&self) -> impl Iterator<Item = (Rule, Vec<Alert>)> {
        let group = clean(self.name.as_deref().unwrap_or_default(), NAME);
        let interval = span(self.interval).filter(|i| !i.is_zero());
        self.rules.iter().flatten().filter(|rule| rule.is_alerting()).map(move |doc| {
            let rule = doc.rule(&group, interval);
            let alerts = doc.alerts.iter().flatten().filter_map(|a| a.alert(Some(&rule))).collect();
            (rule, alerts)
        })
    }
}

impl RuleDoc {
    fn is_alerting(&self) -> bool {
        self.kind.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case("alerting"))
    }

    fn rule(&self, group: &str, interval: Option<Duration>) -> Rule {
        Rule {
            name: exact(self.name.as_deref().unwrap_or_default(), VALUE),
            group: group.to_owned(),
            labels: pairs(self.labels.as_ref(), VALUE),
            query: clean(self.query.as_deref().unwrap_or_default(), PROSE),
            state: AlertState::parse(self.state.as_deref().unwrap_or_default()),
            health: RuleHealth::parse(self.health.as_deref().unwrap_or_default()),
            last_error: some(self.last_error.as_deref(), VALUE),
            last_evaluation: time(self.last_evaluation.as_deref()),
            hold: span(self.duration).unwrap_or_default(),
            interval,
        }
    }
}

impl AlertDoc {
    /// The alert, with what its rule knows; `None` where it is inactive.
    pub(super) fn alert(&self, rule: Option<&Rule>) -> Option<Alert> {
        let state = AlertState::parse(self.state.as_deref().unwrap_or_default());
        if state == AlertState::Inactive {
            return None;
        }
        let mut alert = Alert::new(pairs(self.labels.as_ref(), VALUE), state);
        if alert.name.is_empty() {
            let named = rule.map(|r| r.name.clone()).or_else(|| some(self.name.as_deref(), VALUE));
            alert.name = named.unwrap_or_default();
        }
        alert.annotations = pairs(self.annotations.as_ref(), PROSE);
        alert.active_at = time(self.active_at.as_deref());
        alert.fires_at = rule.and_then(|rule| Some(alert.active_at?.after(rule.hold)));
        alert.keep_firing_since = time(self.keep_firing_since.as_deref());
        alert.value = match &self.value {
            Some(Value::String(text)) => Some(clean(text, NAME)),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        alert.runbook = address(alert.annotations.get("runbook_url"));
        alert.generator = address(self.source.as_deref());
        Some(alert)
    }
}

impl GettableAlert {
    pub(super) fn alert(&self, silences: Option<&[GettableSilence]>) -> Option<Alert> {
        let none = AlertStatus::default();
        let status = self.status.as_ref().unwrap_or(&none);
        let state = AlertState::parse(status.state.as_deref().unwrap_or_default());
        if state == AlertState::Inactive {
            return None;
        }
        let mut alert = Alert::new(pairs(self.labels.as_ref(), VALUE), state);
        alert.annotations = pairs(self.annotations.as_ref(), PROSE);
        alert.fires_at = time(self.starts_at.as_deref());
        alert.updated_at = time(self.updated_at.as_deref());
        alert.fingerprint = some(self.fingerprint.as_deref(), NAME);
        let silenced = status.silenced_by.iter().flatten().take(NAMES);
        alert.silences = silenced.map(|id| silence(id, silences.unwrap_or_default())).collect();
        alert.inhibited_by = names(status.inhibited_by.as_ref());
        alert.muted_by = names(status.muted_by.as_ref());
        let receivers = self.receivers.iter().flatten().filter_map(|r| some(r.name.as_deref(), NAME));
        alert.receivers = receivers.take(NAMES).collect();
        alert.runbook = address(alert.annotations.get("runbook_url"));
        alert.generator = address(self.generator_url.as_deref());
        Some(alert)
    }
}

/// A silence by its id: also one that the list does not hold mutes, and says no more than that.
fn silence(id: &str, known: &[GettableSilence]) -> Silence {
    let found = known.iter().find(|s| s.id.as_deref() == Some(id));
    Silence {
        id: clean(id, NAME),
        by: found.and_then(|s| some(s.created_by.as_deref(), NAME)),
        comment: found.and_then(|s| some(s.comment.as_deref(), VALUE)),
        until: found.and_then(|s| time(s.ends_at.as_deref())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(json: &str) -> Vec<(Rule, Vec<Alert>)> {
        serde_json::from_str::<GroupDoc>(json).unwrap().alerting().collect()
    }

    #[test]
    fn what_prometheus_sends_of_a_pending_rule_says_when_it_fires() {
        let all = group(
            r#"{"name":"tasks","file":"r.yml","interval":15,"limit":0,"rules":[
            {"type":"recording","name":"x","query":"1","health":"ok"},
            {"type":"alerting","state":"pending","name":"Deep","query":"depth > 1","duration":60,"keepFiringFor":0,
             "labels":{"severity":"page"},"annotations":{},"health":"ok","evaluationTime":0.1,
             "lastEvaluation":"2025-12-02T14:02:11.204123456Z","alerts":[
              {"labels":{"alertname":"Deep","queue":"a\u001bb","severity":"page"},"annotations":{"runbook_url":"javascript:alert(1)"},
               "state":"pending","activeAt":"2025-12-02T15:02:00+01:00","value":"3e+02"}]}]}"#,
        );
        let [(rule, alerts)] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!(rule.hold, Duration::from_secs(60));
        assert_eq!(rule.interval, Some(Duration::from_secs(15)));
        let alert = &alerts[0];
        assert_eq!(alert.labels.get("queue"), Some("a\\u{1b}b"));
        assert_eq!(alert.fires_at.unwrap().rfc3339(), "2025-12-02T14:03:00.000Z");
        assert_eq!((alert.value.as_deref(), alert.runbook.as_deref()), (Some("3e+02"), None));
    }

    #[test]
    fn other_servers_and_missing_fields_are_read_and_never_taken_for_fine() {
        // vmalert: a bare number, an id, a source; Grafana: words of its own; and next to nothing.
        let all = group(
            r#"{"rules":[
            {"type":"alerting","name":"V","state":"firing","duration":null,"health":"no match","lastEvaluation":"0001-01-01T00:00:00Z",
             "alerts":[{"name":"V","state":"firing","value":"3","labels":{"alertname":"V","n":7},"source":"http://vm/alert?x=1"}]},
            {"type":"alerting","name":"G","state":"firing","health":"ok","alerts":[
              {"labels":{"alertname":"G"},"state":"Alerting","value":""},{"labels":{"alertname":"G"},"state":"Normal"},
              {"labels":{"alertname":"G"},"state":"NoData"}]},
            {}]}"#,
        );
        assert_eq!(all[0].0.health, RuleHealth::Other("no match".into()));
        assert_eq!(all[0].0.last_evaluation, None);
        assert_eq!(all[0].1[0].labels.get("n"), Some("7"));
        assert_eq!(all[0].1[0].generator.as_deref(), Some("http://vm/alert?x=1"));
        let states: Vec<_> = all[1].1.iter().map(|a| a.state.clone()).collect();
        assert_eq!(states, [AlertState::Firing, AlertState::Other("NoData".into())]);
        assert_eq!(all[2].0.health, RuleHealth::Never);
    }

    #[test]
    fn what_is_too_long_or_too_much_is_cut() {
        let labels: BTreeMap<String, Value> =
            (0..1000).map(|i| (format!("l{i}"), Value::String("x".repeat(10_000)))).collect();
        let cut = pairs(Some(&labels), VALUE);
        assert_eq!(cut.len(), PAIRS);
        assert!(cut.iter().all(|(_, v)| v.chars().count() == VALUE + 1 && v.ends_with('…')));
        assert_eq!(
            address(Some("https://runbooks.example.com/deep")).as_deref(),
            Some("https://runbooks.example.com/deep")
        );
        for bad in ["ftp://x", "http://a b", "file:///etc/passwd", "", "http"] {
            assert_eq!(address(Some(bad)), None, "{bad}");
        }
    }
}
