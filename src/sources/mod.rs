//! The edge: what is on the wire becomes the words of `model`, once, here.
//!
//! May import `model`, `promql`, `http`. Start with [`Source::poll`]. [`exposition`] is the text that
//! `/metrics` endpoints send, [`capture`] the same, recorded; [`scrape`], [`prometheus`],
//! [`alerts`] and [`identity`] are the kinds of sources; [`schedule`] says when to poll next.

pub mod alerts;
pub mod capture;
pub mod exposition;
pub mod flags;
mod freshness;
pub mod identity;
mod json;
pub mod prometheus;
pub mod schedule;
pub mod scrape;
mod turn;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join;
use tokio::time::Instant;

use crate::http::{self, Client, Credential};
use crate::model::poll::Notes;
use crate::model::{
    AlertsAnswer, Answer, Fault, FlagDef, Labels, Polled, SignalDef, SourceDef, SourceId, SourceKind, Time,
};

use alerts::Rules;

pub use alerts::Alertmanager;
pub use identity::Identity;
pub use prometheus::Prometheus;
pub use scrape::Scrape;

/// What one poll put into a history: series, values, and the endpoint's own times.
pub type Batch = Vec<(Labels, f64, Option<Time>)>;

/// A source that can be polled. It remembers what the next poll needs: history, label names, `ETag`s.
pub struct Source {
    id: SourceId,
    kind: Kind,
    /// Decoded bytes that its client has received.
    received: Arc<AtomicU64>,
}

enum Kind {
    Scrape(Box<Scrape>),
    Prometheus(Box<Prometheus>),
    /// A server whose alerts are asked for too; without signals nothing else is.
    Alerting(Box<Alerting>),
    Alertmanager(Box<Alertmanager>),
    Identity(Box<Identity>),
    Flags(Box<dyn flags::Provider>),
}

/// A server with its alerts.
struct Alerting {
    signals: Option<Prometheus>,
    rules: Rules,
}

impl Alerting {
    async fn poll(&mut self, now: Time) -> Outcome {
        let Some(signals) = &mut self.signals else {
            let told = self.rules.ask(now).await?;
            return Ok(Answer { notes: clock_note(&told), alerts: Some(Ok(told)), ..Answer::default() });
        };
        let (outcome, told) = join(signals.poll(now), self.rules.ask(now)).await;
        // Numbers and alerts fail each on their own account.
        outcome.map(|answer| Answer { alerts: Some(told), ..answer })
    }
}

fn clock_note(told: &AlertsAnswer) -> Notes {
    let clock_offset = Some(told.clock_offset).filter(|offset| *offset != 0.0);
    Notes { clock_offset, ..Notes::default() }
}

/// What the client of a source needs to know; the credential is made by the caller, because one of
/// its kinds starts a process.
pub fn options(def: &SourceDef, credential: Option<Arc<dyn Credential>>) -> http::Options {
    let mut headers = def.headers.clone();
    if matches!(def.kind, SourceKind::Scrape { .. }) {
        // As Prometheus does, so that an exporter can give up before its caller does.
        let seconds = def.timeout.as_secs_f64().to_string();
        headers.insert(0, ("X-Prometheus-Scrape-Timeout-Seconds".into(), seconds));
    }
    let raw_token = matches!(&def.kind, SourceKind::Flags(flags) if flags.provider.raw_token());
    http::Options {
        raw_token,
        timeout: def.timeout,
        max_body: def.max_body,
        headers,
        credential,
        ca_file: def.ca_file.clone(),
        allow_http: def.allow_http,
        client_cert: def.route.client_cert.clone(),
        client_key: def.route.client_key.clone(),
        proxy: def.route.proxy.clone(),
        no_proxy: def.route.no_proxy.clone(),
        ..http::Options::default()
    }
}

impl Source {
    /// A source with those of the signals and flags that are on it.
    ///
    /// # Errors
    /// An expression of a scrape source that gonogo cannot evaluate; settings refuse it earlier, with
    /// its place in the file.
    pub fn new(
        def: &SourceDef,
        signals: &[SignalDef],
        flags: &[FlagDef],
        client: Client,
    ) -> Result<Self, Fault> {
        let signals: Vec<&SignalDef> = signals.iter().filter(|s| s.source == def.id).collect();
        let received = client.received();
        let kind = match &def.kind {
            SourceKind::Scrape { urls, labels } => {
                Kind::Scrape(Box::new(Scrape::new(def, urls, labels, &signals, client)?))
            }
            SourceKind::Prometheus { url, alerts: true } => {
                let rules = Rules::new(url, client.another());
                let with_signals = !signals.is_empty();
                let signals = with_signals.then(|| Prometheus::new(def, url, &signals, client));
                Kind::Alerting(Box::new(Alerting { signals, rules }))
            }
            SourceKind::Prometheus { url, alerts: false } => {
                Kind::Prometheus(Box::new(Prometheus::new(def, url, &signals, client)))
            }
            SourceKind::Alertmanager { url, .. } => {
                Kind::Alertmanager(Box::new(Alertmanager::new(url, client)))
            }
            SourceKind::Identity { url, environment, grants, beside } => {
                let keys = flags.iter().filter(|f| f.source == def.id).map(|f| f.key.clone()).collect();
                let identity = Identity::new(url, environment, keys, *grants, client);
                Kind::Identity(Box::new(identity.beside(beside)))
            }
            SourceKind::Flags(provider) => {
                let keys = flags.iter().filter(|f| f.source == def.id).map(|f| f.key.clone()).collect();
                Kind::Flags(flags::provider(provider, keys, client))
            }
        };
        Ok(Self { id: def.id.clone(), kind, received })
    }

    /// Gives a provider of flags its second credential ([`SourceKind::admin_credential`]), which it asks
    /// with what the first one may not. `patience` is the longest that this may keep a poll.
    #[must_use]
    pub fn with_admin(mut self, credential: Option<Arc<dyn Credential>>, patience: Duration) -> Self {
        if let (Kind::Flags(provider), Some(credential)) = (&mut self.kind, credential) {
            provider.ask_also_as(credential, patience);
        }
        self
    }

    /// The source's id.
    pub fn id(&self) -> &SourceId {
        &self.id
    }

    /// Polls once; `now` is the caller's clock, which the demo simulates. Never longer than the
    /// source's time-out (twice it, the first time a server is asked for the history of charts; three
    /// times, the first time an identity service is asked what it offers).
    pub async fn poll(&mut self, now: Time) -> Polled {
        let begun = Instant::now();
        let before = self.received.load(Ordering::Relaxed);
        let mut outcome = match &mut self.kind {
            Kind::Scrape(scrape) => scrape.poll(now).await,
            Kind::Prometheus(prometheus) => prometheus.poll(now).await,
            Kind::Alerting(alerting) => alerting.poll(now).await,
            Kind::Alertmanager(alertmanager) => alertmanager.ask(now).await.map(|told| Answer {
                notes: clock_note(&told),
                alerts: Some(Ok(told)),
                ..Answer::default()
            }),
            // Boxed, because its many questions would make every poll of any source as large.
            Kind::Identity(identity) => Box::pin(identity.poll(now)).await,
            Kind::Flags(provider) => provider.poll(now).await.map(|(told, notes)| Answer {
                flags: Some(told),
                notes,
                ..Answer::default()
            }),
        };
        if let Ok(answer) = &mut outcome {
            answer.notes.bytes = self.received.load(Ordering::Relaxed) - before;
        }
        Polled { source: self.id.clone(), asked: now, took: begun.elapsed(), outcome }
    }

    /// The shortest time between the beginnings of two polls that the other side asks for; zero where it
    /// asks for none.
    pub fn least_interval(&self) -> Duration {
        match &self.kind {
            Kind::Identity(identity) => identity.least_interval(),
            _ => Duration::ZERO,
        }
    }

    /// Gives a scraped source its saved history, before its first poll.
    pub fn recall(&mut self, history: crate::promql::History) {
        if let Kind::Scrape(scrape) = &mut self.kind {
            scrape.recall(history);
        }
    }

    /// From now on, or no more, keeps what each poll scraped, for [`Source::batch`].
    pub fn keep_batch(&mut self, keep: bool) {
        if let Kind::Scrape(scrape) = &mut self.kind {
            scrape.keep_batch(keep);
        }
    }

    /// What the last poll scraped, as it went into the history; empty where it is not kept or the
    /// source is no scrape source.
    pub fn batch(&self) -> &[(Labels, f64, Option<Time>)] {
        self.scrape().map(Scrape::batch).unwrap_or_default()
    }

    /// The labels that mark the series of each endpoint of a scrape source.
    pub fn target_labels(&self) -> Vec<Labels> {
        self.scrape().into_iter().flat_map(Scrape::target_labels).cloned().collect()
    }

    /// The source as a Prometheus server, for a range query; `None` where it is none.
    pub fn prometheus(&self) -> Option<&Prometheus> {
        match &self.kind {
            Kind::Prometheus(prometheus) => Some(prometheus),
            Kind::Alerting(alerting) => alerting.signals.as_ref(),
            _ => None,
        }
    }

    /// The source as scraped endpoints with their history; `None` where it is none.
    pub fn scrape(&self) -> Option<&Scrape> {
        match &self.kind {
            Kind::Scrape(scrape) => Some(scrape),
            _ => None,
        }
    }
}

type Outcome = Result<Answer, Fault>;

/// The server's clock less this program's, in seconds, where the server said a time in the middle of
/// an exchange that began at `asked`.
fn clock_offset(server: Time, asked: Time, took: Duration) -> f64 {
    server.seconds() - asked.after(took / 2).seconds()
}
