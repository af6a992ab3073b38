//! The normal form of column types: one physical type for each logical one. Pure.
//!
//! Dictionaries, run-ends, views and large offsets are ways to hold values, not values; seconds and `Date64` have no
//! Parquet type of their own and become milliseconds; decimals of up to 38 digits are 128 bits wide.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, IntervalUnit, Schema, TimeUnit};

use crate::error::{Error, Result};
use crate::format::schema::{COLUMN_ID_KEY, map_children};

/// How deep types may nest; flat buffers and recursive readers bound it.
const DEPTH_MAX: usize = 24;

/// The most digits of a 128-bit decimal.
const DECIMAL128_DIGITS_MAX: u8 = 38;

/// Brings a schema into normal form. No columns, unnamed and repeated columns are `INVALID_ARGUMENT`; types that
/// Parquet does not hold are `UNSUPPORTED`, naming the column.
pub(super) fn normal_schema(schema: &Schema) -> Result<Schema> {
    if schema.fields().is_empty() {
        return Err(Error::invalid("schema", "a table needs at least one column"));
    }
    check_names("schema", schema.fields())?;
    let fields = schema.fields().iter().map(|field| normal_field(field, field.name(), 1));
    Ok(Schema::new_with_metadata(fields.collect::<Result<Fields>>()?, schema.metadata().clone()))
}

/// Whether two types in normal form hold the same values, whatever the names, nullability and metadata of items.
pub(super) fn same_type(left: &DataType, right: &DataType) -> bool {
    use DataType::*;
    let same = |left: &FieldRef, right: &FieldRef| same_type(left.data_type(), right.data_type());
    match (left, right) {
        (List(left), List(right)) | (Map(left, _), Map(right, _)) => same(left, right),
        (FixedSizeList(left, n), FixedSizeList(right, m)) => n == m && same(left, right),
        (Struct(left), Struct(right)) => {
            let pair = |(left, right): (&FieldRef, &FieldRef)| left.name() == right.name() && same(left, right);
            left.len() == right.len() && left.iter().zip(right).all(pair)
        }
        (left, right) => left == right,
    }
}

/// A type in words that do not depend on metadata or ids.
pub(super) fn type_name(data_type: &DataType) -> String {
    fn bare(field: &FieldRef) -> FieldRef {
        let data_type = map_children(field.data_type(), &mut bare);
        Arc::new(Field::new(field.name(), data_type, field.is_nullable()))
    }
    map_children(data_type, &mut bare).to_string()
}

fn normal_field(field: &Field, path: &str, depth: usize) -> Result<FieldRef> {
    if depth > DEPTH_MAX {
        return Err(unsupported(path, &format!("nested deeper than {DEPTH_MAX} levels")));
    }
    let data_type = normal_type(field.data_type(), path, depth)?;
    let mut metadata = field.metadata().clone();
    metadata.remove(COLUMN_ID_KEY);
    let nullable = field.is_nullable() || data_type == DataType::Null;
    Ok(Arc::new(Field::new(field.name(), data_type, nullable).with_metadata(metadata)))
}

/// The normal form of one type; `path` names the column in errors.
fn normal_type(data_type: &DataType, path: &str, depth: usize) -> Result<DataType> {
    use DataType::*;
    Ok(match data_type {
        Dictionary(_, values) => normal_type(values, path, depth)?,
        RunEndEncoded(_, values) => normal_type(values.data_type(), path, depth)?,
        Utf8View | LargeUtf8 => Utf8,
        BinaryView | LargeBinary => Binary,
        List(item) | LargeList(item) | ListView(item) | LargeListView(item) => List(normal_item(item, path, depth)?),
        FixedSizeList(item, length) if *length > 0 => FixedSizeList(normal_item(item, path, depth)?, *length),
        Struct(fields) if !fields.is_empty() => Struct(normal_struct(fields, path, depth)?),
        Map(entries, _) => normal_map(entries, path, depth)?,
        Date64 | Timestamp(TimeUnit::Second, None) => Timestamp(TimeUnit::Millisecond, None),
        Timestamp(TimeUnit::Second, zone) => Timestamp(TimeUnit::Millisecond, zone.clone()),
        Time32(TimeUnit::Second) => Time32(TimeUnit::Millisecond),
        Decimal32(digits, scale) | Decimal64(digits, scale) | Decimal128(digits, scale) | Decimal256(digits, scale) => {
            normal_decimal(*digits, *scale, path)?
        }
        Union(..) | Struct(_) | FixedSizeList(..) | FixedSizeBinary(..=0) | Interval(IntervalUnit::MonthDayNano) => {
            return Err(unsupported(path, &type_name(data_type)));
        }
        other => other.clone(),
    })
}

fn normal_item(item: &Field, path: &str, depth: usize) -> Result<FieldRef> {
    let item = item.clone().with_name("item");
    normal_field(&item, &format!("{path}.item"), depth + 1)
}

fn normal_struct(fields: &Fields, path: &str, depth: usize) -> Result<Fields> {
    check_names("schema", fields)?;
    fields.iter().map(|field| normal_field(field, &format!("{path}.{}", field.name()), depth + 1)).collect()
}

fn normal_map(entries: &Field, path: &str, depth: usize) -> Result<DataType> {
    let DataType::Struct(fields) = entries.data_type() else { return Err(unsupported(path, "a map without entries")) };
    let [key, value] = &fields[..] else { return Err(unsupported(path, "a map without keys and values")) };
    let key = key.as_ref().clone().with_name("key").with_nullable(false);
    if key.data_type() == &DataType::Null {
        return Err(unsupported(path, "a map with keys of type Null"));
    }
    let value = value.as_ref().clone().with_name("value");
    let fields = normal_struct(&Fields::from(vec![key, value]), path, depth)?;
    Ok(DataType::Map(Arc::new(Field::new("entries", DataType::Struct(fields), false)), false))
}

fn normal_decimal(digits: u8, scale: i8, path: &str) -> Result<DataType> {
    if scale < 0 || scale as u8 > digits {
        return Err(unsupported(path, &format!("a decimal of {digits} digits and scale {scale}")));
    }
    let wide = digits > DECIMAL128_DIGITS_MAX;
    Ok(if wide { DataType::Decimal256(digits, scale) } else { DataType::Decimal128(digits, scale) })
}

fn check_names(argument: &'static str, fields: &Fields) -> Result<()> {
    let mut seen = HashSet::new();
    for field in fields {
        if field.name().is_empty() {
            return Err(Error::invalid(argument, "a column has no name"));
        }
        if !seen.insert(field.name()) {
            return Err(Error::invalid(argument, format!("the column {:?} stands there twice", field.name())));
        }
    }
    Ok(())
}

fn unsupported(path: &str, what: &str) -> Error {
    let instead = "Parquet does not hold it: cast the column first".to_string();
    Error::Unsupported { what: format!("the type of column {path:?} ({what})"), instead }
}
