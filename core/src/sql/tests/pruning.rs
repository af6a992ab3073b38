//! Leaving chunks out changes no result.

use arrow::array::*;
use arrow::datatypes::DataType;
use proptest::prelude::*;

use super::*;

/// How many files a statement's plan reads.
fn files_read(world: &World, sql: &str) -> usize {
    let plan = world.rows(&format!("EXPLAIN (ANALYZE, FORMAT json) {sql}")).concat();
    let at = plan.find("Total Files Read").unwrap_or_else(|| panic!("{plan}"));
    let digits = plan[at..].trim_start_matches(|c: char| !c.is_ascii_digit());
    digits[..digits.find(|c: char| !c.is_ascii_digit()).unwrap()].parse().unwrap()
}

#[test]
fn chunks_that_cannot_matter_are_left_out() {
    let mut world = World::new();
    let chunks: Vec<RecordBatch> = (0..10).map(|part| users(part * 10, part * 10 + 10)).collect();
    world.write("t", &chunks);
    for (filter, files) in [
        ("id = 55", 1),
        ("55 = id", 1),
        ("id >= 90", 1),
        ("89 < id", 1),
        ("id BETWEEN 15 AND 24", 2),
        ("id IN (1, 99)", 2),
        ("id < 10 AND name > 'a'", 1),
        ("id < 10 OR id > 89", 2),
        ("id < 10 OR length(name) = 3", 10),
        ("id IS NULL OR id = 3", 1),
        ("t.id = 3", 1),
        ("ID = 3", 1),
        ("id = 3.0", 1),
        ("id + 0 = 3", 10),
        ("id <> 3", 10),
        ("NOT id = 3", 10),
        ("name = 'user 7'", 1),
    ] {
        assert_eq!(files_read(&world, &format!("SELECT * FROM t WHERE {filter}")), files, "{filter}");
    }
    let joined = "SELECT * FROM t JOIN range(100) r(i) ON t.id = r.i WHERE t.id = 3 AND i < 50";
    assert_eq!(files_read(&world, joined), 1);
    let parameter = world.try_query("SELECT name FROM t WHERE id = $1", &[Value::Int(42)]).unwrap();
    assert_eq!(text_rows(&parameter), ["user 42"]);
    assert_eq!(world.query("SELECT * FROM t WHERE id = 1000").num_rows(), 0);
}

#[test]
fn nothing_is_left_out_where_rows_matter_though_they_fail_the_filter() {
    let mut world = World::new();
    world.write("t", &[users(0, 5), users(5, 10)]);
    for (sql, rows) in [
        ("SELECT count(b.id), count(*) FROM t a LEFT JOIN t b ON a.id = b.id + 5 WHERE b.id IS NULL", "0|5"),
        ("SELECT count(*) FROM t a ANTI JOIN t b ON a.id = b.id WHERE a.id > 7", "0"),
        ("SELECT count(*) FROM t a ASOF JOIN t b ON a.id >= b.id WHERE b.id < 3", "3"),
        ("SELECT count(*) FROM t a POSITIONAL JOIN t b WHERE b.id > 5", "4"),
        ("SELECT count(*) FROM t AS u(a, id, b) WHERE id = 'user 3'", "1"),
        ("SELECT max(c) FROM (SELECT id, count(*) OVER () AS c FROM t) WHERE id < 3", "10"),
        ("SELECT (SELECT count(*) FROM t b WHERE a.id = 7) FROM t a WHERE a.id = 7", "10"),
        ("SELECT count(*) FROM t QUALIFY id < 3 OR true LIMIT 1", "10"),
    ] {
        match world.try_query(sql, &[]) {
            Ok(found) => assert_eq!(text_rows(&found), [rows], "{sql}"),
            Err(error) => assert!(sql.contains("QUALIFY"), "{sql}: {error}"),
        }
    }
}

/// A table in chunks of so many rows, and the same chunks without statistics, of which none can be left out.
fn two_forms(columns: Vec<(&str, ArrayRef)>, cuts: usize) -> World {
    let mut world = World::new();
    let all = batch(columns);
    let parts: Vec<RecordBatch> =
        (0..all.num_rows()).step_by(cuts).map(|at| all.slice(at, cuts.min(all.num_rows() - at))).collect();
    world.write("pruned", &parts);
    let mut whole = world.data(&parts, 0);
    // Without statistics nothing is certain.
    Arc::make_mut(&mut whole.manifest).chunks.iter_mut().for_each(|chunk| chunk.columns.clear());
    world.put("whole", Arc::new(whole));
    world
}

/// Whether the filter means anything to DuckDB; if so, both forms give the same.
fn same(world: &World, filter: &str, parameters: &[Value]) -> std::result::Result<bool, TestCaseError> {
    let ask = |table: &str| {
        let sql = format!("SELECT n FROM {table} WHERE {filter}");
        world.try_query(&sql, parameters).map(|rows| text_rows(&rows))
    };
    match (ask("pruned"), ask("whole")) {
        (Ok(pruned), Ok(whole)) => {
            prop_assert!(pruned == whole, "{filter} {parameters:?}: {pruned:?} {whole:?}");
            Ok(true)
        }
        // A row that makes the filter fail may have been left out, but what works on all rows works on some.
        (pruned, whole) => {
            prop_assert!(whole.is_err(), "{filter} {parameters:?}: {pruned:?} {whole:?}");
            Ok(false)
        }
    }
}

fn ints() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![
        Just(None),
        (-3i64..4).prop_map(Some),
        Just(Some(i64::MAX)),
        Just(Some(i64::MIN)),
        Just(Some((1 << 53) + 1))
    ]
}

fn floats() -> impl Strategy<Value = Option<f64>> {
    let special = prop::sample::select(vec![
        0.0,
        -0.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.1,
        1e-320,
        1e300,
        16777217.0,
    ]);
    prop_oneof![Just(None), (-3i32..4).prop_map(|v| Some(f64::from(v) / 2.0)), special.prop_map(Some)]
}

fn texts() -> impl Strategy<Value = Option<String>> {
    let long = prop::sample::select(vec![
        "",
        "a",
        "ab",
        "b",
        "ä",
        "user",
        "a long text beyond any bound that is kept",
        "a long text beyond any bound that is cut",
        "\u{10FFFF}\u{10FFFF}\u{10FFFF}\u{10FFFF}\u{10FFFF}\u{10FFFF}\u{10FFFF}",
    ]);
    prop_oneof![Just(None), long.prop_map(|text| Some(text.to_owned()))]
}

fn days() -> impl Strategy<Value = Option<i32>> {
    prop_oneof![Just(None), (-2i32..3).prop_map(Some), Just(Some(19_000))]
}

/// A filter on the columns that a table of the property below has.
fn filter() -> impl Strategy<Value = String> {
    let column =
        prop::sample::select(vec!["i", "i32", "u", "f", "f32", "s", "d", "ts", "ts_ms", "tz", "ns", "dec", "b"]);
    let constant = prop::sample::select(vec![
        "0",
        "1",
        "-1",
        "2",
        "3",
        "9223372036854775807",
        "9007199254740992",
        "9007199254740993",
        "170141183460469231731687303715884105727",
        "0.5",
        "1.5",
        "-0.5",
        "0.1",
        "1e0",
        "1e-320",
        "1e300",
        "9007199254740992.0",
        "16777216",
        "'NaN'::DOUBLE",
        "'infinity'::DOUBLE",
        "0.1::FLOAT",
        "''",
        "'a'",
        "'ab'",
        "'b'",
        "'ä'",
        "'a long text beyond any bound that is kept'",
        "'a long text beyond any bound that is cut'",
        "'zz'",
        "'1970-01-01'",
        "'1970-01-02'",
        "'1969-12-31 23:59:59.9999995'",
        "'1970-01-01 00:00:00.5'",
        "DATE '1970-01-02'",
        "TIMESTAMP '1970-01-01 00:00:01'",
        "TIMESTAMP '1970-01-02 00:00:00'",
        "TIMESTAMPTZ '1970-01-01 01:00:00+01'",
        "'1'",
        "'1.5'",
        "NULL",
        "true",
        "false",
        "1::TINYINT",
        "1::DECIMAL(20,10)",
        "$1",
    ]);
    let compare = (
        column.clone(),
        prop::sample::select(vec!["=", "<", "<=", ">", ">=", "<>", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"]),
        constant.clone(),
    );
    let leaf = prop_oneof![
        compare.clone().prop_map(|(column, op, value)| format!("{column} {op} {value}")),
        compare.prop_map(|(column, op, value)| format!("{value} {op} {column}")),
        (column.clone(), constant.clone(), constant.clone()).prop_map(|(c, a, b)| format!("{c} BETWEEN {a} AND {b}")),
        (column.clone(), constant.clone(), constant).prop_map(|(c, a, b)| format!("{c} IN ({a}, {b})")),
        column.clone().prop_map(|column| format!("{column} IS NULL")),
        column.prop_map(|column| format!("{column} IS NOT NULL")),
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            pair.clone().prop_map(|(a, b)| format!("({a} AND {b})")),
            pair.prop_map(|(a, b)| format!("({a} OR {b})")),
            inner.prop_map(|a| format!("NOT ({a})")),
        ]
    })
}

fn parameter() -> impl Strategy<Value = Value> {
    prop_oneof![
        ints().prop_map(|value| value.map_or(Value::Null, Value::Int)),
        floats().prop_map(|value| value.map_or(Value::Null, Value::Float)),
        texts().prop_map(|value| value.map_or(Value::Null, Value::Text)),
        days().prop_map(|value| value.map_or(Value::Null, Value::Date)),
        Just(Value::Text("1970-01-02".to_owned())),
        Just(Value::Timestamp(1)),
        Just(Value::UInt(u64::MAX)),
        Just(Value::Bool(true)),
    ]
}

type Row = (Option<i64>, Option<f64>, Option<String>, Option<i32>);

fn columns(rows: &[Row]) -> Vec<(&'static str, ArrayRef)> {
    let int = || rows.iter().map(|row| row.0);
    let float = || rows.iter().map(|row| row.1);
    let day = || rows.iter().map(|row| row.3);
    let millis = Int64Array::from_iter(day().map(|day| day.map(|day| i64::from(day) * 43_200_000 + 1)));
    let micros = Int64Array::from_iter(day().map(|day| day.map(|day| i64::from(day) * 500_000)));
    let nanos = Int64Array::from_iter(day().map(|day| day.map(|day| i64::from(day) * 500_000_001)));
    let cast = |array: &Int64Array, kind: &str| {
        let unit = match kind {
            "ms" => DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, None),
            "us" => DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, None),
            "tz" => DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, Some("+02:00".into())),
            _ => DataType::Timestamp(arrow::datatypes::TimeUnit::Nanosecond, None),
        };
        arrow::compute::cast(array, &unit).unwrap()
    };
    let decimal = Decimal128Array::from_iter(int().map(|int| int.map(|int| i128::from(int) * 5)));
    vec![
        ("n", Arc::new(Int64Array::from_iter_values(0..rows.len() as i64))),
        ("i", Arc::new(Int64Array::from_iter(int()))),
        ("i32", Arc::new(Int32Array::from_iter(int().map(|int| int.map(|int| int as i32))))),
        ("u", Arc::new(UInt64Array::from_iter(int().map(|int| int.map(|int| int as u64))))),
        ("f", Arc::new(Float64Array::from_iter(float()))),
        ("f32", Arc::new(Float32Array::from_iter(float().map(|float| float.map(|float| float as f32))))),
        ("s", Arc::new(StringArray::from_iter(rows.iter().map(|row| row.2.clone())))),
        ("d", Arc::new(Date32Array::from_iter(day()))),
        ("ts", cast(&micros, "us")),
        ("ts_ms", cast(&millis, "ms")),
        ("tz", cast(&micros, "tz")),
        ("ns", cast(&nanos, "ns")),
        ("dec", Arc::new(decimal.with_precision_and_scale(25, 1).unwrap())),
        ("b", Arc::new(BooleanArray::from_iter(int().map(|int| int.map(|int| int > 0))))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_pruned_result_is_the_whole_result(
        rows in prop::collection::vec((ints(), floats(), texts(), days()), 1..14),
        cuts in 1usize..5,
        filters in prop::collection::vec((filter(), parameter()), 40),
    ) {
        let world = two_forms(columns(&rows), cuts);
        let mut meant = 0;
        for (filter, parameter) in filters {
            let parameters = if filter.contains("$1") { vec![parameter] } else { vec![] };
            meant += usize::from(same(&world, &filter, &parameters)?);
        }
        prop_assert!(meant >= 5, "only {meant} of 40 filters were understood");
    }
}
