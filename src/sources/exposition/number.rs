//! Floats as Go reads them, and timestamps of both dialects.

use super::Flaw;

/// Reads a value as Prometheus does: Go's `strconv.ParseFloat` without the hexadecimal and
/// underscore forms, which Prometheus refuses. Infinities and NaN are known in any case of letters.
pub(super) fn value(token: &str) -> Result<f64, Flaw> {
    float(token).ok_or_else(|| Flaw::new("bad-value", format!("the value {token:?} is not a number")))
}

fn float(token: &str) -> Option<f64> {
    // Most values are short whole numbers, which a float holds as they are.
    if (1..=15).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(token.bytes().fold(0_u64, |value, byte| value * 10 + u64::from(byte - b'0')) as f64);
    }
    let value: f64 = token.parse().ok()?;
    let first_digit = token.bytes().any(|b| b.is_ascii_digit());
    // Rust takes a sign before NaN and turns what is too large into infinity; Go does neither.
    let signed_nan = value.is_nan() && token.starts_with(['+', '-']);
    let overflowed = value.is_infinite() && first_digit;
    (!signed_nan && !overflowed).then_some(value)
}

/// Reads a timestamp of the text format: whole milliseconds.
pub(super) fn millis(token: &str) -> Result<i64, Flaw> {
    token.parse().map_err(|_| {
        Flaw::new("bad-timestamp", format!("the timestamp {token:?} is not a whole number of milliseconds"))
    })
}

/// Reads a timestamp of `OpenMetrics`: seconds, finite. What is finer than a millisecond is cut off,
/// as Prometheus does, but not where only the float slipped below the millisecond that was written.
pub(super) fn seconds(token: &str) -> Result<i64, Flaw> {
    let flaw = || Flaw::new("bad-timestamp", format!("the timestamp {token:?} is not a number of seconds"));
    let millis = float(token).ok_or_else(flaw)? * 1000.0;
    let nearest = millis.round();
    let whole = if (millis - nearest).abs() < 5e-4 { nearest } else { millis.trunc() };
    if whole.is_finite() && whole.abs() < 9.2e18 { Ok(whole as i64) } else { Err(flaw()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_a_prometheus_scrape_reads_them() {
        for (token, expected) in [
            ("1", 1.0),
            ("-0", -0.0),
            ("+3.5", 3.5),
            ("1e3", 1000.0),
            ("1E-3", 0.001),
            (".5", 0.5),
            ("5.", 5.0),
            ("4.9351e-05", 4.9351e-05),
            ("1e-400", 0.0),
            ("18446744073709551616", 18_446_744_073_709_551_616.0),
            ("+Inf", f64::INFINITY),
            ("Inf", f64::INFINITY),
            ("-Inf", f64::NEG_INFINITY),
            ("-infinity", f64::NEG_INFINITY),
            ("INF", f64::INFINITY),
        ] {
            assert_eq!(value(token), Ok(expected), "{token}");
        }
        assert!(value("NaN").unwrap().is_nan() && value("nan").unwrap().is_nan());
        for bad in [
            "", "abc", "true", "1_2", "0x1p-3", "0x10", "1e400", "-1e309", "+NaN", "-nan", "1,5", ".", "e3",
            "1e",
        ] {
            assert_eq!(value(bad).unwrap_err().code, "bad-value", "{bad}");
        }
    }

    #[test]
    fn milliseconds_are_whole_and_seconds_keep_their_milliseconds() {
        assert_eq!(millis("1395066363000"), Ok(1_395_066_363_000));
        assert_eq!(millis("-5"), Ok(-5));
        for bad in ["1.5", "1e3", "1_2", "", "9223372036854775808", "NaN"] {
            assert_eq!(millis(bad).unwrap_err().code, "bad-timestamp", "{bad}");
        }
        for (token, expected) in [
            ("1520879607.789", 1_520_879_607_789),
            ("1.520879607789e+09", 1_520_879_607_789),
            ("1.001", 1001),
            ("1.0019", 1001),
            ("-1.5", -1500),
            ("0", 0),
        ] {
            assert_eq!(seconds(token), Ok(expected), "{token}");
        }
        for bad in ["NaN", "Inf", "-Inf", "1z", "", "1e300", "1_2"] {
            assert_eq!(seconds(bad).unwrap_err().code, "bad-timestamp", "{bad}");
        }
    }

    #[test]
    fn every_millisecond_of_our_time_survives_the_way_through_a_float() {
        for millis in (1_764_684_000_000_i64..1_764_684_060_000).step_by(7) {
            let token = format!("{}.{:03}", millis / 1000, millis % 1000);
            assert_eq!(seconds(&token), Ok(millis), "{token}");
        }
    }
}
