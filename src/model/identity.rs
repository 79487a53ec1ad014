//! Who the token stands for, and what the identity service says about itself.

use serde::{Deserialize, Serialize};

/// The person or service behind the credential (`GET /whoami`). Every text is harmless to print.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whoami {
    /// Stable id of the subject.
    pub id: String,
    /// Name to show; the id where the service gives none.
    pub display: String,
    /// Role names as the service grants them.
    pub roles: Vec<String>,
    /// Scopes of the token.
    pub scopes: Vec<String>,
}

/// The service's own description (`GET /meta`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// `launch-identity/1`.
    pub contract: String,
    /// Name and version of the service.
    pub service: String,
    /// The environments it knows.
    pub environments: Vec<String>,
    /// What it can tell: `flags`, `orgs`, `audit`, …
    pub capabilities: Vec<String>,
    /// The shortest interval at which it wants to be polled, in seconds.
    pub min_interval_s: Option<u64>,
}
