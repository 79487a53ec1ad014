//! Who is signed in.

use serde::{Deserialize, Serialize};

use super::Time;

/// A clock that differs by more than this, in seconds, is shown: tokens and times of events are off.
pub const SKEW_SHOWN: f64 = 30.0;

/// The person who is signed in, as the issuer told it over TLS. Every text is harmless to print.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// The name of the credential.
    pub credential: String,
    /// The name to show and to write into events.
    pub name: String,
    /// Who says so.
    pub issuer: String,
    /// The issuer's id of the person (`sub`).
    pub subject: String,
    /// The values of the role claim.
    pub claimed: Vec<String>,
    /// The checklist roles that they give.
    pub roles: Vec<String>,
    /// The scopes that were granted.
    pub scopes: Vec<String>,
    /// The scopes that were asked for and not granted.
    pub withheld: Vec<String>,
    /// When the token ends, by this machine's clock; it is renewed before.
    pub expires: Option<Time>,
    /// The issuer's clock less this one's, in seconds.
    pub clock_offset: Option<f64>,
    /// What else is worth knowing, as sentences.
    pub remarks: Vec<String>,
    /// Why the sign-in has ended, where it has: the name is still known, the token is worth nothing.
    pub ended: Option<String>,
}

impl Person {
    /// Whether the sign-in still stands.
    pub fn is_signed_in(&self) -> bool {
        self.ended.is_none()
    }

    /// Whether the person may act in a checklist role.
    pub fn has(&self, role: &str) -> bool {
        self.roles.iter().any(|own| own == role)
    }

    /// The issuer's clock less this one's, where it is worth telling.
    pub fn skew(&self) -> Option<f64> {
        self.clock_offset.filter(|offset| offset.abs() > SKEW_SHOWN)
    }
}
