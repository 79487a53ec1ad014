//! The date functions: parts of a time in UTC.

use jiff::civil::DateTime;

/// A moment as a date and a time of day.
#[derive(Clone, Copy, Debug)]
pub(in crate::promql) struct Civil(DateTime);

impl Civil {
    /// From Unix seconds, cut to whole ones; `None` outside of the years -9999 to 9999.
    pub(super) fn from_seconds(seconds: f64) -> Option<Self> {
        if seconds.is_nan() {
            return None;
        }
        let moment = jiff::Timestamp::from_second(seconds as i64).ok()?;
        Some(Self(jiff::tz::Offset::UTC.to_datetime(moment)))
    }
}

pub(in crate::promql) fn year(civil: &Civil) -> f64 {
    f64::from(civil.0.year())
}

pub(in crate::promql) fn month(civil: &Civil) -> f64 {
    f64::from(civil.0.month())
}

pub(in crate::promql) fn day_of_month(civil: &Civil) -> f64 {
    f64::from(civil.0.day())
}

pub(in crate::promql) fn day_of_week(civil: &Civil) -> f64 {
    f64::from(civil.0.weekday().to_sunday_zero_offset())
}

pub(in crate::promql) fn day_of_year(civil: &Civil) -> f64 {
    f64::from(civil.0.day_of_year())
}

pub(in crate::promql) fn days_in_month(civil: &Civil) -> f64 {
    f64::from(civil.0.days_in_month())
}

pub(in crate::promql) fn hour(civil: &Civil) -> f64 {
    f64::from(civil.0.hour())
}

pub(in crate::promql) fn minute(civil: &Civil) -> f64 {
    f64::from(civil.0.minute())
}
