//! Aggregations: one value, or a few, for each group of series.

use std::borrow::Cow;
use std::collections::HashMap;

use super::Sample;
use super::over_time::quantile_of;
use super::sums::{Sum, mean};
use crate::model::labels::NAME;
use crate::model::{Labels, value};
use crate::promql::EvalError;
use crate::promql::plan::{Aggregate, Aggregator};

type Vector<'h> = Vec<Sample<'h>>;

/// What the first argument of `topk`, `quantile`, `count_values` came to.
#[derive(Clone, Debug)]
pub(super) enum Parameter {
    None,
    Number(f64),
    Text(String),
}

/// Aggregates samples.
pub(super) fn aggregate<'h>(
    aggregate: &Aggregate,
    parameter: &Parameter,
    samples: Vector<'h>,
) -> Result<Vector<'h>, EvalError> {
    match (aggregate.aggregator, parameter) {
        (Aggregator::CountValues, Parameter::Text(label)) => count_values(aggregate, label, &samples),
        (Aggregator::Topk | Aggregator::Bottomk, Parameter::Number(k)) => {
            let k = whole(*k)?;
            Ok(grouped(aggregate, samples)
                .into_iter()
                .flat_map(|(_, group)| best(group, k, aggregate.aggregator == Aggregator::Topk))
                .collect())
        }
        (aggregator, parameter) => {
            let q = if let Parameter::Number(q) = parameter { *q } else { f64::NAN };
            Ok(grouped(aggregate, samples)
                .into_iter()
                .map(|(labels, group)| {
                    let values: Vec<f64> = group.iter().map(|sample| sample.value).collect();
                    Sample { labels: Cow::Owned(labels), value: one(aggregator, q, values) }
                })
                .collect())
        }
    }
}

impl Aggregate {
    /// The labels of the group that a series belongs to.
    fn group_of(&self, labels: &Labels) -> Labels {
        let listed = |name: &str| self.labels.iter().any(|label| label == name);
        if self.without {
            labels.filtered(|name| name != NAME && !listed(name))
        } else {
            labels.filtered(listed)
        }
    }
}

/// The samples of each group, groups in the order in which they are met first.
fn grouped<'h>(aggregate: &Aggregate, samples: Vector<'h>) -> Vec<(Labels, Vector<'h>)> {
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut groups: Vec<(Labels, Vector<'h>)> = Vec::new();
    for sample in samples {
        let place = *places.entry(aggregate.group_of(&sample.labels)).or_insert_with_key(|labels| {
            groups.push((labels.clone(), Vec::new()));
            groups.len() - 1
        });
        if let Some((_, group)) = groups.get_mut(place) {
            group.push(sample);
        }
    }
    groups
}

/// The one value of a group, which has at least one.
fn one(aggregator: Aggregator, q: f64, values: Vec<f64>) -> f64 {
    let first = values.first().copied().unwrap_or(f64::NAN);
    let rest = values.iter().skip(1).copied();
    match aggregator {
        Aggregator::Sum => {
            let mut sum = Sum::starting_at(first);
            rest.for_each(|value| sum.add(value));
            sum.raw_total()
        }
        Aggregator::Avg => mean(values.into_iter()),
        Aggregator::Min => rest.fold(first, |a, b| if a > b || a.is_nan() { b } else { a }),
        Aggregator::Max => rest.fold(first, |a, b| if a < b || a.is_nan() { b } else { a }),
        Aggregator::Count => values.len() as f64,
        Aggregator::Group => 1.0,
        Aggregator::Stdvar => variance(&values),
        Aggregator::Stddev => variance(&values).sqrt(),
        Aggregator::Quantile => quantile_of(q, values),
        Aggregator::Topk | Aggregator::Bottomk | Aggregator::CountValues | Aggregator::Foreign => f64::NAN,
    }
}

fn variance(values: &[f64]) -> f64 {
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for value in values {
        count += 1.0;
        let delta = value - mean;
        mean += delta / count;
        squares += delta * (value - mean);
    }
    // An infinite or NaN first value has no distance from itself.
    if values.len() == 1 && !values.iter().all(|v| v.is_finite()) { f64::NAN } else { squares / count }
}

/// How many `topk` and `bottomk` keep.
fn whole(k: f64) -> Result<usize, EvalError> {
    if k.is_nan() {
        return Err(EvalError::Failed("Parameter value is NaN".into()));
    }
    // Below 1 it keeps nothing; the cast ends at the largest number there is.
    Ok(k.max(0.0) as usize)
}

/// The `k` largest (or smallest) samples in order, NaN last; of equal ones the earlier.
fn best(mut group: Vector<'_>, k: usize, largest: bool) -> Vector<'_> {
    group.sort_by(|a, b| order(a.value, b.value, largest));
    group.truncate(k);
    group
}

/// By value, NaN after all else whichever way it goes.
pub(super) fn order(a: f64, b: f64, descending: bool) -> std::cmp::Ordering {
    match a.partial_cmp(&b) {
        Some(order) if descending => order.reverse(),
        Some(order) => order,
        None => a.is_nan().cmp(&b.is_nan()),
    }
}

fn count_values<'h>(
    aggregate: &Aggregate,
    label: &str,
    samples: &Vector<'h>,
) -> Result<Vector<'h>, EvalError> {
    if label.is_empty() {
        return Err(EvalError::Failed(format!("invalid label name {label:?}")));
    }
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut out: Vector<'h> = Vec::new();
    for sample in samples {
        // Grouping looks at the labels with the value among them, so that `without (value)` drops it
        // again and `by` need not name it.
        let text = value::text(sample.value);
        let labels = aggregate.group_of(&sample.labels.with(label, &text));
        let labels = if aggregate.without { labels } else { labels.with(label, &text) };
        let place = *places.entry(labels).or_insert_with_key(|labels| {
            out.push(Sample { labels: Cow::Owned(labels.clone()), value: 0.0 });
            out.len() - 1
        });
        if let Some(counted) = out.get_mut(place) {
            counted.value += 1.0;
        }
    }
    Ok(out)
}
