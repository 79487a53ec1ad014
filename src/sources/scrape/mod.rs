//! Endpoints that send exposition text; gonogo keeps a short history and evaluates the expressions.
//!
//! Start with [`Scrape::poll`]. One endpoint is read in `target`, what it sent is told in `report`,
//! and the signals are evaluated in `evaluate`.

mod evaluate;
mod report;
mod target;

use std::time::Duration;

use futures_util::{StreamExt, stream};

use super::Outcome;
use crate::http::Client;
use crate::model::labels::NAME;
use crate::model::{Answer, Fault, FaultCode, Labels, SignalDef, SourceDef, Time};
use crate::promql::{Expr, Filter, History, Limits};
use evaluate::Signal;
use target::{Room, Scraped, Target};

/// How many endpoints of a source are asked at once.
const AT_ONCE: usize = 128;

/// What Prometheus looks back for a sample, and what an expression without a window needs.
const LOOKBACK: Duration = Duration::from_mins(5);

/// One scrape source: its endpoints, its history, its signals.
pub struct Scrape {
    client: Client,
    targets: Vec<Target>,
    signals: Vec<Signal>,
    filter: Filter,
    max_series: usize,
    history: History,
}

impl Scrape {
    pub(super) fn new(
        def: &SourceDef,
        urls: &[String],
        labels: &Labels,
        signals: &[&SignalDef],
        client: Client,
    ) -> Result<Self, Fault> {
        let exprs = signals
            .iter()
            .map(|signal| {
                let expr = Expr::parse(&signal.query).and_then(|expr| expr.check_local().map(|()| expr));
                expr.map_err(|e| Fault::new(FaultCode::Query, format!("signal {}: {e}", signal.id)))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let window = exprs.iter().map(Expr::window).max().unwrap_or_default();
        let limits = Limits { keep: window + LOOKBACK, max_series: def.max_series };
        Ok(Self {
            client,
            targets: urls
                .iter()
                .map(|url| Target::new(def.id.as_str(), url, labels))
                .collect::<Result<_, _>>()?,
            filter: Filter::of(&exprs),
            signals: signals.iter().zip(exprs).map(|(def, expr)| Signal::new(def, expr)).collect(),
            max_series: def.max_series,
            history: History::new(limits),
        })
    }

    /// What was scraped so far, for expressions beside the signals.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Scrapes every endpoint at once, records what came, and evaluates every signal.
    ///
    /// # Errors
    /// No endpoint gave a whole answer: the fault of the first one. That is recorded too, as `up` 0
    /// and the end of all series.
    pub(super) async fn poll(&mut self, now: Time) -> Outcome {
        let (client, filter, room) = (&self.client, &self.filter, Room::new(self.max_series));
        let underway = self.targets.iter().map(|target| target.scrape(client, filter, now, &room));
        let scraped: Vec<_> = stream::iter(underway).buffered(AT_ONCE).collect().await;
        let mut told = report::of(&scraped, self.targets.iter().map(Target::instance));
        told.cut(self.record(now, scraped, told.series_cut()));
        if let Some(fault) = told.failed() {
            return Err(fault);
        }
        let mut answer = Answer { notes: told.notes(now), ..Answer::default() };
        for signal in &mut self.signals {
            answer.signals.push(signal.answer(&self.history, now, &told));
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
        let refused = self.history.record(at, batch);
        if cut + refused > 0 {
            self.history.begin_again();
        }
        refused
    }
}
