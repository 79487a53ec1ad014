//! The JSON of what is told beside flags: organisations, entitlements, roles, impersonation, changes.

use serde::Deserialize;
use serde_json::Value;

use super::wire::{PrincipalDoc, clean, clean_all, end, named, time};
use crate::model::identity::{
    AuditEvent, AuditNews, AuditOutcome, AuditTarget, Entitlement, Entitlements, Impersonation, Org,
    OrgStatus, Orgs, Principal, PrincipalKind, Role, Roles, Scope,
};
use crate::model::text::harmless_line;
use crate::model::{Fault, FaultCode};

/// The longest text that is kept of a reason, a description, or a state.
const SENTENCE: usize = 300;

#[derive(Deserialize)]
pub(super) struct OrgsDoc {
    next_cursor: Option<String>,
    orgs: Vec<OrgDoc>,
}

#[derive(Deserialize)]
struct OrgDoc {
    id: String,
    slug: Option<String>,
    name: Option<String>,
    plan: Option<String>,
    status: Option<String>,
    region: Option<String>,
    member_count: Option<u64>,
    created_at: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct EntitlementsDoc {
    org_id: String,
    plan: Option<String>,
    updated_at: Option<String>,
    entitlements: Vec<EntitlementDoc>,
}

#[derive(Deserialize)]
struct EntitlementDoc {
    key: String,
    granted: bool,
    source: Option<String>,
    limit: Option<f64>,
    used: Option<f64>,
    expires_at: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct RolesDoc {
    roles: Vec<RoleDoc>,
    scopes: Option<Vec<ScopeDoc>>,
}

#[derive(Deserialize)]
struct RoleDoc {
    key: String,
    name: Option<String>,
    system: Option<bool>,
    scopes: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct ScopeDoc {
    key: String,
    description: Option<String>,
    introduced_in: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct AuditDoc {
    head: Option<String>,
    has_more: Option<bool>,
    events: Vec<EventDoc>,
}

#[derive(Deserialize)]
struct EventDoc {
    id: String,
    at: Option<String>,
    actor: Option<PrincipalDoc>,
    action: String,
    target: Option<TargetDoc>,
    org_id: Option<String>,
    environment: Option<String>,
    outcome: Option<String>,
    before: Option<Value>,
    after: Option<Value>,
    impersonation_id: Option<String>,
}

#[derive(Deserialize)]
struct TargetDoc {
    #[serde(rename = "type")]
    kind: Option<String>,
    id: String,
}

#[derive(Deserialize)]
pub(super) struct ImpersonationsDoc {
    sessions: Vec<SessionDoc>,
}

#[derive(Deserialize)]
struct SessionDoc {
    id: String,
    actor: PrincipalDoc,
    subject: SubjectDoc,
    reason: Option<String>,
    read_only: Option<bool>,
    started_at: Option<String>,
    expires_at: Option<String>,
    ended_at: Option<String>,
}

#[derive(Deserialize)]
struct SubjectDoc {
    id: String,
    display: Option<String>,
    org_id: Option<String>,
}

impl OrgsDoc {
    /// A page, and the cursor of the next.
    ///
    /// # Errors
    /// An organisation without an id: nothing could be said of it.
    pub(super) fn orgs(self) -> Result<(Orgs, Option<String>), Fault> {
        if self.orgs.iter().any(|org| org.id.trim().is_empty()) {
            return Err(Fault::new(FaultCode::Unreadable, "an organisation has no id"));
        }
        let orgs = self.orgs.into_iter().map(OrgDoc::org).collect();
        Ok((Orgs { orgs, more: false }, self.next_cursor.filter(|next| !next.is_empty())))
    }
}

impl OrgDoc {
    fn org(self) -> Org {
        let id = clean(&self.id);
        let slug = clean(&self.slug.unwrap_or_default());
        let name = named(self.name.as_deref());
        let fallback = || if slug.is_empty() { id.clone() } else { slug.clone() };
        Org {
            name: name.unwrap_or_else(fallback),
            plan: clean(&self.plan.unwrap_or_default()),
            status: match self.status.as_deref() {
                Some("active") => OrgStatus::Active,
                Some("trial") => OrgStatus::Trial,
                Some("suspended") => OrgStatus::Suspended,
                Some("closed") => OrgStatus::Closed,
                _ => OrgStatus::Other,
            },
            region: clean(&self.region.unwrap_or_default()),
            members: self.member_count,
            created_at: time(self.created_at.as_deref()),
            id,
            slug,
        }
    }
}

impl EntitlementsDoc {
    /// # Errors
    /// An answer about another organisation; an end that is no moment; a limit that is no number.
    pub(super) fn of(self, id: &str) -> Result<Entitlements, Fault> {
        let org_id = clean(&self.org_id);
        if org_id != id {
            let text = format!("answers for organisation {org_id}, not {id}");
            return Err(Fault::new(FaultCode::Unreadable, text));
        }
        let entitlements = self.entitlements.into_iter().map(EntitlementDoc::entitlement);
        Ok(Entitlements {
            org_id,
            plan: clean(&self.plan.unwrap_or_default()),
            updated_at: time(self.updated_at.as_deref()),
            entitlements: entitlements.collect::<Result<_, _>>()?,
        })
    }
}

impl EntitlementDoc {
    fn entitlement(self) -> Result<Entitlement, Fault> {
        let key = clean(&self.key);
        Ok(Entitlement {
            expires_at: end(&format!("entitlement {key}: expires_at"), self.expires_at.as_deref())?,
            key,
            granted: self.granted,
            source: clean(&self.source.unwrap_or_default()),
            limit: self.limit,
            used: self.used,
        })
    }
}

impl RolesDoc {
    pub(super) fn roles(self) -> Roles {
        let role = |role: RoleDoc| Role {
            name: named(role.name.as_deref()).unwrap_or_else(|| clean(&role.key)),
            key: clean(&role.key),
            system: role.system.unwrap_or(false),
            scopes: clean_all(role.scopes),
        };
        let scope = |scope: ScopeDoc| Scope {
            key: clean(&scope.key),
            description: harmless_line(&scope.description.unwrap_or_default(), SENTENCE),
            introduced_in: clean(&scope.introduced_in.unwrap_or_default()),
        };
        Roles {
            roles: self.roles.into_iter().map(role).collect(),
            scopes: self.scopes.into_iter().flatten().map(scope).collect(),
        }
    }
}

impl AuditDoc {
    /// The events after the one with this id. Where the newest one of the log lies before it, the log is
    /// another one.
    ///
    /// # Errors
    /// An event without an id: the tail could not be followed.
    pub(super) fn news(self, after: Option<&str>) -> Result<AuditNews, Fault> {
        if self.events.iter().any(|event| event.id.trim().is_empty()) {
            return Err(Fault::new(FaultCode::Unreadable, "an audit event has no id"));
        }
        let head = self.head.as_deref().map(clean);
        Ok(AuditNews {
            anew: matches!((&head, after), (Some(head), Some(after)) if head.as_str() < after),
            more: self.has_more.unwrap_or(false),
            missed: false,
            events: self.events.into_iter().map(EventDoc::event).collect(),
        })
    }
}

impl EventDoc {
    fn event(self) -> AuditEvent {
        let nobody =
            || Principal { id: String::new(), kind: PrincipalKind::Other, display: "nobody named".into() };
        AuditEvent {
            id: clean(&self.id),
            at: time(self.at.as_deref()),
            actor: self.actor.as_ref().map_or_else(nobody, PrincipalDoc::principal),
            action: clean(&self.action),
            target: self.target.map(TargetDoc::target),
            org_id: named(self.org_id.as_deref()),
            environment: named(self.environment.as_deref()),
            outcome: match self.outcome.as_deref() {
                Some("success") => AuditOutcome::Success,
                Some("denied") => AuditOutcome::Denied,
                Some("failure") => AuditOutcome::Failure,
                _ => AuditOutcome::Other,
            },
            before: words(self.before.as_ref()),
            after: words(self.after.as_ref()),
            impersonation_id: named(self.impersonation_id.as_deref()),
        }
    }
}

impl TargetDoc {
    fn target(self) -> AuditTarget {
        AuditTarget { kind: clean(&self.kind.unwrap_or_default()), id: clean(&self.id) }
    }
}

impl ImpersonationsDoc {
    /// # Errors
    /// An end that is no moment.
    pub(super) fn sessions(self) -> Result<Vec<Impersonation>, Fault> {
        self.sessions.into_iter().map(SessionDoc::session).collect()
    }
}

impl SessionDoc {
    fn session(self) -> Result<Impersonation, Fault> {
        let id = clean(&self.id);
        let until = |what: &str, text: Option<String>| end(&format!("session {id}: {what}"), text.as_deref());
        Ok(Impersonation {
            actor: self.actor.principal(),
            subject: named(self.subject.display.as_deref()).unwrap_or_else(|| clean(&self.subject.id)),
            org_id: named(self.subject.org_id.as_deref()),
            reason: harmless_line(&self.reason.unwrap_or_default(), SENTENCE),
            read_only: self.read_only,
            started_at: time(self.started_at.as_deref()),
            expires_at: until("expires_at", self.expires_at)?,
            ended_at: until("ended_at", self.ended_at)?,
            id,
        })
    }
}

/// A state in words: `{"percent": 10, "enabled": true}` is `enabled true, percent 10`.
fn words(state: Option<&Value>) -> String {
    let text = match state {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Object(fields)) => {
            let plain = |value: &Value| match value {
                Value::String(text) => text.clone(),
                // `25.0` is how some write 25.
                Value::Number(number) => number
                    .as_f64()
                    .filter(|n| n.fract() == 0.0)
                    .map_or_else(|| number.to_string(), |n| n.to_string()),
                other => other.to_string(),
            };
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name} {}", plain(value))).collect();
            fields.join(", ")
        }
        Some(other) => other.to_string(),
    };
    harmless_line(&text, SENTENCE)
}

#[cfg(test)]
mod tests {
    use serde_json::{from_str, json};

    use super::*;

    #[test]
    fn an_organisation_is_named_by_what_there_is_and_a_strange_status_is_other() {
        let text = r#"{"orgs":[{"id":"org_1","slug":"acme","name":" ","status":"hibernating","new":{"a":1}},
            {"id":"org_2","name":"A\u001bB","status":"active","member_count":8,"plan":null}],"next_cursor":""}"#;
        let (orgs, next) = from_str::<OrgsDoc>(text).unwrap().orgs().unwrap();
        let told: Vec<_> = orgs.orgs.iter().map(|o| (o.name.as_str(), o.status, o.members)).collect();
        assert_eq!(told, [("acme", OrgStatus::Other, None), ("A\\u{1b}B", OrgStatus::Active, Some(8))]);
        assert_eq!(next, None);
        let nameless = from_str::<OrgsDoc>(r#"{"orgs":[{"id":" "}]}"#).unwrap().orgs();
        assert_eq!(nameless.unwrap_err().text, "an organisation has no id");
        assert!(from_str::<OrgsDoc>(r#"{"orgs":[{"id":"a","member_count":-3}]}"#).is_err());
    }

    #[test]
    fn an_end_that_cannot_be_read_never_looks_like_no_end() {
        let of = |expires: &str| {
            let text = format!(
                r#"{{"org_id":"org_1","entitlements":[{{"key":"tasks","granted":true,"expires_at":{expires}}}]}}"#
            );
            from_str::<EntitlementsDoc>(&text).unwrap().of("org_1").map(|e| e.entitlements[0].expires_at)
        };
        assert_eq!(of("null").unwrap(), None);
        assert!(of(r#""2026-11-23T02:27:42Z""#).unwrap().is_some());
        assert_eq!(of(r#""soon""#).unwrap_err().text, "entitlement tasks: expires_at \"soon\" is no moment");
        let foreign =
            from_str::<EntitlementsDoc>(r#"{"org_id":"org_2","entitlements":[]}"#).unwrap().of("org_1");
        assert_eq!(foreign.unwrap_err().text, "answers for organisation org_2, not org_1");
        let session = r#"{"sessions":[{"id":"imp_1","actor":{"id":"sam","kind":"robot"},"subject":{"id":"u_42"},
            "expires_at":"later"}]}"#;
        assert!(from_str::<ImpersonationsDoc>(session).unwrap().sessions().is_err());
    }

    #[test]
    fn an_audit_event_says_who_did_what_to_what_and_what_it_was_before() {
        let text = r#"{"head":"ev_2","has_more":false,"events":[{"id":"ev_2","at":"2026-11-23T02:27:42.083Z",
            "actor":{"id":"ravi","kind":"user","display":"Ravi"},"action":"flag.rollout_changed",
            "target":{"type":"flag","id":"tasks.enabled"},"org_id":null,"environment":"production",
            "outcome":"sideways","before":{"percent":10},"after":{"percent":25,"note":"x"},"impersonation_id":null},
            {"id":"ev_3","at":"?","actor":null,"action":"a","before":[1],"after":"text"}]}"#;
        let news = from_str::<AuditDoc>(text).unwrap().news(Some("ev_1")).unwrap();
        let [first, second] = news.events.as_slice() else { panic!("{news:?}") };
        assert_eq!((first.before.as_str(), first.after.as_str()), ("percent 10", "note x, percent 25"));
        assert_eq!((first.outcome, first.actor.kind), (AuditOutcome::Other, PrincipalKind::User));
        assert_eq!((second.at, second.actor.display.as_str()), (None, "nobody named"));
        assert_eq!((second.before.as_str(), second.after.as_str(), news.anew), ("[1]", "text", false));
        let anew =
            from_str::<AuditDoc>(r#"{"head":"ev_1","events":[]}"#).unwrap().news(Some("ev_2")).unwrap();
        assert!(anew.anew && !anew.more);
        assert_eq!(words(Some(&json!({}))), "");
    }
}
