//! Staleness, scrape by scrape: a real Prometheus and a scrape source read the same endpoint while it
//! drops series, changes labels, sends times of its own and fails; second by second both must see the same.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gonogo::model::Time;
use gonogo::promql::{self, Expr};

use super::oracle::{compare, flat, nearly, seconds};
use crate::servers::{Prometheus, free_port, installed};
use crate::sources::{scrape_of, source};

/// What the endpoint does, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    All,
    /// `b` is gone.
    Dropped,
    /// `a` has another label.
    Changed,
    /// `c` carries a time of its own.
    OwnTimes,
    /// `c` is gone, and does not end, for its times were its own.
    OwnTimesDropped,
    Fails,
    CutShort,
    Refuses,
}

const PHASES: [Phase; 9] = [
    Phase::All,
    Phase::Dropped,
    Phase::All,
    Phase::Changed,
    Phase::Fails,
    Phase::OwnTimes,
    Phase::OwnTimesDropped,
    Phase::CutShort,
    Phase::Refuses,
];

/// How long each lasts: the server scrapes three times in it.
const LASTS: Duration = Duration::from_secs(3);

const EXPRESSIONS: [&str; 8] = [
    "a",
    "b",
    "c",
    "up",
    "absent(b)",
    "sum({__name__=~\"a|b|c\"})",
    "count(a) or vector(0)",
    "max_over_time(up[2500ms]) + 0 * count_over_time(up[2500ms])",
];

fn now() -> Time {
    Time::from_millis(jiff::Timestamp::now().as_millisecond())
}

/// Serves the phase that `place` is at; where it refuses, nothing listens. Times of its own are those
/// of the moment its phase began.
fn serve(port: u16, place: &Arc<AtomicUsize>) {
    let mut began = now();
    while place.load(Ordering::SeqCst) < PHASES.len() {
        let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) else {
            std::thread::sleep(Duration::from_millis(20));
            continue;
        };
        listener.set_nonblocking(true).unwrap();
        loop {
            let phase = PHASES.get(place.load(Ordering::SeqCst)).copied().unwrap_or(Phase::Refuses);
            if phase == Phase::Refuses {
                break;
            }
            if phase != Phase::OwnTimes {
                began = now();
            }
            match listener.accept() {
                Ok((stream, _)) => answer(stream, phase, began),
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        drop(listener);
        while PHASES.get(place.load(Ordering::SeqCst)) == Some(&Phase::Refuses) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn answer(mut stream: TcpStream, phase: Phase, began: Time) {
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut head = [0; 4096];
    let _ = stream.read(&mut head);
    let (status, body) = match phase {
        Phase::All | Phase::CutShort => ("200 OK", "a{x=\"1\"} 1\nb 2\nc 3\n".to_owned()),
        Phase::Dropped => ("200 OK", "a{x=\"1\"} 1\nc 3\n".to_owned()),
        Phase::Changed => ("200 OK", "a{x=\"2\"} 5\nb 2\nc 3\n".to_owned()),
        Phase::OwnTimes => ("200 OK", format!("a{{x=\"1\"}} 1\nc 4 {}\n", began.millis())),
        Phase::OwnTimesDropped => ("200 OK", "a{x=\"1\"} 1\n".to_owned()),
        Phase::Fails | Phase::Refuses => ("500 Oh", String::new()),
    };
    let promised = body.len() + if phase == Phase::CutShort { 20 } else { 0 };
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {promised}\r\nConnection: close\r\n\r\n{body}"
    );
}

#[test]
fn staleness_is_that_of_a_real_prometheus_scrape_by_scrape() {
    if !installed("prometheus") {
        return;
    }
    let port = free_port();
    let server = Prometheus::start(
        &format!(
            "scrape_configs:\n- job_name: src\n  scrape_interval: 1s\n  scrape_timeout: 900ms\n  static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n"
        ),
        None,
    );
    let place = Arc::new(AtomicUsize::new(0));
    let serving = std::thread::spawn({
        let place = Arc::clone(&place);
        move || serve(port, &place)
    });
    let mut source = source(&scrape_of(&[format!("http://127.0.0.1:{port}/metrics")]), &EXPRESSIONS, &[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // A server looks for its targets some seconds after it has started.
    let patience = now().after(Duration::from_secs(30));
    while server.api("query", &[("query", "a")])["data"]["result"].as_array().is_none_or(Vec::is_empty) {
        assert!(now() < patience, "the server does not scrape");
        std::thread::sleep(Duration::from_millis(100));
    }
    let mut wrong = Vec::new();
    for (i, phase) in PHASES.iter().enumerate() {
        place.store(i, Ordering::SeqCst);
        let until = now().after(LASTS);
        while now() < until {
            runtime.block_on(source.poll(now()));
            std::thread::sleep(Duration::from_millis(400));
        }
        // Both have scraped in this phase and in none after it.
        let at = now();
        for text in EXPRESSIONS {
            let theirs = server.api("query", &[("query", text), ("time", &seconds(at))]);
            let ours = promql::instant(&Expr::parse(text).unwrap(), source.scrape().unwrap().history(), at);
            if let Err(difference) = compare(&theirs, ours.map(|value| flat(value, at)), nearly) {
                wrong.push(format!("{text} in phase {i}, {phase:?}: {difference}"));
            }
        }
    }
    place.store(PHASES.len(), Ordering::SeqCst);
    serving.join().unwrap();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
