//! The signals of a scrape source, evaluated again over what was recorded of it.

use super::evaluate::Signals;
use super::sent::Row;
use super::{limits, longest_poll, parsed};
use crate::model::{Fault, Labels, SignalAnswer, SignalDef, SourceDef, SourceKind, Time};
use crate::promql::{Filter, History};

/// A scrape source without its endpoints: batches of samples go in, answers come out, by the same
/// history and the same evaluator.
pub struct Rerun {
    signals: Signals,
    filter: Filter,
    history: History,
}

impl Rerun {
    /// The signals of a source over an empty history. `polled` is the source as it was when it was
    /// recorded, whose pace tells the times at which nobody looked; `None` for what others wrote.
    ///
    /// # Errors
    /// An expression that gonogo cannot evaluate.
    pub fn new(def: &SourceDef, signals: &[&SignalDef], polled: Option<&SourceDef>) -> Result<Self, Fault> {
        let exprs = parsed(signals)?;
        let mut history = History::new(limits(&exprs, def));
        if let Some(polled) = polled
            && let SourceKind::Scrape { urls, .. } = &polled.kind
        {
            history = history.polled_every(polled.every, longest_poll(polled, urls.len()));
        }
        Ok(Self {
            filter: Filter::of(&exprs),
            history,
            signals: Signals::new(signals.iter().copied().zip(exprs)),
        })
    }

    /// Whether a series is of use: those that the expressions want, and those that a scrape writes
    /// about itself, by which the history knows when it began.
    pub fn wants(&self, series: &Labels) -> bool {
        let own = series.name().is_some_and(|name| name == "up" || name.starts_with("scrape_"));
        own || self.filter.wants(series)
    }

    /// Takes in what a poll at `at` scraped, well or not, of which `cut` series had been left out.
    pub fn record(&mut self, at: Time, batch: impl IntoIterator<Item = Row>, cut: usize) {
        let batch: Vec<Row> = batch.into_iter().filter(|(labels, ..)| self.wants(labels)).collect();
        if self.history.record(at, batch) + cut > 0 {
            self.history.begin_again();
        }
    }

    /// What the signals say at `at`, the moment of the poll; `offset` is the endpoint's clock less
    /// this program's, in seconds, where it was told.
    pub fn answer(&mut self, at: Time, warnings: &[String], offset: Option<f64>) -> Vec<SignalAnswer> {
        let mut round = self.signals.round(&self.history, at);
        std::iter::from_fn(|| round.next_answer(warnings, offset)).collect()
    }
}
