//! Finds the type of a text column from a sample of its values.
//!
//! Careful rather than clever: digits with a leading zero, such as postal codes, numbers that do not fit 64 bits, and
//! fractions of a second below a microsecond stay text, so that no digit is lost.

use arrow::compute::kernels::cast_utils::{Parser, string_to_datetime};
use arrow::datatypes::{DataType, Date32Type, TimeUnit};

use super::lossless::{keeps_digits, keeps_fraction};

/// Digits of a second that a guessed type keeps.
const MICROSECOND_DIGITS: usize = 6;

/// What all values of a column seen so far have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Nothing,
    Bool,
    Int,
    /// Whole numbers of which some are not the same as a float.
    WideInt,
    Float,
    Date,
    Timestamp,
    ZonedTimestamp,
    Text,
}

/// Learns a column's type value by value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TypeGuess(Kind);

impl TypeGuess {
    /// Nothing seen yet.
    pub(super) const fn new() -> TypeGuess {
        TypeGuess(Kind::Nothing)
    }

    /// Takes one value that is not null into account.
    pub(super) fn see(&mut self, value: &str) {
        if self.0 != Kind::Text {
            self.0 = common(self.0, kind_of(value));
        }
    }

    /// The guess for all values that either saw.
    pub(super) fn common(self, other: TypeGuess) -> TypeGuess {
        TypeGuess(common(self.0, other.0))
    }

    /// The narrowest type that holds every value seen; text where there was none.
    pub(super) fn data_type(self) -> DataType {
        match self.0 {
            Kind::Bool => DataType::Boolean,
            Kind::Int | Kind::WideInt => DataType::Int64,
            Kind::Float => DataType::Float64,
            Kind::Date => DataType::Date32,
            Kind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Kind::ZonedTimestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Kind::Text | Kind::Nothing => DataType::Utf8,
        }
    }
}

fn common(a: Kind, b: Kind) -> Kind {
    match (a, b) {
        (a, b) if a == b => a,
        (Kind::Nothing, other) | (other, Kind::Nothing) => other,
        (Kind::Int, Kind::WideInt) | (Kind::WideInt, Kind::Int) => Kind::WideInt,
        (Kind::Int, Kind::Float) | (Kind::Float, Kind::Int) => Kind::Float,
        (Kind::Date, Kind::Timestamp) | (Kind::Timestamp, Kind::Date) => Kind::Timestamp,
        _ => Kind::Text,
    }
}

fn kind_of(value: &str) -> Kind {
    match value.as_bytes() {
        [b'0'..=b'9' | b'-' | b'+' | b'.', ..] => kind_of_number_or_time(value),
        _ if value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false") => Kind::Bool,
        _ => Kind::Text,
    }
}

fn kind_of_number_or_time(value: &str) -> Kind {
    let digits = value.trim_start_matches(['-', '+']);
    let padded = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    let whole = digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole && !padded && value.parse::<i64>().is_ok() {
        if keeps_digits(value) { Kind::Int } else { Kind::WideInt }
    } else if !whole && !padded && value.parse::<f64>().is_ok_and(f64::is_finite) {
        if keeps_digits(value) { Kind::Float } else { Kind::Text }
    } else {
        kind_of_time(value)
    }
}

fn kind_of_time(value: &str) -> Kind {
    const DATE_BYTES: usize = "2013-01-01".len();
    if value.len() < DATE_BYTES || value.as_bytes().get(4) != Some(&b'-') {
        Kind::Text
    } else if value.len() == DATE_BYTES {
        if Date32Type::parse(value).is_some() { Kind::Date } else { Kind::Text }
    } else if string_to_datetime(&chrono::Utc, value).is_err() || !keeps_fraction(value, MICROSECOND_DIGITS) {
        Kind::Text
    } else if has_zone(value) {
        Kind::ZonedTimestamp
    } else {
        Kind::Timestamp
    }
}

/// Whether something follows the time of day: `Z`, an offset or a name.
fn has_zone(value: &str) -> bool {
    let time = value.get("2013-01-01T".len()..).unwrap_or_default();
    time.contains(|letter: char| !(letter.is_ascii_digit() || letter == ':' || letter == '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(values: &[&str]) -> DataType {
        let mut guess = TypeGuess::new();
        values.iter().for_each(|value| guess.see(value));
        guess.data_type()
    }

    #[test]
    fn the_narrowest_type_wins() {
        assert_eq!(guess(&["1", "-7"]), DataType::Int64);
        assert_eq!(guess(&["1", "2.5", "1e3"]), DataType::Float64);
        assert_eq!(guess(&["true", "FALSE"]), DataType::Boolean);
        assert_eq!(guess(&["2013-01-31"]), DataType::Date32);
        assert_eq!(guess(&["2013-01-31", "2013-01-31 05:00:00"]), DataType::Timestamp(TimeUnit::Microsecond, None));
        let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        assert_eq!(guess(&["2013-01-31T05:00:00Z"]), utc);
        assert_eq!(guess(&["2013-01-31 05:00:00.25+02:00"]), utc);
        assert_eq!(guess(&[]), DataType::Utf8);
    }

    #[test]
    fn what_would_lose_something_stays_text() {
        for values in [["007", "1"], ["99999999999999999999", "1"], ["1e999", "1"], ["1", "x"], ["true", "1"]] {
            assert_eq!(guess(&values), DataType::Utf8, "{values:?}");
        }
        assert_eq!(guess(&["2013-02-30"]), DataType::Utf8, "no such day");
        assert_eq!(guess(&["2013-01-31", "5"]), DataType::Utf8);
        assert_eq!(guess(&["2013-01-31T05:00:00Z", "2013-01-31 05:00:00"]), DataType::Utf8, "mixed zones");
        assert_eq!(guess(&["NaN", "inf"]), DataType::Utf8);
        assert_eq!(guess(&["0", "0.5"]), DataType::Float64);
        assert_eq!(guess(&["9007199254740993", "1"]), DataType::Int64);
        assert_eq!(guess(&["9007199254740993", "1.5"]), DataType::Utf8, "2^53 + 1 is no float");
        assert_eq!(guess(&["9007199254740992", "1.5"]), DataType::Float64);
        assert_eq!(guess(&["0.1234567890123456789"]), DataType::Utf8);
        assert_eq!(guess(&["2013-01-31T05:00:00.123456789"]), DataType::Utf8);
        let microseconds = DataType::Timestamp(TimeUnit::Microsecond, None);
        assert_eq!(guess(&["2013-01-31T05:00:00.123456000"]), microseconds);
    }
}
