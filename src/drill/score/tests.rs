//! Scores of drills made up moment by moment.

use super::*;
use crate::model::scenario::Within;

fn at(seconds: u64) -> Time {
    Time::from_millis(1_764_684_000_000).after(Duration::from_secs(seconds))
}

fn expect(decide: Decision) -> Expect {
    let minutes = |minutes| Some(Duration::from_mins(minutes));
    let within = Within {
        detect: minutes(2),
        decide: minutes(5).filter(|_| decide != Decision::None),
        rollback: minutes(10).filter(|_| decide == Decision::Rollback),
    };
    Expect { detect: vec!["oldest-job".into()], decide, within, false_alarms: None }
}

/// An inject from 100 s on, to 700 s.
fn stall() -> Vec<Happened> {
    let inject = |began, ended| Happened { kind: "worker-stall", text: "x".into(), began, ended };
    vec![inject(None, None), inject(Some(at(100)), Some(at(700)))]
}

fn bad(seconds: u64, id: &str) -> Moment {
    Moment { at: at(seconds), what: Observed::Bad(id.into()) }
}

fn decided(seconds: u64, decision: Decision) -> Moment {
    Moment { at: at(seconds), what: Observed::Decided(decision) }
}

fn rolled_back(seconds: u64) -> Moment {
    Moment { at: at(seconds), what: Observed::RolledBack }
}

fn scored(decide: Decision, moments: &[Moment]) -> Score {
    score("worker-stall", &expect(decide), &stall(), moments)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn each_step_is_measured_from_the_first_inject_whatever_the_order_of_the_moments() {
    let moments = [
        rolled_back(400),
        decided(290, Decision::Rollback),
        decided(200, Decision::Hold),
        bad(170, "oldest-job"),
        bad(180, "oldest-job"),
    ];
    let score = scored(Decision::Rollback, &moments);
    assert_eq!(
        [&score.detect, &score.decide, &score.rollback].map(|s| s.took),
        [70, 190, 300].map(|s| Some(secs(s)))
    );
    assert!(score.passed(), "{score}");
    assert_eq!(
        score.to_string(),
        "drill worker-stall: PASSED\n  time to detect     1m10s (2m allowed)\n  time to decide     3m10s (5m allowed)\n  \
         time to roll back  5m (10m allowed)\n  false alarms       none\n\
         Times are measured from the moment the first inject began, 2025-12-02T14:01:40.000Z.\n"
    );
}

#[test]
fn what_was_not_done_at_all_is_said_so_and_fails() {
    let score = scored(Decision::Rollback, &[bad(150, "queue-depth")]);
    assert_eq!(
        score.failures,
        ["not shown by oldest-job", "not decided: rollback was expected", "not rolled back"]
    );
    assert_eq!(score.to_string().matches("not at all").count(), 3);
    let json = score.json();
    assert_eq!((&json["passed"], &json["detect"]["seconds"]), (&false.into(), &serde_json::Value::Null));
}

#[test]
fn what_was_done_too_late_fails_with_both_times() {
    let score = scored(
        Decision::Rollback,
        &[bad(221, "oldest-job"), decided(401, Decision::Rollback), rolled_back(701)],
    );
    assert_eq!(
        score.failures,
        [
            "detected after 2m01s, 2m at most were allowed",
            "decided after 5m01s, 5m at most were allowed",
            "rolled back after 10m01s, 10m at most were allowed"
        ]
    );
    // The last second allowed is in time.
    let score = scored(
        Decision::Rollback,
        &[bad(220, "oldest-job"), decided(400, Decision::Rollback), rolled_back(700)],
    );
    assert!(score.passed(), "{score}");
}

#[test]
fn everything_that_must_show_it_must_and_the_last_of_it_counts() {
    let both = Expect { detect: vec!["identity".into(), "rules".into()], ..expect(Decision::Hold) };
    let moments = [bad(110, "identity"), decided(150, Decision::Hold)];
    let score_of = |moments: &[Moment]| score("blind", &both, &stall(), moments);
    assert_eq!(score_of(&moments).failures, ["not shown by rules"]);
    let score = score_of(&[&moments[..], &[bad(130, "rules")]].concat());
    assert_eq!((score.detect.took, score.passed()), (Some(secs(30)), true));
}

#[test]
fn the_wrong_decision_fails_and_a_hold_before_a_rollback_does_not() {
    let seen = bad(110, "oldest-job");
    let of = |wanted, decisions: &[Moment]| {
        scored(wanted, &[std::slice::from_ref(&seen), decisions].concat()).failures
    };
    let (hold, rollback) = (decided(130, Decision::Hold), decided(190, Decision::Rollback));
    assert_eq!(
        of(Decision::Hold, &[hold.clone(), rollback.clone()]),
        ["decided rollback after 1m30s, where a hold was right"]
    );
    assert_eq!(
        of(Decision::None, std::slice::from_ref(&hold)),
        ["decided hold after 30s, where nothing had to be decided"]
    );
    assert!(of(Decision::None, &[]).is_empty() && of(Decision::Hold, std::slice::from_ref(&hold)).is_empty());
    assert!(of(Decision::Rollback, &[hold, rollback, rolled_back(200)]).is_empty());
}

#[test]
fn what_is_said_before_anything_is_wrong_or_long_after_it_is_a_false_alarm_and_detects_nothing() {
    let moments =
        [bad(50, "oldest-job"), decided(60, Decision::Rollback), bad(900, "api-errors"), bad(1_001, "burn")];
    let score = scored(Decision::Hold, &moments);
    let alarms: Vec<&str> = score.false_alarms.iter().map(|alarm| alarm.what.as_str()).collect();
    assert_eq!(
        alarms,
        ["oldest-job", "rollback", "burn"],
        "five minutes after its end it is still its doing"
    );
    assert_eq!((score.detect.took, score.decide.took), (None, None));
    assert!(score.decisions.is_empty(), "a decision before the first inject is judged as a false alarm only");
    assert!(score.to_string().contains("false alarms       3: oldest-job at "), "{score}");

    let strict = Expect { false_alarms: Some(2), ..expect(Decision::None) };
    let seen = [&moments[..], &[bad(110, "oldest-job")]].concat();
    let score = super::score("x", &strict, &stall(), &seen);
    assert_eq!(score.failures, ["3 false alarms, 2 at most were allowed"]);
}

#[test]
fn a_drill_whose_inject_never_began_is_not_passed() {
    let happened = &stall()[..1];
    let moments = [bad(110, "oldest-job"), decided(120, Decision::Hold)];
    let score = super::score("x", &expect(Decision::Hold), happened, &moments);
    assert_eq!(score.failures, ["no inject began: there is nothing to measure"]);
    assert_eq!(score.json()["began"], serde_json::Value::Null);
    assert_eq!(score.false_alarms.len(), 2);
}
