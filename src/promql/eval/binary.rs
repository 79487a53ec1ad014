//! Operators between vectors, and between vectors and scalars.

use std::borrow::Cow;
use std::collections::HashSet;
use std::collections::hash_map::{Entry, HashMap};

use super::{Sample, distinct, go_text, math};
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
        let labels = if compares && !binary.returns_bool {
            sample.labels
        } else {
            Cow::Owned(sample.labels.without_name())
        };
        out.push(Sample { labels, value });
    }
    distinct(out)
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
    fn key(&self, labels: &Labels) -> Labels {
        let listed = |name: &str| self.labels.iter().any(|label| label == name);
        if self.on { labels.filtered(listed) } else { labels.filtered(|name| name != NAME && !listed(name)) }
    }
}

fn intersection<'h>(matching: &Matching, lhs: Vector<'h>, rhs: &Vector<'h>, wanted: bool) -> Vector<'h> {
    let keys: HashSet<Labels> = rhs.iter().map(|sample| matching.key(&sample.labels)).collect();
    lhs.into_iter().filter(|sample| keys.contains(&matching.key(&sample.labels)) == wanted).collect()
}

fn union<'h>(matching: &Matching, mut lhs: Vector<'h>, rhs: Vector<'h>) -> Vector<'h> {
    let keys: HashSet<Labels> = lhs.iter().map(|sample| matching.key(&sample.labels)).collect();
    lhs.extend(rhs.into_iter().filter(|sample| !keys.contains(&matching.key(&sample.labels))));
    lhs
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
    let mut partners: HashMap<Labels, &Sample<'h>> = HashMap::with_capacity(one.len());
    for sample in &one {
        match partners.entry(matching.key(&sample.labels)) {
            Entry::Vacant(entry) => drop(entry.insert(sample)),
            Entry::Occupied(entry) => return Err(many_to_many(entry.key(), swapped, sample, entry.get())),
        }
    }
    let mut matched: HashSet<Labels> = HashSet::new();
    let mut out = Vec::with_capacity(many.len());
    for sample in many {
        let key = matching.key(&sample.labels);
        let Some(partner) = partners.get(&key) else { continue };
        let (a, b) = if swapped { (partner.value, sample.value) } else { (sample.value, partner.value) };
        let (computed, holds) = math::apply(binary.operator, a, b);
        let labels = joined_labels(binary, &sample.labels, &partner.labels);
        // A match counts as one even where the comparison then drops it.
        if matching.group == Group::OneToOne {
            if !matched.insert(key) {
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
            out.push(Sample { labels: Cow::Owned(labels), value });
        }
    }
    Ok(out)
}

fn joined_labels(binary: &Binary, many: &Labels, one: &Labels) -> Labels {
    let matching = &binary.matching;
    let keeps_name = binary.operator.compares() && !binary.returns_bool;
    let listed = |name: &str| matching.labels.iter().any(|label| label == name);
    let mut labels = many.filtered(|name| {
        (keeps_name || name != NAME) && (matching.group != Group::OneToOne || listed(name) == matching.on)
    });
    for name in &matching.include {
        labels = labels.with(name, one.get(name).unwrap_or(""));
    }
    labels
}

fn many_to_many(key: &Labels, swapped: bool, one: &Sample<'_>, other: &Sample<'_>) -> EvalError {
    EvalError::Failed(format!(
        "found duplicate series for the match group {} on the {} hand-side of the operation: [{}, {}];\
         many-to-many matching not allowed: matching labels must be unique on one side",
        go_text(key),
        if swapped { "left" } else { "right" },
        go_text(&one.labels),
        go_text(&other.labels),
    ))
}
