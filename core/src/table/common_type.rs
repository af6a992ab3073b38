//! The type in which the values of two types are compared and shown. Pure.
//!
//! Both types are in normal form. The common type holds every value of both, with two exceptions that `convert` finds
//! value by value: 64-bit integers beside floating point numbers, and times that are too far away for a finer unit.
//! Where nothing narrower does, it is text, as which no two values of one type look the same.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};

/// The most digits of a decimal of 128 bits, and of one of 256.
const DECIMAL_DIGITS_MAX: [u8; 2] = [38, 76];

/// The type for the values of both; of two that do, the second is preferred. `None` if there is none.
pub(super) fn common_type(left: &DataType, right: &DataType) -> Option<DataType> {
    use DataType::*;
    match (left, right) {
        (Null, other) | (other, Null) => Some(other.clone()),
        (FixedSizeList(a, n), FixedSizeList(b, m)) if n == m => Some(FixedSizeList(common_item(a, b)?, *m)),
        (List(a) | FixedSizeList(a, _), List(b) | FixedSizeList(b, _)) => Some(List(common_item(a, b)?)),
        (Struct(a), Struct(b)) => Some(Struct(common_fields(a, b)?)),
        (Map(a, _), Map(b, sorted)) => Some(Map(common_item(a, b)?, *sorted)),
        (left, right) if left == right => Some(right.clone()),
        (left, right) if left.is_nested() || right.is_nested() => None,
        (left, right) => {
            common_number(left, right).or_else(|| common_time(left, right)).or_else(|| common_text(left, right))
        }
    }
}

/// What stands inside other values is converted as a whole, so every value of it must fit.
fn common_item(left: &FieldRef, right: &FieldRef) -> Option<FieldRef> {
    let common = common_type(left.data_type(), right.data_type())?;
    let fits = |field: &FieldRef| always_fits(field.data_type(), &common);
    let nullable = left.is_nullable() || right.is_nullable();
    let item = || Field::new(right.name(), common.clone(), nullable).with_metadata(right.metadata().clone());
    (fits(left) && fits(right)).then(|| Arc::new(item()))
}

fn common_fields(left: &Fields, right: &Fields) -> Option<Fields> {
    let same_names = left.len() == right.len() && left.iter().zip(right).all(|(a, b)| a.name() == b.name());
    let mut pairs = left.iter().zip(right).filter(|_| same_names).peekable();
    pairs.peek()?;
    pairs.map(|(a, b)| common_item(a, b)).collect()
}

fn always_fits(from: &DataType, to: &DataType) -> bool {
    use DataType::*;
    match (from, to) {
        (Int64 | UInt64, to) => !to.is_floating(),
        (Date32 | Time32(_) | Time64(_) | Timestamp(..) | Duration(_), Utf8) => true,
        (Timestamp(a, _), Timestamp(b, _)) => a == b,
        (from @ (Date32 | Time32(_) | Time64(_) | Duration(_)), to) => from == to,
        _ => true,
    }
}

fn common_number(left: &DataType, right: &DataType) -> Option<DataType> {
    match (left, right) {
        (left, right) if left.is_integer() && right.is_integer() => Some(common_integer(left, right)),
        (left, right) if left.is_floating() && right.is_floating() => {
            Some(if left.primitive_width() > right.primitive_width() { left.clone() } else { right.clone() })
        }
        (left, right) if left.is_floating() && right.is_integer() => Some(DataType::Float64),
        (left, right) if left.is_integer() && right.is_floating() => Some(DataType::Float64),
        (left, right) => common_decimal(left, right),
    }
}

fn common_integer(left: &DataType, right: &DataType) -> DataType {
    let bits = |kind: &DataType| kind.primitive_width().unwrap_or(8) * 8;
    let wide = bits(left).max(bits(right));
    let signed = |bits: usize| match bits {
        8 => DataType::Int8,
        16 => DataType::Int16,
        32 => DataType::Int32,
        64 => DataType::Int64,
        _ => DataType::Decimal128(20, 0),
    };
    match (left.is_signed_integer(), right.is_signed_integer()) {
        (true, true) => signed(wide),
        (false, false) => {
            if bits(left) > bits(right) {
                left.clone()
            } else {
                right.clone()
            }
        }
        (true, false) => signed(wide.max(2 * bits(right))),
        (false, true) => signed(wide.max(2 * bits(left))),
    }
}

fn common_decimal(left: &DataType, right: &DataType) -> Option<DataType> {
    let ((left_digits, left_scale), (right_digits, right_scale)) = (digits(left)?, digits(right)?);
    let scale = left_scale.max(right_scale);
    let whole = (left_digits - left_scale).max(right_digits - right_scale);
    match whole + scale {
        digits if digits <= DECIMAL_DIGITS_MAX[0] => Some(DataType::Decimal128(digits, scale.cast_signed())),
        digits if digits <= DECIMAL_DIGITS_MAX[1] => Some(DataType::Decimal256(digits, scale.cast_signed())),
        _ => None,
    }
}

/// The digits of an exact number, and how many of them stand behind the point.
fn digits(data_type: &DataType) -> Option<(u8, u8)> {
    use DataType::*;
    Some(match data_type {
        Int8 | UInt8 => (3, 0),
        Int16 | UInt16 => (5, 0),
        Int32 | UInt32 => (10, 0),
        Int64 => (19, 0),
        UInt64 => (20, 0),
        Decimal128(digits, scale) | Decimal256(digits, scale) => (*digits, u8::try_from(*scale).ok()?),
        _ => return None,
    })
}

fn common_time(left: &DataType, right: &DataType) -> Option<DataType> {
    use DataType::*;
    match (left, right) {
        (Date32, Timestamp(unit, None)) | (Timestamp(unit, None), Date32) => Some(Timestamp(*unit, None)),
        (Timestamp(a, zone), Timestamp(b, other)) if zone.is_some() == other.is_some() => {
            Some(Timestamp(finer(*a, *b), other.clone()))
        }
        (Time32(a) | Time64(a), Time32(b) | Time64(b)) => Some(Time64(finer(*a, *b))),
        (Duration(a), Duration(b)) => Some(Duration(finer(*a, *b))),
        _ => None,
    }
}

fn finer(a: TimeUnit, b: TimeUnit) -> TimeUnit {
    a.max(b)
}

fn common_text(left: &DataType, right: &DataType) -> Option<DataType> {
    use DataType::*;
    let bytes = |kind: &DataType| matches!(kind, Binary | FixedSizeBinary(_));
    let text = |kind: &DataType| {
        matches!(kind, Utf8 | Boolean) || kind.is_numeric() || kind.is_temporal() || matches!(kind, Interval(_))
    };
    match (left, right) {
        (left, right) if bytes(left) && bytes(right) => Some(Binary),
        (Utf8, other) | (other, Utf8) if bytes(other) => Some(Binary),
        (left, right) => (text(left) && text(right)).then_some(Utf8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn both_ways(left: DataType, right: DataType, common: DataType) {
        assert_eq!(common_type(&left, &right), Some(common.clone()), "{left} {right}");
        assert_eq!(common_type(&right, &left), Some(common), "{right} {left}");
    }

    #[test]
    fn the_common_type_holds_both() {
        use DataType::*;
        let seconds = |unit| Timestamp(unit, None);
        for (left, right, common) in [
            (Int8, Int64, Int64),
            (UInt8, UInt32, UInt32),
            (Int8, UInt8, Int16),
            (Int64, UInt32, Int64),
            (Int32, UInt32, Int64),
            (Int8, UInt64, Decimal128(20, 0)),
            (Float16, Float32, Float32),
            (Float32, Int8, Float64),
            (Float64, Int64, Float64),
            (Int32, Decimal128(10, 2), Decimal128(12, 2)),
            (Decimal128(38, 0), Decimal128(38, 10), Decimal256(48, 10)),
            (Decimal256(76, 0), Decimal128(38, 10), Utf8),
            (Float64, Decimal128(10, 2), Utf8),
            (Date32, seconds(TimeUnit::Microsecond), seconds(TimeUnit::Microsecond)),
            (seconds(TimeUnit::Millisecond), seconds(TimeUnit::Nanosecond), seconds(TimeUnit::Nanosecond)),
            (seconds(TimeUnit::Millisecond), Timestamp(TimeUnit::Millisecond, Some("UTC".into())), Utf8),
            (Time32(TimeUnit::Millisecond), Time64(TimeUnit::Microsecond), Time64(TimeUnit::Microsecond)),
            (Duration(TimeUnit::Second), Duration(TimeUnit::Nanosecond), Duration(TimeUnit::Nanosecond)),
            (Utf8, Int32, Utf8),
            (Boolean, Int32, Utf8),
            (Binary, FixedSizeBinary(2), Binary),
            (Utf8, Binary, Binary),
            (Null, Int32, Int32),
        ] {
            both_ways(left, right, common);
        }
        assert_eq!(common_type(&Int32, &Binary), None);
    }

    #[test]
    fn what_stands_inside_must_always_fit() {
        let list = |kind| DataType::List(Arc::new(Field::new("item", kind, true)));
        let structure = |name: &str, kind| DataType::Struct(vec![Field::new(name, kind, true)].into());
        both_ways(list(DataType::Int32), list(DataType::Int64), list(DataType::Int64));
        both_ways(structure("a", DataType::Int8), structure("a", DataType::Utf8), structure("a", DataType::Utf8));
        assert_eq!(common_type(&list(DataType::Int64), &list(DataType::Float64)), None);
        assert_eq!(common_type(&structure("a", DataType::Int8), &structure("b", DataType::Int8)), None);
        assert_eq!(common_type(&list(DataType::Int64), &DataType::Int64), None);
    }
}
