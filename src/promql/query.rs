//! Queries: an expression over a history at one moment or at many.

use std::collections::BTreeMap;
use std::time::Duration;

use super::eval::{Computed, Evaluator};
use super::history::History;
use super::plan::Node;
use super::{EvalError, Expr, Matrix, Value};
use crate::model::{Labels, Time};

/// The most points of one series in an answer, as in Prometheus' API.
const MAX_STEPS: i64 = 11_000;

pub(super) fn instant(expr: &Expr, history: &History, at: Time) -> Result<Value, EvalError> {
    local(expr)?;
    let now = at.millis();
    seen_enough(expr, history, now, now, now)?;
    let evaluator = Evaluator::new(expr.plan(), history, now, now);
    if let Node::Matrix(..) | Node::Subquery(_) = expr.plan() {
        let mut series = Vec::new();
        evaluator.ranges(expr.plan(), now, |labels, _, points| {
            let points = points.iter().map(|point| (Time::from_millis(point.time), point.value)).collect();
            series.push((labels.into_owned(), points));
        })?;
        return Ok(Value::Matrix(series));
    }
    Ok(match evaluator.value(expr.plan(), now)? {
        Computed::Scalar(value) => Value::Scalar(value),
        Computed::Text(text) => Value::String(text),
        Computed::Vector(samples) => {
            Value::Vector(samples.into_iter().map(|s| (s.labels.into_owned(), s.value)).collect())
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
    let evaluator = Evaluator::new(expr.plan(), history, start, end);
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
        Computed::Vector(samples) => samples.into_iter().map(|s| (s.labels.into_owned(), s.value)).collect(),
        Computed::Text(_) => Vec::new(),
    }
}

fn local(expr: &Expr) -> Result<(), EvalError> {
    expr.check_local().map_err(|error| EvalError::Failed(error.text))
}

/// Whether the history reaches back as far as the expression looks, give or take one interval
/// between scrapes: the first scrape cannot hit the edge of a window, and one that came within an
/// interval of it saw all that a longer history would have there.
fn seen_enough(expr: &Expr, history: &History, now: i64, start: i64, end: i64) -> Result<(), EvalError> {
    if history.is_complete() {
        return Ok(());
    }
    let Some(needed) = expr.plan().reach(now, now, start, end) else { return Ok(()) };
    let begins = history.begins().map(Time::millis);
    if begins.is_some_and(|begins| begins.saturating_sub(history.interval()) <= needed) {
        return Ok(());
    }
    let span = |from: i64| Duration::from_millis(u64::try_from(now.saturating_sub(from)).unwrap_or(0));
    Err(EvalError::TooLittleHistory { seen: begins.map_or(Duration::ZERO, span), needed: span(needed) })
}
