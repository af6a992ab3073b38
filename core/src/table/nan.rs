//! NaN and the statistics of Parquet files. Pure.
//!
//! Parquet leaves NaN out of a column's bounds. DuckDB sorts NaN above every number and takes the bounds for the truth,
//! so it would lose rows. A column of a chunk that holds NaN has no statistics therefore, and neither has any floating
//! point number inside other values, where nobody looks.

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float16Type, Float32Type, Float64Type, Schema};
use parquet::arrow::ArrowSchemaConverter;
use parquet::basic::{LogicalType, Type};
use parquet::errors::ParquetError;
use parquet::schema::types::{ColumnDescriptor, ColumnPath};

/// The leaves of these rows whose statistics would not hold.
pub(super) fn unbounded_leaves(batch: &RecordBatch) -> Result<Vec<ColumnPath>, ParquetError> {
    let holds_nan = |name: &str| batch.column_by_name(name).is_none_or(holds_nan);
    let unbounded = |leaf: &ColumnPath| match leaf.parts() {
        [name] => holds_nan(name),
        _ => true,
    };
    Ok(floating_leaves(batch.schema_ref())?.into_iter().filter(unbounded).collect())
}

/// The leaves that hold floating point numbers.
pub(super) fn floating_leaves(schema: &Schema) -> Result<Vec<ColumnPath>, ParquetError> {
    if !schema.flattened_fields().iter().any(|field| field.data_type().is_floating()) {
        return Ok(Vec::new());
    }
    let leaves = ArrowSchemaConverter::new().convert(schema)?;
    Ok(leaves.columns().iter().filter(|leaf| is_floating(leaf)).map(|leaf| leaf.path().clone()).collect())
}

/// Whether a leaf holds floating point numbers.
pub(super) fn is_floating(leaf: &ColumnDescriptor) -> bool {
    matches!(leaf.physical_type(), Type::FLOAT | Type::DOUBLE) || leaf.logical_type_ref() == Some(&LogicalType::Float16)
}

fn holds_nan(array: &ArrayRef) -> bool {
    match array.data_type() {
        DataType::Float16 => any::<Float16Type>(array, |value| value.is_nan()),
        DataType::Float32 => any::<Float32Type>(array, f32::is_nan),
        DataType::Float64 => any::<Float64Type>(array, f64::is_nan),
        _ => true,
    }
}

/// The first look is at all places, null or not, because it needs no branches.
fn any<T: ArrowPrimitiveType>(array: &ArrayRef, is_nan: impl Fn(T::Native) -> bool) -> bool {
    let values = array.as_primitive::<T>();
    values.values().iter().fold(false, |any, value| any | is_nan(*value))
        && (values.null_count() == 0 || values.iter().flatten().any(is_nan))
}
