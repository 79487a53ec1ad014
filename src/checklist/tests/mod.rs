//! The rules of a run: each as a sentence with the words that are said, and a model that random
//! histories are compared with.

mod clock;
mod commands;
mod desk;
mod events;
mod items;
mod model;
mod polls;

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::item_state::{EXERCISED, RESULT_GRACE};
use super::template::{CommandDef, Due, Exit, HoldDef, ListKind, MessageDef, Param, SignOff};
use super::*;
use crate::model::gate::{Idle, Watched};
use crate::model::trigger::Action;
use crate::model::{Condition, GateDef, ItemId, Mark, Op, RunId, Time};

fn item(id: &str, after: &[&str], optional: bool) -> Item {
    Item {
        id: id.into(),
        section: "Launch".into(),
        title: id.to_uppercase(),
        optional,
        after: after.iter().map(|id| ItemId::from(*id)).collect(),
        ..Item::default()
    }
}

/// A check without conditions.
fn check(id: &str) -> Item {
    item(id, &[], false)
}

fn gate_def(id: &str) -> GateDef {
    GateDef {
        id: id.into(),
        title: id.into(),
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
    }
}

fn gate(id: &str, after: &[&str]) -> Item {
    Item { kind: Kind::Gate(gate_def(id)), ..item(id, after, false) }
}

fn wait(id: &str, seconds: u64, gated: bool) -> Item {
    let gate = gated.then(|| Box::new(gate_def(id)));
    Item { kind: Kind::Wait { span: secs(seconds), gate }, ..check(id) }
}

/// A command that sets a flag's percentage, within a minute.
fn ramp(id: &str, percent: &str) -> Item {
    let argv = ["flagctl", "set", "{{flag}}", "--percent", percent].map(ToOwned::to_owned).to_vec();
    let timeout = secs(60);
    Item {
        kind: Kind::Command(CommandDef { argv, env: vec!["TOKEN".into()], timeout, type_id: true }),
        ..check(id)
    }
}

fn message(id: &str) -> Item {
    let message = MessageDef { file: "messages/x.md".into(), channel: Some("status page".into()) };
    Item { kind: Kind::Message(message), ..check(id) }
}

fn hold(id: &str, at: &str, exit: Exit) -> HoldDef {
    let stations = if exit == Exit::Poll { vec!["captain".into(), "sre".into()] } else { Vec::new() };
    HoldDef {
        id: id.into(),
        title: None,
        at: Mark::parse(at).unwrap(),
        max: Some(secs(1800)),
        exit,
        stations,
    }
}

fn list(items: Vec<Item>) -> Template {
    let flag = Param {
        name: "flag".into(),
        title: None,
        default: Some("tasks.enabled".into()),
        pattern: Some("[a-z.]+".into()),
    };
    Template { id: "launch".into(), title: "Launch".into(), items, params: vec![flag], ..Template::default() }
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A run with a clock of its own.
struct Room {
    run: Run,
    now: Time,
    events: Vec<Event>,
}

/// When a room's run is started; T-0 is an hour later where there is one.
const NOON: &str = "2025-12-02T12:00:00Z";

fn room(template: Template) -> Room {
    begun(template, &Begun::default())
}

fn begun(template: Template, with: &Begun) -> Room {
    let now = Time::parse(NOON).unwrap();
    let mut run = Run::new(RunId::new("r"), Arc::new(template));
    let fact = begin(&run.template, "text", with, &ana()).unwrap();
    let event = run.next_event("START", now, &ana(), fact);
    run.apply(&event);
    Room { run, now, events: vec![event] }
}

/// A room whose T-0 is at 13:00.
fn counting(template: Template) -> Room {
    let t0 = Time::parse("2025-12-02T13:00:00Z").unwrap();
    begun(template, &Begun { t0: Some(t0), ..Begun::default() })
}

/// `ana captain` is ana, acting as captain.
fn person(words: &str) -> Author {
    match words.split_once(' ') {
        Some((name, role)) => Author::unverified(name).acting_as(role),
        None => Author::unverified(words),
    }
}

impl Room {
    /// Time passes until the wall clock shows this.
    fn at(&mut self, clock: &str) {
        self.now = Time::parse(&format!("2025-12-02T{clock}Z")).unwrap();
    }

    fn later(&mut self, seconds: u64) {
        self.now = self.now.after(secs(seconds));
    }

    /// What somebody does, written and read back as the ledger does it.
    fn tries(&mut self, who: &Author, command: &Command) -> Result<Event, Refused> {
        let fact = decide(&self.run, command, who, self.now)?;
        let event = self.run.next_event(&format!("E{}", self.run.seq + 1), self.now, who, fact);
        self.run.follows(&event).unwrap();
        assert_eq!(event_file::read(&event_file::render(&event)).as_ref(), Ok(&event));
        self.run.apply(&event);
        self.events.push(event.clone());
        Ok(event)
    }

    /// It is done.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "a command is written where it is done")]
    fn does(&mut self, who: &str, command: Command) -> Event {
        self.tries(&person(who), &command).unwrap_or_else(|refused| panic!("{command:?}: {refused}"))
    }

    /// It is refused with these words, and nothing has changed.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "a command is written where it is done")]
    fn refuses(&mut self, who: &str, command: Command, words: &str) {
        let before = serde_json::to_string(&self.run).unwrap();
        match self.tries(&person(who), &command) {
            Err(refused) => assert_eq!(refused.to_string(), words, "{command:?}"),
            Ok(event) => panic!("{command:?} was done: {:?}", event.fact),
        }
        assert_eq!(serde_json::to_string(&self.run).unwrap(), before);
    }

    fn stage(&self, id: &str) -> Stage {
        self.state(id).stage
    }

    fn state(&self, id: &str) -> &ItemState {
        self.run.item(&id.into()).unwrap().1
    }

    fn phase(&self) -> Phase {
        self.run.clock.phase(&self.run.template, self.now)
    }

    /// What T shows.
    fn t(&self) -> String {
        self.run.clock.mark(&self.run.template, self.now).map_or("-".into(), |mark| mark.to_string())
    }

    fn held(&self) -> Option<Held> {
        self.run.clock.hold_at(&self.run.template, self.now)
    }
}

/// flags ← gate ← ramp ← told; faq is optional, and ramp rests on it too.
fn run() -> Run {
    let items = vec![
        item("flags", &[], false),
        gate("queue", &["flags"]),
        item("faq", &[], true),
        item("ramp", &["queue", "faq"], false),
        item("told", &["ramp"], false),
    ];
    let template = Template { id: "launch".into(), title: "Launch".into(), items, ..Template::default() };
    let mut run = Run::new(RunId::new("r"), Arc::new(template));
    let fact = begin(&run.template, "text", &Begun::default(), &ana()).unwrap();
    let event = run.next_event("START", Time::from_millis(0), &ana(), fact);
    run.apply(&event);
    run
}

fn ana() -> Author {
    Author::unverified("ana")
}

fn number() -> Evidence {
    Evidence {
        kind: "metric".into(),
        query: Some("max by (queue) (depth)".into()),
        value: "NaN".into(),
        sampled: Some(Time::from_millis(1_764_684_123_456)),
        source: Some("worker".into()),
        gate: None,
        hash: None,
    }
}

fn does(run: &mut Run, command: &Command) -> Result<Event, Refused> {
    let at = Time::parse("2025-12-02T14:02:11.204Z").unwrap();
    let fact = decide(run, command, &ana(), at)?;
    let event = run.next_event(&format!("E{}", run.seq + 1), at, &ana(), fact);
    run.follows(&event).unwrap();
    run.apply(&event);
    Ok(event)
}

fn tick(id: &str) -> Command {
    Command::Tick { item: id.into(), evidence: Vec::new() }
}

fn tick_gate(id: &str) -> Command {
    Command::Tick { item: id.into(), evidence: vec![number()] }
}

fn sign(id: &str) -> Command {
    Command::Sign { item: id.into(), note: None, binds: None }
}

fn skip(id: &str) -> Command {
    Command::Skip { item: id.into(), reason: "no time".into() }
}

fn waive(id: &str) -> Command {
    Command::Waive { item: id.into(), reason: "agreed".into() }
}

fn fail(id: &str) -> Command {
    Command::Fail { item: id.into(), reason: "it broke".into() }
}

fn reopen(id: &str) -> Command {
    Command::Reopen { item: id.into(), reason: "wrong host".into() }
}

fn bring(id: &str, kind: &str, value: &str) -> Command {
    Command::Attach { item: id.into(), evidence: vec![Evidence::brought(kind, value)] }
}

fn glass(step: Step) -> Command {
    Command::BreakGlass { step, reason: "nobody else is here".into() }
}

fn vote(station: &str, go: bool) -> Command {
    let evidence = if go { vec![number()] } else { Vec::new() };
    Command::Vote { station: station.into(), go, note: None, evidence, poll: None }
}

fn resume() -> Command {
    Command::Resume { evidence: Vec::new() }
}

fn lift_off() -> Command {
    Command::LiftOff { evidence: vec![number()] }
}

fn desk(terminal: &str) -> Command {
    Command::Desk { terminal: terminal.into(), force: false, gone: None }
}

fn auto(what: Auto) -> Command {
    Command::Auto { terminal: "tty1".into(), what }
}
