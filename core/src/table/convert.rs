//! Arrays in another type, without a value that changes unnoticed. Pure.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, new_null_array};
use arrow::compute::kernels::cmp::distinct;
use arrow::compute::{CastOptions, and, cast, cast_with_options, is_not_null, is_null, nullif};
use arrow::datatypes::{DataType, Field, Int64Type, TimeUnit};
use arrow::error::ArrowError;

use super::normal_type::type_name;
use crate::error::{Error, Result};

/// An array in another type.
pub(super) struct Converted {
    /// Its values; null where the type cannot hold one.
    pub(super) values: ArrayRef,
    /// Where that is; `None` if nowhere.
    pub(super) misfits: Option<BooleanArray>,
}

/// Converts to a type that is common to this column and others.
pub(super) fn convert(array: &ArrayRef, target: &DataType, column: &str) -> Result<Converted> {
    let failed = |error: ArrowError| Error::Unsupported {
        what: format!("column {column:?} as {}: {error}, which", type_name(target)),
        instead: INSTEAD.to_owned(),
    };
    match array.data_type() {
        from if from == target => Ok(Converted { values: array.clone(), misfits: None }),
        DataType::Null => Ok(Converted { values: new_null_array(target, array.len()), misfits: None }),
        _ => convert_values(array, target).map_err(failed),
    }
}

/// `UNSUPPORTED` for a value that cannot be shown in the type of its column.
pub(super) fn does_not_fit(from: &DataType, field: &Field) -> Error {
    let (from, to) = (type_name(from), type_name(field.data_type()));
    let what = format!(
        "column {:?} was {from} and is shown as {to}, which does not hold one of its values: that",
        field.name()
    );
    Error::Unsupported { what, instead: INSTEAD.to_owned() }
}

const INSTEAD: &str = "read both versions and compare them yourself";

fn convert_values(array: &ArrayRef, target: &DataType) -> Result<Converted, ArrowError> {
    let from = array.data_type();
    let values = match (nanos(from), nanos(target)) {
        (Some(from), Some(to)) => rescale(array, target, from / to)?,
        // Numbers stand among bytes as the text that they are, not as their bits.
        _ if *target == DataType::Binary && !is_bytes(from) => cast(&cast(array, &DataType::Utf8)?, target)?,
        // What stands inside other values always fits.
        _ => cast_with_options(array, target, &CastOptions { safe: !from.is_nested(), ..CastOptions::default() })?,
    };
    let lost = match from.is_integer() && target.is_floating() {
        true => distinct(array, &cast(&values, from)?)?,
        false => and(&is_not_null(array)?, &is_null(&values)?)?,
    };
    match lost.true_count() {
        0 => Ok(Converted { values, misfits: None }),
        _ => Ok(Converted { values: nullif(&values, &lost)?, misfits: Some(lost) }),
    }
}

fn is_bytes(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::Binary | DataType::FixedSizeBinary(_))
}

/// How long one step of a type of times is.
fn nanos(data_type: &DataType) -> Option<i64> {
    use DataType::*;
    let unit = match data_type {
        Date32 => return Some(86_400_000_000_000),
        Time32(unit) | Time64(unit) | Timestamp(unit, _) | Duration(unit) => unit,
        _ => return None,
    };
    Some(match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1000,
        TimeUnit::Nanosecond => 1,
    })
}

/// To a finer unit; null where a value is too far away for it.
fn rescale(array: &ArrayRef, target: &DataType, factor: i64) -> Result<ArrayRef, ArrowError> {
    let steps = cast(array, &DataType::Int64)?;
    let finer = steps.as_primitive::<Int64Type>().unary_opt::<_, Int64Type>(|step| step.checked_mul(factor));
    cast(&finer, target)
}
