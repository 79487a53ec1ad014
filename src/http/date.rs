//! Dates in headers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

use crate::model::Time;

/// The server's `Date`.
pub(super) fn server(headers: &HeaderMap) -> Option<Time> {
    http_date(text(headers, &DATE)?)
}

/// `Retry-After` as a span from now. A date is taken relative to the server's own `Date`, so that a
/// clock that runs differently here does not shorten or stretch it; without one, to this system's
/// clock. A moment that has passed is zero.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = text(headers, &RETRY_AFTER)?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    Some(http_date(value)?.since(server(headers).unwrap_or_else(system_time)))
}

/// `X-Ratelimit-Reset`, a Unix time in milliseconds, as a span from now; read as [`retry_after`] reads a
/// date.
pub(super) fn rate_limit_reset(headers: &HeaderMap) -> Option<Duration> {
    let millis = text(headers, &HeaderName::from_static("x-ratelimit-reset"))?.trim().parse::<i64>().ok()?;
    // Smaller numbers are seconds, of the day or of a span: which, nobody says.
    (millis > 100_000_000_000)
        .then(|| Time::from_millis(millis).since(server(headers).unwrap_or_else(system_time)))
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn http_date(text: &str) -> Option<Time> {
    let zoned = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    Some(Time::from_millis(zoned.timestamp().as_millisecond()))
}

fn system_time() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (n.clone(), v.parse().unwrap())).collect()
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date_by_the_servers_own_clock() {
        let date = (DATE, "Sun, 06 Nov 1994 08:49:37 GMT");
        let wait = |v| retry_after(&headers(&[date.clone(), (RETRY_AFTER, v)]));
        assert_eq!(wait("120"), Some(Duration::from_mins(2)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:50:07 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("soon"), None);
        let reset = |v| {
            rate_limit_reset(&headers(&[date.clone(), (HeaderName::from_static("x-ratelimit-reset"), v)]))
        };
        assert_eq!(reset("784111787500"), Some(Duration::from_millis(10_500)));
        assert_eq!([reset("784111787"), reset("30"), reset("x")], [None; 3]);
        assert_eq!(server(&headers(&[date])).unwrap().rfc3339(), "1994-11-06T08:49:37.000Z");
    }
}
