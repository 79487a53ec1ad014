//! The metric points of a family in `OpenMetrics`: each of them whole, its samples side by side, and
//! those of one metric in the order of their time.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, Hash as _, Hasher as _};

use foldhash::quality::RandomState;

use super::sample_line::Point;
use crate::model::labels::{LabelsRef, NAME};

/// What is wrong: the line, a code, a sentence.
pub(super) type Odd = (u64, &'static str, &'static str);

/// A sample's place in its family.
#[derive(Clone, Copy)]
pub(super) struct Place<'f> {
    pub(super) family: &'f str,
    pub(super) kind: Option<&'f str>,
    /// What stands behind the family's name: `_bucket`.
    pub(super) ending: &'f str,
}

/// Looks at the samples of a text one after the other.
#[derive(Debug, Default)]
pub(super) struct Points {
    family: String,
    /// The metrics of the family that came so far, by a fingerprint of their labels.
    seen: HashSet<u64>,
    keys: RandomState,
    open: Option<Open>,
}

/// The point that the last sample belongs to.
#[derive(Debug)]
struct Open {
    line: u64,
    metric: u64,
    stamp: Option<i64>,
    /// What a histogram has shown of itself.
    histogram: Option<Histogram>,
}

#[derive(Debug, Default)]
struct Histogram {
    bound: Option<f64>,
    value: f64,
    count: Option<f64>,
    sum: bool,
}

impl Points {
    /// Looks at a sample; returns what is wrong with it, and with the point that it ends.
    pub(super) fn sample(
        &mut self,
        line: u64,
        place: Place<'_>,
        labels: LabelsRef<'_>,
        point: Point,
    ) -> Vec<Odd> {
        let mut odd = Vec::new();
        if self.family != place.family {
            odd.extend(self.leave());
            place.family.clone_into(&mut self.family);
            self.seen.clear();
        }
        let metric = self.metric(place, labels);
        let stamp = point.timestamp_ms;
        let before = self.open.as_ref().filter(|open| open.metric == metric).map(|open| open.stamp);
        match (before, stamp) {
            (None, _) if !self.seen.insert(metric) => {
                let text = "the samples of one metric do not stand together: OpenMetrics refuses that";
                odd.push((line, "split-metric", text));
            }
            (Some(Some(_)), None) | (Some(None), Some(_)) => {
                let text = "a metric with and without timestamps: OpenMetrics refuses that";
                odd.push((line, "timestamp-mix", text));
            }
            (Some(Some(before)), Some(now)) if now < before && place.kind != Some("info") => {
                let text = "the timestamps of a metric go back: OpenMetrics refuses that";
                odd.push((line, "timestamp-order", text));
            }
            _ => {}
        }
        if before != Some(stamp) {
            odd.extend(self.leave());
        }
        let is_histogram = matches!(place.kind, Some("histogram" | "gaugehistogram"));
        let open = self.open.get_or_insert_with(|| Open {
            line,
            metric,
            stamp,
            histogram: is_histogram.then(Histogram::default),
        });
        if let Some(histogram) = &mut open.histogram {
            odd.extend(
                histogram.sample(place.ending, labels, point.value).map(|(code, text)| (line, code, text)),
            );
        }
        odd
    }

    /// Ends the last point.
    pub(super) fn leave(&mut self) -> Option<Odd> {
        let open = self.open.take()?;
        let (code, text) = open.histogram?.whole()?;
        Some((open.line, code, text))
    }

    /// Which metric of its family a sample belongs to. Those of an info are not told apart.
    fn metric(&self, place: Place<'_>, labels: LabelsRef<'_>) -> u64 {
        let own = match (place.kind, place.ending) {
            (Some("info"), _) => return 0,
            (Some("histogram" | "gaugehistogram"), "_bucket") => "le",
            (Some("summary"), "") => "quantile",
            (Some("stateset"), _) => place.family,
            _ => NAME,
        };
        let mut hasher = self.keys.build_hasher();
        labels
            .iter()
            .filter(|(name, _)| *name != NAME && *name != own)
            .for_each(|label| label.hash(&mut hasher));
        hasher.finish()
    }
}

impl Histogram {
    fn sample(
        &mut self,
        ending: &str,
        labels: LabelsRef<'_>,
        value: f64,
    ) -> Option<(&'static str, &'static str)> {
        match ending {
            "_bucket" => {
                let bound = super::number::value(labels.get("le")?).ok()?;
                let below = self.bound.replace(bound);
                let unordered = below.is_some_and(|below| bound <= below);
                let fell = value < std::mem::replace(&mut self.value, value) && below.is_some();
                if unordered {
                    return Some((
                        "bucket-order",
                        "buckets that are not sorted by le: OpenMetrics refuses that",
                    ));
                }
                fell.then_some((
                    "bucket-falls",
                    "a bucket that holds less than the one below: OpenMetrics refuses it",
                ))
            }
            "_count" | "_gcount" => {
                self.count = Some(value);
                None
            }
            "_sum" | "_gsum" => {
                self.sum = true;
                None
            }
            _ => None,
        }
    }

    fn whole(&self) -> Option<(&'static str, &'static str)> {
        if self.bound != Some(f64::INFINITY) {
            return Some((
                "no-inf-bucket",
                "a histogram whose last bucket is not +Inf: OpenMetrics refuses it",
            ));
        }
        if self.count.is_some_and(|count| count != self.value) {
            return Some(("odd-count", "a count other than the +Inf bucket: OpenMetrics refuses it"));
        }
        (self.sum != self.count.is_some()).then_some((
            "sum-or-count",
            "a sum without a count, or a count without a sum: OpenMetrics refuses it",
        ))
    }
}
