//! `data` of a query: its type, and a result that is read before its type may be known.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::samples::Samples;
use super::labels::Metric;
use super::push;
use super::sample::{Pair, Pairs, moment, number};
use crate::model::{Labels, Time};

/// The most series of one answer: each takes more memory than the text that it came in.
pub(super) const MOST_SERIES: usize = 50_000;

/// The data of a query.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Outcome {
    pub(in super::super) result_type: Option<Box<str>>,
    pub(in super::super) result: Option<Held>,
}

/// What a result holds. Only one of the three kinds is ever filled.
#[derive(Default)]
pub(in super::super) struct Held {
    /// Series with one value.
    pub(in super::super) rows: Vec<(Labels, Time, f64)>,
    /// Series with values.
    pub(in super::super) series: Vec<(Labels, Samples)>,
    /// The time of a scalar or a string.
    pub(in super::super) time: Option<Time>,
    /// What came after it.
    pub(in super::super) half: Option<Half>,
    /// Native histograms that were left out.
    pub(in super::super) histograms: usize,
}

/// The second half of a scalar or a string.
pub(in super::super) enum Half {
    Text(Box<str>),
    Number(f64),
}

impl Half {
    pub(in super::super) fn number(&self) -> Result<f64, String> {
        match self {
            Self::Number(value) => Ok(*value),
            Self::Text(text) => number(text),
        }
    }
}

impl<'de> Deserialize<'de> for Held {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Elements)
    }
}

struct Elements;

impl<'de> Visitor<'de> for Elements {
    type Value = Held;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("series, or a pair of time and value")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Held, A::Error> {
        let mut held = Held::default();
        while seq.next_element_seed(Element(&mut held))?.is_some() {
            if held.rows.len() + held.series.len() > MOST_SERIES {
                return Err(A::Error::custom(format!("more than {MOST_SERIES} series: aggregate them")));
            }
        }
        Ok(held)
    }
}

/// One element, put where it belongs.
struct Element<'h>(&'h mut Held);

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Element<'_> {
    fn half(self, half: Half) -> Result<(), String> {
        let held = self.0;
        match (held.time, half) {
            (None, Half::Number(seconds)) if held.is_pair() => held.time = Some(moment(seconds)?),
            (Some(_), half) if held.half.is_none() => held.half = Some(half),
            _ => return Err("a bare value where none belongs".to_owned()),
        }
        Ok(())
    }
}

impl Held {
    /// Whether nothing was read that is not of a pair.
    fn is_pair(&self) -> bool {
        self.rows.is_empty() && self.series.is_empty() && self.histograms == 0
    }
}

impl<'de> Visitor<'de> for Element<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a series, a time or a value")
    }
    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.half(Half::Number(number)).map_err(E::custom)
    }
    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.visit_f64(number as f64)
    }
    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.visit_f64(number as f64)
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.half(Half::Text(text.into())).map_err(E::custom)
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let held = self.0;
        if held.time.is_some() {
            return Err(A::Error::custom("a series where a value belongs"));
        }
        let last = held.series.last().map_or(0, |(_, samples)| samples.len());
        let read = fields(map, last)?;
        held.histograms += read.histograms;
        match (read.value, read.values) {
            (Some(_), Some(_)) => Err(A::Error::custom("a series with one value and with many")),
            (Some(_), None) if !held.series.is_empty() => {
                Err(A::Error::custom("a single value among ranges of them"))
            }
            (None, Some(_)) if !held.rows.is_empty() => {
                Err(A::Error::custom("a range of values among single ones"))
            }
            (Some((time, value)), None) => {
                push(&mut held.rows, (read.labels, time, value));
                Ok(())
            }
            (None, Some(values)) => {
                // A series without samples is no series: it says nothing.
                if !values.is_empty() {
                    push(&mut held.series, (read.labels, values));
                }
                Ok(())
            }
            (None, None) if read.histograms > 0 => Ok(()),
            (None, None) => Err(A::Error::custom("a series without a value")),
        }
    }
}

/// A series as its keys came.
#[derive(Default)]
struct Fields {
    labels: Labels,
    value: Option<(Time, f64)>,
    values: Option<Samples>,
    histograms: usize,
}

/// Keys of a series; anything else is not looked at.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Metric,
    Value,
    Values,
    Histogram,
    Histograms,
    Other,
}

fn fields<'de, A: MapAccess<'de>>(mut map: A, last: usize) -> Result<Fields, A::Error> {
    let mut read = Fields::default();
    let mut seen: [Option<Key>; 5] = [None; 5];
    while let Some(key) = map.next_key::<Key>()? {
        if key == Key::Other {
            map.next_value::<IgnoredAny>()?;
            continue;
        }
        if seen.contains(&Some(key)) {
            return Err(A::Error::custom("a series that says one thing twice"));
        }
        if let Some(free) = seen.iter_mut().find(|key| key.is_none()) {
            *free = Some(key);
        }
        match key {
            Key::Metric => read.labels = map.next_value::<Option<Metric>>()?.unwrap_or_default().0,
            Key::Value => read.value = Some(map.next_value_seed(Pair)?),
            Key::Values => read.values = Some(map.next_value_seed(Pairs(last))?),
            Key::Histogram | Key::Histograms | Key::Other => {
                map.next_value::<IgnoredAny>()?;
                read.histograms = 1;
            }
        }
    }
    Ok(read)
}
