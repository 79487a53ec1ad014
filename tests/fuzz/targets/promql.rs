//! Expressions of any text over a small history with everything odd in it: no panic, an error that lies
//! within the text, and an answer that can be asked for again.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use gonogo::model::{Labels, Time};
use gonogo::promql::{Expr, History, Limits, instant, range};
use libfuzzer_sys::fuzz_target;

const START: i64 = 1_700_000_000_000;

/// Ten minutes of counters with resets, gauges with NaN and infinities, buckets, and a series that ends.
static HISTORY: LazyLock<History> = LazyLock::new(|| {
    let mut history = History::new(Limits { keep: Duration::from_secs(7200), max_series: 1000 });
    for scrape in 0..120_i64 {
        let at = Time::from_millis(START + scrape * 5000);
        let mut batch = Vec::new();
        let mut add = |pairs: &[(&str, &str)], value: f64| {
            batch.push((Labels::from_pairs(pairs.iter().copied()), value, None));
        };
        for queue in ["tasks", "billing"] {
            add(&[("__name__", "a"), ("queue", queue), ("state", "waiting")], (scrape % 37) as f64);
            add(&[("__name__", "b_total"), ("queue", queue)], (scrape % 50 * 3) as f64);
            for (le, count) in [("0.1", 1), ("1", 4), ("+Inf", 5)] {
                add(&[("__name__", "h_bucket"), ("queue", queue), ("le", le)], (count * scrape) as f64);
            }
        }
        if scrape < 60 {
            add(&[("__name__", "ends")], 1.0);
        }
        add(&[("__name__", "odd")], [f64::NAN, f64::INFINITY, -1.0, 1e300][scrape as usize % 4]);
        add(&[("__name__", "up"), ("job", "x")], 1.0);
        history.record(at, batch);
    }
    history
});

fuzz_target!(|text: &str| {
    let expr = match Expr::parse(text) {
        Ok(expr) => expr,
        Err(error) => {
            assert!(error.offset <= text.len() && error.len >= 1, "{error:?} lies outside of the text");
            return;
        }
    };
    if expr.check_local().is_err() {
        return;
    }
    let _ = (expr.window(), expr.freshness(&["queue"]));
    let at = Time::from_millis(START + 599_123);
    let first = instant(&expr, &HISTORY, at);
    assert_eq!(format!("{first:?}"), format!("{:?}", instant(&expr, &HISTORY, at)));
    let _ = range(&expr, &HISTORY, at.before(Duration::from_secs(60)), at, Duration::from_secs(15));
});
