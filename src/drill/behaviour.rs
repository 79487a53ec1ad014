//! What the product as a whole promises, read off its own pages.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;

type Samples = BTreeMap<String, f64>;

fn samples(product: &Product, page: Page) -> Samples {
    let text = product.exposition(page, Format::Text);
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter_map(|line| line.rsplit_once(' ')).map(|(n, v)| (n.into(), v.parse().unwrap())).collect()
}

fn at(seconds: u64) -> Time {
    DEMO_START.after(Duration::from_secs(seconds))
}

fn depth(product: &Product, queue: &str) -> f64 {
    samples(product, Page::Worker)[&format!("tasks_queue_depth{{queue=\"{queue}\",state=\"waiting\"}}")]
}

fn sum(samples: &Samples, name: &str, also: &str) -> f64 {
    samples.iter().filter(|(n, _)| n.starts_with(name) && n.contains(also)).map(|(_, v)| v).sum()
}

#[test]
fn print_story() {
    let t0 = std::time::Instant::now();
    let mut product = Product::new(DEMO_SEED, DEMO_START);
    let mut past: Vec<(Samples, Samples)> = Vec::new();
    for step in 0..=(75 * 4) {
        product.advance_to(at(step * 15));
        let (w, a) = (samples(&product, Page::Worker), samples(&product, Page::Api));
        past.push((w, a));
        let n = past.len() - 1;
        let (w, a) = &past[n];
        let (w0, a0) = &past[n.saturating_sub(20)];
        let span = ((n - n.saturating_sub(20)) * 15) as f64;
        let d = |name: &str, also: &str| (sum(w, name, also) - sum(w0, name, also)) / span;
        let da = |name: &str, also: &str| (sum(a, name, also) - sum(a0, name, also)) / span;
        let total = da("http_requests_total", "service=\"tasks\"");
        let five = da("http_requests_total{service=\"tasks\",", "code=\"50");
        let mut p95 = 0.0;
        let cnt = da("http_request_duration_seconds_count", "tasks");
        for le in ["0.01","0.025","0.05","0.1","0.15","0.2","0.3","0.4","0.5","0.75","1","2.5"] {
            let c = da("http_request_duration_seconds_bucket", &format!("service=\"tasks\",le=\"{le}\""));
            if c >= 0.95 * cnt { p95 = le.parse().unwrap(); break; }
        }
        let oldest = w["tasks_queue_oldest_enqueued_timestamp_seconds{queue=\"tasks\"}"];
        let age = if oldest == 0.0 { 0.0 } else { product.now().seconds() - oldest };
        println!("{:>5.2} depth {:>5} bill {:>3} old {:>5.1} in {:>5.1} out {:>5.1} workers {:>3} act {:>3} del {:>3} fail/s {:.3} req {:>5.1} all {:>5.1} 5xx% {:.3} p95<= {} pct {:.1}",
            step as f64 / 4.0, depth(&product, "tasks"), depth(&product, "billing"), age,
            d("tasks_jobs_enqueued_total", "tasks\""), d("tasks_jobs_finished_total", "queue=\"tasks\""),
            w["tasks_queue_workers{queue=\"tasks\"}"], w["tasks_queue_depth{queue=\"tasks\",state=\"active\"}"], w["tasks_queue_depth{queue=\"tasks\",state=\"delayed\"}"],
            d("tasks_jobs_finished_total", "queue=\"tasks\",outcome=\"failure"), total, da("http_requests_total",""), 100.0*five/total, p95, product.rollout.taken_up());
    }
    println!("{:?}", t0.elapsed());
}
