//! Differences and row changes over versions whose columns have other types.

use std::sync::Arc;

use arrow::array::*;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::tests::memory;
use super::*;
use crate::error::Code;
use crate::table::{RowStream, error_from_arrow};

/// A table `t` of a column `x`, in a version for each array.
fn versions(columns: &[ArrayRef]) -> Database {
    let db = memory();
    columns.iter().for_each(|column| write(&db, vec![("x", column.clone())]));
    db
}

fn write(db: &Database, columns: Vec<(&str, ArrayRef)>) {
    let columns = columns.into_iter().map(|(name, column)| (name, column, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let rows = RecordBatchIterator::new([Ok(batch.clone())], batch.schema());
    db.write_table("t", Box::new(rows), &WriteOptions::default()).unwrap();
}

/// The rows as text in any order, without `_commit_timestamp` and `_tx_id`.
fn shown(rows: RowStream) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for batch in rows {
        let batch = batch.map_err(error_from_arrow)?;
        let options = FormatOptions::default().with_null("null");
        let schema = batch.schema();
        let wanted = |name: &str| !["_commit_timestamp", "_tx_id"].contains(&name);
        let columns = schema.fields().iter().zip(batch.columns()).filter(|(field, _)| wanted(field.name()));
        let columns: Vec<_> = columns.map(|(_, column)| ArrayFormatter::try_new(column, &options).unwrap()).collect();
        lines.extend(
            (0..batch.num_rows())
                .map(|row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|")),
        );
    }
    lines.sort();
    Ok(lines)
}

fn counts(db: &Database, from: u64, to: u64) -> (u64, u64) {
    let summary = db.diff_versions("t", from, to, &[]).unwrap();
    (summary.rows_added, summary.rows_removed)
}

fn diff(db: &Database, from: u64, to: u64) -> Result<Vec<String>> {
    shown(db.diff_rows("t", from, to, &[])?)
}

fn ints(values: impl IntoIterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(Int64Array::from_iter(values))
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

#[test]
fn a_text_that_is_no_number_does_not_become_null() {
    let db = versions(&[texts(&[Some("abc"), Some("7"), None]), ints([None, Some(7), None])]);
    assert_eq!(counts(&db, 1, 2), (1, 1));
    assert_eq!(counts(&db, 2, 1), (1, 1));
    assert_eq!(diff(&db, 1, 2).unwrap(), ["abc|delete", "null|insert"]);
    let changes = shown(db.table_changes("t", 0, 2).unwrap()).unwrap();
    assert_eq!(changes, ["7|insert|1", "abc|delete|2", "abc|insert|1", "null|insert|1", "null|insert|2"]);
}

#[test]
fn a_fraction_is_not_cut_off_in_either_direction() {
    let db = versions(&[Arc::new(Float64Array::from(vec![1.5, 2.0])), ints([Some(1), Some(2)])]);
    assert_eq!((counts(&db, 1, 2), counts(&db, 2, 1)), ((1, 1), (1, 1)));
    assert_eq!(diff(&db, 1, 2).unwrap(), ["1.0|insert", "1.5|delete"]);
    assert_eq!(diff(&db, 2, 1).unwrap(), ["1.0|delete", "1.5|insert"]);
}

#[test]
fn a_time_of_day_is_not_cut_off_a_date() {
    let noon = TimestampMicrosecondArray::from(vec![43_200_000_000, 86_400_000_000]);
    let db = versions(&[Arc::new(noon), Arc::new(Date32Array::from(vec![0, 1]))]);
    assert_eq!((counts(&db, 1, 2), counts(&db, 2, 1)), ((1, 1), (1, 1)));
    assert_eq!(diff(&db, 1, 2).unwrap(), ["1970-01-01T00:00:00|insert", "1970-01-01T12:00:00|delete"]);
}

#[test]
fn a_time_with_a_zone_is_no_time_without_one() {
    let micros = || TimestampMicrosecondArray::from(vec![0]);
    let db = versions(&[
        Arc::new(micros()),
        Arc::new(micros().with_timezone("+02:00")),
        Arc::new(micros().with_timezone("UTC")),
    ]);
    assert_eq!(counts(&db, 1, 2), (1, 1));
    assert_eq!(diff(&db, 1, 2).unwrap(), ["1970-01-01T00:00:00|delete", "1970-01-01T02:00:00+02:00|insert"]);
    assert_eq!(counts(&db, 2, 3), (0, 0), "the same moment");
}

/// 2^53 + 1 has no floating point number of its own.
#[test]
fn a_value_that_the_common_type_cannot_hold_equals_nothing_and_is_not_shown_as_another() {
    let odd = (1 << 53) + 1;
    let doubles = |values: Vec<f64>| -> ArrayRef { Arc::new(Float64Array::from(values)) };
    let db = versions(&[ints([Some(odd), Some(3)]), doubles(vec![odd as f64, 3.0]), ints([Some(odd - 1), Some(4)])]);
    assert_eq!((counts(&db, 1, 2), counts(&db, 2, 1)), ((1, 1), (1, 1)));
    assert_eq!(counts(&db, 2, 3), (1, 1));
    for answer in [diff(&db, 1, 2), diff(&db, 2, 1), db.table_changes("t", 0, 2).and_then(shown)] {
        let error = answer.unwrap_err();
        assert_eq!(error.code(), Code::Unsupported, "{error}");
        assert!(error.to_string().contains("column \"x\""), "{error}");
    }
    assert_eq!(diff(&db, 2, 3).unwrap(), ["3.0|delete", "4.0|insert"]);
    let keyed = db.diff_versions("t", 1, 2, &["x".to_string()]).unwrap();
    assert_eq!((keyed.rows_added, keyed.rows_removed, keyed.rows_modified), (1, 1, 0));
}

#[test]
fn a_moment_too_far_away_for_a_finer_unit_equals_nothing() {
    let far: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![Some(i64::MAX / 1000), Some(1), None]));
    let near: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![None, Some(1_000_000), None]));
    let db = versions(&[far, near, Arc::new(Date32Array::from(vec![i32::MAX]))]);
    assert_eq!((counts(&db, 1, 2), counts(&db, 2, 1)), ((1, 1), (1, 1)));
    assert_eq!(diff(&db, 1, 2).unwrap_err().code(), Code::Unsupported);
    assert_eq!(counts(&db, 2, 3), (1, 3));
}

#[test]
fn what_is_the_same_in_a_wider_type_did_not_change() {
    let values = ints([Some(1), Some(2), None]);
    for wider in [
        DataType::Int16,
        DataType::UInt64,
        DataType::Float32,
        DataType::Float64,
        DataType::Decimal128(12, 3),
        DataType::Utf8,
    ] {
        let db = versions(&[cast(&values, &DataType::Int8).unwrap(), cast(&values, &wider).unwrap()]);
        assert_eq!((counts(&db, 1, 2), counts(&db, 2, 1)), ((0, 0), (0, 0)), "{wider}");
        assert_eq!(diff(&db, 1, 2).unwrap(), [""; 0], "{wider}");
    }
    let lists = |item: DataType| {
        let list = ListArray::from_iter_primitive::<arrow::datatypes::Int64Type, _, _>([Some([Some(1), None]), None]);
        cast(&list, &DataType::List(Arc::new(Field::new("item", item, true)))).unwrap()
    };
    let db = versions(&[lists(DataType::Int32), lists(DataType::Int64), lists(DataType::Float64)]);
    assert_eq!(counts(&db, 1, 2), (0, 0));
    assert_eq!(db.diff_versions("t", 2, 3, &[]).unwrap_err().code(), Code::Unsupported);
    assert_eq!(db.table_changes("t", 0, 3).map(drop).unwrap_err().code(), Code::Unsupported);
}

#[test]
fn row_changes_show_all_columns_that_the_table_ever_had() {
    let db = memory();
    let seconds = |values: Vec<i64>| -> ArrayRef { Arc::new(TimestampMillisecondArray::from(values)) };
    write(
        &db,
        vec![("id", ints([Some(1)])), ("gone", texts(&[Some("a")])), ("x", Arc::new(Date32Array::from(vec![0])))],
    );
    write(&db, vec![("id", texts(&[Some("one")])), ("x", seconds(vec![1]))]);
    write(&db, vec![("x", seconds(vec![1])), ("id", texts(&[Some("one")])), ("new", ints([Some(9)]))]);
    let rows = db.table_changes("t", 0, 3).unwrap();
    let names: Vec<String> = rows.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["x", "id", "new", "gone", "_change_type", "_commit_version", "_commit_timestamp", "_tx_id"]);
    assert_eq!(rows.schema().field(0).data_type(), &DataType::Timestamp(TimeUnit::Millisecond, None));
    let (day, later) = ("1970-01-01T00:00:00", "1970-01-01T00:00:00.001");
    assert_eq!(
        shown(rows).unwrap(),
        [
            format!("{later}|one|9|null|insert|3"),
            format!("{later}|one|null|null|delete|3"),
            format!("{later}|one|null|null|insert|2"),
            format!("{day}|1|null|a|delete|2"),
            format!("{day}|1|null|a|insert|1"),
        ]
    );
    assert_eq!(db.table_changes("t", 2, 3).unwrap().schema().fields().len(), 7, "nothing of version 1");
}

#[test]
fn a_row_looks_the_same_when_it_comes_and_when_it_goes() {
    let doubles = |values: Vec<f64>| -> ArrayRef { Arc::new(Float64Array::from(values)) };
    let to_text =
        versions(&[ints([Some(1), Some(2)]), doubles(vec![1.0, 2.5]), texts(&[Some("2.5")]), texts(&[Some("1")])]);
    let changes = shown(to_text.table_changes("t", 0, 4).unwrap()).unwrap();
    assert_eq!(
        changes,
        [
            "1.0|delete|3",
            "1.0|insert|2",
            "1|delete|2",
            "1|insert|1",
            "1|insert|4",
            "2.5|delete|4",
            "2.5|insert|2",
            "2|delete|2",
            "2|insert|1"
        ]
    );
    // Narrow floats have fewer digits than wide ones, unless they were wide on the way.
    let narrow: ArrayRef = Arc::new(Float32Array::from(vec![1.1]));
    let db = versions(&[narrow, doubles(vec![f64::from(1.1f32)]), texts(&[])]);
    let changes = shown(db.table_changes("t", 1, 3).unwrap()).unwrap();
    assert_eq!(changes, ["1.100000023841858|delete|3", "1.100000023841858|insert|2", "1.1|delete|2"]);
}

#[test]
fn a_change_of_type_alone_is_no_change_of_rows() {
    let values = ints([Some(1), Some(2), None]);
    let types = [DataType::Int8, DataType::Int64, DataType::Float32, DataType::Float64];
    let db = versions(&types.map(|data_type| cast(&values, &data_type).unwrap()));
    let changes = db.table_changes("t", 0, 4).unwrap();
    assert_eq!(changes.schema().field(0).data_type(), &DataType::Float64);
    assert_eq!(shown(changes).unwrap(), ["1.0|insert|1", "2.0|insert|1", "null|insert|1"]);
}

/// Pairs of types that stand in no one version are converted all the same: numbers to bytes, by way of a text.
#[test]
fn numbers_among_bytes_are_their_text() {
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![b"12".as_slice()]));
    let db = versions(&[bytes, texts(&[Some("12")]), ints([Some(12)]), ints([Some(7)])]);
    let changes = db.table_changes("t", 0, 4).unwrap();
    assert_eq!(changes.schema().field(0).data_type(), &DataType::Binary);
    assert_eq!(shown(changes).unwrap(), ["3132|delete|4", "3132|insert|1", "37|insert|4"]);
}

/// 2^53 + 1 and its negative have no floating point number of their own, and the same bits as numbers without a sign.
#[test]
fn values_that_no_type_holds_are_told_apart_by_their_own_types() {
    let odd = (1 << 53) + 1;
    let unsigned: ArrayRef = Arc::new(UInt64Array::from(vec![-odd as u64, 3]));
    let three = || -> ArrayRef { Arc::new(Float64Array::from(vec![3.0])) };
    let db = versions(&[three(), ints([Some(-odd), Some(3)]), ints([Some(-odd), Some(4)]), unsigned, three()]);
    let rest = |from, to| db.table_changes("t", from, to).and_then(shown);
    assert_eq!(rest(4, 5).unwrap_err().code(), Code::Unsupported);
    let mut within = db.table_changes("t", 2, 5).unwrap();
    assert_eq!(within.schema().field(0).data_type(), &DataType::Float64);
    let third: Result<Vec<_>> = (0..2).map(|_| within.next().unwrap().map_err(error_from_arrow)).collect();
    let third: Vec<usize> = third.unwrap().iter().map(RecordBatch::num_rows).collect();
    assert_eq!(third, [1, 1], "of a value that stays nothing is said");
    let fourth = within.next().unwrap().map_err(error_from_arrow).unwrap_err();
    assert_eq!(fourth.code(), Code::Unsupported, "another number of the same bits is another value");
    assert!(within.next().is_none(), "nothing follows an error");
}

/// A column without a type has nothing that any other could not hold.
#[test]
fn a_column_of_nulls_is_compared_with_one_of_any_type() {
    let db = versions(&[Arc::new(NullArray::new(2)), ints([None, Some(1)]), texts(&[None, Some("1")])]);
    assert_eq!(diff(&db, 1, 2).unwrap(), ["1|insert", "null|delete"]);
    assert_eq!(shown(db.table_changes("t", 1, 3).unwrap()).unwrap(), ["1|insert|2", "null|delete|2"]);
}

#[test]
fn a_column_that_takes_nulls_no_longer_shows_those_it_had() {
    let db = versions(&[ints([None])]);
    let schema = Arc::new(Schema::new(vec![Field::new("x", DataType::Int64, false)]));
    let batch = RecordBatch::try_new(schema.clone(), vec![ints([Some(1)])]).unwrap();
    db.write_table("t", Box::new(RecordBatchIterator::new([Ok(batch)], schema)), &WriteOptions::default()).unwrap();
    let changes = shown(db.table_changes("t", 0, 2).unwrap()).unwrap();
    assert_eq!(changes, ["1|insert|2", "null|delete|2", "null|insert|1"]);
}

#[test]
fn columns_named_like_those_of_row_changes_are_refused() {
    for name in ["_change_type", "_commit_version", "_commit_timestamp", "_tx_id"] {
        let db = memory();
        write(&db, vec![(name, ints([Some(1)]))]);
        let error = db.table_changes("t", 0, 1).map(drop).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{error}");
    }
}
