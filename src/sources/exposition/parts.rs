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

    /// The same as it was written, without its quotes.
    pub(super) fn raw_name_in<'l>(&self, line: &'l str) -> Option<&'l str> {
        line.get(self.name.clone()?)
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
        let raw = |range: &Range<usize>| line.get(range.clone()).unwrap_or_default();
        let is_it = |own: &str| own == name || self.escaped && unescape(own) == name;
        let (_, value) = self.pairs.iter().find(|(own, _)| is_it(raw(own)))?;
        (!value.is_empty()).then(|| unescape(raw(value)))
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

/// How many shapes are remembered: those of a histogram, and one.
const SHAPES: usize = 4;

/// The most bytes of a line, up to the end of its labels, that is remembered.
const LONGEST: usize = 4 * 1024;

/// Lines that were lexed well, to go quickly through those after them that differ in nothing but the
/// values of their labels and what stands behind: most lines of most expositions, which come in runs of
/// one name with the same labels.
///
/// Between two values the lexer looks at no byte but those between their quotes, and what it makes of
/// them depends on nothing else; so where they are the same, so is all that was made of them.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    all: [Shape; SHAPES],
    /// The last one that a line was like.
    last: usize,
}

/// A line up to the end of its labels.
#[derive(Debug, Default)]
struct Shape {
    line: String,
    parts: Parts,
    wanted: bool,
}

/// A line that is like one that is remembered.
pub(super) struct Alike {
    /// Where its labels end.
    pub(super) end: usize,
    /// Whether its name is wanted.
    pub(super) wanted: bool,
}

impl Shapes {
    /// Remembers a line, if it can be followed, in the place of that which has been here longest.
    pub(super) fn remember(&mut self, line: &str, parts: &Parts, wanted: bool) {
        let first = parts.pairs.first().map_or(0, |(_, value)| value.start);
        // What is escaped must be looked at, and a name behind a value stands elsewhere in each line.
        let plain = !parts.escaped
            && parts.end <= LONGEST
            && parts.name.as_ref().is_some_and(|name| name.end <= first);
        let next = (self.last + 1) % SHAPES;
        if let (true, Some(text), Some(shape)) = (plain, line.get(..parts.end), self.all.get_mut(next)) {
            text.clone_into(&mut shape.line);
            shape.parts.clone_from(parts);
            (shape.wanted, self.last) = (wanted, next);
        }
    }

    /// Goes along a line as far as its name and its labels reach; `None` where it is like no line that
    /// is remembered, or holds something escaped: it is for the lexer. Otherwise `parts` become what
    /// the lexer would make of them.
    pub(super) fn follow(&mut self, line: &[u8], parts: &mut Parts) -> Option<Alike> {
        for place in (self.last..SHAPES).chain(0..self.last) {
            let shape = self.all.get(place)?;
            if let Some(end) = shape.follow(line, parts) {
                self.last = place;
                return Some(Alike { end, wanted: shape.wanted });
            }
        }
        None
    }
}

impl Shape {
    fn follow(&self, line: &[u8], parts: &mut Parts) -> Option<usize> {
        let known = self.line.as_bytes();
        let (_, first) = self.parts.pairs.first()?;
        if !line.starts_with(known.get(..first.start)?) {
            return None;
        }
        if parts.pairs.len() != self.parts.pairs.len() || parts.order != self.parts.order {
            parts.clone_from(&self.parts);
        }
        let (mut at, mut from) = (0, 0);
        for ((name, value), found) in self.parts.pairs.iter().zip(&mut parts.pairs) {
            let piece = known.get(from..value.start)?;
            let rest = line.get(at..)?;
            let rest = if from == 0 { rest.get(piece.len()..)? } else { rest.strip_prefix(piece)? };
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Format, sample_line};
    use super::*;

    /// A line of pieces from which lines come about that are alike, nearly alike, and none.
    fn line() -> impl Strategy<Value = String> {
        let name = prop::sample::select(vec!["a", "a_b", " a", "a ", ""]);
        let label = (
            prop::sample::select(vec![
                "l=\"",
                "m=\"",
                "le = \"",
                "\"q.r\"=\"",
                "\"my.name\",x=\"",
                "__name__=\"",
            ]),
            prop::sample::select(vec![
                "",
                "x",
                "y,z",
                "ü",
                "a b",
                "\\\\",
                "\\\"",
                "}",
                "1\" ",
                "long enough for a word",
            ]),
            prop::sample::select(vec!["\",", "\"", "\" , ", "\",,", ""]),
        );
        let end = prop::sample::select(vec!["} 1", "}2", "} 1.5 1000", "}", "} 1 # {t=\"x\"} 1", ""]);
        let labels = prop::collection::vec(label, 0..4);
        (name, labels, end).prop_map(|(name, labels, end)| {
            let labels: String =
                labels.iter().flat_map(|(name, value, close)| [*name, *value, *close]).collect();
            format!("{name}{{{labels}{end}")
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn the_short_way_through_a_line_finds_what_the_lexer_finds(
            kinds in prop::collection::vec(line(), 1..4),
            order in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), "[a-zü\"]{0,3}"), 1..12),
            openmetrics in any::<bool>(),
        ) {
            let format = if openmetrics { Format::OpenMetrics } else { Format::Text };
            let (mut shapes, mut short, mut long) = (Shapes::default(), Parts::default(), Parts::default());
            for (kind, at, text) in order {
                let mut line = kind.get(&kinds).clone();
                line.insert_str(line.ceil_char_boundary(at.index(line.len() + 1)), &text);
                let alike = shapes.follow(line.as_bytes(), &mut short);
                let read = sample_line::lex(&line, format, &mut long);
                if let Some(Alike { end, .. }) = alike {
                    prop_assert_eq!(&short, &long, "{}", line);
                    prop_assert_eq!(sample_line::lex_point(&line, end, format), read, "{}", line);
                } else if read.is_ok() {
                    shapes.remember(&line, &long, true);
                    let again = shapes.follow(line.as_bytes(), &mut short);
                    prop_assert_eq!(again.is_some(), !long.escaped && !long.pairs.is_empty() && long.name_leads());
                }
            }
        }
    }

    impl Parts {
        /// Whether the metric name stands before the first value.
        fn name_leads(&self) -> bool {
            let first = self.pairs.first().map_or(0, |(_, value)| value.start);
            self.name.as_ref().is_some_and(|name| name.end <= first)
        }
    }
}
