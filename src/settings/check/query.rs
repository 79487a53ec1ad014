//! `PromQL` in a file: an expression's own error is shown inside the TOML string it stands in.

use std::ops::Range;

use super::super::file::At;
use super::super::file::config::SourceWord;
use super::{Check, SourceName};
use crate::model::duration;
use crate::promql::{Expr, ExprError};

impl Check<'_> {
    /// An expression that its source can answer; `source` is `None` where it is not known.
    pub(super) fn query(&mut self, text: &At<String>, source: Option<&SourceName>) {
        if let Err(error) = answered(text.get(), source) {
            self.troubles.add(self.place_in(text, &error), error.text);
        }
    }

    /// Where in the file the troubled part of an expression stands.
    fn place_in(&self, text: &At<String>, error: &ExprError) -> Range<usize> {
        let span = text.span();
        let raw = self.document.raw(span.clone());
        let end = error.offset.saturating_add(error.len.max(1));
        match (raw_offset(raw, text.get(), error.offset), raw_offset(raw, text.get(), end)) {
            (Some(start), Some(end)) => span.start + start..span.start + end.max(start + 1),
            (Some(start), None) => span.start + start..span.end,
            _ => span,
        }
    }
}

/// Whether a source can answer an expression.
///
/// # Errors
/// Why not, and where in the expression.
pub(super) fn answered(text: &str, source: Option<&SourceName>) -> Result<(), ExprError> {
    let expr = Expr::parse(text)?;
    // A server judges its own expressions: what gonogo knows of them may be older.
    let Some(source) = source.filter(|source| source.kind == SourceWord::Scrape) else { return Ok(()) };
    expr.check_local()?;
    if expr.window() <= source.max_history {
        return Ok(());
    }
    let most = source.max_history;
    let (over, most) = (duration::short(expr.window().saturating_sub(most)), duration::short(most));
    let words = text.trim();
    Err(ExprError {
        offset: text.len() - text.trim_start().len(),
        len: words.len().max(1),
        text: format!(
            "looks {over} further back than the history that {} keeps, which is of {most}: raise its \
             `max-history`, or ask a prometheus source",
            source.name
        ),
    })
}

/// The offset in a TOML string, as written with its quotes, of an offset in its value. `None` where
/// that cannot be told: line continuations, or an offset beyond the value.
fn raw_offset(raw: &str, value: &str, offset: usize) -> Option<usize> {
    if offset > value.len() {
        return None;
    }
    let multi = raw.starts_with("\"\"\"") || raw.starts_with("'''");
    let mut head = if multi { 3 } else { 1 };
    if multi {
        let body = raw.get(head..)?;
        head += if body.starts_with("\r\n") { 2 } else { usize::from(body.starts_with('\n')) };
    }
    let tail = if multi { 3 } else { 1 };
    let body = raw.get(head..raw.len().checked_sub(tail)?)?;
    if body == value {
        return Some(head + offset);
    }
    if multi || !raw.starts_with('"') {
        return None;
    }
    // Each character of the value is one character or one escape of the text.
    let mut written = body.char_indices();
    for (at, _) in value.char_indices() {
        let (here, c) = written.next()?;
        if at >= offset {
            return Some(head + here);
        }
        if c == '\\' {
            let digits = match written.next()?.1 {
                'x' => 2,
                'u' => 4,
                'U' => 8,
                _ => 0,
            };
            for _ in 0..digits {
                written.next()?;
            }
        }
    }
    Some(head + body.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(raw: &str, wanted: &str) -> Option<usize> {
        let value: toml::Table = toml::from_str(&format!("q = {raw}")).unwrap();
        let value = value["q"].as_str().unwrap().to_owned();
        raw_offset(raw, &value, value.find(wanted).unwrap())
    }

    #[test]
    fn the_place_in_an_expression_is_found_in_every_kind_of_toml_string() {
        for raw in [
            "'sum(x{a=\"b\"}) + oops'",
            "\"sum(x{a='b'}) + oops\"",
            "\"sum(x{a=\\\"b\\\"}) + oops\"",
            "\"sum(x{a=\\\"\\u00e4\\U0001F600\\\\d\\\"}) + oops\"",
            "'''\nsum(x{a=\"b\"})\n  + oops\n'''",
            "\"\"\"\nsum(x)\n  + oops\"\"\"",
        ] {
            assert_eq!(at(raw, "oops"), raw.find("oops"), "{raw}");
            assert_eq!(at(raw, "sum"), raw.find("sum"), "{raw}");
        }
    }

    #[test]
    fn a_continued_line_has_no_place_and_an_offset_beyond_the_end_neither() {
        assert_eq!(at("\"\"\"a \\\n  + oops\"\"\"", "oops"), None);
        assert_eq!(raw_offset("'abc'", "abc", 9), None);
        assert_eq!(raw_offset("'abc'", "abc", 3), Some(4));
    }
}
