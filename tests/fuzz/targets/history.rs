//! A saved history of any bytes under a right checksum: it is refused, or it can be asked, goes on, and is
//! saved and read back again; no panic either way.
#![no_main]

use std::time::Duration;

use gonogo::model::{Labels, Time};
use gonogo::promql::{Expr, History, Limits, instant};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest as _, Sha256};

const KEY: [u8; 32] = [0; 32];
const NOW: i64 = 1_700_000_000_000;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { keep: Duration::from_secs(3600), max_series: 1000 };
    // How the scrapes after it follow each other.
    let (steps, body) = bytes.split_at(bytes.len().min(4));
    let _ = History::restore(limits, &KEY, bytes, Time::from_millis(NOW));
    let mut whole = [b"gonogo history\n\x01", &KEY[..], body].concat();
    whole.extend_from_slice(&Sha256::digest(&whole));
    let Ok(history) = History::restore(limits, &KEY, &whole, Time::from_millis(NOW)) else { return };
    assert!(history.series() <= limits.max_series);
    let mut history = history.polled_every(Duration::from_secs(5), Duration::from_secs(5));
    let mut now = NOW;
    ask(&history, now);
    for step in steps {
        // Ahead and back, by seconds and by hours.
        now += [5_000, 5_000, -1, -60_000, 600_000, 7_200_000, 1, 0][usize::from(step % 8)];
        let labels = Labels::from_pairs([("__name__", if *step > 127 { "a" } else { "b" })]);
        let own = (step % 5 == 0).then(|| Time::from_millis(now - 7));
        history.record(Time::from_millis(now), [(labels, f64::from(*step), own)]);
        ask(&history, now);
    }
    let again = History::restore(limits, &KEY, &history.save(&KEY), Time::from_millis(now));
    assert!(again.is_ok(), "{again:?}");
});

fn ask(history: &History, now: i64) {
    for text in ["sum(rate({__name__=~\".*\",x=\"\"}[5m]))", "count_over_time({x=\"\",__name__!=\"\"}[1h] offset 2m)"] {
        let Ok(expr) = Expr::parse(text) else { continue };
        let _ = instant(&expr, history, Time::from_millis(now));
    }
}
