//! The launch room on a real terminal: it comes up, it is used, and whatever ends it, the terminal is
//! given back and nothing is left running.

use std::time::Duration;

use rustix::process::Signal;

use super::terminal::{Pty, Start};

const LEFT_ALTERNATE: &[u8] = b"\x1b[?1049l";
const SHOWN_CURSOR: &[u8] = b"\x1b[?25h";

fn contains(raw: &[u8], part: &[u8]) -> bool {
    raw.windows(part.len()).any(|w| w == part)
}

fn is_restored(pty: &Pty) -> bool {
    let raw = pty.raw();
    contains(&raw, LEFT_ALTERNATE) && contains(&raw, SHOWN_CURSOR) && pty.is_cooked()
}

/// The child's state is settled a moment after its last bytes.
fn assert_restored(pty: &Pty) {
    for _ in 0..200 {
        if is_restored(pty) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the terminal was not restored: {:?}", String::from_utf8_lossy(&pty.raw()));
}

#[test]
fn a_newcomer_sees_a_living_room_ticks_an_item_resizes_and_quits() {
    let mut pty = Pty::start(&Start::default());
    let first = pty.until("the first frame", |s| s.contains("DEMO"));
    assert!(first.contains("Tasks"), "{first}");
    // The run is opened, the simulation has caught up, and a plain check is selected.
    pty.until("the opened run", |s| s.contains("▸"));
    pty.until("living queues", |s| s.contains("billing"));
    pty.press(" ");
    pty.until("the tick, saved", |s| s.lines().any(|l| l.contains("ticked")));

    pty.resize((80, 24));
    pty.until("80x24", |s| s.contains("DEMO") && s.lines().all(|l| l.chars().count() <= 80));
    pty.resize((50, 10));
    pty.until("the card", |s| s.contains("60") && s.contains("15"));
    pty.resize((160, 48));
    pty.until("the room again", |s| s.contains("billing"));
    pty.press("q");
    let (status, _) = pty.ended();
    assert_eq!(status.exit_code(), 0);
    assert_restored(&pty);
}

#[test]
fn frames_are_synchronized_updates() {
    let mut pty = Pty::start(&Start::default());
    pty.until_shows("DEMO");
    let raw = pty.raw();
    assert!(contains(&raw, b"\x1b[?2026h") && contains(&raw, b"\x1b[?2026l"));
}

#[test]
fn sigterm_and_sighup_restore_the_terminal() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut pty = Pty::start(&Start::default());
        pty.until_shows("DEMO");
        pty.signal(signal);
        let (status, took) = pty.ended();
        println!("ended {took:?} after {signal:?}");
        assert_eq!(status.exit_code(), code);
        assert_restored(&pty);
    }
}

/// A hang-up must end the program; how long it took is printed.
fn hangs_up(line: &str, controlling: bool) {
    let mut pty = Pty::start(&Start { line, controlling, ..Start::default() });
    pty.until_shows("DEMO");
    pty.hang_up();
    let (_, took) = pty.ended();
    println!("ended {took:?} after the pty was closed ({line}, controlling: {controlling})");
}

#[test]
fn a_closed_pty_ends_the_program() {
    hangs_up("exec $GONOGO demo", true);
}

#[test]
fn a_closed_pty_ends_the_program_where_sighup_is_ignored() {
    hangs_up("trap '' HUP; exec $GONOGO demo", true);
}

#[test]
fn a_closed_pty_ends_the_program_that_has_no_controlling_terminal() {
    hangs_up("exec $GONOGO demo", false);
}

#[test]
fn a_terminal_that_nobody_reads_does_not_keep_sigterm_from_ending_it() {
    let mut pty = Pty::start(&Start { read: false, ..Start::default() });
    // Long enough for frames to fill the pty's buffer and block the writer.
    std::thread::sleep(Duration::from_secs(4));
    pty.signal(Signal::TERM);
    let (status, took) = pty.ended();
    println!("ended {took:?} after SIGTERM on an unread pty");
    assert_eq!(status.exit_code(), 143);
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_fg_takes_it_again() {
    let line = "set -m; $GONOGO demo & fg >/dev/null; echo stopped; sleep 1; fg >/dev/null; echo over";
    let mut pty = Pty::start(&Start { line, ..Start::default() });
    pty.until_shows("DEMO");
    pty.press("\x1a");
    pty.until("the shell", |s| s.contains("stopped"));
    pty.until("the room again", |s| s.contains("DEMO"));
    pty.press("q");
    pty.until("the end", |s| s.contains("over"));
}
