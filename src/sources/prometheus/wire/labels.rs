//! `{"__name__":"up","job":"x"}`: the labels of a series.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::push;
use crate::model::Labels;

/// The most labels of one series: more were never seen, and a label costs more memory than its bytes.
pub(super) const MOST: usize = 256;

/// The labels of one series.
#[derive(Default)]
pub(super) struct Metric(pub(super) Labels);

impl<'de> Deserialize<'de> for Metric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(One)
    }
}

struct One;

impl<'de> Visitor<'de> for One {
    type Value = Metric;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("labels")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metric, A::Error> {
        let mut pairs = Vec::new();
        let mut empty = 0;
        while let Some((name, value)) = map.next_entry::<Box<str>, Box<str>>()? {
            if pairs.len() == MOST {
                return Err(A::Error::custom("a series with more than 256 labels"));
            }
            empty += usize::from(value.is_empty());
            pairs.push((name, value));
        }
        let count = pairs.len();
        let labels = Labels::from_pairs(pairs);
        // One name with two values would be two series in one.
        if labels.len() + empty < count {
            return Err(A::Error::custom("a series that has a label twice"));
        }
        Ok(Metric(labels))
    }
}

/// The data of `series`: label sets.
#[derive(Default)]
pub(in super::super) struct Metrics(pub(in super::super) Vec<Labels>);

impl<'de> Deserialize<'de> for Metrics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Many)
    }
}

struct Many;

impl<'de> Visitor<'de> for Many {
    type Value = Metrics;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("series")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Metrics, A::Error> {
        let mut all = Vec::new();
        while let Some(Metric(labels)) = seq.next_element()? {
            if labels.is_empty() {
                return Err(A::Error::custom("a series without labels"));
            }
            push(&mut all, labels);
        }
        Ok(Metrics(all))
    }
}
