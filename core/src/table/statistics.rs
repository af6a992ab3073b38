//! What a manifest knows of a chunk's columns: nulls, and bounds where the type has an order. Pure.
//!
//! Bounds are safe, not tight: every value lies within them. Text and bytes are cut to [`BOUND_BYTES_MAX`], a cut
//! maximum rounded up. A column with a NaN has no maximum, because SQL sorts NaN above every number.

use arrow::array::types::*;
use arrow::array::{Array, ArrayRef, ArrowNumericType, AsArray, RecordBatch};
use arrow::compute::{max, max_binary, max_boolean, max_string, min, min_binary, min_boolean, min_string};
use arrow::datatypes::{DataType, IntervalUnit, Schema, TimeUnit};
use serde_bytes::ByteBuf;

use crate::format::schema::column_id;
use crate::format::{ColumnStatistics, Scalar};

/// The longest bound of a text or binary column.
const BOUND_BYTES_MAX: usize = 24;

type Bounds = (Option<Scalar>, Option<Scalar>);

/// The statistics of every top-level column that has an id.
pub(super) fn column_statistics(schema: &Schema, batch: &RecordBatch) -> Vec<ColumnStatistics> {
    let columns = schema.fields().iter().zip(batch.columns());
    let known = columns.filter_map(|(field, array)| column_id(field).map(|id| (id, array)));
    known
        .map(|(id, array)| {
            let (min, max) = bounds(array);
            ColumnStatistics { id, nulls: array.logical_null_count() as u64, min, max }
        })
        .collect()
}

fn bounds(array: &ArrayRef) -> Bounds {
    use DataType::*;
    match array.data_type() {
        Boolean => both(min_boolean(array.as_boolean()), max_boolean(array.as_boolean()), Scalar::Bool),
        Int8 => signed::<Int8Type>(array),
        Int16 => signed::<Int16Type>(array),
        Int32 => signed::<Int32Type>(array),
        Int64 => signed::<Int64Type>(array),
        UInt8 => unsigned::<UInt8Type>(array),
        UInt16 => unsigned::<UInt16Type>(array),
        UInt32 => unsigned::<UInt32Type>(array),
        UInt64 => unsigned::<UInt64Type>(array),
        Float16 => floats::<Float16Type>(array, |value| value.to_f64()),
        Float32 => floats::<Float32Type>(array, f64::from),
        Float64 => floats::<Float64Type>(array, |value| value),
        Date32 => signed::<Date32Type>(array),
        Time32(TimeUnit::Millisecond) => signed::<Time32MillisecondType>(array),
        Time64(TimeUnit::Microsecond) => signed::<Time64MicrosecondType>(array),
        Time64(TimeUnit::Nanosecond) => signed::<Time64NanosecondType>(array),
        Timestamp(TimeUnit::Millisecond, _) => signed::<TimestampMillisecondType>(array),
        Timestamp(TimeUnit::Microsecond, _) => signed::<TimestampMicrosecondType>(array),
        Timestamp(TimeUnit::Nanosecond, _) => signed::<TimestampNanosecondType>(array),
        Duration(TimeUnit::Second) => signed::<DurationSecondType>(array),
        Duration(TimeUnit::Millisecond) => signed::<DurationMillisecondType>(array),
        Duration(TimeUnit::Microsecond) => signed::<DurationMicrosecondType>(array),
        Duration(TimeUnit::Nanosecond) => signed::<DurationNanosecondType>(array),
        Interval(IntervalUnit::YearMonth) => (None, None),
        Decimal128(..) => {
            let values = array.as_primitive::<Decimal128Type>();
            both(min(values), max(values), |value| Scalar::Decimal(ByteBuf::from(value.to_be_bytes())))
        }
        Decimal256(..) => {
            let values = array.as_primitive::<Decimal256Type>();
            both(min(values), max(values), |value| Scalar::Decimal(ByteBuf::from(value.to_be_bytes())))
        }
        Utf8 => text(min_string(array.as_string::<i32>()), max_string(array.as_string::<i32>())),
        Binary => bytes(min_binary(array.as_binary::<i32>()), max_binary(array.as_binary::<i32>())),
        _ => (None, None),
    }
}

fn both<T>(min: Option<T>, max: Option<T>, scalar: impl Fn(T) -> Scalar) -> Bounds {
    (min.map(&scalar), max.map(&scalar))
}

fn signed<T: ArrowNumericType>(array: &ArrayRef) -> Bounds
where
    T::Native: Into<i64>,
{
    let values = array.as_primitive::<T>();
    both(min(values), max(values), |value| Scalar::Int(value.into()))
}

fn unsigned<T: ArrowNumericType>(array: &ArrayRef) -> Bounds
where
    T::Native: Into<u64>,
{
    let values = array.as_primitive::<T>();
    both(min(values), max(values), |value| Scalar::UInt(value.into()))
}

fn floats<T: ArrowNumericType>(array: &ArrayRef, widen: impl Fn(T::Native) -> f64) -> Bounds {
    let values = array.as_primitive::<T>();
    let (mut low, mut high, mut any, mut nan) = (f64::INFINITY, f64::NEG_INFINITY, false, false);
    let mut take = |value: f64| {
        any |= !value.is_nan();
        nan |= value.is_nan();
        low = low.min(value);
        high = high.max(value);
    };
    match values.nulls() {
        None => values.values().iter().for_each(|value| take(widen(*value))),
        Some(_) => values.iter().flatten().for_each(|value| take(widen(value))),
    }
    let min = any.then_some(Scalar::Float(low));
    (min, (any && !nan).then_some(Scalar::Float(high)))
}

fn text(min: Option<&str>, max: Option<&str>) -> Bounds {
    (min.map(|min| Scalar::Text(text_prefix(min).to_string())), max.and_then(text_above).map(Scalar::Text))
}

fn text_prefix(text: &str) -> &str {
    &text[..text.floor_char_boundary(BOUND_BYTES_MAX)]
}

/// A short text that is not below `text`; `None` if there is none.
fn text_above(text: &str) -> Option<String> {
    if text.len() <= BOUND_BYTES_MAX {
        return Some(text.to_string());
    }
    let mut prefix: Vec<char> = text_prefix(text).chars().collect();
    while let Some(last) = prefix.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            prefix.push(next);
            return Some(prefix.into_iter().collect());
        }
    }
    None
}

fn bytes(min: Option<&[u8]>, max: Option<&[u8]>) -> Bounds {
    let prefix = |bytes: &[u8]| bytes[..bytes.len().min(BOUND_BYTES_MAX)].to_vec();
    let scalar = |bytes: Vec<u8>| Scalar::Bytes(ByteBuf::from(bytes));
    (min.map(prefix).map(scalar), max.and_then(bytes_above).map(scalar))
}

/// Short bytes that are not below `bytes`; `None` if there are none.
fn bytes_above(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() <= BOUND_BYTES_MAX {
        return Some(bytes.to_vec());
    }
    let prefix = &bytes[..BOUND_BYTES_MAX];
    let keep = prefix.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut above = prefix[..=keep].to_vec();
    above[keep] += 1;
    Some(above)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Float64Array, StringArray};
    use std::sync::Arc;

    #[test]
    fn long_text_is_cut_and_a_cut_maximum_rounded_up() {
        let long = "z".repeat(40);
        assert_eq!(text_above(&long), Some(format!("{}{{", "z".repeat(23))));
        assert_eq!(text_above("short"), Some("short".to_string()));
        assert_eq!(text_above(&char::MAX.to_string().repeat(20)), None);
        let wide = "ä".repeat(13);
        assert_eq!(text_above(&wide), Some(format!("{}å", "ä".repeat(11))));
        assert_eq!(bytes_above(&[255; 30]), None);
        assert_eq!(bytes_above(&[&[7; 10][..], &[255; 30]].concat()), Some([[7; 9].as_slice(), &[8]].concat()));
        let array: ArrayRef = Arc::new(StringArray::from(vec![Some(long.as_str()), None, Some("b")]));
        let (min, max) = bounds(&array);
        assert_eq!(min, Some(Scalar::Text("b".into())));
        assert_eq!(max, Some(Scalar::Text(format!("{}{{", "z".repeat(23)))));
    }

    #[test]
    fn a_nan_takes_the_maximum_away() {
        let array: ArrayRef = Arc::new(Float64Array::from(vec![1.0, f64::NAN, -2.0]));
        assert_eq!(bounds(&array), (Some(Scalar::Float(-2.0)), None));
        let array: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.0), None]));
        assert_eq!(bounds(&array), (Some(Scalar::Float(1.0)), Some(Scalar::Float(1.0))));
        let array: ArrayRef = Arc::new(Float64Array::from(vec![f64::NAN]));
        assert_eq!(bounds(&array), (None, None));
    }
}
