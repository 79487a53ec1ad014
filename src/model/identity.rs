//! Who the token stands for, what the identity service says about itself, and what it tells of
//! organisations, entitlements, roles, impersonation and changes.

mod doings;

use serde::{Deserialize, Serialize};

use super::{Fault, Time};

use doings::AUDIT_UNHEARD;
pub use doings::{AUDIT_KEPT, AuditEvent, AuditNews, AuditOutcome, AuditTarget, Impersonation};

/// The contract that gonogo reads.
pub const CONTRACT: &str = "launch-identity/1";

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
    /// JSON pointers to everything that the service says of the subject and that is not null: `/org_id`,
    /// `/subject/id`.
    #[serde(default)]
    pub claims: Vec<String>,
    /// The organisation that the subject acts in.
    #[serde(default)]
    pub org_id: Option<String>,
    /// When the token ends.
    #[serde(default)]
    pub expires_at: Option<Time>,
    /// Who acts in the subject's name; `None`: the subject itself.
    #[serde(default)]
    pub impersonator: Option<Principal>,
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

impl Meta {
    /// Whether the service says that it can tell this.
    pub fn can(&self, capability: Capability) -> bool {
        self.capabilities.iter().any(|c| c == capability.as_str())
    }
}

/// What a service of the contract can tell; what it does not list is never asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// The rollout state of flags.
    Flags,
    /// Organisations.
    Orgs,
    /// What organisations may use.
    Entitlements,
    /// Roles with their scopes.
    Roles,
    /// Sessions in the name of somebody else.
    Impersonation,
    /// What was changed, and by whom.
    Audit,
}

impl Capability {
    /// Its name in `meta.capabilities`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flags => "flags",
            Self::Orgs => "orgs",
            Self::Entitlements => "entitlements",
            Self::Roles => "roles",
            Self::Impersonation => "impersonation",
            Self::Audit => "audit",
        }
    }
}

/// A part of an answer that was asked for: when, and what came of it. Parts fail each on their own
/// account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part<T> {
    /// When it was asked for, by this program's clock.
    pub asked: Time,
    /// What it told, or why it did not.
    pub outcome: Result<T, Fault>,
}

/// What one poll of an identity service brought beside flags; a part that was not asked for in this
/// poll is `None`, and what was told of it before still stands, with its age.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct IdentityAnswer {
    /// All organisations.
    pub orgs: Option<Part<Orgs>>,
    /// Entitlements of the organisations that were asked about in this poll, by their id.
    pub entitlements: Vec<(String, Part<Entitlements>)>,
    /// Roles and scopes.
    pub roles: Option<Part<Roles>>,
    /// Audit events that are new since the last poll.
    pub audit: Option<Part<AuditNews>>,
    /// Impersonation sessions that are active.
    pub impersonations: Option<Part<Vec<Impersonation>>>,
    /// Why the service did not say what it can tell; then nothing of the above is asked for.
    pub meta: Option<Fault>,
    /// Why it did not say who the credential stands for.
    pub whoami: Option<Fault>,
    /// What else is odd, in words: an environment that it does not know.
    pub remarks: Vec<String>,
}

impl IdentityAnswer {
    /// This answer with what an earlier one told that nobody has heard of: a part that was not asked for
    /// again, and the events before those of this one.
    #[must_use]
    pub fn after(mut self, earlier: Self) -> Self {
        self.orgs = self.orgs.or(earlier.orgs);
        self.roles = self.roles.or(earlier.roles);
        self.impersonations = self.impersonations.or(earlier.impersonations);
        let again = |id: &String| self.entitlements.iter().any(|(other, _)| other == id);
        let kept: Vec<_> = earlier.entitlements.into_iter().filter(|(id, _)| !again(id)).collect();
        self.entitlements.extend(kept);
        self.audit = match (self.audit, earlier.audit) {
            (Some(Part { asked, outcome: Ok(new) }), Some(Part { outcome: Ok(old), .. })) if !new.anew => {
                let AuditNews { mut events, anew, missed, .. } = old;
                events.extend(new.events);
                let over = events.len().saturating_sub(AUDIT_UNHEARD);
                events.drain(..over);
                let missed = missed || new.missed || over > 0;
                Some(Part { asked, outcome: Ok(AuditNews { events, anew, more: new.more, missed }) })
            }
            // Events come but once; what went wrong goes wrong again.
            (Some(Part { outcome: Err(_), .. }), Some(old @ Part { outcome: Ok(_), .. })) => Some(old),
            (new, old) => new.or(old),
        };
        self
    }
}

/// A person, a service or the system itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Stable id.
    pub id: String,
    /// What it is.
    pub kind: PrincipalKind,
    /// Name to show; the id where the service gives none.
    pub display: String,
}

/// What acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrincipalKind {
    /// A person.
    User,
    /// A program with a credential of its own.
    Service,
    /// The identity service itself.
    System,
    /// A kind that gonogo does not know.
    Other,
}

/// Organisations, in the order of the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orgs {
    /// As far as they were read.
    pub orgs: Vec<Org>,
    /// There are more than gonogo reads.
    pub more: bool,
}

/// An organisation. Every text is harmless to print.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Org {
    /// Stable id.
    pub id: String,
    /// Short name as addresses use it; may be empty.
    pub slug: String,
    /// Name to show; the slug, else the id, where the service gives none.
    pub name: String,
    /// What it pays for; empty where the service does not say.
    pub plan: String,
    /// Whether it may do anything at all.
    pub status: OrgStatus,
    /// Where its data lives; empty where the service does not say.
    pub region: String,
    /// How many people belong to it.
    pub members: Option<u64>,
    /// Since when there is one.
    pub created_at: Option<Time>,
}

/// Whether an organisation may do anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrgStatus {
    /// It works.
    Active,
    /// It tries the product.
    Trial,
    /// It may do nothing for now.
    Suspended,
    /// It is gone.
    Closed,
    /// A status that gonogo does not know.
    Other,
}

impl OrgStatus {
    /// The word for the screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Trial => "trial",
            Self::Suspended => "suspended",
            Self::Closed => "closed",
            Self::Other => "other",
        }
    }
}

/// What an organisation may use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entitlements {
    /// The organisation's id.
    pub org_id: String,
    /// Its plan; empty where the service does not say.
    pub plan: String,
    /// When they were changed last.
    pub updated_at: Option<Time>,
    /// Each of them.
    pub entitlements: Vec<Entitlement>,
}

impl Entitlements {
    /// Whether it may use something at a moment: granted and not expired. What is not listed is not
    /// granted.
    pub fn grants(&self, key: &str, now: Time) -> bool {
        self.entitlements.iter().any(|e| e.key == key && e.holds(now))
    }
}

/// One right of an organisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entitlement {
    /// What it is for: `tasks`.
    pub key: String,
    /// Whether it has it.
    pub granted: bool,
    /// Where it has it from: `plan`, `override`; empty where the service does not say.
    pub source: String,
    /// How much of it.
    pub limit: Option<f64>,
    /// How much is used up.
    pub used: Option<f64>,
    /// When it ends; `None`: never.
    pub expires_at: Option<Time>,
}

impl Entitlement {
    /// Whether it is granted and has not ended at a moment.
    pub fn holds(&self, now: Time) -> bool {
        self.granted && self.expires_at.is_none_or(|end| now < end)
    }
}

/// Roles, and the scopes that there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roles {
    /// Each role.
    pub roles: Vec<Role>,
    /// What the scopes mean.
    pub scopes: Vec<Scope>,
}

/// What people may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Its key.
    pub key: String,
    /// Name to show; the key where the service gives none.
    pub name: String,
    /// Whether it comes with the product and cannot be edited.
    pub system: bool,
    /// What it allows.
    pub scopes: Vec<String>,
}

/// One thing that may be allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Its key: `tasks:read`.
    pub key: String,
    /// What it is for; may be empty.
    pub description: String,
    /// With what it came, as the service writes it: a date or a version; empty where it was always there.
    pub introduced_in: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_is_granted_no_more_and_what_is_not_listed_never_was() {
        let at = |s: i64| Time::from_millis(s * 1000);
        let entitlement = |key: &str, granted, expires_at| Entitlement {
            key: key.into(),
            granted,
            source: "plan".into(),
            limit: None,
            used: None,
            expires_at,
        };
        let of = Entitlements {
            org_id: "org_acme".into(),
            plan: "team".into(),
            updated_at: None,
            entitlements: vec![
                entitlement("tasks", true, Some(at(100))),
                entitlement("billing", true, None),
                entitlement("sso", false, None),
            ],
        };
        let told = |now| ["tasks", "billing", "sso", "absent"].map(|key| of.grants(key, at(now)));
        assert_eq!(told(99), [true, true, false, false]);
        assert_eq!(told(100), [false, true, false, false]);
    }

    #[test]
    fn no_event_is_lost_with_an_answer_that_nobody_heard() {
        let at = Time::from_millis;
        let event = |id: &str| AuditEvent {
            id: id.into(),
            at: None,
            actor: Principal { id: "a".into(), kind: PrincipalKind::User, display: "A".into() },
            action: "x".into(),
            target: None,
            org_id: None,
            environment: None,
            outcome: AuditOutcome::Success,
            before: String::new(),
            after: String::new(),
            impersonation_id: None,
        };
        let told = |asked, ids: &[&str], anew| IdentityAnswer {
            audit: Some(Part {
                asked: at(asked),
                outcome: Ok(AuditNews {
                    events: ids.iter().map(|id| event(id)).collect(),
                    anew,
                    more: false,
                    missed: false,
                }),
            }),
            ..IdentityAnswer::default()
        };
        let ids = |answer: IdentityAnswer| {
            let news = answer.audit.unwrap().outcome.unwrap();
            (news.anew, news.events.into_iter().map(|e| e.id).collect::<Vec<_>>().join(" "))
        };
        let first = told(1, &["1", "2"], true);
        assert_eq!(ids(told(2, &["3"], false).after(first.clone())), (true, "1 2 3".into()));
        assert_eq!(ids(told(2, &["9"], true).after(first.clone())), (true, "9".into()));
        assert_eq!(ids(IdentityAnswer::default().after(first.clone())), (true, "1 2".into()));
        let fault = Fault::new(crate::model::FaultCode::Status, "answers 500");
        let failed = IdentityAnswer {
            audit: Some(Part { asked: at(2), outcome: Err(fault) }),
            ..IdentityAnswer::default()
        };
        assert_eq!(ids(failed.after(first)), (true, "1 2".into()));
        // What is kept has an end, and what falls out of it is missed.
        let many: Vec<String> = (0..AUDIT_UNHEARD).map(|n| format!("{n:05}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let news = |answer: IdentityAnswer| answer.audit.unwrap().outcome.unwrap();
        let whole = news(told(2, &many[1..], false).after(told(1, &many[..1], false)));
        assert_eq!((whole.events.len(), whole.missed), (AUDIT_UNHEARD, false));
        let cut = news(told(2, &["99999"], false).after(told(1, &many, false)));
        assert_eq!((cut.events.len(), cut.events[0].id.as_str(), cut.missed), (AUDIT_UNHEARD, "00001", true));
    }

    #[test]
    fn who_was_told_before_these_fields_existed_is_still_read() {
        let old = r#"{"id":"ada","display":"Ada","roles":[],"scopes":["flags:read"]}"#;
        let who: Whoami = serde_json::from_str(old).unwrap();
        assert_eq!((who.org_id, who.expires_at, who.impersonator), (None, None, None));
    }
}
