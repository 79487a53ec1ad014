//! A moment on the wall clock. Left of `runtime` every time is an argument.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Milliseconds since the Unix epoch, UTC: the resolution of Prometheus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// The earliest moment: before every sample.
    pub const MIN: Time = Time(i64::MIN);

    /// Later than anything.
    pub const MAX: Time = Time(i64::MAX);

    /// A moment from milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// A moment from Unix seconds, rounded to the nearest millisecond. `None` where the number is
    /// not finite or lies beyond what milliseconds in an `i64` can hold.
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        let millis = (seconds * 1000.0).round();
        (millis.is_finite() && millis.abs() < 9.2e18).then_some(Self(millis as i64))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch, with the milliseconds as fraction.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// How long after `earlier` this is; zero where it is not after it at all.
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// This moment and `span` more, stopping at the end of time instead of wrapping.
    #[must_use]
    pub fn after(self, span: Duration) -> Time {
        Time(self.0.saturating_add(millis_of(span)))
    }

    /// This moment less `span`, stopping at the beginning of time instead of wrapping.
    #[must_use]
    pub fn before(self, span: Duration) -> Time {
        Time(self.0.saturating_sub(millis_of(span)))
    }

    /// RFC 3339 in UTC with milliseconds, as in JSON output and in the ledger:
    /// `2025-12-02T14:02:11.204Z`. A moment beyond the year 9999 comes out as Unix seconds.
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_millisecond(self.0)
            .map_or_else(|_| self.seconds().to_string(), |t| format!("{t:.3}"))
    }

    /// The time of day in UTC, `14:02:11`.
    pub fn clock(self) -> String {
        jiff::Timestamp::from_millisecond(self.0)
            .map_or_else(|_| "--:--:--".into(), |t| t.strftime("%H:%M:%S").to_string())
    }

    /// The date in UTC, `2025-12-02`.
    pub fn date(self) -> String {
        jiff::Timestamp::from_millisecond(self.0)
            .map_or_else(|_| "----------".into(), |t| t.strftime("%Y-%m-%d").to_string())
    }

    /// Reads RFC 3339 (`2025-12-02T15:00:00Z`) or Unix seconds with fractions (`1764687600.5`).
    ///
    /// # Errors
    /// A sentence that says what is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Ok(seconds) = text.parse::<f64>() {
            return Self::from_seconds(seconds)
                .ok_or_else(|| format!("{text} lies outside the times that can be told"));
        }
        text.parse::<jiff::Timestamp>().map(|t| Self(t.as_millisecond())).map_err(|_| {
            format!("{text:?} is no time: write RFC 3339 (2025-12-02T15:00:00Z) or Unix seconds")
        })
    }
}

fn millis_of(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.rfc3339())
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.rfc3339())
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_rfc_3339_or_as_unix_seconds_and_milliseconds_count() {
        let t = Time::parse("2025-12-02T14:02:11.204Z").unwrap();
        assert_eq!(Time::parse("1764684131.204").unwrap(), t);
        assert_eq!(t.rfc3339(), "2025-12-02T14:02:11.204Z");
        assert_eq!(t.clock(), "14:02:11");
        assert!(Time::parse("noon").unwrap_err().contains("RFC 3339"));
        assert!(Time::parse("NaN").is_err() && Time::parse("1e300").is_err());
    }

    #[test]
    fn a_clock_that_stepped_back_gives_no_negative_age() {
        assert_eq!(Time::from_millis(5).since(Time::from_millis(9)), Duration::ZERO);
    }
}
