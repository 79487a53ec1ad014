//! The labels of a series.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

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

/// Labels in the order of their names.
#[derive(Clone)]
struct Iter<'l>(&'l str);

impl<'l> Iterator for Iter<'l> {
    type Item = (&'l str, &'l str);

    fn next(&mut self) -> Option<Self::Item> {
        let name = take_length(&mut self.0)?;
        let value = take_length(&mut self.0)?;
        let (name, rest) = self.0.split_at_checked(name)?;
        let (value, rest) = rest.split_at_checked(value)?;
        self.0 = rest;
        Some((name, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let count = self.clone().fold(0, |count, _| count + 1);
        (count, Some(count))
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// Six bits a character, the lowest first, and a seventh where more follow: all of them ASCII.
const SIX: usize = 6;
const MORE: u8 = 1 << SIX;

fn put_length(text: &mut String, mut length: usize) {
    while length >= usize::from(MORE) {
        text.push(char::from((length % usize::from(MORE)) as u8 | MORE));
        length >>= SIX;
    }
    text.push(char::from(length as u8));
}

#[inline]
fn take_length(text: &mut &str) -> Option<usize> {
    let (mut length, mut shift) = (0, 0);
    loop {
        let byte = *text.as_bytes().first()?;
        *text = text.get(1..)?;
        length |= usize::from(byte % MORE) << shift;
        if byte < MORE {
            return Some(length);
        }
        shift += SIX;
    }
}

fn put(text: &mut String, name: &str, value: &str) {
    put_length(text, name.len());
    put_length(text, value.len());
    text.push_str(name);
    text.push_str(value);
}

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

    /// The value of a label; `None` where the label is absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        Iter(&self.0).find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// The metric name, where there is one.
    pub fn name(&self) -> Option<&str> {
        // It sorts before all names in small letters.
        match Iter(&self.0).next() {
            Some((NAME, value)) => Some(value),
            _ => self.get(NAME),
        }
    }

    /// All labels, sorted by name, the metric name among them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        Iter(&self.0)
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
        f.debug_list().entries(self.iter()).finish()
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
