//! Rooms to draw, made the way the program makes them: by messages.

// The bench of frames draws only some of these rooms.
#[allow(dead_code, clippy::indexing_slicing)]
pub mod alerts;
#[allow(dead_code, clippy::indexing_slicing)]
pub mod identity;
mod launch;

use std::sync::Arc;
use std::time::Duration;

use gonogo::app::command::Keymap;
use gonogo::app::{Key, Msg, State, update};
use gonogo::checklist::{Author, Event, Evidence, Fact, Hash, Mode, Run};
use gonogo::model::flag::Percent;
use gonogo::model::identity::{Meta, Whoami};
use gonogo::model::poll::{FlagsAnswer, Notes};
use gonogo::model::{Answer, Fault, FaultCode, Flag, Labels, Point, Polled, SignalAnswer, SignalDef, Time};

use launch::{launch, template};

const EVERY: i64 = 5;
/// 2025-12-02T13:40:00Z
const BEGIN: i64 = 1_764_682_800;

pub fn at(seconds: i64) -> Time {
    Time::from_millis((BEGIN + seconds) * 1000)
}

/// How the simulated day goes.
#[derive(Clone, Copy, PartialEq)]
pub enum Day {
    Calm,
    /// The API errs, the queue grows, and identity stops answering for the last minutes.
    Trouble,
}

/// Every room by name, at its most telling moment.
pub fn all() -> Vec<(&'static str, State)> {
    vec![
        ("first_frame", first_frame()),
        ("no_launch_run", no_run()),
        ("go", room(Day::Calm)),
        ("no_go", room(Day::Trouble)),
        ("demo", demo()),
        ("busy_items", busy()),
        ("wide_characters", wide_characters()),
    ]
}

/// A room after key presses, written as in the help: `z [ left`.
pub fn pressed(mut state: State, keys: &str) -> State {
    for key in Key::parse_all(keys).unwrap() {
        let later = state.now.after(Duration::from_millis(400));
        update(&mut state, Msg::Key(key, later));
    }
    state
}

fn empty_room() -> State {
    let keymap = Keymap::new(&std::collections::BTreeMap::new()).unwrap();
    State::new(Arc::new(launch()), Some(Arc::new(template())), keymap, at(0))
}

fn first_frame() -> State {
    empty_room()
}

fn no_run() -> State {
    let mut state = empty_room();
    update(&mut state, Msg::Opened(Ok(None)));
    play(&mut state, Day::Calm, 0, 120);
    state
}

/// The launch's run with its first ticks.
fn open(state: &mut State) {
    let run = Run::new("2025-12-02-tasks-launch-01kax3".into(), Arc::new(template()));
    update(state, Msg::Opened(Ok(Some(Box::new(run)))));
}

fn event(seq: u64, second: i64, by: &str, fact: Fact) -> Event {
    Event {
        seq,
        id: format!("01KAX3R0{seq:018}"),
        at: at(second),
        author: Author { by: by.into(), role: Some("captain".into()), identity: None },
        fact,
        seen_rev: 0,
        prev: Hash(String::new()),
        hash: Hash(format!("sha256:{:016x}", seq.wrapping_mul(0x9e37_79b9_7f4a_7c15))),
    }
}

fn events(mode: Mode) -> Vec<Event> {
    let tick = |item: &str| Fact::Tick { item: item.into(), evidence: Vec::new() };
    let evidence = Evidence {
        kind: "metric".into(),
        query: Some("max by (queue) (tasks_depth{state=\"waiting\"})".into()),
        value: "212".into(),
        sampled: Some(at(830)),
        source: Some("worker".into()),
        gate: None,
        hash: None,
    };
    let start = Fact::Start {
        template: Hash("sha256:00".into()),
        checklist: "tasks-launch".into(),
        mode,
        t0: Some(at(3600)),
        params: Vec::new(),
        of: None,
        require_identity: false,
    };
    let proven = Fact::Tick { item: "queue-healthy".into(), evidence: vec![evidence] };
    let skip =
        Fact::Skip { item: "load-test".into(), reason: "done last week at 4×, see the report".into() };
    let note = Fact::Note {
        item: Some("flags-reviewed".into()),
        text: "roles of the two new support people are still missing in staging".into(),
    };
    vec![
        event(1, 5, "ana@corp", start),
        event(2, 60, "ana@corp", tick("flags-reviewed")),
        event(3, 300, "raj@corp", tick("roles-synced")),
        event(4, 420, "unverified:kim", tick("audit-on")),
        event(5, 500, "ana@corp", skip),
        event(6, 520, "raj@corp", note),
        event(7, 835, "ana@corp", proven),
    ]
}

/// Polls of every source from one second to another, as the sources would send them.
pub fn play(state: &mut State, day: Day, from: i64, to: i64) {
    for second in (from..to).step_by(EVERY as usize) {
        for id in ["worker", "api", "identity"] {
            update(state, Msg::Polled(Box::new(poll(id, day, second))));
        }
    }
    update(state, Msg::Clock(at(to + 1)));
}

/// One answer.
pub fn poll(id: &str, day: Day, second: i64) -> Polled {
    let down = day == Day::Trouble && id == "identity" && second > 1380;
    let outcome = if down {
        Err(Fault::new(FaultCode::Status, "answers 503 Service Unavailable"))
    } else {
        Ok(answer(id, day, second))
    };
    Polled { source: id.into(), asked: at(second), took: Duration::from_millis(38), outcome }
}

fn answer(id: &str, day: Day, second: i64) -> Answer {
    let signals = launch().signals;
    let of = |s: &&SignalDef| s.source.as_str() == id;
    let notes = Notes {
        series_kept: 48,
        series_sent: 5_120,
        unreadable: usize::from(id == "api") * 2,
        first_unreadable: (id == "api").then(|| (812, "no value after the labels".into())),
        series_cut: 0,
        clock_offset: (id == "identity").then_some(-0.42),
        bytes: 264_331,
        not_modified: false,
        ..Notes::default()
    };
    let mut answer = Answer {
        signals: signals.iter().filter(of).map(|s| values(s, day, second)).collect(),
        notes,
        ..Answer::default()
    };
    if id == "identity" {
        answer.flags = Some(flags(second));
        answer.whoami = Some(Whoami {
            claims: Vec::new(),
            id: "u-17".into(),
            display: "Ana Ferreira".into(),
            roles: vec!["captain".into(), "sre".into()],
            scopes: vec!["flags:read".into(), "audit:read".into()],
            org_id: None,
            expires_at: None,
            impersonator: None,
        });
        answer.meta = Some(Meta {
            contract: "launch-identity/1".into(),
            service: "identity 4.2.0".into(),
            environments: vec!["production".into(), "staging".into()],
            capabilities: vec!["flags".into(), "audit".into()],
            min_interval_s: Some(5),
        });
    }
    answer
}

fn values(signal: &SignalDef, day: Day, second: i64) -> SignalAnswer {
    let t = second as f64;
    let bad = if day == Day::Trouble { ((t - 1000.0) / 400.0).clamp(0.0, 1.2) } else { 0.0 };
    let wave = |period: f64, size: f64| (t / period * std::f64::consts::TAU).sin() * size;
    let queue = |tasks: f64, billing: f64| vec![("queue", "tasks", tasks), ("queue", "billing", billing)];
    let service =
        |tasks: f64, identity: f64| vec![("service", "tasks", tasks), ("service", "portal", identity)];
    let points = match signal.id.as_str() {
        "depth" => {
            queue((180.0 + wave(300.0, 90.0) + bad * 240.0).round(), (12.0 + wave(120.0, 4.0)).round())
        }
        "oldest" => queue(4.2 + bad * 40.0, 0.4),
        "in" => queue(41.0 + wave(200.0, 3.0) + bad * 20.0, 3.1),
        "out" => queue(43.1 + wave(170.0, 2.0) - bad * 6.0, 3.1),
        "drain" => queue(if bad > 0.3 { f64::INFINITY } else { 150.0 }, f64::NAN),
        "failed" => queue(0.2 + bad * 1.5, 0.0),
        "5xx" => service(0.12 + wave(400.0, 0.05) + bad * 1.9, 0.004),
        "rate" => service(118.2 + wave(250.0, 9.0), 61.7),
        "p50" => service(0.034, 0.021),
        "p95" => service(0.212 + bad * 0.4, 0.09),
        "p99" => service(0.48 + bad * 0.9, 0.2),
        "burn" => service(1.2 + bad * 12.0, 0.0),
        "seen" => vec![("flag", "tasks.enabled", if second > 700 { 24.1 } else { 9.8 })],
        "tenants" => vec![
            ("tenant", "acme", 0.8 * bad),
            ("tenant", "globex", 0.3),
            ("tenant", "initech", 0.1),
            ("tenant", "umbrella", 0.05),
        ],
        "usage" => vec![("product", "tasks", 36.2), ("product", "billing", 35.9)],
        _ => vec![("result", "success", 12.4), ("result", "failure", 0.2)],
    };
    let point = |(name, value, number): (&str, &str, f64)| Point {
        labels: Labels::from_pairs([(name, value)]),
        value: number,
        sampled: at(second),
    };
    SignalAnswer {
        signal: signal.id.clone(),
        result: Ok(points.into_iter().map(point).collect()),
        warnings: Vec::new(),
        history: Vec::new(),
    }
}

fn flags(second: i64) -> FlagsAnswer {
    let percent = if second > 700 { 25.0 } else { 10.0 };
    let flag = |key: &str, enabled: bool, percent: Percent| Flag {
        key: key.into(),
        enabled,
        percent,
        unit: "org".into(),
        updated_at: Some(at(if second > 700 { 701 } else { -3600 })),
        updated_by: Some("ravi".into()),
        ..Flag::default()
    };
    FlagsAnswer {
        environment: "production".into(),
        flags: vec![
            Flag {
                next: Some((at(4800), 50.0)),
                variants: vec![("on".into(), Some(percent)), ("off".into(), Some(100.0 - percent))],
                ..flag("tasks.enabled", true, Percent::Known { value: percent })
            },
            flag("tasks.bulk-edit", false, Percent::Known { value: 0.0 }),
        ],
        missing: vec!["billing.v2".into()],
        ..FlagsAnswer::default()
    }
}

/// Twenty-five minutes into a launch.
pub fn room(day: Day) -> State {
    let mut state = empty_room();
    open(&mut state);
    live_through(&mut state, day, Mode::Live, 1500);
    pressed(state, "G k k k k k k k k k")
}

/// Polls and events in the order in which they happened.
fn live_through(state: &mut State, day: Day, mode: Mode, to: i64) {
    let mut rest = events(mode).into_iter().peekable();
    for second in (0..to).step_by(60) {
        while let Some(event) = rest.next_if(|e| e.at <= at(second)) {
            let run = state.run.as_ref().unwrap().run.id.clone();
            update(state, Msg::Events { run, outcome: Ok(vec![event]) });
        }
        play(state, day, second, second + 60);
    }
}

fn demo() -> State {
    let mut state = empty_room();
    state.demo = true;
    state.forwarding = true;
    open(&mut state);
    live_through(&mut state, Day::Calm, Mode::Drill, 900);
    state
}

/// A tick that is being saved, a gate that is asked again, a tick that was refused, a changed template.
fn busy() -> State {
    let mut state = room(Day::Trouble);
    state.write = true;
    update(&mut state, Msg::TemplateChanged(true));
    let mut state = pressed(state, "g j j j j j space G k space");
    let trouble = gonogo::app::NotSaved {
        text: "raj@corp ticked it first, at 14:04:58".into(),
        unconfirmed: false,
        second: true,
    };
    let ticket = state.run.as_ref().unwrap().saving.keys().next_back().copied().unwrap();
    update(&mut state, Msg::Appended { ticket, outcome: Err(trouble) });
    pressed(state, "g j j j j enter t esc")
}

/// Names of another script, emoji, and names that are far too long.
fn wide_characters() -> State {
    let mut launch = launch();
    launch.product = "タスク管理 🚀".into();
    launch.environment = "本番環境-with-a-very-long-name".into();
    let mut template = template();
    template.title = "発売チェックリスト 🚀🚀🚀 with a title that never ends, as titles do".into();
    for item in &mut template.items {
        item.title = format!("日本語 {} 🎉 {}", item.title, "x".repeat(200));
        item.section = "権限".repeat(30);
    }
    let keymap = Keymap::new(&std::collections::BTreeMap::new()).unwrap();
    let mut state = State::new(Arc::new(launch), Some(Arc::new(template.clone())), keymap, at(0));
    let run = Run::new("日本語-🎉🎉🎉🎉".into(), Arc::new(template));
    update(&mut state, Msg::Opened(Ok(Some(Box::new(run)))));
    let mut poll = poll("worker", Day::Trouble, 0);
    if let Ok(answer) = &mut poll.outcome {
        for signal in &mut answer.signals {
            if let Ok(points) = &mut signal.result {
                for point in points {
                    point.labels = point.labels.with("tenant", "会社🏢 \u{202e}gnol yrev");
                    point.value *= 1e9;
                }
            }
        }
    }
    update(&mut state, Msg::Polled(Box::new(poll)));
    update(&mut state, Msg::Clock(at(2)));
    state
}
