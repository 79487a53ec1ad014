//! Durations as people write them: `5s`, `10m`, `1h30m`.

use std::time::Duration;

/// Reads `500ms`, `5s`, `10m`, `1h30m`, `2d`, or a bare number of seconds (`15`, `0.5`).
///
/// # Errors
/// A sentence that says what is allowed.
pub fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds)
            .map_err(|_| format!("{text} is no length of time: it must be positive and finite"));
    }
    text.parse::<jiff::SignedDuration>()
        .ok()
        .and_then(|d| Duration::try_from(d).ok())
        .or_else(|| promql_days(text))
        .ok_or_else(|| format!("{text:?} is no length of time: write 500ms, 5s, 10m, 1h30m or 2d"))
}

/// Days and weeks, which `jiff` refuses in an absolute duration and Prometheus counts as 24 h each.
fn promql_days(text: &str) -> Option<Duration> {
    let split = text.find(['d', 'w'])?;
    let (count, rest) = text.split_at_checked(split)?;
    let mut rest = rest.chars();
    let days = count.trim().parse::<u64>().ok()?.checked_mul(if rest.next() == Some('w') { 7 } else { 1 })?;
    let whole = Duration::from_secs(days.checked_mul(86_400)?);
    match rest.as_str() {
        "" => Some(whole),
        more => whole.checked_add(parse(more).ok()?),
    }
}

/// At most two units, for a screen: `4.2s`, `12s`, `2m10s`, `3h05m`, `2d04h`. Whole seconds are cut,
/// not rounded, so that nothing looks older or longer than it is by rounding up.
pub fn short(span: Duration) -> String {
    let s = span.as_secs();
    match s {
        0 if span.is_zero() => "0s".into(),
        0 => format!("{}ms", span.as_millis()),
        1..60 => format!("{s}s"),
        60..3600 if s.is_multiple_of(60) => format!("{}m", s / 60),
        60..3600 => format!("{}m{:02}s", s / 60, s % 60),
        3600..86_400 if (s % 3600) / 60 == 0 => format!("{}h", s / 3600),
        3600..86_400 => format!("{}h{:02}m", s / 3600, (s % 3600) / 60),
        _ if (s % 86_400) / 3600 == 0 => format!("{}d", s / 86_400),
        _ => format!("{}d{:02}h", s / 86_400, (s % 86_400) / 3600),
    }
}

/// Hours, minutes and seconds for a countdown: `00:10:00`, `102:00:07`.
pub fn hms(span: Duration) -> String {
    let s = span.as_secs();
    format!("{:02}:{:02}:{:02}", s / 3600, (s % 3600) / 60, s % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_as_people_write_them() {
        for (text, seconds) in [
            ("5s", 5.0),
            ("10m", 600.0),
            ("1h30m", 5400.0),
            ("500ms", 0.5),
            ("15", 15.0),
            ("2d", 172_800.0),
            ("1w2d", 777_600.0),
        ] {
            assert_eq!(parse(text).unwrap(), Duration::from_secs_f64(seconds), "{text}");
        }
        for bad in ["", "soon", "-5s", "5x", "1e400", "99999999999999999999d"] {
            assert!(parse(bad).unwrap_err().contains("length of time"), "{bad}");
        }
        let shorts = [0, 12, 60, 130, 3600, 11_100, 187_200].map(|s| short(Duration::from_secs(s)));
        assert_eq!(shorts, ["0s", "12s", "1m", "2m10s", "1h", "3h05m", "2d04h"]);
        assert_eq!(hms(Duration::from_mins(10)), "00:10:00");
    }
}
