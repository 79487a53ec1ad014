//! What may never reach a terminal: what steers it, and what hides from the eye.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::http::canned::{Act, Canned, Seen, answer, ok, raw};
use crate::terminal::{Pty, Start};

use super::list::Kind;
use super::patient::{JSON, TEXT, flags, now, prometheus, well};

/// Escapes (with a bell, a title, a colour), C1, bidi, zero-width, tags, line separators, wide and
/// combining characters.
const EVIL: &str = "\u{1b}]0;owned\u{7}\u{1b}[31mRED\u{9b}2J\u{202e}olleh\u{202c}\u{2066}\u{200b}\u{200d}\u{feff}\u{2028}\u{e0041}\u{e007f}\u{ad}日本語👩e\u{301}\r\n";

/// The text as a label's value, a JSON string and a line of plain text would hold it.
fn label() -> String {
    EVIL.replace('\n', "\\n")
}

fn json() -> String {
    serde_json::to_string(EVIL).unwrap().trim_matches('"').to_owned()
}

fn evil(seen: &Seen) -> Vec<Act> {
    let (path, text) = (seen.path(), json());
    match path {
        // A gate on it fails, so that the labels stand in its reason.
        "/metrics" => ok(TEXT, format!("# HELP depth {EVIL}depth{{queue=\"{}\"}} 9000\n", label())),
        "/unreadable" => ok(TEXT, format!("depth{{queue=\"{EVIL}\"}} {EVIL}\n\"{EVIL}\" 1\n")),
        "/status" => vec![raw(format!("HTTP/1.1 503 {}\r\nContent-Length: 0\r\n\r\n", label()))],
        "/type" => ok(&format!("text/{}", label().replace('\r', "")), "depth 1\n"),
        "/redirect" => answer(302, &format!("Location: http://{}/\r\n", label().replace('\r', "")), ""),
        path if path.starts_with("/refuses") => answer(
            422,
            "Content-Type: application/json\r\n",
            format!(r#"{{"status":"error","errorType":"execution","error":"{text}"}}"#),
        ),
        path if path.starts_with("/warns") && !path.contains("range") => {
            let body = prometheus(seen, now(), "9000")
                .replace("\"status\"", &format!("\"warnings\":[\"{text}\"],\"status\""));
            ok(JSON, body)
        }
        path if path.starts_with("/labels") && !path.contains("range") => {
            ok(JSON, prometheus(seen, now(), "9000").replace("\"a\"", &format!("\"{text}\"")))
        }
        path if path.starts_with("/says") => answer(502, "", EVIL),
        path if path.starts_with("/id/launch/v1/flags") => {
            let more = format!(
                r#","variants":[{{"key":"{text}","weight_percent":1}}],"updated_at":"2026-01-01T00:00:00Z","updated_by":{{"id":"{text}","kind":"user","display":"{text}"}}"#
            );
            ok(JSON, flags("evil", &more))
        }
        path if path.starts_with("/id/launch/v1/meta") => ok(
            JSON,
            format!(
                r#"{{"contract":"{text}","service":{{"name":"{text}","version":"{text}"}},"capabilities":["{text}"]}}"#
            ),
        ),
        path if path.starts_with("/id/") => ok(
            JSON,
            format!(
                r#"{{"subject":{{"id":"{text}","kind":"user","display":"{text}"}},"roles":["{text}"],"scopes":["{text}"]}}"#
            ),
        ),
        path if path.starts_with("/problem") => answer(
            403,
            "Content-Type: application/problem+json\r\n",
            format!(r#"{{"title":"{text}","required_scope":"{text}"}}"#),
        ),
        path if path.contains("/v1/") => well(Kind::Prometheus, seen),
        _ => answer(404, "", EVIL),
    }
}

fn config(server: &Canned) -> String {
    let mut text =
        "schema = 1\n[launch]\nproduct = \"Ward\"\nversion = \"1\"\nenvironment = \"production\"\n"
            .to_owned();
    for name in ["metrics", "unreadable", "status", "type", "redirect"] {
        let url = server.url(&format!("/{name}"));
        let _ = write!(
            text,
            "[source.{name}]\nkind = \"scrape\"\nurls = [\"{url}\"]\nevery = \"1s\"\ntimeout = \"20s\"\n"
        );
    }
    for name in ["refuses", "warns", "labels", "says"] {
        let url = server.url(&format!("/{name}"));
        let _ = write!(
            text,
            "[source.{name}]\nkind = \"prometheus\"\nurl = \"{url}\"\nevery = \"1s\"\ntimeout = \"20s\"\n"
        );
    }
    for name in ["id", "problem"] {
        let url = server.url(&format!("/{name}"));
        let _ = write!(
            text,
            "[source.{name}]\nkind = \"identity\"\nurl = \"{url}\"\nevery = \"1s\"\ntimeout = \"20s\"\n"
        );
    }
    for name in ["metrics", "unreadable", "status", "type", "redirect", "refuses", "warns", "labels", "says"]
    {
        let _ = write!(
            text,
            "[[signal]]\nid = \"{name}\"\nboard = \"queues\"\ntitle = \"{name}\"\nsource = \"{name}\"\nquery = 'depth'\nunit = \"jobs\"\n\
             [[gate]]\nid = \"{name}\"\nsignal = \"{name}\"\nop = \"<\"\nvalue = 500\n"
        );
    }
    for (key, source) in [("evil", "id"), ("other", "problem")] {
        let _ = write!(
            text,
            "[[flag]]\nkey = \"{key}\"\nsource = \"{source}\"\n[[gate]]\nid = \"{key}\"\nflag = \"{key}\"\nenabled = false\n"
        );
    }
    text
}

/// What in a text may not be there; line ends are the caller's to take out.
fn harmful(text: &str) -> Vec<char> {
    text.chars()
        .filter(|c| {
            c.is_control()
                || matches!(*c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                    | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
        })
        .collect()
}

fn assert_harmless(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let found = harmful(&text.replace('\n', ""));
    assert!(found.is_empty(), "{what} holds {found:?}:\n{}", text.escape_debug());
}

fn run(place: &Path, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gonogo"));
    command
        .args(arguments)
        .current_dir(place)
        .env("HOME", place)
        .env_remove("GONOGO_CONFIG")
        .env_remove("XDG_STATE_HOME");
    let output = command.output().unwrap();
    [output.stdout, output.stderr].concat()
}

#[test]
fn nothing_that_servers_say_steers_a_terminal_or_hides_from_the_eye() {
    let server = Canned::new(|seen, _| evil(seen));
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("ward.toml");
    std::fs::write(&file, config(&server)).unwrap();
    let file = file.to_str().unwrap();
    let metrics = server.url("/metrics");
    let bad = server.url("/unreadable");
    let refuses = server.url("/refuses");
    for arguments in [
        vec!["--once", "--size", "200x60", "--config", file],
        vec!["check", "--config", file],
        vec!["check", "--output", "json", "--config", file],
        vec!["flags", "--config", file],
        vec!["flags", "--output", "json", "--config", file],
        vec!["scrape", &metrics],
        vec!["scrape", "--output", "json", &metrics],
        vec!["scrape", &bad],
        vec!["scrape", "--output", "json", &bad],
        vec!["query", "depth", "--url", &metrics],
        vec!["query", "depth", "--config", file, "--source", "labels"],
        vec!["query", "depth", "--config", file, "--source", "labels", "--output", "json"],
        vec!["query", "depth", "--config", file, "--source", "warns"],
        vec!["query", "depth", "--config", file, "--source", "refuses"],
        vec!["query", "depth", "--url", &refuses, "--output", "json"],
    ] {
        let said = run(place.path(), &arguments);
        assert!(!said.is_empty(), "{arguments:?} says nothing");
        assert_harmless(&format!("{arguments:?}"), &said);
    }
    on_a_terminal(place.path(), file);
}

/// What the built program writes: a capture, a run, a history.
#[test]
fn no_file_that_is_written_holds_what_steers_a_terminal_or_hides_from_the_eye() {
    let server = Canned::new(|seen, _| evil(seen));
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("ward.toml");
    std::fs::write(&file, config(&server)).unwrap();
    let file = file.to_str().unwrap();
    let json = |arguments: &[&str]| -> serde_json::Value {
        let said = run(place.path(), &[arguments, &["--output", "json", "--config", file]].concat());
        let said = String::from_utf8(said).unwrap();
        let document = said.lines().find(|line| line.starts_with('{')).unwrap_or_else(|| panic!("{said}"));
        serde_json::from_str(document).unwrap()
    };

    // A capture: nothing of it hides, and nothing of what servers said is lost in it.
    json(&["record", "--out", "ward.om", "--for", "4s"]);
    let capture = place.path().join("ward.om");
    let lines = std::fs::read_to_string(place.path().join("ward.om.jsonl")).unwrap();
    let polls: Vec<serde_json::Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    for source in ["metrics", "labels"] {
        let of = polls.iter().filter(|line| line["source"] == source);
        let beside = of.flat_map(|line| line["beside"].as_array().into_iter().flatten());
        let exact = |b: &serde_json::Value| b[1].as_array().unwrap().iter().any(|pair| pair[1] == EVIL);
        assert!(beside.filter(|b| exact(b)).count() > 1, "{source} was not recorded as it was");
    }
    let tested = run(place.path(), &["check", "--file", "ward.om", "--range", "..", "--output", "json"]);
    assert_harmless("a backtest", &tested);
    let tested = String::from_utf8(tested).unwrap();
    for gate in ["metrics", "labels"] {
        let document = tested.lines().find(|line| line.starts_with('{')).unwrap();
        let document: serde_json::Value = serde_json::from_str(document).unwrap();
        let gates = document["gates"].as_array().unwrap();
        let spans = gates.iter().find(|g| g["id"] == gate).unwrap()["spans"].as_array().unwrap();
        assert!(spans.iter().any(|span| span["verdict"] == "fail"), "{gate} {spans:?}");
    }

    // A run whose items were ticked with the numbers of such servers.
    let item = |id: &str| {
        format!(
            "[[item]]\nid = \"{id}-item\"\nsection = \"Launch\"\ntitle = \"{id}\"\nkind = \"gate\"\n\
             [item.gate]\nsignal = \"{id}\"\nop = \">\"\nvalue = 500\n"
        )
    };
    std::fs::create_dir(place.path().join("checklists")).unwrap();
    let template =
        format!("schema = 1\nid = \"ward\"\ntitle = \"Ward\"\n{}{}", item("metrics"), item("labels"));
    std::fs::write(place.path().join("checklists/ward.toml"), template).unwrap();
    let started = json(&["checklist", "start", "ward", "--ledger", "runs"]);
    let run_id = started["run"].as_str().unwrap_or_else(|| panic!("{started}"));
    for item in ["metrics", "labels"] {
        let ticked = json(&["checklist", "tick", run_id, &format!("{item}-item"), "--ledger", "runs"]);
        assert_eq!(ticked["stage"], "done", "{ticked}");
    }

    // A room that is left, whose history is kept.
    let home = place.path().to_str().unwrap();
    let env = [("HOME", home), ("WARD", file)];
    let start = Start { line: "exec $GONOGO --config $WARD", size: (200, 60), env: &env, ..Start::default() };
    let mut pty = Pty::start(&start);
    pty.until("the labels, made visible", |s| s.contains("\\u{1b}"));
    pty.press("q");
    pty.ended();

    let (mut texts, mut histories) = (Vec::new(), 0);
    for path in files(place.path()) {
        let name = path.strip_prefix(place.path()).unwrap().to_str().unwrap().to_owned();
        assert!(harmful(&name).is_empty(), "{name:?}");
        let bytes = std::fs::read(&path).unwrap();
        if bytes.starts_with(b"gonogo history\n") {
            // Numbers of variable length, and labels as they must be found again: nothing to look at.
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o77, 0, "{name} can be read by others");
            histories += 1;
            continue;
        }
        assert_harmless(&name, &bytes);
        texts.push((name, bytes));
    }
    assert!(histories > 0, "no history was kept");
    let evidence = texts.iter().filter(|(name, bytes)| {
        name.starts_with("runs/") && String::from_utf8_lossy(bytes).contains("[[evidence]]")
    });
    assert_eq!(evidence.count(), 2, "{:?}", texts.iter().map(|(name, _)| name).collect::<Vec<_>>());
    assert!(capture.is_file() && texts.iter().any(|(name, _)| name == "ward.om.jsonl"));
}

/// Every file under a directory.
fn files(place: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(place).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// The byte stream of a real terminal, through every zoom: only the sequences that the program itself
/// sends, and nothing of what the servers said that is not plain text.
fn on_a_terminal(place: &Path, file: &str) {
    let home = place.to_str().unwrap();
    let env = [("HOME", home), ("WARD", file)];
    let start = Start { line: "exec $GONOGO --config $WARD", size: (200, 60), env: &env, ..Start::default() };
    let mut pty = Pty::start(&start);
    pty.until("the labels, made visible", |s| s.contains("\\u{1b}"));
    for key in ["1", "2", "3", "7", "8", "0", "9", ":", "\u{1b}", "?", "\u{1b}", "l", "g", "s"] {
        pty.press(key);
    }
    pty.press("q");
    let raw = String::from_utf8_lossy(&pty.raw()).into_owned();
    let mut rest = raw.as_str();
    let mut plain = String::new();
    while let Some((before, sequence)) = rest.split_once('\u{1b}') {
        plain += before;
        // The title of the terminal: of the program's own words, made harmless before.
        if let Some((title, after)) = sequence.strip_prefix("]0;").and_then(|title| title.split_once('\u{7}'))
        {
            plain += title;
            rest = after;
            continue;
        }
        let parameters = sequence
            .strip_prefix('[')
            .unwrap_or_else(|| panic!("no CSI: {:?}", &sequence[..20.min(sequence.len())]));
        let end =
            parameters.find(|c: char| !matches!(c, '0'..='9' | ';' | '?' | ':')).unwrap_or(parameters.len());
        let last = parameters[end..].chars().next().unwrap_or('m');
        assert!("HmhlJKABCDrus".contains(last), "a sequence of another: {:?}", &parameters[..=end]);
        assert!(!parameters.starts_with("31mRED"), "a colour of another");
        rest = &parameters[(end + last.len_utf8()).min(parameters.len())..];
    }
    plain += rest;
    assert_harmless("the terminal's byte stream", plain.replace(['\r', '\u{8}'], "").as_bytes());
}
