//! The alerts of an Alertmanager, or of one that speaks its API v2 (Mimir, Grafana), with who
//! silenced them.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join;
use tokio::time::Instant;

use super::rules::keep_worst;
use super::wire::{GettableAlert, GettableSilence, StatusDoc, time};
use super::{get, offset};
use crate::http::Client;
use crate::model::alert::{Alert, AlertOrigin, AlertsAnswer};
use crate::model::text::harmless_line;
use crate::model::{Fault, Time};

const STATUS_EVERY: Duration = Duration::from_mins(5);

/// One Alertmanager.
pub struct Alertmanager {
    client: Client,
    base: String,
    version: Option<String>,
    version_asked: Option<Time>,
}

impl Alertmanager {
    /// The Alertmanager under `base`, with or without `/api/v2` at its end.
    pub fn new(base: &str, client: Client) -> Self {
        let base = base.trim().trim_end_matches('/').trim_end_matches("/api/v2").to_owned();
        Self { client, base, version: None, version_asked: None }
    }

    /// Asks for alerts and silences. An alert whose silences cannot be read is silenced all the same,
    /// only nobody knows by whom.
    ///
    /// # Errors
    /// What kept the alerts from being told.
    pub async fn ask(&mut self, now: Time) -> Result<AlertsAnswer, Fault> {
        const ALL: [(&str, &str); 4] =
            [("active", "true"), ("silenced", "true"), ("inhibited", "true"), ("unprocessed", "true")];
        let begun = Instant::now();
        let url = |path: &str| format!("{}/api/v2/{path}", self.base);
        let (alerts, silences) = join(
            get::<Vec<GettableAlert>>(&self.client, url("alerts"), &ALL),
            get::<Vec<GettableSilence>>(&self.client, url("silences"), &[]),
        )
        .await;
        let (alerts, date) = alerts?;
        self.learn_version(now).await;
        let offset = offset(date, now, begun.elapsed());
        let there = Time::from_seconds(now.seconds() + offset).unwrap_or(now);
        let silences = silences.ok().map(|(silences, _)| silences);
        // One that ended is resolved, however long it is still told.
        let ended = |alert: &GettableAlert| time(alert.ends_at.as_deref()).is_some_and(|end| end <= there);
        let mut partial = Vec::new();
        let mut alerts: Vec<Alert> = alerts
            .iter()
            .filter(|alert| !ended(alert))
            .filter_map(|alert| alert.alert(silences.as_deref()))
            .collect();
        name_inhibitors(&mut alerts);
        keep_worst(&mut alerts, &mut partial);
        Ok(AlertsAnswer {
            origin: AlertOrigin::Alertmanager,
            alerts,
            partial,
            clock_offset: offset,
            version: self.version.clone(),
            ..AlertsAnswer::default()
        })
    }

    async fn learn_version(&mut self, now: Time) {
        let due = |asked: Time| now < asked || now.since(asked) >= STATUS_EVERY;
        if !self.version_asked.is_none_or(due) {
            return;
        }
        self.version_asked = Some(now);
        let url = format!("{}/api/v2/status", self.base);
        if let Ok((doc, _)) = get::<StatusDoc>(&self.client, url, &[]).await {
            let version = doc.version_info.and_then(|v| v.version);
            self.version = version.map(|v| harmless_line(&v, 60));
        }
    }
}

/// Fingerprints of inhibiting alerts become their names, where they are among the alerts.
fn name_inhibitors(alerts: &mut [Alert]) {
    let names: BTreeMap<String, String> =
        alerts.iter().filter_map(|a| Some((a.fingerprint.clone()?, a.name.clone()))).collect();
    for by in alerts.iter_mut().flat_map(|alert| &mut alert.inhibited_by) {
        if let Some(name) = names.get(by).filter(|name| !name.is_empty()) {
            by.clone_from(name);
        }
    }
}
