//! Arithmetic on single numbers, with Go's special cases.

use std::f64::consts::PI;

use crate::promql::plan::Operator;

pub(in crate::promql) fn deg(value: f64) -> f64 {
    value * 180.0 / PI
}

pub(in crate::promql) fn rad(value: f64) -> f64 {
    value * PI / 180.0
}

pub(in crate::promql) fn sgn(value: f64) -> f64 {
    if value < 0.0 {
        -1.0
    } else if value > 0.0 {
        1.0
    } else {
        value
    }
}

/// Rounds to the nearest multiple, ties upwards.
pub(super) fn round(value: f64, to: f64) -> f64 {
    let inverse = 1.0 / to;
    (value * inverse + 0.5).floor() / inverse
}

/// Go's `math.Max`: +Inf wins over NaN, NaN over all else.
fn max(a: f64, b: f64) -> f64 {
    if a == f64::INFINITY || b == f64::INFINITY {
        f64::INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.max(b)
    }
}

/// Go's `math.Min`: -Inf wins over NaN, NaN over all else.
fn min(a: f64, b: f64) -> f64 {
    if a == f64::NEG_INFINITY || b == f64::NEG_INFINITY {
        f64::NEG_INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.min(b)
    }
}

pub(super) fn clamp(value: f64, least: f64, most: f64) -> f64 {
    max(least, min(most, value))
}

/// What an operator makes of two numbers, and whether a comparison holds (arithmetic always does).
/// A comparison gives its left side.
pub(super) fn apply(operator: Operator, a: f64, b: f64) -> (f64, bool) {
    match operator {
        Operator::Add => (a + b, true),
        Operator::Sub => (a - b, true),
        Operator::Mul => (a * b, true),
        Operator::Div => (a / b, true),
        Operator::Mod => (a % b, true),
        Operator::Pow => (a.powf(b), true),
        Operator::Atan2 => (a.atan2(b), true),
        Operator::Equal => (a, a == b),
        Operator::NotEqual => (a, a != b),
        Operator::Greater => (a, a > b),
        Operator::Less => (a, a < b),
        Operator::GreaterEqual => (a, a >= b),
        Operator::LessEqual => (a, a <= b),
        // Set operators compare labels, never values.
        Operator::And | Operator::Or | Operator::Unless => (a, true),
    }
}
