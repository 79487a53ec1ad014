//! The hash chain over events.
//!
//! A *netstring* is the count of its bytes in decimal, `:`, the bytes, `,`; N(x) below. Nothing is
//! hashed that is not inside one, so no two events can run together into the same bytes, and a
//! database can compute the same hash from its columns without knowing TOML:
//!
//! ```text
//! body = for each field: N(name) N(value);  for each evidence: N("evidence") N(its fields alike)
//! hash = sha256( N(prev) N(seq) N(at) N(by) N(sha256(body)) )
//! ```
//!
//! `seq` is decimal, `at` RFC 3339 in UTC with three digits of milliseconds, a hash is written
//! `sha256:` and 64 lower-case hexadecimal digits, everything is UTF-8. The fields of the body are, in
//! this order and left out where the event has none: `id`, `as`, `kind`, `item`, `item-rev` or
//! `clock-rev`, `reason`, `note`, `template`, `checklist`, `mode`, `t0`. Fields of one evidence:
//! `type`, `query`, `value`, `sampled`, `source`. `prev` of event 1 is the hash of nothing.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::model::Time;

use super::{Author, Event, Evidence, Fact, Hash, Run};

/// One value of an event file; its kind decides how TOML writes it, not how it is hashed.
pub(super) enum Value {
    /// A text.
    Text(String),
    /// A count.
    Count(u64),
    /// A moment.
    At(Time),
}

impl Value {
    fn hashed(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::At(time) => time.rfc3339(),
        }
    }
}

/// Names and values in the order in which they are hashed and written.
pub(super) type Fields = Vec<(&'static str, Value)>;

impl Hash {
    /// The SHA-256 of some bytes: of a template's, or of nothing, before event 1.
    pub fn of(bytes: &[u8]) -> Self {
        let mut text = String::from("sha256:");
        for byte in Sha256::digest(bytes) {
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// The first twelve hexadecimal digits, for a screen.
    pub fn short(&self) -> &str {
        let digits = self.digits();
        digits.get(..12).unwrap_or(digits)
    }

    /// Whether `text` is this hash, or at least its first eight digits, with or without `sha256:`.
    pub fn is_named_by(&self, text: &str) -> bool {
        let text = text.trim();
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        digits.len() >= 8 && self.digits().starts_with(&digits.to_ascii_lowercase())
    }

    fn digits(&self) -> &str {
        self.0.strip_prefix("sha256:").unwrap_or(&self.0)
    }
}

/// An event that does not follow the one before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenChain {
    /// Its number is not the next one.
    #[error("it says that it is event {found}, and {expected} is due")]
    Number {
        /// Its own number.
        found: u64,
        /// The next one.
        expected: u64,
    },
    /// It was made to follow another event than the one that is there.
    #[error(
        "it does not follow the event before it: that one was edited, replaced or removed after this was written"
    )]
    Previous,
    /// A run begins with its start, and starts once.
    #[error("a run begins with its start, once, as event 1")]
    Start,
}

impl Run {
    /// The fact as this run's next event, hashed, with the revision that it was decided on.
    pub fn next_event(&self, id: &str, at: Time, author: &Author, fact: Fact) -> Event {
        let mut event = Event {
            seq: self.seq + 1,
            id: id.to_owned(),
            at,
            author: author.clone(),
            seen_rev: self.seen_rev(&fact),
            fact,
            prev: self.head.clone().unwrap_or_else(|| Hash::of(b"")),
            hash: Hash(String::new()),
        };
        event.hash = hash(&event);
        event
    }

    /// Whether the event is this run's next one: the next number, made to follow this head.
    ///
    /// # Errors
    /// [`BrokenChain`], in words.
    pub fn follows(&self, event: &Event) -> Result<(), BrokenChain> {
        if event.seq != self.seq + 1 {
            return Err(BrokenChain::Number { found: event.seq, expected: self.seq + 1 });
        }
        if event.prev != self.head.clone().unwrap_or_else(|| Hash::of(b"")) {
            return Err(BrokenChain::Previous);
        }
        if (event.seq == 1) != matches!(event.fact, Fact::Start { .. }) {
            return Err(BrokenChain::Start);
        }
        Ok(())
    }

    fn seen_rev(&self, fact: &Fact) -> u64 {
        match fact {
            Fact::T0 { .. } => self.clock_rev,
            fact => fact.item().and_then(|id| self.item(id)).map_or(0, |(_, state)| state.rev),
        }
    }
}

/// The hash that an event must carry.
pub fn hash(event: &Event) -> Hash {
    let mut bytes = Vec::new();
    netstring(&mut bytes, event.prev.0.as_bytes());
    netstring(&mut bytes, event.seq.to_string().as_bytes());
    netstring(&mut bytes, event.at.rfc3339().as_bytes());
    netstring(&mut bytes, event.author.by.as_bytes());
    netstring(&mut bytes, Hash::of(&body(event)).0.as_bytes());
    Hash::of(&bytes)
}

fn body(event: &Event) -> Vec<u8> {
    let mut bytes = pairs(&body_fields(event));
    for evidence in evidence(event) {
        netstring(&mut bytes, b"evidence");
        netstring(&mut bytes, &pairs(&evidence_fields(evidence)));
    }
    bytes
}

fn pairs(fields: &Fields) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields {
        netstring(&mut bytes, name.as_bytes());
        netstring(&mut bytes, value.hashed().as_bytes());
    }
    bytes
}

fn netstring(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes.len().to_string().as_bytes());
    out.push(b':');
    out.extend_from_slice(bytes);
    out.push(b',');
}

/// The fields of the body. `id` and `as` are in it, because whoever could change them unnoticed could
/// change in whose name something was done.
pub(super) fn body_fields(event: &Event) -> Fields {
    let text = |text: &str| Value::Text(text.to_owned());
    let mut fields = vec![("id", text(&event.id))];
    if let Some(role) = &event.author.role {
        fields.push(("as", text(role)));
    }
    fields.push(("kind", text(event.fact.kind())));
    if let Some(item) = event.fact.item() {
        fields.push(("item", text(item.as_str())));
        fields.push(("item-rev", Value::Count(event.seen_rev)));
    }
    match &event.fact {
        Fact::Start { template, checklist, mode, t0 } => {
            fields.push(("template", text(&template.0)));
            fields.push(("checklist", text(checklist)));
            fields.push(("mode", text(mode.as_str())));
            fields.extend(t0.map(|t0| ("t0", Value::At(t0))));
        }
        Fact::Tick { .. } => {}
        Fact::Skip { reason, .. } | Fact::Reopen { reason, .. } => fields.push(("reason", text(reason))),
        Fact::Note { text: words, .. } => fields.push(("note", text(words))),
        Fact::T0 { t0 } => {
            fields.push(("clock-rev", Value::Count(event.seen_rev)));
            fields.push(("t0", Value::At(*t0)));
        }
    }
    fields
}

pub(super) fn evidence(event: &Event) -> &[Evidence] {
    match &event.fact {
        Fact::Tick { evidence, .. } => evidence,
        _ => &[],
    }
}

pub(super) fn evidence_fields(evidence: &Evidence) -> Fields {
    let text = |text: &str| Value::Text(text.to_owned());
    vec![
        ("type", text(&evidence.kind)),
        ("query", text(&evidence.query)),
        ("value", text(&evidence.value)),
        ("sampled", Value::At(evidence.sampled)),
        ("source", text(&evidence.source)),
    ]
}
