//! The labels of a series.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

mod packed;

pub use packed::{LabelsBuf, LabelsRef};

use packed::put;

/// The label that holds a metric's name.
pub const NAME: &str = "__name__";

/// A sorted set of label names and values; the metric name is the label [`NAME`]. An empty value is
/// the same as no label, as in Prometheus, and is never stored. A clone shares them.
///
/// One piece of memory however many labels there are, because a source may send a hundred thousand
/// series: for each label the lengths of its name and its value, then both texts. Two sets are equal
/// where their texts are.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Labels(Arc<str>);

impl Labels {
    /// No labels.
    pub fn none() -> Self {
        Self::default()
    }

    /// Labels from pairs in any order; of a name given twice the last value counts.
    pub fn from_pairs<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut all: Vec<(N, V)> = pairs.into_iter().collect();
        all.reverse();
        all.sort_by(|a, b| a.0.as_ref().cmp(b.0.as_ref()));
        all.dedup_by(|later, kept| later.0.as_ref() == kept.0.as_ref());
        let pairs = all.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
        Self::from_sorted(pairs.filter(|(_, value)| !value.is_empty()))
    }

    /// Labels from pairs that are sorted already, none with a name twice or an empty value.
    fn from_sorted<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Self {
        let long = pairs.clone().map(|(name, value)| name.len() + value.len() + 4).sum();
        let mut text = String::with_capacity(long);
        for (name, value) in pairs {
            put(&mut text, name, value);
        }
        Self(text.into())
    }

    /// The same labels, for those who need not own them.
    pub fn as_ref(&self) -> LabelsRef<'_> {
        LabelsRef(&self.0)
    }

    /// The value of a label; `None` where the label is absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.as_ref().get(name)
    }

    /// The metric name, where there is one.
    pub fn name(&self) -> Option<&str> {
        self.as_ref().name()
    }

    /// All labels, sorted by name, the metric name among them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        self.as_ref().iter()
    }

    /// Whether there is no label at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many labels there are, the metric name among them.
    pub fn len(&self) -> usize {
        self.iter().len()
    }

    /// Only the labels for which `keep` is true.
    #[must_use]
    pub fn filtered(&self, mut keep: impl FnMut(&str) -> bool) -> Self {
        let mut text = String::with_capacity(self.0.len());
        for (name, value) in self.iter().filter(|(name, _)| keep(name)) {
            put(&mut text, name, value);
        }
        Self(text.into())
    }

    /// Without the metric name, as `PromQL` drops it from computed values.
    #[must_use]
    pub fn without_name(&self) -> Self {
        self.filtered(|name| name != NAME)
    }

    /// With one label set (or, with an empty value, removed).
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        Self::from_pairs(self.iter().chain(std::iter::once((name, value))))
    }

    /// Whether every given pair is among these labels.
    pub fn contains<'a>(&self, mut pairs: impl Iterator<Item = (&'a str, &'a str)>) -> bool {
        pairs.all(|(name, value)| self.get(name).unwrap_or("") == value)
    }
}

impl Ord for Labels {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_ref(), f)
    }
}

/// As Prometheus writes a series: `name{a="b",c="d"}`, values escaped.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_ref(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_sorted_and_an_empty_value_is_no_label() {
        let l = Labels::from_pairs([("b", "2"), ("a", "1"), ("c", ""), (NAME, "up"), ("a", "9")]);
        assert_eq!(l.to_string(), "up{a=\"9\",b=\"2\"}");
        assert_eq!(l.get("c"), None);
        assert_eq!(l.with("a", "").without_name().to_string(), "{b=\"2\"}");
        assert!(l.contains([("a", "9"), ("zz", "")].into_iter()));
    }

    #[test]
    fn labels_of_any_length_come_out_as_they_went_in_and_stand_in_the_order_of_their_texts() {
        let long = |n: usize| ("é".repeat(n), "x".repeat(n * 3));
        let sets: Vec<Vec<(String, String)>> = (0..70)
            .chain([127, 128, 2047, 2048, 2049, 100_000])
            .map(|n| vec![long(n.max(1)), ("a\n\u{0}".into(), format!("{n}"))])
            .collect();
        for set in &sets {
            let labels = Labels::from_pairs(set.iter().map(|(n, v)| (n, v)));
            let mut sorted = set.clone();
            sorted.sort();
            let out: Vec<(String, String)> =
                labels.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
            assert_eq!((out, labels.len()), (sorted.clone(), sorted.len()));
            for other in &sets {
                let others = Labels::from_pairs(other.iter().map(|(n, v)| (n, v)));
                let mut other = other.clone();
                other.sort();
                assert_eq!(labels.cmp(&others), sorted.cmp(&other));
                assert_eq!(labels == others, sorted == other);
            }
        }
    }
}
