//! Commands outlive whoever started them: a terminal that is lost, a supervisor that is killed.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::launch::{Place, has, select, until_done, wait_for};
use crate::terminal::Pty;

/// A room in which the flag is being set; the command waits until the test lets it end.
fn running(place: &Place) -> Pty {
    fs::write(place.file("wait"), "").unwrap();
    let mut room = place.captain_s_room();
    let run = place.run("walk");
    place.does(&["tick", &run, "plan-read", "--by", "ana"]);
    place.does(&["tick", &run, "queue-short", "--by", "ana", "--config", &place.config()]);
    until_done(&mut room, "queue-short");
    select(&mut room, 4);
    room.press("x");
    room.press("flag-on\r");
    room.until_shows("/flag on");
    room.press("y");
    room.until("the running command", |screen| has(screen, "flag-on", '◐') && screen.contains("running"));
    wait_for("its first line", || place.trace() == "on begun\n");
    room
}

fn let_it_end(place: &Place) {
    fs::remove_file(place.file("wait")).unwrap();
}

#[test]
fn a_command_ends_and_is_written_down_though_its_terminal_is_lost() {
    let place = Place::new();
    let mut room = running(&place);
    room.hang_up();
    room.ended();
    assert_eq!(place.item("walk", "flag-on")["stage"], "in-progress");

    // Another room takes up what it finds.
    let mut again = place.room("--write --as captain --by ana");
    again.until("the running command", |screen| has(screen, "flag-on", '◐') && screen.contains("running"));
    again.hang_up();
    again.ended();

    let_it_end(&place);
    wait_for("its result", || place.item("walk", "flag-on")["stage"] == "done");
    let attempt = place.item("walk", "flag-on")["attempt"].clone();
    assert_eq!((&attempt["state"], &attempt["outcome"]), (&"ended".into(), &"exit 0".into()), "{attempt}");
    assert_eq!(attempt["output"], gonogo::checklist::Hash::of(b"flag is on\n").0);
    assert_eq!(place.trace(), "on begun\non done\n");

    let mut later = place.room("--write --as captain --by ana");
    until_done(&mut later, "flag-on");
    select(&mut later, 4);
    later.press("\r");
    later.until_shows("exit 0");
    place.verify("walk");
}

#[test]
fn a_killed_supervisor_leaves_a_command_unknown_that_never_runs_again_by_itself() {
    let place = Place::with("20s", "2s");
    let mut room = running(&place);
    let dir = place.file("runs").join(place.run("walk")).join("output");
    let claims = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path());
    let claims: Vec<_> = claims.filter(|path| path.extension().is_some_and(|e| e == "claim")).collect();
    let claim: toml::Table = toml::from_str(&fs::read_to_string(&claims[0]).unwrap()).unwrap();
    let supervisor = i32::try_from(claim["pid"].as_integer().unwrap()).unwrap();
    kill_process(Pid::from_raw(supervisor).unwrap(), Signal::KILL).unwrap();

    room.press("\r");
    room.until_shows("unknown: look at what it did, then reopen");
    room.press("\x1b");
    let_it_end(&place);
    wait_for("the end of the command that nobody supervises", || place.trace() == "on begun\non done\n");
    let events = place.events("walk");
    room.hang_up();
    room.ended();

    let mut again = place.room("--write --as captain --by ana");
    again.until("the run", |screen| has(screen, "flag-on", '◐'));
    select(&mut again, 4);
    again.press("\r");
    again.until("the unknown end", |screen| screen.contains("unknown: look at what it did, then reopen"));
    // Longer than its time-out: nothing is run, nothing is written down for it.
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(place.trace(), "on begun\non done\n");
    let since: Vec<String> = place.events("walk").split_off(events.len());
    assert!(since.iter().all(|kind| kind == "desk"), "{since:?}");
    assert_eq!(place.item("walk", "flag-on")["stage"], "in-progress");

    // A person looks, says so, and runs it again.
    again.press("o");
    again.press("the flag was on, the supervisor was killed\r");
    again.until("the open item", |screen| has(screen, "flag-on", '○'));
    again.press("\x1b");
    again.press("x");
    again.press("flag-on\r");
    until_done(&mut again, "flag-on");
    assert_eq!(place.trace(), "on begun\non done\non begun\non done\n");
    place.verify("walk");
}
