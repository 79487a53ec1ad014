//! The room while its sources fail and hang.

use std::time::Duration;

use super::*;

#[test]
fn a_source_that_fails_is_logged_once_and_its_gate_turns_when_max_age_is_over() {
    let mut state = room();
    let effects = press(&mut state, "space");
    save(&mut state, &effects);
    let start = state.now;
    update(&mut state, depth(start, 10.0));
    for s in [5, 10] {
        let asked = start.after(Duration::from_secs(s));
        let fault = Fault::new(FaultCode::Unreachable, "refused");
        let outcome = Err(fault);
        let poll = Polled { source: SourceId::from("worker"), asked, took: Duration::ZERO, outcome };
        update(&mut state, Msg::Polled(Box::new(poll)));
    }
    assert_eq!(state.log.lines().filter(|l| l.text == "worker refused").count(), 1);
    assert_eq!(state.overall().outcome, crate::engine::Outcome::Go);
    update(&mut state, Msg::Clock(start.after(Duration::from_secs(16))));
    assert_eq!(state.overall().outcome, crate::engine::Outcome::Unknown);
    assert!(state.log.lines().last().unwrap().text.contains("? queue unknown: refused; last good 10"));
}

#[test]
fn a_source_that_hangs_is_seen_before_its_time_out_and_not_once_it_answers() {
    let mut state = room();
    update(&mut state, depth(at(5), 1.0));
    update(&mut state, Msg::Asked("worker".into(), at(10)));
    update(&mut state, Msg::Clock(at(10)));
    let line = |state: &State| summary::source_line(state, 0).unwrap().1;
    assert_eq!(line(&state), "● worker 5s", "an answer may take a moment");
    update(&mut state, Msg::Clock(at(12)));
    assert_eq!(line(&state), "● worker 7s waiting 2s");
    update(&mut state, depth(at(10), 1.0));
    assert_eq!(line(&state), "● worker 2s");
}
