//! `PromQL` over a short history: what a Prometheus server does for a `prometheus` source, gonogo does
//! itself for a `scrape` source, with the same expressions and the same answers.
//!
//! May import `model` only. Start with [`Expr`] (a parsed, checked expression), then [`History`]
//! (samples, columnar, bounded) and [`instant`] / [`range`] (the evaluator). [`Filter`] is what the
//! expressions tell the scraper to keep.

mod duration;
mod eval;
mod expr;
mod filter;
mod functions;
mod history;
mod matcher;
mod names;
mod plan;
mod print;
mod query;
mod standing;
mod syntax;
#[cfg(test)]
mod tests;

pub use expr::{Expr, ExprError};
pub use filter::Filter;
pub use history::{History, Limits, Unreadable};
pub use standing::Standing;

use std::time::Duration;

use crate::model::{Labels, Time};

/// Series with their samples.
pub type Matrix = Vec<(Labels, Vec<(Time, f64)>)>;

/// What an expression evaluates to at one moment.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A bare number.
    Scalar(f64),
    /// A string literal.
    String(String),
    /// Series with one value each, in the order the expression gives them (`sort`, `topk`).
    Vector(Vec<(Labels, f64)>),
    /// Series with their samples: a bare range selector.
    Matrix(Matrix),
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// A window reaches back further than the history does.
    #[error("{} of {} seen", crate::model::duration::short(*.seen), crate::model::duration::short(*.needed))]
    TooLittleHistory {
        /// How far back the history goes.
        seen: Duration,
        /// How far back the expression looks.
        needed: Duration,
    },
    /// The expression cannot be evaluated on these series: many-to-many matching, duplicate series.
    #[error("{0}")]
    Failed(String),
}

/// The value of `expr` at `at`, as Prometheus 3 would give it on the same samples.
///
/// # Errors
/// [`EvalError::TooLittleHistory`] where the history of a watched source began later than the
/// expression looks back (less one interval between scrapes): a number from too little data is never
/// given. [`EvalError::Failed`] with Prometheus' words where series do not match.
pub fn instant(expr: &Expr, history: &History, at: Time) -> Result<Value, EvalError> {
    query::instant(expr, history, at)
}

/// The values of `expr` at `start`, `start + step`, … up to `end`, as series sorted by their labels.
/// Moments for which there is too little history are left out.
///
/// # Errors
/// As [`instant`]; too little history only where it is too little at every moment.
pub fn range(
    expr: &Expr,
    history: &History,
    start: Time,
    end: Time,
    step: Duration,
) -> Result<Matrix, EvalError> {
    query::range(expr, history, start, end, step)
}
