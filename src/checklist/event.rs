//! One immutable event of a run: a fact with its author, its moment and its place in the chain.

use serde::{Deserialize, Serialize};

use crate::model::{Time, text};

use super::Fact;

/// What a run is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The real launch.
    #[default]
    Live,
    /// The real systems, nothing executed.
    DryRun,
    /// Against the simulated product.
    Drill,
}

impl Mode {
    /// As written in events and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::DryRun => "dry-run",
            Self::Drill => "drill",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Live, Self::DryRun, Self::Drill].into_iter().find(|mode| mode.as_str() == text)
    }
}

/// `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hash(pub String);

/// Who does it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// `ana@corp`, or `unverified:ana` where nobody authenticated.
    pub by: String,
    /// The role they act in.
    #[serde(rename = "as")]
    pub role: Option<String>,
    /// Who vouches for them, and as whom; names change and are shared, this is neither.
    #[serde(default)]
    pub identity: Option<Identity>,
}

/// A person, as an issuer knows them (`OpenID` Connect Core 2: `iss` and `sub` together, and nothing else,
/// are unique and never given to somebody else).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The issuer's address.
    pub issuer: String,
    /// Its id of the person.
    pub subject: String,
}

impl Author {
    /// Somebody whom nobody authenticated.
    pub fn unverified(name: &str) -> Self {
        let by = if name.starts_with(UNVERIFIED) { name.to_owned() } else { format!("{UNVERIFIED}{name}") };
        Self { by, role: None, identity: None }
    }

    /// Somebody who is signed in.
    pub fn verified(name: &str, issuer: &str, subject: &str) -> Self {
        let identity = Identity { issuer: issuer.to_owned(), subject: subject.to_owned() };
        // The mark of those for whom nobody vouches is nobody's name.
        let mut name = name.trim();
        while let Some(rest) = name.strip_prefix(UNVERIFIED) {
            name = rest.trim();
        }
        let by = if name.is_empty() { subject } else { name };
        Self { by: by.to_owned(), role: None, identity: Some(identity) }
    }

    /// The same person in another role.
    #[must_use]
    pub fn acting_as(&self, role: &str) -> Self {
        Self { role: Some(role.to_owned()), ..self.clone() }
    }

    /// The name for a sentence, harmless to print: `ana` of `unverified:ana`, `ana@corp` as it is.
    pub fn name(&self) -> String {
        text::harmless_line(self.bare(), 60)
    }

    /// Whether nobody vouched for the name.
    pub fn is_unverified(&self) -> bool {
        self.by.starts_with(UNVERIFIED)
    }

    /// Whether both are one person. Of two who are signed in their issuer knows; else the name decides: the
    /// mark of an unverified name makes no second person, and neither do capitals or blanks around it.
    pub fn is_same_person(&self, other: &Author) -> bool {
        match (&self.identity, &other.identity) {
            (Some(own), Some(other)) => own == other,
            _ => self.person() == other.person(),
        }
    }

    /// Whether a name as it stands in a template is this person's.
    pub fn is_named(&self, name: &str) -> bool {
        self.is_same_person(&Author { by: name.to_owned(), role: None, identity: None })
    }

    /// The name for comparing, however the mark is written and however often.
    fn person(&self) -> String {
        let lower = self.by.to_lowercase();
        let mut name = lower.trim();
        while let Some(rest) = name.strip_prefix(UNVERIFIED) {
            name = rest.trim();
        }
        name.to_owned()
    }

    fn bare(&self) -> &str {
        self.by.strip_prefix(UNVERIFIED).unwrap_or(&self.by)
    }
}

const UNVERIFIED: &str = "unverified:";

/// What backs a decision: a number that was true then, or what a person brought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Evidence {
    /// `metric`, `flag`, `alert`, `route`: polled; `link`, `text`, `file`: brought.
    #[serde(rename = "type")]
    pub kind: String,
    /// The expression as asked, or the flag's key, or the alert's name; of what was polled.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub query: Option<String>,
    /// The value as Prometheus prints it, so that NaN and Inf survive; the address, the words, the
    /// name of the file.
    pub value: String,
    /// When the sample was taken.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sampled: Option<Time>,
    /// The source that answered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<String>,
    /// The gate that the number was asked for, where it is not the item's own.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gate: Option<String>,
    /// The hash of the whole answer, or of the file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hash: Option<Hash>,
}

impl Evidence {
    /// Something a person brought: of the kinds `link` and `text`.
    pub fn brought(kind: &str, value: &str) -> Self {
        Self {
            kind: kind.into(),
            query: None,
            value: value.into(),
            sampled: None,
            source: None,
            gate: None,
            hash: None,
        }
    }

    /// Whether a source was asked for it.
    pub fn is_polled(&self) -> bool {
        matches!(self.kind.as_str(), "metric" | "flag" | "alert" | "route")
    }

    /// In a few words, harmless to print: `312`, `link https://…`, `file load.csv`.
    pub fn words(&self) -> String {
        let value = text::harmless_line(&self.value, 160);
        if self.is_polled() { value } else { format!("{} {value}", self.kind) }
    }
}

/// A fact with its place in the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// 1, 2, 3, … dense.
    pub seq: u64,
    /// Idempotency key: a ULID.
    pub id: String,
    /// The store's clock.
    pub at: Time,
    /// Who.
    pub author: Author,
    /// What.
    pub fact: Fact,
    /// The revision that was seen of what the fact changes (see [`Fact::revision`]); else 0.
    pub seen_rev: u64,
    /// Hash of the event before; of nothing for event 1.
    pub prev: Hash,
    /// Hash over length-prefixed fields and `prev`.
    pub hash: Hash,
}
