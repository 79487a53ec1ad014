//! A saved history of any bytes: it is refused, or it can be asked, and no panic either way.
#![no_main]

use std::time::Duration;

use gonogo::model::Time;
use gonogo::promql::{Expr, History, Limits, instant};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { keep: Duration::from_secs(3600), max_series: 1000 };
    let now = Time::from_millis(1_700_000_000_000);
    let Ok(history) = History::restore(limits, &[0; 32], bytes, now) else { return };
    assert!(history.series() <= limits.max_series);
    let Ok(expr) = Expr::parse("sum(rate({__name__=~\".+\"}[5m]))") else { return };
    let _ = instant(&expr, &history, now);
});
