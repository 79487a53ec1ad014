//! The JSON of the Prometheus HTTP API, as typed values.

use std::fmt;

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::model::{Labels, Time};

/// An answer, well or not.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope {
    pub(super) status: Option<String>,
    pub(super) data: Option<Data>,
    pub(super) error_type: Option<String>,
    pub(super) error: Option<String>,
    #[serde(default, deserialize_with = "few")]
    pub(super) warnings: Option<Vec<String>>,
    #[serde(default, deserialize_with = "few")]
    pub(super) infos: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Data {
    #[serde(default)]
    pub(super) result_type: Option<String>,
    #[serde(default)]
    pub(super) result: Option<Elements>,
}

/// The most series of one answer; each takes more memory than text.
const MOST_SERIES: usize = 20_000;
/// The most labels of one series.
const MOST_LABELS: usize = 200;
/// The most remarks of one answer that are kept; one is enough to doubt it.
const MOST_REMARKS: usize = 20;

/// Remarks, the first of them; what comes after them is read over.
fn few<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    struct V;
    impl<'de> Visitor<'de> for V {
        type Value = Option<Vec<String>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of remarks")
        }
        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            while all.len() < MOST_REMARKS
                && let Some(remark) = seq.next_element::<String>()?
            {
                all.push(remark);
            }
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(Some(all))
        }
    }
    deserializer.deserialize_any(V)
}

/// The elements of `result`, whatever its type; which key comes first does not matter.
pub(super) struct Elements(pub(super) Vec<Element>);

/// One element: a series, or a half of the pair that a scalar or a string is.
pub(super) enum Element {
    Series(Series),
    Number(f64),
    Text(String),
}

/// A series of a vector or a matrix.
#[derive(Default)]
pub(super) struct Series {
    pub(super) labels: Labels,
    pub(super) samples: Vec<(Time, f64)>,
    /// Whether it holds native histograms.
    pub(super) histograms: bool,
}

impl<'de> Deserialize<'de> for Elements {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Elements;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of series")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Elements, A::Error> {
                let mut all = Vec::new();
                while let Some(element) = seq.next_element::<Element>()? {
                    let bare = !matches!(element, Element::Series(_));
                    // A scalar or a string is two bare halves; everything longer is series.
                    if all.len() >= if bare { 2 } else { MOST_SERIES } {
                        return Err(A::Error::custom(format!("more than {} elements", all.len())));
                    }
                    all.push(element);
                }
                Ok(Elements(all))
            }
        }
        deserializer.deserialize_seq(V)
    }
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Element;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a series, a time or a value")
            }
            fn visit_f64<E: Error>(self, v: f64) -> Result<Element, E> {
                Ok(Element::Number(v))
            }
            fn visit_u64<E: Error>(self, v: u64) -> Result<Element, E> {
                Ok(Element::Number(v as f64))
            }
            fn visit_i64<E: Error>(self, v: i64) -> Result<Element, E> {
                Ok(Element::Number(v as f64))
            }
            fn visit_str<E: Error>(self, v: &str) -> Result<Element, E> {
                Ok(Element::Text(v.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Element, A::Error> {
                series(map).map(Element::Series)
            }
        }
        deserializer.deserialize_any(V)
    }
}

fn series<'de, A: MapAccess<'de>>(mut map: A) -> Result<Series, A::Error> {
    let mut series = Series::default();
    while let Some(key) = map.next_key::<String>()? {
        match key.as_str() {
            "metric" => series.labels = map.next_value::<Option<Metric>>()?.unwrap_or_default().0,
            "value" => series.samples.extend(map.next_value::<Option<Sample>>()?.map(|s| (s.0, s.1))),
            "values" => {
                let samples = map.next_value::<Option<Vec<Sample>>>()?.unwrap_or_default();
                series.samples.extend(samples.into_iter().map(|s| (s.0, s.1)));
            }
            "histogram" | "histograms" => {
                map.next_value::<IgnoredAny>()?;
                series.histograms = true;
            }
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    Ok(series)
}

/// `{"__name__":"up","job":"x"}`.
#[derive(Default)]
struct Metric(Labels);

impl<'de> Deserialize<'de> for Metric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Metric;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("labels")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metric, A::Error> {
                let mut pairs = Vec::with_capacity(map.size_hint().unwrap_or(8));
                while let Some(pair) = map.next_entry::<Box<str>, Box<str>>()? {
                    pairs.push(pair);
                    if pairs.len() > MOST_LABELS {
                        return Err(A::Error::custom(format!(
                            "a series with more than {MOST_LABELS} labels"
                        )));
                    }
                }
                Ok(Metric(Labels::from_pairs(pairs)))
            }
        }
        deserializer.deserialize_map(V)
    }
}

/// `[1764684131.204,"3"]`.
struct Sample(Time, f64);

impl<'de> Deserialize<'de> for Sample {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Sample;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a pair of time and value")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Sample, A::Error> {
                let missing = || A::Error::custom("a sample is a pair of time and value");
                let time = seq.next_element::<Element>()?.ok_or_else(missing)?;
                let value = seq.next_element::<Element>()?.ok_or_else(missing)?;
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                pair(&time, &value).map_err(A::Error::custom)
            }
        }
        deserializer.deserialize_seq(V)
    }
}

fn pair(time: &Element, value: &Element) -> Result<Sample, String> {
    Ok(Sample(moment(time)?, number(value)?))
}

/// The time of a pair.
pub(super) fn moment(element: &Element) -> Result<Time, String> {
    match element {
        Element::Number(seconds) => {
            Time::from_seconds(*seconds).ok_or_else(|| "a time out of range".to_owned())
        }
        _ => Err("a time that is no number".to_owned()),
    }
}

/// The value of a pair: a text as Prometheus prints numbers, or a bare number.
pub(super) fn number(element: &Element) -> Result<f64, String> {
    match element {
        Element::Number(value) => Ok(*value),
        Element::Text(text) => text.parse().map_err(|_| format!("{text:?} is no value")),
        Element::Series(_) => Err("a series in place of a value".to_owned()),
    }
}
