//! What organisations may use against what they do.

use std::collections::BTreeMap;

use super::*;
use crate::engine::identity::Trust;
use crate::engine::tenants::{Finding, Standing};
use crate::model::identity::{
    AuditEvent, AuditNews, AuditOutcome, AuditTarget, Capability, Entitlement, Entitlements, IdentityAnswer,
    Impersonation, Meta, Org, OrgStatus, Orgs, Part, Principal, PrincipalKind,
};
use crate::model::launch::TenantsDef;

fn org(id: &str, slug: &str, name: &str) -> Org {
    Org {
        id: id.into(),
        slug: slug.into(),
        name: name.into(),
        plan: "team".into(),
        status: OrgStatus::Active,
        region: String::new(),
        members: None,
        created_at: None,
    }
}

fn tasks(id: &str, granted: bool, expires_at: Option<Time>) -> Entitlements {
    let entitlement = Entitlement {
        key: "tasks".into(),
        granted,
        source: "plan".into(),
        limit: None,
        used: None,
        expires_at,
    };
    Entitlements { org_id: id.into(), plan: String::new(), updated_at: None, entitlements: vec![entitlement] }
}

fn good<T>(asked: Time, value: T) -> Part<T> {
    Part { asked, outcome: Ok(value) }
}

fn meta() -> Meta {
    Meta {
        contract: "launch-identity/1".into(),
        service: "identity".into(),
        environments: vec![],
        capabilities: ["orgs", "entitlements", "audit", "impersonation"].map(str::to_owned).to_vec(),
        min_interval_s: None,
    }
}

fn told(asked: Time, identity: IdentityAnswer) -> Polled {
    let answer = Answer { meta: Some(meta()), identity: Some(identity), ..Answer::default() };
    Polled { source: "id".into(), asked, took: Duration::ZERO, outcome: Ok(answer) }
}

fn rates(asked: Time, traffic: &[(&str, f64)], refused: &[(&str, f64)]) -> Polled {
    let signal = |id: &str, rates: &[(&str, f64)]| SignalAnswer {
        signal: id.into(),
        result: Ok(rates
            .iter()
            .map(|(tenant, value)| Point {
                labels: Labels::from_pairs([("tenant", *tenant)]),
                value: *value,
                sampled: asked,
            })
            .collect()),
        warnings: Vec::new(),
        history: Vec::new(),
    };
    let answer =
        Answer { signals: vec![signal("traffic", traffic), signal("refused", refused)], ..Answer::default() };
    Polled { source: "prom".into(), asked, took: Duration::ZERO, outcome: Ok(answer) }
}

fn launch() -> Launch {
    let mut identity = source("id");
    identity.kind = SourceKind::Identity {
        url: "http://127.0.0.1:1".into(),
        environment: "production".into(),
        grants: false,
        beside: Vec::new(),
    };
    Launch {
        environment: "production".into(),
        sources: vec![source("prom"), identity],
        signals: vec![signal("traffic"), signal("refused")],
        tenants: Some(TenantsDef {
            entitlement: "tasks".into(),
            traffic: "traffic".into(),
            refused: Some("refused".into()),
        }),
        ..Launch::default()
    }
}

fn everything(asked: Time) -> IdentityAnswer {
    let orgs = vec![
        org("org_a", "acme", "Acme"),
        org("org_b", "globex", "Globex"),
        org("org_c", "initech", "Initech"),
        org("org_d", "hooli", "Hooli"),
        org("org_e", "stark", "Stark"),
        org("org_f", "wayne", "Wayne"),
    ];
    let entitled = [
        tasks("org_a", true, None),
        tasks("org_b", false, None),
        tasks("org_c", true, Some(at(50))),
        tasks("org_d", true, None),
        tasks("org_e", true, None),
        tasks("org_f", false, None),
    ];
    IdentityAnswer {
        orgs: Some(good(asked, Orgs { orgs, more: false })),
        entitlements: entitled.into_iter().map(|e| (e.org_id.clone(), good(asked, e))).collect(),
        ..IdentityAnswer::default()
    }
}

const TRAFFIC: [(&str, f64); 7] = [
    ("acme", 3.0),
    ("org_a", 1.0),
    ("Globex", 2.0),
    ("initech", 1.0),
    ("hooli", 0.5),
    ("stark", 0.0),
    ("nobody", 0.1),
];

fn standings(watch: &Watch, now: Time) -> Vec<(String, Standing)> {
    let rows = watch.tenants(launch().tenants.as_ref().unwrap(), now);
    rows.into_iter().map(|row| (row.name, row.standing)).collect()
}

#[test]
fn traffic_without_the_right_a_right_that_comes_to_nothing_and_traffic_of_nobody_are_found() {
    let mut watch = Watch::new(&launch(), []);
    watch.observe(&told(at(100), everything(at(100))));
    watch.observe(&rates(at(100), &TRAFFIC, &[("hooli", 0.5), ("acme", 0.5)]));
    let found = Standing::Found;
    assert_eq!(
        standings(&watch, at(101)),
        [
            ("Globex".to_owned(), found(Finding::Unentitled { expired: false, refused: false })),
            ("Hooli".to_owned(), found(Finding::OnlyRefused)),
            ("Initech".to_owned(), found(Finding::Unentitled { expired: true, refused: false })),
            ("nobody".to_owned(), found(Finding::NoOrganisation)),
            ("Acme".to_owned(), Standing::Fine),
            ("Stark".to_owned(), Standing::NoTraffic),
            ("Wayne".to_owned(), Standing::NoTraffic),
        ]
    );
    // Two labels of one organisation are its traffic together.
    let rows = watch.tenants(launch().tenants.as_ref().unwrap(), at(101));
    let acme = rows.iter().find(|row| row.name == "Acme").unwrap();
    assert_eq!((acme.traffic, acme.refused, acme.entitled), (Some(4.0), Some(0.5), Some(true)));
    watch.observe(&rates(at(105), &[("globex", 2.0)], &[("globex", 2.0)]));
    let globex = standings(&watch, at(105)).remove(0);
    assert_eq!(globex.1, found(Finding::Unentitled { expired: false, refused: true }));
}

#[test]
fn what_cannot_be_told_is_unknown_and_never_fine() {
    let unknown = |watch: &Watch, now| -> Vec<String> {
        let of = |(name, standing)| match standing {
            Standing::Unknown(why) => format!("{name} {why}"),
            other => format!("{name} {other:?}"),
        };
        standings(watch, now).into_iter().map(of).collect()
    };
    let mut whole = Watch::new(&launch(), []);
    whole.observe(&told(at(100), everything(at(100))));

    // No traffic was told at all.
    assert_eq!(unknown(&whole, at(100))[0], "Acme traffic: no answer yet");
    assert!(unknown(&whole, at(100)).iter().all(|line| line.contains("traffic: no answer yet")));

    // The traffic is old.
    whole.observe(&rates(at(100), &TRAFFIC, &[]));
    assert!(unknown(&whole, at(130)).iter().all(|line| line.ends_with("traffic: 30s old")), "{whole:?}");

    // Its source is down.
    let mut down = whole.clone();
    let fault = Fault::new(FaultCode::TimedOut, "no answer in 3s");
    let failed = |source: &str| Polled {
        source: source.into(),
        asked: at(101),
        took: Duration::ZERO,
        outcome: Err(fault.clone()),
    };
    down.observe(&failed("prom"));
    assert_eq!(unknown(&down, at(101))[0], "Acme traffic: prom no answer in 3s");

    // Nobody says what they may use: a scope is missing, or it was too long ago, or the service is down.
    let mut refused = Watch::new(&launch(), []);
    let mut answer = everything(at(100));
    let forbidden = Fault::new(FaultCode::Forbidden, "forbidden: needs entitlements:read");
    answer.entitlements.truncate(1);
    for (_, part) in &mut answer.entitlements {
        part.outcome = Err(forbidden.clone());
    }
    refused.observe(&told(at(100), answer));
    refused.observe(&rates(at(100), &[("acme", 1.0), ("globex", 1.0)], &[]));
    let told = unknown(&refused, at(100));
    assert_eq!(told[..2], ["Acme needs entitlements:read", "Globex needs entitlements:read"]);
    let mut old = whole.clone();
    old.observe(&rates(at(500), &TRAFFIC, &[]));
    assert!(unknown(&old, at(500)).contains(&"Acme entitlements: 6m40s old".to_owned()));
    assert!(unknown(&old, at(500)).contains(&"nobody organisations: 6m40s old".to_owned()));
    let mut silent = whole.clone();
    silent.observe(&failed("id"));
    assert!(unknown(&silent, at(101)).contains(&"Acme entitlements: no answer in 3s".to_owned()));

    // Whether requests were refused is not known.
    let mut half = whole.clone();
    let mut poll = rates(at(100), &[("acme", 1.0)], &[]);
    if let Ok(answer) = &mut poll.outcome {
        answer.signals[1].result = Err(Fault::new(FaultCode::Query, "refused query"));
    }
    half.observe(&poll);
    assert_eq!(unknown(&half, at(100))[0], "Acme refused: refused query");
}

#[test]
fn traffic_without_numbers_or_tenants_is_unknown_for_those_it_is_of() {
    let mut whole = Watch::new(&launch(), []);
    whole.observe(&told(at(100), everything(at(100))));
    let of = |poll: &Polled| -> BTreeMap<String, Standing> {
        let mut watch = whole.clone();
        watch.observe(poll);
        standings(&watch, at(100)).into_iter().collect()
    };
    let unknown = |why: &str| Standing::Unknown(why.to_owned());
    // No series at all is not the same as no traffic.
    let none = unknown("traffic: the signal traffic has no series with a tenant label: no metric");
    let mut poll = rates(at(100), &[], &[]);
    if let Ok(answer) = &mut poll.outcome {
        answer.notes.absences.push(("traffic".into(), "no metric".into()));
    }
    let all = of(&poll);
    assert_eq!((all.len(), all.values().all(|standing| *standing == none)), (6, true), "{all:?}");
    // Nor are series that are nobody's, of traffic or of what is refused.
    let unlabelled = |place: usize| {
        let mut poll = rates(at(100), &[("acme", 1.0)], &[("acme", 1.0)]);
        if let Ok(answer) = &mut poll.outcome
            && let Ok(points) = &mut answer.signals[place].result
        {
            points[0].labels = Labels::none();
        }
        poll
    };
    let all = of(&unlabelled(0));
    let none = unknown("traffic: the signal traffic has no series with a tenant label");
    assert!(all.values().all(|standing| *standing == none), "{all:?}");
    let none = unknown("refused: the signal refused has no series with a tenant label");
    assert_eq!(of(&unlabelled(1))["Acme"], none);
    // What is no number is unknown for that tenant only.
    let infinite = f64::INFINITY;
    let poll = rates(
        at(100),
        &[("acme", f64::NAN), ("globex", infinite), ("hooli", 1.0), ("stark", 1.0), ("nobody", infinite)],
        &[("hooli", f64::NAN), ("stark", infinite), ("globex", infinite)],
    );
    let all = of(&poll);
    let told = ["Acme", "Globex", "nobody", "Hooli", "Stark", "Wayne"].map(|name| all[name].clone());
    let [traffic, refused] = ["traffic: no number", "refused: no number"].map(unknown);
    assert_eq!(told[..3], [traffic.clone(), traffic.clone(), traffic]);
    assert_eq!(told[3..], [refused.clone(), refused, Standing::NoTraffic]);
}

#[test]
fn a_tenant_is_an_organisation_by_id_slug_or_name_and_no_name_hides_an_id() {
    let mut watch = Watch::new(&launch(), []);
    let orgs = vec![org("org_1", "", "org_2"), org("org_2", "acme", ""), org("ORG_3", "a", "Acme")];
    let orgs = Some(good(at(0), Orgs { orgs, more: false }));
    watch.observe(&told(at(0), IdentityAnswer { orgs, ..IdentityAnswer::default() }));
    let identity = watch.identity.as_ref().unwrap();
    let of = |tenant: &str| identity.org_of_tenant(tenant).map(|org| org.id.as_str());
    assert_eq!(
        ["org_2", "ACME", "org_3", "", "b"].map(of),
        [Some("org_2"), Some("org_2"), Some("ORG_3"), None, None]
    );
    assert_eq!((identity.org("org_3").is_none(), identity.org_name("org_9")), (true, "org_9"));
}

fn event(id: &str, action: &str, target: &str, environment: &str) -> AuditEvent {
    AuditEvent {
        id: id.into(),
        at: None,
        actor: Principal { id: "ravi".into(), kind: PrincipalKind::User, display: "Ravi".into() },
        action: action.into(),
        target: Some(AuditTarget { kind: "flag".into(), id: target.into() }),
        org_id: None,
        environment: Some(environment.into()),
        outcome: AuditOutcome::Success,
        before: String::new(),
        after: String::new(),
        impersonation_id: None,
    }
}

fn news(asked: Time, events: Vec<AuditEvent>, anew: bool) -> IdentityAnswer {
    IdentityAnswer {
        audit: Some(good(asked, AuditNews { events, anew, more: false, missed: false })),
        ..IdentityAnswer::default()
    }
}

#[test]
fn new_changes_of_flags_are_news_once_and_those_from_before_or_elsewhere_are_not() {
    let mut watch = Watch::new(&launch(), []);
    let first = news(at(0), vec![event("1", "flag.rollout_changed", "a", "production")], true);
    assert_eq!(watch.observe(&told(at(0), first)), []);
    let second = news(
        at(5),
        vec![
            event("2", "flag.rollout_changed", "a", "production"),
            event("3", "flag.rollout_changed", "a", "staging"),
            event("4", "role.updated", "b", "production"),
        ],
        false,
    );
    let changes = watch.observe(&told(at(5), second));
    let [Change::Audit(told_of)] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!(told_of.id, "2");
    let identity = watch.identity.as_ref().unwrap();
    assert_eq!(identity.audit_tail(None).map(|e| e.id.as_str()).collect::<Vec<_>>(), ["4", "3", "2", "1"]);
    let again = news(at(10), vec![event("1", "flag.rollout_changed", "z", "production")], true);
    assert_eq!(watch.observe(&told(at(10), again)), []);
    assert_eq!(watch.identity.as_ref().unwrap().audit_tail(None).count(), 1);
}

#[test]
fn a_change_that_was_seen_on_the_flag_itself_is_not_told_twice() {
    let mut launch = launch();
    launch.flags =
        vec![FlagDef { key: "tasks.enabled".into(), source: "id".into(), observed: None, evaluations: None }];
    let mut watch = Watch::new(&launch, []);
    let flag = |percent| Flag {
        key: "tasks.enabled".into(),
        enabled: true,
        percent: Percent::Known { value: percent },
        unit: "org".into(),
        updated_by: Some("Ravi".into()),
        ..Flag::default()
    };
    let mut poll = |asked, percent, identity| {
        let mut poll = told(asked, identity);
        if let Ok(answer) = &mut poll.outcome {
            answer.flags = Some(FlagsAnswer { flags: vec![flag(percent)], ..FlagsAnswer::default() });
        }
        watch.observe(&poll)
    };
    poll(at(0), 10.0, news(at(0), Vec::new(), true));
    let changed = event("1", "flag.rollout_changed", "tasks.enabled", "production");
    let other = event("2", "flag.rollout_changed", "tasks.enabled-too", "production");
    let changes = poll(at(5), 25.0, news(at(5), vec![changed, other], false));
    let audits: Vec<&str> = changes
        .iter()
        .filter_map(|c| if let Change::Audit(event) = c { Some(event.id.as_str()) } else { None })
        .collect();
    assert_eq!((changes.len(), audits), (2, vec!["2"]));
}

#[test]
fn what_was_denied_or_failed_neither_hides_a_change_nor_is_hidden_by_one() {
    let mut launch = launch();
    launch.flags =
        vec![FlagDef { key: "tasks.enabled".into(), source: "id".into(), observed: None, evaluations: None }];
    let mut watch = Watch::new(&launch, []);
    let mut poll = |asked, percent, identity| -> Vec<String> {
        let mut poll = told(asked, identity);
        if let Ok(answer) = &mut poll.outcome {
            let flag = Flag {
                key: "tasks.enabled".into(),
                enabled: true,
                percent: Percent::Known { value: percent },
                ..Flag::default()
            };
            answer.flags = Some(FlagsAnswer { flags: vec![flag], ..FlagsAnswer::default() });
        }
        let told = watch.observe(&poll).into_iter();
        told.filter_map(|c| if let Change::Audit(event) = c { Some(event.id) } else { None }).collect()
    };
    let of = |id: &str, outcome| AuditEvent {
        outcome,
        ..event(id, "flag.rollout_changed", "tasks.enabled", "production")
    };
    poll(at(0), 10.0, news(at(0), Vec::new(), true));
    let events = vec![of("1", AuditOutcome::Success), of("2", AuditOutcome::Denied)];
    // The change is seen on the flag; the attempt after it is told and does not stand for it.
    assert_eq!(poll(at(5), 25.0, news(at(5), events, false)), ["2"]);
    let events = vec![of("3", AuditOutcome::Failure)];
    assert_eq!(poll(at(10), 50.0, news(at(10), events, false)), ["3"]);
}

#[test]
fn every_change_of_a_flag_is_told_however_many_events_there_are_and_a_gap_is() {
    let mut watch = Watch::new(&launch(), []);
    watch.observe(&told(at(0), news(at(0), Vec::new(), true)));
    let id = |n: usize| format!("{n:04}");
    let flood = (0..900).map(|n| match n {
        3 => event(&id(n), "flag.rollout_changed", "a", "production"),
        _ => event(&id(n), "role.updated", "b", "production"),
    });
    let changes = watch.observe(&told(at(5), news(at(5), flood.collect(), false)));
    assert!(matches!(changes.as_slice(), [Change::Audit(event)] if event.id == "0003"), "{changes:?}");
    assert_eq!(watch.identity.as_ref().unwrap().audit_tail(None).count(), 500);
    let mut gap = news(at(10), vec![event("1", "flag.rollout_changed", "a", "production")], true);
    if let Some(Part { outcome: Ok(news), .. }) = &mut gap.audit {
        news.missed = true;
    }
    assert_eq!(watch.observe(&told(at(10), gap)), [Change::AuditMissed("id".into())]);
}

#[test]
fn who_begins_and_ceases_to_act_for_others_is_news_and_an_ended_session_is_not_active() {
    let session = |id: &str, expires| Impersonation {
        id: id.into(),
        actor: Principal { id: "sam".into(), kind: PrincipalKind::User, display: "Sam".into() },
        subject: "Eve".into(),
        org_id: Some("org_b".into()),
        reason: String::new(),
        read_only: Some(true),
        started_at: None,
        expires_at: expires,
        ended_at: None,
    };
    let sessions = |asked, all: Vec<Impersonation>| {
        told(asked, IdentityAnswer { impersonations: Some(good(asked, all)), ..IdentityAnswer::default() })
    };
    let mut watch = Watch::new(&launch(), []);
    assert_eq!(watch.observe(&sessions(at(0), vec![session("1", Some(at(60)))])), []);
    let changes = watch.observe(&sessions(at(5), vec![session("2", None)]));
    assert!(
        matches!(changes.as_slice(), [Change::ImpersonationEnded(old), Change::ImpersonationBegan(new)]
            if old.id == "1" && new.id == "2"),
        "{changes:?}"
    );
    watch.observe(&sessions(at(10), vec![session("2", None), session("3", Some(at(60)))]));
    let active = |now| -> Vec<String> {
        let identity = watch.identity.as_ref().unwrap();
        identity.active_sessions(now).into_iter().map(|s| s.id.clone()).collect()
    };
    assert_eq!((active(at(10)), active(at(60))), (vec!["3".into(), "2".into()], vec!["2".into()]));
}

#[test]
fn each_part_says_by_itself_why_it_is_not_told() {
    let mut watch = Watch::new(&launch(), []);
    let trust = |watch: &Watch, part, now| watch.identity.as_ref().unwrap().trust(part, now);
    assert_eq!(trust(&watch, Capability::Orgs, at(0)), Trust::NoAnswer);
    let fault = Fault::new(FaultCode::Forbidden, "forbidden: needs audit:read");
    let mut answer = everything(at(0));
    answer.audit = Some(Part { asked: at(0), outcome: Err(fault) });
    watch.observe(&told(at(0), answer));
    assert_eq!(trust(&watch, Capability::Orgs, at(100)), Trust::Good);
    assert_eq!(trust(&watch, Capability::Orgs, at(181)), Trust::Stale(Duration::from_secs(181)));
    assert_eq!(trust(&watch, Capability::Roles, at(1)), Trust::NotOffered);
    assert_eq!(trust(&watch, Capability::Impersonation, at(1)), Trust::NoAnswer);
    assert_eq!(trust(&watch, Capability::Audit, at(1)).words().unwrap(), "needs audit:read");
}
