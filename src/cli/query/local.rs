//! The expression, evaluated by gonogo itself.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::Moments;
use super::answer::Answer;
use super::failure::Failure;
use super::server::block_on;
use crate::http::Client;
use crate::model::text::harmless_line;
use crate::model::{Board, SignalDef, SignalId, SourceDef, SourceKind, Time, Unit, duration};
use crate::promql::{self, EvalError, Expr, Filter, History, Limits, Value};
use crate::runtime::credential::credential;
use crate::sources::capture::{self, Capture};
use crate::sources::{self, Source};

fn parse(expression: &str) -> Result<Expr, Failure> {
    let expr = Expr::parse(expression)?;
    expr.check_local()?;
    Ok(expr)
}

/// On a file: all there ever was is what it holds.
pub(super) fn on_capture(expression: &str, path: &Path, moments: Moments) -> Result<Answer, Failure> {
    let expr = parse(expression)?;
    let name = harmless_line(&path.display().to_string(), 200);
    let mut history = History::capture(Limits { keep: Duration::MAX, max_series: usize::MAX });
    let read = capture::read_file(path, &Filter::of([&expr]), &mut history)
        .map_err(|error| Failure::unknown(format!("{name}: {error}")))?;
    let mut answer = match moments {
        Moments::One(at) => {
            let at = at.or(read.last).ok_or_else(|| {
                Failure::unknown(format!(
                    "{name} holds no sample with a timestamp: name a moment with --time"
                ))
            })?;
            Answer::at(promql::instant(&expr, &history, at)?, at)
        }
        Moments::Many { start, end, step } => {
            Answer::at(Value::Matrix(promql::range(&expr, &history, start, end, step)?), end)
        }
    };
    answer.warnings = remarks(&name, &read);
    answer.whole = read.unreadable == 0;
    Ok(answer)
}

fn remarks(name: &str, read: &Capture) -> Vec<String> {
    let mut remarks = Vec::new();
    if read.unreadable > 0 {
        let first = read.first_unreadable.first();
        let first =
            first.map_or_else(String::new, |line| format!(", first line {}: {}", line.line, line.text));
        remarks.push(format!("{name}: {} lines cannot be read{first}", read.unreadable));
    }
    if read.refused > 0 {
        remarks.push(format!(
            "{name}: {} samples are left out: their series have one at the same moment already",
            read.refused
        ));
    }
    if !read.ended {
        remarks.push(format!("{name} does not end with # EOF: it may have been cut off"));
    }
    remarks
}

/// On what endpoints send now; with `wait`, on what they send until the window is covered.
pub(super) fn on_endpoints(
    expression: &str,
    def: &SourceDef,
    moments: Moments,
    wait: Option<Duration>,
) -> Result<Answer, Failure> {
    let expr = parse(expression)?;
    if moments != Moments::One(None) {
        return Err(Failure::usage(format!(
            "source {} sends what is now and keeps no past: leave --time, --start, --end and --step out",
            def.id
        )));
    }
    if matches!(def.kind, SourceKind::Scrape { .. }) && expr.window() > def.max_history {
        return Err(Failure::usage(format!(
            "looks further back than the history that {} keeps, which is of {}: raise its `max-history`",
            def.id,
            duration::short(def.max_history)
        )));
    }
    let options = sources::options(def, def.credential.as_ref().map(credential));
    let signal = signal(expression, def);
    let mut source = Source::new(def, &[signal], &[], Client::new(options))?;
    block_on(poll(&mut source, &expr, def, wait))?
}

/// Polls until there is an answer, or it is clear that there will be none.
async fn poll(
    source: &mut Source,
    expr: &Expr,
    def: &SourceDef,
    wait: Option<Duration>,
) -> Result<Answer, Failure> {
    let begun = Instant::now();
    loop {
        let now = now();
        let next = tokio::time::Instant::now() + def.every;
        let polled = source.poll(now).await.outcome;
        let more_time = wait.is_some_and(|wait| begun.elapsed() + def.every <= wait);
        let failed = match polled {
            Err(fault) => Failure::from(fault),
            Ok(polled) => {
                let Some(scrape) = source.scrape() else {
                    return Err(Failure::usage(format!("source {} is not scraped", def.id)));
                };
                match promql::instant(expr, scrape.history(), now) {
                    Ok(value) => {
                        let mut answer = Answer::at(value, now);
                        answer.warnings = polled.signals.into_iter().flat_map(|s| s.warnings).collect();
                        answer.whole = polled.notes.unreadable == 0;
                        return Ok(answer);
                    }
                    Err(error @ EvalError::TooLittleHistory { .. }) => too_little(&error, wait.is_some()),
                    Err(error) => return Err(error.into()),
                }
            }
        };
        if !more_time {
            return Err(failed);
        }
        tokio::time::sleep_until(next).await;
    }
}

fn too_little(error: &EvalError, waited: bool) -> Failure {
    if waited {
        return Failure::timed_out(error.to_string());
    }
    Failure::unknown(format!(
        "{error}: one scrape has no past; --wait TIME scrapes until the window is covered"
    ))
}

/// The expression as a signal of the source, so that the source keeps what it asks for.
fn signal(expression: &str, def: &SourceDef) -> SignalDef {
    SignalDef {
        id: SignalId::new("query"),
        board: Board::Hidden,
        title: String::new(),
        source: def.id.clone(),
        query: expression.to_owned(),
        unit: Unit::None,
        warn: None,
        bad: None,
        max_age: Duration::MAX,
        empty: None,
        infinite: None,
        nan: None,
    }
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
