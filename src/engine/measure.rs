//! One measurement of a gate: what one answer says about its condition, before time comes in.

use crate::model::gate::Idle;
pub use crate::model::gate::Threshold as Limit;
use crate::model::{GateDef, Labels, Point, Reason, SignalDef, Time, Unit, Verdict};

use super::Track;

/// What one answer says about a gate.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// When the answer was asked for.
    pub at: Time,
    /// Pass, fail, or unknown, on this answer alone.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The value that decided.
    pub value: Option<f64>,
    /// The series it belongs to.
    pub labels: Labels,
    /// When its oldest sample was taken.
    pub sampled: Option<Time>,
}

impl Measure {
    pub(super) fn unknown(at: Time, code: &str, text: impl AsRef<str>) -> Self {
        Self {
            at,
            verdict: Verdict::Unknown,
            reason: Reason::new(code, text),
            value: None,
            labels: Labels::none(),
            sampled: None,
        }
    }
}

/// The threshold a gate compares with: its `clear` once it has failed.
pub fn threshold(def: &GateDef, failed: bool) -> Limit {
    let value = if failed { def.clear.unwrap_or(def.value) } else { def.value };
    Limit { op: def.op, value }
}

/// Measures a gate on a signal's newest answer (rules 1 to 4 and 11).
pub fn of_signal(def: &GateDef, track: &Track, volume: Option<&Track>, failed: bool, at: Time) -> Measure {
    if let Some(fault) = &track.fault {
        return Measure::unknown(at, fault.code.as_str(), &fault.text);
    }
    if let Some(warning) = track.warnings.first() {
        return Measure::unknown(at, "partial", warning);
    }
    if let Some(idle) = below_volume(def, volume, at) {
        return idle;
    }
    if track.cut > 0 {
        return Measure::unknown(at, "too-many-series", format!("{} series left out", track.cut));
    }
    let points: Vec<&Point> = track.points().filter(|p| matches(def, &p.labels)).collect();
    match def.expect_series {
        Some(want) if want != points.len() => {
            return Measure::unknown(at, "series", format!("{} series, expected {want}", points.len()));
        }
        _ if points.is_empty() => {
            let why = track.absence.as_ref().map_or_else(String::new, |why| format!(": {why}"));
            return Measure::unknown(at, "no-data", format!("no data{why}"));
        }
        _ => {}
    }
    // The worst series decides: a fail before an unknown before a pass, and among equals the one
    // that is furthest over (or nearest to) the threshold.
    let mut all: Vec<Measure> = points.iter().map(|p| of_point(def, p, &track.def, failed, at)).collect();
    all.sort_by(|a, b| b.verdict.cmp(&a.verdict).then_with(|| distance(def, b).total_cmp(&distance(def, a))));
    all.into_iter().next().unwrap_or_else(|| Measure::unknown(at, "no-data", "no data"))
}

fn of_point(def: &GateDef, point: &Point, signal: &SignalDef, failed: bool, at: Time) -> Measure {
    let limit = threshold(def, failed);
    let (value, unit) = (point.value, signal.unit);
    // The signal's word for such a value, as the board shows it: `not draining`.
    let word = if value.is_nan() { &signal.nan } else { &signal.infinite };
    let meaning = word.as_ref().filter(|_| !value.is_finite()).map(|word| format!(" ({word})"));
    let meaning = meaning.unwrap_or_default();
    let infinite_allowed = def.allow_infinite && value.is_infinite();
    let (verdict, reason) = if !value.is_finite() && !infinite_allowed {
        let code = if value.is_nan() { "nan" } else { "infinite" };
        let is = crate::model::value::text(value);
        (Verdict::Unknown, Reason::new(code, format!("value is {is}{meaning}")))
    } else if limit.crossed(value) {
        (Verdict::Pass, Reason::new("within", compare_text(limit, value, unit, true) + &meaning))
    } else {
        // What also fails the gate's own value is told against that, not against `clear`.
        let own = threshold(def, false);
        let told = if own.crossed(value) { limit } else { own };
        (Verdict::Fail, Reason::new(beyond(told, value), compare_text(told, value, unit, false) + &meaning))
    };
    Measure {
        at,
        verdict,
        reason,
        value: Some(value),
        labels: point.labels.clone(),
        sampled: Some(point.sampled),
    }
}

fn below_volume(def: &GateDef, volume: Option<&Track>, at: Time) -> Option<Measure> {
    let (signal, least) = def.min_volume.as_ref()?;
    let idle = |text: String, value| Measure {
        value,
        verdict: if def.idle == Idle::Pass { Verdict::Pass } else { Verdict::Unknown },
        ..Measure::unknown(at, "idle", text)
    };
    let Some(track) = volume.filter(|t| tells(t, at)) else {
        return Some(Measure::unknown(at, "no-volume", format!("{signal} cannot be told")));
    };
    // Only labels that the volume signal has can narrow it down.
    let fits = |p: &&Point| {
        def.matching.iter().all(|(name, want)| p.labels.get(name).is_none_or(|value| value == want))
    };
    let counted: Vec<&Point> = track.points().filter(fits).collect();
    // Absent is not zero: no traffic is a number too.
    if counted.is_empty() {
        return Some(Measure::unknown(at, "no-volume", format!("{signal} has no data")));
    }
    let oldest = track.def.max_age;
    if counted.iter().any(|p| at.since(p.sampled) > oldest || p.sampled.since(at) > oldest / 2) {
        return Some(Measure::unknown(at, "no-volume", format!("{signal} is not of now")));
    }
    let total: f64 = counted.iter().map(|p| p.value).sum();
    if !total.is_finite() {
        let is = crate::model::value::text(total);
        return Some(Measure::unknown(at, "no-volume", format!("{signal} is {is}")));
    }
    // A volume that passes by `idle` has no sample of its own; it is as fresh as this answer.
    (total < *least).then(|| Measure {
        sampled: Some(at),
        ..idle(format!("idle: {signal} {} < {least}", number(total, Unit::None)), Some(total))
    })
}

/// Whether a volume's last answer is whole and young enough to speak of traffic at all.
fn tells(track: &Track, at: Time) -> bool {
    let young = track.asked.is_some_and(|asked| at.since(asked) <= track.def.max_age);
    young && track.fault.is_none() && track.warnings.is_empty()
}

fn matches(def: &GateDef, labels: &Labels) -> bool {
    labels.contains(def.matching.iter().map(|(n, v)| (n.as_str(), v.as_str())))
}

fn distance(def: &GateDef, measure: &Measure) -> f64 {
    let value = measure.value.unwrap_or(def.value);
    match def.op {
        crate::model::Op::Less | crate::model::Op::LessOrEqual => value - def.value,
        crate::model::Op::Greater | crate::model::Op::GreaterOrEqual => def.value - value,
        crate::model::Op::Equal => (value - def.value).abs(),
        crate::model::Op::NotEqual => -(value - def.value).abs(),
    }
}

pub(super) fn beyond(limit: Limit, value: f64) -> &'static str {
    if value > limit.value {
        "above"
    } else if value < limit.value {
        "below"
    } else {
        "equal"
    }
}

/// `312 < 500` where it holds; where it does not, the relation that is true: `612 ≥ 500`.
pub(super) fn compare_text(limit: Limit, value: f64, unit: Unit, holds: bool) -> String {
    use crate::model::Op;
    let sign = match (limit.op, holds) {
        (Op::Less, true) | (Op::GreaterOrEqual, false) => "<",
        (Op::LessOrEqual, true) | (Op::Greater, false) => "≤",
        (Op::Greater, true) | (Op::LessOrEqual, false) => ">",
        (Op::GreaterOrEqual, true) | (Op::Less, false) => "≥",
        (Op::Equal, true) | (Op::NotEqual, false) => "=",
        (Op::NotEqual, true) | (Op::Equal, false) => "≠",
    };
    let (left, right) = apart(value, limit.value, unit);
    format!("{left} {sign} {right}")
}

/// Both numbers with as many digits as it takes to tell them apart: 1.004 % is not "1 % ≥ 1 %".
fn apart(value: f64, limit: f64, unit: Unit) -> (String, String) {
    let (left, right) = (number(value, unit), number(limit, unit));
    if left == right && value != limit { (exact(value, unit), exact(limit, unit)) } else { (left, right) }
}

/// A number in its unit, short: `312`, `4.2s`, `2.31 %`, `41.0/s`.
pub fn number(value: f64, unit: Unit) -> String {
    crate::model::value::in_unit(value, unit)
}

fn exact(value: f64, unit: Unit) -> String {
    let (value, suffix) = match unit {
        Unit::Percent => (value, " %"),
        Unit::Ratio => (value * 100.0, " %"),
        Unit::Seconds => (value, "s"),
        Unit::PerSecond => (value, "/s"),
        Unit::Bytes => (value, "B"),
        Unit::Jobs | Unit::None => (value, ""),
    };
    format!("{}{suffix}", crate::model::value::text(value))
}
