//! Signing in from the room, on a real terminal.

use regex::Regex;

use super::{Home, Issuer};
use crate::terminal::{Pty, Start};

fn room(home: &Home, columns: u16) -> Pty {
    let (path, state) = (home.path().display().to_string(), home.path().join("state").display().to_string());
    let env = [("HOME", path.as_str()), ("XDG_STATE_HOME", state.as_str()), ("USER", "ana")];
    let line = format!("cd {path} && exec $GONOGO");
    Pty::start(&Start { line: &line, size: (columns, 40), env: &env, ..Start::default() })
}

fn code(screen: &str) -> Option<String> {
    Regex::new("[A-Z]{4}-[A-Z]{4}").unwrap().find(screen).map(|found| found.as_str().to_owned())
}

#[test]
fn a_person_signs_in_while_the_room_goes_on_and_signs_out() {
    let Some(issuer) = Issuer::start(&[]) else { return };
    let home = Home::new(&issuer.config(""));
    let mut pty = room(&home, 150);
    pty.until_shows("ana?");
    pty.press("s");
    pty.until_shows("press S or run gonogo login me");
    pty.press("S");
    let screen = pty.until("a code", |screen| code(screen).is_some());
    assert!(screen.contains("Sign in: me") && screen.contains("/device"), "{screen}");
    // The clock goes on under the dialog.
    let left =
        |screen: &str| screen.lines().find(|line| line.contains("The code is good for")).map(str::to_owned);
    let first = left(&screen).expect("the time that is left");
    pty.until("less time", |screen| left(screen).is_some_and(|now| now != first));
    pty.press("y");
    pty.until_shows("copied, where the terminal allows it");
    assert!(String::from_utf8_lossy(&pty.raw()).contains("\u{1b}]52;"));
    issuer.approve(&code(&screen).unwrap());
    pty.until("who has signed in", |screen| {
        screen.contains("signed in as ada") && !screen.contains("Sign in: me")
    });
    pty.until("the source well", |screen| !screen.contains("press S") && screen.contains("fresh"));
    let header = pty.screen().lines().next().unwrap().to_owned();
    assert!(header.contains(" ada ") && !header.contains("ana?"), "{header}");
    pty.press(":");
    pty.type_now("sign-out\r");
    pty.until_shows("signed out of me");
    pty.until_shows("ana?");
    pty.until_shows("press S or run gonogo login me");
    pty.press("q");
    assert!(pty.ended().0.success());
    assert_eq!(issuer.count("invalid_grant"), 0);
}

#[test]
fn a_cancelled_sign_in_asks_the_issuer_no_more_and_one_of_another_terminal_is_noticed() {
    let Some(issuer) = Issuer::start(&[]) else { return };
    let home = Home::new(&issuer.config(""));
    let mut pty = room(&home, 120);
    pty.until_shows("ana?");
    pty.press("S");
    let screen = pty.until("a code", |screen| code(screen).is_some());
    pty.press("\u{1b}");
    pty.until_shows("the sign-in was cancelled");
    // What is approved too late signs nobody in.
    issuer.approve(&code(&screen).unwrap());
    home.sign_in(|code| issuer.approve(code));
    assert_eq!(issuer.count("device_code"), 1, "only the other terminal's");
    pty.until("the person", |screen| screen.lines().next().is_some_and(|line| line.contains(" ada ")));
    issuer.steer("/expire");
    home.age();
    pty.until_shows("ada: sign-in ended, S");
    pty.press("q");
    assert!(pty.ended().0.success());
}
