//! What statements may say, and what they are told.

use super::*;

#[test]
fn several_versions_of_one_table_meet_in_one_statement() {
    let world = shop();
    assert_eq!(world.rows("SELECT count(*) FROM users"), ["20"]);
    assert_eq!(world.rows("SELECT count(*) FROM users AT (VERSION => 1)"), ["10"]);
    let both =
        "SELECT (SELECT count(id) FROM users AT (VERSION => 1)), count(b.id) FROM users AT (VERSION => 2) , users AS b";
    assert_eq!(world.rows(both), ["10|400"]);
    let added = "SELECT count(*), min(n.id) FROM users n ANTI JOIN users AS o AT (VERSION => 'old') USING (id)";
    assert_eq!(world.rows(added), ["10|10"]);
}

#[test]
fn at_takes_names_times_and_constant_expressions() {
    let world = shop();
    for (at, rows) in [
        ("VERSION => 'old'", "10"),
        ("VERSION => 1 + 1", "20"),
        ("VERSION => 'o' || 'ld'", "10"),
        ("TIMESTAMP => TIMESTAMP '1970-01-01 00:00:00'", "10"),
        ("TIMESTAMP => '1970-01-01 00:00:01'", "20"),
        ("TIMESTAMP => '1970-01-01 01:00:00+01'::TIMESTAMPTZ", "10"),
        ("TIMESTAMP => now() - INTERVAL 1 DAY", "20"),
    ] {
        assert_eq!(world.rows(&format!("SELECT count(id) FROM users AT ({at})")), [rows], "{at}");
    }
}

#[test]
fn views_are_called_by_their_tables_wherever_they_show() {
    let world = shop();
    let name = |sql: &str| world.query(sql).schema().field(0).name().clone();
    for (sql, column) in [
        ("SELECT (SELECT max(id) FROM users)", "(SELECT max(id) FROM users)"),
        ("SELECT (SELECT max(u.id) FROM users AS u)", "(SELECT max(u.id) FROM users AS u)"),
        ("SELECT EXISTS(SELECT 1 FROM users AT (VERSION => 1))", "EXISTS(SELECT 1 FROM users)"),
    ] {
        assert_eq!(name(sql), column, "{sql}");
    }
    assert_eq!(world.rows("SELECT (SELECT max(id) FROM users), 7"), ["19|7"]);
    let long = format!("SELECT {} nothing FROM users AS u JOIN orders ON true", "1, ".repeat(40));
    for sql in ["SELECT id FROM users WHERE nothing", "SELECT id, FROM users GROUP BY name", &long] {
        let message = world.error(sql).to_string();
        assert!(!message.contains('@') && !message.contains("..."), "{message}");
    }
}

#[test]
fn what_is_not_there_says_so() {
    let world = shop();
    for (sql, code) in [
        ("SELECT * FROM nobody", Code::TableNotFound),
        ("SELECT * FROM users AT (VERSION => 3)", Code::VersionNotFound),
        ("SELECT * FROM users AT (VERSION => 0)", Code::VersionNotFound),
        ("SELECT * FROM users AT (VERSION => -1)", Code::InvalidArgument),
        ("SELECT * FROM users AT (VERSION => NULL)", Code::InvalidArgument),
        ("SELECT * FROM users AT (VERSION => 1.5)", Code::InvalidArgument),
        ("SELECT * FROM users AT (TIMESTAMP => NULL)", Code::InvalidArgument),
        ("SELECT * FROM users AT (TIMESTAMP => 'soon')", Code::SqlError),
        ("SELECT * FROM users AT (VERSION => 'nowhere')", Code::BranchNotFound),
        ("SELECT * FROM users AT (VERSION => (SELECT 1))", Code::Unsupported),
        ("SELECT * FROM users AT (VERSION => id)", Code::SqlError),
        ("SELECT nothing FROM users", Code::SqlError),
        ("SELECT FROM", Code::SqlError),
        ("", Code::SqlError),
        ("  -- nothing", Code::SqlError),
        ("SELECT 1\0", Code::SqlError),
        ("SELECT * FROM main.users", Code::Unsupported),
        ("SELECT * FROM information_schema.tables", Code::Unsupported),
    ] {
        assert_eq!(world.code(sql), code, "{sql}: {}", world.error(sql));
    }
    assert!(world.error("SELECT * FROM user").to_string().contains("did you mean \"users\"?"));
    assert!(!world.error("SELECT * FROM zebra").to_string().contains("did you mean"));
}

#[test]
fn only_one_select_runs() {
    let world = shop();
    for (sql, advice) in [
        ("INSERT INTO users VALUES (1)", "write_table"),
        ("/* x */ update users SET id = 1", "write_table"),
        ("DELETE FROM users", "write_table"),
        ("CREATE TABLE x (a INT)", "create_table"),
        ("CREATE VIEW x AS SELECT 1", "write_table"),
        ("DROP TABLE users", "drop_table"),
        ("ALTER TABLE users ADD COLUMN x INT", "write_table"),
        ("BEGIN", "begin"),
        ("COPY users TO 'x.csv'", "write_table"),
        ("PIVOT users ON age USING count(*)", "PIVOT"),
        ("PREPARE p AS SELECT 1", "parameters"),
        ("EXECUTE p", "parameters"),
        ("CALL duckdb_functions()", "SELECT"),
        ("SET threads = 1", "settings"),
        ("SELECT 1; SELECT 2", "one statement"),
        ("SELECT 1; DROP TABLE users", "one statement"),
        ("EXPLAIN SELECT 1; SELECT 2", "one statement"),
        ("EXPLAIN EXPLAIN SELECT 1", "SELECT"),
        ("SHOW ALL TABLES", "SHOW TABLES"),
    ] {
        let error = world.error(sql);
        assert_eq!(error.code(), Code::Unsupported, "{sql}: {error}");
        assert!(error.to_string().contains(advice), "{sql}: {error}");
    }
    assert_eq!(world.rows("SELECT 1;"), ["1"]);
    assert_eq!(world.rows("VALUES (1), (2)"), ["1", "2"]);
}

#[test]
fn tables_are_found_wherever_a_select_names_them() {
    let world = shop();
    for (sql, rows) in [
        ("FROM orders SELECT sum(amount)", vec!["150"]),
        ("SELECT (SELECT max(id) FROM users) + 1", vec!["20"]),
        ("SELECT count(*) FROM users WHERE id IN (SELECT \"user\" FROM orders)", vec!["3"]),
        (
            "SELECT u.id, q.s FROM users u, LATERAL (SELECT sum(amount) s FROM orders o WHERE o.user = u.id) q WHERE q.s > 50",
            vec!["15|90"],
        ),
        ("WITH u AS (SELECT * FROM users WHERE id < 3) SELECT count(*) FROM u", vec!["3"]),
        ("WITH users AS (SELECT * FROM users WHERE id < 3) SELECT count(*) FROM users", vec!["3"]),
        (
            "WITH users AS (SELECT 1 AS a) SELECT * FROM users, (SELECT count(id) FROM users AT (VERSION => 1)) b",
            vec!["1|10"],
        ),
        ("WITH a AS (SELECT 7 AS users), b AS (SELECT * FROM a) SELECT * FROM B", vec!["7"]),
        (
            "WITH RECURSIVE users AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM users WHERE n < 4) SELECT sum(n) FROM users",
            vec!["10"],
        ),
        (
            "WITH RECURSIVE r AS (SELECT min(id) AS n FROM users UNION ALL SELECT n + 1 FROM r, orders WHERE n < 2 AND amount = 10) SELECT sum(n) FROM r",
            vec!["3"],
        ),
        ("SELECT count(*) FROM (SELECT id FROM users UNION ALL SELECT amount FROM orders)", vec!["25"]),
        ("SELECT count(*) FROM (SELECT id FROM users EXCEPT SELECT \"user\" FROM orders)", vec!["17"]),
        (
            "SELECT * FROM (SELECT age, id FROM users WHERE id < 2) PIVOT (count(*) FOR age IN (20, 21)) ORDER BY id",
            vec!["0|1|0", "1|0|1"],
        ),
        ("SELECT sum(v) FROM (UNPIVOT orders ON \"user\", amount INTO NAME n VALUE v)", vec!["184"]),
        ("UNPIVOT orders ON amount INTO NAME n VALUE v LIMIT 1", vec!["1|amount|10"]),
        ("SELECT sum(x) FROM orders, unnest([amount, 1]) AS t(x)", vec!["155"]),
        ("SELECT count(*) FROM users JOIN orders ON users.id = orders.user JOIN range(3) r(i) ON true", vec!["15"]),
        ("TABLE orders LIMIT 1", vec!["1|10"]),
        ("SELECT sum(\"a\") FROM orders AS \"o \"\" x\"(b, a)", vec!["150"]),
        ("SELECT max(o.a) FROM orders AS o(b, a) AT (VERSION => 1)", vec!["50"]),
        ("SELECT orders.amount FROM orders WHERE orders.user = 2", vec!["30"]),
        (
            "SELECT 'ä', /* users */ count(o.amount) FROM /* ü */ orders -- x\n AS o AT (VERSION => /* ) */ 1)",
            vec!["ä|5"],
        ),
        ("EXPLAIN SELECT 1 WHERE false", vec![]),
    ] {
        let found = world.query(sql);
        if !rows.is_empty() {
            assert_eq!(text_rows(&found), rows, "{sql}");
        }
    }
}

#[test]
fn describe_summarize_show_and_explain_work() {
    let world = shop();
    assert_eq!(world.rows("SHOW TABLES"), ["orders", "users"]);
    let columns = world.rows("DESCRIBE users");
    assert_eq!(columns.len(), 3);
    assert!(columns[0].starts_with("id|BIGINT|"), "{columns:?}");
    assert_eq!(world.rows("SELECT column_name FROM (DESCRIBE orders)"), ["user", "amount"]);
    assert_eq!(world.query("SUMMARIZE users").num_rows(), 3);
    for explain in ["EXPLAIN", "EXPLAIN ANALYZE", "EXPLAIN (FORMAT json)", "explain /* x */ (analyze, format json)"] {
        let plan = world.rows(&format!("{explain} SELECT * FROM users WHERE id = 15")).concat();
        assert!(plan.to_lowercase().contains("parquet"), "{explain}: {plan}");
    }
}

#[test]
fn names_are_found_exactly_and_else_in_any_case() {
    let mut world = shop();
    assert_eq!(world.rows("SELECT count(Users.ID) FROM Users"), ["20"]);
    for name in ["Big", "BIG", "größe", "a b", "a\"b", "a'b", "a.b", "a/b.csv", "SELECT", "☃"] {
        world.write(name, &[users(0, 1)]);
        let quoted = name.replace('"', "\"\"");
        assert_eq!(world.rows(&format!("SELECT count(id) FROM \"{quoted}\" AT (VERSION => 1)")), ["1"], "{name}");
    }
    assert_eq!(world.rows("SELECT count(id) FROM 'a b'"), ["1"]);
    assert_eq!(world.rows("SELECT count(id) FROM GRÖßE"), ["1"]);
    assert_eq!(world.code("SELECT * FROM bIG"), Code::TableNotFound, "two names fit");
}

#[test]
fn parameters_are_bound_by_place_or_name() {
    let world = shop();
    let one = world
        .try_query("SELECT id FROM users WHERE id = ? AND name = ?", &[Value::Int(3), Value::Text("user 3".into())]);
    assert_eq!(text_rows(&one.unwrap()), ["3"]);
    let turned = world.try_query("SELECT $2, $1, $2", &[Value::Int(1), Value::Text("b".into())]);
    assert_eq!(text_rows(&turned.unwrap()), ["b|1|b"]);
    let all = [
        Value::Null,
        Value::Bool(true),
        Value::UInt(u64::MAX),
        Value::Float(0.5),
        Value::Bytes(vec![1]),
        Value::Date(1),
        Value::Time(1_000_000),
        Value::Timestamp(1_000_000),
    ];
    let all = world.try_query("SELECT ?, ?, ?, ?, ?, ?, ?, ?", &all).unwrap();
    assert_eq!(text_rows(&all), ["null|true|18446744073709551615|0.5|01|1970-01-02|00:00:01|1970-01-01T00:00:01"]);
    let named = [("low", Value::Int(17)), ("HIGH", Value::Int(18))];
    let named = Parameters::Named(&named);
    let sql = "SELECT id FROM users WHERE id BETWEEN $low AND $high ORDER BY id";
    let rows = world.engine.query(sql, named, &world, &CancelToken::new()).unwrap();
    assert_eq!(text_rows(&collect(rows).unwrap()), ["17", "18"]);
}

#[test]
fn at_takes_parameters_among_others() {
    let world = shop();
    let ask = |sql: &str, values: &[Value]| text_rows(&world.try_query(sql, values).unwrap());
    assert_eq!(ask("SELECT count(id) FROM users AT (VERSION => ?)", &[Value::Int(1)]), ["10"]);
    assert_eq!(ask("SELECT count(id) FROM users AT (VERSION => $1)", &[Value::Text("old".into())]), ["10"]);
    assert_eq!(ask("SELECT count(id) FROM users AT (TIMESTAMP => ?)", &[Value::Timestamp(999_999)]), ["10"]);
    let between = "SELECT ?, count(id), ? FROM users AT (VERSION => ?) WHERE id < ?";
    let values = [Value::Int(7), Value::Text("b".into()), Value::Int(1), Value::Int(4)];
    assert_eq!(ask(between, &values), ["7|4|b"]);
    let named = [("v", Value::Int(1)), ("low", Value::Int(8))];
    let sql = "SELECT id FROM users AT (VERSION => $v) WHERE id > $low";
    let rows = world.engine.query(sql, Parameters::Named(&named), &world, &CancelToken::new()).unwrap();
    assert_eq!(text_rows(&collect(rows).unwrap()), ["9"]);
    let null = world.try_query("SELECT * FROM users AT (VERSION => ?)", &[Value::Null]);
    assert_eq!(null.unwrap_err().code(), Code::InvalidArgument);
}

#[test]
fn errors_speak_of_tables_not_of_views() {
    let world = shop();
    let error = world.error("SELECT u.nothing FROM users u, orders").to_string();
    assert!(error.contains("nothing") && !error.contains('@'), "{error}");
}

#[test]
fn columns_that_differ_in_case_alone_stay_apart() {
    let mut world = World::new();
    let one = |value: i64| -> ArrayRef { Arc::new(Int64Array::from(vec![value])) };
    let span: ArrayRef = Arc::new(arrow::array::DurationSecondArray::from(vec![3]));
    world.write("t", &[batch(vec![("a", one(1)), ("A", one(2)), ("b", span.clone()), ("a_1", one(4))])]);
    world.write("T", &[batch(vec![("a", one(1))])]);
    world.write("plain", &[batch(vec![("x", one(1)), ("X", one(2))])]);
    assert_eq!(world.rows("SELECT *, typeof(b) FROM t WHERE a = 1"), ["1|2|3.000000000 secs|4|INTERVAL"]);
    assert_eq!(world.rows("SELECT a_1, a_1_1 FROM t WHERE A_1 = 2"), ["2|4"]);
    assert_eq!(world.rows("SELECT x, X_1 FROM plain"), ["1|2"]);
    assert_eq!(world.rows("SELECT (SELECT a_1 FROM t), (SELECT a FROM \"T\")"), ["2|1"]);
}

#[test]
fn a_wrong_number_of_parameters_is_refused() {
    let world = shop();
    for (sql, values) in
        [("SELECT ?", vec![]), ("SELECT 1", vec![Value::Null]), ("SELECT $1, $2", vec![Value::Null; 3])]
    {
        assert_eq!(world.try_query(sql, &values).unwrap_err().code(), Code::InvalidArgument, "{sql}");
    }
    let misnamed = Parameters::Named(&[("b", Value::Null)]);
    let error = world.engine.query("SELECT $a", misnamed, &world, &CancelToken::new()).err().unwrap();
    assert!(error.to_string().contains("$a"), "{error}");
}

#[test]
fn an_expression_nested_deeper_than_json_readers_like_runs() {
    let world = shop();
    let sum = vec!["1"; 150].join(" + ");
    assert_eq!(world.rows(&format!("SELECT {sum} + max(id) FROM users")), ["169"]);
    let deeper = format!("SELECT {}1{} FROM users", "abs(".repeat(3000), ")".repeat(3000));
    assert_eq!(world.code(&deeper), Code::SqlError);
}

#[test]
fn literals_keep_their_types_where_tables_are_named() {
    let world = shop();
    let sql = "SELECT typeof(1e10), typeof(1.5), typeof(x'00'::BLOB), 1e300 > 1e299, '$$'||$$a'b$$ FROM users LIMIT 1";
    assert_eq!(world.rows(sql), ["DOUBLE|DECIMAL(2,1)|BLOB|true|$$a'b"]);
    assert_eq!(world.query("SELECT count(*) , sum(id)+1 FROM users").schema().field(1).name(), "(sum(id) + 1)");
}

#[test]
fn a_count_comes_from_the_manifest() {
    let mut world = shop();
    let one = world.write("t", &[users(0, 3)]);
    let mut data = TableData::clone(&one);
    Arc::make_mut(&mut data.manifest).chunks[0].rows = 77;
    world.put("t", Arc::new(data));
    let counted = world.query("SELECT count(*) FROM t");
    assert_eq!(counted.schema().field(0).name(), "count_star()");
    assert_eq!(text_rows(&counted), ["77"]);
    assert_eq!(world.query("SELECT COUNT(*) AS n FROM t").schema().field(0).name(), "n");
    for counts_rows in
        ["SELECT count(*) FROM t WHERE id >= 0", "SELECT count(id) FROM t", "SELECT count(*) FROM (SELECT * FROM t)"]
    {
        assert_eq!(world.rows(counts_rows), ["3"], "{counts_rows}");
    }
    assert_eq!(world.rows("WITH t AS (SELECT * FROM t LIMIT 2) SELECT count(*) FROM t"), ["2"]);
    assert_eq!(world.query("SELECT count(*) FROM t GROUP BY id").num_rows(), 3);
}
