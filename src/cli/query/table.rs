//! An answer as text for people.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use super::answer::{number, shown};
use crate::model::text::harmless;
use crate::sources::prometheus::Value;

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
            for (at, value) in points {
                let _ = writeln!(out, "  {}  {}", at.rfc3339(), number(*value));
            }
            out
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Labels, Time};

    #[test]
    fn values_stand_in_one_column_and_nothing_steers_the_terminal() {
        let series = |queue: &str, value| {
            (Labels::from_pairs([("__name__", "depth"), ("queue", queue)]), Time::from_millis(0), value)
        };
        let vector = Value::Vector(vec![series("tasks", 3.0), series("\u{1b}[2J", f64::NAN)]);
        assert_eq!(of(&vector), "depth{queue=\"tasks\"}      3\ndepth{queue=\"\\u{1b}[2J\"}  NaN\n");
        let matrix = Value::Matrix(vec![(Labels::none(), vec![(Time::from_millis(1500), 0.5)])]);
        assert_eq!(of(&matrix), "{}\n  1970-01-01T00:00:01.500Z  0.5\n");
    }
}
