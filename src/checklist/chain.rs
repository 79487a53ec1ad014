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
//! `sha256:` and 64 lower-case hexadecimal digits, a list is the netstring of each of its texts,
//! everything is UTF-8. The fields of the body are those of the event's file in their order, but for
//! `schema`, `seq`, `at`, `by`, `prev`, `hash` and the evidence; an evidence's are its own in their
//! order. `prev` of event 1 is the hash of nothing.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::model::{ItemId, Time};

use super::fact::Revised;
use super::fields::{self, Fields};
use super::{Author, Event, Fact, Hash, Run};

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
        match fact.revision() {
            None => 0,
            Some(Revised::Item) => fact.item().and_then(|id| self.item(id)).map_or(0, |(_, state)| state.rev),
            Some(Revised::Clock) => self.clock.rev,
            Some(Revised::Poll) => self.polls.rev,
            Some(Revised::Desk) => self.desk_rev,
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
    let mut bytes = pairs(&fields::of_body(event));
    for evidence in event.fact.evidence() {
        netstring(&mut bytes, b"evidence");
        netstring(&mut bytes, &pairs(&fields::of_evidence(evidence)));
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

/// The count of the bytes, `:`, the bytes, `,`.
pub(super) fn netstring(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes.len().to_string().as_bytes());
    out.push(b':');
    out.extend_from_slice(bytes);
    out.push(b',');
}

/// What a signature binds to: the template (and so the item's definition), the item, the run's
/// parameters, and the evidence on the item. Any of them changing voids it; a note does not.
pub fn binding(run: &Run, item: &ItemId) -> Hash {
    let mut bytes = Vec::new();
    netstring(&mut bytes, run.template_hash.as_ref().map_or("", |hash| &hash.0).as_bytes());
    netstring(&mut bytes, item.as_str().as_bytes());
    for (name, value) in &run.params {
        netstring(&mut bytes, format!("{name}={value}").as_bytes());
    }
    for evidence in run.item(item).into_iter().flat_map(|(_, state)| &state.evidence) {
        netstring(&mut bytes, &pairs(&fields::of_evidence(evidence)));
    }
    Hash::of(&bytes)
}
