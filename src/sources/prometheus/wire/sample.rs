//! `[1764684131.204,"3"]`: a time and a value.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, SeqAccess, Visitor};

use super::super::samples::Samples;
use super::beginning;
use crate::model::Time;

/// Reads one pair.
pub(super) struct Pair;

impl<'de> DeserializeSeed<'de> for Pair {
    type Value = (Time, f64);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Pair {
    type Value = (Time, f64);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pair of time and value")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(Time, f64), A::Error> {
        let shape = || A::Error::custom("a sample is a pair of time and value");
        let time = seq.next_element_seed(Moment)?.ok_or_else(shape)?;
        let value = seq.next_element_seed(Number)?.ok_or_else(shape)?;
        if seq.next_element::<IgnoredAny>()?.is_some() {
            return Err(shape());
        }
        Ok((time, value))
    }
}

/// Reads the pairs of a series; the number of the series before it is a good guess at how many.
pub(super) struct Pairs(pub(super) usize);

/// No guess reserves more than this many samples.
pub(super) const GUESS: usize = 11_000;

impl<'de> DeserializeSeed<'de> for Pairs {
    type Value = Samples;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Pairs {
    type Value = Samples;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pairs of time and value")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut all = Samples::default();
        while let Some(pair) = seq.next_element_seed(Pair)? {
            if all.is_empty() {
                all = Samples::with_room(self.0.clamp(1, GUESS));
            }
            all.push(pair);
        }
        all.fit();
        Ok(all)
    }
}

/// Reads the time of a pair: seconds, whole, with a fraction or with an exponent.
struct Moment;

impl<'de> DeserializeSeed<'de> for Moment {
    type Value = Time;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Time, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Moment {
    type Value = Time;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time in seconds")
    }
    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Time, E> {
        moment(seconds).map_err(E::custom)
    }
    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Time, E> {
        self.visit_f64(seconds as f64)
    }
    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Time, E> {
        self.visit_f64(seconds as f64)
    }
}

/// The moment so many seconds after the epoch.
pub(super) fn moment(seconds: f64) -> Result<Time, &'static str> {
    Time::from_seconds(seconds).ok_or("a time out of range")
}

/// Reads the value of a pair: a text as Prometheus prints numbers, or a bare number.
struct Number;

impl<'de> DeserializeSeed<'de> for Number {
    type Value = f64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<f64, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Number {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_f64<E>(self, value: f64) -> Result<f64, E> {
        Ok(value)
    }
    fn visit_u64<E>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }
    fn visit_i64<E>(self, value: i64) -> Result<f64, E> {
        Ok(value as f64)
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
        number(text).map_err(E::custom)
    }
}

/// The value of a text, as Go's `strconv.ParseFloat` reads what `FormatFloat` wrote. Hexadecimal
/// floats, which no server prints, are refused, and so is what is too large: it is not infinite.
pub(super) fn number(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(value) if !text.bytes().any(|b| b.is_ascii_digit()) => Ok(value),
        _ => Err(format!("{} is no value", beginning(text))),
    }
}
