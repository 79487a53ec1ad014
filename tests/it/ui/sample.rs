//! Rooms to draw, made the way the program makes them: by messages.

use std::sync::Arc;
use std::time::Duration;

use gonogo::app::command::Keymap;
use gonogo::app::{Key, Msg, State, update};
use gonogo::checklist::{Author, Event, Evidence, Fact, Hash, Item, Kind, Mode, Run, Template};
use gonogo::model::flag::Percent;
use gonogo::model::gate::{Idle, Threshold};
use gonogo::model::identity::{Meta, Whoami};
use gonogo::model::poll::{FlagsAnswer, Notes};
use gonogo::model::{
    Answer, Board, Condition, Fault, FaultCode, Flag, FlagDef, GateDef, Labels, Launch, Op, Point, Polled,
    SignalAnswer, SignalDef, SourceDef, SourceKind, Time, Unit,
};

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

fn source(id: &str, kind: SourceKind) -> SourceDef {
    SourceDef {
        id: id.into(),
        kind,
        every: Duration::from_secs(5),
        timeout: Duration::from_secs(3),
        max_body: 64 << 20,
        max_series: 10_000,
        headers: Vec::new(),
        credential: None,
        ca_file: None,
        allow_http: false,
    }
}

fn scrape(url: &str) -> SourceKind {
    SourceKind::Scrape { urls: vec![url.into()], labels: Labels::none() }
}

fn signal(id: &str, board: Board, title: &str, source: &str, unit: Unit, warn: &str, bad: &str) -> SignalDef {
    let limit = |text: &str| Threshold::parse(text).ok();
    SignalDef {
        id: id.into(),
        board,
        title: title.into(),
        source: source.into(),
        query: format!("max by (queue) (tasks_{}{{state=\"waiting\"}})", id.replace('-', "_")),
        unit,
        warn: limit(warn),
        bad: limit(bad),
        max_age: Duration::from_secs(15),
        empty: (board == Board::Queues).then(|| "no jobs are waiting".into()),
        infinite: Some("not draining".into()),
        nan: Some("idle".into()),
    }
}

fn gate(id: &str, signal: &str, matching: &[(&str, &str)], op: Op, value: f64, hold: u64) -> GateDef {
    GateDef {
        id: id.into(),
        title: format!("{id} is as it must be"),
        condition: Condition::Signal(signal.into()),
        matching: matching.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect(),
        op,
        value,
        clear: None,
        hold: Duration::from_secs(hold),
        max_age: None,
        expect_series: None,
        min_volume: None,
        idle: Idle::Unknown,
        allow_infinite: false,
    }
}

pub fn launch() -> Launch {
    use Board::{Api, Flags, Identity, Queues, Tenants, Usage};
    use Unit::{Jobs, PerSecond, Seconds};
    let flag_gate = GateDef {
        condition: Condition::Flag { key: "tasks.enabled".into(), enabled: Some(true), percent: true },
        ..gate("flag-25", "", &[], Op::Equal, 25.0, 0)
    };
    Launch {
        product: "Tasks".into(),
        version: "0.1.4".into(),
        environment: "production".into(),
        t0: Some(at(3600)),
        sources: vec![
            source("worker", scrape("http://127.0.0.1:9464/metrics")),
            source("api", scrape("http://127.0.0.1:9465/metrics")),
            source(
                "identity",
                SourceKind::Identity {
                    url: "http://127.0.0.1:9466".into(),
                    environment: "production".into(),
                },
            ),
        ],
        signals: vec![
            signal("depth", Queues, "depth", "worker", Jobs, "> 300", "> 500"),
            signal("oldest", Queues, "oldest", "worker", Seconds, "> 30", "> 120"),
            signal("in", Queues, "in", "worker", PerSecond, "", ""),
            signal("out", Queues, "out", "worker", PerSecond, "", ""),
            signal("drain", Queues, "drain", "worker", Seconds, "", ""),
            signal("failed", Queues, "failed", "worker", Unit::Percent, "> 1", "> 5"),
            signal("5xx", Api, "5xx", "api", Unit::Percent, "> 0.5", "> 1"),
            signal("rate", Api, "rate", "api", PerSecond, "", ""),
            signal("p50", Api, "p50", "api", Seconds, "", ""),
            signal("p95", Api, "p95", "api", Seconds, "> 0.5", "> 1"),
            signal("p99", Api, "p99", "api", Seconds, "", ""),
            signal("burn", Api, "burn", "api", Unit::None, "> 6", "> 14.4"),
            signal("seen", Flags, "tasks.enabled seen", "api", Unit::Percent, "", ""),
            signal("tenants", Tenants, "5xx", "api", PerSecond, "", "> 1"),
            signal("usage", Usage, "events", "worker", PerSecond, "", ""),
            signal("signins", Identity, "sign-ins", "identity", PerSecond, "", ""),
        ],
        flags: vec![
            FlagDef { key: "tasks.enabled".into(), source: "identity".into(), observed: Some("seen".into()) },
            FlagDef { key: "tasks.bulk-edit".into(), source: "identity".into(), observed: None },
            FlagDef { key: "billing.v2".into(), source: "identity".into(), observed: None },
        ],
        gates: vec![
            gate("api-errors", "5xx", &[("service", "tasks")], Op::Less, 1.0, 120),
            gate("queue-age", "oldest", &[], Op::Less, 120.0, 0),
            gate("p95", "p95", &[], Op::Less, 1.0, 0),
            flag_gate,
        ],
        ..Launch::default()
    }
}

fn item(id: &str, section: &str, title: &str, after: &[&str]) -> Item {
    Item {
        id: id.into(),
        section: section.into(),
        title: title.into(),
        detail: None,
        kind: Kind::Check,
        owner: Some("captain".into()),
        optional: false,
        after: after.iter().map(|a| (*a).into()).collect(),
        runbook: None,
    }
}

pub fn template() -> Template {
    let (identity, queue, ramp, tell) = ("Identity & permissions", "Queues", "Rollout", "Communication");
    let gated = |item: Item, gate: GateDef| Item { kind: Kind::Gate(gate), ..item };
    let of =
        |id: &str, signal: &str, value, hold| gate(id, signal, &[("queue", "tasks")], Op::Less, value, hold);
    Template {
        id: "tasks-launch".into(),
        title: "Tasks v0.1.4 launch".into(),
        rollback: Some("tasks-rollback".into()),
        items: vec![
            item("flags-reviewed", identity, "Flags and roles reviewed for end users and internal personas", &[]),
            item("roles-synced", identity, "Support roles are synced to the identity service", &[]),
            item("audit-on", identity, "Audit log of flag changes is on", &[]),
            gated(item("queue-healthy", queue, "Queue can absorb the launch", &["flags-reviewed"]), of("queue-healthy", "depth", 500.0, 300)),
            gated(item("billing-steady", queue, "Billing keeps its pace", &[]), gate("billing-steady", "oldest", &[("queue", "billing")], Op::Less, 30.0, 3600)),
            Item {
                detail: Some("Run the dry run of the backfill against yesterday's snapshot and compare the counts. The two must agree to the last row; a difference of one is a difference.".into()),
                runbook: Some("backfill".into()),
                ..item("backfill-dry-run", queue, "Backfill dry run agrees with yesterday's snapshot", &[])
            },
            Item { optional: true, ..item("load-test", queue, "Load test at 3× of the expected peak", &[]) },
            item("ramp-10", ramp, "Ramp the flag to 10 %", &["queue-healthy"]),
            item("soak-10", ramp, "Soak at 10 % for half an hour", &["ramp-10"]),
            item("ramp-25", ramp, "Ramp the flag to 25 %", &["soak-10", "billing-steady"]),
            item("ramp-100", ramp, "Ramp the flag to 100 %", &["ramp-25"]),
            item("support-briefed", tell, "Support is briefed and has the internal FAQ", &[]),
            item("status-page", tell, "Status page says what is coming", &[]),
            item("customers-told", tell, "Customers are told", &["ramp-100"]),
        ],
    }
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
        author: Author { by: by.into(), role: Some("captain".into()) },
        fact,
        seen_rev: 0,
        prev: Hash(String::new()),
        hash: Hash(format!("sha256:{:064x}", seq * 0x9e37_79b9_7f4a)),
    }
}

fn events(mode: Mode) -> Vec<Event> {
    let tick = |item: &str| Fact::Tick { item: item.into(), evidence: Vec::new() };
    let evidence = Evidence {
        kind: "metric".into(),
        query: "max by (queue) (tasks_depth{state=\"waiting\"})".into(),
        value: "212".into(),
        sampled: at(830),
        source: "worker".into(),
    };
    let start = Fact::Start {
        template: Hash("sha256:00".into()),
        checklist: "tasks-launch".into(),
        mode,
        t0: Some(at(3600)),
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
    };
    let mut answer = Answer {
        signals: signals.iter().filter(of).map(|s| values(s, day, second)).collect(),
        notes,
        ..Answer::default()
    };
    if id == "identity" {
        answer.flags = Some(flags(second));
        answer.whoami = Some(Whoami {
            id: "u-17".into(),
            display: "Ana Ferreira".into(),
            roles: vec!["captain".into(), "sre".into()],
            scopes: vec!["flags:read".into(), "audit:read".into()],
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
        next: None,
        observed: None,
        variants: Vec::new(),
    };
    FlagsAnswer {
        environment: "production".into(),
        flags: vec![
            Flag {
                next: Some((at(4800), 50.0)),
                variants: vec![("on".into(), percent), ("off".into(), 100.0 - percent)],
                ..flag("tasks.enabled", true, Percent::Known { value: percent })
            },
            flag("tasks.bulk-edit", false, Percent::Known { value: 0.0 }),
        ],
        missing: vec!["billing.v2".into()],
    }
}

/// Twenty-five minutes into a launch.
pub fn room(day: Day) -> State {
    let mut state = empty_room();
    open(&mut state);
    let mut rest = events(Mode::Live).into_iter().peekable();
    for second in (0..1500).step_by(60) {
        while let Some(event) = rest.next_if(|e| e.at <= at(second)) {
            update(&mut state, Msg::Events(Ok(vec![event])));
        }
        play(&mut state, day, second, second + 60);
    }
    pressed(state, "G k k k k k k k k k")
}

fn demo() -> State {
    let mut state = empty_room();
    state.demo = true;
    state.forwarding = true;
    open(&mut state);
    update(&mut state, Msg::Events(Ok(events(Mode::Drill))));
    play(&mut state, Day::Calm, 0, 900);
    state
}

/// A tick that is being saved, a gate that is asked again, a tick that was refused, a changed template.
fn busy() -> State {
    let mut state = room(Day::Trouble);
    state.write = true;
    update(&mut state, Msg::TemplateChanged(true));
    let mut state = pressed(state, "g j j j j j space G k space");
    let trouble =
        gonogo::app::NotSaved { text: "raj@corp ticked it first, at 14:04:58".into(), unconfirmed: false };
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
