//! Rows of a case to Arrow batches and back.

use std::sync::Arc;

use armillaria::RowStream;
use arrow::array::types::*;
use arrow::array::*;
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, Schema, SchemaRef, TimeUnit, i256};
use arrow::error::ArrowError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value as Json, json};

use crate::failure::Failure;
use crate::step::integer;

/// The rows of a step as a stream of batches of so many rows; all in one where none is given.
pub(crate) fn stream(schema: Schema, rows: &Json, batch_rows: Option<usize>) -> Result<RowStream, Failure> {
    let rows = rows.as_array().ok_or("`rows` is an array")?;
    let schema = Arc::new(schema);
    let size = batch_rows.unwrap_or(rows.len()).max(1);
    let mut batches: Vec<RecordBatch> = rows.chunks(size).map(|rows| batch(&schema, rows)).collect::<Result<_, _>>()?;
    if batches.is_empty() {
        batches.push(RecordBatch::new_empty(schema.clone()));
    }
    Ok(Box::new(RecordBatchIterator::new(batches.into_iter().map(Ok), schema)))
}

fn batch(schema: &SchemaRef, rows: &[Json]) -> Result<RecordBatch, Failure> {
    let width = schema.fields().len();
    let rows: Vec<&Vec<Json>> = rows
        .iter()
        .map(|row| {
            row.as_array().filter(|row| row.len() == width).ok_or(format!("a row is an array of {width} values"))
        })
        .collect::<Result<_, _>>()?;
    let column = |(index, field): (usize, &Arc<Field>)| {
        let values: Vec<&Json> = rows.iter().map(|row| &row[index]).collect();
        build(field.data_type(), &values).map_err(|reason| format!("column {:?}: {reason}", field.name()))
    };
    let columns = schema.fields().iter().enumerate().map(column).collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(schema.clone(), columns).map_err(|error| Failure::Case(error.to_string()))
}

type Built = Result<ArrayRef, String>;

fn build(data_type: &DataType, values: &[&Json]) -> Built {
    use DataType::*;
    match data_type {
        Null => Ok(Arc::new(NullArray::new(values.len()))),
        Boolean => Ok(Arc::new(each(values, Json::as_bool)?.into_iter().collect::<BooleanArray>())),
        Int8 => numbers::<Int8Type>(values),
        Int16 => numbers::<Int16Type>(values),
        Int32 => numbers::<Int32Type>(values),
        Int64 => numbers::<Int64Type>(values),
        UInt8 => numbers::<UInt8Type>(values),
        UInt16 => numbers::<UInt16Type>(values),
        UInt32 => numbers::<UInt32Type>(values),
        UInt64 => numbers::<UInt64Type>(values),
        Float16 => primitives::<Float16Type>(values, |value| integer(value).map(Half::from_bits)),
        Float32 => primitives::<Float32Type>(values, |value| float(value).map(|float| float as f32)),
        Float64 => primitives::<Float64Type>(values, float),
        Utf8 => Ok(Arc::new(each(values, Json::as_str)?.into_iter().collect::<StringArray>())),
        LargeUtf8 => Ok(Arc::new(each(values, Json::as_str)?.into_iter().collect::<LargeStringArray>())),
        Binary => Ok(Arc::new(each(values, bytes)?.into_iter().collect::<BinaryArray>())),
        LargeBinary => Ok(Arc::new(each(values, bytes)?.into_iter().collect::<LargeBinaryArray>())),
        FixedSizeBinary(width) => {
            let sized = FixedSizeBinaryArray::try_from_sparse_iter_with_size(each(values, bytes)?.into_iter(), *width);
            sized.map(|array| Arc::new(array) as ArrayRef).map_err(words)
        }
        Decimal128(digits, scale) => {
            let array = decimals(values, *scale, i256::to_i128)?.into_iter().collect::<Decimal128Array>();
            Ok(Arc::new(array.with_data_type(Decimal128(*digits, *scale))))
        }
        Decimal256(digits, scale) => {
            let array = decimals(values, *scale, Some)?.into_iter().collect::<Decimal256Array>();
            Ok(Arc::new(array.with_data_type(Decimal256(*digits, *scale))))
        }
        Date32 => numbers::<Date32Type>(values),
        Date64 => numbers::<Date64Type>(values),
        Time32(TimeUnit::Second) => numbers::<Time32SecondType>(values),
        Time32(_) => numbers::<Time32MillisecondType>(values),
        Time64(TimeUnit::Microsecond) => numbers::<Time64MicrosecondType>(values),
        Time64(_) => numbers::<Time64NanosecondType>(values),
        Timestamp(..) | Duration(_) => sixty_four_bits(data_type, values),
        Interval(unit) => intervals(*unit, values),
        List(item) => lists::<i32>(item, values),
        LargeList(item) => lists::<i64>(item, values),
        FixedSizeList(item, length) => fixed_lists(item, *length, values),
        Struct(fields) => Ok(Arc::new(structs(fields, values)?)),
        Map(entries, _) => maps(entries, values),
        Dictionary(index, value) => dictionary(index, value, values),
        other => Err(format!("a case has no values of {other}")),
    }
}

type Half = <Float16Type as ArrowPrimitiveType>::Native;

/// Reads each value that is not null.
fn each<'a, T>(values: &[&'a Json], read: impl Fn(&'a Json) -> Option<T>) -> Result<Vec<Option<T>>, String> {
    let value = |value: &&'a Json| match *value {
        Json::Null => Ok(None),
        value => read(value).map(Some).ok_or_else(|| format!("{value} does not fit the type")),
    };
    values.iter().map(value).collect()
}

fn numbers<T: ArrowPrimitiveType>(values: &[&Json]) -> Built
where
    T::Native: std::str::FromStr,
{
    primitives::<T>(values, integer)
}

fn primitives<T: ArrowPrimitiveType>(values: &[&Json], read: impl Fn(&Json) -> Option<T::Native>) -> Built {
    Ok(Arc::new(PrimitiveArray::<T>::from_iter(each(values, read)?)))
}

pub(crate) fn float(value: &Json) -> Option<f64> {
    match value.as_str() {
        None => value.as_f64(),
        Some("NaN") => Some(f64::NAN),
        Some("Infinity") => Some(f64::INFINITY),
        Some("-Infinity") => Some(f64::NEG_INFINITY),
        Some("-0") => Some(-0.0),
        Some(_) => None,
    }
}

fn bytes(value: &Json) -> Option<Vec<u8>> {
    BASE64.decode(value.as_str()?).ok()
}

/// Decimals have as many digits behind the point as their scale says.
fn decimals<T>(values: &[&Json], scale: i8, narrow: impl Fn(i256) -> Option<T>) -> Result<Vec<Option<T>>, String> {
    each(values, |value| {
        let text = value.as_str()?;
        let behind = text.split_once('.').map_or(0, |(_, behind)| behind.len());
        let digits = text.replace('.', "");
        (behind == usize::try_from(scale).ok()?).then(|| i256::from_string(&digits)).flatten().and_then(&narrow)
    })
}

fn sixty_four_bits(data_type: &DataType, values: &[&Json]) -> Built {
    let plain: Int64Array = each(values, integer::<i64>)?.into_iter().collect();
    let data = plain.into_data().into_builder().data_type(data_type.clone()).build().map_err(words)?;
    Ok(make_array(data))
}

fn intervals(unit: IntervalUnit, values: &[&Json]) -> Built {
    let part = |value: &Json, index: usize| integer::<i32>(value.get(index)?);
    match unit {
        IntervalUnit::YearMonth => numbers::<IntervalYearMonthType>(values),
        IntervalUnit::DayTime => primitives::<IntervalDayTimeType>(values, |value| {
            Some(IntervalDayTimeType::make_value(part(value, 0)?, part(value, 1)?))
        }),
        IntervalUnit::MonthDayNano => primitives::<IntervalMonthDayNanoType>(values, |value| {
            let nanoseconds = integer::<i64>(value.get(2)?)?;
            Some(IntervalMonthDayNanoType::make_value(part(value, 0)?, part(value, 1)?, nanoseconds))
        }),
    }
}

/// The items of lists, end to end; how many each list has; which lists are null.
type Items<'a> = (Vec<&'a Json>, Vec<usize>, Option<NullBuffer>);

fn items<'a>(values: &[&'a Json]) -> Result<Items<'a>, String> {
    let lists = each(values, Json::as_array)?;
    let lengths = lists.iter().map(|list| list.map_or(0, Vec::len)).collect();
    let nulls = lists.iter().map(Option::is_some).collect::<BooleanBuffer>();
    Ok((lists.into_iter().flatten().flatten().collect(), lengths, Some(NullBuffer::new(nulls))))
}

fn lists<O: OffsetSizeTrait>(item: &Arc<Field>, values: &[&Json]) -> Built {
    let (items, lengths, nulls) = items(values)?;
    let offsets = OffsetBuffer::<O>::from_lengths(lengths);
    let list = GenericListArray::<O>::try_new(item.clone(), offsets, build(item.data_type(), &items)?, nulls);
    Ok(Arc::new(list.map_err(words)?))
}

fn fixed_lists(item: &Arc<Field>, length: i32, values: &[&Json]) -> Built {
    let nothing = vec![Json::Null; length as usize];
    let lists = each(values, |value| value.as_array().filter(|list| list.len() == length as usize))?;
    let nulls = NullBuffer::new(lists.iter().map(Option::is_some).collect::<BooleanBuffer>());
    let items: Vec<&Json> = lists.into_iter().flat_map(|list| list.unwrap_or(&nothing)).collect();
    let list = FixedSizeListArray::try_new(item.clone(), length, build(item.data_type(), &items)?, Some(nulls));
    Ok(Arc::new(list.map_err(words)?))
}

fn structs(fields: &Fields, values: &[&Json]) -> Result<StructArray, String> {
    let rows = each(values, |value| value.as_array().filter(|row| row.len() == fields.len()))?;
    let nulls = NullBuffer::new(rows.iter().map(Option::is_some).collect::<BooleanBuffer>());
    let column = |(index, field): (usize, &Arc<Field>)| {
        let values: Vec<&Json> = rows.iter().map(|row| row.map_or(&Json::Null, |row| &row[index])).collect();
        build(field.data_type(), &values)
    };
    let columns = fields.iter().enumerate().map(column).collect::<Result<Vec<_>, _>>()?;
    StructArray::try_new(fields.clone(), columns, Some(nulls)).map_err(words)
}

fn maps(entries: &Arc<Field>, values: &[&Json]) -> Built {
    let DataType::Struct(fields) = entries.data_type() else { return Err("a map has entries".to_string()) };
    let (items, lengths, nulls) = items(values)?;
    let pairs = structs(fields, &items)?;
    let map = MapArray::try_new(entries.clone(), OffsetBuffer::from_lengths(lengths), pairs, nulls, false);
    Ok(Arc::new(map.map_err(words)?))
}

/// Each value is an entry of its own: what an index stands for matters, not how often.
fn dictionary(index: &DataType, value: &DataType, values: &[&Json]) -> Built {
    let known: Vec<&Json> = values.iter().copied().filter(|value| !value.is_null()).collect();
    let mut next = 0;
    let index_of = |value: &&Json| {
        let place = (!value.is_null()).then_some(next);
        next += i64::from(place.is_some());
        place
    };
    let places: Int64Array = values.iter().map(index_of).collect();
    let (places, entries) = (arrow::compute::cast(&places, index).map_err(words)?, build(value, &known)?);
    let data_type = DataType::Dictionary(Box::new(index.clone()), Box::new(value.clone()));
    let data = places.into_data().into_builder().data_type(data_type).add_child_data(entries.into_data());
    data.build().map(make_array).map_err(words)
}

fn words(error: ArrowError) -> String {
    error.to_string()
}

/// Reads a stream to its end: `{columns, rows, row_count}`. `failure` makes an error of the stream the product's.
pub(crate) fn collect(stream: RowStream, failure: impl Fn(ArrowError) -> Failure) -> Result<Json, Failure> {
    let columns = crate::types::show_columns(&stream.schema());
    let mut rows = Vec::new();
    for batch in stream {
        let batch = batch.map_err(&failure)?;
        for row in 0..batch.num_rows() {
            rows.push(batch.columns().iter().map(|column| show(column, row)).collect::<Result<Json, String>>()?);
        }
    }
    Ok(json!({"columns": columns, "row_count": rows.len(), "rows": rows}))
}

fn show(array: &ArrayRef, row: usize) -> Result<Json, String> {
    use DataType::*;
    if array.is_null(row) || array.data_type() == &Null {
        return Ok(Json::Null);
    }
    Ok(match array.data_type() {
        Boolean => json!(array.as_boolean().value(row)),
        Int8 => json!(array.as_primitive::<Int8Type>().value(row)),
        Int16 => json!(array.as_primitive::<Int16Type>().value(row)),
        Int32 => json!(array.as_primitive::<Int32Type>().value(row)),
        UInt8 => json!(array.as_primitive::<UInt8Type>().value(row)),
        UInt16 => json!(array.as_primitive::<UInt16Type>().value(row)),
        UInt32 => json!(array.as_primitive::<UInt32Type>().value(row)),
        UInt64 => json!(array.as_primitive::<UInt64Type>().value(row).to_string()),
        Date32 => json!(array.as_primitive::<Date32Type>().value(row)),
        Time32(TimeUnit::Second) => json!(array.as_primitive::<Time32SecondType>().value(row)),
        Time32(_) => json!(array.as_primitive::<Time32MillisecondType>().value(row)),
        Int64 | Date64 | Time64(_) | Timestamp(..) | Duration(_) => json!(sixty_four(array, row)?.to_string()),
        Float16 => json!(array.as_primitive::<Float16Type>().value(row).to_bits()),
        Float32 => show_float(f64::from(array.as_primitive::<Float32Type>().value(row))),
        Float64 => show_float(array.as_primitive::<Float64Type>().value(row)),
        Utf8 => json!(array.as_string::<i32>().value(row)),
        LargeUtf8 => json!(array.as_string::<i64>().value(row)),
        Binary => json!(BASE64.encode(array.as_binary::<i32>().value(row))),
        LargeBinary => json!(BASE64.encode(array.as_binary::<i64>().value(row))),
        FixedSizeBinary(_) => json!(BASE64.encode(array.as_fixed_size_binary().value(row))),
        Decimal128(..) => json!(array.as_primitive::<Decimal128Type>().value_as_string(row)),
        Decimal256(..) => json!(array.as_primitive::<Decimal256Type>().value_as_string(row)),
        Interval(unit) => show_interval(array, *unit, row),
        List(_) => show_items(&array.as_list::<i32>().value(row))?,
        LargeList(_) => show_items(&array.as_list::<i64>().value(row))?,
        FixedSizeList(..) => show_items(&array.as_fixed_size_list().value(row))?,
        Struct(_) => array.as_struct().columns().iter().map(|column| show(column, row)).collect::<Result<_, _>>()?,
        Map(..) => {
            let entries: ArrayRef = Arc::new(array.as_map().value(row));
            show_items(&entries)?
        }
        Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            show(dictionary.values(), dictionary.normalized_keys()[row])?
        }
        other => return Err(format!("a case has no values of {other}")),
    })
}

fn sixty_four(array: &ArrayRef, row: usize) -> Result<i64, String> {
    let data = array.to_data().into_builder().data_type(DataType::Int64).build().map_err(words)?;
    Ok(Int64Array::from(data).value(row))
}

fn show_items(items: &ArrayRef) -> Result<Json, String> {
    (0..items.len()).map(|row| show(items, row)).collect()
}

fn show_float(value: f64) -> Json {
    match value {
        value if value.is_nan() => json!("NaN"),
        f64::INFINITY => json!("Infinity"),
        f64::NEG_INFINITY => json!("-Infinity"),
        value if value == 0.0 && value.is_sign_negative() => json!("-0"),
        value => json!(value),
    }
}

fn show_interval(array: &ArrayRef, unit: IntervalUnit, row: usize) -> Json {
    match unit {
        IntervalUnit::YearMonth => json!(array.as_primitive::<IntervalYearMonthType>().value(row)),
        IntervalUnit::DayTime => {
            let (days, milliseconds) =
                IntervalDayTimeType::to_parts(array.as_primitive::<IntervalDayTimeType>().value(row));
            json!([days, milliseconds])
        }
        IntervalUnit::MonthDayNano => {
            let value = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
            let (months, days, nanoseconds) = IntervalMonthDayNanoType::to_parts(value);
            json!([months, days, nanoseconds.to_string()])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::parse_columns;

    /// One row of values and one of nulls, through arrays and back.
    #[test]
    fn rows_survive_the_way_through_arrow() {
        let columns = json!([
            ["bool", "bool"],
            ["i8", "int8"],
            ["i64", "int64"],
            ["u64", "uint64"],
            ["half", "float16"],
            ["f32", "float32"],
            ["f64", "float64"],
            ["text", "large_utf8"],
            ["bytes", "binary"],
            ["fixed", "fixed_size_binary(2)"],
            ["d", "decimal128(5, 2)"],
            ["wide", "decimal256(60, 0)"],
            ["day", "date32"],
            ["d64", "date64"],
            ["t32", "time32(s)"],
            ["t64", "time64(ns)"],
            ["at", "timestamp(us, +02:00)"],
            ["for", "duration(ms)"],
            ["months", "interval(months)"],
            ["days", "interval(day_time)"],
            ["all", "interval(month_day_nano)"],
            ["list", "list<list<int32>>"],
            ["two", "fixed_size_list(2)<utf8>"],
            ["pair", "struct<a: int64, b: bool>"],
            ["map", "map<utf8, int32>"],
            ["dict", "dictionary<int8, utf8>"],
            ["none", "null"]
        ]);
        let values = json!([
            true,
            -1,
            "-9223372036854775808",
            "18446744073709551615",
            15360,
            -2.25,
            "NaN",
            "ü",
            "AP8=",
            "AQI=",
            "-0.05",
            "123456789012345678901234567890123456789012345678901234567890",
            -1,
            "86400000",
            3661,
            "1",
            "-1",
            "1500",
            14,
            [3, 5],
            [1, -2, "3"],
            [[1, null], null, []],
            ["a", null],
            ["7", null],
            [["k", 1], ["l", null]],
            "x",
            null
        ]);
        let nulls = Json::Array(vec![Json::Null; columns.as_array().unwrap().len()]);
        let rows = json!([values, nulls, values]);
        for batch_rows in [None, Some(1)] {
            let stream = stream(parse_columns(&columns).unwrap(), &rows, batch_rows).unwrap();
            let seen = collect(stream, |error| Failure::Case(error.to_string())).unwrap();
            assert_eq!(seen["rows"], rows);
            assert_eq!(seen["columns"], columns);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (kind, value) in [
            ("int8", json!(300)),
            ("bool", json!("true")),
            ("decimal128(5, 2)", json!("1.5")),
            ("list<int8>", json!([true])),
        ] {
            assert!(stream(parse_columns(&json!([["a", kind]])).unwrap(), &json!([[value]]), None).is_err(), "{kind}");
        }
    }
}
