//! `gonogo scrape`: files, pipes and loopback servers in, pages, JSON and exit codes out.

mod endpoint;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// What a run of the program came to.
struct Ran {
    exit: i32,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {:?} {:?}", self.out, self.err))
    }
}

fn gonogo(args: &[&str], input: &[u8]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gonogo"))
        .arg("scrape")
        .args(args)
        .env_remove("GONOGO_CONFIG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // The program may stop reading early; that is its right.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ran {
        exit: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn file(folder: &tempfile::TempDir, name: &str, text: &[u8]) -> String {
    let path: PathBuf = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

const TEXT: &str = "# HELP jobs Jobs\\nby queue\n# TYPE jobs gauge\njobs{queue=\"tasks\",state=\"a,b}\"} 3 1000\n\
    jobs{queue=\"billing\"} NaN\nup 1\n";

#[test]
fn the_json_page_holds_samples_families_and_unreadable_lines_in_the_order_of_its_paper() {
    let text = format!("{TEXT}broken abc\nlast{{a=\"\\\\\"}} -Inf");
    let ran = gonogo(&["-", "--output", "json"], text.as_bytes());
    let expected = concat!(
        r#"{"samples":[{"name":"jobs","labels":{"queue":"tasks","state":"a,b}"},"value":"3","timestamp_ms":1000},"#,
        r#"{"name":"jobs","labels":{"queue":"billing"},"value":"NaN","timestamp_ms":null},"#,
        r#"{"name":"up","labels":{},"value":"1","timestamp_ms":null},"#,
        r#"{"name":"last","labels":{"a":"\\"},"value":"-Inf","timestamp_ms":null}],"#,
        r#""families":[{"name":"jobs","type":"gauge","help":"Jobs\nby queue"},"#,
        r#"{"name":"up","type":"unknown","help":""},{"name":"last","type":"unknown","help":""}],"#,
        r#""unreadable":[{"line":6,"reason":{"code":"bad-value","text":"the value \"abc\" is not a number"},"#,
        r#""line_text":"broken abc"}],"bytes":LENGTH,"complete":true,"stricter":[{"reason":{"code":"no-final-newline","#,
        r#""text":"the last line has no line break: promtool refuses that"},"line":7,"count":1}]}"#,
        "\n"
    )
    .replace("LENGTH", &text.len().to_string());
    assert_eq!(ran.out, expected);
    assert_eq!((ran.exit, ran.err.as_str()), (1, ""));
}

#[test]
fn a_text_that_is_read_wholly_ends_with_0_and_one_with_a_broken_line_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let good = file(&folder, "good.txt", TEXT.as_bytes());
    let bad = file(&folder, "bad.txt", b"up 1\nup{a=\"\xff\"} 2\n");
    assert_eq!(gonogo(&[&good], b"").exit, 0);
    assert_eq!(gonogo(&[&good, "--output", "json"], b"").json()["unreadable"], json!([]));
    let ran = gonogo(&[&bad, "--output", "json"], b"");
    assert_eq!((ran.exit, &ran.json()["unreadable"][0]["reason"]["code"]), (1, &json!("not-utf8")));
    assert_eq!(gonogo(&["-"], b"").exit, 0, "nothing at all is an exposition of nothing");
}

#[test]
fn the_page_for_people_shows_each_part_and_one_last_line() {
    let text = format!("{TEXT}up 2\nbroken abc\n");
    let ran = gonogo(&["-"], text.as_bytes());
    let expected = "             value  series
                 3  jobs{queue=\"tasks\",state=\"a,b}\"}  at 1970-01-01T00:00:01.000Z
               NaN  jobs{queue=\"billing\"}
                 1  up

family  type       series  help
jobs    gauge           2  Jobs\\nby queue
up      unknown         2

line 7  bad-value: the value \"abc\" is not a number
        broken abc

stricter readers would refuse:
line 6  duplicate-series: the series up comes again: OpenMetrics refuses that

3 samples in 2 families, 1 line unreadable, first at line 7, 1 sample of series that had come before left out, \
         LENGTH bytes
"
    .replace("LENGTH", &text.len().to_string());
    assert_eq!((ran.out, ran.exit), (expected, 1), "{}", ran.err);
}

#[test]
fn nothing_on_the_page_for_people_can_steer_a_terminal() {
    let text = "# HELP a \u{1b}]0;owned\u{7}\na{l=\"\u{1b}[2J\u{202e}\"} 1\nb \u{1b}[31m\n\u{9b}31m 1\n{\"n\u{1b}\"} 1\n";
    let ran = gonogo(&["-"], text.as_bytes());
    assert_eq!(ran.exit, 1);
    let steers = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    assert!(!ran.out.contains(steers) && !ran.err.contains(steers), "{:?}", ran.out);
    assert!(ran.out.contains("a{l=\"\\u{1b}[2J\\u{202e}\"}"), "{}", ran.out);
    let exact = gonogo(&["-", "--output", "json"], text.as_bytes()).json();
    assert_eq!(exact["samples"][0]["labels"]["l"], "\u{1b}[2J\u{202e}");
}

#[test]
fn match_shows_what_any_selector_picks_and_still_judges_every_line() {
    let args = |more: &[&'static str]| [&["-", "--output", "json"], more].concat();
    let text = b"a{x=\"1\"} 1\na{x=\"2\"} 2\nb{x=\"1\"} 3\nc 4\nc bad\n";
    let picked = |more: &[&'static str]| {
        let ran = gonogo(&args(more), text);
        assert_eq!(ran.exit, 1, "c bad is told of whatever is picked");
        let page = ran.json();
        let values =
            page["samples"].as_array().unwrap().iter().map(|s| s["value"].as_str().unwrap().to_owned());
        values.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(picked(&[]), "1 2 3 4");
    assert_eq!(picked(&["--match", "a"]), "1 2");
    assert_eq!(picked(&["--match", "a{x=\"2\"}", "--match", "c"]), "2 4");
    assert_eq!(picked(&["--match", "{x=~\"1|3\"}"]), "1 3");
    assert_eq!(picked(&["--match", "{__name__=~\"a|c\",x!=\"1\"}"]), "2 4");
    let families = gonogo(&args(&["--match", "b"]), b"# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n").json();
    assert_eq!(families["families"], json!([{"name": "b", "type": "gauge", "help": ""}]));
}

#[test]
fn a_selector_that_is_none_is_refused_with_its_place() {
    for (selector, caret) in
        [("up{job=}", true), ("sum(up)", true), ("up[5m]", true), ("up offset 5m", true), ("{}", true)]
    {
        let ran = gonogo(&["-", "--match", selector], b"up 1\n");
        assert_eq!((ran.exit, ran.out.as_str()), (2, ""), "{selector}");
        assert_eq!(ran.err.lines().last().unwrap().trim_start().starts_with('^'), caret, "{}", ran.err);
    }
}

#[test]
fn the_dialect_of_a_file_is_known_by_its_end_and_can_be_named() {
    let folder = tempfile::tempdir().unwrap();
    let open = file(&folder, "om.txt", b"# TYPE a gauge\na 1 1.5\n# EOF\n");
    let text = file(&folder, "text.txt", b"a 1 1500\n");
    let stamp = |args: &[&str]| {
        let ran = gonogo(&[args, &["--output", "json"]].concat(), b"");
        (ran.exit, ran.json()["samples"][0]["timestamp_ms"].clone())
    };
    assert_eq!(stamp(&[&open]), (0, json!(1500)));
    assert_eq!(stamp(&[&text]), (0, json!(1500)));
    assert_eq!(stamp(&[&text, "--format", "openmetrics"]), (1, json!(1_500_000)), "and # EOF is missing");
    assert_eq!(stamp(&[&open, "--format", "text"]).0, 1, "1.5 is no number of milliseconds");
    let piped = gonogo(&["-", "--output", "json"], b"a 1 1.5 # {t=\"x\"} 1\n# EOF\n");
    assert_eq!((piped.exit, &piped.json()["samples"][0]["timestamp_ms"]), (0, &json!(1500)));
    let cut = gonogo(&["-", "--format", "openmetrics", "--output", "json"], b"a 1\n");
    assert_eq!((cut.exit, &cut.json()["complete"]), (1, &json!(false)));
}

#[test]
fn what_is_no_exposition_is_told_in_a_sentence_and_ends_with_3() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing").to_str().unwrap().to_owned();
    for (args, input, said) in [
        (vec!["-"], &b"\n<!doctype html><title>Sign in</title>"[..], "HTML"),
        (vec!["-"], b"{\"status\":\"success\"}", "JSON"),
        (vec!["-", "--format", "text"], b"<html>", "HTML"),
        (vec![folder.path().to_str().unwrap()], b"", "directory"),
        (vec![missing.as_str()], b"", "No such file"),
    ] {
        let ran = gonogo(&args, input);
        assert_eq!((ran.exit, ran.out.as_str()), (3, ""), "{args:?}");
        assert!(ran.err.contains(said), "{}", ran.err);
        let page = gonogo(&[&args[..], &["--output", "json"]].concat(), input).json();
        assert_eq!((&page["samples"], &page["complete"]), (&json!([]), &json!(false)), "{args:?}");
        assert!(page["reason"]["code"].is_string() && page["reason"]["text"].is_string());
    }
    assert_eq!(gonogo(&["ftp://host/metrics"], b"").exit, 2);
    assert_eq!(gonogo(&["-", "--max-bytes", "lots"], b"").exit, 2);
}

#[test]
fn more_bytes_than_allowed_are_not_read_and_that_counts_as_cut_short() {
    let text = "up 1\n".repeat(100_000);
    for format in ["auto", "text"] {
        let ran =
            gonogo(&["-", "--max-bytes", "1KiB", "--format", format, "--output", "json"], text.as_bytes());
        let page = ran.json();
        assert_eq!((ran.exit, &page["bytes"], &page["complete"]), (1, &json!(1024), &json!(false)));
        assert_eq!(page["reason"]["code"], "too-large");
    }
    assert_eq!(gonogo(&["-", "--max-bytes", "0"], text.as_bytes()).exit, 0);
}

#[test]
fn a_closed_pipe_ends_the_page_quietly() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gonogo"))
        .args(["scrape", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    for n in 0..20_000 {
        if writeln!(stdin, "up{{n=\"{n}\"}} 1").is_err() {
            break;
        }
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn what_stricter_readers_would_refuse_is_told_apart_and_is_no_reason_to_fail() {
    let told = |text: &[u8], more: &[&str]| {
        let page = gonogo(&[&["-", "--output", "json"], more].concat(), text);
        assert_eq!(page.exit, 0, "{}", page.out);
        let stricter = page.json()["stricter"].as_array().unwrap().clone();
        stricter
            .iter()
            .map(|s| format!("{} {} {}", s["line"], s["count"], s["reason"]["code"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(told(b"# HELP a x\n# TYPE a gauge\na{b=\"c\"} 1\n", &[]), [""; 0]);
    let text = b"# HELP a x\n# TYPE a gauge\na{b=\"1\"} 1\r\n# HELP a y\n  a{b=\"2\"c=\"\\t\"} 1 -5\n\
        # TYPE a gauge\n# TYPE i info\ni 1\n{\"my.name\"} 1\n# HELP my-name x\n# TYPE h histogram\nh_bucket{le=\"x\"} 1\nlast 1";
    assert_eq!(
        told(text, &[]),
        [
            "3 1 crlf",
            "4 2 repeated-comment",
            "5 1 leading-blank",
            "5 1 bad-escape",
            "5 1 missing-comma",
            "5 1 signed-timestamp",
            "7 1 openmetrics-type",
            "9 1 quoted-name",
            "10 1 bad-comment",
            "12 1 odd-bound",
            "13 1 no-final-newline",
        ]
    );
    let open = b"# TYPE c counter\nc_total{a=\"1\",} -1\nc 2\n# TYPE g gauge\ng 1 # {a=\"b\"} 1\nc_total 2\n\
        # TYPE c counter\n# TYPE i info\ni_info 2\n# TYPE late gauge\nlate 1\n# HELP late x\n# EOF\n";
    assert_eq!(
        told(open, &[]),
        [
            "2 1 trailing-comma",
            "2 2 odd-value",
            "3 1 odd-ending",
            "5 1 exemplar-place",
            "6 1 interleaved",
            "7 1 repeated-comment",
            "12 1 late-comment",
        ]
    );
}

#[test]
fn a_line_longer_than_allowed_names_the_setting_that_allows_it() {
    let text = format!("a{{b=\"{}\"}} 1\n", "x".repeat(3000));
    let ran = gonogo(&["-", "--output", "json", "--max-line", "2KiB"], text.as_bytes());
    let reason = ran.json()["unreadable"][0]["reason"].clone();
    assert_eq!((ran.exit, &reason["code"]), (1, &json!("too-long")));
    assert_eq!(reason["text"], "the line is longer than 2 KiB (max-line)");
    assert_eq!(gonogo(&["-", "--max-line", "4KiB"], text.as_bytes()).exit, 0);
}

/// `promtool check metrics` refuses a text exactly where the section of the page says so.
#[test]
fn promtool_refuses_what_the_page_says_it_would() {
    if !super::servers::installed("promtool") {
        return;
    }
    let refused = |text: &str| {
        let mut child = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let said = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
        // What it says beyond that is advice on names.
        said.contains("text format parsing error").then_some(said)
    };
    for (text, code) in [
        ("a 1\n", None),
        ("# HELP a x\n# TYPE a gauge\na{b=\"c\",} 1 5\nb NaN\n", None),
        ("a{b=\"1\"} 1\nb 1\na{b=\"2\"} 1\n", None),
        ("a 1", Some("no-final-newline")),
        ("a 1\r\n", Some("crlf")),
        ("# HELP a x\n# HELP a x\na 1\n", Some("repeated-comment")),
        ("# TYPE a gauge\n# TYPE a gauge\na 1\n", Some("repeated-comment")),
        ("a 1\n# TYPE a gauge\n", Some("late-comment")),
        ("a{b=\"1\"c=\"2\"} 1\n", Some("missing-comma")),
        ("a{b=\"\\t\"} 1\n", Some("bad-escape")),
        ("# HELP a \\x\na 1\n", Some("bad-escape")),
        ("# TYPE a info\na 1\n", Some("openmetrics-type")),
        ("# TYPE a gauge \na 1\n", Some("type-blank")),
        ("# HELP my-name x\na 1\n", Some("bad-comment")),
        ("{\"my.name\"} 1\n", Some("quoted-name")),
        ("# TYPE h histogram\nh_bucket{le=\"x\"} 1\n", Some("odd-bound")),
        ("# TYPE s summary\ns{quantile=\"x\"} 1\n", Some("odd-bound")),
    ] {
        let page = gonogo(&["-", "--output", "json"], text.as_bytes());
        let stricter = page.json()["stricter"].clone();
        assert_eq!(page.exit, 0, "{text}");
        assert_eq!(stricter[0]["reason"]["code"].as_str(), code, "{text}");
        let theirs = refused(text);
        assert_eq!(theirs.is_some(), code.is_some(), "{text}: {theirs:?}");
    }
}
