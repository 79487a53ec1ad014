//! Operators between vectors, and between vectors and scalars.

use std::collections::HashSet;

use super::named::{Groups, Named, Rule};
use super::{Sample, distinct, go_text, math, unnamed};
use crate::model::Labels;
use crate::model::labels::NAME;
use crate::promql::EvalError;
use crate::promql::plan::{Binary, Group, Matching, Operator};

type Vector<'h> = Vec<Sample<'h>>;

/// `number op number`; a comparison gives 0 or 1.
pub(super) fn scalars(operator: Operator, a: f64, b: f64) -> f64 {
    let (value, holds) = math::apply(operator, a, b);
    if operator.compares() { f64::from(u8::from(holds)) } else { value }
}

/// `vector op number`, or with `swapped` `number op vector`.
pub(super) fn with_scalar<'h>(
    binary: &Binary,
    vector: Vector<'h>,
    scalar: f64,
    swapped: bool,
) -> Result<Vector<'h>, EvalError> {
    let compares = binary.operator.compares();
    let mut out = Vec::with_capacity(vector.len());
    for sample in vector {
        let (a, b) = if swapped { (scalar, sample.value) } else { (sample.value, scalar) };
        let (computed, holds) = math::apply(binary.operator, a, b);
        let value = match (binary.returns_bool, compares) {
            (true, _) => f64::from(u8::from(holds)),
            (false, true) if !holds => continue,
            // Whichever side it is on, the vector's value is kept.
            (false, true) => sample.value,
            (false, false) => computed,
        };
        out.push(Sample { labels: sample.labels, value });
    }
    if compares && !binary.returns_bool { Ok(out) } else { unnamed(out) }
}

/// `vector op vector`.
pub(super) fn vectors<'h>(
    binary: &Binary,
    lhs: Vector<'h>,
    rhs: Vector<'h>,
) -> Result<Vector<'h>, EvalError> {
    match binary.operator {
        Operator::And => Ok(intersection(&binary.matching, lhs, &rhs, true)),
        Operator::Unless => Ok(intersection(&binary.matching, lhs, &rhs, false)),
        Operator::Or => distinct(union(&binary.matching, lhs, rhs)),
        _ => distinct(joined(binary, lhs, rhs)?),
    }
}

impl Matching {
    /// The labels by which series of the two sides find each other.
    fn rule(&self) -> Rule<'_> {
        Rule { listed: self.on, labels: &self.labels, named: false }
    }
}

fn intersection<'h>(matching: &Matching, lhs: Vector<'h>, rhs: &Vector<'h>, wanted: bool) -> Vector<'h> {
    let groups = groups_of(matching, rhs);
    lhs.into_iter().filter(|sample| groups.find(&sample.labels).is_some() == wanted).collect()
}

fn union<'h>(matching: &Matching, mut lhs: Vector<'h>, rhs: Vector<'h>) -> Vector<'h> {
    let groups = groups_of(matching, &lhs);
    lhs.extend(rhs.into_iter().filter(|sample| groups.find(&sample.labels).is_none()));
    lhs
}

fn groups_of<'m>(matching: &'m Matching, samples: &Vector<'_>) -> Groups<'m> {
    let mut groups = Groups::by(matching.rule());
    for sample in samples {
        groups.place(&sample.labels);
    }
    groups
}

/// Arithmetic and comparison between series that belong together.
fn joined<'h>(binary: &Binary, lhs: Vector<'h>, rhs: Vector<'h>) -> Result<Vector<'h>, EvalError> {
    let matching = &binary.matching;
    if lhs.is_empty() || rhs.is_empty() {
        return Ok(Vec::new());
    }
    // From here on the right side is the one that may have one series only for each key.
    let swapped = matching.group == Group::OneToMany;
    let (many, one) = if swapped { (rhs, lhs) } else { (lhs, rhs) };
    let mut groups = Groups::by(matching.rule());
    let mut partners: Vec<&Sample<'h>> = Vec::with_capacity(one.len());
    for sample in &one {
        let place = groups.place(&sample.labels);
        if let Some(other) = partners.get(place) {
            return Err(many_to_many(matching, swapped, sample, other));
        }
        partners.push(sample);
    }
    let mut met = vec![false; partners.len()];
    let mut matched: HashSet<Labels> = HashSet::new();
    let mut out = Vec::with_capacity(many.len());
    for sample in many {
        let Some(place) = groups.find(&sample.labels) else { continue };
        let (Some(partner), Some(met)) = (partners.get(place), met.get_mut(place)) else { continue };
        let (a, b) = if swapped { (partner.value, sample.value) } else { (sample.value, partner.value) };
        let (computed, holds) = math::apply(binary.operator, a, b);
        let labels = joined_labels(binary, &sample.labels, &partner.labels);
        // A match counts as one even where the comparison then drops it.
        if matching.group == Group::OneToOne {
            if std::mem::replace(met, true) {
                return Err(EvalError::Failed(
                    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)".into(),
                ));
            }
        } else if !matched.insert(labels.clone()) {
            return Err(EvalError::Failed(
                "multiple matches for labels: grouping labels must ensure unique matches".into(),
            ));
        }
        let value = if binary.returns_bool { f64::from(u8::from(holds)) } else { computed };
        if holds || binary.returns_bool {
            out.push(Sample { labels: labels.into(), value });
        }
    }
    Ok(out)
}

fn joined_labels(binary: &Binary, many: &Named<'_>, one: &Named<'_>) -> Labels {
    let matching = &binary.matching;
    let keeps_name = binary.operator.compares() && !binary.returns_bool;
    let listed = |name: &str| matching.labels.iter().any(|label| label == name);
    let keeps = |name: &str| {
        (keeps_name || name != NAME) && (matching.group != Group::OneToOne || listed(name) == matching.on)
    };
    let own = many.iter().filter(|(name, _)| keeps(name));
    let taken = matching.include.iter().map(|name| (name.as_str(), one.get(name).unwrap_or("")));
    Labels::from_pairs(own.chain(taken))
}

fn many_to_many(matching: &Matching, swapped: bool, one: &Sample<'_>, other: &Sample<'_>) -> EvalError {
    EvalError::Failed(format!(
        "found duplicate series for the match group {} on the {} hand-side of the operation: [{}, {}];\
         many-to-many matching not allowed: matching labels must be unique on one side",
        go_text(matching.rule().of(&one.labels).iter()),
        if swapped { "left" } else { "right" },
        go_text(one.labels.iter()),
        go_text(other.labels.iter()),
    ))
}
