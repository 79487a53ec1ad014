//! What the eye must find first: the worst reasons, the clock.

use std::time::Duration;

use crate::checklist::{Run, words};
use crate::engine::{Gate, Judgement, Overall};
use crate::model::duration::short;
use crate::model::{Condition, GateId, Mark, Time, Verdict};

use super::state::State;

/// One reason why it is not GO, in words.
#[derive(Clone, Debug, PartialEq)]
pub struct ReasonLine {
    /// The gate.
    pub gate: GateId,
    /// Fail or unknown.
    pub verdict: Verdict,
    /// What is measured, the value against the threshold, for how long.
    pub text: String,
    /// The source with the age of the sample: `prom 3s`.
    pub source: String,
}

/// The worst reasons, worst first; empty at GO.
pub fn worst(state: &State, overall: &Overall, most: usize) -> Vec<ReasonLine> {
    let bad = overall.gates.iter().filter(|(_, j)| j.verdict != Verdict::Pass).take(most);
    bad.filter_map(|(id, judgement)| Some(line(state.watch.gate(id)?, judgement))).collect()
}

/// One gate's judgement as a line.
pub fn line(gate: &Gate, judgement: &Judgement) -> ReasonLine {
    let mut text = judgement.reason.text.clone();
    // An alert says itself since when it fires.
    let says_since = matches!(gate.def.condition, Condition::Alert(_));
    if let (Verdict::Fail, Some(lasting)) = (judgement.verdict, judgement.lasting)
        && !lasting.is_zero()
        && !says_since
    {
        text = format!("{text} for {}", short(lasting));
    }
    let series: Vec<&str> = judgement.labels.iter().map(|(_, value)| value).collect();
    if !series.is_empty() {
        text = format!("{}: {text}", crate::model::text::harmless_line(&series.join(" "), 40));
    }
    let age = judgement.age.map(|age| format!(" {}", short(age))).unwrap_or_default();
    ReasonLine {
        gate: gate.def.id.clone(),
        verdict: judgement.verdict,
        text,
        source: format!("{}{age}", gate.source),
    }
}

/// The launch's clock: `T-00:10:00`, `T+00:03:12`, or `T-0 not set`.
pub fn t_clock(state: &State) -> String {
    match &state.run {
        Some(view) => t_clock_of(&view.run, state.now),
        None => words_of(state.launch.t0.map(|t0| Mark::of(state.now, t0))),
    }
}

/// What T shows in a run.
pub fn t_clock_of(run: &Run, now: Time) -> String {
    words_of(run.clock.mark(&run.template, now))
}

fn words_of(mark: Option<Mark>) -> String {
    mark.map_or_else(|| "T-0 not set".into(), |mark| mark.to_string())
}

/// What holds the clock: `HOLD t-10 26m left`, `HOLD 4m02s`, `SCRUBBED`; with the reason, where there
/// is one, as the second part. `None` while nothing does.
pub fn hold(state: &State) -> Option<(String, Option<String>)> {
    let run = &state.run.as_ref()?.run;
    if let Some((by, at, reason)) = &run.clock.scrubbed {
        return Some((format!("SCRUBBED {}", at.clock()), Some(format!("{reason} ({})", words::who(by)))));
    }
    let held = run.clock.hold_at(&run.template, state.now)?;
    let name = held.hold.as_deref().map(|id| format!(" {id}")).unwrap_or_default();
    let time = match held.until(&run.template) {
        Some(until) if until > state.now => format!("{} left", short(floor(until.since(state.now)))),
        Some(until) => format!("over by {}", short(floor(state.now.since(until)))),
        None => short(floor(state.now.since(held.since))),
    };
    Some((format!("HOLD{name} {time}"), held.reason))
}

fn floor(span: Duration) -> Duration {
    Duration::from_secs(span.as_secs())
}

/// The poll that is open, in words: `t-10: captain GO · sre ? · support NO-GO`.
pub fn poll(state: &State) -> Option<String> {
    let run = &state.run.as_ref()?.run;
    let poll = run.poll_at(state.now)?;
    let of = |station: &String| {
        let word = match poll.votes.get(station) {
            Some(vote) if vote.is_go() => "GO",
            Some(vote) if !vote.go => "NO-GO",
            Some(_) => "GO lapsed",
            None if poll.is_over(state.now) => "silent",
            None => "?",
        };
        format!("{} {word}", crate::model::text::harmless_line(station, 20))
    };
    let stations: Vec<String> = poll.stations.iter().map(of).collect();
    Some(format!("poll {}: {}", poll.id, stations.join(" · ")))
}

/// Each source with its health and age, as the footer says it: `● worker 2s`. Of one that fails the
/// time without a good answer and the reason come before all else that there is to say of it:
/// `✗ identity for 31s: answers 503`.
pub fn source_line(state: &State, index: usize) -> Option<(crate::model::Health, String)> {
    let source = state.watch.sources.get(index)?;
    let health = source.health(state.now);
    let name = format!("{} {}", health.glyph(), source.def.id);
    let age = source.age(state.now).map(short);
    let waiting = source.waiting(state.now).map(|w| format!(" waiting {}", short(w))).unwrap_or_default();
    if let Some(fault) = &source.fault {
        let since = age.map_or_else(|| "from the start".into(), |age| format!("for {age}"));
        return Some((health, format!("{name} {since}: {fault}{waiting}")));
    }
    let age = age.unwrap_or_else(|| "never".into());
    let unreadable = match source.notes.unreadable {
        0 => String::new(),
        lines => format!(" {lines} unreadable"),
    };
    Some((health, format!("{name} {age}{waiting}{unreadable}")))
}
