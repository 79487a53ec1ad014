//! An answer as Prometheus' HTTP API gives it.

use serde_json::{Map, Number, Value as Json, json};

use crate::model::text::harmless;
use crate::model::{Labels, Time, value};
use crate::promql;
use crate::sources::prometheus::{Reply, Samples, Value};

/// An answer and what is to be said about it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) value: Value,
    /// Why it may not be what it seems.
    pub(super) warnings: Vec<String>,
    /// Remarks on the query.
    pub(super) infos: Vec<String>,
    /// Whether all that the answer rests on could be read.
    pub(super) whole: bool,
    /// Why there is no series, where that could be told.
    pub(super) absence: Option<String>,
}

impl Answer {
    /// An answer of gonogo's own.
    pub(super) fn at(value: promql::Value, at: Time) -> Self {
        let value = match value {
            promql::Value::Scalar(number) => Value::Scalar(at, number),
            promql::Value::String(text) => Value::String(at, text),
            promql::Value::Vector(samples) => {
                Value::Vector(samples.into_iter().map(|(labels, value)| (labels, at, value)).collect())
            }
            promql::Value::Matrix(series) => {
                Value::Matrix(series.into_iter().map(|(labels, samples)| (labels, samples.into())).collect())
            }
        };
        Self { value, warnings: Vec::new(), infos: Vec::new(), whole: true, absence: None }
    }

    /// A server's answer.
    pub(super) fn of_server(reply: Reply) -> Self {
        let mut warnings = reply.warnings;
        if reply.histograms > 0 {
            warnings
                .push(format!("{} native histograms are left out: they are no numbers", reply.histograms));
        }
        Self { value: reply.value, warnings, infos: reply.infos, whole: true, absence: None }
    }

    /// Everything there is to say, and that there is nothing to show.
    pub(super) fn remarks(&self) -> impl Iterator<Item = &str> {
        let all = self.warnings.iter().chain(&self.infos).map(String::as_str);
        all.chain(self.value.is_empty().then_some("no series")).chain(self.absence.as_deref())
    }

    /// The document of Prometheus' API.
    pub(super) fn document(&self) -> Json {
        let (kind, result) = match &self.value {
            Value::Scalar(at, number) => ("scalar", point(*at, *number)),
            Value::String(at, text) => ("string", json!([seconds(*at), text])),
            Value::Vector(samples) => ("vector", samples.iter().map(one_value).collect()),
            Value::Matrix(series) => ("matrix", series.iter().map(many_values).collect()),
        };
        let mut document = Map::new();
        document.insert("status".into(), json!("success"));
        document.insert("data".into(), json!({"resultType": kind, "result": result}));
        for (key, texts) in [("warnings", &self.warnings), ("infos", &self.infos)] {
            if !texts.is_empty() {
                document.insert(key.into(), json!(texts));
            }
        }
        document.into()
    }
}

fn one_value((labels, at, value): &(Labels, Time, f64)) -> Json {
    json!({"metric": metric(labels), "value": point(*at, *value)})
}

fn many_values((labels, points): &(Labels, Samples)) -> Json {
    let values: Vec<Json> = points.iter().map(|(at, value)| point(at, value)).collect();
    json!({"metric": metric(labels), "values": values})
}

pub(super) fn metric(labels: &Labels) -> Json {
    labels.iter().map(|(name, value)| (name.to_owned(), json!(value))).collect::<Map<_, _>>().into()
}

fn point(at: Time, value: f64) -> Json {
    json!([seconds(at), number(value)])
}

/// Seconds with the milliseconds as fraction, a whole number where there are none.
fn seconds(at: Time) -> Json {
    let millis = at.millis();
    if millis % 1000 == 0 {
        return json!(millis / 1000);
    }
    Number::from_f64(at.seconds()).map_or(Json::Null, Json::Number)
}

/// A number as the API writes it: with an exponent where it is very large or very small, as few
/// digits as tell it from its neighbours.
pub(super) fn number(number: f64) -> String {
    let size = number.abs();
    if number.is_finite() && size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{number:e}");
        if let Some((digits, exponent)) = text.split_once('e') {
            let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
            return format!("{digits}e{sign}{exponent:0>2}");
        }
    }
    value::text(number)
}

/// The labels of a series, fit for a terminal.
pub(super) fn shown(labels: &Labels) -> String {
    harmless(&labels.to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_written_as_the_api_writes_them() {
        let texts = [0.0, 1.5, 1e-6, 9.9e-7, 1e20, 1e21, -1.25e-300, f64::NAN, f64::INFINITY].map(number);
        assert_eq!(
            texts,
            [
                "0",
                "1.5",
                "0.000001",
                "9.9e-07",
                "100000000000000000000",
                "1e+21",
                "-1.25e-300",
                "NaN",
                "+Inf"
            ]
        );
        assert_eq!(seconds(Time::from_millis(1_700_000_000_000)).to_string(), "1700000000");
        assert_eq!(seconds(Time::from_millis(1_700_000_000_021)).to_string(), "1700000000.021");
        assert_eq!(seconds(Time::from_millis(-1)).to_string(), "-0.001");
    }
}
