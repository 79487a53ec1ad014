//! Random histories by several people in several roles, compared after every step with a reference
//! that was written for that: what is allowed, how far each item is, what stands, what T shows.

mod reference;

use proptest::strategy::ValueTree as _;

use super::*;
use reference::{By, Ends, Is, Line, Model, What};

/// A person by place, a spelling of the name, a role, and the seconds that pass before.
type Who = (usize, usize, usize, i64);

const PEOPLE: [&str; 3] = ["ana", "ben", "cyn"];
const ROLES: [Option<&str>; 4] = [None, Some("captain"), Some("sre"), Some("cto")];
const STATIONS: [&str; 3] = ["captain", "sre", "support"];
const ITEMS: usize = 6;

#[derive(Clone, Debug)]
enum Act {
    Begin(usize),
    Link(usize),
    Tick(usize, bool),
    Sign(usize),
    Skip(usize),
    Waive(usize),
    Fail(usize),
    Reopen(usize),
    GlassItem(usize),
    Run(usize),
    /// Of the newest start of a command that may be running (or an older number), well or badly.
    Ended(usize, bool, bool),
    Sent(usize),
    Note(usize),
    T0(i64),
    Hold,
    Extend(i64),
    Resume(bool),
    GlassHold,
    Recycle(usize),
    Scrub,
    LiftOff(bool),
    GlassLiftOff,
    Ask(usize, i64),
    Vote(usize, bool, bool),
    Lapse(usize),
    Desk(usize, bool),
    LeaveDesk(usize),
    Propose(usize, usize, bool),
    Answer(usize, bool),
    Silence(usize, usize),
    Reached(usize, usize),
    ResumesItself(usize),
    WaitOver(usize, usize),
    WaitFailed(usize, usize),
    Close,
}

fn any_op() -> impl Strategy<Value = Act> {
    use Act::{
        Answer, Ask, Begin, Close, Desk, Ended, Extend, Fail, GlassHold, GlassItem, GlassLiftOff, Hold,
        Lapse, LeaveDesk, LiftOff, Link, Note, Propose, Reached, Recycle, Reopen, Resume, ResumesItself, Run,
        Scrub, Sent, Sign, Silence, Skip, T0, Tick, Vote, WaitFailed, WaitOver, Waive,
    };
    let i = || 0..ITEMS;
    let yes = any::<bool>;
    let terminal = || 0..2_usize;
    let voted =
        || (0..3_usize, yes(), prop::bool::weighted(0.8)).prop_map(|(s, go, numbers)| Vote(s, go, numbers));
    let often = prop_oneof![
        (i(), yes()).prop_map(|(i, yes)| Tick(i, yes)),
        i().prop_map(Sign),
        i().prop_map(Run),
        i().prop_map(Run),
        (i(), prop::bool::weighted(0.8), yes()).prop_map(|(i, newest, good)| Ended(i, newest, good)),
        i().prop_map(Begin),
        i().prop_map(Link),
        i().prop_map(Sent),
        i().prop_map(Reopen),
        i().prop_map(Waive),
        i().prop_map(Skip),
        yes().prop_map(Resume),
        voted(),
        voted(),
        yes().prop_map(LiftOff),
    ];
    let of_clock = prop_oneof![
        (-1800..5400_i64).prop_map(T0),
        Just(Hold),
        (1..900_i64).prop_map(Extend),
        Just(GlassHold),
        (0..4_usize).prop_map(Recycle),
        (1..8_usize, 1..600_i64).prop_map(|(stations, within)| Ask(stations, within)),
        Just(Scrub),
        (1..8_usize, 1..600_i64).prop_map(|(stations, within)| Ask(stations, within)),
    ];
    let of_desk = prop_oneof![
        (terminal(), yes()).prop_map(|(t, force)| Desk(t, force)),
        (terminal(), 0..2_usize, yes()).prop_map(|(t, cause, hold)| Propose(t, cause, hold)),
        (0..4_usize, yes()).prop_map(|(n, confirm)| Answer(n, confirm)),
        (terminal(), 0..4_usize).prop_map(|(t, n)| Silence(t, n)),
        (terminal(), 0..3_usize).prop_map(|(t, stop)| Reached(t, stop)),
        terminal().prop_map(ResumesItself),
        terminal().prop_map(Lapse),
        (terminal(), i()).prop_map(|(t, i)| WaitOver(t, i)),
        (terminal(), i()).prop_map(|(t, i)| WaitFailed(t, i)),
        terminal().prop_map(LeaveDesk),
    ];
    let seldom = prop_oneof![
        8 => i().prop_map(GlassItem),
        8 => i().prop_map(Fail),
        8 => i().prop_map(Note),
        1 => Just(GlassLiftOff),
        1 => Just(Close),
    ];
    prop_oneof![9 => often, 2 => of_clock, 3 => of_desk, 1 => seldom]
}

fn any_line(place: usize) -> impl Strategy<Value = Line> {
    let what = prop_oneof![
        3 => Just(What::Check),
        1 => Just(What::Gate),
        3 => Just(What::Command),
        1 => Just(What::Message),
        1 => Just(What::Wait),
        1 => Just(What::GatedWait),
    ];
    let role = prop::sample::select(vec![None, None, Some("captain"), Some("sre")]);
    let owner = prop::sample::select(vec![None, Some("ana"), Some("cto")]);
    let signers = prop::sample::select(vec![0, 0, 0, 1, 2]);
    let after = prop::collection::btree_set(0..place.max(1), 0..3);
    let flags = prop::collection::vec(prop::bool::weighted(0.3), 5);
    (what, role, owner, signers, after, flags).prop_map(move |(what, role, owner, signers, after, flags)| {
        Line {
            what,
            role,
            owner,
            optional: flags[0],
            waivable: !flags[1],
            signers,
            only_sre_signs: flags[2],
            wants_link: flags[3],
            due: flags[4],
            undoes_something: false,
            after: after.into_iter().filter(|before| *before < place).collect(),
        }
    })
}

fn any_model() -> impl Strategy<Value = Model> {
    let lines: Vec<_> = (0..ITEMS).map(|place| any_line(place).boxed()).collect();
    let stops = prop::sample::subsequence(
        vec![(1800, Ends::Time, 600), (600, Ends::Poll, 900), (60, Ends::Gates, 300)],
        0..=3,
    );
    let undo = prop::option::of(0..ITEMS);
    let t0 = prop::option::of(0..3600_i64);
    (prop::bool::weighted(0.2), lines, stops, undo, t0).prop_map(|(rollback, mut lines, stops, undo, t0)| {
        if let Some(undo) = undo {
            lines[undo].undoes_something = true;
        }
        Model::new(rollback, lines, stops, t0)
    })
}

fn id(i: usize) -> ItemId {
    ItemId::from(format!("i{i}").as_str())
}

/// The template that the model's lines stand for.
fn template(model: &Model) -> Template {
    let items = model.lines.iter().enumerate().map(|(i, line)| {
        let name = format!("i{i}");
        let base = match line.what {
            What::Check => check(&name),
            What::Gate => gate(&name, &[]),
            What::Command => ramp(&name, "10"),
            What::Message => message(&name),
            What::Wait => wait(&name, reference::WAIT as u64, false),
            What::GatedWait => wait(&name, reference::WAIT as u64, true),
        };
        let roles = if line.only_sre_signs { vec!["sre".into()] } else { Vec::new() };
        Item {
            role: line.role.map(Into::into),
            owner: line.owner.map(Into::into),
            optional: line.optional,
            waivable_by: if line.waivable { vec!["cto".into()] } else { Vec::new() },
            signoff: (line.signers > 0).then_some(SignOff { count: line.signers, roles }),
            evidence: if line.wants_link { vec![super::template::EvidenceKind::Link] } else { Vec::new() },
            due: line.due.then_some(Due::Mark(Mark::ZERO)),
            after: line.after.iter().map(|i| id(*i)).collect(),
            ..base
        }
    });
    let mut items: Vec<Item> = items.collect();
    if let Some(undo) = model.lines.iter().position(|line| line.undoes_something) {
        // Which item names it as its undo does not matter.
        items[(undo + 1) % ITEMS].undo = Some(id(undo));
    }
    let holds = model.stops.iter().enumerate().map(|(place, (before, ends, max))| {
        let exit = match ends {
            Ends::Time => Exit::Time,
            Ends::Poll => Exit::Poll,
            Ends::Gates => Exit::Gates,
        };
        HoldDef { max: Some(secs(*max as u64)), ..hold(&format!("h{place}"), &format!("T-{before}s"), exit) }
    });
    let kind = if model.rollback { ListKind::Rollback } else { ListKind::Launch };
    Template { kind, holds: holds.collect(), ..list(items) }
}

fn moment(second: i64) -> Time {
    Time::parse(NOON)
        .unwrap()
        .after(Duration::ZERO)
        .millis()
        .checked_add(second * 1000)
        .map(Time::from_millis)
        .unwrap()
}

/// The name in one of the ways in which one person may come.
fn author((person, spelling, _, _): Who, role: Option<&str>) -> Author {
    let name = PEOPLE[person];
    let by = match spelling {
        0 => format!("unverified:{name}"),
        1 => name.to_owned(),
        2 => format!("Unverified:{}", name.to_uppercase()),
        _ => format!("unverified: {name} "),
    };
    Author { by, role: role.map(Into::into), identity: None }
}

/// Half of the time the role that the item is for, where one is.
fn role_for(model: &Model, (person, spelling, role, _): Who, act: &Act) -> Option<&'static str> {
    let of_item = match *act {
        Act::Begin(i) | Act::Tick(i, _) | Act::Skip(i) | Act::Run(i) | Act::Sent(i) => model.lines[i].role,
        Act::Waive(_) => Some("cto"),
        Act::Sign(_) => Some("sre"),
        _ => None,
    };
    of_item.filter(|_| (person + spelling) % 2 == 0).or(ROLES[role])
}

fn numbers(yes: bool) -> Vec<Evidence> {
    if yes { vec![number()] } else { vec![Evidence::brought("text", "all is well")] }
}

fn terminal(desk: usize) -> String {
    format!("tty{desk}")
}

/// What the step is called in a run, and whether the model allows (and then has done) it.
fn step(model: &mut Model, op: &Act, by: By) -> (Command, bool) {
    let by_desk = |desk: usize, what| Command::Auto { terminal: terminal(desk), what };
    // Mostly the terminal that has the desk.
    let at_desk = |model: &Model, t: usize| model.desk().filter(|_| t == 0).unwrap_or(t);
    let stop_id = |stop: usize| format!("h{stop}");
    let proposal = |model: &Model, n: usize| model.proposals.get(n).map_or(9999, |p| p.seq);
    let open = !model.closed;
    match *op {
        Act::Begin(i) => (Command::Begin { item: id(i) }, open && model.begin(i, by)),
        Act::Link(i) => (bring(id(i).as_str(), "link", "https://x"), open && model.bring_link(i)),
        Act::Tick(i, yes) => {
            (Command::Tick { item: id(i), evidence: numbers(yes) }, open && model.tick(i, yes, by))
        }
        Act::Sign(i) => (sign(id(i).as_str()), open && model.sign(i, by)),
        Act::Skip(i) => (skip(id(i).as_str()), open && model.skip(i, by)),
        Act::Waive(i) => (waive(id(i).as_str()), open && model.waive(i, by)),
        Act::Fail(i) => (fail(id(i).as_str()), open && model.fail(i, by)),
        Act::Reopen(i) => (reopen(id(i).as_str()), open && model.reopen(i, by)),
        Act::GlassItem(i) => (glass(Step::Item(id(i))), open && model.glass_for_item(i, by)),
        Act::Run(i) => (Command::Run { item: id(i) }, open && model.run(i, by)),
        Act::Ended(i, newest, good) => {
            let i = (i..i + ITEMS).map(|i| i % ITEMS).find(|i| model.may_run(*i)).unwrap_or(i);
            let of = model.started(i).unwrap_or(7) - u64::from(!newest);
            let outcome = if good { "exit 0" } else { "exit 1" }.to_owned();
            let (item, took) = (id(i), Duration::from_micros(1234));
            let command = Command::Ended { item, of, outcome, took, bytes: 0, output: None };
            (command, model.ended(i, of, good))
        }
        Act::Sent(i) => (Command::Sent { item: id(i), text: "live".into() }, open && model.sent(i, by)),
        Act::Note(i) => (Command::Note { item: Some(id(i)), text: "hm".into() }, true),
        Act::T0(after) => {
            (Command::SetT0 { t0: moment(by.now + after) }, open && model.set_t0(by.now + after, by))
        }
        Act::Hold => (Command::Hold { reason: None }, open && model.hold(by)),
        Act::Extend(more) => (Command::Extend { by: secs(more as u64) }, open && model.extend(more, by)),
        Act::Resume(yes) => (Command::Resume { evidence: numbers(yes) }, open && model.resume(yes, by)),
        Act::GlassHold => (glass(Step::Hold), open && model.glass_for_hold(by)),
        Act::Recycle(stop) => (
            Command::Recycle { hold: stop_id(stop), reason: "again".into() },
            open && model.recycle(stop, by),
        ),
        Act::Scrub => (Command::Scrub { reason: "storm".into() }, open && model.scrub(by)),
        Act::LiftOff(yes) => (Command::LiftOff { evidence: numbers(yes) }, open && model.lift_off(yes, by)),
        Act::GlassLiftOff => (glass(Step::LiftOff), open && model.glass_for_lift_off(by)),
        Act::Ask(which, within) => {
            let named = STATIONS.iter().enumerate().filter(|(n, _)| which & (1 << n) != 0);
            let named: Vec<&'static str> = named.map(|(_, station)| *station).collect();
            let stations = named.iter().map(|s| (*s).to_owned()).collect();
            (Command::Poll { stations, within: secs(within as u64) }, open && model.ask(named, within, by))
        }
        Act::Vote(s, go, yes) => {
            // Mostly for the station that one speaks for.
            let station =
                STATIONS.into_iter().find(|own| s > 0 && by.role == Some(own)).unwrap_or(STATIONS[s]);
            let evidence = numbers(yes);
            let command = Command::Vote { station: station.into(), go, note: None, evidence, poll: None };
            (command, open && model.vote(station, go, yes, by))
        }
        Act::Lapse(t) => {
            let t = at_desk(model, t);
            (by_desk(t, Auto::Lapse { reason: "bad".into() }), open && model.lapse(t, by))
        }
        Act::Desk(t, force) => {
            let command = Command::Desk { terminal: terminal(t), force, gone: None };
            (command, open && model.take_desk(t, force))
        }
        Act::LeaveDesk(t) => {
            let t = at_desk(model, t);
            (Command::LeaveDesk { terminal: terminal(t) }, open && model.leave_desk(t))
        }
        Act::Propose(t, cause, hold) => {
            let t = at_desk(model, t);
            let what = Auto::Propose {
                cause: format!("c{cause}"),
                action: if hold { Action::Hold } else { Action::ProposeRollback },
                within: secs(reference::ANSWER as u64),
                reason: "burn".into(),
            };
            (by_desk(t, what), open && model.propose(t, cause, hold, by))
        }
        Act::Answer(n, confirm) => {
            let of = proposal(model, n);
            let command = Command::Answer { proposal: of, confirm, reason: Some("seen".into()) };
            (command, open && model.answer(of, confirm, by))
        }
        Act::Silence(t, n) => {
            let t = at_desk(model, t);
            let of = proposal(model, n);
            (by_desk(t, Auto::Silence { proposal: of }), open && model.silence(t, of, by))
        }
        Act::Reached(t, stop) => {
            let t = at_desk(model, t);
            (by_desk(t, Auto::HoldReached { hold: stop_id(stop) }), open && model.reached(t, stop, by))
        }
        Act::ResumesItself(t) => {
            let t = at_desk(model, t);
            (by_desk(t, Auto::Resume { evidence: numbers(true) }), open && model.resumes_by_itself(t, by))
        }
        Act::WaitOver(t, i) => {
            let t = at_desk(model, t);
            let what = Auto::WaitOver { item: id(i), evidence: numbers(true) };
            (by_desk(t, what), open && model.wait_over(t, i, by))
        }
        Act::WaitFailed(t, i) => {
            let t = at_desk(model, t);
            let what = Auto::WaitFailed { item: id(i), reason: "612".into() };
            (by_desk(t, what), open && model.wait_failed(t, i))
        }
        Act::Close => {
            model.closed = true;
            (Command::Close { reason: None }, open)
        }
    }
}

/// What both say of the run at a moment.
fn same(model: &Model, room: &Room, second: i64) -> Result<(), TestCaseError> {
    let run = &room.run;
    for (i, item) in run.items.iter().enumerate() {
        let stage = match model.items[i].is {
            Is::Todo => Stage::Todo,
            Is::Begun => Stage::InProgress,
            Is::Done => Stage::Done,
            Is::Failed => Stage::Failed,
            Is::Skipped => Stage::Skipped,
            Is::Waived => Stage::Waived,
        };
        prop_assert_eq!(item.stage, stage, "stage of i{}", i);
        prop_assert_eq!(run.stands(&id(i)), model.stands(i), "i{} stands", i);
        let rests =
            !run.template.has_process() || run.template.items[i].after.iter().all(|id| run.stands(id));
        prop_assert_eq!(run.waits_for(&id(i)).is_empty(), rests);
        let settled = stage.is_settled();
        prop_assert_eq!(run.lapsed(&id(i)), settled && !rests && !item.overridden);
    }
    let t = |seconds| Mark::of(Time::from_millis(seconds * 1000), Time::from_millis(0));
    prop_assert_eq!(run.clock.mark(&run.template, room.now), model.t(second).map(t), "T");
    prop_assert_eq!(run.clock.t0, model.t0.map(moment), "T-0");
    let held = room.held().map(|held| held.hold.map(|id| id[1..].parse::<usize>().unwrap()));
    prop_assert_eq!(held, model.stop(second), "hold");
    Ok(())
}

/// The run as JSON, comparable: the ids of its events have no order.
fn as_json(run: &Run) -> serde_json::Value {
    let mut json = serde_json::to_value(run).unwrap();
    if let Some(ids) = json["ids"].as_array_mut() {
        ids.sort_by_key(ToString::to_string);
    }
    json
}

/// What must be true of any history, told from its events alone.
fn lawful(template: &Template, events: &[Event]) -> Result<(), TestCaseError> {
    let mut signed: std::collections::BTreeMap<&ItemId, Vec<String>> = std::collections::BTreeMap::new();
    for event in events {
        let role = event.author.role.as_deref();
        let name = event.author.by.to_lowercase().replace("unverified:", "").trim().to_owned();
        match &event.fact {
            Fact::Sign { item, .. } => {
                let of_item = signed.entry(item).or_default();
                prop_assert!(!of_item.contains(&name), "{} signed {} twice", name, item);
                of_item.push(name);
            }
            Fact::Attach { item, .. } | Fact::Reopen { item, .. } => {
                signed.remove(item);
            }
            Fact::Vote { go: true, evidence, .. } | Fact::LiftOff { evidence } => {
                prop_assert!(evidence.iter().any(|e| e.kind == "metric"), "{:?}", event);
            }
            Fact::Waive { item, .. } => {
                let definition = template.items.iter().find(|other| other.id == *item).unwrap();
                prop_assert!(role == Some("cto") && definition.waivable_by == ["cto"]);
                prop_assert!(definition.owner != role.map(Into::into) && definition.owner != Some(name));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What process says no for.
fn is_process(refused: &Refused) -> bool {
    matches!(
        refused,
        Refused::Role { .. }
            | Refused::Blocked { .. }
            | Refused::Signed { .. }
            | Refused::EvidenceMissing { .. }
            | Refused::Held { .. }
            | Refused::RunsInstead(_)
            | Refused::SentInstead(_)
    )
}

fn any_step() -> impl Strategy<Value = (Who, Act)> {
    let pause = prop::sample::select(vec![0, 0, 0, 1, 1, 5, 5, 30, 61, 130, 600, 1800]);
    ((0..PEOPLE.len(), 0..4_usize, 0..ROLES.len(), pause), any_op())
}

/// Goes through a history on both sides.
fn walk(mut model: Model, steps: &[(Who, Act)]) -> Result<Room, TestCaseError> {
    let t0 = model.t0.map(moment);
    let mut room = begun(template(&model), &Begun { t0, ..Begun::default() });
    let mut second = 0;
    let middle = steps.len() / 2;
    let mut saved = (room.run.clone(), 1);
    for (n, (who, act)) in steps.iter().enumerate() {
        second += who.3;
        room.now = moment(second);
        let role = role_for(&model, *who, act);
        let by = By { name: PEOPLE[who.0], role, now: second, seq: room.run.seq + 1 };
        let (command, allowed) = step(&mut model, act, by);
        let seen = room.run.clone();
        let expected = expects(&seen, &command);
        let result = room.tries(&author(*who, role), &command);
        prop_assert_eq!(result.is_ok(), allowed, "{:?} by {:?}: {:?}", command, by, result);
        if let Err(refused) = &result {
            prop_assert_eq!(room.run.seq, seen.seq);
            let of_item = command.item().is_some() || matches!(command, Command::Auto { .. });
            prop_assert!(!(model.rollback && of_item && is_process(refused)), "{}", refused);
        } else {
            // Whoever decides the same on what was seen before has lost, or decides anew.
            let lost = moved(&room.run, &expected, &room.events[room.events.len() - 1..]).is_some();
            prop_assert!(lost || decided_anew(&command), "{:?}", command);
        }
        same(&model, &room, second)?;
        if n == middle {
            saved = (room.run.clone(), room.events.len());
        }
    }
    lawful(&room.run.template, &room.events)?;
    replayed(&room, &saved.0, saved.1)?;
    Ok(room)
}

/// The events read back from their files give the same run, and so does the fold of the first of them,
/// written as JSON and read, with the rest.
fn replayed(room: &Room, saved: &Run, known: usize) -> Result<(), TestCaseError> {
    let read = room.events.iter().map(|event| event_file::read(&event_file::render(event)).unwrap());
    let read: Vec<Event> = read.collect();
    prop_assert_eq!(&read, &room.events);
    let mut again = Run::new(room.run.id.clone(), room.run.template.clone());
    for event in &read {
        prop_assert_eq!(again.follows(event), Ok(()));
        again.apply(event);
        again.apply(event);
    }
    prop_assert_eq!(as_json(&again), as_json(&room.run));
    let restored: Run = serde_json::from_str(&serde_json::to_string(saved).unwrap()).unwrap();
    let mut restored = restored.restored(room.run.id.clone(), room.run.template.clone()).unwrap();
    read.iter().skip(known).for_each(|event| restored.apply(event));
    prop_assert_eq!(as_json(&restored), as_json(&room.run));
    prop_assert!(read.iter().all(|event| restored.knows(&event.id)));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if std::env::var("GONOGO_SOAK").is_ok_and(|v| v == "1") { 20_000 } else { 400 },
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_run_is_what_its_rules_say_in_other_words(
        model in any_model(),
        steps in prop::collection::vec(any_step(), 0..80),
    ) {
        walk(model, &steps)?;
    }
}

/// Whether the histories above come to everything: each kind of event is among those of a few hundred.
#[test]
fn random_histories_hold_every_kind_of_event() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let histories = (any_model(), prop::collection::vec(any_step(), 80));
    let mut kinds: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for _ in 0..1_000 {
        let (model, steps) = histories.new_tree(&mut runner).unwrap().current();
        for event in walk(model, &steps).unwrap().events {
            *kinds.entry(event.fact.kind()).or_default() += 1;
        }
    }
    let wanted = [
        "begin",
        "evidence",
        "tick",
        "signoff",
        "skip",
        "waive",
        "fail",
        "reopen",
        "break-glass",
        "note",
        "started",
        "ended",
        "sent",
        "t0",
        "hold",
        "extend",
        "resume",
        "recycle",
        "scrub",
        "lift-off",
        "poll",
        "vote",
        "lapse",
        "desk",
        "leave-desk",
        "propose",
        "answer",
        "close",
    ];
    for kind in wanted {
        assert!(kinds.get(kind).is_some_and(|count| *count >= 5), "{kind} in {kinds:?}");
    }
}

/// Commands that rest on nothing that was seen: they are decided on what is stored when they are
/// written.
fn decided_anew(command: &Command) -> bool {
    matches!(
        command,
        Command::Note { .. }
            | Command::Ended { .. }
            | Command::Poll { .. }
            | Command::Vote { .. }
            | Command::LeaveDesk { .. }
            | Command::Answer { .. }
            | Command::Auto { .. }
            | Command::Close { .. }
    )
}
