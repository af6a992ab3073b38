//! Values that a statement spells, as far as statistics can be held against them.

use serde_json::Value as Json;

use super::predicate::text_of;
use super::value::Value;

/// A value to hold against statistics.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Constant {
    /// Exact; of any integer type.
    Int(i128),
    /// A decimal or a floating point number, to the nearest.
    Real(f64),
    /// A literal: it takes the type of what it is compared with.
    Text(String),
    /// `true` or `false`.
    Bool(bool),
    /// Days since 1970.
    Date(i32),
    /// Nanoseconds since 1970.
    Instant(i128),
}

const NANOS_PER_DAY: i128 = 86_400_000_000_000;

impl Constant {
    /// The constant that a node of DuckDB's syntax tree stands for; `None` if it is none, or null, or not understood.
    pub(super) fn of_tree(tree: &Json) -> Option<Constant> {
        match text_of(tree, "type") {
            "VALUE_CONSTANT" => literal(tree.get("value")?),
            "OPERATOR_CAST" => cast(tree),
            _ => None,
        }
    }

    /// The constant for a parameter's value; a text has its own type there, so that only texts compare with it.
    pub(super) fn of_value(value: &Value) -> Option<Constant> {
        match value {
            Value::Null | Value::Bytes(_) | Value::Time(_) => None,
            Value::Bool(value) => Some(Constant::Bool(*value)),
            Value::Int(value) => Some(Constant::Int(i128::from(*value))),
            Value::UInt(value) => Some(Constant::Int(i128::from(*value))),
            Value::Float(value) => Some(Constant::Real(*value)),
            Value::Text(value) => Some(Constant::Text(value.clone())),
            Value::Date(days) => Some(Constant::Date(*days)),
            Value::Timestamp(micros) => Some(Constant::Instant(i128::from(*micros) * 1000)),
        }
    }

    /// Nanoseconds since 1970 of a date, an instant, or a literal that spells one without any room for doubt.
    pub(super) fn nanos(&self) -> Option<i128> {
        match self {
            Constant::Date(days) => Some(i128::from(*days) * NANOS_PER_DAY),
            Constant::Instant(nanos) => Some(*nanos),
            Constant::Text(text) => parse_instant(text),
            _ => None,
        }
    }

    /// Nanoseconds since 1970 of a date; `None` for instants within a day.
    pub(super) fn day_nanos(&self) -> Option<i128> {
        match self {
            Constant::Text(text) => Some(i128::from(parse_date(text)?) * NANOS_PER_DAY),
            _ => self.nanos(),
        }
    }
}

fn literal(value: &Json) -> Option<Constant> {
    if value.get("is_null")?.as_bool()? {
        return None;
    }
    let kind = value.get("type")?;
    let value = value.get("value")?;
    match text_of(kind, "id") {
        "TINYINT" | "SMALLINT" | "INTEGER" | "BIGINT" => value.as_i64().map(|value| Constant::Int(value.into())),
        "UTINYINT" | "USMALLINT" | "UINTEGER" | "UBIGINT" => value.as_u64().map(|value| Constant::Int(value.into())),
        "HUGEINT" => wide(value).map(Constant::Int),
        "DOUBLE" | "FLOAT" => value.as_f64().map(Constant::Real),
        "DECIMAL" => decimal(kind, value),
        "VARCHAR" => value.as_str().map(|text| Constant::Text(text.to_owned())),
        "BOOLEAN" => value.as_bool().map(Constant::Bool),
        _ => None,
    }
}

fn wide(value: &Json) -> Option<i128> {
    let (upper, lower) = (value.get("upper")?.as_i64()?, value.get("lower")?.as_u64()?);
    Some(i128::from(upper) << 64 | i128::from(lower))
}

fn decimal(kind: &Json, value: &Json) -> Option<Constant> {
    let scale = i32::try_from(kind.get("type_info")?.get("scale")?.as_i64()?).ok()?;
    let unscaled = value.as_i64().map(i128::from).or_else(|| wide(value))?;
    Some(Constant::Real(unscaled as f64 / 10f64.powi(scale)))
}

/// `DATE '…'`, `TIMESTAMP '…'`, `true`: casts of a literal to a type that says how to read it.
fn cast(tree: &Json) -> Option<Constant> {
    let Constant::Text(text) = Constant::of_tree(tree.get("child")?)? else { return None };
    if tree.get("try_cast")?.as_bool()? {
        return None;
    }
    match text_of(tree.get("cast_type")?, "id") {
        "DATE" => parse_date(&text).map(Constant::Date),
        "TIMESTAMP" | "TIMESTAMP WITH TIME ZONE" => parse_instant(&text).map(Constant::Instant),
        "BOOLEAN" if text == "t" => Some(Constant::Bool(true)),
        "BOOLEAN" if text == "f" => Some(Constant::Bool(false)),
        _ => None,
    }
}

/// Days since 1970 of exactly `YYYY-MM-DD`.
fn parse_date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(text.get(0..4)?)?, digits(text.get(5..7)?)?, digits(text.get(8..10)?)?);
    let good = year > 0 && (1..=12).contains(&month) && (1..=31).contains(&day);
    good.then(|| days(year, month, day))
}

/// Nanoseconds since 1970 of exactly `YYYY-MM-DD[ HH:MM:SS[.f…]]`.
fn parse_instant(text: &str) -> Option<i128> {
    let date = i128::from(parse_date(text.get(..10)?)?) * NANOS_PER_DAY;
    let Some(time) = text.get(10..).filter(|time| !time.is_empty()) else { return Some(date) };
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let bytes = time.as_bytes();
    if bytes.len() != 9
        || !matches!(bytes[0], b' ' | b'T')
        || bytes[3] != b':'
        || bytes[6] != b':'
        || fraction.len() > 9
    {
        return None;
    }
    let (hour, minute, second) = (digits(time.get(1..3)?)?, digits(time.get(4..6)?)?, digits(time.get(7..9)?)?);
    let nanos = digits(fraction)? * 10i64.pow(9 - fraction.len() as u32);
    let good = hour < 24 && minute < 60 && second < 60;
    good.then(|| date + i128::from((hour * 60 + minute) * 60 + second) * 1_000_000_000 + i128::from(nanos))
}

fn digits(text: &str) -> Option<i64> {
    let good = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    good.then(|| text.parse().ok()).flatten()
}

/// Days since 1970 in the Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms").
fn days(year: i64, month: i64, day: i64) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era - 719_468) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_instants_are_read_only_in_their_plain_form() {
        assert_eq!(parse_date("1970-01-01"), Some(0));
        assert_eq!(parse_date("2000-03-01"), Some(11_017));
        assert_eq!(parse_date("1969-12-31"), Some(-1));
        for text in ["2000-3-1", "2000-13-01", "0000-01-01", "2000-01-01 ", "20000-01-01", "infinity", "2000-01-01BC"] {
            assert_eq!(parse_date(text), None, "{text}");
        }
        assert_eq!(parse_instant("1970-01-02"), Some(NANOS_PER_DAY));
        assert_eq!(parse_instant("1970-01-01 00:00:01.5"), Some(1_500_000_000));
        assert_eq!(parse_instant("1970-01-01T01:00:00"), Some(3_600_000_000_000));
        for text in ["1970-01-01 00:00", "1970-01-01 00:00:00+02", "1970-01-01 24:00:00", "1970-01-01 00:00:00."] {
            assert_eq!(parse_instant(text), None, "{text}");
        }
    }
}
