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

fn waiting(product: &Product, queue: &str) -> f64 {
    samples(product, Page::Worker)[&format!("tasks_queue_depth{{queue=\"{queue}\",state=\"waiting\"}}")]
}

fn sum(samples: &Samples, name: &str, also: &str) -> f64 {
    samples.iter().filter(|(n, _)| n.starts_with(name) && n.contains(also)).map(|(_, v)| v).sum()
}

/// The tasks queue as it is, and the 5xx of the tasks service in percent of the last minute.
fn ran_to(product: &mut Product, seconds: u64) -> (f64, f64) {
    let errors = |product: &Product| {
        let api = samples(product, Page::Api);
        let name = "http_requests_total{service=\"tasks\"";
        (sum(&api, name, "code=\"50"), sum(&api, name, ""))
    };
    product.advance_to(at(seconds - 60));
    let before = errors(product);
    product.advance_to(at(seconds));
    let after = errors(product);
    (waiting(product, "tasks"), 100.0 * (after.0 - before.0) / (after.1 - before.1))
}

#[test]
fn the_same_seed_gives_the_same_bytes_however_time_is_cut() {
    let end = 1700;
    let mut whole = Product::new(DEMO_SEED, DEMO_START);
    whole.advance_to(at(end));
    let mut seconds = Product::new(DEMO_SEED, DEMO_START);
    (0..=end).for_each(|second| seconds.advance_to(at(second)));
    let mut uneven = Product::new(DEMO_SEED, DEMO_START);
    let mut now = DEMO_START;
    while now < at(end) {
        now = now.after(Duration::from_millis(7_777)).min(at(end));
        uneven.advance_to(now);
        uneven.advance_to(DEMO_START);
    }
    for page in Page::ALL {
        for format in [Format::Text, Format::OpenMetrics] {
            let told = whole.exposition(page, format);
            assert!(told == seconds.exposition(page, format), "{page:?} differs in steps of a second");
            assert!(told == uneven.exposition(page, format), "{page:?} differs in uneven steps");
        }
    }
    let mut other = Product::new(DEMO_SEED + 1, DEMO_START);
    other.advance_to(at(end));
    assert_ne!(other.exposition(Page::Api, Format::Text), whole.exposition(Page::Api, Format::Text));
}

#[test]
fn no_job_is_lost_or_made_up_through_backlog_retries_and_scaling() {
    let mut product = Product::new(DEMO_SEED, DEMO_START);
    for second in (0..4500).step_by(50) {
        product.advance_to(at(second));
        let worker = samples(&product, Page::Worker);
        for queue in ["tasks", "billing"] {
            let of = |name: &str, also: &str| sum(&worker, &format!("{name}{{queue=\"{queue}\""), also);
            let state = |state: &str| of("tasks_queue_depth", &format!("\"{state}\""));
            let held = state("waiting") + state("active") + state("delayed");
            let (enqueued, finished) =
                (of("tasks_jobs_enqueued_total", ""), of("tasks_jobs_finished_total", ""));
            assert_eq!(enqueued, finished + held, "{queue} after {second} s");
            let attempts = finished + of("tasks_jobs_retried_total", "");
            assert_eq!(of("tasks_job_duration_seconds_count", ""), attempts, "{queue} after {second} s");
        }
    }
}

#[test]
fn histograms_are_cumulative_and_agree_with_their_count_and_sum() {
    let mut product = Product::new(DEMO_SEED, DEMO_START);
    product.advance_to(at(1200));
    let mut checked = 0;
    for page in Page::ALL {
        let text = product.exposition(page, Format::Text);
        let mut below = 0.0;
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((series, number)) = line.rsplit_once(' ') else { continue };
            let number: f64 = number.parse().unwrap();
            if series.contains("_bucket{") {
                assert!(number >= below, "{line}");
                below = number;
            } else if series.contains("_seconds_sum{") {
                assert!(number > 0.0 && number < below * 60.0, "{line}");
            } else if series.contains("_seconds_count{") {
                assert_eq!(number, below, "{line}");
                below = 0.0;
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 2 + 3 + 1);
}

#[test]
fn every_request_of_the_counter_is_in_the_histogram_too() {
    let mut product = Product::new(DEMO_SEED, DEMO_START);
    product.advance_to(at(600));
    for (page, service) in [(Page::Api, "tasks"), (Page::Api, "portal"), (Page::Identity, "identity")] {
        let page = samples(&product, page);
        let label = format!("service=\"{service}\"");
        let counted = sum(&page, "http_requests_total{", &label);
        let timed = sum(&page, "http_request_duration_seconds_count{", &label);
        assert!(timed > 0.0, "{service} was asked nothing");
        assert_eq!(counted, timed, "{service}");
    }
}

#[test]
fn the_queue_is_healthy_at_25_percent_backs_up_in_trouble_and_recovers() {
    for seed in DEMO_SEED..DEMO_SEED + 3 {
        let mut product = Product::new(seed, DEMO_START);
        for minute in 18..=24 {
            let (depth, errors) = ran_to(&mut product, minute * 60);
            assert!(depth < 300.0 && errors < 0.5, "seed {seed}, minute {minute}: {depth} jobs, {errors} %");
        }
        let deepest = (1440..1600).step_by(5).map(|second| {
            product.advance_to(at(second));
            waiting(&product, "tasks")
        });
        let deepest = deepest.fold(0.0, f64::max);
        assert!(deepest > 150.0, "seed {seed}: the raise brings {deepest} waiting jobs at most");
        let (depth, errors) = ran_to(&mut product, 29 * 60);
        assert!(depth > 500.0, "seed {seed}: {depth} jobs in trouble");
        assert!((2.0..6.0).contains(&errors), "seed {seed}: {errors} % in trouble");
        let (depth, errors) = ran_to(&mut product, 33 * 60);
        assert!(depth < 300.0 && errors < 0.5, "seed {seed}: {depth} jobs, {errors} % after it");
        assert!(waiting(&product, "billing") < 60.0);
    }
}

#[test]
fn the_oldest_job_is_told_as_a_moment_of_simulated_time_and_an_empty_queue_as_zero() {
    let mut product = Product::new(DEMO_SEED, DEMO_START);
    let mut seen = [false; 2];
    for second in 1000..1740 {
        product.advance_to(at(second));
        let worker = samples(&product, Page::Worker);
        for queue in ["tasks", "billing"] {
            let since =
                worker[&format!("tasks_queue_oldest_enqueued_timestamp_seconds{{queue=\"{queue}\"}}")];
            let empty = waiting(&product, queue) == 0.0;
            assert_eq!(since == 0.0, empty);
            assert!(empty || (at(second - 60).seconds()..=at(second).seconds()).contains(&since));
            seen[usize::from(empty)] = true;
        }
    }
    assert_eq!(seen, [true; 2]);
}

#[test]
fn forced_errors_and_a_pinned_flag_do_what_they_say_until_they_are_taken_back() {
    let mut product = Product::new(DEMO_SEED, DEMO_START);
    product.advance_to(at(300));
    product.set_flag_percent(60.0);
    product.force_errors(0.2);
    let (_, errors) = ran_to(&mut product, 420);
    assert!((17.0..23.0).contains(&errors), "{errors}");
    product.force_errors(0.0);
    let (_, errors) = ran_to(&mut product, 1720);
    assert!(errors < 0.5, "a pinned flag brings no trouble: {errors}");
    let api = samples(&product, Page::Api);
    assert_eq!(api["usage_active_organisations{product=\"tasks\"}"], 252.0);
}
