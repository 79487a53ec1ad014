//! Durations in expressions: `5m`, `1h30m`, `1y2w3d4h5m6s7ms`, or a bare number of seconds.

/// The longest duration that Prometheus can hold (64 bits of nanoseconds), in milliseconds.
const LONGEST: i64 = 9_223_372_036_854;

const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 24 * 3_600_000),
    ("w", 7 * 24 * 3_600_000),
    ("d", 24 * 3_600_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Milliseconds of a duration as `PromQL` writes it: units from large to small, each once.
///
/// # Errors
/// A sentence, for what is no duration, is zero, or is longer than Prometheus can hold.
pub(super) fn millis(text: &str) -> Result<i64, String> {
    let total = match text.parse::<f64>() {
        Ok(seconds) => (seconds * 1000.0).round(),
        Err(_) => units(text).ok_or_else(|| format!("{text} is no duration: write 5m, 1h30m or 90s"))? as f64,
    };
    if total > LONGEST as f64 {
        return Err(format!("{text} is longer than the 292 years that Prometheus can count"));
    }
    // NaN is not above zero either.
    if total >= 1.0 { Ok(total as i64) } else { Err("a duration must be greater than 0".into()) }
}

fn units(text: &str) -> Option<i128> {
    let mut rest = text;
    let mut total = 0i128;
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (count, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let (_, size) = units.by_ref().find(|(name, _)| *name == unit)?;
        total += i128::from(count.parse::<u32>().ok()?) * i128::from(*size);
        rest = tail;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_prometheus_reads_them_and_never_cut() {
        for (text, ms) in
            [("5m", 300_000), ("1h30m", 5_400_000), ("1y", 31_536_000_000), ("1m5ms", 60_005), ("1.5", 1500)]
        {
            assert_eq!(millis(text), Ok(ms), "{text}");
        }
        for text in ["0s", "0", "5", "5x", "m", "1m1h", "1h99999999999s", "300y", "1e300", "99999999999"] {
            assert_eq!(millis(text).is_ok(), text == "5", "{text}");
        }
    }
}
