//! What stricter readers would refuse, rule by rule, beside one of them: the parsers of the Python client.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use gonogo::sources::exposition::{Format, Reader, Summary};
use serde_json::{Value, json};

fn judged(text: &str, format: Format) -> Summary {
    let everything = |_: &[u8]| true;
    let mut reader = Reader::judging_all(format, &everything);
    reader.feed(text.as_bytes(), &mut |_| {});
    reader.finish(&mut |_| {})
}

/// `line code` of all that stricter readers would refuse.
fn told(summary: &Summary) -> Vec<String> {
    summary.stricter.iter().map(|odd| format!("{} {}", odd.line, odd.code)).collect()
}

/// The Python client's parsers, in a process of their own.
struct Python {
    child: Child,
    asks: ChildStdin,
    says: BufReader<ChildStdout>,
}

impl Python {
    /// Where they are installed; otherwise says so by name, and fails where servers are required.
    fn start() -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = std::env::var_os("GONOGO_PYTHON")
            .map_or_else(|| root.join("target/python/bin/python"), PathBuf::from);
        let has_client = Command::new(&python)
            .args(["-c", "import prometheus_client"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !has_client {
            let required = std::env::var("GONOGO_REQUIRE_SERVERS").is_ok_and(|v| v == "1");
            let missing = format!("{} with prometheus_client is not installed", python.display());
            assert!(!required, "{missing} and GONOGO_REQUIRE_SERVERS=1");
            eprintln!("not compared with the Python client: {missing}");
            return None;
        }
        let mut child = super::servers::tied(&python.to_string_lossy())
            .arg(root.join("tests/python/judge.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (asks, says) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Some(Self { child, asks, says: BufReader::new(says) })
    }

    /// How many samples a text holds, or why it is refused.
    fn reads(&mut self, text: &str, format: Format) -> Result<u64, String> {
        writeln!(self.asks, "{}", json!({"text": text, "openmetrics": format == Format::OpenMetrics}))
            .unwrap();
        let mut line = String::new();
        self.says.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        said["samples"].as_u64().ok_or_else(|| said["refused"].as_str().unwrap().to_owned())
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the paper of the format forbids and the Python client lets through without a word.
const ON_PAPER_ONLY: [&str; 2] = ["2 bad-escape", "3 duplicate-series"];

/// A histogram of one series whose buckets, count and sum are given as they stand in the text.
const H: &str = "# TYPE h histogram\n";

/// Texts of `OpenMetrics`, without their end, and what is told of them.
fn open_rows() -> Vec<(String, &'static [&'static str])> {
    let plain: &[(&str, &[&str])] = &[
        ("# TYPE g gauge\ng 1\n", &[]),
        ("# HELP g x\n# TYPE g gauge\n# UNIT g \ng{a=\"1\"} 1\ng{a=\"2\"} NaN\n", &[]),
        ("# TYPE c counter\nc_total 1 # {trace=\"x\"} 0.5\nc_created 5\n", &[]),
        ("# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_count 1\ns_sum 1\n", &[]),
        ("# TYPE i info\ni_info{v=\"1\"} 1\n", &[]),
        ("# TYPE st stateset\nst{st=\"a\"} 1\nst{st=\"b\"} 0\n", &[]),
        ("# TYPE g gauge\ng 1 1\ng 2 2\n", &[]),
        ("x 1\ny 2\n", &[]),
        // The metrics of a family.
        ("# TYPE g gauge\ng{a=\"1\"} 1\ng{a=\"2\"} 1\ng{a=\"1\"} 2 5\n", &["4 split-metric"]),
        ("# TYPE s summary\ns_count{a=\"1\"} 1\ns_count{a=\"2\"} 1\ns_sum{a=\"1\"} 1\n", &["4 split-metric"]),
        ("# TYPE g gauge\ng 1 1\ng 2\n", &["3 timestamp-mix", "3 duplicate-series"]),
        ("# TYPE g gauge\ng 1 2\ng 2 1\n", &["3 timestamp-order"]),
        ("# TYPE g gauge\ng 1 1\ng 2 1\n", &["3 duplicate-series"]),
        ("# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\na{x=\"1\"} 1\n", &["5 interleaved"]),
        // Comments.
        ("# TYPE g gauge\n# TYPE g gauge\ng 1\n", &["2 repeated-comment"]),
        ("# HELP g x\n# HELP g x\n", &["2 repeated-comment"]),
        ("g 1\n# HELP g x\n", &["2 late-comment"]),
        ("g 1\n# TYPE g gauge\n", &["2 late-comment"]),
        // Values.
        ("# TYPE c counter\nc_total -1\n", &["2 odd-value"]),
        ("# TYPE c counter\nc_total NaN\n", &["2 odd-value"]),
        ("# TYPE i info\ni_info 2\n", &["2 odd-value"]),
        ("# TYPE st stateset\nst{st=\"a\"} 2\n", &["2 odd-value"]),
        ("# TYPE s summary\ns{quantile=\"0.5\"} -1\n", &["2 odd-value"]),
        ("# TYPE s summary\ns_count 1.5\n", &["2 odd-value"]),
        ("# TYPE s summary\ns_sum -1\n", &["2 odd-value"]),
        // Names and bounds.
        ("# TYPE c counter\nc 1\n", &["2 odd-ending"]),
        ("# TYPE i info\ni 1\n", &["2 odd-ending"]),
        ("# TYPE s summary\ns{quantile=\"x\"} 1\n", &["2 odd-bound"]),
        // Escapes and exemplars.
        ("# TYPE g gauge\ng{a=\"\\t\"} 1\n", &["2 bad-escape"]),
        ("# TYPE g gauge\ng 1 # {a=\"b\"} 1\n", &["2 exemplar-place"]),
    ];
    let histograms: &[(&str, &[&str])] = &[
        ("h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_count 2\nh_sum 3\n", &[]),
        ("h_bucket{le=\"+Inf\"} 2\n", &[]),
        ("h_bucket{le=\"1\"} 1\n", &["2 no-inf-bucket"]),
        ("h_count 1\nh_sum 1\n", &["2 no-inf-bucket"]),
        ("h_bucket{le=\"2\"} 1\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\n", &["3 bucket-order"]),
        ("h_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\n", &["3 bucket-falls"]),
        ("h_bucket{le=\"+Inf\"} 1\nh_count 2\nh_sum 1\n", &["2 odd-count"]),
        ("h_bucket{le=\"+Inf\"} 1\nh_count 1\n", &["2 sum-or-count"]),
        ("h_bucket{le=\"+Inf\"} 1\nh_sum 1\n", &["2 sum-or-count"]),
        ("h_bucket{le=\"+Inf\"} 0.5\n", &["2 odd-value"]),
        ("h_bucket{le=\"+Inf\"} -1\n", &["2 odd-value"]),
        // The second metric of the family, and the last one of the text.
        ("h_bucket{a=\"1\",le=\"+Inf\"} 1\nh_bucket{a=\"2\",le=\"1\"} 1\n", &["3 no-inf-bucket"]),
        ("h_bucket{a=\"1\",le=\"1\"} 1\nh_bucket{a=\"2\",le=\"+Inf\"} 1\n", &["2 no-inf-bucket"]),
        ("h_bucket{le=\"x\"} 1\nh_bucket{le=\"+Inf\"} 1\n", &["2 odd-bound"]),
        ("h_bucket 1\nh_bucket{le=\"+Inf\"} 1\n", &["2 odd-bound"]),
    ];
    let long =
        |length: usize| format!("# TYPE c counter\nc_total 1 # {{a=\"{}\"}} 1\n", "ü".repeat(length - 1));
    let mut rows: Vec<(String, &[&str])> =
        plain.iter().map(|(text, codes)| ((*text).to_owned(), *codes)).collect();
    rows.extend(histograms.iter().map(|(text, codes)| (format!("{H}{text}"), *codes)));
    rows.push((long(128), &[]));
    rows.push((long(129), &["2 exemplar-length"]));
    rows
}

#[test]
fn each_rule_of_openmetrics_is_told_at_the_line_that_breaks_it() {
    let expected: Vec<(String, Vec<String>)> = open_rows()
        .into_iter()
        .map(|(text, codes)| (text, codes.iter().map(ToString::to_string).collect()))
        .collect();
    let found: Vec<(String, Vec<String>)> = open_rows()
        .into_iter()
        .map(|(text, _)| {
            let summary = judged(&format!("{text}# EOF\n"), Format::OpenMetrics);
            assert_eq!((summary.unreadable, summary.complete), (0, true), "{text}");
            (text, told(&summary))
        })
        .collect();
    let differ: Vec<_> = found.iter().zip(&expected).filter(|(found, expected)| found != expected).collect();
    assert!(differ.is_empty(), "found and expected: {differ:#?}");
}

#[test]
fn the_python_client_refuses_what_is_told_and_reads_the_rest() {
    let Some(mut python) = Python::start() else { return };
    let mut refused = 0;
    for (text, codes) in open_rows() {
        let text = format!("{text}# EOF\n");
        let summary = judged(&text, Format::OpenMetrics);
        let theirs = python.reads(&text, Format::OpenMetrics);
        let ours = codes.iter().any(|code| !ON_PAPER_ONLY.contains(code));
        assert_eq!(theirs.is_err(), ours, "the Python client says {theirs:?}, told is {codes:?}\n{text}");
        if codes.is_empty() {
            assert_eq!(theirs, Ok(summary.series_sent), "{text}");
        }
        refused += u32::from(theirs.is_err());
    }
    assert!(refused > 25, "{refused}");
}
