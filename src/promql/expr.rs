//! A parsed expression and what can be read off it.

use std::sync::Arc;
use std::time::Duration;

use super::functions;
use super::matcher::Matcher;
use super::plan::{Node, Selector};
use super::print;
use super::syntax::{self, lower::Lowered};

/// A `PromQL` expression that Prometheus would accept.
#[derive(Clone, Debug)]
pub struct Expr {
    text: String,
    lowered: Arc<Lowered>,
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
    pub fn parse(text: &str) -> Result<Self, ExprError> {
        let lowered = syntax::read(text)?;
        Ok(Self { text: text.to_owned(), lowered: Arc::new(lowered) })
    }

    /// Whether gonogo can evaluate it itself.
    ///
    /// # Errors
    /// [`ExprError`] that names the function or construct and its place.
    pub fn check_local(&self) -> Result<(), ExprError> {
        self.lowered.foreign.clone().map_or(Ok(()), Err)
    }

    /// The text it was parsed from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How far back it looks from the moment of evaluation: the longest chain of range, subquery
    /// and offset; zero for plain selectors (whose 5 m lookback needs no history to be right).
    pub fn window(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.plan().window()).unwrap_or(0))
    }

    /// Expressions that tell how old the samples behind each series of the answer are: one
    /// `min by (LABELS) (timestamp(SELECTOR))` for each vector selector in the expression, with the
    /// offset and `@` of the selector kept out, where LABELS are the label names found on the
    /// answer. Empty where the expression selects nothing (`time()`, `vector(1)`).
    pub fn freshness(&self, labels: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        self.each_selector(&mut |selector| {
            let text = print::freshness(selector, labels);
            if !found.contains(&text) {
                found.push(text);
            }
        });
        found
    }

    /// The vector selectors of the expression, each once, without `offset` and `@`; with the name of
    /// the metric where one is demanded.
    pub fn selectors(&self) -> Vec<(String, Option<String>)> {
        let mut found = Vec::new();
        self.each_selector(&mut |selector| {
            let written = (print::written(selector), print::metric(selector).map(str::to_owned));
            if !found.contains(&written) {
                found.push(written);
            }
        });
        found
    }

    /// The names of the metrics it selects, each once, in the order in which they stand there. A
    /// selector without one certain name (`{a="b"}`, `{__name__=~"x.*"}`) adds none.
    pub fn metrics(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        self.each_selector(&mut |selector| {
            let mut on_name = selector.matchers.iter().filter(|m| m.name == crate::model::labels::NAME);
            if let Some(name) = on_name.find_map(Matcher::demanded_name)
                && !found.iter().any(|known| known == name)
            {
                found.push(name.to_owned());
            }
        });
        found
    }

    /// Whether it is nothing but a vector selector as it stands, without `offset` and `@`.
    pub fn is_selector(&self) -> bool {
        matches!(self.plan(), Node::Vector(selector)
            if selector.shift.offset == 0 && selector.shift.at.is_none())
    }

    pub(super) fn plan(&self) -> &Node {
        &self.lowered.plan
    }

    pub(super) fn each_selector<'e>(&'e self, see: &mut impl FnMut(&'e Selector)) {
        self.plan().each_selector(see);
    }

    /// Whether a name is a function of `PromQL`, for messages about typos elsewhere.
    pub fn knows_function(name: &str) -> bool {
        functions::find(name).is_some() || functions::is_aggregation(name)
    }
}
