//! Unites the schemas of several files, by column name.

use std::collections::HashSet;
use std::sync::Arc;

use armillaria::{Error, Result};
use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use arrow::error::ArrowError;

/// The schema that holds every file's rows: all columns, a column that a file lacks nullable, numbers as wide as needed.
///
/// Types that do not go together are `INVALID_ARGUMENT`, naming the column and both files.
pub(super) fn unite<'a>(mut schemas: impl Iterator<Item = (&'a str, &'a Schema)>) -> Result<Schema> {
    let Some((first_name, first)) = schemas.next() else { return Ok(Schema::empty()) };
    refuse_twins(first_name, first)?;
    let mut fields: Vec<Field> = first.fields().iter().map(|field| field.as_ref().clone()).collect();
    for (name, schema) in schemas {
        refuse_twins(name, schema)?;
        for field in &mut fields {
            *field = unite_field(field, schema).map_err(|reason| mismatch(first_name, name, field, &reason))?;
        }
        let new = schema.fields().iter().filter(|field| !fields.iter().any(|known| known.name() == field.name()));
        let new: Vec<Field> = new.map(|field| field.as_ref().clone().with_nullable(true)).collect();
        fields.extend(new);
    }
    Ok(Schema::new(fields))
}

/// Columns are found by name, so two of one name would become two of one content.
fn refuse_twins(name: &str, schema: &Schema) -> Result<()> {
    let mut seen = HashSet::new();
    match schema.fields().iter().find(|field| !seen.insert(field.name())) {
        Some(twin) => Err(Error::invalid("file", format!("{name}: column {:?} is there twice", twin.name()))),
        None => Ok(()),
    }
}

fn unite_field(field: &Field, other: &Schema) -> Result<Field, String> {
    let Ok(found) = other.field_with_name(field.name()) else { return Ok(field.clone().with_nullable(true)) };
    let (a, b) = (field.data_type(), found.data_type());
    let data_type = wider(a, b).ok_or_else(|| format!("{a} against {b}"))?;
    Ok(field.clone().with_data_type(data_type).with_nullable(field.is_nullable() || found.is_nullable()))
}

fn mismatch(first: &str, other: &str, field: &Field, reason: &str) -> Error {
    let reason =
        format!("column {:?} differs between {first} and {other}: {reason}; choose a type with --type", field.name());
    Error::invalid("files", reason)
}

fn wider(a: &DataType, b: &DataType) -> Option<DataType> {
    match (a, b) {
        (a, b) if a == b => Some(a.clone()),
        (DataType::Null, other) | (other, DataType::Null) => Some(other.clone()),
        (DataType::Int64, DataType::Float64) | (DataType::Float64, DataType::Int64) => Some(DataType::Float64),
        (DataType::Date32, time @ DataType::Timestamp(_, None)) => Some(time.clone()),
        (time @ DataType::Timestamp(_, None), DataType::Date32) => Some(time.clone()),
        _ => None,
    }
}

/// Brings a batch to the united schema: columns in its order, absent ones null.
pub(super) fn bring_to(batch: &RecordBatch, target: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let column = |field: &Arc<Field>| match batch.column_by_name(field.name()) {
        Some(column) if column.data_type() == field.data_type() => Ok(column.clone()),
        Some(column) => widen(column, field),
        None => Ok(new_null_array(field.data_type(), batch.num_rows())),
    };
    let columns = target.fields().iter().map(column).collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(target.clone(), columns, &options)
}

/// Casts to a type that holds every value; a whole number that is no float is refused, not rounded.
fn widen(column: &ArrayRef, field: &Field) -> Result<ArrayRef, ArrowError> {
    let rounded = |number: i64| number as f64 as i128 != i128::from(number);
    let wide = match (column.data_type(), field.data_type()) {
        (DataType::Int64, DataType::Float64) => {
            column.as_primitive::<Int64Type>().iter().flatten().find(|&n| rounded(n))
        }
        _ => None,
    };
    if let Some(number) = wide {
        let (name, data_type) = (field.name(), field.data_type());
        let reason = format!("{number} in column {name:?} would lose digits as {data_type}; choose a type with --type");
        return Err(ArrowError::CastError(reason));
    }
    cast_with_options(column, field.data_type(), &CastOptions { safe: false, ..CastOptions::default() })
}
