//! Selectors written as `PromQL` text, in the syntax that Prometheus 2 reads too.

use std::fmt::Write as _;

use super::plan::Selector;
use crate::model::labels::NAME;

/// `min by (labels) (timestamp(selector))`.
pub(super) fn freshness(selector: &Selector, labels: &[&str]) -> String {
    let by: Vec<String> =
        labels.iter().filter(|label| **label != NAME).map(|label| label_name(label)).collect();
    format!("min by ({}) (timestamp({}))", by.join(", "), written(selector))
}

/// The metric that a selector demands, where its name needs no quotes.
pub(super) fn metric(selector: &Selector) -> Option<&str> {
    selector.matchers.iter().find_map(|m| m.demanded_name()).filter(|name| is_metric(name))
}

/// A selector with its matchers, without `offset` and `@`.
pub(super) fn written(selector: &Selector) -> String {
    let name = metric(selector);
    let mut out = name.unwrap_or("").to_owned();
    let mut said_name = name.is_some();
    let mut open = false;
    for matcher in &selector.matchers {
        if said_name && matcher.demanded_name() == name {
            said_name = false;
            continue;
        }
        out.push_str(if open { "," } else { "{" });
        open = true;
        let (operator, value) = matcher.written();
        let _ = write!(out, "{}{operator}{}", label_name(&matcher.name), quoted(value));
    }
    if open {
        out.push('}');
    }
    out
}

/// A label's name, quoted where it is not one that needs no quotes.
fn label_name(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain { name.to_owned() } else { quoted(name) }
}

/// Words that the grammar gives another meaning where a metric's name stands.
const KEYWORDS: [&str; 10] =
    ["bool", "on", "ignoring", "group_left", "group_right", "atan2", "inf", "nan", "smoothed", "anchored"];

fn is_metric(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == ':')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
        && !KEYWORDS.iter().any(|word| name.eq_ignore_ascii_case(word))
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '\\' | '"' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
