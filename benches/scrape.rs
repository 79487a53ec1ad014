//! A million series over HTTP on loopback: how fast, in how much memory, and what gzip costs on top
//! of a bare decode. The goals are printed beside the figures.
//!
//! A plain `main`, like `exposition`: each figure is the best of several runs taken in turn.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gonogo::http::{Client, Options};
use gonogo::model::{Board, Labels, SignalDef, SourceDef, SourceId, SourceKind, Time, Unit};
use gonogo::sources::Source;

const SERIES: usize = 1_000_000;
const NAMES: usize = 5000;
const RUNS: usize = 5;

fn main() {
    // Cargo's test runner asks benches for their tests; there are none.
    if std::env::args().any(|arg| arg == "--test" || arg == "--list") {
        return;
    }
    let plain = Arc::new(body());
    let packed = Arc::new(gzip(&plain));
    let (bytes, small) = (plain.len(), packed.len());
    let at_plain = serve(Arc::clone(&plain), "");
    let at_packed = serve(Arc::clone(&packed), "Content-Encoding: gzip\r\n");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!(
        "{} MB, {} MB as gzip, {SERIES} series, 4 of {NAMES} names wanted; best of {RUNS}\n",
        bytes / 1_000_000,
        small / 1_000_000
    );
    let mut source = source(&at_plain);
    peak();
    let before = peak();
    let poll = |source: &mut Source| {
        let polled = runtime.block_on(source.poll(now()));
        let notes = polled.outcome.unwrap().notes;
        assert_eq!((notes.series_sent, notes.series_kept), (SERIES, SERIES / NAMES * 4));
    };
    poll(&mut source);
    let first = peak().zip(before).map(|(after, before)| after.saturating_sub(before));
    let mut zipped = self::source(&at_packed);
    peak();
    let before = peak();
    poll(&mut zipped);
    let second = peak().zip(before).map(|(after, before)| after.saturating_sub(before));

    let (mut over_http, mut gzip_path, mut bare) = (Duration::MAX, Duration::MAX, Duration::MAX);
    for _ in 0..RUNS {
        over_http = over_http.min(timed(|| poll(&mut source)));
        gzip_path = gzip_path.min(timed(|| poll(&mut zipped)));
        bare = bare.min(timed(|| decode(&packed)));
    }
    let speed = |took: Duration| bytes as f64 / took.as_secs_f64() / 1e6;
    println!("{:<44}{:>12}{:>10}", "", "figure", "goal");
    println!("{:<44}{:>7.0} MB/s", "scraped over loopback", speed(over_http));
    println!("{:<44}{:>7.0} MB/s", "bare decode of the gzip body", speed(bare));
    println!("{:<44}{:>7.0} MB/s", "scraped over loopback as gzip", speed(gzip_path));
    println!(
        "{:<44}{:>10.2} x{:>10}",
        "gzip path / bare decode",
        bare.as_secs_f64() / gzip_path.as_secs_f64(),
        ">= 0.8"
    );
    for (what, grown) in [("memory growth, plain", first), ("memory growth, gzip", second)] {
        match grown {
            Some(bytes) => println!("{what:<44}{:>9.1} MB{:>10}", bytes as f64 / 1e6, "<= 16"),
            None => println!("{what:<44}{:>12}", "not told here"),
        }
    }
}

fn now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Time::from_millis(i64::try_from(since.as_millis()).unwrap())
}

fn name(n: usize) -> String {
    let parts =
        ["http_server_requests", "process_resident", "kafka_consumer_fetch", "jvm_memory_pool", "tasks_jobs"];
    format!("{}_{n}_total", parts[n % parts.len()])
}

/// The text of an endpoint with a million series, about 132 bytes a line.
fn body() -> Vec<u8> {
    let mut text = String::with_capacity(140_000_000);
    for n in 0..NAMES {
        let name = name(n);
        let _ = writeln!(text, "# HELP {name} Requests, by pod and code.\n# TYPE {name} counter");
        for series in 0..SERIES / NAMES {
            let _ = writeln!(
                text,
                "{name}{{namespace=\"production\",pod=\"tasks-worker-{:05x}-{series:03}\",code=\"{}\",method=\"GET\",path=\"/api/v1\"}} {}",
                n * 7919 % 0xfffff,
                200 + series % 5 * 75,
                counted(n * SERIES + series)
            );
        }
    }
    text.into_bytes()
}

/// What a counter may stand at: of 4 to 10 digits, and no two related, as in the wild. Counters that
/// follow from each other would be packed to a twentieth, which no endpoint's are.
fn counted(place: usize) -> u64 {
    (place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (30 + place % 20)
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// What `flate2` needs for the body, with nothing done to what comes out.
fn decode(packed: &[u8]) {
    let mut decoder = flate2::read::MultiGzDecoder::new(packed);
    let mut slice = vec![0; 64 << 10];
    loop {
        let read = decoder.read(&mut slice).unwrap();
        if read == 0 {
            return;
        }
        black_box(&slice[..read]);
    }
}

fn source(url: &str) -> Source {
    let id = SourceId::new("bench");
    let def = SourceDef {
        id: id.clone(),
        kind: SourceKind::Scrape { urls: vec![url.to_owned()], labels: Labels::none() },
        every: Duration::from_secs(5),
        timeout: Duration::from_mins(1),
        max_body: 512 << 20,
        max_series: 20_000,
        max_history: Duration::from_hours(24),
        max_line: 1 << 20,
        headers: Vec::new(),
        credential: None,
        ca_file: None,
        route: gonogo::model::launch::Route::default(),
        allow_http: false,
    };
    let signals: Vec<SignalDef> = (0..4)
        .map(|n| SignalDef {
            id: format!("s{n}").as_str().into(),
            source: id.clone(),
            query: format!("sum by (code) ({})", name(n * 1000 + 7)),
            ..signal()
        })
        .collect();
    Source::new(&def, &signals, &[], Client::new(Options { timeout: def.timeout, ..Options::default() }))
        .unwrap()
}

fn signal() -> SignalDef {
    SignalDef {
        id: "none".into(),
        board: Board::Queues,
        title: "bench".into(),
        source: "bench".into(),
        query: "up".into(),
        unit: Unit::None,
        warn: None,
        bad: None,
        max_age: Duration::from_secs(15),
        empty: None,
        infinite: None,
        nan: None,
    }
}

/// Serves a body to whoever asks; returns the URL.
fn serve(body: Arc<Vec<u8>>, more: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/metrics", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut byte = [0; 1];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                request.push(byte[0]);
            }
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n{more}Content-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(&body);
        }
    });
    url
}

fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

/// The most resident bytes of this process since the last call, where the system tells; the second
/// of two calls in a row tells how many they are now.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let peak = line.split_whitespace().next()?.parse::<u64>().ok()? << 10;
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    Some(peak)
}
