//! Three people take a list through a launch by verbs alone: ana is captain, ben sre, vera the vice president.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use super::numbers::{Meter, config};
use super::{Desk, desk_with};

/// Six items, a hold that ends by poll, a hold that ends by gates.
pub(super) const LAUNCH: &str = r#"
schema = 1
id = "launch"
title = "The launch list"
rollback = "back"
[params]
flag = { default = "tasks.enabled", pattern = "^[a-z.]+$" }
[[hold]]
id = "stations"
at = "T-00:10:00"
max = "30m"
exit = "poll"
poll = ["captain", "sre"]
[[hold]]
id = "last-look"
at = "T-00:05:00"
exit = "gates"
[[milestone]]
id = "sprint"
title = "Sprint 1: hardening"
date = 2025-11-21
[[item]]
id = "reviewed"
section = "Before"
title = "Flags and roles reviewed"
owner = "captain"
signoff = { count = 2, roles = ["captain", "sre"] }
evidence = ["link"]
waivable-by = ["vp", "captain"]
milestone = "sprint"
[[item]]
id = "measured"
title = "Load measured"
evidence = ["file"]
[[item]]
id = "queue"
title = "The queue is short"
kind = "gate"
role = "sre"
[item.gate]
signal = "depth"
op = "<"
value = 500
[[item]]
id = "brief"
title = "Support is briefed"
waivable-by = ["vp"]
due = "T-24h"
owner = "captain"
[[item]]
id = "soak"
section = "After"
title = "Soaked"
kind = "wait"
for = "1s"
[item.gate]
signal = "depth"
op = "<"
value = 500
[[item]]
id = "ramp"
title = "Ramp"
kind = "command"
[item.command]
argv = ["touch", "{{flag}}.ran"]
"#;

/// Its rollback list.
pub(super) const BACK: &str = r#"
schema = 1
id = "back"
title = "Back to where we were"
kind = "rollback"
[params]
flag = { title = "The flag" }
[[item]]
id = "off"
section = "Now"
title = "Flag to 0 %"
role = "captain"
"#;

fn exit(desk: &Desk, args: &[&str]) -> (i32, String) {
    let (code, _, error) = desk.says(args);
    (code, error)
}

#[test]
fn three_people_take_a_launch_from_its_start_to_its_end() {
    let meter = Meter::at(12.0);
    let desk = desk_with(LAUNCH);
    fs::write(desk.dir.path().join("checklists/back.toml"), BACK).unwrap();
    let config = config(&desk, &meter);
    let run = desk.run.as_str();
    let ana = ["--by", "ana", "--as", "captain", "--config", &config];
    let ben = ["--by", "ben", "--as", "sre", "--config", &config];
    let vera = ["--by", "vera", "--as", "vp"];
    let does = |args: &[&str], who: &[&str]| {
        let value = desk.json(&[&args[..1], &[run], &args[1..], who].concat());
        assert!(value["seq"].is_u64(), "{args:?}: {value}");
        value
    };
    let refused = |args: &[&str], who: &[&str], code: i32, words: &str| {
        let (found, error) = exit(&desk, &[&args[..1], &[run], &args[1..], who].concat());
        assert!(found == code && error.contains(words), "{args:?}: {found} {error}");
    };

    // Two signatures over a link, by two people.
    refused(&["sign", "reviewed"], &ana, 1, "reviewed asks for evidence: link is missing");
    refused(&["sign", "reviewed", "--evidence", "link=example"], &ana, 2, "is no link");
    refused(&["sign", "reviewed"], &vera, 1, "reviewed is for captain or sre, and you act as vp");
    let signed = does(&["sign", "reviewed", "--evidence", "link=https://wiki/flags", "--note", "read"], &ana);
    let kinds: Vec<&Value> = signed["events"].as_array().unwrap().iter().map(|e| &e["kind"]).collect();
    assert_eq!(kinds, ["evidence", "signoff"], "both are told: {signed}");
    assert_eq!((&signed["seq"], &signed["stage"]), (&3.into(), &"in-progress".into()));
    refused(
        &["sign", "reviewed"],
        &["--by", " ANA ", "--as", "sre"],
        1,
        "ana has signed reviewed already at ",
    );
    refused(&["tick", "reviewed"], &ana, 1, "reviewed is signed by 2 people, not ticked: 1 signed so far");
    assert_eq!(does(&["sign", "reviewed"], &ben)["stage"], "done");
    refused(&["evidence", "reviewed", "--text", "late"], &ben, 1, "reviewed is already done by ben at ");

    // A file by its hash.
    let file = desk.dir.path().join("load.csv");
    fs::write(&file, "a,b\n").unwrap();
    refused(&["tick", "measured"], &ana, 1, "measured asks for evidence: file is missing");
    refused(&["tick", "measured", "--evidence", "file=nowhere"], &ana, 2, "cannot read nowhere");
    does(&["tick", "measured", "--evidence", &format!("file={}", file.display())], &ana);
    let shown = desk.json(&["show", run]);
    let hash = gonogo::checklist::Hash::of(b"a,b\n").0;
    assert_eq!(
        shown["items"][1]["evidence"][0],
        json!({ "type": "file", "value": "load.csv", "hash": hash })
    );

    // Waivers are for others than the owner.
    refused(&["waive", "reviewed", "--reason", "x"], &ana, 1, "reviewed is already done");
    refused(
        &["waive", "brief", "--reason", "x"],
        &ana,
        1,
        "brief can be waived by vp, and you act as captain",
    );
    refused(&["waive", "brief", "--reason", "x"], &["--by", "captain", "--as", "vp"], 1, "brief is yours");

    // The clock runs into its first hold, which ends by poll.
    refused(&["resume"], &ana, 1, "the clock is not held");
    does(&["t0", "2020-01-01T00:00:00Z"], &ana);
    let held = &desk.json(&["show", run])["clock"];
    assert_eq!((&held["phase"], &held["hold"]["id"]), (&"held".into(), &"stations".into()));
    refused(&["resume"], &ana, 1, "stations is not decided: captain, sre did not answer yet");
    refused(&["lift-off"], &ana, 1, "the clock is held: resume first");
    refused(&["vote", "go"], &["--by", "vera"], 2, "a vote is for a station: name it with --as STATION");
    refused(&["vote", "go"], &vera, 1, "poll stations does not ask vp; it asks captain, sre");
    let voted = does(&["vote", "go", "--note", "all green"], &ana);
    assert_eq!(
        (&voted["poll"]["outcome"], &voted["poll"]["votes"][0]["note"]),
        (&"waiting".into(), &"all green".into())
    );
    assert_eq!(does(&["vote", "no-go", "--note", "pager is down"], &ben[..4])["poll"]["outcome"], "no-go");
    refused(&["resume"], &ana, 1, "stations is NO-GO: sre says NO-GO; vote again, extend the hold, or scrub");
    assert_eq!(does(&["vote", "go"], &ben)["poll"]["outcome"], "go");
    does(&["extend", "5m"], &ana);
    does(&["resume"], &ana);

    // The second ends by gates, and each of them is asked.
    let asked = meter.asked();
    assert_eq!(desk.json(&["show", run])["clock"]["hold"]["id"], "last-look");
    meter.set(812.0);
    refused(&["resume"], &ana, 1, "not resumed: ");
    meter.set(12.0);
    does(&["resume"], &ana);
    assert!(meter.asked() > asked);
    does(&["hold", "--reason", "a pager rings"], &ben);
    refused(&["lift-off"], &ana, 1, "the clock is held: resume first");
    does(&["resume"], &ben);

    // What is due by T-0 stands, or is excused by somebody who may.
    refused(&["lift-off"], &ana, 1, "due by T-0 and not done: brief");
    does(&["waive", "brief", "--reason", "support is in the room"], &vera);
    let ticked = does(&["tick", "queue"], &ben);
    assert_eq!(ticked["stage"], "done");
    meter.set(812.0);
    refused(&["lift-off"], &ana, 1, "not lifted off: ");
    meter.set(12.0);
    does(&["lift-off"], &ana);
    refused(&["hold"], &["--by", ""], 2, "--by needs a name");

    // A wait with a gate passes by time and by number.
    refused(&["tick", "soak"], &ana, 1, "soak has not begun: begin it, then its time runs");
    does(&["begin", "soak"], &ana);
    sleep(Duration::from_millis(1100));
    does(&["tick", "soak"], &ana);

    // An exception, the desk, the end.
    does(&["break-glass", "--item", "ramp", "--reason", "done by hand"], &ana);
    does(&["desk"], &ana);
    refused(&["desk"], &ben, 1, "ana has the desk since ");
    does(&["desk", "--force"], &ben);
    refused(&["leave-desk"], &ana, 1, "ben has the desk");
    does(&["leave-desk"], &ben);
    does(&["close", "--reason", "it flies"], &ana);
    refused(&["tick", "ramp"], &ana, 1, "the run was closed by ana at ");

    let shown = desk.json(&["show", run]);
    let kinds: Vec<&Value> = shown["deviations"].as_array().unwrap().iter().map(|d| &d["kind"]).collect();
    assert_eq!(kinds, ["waive", "break-glass", "desk by force"]);
    assert_eq!(
        (&shown["overridden"]["by"], &shown["overridden"]["what"]),
        (&"unverified:ana".into(), &"ramp".into())
    );
    assert_eq!(
        (&shown["clock"]["phase"], &shown["closed"]["by"]),
        (&"lifted".into(), &"unverified:ana".into())
    );
    let listed = &desk.json(&["list"])["runs"][0];
    assert_eq!((&listed["state"], &listed["overridden"]), (&"closed".into(), &"unverified:ana".into()));

    // Whoever reads the export sees the deviations first, and every event.
    let (_, text, _) = desk.says(&["export", run]);
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[1].contains("events, head sha256:") && lines[2].starts_with("! waive brief by vera?"),
        "{text}"
    );
    let exported = desk.json(&["export", run]);
    let events = exported["events"].as_array().unwrap();
    assert_eq!(events.len() as u64, shown["seq"].as_u64().unwrap());
    let lifted = events.iter().find(|event| event["kind"] == "lift-off").unwrap();
    assert_eq!(
        (&lifted["evidence"][0]["value"], &lifted["evidence"][0]["gate"]),
        (&"12".into(), &"queue".into()),
        "{lifted}"
    );
    assert_eq!(exported["head"], events.last().unwrap()["hash"]);
    assert!(exported["template"]["text"].as_str().unwrap().contains("The launch list"));
    let (_, csv, _) = desk.says(&["export", run, "--format", "csv"]);
    assert_eq!(csv.lines().count(), events.len() + 1);
    assert!(desk.json(&["verify", run])["ok"].as_bool().unwrap());
}

#[test]
fn silence_is_no_go_and_a_poll_asks_only_whom_it_asks() {
    let desk = desk_with(LAUNCH);
    let run = desk.run.as_str();
    let (code, error) = exit(&desk, &["vote", run, "no-go", "--as", "sre"]);
    assert!(code == 1 && error.contains("no poll is open"), "{error}");
    let (code, error) = exit(&desk, &["poll", run, "two words"]);
    assert!(code == 1 && error.contains("\"two words\" is no station: one word"), "{error}");
    desk.json(&["poll", run, "support", "legal", "--within", "1s"]);
    desk.json(&["vote", run, "no-go", "--station", "support", "--as", "support"]);
    sleep(Duration::from_millis(1100));
    let poll = &desk.json(&["show", run])["poll"];
    assert_eq!(poll["outcome"], "no-go");
    assert_eq!(
        poll["reasons"],
        json!([{ "code": "no-go", "text": "support says NO-GO" },
            { "code": "no-go", "text": "legal did not answer in time" }])
    );
    let (code, error) = exit(&desk, &["vote", run, "no-go", "--as", "legal"]);
    assert!(
        code == 1 && error.contains("is over, and silence was NO-GO: extend the hold, or scrub"),
        "{error}"
    );
}

#[test]
fn the_clock_is_recycled_scrubbed_and_set_anew_with_reasons() {
    let desk = desk_with(LAUNCH);
    let run = desk.run.as_str();
    let refused = |args: &[&str], words: &str| {
        let (code, error) = exit(&desk, args);
        assert!(code == 1 && error.contains(words), "{error}");
    };
    refused(
        &["recycle", run, "t-1", "--reason", "x"],
        "there is no hold \"t-1\" to go back to; there are stations, last-look",
    );
    refused(&["scrub", run, "--reason", " "], "scrubbing needs a reason in words");
    refused(&["extend", run, "5m"], "the clock is not held");
    desk.json(&["recycle", run, "last-look", "--reason", "a number was wrong"]);
    refused(&["extend", run, "2d"], "a hold is extended by up to a day");
    let clock = &desk.json(&["show", run])["clock"];
    assert_eq!((&clock["t"], &clock["hold"]["exit"]), (&"T-00:05:00".into(), &"gates".into()));
    desk.json(&["scrub", run, "--reason", "weather"]);
    refused(&["hold", run], "the launch was scrubbed by ana at ");
    let (_, page, _) = desk.says(&["show", run]);
    assert!(page.contains("T-00:05:00 · scrubbed by ana at ") && page.contains(": weather"), "{page}");
    desk.json(&["t0", run, "2030-01-01T00:00:00Z"]);
    let (_, page, _) = desk.says(&["show", run]);
    assert!(page.contains("counting, next hold stations in ") && page.contains("UNWATCHED"), "{page}");
    assert!(page.contains("2025-11-21  0/1  Sprint 1: hardening\n     late: reviewed"), "{page}");
}

#[test]
fn a_rollback_is_begun_once_by_anybody_with_the_launch_s_parameters() {
    let desk = desk_with(LAUNCH);
    let run = desk.run.as_str();
    let (code, error) = exit(&desk, &["rollback", run]);
    assert!(code == 2 && error.contains("no template \"back\""), "{error}");
    fs::write(desk.dir.path().join("checklists/back.toml"), BACK).unwrap();
    let began = desk.json(&["rollback", run, "--reason", "errors after the flag change", "--by", "zoe"]);
    let back = began["rollback"].as_str().unwrap();
    assert!(back.contains("-back-"), "{began}");
    let again = desk.json(&["rollback", run]);
    assert_eq!((&again["rollback"], &again["repeated"]), (&began["rollback"], &true.into()));
    let shown = desk.json(&["show", back]);
    assert_eq!((&shown["of"], &shown["params"]["flag"]), (&run.into(), &"tasks.enabled".into()));
    assert_eq!(desk.json(&["tick", back, "off"])["stage"], "done", "without its role");
    let launch = desk.json(&["show", run]);
    assert_eq!(launch["rollbacks"][0]["reason"], "errors after the flag change");
    let closed = desk.json(&["close", run]);
    assert!(closed["seq"].is_u64());
    let (code, said, error) = desk.says(&["rollback", run]);
    assert!(code == 1 && said.contains("the rollback is begun: "), "people can act all the same: {said}");
    assert!(
        error.contains("begun, but not written into") && error.contains("the run was closed by ana"),
        "{error}"
    );
}

#[test]
fn parameters_are_given_at_the_start_and_checked() {
    let desk = desk_with(LAUNCH);
    let (code, error) = exit(&desk, &["start", "launch", "--param", "flag=A B"]);
    assert!(code == 1 && error.contains("parameter flag: \"A B\" does not match ^[a-z.]+$"), "{error}");
    let (code, error) = exit(&desk, &["start", "launch", "--param", "flags=a"]);
    assert!(code == 1 && error.contains("this checklist has no such parameter; it has flag"), "{error}");
    let (code, error) = exit(&desk, &["start", "launch", "--param", "flag"]);
    assert!(code == 2 && error.contains("write NAME=VALUE"), "{error}");
    let started = desk.json(&["start", "launch", "--param", "flag=a.b", "--of", &desk.run]);
    assert_eq!((&started["params"]["flag"], &started["of"]), (&"a.b".into(), &desk.run.as_str().into()));
}
