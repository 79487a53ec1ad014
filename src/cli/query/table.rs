//! An answer as text for people.

use std::fmt::Write as _;
use std::time::Duration;

use unicode_width::UnicodeWidthStr as _;

use super::answer::{number, shown};
use crate::model::Time;
use crate::model::text::harmless;
use crate::sources::prometheus::{Samples, Value};

/// A series a line, its value behind it; of many moments a line each under the series.
pub(super) fn of(value: &Value) -> String {
    match value {
        Value::Scalar(_, value) => format!("{}\n", number(*value)),
        Value::String(_, text) => format!("{}\n", harmless(text)),
        Value::Vector(samples) => {
            let rows: Vec<(String, String)> =
                samples.iter().map(|(labels, _, value)| (shown(labels), number(*value))).collect();
            let wide = rows.iter().map(|(series, _)| series.width()).max().unwrap_or(0);
            rows.iter().fold(String::new(), |mut out, (series, value)| {
                let _ = writeln!(out, "{series}{}  {value}", " ".repeat(wide - series.width()));
                out
            })
        }
        Value::Matrix(series) => series.iter().fold(String::new(), |mut out, (labels, points)| {
            let _ = writeln!(out, "{}", shown(labels));
            for (at, value) in points.iter() {
                let _ = writeln!(out, "  {}  {}", at.rfc3339(), number(value));
            }
            out
        }),
    }
}

/// Many moments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: Time,
    pub(super) end: Time,
    pub(super) step: Duration,
}

/// The widest picture of a series.
const WIDEST: usize = 48;

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A series a line: the least, the greatest and the last value, and how it went; a blank where there
/// is no value.
pub(super) fn over(value: &Value, span: Span) -> String {
    let Value::Matrix(series) = value else { return of(value) };
    if series.is_empty() {
        return String::new();
    }
    let head = ["series", "min", "max", "last"].map(str::to_owned);
    let mut rows = vec![(head, String::new())];
    for (labels, points) in series {
        let numbers = || points.iter().map(|(_, value)| value).filter(|value| !value.is_nan());
        let least = numbers().reduce(f64::min).unwrap_or(f64::NAN);
        let most = numbers().reduce(f64::max).unwrap_or(f64::NAN);
        let last = points.last().map_or(f64::NAN, |(_, value)| value);
        rows.push(([shown(labels), number(least), number(most), number(last)], bars(points, span)));
    }
    let wide = |column: usize| {
        rows.iter().filter_map(|(cells, _)| cells.get(column)).map(|cell| cell.width()).max().unwrap_or(0)
    };
    let widths = [wide(0), wide(1), wide(2), wide(3)];
    rows.iter().fold(String::new(), |mut out, (cells, picture)| {
        let mut line = String::new();
        for (i, (cell, wide)) in cells.iter().zip(widths).enumerate() {
            let blank = " ".repeat(wide - cell.width());
            let _ = if i == 0 { write!(line, "{cell}{blank}") } else { write!(line, "  {blank}{cell}") };
        }
        let _ = writeln!(out, "{}", format!("{line}  {picture}").trim_end());
        out
    })
}

/// The greatest value of each of at most [`WIDEST`] equal stretches of time.
fn bars(points: &Samples, span: Span) -> String {
    let steps = span.end.since(span.start).as_millis() / span.step.as_millis().max(1) + 1;
    let width = usize::try_from(steps).unwrap_or(WIDEST).min(WIDEST);
    let mut slices = vec![f64::NAN; width];
    for (at, value) in points.iter() {
        let step = at.since(span.start).as_millis() / span.step.as_millis().max(1);
        let place = usize::try_from(step * width as u128 / steps.max(1)).unwrap_or(0);
        if let Some(slice) = slices.get_mut(place) {
            *slice = slice.max(value);
        }
    }
    let finite = || slices.iter().copied().filter(|value| value.is_finite());
    let (least, most) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    let bar = |value: &f64| {
        let part = if most > least { (value - least) / (most - least) } else { 0.0 };
        let place = (part.clamp(0.0, 1.0) * 7.0).round() as usize;
        if value.is_nan() { ' ' } else { BARS.get(place).copied().unwrap_or(' ') }
    };
    slices.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Labels;

    #[test]
    fn values_stand_in_one_column_and_nothing_steers_the_terminal() {
        let series = |queue: &str, value| {
            (Labels::from_pairs([("__name__", "depth"), ("queue", queue)]), Time::from_millis(0), value)
        };
        let vector = Value::Vector(vec![series("tasks", 3.0), series("\u{1b}[2J", f64::NAN)]);
        assert_eq!(of(&vector), "depth{queue=\"tasks\"}      3\ndepth{queue=\"\\u{1b}[2J\"}  NaN\n");
        let matrix = Value::Matrix(vec![(Labels::none(), vec![(Time::from_millis(1500), 0.5)].into())]);
        assert_eq!(of(&matrix), "{}\n  1970-01-01T00:00:01.500Z  0.5\n");
    }

    #[test]
    fn many_moments_are_a_line_a_series_with_its_ends_and_its_course() {
        let point = |second: i64, value| (Time::from_millis(second * 1000), value);
        let queue = |name: &str| Labels::from_pairs([("queue", name)]);
        let matrix = Value::Matrix(vec![
            (queue("a"), vec![point(0, 0.0), point(10, 7.0), point(30, 3.5)].into()),
            (queue("bb"), vec![point(10, f64::NAN), point(20, 12.0)].into()),
        ]);
        let span = Span {
            start: Time::from_millis(0),
            end: Time::from_millis(30_000),
            step: Duration::from_secs(10),
        };
        assert_eq!(
            over(&matrix, span),
            "series        min  max  last\n\
             {queue=\"a\"}     0    7   3.5  ▁█ ▅\n\
             {queue=\"bb\"}   12   12    12    ▁\n"
        );
        assert_eq!(over(&Value::Matrix(Vec::new()), span), "");
    }
}
