//! Columns of every type that a chunk holds, seen through SQL.

use arrow::array::*;
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::*;

use super::*;

fn all_types() -> RecordBatch {
    let nulls = || Some(NullBuffer::from(vec![true, false]));
    let item = |kind| Arc::new(Field::new("item", kind, true));
    let values: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3, 4]));
    let inner: ArrayRef = Arc::new(DurationMillisecondArray::from(vec![Some(1500), None]));
    let inner_field = Field::new("d", inner.data_type().clone(), true);
    let structure = StructArray::new(vec![inner_field].into(), vec![inner], nulls());
    let list = ListArray::new(
        item(structure.data_type().clone()),
        OffsetBuffer::from_lengths([2, 0]),
        Arc::new(structure.clone()),
        nulls(),
    );
    let fixed = FixedSizeListArray::new(item(DataType::Int32), 2, values, nulls());
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    map.keys().append_value("k");
    map.values().append_value(7);
    map.append(true).unwrap();
    map.append(false).unwrap();
    batch(vec![
        ("bool", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("i8", Arc::new(Int8Array::from(vec![Some(-1), None]))),
        ("u16", Arc::new(UInt16Array::from(vec![Some(65535), None]))),
        ("u64", Arc::new(UInt64Array::from(vec![Some(u64::MAX), None]))),
        ("f16", Arc::new(Float16Array::from(vec![Some(half(1.5)), None]))),
        ("f32", Arc::new(Float32Array::from(vec![Some(0.25), None]))),
        ("f64", Arc::new(Float64Array::from(vec![Some(f64::NAN), None]))),
        ("text", Arc::new(StringArray::from(vec![Some("ü"), None]))),
        ("view", Arc::new(StringViewArray::from(vec![Some("a long string that is not inline"), None]))),
        ("bytes", Arc::new(BinaryArray::from(vec![Some(&b"\x00\xff"[..]), None]))),
        (
            "fixed_bytes",
            Arc::new(
                FixedSizeBinaryArray::try_from_sparse_iter_with_size(vec![Some([1u8, 2]), None].into_iter(), 2)
                    .unwrap(),
            ),
        ),
        ("date", Arc::new(Date32Array::from(vec![Some(1), None]))),
        ("date64", Arc::new(Date64Array::from(vec![Some(86_400_000), None]))),
        ("t32s", Arc::new(Time32SecondArray::from(vec![Some(3661), None]))),
        ("t32ms", Arc::new(Time32MillisecondArray::from(vec![Some(3_661_001), None]))),
        ("t64us", Arc::new(Time64MicrosecondArray::from(vec![Some(3_661_000_001), None]))),
        ("t64ns", Arc::new(Time64NanosecondArray::from(vec![Some(3_661_000_000_001), None]))),
        ("ts_s", Arc::new(TimestampSecondArray::from(vec![Some(-1), None]))),
        ("ts_ms", Arc::new(TimestampMillisecondArray::from(vec![Some(1), None]))),
        ("ts_us", Arc::new(TimestampMicrosecondArray::from(vec![Some(1), None]))),
        ("ts_ns", Arc::new(TimestampNanosecondArray::from(vec![Some(1), None]))),
        ("ts_tz", Arc::new(TimestampMicrosecondArray::from(vec![Some(1), None]).with_timezone("+02:00"))),
        ("ts_s_tz", Arc::new(TimestampSecondArray::from(vec![Some(1), None]).with_timezone("Europe/Berlin"))),
        ("dur", Arc::new(DurationSecondArray::from(vec![Some(90), None]))),
        ("dur_ns", Arc::new(DurationNanosecondArray::from(vec![Some(1_000), None]))),
        ("months", Arc::new(IntervalYearMonthArray::from(vec![Some(14), None]))),
        ("days", Arc::new(IntervalDayTimeArray::from(vec![Some(IntervalDayTime::new(3, 5)), None]))),
        ("dec", Arc::new(Decimal128Array::from(vec![Some(12345), None]).with_precision_and_scale(10, 2).unwrap())),
        (
            "dec38",
            Arc::new(Decimal256Array::from(vec![Some(i256::from(7)), None]).with_precision_and_scale(38, 1).unwrap()),
        ),
        ("dict", Arc::new(DictionaryArray::<Int8Type>::from_iter([Some("x"), None]))),
        ("nothing", Arc::new(NullArray::new(2))),
        ("structure", Arc::new(structure)),
        ("list", Arc::new(list)),
        ("fixed", Arc::new(fixed)),
        ("map", Arc::new(map.finish())),
    ])
}

fn half(value: f32) -> <Float16Type as ArrowPrimitiveType>::Native {
    <Float16Type as ArrowPrimitiveType>::Native::from_f32(value)
}

/// Column, its type in SQL, its value in the first row; the second row is null throughout.
const SEEN: &[(&str, &str, &str)] = &[
    ("bool", "BOOLEAN", "true"),
    ("i8", "TINYINT", "-1"),
    ("u16", "USMALLINT", "65535"),
    ("u64", "UBIGINT", "18446744073709551615"),
    ("f16", "FLOAT", "1.5"),
    ("f32", "FLOAT", "0.25"),
    ("f64", "DOUBLE", "nan"),
    ("text", "VARCHAR", "ü"),
    ("view", "VARCHAR", "a long string that is not inline"),
    ("bytes", "BLOB", "\\x00\\xFF"),
    ("fixed_bytes", "BLOB", "\\x01\\x02"),
    ("date", "DATE", "1970-01-02"),
    ("date64", "TIMESTAMP", "1970-01-02 00:00:00"),
    ("t32s", "TIME", "01:01:01"),
    ("t32ms", "TIME", "01:01:01.001"),
    ("t64us", "TIME", "01:01:01.000001"),
    ("t64ns", "TIME_NS", "01:01:01.000000001"),
    ("ts_s", "TIMESTAMP", "1969-12-31 23:59:59"),
    ("ts_ms", "TIMESTAMP", "1970-01-01 00:00:00.001"),
    ("ts_us", "TIMESTAMP", "1970-01-01 00:00:00.000001"),
    ("ts_ns", "TIMESTAMP_NS", "1970-01-01 00:00:00.000000001"),
    ("ts_tz", "TIMESTAMP WITH TIME ZONE", "1970-01-01 00:00:00.000001+00"),
    ("ts_s_tz", "TIMESTAMP WITH TIME ZONE", "1970-01-01 00:00:01+00"),
    ("dur", "INTERVAL", "00:01:30"),
    ("dur_ns", "INTERVAL", "00:00:00.000001"),
    ("months", "INTERVAL", "1 year 2 months"),
    ("days", "INTERVAL", "3 days 00:00:00.005"),
    ("dec", "DECIMAL(10,2)", "123.45"),
    ("dec38", "DECIMAL(38,1)", "0.7"),
    ("dict", "VARCHAR", "x"),
    ("nothing", "\"NULL\"", "null"),
    ("structure", "STRUCT(d INTERVAL)", "{'d': '00:00:01.5'}"),
    ("list", "STRUCT(d INTERVAL)[]", "[{'d': '00:00:01.5'}, NULL]"),
    ("fixed", "INTEGER[2]", "[1, 2]"),
    ("map", "MAP(VARCHAR, BIGINT)", "{k=7}"),
];

fn check(world: &World, table: &str) {
    assert_eq!(world.query(&format!("SELECT * FROM {table}")).num_columns(), SEEN.len());
    for (column, kind, value) in SEEN {
        let sql = format!("SELECT typeof({column}), {column}::VARCHAR FROM {table}");
        assert_eq!(world.rows(&sql), [format!("{kind}|{value}"), format!("{kind}|null")], "{table}.{column}");
    }
}

#[test]
fn every_type_comes_out_as_what_it_is() {
    let mut world = World::new();
    world.write("t", &[all_types()]);
    check(&world, "t");
}

#[test]
fn inlined_rows_have_the_same_types() {
    let mut world = World::new();
    let data = world.data(&[all_types()], 64 << 10);
    assert_eq!((data.manifest.chunks.len(), data.tail.len()), (0, 1));
    world.put("t", Arc::new(data));
    check(&world, "t");
}

#[test]
fn an_empty_table_has_the_same_types() {
    let mut world = World::new();
    let data = world.data(&[all_types()], 0);
    world.put("t", Arc::new(TableData::empty(data.schema.clone())));
    world.put("t", Arc::new(data));
    let of = |version: usize| world.query(&format!("SELECT * FROM t AT (VERSION => {version})")).schema();
    assert_eq!(of(1), of(2));
    assert_eq!(world.query("SELECT * FROM t AT (VERSION => 1)").num_rows(), 0);
    assert_eq!(world.rows("SELECT count(*), count(i8) FROM t AT (VERSION => 1)"), ["0|0"]);
}

/// Arrow's Parquet writer puts down as plain numbers what Parquet has no type for; other writers have types for it.
#[test]
fn types_of_other_writers_are_the_same_in_sql_and_in_rows() {
    let mut world = World::new();
    let seconds = || TimestampSecondArray::from(vec![Some(1_356_998_400), None]);
    let inner: ArrayRef = Arc::new(seconds());
    let structure = StructArray::from(vec![(Arc::new(Field::new("s", inner.data_type().clone(), true)), inner)]);
    let rows = batch(vec![
        ("ts_s", Arc::new(seconds())),
        ("ts_s_tz", Arc::new(seconds().with_timezone("Europe/Berlin"))),
        ("date64", Arc::new(Date64Array::from(vec![Some(86_400_000), None]))),
        ("t32s", Arc::new(Time32SecondArray::from(vec![Some(3661), None]))),
        ("dur", Arc::new(DurationSecondArray::from(vec![Some(90), None]))),
        ("structure", Arc::new(structure)),
        ("dict", Arc::new(DictionaryArray::<Int8Type>::from_iter([Some("x"), None]))),
    ]);
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, rows.schema(), None).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
    let chunk = world.store.chunks().put(&bytes).unwrap().hash;
    let listed = world.store.from_listed(&[chunk]).unwrap();
    let read = collect(world.store.read(&listed, None, &CancelToken::new()).unwrap()).unwrap();
    assert_eq!(
        text_rows(&read)[0],
        "2013-01-01T00:00:00|2013-01-01T01:00:00+01:00|1970-01-02T00:00:00|01:01:01|PT90S|{s: 2013-01-01T00:00:00}|x"
    );
    let (name, token) = (TableName::new("t").unwrap(), CancelToken::new());
    for inline_budget in [0, 64 << 10] {
        let rows = stream(std::slice::from_ref(&read));
        let more = world.store.append(&name, &listed, rows, inline_budget, &token).unwrap();
        world.put("t", Arc::new(listed.with_appended(&more, Some(Version(2)))));
    }
    world.put("t", Arc::new(listed));
    for (version, times) in [(1, 2), (2, 2), (3, 1)] {
        for (column, kind, value) in [
            ("ts_s", "TIMESTAMP", "2013-01-01 00:00:00"),
            ("ts_s_tz", "TIMESTAMP WITH TIME ZONE", "2013-01-01 00:00:00+00"),
            ("date64", "TIMESTAMP", "1970-01-02 00:00:00"),
            ("t32s", "TIME", "01:01:01"),
            ("dur", "INTERVAL", "00:01:30"),
            ("structure", "STRUCT(s TIMESTAMP)", "{'s': '2013-01-01 00:00:00'}"),
            ("dict", "VARCHAR", "x"),
        ] {
            let sql = format!("SELECT typeof({column}), {column}::VARCHAR FROM t AT (VERSION => {version})");
            let null = if column == "structure" { "{'s': NULL}" } else { "null" };
            let expected = vec![[format!("{kind}|{value}"), format!("{kind}|{null}")]; times].concat();
            assert_eq!(world.rows(&sql), expected, "{column} in version {version}");
        }
    }
}

#[test]
fn nested_durations_in_maps_and_lists_of_lists_are_turned_too() {
    let mut world = World::new();
    let mut maps = MapBuilder::new(None, StringBuilder::new(), DurationSecondBuilder::new());
    maps.keys().append_value("k");
    maps.values().append_value(60);
    maps.append(true).unwrap();
    maps.append(false).unwrap();
    let mut lists = ListBuilder::new(ListBuilder::new(DurationSecondBuilder::new()));
    lists.values().values().append_value(1);
    lists.values().append(true);
    lists.append(true);
    lists.append(false);
    world.write("t", &[batch(vec![("m", Arc::new(maps.finish())), ("l", Arc::new(lists.finish()))])]);
    assert_eq!(world.rows("SELECT m::VARCHAR, l::VARCHAR FROM t"), ["{k='00:01:00'}|[['00:00:01']]", "null|null"]);
    assert_eq!(world.rows("SELECT typeof(m), typeof(l) FROM t LIMIT 1"), ["MAP(VARCHAR, INTERVAL)|INTERVAL[][]"]);
}

#[test]
fn a_decimal_that_sql_cannot_hold_is_refused_only_where_it_is_used() {
    let mut world = World::new();
    let wide = Decimal256Array::from(vec![i256::from(7)]).with_precision_and_scale(50, 1).unwrap();
    world.write("t", &[batch(vec![("id", Arc::new(Int64Array::from(vec![1]))), ("wide", Arc::new(wide))])]);
    assert_eq!(world.rows("SELECT id FROM t"), ["1"]);
    for sql in ["SELECT * FROM t", "SELECT id FROM t WHERE wide > 0", "SELECT sum(wide) FROM t"] {
        let error = world.error(sql);
        assert_eq!(error.code(), Code::Unsupported, "{sql}: {error}");
        assert!(error.to_string().contains("\"wide\""), "{sql}: {error}");
    }
}

#[test]
fn columns_that_older_chunks_lack_are_null() {
    let mut world = World::new();
    let old = world.data(&[users(0, 2)], 0);
    let name = TableName::new("t").unwrap();
    let more = batch(vec![
        ("age", Arc::new(Int64Array::from(vec![9]))),
        ("extra", Arc::new(DurationSecondArray::from(vec![60]))),
        ("name", Arc::new(StringArray::from(vec!["new"]))),
        ("id", Arc::new(Int64Array::from(vec![2]))),
    ]);
    let written = world.store.overwrite(&name, Some(&old), stream(&[more]), &[], 0, &CancelToken::new()).unwrap();
    let chunks = [old.manifest.chunks.clone(), written.manifest.chunks.clone()].concat();
    world.put("t", Arc::new(TableData { manifest: Arc::new(Manifest { chunks }), ..written.to_data(None) }));
    let expected = ["20|null|user 0|0", "21|null|user 1|1", "9|00:01:00|new|2"];
    assert_eq!(world.rows("SELECT age, extra::VARCHAR, name, id FROM t"), expected);
    assert_eq!(world.query("SELECT * FROM t").schema().field(1).name(), "extra");
    assert_eq!(world.rows("SELECT id FROM t WHERE extra IS NULL ORDER BY id"), ["0", "1"]);
    assert_eq!(world.rows("SELECT id FROM t WHERE age = 9"), ["2"]);
}

#[test]
fn a_list_of_foreign_chunks_is_read_as_it_is() {
    let mut world = World::new();
    let schema = Arc::new(Schema::new(vec![Field::new("a", DataType::Int32, true)]));
    let rows = RecordBatch::try_new(schema.clone(), vec![Arc::new(Int32Array::from(vec![1, 2]))]).unwrap();
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, schema, None).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
    let chunk = world.store.chunks().put(&bytes).unwrap().hash;
    let listed = world.store.from_listed(&[chunk, chunk]).unwrap();
    world.put("listed", Arc::new(listed.clone()));
    assert_eq!(world.rows("SELECT sum(a), count(*) FROM listed WHERE a > 1"), ["4|2"]);
    assert_eq!(world.rows("SELECT count(*) FROM listed"), ["4"]);
    let mut bare = listed;
    Arc::make_mut(&mut bare.schema).arrow.clear();
    world.put("bare", Arc::new(bare.clone()));
    assert_eq!(world.rows("SELECT sum(a) FROM bare"), ["6"]);
    assert_eq!(world.rows("SELECT count(*) FROM bare"), ["4"]);
    world.put("nothing", Arc::new(TableData::empty(bare.schema.clone())));
    assert_eq!(world.code("SELECT * FROM nothing"), Code::Unsupported);
}
