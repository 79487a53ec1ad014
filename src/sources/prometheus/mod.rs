//! A server that evaluates the expressions itself, over the Prometheus HTTP API.
//!
//! Start with [`Prometheus::poll`]; [`Api`] asks single questions.

mod absence;
mod ages;
#[cfg(test)]
mod agreement;
mod api;
mod engine;
mod reply;
mod samples;
mod signal;
mod wire;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{FutureExt, join};
use futures_util::stream;
use tokio::time::{Instant, timeout_at};

use super::{Outcome, clock_offset};
use crate::http::Client;
use crate::model::duration::short;
use crate::model::poll::Notes;
use crate::model::{Answer, Fault, FaultCode, SignalAnswer, SignalDef, SourceDef, Time};
use ages::{Ages, Asking};
use signal::Signal;

pub use absence::why_empty;
pub use api::{Api, SeriesList};
pub use reply::{Reply, Value, decode};
pub use samples::Samples;

/// How many questions are asked of a server at once.
const AT_ONCE: usize = 4;
/// How far back charts are filled at the start.
const CHART: Duration = Duration::from_mins(15);
/// The finest step of a chart.
const CHART_STEP: Duration = Duration::from_secs(5);
/// How long the server may take to say what it is, and why answers are empty: neither is worth a
/// late poll.
const ASIDE: Duration = Duration::from_secs(2);

/// One server and the signals asked of it.
pub struct Prometheus {
    api: Api,
    signals: Vec<Signal>,
    every: Duration,
    timeout: Duration,
    /// Whether the charts were filled, or the attempt was made.
    charted: bool,
    /// Whether ages are asked for in one request.
    together: AtomicBool,
    /// What the server says it is.
    engine: Option<String>,
    /// Whether it was asked so, well or not, since the start and since the last failure.
    introduced: bool,
}

impl Prometheus {
    pub(super) fn new(def: &SourceDef, url: &str, signals: &[&SignalDef], client: Client) -> Self {
        Self {
            api: Api::new(url, client),
            signals: signals.iter().map(|def| Signal::new(def)).collect(),
            every: def.every,
            timeout: def.timeout,
            charted: false,
            together: AtomicBool::new(true),
            engine: None,
            introduced: false,
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
        let outcome = self.ask(now).await;
        if outcome.is_err() {
            // What comes back may be another server.
            self.introduced = false;
        }
        outcome
    }

    async fn ask(&mut self, now: Time) -> Outcome {
        let begun = Instant::now();
        let until = begun + self.timeout;
        if self.signals.is_empty() {
            let reply = self.api.instant("1", None).await?;
            let mut answer = Answer { notes: notes(&reply, now, begun), ..Answer::default() };
            self.aside(&mut answer, &[], now).await;
            return Ok(answer);
        }
        let late = Fault::new(FaultCode::TimedOut, format!("no answer in {}", short(self.timeout)));
        let asking = Asking { api: &self.api, now, until, late: &late, together: &self.together };
        let guessed: Vec<String> = self.signals.iter().flat_map(Signal::ages).collect();
        let guessed = async {
            let mut ages = Ages::default();
            ages.ask(asking, guessed).await;
            Arc::new(ages)
        };
        let guessed = guessed.shared();
        let known = guessed.clone();
        let gathered = self.signals.iter_mut().map(move |signal| signal.gather(asking, known.clone()));
        let gathered = stream::iter(gathered).buffered(AT_ONCE).collect::<Vec<_>>();
        let (gathered, _) = join(gathered, guessed).await;
        if let Some(fault) = of_the_source(&gathered) {
            return Err(fault);
        }
        let replies = || gathered.iter().filter_map(|(reply, _)| reply.as_ref().ok());
        let notes = replies().next().map_or_else(Notes::default, |reply| notes(reply, now, begun));
        let mut answer = Answer { notes, ..Answer::default() };
        for (signal, (reply, ages)) in self.signals.iter_mut().zip(&gathered) {
            answer.signals.push(signal.answer(reply.as_ref(), ages, now));
            let infos = reply.as_ref().map(|reply| reply.infos.as_slice()).unwrap_or_default();
            answer.notes.infos.extend(infos.iter().map(|info| (signal.id().clone(), info.clone())));
        }
        if !std::mem::replace(&mut self.charted, true) {
            self.chart(&mut answer.signals, now, answer.notes.clock_offset).await;
        }
        self.aside(&mut answer, &gathered, now).await;
        Ok(answer)
    }

    /// What may stay unknown: why answers are empty, and what the server is. Asked where it changed,
    /// and never a reason to fail.
    async fn aside(&mut self, answer: &mut Answer, gathered: &[Gathered], now: Time) {
        let until = Instant::now() + self.timeout.min(ASIDE);
        let api = &self.api;
        let answered = self.signals.iter_mut().zip(&answer.signals).zip(gathered);
        let empty = answered.filter_map(|((signal, answer), (_, ages))| {
            let alive = signal.unexplained(answer, ages, now)?;
            Some((signal, alive))
        });
        let explained = empty.collect::<Vec<_>>().into_iter().map(|(signal, alive)| async move {
            let why = match signal.expr() {
                Some(expr) => timeout_at(until, why_empty(api, expr, now)).await,
                None => return,
            };
            signal.explain(alive, now, why.ok().and_then(Result::ok).flatten());
        });
        let explained = stream::iter(explained).buffer_unordered(AT_ONCE).collect::<()>();
        let engine = async {
            if self.introduced {
                return self.engine.clone();
            }
            timeout_at(until, api.engine()).await.ok().and_then(Result::ok).flatten()
        };
        let (engine, ()) = join(engine, explained).await;
        answer.notes.engine.clone_from(&engine);
        (self.engine, self.introduced) = (engine, true);
        let absences = self.signals.iter().filter_map(|s| Some((s.id().clone(), s.absence()?.to_owned())));
        answer.notes.absences = absences.collect();
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
                    .map(|(labels, samples)| (labels, samples.iter().map(|(at, v)| (here(at), v)).collect()))
                    .collect();
            })
            .collect();
        stream::iter(charts).buffer_unordered(AT_ONCE).collect::<()>().await;
    }
}

/// A signal's answer, and the ages that belong to it.
type Gathered = (Result<Reply, Fault>, Ages);

/// The fault that makes the whole poll fail.
fn of_the_source(gathered: &[Gathered]) -> Option<Fault> {
    use FaultCode::{Credential, Forbidden, Query, RateLimited, SignInNeeded, Tls};
    let faults = || gathered.iter().filter_map(|(reply, _)| reply.as_ref().err());
    let of_the_caller =
        |f: &&Fault| matches!(f.code, SignInNeeded | Forbidden | RateLimited | Credential | Tls);
    if let Some(fault) = faults().find(of_the_caller) {
        return Some(fault.clone());
    }
    let none_answered = faults().count() == gathered.len() && faults().all(|f| f.code != Query);
    none_answered.then(|| faults().next().cloned()).flatten()
}

fn notes(reply: &Reply, asked: Time, begun: Instant) -> Notes {
    let server = reply.value.evaluated().or(reply.date);
    let clock_offset = server.map(|server| clock_offset(server, asked, begun.elapsed()));
    Notes { clock_offset, ..Notes::default() }
}
