//! What people do at an identity service: what they change, and in whose name they act.

use serde::{Deserialize, Serialize};

use super::Principal;
use crate::model::Time;

/// Audit events of one poll.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditNews {
    /// New events, oldest first.
    pub events: Vec<AuditEvent>,
    /// The events before them are not theirs to follow: this is a first answer, or the service's log was
    /// begun anew.
    pub anew: bool,
    /// There are more that were not read in this poll; the next one goes on.
    pub more: bool,
    /// Events may have been missed before these: the service's log was begun anew, or it does not know any
    /// more how far it was read.
    #[serde(default)]
    pub missed: bool,
}

/// How many audit events are kept.
pub const AUDIT_KEPT: usize = 500;
/// How many events are kept for an answer that is still to be heard; with more, some are missed.
pub(super) const AUDIT_UNHEARD: usize = 5_000;

/// What somebody changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditTarget {
    /// What it is: `flag`, `user`; empty where the service does not say.
    pub kind: String,
    /// Which one.
    pub id: String,
}

/// Something that somebody changed or did. Every text is harmless to print.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// Its id; later ones are greater as text.
    pub id: String,
    /// When, by the service's clock.
    pub at: Option<Time>,
    /// Whose hand.
    pub actor: Principal,
    /// What: `flag.rollout_changed`.
    pub action: String,
    /// On what.
    pub target: Option<AuditTarget>,
    /// In which organisation, by its id.
    pub org_id: Option<String>,
    /// In which environment.
    pub environment: Option<String>,
    /// Whether it came about.
    pub outcome: AuditOutcome,
    /// What was before, in words; empty where the service does not say.
    pub before: String,
    /// What is after, in words.
    pub after: String,
    /// The impersonation session that it was done in.
    pub impersonation_id: Option<String>,
}

impl AuditEvent {
    /// Whether nothing changed by it: it was refused, or went wrong.
    pub fn came_to_nothing(&self) -> bool {
        matches!(self.outcome, AuditOutcome::Denied | AuditOutcome::Failure)
    }
}

/// Whether what was tried came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditOutcome {
    /// It did.
    Success,
    /// It was refused.
    Denied,
    /// It went wrong.
    Failure,
    /// An outcome that gonogo does not know, or none.
    Other,
}

/// A session in the name of somebody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impersonation {
    /// Its id.
    pub id: String,
    /// Who acts.
    pub actor: Principal,
    /// In whose name, as name to show.
    pub subject: String,
    /// The organisation of that person, by its id.
    pub org_id: Option<String>,
    /// Why.
    pub reason: String,
    /// Whether nothing can be changed in it; `None`: the service does not say.
    pub read_only: Option<bool>,
    /// Since when.
    pub started_at: Option<Time>,
    /// When it ends by itself; `None`: never.
    pub expires_at: Option<Time>,
    /// When it ended.
    pub ended_at: Option<Time>,
}

impl Impersonation {
    /// Whether it goes on at a moment.
    pub fn is_active(&self, now: Time) -> bool {
        [self.ended_at, self.expires_at].into_iter().flatten().all(|end| now < end)
    }
}
