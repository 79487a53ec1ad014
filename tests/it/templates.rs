//! Templates of any kind, most of them broken: no panic, and every error has its place.
//!
//! Taken from the shipped lists by changing bytes, lines, keys and values, and made up from the words
//! that a template may hold. 100,000 with `GONOGO_SOAK=1`.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use fastrand::Rng;
use gonogo::model::Launch;
use gonogo::settings::{self, SettingsError};

/// The shipped lists.
fn shipped() -> Vec<String> {
    let mut files: Vec<_> = std::fs::read_dir("checklists").unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ext| ext == "toml"));
    files.sort();
    files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

const KEYS: [&str; 47] = [
    "schema",
    "id",
    "title",
    "kind",
    "rollback",
    "params",
    "hold",
    "milestone",
    "trigger",
    "item",
    "section",
    "detail",
    "role",
    "owner",
    "optional",
    "after",
    "due",
    "on-timeout",
    "waivable-by",
    "signoff",
    "evidence",
    "runbook",
    "tags",
    "undo",
    "gate",
    "command",
    "message",
    "channel",
    "for",
    "argv",
    "env",
    "timeout",
    "confirm",
    "at",
    "max",
    "exit",
    "poll",
    "date",
    "until",
    "signal",
    "query",
    "source",
    "where",
    "op",
    "value",
    "count",
    "pattern",
];

const VALUES: [&str; 58] = [
    "1",
    "0",
    "-1",
    "18446744073709551616",
    "9223372036854775807",
    "1e999",
    "nan",
    "-inf",
    "true",
    "\"\"",
    "\" \"",
    "\"a\"",
    "\"flags\"",
    "\"T-00:10:00\"",
    "\"T-24h\"",
    "\"T-99999999999999999999h\"",
    "\"T-\"",
    "\"10m\"",
    "\"-5s\"",
    "\"1e300\"",
    "\"999999999w\"",
    "\"0.0000001s\"",
    "2025-12-02",
    "2025-12-02T15:00:00Z",
    "2025-12-02T15:00:00",
    "15:00:00",
    "0000-01-01",
    "9999-12-31T23:59:59Z",
    "[]",
    "[\"a\"]",
    "[\"a\", \"a\"]",
    "[[\"a\"]]",
    "[1, \"a\"]",
    "{}",
    "{ count = 2, roles = [\"sre\"] }",
    "{ count = 0 }",
    "{ count = -1 }",
    "{ default = \"x\", pattern = \"(\" }",
    "{ queue = \"tasks\" }",
    "\"check\"",
    "\"gate\"",
    "\"command\"",
    "\"wait\"",
    "\"launch\"",
    "\"poll\"",
    "\"gates\"",
    "\"<\"",
    "\"{{flag}}\"",
    "\"{{ nope }}\"",
    "\"{{\"",
    "\"{% for x in y %}\"",
    "\"../../etc/passwd\"",
    "\"日本\\u202e\"",
    "\"a\\u0000b\"",
    "'''\n\n'''",
    "\"\"\"\\\n x\"\"\"",
    "\"sum(rate(x[5m]))\"",
    "\"sum(rate(x[5m]\"",
];

const HEADERS: [&str; 12] = [
    "[[item]]",
    "[item.gate]",
    "[item.command]",
    "[[hold]]",
    "[[milestone]]",
    "[[trigger]]",
    "[params]",
    "[item]",
    "[[item.gate]]",
    "[params.flag]",
    "[[params]]",
    "[hold.poll]",
];

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[rng.usize(..from.len())]
}

/// A place in the text between two characters.
fn place(rng: &mut Rng, text: &str) -> usize {
    text.floor_char_boundary(rng.usize(..=text.len()))
}

/// One change to a text.
fn change(rng: &mut Rng, text: &mut String) {
    let lines = text.lines().count().max(1);
    let line = rng.usize(..lines);
    let mut by_line = |f: &mut dyn FnMut(&mut Rng, &mut Vec<String>)| {
        let mut all: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
        if all.is_empty() {
            all.push(String::new());
        }
        f(rng, &mut all);
        *text = all.join("\n") + "\n";
    };
    match rng_kind(line, lines) {
        _ if lines == 1 => text.push_str("[[item]]\n"),
        0 => by_line(&mut |_, all| drop(all.remove(line.min(all.len() - 1)))),
        1 => by_line(&mut |_, all| all.insert(line, all[line.min(all.len() - 1)].clone())),
        2 => by_line(&mut |rng, all| {
            let other = rng.usize(..all.len());
            all.swap(line.min(other), other);
        }),
        3 | 4 => by_line(&mut |rng, all| {
            if let Some((key, _)) = all[line].clone().split_once('=') {
                all[line] = format!("{key}= {}", pick(rng, &VALUES));
            }
        }),
        5 => by_line(&mut |rng, all| {
            if let Some((_, value)) = all[line].clone().split_once('=') {
                all[line] = format!("{} ={value}", pick(rng, &KEYS));
            }
        }),
        6 => by_line(&mut |rng, all| {
            all.insert(line, format!("{} = {}", pick(rng, &KEYS), pick(rng, &VALUES)));
        }),
        7 => by_line(&mut |rng, all| all.insert(line, pick(rng, &HEADERS).to_owned())),
        8 => {
            let at = place(rng, text);
            let to = text.floor_char_boundary((at + rng.usize(..40)).min(text.len())).max(at);
            text.replace_range(at..to, "");
        }
        9 => {
            let at = place(rng, text);
            let odd = [
                "\u{0}", "\r", "\u{feff}", "\u{202e}", "é", "日本", "🚀", "\"", "'''", "[", "]", "{", "=",
                "\\", "\t", "#",
            ];
            text.insert_str(at, pick(rng, &odd));
        }
        10 => {
            // A flipped byte; what is no UTF-8 any more reads as the mark for that.
            let mut bytes = text.clone().into_bytes();
            let at = rng.usize(..bytes.len());
            bytes[at] ^= 1 << rng.u8(..8);
            *text = String::from_utf8_lossy(&bytes).into_owned();
        }
        11 => text.truncate(place(rng, text)),
        12 => *text = text.replace('\n', "\r\n"),
        _ => {
            // One letter of a name, as people mistype.
            let at = place(rng, text);
            if let Some(c) = text[at..].chars().next().filter(char::is_ascii_lowercase) {
                text.replace_range(at..at + c.len_utf8(), pick(rng, &["x", "-", "e", ""]));
            }
        }
    }
}

/// Which change; spread over the lines, so that a long file sees all kinds.
fn rng_kind(line: usize, lines: usize) -> usize {
    (line * 31 + lines) % 16
}

/// A template that was never written.
fn made_up(rng: &mut Rng) -> String {
    let mut text = String::new();
    if rng.bool() {
        text.push_str("schema = 1\nid = \"made-up\"\ntitle = \"Made up\"\n");
    }
    for _ in 0..rng.usize(1..12) {
        text.push_str(pick(rng, &HEADERS));
        text.push('\n');
        if rng.bool() {
            writeln!(text, "id = \"i{}\"\ntitle = \"x\"", rng.u8(..6)).unwrap();
        }
        for _ in 0..rng.usize(..6) {
            writeln!(text, "{} = {}", pick(rng, &KEYS), pick(rng, &VALUES)).unwrap();
        }
    }
    text
}

fn template(rng: &mut Rng, shipped: &[String]) -> String {
    let mut text = if rng.u8(..4) == 0 { made_up(rng) } else { shipped[rng.usize(..shipped.len())].clone() };
    // A part of a long list, so that most of the time is not spent on what is not changed.
    if text.len() > 6_000 && rng.u8(..8) > 0 {
        let starts: Vec<usize> = text.match_indices("\n[[item]]").map(|(at, _)| at + 1).collect();
        let head = starts.first().copied().unwrap_or(0);
        let from = starts[rng.usize(..starts.len())];
        let to = text.floor_char_boundary((from + 4_000).min(text.len()));
        text = format!("{}{}", &text[..head], &text[from..to]);
    }
    for _ in 0..rng.usize(..5) {
        change(rng, &mut text);
    }
    text
}

/// What is said of it is said with its place; what tells only how many more there are has none.
fn placed(text: &str, error: &SettingsError) -> Result<(), String> {
    let lines: Vec<&str> = text.split('\n').collect();
    if error.findings.is_empty() || error.line == 0 || error.column == 0 {
        return Err(format!("no place: {error}"));
    }
    for finding in &error.findings {
        let whole =
            finding.line == 0 && finding.message.starts_with("and ") && finding.message.ends_with(" more");
        let line = lines.get(finding.line.wrapping_sub(1));
        let inside = line.is_some_and(|line| (1..=line.chars().count() + 1).contains(&finding.column));
        if finding.message.trim().is_empty() || !(whole || inside) {
            return Err(format!("{}:{}: {}", finding.line, finding.column, finding.message));
        }
        if finding.message.chars().any(char::is_control) {
            return Err(format!("not harmless: {:?}", finding.message));
        }
    }
    Ok(())
}

/// Whether it was accepted.
fn tried(text: &str, launch: &Launch) -> bool {
    let alone = settings::template("made.toml", text);
    let with = settings::template_for("made.toml", text, "tasks.toml", launch);
    for error in [alone.as_ref().err(), with.as_ref().err()].into_iter().flatten() {
        placed(text, error).unwrap_or_else(|why| panic!("{why}"));
    }
    assert!(with.is_err() || alone.is_ok(), "a launch makes nothing right");
    with.is_ok()
}

#[test]
fn any_template_is_read_or_refused_with_a_place_and_never_panics() {
    let soak = std::env::var("GONOGO_SOAK").is_ok_and(|v| v == "1");
    let many = if soak { 100_000 } else { 6_000 };
    let launch = settings::load(Path::new("config/tasks.toml")).unwrap().launch;
    // The gates of the shipped lists are in the launch already, and each gate has one id.
    let launch = Launch { gates: Vec::new(), ..launch };
    let shipped = shipped();
    let (next, good) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let began = std::time::Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= many {
                        return;
                    }
                    let text = template(&mut Rng::with_seed(seed as u64), &shipped);
                    match catch_unwind(AssertUnwindSafe(|| tried(&text, &launch))) {
                        Ok(true) => drop(good.fetch_add(1, Ordering::Relaxed)),
                        Ok(false) => {}
                        Err(why) => panic!("seed {seed}: {:?}\n{text}", why.downcast_ref::<&str>()),
                    }
                }
            });
        }
    });
    let good = good.into_inner();
    println!("{many} templates, {good} of them accepted, in {:.1?}", began.elapsed());
    assert!(
        good * 100 > many && good * 2 < many,
        "{good} of {many} accepted: most are to be broken, not all"
    );
}

/// What is nested or long without end must not end the program: a stack that overflows cannot be caught.
#[test]
fn a_template_that_is_nested_or_repeated_without_end_is_read_or_refused() {
    let launch = Launch::default();
    let many = 20_000;
    let items = |n: usize, of: &dyn Fn(usize) -> String| (0..n).map(of).collect::<String>();
    let head = "schema = 1\nid = \"deep\"\ntitle = \"Deep\"\n";
    let item = |n: usize, after: &str| format!("[[item]]\nid = \"i{n}\"\ntitle = \"x\"\nafter = [{after}]\n");
    for text in [
        format!("a = {}", "[".repeat(many)),
        format!("a = {}{}", "[".repeat(many), "]".repeat(many)),
        format!("a = {}", "{ a = ".repeat(many)),
        format!("{}x = 1", "a.".repeat(many)),
        format!("[{}x]", "a.".repeat(many)),
        format!("[[{}x]]", "item.".repeat(many)),
        format!("{head}[[item]]\nid = \"i\"\ntitle = \"{}\"", "x".repeat(1_000_000)),
        format!("{head}[[item]]\nid = \"{}\"\ntitle = \"x\"", "x".repeat(100_000)),
        // A chain, forwards and backwards, and a ring.
        head.to_owned()
            + &items(5_000, &|n| item(n, &if n > 0 { format!("\"i{}\"", n - 1) } else { String::new() })),
        head.to_owned()
            + &items(5_000, &|n| item(n, &if n < 4_999 { format!("\"i{}\"", n + 1) } else { String::new() })),
        head.to_owned() + &items(5_000, &|n| item(n, &format!("\"i{}\"", (n + 1) % 5_000))),
        // Everything wrong at once.
        head.to_owned() + &items(2_000, &|n| item(n % 3, "\"nope\", \"nope\"")),
        "\u{feff}schema = 1".into(),
        String::new(),
        "\n".repeat(many),
        "#".repeat(many),
    ] {
        tried(&text, &launch);
    }
}
