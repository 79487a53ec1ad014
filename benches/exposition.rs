//! A million series through the filter: against a bare newline scan, against `prometheus-parse`, and
//! in how much memory. The goals are printed beside the figures.
//!
//! A plain `main`: the ratios are the point, and each figure is the best of several runs taken in turn,
//! so that a neighbour on the machine slows both sides of a ratio.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::BufRead;
use std::time::{Duration, Instant};

use gonogo::model::labels::{LabelsBuf, LabelsRef};
use gonogo::promql::{Expr, Filter};
use gonogo::sources::exposition::{Format, Reader, SampleRef, Wanted};

const SERIES: usize = 1_000_000;
const NAMES: usize = 5000;
const WANTED: usize = 20;
/// What one read from a socket brings.
const SLICE: usize = 64 << 10;
const RUNS: usize = 7;
/// The part of the text that `prometheus-parse` reads: it needs seconds for the whole.
const PARSED: usize = 16 << 20;
/// The part of the text of which every line is lexed.
const ALL: usize = 64 << 20;

fn main() {
    // Cargo's test runner asks benches for their tests; there are none.
    if std::env::args().any(|arg| arg == "--test" || arg == "--list") {
        return;
    }
    let text = body();
    let exprs: Vec<Expr> = wanted_names()
        .map(|name| Expr::parse(&format!("sum by (pod) (rate({name}{{code=~\"5..\"}}[5m]))")).unwrap())
        .collect();
    let filter = Filter::of(&exprs);
    let names: Vec<String> = wanted_names().collect();
    let closure = |name: &[u8]| names.iter().any(|wanted| wanted.as_bytes() == name);

    println!(
        "{} MB, {SERIES} series, {WANTED} of {NAMES} names wanted, in slices of {} KiB; best of {RUNS}\n",
        text.len() / 1_000_000,
        SLICE >> 10
    );
    let before = resident();
    scan(&text, &filter);
    let grown = resident().zip(before).map(|(after, before)| after.saturating_sub(before));

    let (mut bare, mut ours, mut plain) = (Duration::MAX, Duration::MAX, Duration::MAX);
    let (mut lexed, mut judged, mut kept) = (Duration::MAX, Duration::MAX, Duration::MAX);
    let part = &text[..=text[..ALL].iter().rposition(|byte| *byte == b'\n').unwrap()];
    for _ in 0..RUNS {
        lexed = lexed.min(timed(|| all(Reader::new(Format::Text, &everything).picking(&none, 0), part)));
        kept = kept.min(timed(|| all(Reader::new(Format::Text, &everything), part)));
        judged = judged.min(timed(|| all(Reader::judging_all(Format::Text, &nothing), part)));
        bare = bare.min(timed(|| newlines(&text)));
        ours = ours.min(timed(|| scan(&text, &filter)));
        plain = plain.min(timed(|| scan(&text, &closure)));
    }
    let all_bytes = part.len();
    let part = &text[..=text[..PARSED].iter().rposition(|byte| *byte == b'\n').unwrap()];
    let theirs = (0..2).map(|_| timed(|| parse(part))).min().unwrap();

    let speed = |bytes: usize, took: Duration| bytes as f64 / took.as_secs_f64() / 1e6;
    let (bare, ours, plain) = (speed(text.len(), bare), speed(text.len(), ours), speed(text.len(), plain));
    let theirs = speed(part.len(), theirs);
    println!("{:<44}{:>12}{:>10}", "", "figure", "goal");
    println!("{:<44}{bare:>7.0} MB/s", "bare memchr newline scan");
    println!("{:<44}{ours:>7.0} MB/s", "reader, filter of 20 expressions");
    println!("{:<44}{plain:>7.0} MB/s", "reader, a closure that compares names");
    println!("{:<44}{theirs:>7.1} MB/s", format!("prometheus-parse, on {} MB of it", PARSED >> 20));
    for (what, took, goal) in [
        ("every line lexed, no series picked", lexed, ">= 300"),
        ("every line lexed and handed on as a sample", kept, ">= 300"),
        ("every line lexed and judged (gonogo scrape)", judged, ">= 300"),
    ] {
        println!("{what:<44}{:>7.0} MB/s{goal:>10}", speed(all_bytes, took));
    }
    println!("{:<44}{:>10.2} x{:>10}", "reader / newline scan", ours / bare, ">= 0.6");
    println!("{:<44}{:>10.0} x{:>10}", "reader / prometheus-parse", ours / theirs, ">= 50");
    match grown {
        Some(bytes) => {
            println!("{:<44}{:>9.1} MB{:>10}", "memory growth while reading", bytes as f64 / 1e6, "< 8");
        }
        None => println!("{:<44}{:>12}", "memory growth while reading", "not told here"),
    }
}

/// Names as they are in the wild: alike at the beginning, some the beginning of others.
fn name(n: usize) -> String {
    let parts =
        ["http_server_requests", "process_resident", "kafka_consumer_fetch", "jvm_memory_pool", "tasks_jobs"];
    format!("{}_{}_total", parts[n % parts.len()], n)
}

fn wanted_names() -> impl Iterator<Item = String> {
    (0..WANTED).map(|n| name(n * (NAMES / WANTED) + 7))
}

/// The text of an endpoint with a million series, about 132 bytes a line.
fn body() -> Vec<u8> {
    let mut text = String::with_capacity(140_000_000);
    let each = SERIES / NAMES;
    for n in 0..NAMES {
        let name = name(n);
        let _ = writeln!(
            text,
            "# HELP {name} Requests that were served, by pod and code.\n# TYPE {name} counter"
        );
        for series in 0..each {
            let _ = writeln!(
                text,
                "{name}{{namespace=\"production\",pod=\"tasks-worker-{:05x}-{series:03}\",code=\"{}\",method=\"GET\",path=\"/api/v1\"}} {}",
                n * 7919 % 0xfffff,
                200 + series % 5 * 75,
                n * 1009 + series * 17
            );
        }
    }
    text.into_bytes()
}

/// Reads the text as it would come from a socket; returns how many samples were kept.
fn scan(text: &[u8], wanted: &impl Wanted) -> u64 {
    let mut reader = Reader::new(Format::Text, wanted);
    let mut kept = 0;
    let mut keep = |sample: SampleRef<'_>| {
        black_box(sample);
        kept += 1;
    };
    for slice in text.chunks(SLICE) {
        reader.feed(slice, &mut keep);
    }
    let summary = reader.finish(&mut keep);
    assert_eq!((summary.series_sent, summary.unreadable), (SERIES as u64, 0));
    assert_eq!(kept, (SERIES / NAMES * WANTED) as u64);
    kept
}

fn everything(_: &[u8]) -> bool {
    true
}

fn nothing(_: &[u8]) -> bool {
    false
}

fn none(labels: LabelsRef<'_>, _: &mut LabelsBuf) -> bool {
    black_box(labels);
    false
}

/// Reads a text of which every line is lexed; returns how many sample lines it had.
fn all(mut reader: Reader<'_, impl Wanted>, text: &[u8]) -> u64 {
    let mut keep = |sample: SampleRef<'_>| {
        black_box(sample);
    };
    for slice in text.chunks(SLICE) {
        reader.feed(slice, &mut keep);
    }
    let summary = reader.finish(&mut keep);
    assert_eq!(summary.unreadable, 0);
    summary.series_sent
}

/// The least that can be done to a text by lines: find where each of them ends.
fn newlines(text: &[u8]) -> u64 {
    let mut lines = 0;
    for slice in text.chunks(SLICE) {
        for end in memchr::memchr_iter(b'\n', slice) {
            black_box(end);
            lines += 1;
        }
    }
    lines
}

fn parse(text: &[u8]) -> u64 {
    prometheus_parse::Scrape::parse(text.lines()).unwrap().samples.len() as u64
}

fn timed(work: impl FnOnce() -> u64) -> Duration {
    let begun = Instant::now();
    black_box(work());
    begun.elapsed()
}

/// Resident bytes of this process, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib << 10)
}
