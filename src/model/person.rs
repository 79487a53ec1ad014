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
    /// Whether the config says where in the claims the roles are; else nobody knows them.
    pub tells_roles: bool,
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

    /// Whether the person may act in a checklist role: one that the issuer gives, or any where the
    /// config does not say where the roles are.
    pub fn may_act_as(&self, role: &str) -> bool {
        !self.tells_roles || self.roles.iter().any(|own| own == role)
    }

    /// Why they may not act in a role, as a sentence.
    pub fn without(&self, role: &str) -> String {
        let roles = if self.roles.is_empty() { "none".to_owned() } else { self.roles.join(", ") };
        format!("{} may not act as {role}: the issuer gives these roles: {roles}", self.name)
    }

    /// The issuer's clock less this one's, where it is worth telling.
    pub fn skew(&self) -> Option<f64> {
        self.clock_offset.filter(|offset| offset.abs() > SKEW_SHOWN)
    }
}
