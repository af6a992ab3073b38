//! Whether a text is still all there after its conversion to another type.

use std::str::FromStr;

use arrow::datatypes::{ArrowPrimitiveType, DataType, Float16Type, TimeUnit};

/// A float of 16 bits.
type Half = <Float16Type as ArrowPrimitiveType>::Native;

/// Whether a value, once it was converted, says all that the text says. Types that refuse what they cannot hold, as
/// integers do, are not asked.
pub(super) fn keeps(value: &str, data_type: &DataType) -> bool {
    match data_type {
        DataType::Float64 => keeps_digits(value),
        DataType::Float32 => shows_digits::<f32>(value, 6, f32::is_normal),
        DataType::Float16 => shows_digits::<Half>(value, 3, Half::is_normal),
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => places_of(value) <= i64::from(*scale),
        DataType::Date32 | DataType::Date64 => !value.contains(':'),
        DataType::Timestamp(unit, _) | DataType::Time32(unit) | DataType::Time64(unit) => {
            keeps_fraction(value, fraction_digits(*unit))
        }
        _ => true,
    }
}

/// Whether numbers of this type are read as text, so that [`keeps`] can look at what was written.
pub(super) fn may_lose(data_type: &DataType) -> bool {
    use DataType::{Date32, Date64, Decimal128, Decimal256, Time32, Time64, Timestamp};
    data_type.is_floating()
        || matches!(data_type, Decimal128(..) | Decimal256(..) | Date32 | Date64)
        || matches!(data_type, Timestamp(..) | Time32(_) | Time64(_))
}

/// Whether a float of 64 bits, printed with as many digits as a number has, shows the same ones.
pub(super) fn keeps_digits(number: &str) -> bool {
    shows_digits::<f64>(number, 15, f64::is_normal)
}

/// A float tells `always_kept` decimal digits apart wherever it lies.
fn shows_digits<F>(number: &str, always_kept: usize, is_normal: fn(F) -> bool) -> bool
where
    F: FromStr + Copy + Into<f64> + std::fmt::LowerExp,
{
    /// No float has more digits that are not zero.
    const DIGITS_MAX: usize = 767;
    let digits = digits_of(number);
    let Ok(float) = number.trim().parse::<F>() else { return false };
    match digits.len() {
        0 => float.into() == 0.0 || !float.into().is_finite(),
        count if count <= always_kept && is_normal(float) => true,
        count @ 1..=DIGITS_MAX => digits_of(&format!("{float:.0$e}", count - 1)) == digits,
        _ => false,
    }
}

/// The digits of a number from the first that is not zero, without its exponent.
fn digits_of(number: &str) -> String {
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_start_matches('0').into()
}

/// How many decimal places a number needs; fewer than none where it ends in zeros before the point.
fn places_of(number: &str) -> i64 {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i64 = exponent.trim().trim_start_matches('+').parse().unwrap_or_default();
    let fraction = fraction.trim().trim_end_matches('0');
    let zeros = || whole.bytes().rev().take_while(|digit| *digit == b'0').count() as i64;
    let places = if fraction.is_empty() { -zeros() } else { fraction.len() as i64 };
    places.saturating_sub(exponent)
}

/// Whether a time has no digits below that many of a second.
pub(super) fn keeps_fraction(time: &str, kept: usize) -> bool {
    let fraction = time.split_once('.').map_or("", |(_, fraction)| fraction);
    fraction.bytes().take_while(u8::is_ascii_digit).skip(kept).all(|digit| digit == b'0')
}

fn fraction_digits(unit: TimeUnit) -> usize {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_keep_what_they_can_show() {
        let kept = [
            "0.1",
            "0.10000000000000001",
            "0.30000000000000004",
            "1.50",
            "1e300",
            "-2.5E-3",
            "0.00",
            "1e22",
            "NaN",
            "-inf",
        ];
        assert!(kept.iter().all(|number| keeps_digits(number)));
        let lost = ["9007199254740993", "0.1234567890123456789", "1e-400", "123456789012345678.5"];
        assert!(!lost.iter().any(|number| keeps_digits(number)));
    }

    #[test]
    fn each_type_keeps_what_it_has_room_for() {
        let cents = DataType::Decimal128(10, 2);
        let hundreds = DataType::Decimal128(10, -2);
        let millis = DataType::Timestamp(TimeUnit::Millisecond, None);
        let kept = [
            ("0.1", DataType::Float32),
            ("-0.001", DataType::Float16),
            ("16777217", DataType::Float64),
            ("1.50", cents.clone()),
            ("1.500", cents.clone()),
            ("125e-2", cents.clone()),
            ("1200", hundreds.clone()),
            ("2013-01-31", DataType::Date32),
            ("2013-01-31T05:00:00.123000", millis.clone()),
            ("05:00:00", DataType::Time32(TimeUnit::Second)),
            ("anything", DataType::Utf8),
        ];
        for (value, data_type) in kept {
            assert!(keeps(value, &data_type), "{value} as {data_type}");
        }
        let lost = [
            ("16777217", DataType::Float32),
            ("2049", DataType::Float16),
            ("1.505", cents.clone()),
            ("1e-3", cents),
            ("1210", hundreds),
            ("2013-01-31 05:00:00", DataType::Date32),
            ("2013-01-31T05:00:00.1234", millis),
            ("05:00:00.5", DataType::Time32(TimeUnit::Second)),
        ];
        for (value, data_type) in lost {
            assert!(!keeps(value, &data_type), "{value} as {data_type}");
        }
    }
}
