//! A room that is opened again knows what the one before it saw.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gonogo::app::Msg;
use gonogo::model::labels::NAME;
use gonogo::model::{FaultCode, Launch, SourceId, Time};
use gonogo::promql::History;
use gonogo::runtime::feed::source;
use gonogo::runtime::{Clock, Feed, Past};
use gonogo::sources::scrape::Store;

/// An endpoint whose counter grows by ten a second; returns its port.
fn endpoint() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let body = format!("jobs_total {}\n", counted(Clock::wall().now()));
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    port
}

fn counted(at: Time) -> f64 {
    (at.millis() as f64 / 100.0).floor()
}

fn launch(port: u16) -> Arc<Launch> {
    let text = format!(
        "schema = 1\n[launch]\nproduct = \"Tasks\"\nversion = \"1\"\nenvironment = \"test\"\n\
         [source.worker]\nkind = \"scrape\"\nurls = [\"http://127.0.0.1:{port}/metrics\"]\nevery = \"1s\"\n\
         [[signal]]\nid = \"jobs\"\nboard = \"queues\"\ntitle = \"jobs\"\nsource = \"worker\"\nquery = \"rate(jobs_total[30s])\"\n"
    );
    Arc::new(gonogo::settings::parse("gonogo.toml", &text, Path::new("."), None).unwrap().0)
}

/// What the first poll of a room says of the signal; the room has closed again.
fn first_word(launch: &Arc<Launch>, dir: &Path) -> (Result<f64, FaultCode>, Vec<String>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (room, mut messages) = tokio::sync::mpsc::channel(64);
        let past = Past { dir: dir.to_owned(), save: true };
        let polls = Feed::Polling(Some(past)).start(launch, &Clock::wall(), room).unwrap();
        let mut notes = Vec::new();
        let answer = loop {
            match tokio::time::timeout(Duration::from_secs(30), messages.recv()).await.unwrap().unwrap() {
                Msg::Polled(poll) => break poll.outcome.unwrap(),
                Msg::Noted(note) => notes.push(note),
                Msg::Asked(..) => {}
                other => panic!("{other:?}"),
            }
        };
        drop(polls);
        // The polling thread lets go of the room when it is done.
        while messages.recv().await.is_some() {}
        let result = &answer.signals[0].result;
        (result.as_ref().map(|points| points[0].value).map_err(|fault| fault.code), notes)
    })
}

#[test]
fn a_window_is_told_at_once_after_a_restart_and_a_damaged_file_is_only_a_line_in_the_log() {
    let launch = launch(endpoint());
    let def = launch.source(&SourceId::new("worker")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (fresh, notes) = first_word(&launch, dir.path());
    assert_eq!((fresh, notes), (Err(FaultCode::TooLittleHistory), Vec::new()));

    // A minute of scrapes, up to now.
    let watched = source(&launch, def).unwrap();
    let scrape = watched.scrape().unwrap();
    let store = Store::new(dir.path(), &["Tasks", "test"], scrape.watched());
    let limits = scrape.limits();
    let saved = store.load(limits, Clock::wall().now()).unwrap().expect("it was saved when the room closed");
    assert_eq!(saved.series(), 4);
    let gonogo::model::SourceKind::Scrape { urls, .. } = &def.kind else { panic!() };
    let instance = urls[0].strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap();
    let labels =
        gonogo::model::Labels::from_pairs([(NAME, "jobs_total"), ("job", "worker"), ("instance", instance)]);
    let mut history = History::new(limits);
    let now = Clock::wall().now();
    for ago in (0..60).rev() {
        let at = now.before(Duration::from_secs(ago));
        history.record(at, [(labels.clone(), counted(at), None)]);
    }
    store.save(&history).unwrap();
    let begun = Instant::now();
    let (told, notes) = first_word(&launch, dir.path());
    // Nine tenths of thirty seconds: on a machine that took longer to get here nothing may be told.
    if begun.elapsed() < Duration::from_millis(2500) {
        let rate = told.unwrap();
        assert!((rate - 10.0).abs() < 0.7, "{rate}");
    }
    assert!(notes.is_empty(), "{notes:?}");
    let again = store.load(limits, Clock::wall().now()).unwrap().unwrap();
    assert!(again.begins() == history.begins() && again.ends() > history.ends());

    std::fs::write(store.path(), b"gonogo history\n\x01 and then nothing").unwrap();
    let (told, notes) = first_word(&launch, dir.path());
    assert_eq!(told, Err(FaultCode::TooLittleHistory));
    assert!(notes.len() == 1 && notes[0].contains("worker: the saved history"), "{notes:?}");
}
