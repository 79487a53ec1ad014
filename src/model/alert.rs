//! Alerts and the rules behind them, as Prometheus and Alertmanager tell of them.
//!
//! Every text here is harmless to print and capped in length; times are by the server's clock, and
//! [`AlertsAnswer::clock_offset`] brings them to this program's.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Labels, Time};

/// The label that holds an alert's name.
pub const ALERTNAME: &str = "alertname";

/// What an alert's server says of it. A silence or an inhibition is no state: such an alert fires.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertState {
    /// Its condition does not hold. Alerts in this state are not listed; rules are.
    Inactive,
    /// Its condition holds, not for long enough yet.
    Pending,
    /// A word that is not known here, kept as it came: never taken for fine.
    Other(String),
    /// It fires.
    Firing,
}

impl AlertState {
    /// The state behind a word of Prometheus, Alertmanager, vmalert or Grafana. Alertmanager's
    /// `suppressed` (silenced or inhibited) and `unprocessed` alerts fire all the same.
    pub fn parse(word: &str) -> Self {
        match word.trim().to_ascii_lowercase().as_str() {
            "firing" | "active" | "suppressed" | "unprocessed" | "alerting" => Self::Firing,
            "pending" => Self::Pending,
            "inactive" | "normal" => Self::Inactive,
            // Grafana says what an instance fires for: `Alerting (NoData)`.
            other if other.starts_with("alerting (") => Self::Firing,
            _ => Self::Other(super::text::harmless_line(word, 40)),
        }
    }

    /// The word for the screen.
    pub fn word(&self) -> &str {
        match self {
            Self::Inactive => "inactive",
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Other(word) if word.is_empty() => "no state",
            Self::Other(word) => word,
        }
    }
}

/// A silence that mutes an alert, as far as it could be learned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Its id.
    pub id: String,
    /// Who made it; `None` where the silences could not be read.
    pub by: Option<String>,
    /// What for.
    pub comment: Option<String>,
    /// When it ends.
    pub until: Option<Time>,
}

/// One alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Its name: the label `alertname`.
    pub name: String,
    /// All its labels, the name among them.
    #[serde(serialize_with = "map", deserialize_with = "labels")]
    pub labels: Labels,
    /// What its author wrote for people: `summary`, `description`, `runbook_url`.
    #[serde(serialize_with = "map", deserialize_with = "labels")]
    pub annotations: Labels,
    /// Whether it fires.
    pub state: AlertState,
    /// Since when its condition holds.
    pub active_at: Option<Time>,
    /// When it fires, or began to: `active_at` and the rule's `for`. Alertmanager knows only this.
    pub fires_at: Option<Time>,
    /// Since when its condition does not hold any more, while it keeps firing (`keep_firing_for`).
    pub keep_firing_since: Option<Time>,
    /// When its sender spoke of it last; told by Alertmanager.
    pub updated_at: Option<Time>,
    /// The value of its expression, as the server prints it.
    pub value: Option<String>,
    /// Alertmanager's name for its label set.
    pub fingerprint: Option<String>,
    /// The silences that mute it.
    pub silences: Vec<Silence>,
    /// Names (else fingerprints) of the alerts that inhibit it.
    pub inhibited_by: Vec<String>,
    /// Names of the time intervals that mute it.
    pub muted_by: Vec<String>,
    /// Where Alertmanager sends it.
    pub receivers: Vec<String>,
    /// The annotation `runbook_url`, where it is an http or https address.
    pub runbook: Option<String>,
    /// The page of its rule, where it is an http or https address.
    pub generator: Option<String>,
}

impl Alert {
    /// An alert with these labels, of which nothing else is known.
    pub fn new(labels: Labels, state: AlertState) -> Self {
        Self {
            name: labels.get(ALERTNAME).unwrap_or_default().to_owned(),
            labels,
            annotations: Labels::none(),
            state,
            active_at: None,
            fires_at: None,
            keep_firing_since: None,
            updated_at: None,
            value: None,
            fingerprint: None,
            silences: Vec::new(),
            inhibited_by: Vec::new(),
            muted_by: Vec::new(),
            receivers: Vec::new(),
            runbook: None,
            generator: None,
        }
    }

    /// Whether somebody or something keeps it from being sent.
    pub fn is_muted(&self) -> bool {
        !(self.silences.is_empty() && self.inhibited_by.is_empty() && self.muted_by.is_empty())
    }

    /// How a pending alert stands: how long until it fires, by the server's clock.
    pub fn fires_in(&self, server_now: Time) -> Option<Duration> {
        (self.state == AlertState::Pending).then_some(self.fires_at?).map(|at| at.since(server_now))
    }

    /// Since when it is in its state, as far as that is known.
    pub fn since(&self) -> Option<Time> {
        match self.state {
            AlertState::Firing => self.fires_at.or(self.active_at),
            _ => self.active_at,
        }
    }

    /// What it says of itself: the annotation `summary`, else `description`, else `message`.
    pub fn summary(&self) -> Option<&str> {
        ["summary", "description", "message"].into_iter().find_map(|name| self.annotations.get(name))
    }

    /// Its labels without the name, as Prometheus writes them: `{queue="tasks",severity="page"}`.
    pub fn series(&self) -> String {
        let rest = self.labels.filtered(|name| name != ALERTNAME);
        if rest.is_empty() { String::new() } else { rest.to_string() }
    }

    /// Why it is not sent, in words: `silenced by ana until 15:00`, `inhibited by DatabaseDown`.
    pub fn muted_text(&self) -> Option<String> {
        let mut parts: Vec<String> = self.silences.first().map(silence_text).into_iter().collect();
        if let Some(by) = self.inhibited_by.first() {
            parts.push(format!("inhibited by {by}"));
        }
        if let Some(by) = self.muted_by.first() {
            parts.push(format!("muted by {by}"));
        }
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

fn silence_text(silence: &Silence) -> String {
    let by = silence.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let until = silence.until.map(|at| {
        let clock = at.clock();
        format!(" until {}", clock.get(..5).unwrap_or(&clock))
    });
    format!("silenced{by}{}", until.unwrap_or_default())
}

/// What became of a rule's last evaluation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleHealth {
    /// It was evaluated.
    Ok,
    /// Its last evaluation failed.
    Error,
    /// It was not evaluated yet.
    Never,
    /// A word that is not known here (`nodata`, `no match`): never taken for fine.
    Other(String),
}

impl RuleHealth {
    /// The health behind a word of Prometheus, vmalert or Grafana.
    pub fn parse(word: &str) -> Self {
        match word.trim().to_ascii_lowercase().as_str() {
            "ok" => Self::Ok,
            "err" | "error" => Self::Error,
            "unknown" | "" => Self::Never,
            _ => Self::Other(super::text::harmless_line(word, 40)),
        }
    }

    /// The word for the screen.
    pub fn word(&self) -> &str {
        match self {
            Self::Ok => "ok",
            Self::Error => "failed",
            Self::Never => "not evaluated yet",
            Self::Other(word) => word,
        }
    }
}

/// An alerting rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// The name of its alerts.
    pub name: String,
    /// Its group.
    pub group: String,
    /// The labels it gives its alerts; values may be templates.
    #[serde(serialize_with = "map", deserialize_with = "labels")]
    pub labels: Labels,
    /// Its expression.
    pub query: String,
    /// The worst state of its alerts.
    pub state: AlertState,
    /// What became of its last evaluation.
    pub health: RuleHealth,
    /// Why that failed.
    pub last_error: Option<String>,
    /// When it was evaluated last; `None`: never.
    pub last_evaluation: Option<Time>,
    /// How long its condition must hold until it fires.
    #[serde(rename = "for")]
    pub hold: Duration,
    /// The time between two evaluations, where the server says it.
    pub interval: Option<Duration>,
}

impl Rule {
    /// Whether an alert of this rule could have these labels: a label the rule sets to another
    /// value rules it out, one that it does not set may come from a series.
    pub fn could_have(&self, wanted: &[(String, String)]) -> bool {
        wanted.iter().all(|(name, want)| {
            self.labels.get(name).is_none_or(|given| given == want || given.contains("{{"))
        })
    }
}

/// Who told of alerts, and so what their absence is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertOrigin {
    /// The server that evaluates the rules.
    #[default]
    Rules,
    /// An Alertmanager, which knows what it was sent and nothing else.
    Alertmanager,
}

/// The alerts part of an answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlertsAnswer {
    /// Who told.
    pub origin: AlertOrigin,
    /// Alerts that are not inactive.
    pub alerts: Vec<Alert>,
    /// The alerting rules, from a server that evaluates them.
    pub rules: Vec<Rule>,
    /// Why the list of alerts or of rules may not be whole; any makes absence prove nothing.
    pub partial: Vec<String>,
    /// Labels that the server adds to the alerts it sends, where it tells them.
    #[serde(serialize_with = "map_option", deserialize_with = "labels_option")]
    pub external_labels: Option<Labels>,
    /// Server's clock less this program's, in seconds; 0 where they cannot be told apart.
    pub clock_offset: f64,
    /// The server's version, where it tells it.
    pub version: Option<String>,
}

impl AlertsAnswer {
    /// A moment of this program's clock by the server's.
    pub fn server_time(&self, here: Time) -> Time {
        Time::from_seconds(here.seconds() + self.clock_offset).unwrap_or(here)
    }

    /// A moment of the server's clock by this program's.
    pub fn local_time(&self, there: Time) -> Time {
        Time::from_seconds(there.seconds() - self.clock_offset).unwrap_or(there)
    }
}

fn map<S: Serializer>(labels: &Labels, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(labels.iter())
}

fn labels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Labels, D::Error> {
    BTreeMap::<String, String>::deserialize(deserializer).map(Labels::from_pairs)
}

#[expect(clippy::ref_option, reason = "serde asks for this form")]
fn map_option<S: Serializer>(labels: &Option<Labels>, serializer: S) -> Result<S::Ok, S::Error> {
    let map = labels.as_ref().map(|l| l.iter().collect::<BTreeMap<_, _>>());
    map.serialize(serializer)
}

fn labels_option<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Labels>, D::Error> {
    Ok(Option::<BTreeMap<String, String>>::deserialize(deserializer)?.map(Labels::from_pairs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_nobody_knows_is_never_taken_for_fine() {
        for (word, state) in [
            ("firing", AlertState::Firing),
            ("suppressed", AlertState::Firing),
            ("unprocessed", AlertState::Firing),
            ("Alerting (NoData)", AlertState::Firing),
            ("Pending", AlertState::Pending),
            ("Normal", AlertState::Inactive),
            ("Normal (NoData)", AlertState::Other("Normal (NoData)".into())),
            ("", AlertState::Other(String::new())),
        ] {
            assert_eq!(AlertState::parse(word), state, "{word}");
        }
        assert_eq!(RuleHealth::parse("no match"), RuleHealth::Other("no match".into()));
        assert_eq!(RuleHealth::parse("err"), RuleHealth::Error);
    }

    #[test]
    fn an_alert_survives_json() {
        let mut alert = Alert::new(
            Labels::from_pairs([(ALERTNAME, "Deep"), ("queue", "ta\"sks")]),
            AlertState::Other("nodata".into()),
        );
        alert.active_at = Some(Time::from_millis(1_500));
        let answer = AlertsAnswer {
            alerts: vec![alert],
            external_labels: Some(Labels::from_pairs([("cluster", "eu")])),
            ..AlertsAnswer::default()
        };
        let text = serde_json::to_string(&answer).unwrap();
        assert_eq!(serde_json::from_str::<AlertsAnswer>(&text).unwrap(), answer, "{text}");
    }

    #[test]
    fn a_rule_that_sets_a_label_cannot_have_another_value_of_it() {
        let rule = |severity: &str| Rule {
            name: "A".into(),
            group: "g".into(),
            labels: Labels::from_pairs([("severity", severity)]),
            query: "up == 0".into(),
            state: AlertState::Inactive,
            health: RuleHealth::Ok,
            last_error: None,
            last_evaluation: None,
            hold: Duration::ZERO,
            interval: None,
        };
        let wanted = [("severity".to_owned(), "page".to_owned()), ("queue".to_owned(), "tasks".to_owned())];
        assert!(rule("page").could_have(&wanted));
        assert!(rule("{{ $labels.severity }}").could_have(&wanted));
        assert!(!rule("warn").could_have(&wanted));
    }
}
