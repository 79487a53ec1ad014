//! A real Prometheus scrapes tricky bodies; what it stored, or that it refused, is what our reader
//! makes of them. Where we are kinder, the case says so and why.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gonogo::model::labels::NAME;
use gonogo::model::{Labels, value};
use gonogo::sources::exposition::{Format, Reader, SampleRef, Summary};
use serde_json::Value;

use super::super::servers::{Prometheus, installed};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    /// The content type that the bodies are served with.
    content_type: String,
    case: Vec<Case>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    about: String,
    /// `NOW` becomes the time in the dialect's unit.
    body: String,
    /// Each character is one byte, for what is no UTF-8.
    #[serde(default)]
    bytes: bool,
    /// Why we read what this server refuses; the series that we read then.
    kinder: Option<String>,
    #[serde(default)]
    kept: Vec<String>,
    /// Why we call unreadable what this server reads, or stops at without a word.
    stricter: Option<String>,
}

/// One case as it is served.
struct Served {
    name: String,
    content_type: String,
    format: Format,
    body: Vec<u8>,
    case: Case,
}

/// Series without `job` and `instance`, with value and, where the body gave one, timestamp.
type Stored = BTreeMap<String, (String, Option<i64>)>;

fn served() -> Vec<Served> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scraped");
    // A whole number of seconds ago, so that both dialects can say it without a fraction.
    let second = jiff::Timestamp::now().as_second() - 5;
    let mut out = Vec::new();
    for (stem, format) in [("text", Format::Text), ("openmetrics", Format::OpenMetrics)] {
        let text = std::fs::read_to_string(folder.join(format!("{stem}.toml"))).unwrap();
        let cases: Cases = toml::from_str(&text).unwrap_or_else(|e| panic!("{stem}: {e}"));
        let now = if format == Format::Text { format!("{second}000") } else { second.to_string() };
        for (n, case) in cases.case.into_iter().enumerate() {
            let text = case.body.replace("NOW", &now);
            let body = if case.bytes {
                text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
            } else {
                text.into_bytes()
            };
            let content_type = cases.content_type.clone();
            out.push(Served { name: format!("{stem}-{n}"), content_type, format, body, case });
        }
    }
    out
}

/// Serves every case under its name, until the test ends.
fn serve(cases: &Arc<Vec<Served>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let cases = Arc::clone(cases);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let cases = Arc::clone(&cases);
            std::thread::spawn(move || answer(&cases, stream.unwrap()));
        }
    });
    at
}

fn answer(cases: &[Served], mut stream: TcpStream) -> Option<()> {
    let mut request = Vec::new();
    let mut byte = [0; 1];
    while !request.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        request.push(byte[0]);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let name = request.split_whitespace().nth(1)?.trim_start_matches('/').to_owned();
    let case = cases.iter().find(|case| case.name == name)?;
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        case.content_type,
        case.body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&case.body).ok()
}

fn config(cases: &[Served], at: SocketAddr) -> String {
    let mut text = "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n".to_owned();
    for case in cases {
        let _ = writeln!(
            text,
            "- {{job_name: {0}, metrics_path: /{0}, static_configs: [{{targets: ['{at}']}}]}}",
            case.name
        );
    }
    text
}

/// Every job's last error, once each has been scraped; an empty one where the scrape was well.
fn verdicts(server: &Prometheus, jobs: usize) -> BTreeMap<String, String> {
    let patience = Instant::now() + Duration::from_mins(1);
    loop {
        let answer = server.api_get("targets");
        let targets = answer["data"]["activeTargets"].as_array().unwrap().clone();
        let text = |t: &Value, key: &str| t[key].as_str().unwrap().to_owned();
        let told: BTreeMap<String, String> = targets
            .iter()
            .filter(|t| t["health"] != "unknown")
            .map(|t| (text(t, "scrapePool"), text(t, "lastError")))
            .collect();
        if told.len() == jobs {
            return told;
        }
        assert!(Instant::now() < patience, "only {} of {jobs} jobs were scraped", told.len());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// What the server stored of a job, without what it writes about the scrape itself.
fn stored(server: &Prometheus, job: &str) -> Stored {
    let query = format!("{{job=\"{job}\",__name__!~\"up|scrape_.*\"}}[5m]");
    let answer = server.api("query", &[("query", &query)]);
    let series = answer["data"]["result"].as_array().unwrap_or_else(|| panic!("{answer}"));
    series
        .iter()
        .map(|series| {
            let labels = series["metric"].as_object().unwrap();
            let own = labels.iter().filter(|(name, _)| *name != "job" && *name != "instance");
            let labels = Labels::from_pairs(own.map(|(n, v)| (n.as_str(), v.as_str().unwrap())));
            let last = series["values"].as_array().unwrap().last().unwrap();
            let at = (last[0].as_f64().unwrap() * 1000.0).round() as i64;
            (labels.to_string(), (last[1].as_str().unwrap().to_owned(), Some(at)))
        })
        .collect()
}

fn ours(case: &Served) -> (Stored, Summary) {
    let everything = |_: &[u8]| true;
    let mut reader = Reader::judging_all(case.format, &everything);
    let mut kept = Stored::new();
    let mut keep = |sample: SampleRef<'_>| {
        assert!(sample.labels.get(NAME).is_some());
        kept.insert(sample.labels.to_string(), (value::text(sample.value), sample.timestamp_ms));
    };
    reader.feed(&case.body, &mut keep);
    let summary = reader.finish(&mut keep);
    (kept, summary)
}

/// Where the two differ; `None` where they do not.
fn difference(case: &Served, refused: &str, theirs: &Stored) -> Option<String> {
    let (ours, summary) = ours(case);
    let clean = summary.unreadable == 0 && summary.complete;
    if let Some(why) = &case.case.stricter {
        let stricter = refused.is_empty() && summary.unreadable > 0;
        return (!stricter).then(|| format!("we are not stricter ({why})"));
    }
    match (&case.case.kinder, refused.is_empty(), clean) {
        (Some(_), false, true) => {
            let kept: Vec<String> = ours.iter().map(|(s, (v, _))| format!("{s} {v}")).collect();
            (kept != case.case.kept).then(|| format!("kept {kept:?}"))
        }
        (Some(why), true, _) => Some(format!("the server reads it too: no kindness ({why})")),
        (Some(_), false, false) | (None, true, false) => {
            Some(format!("we refuse it: {:?}, complete: {}", summary.first_unreadable, summary.complete))
        }
        (None, false, true) => Some(format!("we read it: {ours:?}")),
        (None, false, false) => None,
        (None, true, true) => {
            let same = ours.len() == theirs.len()
                && ours.iter().all(|(series, (value, at))| {
                    theirs.get(series).is_some_and(|(v, t)| {
                        v.parse::<f64>().ok().map(value::text).as_ref() == Some(value)
                            && (at.is_none() || at == t)
                    })
                });
            (!same).then(|| format!("ours {ours:?}\n  theirs {theirs:?}"))
        }
    }
}

#[test]
fn a_real_prometheus_stores_what_our_reader_keeps_and_refuses_what_it_calls_unreadable() {
    if !installed("prometheus") {
        return;
    }
    let cases = Arc::new(served());
    assert!(cases.len() >= 60, "only {} cases", cases.len());
    let at = serve(&cases);
    let server = Prometheus::start(&config(&cases, at), None);
    let refused = verdicts(&server, cases.len());
    let mut wrong = Vec::new();
    for case in cases.iter() {
        let theirs = stored(&server, &case.name);
        let refused = &refused[&case.name];
        if let Some(difference) = difference(case, refused, &theirs) {
            wrong.push(format!("{} {}\n  server: {refused:?}\n  {difference}", case.name, case.case.about));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
