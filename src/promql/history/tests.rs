use super::*;
use crate::promql::{EvalError, Expr, Value, instant, range};

fn at(seconds: f64) -> Time {
    Time::from_seconds(1_700_000_000.0 + seconds).unwrap()
}

fn labels(name: &str, pairs: &[(&str, &str)]) -> Labels {
    Labels::from_pairs([("__name__", name)].iter().chain(pairs).copied())
}

fn history(keep: u64) -> History {
    History::new(Limits { keep: Duration::from_secs(keep), max_series: 100 })
}

fn value(history: &History, expr: &str, seconds: f64) -> Vec<f64> {
    match instant(&Expr::parse(expr).unwrap(), history, at(seconds)).unwrap() {
        Value::Vector(samples) => samples.into_iter().map(|(_, value)| value).collect(),
        Value::Scalar(value) => vec![value],
        other => panic!("{other:?}"),
    }
}

/// A scrape of plain series by name.
fn scrape(history: &mut History, seconds: f64, series: &[(&str, f64)]) -> usize {
    let batch: Vec<_> = series.iter().map(|(name, value)| (labels(name, &[]), *value, None)).collect();
    history.record(at(seconds), batch)
}

#[test]
fn a_series_that_leaves_a_scrape_is_gone_at_once_and_one_that_stays_is_not() {
    let mut history = history(600);
    scrape(&mut history, 0.0, &[("a", 1.0), ("b", 2.0)]);
    scrape(&mut history, 10.0, &[("a", 3.0)]);
    assert_eq!(value(&history, "b", 9.9), [2.0]);
    assert!(value(&history, "b", 10.0).is_empty());
    assert_eq!(value(&history, "a", 10.0), [3.0]);
    // It comes back, and the time between is no sample.
    scrape(&mut history, 40.0, &[("a", 4.0), ("b", 5.0)]);
    assert_eq!(value(&history, "b", 41.0), [5.0]);
    assert_eq!(value(&history, "count_over_time(b[41s])", 40.5), [2.0]);
}

#[test]
fn a_failed_scrape_ends_every_series_and_the_lookback_ends_a_silent_source() {
    let mut history = history(600);
    scrape(&mut history, 0.0, &[("a", 1.0)]);
    assert_eq!(value(&history, "a", 299.999), [1.0]);
    assert!(value(&history, "a", 300.0).is_empty());
    scrape(&mut history, 10.0, &[]);
    assert!(value(&history, "a", 10.0).is_empty());
}

#[test]
fn nan_is_a_value_and_no_end() {
    let mut history = history(600);
    scrape(&mut history, 0.0, &[("a", f64::NAN)]);
    scrape(&mut history, 10.0, &[("a", f64::NAN)]);
    let [only] = value(&history, "a", 11.0)[..] else { panic!() };
    assert!(only.is_nan());
    assert_eq!(value(&history, "count_over_time(a[15s])", 11.0), [2.0]);
}

#[test]
fn a_series_with_times_of_its_own_does_not_end_with_the_scrape_and_repeats_are_one_sample() {
    let mut history = history(600);
    let own = |value: f64, seconds: f64| vec![(labels("a", &[]), value, Some(at(seconds)))];
    history.record(at(0.0), own(1.0, -5.0));
    history.record(at(10.0), own(1.0, -5.0));
    history.record(at(20.0), own(2.0, 15.0));
    assert_eq!(value(&history, "count_over_time(a[30s])", 20.0), [2.0]);
    scrape(&mut history, 30.0, &[("b", 1.0)]);
    assert_eq!(value(&history, "timestamp(a)", 30.0), [1_700_000_015.0]);
    // Without a time again: from then on it ends like the others.
    scrape(&mut history, 40.0, &[("a", 7.0)]);
    assert_eq!(value(&history, "a", 41.0), [7.0]);
    scrape(&mut history, 50.0, &[("b", 1.0)]);
    assert!(value(&history, "a", 51.0).is_empty());
}

#[test]
fn series_beyond_the_limit_are_refused_and_counted_and_known_ones_are_not() {
    let mut history = History::new(Limits { keep: Duration::from_mins(10), max_series: 2 });
    assert_eq!(scrape(&mut history, 0.0, &[("a", 1.0), ("b", 1.0), ("c", 1.0)]), 1);
    assert_eq!(scrape(&mut history, 10.0, &[("d", 1.0), ("b", 2.0), ("a", 2.0)]), 1);
    assert_eq!((history.series(), value(&history, "a + on () b", 10.0)), (2, vec![4.0]));
}

#[test]
fn of_a_series_sent_twice_the_first_counts() {
    let mut history = history(600);
    scrape(&mut history, 0.0, &[("a", 1.0), ("a", 2.0)]);
    assert_eq!(value(&history, "a", 0.0), [1.0]);
}

#[test]
fn what_no_window_reaches_is_dropped_and_a_dead_series_with_it() {
    let mut history = history(60);
    for i in 0..1000 {
        let mut series = vec![("a", f64::from(i))];
        if i < 10 {
            series.push(("dead", 1.0));
        }
        scrape(&mut history, f64::from(i) * 10.0, &series);
        assert_eq!(history.series(), if i < 45 { 2 } else { 1 }, "scrape {i}");
    }
    // 60 s and the lookback of 5 m: 36 scrapes.
    assert_eq!(history.scrapes.len(), 36);
    assert_eq!(history.begins(), Some(at(9640.0)));
    assert_eq!(value(&history, "count_over_time(a[1m])", 9990.0), [6.0]);
    assert_eq!(value(&history, "a - a offset 1m", 9990.0), [6.0]);
}

#[test]
fn a_ring_that_is_full_stops_growing() {
    let mut history = history(600);
    for i in 0..2000 {
        scrape(&mut history, f64::from(i), &[("a", 1.0)]);
    }
    let Some((_, Column::Scraped { values, .. })) = history.series.iter().next() else { panic!() };
    assert_eq!(values.len(), 900);
    assert!(values.capacity() < 1200, "{}", values.capacity());
}

#[test]
fn a_clock_set_back_hides_nothing_new_behind_samples_from_the_future() {
    let mut history = history(600);
    for i in 0..10 {
        scrape(&mut history, f64::from(i) * 10.0, &[("a", 100.0), ("b", 1.0)]);
    }
    scrape(&mut history, 85.0, &[("a", 7.0)]);
    assert_eq!(history.ends(), Some(at(85.0)));
    assert_eq!(value(&history, "a", 86.0), [7.0]);
    assert_eq!(value(&history, "count_over_time(a[100s])", 95.0), [10.0]);
    assert!(value(&history, "b", 86.0).is_empty());
}

#[test]
fn a_number_from_too_little_history_is_never_given() {
    let mut history = history(300);
    let rate = Expr::parse("rate(a[5m])").unwrap();
    let missing = |history: &History, seconds: f64| instant(&rate, history, at(seconds)).unwrap_err();
    assert_eq!(
        missing(&history, 0.0),
        EvalError::TooLittleHistory { seen: Duration::ZERO, needed: Duration::from_mins(5) }
    );
    for i in 0..=28 {
        scrape(&mut history, f64::from(i) * 10.0, &[("a", 100.0 + f64::from(i))]);
    }
    let error = missing(&history, 280.0);
    assert_eq!(error.to_string(), "4m40s of 5m seen");
    // One interval less than the window: no longer history would have a sample more in it.
    scrape(&mut history, 290.0, &[("a", 129.0)]);
    assert_eq!(value(&history, "rate(a[5m])", 290.0), [0.1]);
    // What needs no past is told all along.
    assert_eq!(value(&history, "a", 5.0), [100.0]);
    assert_eq!(value(&history, "sum_over_time(a[15s]) + on () a", 25.0), [102.0 + 102.0]);
}

#[test]
fn offsets_and_subqueries_need_history_too() {
    let mut history = history(3600);
    for i in 0..60 {
        scrape(&mut history, f64::from(i) * 10.0, &[("a", 1.0)]);
    }
    for (expr, enough) in [
        ("a offset 9m", true),
        ("a offset 11m", false),
        ("a[5m:1m]", true),
        ("max_over_time(rate(a[5m])[4m:1m])", true),
        ("max_over_time(rate(a[5m])[6m:1m])", false),
        ("absent_over_time(a[1h])", false),
        ("a @ 1700000300", true),
        ("a @ 1699999000", false),
        ("vector(time())", true),
    ] {
        let result = instant(&Expr::parse(expr).unwrap(), &history, at(590.0));
        assert_eq!(result.is_ok(), enough, "{expr}: {result:?}");
    }
}

#[test]
fn a_source_that_never_answered_has_no_history_and_one_that_answered_up_has() {
    let mut history = history(300);
    for i in 0..100 {
        let about = [("up", 0.0), ("scrape_duration_seconds", 0.1), ("scrape_samples_scraped", 0.0)];
        scrape(&mut history, f64::from(i) * 10.0, &about);
    }
    assert_eq!(history.begins(), None);
    scrape(&mut history, 1000.0, &[("up", 1.0)]);
    assert_eq!(history.begins(), Some(at(1000.0)));
    let error = instant(&Expr::parse("avg_over_time(up[5m])").unwrap(), &history, at(1000.0)).unwrap_err();
    assert_eq!(error.to_string(), "0s of 5m seen");
}

#[test]
fn moments_before_there_was_enough_history_are_left_out_of_a_range() {
    let mut history = history(600);
    for i in 0..=60 {
        scrape(&mut history, f64::from(i) * 10.0, &[("a", f64::from(i))]);
    }
    let rate = Expr::parse("rate(a[5m])").unwrap();
    let step = Duration::from_mins(1);
    let series = range(&rate, &history, at(0.0), at(600.0), step).unwrap();
    let times: Vec<Time> = series[0].1.iter().map(|(time, _)| *time).collect();
    assert_eq!(times, [300.0, 360.0, 420.0, 480.0, 540.0, 600.0].map(at));
    assert!(matches!(
        range(&rate, &history, at(0.0), at(200.0), step),
        Err(EvalError::TooLittleHistory { .. })
    ));
}

#[test]
fn a_capture_is_all_there_ever_was() {
    let mut history = History::capture(Limits { keep: Duration::MAX, max_series: 2 });
    let a = labels("a", &[]);
    assert!(history.push(&a, at(0.0), 1.0) && history.push(&a, at(30.0), 4.0));
    assert!(!history.push(&a, at(30.0), 5.0), "a second sample at one moment");
    assert!(!history.push(&a, at(20.0), 5.0), "a sample out of order");
    assert!(history.push(&labels("b", &[]), at(-5.0), 1.0));
    assert!(!history.push(&labels("c", &[]), at(0.0), 1.0), "a series too many");
    assert_eq!((history.begins(), history.ends()), (Some(at(-5.0)), Some(at(30.0))));
    assert_eq!(value(&history, "sum_over_time(a[1h])", 60.0), [5.0]);
}

#[test]
fn a_flood_of_series_keeps_out_none_that_come_after_it_and_leaves_no_window_that_reaches_back() {
    let mut history = History::new(Limits { keep: Duration::from_secs(600), max_series: 3 });
    for second in [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0] {
        assert_eq!(scrape(&mut history, second, &[("a", second)]), 0);
    }
    assert_eq!(value(&history, "increase(a[50s])", 60.0).len(), 1);
    assert_eq!(scrape(&mut history, 70.0, &[("x", 1.0), ("y", 1.0), ("z", 1.0), ("a", 70.0)]), 1);
    history.begin_again();
    assert_eq!(scrape(&mut history, 80.0, &[("a", 80.0), ("b", 1.0), ("c", 1.0)]), 0);
    assert_eq!(value(&history, "b", 80.0), [1.0]);
    let expr = Expr::parse("increase(a[50s])").unwrap();
    assert!(matches!(instant(&expr, &history, at(80.0)), Err(EvalError::TooLittleHistory { .. })));
    for second in [90.0, 100.0, 110.0, 120.0, 130.0] {
        scrape(&mut history, second, &[("a", second)]);
    }
    assert_eq!(value(&history, "increase(a[50s])", 130.0).len(), 1);
}

/// What `expr` says: how many samples, or how much was seen of how much, in seconds.
fn seen(history: &History, expr: &str, seconds: f64) -> Result<Vec<f64>, (u64, u64)> {
    match instant(&Expr::parse(expr).unwrap(), history, at(seconds)) {
        Ok(Value::Vector(samples)) => Ok(samples.into_iter().map(|(_, value)| value).collect()),
        Err(EvalError::TooLittleHistory { seen, needed }) => Err((seen.as_secs(), needed.as_secs())),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_time_a_machine_slept_counts_as_unseen() {
    // Asleep for ten minutes after half an hour.
    let mut slept = history(7200);
    for i in (0..=360).chain(480..=960) {
        scrape(&mut slept, f64::from(i * 5), &[("a", f64::from(i))]);
        let now = f64::from(i * 5);
        match i {
            480 => {
                assert_eq!(seen(&slept, "rate(a[5m])", now), Err((0, 300)));
                assert_eq!(seen(&slept, "rate(a[20m])", now), Err((600, 1200)));
                assert_eq!(seen(&slept, "a offset 5m", now), Err((0, 300)));
                assert_eq!(seen(&slept, "a", now), Ok(vec![480.0]));
            }
            534 => assert_eq!(seen(&slept, "count_over_time(a[5m])", now), Ok(vec![55.0])),
            533 => assert_eq!(seen(&slept, "count_over_time(a[5m])", now), Err((265, 300))),
            _ => {}
        }
    }
    assert_eq!(seen(&slept, "count_over_time(a[70m])", 4800.0), Err((3600, 4200)));
    // The hole is in what is saved, too.
    let saved = slept.save(&[0; 32]);
    let limits = Limits { keep: Duration::from_secs(7200), max_series: 100 };
    let mut again = History::restore(limits, &[0; 32], &saved, at(4801.0)).unwrap();
    scrape(&mut again, 4805.0, &[("a", 1.0)]);
    assert_eq!(seen(&again, "count_over_time(a[70m])", 4805.0), Err((3595, 4200)));
}

const TIMEOUT: Duration = Duration::from_secs(5);

#[test]
fn where_it_is_told_how_often_a_source_is_polled_a_short_sleep_is_a_hole_too() {
    // A window that is as long as the sleep holds one sample, of which nothing was seen.
    for (every, slept) in [(5.0, 30.0), (60.0, 240.0), (1.0, 10.0)] {
        let mut history = history(7200).polled_every(Duration::from_secs_f64(every), TIMEOUT);
        for i in 0..=100 {
            scrape(&mut history, f64::from(i) * every, &[("a", 1.0)]);
        }
        let now = 100.0 * every + slept;
        scrape(&mut history, now, &[("a", 1.0)]);
        assert_eq!(seen(&history, &format!("max_over_time(a[{slept}s])"), now), Err((0, slept as u64)));
    }
}

#[test]
fn late_polls_and_rare_ones_are_no_hole() {
    // Each fifth poll waits for its time-out; then every ten minutes, as a sparse capture is.
    for distances in [[5.0, 5.0, 5.0, 5.0, 15.0], [600.0; 5], [0.3, 0.3, 60.0, 60.0, 60.0]] {
        let every = Duration::from_secs(if distances[0] == 0.3 { 60 } else { 0 });
        let mut history = history(7200).polled_every(every, TIMEOUT);
        let mut now = 0.0;
        for distance in distances.iter().cycle().take(50) {
            scrape(&mut history, now, &[("a", 1.0)]);
            now += distance;
        }
        assert_eq!(history.unseen(0, i64::MAX), 0, "{distances:?}");
    }
    // After one scrape only what is said of the source tells.
    for (every, unseen) in [(0, 0), (5, 3600 * 1000), (2000, 0)] {
        let mut history = history(7200).polled_every(Duration::from_secs(every), TIMEOUT);
        scrape(&mut history, 0.0, &[("a", 1.0)]);
        scrape(&mut history, 3600.0, &[("a", 1.0)]);
        assert_eq!(history.unseen(0, i64::MAX), unseen, "{every}");
    }
}

#[test]
fn after_the_clock_was_set_back_no_window_mixes_what_was_before_with_what_is_after() {
    // A counter of one a second, polled each five; after an hour the clock is set back by 20 minutes.
    let mut history = history(7200);
    for i in 0..=720 {
        scrape(&mut history, f64::from(i * 5), &[("a", f64::from(i * 5))]);
    }
    for i in 481..=800 {
        let now = f64::from(i * 5);
        scrape(&mut history, now, &[("a", now + 1200.0)]);
        assert_eq!(seen(&history, "a", now), Ok(vec![now + 1200.0]));
        match seen(&history, "rate(a[5m])", now) {
            // An interval of the five minutes may be missing.
            Ok(rates) => assert!(i >= 540 && (rates[0] - 1.0).abs() < 1e-9, "{i}: {rates:?}"),
            Err((seen, needed)) => assert!(i < 540 && seen < needed && needed == 300, "{i}: {seen}"),
        }
    }
    // Some milliseconds, as clocks are set each day, cost nothing.
    let mut history = self::history(7200);
    for i in 0..=120 {
        scrape(&mut history, f64::from(i * 5), &[("a", f64::from(i))]);
    }
    scrape(&mut history, 599.99, &[("a", 121.0)]);
    assert_eq!(seen(&history, "count_over_time(a[5m])", 600.0), Ok(vec![60.0]));
}

#[test]
fn a_history_of_one_scrape_is_read_back_in_the_millisecond_it_was_saved_in() {
    let limits = Limits { keep: Duration::from_secs(600), max_series: 100 };
    let mut history = history(600);
    scrape(&mut history, 5.0, &[("a", 1.0)]);
    let saved = history.save(&[0; 32]);
    let back = History::restore(limits, &[0; 32], &saved, at(5.0)).unwrap();
    assert_eq!((back.begins(), back.series()), (Some(at(5.0)), 1));
    let mut back = History::restore(limits, &[0; 32], &saved, at(4.999)).unwrap();
    assert_eq!((back.begins(), back.ends()), (None, None), "it is of the future");
    scrape(&mut back, 6.0, &[("a", 2.0)]);
    assert_eq!((value(&back, "a", 6.0), back.begins()), (vec![2.0], Some(at(6.0))));
}
