//! A real Prometheus, scraping an endpoint that can die.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gonogo::model::{SourceDef, SourceKind, Time};

use super::{answer, points, source, source_def};
use crate::http::canned::{self, Canned, ok};
use crate::servers::{Prometheus, installed};

fn wall() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Time::from_seconds(since.as_secs_f64()).unwrap()
}

/// The server scrapes `target` every second.
fn server(target: &Canned) -> (Prometheus, SourceDef) {
    let server = Prometheus::start(
        &format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
             scrape_configs: [{{job_name: w, static_configs: [{{targets: ['{}']}}]}}]\n",
            target.instance()
        ),
        None,
    );
    let def = source_def(SourceKind::Prometheus { url: server.url.clone(), alerts: false });
    (server, def)
}

#[tokio::test]
async fn a_real_server_tells_values_ages_and_the_past_and_a_series_that_died_keeps_its_age() {
    if !installed("prometheus") {
        return;
    }
    let dead = Arc::new(AtomicBool::new(false));
    let died = dead.clone();
    let target = Canned::new(move |_, n| {
        if died.load(Ordering::SeqCst) {
            return canned::answer(500, "", "");
        }
        ok("text/plain; version=0.0.4", format!("jobs_total{{queue=\"a\"}} {n}\ndepth{{queue=\"a\"}} 3\n"))
    });
    let (_server, def) = server(&target);
    let queries =
        ["max by (queue) (depth)", "sum by (queue) (increase(jobs_total[1m]))", "bad(", "vector(0)"];
    // Rates need two scrapes.
    let mut first = source(&def, &queries, &[]);
    let told = loop {
        let told = answer(&mut first, wall()).await;
        if points(&told, 0).len() == 1 && points(&told, 1).len() == 1 {
            break told;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let age = |a: &gonogo::model::Answer, place| wall().since(points(a, place)[0].sampled);
    assert!(points(&told, 0)[0].value == 3.0 && age(&told, 0) < Duration::from_secs(30));
    let refused = told.signals[2].result.as_ref().unwrap_err();
    assert!(refused.text.contains("parse error"), "{refused}");
    assert!(told.notes.clock_offset.unwrap().abs() < 30.0);

    // Another source, started later, fills its chart from the server.
    let later = answer(&mut source(&def, &queries[..1], &[]), wall()).await;
    assert_eq!(later.signals[0].history.len(), 1);

    dead.store(true, Ordering::SeqCst);
    let killed = wall();
    let mut source = source(&def, &queries, &[]);
    let told = loop {
        let told = answer(&mut source, wall()).await;
        if points(&told, 0).is_empty() {
            break told;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    // The dead series answers nothing by itself, but still weighs in the window.
    let weighing = &points(&told, 1)[0];
    assert!(
        weighing.sampled <= killed.after(Duration::from_secs(1)),
        "{} is after {killed}",
        weighing.sampled
    );
    assert!(wall().since(points(&told, 3)[0].sampled) < Duration::from_secs(30), "a constant is of now");
}
