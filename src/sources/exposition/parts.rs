//! Where the parts of a sample line lie in it, and the short way through a line like the one before.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr2};

use super::Flaw;
use super::sample_line::unescape;
use crate::model::labels::{LabelsBuf, NAME};

/// Where the parts of a line lie in it. Reused from line to line; after a failure it holds what was
/// read until then, so that a bad line can still be known by its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Parts {
    /// The metric name, without its quotes.
    pub(super) name: Option<Range<usize>>,
    /// Label names and values, without their quotes, not unescaped.
    pub(super) pairs: Vec<(Range<usize>, Range<usize>)>,
    /// The places of the pairs in the order of their names, unescaped.
    order: Vec<u32>,
    /// Where the name and the labels end.
    end: usize,
    /// Whether there is a backslash in them.
    pub(super) escaped: bool,
    /// Whether the metric name or the name of a label was written in quotes.
    pub(super) quoted: bool,
    /// Whether two labels have no comma between them.
    pub(super) comma_missing: bool,
}

impl Parts {
    pub(super) fn clear(&mut self) {
        self.name = None;
        self.pairs.clear();
    }

    /// The metric name of the line they were lexed from, unescaped.
    pub(super) fn name_in<'l>(&self, line: &'l str) -> Option<Cow<'l, str>> {
        Some(unescape(line.get(self.name.clone()?)?))
    }

    /// Puts the labels of the line that they were lexed from without a flaw, the metric name among
    /// them, into `labels`.
    pub(super) fn put_labels(&self, line: &str, labels: &mut LabelsBuf) {
        labels.clear();
        let text = |range: &Range<usize>| line.get(range.clone()).unwrap_or_default();
        let mut put = |name: &str, value: &str| {
            if self.escaped {
                labels.push(name, &unescape(value));
            } else {
                labels.push(name, value);
            }
        };
        let mut metric = self.name.as_ref().map(text);
        for (name, value) in self.order.iter().filter_map(|place| self.pairs.get(*place as usize)) {
            let name = if self.escaped { unescape(text(name)) } else { Cow::Borrowed(text(name)) };
            if let Some(metric) = metric.take_if(|_| *name > *NAME) {
                put(NAME, metric);
            }
            put(&name, text(value));
        }
        if let Some(metric) = metric {
            put(NAME, metric);
        }
    }

    /// The value of a label that is not empty, of the line they were lexed from.
    pub(super) fn value_in<'l>(&self, line: &'l str, name: &str) -> Option<Cow<'l, str>> {
        let text = |range: &Range<usize>| unescape(line.get(range.clone()).unwrap_or_default());
        let (_, value) = self.pairs.iter().find(|(own, _)| text(own) == name)?;
        (!value.is_empty()).then(|| text(value))
    }

    /// The label values as they were written, not unescaped.
    pub(super) fn raw_values<'l>(&'l self, line: &'l str) -> impl Iterator<Item = &'l str> {
        self.pairs.iter().filter_map(|(_, value)| line.get(value.clone()))
    }

    /// The rest of the line: what closes the labels (`",}`), and what stands behind them.
    pub(super) fn tail<'l>(&self, line: &'l str) -> (&'l str, &'l str) {
        let name = self.name.as_ref().map(|name| name.end);
        let end = self.pairs.last().map(|(_, value)| value.end).max(name).unwrap_or_default();
        let tail = line.get(end..).unwrap_or_default();
        let value = tail.trim_start_matches(['"', ' ', '\t', ',', '{', '}']);
        tail.split_at_checked(tail.len() - value.len()).unwrap_or((tail, ""))
    }

    /// Takes down what the name and the labels, which lexed well and end at `end`, come to.
    ///
    /// # Errors
    /// What Prometheus refuses in a label set.
    pub(super) fn close(&mut self, line: &str, end: usize) -> Result<(), Flaw> {
        let bytes = line.as_bytes();
        self.end = end;
        self.escaped = memchr(b'\\', bytes.get(..end).unwrap_or_default()).is_some();
        let mut names = self.name.iter().chain(self.pairs.iter().map(|(name, _)| name));
        self.quoted = names.any(|at| bytes.get(at.end) == Some(&b'"'));
        self.comma_missing = self.pairs.windows(2).any(|two| match two {
            [(_, value), (name, _)] => {
                memchr(b',', bytes.get(value.end..name.start).unwrap_or_default()).is_none()
            }
            _ => false,
        });
        self.sort(line)
    }

    fn sort(&mut self, line: &str) -> Result<(), Flaw> {
        let raw = |place: u32| {
            let pair = self.pairs.get(place as usize);
            pair.and_then(|(name, _)| line.get(name.clone())).unwrap_or_default()
        };
        self.order.clear();
        self.order.extend((0..).take(self.pairs.len()));
        let odd = if self.escaped {
            let name = |place: &u32| unescape(raw(*place));
            self.order.sort_by_cached_key(name);
            odd_name(self.order.iter().map(name))
        } else {
            let name = |place: &u32| raw(*place);
            self.order.sort_unstable_by_key(name);
            odd_name(self.order.iter().map(name))
        };
        odd.map_or(Ok(()), |text| Err(Flaw::new("bad-label", text)))
    }
}

/// What is wrong with the names of labels, which come sorted.
fn odd_name<N: AsRef<str>>(names: impl Iterator<Item = N> + Clone) -> Option<String> {
    if names.clone().any(|name| name.as_ref().is_empty()) {
        return Some("a label has an empty name".into());
    }
    if names.clone().any(|name| name.as_ref() == NAME) {
        return Some("__name__ is not for labels: the name stands before the braces".into());
    }
    let behind = names.clone().skip(1);
    let twice = names.zip(behind).find(|(one, next)| one.as_ref() == next.as_ref());
    twice.map(|(one, _)| format!("the label {:?} is given twice", one.as_ref()))
}

/// A line that was lexed well, to go quickly through those after it that differ in nothing but the
/// values of their labels and what stands behind: most lines of most expositions, which come in runs of
/// one name with the same labels.
///
/// Between two values the lexer looks at no byte but those between their quotes, and what it makes of
/// them depends on nothing else; so where they are the same, so is all that was made of them.
#[derive(Debug, Default)]
pub(super) struct Shape {
    line: String,
    parts: Parts,
}

impl Shape {
    /// Remembers a line, if it can be followed.
    pub(super) fn remember(&mut self, line: &str, parts: &Parts) {
        self.line.clear();
        let first = parts.pairs.first().map_or(0, |(_, value)| value.start);
        // What is escaped must be looked at, and a name behind a value stands elsewhere in each line.
        if !parts.escaped && parts.name.as_ref().is_some_and(|name| name.end <= first) {
            self.line.push_str(line.get(..parts.end).unwrap_or_default());
            self.parts.clone_from(parts);
        }
    }

    /// Goes along a line as far as its name and its labels reach. Returns where they end; `None` where
    /// the line is of another shape, or holds something escaped.
    pub(super) fn follow(&self, line: &[u8], parts: &mut Parts) -> Option<usize> {
        let known = self.line.as_bytes();
        if known.is_empty() {
            return None;
        }
        if parts.pairs.len() != self.parts.pairs.len() || parts.order != self.parts.order {
            parts.clone_from(&self.parts);
        }
        let (mut at, mut from) = (0, 0);
        for ((name, value), found) in self.parts.pairs.iter().zip(&mut parts.pairs) {
            let piece = known.get(from..value.start)?;
            let rest = line.get(at..)?.strip_prefix(piece)?;
            let start = at + piece.len();
            let length = memchr2(b'"', b'\\', rest)?;
            if rest.get(length) == Some(&b'\\') {
                return None;
            }
            // Counted from the end of the piece, for it may stand elsewhere in this line.
            let name = start - (value.start - name.start)..start - (value.start - name.end);
            *found = (name, start..start + length);
            (at, from) = (start + length, value.end);
        }
        let piece = known.get(from..)?;
        line.get(at..)?.starts_with(piece).then_some(())?;
        let Parts { name, end, escaped, quoted, comma_missing, .. } = parts;
        name.clone_from(&self.parts.name);
        (*escaped, *quoted, *comma_missing) = (false, self.parts.quoted, self.parts.comma_missing);
        *end = at + piece.len();
        Some(*end)
    }
}
