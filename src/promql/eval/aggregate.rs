//! Aggregations: one value, or a few, for each group of series.

use super::Sample;
use super::named::{Groups, Known, Rule};
use super::over_time::quantile_of;
use super::sums::{Sum, mean};
use crate::model::value;
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

/// Aggregates samples; `known` is what is kept of their groups from one evaluation to the next.
pub(super) fn aggregate<'h>(
    aggregate: &Aggregate,
    parameter: &Parameter,
    samples: Vector<'h>,
    known: &mut Known,
) -> Result<Vector<'h>, EvalError> {
    match (aggregate.aggregator, parameter) {
        (Aggregator::CountValues, Parameter::Text(label)) => count_values(aggregate, label, &samples),
        (Aggregator::Topk | Aggregator::Bottomk, Parameter::Number(k)) => {
            let k = whole(*k)?;
            let mut groups = Groups::knowing(aggregate.rule(), std::mem::take(known));
            let mut members: Vec<Vector<'h>> = Vec::new();
            for sample in samples {
                let place = groups.place(&sample.labels);
                change(&mut members, place, |group| group.push(sample));
            }
            *known = groups.into_parts().1;
            let largest = aggregate.aggregator == Aggregator::Topk;
            Ok(members.into_iter().flat_map(|group| best(group, k, largest)).collect())
        }
        (aggregator, parameter) => {
            let q = if let Parameter::Number(q) = parameter { *q } else { f64::NAN };
            let mut groups = Groups::knowing(aggregate.rule(), std::mem::take(known));
            let values: Vec<f64> = if let Some(step) = step(aggregator) {
                let mut running: Vec<Option<Sum>> = Vec::new();
                for sample in &samples {
                    change(&mut running, groups.place(&sample.labels), |so_far| {
                        *so_far = Some(match *so_far {
                            None => first(aggregator, sample.value),
                            Some(so_far) => step(so_far, sample.value),
                        });
                    });
                }
                running.into_iter().flatten().map(Sum::raw_total).collect()
            } else {
                let mut values: Vec<Vec<f64>> = Vec::new();
                for sample in &samples {
                    change(&mut values, groups.place(&sample.labels), |group| group.push(sample.value));
                }
                values.into_iter().map(|values| one(aggregator, q, values)).collect()
            };
            let (labels, kept) = groups.into_parts();
            *known = kept;
            let rows = labels.into_iter().zip(values);
            Ok(rows.map(|(labels, value)| Sample { labels: labels.into(), value }).collect())
        }
    }
}

/// Changes what is kept for a group, which may be the first that is kept of it.
pub(super) fn change<T: Default>(kept: &mut Vec<T>, place: usize, change: impl FnOnce(&mut T)) {
    if place >= kept.len() {
        kept.resize_with(place + 1, T::default);
    }
    if let Some(kept) = kept.get_mut(place) {
        change(kept);
    }
}

impl Aggregate {
    fn rule(&self) -> Rule<'_> {
        Rule { listed: !self.without, labels: &self.labels, named: false }
    }
}

/// What a group's value is after its first sample, where no list of its samples is needed.
fn first(aggregator: Aggregator, value: f64) -> Sum {
    match aggregator {
        Aggregator::Count | Aggregator::Group => Sum::just(1.0),
        Aggregator::Sum => Sum::starting_at(value),
        _ => Sum::just(value),
    }
}

/// What another sample makes of it; `None` where a list is needed.
fn step(aggregator: Aggregator) -> Option<fn(Sum, f64) -> Sum> {
    fn sum(mut sum: Sum, value: f64) -> Sum {
        sum.add(value);
        sum
    }
    fn least(sum: Sum, value: f64) -> Sum {
        let least = sum.raw_total();
        if least > value || least.is_nan() { Sum::just(value) } else { sum }
    }
    fn most(sum: Sum, value: f64) -> Sum {
        let most = sum.raw_total();
        if most < value || most.is_nan() { Sum::just(value) } else { sum }
    }
    fn count(sum: Sum, _value: f64) -> Sum {
        Sum::just(sum.raw_total() + 1.0)
    }
    fn group(sum: Sum, _value: f64) -> Sum {
        sum
    }
    match aggregator {
        Aggregator::Sum => Some(sum),
        Aggregator::Min => Some(least),
        Aggregator::Max => Some(most),
        Aggregator::Count => Some(count),
        Aggregator::Group => Some(group),
        _ => None,
    }
}

/// The one value of a group, which has at least one sample, where a list of them is needed.
fn one(aggregator: Aggregator, q: f64, values: Vec<f64>) -> f64 {
    match aggregator {
        Aggregator::Avg => mean(values.into_iter()),
        Aggregator::Stdvar => variance(&values),
        Aggregator::Stddev => variance(&values).sqrt(),
        Aggregator::Quantile => quantile_of(q, values),
        _ => f64::NAN,
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

/// The smallest and the largest number that Prometheus takes for a whole one.
const WHOLE: (f64, f64) = (-9_223_372_036_854_775_808.0, 9_223_372_036_854_774_784.0);

/// How many `topk` and `bottomk` keep.
fn whole(k: f64) -> Result<usize, EvalError> {
    let refused = |text: String| Err(EvalError::Failed(text));
    if k.is_nan() {
        return refused("Parameter value is NaN".into());
    }
    if k <= WHOLE.0 {
        return refused(format!("Scalar value {} underflows int64", go_number(k)));
    }
    if k >= WHOLE.1 {
        return refused(format!("Scalar value {} overflows int64", go_number(k)));
    }
    // Below 1 it keeps nothing.
    Ok(k.max(0.0) as usize)
}

/// A number too large for 64 bits, or an infinite one, as Prometheus writes it in its error texts.
fn go_number(value: f64) -> String {
    if value.is_infinite() {
        return value::text(value);
    }
    let text = format!("{value:e}");
    text.split_once('e').map_or_else(|| text.clone(), |(digits, power)| format!("{digits}e+{power:0>2}"))
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
    // Grouping looks at the labels with the value among them, so that `without (value)` drops it
    // again and `by` need not name it.
    let mut by = aggregate.labels.clone();
    if !aggregate.without {
        by.push(label.to_owned());
    }
    let mut groups = Groups::by(Rule { listed: !aggregate.without, labels: &by, named: false });
    let mut counts: Vec<f64> = Vec::new();
    for sample in samples {
        let labels = sample.labels.with(label, &value::text(sample.value));
        change(&mut counts, groups.place(&labels), |count| *count += 1.0);
    }
    let labels = groups.into_labels().into_iter();
    Ok(labels.zip(counts).map(|(labels, value)| Sample { labels: labels.into(), value }).collect())
}
