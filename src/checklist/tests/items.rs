//! Items: what they wait for, who may settle them, signatures, waivers, evidence.

use super::*;

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

fn signed(count: usize, roles: &[&str]) -> Item {
    let roles = roles.iter().map(|role| (*role).to_owned()).collect();
    Item { signoff: Some(SignOff { count, roles }), ..check("roles") }
}

#[test]
fn an_item_of_a_role_is_settled_in_that_role_and_failed_or_noted_by_anybody() {
    let mut room = room(list(vec![Item { role: Some("captain".into()), optional: true, ..check("flags") }]));
    room.refuses(
        "ana",
        tick("flags"),
        "flags is for captain, and you act in no role: act as captain (--as, :as)",
    );
    room.refuses(
        "ana sre",
        skip("flags"),
        "flags is for captain, and you act as sre: act as captain (--as, :as)",
    );
    room.refuses(
        "ana Captain",
        Command::Begin { item: "flags".into() },
        "flags is for captain, and you act as Captain: act as captain (--as, :as)",
    );
    room.does("ben", Command::Note { item: Some("flags".into()), text: "looking".into() });
    room.does("ben", fail("flags"));
    room.refuses(
        "ana captain",
        tick("flags"),
        "flags is already failed by ben at 12:00:00; reopen it first, with a reason",
    );
    room.does("ben", reopen("flags"));
    room.does("ana captain", tick("flags"));
}

#[test]
fn the_same_person_never_signs_twice_whatever_the_name_is_written_like() {
    let mut room = room(list(vec![signed(2, &[])]));
    room.does("ana captain", sign("roles"));
    assert_eq!((room.stage("roles"), room.run.signatures_missing(&"roles".into())), (Stage::InProgress, 1));
    room.later(60);
    for by in [
        "unverified:ana",
        "ana",
        "ANA",
        " ana ",
        "unverified: Ana",
        "unverified:unverified:ana",
        "unverified:Unverified:ana",
        "UNVERIFIED:ana",
    ] {
        let again = Author { by: by.into(), role: Some("sre".into()), identity: None };
        let refused = room.tries(&again, &sign("roles")).unwrap_err();
        assert!(matches!(refused, Refused::SignedTwice { .. }), "{by}: {refused}");
    }
    room.refuses("Ana sre", sign("roles"), "ana has signed roles already at 12:00:00: another person must");
    room.refuses("ben", tick("roles"), "roles is signed by 2 people, not ticked: 1 signed so far (sign, A)");
    room.does("ben", sign("roles"));
    assert_eq!(room.state("roles").words(), "done by ben at 12:01:00");
    room.refuses("cyn", sign("roles"), "roles is already done by ben at 12:01:00");
}

#[test]
fn only_those_who_may_sign_sign_and_only_what_takes_signatures() {
    let mut room = room(list(vec![signed(1, &["captain", "sre"]), check("flags")]));
    room.refuses(
        "ana support",
        sign("roles"),
        "roles is for captain or sre, and you act as support: act as captain or sre (--as, :as)",
    );
    room.refuses(
        "ana",
        sign("roles"),
        "roles is for captain or sre, and you act in no role: act as captain or sre (--as, :as)",
    );
    room.refuses("ana sre", sign("flags"), "flags takes no signature: tick it");
    room.does("ana sre", sign("roles"));
    assert_eq!(room.stage("roles"), Stage::Done);
}

#[test]
fn new_evidence_voids_signatures_and_a_note_does_not() {
    let mut room = room(list(vec![signed(2, &[])]));
    room.does("ana", sign("roles"));
    room.does("ben", Command::Note { item: Some("roles".into()), text: "checked twice".into() });
    assert_eq!(room.state("roles").signatures.len(), 1);
    room.does("ben", bring("roles", "link", "https://audit/7"));
    assert_eq!(room.state("roles").signatures.len(), 0, "what ana signed is not what stands there");
    room.does("ben", sign("roles"));
    room.does("ana", sign("roles"));
    assert_eq!(room.stage("roles"), Stage::Done);
    room.does("ana", reopen("roles"));
    let state = room.state("roles");
    assert!(state.signatures.is_empty() && state.evidence.is_empty() && state.notes.len() == 1);
}

#[test]
fn a_signature_binds_to_what_the_signer_saw() {
    let mut room = room(list(vec![signed(2, &[])]));
    let saw = chain::binding(&room.run, &"roles".into());
    room.does("cyn", bring("roles", "text", "one tenant is missing"));
    let late = |binds| Command::Sign { item: "roles".into(), note: None, binds: Some(binds) };
    room.refuses("ana", late(saw), "roles has other evidence now than you saw: look at it again, then sign");
    room.does("ana", late(chain::binding(&room.run, &"roles".into())));
    // Other parameters, or another template, are another thing to sign.
    let binds = chain::binding(&room.run, &"roles".into());
    let mut other = room.run.clone();
    other.params[0].1 = "tasks.other".into();
    assert_ne!(chain::binding(&other, &"roles".into()), binds);
    let mut other = room.run.clone();
    other.template_hash = Some(Hash::of(b"edited"));
    assert_ne!(chain::binding(&other, &"roles".into()), binds);
}

#[test]
fn only_an_approver_waives_and_never_who_owns_the_item() {
    let waivable = |owner: Option<&str>, role: Option<&str>| Item {
        waivable_by: vec!["vp-eng".into(), "cto".into()],
        owner: owner.map(Into::into),
        role: role.map(Into::into),
        ..check("flags")
    };
    let mut room = room(list(vec![waivable(Some("Ana"), None), check("never")]));
    room.refuses("ana vp-eng", waive("never"), "never cannot be waived: its checklist names nobody who may");
    room.refuses("ben", waive("flags"), "flags can be waived by vp-eng, cto, and you act in no role");
    room.refuses("ben captain", waive("flags"), "flags can be waived by vp-eng, cto, and you act as captain");
    for owner in ["ana", " ANA ", "unverified:Ana"] {
        let owner = Author::unverified(owner).acting_as("vp-eng");
        assert_eq!(room.tries(&owner, &waive("flags")), Err(Refused::OwnWaiver("flags".into())), "{owner:?}");
    }
    room.refuses("ana cto", waive("flags"), "flags is yours: somebody else must waive it");
    let blank = Command::Waive { item: "flags".into(), reason: " ".into() };
    room.refuses("ben cto", blank, "waiving needs a reason in words");
    room.does("ben cto", waive("flags"));
    let deviation = &room.run.deviations[0];
    assert_eq!((deviation.kind.as_str(), deviation.what.as_str()), ("waive", "flags"));
    assert!(room.run.stands(&"flags".into()) && room.run.overridden().is_none());

    // A role that owns the item, or settles it, does not excuse itself from it.
    for item in [waivable(Some("cto"), None), waivable(None, Some("cto"))] {
        let mut room = self::room(list(vec![item]));
        room.refuses("ben cto", waive("flags"), "flags is yours: somebody else must waive it");
        room.does("ben vp-eng", waive("flags"));
    }
}

#[test]
fn what_has_failed_may_be_waived_or_skipped_and_what_is_settled_may_not() {
    let item = Item { waivable_by: vec!["cto".into()], ..check("flags") };
    for command in [waive("flags"), skip("flags")] {
        let mut room = room(list(vec![item.clone()]));
        room.does("ana", fail("flags"));
        room.refuses(
            "ana",
            fail("flags"),
            "flags is already failed by ana at 12:00:00; reopen it first, with a reason",
        );
        room.does("ben cto", command.clone());
        assert!(matches!(room.tries(&person("ben cto"), &command), Err(Refused::Settled { .. })));
    }
}

#[test]
fn a_waived_item_stands_only_while_what_it_rests_on_stands() {
    let items = vec![
        check("one"),
        Item { waivable_by: vec!["cto".into()], ..item("two", &["one"], false) },
        item("three", &["two"], false),
    ];
    let mut room = room(list(items));
    room.does("ben cto", waive("two"));
    room.refuses("ana", tick("three"), "three waits for two");
    room.does("ana", tick("one"));
    room.does("ana", tick("three"));
}

#[test]
fn evidence_that_is_asked_for_is_brought_first_and_says_something() {
    use template::EvidenceKind::{Link, Metric, Text};
    let mut room = room(list(vec![Item { evidence: vec![Link, Text, Metric], ..check("load") }]));
    let missing = |what: &str| format!("load asks for evidence: {what} is missing (--evidence {what}=…, e)");
    room.refuses("ana", tick("load"), &missing("link, text, metric"));
    let nothing = Command::Attach { item: "load".into(), evidence: Vec::new() };
    room.refuses("ana", nothing, "evidence needs a reason in words");
    room.refuses("ana", bring("load", "link", " "), "evidence needs a reason in words");
    room.does("ana", bring("load", "link", " https://load/7 "));
    assert_eq!(room.state("load").evidence[0].value, "https://load/7");
    room.does("ana", bring("load", "text", "p99 210 ms"));
    room.refuses("ana", tick("load"), &missing("metric"));
    // A number that nobody polled is no number.
    for polled in ["metric", "flag", "alert"] {
        let words =
            format!("a {polled} is polled and not written down by hand: bring a link, words or a file");
        room.refuses("ana", bring("load", polled, "312"), &words);
    }
    room.does("ana", tick_gate("load"));
    let state = room.state("load");
    assert_eq!(
        state.evidence.iter().map(|e| e.kind.as_str()).collect::<Vec<_>>(),
        ["link", "text", "metric"]
    );
    room.refuses("ana", bring("load", "link", "https://load/8"), "load is already done by ana at 12:00:00");
}

#[test]
fn a_gate_that_is_ticked_again_keeps_what_people_brought_and_the_newest_number_only() {
    let mut room = room(list(vec![gate("queue", &[])]));
    room.does("ana", bring("queue", "link", "https://graph"));
    let flag = Evidence { kind: "flag".into(), value: "25".into(), ..number() };
    room.does("ana", Command::Attach { item: "queue".into(), evidence: vec![flag] });
    room.does("ana", tick_gate("queue"));
    let kinds: Vec<&str> = room.state("queue").evidence.iter().map(|e| e.kind.as_str()).collect();
    assert_eq!(kinds, ["link", "metric"]);
    let link = Command::Tick { item: "queue".into(), evidence: vec![Evidence::brought("link", "x")] };
    room.does("ana", reopen("queue"));
    room.refuses("ana", link, "queue is a gate: it is ticked by a number that passes, not by hand");
}

#[test]
fn broken_glass_completes_any_item_and_is_remembered_until_the_end() {
    let mut room = room(list(vec![check("flags"), gate("queue", &["flags"]), ramp("ramp", "10")]));
    let blank = Command::BreakGlass { step: Step::Item("queue".into()), reason: "\t".into() };
    room.refuses("ana", blank, "breaking the glass needs a reason in words");
    let event = room.does("ana", glass(Step::Item("queue".into())));
    let first = room.run.overridden().unwrap();
    assert_eq!(
        (first.seq, first.author.name(), first.kind.as_str(), first.what.as_str(), first.reason.as_str()),
        (event.seq, "ana".into(), "break-glass", "queue", "nobody else is here")
    );
    assert!(room.state("queue").overridden && room.run.stands(&"queue".into()), "it stands by itself");
    room.refuses("ben", glass(Step::Item("queue".into())), "queue is already done by ana at 12:00:00");
    room.refuses("ben", glass(Step::Item("nope".into())), "this run has no item nope");
    room.does("ben", glass(Step::Item("ramp".into())));
    room.does("ben", reopen("queue"));
    assert!(!room.run.stands(&"queue".into()));
    assert_eq!(room.run.deviations.len(), 2);
    assert_eq!(room.run.overridden().unwrap().author.name(), "ana");
    // What was skipped though it must not be, or has lapsed, may be completed so too.
    room.does("ben", skip("flags"));
    room.does("ben", glass(Step::Item("flags".into())));
    assert!(room.run.stands(&"flags".into()));
}

#[test]
fn a_closed_run_takes_notes_and_nothing_else() {
    let mut room = room(list(vec![check("flags")]));
    room.does("ana", Command::Close { reason: Some(" all done ".into()) });
    assert!(room.run.is_over());
    let closed = "the run was closed by ana at 12:00:00: only notes are taken";
    for command in [
        tick("flags"),
        fail("flags"),
        glass(Step::Item("flags".into())),
        Command::Hold { reason: None },
        lift_off(),
        desk("tty1"),
        Command::Close { reason: None },
    ] {
        room.refuses("ben", command, closed);
    }
    room.does("ben", Command::Note { item: None, text: "the graph was archived".into() });
}

#[test]
fn parameters_are_given_at_the_start_and_match_their_patterns_whole() {
    let template = list(vec![check("flags")]);
    let begin = |params: &[(&str, &str)]| {
        let params = params.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        begin(&template, "", &Begun { params, ..Begun::default() }, &ana()).map(|fact| match fact {
            Fact::Start { params, .. } => params,
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(begin(&[]).unwrap(), [("flag".to_owned(), "tasks.enabled".to_owned())]);
    assert_eq!(begin(&[("flag", "a.b")]).unwrap()[0].1, "a.b");
    for (given, why) in [
        (&[("flag", "a b")][..], "parameter flag: \"a b\" does not match [a-z.]+"),
        (&[("flag", "x\n")], "parameter flag: holds a control character"),
        (&[("flag", "")], "parameter flag: \"\" does not match [a-z.]+"),
        (&[("flag", "a"), ("flag", "b")], "parameter flag: is given twice"),
        (&[("flog", "a")], "parameter flog: this checklist has no such parameter; it has flag"),
    ] {
        assert_eq!(begin(given).unwrap_err().to_string(), why);
    }
}

#[test]
fn where_people_must_be_signed_in_only_an_emergency_is_open_to_all() {
    let ada = Author::verified("ada@corp", "https://id.example.com", "u1");
    let template = Template {
        require_identity: true,
        items: vec![Item { id: ItemId::new("a"), title: "A".into(), ..Item::default() }],
        ..Template::default()
    };
    let refused = begin(&template, "text", &Begun::default(), &ana()).unwrap_err();
    assert_eq!(refused, Refused::Identity("ana".into()));
    assert!(refused.to_string().contains("gonogo login"), "{refused}");
    for mode in [Mode::Live, Mode::DryRun] {
        let begun = Begun { mode, ..Begun::default() };
        assert!(begin(&template, "text", &begun, &ada).is_ok());
        assert!(begin(&template, "text", &begun, &ana()).is_err());
    }
    // A rehearsal on the simulated product is anybody's.
    assert!(begin(&template, "text", &Begun { mode: Mode::Drill, ..Begun::default() }, &ana()).is_ok());

    let mut run = Run::new(RunId::new("r"), Arc::new(template));
    let now = Time::parse(NOON).unwrap();
    let fact = begin(&run.template, "text", &Begun::default(), &ada).unwrap();
    run.apply(&run.next_event("START", now, &ada, fact));
    let tick = Command::Tick { item: ItemId::new("a"), evidence: Vec::new() };
    assert_eq!(decide(&run, &tick, &ana(), now), Err(Refused::Identity("ana".into())));
    assert!(decide(&run, &tick, &ada, now).is_ok());
    let hold = Command::Hold { reason: Some("trouble".into()) };
    assert_ne!(decide(&run, &hold, &ana(), now), Err(Refused::Identity("ana".into())));
    let rollback = Command::Rollback { run: RunId::new("other"), reason: "trouble".into() };
    assert!(decide(&run, &rollback, &ana(), now).is_ok());
    // The config of the launch can ask for it too, and the run remembers that.
    let of_launch = Begun { require_identity: true, ..Begun::default() };
    let fact = begin(&Template::default(), "text", &of_launch, &ada).unwrap();
    let mut run = Run::new(RunId::new("s"), Arc::new(Template::default()));
    let event = run.next_event("START", now, &ada, fact);
    let read = event_file::read(&event_file::render(&event)).unwrap();
    assert_eq!(read, event);
    run.apply(&read);
    let note = Command::Note { item: None, text: "hm".into() };
    assert_eq!(decide(&run, &note, &ana(), now), Err(Refused::Identity("ana".into())));
}

#[test]
fn one_person_under_two_names_is_one_signer_and_two_of_one_name_are_two() {
    let issuer = "https://id.example.com";
    let at_issuer = |name: &str, subject: &str| Author::verified(name, issuer, subject);
    let ada = at_issuer("ada", "u1");
    for (other, same) in [
        (at_issuer("ada.l", "u1"), true),
        (at_issuer("ada", "u2"), false),
        (Author::verified("ada", "https://other.example.com", "u1"), false),
        (Author::unverified("Ada"), true),
        (Author::unverified("raj"), false),
    ] {
        assert_eq!(ada.is_same_person(&other), same, "{other:?}");
        assert_eq!(other.is_same_person(&ada), same, "{other:?}");
    }
    assert_eq!(at_issuer("unverified: unverified:raj", "u3").by, "raj");
    assert_eq!(at_issuer(" unverified: ", "u3").by, "u3");
}

#[test]
fn an_event_says_who_vouches_for_its_author_and_that_cannot_be_changed_unnoticed() {
    let ada = Author::verified("ada", "https://id.example.com", "u1");
    let run = Run::new(RunId::new("r"), Arc::new(Template::default()));
    let now = Time::parse(NOON).unwrap();
    let fact = begin(&run.template, "text", &Begun::default(), &ada).unwrap();
    let event = run.next_event("START", now, &ada, fact);
    let text = event_file::render(&event);
    assert!(text.contains("iss = \"https://id.example.com\"\nsub = \"u1\""), "{text}");
    let read = event_file::read(&text).unwrap();
    assert_eq!(read.author, ada);
    let other = Event { author: Author::verified("ada", "https://id.example.com", "u2"), ..event.clone() };
    assert_ne!(chain::hash(&other), chain::hash(&event));
}

#[test]
fn another_issuer_than_that_of_whoever_began_counts_for_nothing() {
    let ada = Author::verified("ada", "https://id.example.com", "u1");
    let begun = Begun { require_identity: true, ..Begun::default() };
    let mut run = Run::new(RunId::new("r"), Arc::new(Template::default()));
    let now = Time::parse(NOON).unwrap();
    let fact = begin(&run.template, "text", &begun, &ada).unwrap();
    run.apply(&run.next_event("START", now, &ada, fact));
    let note = Command::Note { item: None, text: "hm".into() };
    let mallory = Author::verified("ada", "http://127.0.0.1:1", "u1");
    let refused = decide(&run, &note, &mallory, now).unwrap_err();
    assert!(refused.to_string().contains("https://id.example.com"), "{refused}");
    assert!(decide(&run, &note, &Author::verified("raj", "https://id.example.com", "u2"), now).is_ok());
    assert!(decide(&run, &Command::Hold { reason: None }, &mallory, now) != Err(refused));
}
