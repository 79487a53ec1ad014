//! An event as a TOML file: the one way it is written, and reading it back.
//!
//! The writer is our own and short, because the text is canonical for as long as a run is kept: a
//! file that differs from it by one byte counts as edited, and a library may change its style.

use std::fmt::Write as _;

use serde::{Deserialize, Deserializer};

use crate::model::{ItemId, Time};

use super::chain::{self, Fields, Value};
use super::{Author, Event, Evidence, Fact, Hash, Mode};

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
    let mut body = chain::body_fields(event).into_iter();
    head.extend(body.next());
    head.push(("at", Value::At(event.at)));
    head.push(("by", Value::Text(event.author.by.clone())));
    head.extend(body);
    head.push(("prev", Value::Text(event.prev.0.clone())));
    head.push(("hash", Value::Text(event.hash.0.clone())));
    lines(&mut out, &head);
    for evidence in chain::evidence(event) {
        out.push_str("[[evidence]]\n");
        lines(&mut out, &chain::evidence_fields(evidence));
    }
    out
}

fn lines(out: &mut String, fields: &Fields) {
    for (name, value) in fields {
        let _ = match value {
            Value::Text(text) => writeln!(out, "{name} = {}", quoted(text)),
            Value::Count(count) => writeln!(out, "{name} = {count}"),
            Value::At(time) => writeln!(out, "{name} = {}", time.rfc3339()),
        };
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
    let unreadable = |e: toml::de::Error| BadEvent::Unreadable(e.message().to_owned());
    let schema = toml::from_str::<Schema>(text).map_err(unreadable)?.schema;
    if schema != 1 {
        return Err(BadEvent::Schema(schema));
    }
    let event = toml::from_str::<File>(text).map_err(unreadable)?.event()?;
    if chain::hash(&event) != event.hash {
        return Err(BadEvent::Hash);
    }
    if render(&event) != text {
        return Err(BadEvent::NotCanonical);
    }
    Ok(event)
}

#[derive(Deserialize)]
struct Schema {
    schema: u64,
}

/// A TOML date-time with an offset.
struct Stamp(Time);

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stamp = toml::value::Datetime::deserialize(deserializer)?;
        Time::parse(&stamp.to_string()).map(Self).map_err(serde::de::Error::custom)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    #[serde(rename = "schema")]
    _schema: u64,
    seq: u64,
    id: String,
    at: Stamp,
    by: String,
    r#as: Option<String>,
    kind: String,
    item: Option<ItemId>,
    item_rev: Option<u64>,
    clock_rev: Option<u64>,
    reason: Option<String>,
    note: Option<String>,
    template: Option<Hash>,
    checklist: Option<String>,
    mode: Option<Mode>,
    t0: Option<Stamp>,
    prev: Hash,
    hash: Hash,
    #[serde(default)]
    evidence: Vec<EvidenceTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EvidenceTable {
    r#type: String,
    query: String,
    value: String,
    sampled: Stamp,
    source: String,
}

impl From<EvidenceTable> for Evidence {
    fn from(table: EvidenceTable) -> Self {
        let EvidenceTable { r#type, query, value, sampled, source } = table;
        Self { kind: r#type, query, value, sampled: sampled.0, source }
    }
}

impl File {
    /// A key that does not belong to the kind of the event is dropped here and found by comparing
    /// with the canonical text.
    fn event(self) -> Result<Event, BadEvent> {
        fn need<T>(value: Option<T>, key: &str) -> Result<T, BadEvent> {
            value.ok_or_else(|| BadEvent::Unreadable(format!("it has no {key}")))
        }
        let seen_rev = self.item_rev.or(self.clock_rev).unwrap_or(0);
        let fact = match self.kind.as_str() {
            "start" => Fact::Start {
                template: need(self.template, "template")?,
                checklist: need(self.checklist, "checklist")?,
                mode: need(self.mode, "mode")?,
                t0: self.t0.map(|t0| t0.0),
            },
            "tick" => Fact::Tick {
                item: need(self.item, "item")?,
                evidence: self.evidence.into_iter().map(Evidence::from).collect(),
            },
            "skip" => Fact::Skip { item: need(self.item, "item")?, reason: need(self.reason, "reason")? },
            "reopen" => Fact::Reopen { item: need(self.item, "item")?, reason: need(self.reason, "reason")? },
            "note" => Fact::Note { item: self.item, text: need(self.note, "note")? },
            "t0" => Fact::T0 { t0: need(self.t0, "t0")?.0 },
            other => return Err(BadEvent::Unreadable(format!("it is of a kind not known here, {other:?}"))),
        };
        Ok(Event {
            seq: self.seq,
            id: self.id,
            at: self.at.0,
            author: Author { by: self.by, role: self.r#as },
            fact,
            seen_rev,
            prev: self.prev,
            hash: self.hash,
        })
    }
}
