//! What DuckDB makes of the columns of a chunk, and what it should make of them.
//!
//! DuckDB reads a Parquet file by Parquet's own types. Where Parquet has none for an Arrow type in normal form, the file
//! holds plain numbers, and the view over it turns them into what they mean. Files of other writers, whose types need not
//! be in normal form, are copied first ([`super::misread`]).
//!
//! | Arrow | in the file | in SQL |
//! |---|---|---|
//! | `Timestamp(ms)` | milliseconds | `TIMESTAMP`, with a time zone `TIMESTAMP WITH TIME ZONE` |
//! | `Timestamp(ns)` | nanoseconds | `TIMESTAMP_NS`, with a time zone `TIMESTAMP WITH TIME ZONE` (microseconds) |
//! | `Duration` | its unit | `INTERVAL` (microseconds) |
//! | `Float16` | half precision | `FLOAT` |
//! | `FixedSizeList(T, n)` | list | `T[n]` |
//! | `Null` | nothing | `"NULL"` |
//! | decimals of more than 38 digits | bytes | `UNSUPPORTED` where the column is used |
//!
//! Everything else is the same in all three.

use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};

use super::quote;
use crate::error::{Error, Result};

/// Begins the message of an error that a column which SQL cannot read raises when it is used.
pub(super) const UNREADABLE: &str = "armillaria: unreadable column: ";

/// The widest decimal of DuckDB.
const DECIMAL_DIGITS_MAX: u8 = 38;

/// The type that DuckDB gives to the column as it stands in a chunk.
pub(super) fn in_file(data_type: &DataType) -> Result<String> {
    let plain = match data_type {
        DataType::Duration(_) => "BIGINT",
        DataType::Decimal256(digits, _) if *digits > DECIMAL_DIGITS_MAX => "DOUBLE",
        DataType::FixedSizeList(item, _) => return Ok(format!("{}[]", in_file(item.data_type())?)),
        other => return name(other, &in_file),
    };
    Ok(plain.to_owned())
}

/// The type that the column has in SQL.
pub(super) fn in_sql(data_type: &DataType) -> Result<String> {
    let plain = match data_type {
        DataType::Duration(_) => "INTERVAL",
        DataType::Decimal256(digits, _) if *digits > DECIMAL_DIGITS_MAX => "DOUBLE",
        DataType::FixedSizeList(item, length) => return Ok(format!("{}[{length}]", in_sql(item.data_type())?)),
        other => return name(other, &in_sql),
    };
    Ok(plain.to_owned())
}

/// The names of types that are the same in a file and in SQL, as long as what they hold is.
fn name(data_type: &DataType, inner: &dyn Fn(&DataType) -> Result<String>) -> Result<String> {
    let plain = match data_type {
        DataType::Null => "\"NULL\"",
        DataType::Boolean => "BOOLEAN",
        DataType::Int8 => "TINYINT",
        DataType::Int16 => "SMALLINT",
        DataType::Int32 => "INTEGER",
        DataType::Int64 => "BIGINT",
        DataType::UInt8 => "UTINYINT",
        DataType::UInt16 => "USMALLINT",
        DataType::UInt32 => "UINTEGER",
        DataType::UInt64 => "UBIGINT",
        DataType::Float16 | DataType::Float32 => "FLOAT",
        DataType::Float64 => "DOUBLE",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "VARCHAR",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => "BLOB",
        DataType::Date32 => "DATE",
        DataType::Time32(_) | DataType::Time64(TimeUnit::Microsecond) => "TIME",
        DataType::Time64(_) => "TIME_NS",
        DataType::Timestamp(_, Some(_)) => "TIMESTAMP WITH TIME ZONE",
        DataType::Timestamp(TimeUnit::Nanosecond, None) => "TIMESTAMP_NS",
        DataType::Timestamp(_, None) => "TIMESTAMP",
        DataType::Interval(IntervalUnit::YearMonth | IntervalUnit::DayTime) => "INTERVAL",
        DataType::Decimal32(digits, scale)
        | DataType::Decimal64(digits, scale)
        | DataType::Decimal128(digits, scale)
        | DataType::Decimal256(digits, scale) => return Ok(format!("DECIMAL({digits}, {scale})")),
        DataType::List(item) | DataType::LargeList(item) | DataType::ListView(item) | DataType::LargeListView(item) => {
            return Ok(format!("{}[]", inner(item.data_type())?));
        }
        DataType::Dictionary(_, values) => return inner(values),
        DataType::Struct(fields) => return structure(fields, inner),
        DataType::Map(entries, _) => {
            let (key, value) = key_and_value(entries)?;
            return Ok(format!("MAP({}, {})", inner(key.data_type())?, inner(value.data_type())?));
        }
        other => return Err(unreadable(other)),
    };
    Ok(plain.to_owned())
}

fn structure(fields: &Fields, inner: &dyn Fn(&DataType) -> Result<String>) -> Result<String> {
    let member = |field: &std::sync::Arc<Field>| -> Result<String> {
        Ok(format!("{} {}", quote::identifier(field.name()), inner(field.data_type())?))
    };
    Ok(format!("STRUCT({})", fields.iter().map(member).collect::<Result<Vec<_>>>()?.join(", ")))
}

fn key_and_value(entries: &Field) -> Result<(&Field, &Field)> {
    match entries.data_type() {
        DataType::Struct(fields) if fields.len() == 2 => Ok((&fields[0], &fields[1])),
        other => Err(unreadable(other)),
    }
}

fn unreadable(data_type: &DataType) -> Error {
    Error::Unsupported {
        what: format!("the type {data_type} in SQL"),
        instead: "read the table with `read_table`".into(),
    }
}

/// The expression that turns the column of a file into that of SQL; `None` where they are the same.
///
/// `value` is an expression that may be repeated; `column` is named where it cannot be read.
pub(super) fn conversion(data_type: &DataType, value: &str, column: &str) -> Result<Option<String>> {
    Ok(Some(match data_type {
        DataType::Duration(TimeUnit::Second) => format!("to_seconds({value})"),
        DataType::Duration(TimeUnit::Millisecond) => format!("to_microseconds({value} * 1000)"),
        DataType::Duration(TimeUnit::Microsecond) => format!("to_microseconds({value})"),
        DataType::Duration(TimeUnit::Nanosecond) => format!("to_microseconds({value} // 1000)"),
        DataType::Decimal256(digits, _) if *digits > DECIMAL_DIGITS_MAX => {
            format!("CAST(error({}) AS DOUBLE)", quote::text(&format!("{UNREADABLE}{column}")))
        }
        DataType::FixedSizeList(item, _) => {
            let list = list(item.data_type(), value, column)?.unwrap_or_else(|| value.to_owned());
            format!("CAST({list} AS {})", in_sql(data_type)?)
        }
        DataType::List(item) | DataType::LargeList(item) | DataType::ListView(item) | DataType::LargeListView(item) => {
            return list(item.data_type(), value, column);
        }
        DataType::Struct(fields) => return members(fields, value, column),
        DataType::Map(entries, _) => return map(entries, value, column),
        DataType::Dictionary(_, values) => return conversion(values, value, column),
        _ => return Ok(None),
    }))
}

fn list(item: &DataType, value: &str, column: &str) -> Result<Option<String>> {
    // Lambdas nest; each depth has its own name, told from the others by the length of what it is applied to.
    let name = format!("item_{}", value.len());
    let item = conversion(item, &name, column)?;
    Ok(item.map(|item| format!("list_transform({value}, lambda {name}: {item})")))
}

/// Members are found by name, which DuckDB reads in any case; a struct of names that differ in case alone it refuses.
fn members(fields: &Fields, value: &str, column: &str) -> Result<Option<String>> {
    let (mut members, mut changed) = (Vec::new(), false);
    for field in fields {
        let member = format!("struct_extract({value}, {})", quote::text(field.name()));
        let converted = conversion(field.data_type(), &member, column)?;
        changed |= converted.is_some();
        members.push(format!("{} := {}", quote::identifier(field.name()), converted.unwrap_or(member)));
    }
    let packed = format!("CASE WHEN {value} IS NULL THEN NULL ELSE struct_pack({}) END", members.join(", "));
    Ok(changed.then_some(packed))
}

fn map(entries: &Field, value: &str, column: &str) -> Result<Option<String>> {
    let (key, item) = key_and_value(entries)?;
    let keys = list(key.data_type(), &format!("map_keys({value})"), column)?;
    let values = list(item.data_type(), &format!("map_values({value})"), column)?;
    if keys.is_none() && values.is_none() {
        return Ok(None);
    }
    let keys = keys.unwrap_or_else(|| format!("map_keys({value})"));
    let values = values.unwrap_or_else(|| format!("map_values({value})"));
    Ok(Some(format!("CASE WHEN {value} IS NULL THEN NULL ELSE map({keys}, {values}) END")))
}
