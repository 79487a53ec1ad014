//! The gate rules, each as a sentence about the product, and as properties over all that a gate sees.

mod flags;
mod tenants;
mod values;

use std::time::Duration;

use super::*;
use crate::model::gate::{FlagCondition, Idle, Watched};
use crate::model::poll::FlagsAnswer;
use crate::model::{
    Answer, Board, Condition, Fault, FaultCode, Flag, FlagDef, GateDef, GateId, Labels, Launch, Op, Percent,
    Point, Polled, SignalAnswer, SignalDef, SignalId, SourceDef, SourceId, SourceKind, Time, Unit, Verdict,
};

const EVERY: Duration = Duration::from_secs(5);

fn at(s: i64) -> Time {
    Time::from_millis(s * 1000)
}

fn source(id: &str) -> SourceDef {
    SourceDef {
        id: id.into(),
        kind: SourceKind::Prometheus { url: "http://127.0.0.1:1".into(), alerts: false },
        every: EVERY,
        timeout: Duration::from_secs(3),
        max_body: 1,
        max_series: 1,
        max_history: Duration::from_hours(24),
        max_line: 1 << 20,
        headers: Vec::new(),
        credential: None,
        ca_file: None,
        route: crate::model::launch::Route::default(),
        allow_http: false,
    }
}

fn signal(id: &str) -> SignalDef {
    SignalDef {
        id: id.into(),
        board: Board::Queues,
        title: id.into(),
        source: "prom".into(),
        query: id.into(),
        unit: Unit::Jobs,
        warn: None,
        bad: None,
        max_age: Duration::from_secs(15),
        empty: None,
        infinite: None,
        nan: None,
    }
}

fn gate_def() -> GateDef {
    GateDef {
        id: "queue-healthy".into(),
        title: "queue".into(),
        condition: Condition::Signal("depth".into()),
        matching: vec![("queue".into(), "tasks".into())],
        op: Op::Less,
        value: 500.0,
        clear: None,
        hold: Duration::ZERO,
        max_age: None,
        expect_series: None,
        min_volume: None,
        idle: Idle::Unknown,
        allow_infinite: false,
        watch: Watched::default(),
    }
}

fn watch(gate: GateDef) -> Watch {
    let launch = Launch {
        sources: vec![source("prom"), source("id")],
        signals: vec![signal("depth"), signal("rate")],
        flags: vec![FlagDef {
            key: "tasks.enabled".into(),
            source: "id".into(),
            observed: None,
            evaluations: None,
        }],
        gates: vec![gate],
        ..Launch::default()
    };
    Watch::new(&launch, [])
}

fn depth(points: &[(&str, f64)], sampled: Time) -> SignalAnswer {
    let points = points.iter().map(|(queue, value)| Point {
        labels: Labels::from_pairs([("queue", *queue)]),
        value: *value,
        sampled,
    });
    SignalAnswer {
        signal: SignalId::from("depth"),
        result: Ok(points.collect()),
        warnings: Vec::new(),
        history: Vec::new(),
    }
}

fn poll(asked: Time, signals: Vec<SignalAnswer>) -> Polled {
    let answer = Answer { signals, ..Answer::default() };
    Polled { source: "prom".into(), asked, took: Duration::ZERO, outcome: Ok(answer) }
}

fn tasks(asked: Time, value: f64) -> Polled {
    poll(asked, vec![depth(&[("tasks", value), ("billing", 9e9)], asked)])
}

fn refused(asked: Time) -> Polled {
    let fault = Fault::new(FaultCode::Unreachable, "refused");
    Polled { source: "prom".into(), asked, took: Duration::ZERO, outcome: Err(fault) }
}

fn judge(watch: &Watch, now: Time) -> (Verdict, String, String) {
    let j = watch.judge(&GateId::from("queue-healthy"), now).unwrap();
    (j.verdict, j.reason.code, j.reason.text)
}

#[test]
fn a_gate_nobody_measured_is_unknown_and_no_gates_are_not_go() {
    let w = watch(gate_def());
    assert_eq!(judge(&w, at(0)).0, Verdict::Unknown);
    assert_eq!(w.overall(at(0), |_| true).outcome, Outcome::Unknown);
    assert_eq!(w.overall(at(0), |_| false).outcome, Outcome::Unknown);
}

#[test]
fn only_the_matching_series_decide_and_the_words_say_how() {
    let mut w = watch(gate_def());
    w.observe(&tasks(at(0), 312.0));
    assert_eq!(judge(&w, at(1)), (Verdict::Pass, "within".into(), "312 < 500".into()));
    w.observe(&tasks(at(5), 612.0));
    assert_eq!(judge(&w, at(6)), (Verdict::Fail, "above".into(), "612 ≥ 500".into()));
    assert_eq!(w.overall(at(6), |_| true).outcome, Outcome::NoGo);
}

#[test]
fn a_number_that_rounds_to_the_threshold_is_written_out() {
    let mut w = watch(GateDef { op: Op::LessOrEqual, value: 1e6, ..gate_def() });
    w.observe(&tasks(at(0), 1_000_000.4));
    assert_eq!(judge(&w, at(0)).2, "1000000.4 > 1000000");
}

#[test]
fn a_value_that_is_no_number_is_told_with_the_word_that_the_board_shows() {
    let stalled = SignalDef { infinite: Some("paused?".into()), nan: Some("idle".into()), ..signal("depth") };
    let said = |allow_infinite, value| {
        let gate = GateDef { op: Op::Equal, value: 0.0, allow_infinite, ..gate_def() };
        let launch = Launch {
            sources: vec![source("prom")],
            signals: vec![stalled.clone()],
            gates: vec![gate],
            ..Launch::default()
        };
        let mut w = Watch::new(&launch, []);
        w.observe(&tasks(at(0), value));
        let (verdict, _, text) = judge(&w, at(1));
        (verdict, text)
    };
    assert_eq!(said(true, f64::INFINITY), (Verdict::Fail, "+Inf ≠ 0 (paused?)".into()));
    assert_eq!(said(false, f64::INFINITY), (Verdict::Unknown, "value is +Inf (paused?)".into()));
    assert_eq!(said(false, f64::NAN), (Verdict::Unknown, "value is NaN (idle)".into()));
    assert_eq!(said(true, 0.0), (Verdict::Pass, "0 = 0".into()));
}

#[test]
fn nan_and_infinity_are_unknown_whatever_the_operator() {
    for op in Op::ALL {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut w = watch(GateDef { op, ..gate_def() });
            w.observe(&tasks(at(0), value));
            assert_eq!(judge(&w, at(0)).0, Verdict::Unknown, "{value} {op:?}");
        }
    }
}

#[test]
fn absent_is_not_zero() {
    let mut w = watch(gate_def());
    w.observe(&poll(at(0), vec![depth(&[], at(0))]));
    assert_eq!(judge(&w, at(0)), (Verdict::Unknown, "no-data".into(), "no data".into()));
}

#[test]
fn a_failed_poll_decides_nothing_until_max_age_and_then_it_is_unknown() {
    let mut w = watch(gate_def());
    w.observe(&tasks(at(0), 1.0));
    w.observe(&refused(at(5)));
    assert_eq!(w.source(&SourceId::from("prom")).unwrap().fault.as_ref().unwrap().text, "refused");
    assert_eq!(judge(&w, at(15)).0, Verdict::Pass);
    assert_eq!(
        judge(&w, at(16)),
        (Verdict::Unknown, "unreachable".into(), "refused; last good 1, 16s ago".into())
    );
}

#[test]
fn a_series_that_died_four_minutes_ago_cannot_pass_a_gate() {
    let mut w = watch(gate_def());
    w.observe(&poll(at(240), vec![depth(&[("tasks", 1.0)], at(0))]));
    assert_eq!(
        judge(&w, at(240)),
        (Verdict::Unknown, "stale".into(), "sample is 4m old, max-age 15s".into())
    );
}

#[test]
fn a_sample_from_the_future_cannot_pass_a_gate() {
    let mut w = watch(gate_def());
    w.observe(&poll(at(0), vec![depth(&[("tasks", 1.0)], at(3600))]));
    assert_eq!(judge(&w, at(0)).1, "clock");
}

#[test]
fn a_partial_answer_is_unknown_with_the_servers_words() {
    let mut w = watch(gate_def());
    let mut answer = depth(&[("tasks", 1.0)], at(0));
    answer.warnings.push("1 of 3 targets: refused".into());
    w.observe(&poll(at(0), vec![answer]));
    assert_eq!(judge(&w, at(0)), (Verdict::Unknown, "partial".into(), "1 of 3 targets: refused".into()));
}

#[test]
fn another_number_of_series_than_expected_is_unknown() {
    let mut w = watch(GateDef { expect_series: Some(2), ..gate_def() });
    w.observe(&tasks(at(0), 1.0));
    assert_eq!(judge(&w, at(0)).2, "1 series, expected 2");
}

#[test]
fn of_several_series_the_worst_decides() {
    let mut w = watch(GateDef { matching: Vec::new(), ..gate_def() });
    w.observe(&poll(at(0), vec![depth(&[("a", 1.0), ("b", 700.0), ("c", f64::NAN), ("d", 600.0)], at(0))]));
    assert_eq!(judge(&w, at(0)).2, "700 ≥ 500");
    w.observe(&poll(at(5), vec![depth(&[("a", 1.0), ("c", f64::NAN)], at(5))]));
    assert_eq!(judge(&w, at(5)).0, Verdict::Unknown);
}

#[test]
fn a_hold_passes_only_when_it_was_seen_to_hold_and_a_fail_starts_it_again() {
    let mut w = watch(GateDef { hold: Duration::from_secs(60), ..gate_def() });
    for s in (0..60).step_by(5) {
        w.observe(&tasks(at(s), 1.0));
        assert_eq!(judge(&w, at(s)).1, "holding");
    }
    w.observe(&tasks(at(60), 1.0));
    assert_eq!(judge(&w, at(60)).0, Verdict::Pass);
    w.observe(&tasks(at(65), 900.0));
    assert_eq!(judge(&w, at(65)).0, Verdict::Fail);
    w.observe(&tasks(at(70), 1.0));
    assert_eq!(judge(&w, at(70)).2, "1 < 500, held 0s of 1m");
}

#[test]
fn a_hold_past_max_age_starts_again_when_the_source_is_back() {
    let mut w = watch(GateDef { hold: Duration::from_secs(10), ..gate_def() });
    for s in [0, 5, 10] {
        w.observe(&tasks(at(s), 1.0));
    }
    assert_eq!(judge(&w, at(10)).0, Verdict::Pass);
    w.observe(&refused(at(15)));
    w.tick(at(26));
    w.observe(&tasks(at(27), 1.0));
    assert_eq!(judge(&w, at(27)).1, "holding");
}

#[test]
fn once_failed_it_passes_again_only_below_clear_and_for_two_polls() {
    let mut w = watch(GateDef { clear: Some(400.0), ..gate_def() });
    w.observe(&tasks(at(0), 600.0));
    w.observe(&tasks(at(5), 450.0));
    assert_eq!(judge(&w, at(5)), (Verdict::Fail, "above".into(), "450 ≥ 400".into()));
    w.observe(&tasks(at(10), 399.0));
    assert_eq!(judge(&w, at(10)).1, "recovering");
    w.observe(&tasks(at(15), 399.0));
    assert_eq!(judge(&w, at(15)).0, Verdict::Pass);
    w.observe(&tasks(at(20), 450.0));
    assert_eq!(judge(&w, at(20)).0, Verdict::Pass);
}

#[test]
fn below_its_volume_a_gate_is_idle_and_the_config_says_what_that_means() {
    let rate = |value: f64| {
        let mut answer = depth(&[("tasks", value)], at(0));
        answer.signal = SignalId::from("rate");
        answer
    };
    for (idle, verdict) in [(Idle::Unknown, Verdict::Unknown), (Idle::Pass, Verdict::Pass)] {
        let mut w = watch(GateDef { min_volume: Some(("rate".into(), 100.0)), idle, ..gate_def() });
        w.observe(&poll(at(0), vec![rate(7.0), depth(&[("tasks", 900.0)], at(0))]));
        assert_eq!(judge(&w, at(0)), (verdict, "idle".into(), "idle: rate 7 < 100".into()));
        w.observe(&poll(at(5), vec![rate(200.0), depth(&[("tasks", 900.0)], at(5))]));
        assert_eq!(judge(&w, at(5)).0, Verdict::Fail);
    }
}

#[test]
fn a_hold_on_a_server_is_judged_on_its_range_query() {
    let mut w = watch(GateDef { hold: Duration::from_secs(60), ..gate_def() });
    let mut answer = depth(&[("tasks", 1.0)], at(100));
    let past = (0..100).step_by(10).map(|s| (at(s), 1.0)).collect();
    answer.history = vec![(Labels::from_pairs([("queue", "tasks")]), past)];
    w.observe(&poll(at(100), vec![answer]));
    assert_eq!(judge(&w, at(100)).0, Verdict::Pass);
}

fn flag(percent: Percent) -> Polled {
    let flag = Flag {
        key: "tasks.enabled".into(),
        enabled: true,
        percent,
        unit: "org".into(),
        updated_by: Some("Ravi".into()),
        ..Flag::default()
    };
    let flags = FlagsAnswer { environment: "production".into(), flags: vec![flag], ..FlagsAnswer::default() };
    let answer = Answer { flags: Some(flags), ..Answer::default() };
    Polled { source: "id".into(), asked: at(0), took: Duration::ZERO, outcome: Ok(answer) }
}

fn flag_gate() -> GateDef {
    let wanted = FlagCondition {
        key: "tasks.enabled".into(),
        enabled: Some(true),
        percent: true,
        ..FlagCondition::default()
    };
    let condition = Condition::Flag(Box::new(wanted));
    GateDef { condition, op: Op::GreaterOrEqual, value: 25.0, matching: Vec::new(), ..gate_def() }
}

#[test]
fn a_flag_gate_compares_exact_numbers_and_lets_a_lower_bound_prove_only_at_least() {
    let cases = [
        (Percent::Known { value: 25.0 }, Verdict::Pass),
        (Percent::Known { value: 10.0 }, Verdict::Fail),
        (Percent::AtLeast { value: 30.0 }, Verdict::Pass),
        (Percent::AtLeast { value: 10.0 }, Verdict::Unknown),
        (Percent::Estimated { value: 25.0, n: 400 }, Verdict::Unknown),
        (Percent::Unknown, Verdict::Unknown),
    ];
    for (percent, verdict) in cases {
        let mut w = watch(flag_gate());
        w.observe(&flag(percent));
        assert_eq!(judge(&w, at(0)).0, verdict, "{percent:?}");
    }
    let mut w = watch(GateDef { op: Op::LessOrEqual, ..flag_gate() });
    w.observe(&flag(Percent::AtLeast { value: 10.0 }));
    assert_eq!(judge(&w, at(0)).0, Verdict::Unknown);
}

#[test]
fn a_flag_that_vanished_is_unknown_and_keeps_its_last_state_on_screen() {
    let mut w = watch(flag_gate());
    w.observe(&flag(Percent::Known { value: 25.0 }));
    let mut gone = flag(Percent::Known { value: 25.0 });
    if let Ok(answer) = &mut gone.outcome {
        answer.flags = Some(FlagsAnswer::default());
    }
    let changes = w.observe(&gone);
    let key = "tasks.enabled".into();
    assert_eq!(changes, [Change::FlagMissing { key, hidden: false }]);
    assert_eq!(judge(&w, at(0)).1, "missing");
    assert!(w.flag("tasks.enabled").unwrap().flag.is_some());
}

#[test]
fn what_turned_is_told_once() {
    let mut w = watch(gate_def());
    w.observe(&tasks(at(0), 1.0));
    assert_eq!(w.tick(at(0)).len(), 1);
    assert_eq!(w.tick(at(1)).len(), 0);
    assert_eq!(w.observe(&refused(at(5))).len(), 1);
    assert_eq!(w.observe(&refused(at(10))).len(), 0);
    assert_eq!(w.observe(&tasks(at(12), 1.0)), [Change::SourceBack("prom".into())]);
}

fn volume(points: &[(&str, f64)], sampled: Time) -> SignalAnswer {
    SignalAnswer { signal: SignalId::from("rate"), ..depth(points, sampled) }
}

#[test]
fn an_absent_or_old_volume_is_not_no_traffic() {
    let idle = GateDef { min_volume: Some(("rate".into(), 100.0)), idle: Idle::Pass, ..gate_def() };
    let bad = |s| depth(&[("tasks", 900.0)], at(s));
    for (rate, words) in [
        (volume(&[], at(300)), "rate has no data"),
        (volume(&[("tasks", 0.0)], at(60)), "rate is not of now"),
        (volume(&[("tasks", 0.0)], at(3900)), "rate is not of now"),
        (volume(&[("tasks", f64::NAN)], at(300)), "rate is NaN"),
    ] {
        let mut w = watch(idle.clone());
        w.observe(&poll(at(300), vec![rate, bad(300)]));
        assert_eq!(judge(&w, at(300)), (Verdict::Unknown, "no-volume".into(), words.into()));
    }
    let mut w = watch(idle);
    w.observe(&poll(at(300), vec![volume(&[("tasks", 0.0)], at(299)), bad(300)]));
    assert_eq!(judge(&w, at(300)).0, Verdict::Pass);
}

#[test]
fn samples_from_the_future_do_not_fill_a_hold_nor_clear_a_fail() {
    let mut w = watch(GateDef { hold: Duration::from_secs(20), clear: Some(400.0), ..gate_def() });
    w.observe(&tasks(at(0), 900.0));
    for s in (5..=60).step_by(5) {
        w.observe(&poll(at(s), vec![depth(&[("tasks", 1.0)], at(s + 3600))]));
        assert_eq!(judge(&w, at(s)).1, "clock");
    }
    w.observe(&tasks(at(65), 1.0));
    assert_eq!(judge(&w, at(65)).1, "recovering");
    w.observe(&tasks(at(70), 1.0));
    assert_eq!(judge(&w, at(70)).2, "1 < 400, held 5s of 20s");
}
