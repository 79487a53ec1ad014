//! A real Prometheus, scraping an endpoint that can die.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gonogo::model::{SourceDef, SourceKind, Time};

use super::{answer, points, source, source_def};
use crate::http::canned::{self, Canned, ok};
use crate::servers::{Prometheus, installed};

pub fn wall() -> Time {
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

/// A server that scrapes itself every second, under a prefix of its path.
fn limited(flags: &[&str]) -> Prometheus {
    let config = "global: {scrape_interval: 1s, external_labels: {cluster: eu}}\n\
                  scrape_configs: [{job_name: own, metrics_path: /team/prom/metrics, static_configs: [{targets: ['TARGET']}]}]\n";
    let mut all = vec!["--web.route-prefix=/team/prom"];
    all.extend(flags);
    // Nothing listens there: `up` is 0, which is all that is asked for.
    Prometheus::start_with(&config.replace("TARGET", "127.0.0.1:9"), None, &all, "/team/prom")
}

#[tokio::test]
async fn a_real_server_under_a_prefix_tells_its_name_and_its_limits_in_its_own_words() {
    if !installed("prometheus") {
        return;
    }
    let server = limited(&["--query.max-samples=50"]);
    let def = source_def(SourceKind::Prometheus { url: format!("{}/", server.url), alerts: false });
    let queries = ["up", "sum_over_time(vector(1)[1h:1s])", "up{job=\"zz\"}", "nope"];
    let mut source = source(&def, &queries, &[]);
    let told = loop {
        let told = answer(&mut source, wall()).await;
        if points(&told, 0).len() == 1 {
            break told;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let fault = told.signals[1].result.as_ref().unwrap_err();
    assert_eq!(fault.code, gonogo::model::FaultCode::Query);
    assert!(fault.text.contains("too many samples"), "{fault}");
    let engine = told.notes.engine.as_deref().unwrap_or_default();
    assert!(engine.starts_with("Prometheus 2.") || engine.starts_with("Prometheus 3."), "{engine}");
    let api = source.prometheus().unwrap().api();
    let now = wall();
    let list = api.series("up", now.before(Duration::from_hours(1)), now).await.unwrap();
    assert_eq!((list.series.len(), list.series[0].get("job")), (1, Some("own")));
    let refused = api.series("rate(up[5m])", now, now).await.unwrap_err();
    assert_eq!(refused.code, gonogo::model::FaultCode::Query);
}

#[tokio::test]
async fn a_real_server_that_gives_a_query_up_leaves_the_others_alone() {
    if !installed("prometheus") {
        return;
    }
    let server = limited(&["--query.timeout=100ms"]);
    let def = source_def(SourceKind::Prometheus { url: server.url.clone(), alerts: false });
    // The server looks at the clock before each part of an expression.
    let heavy = "sum_over_time(sum_over_time(vector(1)[4h:1s])[4h:1s]) + vector(1)";
    let told = answer(&mut source(&def, &["vector(1)", heavy], &[]), wall()).await;
    assert_eq!(points(&told, 0)[0].value, 1.0);
    let fault = told.signals[1].result.as_ref().unwrap_err();
    assert_eq!(fault.code, gonogo::model::FaultCode::TimedOut, "{fault}");
    assert!(fault.text.contains("timed out"), "{fault}");
}

#[tokio::test]
async fn a_real_server_says_why_an_answer_is_empty() {
    let text: Vec<String> = (0..20)
        .map(|n| format!("depth{{queue=\"a\"}} {n} {}\n", wall().seconds() - 1500.0 + f64::from(n) * 15.0))
        .collect();
    let capture = format!("# TYPE depth gauge\n{}# EOF\n", text.concat());
    let Some((_dir, data)) = crate::servers::database(&capture) else { return };
    let server = Prometheus::start("scrape_configs: []\n", Some(&data));
    let def = source_def(SourceKind::Prometheus { url: server.url.clone(), alerts: false });
    let queries = ["max(depth)", "nope", "depth{queue=\"zz\"}"];
    let told = answer(&mut source(&def, &queries, &[]), wall()).await;
    let why: Vec<&str> = told.notes.absences.iter().map(|(_, why)| why.as_str()).collect();
    assert!(why[0].starts_with("depth died, last seen at "), "{why:?}");
    assert_eq!(why[1..], ["no nope in the last 1h", "no depth{queue=\"zz\"} in the last 1h"]);
}
