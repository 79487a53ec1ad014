//! The alerts and alerting rules of a server that evaluates them: Prometheus, Thanos, Mimir, vmalert.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join;
use tokio::time::Instant;

use super::wire::{AlertsDoc, ConfigDoc, Envelope, RulesDoc};
use super::{external, get, offset};
use crate::http::Client;
use crate::model::alert::{Alert, AlertOrigin, AlertState, AlertsAnswer, Rule};
use crate::model::text::harmless_line;
use crate::model::{Fault, FaultCode, Labels, Time};

/// The most alerts that are kept; the worst are.
pub(super) const MOST_ALERTS: usize = 2_000;
/// The most alerting rules that are kept.
const MOST_RULES: usize = 10_000;
/// The external labels change with the server's configuration, which is seldom.
const CONFIG_EVERY: Duration = Duration::from_mins(5);

/// One server's alerts.
pub struct Rules {
    client: Client,
    base: String,
    external: Option<Labels>,
    external_asked: Option<Time>,
}

impl Rules {
    /// The alerts of the server under `base`, with or without `/api/v1` at its end.
    pub fn new(base: &str, client: Client) -> Self {
        let base = base.trim().trim_end_matches('/').trim_end_matches("/api/v1").to_owned();
        Self { client, base, external: None, external_asked: None }
    }

    /// Asks for alerts and rules. Both lists hold alerts, and a server may lack one of the two: what
    /// either says counts, the worse where they differ.
    ///
    /// # Errors
    /// What kept both from being told, or made one of them unreadable.
    pub async fn ask(&mut self, now: Time) -> Result<AlertsAnswer, Fault> {
        let begun = Instant::now();
        self.learn_external_labels(now).await;
        let url = |path: &str| format!("{}/api/v1/{path}", self.base);
        let (rules, alerts) = join(
            get::<Envelope<RulesDoc>>(&self.client, url("rules"), &[("type", "alert")]),
            get::<Envelope<AlertsDoc>>(&self.client, url("alerts"), &[]),
        )
        .await;
        let mut partial = Vec::new();
        let mut date = None;
        let rules = data(rules, &mut date, &mut partial);
        let alerts = data(alerts, &mut date, &mut partial);
        let (groups, more) = match (rules, &alerts) {
            (Ok(doc), _) => (doc.groups.unwrap_or_default(), doc.group_next_token),
            (Err(fault), Ok(_)) if is_lack(&fault) => {
                partial.push(format!("the rules are not told: {fault}"));
                (Vec::new(), None)
            }
            (Err(fault), _) => return Err(fault),
        };
        if more.is_some_and(|token| !token.is_empty()) {
            partial.push("the server sent only the first page of its rules".into());
        }
        let mut found = Found::default();
        for (rule, alerts) in groups.iter().flat_map(super::wire::GroupDoc::alerting) {
            found.take_all(alerts);
            found.rules.push(rule);
        }
        match alerts {
            Ok(doc) => found.take_all(doc.alerts.iter().flatten().filter_map(|alert| alert.alert(None))),
            Err(fault) if is_lack(&fault) => {}
            Err(fault) => return Err(fault),
        }
        Ok(AlertsAnswer {
            origin: AlertOrigin::Rules,
            external_labels: self.external.clone(),
            clock_offset: offset(date, now, begun.elapsed()),
            ..found.answer(partial)
        })
    }

    /// A server that does not tell its configuration (Thanos, Mimir, vmalert) is asked seldom, and
    /// nothing is known then.
    async fn learn_external_labels(&mut self, now: Time) {
        let due = |asked: Time| now < asked || now.since(asked) >= CONFIG_EVERY;
        if !self.external_asked.is_none_or(due) {
            return;
        }
        let url = format!("{}/api/v1/status/config", self.base);
        match get::<Envelope<ConfigDoc>>(&self.client, url, &[]).await {
            Ok((doc, _)) => {
                self.external_asked = Some(now);
                self.external = doc.data.and_then(|d| d.yaml).map(|yaml| external::labels(&yaml));
            }
            // Asked again at the next poll where the server could not be reached at all.
            Err(fault) if matches!(fault.code, FaultCode::Unreachable | FaultCode::TimedOut) => {}
            Err(_) => self.external_asked = Some(now),
        }
    }
}

/// Whether the server simply does not have this list, as opposed to failing to tell it.
fn is_lack(fault: &Fault) -> bool {
    fault.code == FaultCode::Status
        && ["answers 404", "answers 405", "answers 501"].iter().any(|lack| fault.text.starts_with(lack))
}

fn data<T>(
    answer: Result<(Envelope<T>, Option<Time>), Fault>,
    date: &mut Option<Time>,
    partial: &mut Vec<String>,
) -> Result<T, Fault> {
    let (envelope, at) = answer?;
    *date = date.or(at);
    if envelope.status.as_deref() != Some("success") || envelope.error.is_some() {
        let why = envelope.error.unwrap_or_else(|| "the answer says no success".into());
        return Err(Fault::new(FaultCode::Query, why));
    }
    partial.extend(envelope.warnings.iter().flatten().take(5).map(|w| harmless_line(w, 300)));
    envelope
        .data
        .ok_or_else(|| Fault::new(FaultCode::Unreadable, "the answer cannot be read: it holds no data"))
}

/// Alerts by their labels, and the rules.
#[derive(Default)]
struct Found {
    places: BTreeMap<(String, Labels), usize>,
    alerts: Vec<Alert>,
    rules: Vec<Rule>,
}

impl Found {
    fn take_all(&mut self, alerts: impl IntoIterator<Item = Alert>) {
        for alert in alerts {
            let key = (alert.name.clone(), alert.labels.clone());
            if let Some(known) = self.places.get(&key).and_then(|at| self.alerts.get_mut(*at)) {
                known.active_at = known.active_at.or(alert.active_at);
                known.fires_at = known.fires_at.or(alert.fires_at);
                known.state = std::mem::replace(&mut known.state, AlertState::Inactive).max(alert.state);
            } else {
                self.places.insert(key, self.alerts.len());
                self.alerts.push(alert);
            }
        }
    }

    fn answer(mut self, mut partial: Vec<String>) -> AlertsAnswer {
        // An alert that was seen without its rule fires when the rule of its name says so.
        for alert in self.alerts.iter_mut().filter(|a| a.fires_at.is_none()) {
            let mut holds = self.rules.iter().filter(|r| r.name == alert.name).map(|r| r.hold);
            if let (Some(hold), Some(active)) = (holds.next(), alert.active_at)
                && holds.all(|other| other == hold)
            {
                alert.fires_at = Some(active.after(hold));
            }
        }
        keep_worst(&mut self.alerts, &mut partial);
        if self.rules.len() > MOST_RULES {
            partial.push(format!("{} rules left out", self.rules.len() - MOST_RULES));
            self.rules.truncate(MOST_RULES);
        }
        AlertsAnswer { alerts: self.alerts, rules: self.rules, partial, ..AlertsAnswer::default() }
    }
}

/// Cuts a list of alerts, and says so; what fires is cut last.
pub(super) fn keep_worst(alerts: &mut Vec<Alert>, partial: &mut Vec<String>) {
    if alerts.len() > MOST_ALERTS {
        alerts.sort_by(|a, b| b.state.cmp(&a.state));
        partial.push(format!("{} alerts left out", alerts.len() - MOST_ALERTS));
        alerts.truncate(MOST_ALERTS);
    }
}
