//! Endpoints that send exposition text; gonogo keeps a short history and evaluates the expressions.
//!
//! Start with [`Scrape::poll`]. One endpoint is read in `target`, what it sent is told in `report`,
//! and the signals are evaluated in `evaluate`.

mod ages;
mod evaluate;
mod report;
mod rerun;
mod sent;
mod store;
mod target;

pub use rerun::Rerun;

use std::time::Duration;

use futures_util::{StreamExt, stream};
use sha2::{Digest as _, Sha256};

use super::{Batch, Outcome};
use crate::http::Client;
use crate::model::labels::NAME;
use crate::model::{Answer, Fault, FaultCode, Labels, SignalDef, SourceDef, SourceKind, Time};
use crate::promql::{Expr, Filter, History, Limits};
pub use evaluate::{Round, Signals};
use sent::{Keep, Room, Row};
pub use store::Store;
use target::{Scraped, Target};

/// How many endpoints of a source are asked at once.
const AT_ONCE: usize = 128;

/// What Prometheus looks back for a sample, and what an expression without a window needs.
const LOOKBACK: Duration = Duration::from_mins(5);

/// One scrape source: its endpoints, its history, its signals.
pub struct Scrape {
    client: Client,
    targets: Vec<Target>,
    signals: Signals,
    filter: Filter,
    max_series: usize,
    max_line: usize,
    limits: Limits,
    watched: [u8; 32],
    history: History,
    every: Duration,
    longest_poll: Duration,
    /// What the last poll put into the history, where somebody records it.
    batch: Option<Batch>,
}

impl Scrape {
    pub(super) fn new(
        def: &SourceDef,
        urls: &[String],
        labels: &Labels,
        signals: &[&SignalDef],
        client: Client,
    ) -> Result<Self, Fault> {
        let exprs = parsed(signals)?;
        let limits = limits(&exprs, def);
        let watched = watched(def, urls, labels, &exprs);
        Ok(Self {
            client,
            targets: urls
                .iter()
                .map(|url| Target::new(def.id.as_str(), url, labels))
                .collect::<Result<_, _>>()?,
            filter: Filter::of(&exprs),
            max_series: def.max_series,
            max_line: usize::try_from(def.max_line).unwrap_or(usize::MAX),
            limits,
            watched,
            history: History::new(limits).polled_every(def.every, longest_poll(def, urls.len())),
            every: def.every,
            longest_poll: longest_poll(def, urls.len()),
            signals: Signals::new(signals.iter().copied().zip(exprs)),
            batch: None,
        })
    }

    /// From now on, or no more, keeps what each poll puts into the history, for [`Scrape::batch`].
    pub(super) fn keep_batch(&mut self, keep: bool) {
        self.batch = keep.then(Batch::new);
    }

    /// What the last poll put into the history; empty where it is not kept.
    pub(super) fn batch(&self) -> &[Row] {
        self.batch.as_deref().unwrap_or_default()
    }

    /// `job`, `instance` and the source's own labels, for each endpoint.
    pub(super) fn target_labels(&self) -> impl Iterator<Item = &Labels> {
        self.targets.iter().map(Target::labels)
    }

    /// What was scraped so far, for expressions beside the signals.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// How much of it is kept.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// A hash of what is watched: the endpoints, the labels they get, the series that are wanted. A
    /// history of anything else would lack what is asked for now.
    pub fn watched(&self) -> &[u8; 32] {
        &self.watched
    }

    /// Takes a saved history on, unless there is one already.
    pub(super) fn recall(&mut self, history: History) {
        if self.history.ends().is_none() {
            self.history = history.polled_every(self.every, self.longest_poll);
        }
    }

    /// Scrapes every endpoint at once, records what came, and evaluates every signal.
    ///
    /// # Errors
    /// No endpoint gave a whole answer: the fault of the first one. That is recorded too, as `up` 0
    /// and the end of all series.
    pub(super) async fn poll(&mut self, now: Time) -> Outcome {
        let room = Room::new(self.max_series);
        let keep =
            Keep { filter: &self.filter, max_series: self.max_series, max_line: self.max_line, room: &room };
        let underway = self.targets.iter().map(|target| target.scrape(&self.client, now, keep));
        let scraped: Vec<_> = stream::iter(underway).buffered(AT_ONCE).collect().await;
        let mut told = report::of(&scraped, self.targets.iter().map(Target::instance));
        told.cut(self.record(now, scraped, told.series_cut()));
        if let Some(fault) = told.failed() {
            return Err(fault);
        }
        let mut answer = Answer { notes: told.notes(now), ..Answer::default() };
        let offset = told.clock_offset(now);
        let mut round = self.signals.round(&self.history, now);
        while let Some(told) = round.next_answer(told.warnings(), offset) {
            answer.signals.push(told);
            // A hundred signals over long windows take a while.
            tokio::task::yield_now().await;
        }
        Ok(answer)
    }

    /// Records all endpoints as one scrape, of which `cut` series were left out already; returns how
    /// many more did not fit.
    fn record(&mut self, at: Time, scraped: Vec<Scraped>, cut: usize) -> usize {
        let batch = self.targets.iter().zip(scraped).flat_map(|(target, scraped)| {
            let own = move |name: &str, value: f64| (target.labels().with(NAME, name), value, None);
            let sent = scraped.sent().map_or(0, |summary| summary.series_sent);
            let about = [
                own("up", f64::from(u8::from(scraped.outcome.is_ok()))),
                own("scrape_duration_seconds", scraped.took.as_secs_f64()),
                own("scrape_samples_scraped", sent as f64),
            ];
            // First, so that a full history refuses the endpoint's series and not these.
            about.into_iter().chain(scraped.into_samples())
        });
        let refused = match &mut self.batch {
            None => self.history.record(at, batch),
            Some(kept) => {
                *kept = batch.collect();
                self.history.record(at, kept.iter().cloned())
            }
        };
        if cut + refused > 0 {
            self.history.begin_again();
        }
        refused
    }
}

fn watched(def: &SourceDef, urls: &[String], labels: &Labels, exprs: &[Expr]) -> [u8; 32] {
    let mut selectors: Vec<String> =
        exprs.iter().flat_map(Expr::selectors).map(|(written, _)| written).collect();
    selectors.sort_unstable();
    selectors.dedup();
    let labels = labels.to_string();
    let parts = [def.id.as_str(), labels.as_str()].into_iter();
    let lists = urls.iter().map(|url| ("url", url)).chain(selectors.iter().map(|text| ("selector", text)));
    let mut hash = Sha256::new();
    for part in parts.chain(lists.flat_map(|(kind, text)| [kind, text.as_str()])) {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

/// The expressions of signals that gonogo evaluates itself.
fn parsed(signals: &[&SignalDef]) -> Result<Vec<Expr>, Fault> {
    let parse = |signal: &&SignalDef| {
        let expr = Expr::parse(&signal.query).and_then(|expr| expr.check_local().map(|()| expr));
        expr.map_err(|e| Fault::new(FaultCode::Query, format!("signal {}: {e}", signal.id)))
    };
    signals.iter().map(parse).collect()
}

/// How much history the expressions need, and no more than the source may keep.
fn limits(exprs: &[Expr], def: &SourceDef) -> Limits {
    let window = exprs.iter().map(Expr::window).max().unwrap_or_default();
    // A server's expressions look back as far as they like, also when they are evaluated on a capture.
    let most = if matches!(def.kind, SourceKind::Scrape { .. }) { def.max_history } else { Duration::MAX };
    Limits { keep: window.min(most).saturating_add(LOOKBACK), max_series: def.max_series }
}

/// How long a poll of so many endpoints may take.
fn longest_poll(def: &SourceDef, endpoints: usize) -> Duration {
    let rounds = endpoints.div_ceil(AT_ONCE).max(1);
    def.timeout.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX))
}
