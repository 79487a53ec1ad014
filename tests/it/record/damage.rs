//! Captures that are killed, torn, edited, or hold what their text cannot.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gonogo::sources::capture::beside;

use super::{gonogo, recorded, small_config, text};
use crate::check::Served;
use crate::http::canned::{Canned, ok};

#[test]
fn a_query_on_a_capture_counts_the_samples_that_its_text_cannot_hold() {
    let dir = tempfile::tempdir().unwrap();
    let depth =
        |queue: &str, n: u32| format!("tasks_queue_depth{{state=\"waiting\",queue=\"{queue}\"}} {n}\n");
    let body = depth("a", 1) + &depth("\u{2764}\u{fe0f}", 5000);
    let server = Canned::always(ok("text/plain; version=0.0.4", body));
    let config = small_config(dir.path(), &server.url("/metrics"), "");
    let file = dir.path().join("odd.om");
    let (config, name) = (config.to_str().unwrap(), file.to_str().unwrap());
    let out = gonogo(&["record", "--config", config, "--out", name, "--for", "2s"]);
    assert!(out.status.success(), "{out:?}");
    assert!(!fs::read_to_string(&file).unwrap().contains("5000"), "it stands beside");
    let asked = || gonogo(&["query", "--file", name, "sum(tasks_queue_depth)", "--output", "json"]);
    let out = asked();
    assert!(out.status.success() && text(&out.stdout).contains("\"5001\""), "{out:?}");
    // Where a line of the JSON is torn, it is said that the number may lack something.
    let lines = fs::read(beside(&file)).unwrap();
    fs::write(beside(&file), &lines[..lines.len() - 20]).unwrap();
    let out = asked();
    assert!(text(&out.stdout).contains("cannot be read"), "{out:?}");
}

#[test]
fn a_recording_that_is_killed_can_be_read_and_holds_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start();
    let url = format!("{}/worker/metrics?token=s3cret", served.base);
    let more = format!(
        "headers = {{ X-Key = \"s3cret\" }}\n[credential.c]\nkind = \"bearer\"\nenv = \"GONOGO_TEST_TOKEN\"\n\
         [source.identity]\nkind = \"identity\"\nurl = \"{}\"\ncredential = \"c\"\nevery = \"200ms\"\n",
        served.base
    );
    let config = small_config(dir.path(), &url, &more);
    let file = dir.path().join("killed.om");
    let (config, name) = (config.to_str().unwrap(), file.to_str().unwrap());
    let mut child = Command::new(env!("CARGO_BIN_EXE_gonogo"))
        .args(["record", "--config", config, "--out", name])
        .env("GONOGO_TEST_TOKEN", "s3cret")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let patience = Instant::now() + Duration::from_secs(60);
    let lines = || fs::read_to_string(beside(&file)).unwrap_or_default();
    while lines().lines().count() < 30 || !lines().contains("\"source\":\"identity\"") {
        assert!(Instant::now() < patience, "nothing is recorded");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let both = fs::read_to_string(&file).unwrap() + &fs::read_to_string(beside(&file)).unwrap();
    assert!(!both.contains("s3cret"), "{both}");
    let out = gonogo(&["check", "--file", name, "--range", ".."]);
    assert!(text(&out.stderr).contains("was cut off"), "{}", text(&out.stderr));
    assert!(text(&out.stdout).contains("✓") && !text(&out.stdout).contains("✗"), "{}", text(&out.stdout));
    // It is not written over, and a torn end is said.
    let again = gonogo(&["record", "--config", config, "--out", name, "--for", "1s"]);
    assert_eq!(again.status.code(), Some(2));
    let lines = fs::read(beside(&file)).unwrap();
    fs::write(beside(&file), &lines[..lines.len() - 20]).unwrap();
    let out = gonogo(&["check", "--file", name, "--range", ".."]);
    assert!(text(&out.stderr).contains("last line"), "{}", text(&out.stderr));
}

#[test]
fn a_capture_edited_by_hand_gives_words_and_never_a_better_number() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("c.om");
    recorded(&file, 1);
    let name = file.to_str().unwrap();
    let (samples, lines) = (fs::read(&file).unwrap(), fs::read(beside(&file)).unwrap());
    let whole = samples.len();
    let mut twice = samples.clone();
    twice.extend(samples.iter());
    let mut garbage = samples.clone();
    garbage.splice(whole / 2..whole / 2, b"\n\x1b[31m{]} \xff\xfe NaN\nx{a=\"\\\n".iter().copied());
    let missing = samples[whole / 3..].to_vec();
    for (what, bytes) in [("twice", twice), ("garbage", garbage), ("missing", missing), ("empty", Vec::new())]
    {
        fs::write(&file, bytes).unwrap();
        let out = gonogo(&["check", "--file", name, "--range", ".."]);
        let said = text(&out.stderr);
        assert!(!said.contains("panicked") && !said.contains('\u{1b}'), "{what}: {said}");
        assert!(matches!(out.status.code(), Some(1 | 3)), "{what}: {:?} {said}", out.status);
        assert!(!said.is_empty(), "{what} is not remarked");
    }
    fs::write(&file, &samples).unwrap();
    let all = text(&lines);
    let (head, polls) = all.split_once('\n').unwrap();
    let double = polls.lines().flat_map(|line| [line, line]).collect::<Vec<_>>().join("\n") + "\n";
    for (what, text_of) in [
        ("no head", polls.to_owned()),
        ("a newer form", head.replace("\"schema\":1", "\"schema\":9") + "\n" + polls),
        ("lines twice", format!("{head}\n{double}")),
        ("garbage", format!("{head}\n{{\"source\":5}}\n\u{1b}[31m\n{polls}")),
        ("far places", format!("{head}\n{}", polls.replace("\"at\":", "\"at\":9"))),
        ("huge", format!("{head}\n{}", polls.replace("\"bytes\":", "\"bytes\":99999999999"))),
        ("only a head", format!("{head}\n")),
    ] {
        fs::write(beside(&file), text_of).unwrap();
        let out = gonogo(&["check", "--file", name, "--range", ".."]);
        let said = text(&out.stderr);
        assert!(!said.contains("panicked") && !said.contains('\u{1b}'), "{what}: {said}");
        assert!(!said.is_empty() && out.status.code() != Some(0), "{what}: {:?} {said}", out.status);
    }
}
