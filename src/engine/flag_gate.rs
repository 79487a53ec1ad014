//! One measurement of a gate on a flag: its state, how far it is rolled out, who changed it and when.
//!
//! Everything that the gate asks for is held against the flag; the worst answer is the gate's.

use crate::model::gate::FlagCondition;
use crate::model::{Flag, GateDef, Labels, Op, Percent, Reason, Time, Unit, Verdict, value};

use super::flags::{FlagState, unchanged};
use super::measure::{Limit, Measure, beyond, compare_text, threshold};

/// What one demand of a gate comes to.
struct Part {
    verdict: Verdict,
    code: &'static str,
    text: String,
}

impl Part {
    fn new(verdict: Verdict, code: &'static str, text: impl Into<String>) -> Self {
        Self { verdict, code, text: text.into() }
    }
}

/// Measures a gate on what its provider told last. A flag that is missing is unknown, and so is whatever
/// the provider does not tell.
pub(super) fn measure(
    def: &GateDef,
    wanted: &FlagCondition,
    state: Option<&FlagState>,
    failed: bool,
    at: Time,
) -> Measure {
    let key = wanted.key.as_str();
    let Some((state, flag)) = state.filter(|s| !s.missing).and_then(|s| Some((s, s.flag.as_ref()?))) else {
        let hidden = state.is_some_and(|state| !state.caps.missing);
        let text = if hidden {
            format!("{key} is not among what the provider shows")
        } else {
            format!("{key} does not exist there")
        };
        return Measure::unknown(at, "missing", text);
    };
    if flag.archived {
        return Measure::unknown(at, "archived", format!("{key} is archived: it is not evaluated any more"));
    }
    let mut parts = Vec::new();
    parts.extend(wanted.enabled.map(|enabled| switched(key, enabled, flag)));
    if wanted.percent {
        parts.push(rolled_out(def, wanted, flag, failed));
    }
    if !wanted.changed_by.is_empty() {
        parts.push(author(wanted, state, flag));
    }
    parts.extend(wanted.unchanged_for.map(|span| match unchanged(state, flag, span, at) {
        Ok(()) => Part::new(Verdict::Pass, "unchanged", ""),
        Err((true, text)) => Part::new(Verdict::Fail, "changed", text),
        Err((false, text)) => Part::new(Verdict::Unknown, "changed-unknown", text),
    }));
    // The first of the worst tells why; where all pass, the number does.
    let worst = parts.iter().rev().max_by_key(|part| part.verdict);
    let number = parts.iter().find(|part| part.code == "within");
    let told =
        worst.map(|worst| if worst.verdict == Verdict::Pass { number.unwrap_or(worst) } else { worst });
    let Some(told) = told else {
        return Measure::unknown(at, "no-data", "the gate asks for nothing");
    };
    let on = flag.switched().map(|on| f64::from(u8::from(on)));
    let share = flag.reach().bounds().map(|(low, _)| low);
    Measure {
        at,
        verdict: told.verdict,
        reason: Reason::new(told.code, &told.text),
        value: match (wanted.percent, flag.reach()) {
            (true, Percent::Estimated { value, .. }) => Some(value),
            (true, _) => share,
            (false, _) => on,
        },
        labels: Labels::from_pairs([("flag", key)]),
        sampled: Some(at),
    }
}

fn switched(key: &str, wanted: bool, flag: &Flag) -> Part {
    let Some(on) = flag.switched() else {
        let text = format!("the provider does not tell whether {key} is switched on");
        return Part::new(Verdict::Unknown, "state-unknown", text);
    };
    let is = if on { "on" } else { "off" };
    let verdict = if wanted == on { Verdict::Pass } else { Verdict::Fail };
    Part::new(verdict, "state", format!("{key} is {is}"))
}

/// A number that is not exact proves only what holds for everything that it may be.
fn rolled_out(def: &GateDef, wanted: &FlagCondition, flag: &Flag, failed: bool) -> Part {
    let reach = flag.reach();
    let Some((low, high)) = reach.bounds() else {
        let text = match reach {
            Percent::Unsupported => "the provider tells no percentage".into(),
            other => format!("rollout is {}", other.text()),
        };
        return Part::new(Verdict::Unknown, "inexact", text);
    };
    let limit = threshold(def, failed);
    if let Some(within) = wanted.within {
        return near(limit.value, within, reach, (low, high));
    }
    // An estimate is a guess with an error; whoever wants to go by one says how near is near enough.
    if matches!(reach, Percent::Estimated { .. }) {
        let text = format!("rollout is {}, an estimate: `within` says how near is near enough", reach.text());
        return Part::new(Verdict::Unknown, "inexact", text);
    }
    let (pass, fail) = (certain(limit, low, high), certain_not(limit, low, high));
    if pass {
        Part::new(Verdict::Pass, "within", compare_text(limit, low, Unit::Percent, true))
    } else if fail {
        Part::new(Verdict::Fail, beyond(limit, low), compare_text(limit, low, Unit::Percent, false))
    } else {
        Part::new(Verdict::Unknown, "inexact", format!("rollout is {}", reach.text()))
    }
}

fn near(target: f64, within: f64, reach: Percent, (low, high): (f64, f64)) -> Part {
    let (from, to) = (target - within, target + within);
    let points = |v: f64| value::in_unit(v, Unit::Percent);
    let text = format!("{} within {} points of {}", reach.text(), value::text(within), points(target));
    if from <= low && high <= to {
        Part::new(Verdict::Pass, "within", text)
    } else if high < from || to < low {
        let text =
            format!("{} is not within {} points of {}", reach.text(), value::text(within), points(target));
        Part::new(Verdict::Fail, if high < from { "below" } else { "above" }, text)
    } else {
        Part::new(Verdict::Unknown, "inexact", format!("rollout is {}: it may or may not be", reach.text()))
    }
}

/// Whether the comparison holds for every number of the range.
fn certain(limit: Limit, low: f64, high: f64) -> bool {
    match limit.op {
        Op::NotEqual => limit.value < low || high < limit.value,
        _ => limit.crossed(low) && limit.crossed(high),
    }
}

/// Whether it holds for none of them.
fn certain_not(limit: Limit, low: f64, high: f64) -> bool {
    certain(Limit { op: limit.op.opposite(), ..limit }, low, high)
}

fn author(wanted: &FlagCondition, state: &FlagState, flag: &Flag) -> Part {
    let by = match (&flag.updated_by, &flag.updated_by_id) {
        (Some(name), Some(id)) if name != id => format!("{name} ({id})"),
        (Some(name), _) => name.clone(),
        (None, id) => id.clone().unwrap_or_default(),
    };
    let told: Vec<Option<bool>> = wanted.changed_by.iter().map(|who| flag.is_changed_by(who)).collect();
    if told.contains(&Some(true)) {
        return Part::new(Verdict::Pass, "changed-by", format!("changed last by {by}"));
    }
    if told.contains(&Some(false)) {
        let allowed = wanted.changed_by.join(" or ");
        return Part::new(Verdict::Fail, "changed-by", format!("changed last by {by}, not by {allowed}"));
    }
    let why = if state.caps.author {
        "who changed it last is not told"
    } else {
        "the provider does not tell who changes flags"
    };
    Part::new(Verdict::Unknown, "author-unknown", why)
}
