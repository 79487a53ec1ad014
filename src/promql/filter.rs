//! Which series the expressions of a config ask for.

use crate::model::labels::{LabelsRef, NAME};

use super::Expr;
use super::matcher::Matcher;
use super::names::Names;

/// The metric names and matchers of expressions, as a filter for a streaming lexer.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Every name and every series is wanted.
    everything: bool,
    /// Some selector names no metric: every name is wanted, the matchers decide.
    any_name: bool,
    names: Names,
    /// The conditions on names that are more than one name, a group for each selector.
    patterns: Vec<Vec<Matcher>>,
    /// The matchers of each selector.
    selectors: Vec<Vec<Matcher>>,
}

impl Filter {
    /// What the given expressions select.
    pub fn of<'a>(exprs: impl IntoIterator<Item = &'a Expr>) -> Self {
        let mut filter = Self::default();
        for expr in exprs {
            expr.each_selector(&mut |selector| filter.add(&selector.matchers));
        }
        filter
    }

    /// A filter that keeps everything.
    pub fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    /// Whether a metric name, as raw bytes, can be wanted at all; the fast first test.
    pub fn wants_name(&self, name: &[u8]) -> bool {
        self.everything || self.any_name || self.names.holds(name) || self.matches_a_pattern(name)
    }

    /// Whether a series with these labels (the name among them) is selected by some expression.
    /// Labels that the source adds itself (`job`, `instance`, its own) must be on it already.
    pub fn wants<'l>(&self, labels: impl Into<LabelsRef<'l>>) -> bool {
        let labels = labels.into();
        self.everything
            || self.selectors.iter().any(|matchers| matchers.iter().all(|matcher| matcher.matches(labels)))
    }

    fn add(&mut self, matchers: &[Matcher]) {
        let on_name: Vec<Matcher> = matchers.iter().filter(|m| m.name == NAME).cloned().collect();
        if let Some(name) = on_name.iter().find_map(Matcher::demanded_name) {
            self.names.add(name);
        } else if on_name.is_empty() {
            self.any_name = true;
        } else {
            self.patterns.push(on_name);
        }
        self.selectors.push(matchers.to_vec());
    }

    fn matches_a_pattern(&self, name: &[u8]) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        // A name that is no text cannot be ruled out: its line has to be judged unreadable.
        let Ok(name) = std::str::from_utf8(name) else { return true };
        self.patterns.iter().any(|on_name| on_name.iter().all(|matcher| matcher.accepts(name)))
    }
}
