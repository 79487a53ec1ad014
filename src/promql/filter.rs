//! Which series the expressions of a config ask for.

use crate::model::Labels;

use super::Expr;

/// The metric names and matchers of expressions, as a filter for a streaming lexer.
#[derive(Clone, Debug, Default)]
pub struct Filter {}

impl Filter {
    /// What the given expressions select.
    pub fn of<'a>(_exprs: impl IntoIterator<Item = &'a Expr>) -> Self {
        todo!()
    }

    /// A filter that keeps everything.
    pub fn everything() -> Self {
        todo!()
    }

    /// Whether a metric name, as raw bytes, can be wanted at all; the fast first test.
    pub fn wants_name(&self, _name: &[u8]) -> bool {
        todo!()
    }

    /// Whether a series with these labels (the name among them) is selected by some expression.
    /// Labels that the source adds itself (`job`, `instance`, its own) must be on it already.
    pub fn wants(&self, _labels: &Labels) -> bool {
        todo!()
    }
}
