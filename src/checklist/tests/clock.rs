//! The launch clock and its holds.

use super::*;

/// Holds at T-30m until its time is over, at T-10m until the stations say GO, at T-1m until gates pass.
fn launch() -> Template {
    let holds = vec![
        hold("t-30", "T-00:30:00", Exit::Time),
        hold("t-10", "T-00:10:00", Exit::Poll),
        hold("t-1", "T-00:01:00", Exit::Gates),
    ];
    Template { holds, ..list(vec![check("flags")]) }
}

fn recycle(hold: &str) -> Command {
    Command::Recycle { hold: hold.into(), reason: "the queue grew".into() }
}

fn scrub() -> Command {
    Command::Scrub { reason: "storm".into() }
}

fn t0(clock: &str) -> Command {
    Command::SetT0 { t0: Time::parse(&format!("2025-12-02T{clock}Z")).unwrap() }
}

fn go(room: &mut Room) {
    room.does("ana captain", vote("captain", true));
    room.does("sam sre", vote("sre", true));
}

#[test]
fn a_built_in_hold_begins_at_its_mark_though_nobody_writes_anything() {
    let mut room = counting(launch());
    room.at("12:29:59.999");
    assert_eq!((room.phase(), room.t().as_str()), (Phase::Counting, "T-00:30:01"));
    room.at("12:30:00");
    assert_eq!((room.phase(), room.t().as_str()), (Phase::Held, "T-00:30:00"));
    room.at("12:45:00");
    assert_eq!((room.phase(), room.t().as_str()), (Phase::Held, "T-00:30:00"), "T stands still");
    let held = room.held().unwrap();
    assert_eq!(
        (held.hold.as_deref(), held.by, held.since.clock().as_str()),
        (Some("t-30"), None, "12:30:00")
    );
}

#[test]
fn what_the_desk_writes_of_a_hold_that_was_reached_moves_nothing() {
    let mut room = counting(launch());
    room.does("des", desk("tty1"));
    let reached = |hold: &str| auto(Auto::HoldReached { hold: hold.into() });
    room.refuses("des", reached("t-30"), "not any more: the hold is written down");
    room.at("12:33:00");
    room.refuses("des", reached("t-10"), "not any more: the hold is written down");
    room.does("des", reached("t-30"));
    let held = room.held().unwrap();
    assert_eq!((held.since.clock().as_str(), held.by.unwrap().name()), ("12:30:00", "des".into()));
    room.refuses("des", reached("t-30"), "not any more: the hold is written down");
    assert_eq!(room.t(), "T-00:30:00");
}

#[test]
fn a_timed_hold_ends_when_its_time_is_over_and_moves_t0_by_what_it_took() {
    let mut room = counting(launch());
    room.at("12:45:00");
    room.refuses("ana", resume(), "this hold lasts until 13:00:00");
    room.at("13:00:05");
    room.does("ana", resume());
    assert_eq!(room.run.clock.t0.unwrap().clock(), "13:30:05");
    assert_eq!((room.phase(), room.t().as_str()), (Phase::Counting, "T-00:30:00"));
    room.refuses("ana", resume(), "the clock is not held");
    room.at("13:20:05");
    assert_eq!(room.held().unwrap().hold.as_deref(), Some("t-10"));
}

#[test]
fn a_run_that_is_started_late_does_not_pass_a_hold_over() {
    let mut room = room(launch());
    assert_eq!((room.phase(), room.t().as_str()), (Phase::NoT0, "-"));
    room.does("ana", t0("12:05:00"));
    // T-5m lies behind two marks; both holds are still to be gone through, the earliest first.
    assert_eq!(room.held().unwrap().hold.as_deref(), Some("t-30"));
    assert_eq!(room.t(), "T-00:05:00", "T stands where the count began");
    room.at("12:30:00");
    room.does("ana", resume());
    assert_eq!(room.held().unwrap().hold.as_deref(), Some("t-10"), "at once, with nothing skipped");
    assert_eq!(room.t(), "T-00:05:00");
    go(&mut room);
    room.does("ana", resume());
    assert_eq!((room.phase(), room.t().as_str()), (Phase::Counting, "T-00:05:00"));
}

#[test]
fn a_hold_by_gates_ends_on_numbers() {
    let holds = vec![hold("t-1", "T-00:01:00", Exit::Gates)];
    let mut room = counting(Template { holds, ..list(vec![check("flags")]) });
    room.at("12:59:30");
    room.refuses("ana", resume(), "resuming needs numbers that pass, polled for it");
    room.does("ana", Command::Resume { evidence: vec![number()] });
    assert_eq!(room.t(), "T-00:01:00");
}

#[test]
fn a_hold_by_hand_ends_by_hand_and_says_so_to_a_second_hand() {
    let mut room = counting(list(vec![check("flags")]));
    room.refuses("ana", resume(), "the clock is not held");
    room.does("ana", Command::Hold { reason: Some(" errors rise ".into()) });
    room.at("12:10:00");
    room.refuses("ben", Command::Hold { reason: None }, "the clock is held since 12:00:00");
    assert_eq!(
        (room.t().as_str(), room.held().unwrap().reason.as_deref()),
        ("T-01:00:00", Some("errors rise"))
    );
    room.does("ben", resume());
    assert_eq!((room.t().as_str(), room.run.clock.t0.unwrap().clock().as_str()), ("T-01:00:00", "13:10:00"));
}

#[test]
fn a_hold_by_hand_in_a_built_in_one_is_not_ended_by_what_ends_that_one() {
    let mut room = counting(launch());
    room.does("des", desk("tty1"));
    room.at("12:40:00");
    room.does("ana", Command::Hold { reason: Some("look at the errors".into()) });
    assert_eq!((room.held().unwrap().hold, room.t().as_str()), (None, "T-00:30:00"));
    room.at("13:05:00");
    let resumes = auto(Auto::Resume { evidence: vec![number()] });
    room.refuses("des", resumes.clone(), "not any more: no hold that ends by itself");
    room.does("ana", resume());
    let held = room.held().unwrap();
    assert_eq!(
        (held.hold.as_deref(), room.t().as_str()),
        (Some("t-30"), "T-00:30:00"),
        "it is not behind yet"
    );
    assert_eq!(held.since.clock(), "13:05:00");
    room.at("13:35:00");
    room.does("des", resumes);
    assert_eq!((room.phase(), room.t().as_str()), (Phase::Counting, "T-00:30:00"));
}

#[test]
fn a_hold_may_last_longer_counted_from_its_end_or_from_now_where_it_is_over() {
    let mut room = counting(launch());
    let extend = |by| Command::Extend { by };
    room.refuses("ana", extend(secs(60)), "the clock is not held");
    room.at("12:40:00");
    let odd = "a hold is extended by up to a day, and by more than nothing";
    for by in [Duration::ZERO, Duration::from_micros(1), secs(86_401)] {
        room.refuses("ana", extend(by), odd);
    }
    room.does("ana", extend(secs(600)));
    let until = |room: &Room| room.held().unwrap().until(&room.run.template).unwrap().clock();
    assert_eq!(until(&room), "13:10:00");
    room.at("13:20:00");
    room.does("ana", extend(secs(300)));
    assert_eq!(until(&room), "13:25:00", "more of what is over would be nothing");
    assert_eq!(room.t(), "T-00:30:00");

    let mut room = counting(list(vec![]));
    room.does("ana", Command::Hold { reason: None });
    assert_eq!(room.held().unwrap().until(&room.run.template), None);
    room.at("12:10:00");
    room.does("ana", extend(secs(300)));
    assert_eq!(until(&room), "12:15:00");
}

#[test]
fn recycling_goes_back_to_a_hold_and_voids_the_votes_from_there_on() {
    let mut room = counting(launch());
    room.refuses("ana", recycle("t-5"), "there is no hold \"t-5\" to go back to; there are t-30, t-10, t-1");
    room.at("13:00:00");
    room.does("ana", resume());
    room.at("13:20:00");
    go(&mut room);
    room.does("ana", resume());
    room.at("13:29:30");
    assert_eq!(room.held().unwrap().hold.as_deref(), Some("t-1"));
    let blank = Command::Recycle { hold: "t-10".into(), reason: String::new() };
    room.refuses("ana", blank, "recycling needs a reason in words");
    room.does("ana", recycle("t-10"));
    assert_eq!((room.phase(), room.t().as_str()), (Phase::Held, "T-00:10:00"));
    assert_eq!(room.run.clock.passed.iter().collect::<Vec<_>>(), ["t-30"]);
    let poll = room.run.poll_at(room.now).unwrap();
    assert!(poll.votes.is_empty() && poll.since == room.now);
    room.refuses("ana", resume(), "t-10 is not decided: captain, sre did not answer yet");
    go(&mut room);
    room.does("ana", resume());
    assert_eq!(room.t(), "T-00:10:00");
}

#[test]
fn a_scrubbed_launch_stands_still_until_it_is_recycled_or_has_a_new_t0_and_votes_anew() {
    for again in [recycle("t-30"), t0("15:00:00")] {
        let mut room = counting(launch());
        room.at("13:00:00");
        room.does("ana", resume());
        room.at("13:20:00");
        go(&mut room);
        room.refuses("ana", Command::Scrub { reason: " ".into() }, "scrubbing needs a reason in words");
        room.does("ana", scrub());
        room.at("13:25:00");
        assert_eq!((room.phase(), room.t().as_str()), (Phase::Scrubbed, "T-00:10:00"));
        let off = "the launch was scrubbed by ana at 13:20:00: recycle, or set a new T-0";
        for command in [scrub(), Command::Hold { reason: None }, lift_off()] {
            room.refuses("ben", command, off);
        }
        room.refuses("ben", resume(), "the clock is not held");
        room.does("ben", again);
        assert!(room.run.clock.scrubbed.is_none());
        let votes: usize = room.run.polls.votes.values().map(std::collections::BTreeMap::len).sum();
        assert_eq!(votes, 0, "a GO for the count that was called off is none for this one");
        assert!(room.run.clock.passed.is_empty());
    }
}

#[test]
fn what_holds_by_itself_does_not_hold_a_count_that_was_called_off() {
    let mut room = counting(launch());
    room.does("des", desk("tty1"));
    let proposal = Auto::Propose {
        cause: "burn".into(),
        action: Action::Hold,
        within: secs(120),
        reason: "burn 20 > 14.4".into(),
    };
    let of = room.does("des", auto(proposal)).seq;
    room.does("ana", scrub());
    room.at("12:10:00");
    room.does("des", auto(Auto::Silence { proposal: of }));
    room.does("ana", t0("14:00:00"));
    assert_eq!((room.phase(), room.t().as_str()), (Phase::Counting, "T-01:50:00"));
}

#[test]
fn lift_off_needs_an_open_way_and_numbers() {
    let mut template = launch();
    let due = |id: &str, due| Item { due: Some(due), ..check(id) };
    let at = |clock: &str| Due::At(Time::parse(&format!("2025-12-02T{clock}Z")).unwrap());
    template.items = vec![
        due("before", Due::Mark(Mark::parse("T-1h").unwrap())),
        due("by-date", at("13:00:00")),
        due("after", Due::Mark(Mark::parse("T+1h").unwrap())),
        due("tomorrow", at("23:00:00")),
        check("whenever"),
    ];
    let mut room = counting(template);
    room.does("des", desk("tty1"));
    room.refuses("ana", lift_off(), "hold t-30 at T-00:30:00 lies ahead");
    room.at("13:00:00");
    room.refuses("ana", lift_off(), "the clock is held: resume first");
    room.does("ana", resume());
    room.at("13:20:00");
    go(&mut room);
    room.does("ana", resume());
    room.refuses("ana", lift_off(), "hold t-1 at T-00:01:00 lies ahead");
    room.at("13:29:00");
    room.does("ana", Command::Resume { evidence: vec![number()] });
    let propose = Auto::Propose {
        cause: "burn".into(),
        action: Action::ProposeRollback,
        within: secs(120),
        reason: "burn 20 > 14.4".into(),
    };
    let of = room.does("des", auto(propose)).seq;
    room.refuses("ana", lift_off(), "burn proposes ROLLBACK and waits for an answer");
    room.does("ana", Command::Answer { proposal: of, confirm: false, reason: Some("a test".into()) });
    room.refuses("ana", lift_off(), "due by T-0 and not done: before, by-date");
    room.does("ana", tick("before"));
    room.does("ana", tick("by-date"));
    let no_numbers = Command::LiftOff { evidence: Vec::new() };
    room.refuses("ana", no_numbers, "lift-off needs numbers that pass, polled for it");
    room.at("13:29:30");
    room.does("ana", lift_off());
    assert_eq!((room.phase(), room.run.clock.t0), (Phase::Lifted, Some(room.now)));
    room.at("13:30:40");
    assert_eq!(room.t(), "T+00:01:10");
    let gone = "the launch lifted off at 13:29:30";
    for command in [lift_off(), scrub(), recycle("t-10"), t0("15:00:00"), glass(Step::LiftOff)] {
        room.refuses("ana", command, gone);
    }
}

#[test]
fn more_than_five_things_that_are_late_are_counted() {
    let due = Some(Due::Mark(Mark::ZERO));
    let items = (0..8).map(|n| Item { due, ..check(&format!("i{n}")) }).collect();
    let mut room = counting(list(items));
    room.refuses("ana", lift_off(), "due by T-0 and not done: i0, i1, i2, i3, i4 and 3 more");
}

#[test]
fn a_hold_after_lift_off_holds_the_ramp_and_not_t() {
    let mut room = counting(list(vec![ramp("ramp", "10")]));
    room.does("ana", lift_off());
    room.later(60);
    room.does("ana", Command::Hold { reason: Some("errors".into()) });
    assert_eq!((room.phase(), room.t().as_str()), (Phase::Lifted, "T+00:01:00"));
    room.refuses("ana", Command::Run { item: "ramp".into() }, "ramp must wait: the clock is held (errors)");
    room.later(60);
    room.does("ana", resume());
    assert_eq!(room.t(), "T+00:02:00", "T+ is not moved by it");
    room.does("ana", Command::Run { item: "ramp".into() });
}

#[test]
fn broken_glass_ends_a_hold_and_lifts_off_and_is_written_down() {
    let mut room = counting(launch());
    room.refuses("ana", glass(Step::Hold), "the clock is not held");
    room.at("12:40:00");
    room.does("ana", glass(Step::Hold));
    assert_eq!((room.phase(), room.t().as_str()), (Phase::Counting, "T-00:30:00"));
    room.does("ana", scrub());
    room.does("ana", glass(Step::LiftOff));
    assert_eq!((room.phase(), room.t().as_str()), (Phase::Lifted, "T+00:00:00"));
    let what: Vec<&str> = room.run.deviations.iter().map(|d| d.what.as_str()).collect();
    assert_eq!(what, ["hold", "lift-off"]);
}

#[test]
fn a_new_t0_moves_the_marks_and_brings_back_the_holds_that_lie_ahead_again() {
    let mut room = counting(launch());
    room.at("13:00:00");
    room.does("ana", resume());
    room.does("ana", t0("14:00:00"));
    assert_eq!((room.phase(), room.t().as_str()), (Phase::Counting, "T-01:00:00"));
    room.at("13:40:00");
    assert_eq!(room.held().unwrap().hold.as_deref(), Some("t-30"), "what was agreed was agreed for 13:00");
}
