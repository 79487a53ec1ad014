//! Flags: what changed, whether callers get what is set, and gates on who, when and how near.

use super::*;
use crate::engine::flags::{Drift, FlagState, Seen};
use crate::model::Observed;

fn state(flag: Flag) -> FlagState {
    let def = FlagDef { key: "tasks.enabled".into(), source: "id".into(), observed: None, evaluations: None };
    let mut state = FlagState::new(def);
    state.observe(at(1000), &answer(flag), None);
    state
}

fn answer(flag: Flag) -> FlagsAnswer {
    FlagsAnswer { environment: "production".into(), flags: vec![flag], ..FlagsAnswer::default() }
}

fn on(percent: Percent) -> Flag {
    Flag { key: "tasks.enabled".into(), enabled: true, percent, ..Flag::default() }
}

fn seen(percent: f64, count: Option<u64>) -> Seen {
    Seen { percent, count, window: Some(Duration::from_mins(5)), at: at(1000), stale: false }
}

#[test]
fn a_difference_is_a_drift_where_neither_chance_nor_an_estimates_error_explains_it() {
    let known = |value| on(Percent::Known { value });
    let is_off = |flag: Flag, percent, count| {
        matches!(state(flag).drift(&seen(percent, count)), Some(Drift::Off { .. }))
    };
    // 3√(0.25 × 0.75 / 100) are 13 points, of 10,000 evaluations 1.3, which two points outdo.
    assert!(!is_off(known(25.0), 37.0, Some(100)) && is_off(known(25.0), 39.0, Some(100)));
    assert!(!is_off(known(25.0), 26.9, Some(10_000)) && is_off(known(25.0), 27.1, Some(10_000)));
    // How many there were is not known: two points.
    assert!(!is_off(known(25.0), 26.9, None) && is_off(known(25.0), 27.1, None));
    // A lower bound is undershot, never overshot.
    let least = || on(Percent::AtLeast { value: 25.0 });
    assert!(!is_off(least(), 80.0, Some(10_000)) && is_off(least(), 20.0, Some(10_000)));
    // ~25 % of 400 keys may be 21 to 29.5 %.
    let estimate = || on(Percent::Estimated { value: 25.0, n: 400 });
    assert!(!is_off(estimate(), 30.0, Some(100_000)) && is_off(estimate(), 33.0, Some(100_000)));
    // Off is off for all.
    assert!(is_off(Flag { enabled: false, ..known(25.0) }, 25.0, Some(10_000)));
    for percent in [Percent::Unknown, Percent::Unsupported] {
        assert_eq!(state(on(percent)).drift(&seen(25.0, Some(1000))), None);
    }
}

#[test]
fn callers_are_given_time_to_take_a_change_up() {
    let changed = |second| Flag { updated_at: Some(at(second)), ..on(Percent::Known { value: 50.0 }) };
    assert_eq!(state(changed(700)).drift(&seen(25.0, Some(10_000))), Some(Drift::Settling));
    assert!(matches!(state(changed(500)).drift(&seen(25.0, Some(10_000))), Some(Drift::Off { .. })));
}

#[test]
fn what_the_provider_counts_is_what_was_seen_and_nobody_is_no_number() {
    let counted = |on, off| {
        let observed = Some(Observed { on, off, window: None, at: Some(at(990)) });
        state(Flag { observed, ..Flag::default() }.named()).seen(None, None, at(1000))
    };
    assert_eq!(
        counted(24, 76),
        Some(Seen { percent: 24.0, count: Some(100), window: None, at: at(990), stale: false })
    );
    assert_eq!(counted(0, 0), None);
}

impl Flag {
    fn named(self) -> Self {
        Self { key: "tasks.enabled".into(), ..self }
    }
}

#[test]
fn every_change_is_told_with_its_author_and_its_own_moment() {
    let known = |value| on(Percent::Known { value });
    let told = |old: &Flag, new: Flag| {
        let mut state = state(old.clone());
        state.observe(at(1010), &answer(new), None).map(|changed| (changed.text, changed.at))
    };
    let rule = crate::model::flag::Rule { name: "beta".into(), ..Default::default() };
    let old = known(10.0);
    for (new, text) in [
        (known(25.0), "tasks.enabled 10 % → 25 %"),
        (Flag { enabled: false, ..known(10.0) }, "tasks.enabled switched off"),
        (Flag { enabled: false, ..known(0.0) }, "tasks.enabled switched off, 10 % → 0 %"),
        (Flag { rules: vec![rule], ..known(10.0) }, "tasks.enabled rules changed"),
        (Flag { archived: true, ..known(10.0) }, "tasks.enabled archived"),
        (
            Flag { next: Some((at(3600), 50.0)), ..known(10.0) },
            "tasks.enabled planned: 50 % on 1970-01-01 at 01:00:00",
        ),
    ] {
        assert_eq!(told(&old, new).map(|(text, _)| text).as_deref(), Some(text));
    }
    assert_eq!(told(&old, Flag { owner: "team".into(), ..known(10.0) }), None);
    // An estimate that wavers within its error has not moved.
    let about = |value| on(Percent::Estimated { value, n: 400 });
    assert_eq!(told(&about(25.0), about(27.0)), None);
    assert!(told(&about(25.0), about(50.0)).is_some());
    assert!(told(&about(5.0), about(10.0)).is_some());
    // The moment is the provider's where it lies between the two answers, and else is not told.
    for (second, expected) in [(1005, Some(at(1005))), (900, None), (2000, None)] {
        let new = Flag { updated_at: Some(at(second)), ..known(25.0) };
        assert_eq!(told(&old, new).unwrap().1, expected, "{second}");
    }
}

#[test]
fn an_estimate_is_held_against_the_one_that_was_told_last() {
    let mut state = state(on(Percent::Estimated { value: 5.0, n: 20 }));
    let mut told = |estimates: &[(f64, u32)]| {
        let changes = estimates.iter().filter_map(|&(value, n)| {
            state.observe(at(1010), &answer(on(Percent::Estimated { value, n })), None)
        });
        changes.map(|changed| changed.text).collect::<Vec<_>>()
    };
    // The first round, whose parts waver.
    assert!(told(&[(20.0, 40), (26.0, 200), (25.0, 400), (25.0, 400)]).is_empty());
    // A key got something else: the count begins anew, and little by little comes to what is told.
    assert!(told(&[(65.0, 20), (30.0, 40), (48.0, 200)]).is_empty());
    assert_eq!(told(&[(50.0, 400)]), ["tasks.enabled ~25 % ±4.5 → ~50 % ±4.9"]);
    assert!(told(&[(50.0, 400), (40.0, 20), (52.0, 400)]).is_empty());
    // Small steps that add up.
    assert_eq!(told(&[(53.0, 400), (54.0, 400), (56.0, 400)]), ["tasks.enabled ~50 % ±4.9 → ~56 % ±4.9"]);
}

#[test]
fn a_flag_that_no_key_got_is_neither_on_nor_off() {
    let unsure = |percent| Flag { enabled: false, enabled_unknown: true, ..on(percent) };
    let none = || unsure(Percent::Estimated { value: 0.0, n: 400 });
    for enabled in [true, false] {
        let wanted = FlagCondition { enabled: Some(enabled), ..FlagCondition::default() };
        let (verdict, why) = judged(wanted, 1.0, none());
        assert_eq!(verdict, Verdict::Unknown);
        assert!(why.starts_with("the provider does not tell whether tasks.enabled is switched on"), "{why}");
    }
    assert_eq!(none().reach(), Percent::Estimated { value: 0.0, n: 400 });
    // That it is on is no change of what was known.
    let mut state = state(none());
    assert_eq!(state.observe(at(1010), &answer(on(Percent::Estimated { value: 0.5, n: 400 })), None), None);
    let off = Flag { enabled: false, ..on(Percent::Estimated { value: 0.0, n: 400 }) };
    assert_eq!(state.observe(at(1020), &answer(off), None).unwrap().text, "tasks.enabled switched off");
}

/// A gate's verdict on a flag, and why.
fn judged(wanted: FlagCondition, value: f64, flag: Flag) -> (Verdict, String) {
    let wanted = FlagCondition { key: "tasks.enabled".into(), ..wanted };
    let op = if wanted.within.is_some() { Op::Equal } else { Op::GreaterOrEqual };
    let def = GateDef {
        condition: Condition::Flag(Box::new(wanted)),
        op,
        value,
        matching: Vec::new(),
        ..gate_def()
    };
    let mut w = watch(def);
    let answer = Answer { flags: Some(answer(flag)), ..Answer::default() };
    w.observe(&Polled { source: "id".into(), asked: at(1000), took: Duration::ZERO, outcome: Ok(answer) });
    let judgement = w.judge(&w.gates[0].def.id.clone(), at(1000)).unwrap();
    (judgement.verdict, judgement.reason.text)
}

#[test]
fn near_enough_counts_for_everything_that_the_number_may_be() {
    let near = |percent| {
        let wanted = FlagCondition { percent: true, within: Some(5.0), ..FlagCondition::default() };
        judged(wanted, 25.0, on(percent)).0
    };
    for (percent, verdict) in [
        (Percent::Known { value: 30.0 }, Verdict::Pass),
        (Percent::Known { value: 30.5 }, Verdict::Fail),
        (Percent::Known { value: 19.0 }, Verdict::Fail),
        (Percent::Estimated { value: 25.0, n: 2000 }, Verdict::Pass),
        (Percent::Estimated { value: 25.0, n: 100 }, Verdict::Unknown),
        (Percent::Estimated { value: 60.0, n: 2000 }, Verdict::Fail),
        (Percent::AtLeast { value: 25.0 }, Verdict::Unknown),
        (Percent::AtLeast { value: 40.0 }, Verdict::Fail),
        (Percent::Unknown, Verdict::Unknown),
        (Percent::Unsupported, Verdict::Unknown),
    ] {
        assert_eq!(near(percent), verdict, "{percent:?}");
    }
    // A flag that is off reaches nobody, whatever it is set to.
    let wanted = FlagCondition { percent: true, ..FlagCondition::default() };
    let off = Flag { enabled: false, ..on(Percent::Known { value: 50.0 }) };
    assert_eq!(judged(wanted, 25.0, off).0, Verdict::Fail);
}

#[test]
fn a_gate_asks_who_changed_a_flag_last_and_since_when() {
    let by = |people: &[&str], flag: Flag| {
        let changed_by = people.iter().map(|p| (*p).to_owned()).collect();
        judged(FlagCondition { changed_by, ..FlagCondition::default() }, 1.0, flag)
    };
    let ravi = Flag { updated_by: Some("Ravi".into()), updated_by_id: Some("u-7".into()), ..Flag::default() };
    assert_eq!(by(&["mei", "u-7"], ravi.clone().named()).0, Verdict::Pass);
    // A name is chosen by whoever bears it; it counts only where there is no id.
    let (verdict, why) = by(&["mei", "Ravi"], ravi.clone().named());
    assert_eq!((verdict, why.as_str()), (Verdict::Fail, "changed last by Ravi (u-7), not by mei or Ravi"));
    let nameless = Flag { updated_by_id: None, ..ravi };
    assert_eq!(by(&["mei", "Ravi"], nameless.named()).0, Verdict::Pass);
    assert_eq!(by(&["mei"], Flag::default().named()).0, Verdict::Unknown);

    let quiet = |updated_at| {
        let unchanged_for = Some(Duration::from_mins(10));
        let flag = Flag { updated_at, ..Flag::default() }.named();
        judged(FlagCondition { unchanged_for, ..FlagCondition::default() }, 1.0, flag).0
    };
    assert_eq!(quiet(Some(at(400))), Verdict::Pass);
    assert_eq!(quiet(Some(at(401))), Verdict::Fail);
    assert_eq!(quiet(Some(at(1100))), Verdict::Unknown, "from the future");
    assert_eq!(quiet(None), Verdict::Unknown);
    // The worst of what is asked for decides.
    let both = FlagCondition {
        enabled: Some(true),
        changed_by: vec!["mei".into()],
        unchanged_for: Some(Duration::from_mins(10)),
        ..FlagCondition::default()
    };
    let flag = Flag { enabled: true, updated_at: Some(at(990)), ..Flag::default() }.named();
    assert_eq!(judged(both, 1.0, flag).0, Verdict::Fail);
}

fn track(query: &str, points: &[(&[(&str, &str)], f64)], sampled: Time) -> Track {
    let mut track = Track::new(SignalDef { query: query.into(), ..signal("rate") });
    let point = |(labels, value): &(&[(&str, &str)], f64)| Point {
        labels: Labels::from_pairs(labels.iter().copied()),
        value: *value,
        sampled,
    };
    let answer = SignalAnswer {
        signal: SignalId::from("rate"),
        result: Ok(points.iter().map(point).collect()),
        warnings: Vec::new(),
        history: Vec::new(),
    };
    track.observe(sampled, &answer);
    track
}

#[test]
fn a_share_is_that_of_the_variants_that_mean_on_and_old_numbers_judge_nothing() {
    let state = state(on(Percent::Known { value: 100.0 }));
    let share = |points: &[(&[(&str, &str)], f64)]| {
        state.seen(Some(&track("rate(x[5m])", points, at(1000))), None, at(1000)).map(|seen| seen.percent)
    };
    let (on, off) = (("variant", "on"), ("variant", "off"));
    assert_eq!(share(&[(&[on], 24.0), (&[off], 76.0)]), Some(24.0));
    assert_eq!(share(&[(&[on], 20.0), (&[("variant", "treatment")], 30.0), (&[off], 50.0)]), Some(50.0));
    assert_eq!(share(&[(&[off], 100.0)]), Some(0.0), "everybody got off");
    assert_eq!(share(&[(&[off], 60.0)]), None, "who got the rest is not told");
    assert_eq!(share(&[(&[("flag", "tasks.enabled")], 12.0), (&[("flag", "other")], 90.0)]), Some(12.0));
    assert_eq!(share(&[(&[], f64::NAN)]), None);

    let old = track("rate(x[5m])", &[(&[], 100.0)], at(900));
    let seen = state.seen(Some(&old), None, at(1000)).unwrap();
    assert!(seen.stale && state.drift(&seen).is_none());
    let counted =
        Flag { observed: Some(Observed { on: 10, off: 0, window: None, at: Some(at(600)) }), ..on_for_all() };
    let counted = self::state(counted);
    let seen = counted.seen(None, None, at(1000)).unwrap();
    assert!(seen.stale && counted.drift(&seen).is_none());
}

fn on_for_all() -> Flag {
    on(Percent::Known { value: 100.0 })
}

#[test]
fn an_archived_flag_passes_nothing() {
    let wanted = FlagCondition { enabled: Some(true), percent: true, ..FlagCondition::default() };
    let (verdict, why) = judged(wanted, 25.0, Flag { archived: true, ..on_for_all() });
    assert!(verdict == Verdict::Unknown && why.contains("archived"), "{why}");
}

#[test]
fn quiet_is_counted_by_this_clock_and_never_from_before_what_was_seen_here() {
    let changed = |second| Flag { updated_at: Some(at(second)), ..on_for_all() };
    let wanted = Duration::from_mins(10);
    let quiet = |state: &FlagState, now| {
        crate::engine::flags::unchanged(state, state.flag.as_ref().unwrap(), wanted, now).is_ok()
    };
    // The provider's clock is ten minutes behind: it changed just now.
    let mut behind = state(changed(0));
    behind.observe(at(1000), &answer(changed(400)), Some(-600.0));
    assert!(!quiet(&behind, at(1005)) && quiet(&behind, at(1600)));
    // Nobody says by how much: what was seen here counts.
    let mut unknown = state(on(Percent::Known { value: 10.0 }));
    unknown.observe(at(1010), &answer(changed(100)), None);
    assert!(!quiet(&unknown, at(1020)) && quiet(&unknown, at(1611)));
}

#[test]
fn a_flag_that_comes_back_is_told_and_another_environment_is_named() {
    let mut state = state(on_for_all());
    state.observe(at(1010), &FlagsAnswer::default(), None);
    assert!(state.missing);
    let back = state.observe(at(1020), &answer(on_for_all()), None).unwrap();
    assert_eq!(back.text, "tasks.enabled is there again");
    assert_eq!((state.elsewhere("production"), state.elsewhere("staging")), (None, Some("production")));
}
