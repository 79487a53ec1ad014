//! The room, driven by keys as a user types them.

mod identity;
mod launch;
mod signing;
mod sources;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::command::Keymap;
use super::*;
use crate::checklist::{Author, Command, Item, Kind, Run, Stage, Template};
use crate::model::gate::{Idle, Watched};
use crate::model::{
    Answer, Board, Condition, Fault, FaultCode, GateDef, ItemId, Labels, Launch, Op, Point, Polled,
    SignalAnswer, SignalDef, SourceDef, SourceId, SourceKind, Time, Unit,
};

const T0: i64 = 1_764_684_000_000;

fn at(s: i64) -> Time {
    Time::from_millis(T0 + s * 1000)
}

fn launch() -> Launch {
    let source = SourceDef {
        id: "worker".into(),
        kind: SourceKind::Scrape { urls: vec!["http://127.0.0.1:1/metrics".into()], labels: Labels::none() },
        every: Duration::from_secs(5),
        timeout: Duration::from_secs(3),
        max_body: 1,
        max_series: 1,
        max_history: Duration::from_hours(24),
        max_line: 1 << 20,
        headers: Vec::new(),
        credential: None,
        ca_file: None,
        route: crate::model::launch::Route::default(),
        allow_http: false,
    };
    let signal = SignalDef {
        id: "depth".into(),
        board: Board::Queues,
        title: "depth".into(),
        source: "worker".into(),
        query: "depth".into(),
        unit: Unit::Jobs,
        warn: None,
        bad: None,
        max_age: Duration::from_secs(15),
        empty: None,
        infinite: None,
        nan: None,
    };
    Launch {
        environment: "production".into(),
        sources: vec![source],
        signals: vec![signal],
        ..Launch::default()
    }
}

fn item(id: &str, after: &[&str], kind: Kind) -> Item {
    Item {
        id: id.into(),
        section: "Launch".into(),
        title: id.into(),
        kind,
        after: after.iter().map(|id| ItemId::from(*id)).collect(),
        ..Item::default()
    }
}

fn template() -> Template {
    let gate = GateDef {
        id: "queue".into(),
        title: "queue".into(),
        condition: Condition::Signal("depth".into()),
        matching: Vec::new(),
        op: Op::Less,
        value: 500.0,
        clear: None,
        hold: Duration::ZERO,
        max_age: None,
        expect_series: None,
        min_volume: None,
        idle: Idle::Unknown,
        allow_infinite: false,
        watch: Watched::default(),
    };
    Template {
        id: "launch".into(),
        title: "Launch".into(),
        items: vec![
            item("read", &[], Kind::Check),
            item("queue", &["read"], Kind::Gate(gate)),
            item("tell", &["queue"], Kind::Check),
        ],
        ..Template::default()
    }
}

/// A room on a run that allows changes, with the first item selected.
fn room() -> State {
    let template = Arc::new(template());
    let keymap = Keymap::new(&BTreeMap::new()).unwrap();
    let mut state = State::new(Arc::new(launch()), Some(Arc::clone(&template)), keymap, at(0));
    state.write = true;
    state.author = Author::unverified("ana");
    update(&mut state, Msg::Opened(Ok(Some(Box::new(Run::new("run".into(), template))))));
    state
}

/// Presses keys, each a second after the last.
fn press(state: &mut State, keys: &str) -> Vec<Effect> {
    Key::parse_all(keys)
        .unwrap()
        .into_iter()
        .flat_map(|key| {
            let when = state.now.after(Duration::from_secs(1));
            update(state, Msg::Key(key, when))
        })
        .collect()
}

/// Plays the ledger: decides the append and answers with its event.
fn save(state: &mut State, effects: &[Effect]) {
    for effect in effects {
        let Effect::Append { ticket, seen, command, author } = effect else { continue };
        let fact = crate::checklist::decide(seen, command, author, state.now).unwrap();
        let event = seen.next_event(&format!("id-{ticket}"), state.now, author, fact);
        update(state, Msg::Appended { ticket: *ticket, outcome: Ok(vec![event]) });
    }
}

fn stage(state: &State, id: &str) -> Stage {
    state.run.as_ref().unwrap().run.item(&id.into()).unwrap().1.stage
}

fn depth(asked: Time, value: f64) -> Msg {
    let point = Point { labels: Labels::none(), value, sampled: asked };
    let answer = SignalAnswer {
        signal: "depth".into(),
        result: Ok(vec![point]),
        warnings: Vec::new(),
        history: Vec::new(),
    };
    let outcome = Ok(Answer { signals: vec![answer], ..Answer::default() });
    Msg::Polled(Box::new(Polled { source: "worker".into(), asked, took: Duration::ZERO, outcome }))
}

#[test]
fn a_tick_shows_as_done_only_when_it_is_saved() {
    let mut state = room();
    let effects = press(&mut state, "space");
    assert!(
        matches!(&effects[..], [Effect::Append { command: Command::Tick { item, .. }, .. }] if item.as_str() == "read")
    );
    assert_eq!(stage(&state, "read"), Stage::Todo);
    assert!(state.run.as_ref().unwrap().pending.contains_key(&ItemId::from("read")));
    save(&mut state, &effects);
    assert_eq!(stage(&state, "read"), Stage::Done);
    assert!(state.run.as_ref().unwrap().pending.is_empty());
}

#[test]
fn a_write_that_failed_leaves_the_item_undone_and_says_why() {
    let mut state = room();
    press(&mut state, "space");
    let why = NotSaved { text: "not saved: disk full".into(), unconfirmed: false, second: false };
    update(&mut state, Msg::Appended { ticket: 1, outcome: Err(why) });
    assert_eq!(stage(&state, "read"), Stage::Todo);
    assert_eq!(state.run.as_ref().unwrap().failed[&ItemId::from("read")], "not saved: disk full");
    assert_eq!(press(&mut state, "space").len(), 1, "it can be tried again");
}

#[test]
fn what_was_written_but_not_confirmed_makes_the_run_read_only() {
    let mut state = room();
    press(&mut state, "space");
    let why = NotSaved { text: "written, not confirmed: I/O error".into(), unconfirmed: true, second: false };
    update(&mut state, Msg::Appended { ticket: 1, outcome: Err(why) });
    assert!(press(&mut state, "space").is_empty());
    assert!(state.notice.as_ref().unwrap().contains("read only: written, not confirmed"));
}

#[test]
fn a_live_run_is_read_only_until_write_is_asked_for() {
    let mut state = room();
    state.write = false;
    assert!(press(&mut state, "space").is_empty());
    assert!(state.notice.as_ref().unwrap().contains(":write"));
    press(&mut state, ": w r i t e enter");
    assert_eq!(press(&mut state, "space").len(), 1);
}

#[test]
fn space_does_nothing_to_the_list_while_another_block_has_the_focus() {
    let mut state = room();
    press(&mut state, "tab");
    assert!(press(&mut state, "space").is_empty());
}

#[test]
fn ticking_a_gate_polls_again_and_needs_pass_from_that_answer() {
    let mut state = room();
    let effects = press(&mut state, "space");
    save(&mut state, &effects);
    update(&mut state, depth(at(5), 10.0));
    // space opens the gate's dialog, t asks.
    let effects = press(&mut state, "j space t");
    assert!(matches!(&effects[..], [Effect::Poll(source)] if source.as_str() == "worker"));
    let asked = state.now;
    assert!(
        update(&mut state, depth(asked.before(Duration::from_secs(1)), 10.0)).is_empty(),
        "an older answer"
    );
    let effects = update(&mut state, depth(asked, 612.0));
    assert!(effects.is_empty());
    assert_eq!(state.run.as_ref().unwrap().failed[&ItemId::from("queue")], "not ticked: 612 ≥ 500");

    press(&mut state, "t");
    let now = state.now;
    let effects = update(&mut state, depth(now, 312.0));
    let [Effect::Append { command: Command::Tick { evidence, .. }, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!((evidence[0].value.as_str(), evidence[0].sampled), ("312", Some(now)));
    save(&mut state, &effects);
    assert_eq!(stage(&state, "queue"), Stage::Done);
}

#[test]
fn a_gate_whose_source_fails_is_not_ticked() {
    let mut state = room();
    let effects = press(&mut state, "space");
    save(&mut state, &effects);
    update(&mut state, depth(at(2), 10.0));
    press(&mut state, "j enter t");
    let fault = Fault::new(FaultCode::TimedOut, "no answer in 3s");
    let poll =
        Polled { source: "worker".into(), asked: state.now, took: Duration::ZERO, outcome: Err(fault) };
    assert!(update(&mut state, Msg::Polled(Box::new(poll))).is_empty());
    assert_eq!(
        state.run.as_ref().unwrap().failed[&ItemId::from("queue")],
        "not ticked: worker no answer in 3s"
    );
}

#[test]
fn an_item_that_waits_for_another_is_refused_without_a_poll() {
    let mut state = room();
    assert!(press(&mut state, "j enter t").is_empty());
    assert!(state.notice.as_ref().unwrap().contains("waits for read"), "{:?}", state.notice);
}

#[test]
fn skip_and_reopen_ask_for_a_reason_in_words() {
    let mut state = room();
    let effects = press(&mut state, "enter s enter o f f enter");
    assert!(
        matches!(&effects[..], [Effect::Append { command: Command::Skip { reason, .. }, .. }] if reason == "off")
    );
    save(&mut state, &effects);
    assert_eq!(stage(&state, "read"), Stage::Skipped);
    let effects = press(&mut state, "enter o b a c k enter");
    assert!(matches!(&effects[..], [Effect::Append { command: Command::Reopen { .. }, .. }]));
}

#[test]
fn a_pasted_sentence_ticks_nothing_and_fills_a_text_field() {
    let mut state = room();
    assert!(update(&mut state, Msg::Paste("   t t q".into())).is_empty());
    assert_eq!(stage(&state, "read"), Stage::Todo);
    press(&mut state, "n");
    update(&mut state, Msg::Paste("two\nlines\u{1b}".into()));
    let effects = press(&mut state, "enter");
    assert!(
        matches!(&effects[..], [Effect::Append { command: Command::Note { text, .. }, .. }] if text == "two lines")
    );
}

#[test]
fn what_was_typed_ahead_does_not_answer_a_dialog_that_just_opened() {
    let mut state = room();
    press(&mut state, "enter");
    let soon = state.now.after(Duration::from_millis(100));
    assert!(update(&mut state, Msg::Key(Key::char('t'), soon)).is_empty());
    let later = state.now.after(Duration::from_millis(400));
    assert_eq!(update(&mut state, Msg::Key(Key::char('t'), later)).len(), 1);
}

#[test]
fn t0_is_set_from_the_palette_as_people_say_it() {
    let mut state = room();
    for (typed, t0) in [("+30m", None), ("15:00", Some("2025-12-02T15:00:00.000Z"))] {
        press(&mut state, ": t 0 space");
        update(&mut state, Msg::Paste(typed.into()));
        let now = state.now;
        let effects = press(&mut state, "enter");
        let [Effect::Append { command: Command::SetT0 { t0: set }, .. }] = &effects[..] else {
            panic!("{effects:?}")
        };
        match t0 {
            Some(t0) => assert_eq!(set.rfc3339(), t0),
            None => assert!(set.since(now) >= Duration::from_mins(30)),
        }
        save(&mut state, &effects);
    }
    assert_eq!(state.run.as_ref().unwrap().run.clock.t0.unwrap().clock(), "15:00:00");
}

#[test]
fn only_gates_that_are_waited_for_or_watched_count_in_the_verdict() {
    let mut state = room();
    let gate = crate::model::GateId::from("queue");
    assert!(!state.counts(&gate), "blocked");
    let effects = press(&mut state, "space");
    save(&mut state, &effects);
    assert!(state.counts(&gate), "ready");
}

#[test]
fn another_terminals_tick_is_seen_and_logged() {
    let mut state = room();
    let effects = update(&mut state, Msg::RunChanged("run".into()));
    assert!(matches!(effects[..], [Effect::Read(_, 1)]));
    let run = &state.run.as_ref().unwrap().run;
    let tick = Command::Tick { item: "read".into(), evidence: Vec::new() };
    let fact = crate::checklist::decide(run, &tick, &Author::unverified("raj"), at(9)).unwrap();
    let event = run.next_event("other", at(9), &Author::unverified("raj"), fact);
    let told = |event| Msg::Events { run: "run".into(), outcome: Ok(vec![event]) };
    update(&mut state, told(event.clone()));
    update(&mut state, told(event));
    assert_eq!(stage(&state, "read"), Stage::Done);
    let told = state.log.lines().filter(|l| l.text.contains("raj") && l.text.contains("ticked read")).count();
    assert_eq!(told, 1);
}

#[test]
fn quitting_asks_only_while_something_is_being_saved() {
    let mut state = room();
    assert!(matches!(press(&mut state, "q")[..], [Effect::Quit]));
    press(&mut state, "space");
    assert!(press(&mut state, "q").is_empty());
    assert!(matches!(press(&mut state, "y")[..], [Effect::Quit]));
    let mut state = room();
    assert!(press(&mut state, "ctrl-c").is_empty());
    assert!(matches!(press(&mut state, "ctrl-c")[..], [Effect::Quit]));
}

#[test]
fn moving_zooming_and_windows_stay_within_what_there_is() {
    let mut state = room();
    press(&mut state, "j j j j j j");
    assert_eq!(state.selected(Block::Checklist), 2);
    press(&mut state, "g k k");
    assert_eq!(state.selected(Block::Checklist), 0);
    press(&mut state, "2 ] ] ] ] ] right left left");
    assert_eq!(state.zoom, Some(Block::Board(Board::Queues)));
    assert_eq!(state.chart_window(), Duration::from_hours(6));
    assert_eq!(state.cursor, Some(Duration::from_mins(12)));
    press(&mut state, "esc esc");
    assert_eq!(state.zoom, None);
    press(&mut state, "5");
    assert_eq!(state.notice.as_deref(), Some("this launch has nothing to show there"));
}

#[test]
fn a_room_that_may_only_watch_is_recorded_and_a_failed_write_shows() {
    let mut state = State::new(Arc::new(launch()), None, Keymap::new(&BTreeMap::new()).unwrap(), at(0));
    let line = |state: &mut State, text: &str| -> Vec<Effect> { super::press::line(state, text) };
    assert!(line(&mut state, "record stop").is_empty());
    assert!(state.notice.as_deref().unwrap_or_default().contains("nothing is being recorded"));
    let effects = line(&mut state, "record my file.om");
    assert!(
        matches!(&effects[..], [Effect::Record(RecordControl::Begin(Some(file)))] if file == "my file.om"),
        "{effects:?}"
    );
    update(&mut state, Msg::Recorded(Recorded::Began("my file.om".into())));
    update(&mut state, Msg::Recorded(Recorded::Holds(7)));
    assert_eq!(state.recording.as_ref().map(|r| r.polls), Some(7));
    assert!(line(&mut state, "record other.om").is_empty(), "one at a time");
    update(&mut state, Msg::Recorded(Recorded::BrokeOff("my file.om: no space left".into())));
    assert!(state.recording.as_ref().is_some_and(|r| r.broken.is_some()));
    assert!(state.log.lines().any(|l| l.text.contains("no space left")));
    assert!(matches!(&line(&mut state, "record")[..], [Effect::Record(RecordControl::Begin(None))]));
    state.replay = Some(Replay::default());
    assert!(line(&mut state, "record x.om").is_empty(), "a replay is a capture already");
}
