//! Commands from the command line: confirmed, approved, run once, shown while they run, or only exercised.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{Desk, desk_in, text};
use crate::strace;

/// One command item, and one that takes it back.
fn list(script: &str, more: &str) -> String {
    format!(
        "schema = 1\nid = \"launch\"\ntitle = \"The launch list\"\n{more}[[item]]\nid = \"ramp\"\nsection = \"Ramp\"\n\
         title = \"Ramp\"\nkind = \"command\"\n[item.command]\nargv = [\"/bin/sh\", \"-c\", '{script}']\ntimeout = \"5s\"\n"
    )
}

const LIVE: [&str; 3] = ["--confirm", "ramp", "--approve"];

fn marked(desk: &Desk) -> bool {
    Path::new(desk.dir.path()).join("ran").exists()
}

#[test]
fn a_live_command_asks_for_its_name_and_for_an_approval_once_and_shows_what_it_writes() {
    let desk = desk_in("live", &list("echo one; echo two >&2; touch ran", ""));
    let run = desk.run.as_str();
    let (code, _, error) = desk.says(&["run", run, "ramp"]);
    assert!(code == 2 && error.contains("ramp runs for real: /bin/sh -c echo one"), "{error}");
    assert!(error.contains("repeat its id to run it: --confirm ramp"), "{error}");
    let (code, _, error) = desk.says(&["run", run, "ramp", "--confirm", "rap"]);
    assert!(code == 2 && error.contains("--confirm rap is not ramp"), "{error}");
    let (code, _, error) = desk.says(&["run", run, "ramp", "--confirm", "ramp"]);
    assert!(code == 1 && error.contains("you have not approved the commands"), "{error}");
    assert!(error.contains("ramp: /bin/sh -c \"echo one"), "what would be approved: {error}");
    let refused = desk.json(&["run", run, "ramp", "--confirm", "ramp"]);
    assert_eq!(refused["reason"]["code"], "not-approved");
    assert!(refused["commands"][0].as_str().unwrap().starts_with("ramp: "));
    assert!(!marked(&desk) && !desk.event(2).exists());

    let (code, said, error) = desk.says(&[&["run", run, "ramp"], &LIVE[..]].concat());
    assert_eq!(code, 0, "{error}");
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("saved: ana? runs ramp: /bin/sh -c "), "{said}");
    assert_eq!(&lines[2..4], ["one", "two"]);
    assert!(lines[4].starts_with("ramp: exit 0 after "), "{said}");
    assert!(marked(&desk));
    let attempt = &desk.json(&["show", run])["items"][0]["attempt"];
    assert_eq!((&attempt["state"], &attempt["outcome"]), (&"ended".into(), &"exit 0".into()));
    assert_eq!(attempt["output"], gonogo::checklist::Hash::of(b"one\ntwo\n").0);
    let (code, _, error) = desk.says(&[&["run", run, "ramp"], &LIVE[..]].concat());
    assert!(code == 1 && error.contains("ramp is already done by ana at "), "{error}");

    // Approved for this user from here on, also in another run.
    let other = desk.json(&["start", "launch"])["run"].as_str().unwrap().to_owned();
    assert_eq!(desk.says(&["run", &other, "ramp", "--confirm", "ramp"]).0, 0);
}

#[test]
fn how_a_command_ends_is_the_exit_code_and_a_failed_one_may_run_again() {
    let desk = desk_in("live", &list("if [ -e ran ]; then exit 0; fi; touch ran; exit 3", ""));
    let run = desk.run.as_str();
    let args = [&["run", run, "ramp"], &LIVE[..]].concat();
    let failed = desk.json(&args);
    assert_eq!((&failed["outcome"], &failed["stage"]), (&"exit 3".into(), &"failed".into()), "{failed}");
    assert_eq!(desk.json(&["show", run])["items"][0]["stage"], "failed");
    let (code, said, _) = desk.says(&args);
    assert!(code == 0 && said.contains("ramp: exit 0"), "{said}");

    let slow = desk_in("live", &list("sleep 30", "").replace("5s", "1s"));
    let (code, said, error) = slow.says(&[&["run", &slow.run, "ramp"], &LIVE[..]].concat());
    assert!(code == 4 && said.contains("ramp: timed out"), "{said} {error}");
    let nowhere = list("", "").replace("/bin/sh", "/nowhere/at/all");
    let missing = desk_in("live", &nowhere);
    let (code, said, _) = missing.says(&[&["run", &missing.run, "ramp"], &LIVE[..]].concat());
    assert!(code == 1 && said.contains("ramp: not started: "), "{said}");
}

#[test]
fn a_detached_command_goes_on_and_a_second_call_finds_it() {
    let desk = desk_in("live", &list("echo begun; sleep 1; touch ran", ""));
    let run = desk.run.as_str();
    let id = "01KAX3R0000000000000000000";
    let began = Instant::now();
    let args = [&["run", run, "ramp", "--event-id", id], &LIVE[..]].concat();
    let started = desk.json(&[&args[..], &["--detach"]].concat());
    assert!(started["outcome"].is_null() && started["stage"] == "in-progress", "{started}");
    assert!(began.elapsed() < Duration::from_millis(900) || marked(&desk));
    let (code, _, error) = desk.says(&[&["run", run, "ramp"], &LIVE[..]].concat());
    assert!(code == 1 && error.contains("ramp is running since "), "{error}");
    let (code, said, error) = desk.says(&args);
    assert!(
        code == 0 && said.starts_with("saved already: ana? runs ramp") && said.contains("begun\n"),
        "{said} {error}"
    );
    assert!(marked(&desk) && !desk.event(4).exists(), "it ran once");
}

#[test]
fn a_rollback_s_command_waits_for_no_word_and_that_it_was_not_approved_is_noted() {
    let desk = desk_in("live", &list("touch ran", "kind = \"rollback\"\n"));
    let run = desk.run.as_str();
    let (code, said, error) = desk.says(&["run", run, "ramp"]);
    assert!(code == 0 && marked(&desk), "{said} {error}");
    let notes = desk.json(&["show", run])["items"][0]["notes"].clone();
    assert!(notes[0]["text"].as_str().unwrap().contains("without an approval"), "{notes}");
}

#[test]
fn nobody_supervises_what_was_not_started_or_is_only_rehearsed() {
    let desk = desk_in("dry-run", &list("touch ran", ""));
    desk.json(&["run", &desk.run, "ramp"]);
    for (seq, words) in [("1", "is a dry-run: nothing is run in it"), ("2", "is a dry-run")] {
        let output = Command::new(env!("CARGO_BIN_EXE_gonogo"))
            .args(["supervise", "--ledger"])
            .arg(&desk.ledger)
            .args(["--run", &desk.run, "--seq", seq])
            .output()
            .unwrap();
        let error = text(&output.stderr);
        assert!(!output.status.success() && error.contains(words), "{error}");
    }
    let live = desk_in("live", &list("touch ran", ""));
    let output = Command::new(env!("CARGO_BIN_EXE_gonogo"))
        .args(["supervise", "--ledger"])
        .arg(&live.ledger)
        .args(["--run", &live.run, "--seq", "1"])
        .output()
        .unwrap();
    let error = text(&output.stderr);
    assert!(
        !output.status.success() && error.contains("event 1 of") && error.contains("starts no command"),
        "{error}"
    );
    assert!(!marked(&desk) && !marked(&live));
}

#[test]
fn a_rehearsal_tells_what_it_would_run_and_starts_no_process() {
    for mode in ["dry-run", "drill"] {
        let desk = desk_in(mode, &list("touch ran", ""));
        let (home, ledger) = (desk.dir.path(), desk.ledger.to_str().unwrap());
        let args = ["checklist", "--ledger", ledger, "run", &desk.run, "ramp", "--by", "ana"];
        let Some((output, calls)) = strace::traced(home, strace::PROCESSES, &args) else { return };
        let said = text(&output.stdout);
        assert!(
            output.status.success() && said.contains("EXERCISE: nothing ran; would have run: /bin/sh"),
            "{output:?}"
        );
        strace::no_process(&calls);
        assert!(!marked(&desk));
        let attempt = &desk.json(&["show", &desk.run])["items"][0];
        assert_eq!(
            (&attempt["stage"], &attempt["attempt"]["outcome"]),
            (&"done".into(), &"exercised".into())
        );
    }
}
