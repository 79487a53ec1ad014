//! Walks through the whole program, short enough to read: here one for a number and one for a tick, beside
//! them a captain's, written in keys.

mod away;
mod captain;
mod launch;
mod two;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gonogo::app::command::Keymap;
use gonogo::app::{Effect, Key, Msg, State, update};
use gonogo::checklist::{Author, Begun, Template, expects};
use gonogo::ledger::{DirectoryLedger, Ledger};
use gonogo::model::{Launch, Time};
use gonogo::runtime::{feed, once};
use gonogo::{settings, ui};

const CHECKLIST: &str = "schema = 1\nid = \"walk\"\ntitle = \"Walk\"\n\
    [[item]]\nid = \"read\"\nsection = \"First\"\ntitle = \"The plan was read\"\nkind = \"check\"\n";

fn parse(url: &str) -> (Arc<Launch>, Arc<Template>) {
    let config = format!(
        "schema = 1\n[launch]\nproduct = \"Tasks\"\nversion = \"1\"\nenvironment = \"staging\"\n\
         [source.worker]\nkind = \"scrape\"\nurls = [\"{url}\"]\n\
         [[signal]]\nid = \"depth\"\nboard = \"queues\"\ntitle = \"depth\"\nsource = \"worker\"\n\
         query = 'max by (queue) (tasks_queue_depth{{state=\"waiting\"}})'\nunit = \"jobs\"\n"
    );
    let (launch, template) =
        settings::parse("walk.toml", &config, Path::new(""), Some(("list.toml", CHECKLIST))).unwrap();
    (Arc::new(launch), Arc::new(template.unwrap()))
}

fn room(launch: &Arc<Launch>, template: &Arc<Template>, now: Time) -> State {
    let keymap = Keymap::new(&BTreeMap::new()).unwrap();
    let mut state = State::new(Arc::clone(launch), Some(Arc::clone(template)), keymap, now);
    state.write = true;
    state
}

fn frame(state: &State) -> String {
    ui::text::plain(&once::draw(state, &ui::Theme::dark(), (160, 48)).unwrap())
}

#[test]
fn a_number_walks_from_bytes_on_a_socket_to_a_cell() {
    let endpoint = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/metrics", endpoint.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut caller, _) = endpoint.accept().unwrap();
        let _ = caller.read(&mut [0; 4096]).unwrap();
        let body = "tasks_queue_depth{queue=\"tasks\",state=\"waiting\"} 312\n";
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n", body.len());
        caller.write_all((head + body).as_bytes()).unwrap();
    });
    let (launch, template) = parse(&url);
    let now = Time::parse("2025-12-02T14:00:00Z").unwrap();
    let mut state = room(&launch, &template, now);
    assert!(!frame(&state).contains("312"));

    let mut source = feed::source(&launch, &launch.sources[0]).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let poll = runtime.block_on(source.poll(now));
    update(&mut state, Msg::Polled(Box::new(poll)));

    let row = frame(&state).lines().find(|line| line.contains("312")).map(ToOwned::to_owned);
    assert!(row.is_some_and(|row| row.contains("tasks")), "{}", frame(&state));
}

#[test]
fn a_tick_walks_from_a_key_to_a_durable_file_to_the_screen() {
    let (launch, template) = parse("http://127.0.0.1:1/metrics");
    let now = Time::parse("2025-12-02T14:00:00Z").unwrap();
    let place = tempfile::tempdir().unwrap();
    let read = Arc::new(|text: &str| settings::template("list.toml", text).map_err(|e| e.message));
    let ledger = DirectoryLedger::new(place.path().to_owned(), Arc::new(move || now), read);
    let ana = Author::unverified("ana");
    let run = ledger.start(CHECKLIST, &Begun::default(), &ana).unwrap();
    let event = ledger.run_dir(&run.id).join("events/000002.toml");
    let mut state = room(&launch, &template, now);
    update(&mut state, Msg::Opened(Ok(Some(Box::new(run)))));

    let effects =
        update(&mut state, Msg::Key(Key::parse("space").unwrap(), now.after(Duration::from_secs(1))));
    let [Effect::Append { ticket, seen, command, .. }] = &effects[..] else { panic!("{effects:?}") };
    let item = |state: &State| frame(state).lines().find(|l| l.contains("read ")).unwrap().to_owned();
    assert!(
        !event.exists() && item(&state).contains("saving") && !item(&state).contains('✓'),
        "{}",
        item(&state)
    );

    let events =
        ledger.append(seen, &expects(seen, command), "01KBFN00000000000000000001", &ana, command).unwrap();
    assert!(std::fs::read_to_string(&event).unwrap().contains("kind = \"tick\""));
    assert!(!item(&state).contains('✓'), "durable, and not told yet");

    update(&mut state, Msg::Appended { ticket: *ticket, outcome: Ok(events) });
    assert!(item(&state).contains('✓') && item(&state).contains("ana"), "{}", item(&state));
}
