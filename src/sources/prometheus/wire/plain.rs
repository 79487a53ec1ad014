//! The result of a query as servers write it: without blanks, keys in one order, values as texts. That
//! is most of an answer's bytes, and reading just this is several times as fast as reading any JSON.
//!
//! It is a way around and not another reading: what it does not know, be it wrong or only unusual, is
//! left to the reader of any JSON, with the whole answer. It must never find another value than that one.

use std::borrow::Cow;

use super::super::samples::Samples;
use super::decimal::Decimal;
use super::labels::MOST as MOST_LABELS;
use super::push;
use super::result::{Held, MOST_SERIES};
use super::sample::{GUESS, moment, number};
use crate::model::{Labels, Time};

/// What comes before the result. `VictoriaMetrics` says first that its answer is whole.
const BEGINNINGS: [&[u8]; 2] = [
    br#"{"status":"success","data":{"resultType":""#,
    br#"{"status":"success","isPartial":false,"data":{"resultType":""#,
];
const TYPES: [&[u8]; 2] = [br#"matrix","result":["#, br#"vector","result":["#];
/// The most bytes after the result: warnings, statistics.
const REST: usize = 64 * 1024;

/// An answer whose result was read.
pub(in super::super) struct Plain {
    /// The answer with an empty result.
    pub(in super::super) without: Vec<u8>,
    /// Its result.
    pub(in super::super) held: Held,
}

/// Reads the result of an answer, where it is as servers write it.
pub(in super::super) fn plain(body: &[u8]) -> Option<Plain> {
    let after = BEGINNINGS.iter().find_map(|beginning| body.strip_prefix(*beginning))?;
    let after = TYPES.iter().find_map(|kind| after.strip_prefix(*kind))?;
    let before = body.get(..body.len() - after.len())?;
    let mut reader = Reader(str::from_utf8(after).ok()?);
    let held = reader.result()?;
    if reader.0.len() > REST {
        return None;
    }
    Some(Plain { without: [before, b"]", reader.0.as_bytes()].concat(), held })
}

/// What is still to be read.
struct Reader<'b>(&'b str);

impl<'b> Reader<'b> {
    /// Steps over this text; `None` where another comes.
    fn over(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    /// Steps over so many bytes, and gives them.
    fn take(&mut self, count: usize) -> Option<&'b str> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// Steps over a comma, or over the bracket that ends a list: whether more comes.
    fn goes_on(&mut self, end: u8) -> Option<bool> {
        let first = *self.0.as_bytes().first()?;
        self.0 = self.0.get(1..)?;
        (first == b',' || first == end).then_some(first == b',')
    }

    /// All series, and the bracket after them.
    fn result(&mut self) -> Option<Held> {
        let mut held = Held::default();
        if self.over("]").is_some() {
            return Some(held);
        }
        let mut last = 0;
        loop {
            self.over(r#"{"metric":{"#)?;
            let labels = self.labels()?;
            self.over(r#","value"#)?;
            if self.over(r#"":["#).is_some() {
                let (time, value) = self.sample()?;
                push(&mut held.rows, (labels, time, value));
            } else {
                self.over(r#"s":[["#)?;
                let samples = self.samples(last)?;
                last = samples.len();
                push(&mut held.series, (labels, samples));
            }
            self.over("}")?;
            let mixed = !held.rows.is_empty() && !held.series.is_empty();
            if mixed || held.rows.len() + held.series.len() > MOST_SERIES {
                return None;
            }
            if !self.goes_on(b']')? {
                return Some(held);
            }
        }
    }

    /// The labels of a series, and the brace after them.
    fn labels(&mut self) -> Option<Labels> {
        let mut pairs: Vec<(Cow<'b, str>, Cow<'b, str>)> = Vec::with_capacity(8);
        if self.over("}").is_some() {
            return Some(Labels::none());
        }
        let mut empty = 0;
        while pairs.len() < MOST_LABELS {
            let name = self.text()?;
            self.over(":")?;
            let value = self.text()?;
            empty += usize::from(value.is_empty());
            pairs.push((name, value));
            if !self.goes_on(b'}')? {
                let count = pairs.len();
                let labels = Labels::from_pairs(pairs);
                return (labels.len() + empty >= count).then_some(labels);
            }
        }
        None
    }

    /// A text in quotes. One with escapes is read as any JSON is.
    fn text(&mut self) -> Option<Cow<'b, str>> {
        let whole = self.0;
        self.over("\"")?;
        let end = memchr::memchr2(b'"', b'\\', self.0.as_bytes())?;
        let text = self.take(end)?;
        if self.over("\"").is_some() {
            let plain = !text.bytes().any(|byte| byte < b' ');
            return plain.then_some(Cow::Borrowed(text));
        }
        while self.over("\"").is_none() {
            // The backslash, and what it stands before.
            self.take(2)?;
            let end = memchr::memchr2(b'"', b'\\', self.0.as_bytes())?;
            self.take(end)?;
        }
        let text = whole.get(..whole.len() - self.0.len())?;
        serde_json::from_str::<String>(text).ok().map(Cow::Owned)
    }

    /// Samples after the brackets before them, and the bracket after them.
    fn samples(&mut self, guess: usize) -> Option<Samples> {
        let mut samples = Samples::with_room(guess.min(GUESS));
        loop {
            samples.push(self.sample()?);
            if !self.goes_on(b']')? {
                samples.fit();
                return Some(samples);
            }
            self.over("[")?;
        }
    }

    /// A sample after the bracket before it, and the bracket after it.
    fn sample(&mut self) -> Option<(Time, f64)> {
        let time = self.time()?;
        self.over("\"")?;
        let value = self.value()?;
        self.over("]")?;
        Some((time, value))
    }

    /// A time, and the comma after it.
    fn time(&mut self) -> Option<Time> {
        let text = self.0;
        let decimal = Decimal::scan(text.as_bytes());
        let after = self.0.get(decimal.long..)?;
        if let Some(rest) = after.strip_prefix(',')
            && decimal.is_json()
            && decimal.whole <= 12
            && let Some(scale) = [1000, 100, 10, 1].get(decimal.fraction)
        {
            self.0 = rest;
            return Some(Time::from_millis(i64::try_from(decimal.digits * scale).ok()?));
        }
        let text = self.take(memchr::memchr(b',', self.0.as_bytes())?)?;
        self.over(",")?;
        moment(serde_json::from_str::<f64>(text).ok()?).ok()
    }

    /// A value after the quote before it, and the quote after it.
    fn value(&mut self) -> Option<f64> {
        let decimal = Decimal::scan(self.0.as_bytes());
        let after = self.0.get(decimal.long..)?;
        if let Some(rest) = after.strip_prefix('"')
            && let Some(value) = decimal.exact()
        {
            self.0 = rest;
            return Some(value);
        }
        let end = after.bytes().position(|byte| matches!(byte, b'"' | b'\\'))?;
        let text = self.take(decimal.long + end)?;
        self.over("\"")?;
        number(text).ok()
    }
}
