//! Queries: an expression over a history at one moment or at many.

use std::collections::BTreeMap;
use std::time::Duration;

use super::eval::{Computed, Evaluator, Memory};
use super::history::{History, Track};
use super::plan::Node;
use super::{EvalError, Expr, Matrix, Value};
use crate::model::{Labels, Time};

/// The most points of one series in an answer, as in Prometheus' API.
const MAX_STEPS: i64 = 11_000;

pub(super) fn instant(expr: &Expr, history: &History, at: Time) -> Result<Value, EvalError> {
    with_series(expr, history, series(expr, history), at, &mut Memory::default())
}

/// The series of each selector, by its number.
fn series<'h>(expr: &Expr, history: &'h History) -> Vec<Vec<Track<'h>>> {
    picks(expr, history).iter().map(|places| history.tracks(places)).collect()
}

/// The places of the series of each selector, by its number.
pub(super) fn picks(expr: &Expr, history: &History) -> Vec<Vec<u32>> {
    let mut picks = Vec::new();
    expr.each_selector(&mut |selector| picks.push(history.select(&selector.matchers)));
    picks
}

/// As [`instant`], with the series looked up before, and what was found out about the same series in
/// `memory`.
pub(super) fn with_series(
    expr: &Expr,
    history: &History,
    series: Vec<Vec<Track<'_>>>,
    at: Time,
    memory: &mut Memory,
) -> Result<Value, EvalError> {
    local(expr)?;
    let now = at.millis();
    seen_enough(expr, history, now, now, now)?;
    let evaluator = Evaluator::new(series, now, now, std::mem::take(memory));
    if let Node::Matrix(..) | Node::Subquery(_) = expr.plan() {
        let mut series = Vec::new();
        evaluator.ranges(expr.plan(), now, |labels, _, samples| {
            let times = samples.times.iter().map(|time| Time::from_millis(*time));
            series.push((labels.into_labels(), times.zip(samples.values.iter().copied()).collect()));
        })?;
        return Ok(Value::Matrix(series));
    }
    let value = evaluator.value(expr.plan(), now);
    *memory = evaluator.into_memory();
    Ok(match value? {
        Computed::Scalar(value) => Value::Scalar(value),
        Computed::Text(text) => Value::String(text),
        Computed::Vector(samples) => {
            Value::Vector(samples.into_iter().map(|s| (s.labels.into_labels(), s.value)).collect())
        }
    })
}

pub(super) fn range(
    expr: &Expr,
    history: &History,
    start: Time,
    end: Time,
    step: Duration,
) -> Result<Matrix, EvalError> {
    local(expr)?;
    let (start, end) = (start.millis(), end.millis());
    let step = i64::try_from(step.as_millis()).unwrap_or(i64::MAX);
    if step <= 0 {
        return Err(EvalError::Failed(
            "zero or negative query resolution step widths are not accepted".into(),
        ));
    }
    if end < start {
        return Err(EvalError::Failed("end timestamp must not be before start time".into()));
    }
    if end.saturating_sub(start) / step >= MAX_STEPS {
        return Err(EvalError::Failed(format!(
            "exceeded maximum resolution of {MAX_STEPS} points per timeseries: take a larger step"
        )));
    }
    if matches!(expr.plan(), Node::Matrix(..) | Node::Subquery(_) | Node::Text(_)) {
        return Err(EvalError::Failed(
            "a range of moments needs an expression whose value is a scalar or an instant vector".into(),
        ));
    }
    let evaluator = Evaluator::new(series(expr, history), start, end, Memory::default());
    let mut series: BTreeMap<Labels, Vec<(Time, f64)>> = BTreeMap::new();
    let mut too_little = None;
    let mut any_whole = false;
    let mut now = start;
    while now <= end {
        if let Err(error) = seen_enough(expr, history, now, start, end) {
            too_little = Some(error);
        } else {
            any_whole = true;
            for (labels, value) in at_one_step(evaluator.value(expr.plan(), now)?) {
                series.entry(labels).or_default().push((Time::from_millis(now), value));
            }
        }
        now = now.saturating_add(step);
        if now == i64::MAX {
            break;
        }
    }
    match too_little {
        Some(error) if !any_whole => Err(error),
        _ => Ok(series.into_iter().collect()),
    }
}

fn at_one_step(computed: Computed<'_>) -> Vec<(Labels, f64)> {
    match computed {
        Computed::Scalar(value) => vec![(Labels::none(), value)],
        Computed::Vector(samples) => samples.into_iter().map(|s| (s.labels.into_labels(), s.value)).collect(),
        Computed::Text(_) => Vec::new(),
    }
}

fn local(expr: &Expr) -> Result<(), EvalError> {
    expr.check_local().map_err(|error| EvalError::Failed(error.text))
}

/// Whether the history reaches back as far as the expression looks, give or take one interval
/// between scrapes: the first scrape cannot hit the edge of a window, and one that came within an
/// interval of it saw all that a longer history would have there.
///
/// Where gonogo did not run, the history has a gap, and what was in it is not known. Such time counts
/// as unseen: each window, and each moment of the past, that the expression looks at is judged by
/// itself, and is enough where at least nine tenths of it were seen ("5h20m of 6h seen" where less).
/// So a restart of some minutes does not cost a window of six hours, and does cost one of five minutes.
fn seen_enough(expr: &Expr, history: &History, now: i64, start: i64, end: i64) -> Result<(), EvalError> {
    if history.is_complete() {
        return Ok(());
    }
    let Some(needed) = expr.plan().reach(now, now, start, end) else { return Ok(()) };
    let begins = history.begins().map(Time::millis);
    let span = |span: i64| Duration::from_millis(u64::try_from(span).unwrap_or(0));
    if begins.is_none_or(|begins| begins.saturating_sub(history.interval()) > needed) {
        let seen = begins.map_or(Duration::ZERO, |begins| span(now.saturating_sub(begins)));
        return Err(EvalError::TooLittleHistory { seen, needed: span(now.saturating_sub(needed)) });
    }
    let mut hidden = None;
    expr.plan().each_span((now, now), now, (start, end), &mut |from, to| {
        let (unseen, length) = (history.unseen(from, to), to.saturating_sub(from));
        // A tenth may be missing, as extrapolation bridges it; a single moment may not.
        if unseen > 0 && unseen.saturating_mul(10) > length {
            hidden.get_or_insert((unseen, length));
        }
    });
    match hidden {
        None => Ok(()),
        // One moment of the past, which nobody saw.
        Some((_, 0)) => Err(EvalError::TooLittleHistory {
            seen: Duration::ZERO,
            needed: span(now.saturating_sub(needed)),
        }),
        Some((unseen, length)) => Err(EvalError::TooLittleHistory {
            seen: span(length.saturating_sub(unseen)),
            needed: span(length),
        }),
    }
}
