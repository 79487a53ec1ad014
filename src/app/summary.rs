//! What the eye must find first: the worst reasons, the clock.

use std::time::Duration;

use crate::engine::{Gate, Judgement, Overall};
use crate::model::duration::{hms, short};
use crate::model::{Condition, GateId, Verdict};

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
    let t0 = match &state.run {
        Some(view) => view.run.clock.t0,
        None => state.launch.t0,
    };
    match t0 {
        None => "T-0 not set".into(),
        Some(t0) if state.now < t0 => format!("T-{}", hms(t0.since(state.now) + rounding(state, t0))),
        Some(t0) => format!("T+{}", hms(state.now.since(t0))),
    }
}

/// A countdown shows a second until it is over: at 0.4 s before T-0 it says one second, not zero.
fn rounding(state: &State, t0: crate::model::Time) -> Duration {
    let part = t0.since(state.now).subsec_millis();
    if part == 0 { Duration::ZERO } else { Duration::from_millis(u64::from(1000 - part)) }
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
