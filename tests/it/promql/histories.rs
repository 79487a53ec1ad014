//! Histories against a naive model that keeps everything: whatever is recorded, dropped, saved and
//! read back, in whatever order.

use std::time::Duration;

use gonogo::model::{Labels, Time};
use gonogo::promql::{self, EvalError, Expr, History, Limits, Value};
use proptest::prelude::*;

const SERIES: usize = 4;
const KEY: [u8; 32] = [7; 32];
const BEGIN: i64 = 1_700_000_000_000;

#[derive(Clone, Debug)]
enum Step {
    /// So much later, these series with these values.
    Scrape(i64, Vec<(usize, i32)>),
    /// Saved, and read back so much later.
    Restart(i64),
    /// The clock is set back so much, and then a scrape comes.
    SetBack(i64, Vec<(usize, i32)>),
    /// The machine sleeps so long, and then a scrape comes.
    Sleep(i64),
}

/// What is between two scrapes.
const EVERY: Duration = Duration::from_secs(5);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let batch = || prop::collection::vec((0..SERIES, -9..9i32), 0..SERIES + 1);
    let step = prop_oneof![
        12 => (4_000..6_500i64, batch()).prop_map(|(after, batch)| Step::Scrape(after, batch)),
        1 => (1_000..90_000i64).prop_map(Step::Restart),
        1 => (1..20_000i64, batch()).prop_map(|(back, batch)| Step::SetBack(back, batch)),
        1 => (30_001..400_000i64).prop_map(Step::Sleep),
    ];
    prop::collection::vec(step, 1..80)
}

/// Everything that ever happened; `None` is the end of a series.
#[derive(Default)]
struct Model {
    samples: Vec<Vec<(i64, Option<f64>)>>,
    /// When it was looked, and when not.
    scrapes: Vec<i64>,
    gaps: Vec<(i64, i64)>,
}

impl Model {
    fn end(&mut self, series: usize, at: i64) {
        let samples = &mut self.samples[series];
        if samples.last().is_some_and(|(_, value)| value.is_some()) {
            samples.push((at, None));
        }
    }

    fn scrape(&mut self, at: i64, batch: &[(usize, i32)]) {
        self.scrapes.push(at);
        for series in 0..SERIES {
            match batch.iter().find(|(s, _)| *s == series) {
                Some((_, value)) => self.samples[series].push((at, Some(f64::from(*value)))),
                None => self.end(series, at),
            }
        }
    }

    fn set_back(&mut self, at: i64) {
        if self.scrapes.last().is_some_and(|last| last - at > EVERY.as_millis() as i64) {
            // What is left of the past is older than it says.
            *self = Self { samples: vec![Vec::new(); SERIES], ..Self::default() };
        }
        self.scrapes.retain(|time| *time < at);
        self.samples.iter_mut().for_each(|samples| samples.retain(|(time, _)| *time < at));
        self.gaps.retain(|(begin, _)| *begin < at);
        self.gaps.iter_mut().for_each(|(_, end)| *end = (*end).min(at));
    }

    fn between(&self, series: usize, from: i64, to: i64) -> Vec<f64> {
        let inside = |(time, value): &(i64, Option<f64>)| value.filter(|_| from < *time && *time <= to);
        self.samples[series].iter().filter_map(inside).collect()
    }

    fn latest(&self, series: usize, at: i64) -> Option<f64> {
        let last = self.samples[series].iter().rev().find(|(time, _)| *time <= at)?;
        last.1.filter(|_| last.0 > at - 300_000)
    }
}

fn name(series: usize) -> Labels {
    Labels::from_pairs([("__name__", format!("s{series}"))])
}

fn record(history: &mut History, at: i64, batch: &[(usize, i32)]) {
    let batch: Vec<_> =
        batch.iter().map(|(series, value)| (name(*series), f64::from(*value), None)).collect();
    history.record(Time::from_millis(at), batch);
}

fn ask(history: &History, text: &str, at: i64) -> Result<Vec<f64>, EvalError> {
    promql::instant(&Expr::parse(text).unwrap(), history, Time::from_millis(at)).map(|value| match value {
        Value::Vector(rows) => rows.into_iter().map(|(_, value)| value).collect(),
        Value::Matrix(series) => series.into_iter().flat_map(|(_, p)| p.into_iter().map(|p| p.1)).collect(),
        other => panic!("{other:?}"),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_history_holds_what_a_naive_one_holds_through_cuts_and_restarts(steps in steps()) {
        let limits = Limits { keep: Duration::from_secs(60), max_series: 100 };
        let mut history = History::new(limits).polled_every(EVERY, Duration::ZERO);
        let mut model = Model { samples: vec![Vec::new(); SERIES], ..Model::default() };
        let mut now = BEGIN;
        for step in steps {
            match step {
                Step::Scrape(after, batch) => {
                    now += after;
                    record(&mut history, now, &batch);
                    model.scrape(now, &batch);
                }
                Step::SetBack(back, batch) => {
                    now = (now - back).max(BEGIN + 1);
                    if model.scrapes.last().is_some_and(|last| *last >= now) {
                        model.set_back(now);
                    }
                    record(&mut history, now, &batch);
                    model.scrape(now, &batch);
                }
                Step::Sleep(after) => {
                    let last = model.scrapes.last().copied();
                    now += after;
                    if let Some(last) = last {
                        model.gaps.push((last, now));
                    }
                    record(&mut history, now, &[(1, 2)]);
                    model.scrape(now, &[(1, 2)]);
                }
                Step::Restart(after) => {
                    let bytes = history.save(&KEY);
                    let last = model.scrapes.last().copied();
                    now += after;
                    history = History::restore(limits, &KEY, &bytes, Time::from_millis(now)).unwrap().polled_every(EVERY, Duration::ZERO);
                    if let Some(last) = last {
                        (0..SERIES).for_each(|series| model.end(series, last + 1));
                        model.scrapes.push(last + 1);
                        model.gaps.push((last + 1, now));
                        // The first scrape after it.
                        record(&mut history, now, &[(0, 1)]);
                        model.scrape(now, &[(0, 1)]);
                    }
                }
            }
            let unseen: i64 = model.gaps.iter().map(|(a, b)| (now.min(*b) - a.max(&(now - 30_000))).max(0)).sum();
            for series in 0..SERIES {
                let latest = ask(&history, &format!("s{series}"), now).unwrap();
                prop_assert_eq!(latest, model.latest(series, now).into_iter().collect::<Vec<_>>());
                match ask(&history, &format!("s{series}[30s]"), now) {
                    Ok(found) => {
                        prop_assert_eq!(found, model.between(series, now - 30_000, now));
                        prop_assert!(unseen * 10 <= 30_000, "a number from {} ms unseen", unseen);
                    }
                    Err(EvalError::TooLittleHistory { seen, needed }) => prop_assert!(seen < needed),
                    Err(other) => prop_assert!(false, "{}", other),
                }
            }
        }
    }

    #[test]
    fn saved_bytes_read_back_as_the_same_or_not_at_all(
        values in prop::collection::vec(any::<f64>(), 1..40), flip in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>()
    ) {
        let limits = Limits { keep: Duration::from_secs(600), max_series: 100 };
        let mut history = History::new(limits);
        for (i, value) in (0..).zip(&values) {
            let at = BEGIN + i * 1000;
            let own = (i % 3 > 0).then(|| Time::from_millis(at - 7));
            let batch = [(name(0), *value, None), (name(1), *value, own), (name(2 + usize::from(i % 2 == 0)), 1.0, None)];
            history.record(Time::from_millis(at), batch);
        }
        let end = Time::from_millis(BEGIN + 100_000);
        let bytes = history.save(&KEY);
        let back = History::restore(limits, &KEY, &bytes, end).unwrap();
        let at = BEGIN + (i64::try_from(values.len()).unwrap() - 1) * 1000;
        for text in ["{__name__=~\"s0|s2|s3\"} @ end()", "timestamp(s1)"] {
            let (a, b) = (ask(&history, text, at).unwrap(), ask(&back, text, at).unwrap());
            prop_assert!(a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()));
        }
        prop_assert!(ask(&back, "s0", at + 1).unwrap().is_empty(), "a series ends where the file does");
        prop_assert_eq!(back.save(&KEY).len() > bytes.len(), true, "the mark of the end is in it");
        let mut spoilt = bytes.clone();
        let place = flip.index(bytes.len());
        spoilt[place] ^= 0x10;
        prop_assert!(History::restore(limits, &KEY, &spoilt, end).is_err());
        prop_assert!(History::restore(limits, &KEY, &bytes[..cut.index(bytes.len())], end).is_err());
        prop_assert!(History::restore(limits, &[8; 32], &bytes, end).is_err());
    }
}

#[test]
fn after_a_restart_a_long_window_is_told_and_one_that_the_gap_hides_is_not() {
    let limits = Limits { keep: Duration::from_secs(6 * 3600), max_series: 100 };
    let mut history = History::new(limits);
    let hours = 6 * 3600 / 5;
    for i in 0..=hours {
        history.record(Time::from_millis(BEGIN + i * 5000), [(name(0), i as f64, None)]);
    }
    let stopped = BEGIN + hours * 5000;
    for (minutes, long_is_told) in [(20, true), (50, false)] {
        let begun = stopped + minutes * 60_000;
        let bytes = history.save(&KEY);
        let mut back = History::restore(limits, &KEY, &bytes, Time::from_millis(begun)).unwrap();
        back.record(Time::from_millis(begun), [(name(0), 1e6, None)]);
        let long = ask(&back, "count_over_time(s0[6h])", begun);
        if long_is_told {
            assert_eq!(long.unwrap(), [(hours - minutes * 12 + 1) as f64]);
        } else {
            assert_eq!(long.unwrap_err().to_string(), "5h10m of 6h seen");
        }
        let short = ask(&back, "rate(s0[5m])", begun).unwrap_err();
        assert_eq!(short.to_string(), "0s of 5m seen");
        let hidden = ask(&back, "s0 offset 10m", begun).unwrap_err();
        assert!(matches!(hidden, EvalError::TooLittleHistory { .. }), "{hidden}");
        assert_eq!(ask(&back, "s0", begun).unwrap(), [1e6]);
        let before = ask(&back, "s0 offset 2h", begun).unwrap();
        assert_eq!(before, [(hours + minutes * 12 - 1440) as f64]);
    }
}
