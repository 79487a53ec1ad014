//! Classic histograms: counters per bucket, labelled `le`.

use super::Sample;
use super::aggregate::change;
use super::named::{Groups, Named, Rule};

/// A bucket: how many observations were at most `upper`.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    upper: f64,
    count: f64,
}

/// Two counts that differ by less than this share of their sum differ by rounding only.
const ROUNDING: f64 = 1e-12;

/// `histogram_quantile`: one value for each histogram among the samples.
pub(super) fn quantiles(q: f64, samples: Vec<Sample<'_>>) -> Vec<Sample<'_>> {
    each_histogram(samples, |buckets| quantile(q, buckets))
}

/// `histogram_fraction`: the share of observations between two bounds.
pub(super) fn fractions(lower: f64, upper: f64, samples: Vec<Sample<'_>>) -> Vec<Sample<'_>> {
    each_histogram(samples, |buckets| fraction(lower, upper, buckets))
}

fn each_histogram(samples: Vec<Sample<'_>>, value: impl Fn(Vec<Bucket>) -> f64) -> Vec<Sample<'_>> {
    // By all labels but `le`, the metric's name among them: two metrics are two histograms.
    let by = [String::from("le")];
    let mut groups = Groups::by(Rule { listed: false, labels: &by, named: true });
    let mut histograms: Vec<Vec<Bucket>> = Vec::new();
    for sample in samples {
        let Some(upper) = sample.labels.get("le").and_then(bound) else { continue };
        let place = groups.place(&sample.labels);
        change(&mut histograms, place, |buckets| buckets.push(Bucket { upper, count: sample.value }));
    }
    groups
        .into_labels()
        .into_iter()
        .zip(histograms)
        .map(|(labels, buckets)| Sample { labels: Named::from(labels).without_name(), value: value(buckets) })
        .collect()
}

/// The value of an `le` label; a sample whose label is no number is left out.
fn bound(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// Sorted by bound, equal bounds (`1` and `1.0`) added up, counts made to rise.
fn put_in_order(mut buckets: Vec<Bucket>) -> Vec<Bucket> {
    buckets.sort_by(|a, b| a.upper.partial_cmp(&b.upper).unwrap_or(std::cmp::Ordering::Equal));
    buckets.dedup_by(|next, kept| {
        let same = next.upper == kept.upper;
        if same {
            kept.count += next.count;
        }
        same
    });
    let mut highest = buckets.first().map_or(0.0, |bucket| bucket.count);
    for bucket in buckets.iter_mut().skip(1) {
        if bucket.count == highest {
            continue;
        }
        if nearly_equal(highest, bucket.count) || bucket.count < highest {
            bucket.count = highest;
        } else {
            highest = bucket.count;
        }
    }
    buckets
}

fn nearly_equal(a: f64, b: f64) -> bool {
    if a.is_nan() && b.is_nan() {
        return true;
    }
    let sum = a.abs() + b.abs();
    let difference = (a - b).abs();
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < ROUNDING * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < ROUNDING
}

/// The quantile, interpolated within its bucket. NaN without observations or without a bucket for
/// +Inf; the second highest bound where it falls into the bucket for +Inf.
fn quantile(q: f64, buckets: Vec<Bucket>) -> f64 {
    if q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    let buckets = put_in_order(buckets);
    let [first, .., second_highest, highest] = buckets.as_slice() else {
        return two_buckets_at_most(q, &buckets);
    };
    interpolated(q, &buckets, first, second_highest, highest)
}

fn two_buckets_at_most(q: f64, buckets: &[Bucket]) -> f64 {
    match buckets {
        [first, highest] => interpolated(q, buckets, first, first, highest),
        _ => f64::NAN,
    }
}

fn interpolated(
    q: f64,
    buckets: &[Bucket],
    first: &Bucket,
    second_highest: &Bucket,
    highest: &Bucket,
) -> f64 {
    if highest.upper != f64::INFINITY || highest.count == 0.0 {
        return f64::NAN;
    }
    let mut rank = q * highest.count;
    // The counts rise, so a binary search finds the first that is large enough. With a NaN among
    // them no comparison holds, and the search ends at the highest, as Prometheus' does.
    let place = buckets
        .partition_point(|bucket| bucket.count < rank || bucket.count.is_nan() || rank.is_nan())
        .min(buckets.len() - 1);
    if place == buckets.len() - 1 {
        return second_highest.upper;
    }
    if place == 0 && first.upper <= 0.0 {
        return first.upper;
    }
    let Some(bucket) = buckets.get(place) else { return f64::NAN };
    let (mut start, mut count) = (0.0, bucket.count);
    if let Some(below) = place.checked_sub(1).and_then(|below| buckets.get(below)) {
        start = below.upper;
        count -= below.count;
        rank -= below.count;
    }
    start + (bucket.upper - start) * (rank / count)
}

/// The share of observations above `lower` and up to `upper`, interpolated within buckets.
fn fraction(lower: f64, upper: f64, buckets: Vec<Bucket>) -> f64 {
    let buckets = put_in_order(buckets);
    let Some(highest) = buckets.last() else { return f64::NAN };
    if highest.upper != f64::INFINITY || buckets.len() < 2 || highest.count == 0.0 {
        return f64::NAN;
    }
    if lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    (rank_of(upper, &buckets) - rank_of(lower, &buckets)) / highest.count
}

/// How many observations are at most `bound`, interpolated within its bucket. The lowest bucket
/// reaches down to 0 where its bound is above that, else to -Inf.
fn rank_of(bound: f64, buckets: &[Bucket]) -> f64 {
    let (mut start, mut below) = (f64::NEG_INFINITY, 0.0);
    if buckets.first().is_some_and(|first| first.upper > 0.0) {
        start = 0.0;
    }
    for bucket in buckets {
        if bound <= start {
            return below;
        }
        if bound < bucket.upper {
            if start == f64::NEG_INFINITY || bucket.upper == f64::INFINITY {
                return below;
            }
            return below + (bucket.count - below) * ((bound - start) / (bucket.upper - start));
        }
        (start, below) = (bucket.upper, bucket.count);
    }
    below
}
