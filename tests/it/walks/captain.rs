//! A captain's walk from start to lift-off, and from there into rollback, as keys on a terminal.

use std::time::Duration;

use super::launch::{Place, has, header, select, until_done, wait_for};
use crate::terminal::Pty;

/// Everything up to T-0, by every kind of item.
fn walk_to_lift_off(place: &Place) -> Pty {
    let mut room = place.captain_s_room();
    assert!(room.screen().contains("PROD LIVE"), "{}", room.screen());

    select(&mut room, 0);
    room.press(" ");
    until_done(&mut room, "plan-read");

    // Without its evidence nothing is ticked.
    select(&mut room, 1);
    room.press(" ");
    room.until("what is missing", |screen| has(screen, "load-tested", '!'));
    room.press("e");
    room.press("https://ci.example.org/load/7\r");
    room.until("the link", |screen| !screen.contains("saving"));
    room.press(" ");
    until_done(&mut room, "load-tested");

    // Two people sign: one here, one from the command line.
    select(&mut room, 2);
    room.press("A");
    room.until_shows("1 of 2 signed: ana");
    place.raj_does(&["sign", &place.run("walk"), "agreed"]);
    until_done(&mut room, "agreed");

    select(&mut room, 3);
    room.press("\r");
    room.press("t");
    until_done(&mut room, "queue-short");
    room.press("\x1b");

    // A wrong word runs nothing; the right one asks to approve what will run.
    select(&mut room, 4);
    room.press("x");
    room.press("flag-no\r");
    room.until_shows("nothing was run");
    room.press("x");
    room.press("flag-on\r");
    room.until_shows("/flag on");
    assert_eq!(place.trace(), "");
    room.press("y");
    until_done(&mut room, "flag-on");
    assert_eq!(place.trace(), "on begun\non done\n");

    select(&mut room, 5);
    room.press("\r");
    room.press("m");
    room.until_shows("Tasks goes on. Waiting: 5. GO.");
    room.press("w");
    until_done(&mut room, "told");

    select(&mut room, 6);
    room.press("\r");
    room.press("t");
    room.press("\x1b");
    until_done(&mut room, "settled");

    room.press(":t0 +13s\r");
    room.until_shows("T-00:00:1");
    room.until("the hold", |s| header(s).contains("HOLD stations") && header(s).contains("desk ana?"));
    room.until_shows("captain ? · sre ?");
    room.press("v");
    room.press("g");
    room.until_shows("captain GO · sre ?");
    room.press(":resume\r");
    room.press("y");
    room.until_shows("sre did not answer yet");
    place.raj_does(&["vote", &place.run("walk"), "go", "--config", &place.config()]);
    room.until_shows("captain GO · sre GO");
    assert!(room.screen().contains("T-00:00:10"), "T stands still: {}", room.screen());
    room.press(":resume\r");
    room.press("y");
    room.until("T counts again", |s| header(s).contains("T-00:00:0") && !header(s).contains("HOLD"));
    room.press(":lift-off\r");
    room.press("y");
    room.until_shows("T+00:00:0");
    room
}

#[test]
fn a_captain_s_walk_from_start_to_lift_off() {
    let place = Place::new();
    let mut room = walk_to_lift_off(&place);
    let t_plus = |screen: &str| screen.split("T+00:00:").nth(1).map(|rest| rest[..2].to_owned());
    let then = t_plus(&room.screen());
    room.until("T+ counts up", |screen| t_plus(screen) > then);
    // Whoever leaves the desk is asked.
    room.press("q");
    room.until_shows("nobody watches the triggers then");
    room.press("y");
    assert_eq!(room.ended().0.exit_code(), 0);

    // All is done, and until somebody closes it the launch is looked after: the next room finds it.
    let mut next = place.room("--by raj");
    next.until("the run", |screen| header(screen).contains("UNWATCHED") && screen.contains("7/7"));

    let shown = place.show("walk");
    assert_eq!(shown["clock"]["phase"], "lifted", "{shown}");
    let stages: Vec<_> =
        shown["items"].as_array().unwrap().iter().map(|item| item["stage"].clone()).collect();
    assert_eq!(stages, ["done"; 7]);
    assert_eq!(place.item("walk", "load-tested")["evidence"][0]["value"], "https://ci.example.org/load/7");
    assert_eq!(place.item("walk", "queue-short")["evidence"][0]["value"], "5");
    place.verify("walk");
}

/// The terminal rings, and says why where nobody looks.
fn until_called(room: &Pty, words: &str) {
    let call = format!("\x07\x1b]9;gonogo: {words}");
    wait_for("the bell with OSC 9", || String::from_utf8_lossy(&room.raw()).contains(&call));
}

/// The queue becomes too deep after lift-off, and the room calls for an answer.
fn until_proposed(place: &Place, room: &mut Pty) {
    place.meter.set(812.0);
    room.until_shows("ROLLBACK PROPOSED by too-deep");
    room.until("the time left", |screen| screen.contains("to answer") && screen.contains("R opens back"));
    until_called(room, "ROLLBACK PROPOSED by too-deep: ");
    room.until("the item that is not true any more", |screen| has(screen, "queue-short", '↯'));
}

#[test]
fn a_captain_s_walk_into_rollback() {
    let place = Place::new();
    let mut room = walk_to_lift_off(&place);
    until_proposed(&place, &mut room);
    let title = |raw: &[u8]| {
        let raw = String::from_utf8_lossy(raw).into_owned();
        raw.rsplit("\x1b]0;").next().unwrap().split('\x07').next().unwrap().to_owned()
    };
    wait_for("the title", || title(&room.raw()).contains("PROPOSED"));

    // The first press works: no confirmation, no role, no approval of a list that was never seen.
    room.press("R");
    room.until_shows("ROLLBACK: every press works");
    room.press(" ");
    until_done(&mut room, "flag-off");
    assert!(place.trace().ends_with("off begun\noff done\n"), "{}", place.trace());
    room.press("j");
    room.press(" ");
    until_done(&mut room, "people-told");
    place.meter.set(7.0);
    room.press("j");
    room.press("\r");
    std::thread::sleep(Duration::from_millis(1_200));
    room.press("t");
    until_done(&mut room, "queue-recovered");
    room.until_shows("3/3");
    room.press("\x1b");

    let back = place.show("back");
    let stages: Vec<_> = back["items"].as_array().unwrap().iter().map(|item| item["stage"].clone()).collect();
    assert_eq!(stages, ["done"; 3], "{back}");
    let events = place.events("walk");
    assert!(events.contains(&"propose".into()) && events.contains(&"rollback".into()), "{events:?}");
    place.verify("walk");
    place.verify("back");
}

#[test]
fn silence_about_a_proposal_holds_the_clock_and_calls() {
    let place = Place::with("10s", "30s");
    let mut room = place.captain_s_room();
    room.press(":t0 +10m\r");
    room.until_shows("T-00:0");
    place.meter.set(812.0);
    room.until_shows("ROLLBACK PROPOSED by too-deep");
    room.until("HOLD, by silence", |screen| header(screen).contains("HOLD") && screen.contains("too-deep"));
    until_called(&room, "HOLD ");
    let shown = place.show("walk");
    assert_eq!(shown["clock"]["phase"], "held", "{shown}");
}
