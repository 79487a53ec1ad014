//! Numbers as text: as Prometheus prints them, and in their unit for people.

use super::Unit;

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

/// A number in its unit, short enough for a table: `312`, `4.2s`, `2.31 %`, `41.0/s`, `1.5 GiB`. A
/// share that is not zero is never written as zero: 0.004 % is `<0.01 %`.
pub fn in_unit(value: f64, unit: Unit) -> String {
    if !value.is_finite() {
        return text(value);
    }
    match unit {
        Unit::Jobs => count(value),
        Unit::Seconds => seconds(value),
        Unit::Percent => percent(value),
        Unit::Ratio => percent(value * 100.0),
        Unit::PerSecond => format!("{}/s", decimal(value)),
        Unit::Bytes => bytes(value),
        Unit::None => decimal(value),
    }
}

fn count(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e6 { format!("{value:.0}") } else { decimal(value) }
}

fn decimal(value: f64) -> String {
    let size = value.abs();
    match size {
        _ if value == 0.0 => "0".into(),
        0.0..0.01 => format!("{value:.1e}"),
        0.01..10.0 if value.fract() == 0.0 => format!("{value:.0}"),
        0.01..10.0 => format!("{value:.2}"),
        10.0..1000.0 if value.fract() == 0.0 => format!("{value:.0}"),
        10.0..1000.0 => format!("{value:.1}"),
        1000.0..100_000.0 => format!("{value:.0}"),
        100_000.0..1e8 => format!("{:.1}k", value / 1e3),
        1e8..1e11 => format!("{:.1}M", value / 1e6),
        _ => format!("{value:.2e}"),
    }
}

fn percent(value: f64) -> String {
    match value.abs() {
        _ if value == 0.0 => "0 %".into(),
        0.0..0.01 => "<0.01 %".into(),
        0.01..10.0 => format!("{value:.2} %"),
        10.0..1000.0 => format!("{value:.1} %"),
        _ => format!("{value:.0} %"),
    }
}

fn seconds(value: f64) -> String {
    match value.abs() {
        _ if value == 0.0 => "0s".into(),
        _ if value < 0.0 => format!("-{}", seconds(-value)),
        0.0..0.001 => "<1ms".into(),
        0.001..1.0 => format!("{:.0}ms", value * 1000.0),
        1.0..60.0 => format!("{value:.1}s"),
        _ => super::duration::short(std::time::Duration::try_from_secs_f64(value).unwrap_or_default()),
    }
}

fn bytes(value: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut scaled = value;
    let mut unit = "B";
    for name in UNITS {
        unit = name;
        if scaled.abs() < 1024.0 {
            break;
        }
        if name != "TiB" {
            scaled /= 1024.0;
        }
    }
    if unit == "B" { format!("{scaled:.0} B") } else { format!("{scaled:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::Unit;

    #[test]
    fn a_share_that_is_not_zero_is_never_written_as_zero() {
        assert_eq!(super::in_unit(0.004, Unit::Percent), "<0.01 %");
        assert_eq!(super::in_unit(0.0231, Unit::Ratio), "2.31 %");
        assert_eq!(super::in_unit(0.0002, Unit::Seconds), "<1ms");
        assert_eq!(super::in_unit(0.003, Unit::PerSecond), "3.0e-3/s");
    }

    #[test]
    fn numbers_are_short_in_their_unit() {
        let cases = [
            (312.0, Unit::Jobs, "312"),
            (4.24, Unit::Seconds, "4.2s"),
            (0.212, Unit::Seconds, "212ms"),
            (150.0, Unit::Seconds, "2m30s"),
            (41.04, Unit::PerSecond, "41.0/s"),
            (1.5 * 1024.0 * 1024.0 * 1024.0, Unit::Bytes, "1.5 GiB"),
            (f64::INFINITY, Unit::Seconds, "+Inf"),
            (14.4, Unit::None, "14.4"),
        ];
        for (value, unit, text) in cases {
            assert_eq!(super::in_unit(value, unit), text);
        }
    }

    #[test]
    fn numbers_come_out_as_prometheus_prints_them() {
        let texts = [3.0, 0.25, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e21, -0.0].map(super::text);
        assert_eq!(texts, ["3", "0.25", "NaN", "+Inf", "-Inf", "1000000000000000000000", "-0"]);
    }
}
