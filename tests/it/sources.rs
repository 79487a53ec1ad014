//! The sources against servers that answer well, badly, and not at all.

mod contract;
mod flags;
mod identity;
mod listing;
mod ofrep;
mod prometheus;
mod real;
mod scrape;
mod shapes;
mod unleash;
mod victoria;

use std::time::Duration;

use gonogo::http::Client;
use gonogo::model::{
    Answer, Board, Fault, FlagDef, Labels, Point, Polled, SignalDef, SourceDef, SourceKind, Time, Unit,
};
use gonogo::sources::{self, Source};

/// A moment in the tests' time, in seconds.
fn at(seconds: f64) -> Time {
    Time::from_seconds(1_764_684_000.0 + seconds).unwrap()
}

fn source_def(kind: SourceKind) -> SourceDef {
    SourceDef {
        id: "src".into(),
        kind,
        every: Duration::from_secs(5),
        timeout: Duration::from_secs(20),
        max_body: 16 << 20,
        max_series: 1000,
        max_history: std::time::Duration::from_hours(24),
        max_line: 1 << 20,
        headers: Vec::new(),
        credential: None,
        ca_file: None,
        route: gonogo::model::launch::Route::default(),
        allow_http: false,
    }
}

pub fn scrape_of(urls: &[String]) -> SourceDef {
    source_def(SourceKind::Scrape { urls: urls.to_vec(), labels: Labels::none() })
}

fn signal(id: &str, query: &str) -> SignalDef {
    SignalDef {
        id: id.into(),
        board: Board::Queues,
        title: id.into(),
        source: "src".into(),
        query: query.into(),
        unit: Unit::None,
        warn: None,
        bad: None,
        max_age: Duration::from_secs(15),
        empty: None,
        infinite: None,
        nan: None,
    }
}

/// Flags of these keys, of which nobody counts the evaluations.
pub fn flag_defs(keys: &[&str]) -> Vec<FlagDef> {
    let flag = |key: &&str| FlagDef {
        key: (*key).to_owned(),
        source: "src".into(),
        observed: None,
        evaluations: None,
    };
    keys.iter().map(flag).collect()
}

/// A source with one signal per expression, named by its place.
pub fn source(def: &SourceDef, queries: &[&str], flags: &[&str]) -> Source {
    let signals: Vec<_> = queries.iter().enumerate().map(|(n, q)| signal(&n.to_string(), q)).collect();
    let flags = flag_defs(flags);
    Source::new(def, &signals, &flags, Client::new(sources::options(def, None))).unwrap()
}

async fn answer(source: &mut Source, now: Time) -> Answer {
    source.poll(now).await.outcome.unwrap()
}

async fn fault(source: &mut Source, now: Time) -> Fault {
    let Polled { outcome, .. } = source.poll(now).await;
    outcome.unwrap_err()
}

/// The points of the signal at this place.
fn points(answer: &Answer, place: usize) -> &[Point] {
    answer.signals[place].result.as_ref().unwrap()
}

/// Labels and values, as text.
fn shown(points: &[Point]) -> Vec<String> {
    points.iter().map(|p| format!("{} {}", p.labels, p.value)).collect()
}
