//! Expressions that are evaluated again and again over one history.

use super::eval::Memory;
use super::history::History;
use super::{EvalError, Expr, Value, query};
use crate::model::Time;

/// An expression that remembers which series it selects, and looks for them again only when some came
/// or went.
#[derive(Clone, Debug)]
pub struct Standing {
    expr: Expr,
    /// The history's stamp when `picks` were looked up.
    stamp: Option<u64>,
    picks: Vec<Vec<u32>>,
    /// What the last evaluation found out about the series.
    memory: Memory,
}

impl Standing {
    /// Nothing is looked up yet.
    pub fn new(expr: Expr) -> Self {
        Self { expr, stamp: None, picks: Vec::new(), memory: Memory::default() }
    }

    /// The expression.
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// As [`instant`](super::instant).
    ///
    /// # Errors
    /// As [`instant`](super::instant).
    pub fn instant(&mut self, history: &History, at: Time) -> Result<Value, EvalError> {
        if self.stamp != Some(history.stamp()) {
            self.picks = query::picks(&self.expr, history);
            self.stamp = Some(history.stamp());
            self.memory = Memory::default();
        }
        let series = self.picks.iter().map(|places| history.tracks(places)).collect();
        query::with_series(&self.expr, history, series, at, &mut self.memory)
    }
}
