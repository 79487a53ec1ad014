//! A server that evaluates the expressions itself, over the Prometheus HTTP API.
//!
//! Start with [`Prometheus::poll`]; [`Api`] asks single questions.

mod api;
mod engine;
mod reply;
mod signal;
mod wire;

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::time::{Instant, timeout_at};

use super::{Outcome, clock_offset};
use crate::http::Client;
use crate::model::duration::short;
use crate::model::poll::Notes;
use crate::model::{Answer, Fault, FaultCode, SignalAnswer, SignalDef, SourceDef, Time};
use signal::{Answered, Signal};

pub use api::{Api, SeriesList};
pub use reply::{Reply, Value, decode};

/// How many questions are asked of a server at once.
const AT_ONCE: usize = 4;
/// How far back charts are filled at the start.
const CHART: Duration = Duration::from_mins(15);
/// The finest step of a chart.
const CHART_STEP: Duration = Duration::from_secs(5);

/// One server and the signals asked of it.
pub struct Prometheus {
    api: Api,
    signals: Vec<Signal>,
    every: Duration,
    timeout: Duration,
    /// Whether the charts were filled, or the attempt was made.
    charted: bool,
}

impl Prometheus {
    pub(super) fn new(def: &SourceDef, url: &str, signals: &[&SignalDef], client: Client) -> Self {
        Self {
            api: Api::new(url, client),
            signals: signals.iter().map(|def| Signal::new(def)).collect(),
            every: def.every,
            timeout: def.timeout,
            charted: false,
        }
    }

    /// The server's API, for questions beside the signals.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Asks every signal, a few at once, and the first time also for what charts show. All of it
    /// has the source's time-out; a signal whose answer is late has that fault alone.
    ///
    /// # Errors
    /// The server refuses this caller (401, 403, 429), or no signal was answered for a reason other
    /// than its query.
    pub(super) async fn poll(&mut self, now: Time) -> Outcome {
        let begun = Instant::now();
        let until = begun + self.timeout;
        if self.signals.is_empty() {
            let reply = self.api.instant("1", None).await?;
            let notes = notes(&reply, now, begun);
            return Ok(Answer { notes, ..Answer::default() });
        }
        let (api, timeout) = (&self.api, self.timeout);
        let late = Fault::new(FaultCode::TimedOut, format!("no answer in {}", short(timeout)));
        let asked = self.signals.iter_mut().map(|signal| {
            let late = late.clone();
            async move { timeout_at(until, signal.ask(api, now)).await.unwrap_or(Err(late)) }
        });
        let results: Vec<Result<Answered, Fault>> = stream::iter(asked).buffered(AT_ONCE).collect().await;
        if let Some(fault) = of_the_source(&results) {
            return Err(fault);
        }
        let notes =
            results.iter().flatten().next().map_or_else(Notes::default, |a| notes(&a.reply, now, begun));
        let mut answer = Answer { notes, ..Answer::default() };
        answer.signals =
            self.signals.iter().zip(results).map(|(signal, result)| signal.answer(result)).collect();
        if !std::mem::replace(&mut self.charted, true) {
            self.chart(&mut answer.signals, now, answer.notes.clock_offset).await;
        }
        Ok(answer)
    }

    /// Fills the charts of answered signals. A server that refuses, or is late, leaves them empty:
    /// they fill by themselves.
    async fn chart(&self, answers: &mut [SignalAnswer], now: Time, offset: Option<f64>) {
        let until = Instant::now() + self.timeout;
        let step = self.every.max(CHART_STEP);
        let offset = offset.unwrap_or(0.0);
        let end = Time::from_seconds(now.seconds() + offset).unwrap_or(now);
        let charts = self.signals.iter().zip(answers.iter_mut()).filter(|(_, answer)| answer.result.is_ok());
        let charts: Vec<_> = charts
            .map(|(signal, answer)| async move {
                let asked = self.api.range(signal.query(), end.before(CHART), end, step);
                let Ok(Ok(Reply { value: Value::Matrix(series), .. })) = timeout_at(until, asked).await
                else {
                    return;
                };
                let here = |at: Time| Time::from_seconds(at.seconds() - offset).unwrap_or(at);
                answer.history = series
                    .into_iter()
                    .map(|(labels, samples)| {
                        (labels, samples.into_iter().map(|(at, v)| (here(at), v)).collect())
                    })
                    .collect();
            })
            .collect();
        stream::iter(charts).buffer_unordered(AT_ONCE).collect::<()>().await;
    }
}

/// The fault that makes the whole poll fail.
fn of_the_source(results: &[Result<Answered, Fault>]) -> Option<Fault> {
    use FaultCode::{Credential, Forbidden, Query, RateLimited, SignInNeeded, Tls};
    let faults = || results.iter().filter_map(|result| result.as_ref().err());
    let of_the_caller =
        |f: &&Fault| matches!(f.code, SignInNeeded | Forbidden | RateLimited | Credential | Tls);
    if let Some(fault) = faults().find(of_the_caller) {
        return Some(fault.clone());
    }
    let none_answered = faults().count() == results.len() && faults().all(|f| f.code != Query);
    none_answered.then(|| faults().next().cloned()).flatten()
}

fn notes(reply: &Reply, asked: Time, begun: Instant) -> Notes {
    let server = reply.value.evaluated().or(reply.date);
    let clock_offset = server.map(|server| clock_offset(server, asked, begun.elapsed()));
    Notes { clock_offset, ..Notes::default() }
}
