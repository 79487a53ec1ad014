//! `label_replace`, `label_join`, and the labels of what is absent.

use super::{Sample, distinct};
use crate::model::Labels;
use crate::model::labels::NAME;
use crate::promql::EvalError;
use crate::promql::matcher::{Compare, compile};
use crate::promql::plan::Node;

type Vector<'h> = Vec<Sample<'h>>;

/// The longest value that is made for a label: nested calls double it at each level.
const LONGEST: usize = 1 << 20;

fn too_long(function: &str) -> EvalError {
    EvalError::Failed(format!("{function}() makes a label value of more than a megabyte"))
}

/// `label_replace(vector, target, replacement, source, pattern)`.
pub(super) fn replace<'h>(vector: Vector<'h>, texts: &[String]) -> Result<Vector<'h>, EvalError> {
    let [target, replacement, source, pattern] = texts else { return Ok(vector) };
    let regex = compile(pattern).map_err(|_| {
        EvalError::Failed(format!("invalid regular expression in label_replace(): {pattern}"))
    })?;
    if target.is_empty() {
        return Err(EvalError::Failed("invalid destination label name in label_replace(): ".into()));
    }
    let groups = replacement.matches('$').count();
    let replaced = vector.into_iter().map(|mut sample| {
        let from = sample.labels.get(source).unwrap_or("");
        if from.len().saturating_mul(groups) > LONGEST {
            return Err(too_long("label_replace"));
        }
        let value = regex.captures(from).map(|found| {
            let mut value = String::new();
            found.expand(replacement, &mut value);
            value
        });
        if let Some(value) = value {
            sample.labels = sample.labels.with(target, &value);
        }
        Ok(sample)
    });
    distinct(replaced.collect::<Result<_, _>>()?)
}

/// `label_join(vector, target, separator, source…)`.
pub(super) fn join<'h>(vector: Vector<'h>, texts: &[String]) -> Result<Vector<'h>, EvalError> {
    let [target, separator, sources @ ..] = texts else { return Ok(vector) };
    if target.is_empty() {
        return Err(EvalError::Failed("invalid destination label name in label_join(): ".into()));
    }
    if sources.iter().any(String::is_empty) {
        return Err(EvalError::Failed("invalid source label name in label_join(): ".into()));
    }
    let joined = vector.into_iter().map(|mut sample| {
        let values: Vec<&str> =
            sources.iter().map(|source| sample.labels.get(source).unwrap_or("")).collect();
        let length: usize = values.iter().map(|value| value.len().saturating_add(separator.len())).sum();
        if length > LONGEST {
            return Err(too_long("label_join"));
        }
        let value = values.join(separator);
        sample.labels = sample.labels.with(target, &value);
        Ok(sample)
    });
    distinct(joined.collect::<Result<_, _>>()?)
}

/// The labels that `absent` can tell: those that the selector demands to be equal to one value, each once.
pub(super) fn of_absent(node: &Node) -> Labels {
    let (Node::Vector(selector) | Node::Matrix(selector, _)) = node else { return Labels::none() };
    let mut told: Vec<&str> = Vec::new();
    let mut labels = Labels::none();
    for matcher in selector.matchers.iter().filter(|matcher| matcher.name != NAME) {
        match &matcher.compare {
            Compare::Equal(value) if !told.contains(&matcher.name.as_str()) => {
                told.push(&matcher.name);
                labels = labels.with(&matcher.name, value);
            }
            _ => labels = labels.with(&matcher.name, ""),
        }
    }
    labels
}
