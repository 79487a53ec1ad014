//! One poll as a line of JSON: everything that samples cannot hold.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::text::harmless;
use crate::model::{Answer, Fault, Labels, SignalId, SourceId, Time, value};

/// A poll's outcome, and where its samples stand in the capture.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PollLine {
    pub(super) source: SourceId,
    pub(super) asked: Time,
    /// When its answer was there: a replay must not know it sooner.
    pub(super) arrived: Time,
    #[serde(default)]
    pub(super) took_seconds: f64,
    /// Where its sample lines begin, in bytes, how long they are and how many.
    pub(super) at: u64,
    pub(super) bytes: u64,
    pub(super) samples: u64,
    /// How many of them carry a time that the endpoint gave.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) stamped: u64,
    /// Samples that cannot be written as `OpenMetrics`, with their place among the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) beside: Vec<Beside>,
    /// Samples that are in neither, for a series may not have two samples at one moment.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) left_out: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fault: Option<Fault>,
    /// What it answered beside the signals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) answer: Option<Answer>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) signals: Vec<SignalLine>,
}

/// A signal's part of an answer, without its points.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SignalLine {
    pub(super) id: SignalId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fault: Option<Fault>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) warnings: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) history: Vec<PastSeries>,
}

/// A series of a chart's past: its labels, and its points as Unix seconds and values.
pub(super) type PastSeries = (Vec<(String, String)>, Vec<(f64, String)>);

/// A sample that no `OpenMetrics` 1.0 reader would take: its place, labels, value, and time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Beside(
    pub(super) u64,
    pub(super) Vec<(String, String)>,
    pub(super) String,
    #[serde(default)] pub(super) Option<Time>,
);

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl PollLine {
    /// Reads a line. What comes from a file is as foreign as what comes from a wire, so all text but
    /// the labels of series is made harmless.
    pub(super) fn read(line: &str) -> Result<Self, String> {
        let mut value: serde_json::Value = serde_json::from_str(line).map_err(|e| e.to_string())?;
        for key in ["fault", "answer"] {
            if let Some(part) = value.get_mut(key) {
                make_harmless(part);
            }
        }
        for signal in value.get_mut("signals").and_then(serde_json::Value::as_array_mut).into_iter().flatten()
        {
            for key in ["fault", "warnings"] {
                if let Some(part) = signal.get_mut(key) {
                    make_harmless(part);
                }
            }
        }
        serde_json::from_value(value).map_err(|e| e.to_string())
    }

    pub(super) fn took(&self) -> Duration {
        Duration::try_from_secs_f64(self.took_seconds).unwrap_or_default()
    }
}

impl SignalLine {
    /// The chart's past as an answer holds it.
    pub(super) fn past(&self) -> Vec<(Labels, Vec<(Time, f64)>)> {
        let point = |(at, text): &(f64, String)| Some((Time::from_seconds(*at)?, text.parse().ok()?));
        let series =
            |(labels, points): &PastSeries| (labels_of(labels), points.iter().filter_map(point).collect());
        self.history.iter().map(series).collect()
    }

    /// The same as text and numbers.
    pub(super) fn written(history: &[(Labels, Vec<(Time, f64)>)]) -> Vec<PastSeries> {
        let point = |(at, v): &(Time, f64)| (at.seconds(), value::text(*v));
        history.iter().map(|(l, points)| (pairs_of(l), points.iter().map(point).collect())).collect()
    }
}

pub(super) fn pairs_of(labels: &Labels) -> Vec<(String, String)> {
    labels.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
}

pub(super) fn labels_of(pairs: &[(String, String)]) -> Labels {
    Labels::from_pairs(pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())))
}

fn make_harmless(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => {
            if let std::borrow::Cow::Owned(clean) = harmless(text) {
                *text = clean;
            }
        }
        serde_json::Value::Array(all) => all.iter_mut().for_each(make_harmless),
        serde_json::Value::Object(all) => all.values_mut().for_each(make_harmless),
        _ => {}
    }
}
