//! A moment counted from T-0: `T-00:10:00`, `T+1h`.

use std::fmt;
use std::time::Duration;

use super::{Time, duration};

/// Milliseconds from T-0; negative before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(i64);

impl Mark {
    /// T-0 itself.
    pub const ZERO: Mark = Mark(0);

    /// Reads `T-00:10:00`, `T-10m`, `T+1h30m`, `T-0`.
    ///
    /// # Errors
    /// A sentence that says what is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bad =
            || format!("{text:?} is no mark of the clock: write \"T-00:10:00\", \"T-24h\" or \"T+1h30m\"");
        let rest = text.trim().strip_prefix(['T', 't']).ok_or_else(bad)?;
        let (before, rest) = match (rest.strip_prefix('-'), rest.strip_prefix('+')) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(bad()),
        };
        let span = if rest.contains(':') { hms(rest) } else { duration::parse(rest).ok() }.ok_or_else(bad)?;
        let millis = i64::try_from(span.as_millis()).map_err(|_| bad())?;
        Ok(Self(if before { -millis } else { millis }))
    }

    /// The mark of a moment, where T-0 is then.
    pub fn of(now: Time, t0: Time) -> Self {
        Self(now.millis().saturating_sub(t0.millis()))
    }

    /// When the clock shows this, where T-0 is then and nothing holds.
    pub fn time(self, t0: Time) -> Time {
        Time::from_millis(t0.millis().saturating_add(self.0))
    }

    /// T-0, where the clock shows this at `now`.
    pub fn t0(self, now: Time) -> Time {
        Time::from_millis(now.millis().saturating_sub(self.0))
    }

    /// Whether it lies before T-0, or on it.
    pub fn is_before(self) -> bool {
        self.0 <= 0
    }
}

/// `00:10:00`
fn hms(text: &str) -> Option<Duration> {
    let parts: Vec<u64> = text.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hours, minutes, seconds] = parts.as_slice() else { return None };
    if *minutes > 59 || *seconds > 59 {
        return None;
    }
    hours.checked_mul(3600)?.checked_add(minutes * 60 + seconds).map(Duration::from_secs)
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, millis) = if self.0 < 0 { ('-', self.0.unsigned_abs()) } else { ('+', self.0 as u64) };
        // Counting down, the second that has begun is still to go: 9.4 s before T-0 it is T-00:00:10.
        let seconds = if self.0 < 0 { millis.div_ceil(1000) } else { millis / 1000 };
        write!(f, "T{sign}{}", duration::hms(Duration::from_secs(seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_in_two_forms_and_shown_in_one() {
        for (text, shown) in [
            ("T-00:10:00", "T-00:10:00"),
            ("T-24h", "T-24:00:00"),
            ("t+1h30m", "T+01:30:00"),
            ("T-0", "T+00:00:00"),
            (" T+00:00:05 ", "T+00:00:05"),
        ] {
            assert_eq!(Mark::parse(text).unwrap().to_string(), shown, "{text}");
        }
        for bad in ["", "T", "10m", "T-", "T-soon", "T-00:61:00", "T-1:2", "T--5m"] {
            assert!(Mark::parse(bad).unwrap_err().contains("no mark of the clock"), "{bad}");
        }
    }

    #[test]
    fn a_mark_and_t0_and_now_fit_together() {
        let t0 = Time::from_millis(1_000_000);
        let mark = Mark::parse("T-00:00:10").unwrap();
        assert_eq!((mark.time(t0), Mark::of(mark.time(t0), t0)), (Time::from_millis(990_000), mark));
        assert_eq!(mark.t0(Time::from_millis(990_000)), t0);
        assert!(mark.is_before() && Mark::ZERO.is_before() && !Mark::parse("T+1s").unwrap().is_before());
        assert_eq!(Mark(-9_400).to_string(), "T-00:00:10");
    }
}
