//! Two rooms on one run: one has the desk and writes what happens by itself, the other takes over.

use super::launch::{Place, header, until_done, wait_for};

#[test]
fn two_rooms_share_a_run_and_one_desk() {
    let place = Place::with("10s", "30s");
    let mut ana = place.captain_s_room();
    let mut raj = place.room("--write --as sre --by raj");
    // Each sees the other, and whose desk it is.
    for room in [&mut ana, &mut raj] {
        room.until("both", |screen| header(screen).contains("desk ana? · 2 here"));
    }
    ana.press(" ");
    until_done(&mut raj, "plan-read");

    // What happens by itself is written once: the proposal, and the hold when nobody answers.
    ana.press(":t0 +10m\r");
    place.meter.set(812.0);
    for room in [&mut ana, &mut raj] {
        room.until_shows("ROLLBACK PROPOSED by too-deep");
    }
    for room in [&mut ana, &mut raj] {
        room.until("the hold", |screen| header(screen).contains("HOLD"));
    }
    let count = |kind: &str| place.events("walk").iter().filter(|event| *event == kind).count();
    assert_eq!((count("propose"), count("hold"), count("desk")), (1, 1, 1), "{:?}", place.events("walk"));

    // Who leaves gives the desk up; who stays takes it.
    place.meter.set(5.0);
    ana.press("q");
    ana.press("y");
    ana.ended();
    raj.until("the desk", |screen| header(screen).contains("desk raj?") && !header(screen).contains("here"));
    assert_eq!(count("desk"), 2, "{:?}", place.events("walk"));
    raj.press(":resume\r");
    raj.press("y");
    raj.until("T counts", |screen| !header(screen).contains("HOLD"));

    // The new desk is armed: the same trouble again, after the first was answered by silence.
    place.meter.set(900.0);
    wait_for("the second proposal", || count("propose") == 2);
    place.verify("walk");
}

#[test]
fn a_live_run_that_only_a_reader_looks_at_is_unwatched() {
    let place = Place::new();
    let mut ana = place.captain_s_room();
    ana.press("q");
    ana.press("y");
    ana.ended();
    let mut reader = place.room("--by raj");
    reader.until("UNWATCHED", |screen| screen.contains("UNWATCHED") && screen.contains("read only"));
    // Triggers are not armed: nothing is proposed, and nobody is told that somebody watches.
    let before = place.events("walk");
    place.meter.set(812.0);
    reader.until_shows("812");
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(place.events("walk"), before);
    assert!(!reader.screen().contains("PROPOSED"), "{}", reader.screen());
    // Whoever may write takes the desk, and the trigger fires.
    reader.press(":write\r");
    reader.until_shows("desk raj?");
    reader.until_shows("ROLLBACK PROPOSED by too-deep");
}

#[test]
fn a_run_whose_list_was_edited_keeps_its_triggers_and_its_way_back() {
    let place = Place::new();
    place.does(&["start", place.file("walk.toml").to_str().unwrap(), "--by", "ana"]);
    let list = std::fs::read_to_string(place.file("walk.toml")).unwrap();
    std::fs::write(place.file("walk.toml"), list.replace("The plan was read", "The plan was read aloud"))
        .unwrap();
    let mut room = place.room("--write --as captain --by ana");
    room.until_shows("desk ana?");
    assert!(room.screen().contains("The plan was read "), "{}", room.screen());
    place.meter.set(812.0);
    room.until_shows("ROLLBACK PROPOSED by too-deep");
    place.meter.set(5.0);
    room.press("R");
    room.until_shows("ROLLBACK: every press works");
    room.press("jj");
    room.press("\r");
    room.press("t");
    until_done(&mut room, "queue-recovered");
}
