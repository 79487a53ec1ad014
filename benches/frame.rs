//! What a frame costs: the goal stands beside each number.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "../tests/it/ui/sample/mod.rs"]
mod sample;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use gonogo::app::{Msg, update};
use gonogo::ui::{Theme, picture, view};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use sample::{Day, at, poll};

/// The rooms of the snapshots at 200x60.
fn frames(c: &mut Criterion) {
    println!("goal: a 200x60 frame under 1 ms of CPU");
    let theme = Theme::dark();
    let zoomed = sample::pressed(sample::room(Day::Trouble), "2 ] left");
    for (name, state) in sample::all().into_iter().chain([("zoomed", zoomed)]) {
        c.bench_function(&format!("frame 200x60 {name}"), |b| {
            b.iter(|| black_box(picture(&state, &theme, 200, 60)));
        });
    }
}

/// A poll with one changed sample: `update`, draw, and ratatui's comparison with the frame before.
fn changed_sample(c: &mut Criterion) {
    println!("goal: one changed sample, taken in and drawn, under 1.5 ms of CPU");
    let theme = Theme::dark();
    let mut state = sample::room(Day::Trouble);
    let mut terminal = Terminal::new(TestBackend::new(200, 60)).expect("the test backend does not fail");
    let mut second = 1_500;
    c.bench_function("update and draw 200x60, one changed sample", |b| {
        b.iter(|| {
            second += 5;
            let mut poll = poll("worker", Day::Calm, 1_500);
            poll.asked = at(second);
            update(&mut state, Msg::Polled(Box::new(poll)));
            terminal.draw(|frame| view(&state, &theme, frame)).expect("the test backend does not fail");
        });
    });
}

criterion_group!(benches, frames, changed_sample);
criterion_main!(benches);
