//! What long checklists and long runs cost, in CPU of this thread: the goal stands beside each number.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use criterion::{Bencher, Criterion, criterion_group, criterion_main};
use gonogo::app::command::Keymap;
use gonogo::app::{Key, Msg, State, update};
use gonogo::checklist::{Author, Begun, Command, Run, Step, decide, event_file};
use gonogo::ledger::{DirectoryLedger, Ledger as _};
use gonogo::model::{Answer, ItemId, Labels, Point, Polled, SignalAnswer, Time};
use gonogo::settings;
use gonogo::ui::{Theme, view};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use rustix::time::{ClockId, clock_gettime};

/// What this thread has computed so far; waiting for a disk or for other builds is not in it.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn in_cpu(b: &mut Bencher<'_>, mut f: impl FnMut()) {
    b.iter_custom(|times| {
        let before = cpu();
        for _ in 0..times {
            f();
        }
        cpu().saturating_sub(before)
    });
}

const CONFIG: &str = r#"
schema = 1
[launch]
product = "Tasks"
version = "v0.1.4"
environment = "production"
[source.worker]
kind = "scrape"
urls = ["http://127.0.0.1:1/metrics"]
[[signal]]
id = "depth"
title = "Depth"
board = "queues"
source = "worker"
query = "depth"
"#;

/// A list of so many items in sections of fifty; each rests on the one before it in its section, and
/// one in a hundred is a gate.
fn long_list(items: usize) -> String {
    let mut text = String::from("schema = 1\nid = \"long\"\ntitle = \"A long list\"\n");
    for n in 0..items {
        let _ = writeln!(text, "[[item]]\nid = \"item-{n}\"\ntitle = \"Item {n} is as it must be\"");
        if n % 50 == 0 {
            let _ = writeln!(text, "section = \"Section {}\"", n / 50);
        } else {
            let _ = writeln!(text, "after = [\"item-{}\"]", n - 1);
        }
        if n % 100 == 99 {
            text.push_str("kind = \"gate\"\n[item.gate]\nsignal = \"depth\"\nop = \"<\"\nvalue = 500\n");
        }
    }
    text
}

fn now(second: i64) -> Time {
    Time::from_millis(1_764_684_000_000 + second * 1000)
}

fn ana() -> Author {
    Author::unverified("ana")
}

fn note(item: Option<ItemId>, n: usize) -> Command {
    Command::Note { item, text: format!("seen for the {n}. time, and nothing was out of order") }
}

/// A room on a run of that list, of which a tenth is done.
fn room(items: usize) -> State {
    let (launch, template) =
        settings::parse("config.toml", CONFIG, Path::new(""), Some(("long.toml", &long_list(items))))
            .unwrap();
    let template = Arc::new(template.unwrap());
    let keymap = Keymap::new(&std::collections::BTreeMap::new()).unwrap();
    let mut state = State::new(Arc::new(launch), Some(template.clone()), keymap, now(0));
    let mut run = Run::new("2025-12-02-long".into(), template.clone());
    let start =
        gonogo::checklist::begin(&template, "", &Begun::default(), &Author::unverified("ana")).unwrap();
    run.apply(&run.next_event("E0", now(0), &ana(), start));
    for item in template.items.iter().take(items / 10) {
        // Gates too: it is not their numbers that are looked at here.
        let glass = Command::BreakGlass { step: Step::Item(item.id.clone()), reason: "done".into() };
        let fact = decide(&run, &glass, &ana(), now(1)).unwrap();
        run.apply(&run.next_event(&format!("E{}", run.seq), now(1), &ana(), fact));
    }
    update(&mut state, Msg::Opened(Ok(Some(Box::new(run)))));
    poll(&mut state, 2);
    state
}

fn poll(state: &mut State, second: i64) {
    let point = Point { labels: Labels::none(), value: 312.0, sampled: now(second) };
    let signal =
        SignalAnswer { signal: "depth".into(), result: Ok(vec![point]), warnings: vec![], history: vec![] };
    let answer = Answer { signals: vec![signal], ..Answer::default() };
    let asked = now(second);
    let polled = Polled { source: "worker".into(), asked, took: Duration::ZERO, outcome: Ok(answer) };
    update(state, Msg::Polled(Box::new(polled)));
}

/// A key: `update`, draw, and ratatui's comparison with the frame before.
fn a_key(c: &mut Criterion) {
    println!("goal: a key on a list of 10,000 items, answered and drawn, under 16 ms of CPU");
    let theme = Theme::dark();
    for items in [100, 10_000] {
        let mut state = room(items);
        let mut terminal = Terminal::new(TestBackend::new(200, 60)).expect("the test backend does not fail");
        for (name, keys) in [("j", "j"), ("page down, page up", "page-down page-up"), ("end, home", "G g")] {
            let keys = Key::parse_all(keys).unwrap();
            let mut next = keys.iter().cycle();
            c.bench_function(&format!("{items} items: {name}"), |b| {
                in_cpu(b, || {
                    let later = state.now.after(Duration::from_millis(1));
                    update(&mut state, Msg::Key(*next.next().unwrap(), later));
                    terminal
                        .draw(|frame| view(&state, &theme, frame))
                        .expect("the test backend does not fail");
                });
            });
        }
        let mut second = 10;
        c.bench_function(&format!("{items} items: a second passes, and a poll comes in"), |b| {
            in_cpu(b, || {
                second += 1;
                update(&mut state, Msg::Clock(now(second)));
                poll(&mut state, second);
                terminal.draw(|frame| view(&state, &theme, frame)).expect("the test backend does not fail");
            });
        });
    }
}

fn ledger(dir: &Path) -> DirectoryLedger {
    let second = AtomicI64::new(100_000);
    let clock = move || now(second.fetch_add(1, Ordering::Relaxed));
    let parse = |text: &str| settings::template("template.toml", text).map_err(|e| e.message);
    DirectoryLedger::new(dir.to_owned(), Arc::new(clock), Arc::new(parse))
}

/// A run with so many events: notes, ticks and reopenings. Written without a sync each, which would
/// take minutes.
fn long_run(ledger: &DirectoryLedger, template: &str, events: usize) -> Run {
    let mut run = ledger.start(template, &Begun::default(), &ana()).unwrap();
    let dir = ledger.run_dir(&run.id).join("events");
    let items: Vec<ItemId> = run.template.items.iter().map(|item| item.id.clone()).collect();
    let mut n = 0;
    while (run.seq as usize) < events {
        n += 1;
        let item = items[(n / 3) % items.len()].clone();
        let command = match n % 3 {
            0 => note(Some(item), n),
            1 => Command::BreakGlass { step: Step::Item(item), reason: "done".into() },
            _ => Command::Reopen { item, reason: "once more".into() },
        };
        let at = now(i64::try_from(n).unwrap());
        let Ok(fact) = decide(&run, &command, &ana(), at) else { continue };
        let event = run.next_event(&format!("01KAX3R0{n:018}"), at, &ana(), fact);
        std::fs::write(dir.join(format!("{:06}.toml", event.seq)), event_file::render(&event)).unwrap();
        run.apply(&event);
    }
    run
}

fn a_long_run(c: &mut Criterion) {
    println!("goal: a run of 10,000 events opened from its snapshot and tail, under 20 ms of CPU");
    println!("goal: 10,000 events verified in under 1 s, warm");
    println!("goal: one event more on 10,000 saved under 10 ms of CPU; the disk's sync is not in it");
    let tasks = std::fs::read_to_string("checklists/tasks-launch.toml").unwrap();
    let long = long_list(10_000);
    for (name, template, events) in [
        ("the Tasks launch", &tasks, 100),
        ("the Tasks launch", &tasks, 10_000),
        ("10,000 items", &long, 10_000),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let ledger = ledger(dir.path());
        let run = long_run(&ledger, template, events);
        let before = cpu();
        let first = ledger.open(run.id.as_str()).unwrap();
        println!(
            "{name}, {events} events: the first opening, which folds all, took {:.0?} of CPU",
            cpu().saturating_sub(before)
        );
        assert_eq!((first.seq, &first.head), (run.seq, &run.head));
        c.bench_function(&format!("{name}, {events} events: open"), |b| {
            in_cpu(b, || drop(black_box(ledger.open(run.id.as_str()).unwrap())));
        });
        c.bench_function(&format!("{name}, {events} events: parse the template, a part of it"), |b| {
            in_cpu(b, || drop(black_box(settings::template("template.toml", template).unwrap())));
        });
        c.bench_function(&format!("{name}, {events} events: verify"), |b| {
            in_cpu(b, || assert_eq!(ledger.verify(run.id.as_str(), None).unwrap().first_bad, None));
        });
        let (mut run, mut n) = (first, 0);
        c.bench_function(&format!("{name}, {events} events: append"), |b| {
            in_cpu(b, || {
                n += 1;
                let id = format!("01KAX3R1{n:018}");
                let events = ledger.append(&run, &[], &id, &ana(), &note(None, n)).unwrap();
                for event in &events {
                    run.apply(event);
                }
            });
        });
    }
}

fn short() -> Criterion {
    Criterion::default().sample_size(20).measurement_time(Duration::from_secs(3))
}

criterion_group!(name = benches; config = short(); targets = a_key, a_long_run);
criterion_main!(benches);
