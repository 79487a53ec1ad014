//! The labels of a series.

use std::fmt;
use std::sync::Arc;

/// The label that holds a metric's name.
pub const NAME: &str = "__name__";

/// A sorted set of label names and values; the metric name is the label [`NAME`]. An empty value is
/// the same as no label, as in Prometheus, and is never stored. A clone shares them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Arc<[(Box<str>, Box<str>)]>);

impl Labels {
    /// No labels.
    pub fn none() -> Self {
        Self::default()
    }

    /// Labels from pairs in any order; of a name given twice the last value counts.
    pub fn from_pairs<N: Into<Box<str>>, V: Into<Box<str>>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut all: Vec<(Box<str>, Box<str>)> =
            pairs.into_iter().map(|(n, v)| (n.into(), v.into())).collect();
        all.reverse();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all.dedup_by(|later, kept| later.0 == kept.0);
        all.retain(|(_, value)| !value.is_empty());
        Self(all.into())
    }

    /// The value of a label; `None` where the label is absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self.0.binary_search_by(|(n, _)| (**n).cmp(name)).ok()?;
        self.0.get(at).map(|(_, value)| &**value)
    }

    /// The metric name, where there is one.
    pub fn name(&self) -> Option<&str> {
        // It sorts before all names in small letters.
        match self.0.first() {
            Some((name, value)) if &**name == NAME => Some(value),
            _ => self.get(NAME),
        }
    }

    /// All labels, sorted by name, the metric name among them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        self.0.iter().map(|(n, v)| (&**n, &**v))
    }

    /// Whether there is no label at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many labels there are, the metric name among them.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Only the labels for which `keep` is true.
    #[must_use]
    pub fn filtered(&self, mut keep: impl FnMut(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|(name, _)| keep(name)).cloned().collect())
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

/// As Prometheus writes a series: `name{a="b",c="d"}`, values escaped.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name().unwrap_or("");
        f.write_str(name)?;
        let mut rest = self.iter().filter(|(n, _)| *n != NAME).peekable();
        if rest.peek().is_none() {
            return if name.is_empty() { f.write_str("{}") } else { Ok(()) };
        }
        f.write_str("{")?;
        for (i, (n, v)) in rest.enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            write!(f, "{n}=\"")?;
            for c in v.chars() {
                match c {
                    '\\' => f.write_str("\\\\")?,
                    '"' => f.write_str("\\\"")?,
                    '\n' => f.write_str("\\n")?,
                    c => write!(f, "{c}")?,
                }
            }
            f.write_str("\"")?;
        }
        f.write_str("}")
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
}
