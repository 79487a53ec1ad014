//! Go/no-go polls.

use super::*;

fn held() -> Room {
    let holds = vec![hold("t-10", "T-00:10:00", Exit::Poll)];
    let mut room = counting(Template { holds, ..list(vec![check("flags")]) });
    room.at("12:50:00");
    room
}

fn asks(stations: &[&str], within: Duration) -> Command {
    Command::Poll { stations: stations.iter().map(|s| (*s).to_owned()).collect(), within }
}

fn outcome(room: &Room) -> PollOutcome {
    room.run.poll_at(room.now).unwrap().outcome(room.now)
}

#[test]
fn a_station_speaks_for_itself_and_a_go_rests_on_numbers() {
    let mut room = held();
    room.refuses(
        "ana captain",
        vote("support", true),
        "poll t-10 does not ask support; it asks captain, sre",
    );
    room.refuses(
        "ana captain",
        vote("sre", true),
        "the vote of sre is for sre, and you act as captain: act as sre (--as, :as)",
    );
    room.refuses(
        "ana",
        vote("captain", true),
        "the vote of captain is for captain, and you act in no role: act as captain (--as, :as)",
    );
    let blind =
        Command::Vote { station: "captain".into(), go: true, note: None, evidence: Vec::new(), poll: None };
    room.refuses("ana captain", blind, "a GO needs numbers that pass, polled for it");
    let told = vec![Evidence::brought("text", "all is well")];
    let told = Command::Vote { station: "captain".into(), go: true, note: None, evidence: told, poll: None };
    room.refuses("ana captain", told, "a GO needs numbers that pass, polled for it");
    room.does("ana captain", vote("captain", true));
    assert_eq!(outcome(&room), PollOutcome::Waiting(vec!["sre".into()]));
    room.refuses("ana", resume(), "t-10 is not decided: sre did not answer yet");
    room.does("sam sre", vote("sre", false));
    assert_eq!(outcome(&room), PollOutcome::NoGo(vec!["sre says NO-GO".into()]));
    room.refuses("ana", resume(), "t-10 is NO-GO: sre says NO-GO; vote again, extend the hold, or scrub");
    room.does("sam sre", vote("sre", true));
    assert_eq!(outcome(&room), PollOutcome::Go);
    room.does("ana", resume());
    room.refuses(
        "ana captain",
        vote("captain", true),
        "no poll is open: a hold that ends by poll, or `poll`, opens one",
    );
}

#[test]
fn a_no_go_carries_no_numbers_and_keeps_its_words() {
    let mut room = held();
    let no = Command::Vote {
        station: "sre".into(),
        go: false,
        note: Some(" errors rise ".into()),
        evidence: vec![number()],
        poll: None,
    };
    let event = room.does("sam sre", no);
    assert!(event.fact.evidence().is_empty());
    assert_eq!(words::of(&event), "sre is NO-GO (sam?): errors rise");
}

#[test]
fn silence_at_the_deadline_is_no_go_and_a_late_vote_is_not_taken() {
    let mut room = held();
    room.does("ana captain", vote("captain", true));
    room.at("13:19:59");
    assert_eq!(outcome(&room), PollOutcome::Waiting(vec!["sre".into()]));
    room.at("13:20:00");
    assert_eq!(outcome(&room), PollOutcome::NoGo(vec!["sre did not answer in time".into()]));
    room.refuses(
        "ana",
        resume(),
        "t-10 is NO-GO: sre did not answer in time; vote again, extend the hold, or scrub",
    );
    room.refuses(
        "sam sre",
        vote("sre", true),
        "poll t-10 is over, and silence was NO-GO: extend the hold, or scrub",
    );
    room.does("ana", Command::Extend { by: secs(300) });
    room.does("sam sre", vote("sre", true));
    room.does("ana", resume());
}

#[test]
fn a_go_lapses_when_a_watched_gate_goes_bad_and_must_be_given_again() {
    let mut room = held();
    room.does("des", desk("tty1"));
    let lapse = || auto(Auto::Lapse { reason: "queue 612 ≥ 500".into() });
    room.refuses("des", lapse(), "not any more: no GO to lapse");
    room.does("ana captain", vote("captain", true));
    room.does("sam sre", vote("sre", false));
    room.does("des", lapse());
    let poll = room.run.poll_at(room.now).unwrap();
    assert_eq!(poll.votes["captain"].lapsed.as_deref(), Some("queue 612 ≥ 500"));
    assert_eq!(poll.votes["sre"].lapsed, None, "a NO-GO stands");
    room.refuses("des", lapse(), "not any more: no GO to lapse");
    room.does("sam sre", vote("sre", true));
    assert_eq!(outcome(&room), PollOutcome::Waiting(vec!["captain".into()]), "a lapsed GO is silence");
    room.at("13:20:00");
    assert_eq!(outcome(&room), PollOutcome::NoGo(vec!["captain did not answer in time".into()]));
}

#[test]
fn a_poll_outside_the_holds_is_asked_by_name_with_a_deadline() {
    let mut room = room(list(vec![check("flags")]));
    for (stations, words) in [
        (&[][..], "a poll asks at least one station"),
        (&[" "], "a poll asks at least one station"),
        (&["the captain"], "\"the captain\" is no station: one word, at most 40 letters"),
        (&["a\u{1b}"], "\"a\\u{1b}\" is no station: one word, at most 40 letters"),
    ] {
        room.refuses("ana", asks(stations, secs(60)), words);
    }
    for within in [Duration::ZERO, secs(86_401)] {
        room.refuses("ana", asks(&["sre"], within), "a poll lasts up to a day, and longer than nothing");
    }
    let event = room.does("ana", asks(&["sre", " sre ", "support"], secs(60)));
    assert_eq!(event.fact, Fact::Poll { stations: vec!["sre".into(), "support".into()], within: secs(60) });
    room.refuses("ana", asks(&["sre"], secs(60)), "poll poll-2 is under way");
    room.does("sam sre", vote("sre", true));
    room.later(60);
    assert_eq!(outcome(&room), PollOutcome::NoGo(vec!["support did not answer in time".into()]));
    room.does("ana", asks(&["sre"], secs(60)));
    assert_eq!(outcome(&room), PollOutcome::Waiting(vec!["sre".into()]), "votes are of their own poll");
}

#[test]
fn a_poll_that_is_decided_before_its_time_may_be_followed_by_another() {
    let mut room = room(list(vec![check("flags")]));
    room.does("ana", asks(&["sre"], secs(600)));
    room.does("sam sre", vote("sre", false));
    room.does("ana", asks(&["sre"], secs(600)));
    assert_eq!(room.run.poll_at(room.now).unwrap().id, "poll-4");
}
