//! Command, message and wait items: what runs, when, and what is known of its end.

use super::*;

fn start(id: &str) -> Command {
    Command::Run { item: id.into() }
}

fn ended(id: &str, of: u64, outcome: &str) -> Command {
    Command::Ended {
        item: id.into(),
        of,
        outcome: outcome.into(),
        took: Duration::from_micros(1_500_700),
        bytes: 3,
        output: Some(Hash::of(b"ok\n")),
    }
}

/// ramp-10 rests on flags and is undone by ramp-0, which rests on ramp-10.
fn ramps() -> Template {
    list(vec![
        check("flags"),
        Item { after: vec!["flags".into()], undo: Some("ramp-0".into()), ..ramp("ramp-10", "10") },
        Item { after: vec!["ramp-10".into()], ..ramp("ramp-0", "0") },
    ])
}

#[test]
fn a_command_is_started_with_its_parameters_filled_in_and_settles_by_its_own_end() {
    let mut room = room(ramps());
    room.refuses("ana", start("ramp-10"), "ramp-10 waits for flags");
    room.refuses("ana", start("flags"), "flags is a check item, not a command");
    room.does("ana", tick("flags"));
    room.refuses("ana", tick("ramp-10"), "ramp-10 is a command: it is done when it has run (run, x); if it was done by hand, break the glass with a reason");
    let started = room.does("ana", start("ramp-10"));
    let Fact::Started { argv, env, timeout, .. } = &started.fact else { panic!("{started:?}") };
    assert_eq!(argv.join(" "), "flagctl set tasks.enabled --percent 10");
    assert_eq!((env.as_slice(), *timeout), (&["TOKEN".to_owned()][..], secs(60)));
    assert_eq!(room.stage("ramp-10"), Stage::InProgress);
    room.later(2);
    for command in [
        start("ramp-10"),
        fail("ramp-10"),
        reopen("ramp-10"),
        skip("ramp-10"),
        glass(Step::Item("ramp-10".into())),
    ] {
        room.refuses("ben", command, "ramp-10 is running since 12:00:00");
    }
    room.does("supervisor", ended("ramp-10", started.seq, "exit 0"));
    let state = room.state("ramp-10");
    assert_eq!(state.words(), "done by ana at 12:00:02", "who started it, not what wrote its end");
    assert_eq!(state.attempt.as_ref().unwrap().end.as_ref().unwrap().took, Duration::from_millis(1500));
    room.refuses("ana", start("ramp-10"), "ramp-10 is already done by ana at 12:00:02");
}

#[test]
fn a_command_that_ends_badly_has_failed_and_may_be_run_again() {
    for outcome in ["exit 3", "signal 9", "timed out", "not started: no such file", "exit 00"] {
        let mut room = room(ramps());
        room.does("ana", tick("flags"));
        let first = room.does("ana", start("ramp-10")).seq;
        room.does("ana", ended("ramp-10", first, outcome));
        assert_eq!(
            (room.stage("ramp-10"), room.state("ramp-10").reason.as_deref()),
            (Stage::Failed, Some(outcome))
        );
        room.refuses(
            "ana",
            ended("ramp-10", first, "exit 0"),
            "ramp-10 has no command running that this could be the end of",
        );
        let second = room.does("ana", start("ramp-10")).seq;
        room.refuses(
            "ana",
            ended("ramp-10", first, "exit 0"),
            "ramp-10 has no command running that this could be the end of",
        );
        room.does("ana", ended("ramp-10", second, EXERCISED));
        assert_eq!(room.stage("ramp-10"), Stage::Done);
    }
}

#[test]
fn a_failed_command_does_not_run_again_once_what_it_rests_on_was_opened() {
    let mut room = room(ramps());
    room.does("ana", tick("flags"));
    let first = room.does("ana", start("ramp-10")).seq;
    room.does("ana", ended("ramp-10", first, "exit 1"));
    room.does("ana", reopen("flags"));
    room.refuses("ana", start("ramp-10"), "ramp-10 waits for flags");
}

#[test]
fn a_command_whose_end_nobody_wrote_down_is_unknown_and_never_runs_again_by_itself() {
    let mut room = room(ramps());
    room.does("ana", tick("flags"));
    let first = room.does("ana", start("ramp-10")).seq;
    room.now = room.now.after(secs(60) + RESULT_GRACE);
    room.refuses("ana", start("ramp-10"), "ramp-10 is running since 12:00:00");
    room.later(1);
    let unknown = "whether the command of ramp-10 ran to its end is not known: look at what it did, then reopen the item with a reason";
    room.refuses("ana", start("ramp-10"), unknown);
    assert_eq!(room.stage("ramp-10"), Stage::InProgress);
    // Saying that it failed does not make its end known.
    room.does("ana", fail("ramp-10"));
    room.refuses("ana", start("ramp-10"), unknown);
    room.does("ana", reopen("ramp-10"));
    room.refuses(
        "ana",
        ended("ramp-10", first, "exit 0"),
        "ramp-10 has no command running that this could be the end of",
    );
    let second = room.does("ana", start("ramp-10")).seq;
    room.refuses(
        "late",
        ended("ramp-10", first, "exit 0"),
        "ramp-10 has no command running that this could be the end of",
    );
    assert_eq!(room.stage("ramp-10"), Stage::InProgress, "an older start says nothing of this one");
    room.does("ana", ended("ramp-10", second, "exit 0"));
}

#[test]
fn an_end_that_comes_late_is_kept_and_settles_nothing_that_was_settled_meanwhile() {
    let mut room = room(ramps());
    room.does("ana", tick("flags"));
    let first = room.does("ana", start("ramp-10")).seq;
    room.later(3600);
    room.does("ana", glass(Step::Item("ramp-10".into())));
    room.does("ana", ended("ramp-10", first, "exit 3"));
    let state = room.state("ramp-10");
    assert_eq!(state.stage, Stage::Done);
    assert_eq!(state.attempt.as_ref().unwrap().end.as_ref().unwrap().outcome, "exit 3");
}

#[test]
fn an_end_is_written_down_also_after_the_run_was_closed() {
    let mut room = room(ramps());
    room.does("ana", tick("flags"));
    let first = room.does("ana", start("ramp-10")).seq;
    room.does("ana", Command::Close { reason: None });
    room.does("ana", ended("ramp-10", first, "exit 0"));
    assert_eq!(room.stage("ramp-10"), Stage::Done);
}

#[test]
fn a_hold_by_hand_blocks_commands_and_a_built_in_one_does_not_and_neither_blocks_an_undo() {
    let mut template = ramps();
    template.holds = vec![hold("t-10", "T-00:10:00", Exit::Poll)];
    let mut room = counting(template);
    room.does("ana", tick("flags"));
    room.does("ana", Command::Hold { reason: Some("errors rise".into()) });
    room.refuses("ana", start("ramp-10"), "ramp-10 must wait: the clock is held (errors rise)");
    let undo = room.does("ana", start("ramp-0")).seq;
    room.does("ana", ended("ramp-0", undo, "exit 0"));
    room.does("ana", resume());
    room.at("12:50:00");
    assert_eq!(room.held().unwrap().hold.as_deref(), Some("t-10"));
    let plan = room.does("ana", start("ramp-10")).seq;
    room.does("ana", ended("ramp-10", plan, "exit 1"));
    room.does("ana", Command::Hold { reason: None });
    room.refuses("ana", start("ramp-10"), "ramp-10 must wait: the clock is held");
}

#[test]
fn a_command_waits_for_its_role_signatures_and_evidence() {
    let signoff = Some(SignOff { count: 1, roles: vec!["sre".into()] });
    let evidence = vec![template::EvidenceKind::Link];
    let item = Item { role: Some("captain".into()), signoff, evidence, ..ramp("ramp", "10") };
    let mut room = room(list(vec![item]));
    room.refuses(
        "ana",
        start("ramp"),
        "ramp is for captain, and you act in no role: act as captain (--as, :as)",
    );
    room.refuses(
        "ana captain",
        start("ramp"),
        "ramp is signed by 1 people, not ticked: 0 signed so far (sign, A)",
    );
    room.refuses("ben sre", sign("ramp"), "ramp asks for evidence: link is missing (--evidence link=…, e)");
    room.does("ben", bring("ramp", "link", "https://runs/7"));
    room.does("ben sre", sign("ramp"));
    assert_eq!(room.stage("ramp"), Stage::InProgress, "a signature does not run it");
    room.does("ana captain", start("ramp"));
}

#[test]
fn a_parameter_that_a_command_does_not_have_is_named() {
    let mut item = ramp("ramp", "10");
    if let Kind::Command(command) = &mut item.kind {
        command.argv.push("{{unknown}}".into());
    }
    let mut room = room(list(vec![item]));
    let refused = room.tries(&ana(), &start("ramp")).unwrap_err().to_string();
    assert!(refused.starts_with("parameter in the command of ramp: undefined value"), "{refused}");
}

#[test]
fn a_message_is_done_when_it_is_marked_as_sent_with_its_text_and_hash() {
    let mut room = room(list(vec![check("flags"), Item { after: vec!["flags".into()], ..message("tell") }]));
    let sent = || Command::Sent { item: "tell".into(), text: " Tasks is live.\n".into() };
    room.refuses("ana", sent(), "tell waits for flags");
    room.refuses(
        "ana",
        Command::Sent { item: "flags".into(), text: "x".into() },
        "flags is a check item, not a message",
    );
    room.does("ana", tick("flags"));
    room.refuses(
        "ana",
        tick("tell"),
        "tell is a message: it is done when it is marked as sent (sent, w in its dialog)",
    );
    room.refuses("ana", Command::Sent { item: "tell".into(), text: " \n".into() }, "a note needs words");
    let event = room.does("ana", sent());
    let expected = Fact::Sent {
        item: "tell".into(),
        channel: Some("status page".into()),
        text: "Tasks is live.".into(),
        hash: Hash::of(b"Tasks is live."),
    };
    assert_eq!(event.fact, expected);
    room.refuses("ana", sent(), "tell is already done by ana at 12:00:00");
}

#[test]
fn a_wait_is_begun_once_and_ticked_when_it_is_over_and_not_before() {
    let mut room = room(list(vec![wait("soak", 1800, false), wait("calm", 60, true)]));
    room.refuses("ana", tick("soak"), "soak has not begun: begin it, then its time runs");
    room.does("ana", Command::Begin { item: "soak".into() });
    room.later(5);
    room.refuses("ben", Command::Begin { item: "soak".into() }, "soak was begun at 12:00:00");
    room.refuses("ana", tick("soak"), "soak is not over: 29m55s to go");
    room.later(1795);
    room.does("ana", tick("soak"));
    room.does("ana", reopen("soak"));
    room.refuses("ana", tick("soak"), "soak has not begun: begin it, then its time runs");
    room.does("ana", Command::Begin { item: "calm".into() });
    room.later(60);
    room.refuses("ana", tick("calm"), "calm is a gate: it is ticked by a number that passes, not by hand");
    room.does("ana", tick_gate("calm"));
}

#[test]
fn the_desk_ends_a_wait_in_the_role_that_it_is_for_and_fails_it_early() {
    let mut room = room(list(vec![Item { role: Some("captain".into()), ..wait("soak", 60, true) }]));
    room.does("des", desk("tty1"));
    let over = |evidence| auto(Auto::WaitOver { item: "soak".into(), evidence });
    let failed = || auto(Auto::WaitFailed { item: "soak".into(), reason: "612 ≥ 500".into() });
    room.refuses("des", failed(), "soak has not begun: begin it, then its time runs");
    room.does("ana captain", Command::Begin { item: "soak".into() });
    room.refuses("des", over(vec![number()]), "soak is not over: 1m to go");
    room.does("des", failed());
    assert_eq!(
        (room.stage("soak"), room.state("soak").reason.as_deref()),
        (Stage::Failed, Some("612 ≥ 500"))
    );
    room.does("ana", reopen("soak"));
    room.does("ana captain", Command::Begin { item: "soak".into() });
    room.later(60);
    room.refuses(
        "des",
        over(Vec::new()),
        "soak is a gate: it is ticked by a number that passes, not by hand",
    );
    room.does("des", over(vec![number()]));
    assert_eq!(room.stage("soak"), Stage::Done);
}

#[test]
fn a_rollback_list_has_no_process() {
    let signoff = Some(SignOff { count: 2, roles: vec!["sre".into()] });
    let bound = |item: Item| Item {
        role: Some("captain".into()),
        signoff: signoff.clone(),
        after: vec!["never".into()],
        evidence: vec![template::EvidenceKind::Link],
        ..item
    };
    let items = vec![
        check("never"),
        bound(check("stop")),
        bound(ramp("flag-0", "0")),
        bound(message("tell")),
        bound(ramp("by-hand", "0")),
        bound(message("shouted")),
        bound(gate("calm", &[])),
    ];
    let mut room = counting(Template { kind: ListKind::Rollback, ..list(items) });
    room.does("nobody", Command::Hold { reason: None });
    assert_eq!(room.run.signatures_missing(&"stop".into()), 0);
    room.does("nobody", tick("stop"));
    let of = room.does("nobody", start("flag-0")).seq;
    room.does("nobody", ended("flag-0", of, "exit 0"));
    room.does("nobody", Command::Sent { item: "tell".into(), text: "We rolled back.".into() });
    room.does("nobody", tick("by-hand"));
    room.does("nobody", tick("shouted"));
    room.refuses("nobody", sign("never"), "never takes no signature: tick it");
    room.refuses("nobody", tick("calm"), "calm is a gate: it is ticked by a number that passes, not by hand");
    room.does("nobody", tick_gate("calm"));
    assert_eq!(room.run.progress(), (6, 7));
}

#[test]
fn a_signature_does_not_start_the_timer_of_a_wait() {
    let signoff = Some(SignOff { count: 1, roles: Vec::new() });
    let mut room = room(list(vec![Item { signoff, ..wait("soak", 60, false) }]));
    room.does("ben", sign("soak"));
    room.later(60);
    room.refuses("ana", tick("soak"), "soak has not begun: begin it, then its time runs");
    room.does("ana", Command::Begin { item: "soak".into() });
    room.later(60);
    room.does("ana", tick("soak"));
}
