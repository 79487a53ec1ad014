//! Rooms on an identity service that tells everything, only some parts, or nothing of it.

use std::sync::Arc;
use std::time::Duration;

use gonogo::app::command::Keymap;
use gonogo::app::{Msg, State, update};
use gonogo::model::identity::{
    AuditEvent, AuditNews, AuditOutcome, AuditTarget, Entitlement, Entitlements, IdentityAnswer,
    Impersonation, Meta, Org, OrgStatus, Orgs, Part, Principal, PrincipalKind, Role, Roles, Scope,
};
use gonogo::model::launch::TenantsDef;
use gonogo::model::{Answer, Fault, FaultCode, Polled, RouteDef};

use super::launch::{launch, template};
use super::{Day, answer, at, play};

/// What the service tells.
#[derive(Clone, Copy, PartialEq)]
pub enum Teller {
    /// Everything.
    Open,
    /// The token lacks scopes, and roles are not offered.
    Scoped,
    /// It has said nothing beside flags.
    Silent,
}

const NOW: i64 = 1200;

/// The room after twenty minutes.
pub fn room(teller: Teller) -> State {
    let mut launch = launch();
    launch.tenants =
        Some(TenantsDef { entitlement: "tasks".into(), traffic: "tenants".into(), refused: None });
    let keymap = Keymap::new(&std::collections::BTreeMap::new()).unwrap();
    let mut state = State::new(Arc::new(launch), Some(Arc::new(template())), keymap, at(0));
    super::open(&mut state);
    play(&mut state, Day::Calm, NOW - 300, NOW - 5);
    let told = match teller {
        Teller::Open => everything(),
        Teller::Scoped => scoped(),
        Teller::Silent => IdentityAnswer::default(),
    };
    tell(&mut state, teller, NOW - 2, told);
    for id in ["worker", "api"] {
        update(&mut state, Msg::Polled(Box::new(super::poll(id, Day::Calm, NOW - 1))));
    }
    update(&mut state, Msg::Clock(at(NOW)));
    state
}

/// One answer of the service.
fn tell(state: &mut State, teller: Teller, second: i64, identity: IdentityAnswer) {
    let mut told = Answer { identity: Some(identity), ..answer("identity", Day::Calm, second) };
    let lists: &[&str] = match teller {
        Teller::Open => &["flags", "orgs", "roles", "entitlements", "audit", "impersonation"],
        Teller::Scoped => &["flags", "orgs", "entitlements", "audit", "impersonation"],
        Teller::Silent => &[],
    };
    told.meta = (teller != Teller::Silent).then(|| Meta {
        contract: "launch-identity/1".into(),
        service: "identity 4.2.0".into(),
        environments: vec!["production".into()],
        capabilities: lists.iter().map(|word| (*word).to_owned()).collect(),
        min_interval_s: None,
    });
    let took = Duration::from_millis(30);
    let poll = Polled { source: "identity".into(), asked: at(second), took, outcome: Ok(told) };
    update(state, Msg::Polled(Box::new(poll)));
}

/// Everything was told, with what two routes need; then, with `fault`, the service fell silent.
pub fn with_routes(fault: Option<Fault>) -> State {
    let mut state = room(Teller::Open);
    let route = |id: &str, scope: &str| RouteDef {
        id: id.into(),
        title: id.into(),
        source: "identity".into(),
        scopes: vec![scope.into()],
        ..RouteDef::default()
    };
    state.watch.routes = vec![route("list", "tasks:read"), route("purge", "tasks:purge")];
    tell(&mut state, Teller::Open, NOW - 2, everything());
    if let Some(fault) = fault {
        let took = Duration::from_millis(30);
        let poll = Polled { source: "identity".into(), asked: at(NOW), took, outcome: Err(fault) };
        update(&mut state, Msg::Polled(Box::new(poll)));
    }
    state
}

/// Somebody begins to act for somebody else, and a flag that nobody tracks is changed.
pub fn moved() -> State {
    let mut state = room(Teller::Open);
    let mut sessions = vec![session("imp_3", "Noa", "Bob", "org_b", false, NOW + 3_600)];
    sessions.extend(everything().impersonations.unwrap().outcome.unwrap());
    let news = IdentityAnswer {
        impersonations: good(NOW + 3, sessions),
        audit: good(
            NOW + 3,
            AuditNews {
                missed: false,
                events: vec![event(
                    "ev_9",
                    NOW + 2,
                    "Mei",
                    "flag.enabled",
                    "reports.v2",
                    None,
                    ("", "percent 100"),
                )],
                anew: false,
                more: false,
            },
        ),
        ..IdentityAnswer::default()
    };
    tell(&mut state, Teller::Open, NOW + 3, news);
    update(&mut state, Msg::Clock(at(NOW + 4)));
    state
}

#[expect(clippy::unnecessary_wraps, reason = "a part of an answer is optional")]
fn good<T>(second: i64, value: T) -> Option<Part<T>> {
    Some(Part { asked: at(second), outcome: Ok(value) })
}

#[expect(clippy::unnecessary_wraps, reason = "a part of an answer is optional")]
fn needs<T>(scope: &str) -> Option<Part<T>> {
    let fault = Fault::new(FaultCode::Forbidden, format!("forbidden: needs {scope}"));
    Some(Part { asked: at(NOW - 2), outcome: Err(fault) })
}

fn org(id: &str, name: &str, plan: &str, status: OrgStatus, members: u64) -> Org {
    Org {
        id: id.into(),
        slug: name.to_lowercase(),
        name: name.into(),
        plan: plan.into(),
        status,
        region: "eu".into(),
        members: Some(members),
        created_at: None,
    }
}

fn person(name: &str) -> Principal {
    Principal { id: name.to_lowercase(), kind: PrincipalKind::User, display: name.into() }
}

fn session(id: &str, actor: &str, subject: &str, org: &str, read_only: bool, ends: i64) -> Impersonation {
    Impersonation {
        id: id.into(),
        actor: person(actor),
        subject: subject.into(),
        org_id: Some(org.into()),
        reason: "ticket 981: tasks are listed twice".into(),
        read_only: Some(read_only),
        started_at: Some(at(NOW - 600)),
        expires_at: Some(at(ends)),
        ended_at: None,
    }
}

fn event(
    id: &str,
    second: i64,
    actor: &str,
    action: &str,
    target: &str,
    org: Option<&str>,
    (before, after): (&str, &str),
) -> AuditEvent {
    AuditEvent {
        id: id.into(),
        at: Some(at(second)),
        actor: person(actor),
        action: action.into(),
        target: Some(AuditTarget { kind: "flag".into(), id: target.into() }),
        org_id: org.map(str::to_owned),
        environment: Some("production".into()),
        outcome: AuditOutcome::Success,
        before: before.into(),
        after: after.into(),
        impersonation_id: None,
    }
}

fn orgs() -> Option<Part<Orgs>> {
    let orgs = vec![
        org("org_a", "Acme", "enterprise", OrgStatus::Active, 480),
        org("org_b", "Globex", "team", OrgStatus::Active, 40),
        org("org_c", "Initech", "free", OrgStatus::Suspended, 9),
        org("org_d", "Stark", "team", OrgStatus::Trial, 3),
    ];
    good(NOW - 2, Orgs { orgs, more: false })
}

fn entitlements() -> Vec<(String, Part<Entitlements>)> {
    let of = |id: &str, tasks: bool, ends: Option<i64>| {
        let right = |key: &str, granted, ends: Option<i64>, used: Option<f64>| Entitlement {
            key: key.into(),
            granted,
            source: "plan".into(),
            limit: used.map(|_| 100.0),
            used,
            expires_at: ends.map(at),
        };
        let entitlements = vec![
            right("tasks", tasks, ends, Some(75.0)),
            right("billing", true, None, None),
            right("sso", false, None, None),
        ];
        let plan = "team".into();
        let told = Entitlements { org_id: id.into(), plan, updated_at: None, entitlements };
        (id.to_owned(), Part { asked: at(NOW - 2), outcome: Ok(told) })
    };
    vec![
        of("org_a", true, None),
        of("org_b", false, None),
        of("org_c", true, Some(NOW - 60)),
        of("org_d", true, None),
    ]
}

fn everything() -> IdentityAnswer {
    let role = |key: &str, scopes: &[&str]| Role {
        key: key.into(),
        name: key.into(),
        system: false,
        scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
    };
    let scope = |key: &str, since: &str| Scope {
        key: key.into(),
        description: String::new(),
        introduced_in: since.into(),
    };
    let events = vec![
        event(
            "ev_1",
            -86_400,
            "Ravi",
            "flag.rollout_changed",
            "tasks.enabled",
            None,
            ("percent 5", "percent 10"),
        ),
        event("ev_2", 300, "Mei", "role.updated", "member", Some("org_a"), ("", "scopes tasks:read")),
        AuditEvent {
            impersonation_id: Some("imp_1".into()),
            outcome: AuditOutcome::Denied,
            ..event("ev_3", 700, "Sam", "task.deleted", "task_9", Some("org_b"), ("", ""))
        },
        event(
            "ev_4",
            720,
            "Ravi",
            "flag.rollout_changed",
            "tasks.enabled",
            None,
            ("percent 10", "percent 25"),
        ),
    ];
    IdentityAnswer {
        orgs: orgs(),
        entitlements: entitlements(),
        roles: good(
            NOW - 2,
            Roles {
                roles: vec![
                    role("launch-commander", &["flags:read", "audit:read"]),
                    role("member", &["billing:read", "tasks:read", "tasks:write"]),
                    role("nobody", &[]),
                ],
                scopes: vec![
                    scope("tasks:read", "2025-11-20"),
                    scope("tasks:write", "2025-11-20"),
                    scope("flags:read", ""),
                ],
            },
        ),
        audit: good(NOW - 2, AuditNews { events, anew: true, more: false, missed: false }),
        impersonations: good(
            NOW - 2,
            vec![
                session("imp_1", "Sam", "Eve", "org_b", true, NOW + 120),
                session("imp_2", "Kim", "Ida", "org_a", false, NOW + 1_800),
            ],
        ),
        ..IdentityAnswer::default()
    }
}

fn scoped() -> IdentityAnswer {
    let refused = needs::<Entitlements>("entitlements:read").into_iter();
    IdentityAnswer {
        orgs: orgs(),
        entitlements: refused.map(|part| ("org_a".to_owned(), part)).collect(),
        audit: needs("audit:read"),
        impersonations: needs("impersonation:read"),
        remarks: vec!["the service does not list environment production, only staging".into()],
        ..IdentityAnswer::default()
    }
}
