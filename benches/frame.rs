//! What a frame and a changed sample cost. Goals: a 200x60 frame under 1 ms of CPU.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use criterion::Criterion;
use gonogo::app::command::Keymap;
use gonogo::app::{Msg, State, update};
use gonogo::model::{Answer, Labels, Launch, Point, Polled, SignalAnswer, SourceId, Time};
use gonogo::{settings, ui};

const CONFIG: &str = include_str!("../config/demo.toml");
const LIST: &str = include_str!("../checklists/tasks-launch.toml");

fn poll(launch: &Launch, source: &SourceId, asked: Time, value: f64) -> Msg {
    let point = |row: &str| Point {
        labels: Labels::from_pairs([("queue", row), ("service", row), ("tenant", row)]),
        value,
        sampled: asked,
    };
    let signals = launch.signals.iter().filter(|s| s.source == *source).map(|s| SignalAnswer {
        signal: s.id.clone(),
        result: Ok(["tasks", "billing", "portal"].map(point).to_vec()),
        warnings: Vec::new(),
        history: Vec::new(),
    });
    let answer = Answer { signals: signals.collect(), ..Answer::default() };
    Msg::Polled(Box::new(Polled { source: source.clone(), asked, took: Duration::ZERO, outcome: Ok(answer) }))
}

fn main() {
    let (launch, template) =
        settings::parse("demo.toml", CONFIG, Path::new("config"), Some(("list", LIST))).unwrap();
    let launch = Arc::new(launch);
    let keymap = Keymap::new(&BTreeMap::new()).unwrap();
    let start = Time::from_millis(1_764_684_000_000);
    let mut state = State::new(Arc::clone(&launch), template.map(Arc::new), keymap, start);
    let at = |n: u32| start.after(Duration::from_secs(5) * n);
    for n in 0..240 {
        for source in &launch.sources {
            update(&mut state, poll(&launch, &source.id, at(n), f64::from(n % 40)));
        }
    }
    let theme = ui::Theme::dark();
    let mut bench = Criterion::default().configure_from_args();
    println!("goal: a 200x60 frame under 1 ms of CPU");
    bench.bench_function("frame 200x60", |b| b.iter(|| ui::picture(black_box(&state), &theme, 200, 60)));
    let mut n = 240;
    bench.bench_function("update with one poll, and draw", |b| {
        b.iter(|| {
            n += 1;
            update(&mut state, poll(&launch, &launch.sources[0].id, at(n), f64::from(n % 40)));
            ui::picture(&state, &theme, 200, 60)
        });
    });
    bench.final_summary();
}
