//! An event as a TOML file: the one way it is written, and reading it back.
//!
//! The writer is our own and short, because the text is canonical for as long as a run is kept: a
//! file that differs from it by one byte counts as edited, and a library may change its style.

use std::fmt::Write as _;

use super::event::Identity;
use super::fields::{self, Fields, Table, Value};
use super::{Author, Event, chain};

/// Why an event file is bad.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEvent {
    /// It is no TOML, or not an event.
    #[error("it is no event: {0}")]
    Unreadable(String),
    /// It has another schema than this program knows.
    #[error("it has schema {0}, and this gonogo reads schema 1")]
    Schema(u64),
    /// What it says is not what its hash was made over.
    #[error("its content does not match its hash: it was edited")]
    Hash,
    /// It says the right thing in another form.
    #[error("it is not written as gonogo writes it: it was edited")]
    NotCanonical,
}

/// The canonical text of an event.
pub fn render(event: &Event) -> String {
    let mut out = String::new();
    let mut head: Fields = vec![("schema", Value::Count(1)), ("seq", Value::Count(event.seq))];
    let mut body = fields::of_body(event).into_iter();
    head.extend(body.next());
    head.push(("at", Value::At(event.at)));
    head.push(("by", Value::Text(event.author.by.clone())));
    head.extend(body);
    head.push(("prev", Value::Text(event.prev.0.clone())));
    head.push(("hash", Value::Text(event.hash.0.clone())));
    lines(&mut out, &head);
    for evidence in event.fact.evidence() {
        out.push_str("[[evidence]]\n");
        lines(&mut out, &fields::of_evidence(evidence));
    }
    out
}

fn lines(out: &mut String, fields: &Fields) {
    for (name, value) in fields {
        let _ = writeln!(out, "{name} = {}", value.toml());
    }
}

/// A TOML basic string on one line: `"` and `\` escaped, control characters as `\uXXXX`.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Reads an event and checks that it is whole: its own hash over its content, in canonical form.
/// Whether it follows the event before it is [`super::Run::follows`]' question.
///
/// # Errors
/// [`BadEvent`], in words.
pub fn read(text: &str) -> Result<Event, BadEvent> {
    let table: toml::Table =
        text.parse().map_err(|e: toml::de::Error| BadEvent::Unreadable(e.message().to_owned()))?;
    let mut table = Table(table);
    let schema = table.get("schema")?;
    if schema != 1 {
        return Err(BadEvent::Schema(schema));
    }
    let event = event(&mut table)?;
    if chain::hash(&event) != event.hash {
        return Err(BadEvent::Hash);
    }
    if render(&event) != text {
        return Err(BadEvent::NotCanonical);
    }
    Ok(event)
}

/// Both halves, or none.
fn identity(table: &mut Table) -> Result<Option<Identity>, BadEvent> {
    let Some(issuer) = table.may("iss")? else { return Ok(None) };
    Ok(Some(Identity { issuer, subject: table.get("sub")? }))
}

fn event(table: &mut Table) -> Result<Event, BadEvent> {
    let kind: String = table.get("kind")?;
    Ok(Event {
        seq: table.get("seq")?,
        id: table.get("id")?,
        at: table.get("at")?,
        author: Author { by: table.get("by")?, role: table.may("as")?, identity: identity(table)? },
        fact: fields::fact(&kind, table)?,
        seen_rev: fields::seen_rev(table)?,
        prev: table.get("prev")?,
        hash: table.get("hash")?,
    })
}
