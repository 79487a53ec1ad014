//! The desk, what it alone writes, and the answers to what it proposes.

use super::*;

fn propose(cause: &str, action: Action) -> Command {
    let reason = "burn 20 > 14.4".into();
    auto(Auto::Propose { cause: cause.into(), action, within: secs(120), reason })
}

fn answer(proposal: u64, confirm: bool, reason: Option<&str>) -> Command {
    Command::Answer { proposal, confirm, reason: reason.map(Into::into) }
}

fn everything() -> Vec<Auto> {
    vec![
        Auto::Propose {
            cause: "burn".into(),
            action: Action::Hold,
            within: secs(120),
            reason: "burn 20 > 14.4".into(),
        },
        Auto::Silence { proposal: 2 },
        Auto::HoldReached { hold: "t-10".into() },
        Auto::Resume { evidence: vec![number()] },
        Auto::Lapse { reason: "queue".into() },
        Auto::Late { item: "flags".into() },
        Auto::HoldFor { reason: "flags is late".into() },
        Auto::WaitOver { item: "flags".into(), evidence: vec![number()] },
        Auto::WaitFailed { item: "flags".into(), reason: "x".into() },
        Auto::Inject { inject: "stall".into(), text: "workers stop".into() },
        Auto::Score { text: "detected in 12s".into() },
    ]
}

#[test]
fn only_the_desk_writes_what_nobody_asked_for() {
    let mut room = counting(list(vec![check("flags")]));
    for what in everything() {
        room.refuses("des", auto(what), "nobody has the desk");
    }
    room.does("des", desk("tty1"));
    for what in everything() {
        let other = Command::Auto { terminal: "tty2".into(), what };
        room.refuses("eve", other, "des has the desk");
    }
    let over = Auto::WaitOver { item: "flags".into(), evidence: vec![number()] };
    room.refuses("des", auto(over), "flags is a check item, not a wait");
    room.does("des", auto(Auto::Inject { inject: "stall".into(), text: "workers stop".into() }));
    room.does("des", auto(Auto::Score { text: "detected in 12s".into() }));
    assert_eq!(room.run.score.as_deref(), Some("detected in 12s"));
}

#[test]
fn the_desk_is_left_taken_over_from_who_is_gone_or_taken_by_force_and_that_is_a_deviation() {
    let mut room = room(list(vec![check("flags")]));
    let take = |terminal: &str, force, gone: Option<&str>| Command::Desk {
        terminal: terminal.into(),
        force,
        gone: gone.map(Into::into),
    };
    room.does("des", desk("tty1"));
    room.refuses("des", desk("tty1"), "this terminal has the desk already");
    let taken = "des has the desk since 12:00:00: they leave it, or you take it by force (:desk force)";
    room.refuses("eve", desk("tty2"), taken);
    room.refuses("eve", take("tty2", false, Some("tty3")), taken);
    room.does("eve", take("tty2", false, Some("tty1")));
    assert!(room.run.deviations.is_empty(), "who is gone is not forced");
    let event = room.does("fay", take("tty4", true, None));
    assert_eq!(event.fact, Fact::Desk { terminal: "tty4".into(), forced_from: Some("tty2".into()) });
    let deviation = &room.run.deviations[0];
    assert_eq!((deviation.kind.as_str(), deviation.what.as_str()), ("desk by force", "taken from eve"));
    assert!(room.run.overridden().is_none(), "no rule of the launch was broken");
    room.refuses("eve", Command::LeaveDesk { terminal: "tty2".into() }, "fay has the desk");
    room.does("fay", Command::LeaveDesk { terminal: "tty4".into() });
    room.refuses("fay", Command::LeaveDesk { terminal: "tty4".into() }, "nobody has the desk");
    assert_eq!((room.run.desk.as_ref(), room.run.desk_rev), (None, 4));
}

#[test]
fn a_proposal_is_made_once_and_answered_once() {
    let mut room = counting(list(vec![check("flags")]));
    room.does("des", desk("tty1"));
    let of = room.does("des", propose("burn", Action::ProposeRollback)).seq;
    room.refuses("des", propose("burn", Action::ProposeRollback), "not any more: it is proposed already");
    room.refuses("ana", answer(99, true, None), "event 99 proposes nothing");
    room.refuses("ana", answer(of, false, Some(" ")), "dismissing a proposal needs a reason in words");
    room.does("ana", answer(of, false, Some("a load test")));
    room.refuses("ben", answer(of, true, None), "burn was dismissed by ana at 12:00:00");
    let again = room.does("des", propose("burn", Action::ProposeRollback)).seq;
    room.does("ana", answer(again, true, None));
    room.refuses("ben", answer(again, true, None), "burn was confirmed by ana at 12:00:00");
    assert_eq!(room.phase(), Phase::Counting, "confirming a rollback holds nothing by itself");
}

#[test]
fn a_confirmed_hold_holds_with_its_reason() {
    let mut room = counting(list(vec![check("flags")]));
    room.does("des", desk("tty1"));
    let of = room.does("des", propose("burn", Action::Hold)).seq;
    let rev = room.run.clock.rev;
    room.does("ana", answer(of, true, None));
    assert_eq!(room.held().unwrap().reason.as_deref(), Some("burn: burn 20 > 14.4"));
    assert_eq!(room.run.clock.rev, rev + 1, "whoever decided on the clock before has lost");
    room.refuses("des", propose("depth", Action::Hold), "not any more: the clock is held");
    room.does("des", propose("depth", Action::ProposeRollback));
}

#[test]
fn a_proposal_that_nobody_answers_holds_the_clock_after_its_time_and_not_before() {
    let mut room = counting(list(vec![check("flags")]));
    room.does("des", desk("tty1"));
    let of = room.does("des", propose("burn", Action::ProposeRollback)).seq;
    let silence = || auto(Auto::Silence { proposal: of });
    room.later(119);
    room.refuses("des", silence(), "not any more: there is time to answer");
    room.later(1);
    let event = room.does("des", silence());
    let reason = "nobody answered burn: burn 20 > 14.4";
    assert_eq!(event.fact, Fact::Hold { hold: None, reason: Some(reason.into()), proposal: Some(of) });
    assert_eq!((room.phase(), room.held().unwrap().reason.as_deref()), (Phase::Held, Some(reason)));
    assert_eq!(room.run.proposal(of).unwrap().answer.as_ref().unwrap().confirmed, None);
    room.refuses("des", silence(), "burn was left without an answer, seen by des at 12:02:00");
}

#[test]
fn silence_in_a_timed_hold_is_not_over_when_the_time_is() {
    let holds = vec![hold("t-10", "T-00:10:00", Exit::Time)];
    let mut room = counting(Template { holds, ..list(vec![check("flags")]) });
    room.does("des", desk("tty1"));
    room.at("12:50:00");
    room.does("des", auto(Auto::HoldReached { hold: "t-10".into() }));
    let of = room.does("des", propose("burn", Action::ProposeRollback)).seq;
    room.at("12:52:00");
    room.does("des", auto(Auto::Silence { proposal: of }));
    room.at("13:30:00");
    let by_itself = auto(Auto::Resume { evidence: Vec::new() });
    room.refuses("des", by_itself, "not any more: no hold that ends by itself");
    assert_eq!((room.phase(), room.t().as_str()), (Phase::Held, "T-00:10:00"));
}

#[test]
fn the_desk_ends_only_holds_that_end_by_themselves() {
    let by_itself = || auto(Auto::Resume { evidence: vec![number()] });
    for (exit, ends) in [(Exit::Time, true), (Exit::Gates, true), (Exit::Poll, false)] {
        let holds = vec![hold("t-10", "T-00:10:00", exit)];
        let mut room = counting(Template { holds, ..list(vec![check("flags")]) });
        room.does("des", desk("tty1"));
        room.refuses("des", by_itself(), "not any more: no hold that ends by itself");
        room.at("13:20:00");
        assert_eq!(room.tries(&person("des"), &by_itself()).is_ok(), ends, "{exit:?}");
    }
    let mut room = counting(list(vec![]));
    room.does("des", desk("tty1"));
    room.does("ana", Command::Hold { reason: None });
    room.refuses("des", by_itself(), "not any more: no hold that ends by itself");
}

#[test]
fn what_is_late_is_said_once_and_holds_where_its_list_says_so() {
    let due = Some(Due::Mark(Mark::parse("T-30m").unwrap()));
    let mut room = counting(list(vec![Item { due, ..check("flags") }, check("whenever")]));
    room.does("des", desk("tty1"));
    let late = |id: &str| auto(Auto::Late { item: id.into() });
    room.refuses("des", late("flags"), "not any more: it is not late");
    room.at("12:30:00");
    room.refuses("des", late("whenever"), "not any more: it is not late");
    let event = room.does("des", late("flags"));
    assert_eq!(words::of(&event), "late: flags was due at 12:30:00");
    assert_eq!(room.state("flags").rev, 0, "nobody who looked at it has lost");
    room.refuses("des", late("flags"), "not any more: it is not late");
    let held = || auto(Auto::HoldFor { reason: "flags is late".into() });
    room.does("des", held());
    room.refuses("des", held(), "not any more: the clock is held");
    assert_eq!(room.held().unwrap().reason.as_deref(), Some("flags is late"));
}

#[test]
fn a_rollback_is_noted_with_its_run_and_needs_words() {
    let mut room = room(list(vec![check("flags")]));
    let begun = |reason: &str| Command::Rollback { run: RunId::new("rollback-1"), reason: reason.into() };
    room.refuses("ana", begun(" "), "rolling back needs a reason in words");
    room.does("ana", begun("errors"));
    assert_eq!(room.run.rollbacks[0].0.as_str(), "rollback-1");
}
