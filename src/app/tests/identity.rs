//! Looking at one organisation: boards and lists follow, gates never.

use super::super::identity::event_words;
use super::*;
use crate::engine::{Change, Outcome};
use crate::model::Verdict;
use crate::model::identity::{
    AuditEvent, AuditOutcome, AuditTarget, IdentityAnswer, Meta, Org, OrgStatus, Orgs, Part, Principal,
    PrincipalKind,
};

fn org(id: &str, name: &str) -> Org {
    Org {
        id: id.into(),
        slug: name.to_lowercase(),
        name: name.into(),
        plan: String::new(),
        status: OrgStatus::Active,
        region: String::new(),
        members: None,
        created_at: None,
    }
}

/// A room whose only gate fails for Globex alone.
fn room_of_two() -> State {
    let mut launch = launch();
    let mut identity = launch.sources[0].clone();
    identity.id = "identity".into();
    identity.kind = SourceKind::Identity {
        url: "http://127.0.0.1:1".into(),
        environment: "production".into(),
        grants: false,
        beside: Vec::new(),
    };
    launch.sources.push(identity);
    launch.signals[0].board = Board::Tenants;
    let mut gate = match &template().items[1].kind {
        Kind::Gate(gate) => gate.clone(),
        other => panic!("{other:?}"),
    };
    gate.id = "tenants".into();
    launch.gates = vec![gate];
    let keymap = Keymap::new(&BTreeMap::new()).unwrap();
    let mut state = State::new(Arc::new(launch), None, keymap, at(0));
    let point = |tenant: &str, value| Point {
        labels: Labels::from_pairs([("tenant", tenant)]),
        value,
        sampled: at(1),
    };
    let signal = SignalAnswer {
        signal: "depth".into(),
        result: Ok(vec![point("acme", 1.0), point("org_2", 900.0)]),
        warnings: Vec::new(),
        history: Vec::new(),
    };
    let meta = Meta {
        contract: "launch-identity/1".into(),
        service: String::new(),
        environments: Vec::new(),
        capabilities: vec!["orgs".into()],
        min_interval_s: None,
    };
    let orgs = Orgs { orgs: vec![org("org_1", "Acme"), org("org_2", "Globex")], more: false };
    let told =
        IdentityAnswer { orgs: Some(Part { asked: at(1), outcome: Ok(orgs) }), ..IdentityAnswer::default() };
    for (source, answer) in [
        ("worker", Answer { signals: vec![signal], ..Answer::default() }),
        ("identity", Answer { meta: Some(meta), identity: Some(told), ..Answer::default() }),
    ] {
        let poll = Polled { source: source.into(), asked: at(1), took: Duration::ZERO, outcome: Ok(answer) };
        update(&mut state, Msg::Polled(Box::new(poll)));
    }
    update(&mut state, Msg::Clock(at(2)));
    state
}

fn rows(state: &State) -> Vec<String> {
    board::table(state, Board::Tenants).rows.into_iter().map(|row| row.key).collect()
}

#[test]
fn a_board_shows_the_chosen_organisation_alone_and_the_gates_judge_everybody_as_before() {
    let mut state = room_of_two();
    let judged = |state: &State| {
        let overall = state.overall();
        (overall.outcome, overall.gates.iter().map(|(_, j)| j.verdict).collect::<Vec<_>>())
    };
    assert_eq!(rows(&state), ["acme", "org_2"]);
    assert_eq!(judged(&state), (Outcome::NoGo, vec![Verdict::Fail]));
    press(&mut state, "o a c m enter");
    assert_eq!(rows(&state), ["acme"]);
    assert_eq!(board::table(&state, Board::Tenants).only.as_deref(), Some("Acme"));
    assert_eq!(judged(&state), (Outcome::NoGo, vec![Verdict::Fail]));
    assert!(state.notice.as_deref().unwrap().contains("gates go on to judge everybody"));
    press(&mut state, ": o r g space g l o b e x enter");
    assert_eq!(rows(&state), ["org_2"]);
    press(&mut state, ": o r g space g l o b enter");
    assert!(state.notice.as_deref().unwrap().contains("did you mean Globex?"), "{:?}", state.notice);
    press(&mut state, "o enter");
    assert_eq!((rows(&state).len(), state.identity_view.org.is_none()), (2, true));
}

#[test]
fn key_6_opens_the_screen_tab_turns_its_parts_and_the_filter_is_cleared_by_esc() {
    use crate::app::identity::Section;
    let mut state = room_of_two();
    press(&mut state, "/");
    assert!(state.dialog.is_none() && state.notice.is_some(), "changes are filtered where they are listed");
    press(&mut state, "6 tab tab");
    assert_eq!((state.zoom, state.identity_view.section), (Some(Block::Identity), Section::Roles));
    press(&mut state, "shift-tab shift-tab j j j");
    assert_eq!(state.identity_view.selected(Section::Orgs), 1);
    press(&mut state, "enter");
    assert_eq!(state.only_org(), Some("Globex"));
    press(&mut state, "enter / r a v");
    assert_eq!((state.only_org(), state.identity_view.filter.as_str()), (None, "rav"));
    press(&mut state, "enter");
    assert_eq!(state.identity_view.filter, "rav");
    press(&mut state, "/ i esc");
    assert_eq!((state.identity_view.filter.as_str(), state.zoom), ("", Some(Block::Identity)));
    press(&mut state, "esc");
    assert_eq!(state.zoom, None);
}

fn event(outcome: AuditOutcome) -> AuditEvent {
    AuditEvent {
        id: "1".into(),
        at: None,
        actor: Principal { id: "ravi".into(), kind: PrincipalKind::User, display: "Ravi".into() },
        action: "flag.rollout_changed".into(),
        target: Some(AuditTarget { kind: "flag".into(), id: "tasks.enabled".into() }),
        org_id: None,
        environment: None,
        outcome,
        before: "percent 10".into(),
        after: "percent 25".into(),
        impersonation_id: None,
    }
}

#[test]
fn what_was_denied_or_failed_does_not_read_as_a_change() {
    let words = "Ravi flag.rollout_changed tasks.enabled: percent 10 → 25";
    assert_eq!(event_words(&event(AuditOutcome::Success)), words);
    assert_eq!(event_words(&event(AuditOutcome::Denied)), format!("denied: {words}"));
    assert_eq!(event_words(&event(AuditOutcome::Failure)), format!("failed: {words}"));
}

#[test]
fn a_gap_and_a_refusal_are_lines_of_the_log_and_no_marks() {
    let mut state = room_of_two();
    let denied = Change::Audit(Box::new(event(AuditOutcome::Denied)));
    super::super::follow::changes(&mut state, vec![Change::AuditMissed("id".into()), denied]);
    let lines: Vec<_> = state.log.lines().map(|line| (line.text.clone(), line.kind.mark())).collect();
    assert_eq!(
        lines[lines.len() - 2..],
        [
            ("id: the audit log could not be followed; changes may have been missed".to_owned(), None),
            ("denied: Ravi flag.rollout_changed tasks.enabled: percent 10 → 25".to_owned(), None),
        ]
    );
}
