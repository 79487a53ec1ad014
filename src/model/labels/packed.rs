//! Labels as one text: for each label the lengths of its name and its value, then both texts.

use std::cmp::Ordering;
use std::fmt;

use super::{Labels, NAME};

/// Labels that lie in somebody else's memory: what [`Labels`] are, without a memory of their own.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct LabelsRef<'l>(pub(super) &'l str);

/// Labels in the making, in memory that is used again for the next ones.
#[derive(Clone, Debug, Default)]
pub struct LabelsBuf(String);

/// Labels in the order of their names.
#[derive(Clone)]
pub(super) struct Iter<'l>(&'l str);

impl<'l> Iterator for Iter<'l> {
    type Item = (&'l str, &'l str);

    #[inline]
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

#[inline]
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

#[inline]
pub(super) fn put(text: &mut String, name: &str, value: &str) {
    put_length(text, name.len());
    put_length(text, value.len());
    text.push_str(name);
    text.push_str(value);
}

impl LabelsBuf {
    /// Takes all labels away; the memory stays.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds a label whose name sorts behind those that are in already. An empty value is no label.
    #[inline]
    pub fn push(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            put(&mut self.0, name, value);
        }
    }

    /// Becomes these labels.
    pub fn copy(&mut self, labels: LabelsRef<'_>) {
        self.0.clear();
        self.0.push_str(labels.0);
    }

    /// Becomes the labels of two sets that have no name in common. Returns whether they had none;
    /// where they had one, what is in here is of no use.
    pub fn join(&mut self, one: LabelsRef<'_>, other: LabelsRef<'_>) -> bool {
        self.0.clear();
        let (mut ones, mut others) = (Iter(one.0), Iter(other.0));
        let (mut one, mut other) = (ones.next(), others.next());
        loop {
            let (name, value) = match (one, other) {
                (Some(a), Some(b)) => match a.0.cmp(b.0) {
                    Ordering::Less => {
                        one = ones.next();
                        a
                    }
                    Ordering::Greater => {
                        other = others.next();
                        b
                    }
                    Ordering::Equal => return false,
                },
                (Some(a), None) => {
                    one = ones.next();
                    a
                }
                (None, Some(b)) => {
                    other = others.next();
                    b
                }
                (None, None) => return true,
            };
            put(&mut self.0, name, value);
        }
    }

    /// The labels that are in.
    pub fn labels(&self) -> LabelsRef<'_> {
        LabelsRef(&self.0)
    }
}

impl<'l> LabelsRef<'l> {
    /// The value of a label; `None` where the label is absent.
    pub fn get(self, name: &str) -> Option<&'l str> {
        Iter(self.0).find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// The metric name, where there is one.
    pub fn name(self) -> Option<&'l str> {
        // It sorts before all names in small letters.
        match Iter(self.0).next() {
            Some((NAME, value)) => Some(value),
            _ => self.get(NAME),
        }
    }

    /// All labels, sorted by name, the metric name among them.
    pub fn iter(self) -> impl ExactSizeIterator<Item = (&'l str, &'l str)> + Clone {
        Iter(self.0)
    }

    /// The same labels in memory of their own.
    pub fn to_labels(self) -> Labels {
        Labels(self.0.into())
    }
}

impl<'l> From<&'l Labels> for LabelsRef<'l> {
    fn from(labels: &'l Labels) -> Self {
        labels.as_ref()
    }
}

impl Ord for LabelsRef<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl PartialOrd for LabelsRef<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for LabelsRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// As Prometheus writes a series: `name{a="b",c="d"}`, values escaped.
impl fmt::Display for LabelsRef<'_> {
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
    fn labels_in_the_making_come_out_as_labels_of_their_own_would() {
        let owned = Labels::from_pairs([("a", "1"), (NAME, "up"), ("c", "")]);
        let mut buf = LabelsBuf::default();
        for _ in 0..2 {
            buf.clear();
            buf.push(NAME, "up");
            buf.push("a", "1");
            buf.push("c", "");
            assert_eq!(buf.labels(), LabelsRef::from(&owned));
            assert_eq!(buf.labels().to_labels(), owned);
            assert_eq!(buf.labels().to_string(), owned.to_string());
        }
    }

    #[test]
    fn two_sets_join_in_order_and_a_name_in_common_is_told() {
        let set = |pairs: &[(&str, &str)]| Labels::from_pairs(pairs.iter().copied());
        let mut buf = LabelsBuf::default();
        let (one, other) = (set(&[("b", "2"), (NAME, "up"), ("z", "9")]), set(&[("a", "1"), ("job", "x")]));
        for (one, other) in [(&one, &other), (&other, &one)] {
            assert!(buf.join(one.as_ref(), other.as_ref()));
            assert_eq!(buf.labels().to_labels(), Labels::from_pairs(one.iter().chain(other.iter())));
        }
        assert!(buf.join(one.as_ref(), LabelsRef::default()) && buf.labels() == one.as_ref());
        assert!(!buf.join(one.as_ref(), set(&[("z", "8")]).as_ref()));
    }
}
