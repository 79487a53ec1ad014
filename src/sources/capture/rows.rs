//! Samples as lines of `OpenMetrics`, and a server's answers as samples.
//!
//! The answer of a `prometheus` source to a signal becomes two series for each of its rows, at the
//! moment of the poll: `gonogo_signal` (the value) and `gonogo_signal_sampled_seconds` (when the oldest
//! sample behind it was taken), with the row's labels, `gonogo_source`, `gonogo_signal` and, where the
//! row had a metric name, `gonogo_name`. A label of the row that begins with `gonogo_` becomes
//! `exported_gonogo_…`, once more for each `exported_` that it has already, so that nothing clashes.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::model::labels::NAME;
use crate::model::{Labels, Point, SignalId, SourceId, Time, text, value};
use crate::sources::Batch;

const VALUE: &str = "gonogo_signal";
const SAMPLED: &str = "gonogo_signal_sampled_seconds";
const SOURCE: &str = "gonogo_source";
const SIGNAL: &str = "gonogo_signal";
const OF_NAME: &str = "gonogo_name";
const OURS: &str = "gonogo_";
const EXPORTED: &str = "exported_";

/// The longest line that is written; longer ones stand beside.
const LONGEST: usize = 64 << 10;

/// How far from the poll a time that an endpoint gives may lie to be written: `promtool` walks through
/// all the two-hour blocks between the first and the last.
const FAR: i64 = 24 * 3600 * 1000;

/// Whether a character could steer the terminal of whoever looks at the file, or hide from the eye.
/// `OpenMetrics` has an escape only for the end of a line; in JSON there is one for all of them.
fn hides(c: char) -> bool {
    c != '\n' && text::is_harmful(c)
}

/// Appends a sample's line; false, with nothing appended, where `OpenMetrics` 1.0 has no way to write
/// it, or only one that [`hides`] something.
pub(super) fn write(out: &mut String, labels: &Labels, number: f64, at: Time, asked: Time) -> bool {
    let plain = |name: &str, colon: bool| {
        let mut bytes = name.bytes();
        let first = |b: u8| b.is_ascii_alphabetic() || b == b'_' || (colon && b == b':');
        bytes.next().is_some_and(first) && bytes.all(|b| first(b) || b.is_ascii_digit())
    };
    let begun = out.len();
    let writable = labels.name().is_some_and(|name| plain(name, true))
        && labels.iter().all(|(name, value)| plain(name, false) && !value.chars().any(hides))
        && (at.millis().saturating_sub(asked.millis())).abs() <= FAR;
    if !writable {
        return false;
    }
    let (millis, sign) = (at.millis().unsigned_abs(), if at.millis() < 0 { "-" } else { "" });
    let number = value::text(number);
    let _ = writeln!(out, "{labels} {number} {sign}{}.{:03}", millis / 1000, millis % 1000);
    let one_line =
        out.get(begun..).is_some_and(|l| l.len() <= LONGEST && !l.trim_end().contains(['\n', '\r']));
    if !one_line {
        out.truncate(begun);
    }
    one_line
}

/// The rows of one signal's answer.
pub(super) fn of_points(source: &SourceId, signal: &SignalId, points: &[Point]) -> Batch {
    let mut batch = Batch::with_capacity(points.len() * 2);
    for point in points {
        let own = point.labels.iter().map(|(name, value)| match name {
            NAME => (OF_NAME.to_owned(), value.to_owned()),
            name if is_ours(name) => (format!("{EXPORTED}{name}"), value.to_owned()),
            name => (name.to_owned(), value.to_owned()),
        });
        let ours = [(SOURCE, source.as_str()), (SIGNAL, signal.as_str()), (NAME, VALUE)];
        let ours = ours.map(|(n, v)| (n.to_owned(), v.to_owned()));
        let labels = Labels::from_pairs(own.chain(ours));
        batch.push((labels.with(NAME, SAMPLED), point.sampled.seconds(), None));
        batch.push((labels, point.value, None));
    }
    batch
}

/// The signal and the point that rows of [`of_points`] came from: of a value's row its labels and
/// value, of its companion the time.
pub(super) fn to_points(batch: &[(Labels, f64, Option<Time>)]) -> Vec<(SignalId, Point)> {
    let of = |name: &'static str| batch.iter().filter(move |(labels, ..)| labels.name() == Some(name));
    let sampled: HashMap<Labels, Time> = of(SAMPLED)
        .filter_map(|(labels, seconds, _)| Some((labels.with(NAME, VALUE), Time::from_seconds(*seconds)?)))
        .collect();
    let point = |(labels, value, _): &(Labels, f64, Option<Time>)| {
        let point = Point { labels: answered(labels), value: *value, sampled: *sampled.get(labels)? };
        Some((SignalId::from(labels.get(SIGNAL)?), point))
    };
    of(VALUE).filter_map(point).collect()
}

/// The source whose answer a row is.
pub(super) fn source(labels: &Labels) -> Option<&str> {
    matches!(labels.name(), Some(VALUE | SAMPLED)).then(|| labels.get(SOURCE)).flatten()
}

fn answered(labels: &Labels) -> Labels {
    let pairs = labels.iter().filter_map(|(name, value)| match name {
        NAME | SOURCE | SIGNAL => None,
        OF_NAME => Some((NAME, value)),
        name if is_ours(name) => Some((name.strip_prefix(EXPORTED).unwrap_or(name), value)),
        name => Some((name, value)),
    });
    Labels::from_pairs(pairs)
}

fn is_ours(name: &str) -> bool {
    let mut rest = name;
    while let Some(less) = rest.strip_prefix(EXPORTED) {
        rest = less;
    }
    rest.starts_with(OURS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_answer_comes_back_as_it_was_whatever_its_labels_are_called() {
        let labels = [
            vec![("a", "b")],
            vec![("__name__", "up"), ("gonogo_source", "x"), ("gonogo_name", "y")],
            vec![("exported_gonogo_signal", "1"), ("gonogo_signal", "2"), ("exported_x", "3")],
            vec![],
        ];
        let points: Vec<Point> = labels
            .into_iter()
            .zip(0_i32..)
            .map(|(pairs, i)| Point {
                labels: Labels::from_pairs(pairs),
                value: f64::from(i) / 3.0,
                sampled: Time::from_millis(1_764_684_131_204 + i64::from(i)),
            })
            .collect();
        let batch = of_points(&SourceId::from("prom"), &SignalId::from("s"), &points);
        assert!(batch.iter().all(|(labels, ..)| source(labels) == Some("prom")));
        let back: Vec<Point> = to_points(&batch).into_iter().map(|(_, point)| point).collect();
        assert_eq!(back, points);
    }

    #[test]
    fn what_openmetrics_cannot_write_is_not_written() {
        let at = Time::from_millis(1500);
        let mut out = String::new();
        let mut put = |pairs: &[(&str, &str)], at| {
            write(&mut out, &Labels::from_pairs(pairs.iter().copied()), 1.0, at, at)
        };
        assert!(put(&[("__name__", "a:b"), ("x", "q\"\\\nz")], at));
        assert!(!put(&[("__name__", "my.metric")], at));
        assert!(!put(&[("__name__", "a"), ("b.c", "1")], at));
        assert!(!put(&[("__name__", "a"), ("b", "1\r2")], at));
        assert!(!put(&[("__name__", "a"), ("b", "\u{1b}[31m")], at));
        assert!(!put(&[("__name__", "a"), ("b", "x\u{202e}y")], at));
        assert!(!put(&[("__name__", "a"), ("b", &"x".repeat(LONGEST))], at));
        assert!(put(&[("__name__", "a")], Time::from_millis(-1500)));
        assert_eq!(out, "a:b{x=\"q\\\"\\\\\\nz\"} 1 1.500\na 1 -1.500\n");
    }
}
