//! A parsed expression and what can be read off it.

use std::time::Duration;

/// A `PromQL` expression that Prometheus would accept.
#[derive(Clone, Debug)]
pub struct Expr {
    text: String,
}

/// Why an expression is refused, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct ExprError {
    /// Byte offset into the expression's text at which the trouble begins.
    pub offset: usize,
    /// Length in bytes of the troubled part (at least 1, so that a caret can be drawn).
    pub len: usize,
    /// What is wrong and what is allowed.
    pub text: String,
}

impl Expr {
    /// Parses and checks an expression as a server would.
    ///
    /// # Errors
    /// [`ExprError`] with the place, for what does not parse, for what Prometheus refuses although
    /// `promql-parser` takes it, and for what is larger than 8 KiB or too deep.
    pub fn parse(_text: &str) -> Result<Self, ExprError> {
        todo!()
    }

    /// Whether gonogo can evaluate it itself.
    ///
    /// # Errors
    /// [`ExprError`] that names the function or construct and its place.
    pub fn check_local(&self) -> Result<(), ExprError> {
        todo!()
    }

    /// The text it was parsed from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How far back it looks from the moment of evaluation: the longest chain of range, subquery
    /// and offset; zero for plain selectors (whose 5 m lookback needs no history to be right).
    pub fn window(&self) -> Duration {
        todo!()
    }

    /// Expressions that tell how old the samples behind each series of the answer are: one
    /// `min by (LABELS) (timestamp(SELECTOR))` for each vector selector in the expression, with the
    /// offset and `@` of the selector kept out, where LABELS are the label names found on the
    /// answer. Empty where the expression selects nothing (`time()`, `vector(1)`).
    pub fn freshness(&self, _labels: &[&str]) -> Vec<String> {
        todo!()
    }
}
