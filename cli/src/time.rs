//! Times as people write and read them: UTC, microseconds since 1970-01-01 inside.

use arrow::compute::kernels::cast_utils::string_to_datetime;
use chrono::{DateTime, Utc};

/// Reads `2013-03-01`, `2013-03-01 12:30:00` (UTC) or RFC 3339 with an offset.
pub(crate) fn parse(text: &str) -> Result<i64, String> {
    string_to_datetime(&Utc, text)
        .map(|time| time.timestamp_micros())
        .map_err(|_| format!("{text:?} is not a time; write 2013-03-01, \"2013-03-01 12:30:00\" (UTC) or RFC 3339"))
}

/// `2013-03-01 12:30:00`, in UTC.
pub(crate) fn format(time_us: i64) -> String {
    let time = DateTime::from_timestamp_micros(time_us);
    time.map_or_else(|| time_us.to_string(), |time| time.format("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_shown_in_utc() {
        assert_eq!(format(parse("2013-03-01").unwrap()), "2013-03-01 00:00:00");
        assert_eq!(format(parse("2013-03-01 12:30:00").unwrap()), "2013-03-01 12:30:00");
        assert_eq!(format(parse("2013-03-01T12:30:00+02:00").unwrap()), "2013-03-01 10:30:00");
        assert_eq!(parse("1970-01-01T00:00:00.000001Z").unwrap(), 1);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "yesterday", "2013-02-30", "2013"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
