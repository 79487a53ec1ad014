//! The recent past in a few cells. A bar's height is how near the number is to its bad threshold;
//! without one, to the highest of the past, so that a steady number draws no wall.

use crate::app::board::Tone;
use crate::model::gate::Threshold;
use crate::model::{Op, SignalDef};

const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// The newest value at the right; a gap is a blank.
pub(super) fn bars(values: &[f64], width: usize, def: &SignalDef) -> Vec<(&'static str, Tone)> {
    let width = width.min(values.len());
    let slices: Vec<f64> = (0..width).map(|i| highest(values, i, width)).collect();
    let bridged = bridge(&slices);
    let most = bridged.iter().copied().filter(|v| v.is_finite()).fold(0.0_f64, f64::max);
    let top = match def.bad.or(def.warn) {
        Some(Threshold { op: Op::Greater | Op::GreaterOrEqual, value }) if value > 0.0 => most.max(value),
        Some(Threshold { value, .. }) if value > 0.0 => most.max(value * 2.0),
        _ => most * 1.4,
    };
    bridged.into_iter().map(|v| bar(v, top, def)).collect()
}

fn bar(value: f64, top: f64, def: &SignalDef) -> (&'static str, Tone) {
    if value.is_nan() {
        return (" ", Tone::Absent);
    }
    let part = if top > 0.0 { (value / top).clamp(0.0, 1.0) } else { 0.0 };
    let step = (part * 7.0).round() as usize;
    let tone = match () {
        () if def.bad.is_some_and(|t| t.crossed(value)) => Tone::Bad,
        () if def.warn.is_some_and(|t| t.crossed(value)) => Tone::Warn,
        () => Tone::Normal,
    };
    (BARS.get(step.min(7)).copied().unwrap_or(" "), tone)
}

fn highest(values: &[f64], slice: usize, slices: usize) -> f64 {
    let begin = slice * values.len() / slices.max(1);
    let end = ((slice + 1) * values.len() / slices.max(1)).max(begin + 1);
    values.get(begin..end).unwrap_or_default().iter().copied().fold(f64::NAN, f64::max)
}

/// One empty slice between two full ones is a poll that fell beside it, not a gap.
fn bridge(slices: &[f64]) -> Vec<f64> {
    let at = |i: usize| slices.get(i).copied().unwrap_or(f64::NAN);
    let one = |(i, v): (usize, &f64)| {
        if v.is_nan() && i > 0 && !at(i - 1).is_nan() && !at(i + 1).is_nan() { at(i - 1) } else { *v }
    };
    slices.iter().enumerate().map(one).collect()
}
