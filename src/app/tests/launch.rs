//! What the room does beside ticking: the desk, proposals, votes, the rollback list, questions.

use std::sync::Arc;

use super::*;
use crate::app::lists::List;
use crate::checklist::template::{Exit, HoldDef, ListKind};
use crate::checklist::{Auto, Begun, Mode, begin};
use crate::model::{Mark, TriggerDef, trigger};

const MINUTE: Duration = Duration::from_mins(1);

/// A trigger on the depth above 900 for ten seconds, a hold ten minutes before T-0 that ends by poll, and
/// a rollback list of two items.
fn launched() -> State {
    let mut template = template();
    let gate = template.gates().next().unwrap().clone();
    let gate = GateDef {
        id: TriggerDef::gate_id("burn").as_str().into(),
        op: Op::LessOrEqual,
        value: 900.0,
        ..gate
    };
    template.triggers = vec![TriggerDef {
        id: "burn".into(),
        gate,
        lasting: Duration::from_secs(10),
        action: trigger::Action::ProposeRollback,
        answer_within: 2 * MINUTE,
    }];
    template.holds = vec![HoldDef {
        id: "t-10".into(),
        title: None,
        at: Mark::parse("T-00:10:00").unwrap(),
        max: Some(30 * MINUTE),
        exit: Exit::Poll,
        stations: vec!["captain".into(), "sre".into()],
    }];
    template.rollback = Some("back".into());
    let back = Template {
        id: "back".into(),
        title: "Back".into(),
        kind: ListKind::Rollback,
        items: vec![item("flag", &[], Kind::Check), item("tell-them", &["flag"], Kind::Check)],
        ..Template::default()
    };
    let back = List { template: Arc::new(back), ..List::default() };
    let template = Arc::new(template);
    let keymap = Keymap::new(&BTreeMap::new()).unwrap();
    let lists = vec![Arc::new(back)];
    let mut state = State::with_lists(Arc::new(launch()), Some(Arc::clone(&template)), lists, keymap, at(0));
    state.author = Author::unverified("ana");
    let mut run = Run::new("run".into(), Arc::clone(&template));
    let fact =
        begin(&template, "text", &Begun { mode: Mode::Live, ..Begun::default() }, &Author::unverified("ana"))
            .unwrap();
    let event = run.next_event("START", at(0), &state.author, fact);
    run.apply(&event);
    update(&mut state, Msg::Opened(Ok(Some(Box::new(run)))));
    state
}

/// A second passes; what is to be saved is saved, and told.
fn second(state: &mut State) -> Vec<Command> {
    let effects = update(state, Msg::Clock(state.now.after(Duration::from_secs(1))));
    let commands = appends(&effects);
    save(state, &effects);
    commands
}

fn appends(effects: &[Effect]) -> Vec<Command> {
    let command = |effect: &Effect| match effect {
        Effect::Append { command, .. } => Some(command.clone()),
        _ => None,
    };
    effects.iter().filter_map(command).collect()
}

fn run(state: &State) -> &Run {
    &state.run.as_ref().unwrap().run
}

/// With the desk, on a run that may be written to.
fn at_the_desk() -> State {
    let mut state = launched();
    state.write = true;
    assert!(matches!(second(&mut state)[..], [Command::Desk { .. }]));
    assert!(state.has_desk() && state.is_watched());
    state
}

fn burns(state: &mut State, value: f64) {
    let now = state.now;
    update(state, depth(now, value));
}

#[test]
fn a_live_run_that_is_only_watched_takes_no_desk_and_proposes_nothing() {
    let mut state = launched();
    burns(&mut state, 1200.0);
    for _ in 0..20 {
        assert_eq!(second(&mut state), []);
        burns(&mut state, 1200.0);
    }
    assert!(!state.is_watched() && !state.has_desk());
}

#[test]
fn a_trigger_proposes_once_it_has_lasted_and_silence_holds_the_clock() {
    let mut state = at_the_desk();
    let mut proposed = 0;
    for _ in 0..30 {
        burns(&mut state, 1200.0);
        for command in second(&mut state) {
            let Command::Auto { what: Auto::Propose { cause, reason, .. }, .. } = command else {
                panic!("{command:?}")
            };
            assert!(cause == "burn" && reason.contains("1200"), "{cause} {reason}");
            proposed += 1;
        }
    }
    assert_eq!(proposed, 1, "once");
    let open = run(&state).open_proposals().next().unwrap().clone();
    assert_eq!(open.at.since(at(0)), Duration::from_secs(11), "ten seconds after the first bad number");
    assert!(crate::app::call::words(&state).unwrap().starts_with("ROLLBACK PROPOSED by burn"));
    while state.now < open.deadline {
        burns(&mut state, 1200.0);
        assert!(run(&state).clock.hold_at(&run(&state).template, state.now).is_none());
        second(&mut state);
    }
    let held = run(&state).clock.hold_at(&run(&state).template, state.now).unwrap();
    assert!(held.reason.unwrap().starts_with("nobody answered burn"));
    assert_eq!(run(&state).open_proposals().count(), 0);
}

#[test]
fn what_was_dismissed_is_proposed_again_only_after_it_was_well_in_between() {
    let mut state = at_the_desk();
    let bad = |state: &mut State, seconds: u32| -> usize {
        let proposed = (0..seconds).map(|_| {
            burns(state, 1200.0);
            second(state).len()
        });
        proposed.sum()
    };
    assert_eq!(bad(&mut state, 15), 1);
    let mut effects = press(&mut state, ":");
    effects.extend("dismiss".chars().chain(" known".chars()).flat_map(|c| {
        let when = state.now.after(Duration::from_secs(1));
        update(&mut state, Msg::Key(Key::char(c), when))
    }));
    effects.extend(press(&mut state, "enter"));
    save(&mut state, &effects);
    assert_eq!(run(&state).open_proposals().count(), 0);
    assert_eq!(bad(&mut state, 60), 0, "the same trouble");
    burns(&mut state, 100.0);
    second(&mut state);
    assert_eq!(bad(&mut state, 15), 1, "new trouble");
}

#[test]
fn an_item_that_was_done_and_whose_gate_goes_bad_is_regressed_and_a_hold_is_proposed() {
    let mut state = at_the_desk();
    let effects = press(&mut state, "space");
    save(&mut state, &effects);
    press(&mut state, "j enter t");
    let effects = {
        let now = state.now;
        update(&mut state, depth(now, 100.0))
    };
    save(&mut state, &effects);
    press(&mut state, "esc");
    let queue = run(&state).template.item(&"queue".into()).unwrap().clone();
    assert!(stage(&state, "queue") == Stage::Done && !state.is_regressed(&queue));
    burns(&mut state, 700.0);
    assert!(state.is_regressed(&queue));
    let commands = second(&mut state);
    let [Command::Auto { what: Auto::Propose { cause, action, .. }, .. }] = &commands[..] else {
        panic!("{commands:?}")
    };
    assert_eq!((cause.as_str(), *action), ("queue", trigger::Action::Hold));
    let effects = press(&mut state, "H");
    assert!(matches!(appends(&effects)[..], [Command::Answer { confirm: true, .. }]));
    save(&mut state, &effects);
    assert!(run(&state).clock.hold_at(&run(&state).template, state.now).is_some());
}

#[test]
fn the_rollback_list_works_from_the_first_press_also_where_the_launch_is_only_watched() {
    let mut state = launched();
    assert!(state.may_write().is_err());
    assert!(press(&mut state, "R").is_empty(), "it opens the list and does nothing else");
    assert_eq!(state.shown_template().unwrap().id, "back");
    let effects = press(&mut state, "j space");
    let [Effect::BeginList { list, of, mode, .. }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(
        (list.template.id.as_str(), of.as_ref().unwrap().as_str(), *mode),
        ("back", "run", Mode::Live)
    );
    let mut begun = Run::new("back-run".into(), Arc::clone(&list.template));
    let fact = begin(&list.template, "", &Begun::default(), &Author::unverified("ana")).unwrap();
    begun.apply(&begun.next_event("B", state.now, &state.author, fact));
    let effects = update(&mut state, Msg::ListBegan { list: "back".into(), outcome: Ok(Box::new(begun)) });
    let commands = appends(&effects);
    let [Command::Rollback { run: rollback, .. }, Command::Tick { item, .. }] = &commands[..] else {
        panic!("{commands:?}")
    };
    assert_eq!(
        (rollback.as_str(), item.as_str()),
        ("back-run", "tell-them"),
        "out of its order, without a role"
    );
    save(&mut state, &effects);
    assert_eq!(run(&state).rollbacks.len(), 1);
    assert_eq!(state.shown_run().unwrap().run.progress(), (1, 2));
    press(&mut state, "esc");
    assert_eq!(state.shown_template().unwrap().id, "launch");
    assert!(state.may_write().is_err(), "the launch is only watched, as before");
}

#[test]
fn a_go_polls_every_gate_that_counts_and_needs_all_of_those_answers() {
    let mut state = at_the_desk();
    let effects = press(&mut state, "space");
    save(&mut state, &effects);
    let effects = update_line(&mut state, "t0 +5m");
    save(&mut state, &effects);
    second(&mut state);
    assert!(run(&state).poll_at(state.now).is_some(), "T-10 lies behind, and is not passed over");
    press(&mut state, "v");
    assert!(press(&mut state, "g").is_empty(), "in no role there is no station to speak for");
    press(&mut state, "v");
    press(&mut state, "2");
    assert_eq!(state.author.role.as_deref(), Some("sre"));
    let effects = press(&mut state, "g");
    assert!(matches!(effects[..], [Effect::Poll(_)]), "{effects:?}");
    let older = state.now.before(Duration::from_secs(1));
    assert!(update(&mut state, depth(older, 100.0)).is_empty(), "an answer from before the question");
    let now = state.now;
    assert!(appends(&update(&mut state, depth(now, 700.0))).is_empty(), "a fail is no GO");
    assert!(state.notice.as_ref().unwrap().starts_with("not GO: queue"), "{:?}", state.notice);
    press(&mut state, "v");
    press(&mut state, "g");
    let now = state.now;
    let effects = update(&mut state, depth(now, 100.0));
    let commands = appends(&effects);
    let [Command::Vote { station, go: true, evidence, .. }] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!((station.as_str(), evidence.len()), ("sre", 1));
    assert_eq!(evidence[0].gate.as_deref(), Some("queue"));
    save(&mut state, &effects);
    let vote = run(&state).poll_at(state.now).unwrap().votes["sre"].clone();
    assert!(vote.is_go());
    // What it rested on goes bad: it lapses.
    burns(&mut state, 700.0);
    let commands = second(&mut state);
    assert!(matches!(&commands[..], [Command::Auto { what: Auto::Lapse { .. }, .. }]), "{commands:?}");
    assert!(!run(&state).poll_at(state.now).unwrap().votes["sre"].is_go());
}

#[test]
fn pasted_words_and_keys_typed_ahead_neither_vote_nor_resume() {
    let mut state = at_the_desk();
    let effects = press(&mut state, "H");
    save(&mut state, &effects);
    assert!(update_line(&mut state, "resume").is_empty());
    update(&mut state, Msg::Paste("y".into()));
    let at_once = state.now.after(Duration::from_millis(100));
    assert!(update(&mut state, Msg::Key(Key::char('y'), at_once)).is_empty(), "typed ahead");
    let effects = press(&mut state, "y");
    assert!(matches!(appends(&effects)[..], [Command::Resume { .. }]), "{effects:?}");
}

#[test]
fn a_broken_glass_stays_no_go_and_says_whose_hand_it_was() {
    let mut state = at_the_desk();
    let effects = update_line(&mut state, "break-glass alone at night");
    let commands = appends(&effects);
    assert!(matches!(&commands[..], [Command::BreakGlass { .. }]), "{commands:?}");
    save(&mut state, &effects);
    burns(&mut state, 100.0);
    assert_eq!(state.overall().outcome, crate::engine::Outcome::NoGo);
    assert_eq!(run(&state).overridden().unwrap().author.name(), "ana");
    assert!(matches!(run(&state).deviations[0].kind.as_str(), "break-glass"));
}

/// Types a line into the palette.
fn update_line(state: &mut State, line: &str) -> Vec<Effect> {
    press(state, ":");
    for c in line.chars() {
        let when = state.now.after(Duration::from_secs(1));
        update(state, Msg::Key(Key::char(c), when));
    }
    press(state, "enter")
}
