//! The rules of a run: table tests, and properties over random histories.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::model::gate::Idle;
use crate::model::{Condition, GateDef, ItemId, Op, RunId, Time};

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

fn gate(id: &str, after: &[&str]) -> Item {
    let def = GateDef {
        id: id.into(),
        title: id.into(),
        condition: Condition::Signal("depth".into()),
        matching: Vec::new(),
        op: Op::Less,
        value: 500.0,
        clear: None,
        hold: std::time::Duration::ZERO,
        max_age: None,
        expect_series: None,
        min_volume: None,
        idle: Idle::Unknown,
        allow_infinite: false,
        watch: Default::default(),
    };
    Item { kind: Kind::Gate(def), ..item(id, after, false) }
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
    let fact = begin(&run.template, "text", &Begun::default()).unwrap();
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

fn skip(id: &str) -> Command {
    Command::Skip { item: id.into(), reason: "no time".into() }
}

fn reopen(id: &str) -> Command {
    Command::Reopen { item: id.into(), reason: "wrong host".into() }
}

#[test]
fn an_item_waits_for_what_it_comes_after_and_says_for_what() {
    let mut run = run();
    let refused = does(&mut run, &tick("ramp")).unwrap_err();
    assert_eq!(refused.to_string(), "ramp waits for queue, faq");
    assert_eq!(run.derived(&"ramp".into()), Derived::Blocked(vec!["queue".into(), "faq".into()]));
    assert_eq!(run.next().unwrap().id.as_str(), "flags");
}

#[test]
fn a_gate_cannot_be_ticked_by_hand() {
    let mut run = run();
    does(&mut run, &tick("flags")).unwrap();
    assert_eq!(does(&mut run, &tick("queue")), Err(Refused::NeedsEvidence("queue".into())));
    does(&mut run, &tick_gate("queue")).unwrap();
    assert_eq!(run.item(&"queue".into()).unwrap().1.evidence, [number()]);
}

#[test]
fn only_an_optional_item_may_be_skipped_past() {
    let mut run = run();
    does(&mut run, &skip("faq")).unwrap();
    does(&mut run, &skip("flags")).unwrap();
    assert_eq!(does(&mut run, &tick_gate("queue")).unwrap_err().to_string(), "queue waits for flags");
    assert!(run.waits_for(&"ramp".into()) == ["queue".into()]);
}

#[test]
fn skipping_and_reopening_need_a_reason_in_words() {
    let mut run = run();
    let blank = || " \n".to_owned();
    let skip = Command::Skip { item: "faq".into(), reason: blank() };
    assert_eq!(does(&mut run, &skip).unwrap_err().to_string(), "skipping needs a reason in words");
    does(&mut run, &tick("faq")).unwrap();
    let reopen = Command::Reopen { item: "faq".into(), reason: blank() };
    assert!(matches!(does(&mut run, &reopen), Err(Refused::NeedsWords(_))));
    let note = Command::Note { item: None, text: blank() };
    assert_eq!(does(&mut run, &note), Err(Refused::EmptyNote));
    let long = Command::Note { item: None, text: "x".repeat(decide::MAX_WORDS + 1) };
    assert!(matches!(does(&mut run, &long), Err(Refused::TooLong(_))));
}

#[test]
fn the_second_to_tick_an_item_is_told_who_was_first_and_when() {
    let mut run = run();
    does(&mut run, &tick("flags")).unwrap();
    let refused = does(&mut run, &tick("flags")).unwrap_err();
    assert_eq!(refused.to_string(), "flags is already done by ana at 14:02:11");
}

#[test]
fn reopening_makes_everything_that_rested_on_it_fall_back_to_unmet_until_it_is_ticked_again() {
    let mut run = run();
    for command in [tick("flags"), tick_gate("queue"), tick("faq"), tick("ramp")] {
        does(&mut run, &command).unwrap();
    }
    assert_eq!(run.progress(), (4, 5));
    does(&mut run, &reopen("flags")).unwrap();
    for fallen in ["queue", "ramp"] {
        assert_eq!(run.item(&fallen.into()).unwrap().1.stage, Stage::Done);
        assert!(run.lapsed(&fallen.into()), "{fallen}");
    }
    assert!(!run.lapsed(&"faq".into()));
    assert_eq!(run.progress(), (1, 5));
    assert_eq!(does(&mut run, &tick("told")).unwrap_err().to_string(), "told waits for ramp");
    does(&mut run, &tick("flags")).unwrap();
    assert_eq!(run.progress(), (4, 5));
    does(&mut run, &tick("told")).unwrap();
}

#[test]
fn an_item_that_is_open_cannot_be_opened_again_and_an_unknown_one_not_at_all() {
    let mut run = run();
    assert_eq!(does(&mut run, &reopen("flags")), Err(Refused::NotSettled("flags".into())));
    for command in [tick("nope"), skip("nope"), reopen("nope")] {
        assert_eq!(does(&mut run, &command), Err(Refused::NoSuchItem("nope".into())));
    }
}

#[test]
fn t0_outside_the_calendar_is_refused_because_it_could_not_be_written_down() {
    let mut run = run();
    let t0 = Time::parse("1e12").unwrap();
    assert_eq!(does(&mut run, &Command::SetT0 { t0 }), Err(Refused::NoDate));
    assert!(begin(&run.template, "", &Begun { t0: Some(t0), ..Begun::default() }).is_err());
    let t0 = Time::parse("9999-12-30T21:59:59.999Z").unwrap();
    let event = does(&mut run, &Command::SetT0 { t0 }).unwrap();
    assert_eq!(event_file::read(&event_file::render(&event)), Ok(event));
}

#[test]
fn a_tick_expects_the_item_and_all_it_rests_on_and_a_note_expects_nothing() {
    let mut run = run();
    does(&mut run, &tick("flags")).unwrap();
    let expected: Vec<Expect> = expects(&run, &tick("ramp"));
    let item = |id: &str, rev| Expect::Item(id.into(), rev);
    assert_eq!(expected, [item("ramp", 0), item("queue", 0), item("faq", 0), item("flags", 1)]);
    assert_eq!(expects(&run, &Command::Note { item: Some("ramp".into()), text: "x".into() }), []);
    assert_eq!(expects(&run, &Command::SetT0 { t0: Time::from_millis(1) }), [Expect::Clock(0)]);
}

#[test]
fn a_tick_loses_to_the_reopening_of_what_it_rests_on() {
    let mut seen = run();
    does(&mut seen, &tick("flags")).unwrap();
    let expected = expects(&seen, &tick_gate("queue"));
    let since = vec![does(&mut seen, &reopen("flags")).unwrap()];
    let words = moved(&seen, &expected, &since).unwrap();
    assert_eq!(words, "flags was opened again by ana at 14:02:11: wrong host");
}

#[test]
fn a_name_is_shown_without_the_mark_and_cannot_steer_the_terminal() {
    assert_eq!(Author::unverified("ana").by, "unverified:ana");
    assert_eq!(Author::unverified("unverified:ana").by, "unverified:ana");
    assert_eq!(Author::unverified("a\u{1b}[2J").name(), "a\\u{1b}[2J");
}

#[test]
fn an_event_reads_back_as_it_was_written_whatever_its_words_hold() {
    let mut run = run();
    let text = "quote \" back \\ line\nreturn\r tab\t esc\u{1b} del\u{7f} nel\u{85} ''' \u{202e} 日本 # [x]"
        .to_owned();
    let event = does(&mut run, &Command::Note { item: Some("flags".into()), text }).unwrap();
    assert_eq!(event_file::read(&event_file::render(&event)), Ok(event));
    let mut gated = run.clone();
    does(&mut gated, &tick("flags")).unwrap();
    let event = does(&mut gated, &tick_gate("queue")).unwrap();
    let file = event_file::render(&event);
    assert!(file.contains("at = 2025-12-02T14:02:11.204Z\n"), "{file}");
    assert!(file.ends_with("[[evidence]]\ntype = \"metric\"\nquery = \"max by (queue) (depth)\"\nvalue = \"NaN\"\nsampled = 2025-12-02T14:02:03.456Z\nsource = \"worker\"\n"), "{file}");
    assert_eq!(event_file::read(&file), Ok(event));
}

#[test]
fn every_line_of_an_event_file_is_guarded() {
    let mut run = run();
    does(&mut run, &tick("flags")).unwrap();
    let event = Event {
        author: Author { role: Some("captain".into()), ..ana() },
        ..does(&mut run, &tick_gate("queue")).unwrap()
    };
    let event = Event { hash: chain::hash(&event), ..event };
    let file = event_file::render(&event);
    assert_eq!(event_file::read(&file), Ok(event));
    for line in file.lines() {
        let without = file.replacen(&format!("{line}\n"), "", 1);
        assert!(event_file::read(&without).is_err(), "{line} could be removed");
        if let Some((key, value)) = line.split_once(" = ") {
            let forged = value.replace(['1', '2', 'a', 'e'], "4");
            if forged != value {
                assert!(
                    event_file::read(&file.replacen(line, &format!("{key} = {forged}"), 1)).is_err(),
                    "{line} could be edited"
                );
            }
        }
    }
}

#[test]
fn an_event_file_in_another_form_is_bad_even_if_it_says_the_same() {
    let mut run = run();
    let file = event_file::render(&does(&mut run, &tick("flags")).unwrap());
    for other in [
        file.clone() + "\n",
        format!("# hello\n{file}"),
        file.replace("kind = \"tick\"", "kind = 'tick'"),
        file.replace(".204Z", ".2040Z"),
        file.replace("kind = \"tick\"\n", "kind = \"tick\"\nreason = \"x\"\n"),
        file.replace('\n', "\r\n"),
    ] {
        assert_eq!(event_file::read(&other), Err(BadEvent::NotCanonical), "{other}");
    }
    assert_eq!(event_file::read(&file.replace("schema = 1", "schema = 2")), Err(BadEvent::Schema(2)));
    for broken in ["", "not toml [", "schema = 1\n", &file[..file.len() / 2], &file.replace("by =", "bye =")]
    {
        assert!(matches!(event_file::read(broken), Err(BadEvent::Unreadable(_))), "{broken}");
    }
}

/// Computed by hand from the description in `chain`, with another program.
#[test]
fn the_hash_is_the_documented_one() {
    let event = Event {
        seq: 2,
        id: "01KAX3R0".into(),
        at: Time::parse("2025-12-02T14:02:11.204Z").unwrap(),
        author: ana(),
        fact: Fact::Skip { item: "faq".into(), reason: "größer".into() },
        seen_rev: 7,
        prev: Hash::of(b""),
        hash: Hash(String::new()),
    };
    assert_eq!(
        chain::hash(&event).0,
        "sha256:ca887083d13b6d0deb478a98d693a60b1ea1ec9152905e8c72f0923655e0f666"
    );
}

#[test]
fn a_hash_may_be_named_by_its_first_digits() {
    let hash = Hash::of(b"");
    assert!(hash.is_named_by(&hash.0) && hash.is_named_by("e3b0c442"));
    assert!(
        hash.is_named_by("sha256:E3B0C44298") && !hash.is_named_by("e3b0") && !hash.is_named_by("e3b0c443")
    );
    assert_eq!(hash.short(), "e3b0c44298fc");
}

fn any_command() -> impl Strategy<Value = Command> {
    let id =
        prop::sample::select(vec!["flags", "queue", "faq", "ramp", "told", "nope"]).prop_map(ItemId::from);
    let words = prop_oneof![Just(String::new()), "\\PC{1,12}", ".{1,12}"];
    prop_oneof![
        3 => (id.clone(), any::<bool>()).prop_map(|(item, with)| Command::Tick { item, evidence: if with { vec![number()] } else { vec![] } }),
        1 => (id.clone(), words.clone()).prop_map(|(item, reason)| Command::Skip { item, reason }),
        2 => (id.clone(), words.clone()).prop_map(|(item, reason)| Command::Reopen { item, reason }),
        1 => (prop::option::of(id), words).prop_map(|(item, text)| Command::Note { item, text }),
        1 => any::<i64>().prop_map(|t| Command::SetT0 { t0: Time::from_millis(t) }),
    ]
}

proptest! {
    /// Whatever is decided is what the fold then shows, and whatever is refused changes nothing; at
    /// any time a done item that does not lapse rests on items that stand.
    #[test]
    fn what_is_decided_is_what_the_fold_shows(commands in prop::collection::vec(any_command(), 0..40)) {
        let mut run = run();
        let mut events = Vec::new();
        for command in commands {
            let before = run.clone();
            let Ok(event) = does(&mut run, &command) else {
                prop_assert_eq!(run.seq, before.seq);
                continue;
            };
            let text = event_file::render(&event);
            let read = event_file::read(&text);
            prop_assert_eq!(read.as_ref(), Ok(&event), "{}", text);
            let stage = |id: &ItemId| run.item(id).unwrap().1.clone();
            match &command {
                Command::Tick { item, .. } => {
                    prop_assert_eq!(stage(item).stage, Stage::Done);
                    prop_assert!(!run.lapsed(item));
                    prop_assert_eq!(before.derived(item), Derived::Ready);
                }
                Command::Skip { item, .. } => prop_assert_eq!(stage(item).stage, Stage::Skipped),
                Command::Reopen { item, .. } => prop_assert_eq!(stage(item).stage, Stage::Todo),
                Command::Note { .. } => prop_assert_eq!(&run.items.iter().map(|i| i.rev).collect::<Vec<_>>(), &before.items.iter().map(|i| i.rev).collect::<Vec<_>>()),
                Command::SetT0 { t0 } => prop_assert_eq!(run.clock.t0, Some(*t0)),
                other => prop_assert!(false, "{:?} is not among them", other),
            }
            let expected = expects(&before, &command);
            prop_assert_eq!(moved(&before, &expected, &[]), None);
            let changes = !matches!(command, Command::Note { .. });
            prop_assert_eq!(moved(&run, &expected, std::slice::from_ref(&event)).is_some(), changes);
            events.push(event);
        }
        let standing = |id: &ItemId| {
            let (item, state) = run.item(id).unwrap();
            let settled = state.stage == Stage::Done || (state.stage == Stage::Skipped && item.optional);
            settled && !run.lapsed(id)
        };
        for item in &run.template.items {
            let all_stand = item.after.iter().all(standing);
            prop_assert_eq!(run.waits_for(&item.id).is_empty(), all_stand);
        }
        let mut again = self::run();
        for event in &events {
            again.apply(event);
            again.apply(event);
        }
        prop_assert_eq!(&again.items, &run.items);
        prop_assert_eq!((again.seq, &again.head, &again.clock), (run.seq, &run.head, &run.clock));
    }
}
