//! A range answer of 1,000 series with 240 samples each, decoded: against `serde_json::Value`, which
//! is what a client without types of its own would make of it, in time and in memory. Then shapes made
//! to cost memory. The goals are printed beside the figures.
//!
//! A plain `main`: the ratios are the point, and each figure is the best of several runs taken in turn,
//! so that a neighbour on the machine slows both sides of a ratio.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use gonogo::sources::prometheus::{Value, decode};
use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const SERIES: usize = 1_000;
const SAMPLES: usize = 240;
const RUNS: usize = 9;
const HOSTILE: usize = 16 << 20;

fn main() {
    // Cargo's test runner asks benches for their tests; there are none.
    if std::env::args().any(|arg| arg == "--test" || arg == "--list") {
        return;
    }
    let body = range();
    println!("{:.1} MB, {SERIES} series of {SAMPLES} samples; best of {RUNS}\n", body.len() as f64 / 1e6);
    let (mut ours, mut tree) = (Duration::MAX, Duration::MAX);
    for _ in 0..RUNS {
        tree = tree.min(timed(|| serde_json::from_slice::<serde_json::Value>(&body).unwrap()));
        ours = ours.min(timed(|| decode(&body).unwrap()));
    }
    let Value::Matrix(series) = decode(&body).unwrap().value else { panic!("no matrix") };
    assert!(series.len() == SERIES && series.iter().all(|(_, samples)| samples.len() == SAMPLES));
    drop(series);
    let of_tree = grown(|| serde_json::from_slice::<serde_json::Value>(&body).unwrap());
    let of_ours = grown(|| decode(&body).unwrap());
    let speed = |took: Duration| body.len() as f64 / took.as_secs_f64() / 1e6;
    let mb = |bytes: usize| bytes as f64 / 1e6;
    println!("{:<44}{:>12}{:>10}", "", "figure", "goal");
    println!("{:<44}{:>7.0} MB/s  {:.1} ms", "serde_json::Value", speed(tree), tree.as_secs_f64() * 1e3);
    println!("{:<44}{:>7.0} MB/s  {:.1} ms", "decode", speed(ours), ours.as_secs_f64() * 1e3);
    println!(
        "{:<44}{:>10.2} x{:>10}",
        "decode / serde_json::Value, speed",
        tree.as_secs_f64() / ours.as_secs_f64(),
        ">= 2"
    );
    println!("{:<44}{:>9.1} MB", "serde_json::Value, memory at its height", mb(of_tree));
    println!("{:<44}{:>9.1} MB", "decode, memory at its height", mb(of_ours));
    println!(
        "{:<44}{:>10.3} x{:>10}",
        "decode / serde_json::Value, memory",
        of_ours as f64 / of_tree as f64,
        "<= 0.125"
    );
    println!("\n16 MiB of a hostile shape: memory at its height over the bytes of the body");
    for (name, body) in hostile() {
        let height = grown(|| decode(&body).map(|reply| reply.histograms));
        println!("{name:<44}{:>10.2} x{:>10}", height as f64 / body.len() as f64, "<= 4");
    }
}

/// An answer as a server writes it: rates, with all their digits.
fn range() -> Vec<u8> {
    let mut text = String::from(r#"{"status":"success","data":{"resultType":"matrix","result":["#);
    for series in 0..SERIES {
        let comma = if series > 0 { "," } else { "" };
        let _ = write!(
            text,
            r#"{comma}{{"metric":{{"__name__":"http_requests","namespace":"production","pod":"tasks-api-{series:05}","code":"{}","method":"GET"}},"values":["#,
            200 + series % 5 * 75
        );
        for sample in 0..SAMPLES {
            let comma = if sample > 0 { "," } else { "" };
            let value = ((series * 7919 + sample * 104_729) % 100_003) as f64 / 299.7;
            let _ =
                write!(text, r#"{comma}[{}.{:03},"{value}"]"#, 1_764_684_000 + sample * 15, series % 1000);
        }
        text.push_str("]}");
    }
    text.push_str("]}}");
    text.into_bytes()
}

/// One thing again and again, within what makes it an answer.
fn filled(before: &str, again: &str, after: &str) -> Vec<u8> {
    let count = (HOSTILE - before.len() - after.len()) / again.len();
    let text = format!("{before}{}{after}", again.repeat(count));
    text.into_bytes()
}

fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let vector = |again: &str, last: &str| {
        filled(
            r#"{"status":"success","data":{"resultType":"vector","result":["#,
            again,
            &format!("{last}]}}}}"),
        )
    };
    let matrix = |again: &str, last: &str| {
        filled(
            r#"{"status":"success","data":{"resultType":"matrix","result":["#,
            again,
            &format!("{last}]}}}}"),
        )
    };
    vec![
        ("empty series", vector("{},", "{}")),
        ("the shortest rows", vector(r#"{"value":[0,0]},"#, r#"{"value":[0,0]}"#)),
        ("rows with one label", vector(r#"{"metric":{"a":"b"},"value":[0,0]},"#, r#"{"value":[0,0]}"#)),
        ("series of one sample", matrix(r#"{"values":[[0,0]]},"#, r#"{"values":[[0,0]]}"#)),
        ("series of none", matrix(r#"{"values":[]},"#, r#"{"values":[]}"#)),
        (
            "one series of samples",
            filled(
                r#"{"status":"success","data":{"resultType":"matrix","result":[{"values":["#,
                "[0,0],",
                "[0,0]]}]}}",
            ),
        ),
        (
            "one series of samples, as servers write it",
            filled(
                r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":["#,
                r#"[0,"0"],"#,
                r#"[0,"0"]]}]}}"#,
            ),
        ),
        (
            "the same, broken off at its end",
            filled(
                r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":["#,
                r#"[0,"0"],"#,
                r#"[0,"0"]]}]}"#,
            ),
        ),
        (
            "one series of labels",
            filled(
                r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"#,
                r#""a":"b","#,
                r#""a":"b"},"value":[0,"0"]}]}}"#,
            ),
        ),
        (
            "warnings",
            filled(
                r#"{"status":"success","warnings":["#,
                r#""","#,
                r#"""],"data":{"resultType":"vector","result":[]}}"#,
            ),
        ),
        (
            "one text",
            filled(r#"{"status":"success","data":{"resultType":"string","result":[0,""#, "x", r#""]}}"#),
        ),
        (
            "one warning of escapes",
            filled(r#"{"status":"success","warnings":[""#, r"\u001b", r#""],"data":{}}"#),
        ),
        ("depth in what is not known", filled(r#"{"status":"success","x":"#, "[", "")),
        (
            "depth in a value",
            filled(r#"{"status":"success","data":{"resultType":"vector","result":["#, r#"{"x":"#, ""),
        ),
        ("numbers where series belong", vector("0,", "0")),
        (
            "unknown fields",
            filled(
                r#"{"status":"success","#,
                r#""a":{"b":[1,2]},"#,
                r#""data":{"resultType":"vector","result":[]}}"#,
            ),
        ),
    ]
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let begun = Instant::now();
    let kept = black_box(work());
    let took = begun.elapsed();
    drop(kept);
    took
}

/// By how much the heap grew at its height, while the work was done and its fruit was held.
fn grown<T>(work: impl FnOnce() -> T) -> usize {
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    drop(black_box(work()));
    HEAP.peak_usage().saturating_sub(before)
}
