//! How old the samples behind an answer are.

use std::time::Duration;

use crate::model::{Labels, Time};
use crate::promql::Expr;

/// For one selector of an expression: the labels that the answer kept, and the oldest sample behind
/// them.
pub(super) type Oldest = Vec<(Labels, Time)>;

/// When the oldest sample behind `row` was taken: of every selector, those groups count whose labels
/// are all on the row. `None` where no selector has one.
pub(super) fn of_row(row: &Labels, selectors: &[Oldest]) -> Option<Time> {
    selectors
        .iter()
        .flatten()
        .filter(|(labels, _)| row.contains(labels.iter()))
        .map(|(_, oldest)| *oldest)
        .min()
}

/// The label names on an answer, sorted, without the metric's name: the `by (…)` of what asks for
/// the age of its samples.
pub(super) fn label_names<'l>(rows: impl Iterator<Item = &'l Labels>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in rows.flat_map(Labels::iter) {
        if name != crate::model::labels::NAME
            && let Err(at) = names.binary_search_by(|known| known.as_str().cmp(name))
        {
            names.insert(at, name.to_owned());
        }
    }
    names
}

/// The expressions that ask for the age of the samples behind an answer with these label names.
pub(super) fn expressions(expr: &Expr, names: &[String]) -> Vec<String> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    expr.freshness(&names)
}

/// As `expression`, for series that have died but still weigh in windows that reach back `window`:
/// when the last sample of each was taken. Only what was taken within the window counts; where that
/// is nothing, no sample at all stands behind the row, as for `vector(0)` and `absent(…)`.
pub(super) fn of_the_dead(expression: &str, window: Duration) -> String {
    let seconds = window.as_secs().max(1);
    format!("max_over_time(({expression})[{seconds}s:{}s])", (seconds / 60).clamp(1, 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        Labels::from_pairs(pairs.iter().copied())
    }

    #[test]
    fn the_oldest_sample_that_shares_the_rows_labels_counts() {
        let t = Time::from_millis;
        let depth = vec![(labels(&[("queue", "a")]), t(50)), (labels(&[("queue", "b")]), t(10))];
        let up = vec![(Labels::none(), t(40))];
        let selectors = [depth, up];
        let row = |q| labels(&[("queue", q), ("made", "up")]);
        assert_eq!(of_row(&row("a"), &selectors), Some(t(40)));
        assert_eq!(of_row(&row("b"), &selectors), Some(t(10)));
        assert_eq!(of_row(&row("c"), &selectors[..1]), None);
    }

    #[test]
    fn label_names_are_those_on_any_row_without_the_metrics_name() {
        let rows = [labels(&[("__name__", "up"), ("b", "1")]), labels(&[("a", "1"), ("b", "2")])];
        assert_eq!(label_names(rows.iter()), ["a", "b"]);
    }
}
