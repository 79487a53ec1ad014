//! Numbers as Prometheus prints them.

/// The shortest text that reads back as the same number, without an exponent: `3`, `0.25`, `NaN`,
/// `+Inf`, `-Inf`. The rule is `strconv.FormatFloat(v, 'f', -1, 64)` of Prometheus' JSON.
pub fn text(value: f64) -> String {
    if value.is_nan() {
        "NaN".into()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf".into() } else { "-Inf".into() }
    } else {
        format!("{value}")
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_come_out_as_prometheus_prints_them() {
        let texts = [3.0, 0.25, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e21, -0.0].map(super::text);
        assert_eq!(texts, ["3", "0.25", "NaN", "+Inf", "-Inf", "1000000000000000000000", "-0"]);
    }
}
