//! Results on their way: bounded memory, order, cancellation, connections that come back.

use std::time::{Duration, Instant};

use super::*;

/// Longer than any test waits: billions of rows, one group.
const ENDLESS: &str = "SELECT count(*) FROM range(100000000000) a WHERE a.range % 7 = 3";

fn start(world: &World, sql: &str, cancel: &CancelToken) -> RowStream {
    world.engine.query(sql, &[], world, cancel).unwrap()
}

fn cancel_soon(cancel: &CancelToken) -> std::thread::JoinHandle<Instant> {
    let cancel = cancel.clone();
    std::thread::spawn(move || {
        #[expect(clippy::disallowed_methods, reason = "the query under test runs in real time")]
        std::thread::sleep(Duration::from_millis(50));
        cancel.cancel();
        now()
    })
}

fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "the query under test runs in real time")]
    Instant::now()
}

#[test]
fn rows_come_in_the_order_they_were_written() {
    let mut world = World::new();
    let name = TableName::new("t").unwrap();
    let mut data = world.data(&[users(0, 300), users(300, 600)], 0);
    for start in [600, 610] {
        let rows = stream(&[users(start, start + 10)]);
        let appended = world.store.append(&name, &data, rows, 64 << 10, &CancelToken::new()).unwrap();
        data = data.with_appended(&appended, Some(Version(start as u64)));
    }
    let chunk = world.data(&[users(620, 700)], 0).manifest.chunks[0].clone();
    Arc::make_mut(&mut data.manifest).chunks.push(chunk);
    assert_eq!(data.tail.len(), 2);
    world.put("t", Arc::new(data));
    let ids: Vec<String> = (0..700).map(|id| id.to_string()).collect();
    assert_eq!(world.rows("SELECT id FROM t"), ids);
    assert_eq!(world.rows("SELECT count(*) FROM t"), ["700"]);
    assert_eq!(world.rows("SELECT id FROM t WHERE id IN (5, 605, 615, 650)"), ["5", "605", "615", "650"]);
}

#[test]
fn a_large_result_streams() {
    let world = shop();
    let mut rows = start(&world, "SELECT range AS i, repeat('x', 100) AS s FROM range(50000000)", &CancelToken::new());
    let first = rows.next().unwrap().unwrap();
    assert!(first.num_rows() < 1_000_000, "5 GB are not materialised");
    let second = rows.next().unwrap().unwrap();
    assert!(second.num_rows() > 0);
}

#[test]
fn a_stream_may_move_to_another_thread_and_outlive_its_engine() {
    let world = shop();
    let rows = start(&world, "SELECT * FROM range(100000)", &CancelToken::new());
    let from_tables = start(&world, "SELECT id FROM users", &CancelToken::new());
    let World { engine, directory, .. } = world;
    drop(engine);
    let counted = std::thread::spawn(move || rows.map(|batch| batch.unwrap().num_rows()).sum::<usize>());
    assert_eq!(counted.join().unwrap(), 100_000);
    assert_eq!(collect(from_tables).unwrap().num_rows(), 20);
    drop(directory);
}

#[test]
fn cancelling_ends_a_statement_that_has_given_nothing_yet() {
    let world = shop();
    let cancel = CancelToken::new();
    let cancelled = cancel_soon(&cancel);
    let result = world.engine.query(ENDLESS, &[], &world, &cancel).and_then(collect);
    let waited = now().duration_since(cancelled.join().unwrap());
    assert_eq!(result.unwrap_err().code(), Code::Cancelled);
    assert!(waited < Duration::from_millis(1000), "{waited:?}");
    assert_eq!(world.rows("SELECT count(id) FROM users"), ["20"]);
}

#[test]
fn cancelling_ends_a_stream() {
    let world = shop();
    let cancel = CancelToken::new();
    let mut rows = start(&world, "SELECT * FROM range(100000000000)", &cancel);
    assert!(rows.next().unwrap().is_ok());
    cancel.cancel();
    let error = error_from_arrow(rows.next().unwrap().unwrap_err());
    assert_eq!(error.code(), Code::Cancelled);
    assert!(rows.next().is_none());
    assert_eq!(world.engine.query("SELECT 1", &[], &world, &cancel).err().unwrap().code(), Code::Cancelled);
}

#[test]
fn dropping_a_stream_stops_its_statement() {
    let world = World::with(SqlOptions { threads: Some(1), ..SqlOptions::default() });
    for _ in 0..20 {
        let mut rows = start(&world, "SELECT * FROM range(100000000000)", &CancelToken::new());
        assert!(rows.next().unwrap().is_ok());
    }
    let begun = now();
    assert_eq!(world.rows("SELECT 1"), ["1"]);
    assert!(now().duration_since(begun) < Duration::from_secs(5), "the one thread is free again");
}

#[test]
fn an_error_in_the_middle_travels_inside_the_stream() {
    let world = shop();
    let sql = "SELECT CASE WHEN range = 3000000 THEN error('late')::BIGINT ELSE range END FROM range(4000000)";
    let batches: Vec<_> = start(&world, sql, &CancelToken::new()).collect();
    let (last, before) = batches.split_last().unwrap();
    assert!(!before.is_empty() && before.iter().all(Result::is_ok));
    let error = last.as_ref().unwrap_err().to_string();
    assert!(error.contains("late"), "{error}");
}

#[test]
fn a_failure_is_found_again_by_running_the_statement_once_more() {
    let mut connection = Box::new(duckdb::Connection::open_in_memory().unwrap());
    connection.execute_batch("SET threads = 2").unwrap();
    let failing = "SELECT CASE WHEN range = $1 THEN error('late')::BIGINT ELSE range END FROM range(4000000)";
    for (value, expected) in [(Value::Int(3_900_000), Some("late")), (Value::Int(-1), None)] {
        let values = [value];
        let parameters = Parameters::Positional(&values);
        let mut running = running::Running::start(connection, failing, parameters, &["1".to_owned()]).unwrap();
        assert!(running.next().unwrap().is_some());
        let reason = running.reason();
        assert_eq!(reason.is_some(), expected.is_some());
        assert!(expected.is_none_or(|text| reason.unwrap().to_string().contains(text)));
        connection = running.into_connection();
        assert_eq!(connection.query_row("SELECT 1", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
    }
}

#[test]
fn failures_in_the_middle_say_why_every_time() {
    let world = World::with(SqlOptions { threads: Some(4), ..SqlOptions::default() });
    let sql = "SELECT CASE WHEN range = 700000 THEN error('late')::BIGINT ELSE range END FROM range(1000000)";
    for _ in 0..40 {
        let error = start(&world, sql, &CancelToken::new()).find_map(Result::err).unwrap().to_string();
        assert!(error.contains("late"), "{error}");
    }
}

#[test]
fn an_internal_error_of_duckdb_ends_with_its_statement() {
    let world = shop();
    let mixed = "SELECT hash($1), $1 = 'b'";
    for _ in 0..2 {
        let error = world.try_query(mixed, &[Value::Text("a".into())]).unwrap_err();
        assert_eq!(error.code(), Code::Unsupported, "{error}");
        assert!(error.to_string().contains("$1::VARCHAR"), "{error}");
        assert_eq!(world.rows("SELECT count(id) FROM users"), ["20"]);
    }
    let typed = world.try_query("SELECT typeof($1::VARCHAR), $1::VARCHAR", &[Value::Text("a".into())]).unwrap();
    assert_eq!(typed.num_rows(), 1);
}

#[test]
fn statements_run_side_by_side() {
    let world = shop();
    let open: Vec<RowStream> =
        (0..24).map(|_| start(&world, "SELECT id FROM users, range(100000)", &CancelToken::new())).collect();
    std::thread::scope(|scope| {
        for rows in open {
            scope.spawn(|| assert_eq!(rows.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 2_000_000));
        }
        for _ in 0..4 {
            scope.spawn(|| (0..20).for_each(|_| assert_eq!(world.rows("SELECT sum(id) FROM users"), ["190"])));
        }
    });
}

#[test]
fn a_connection_forgets_views_and_makes_them_again() {
    let mut world = World::new();
    let one = world.write("t", &[users(0, 3)]);
    for table in 0..150 {
        world.put(&format!("t{table}"), one.clone());
    }
    for _ in 0..2 {
        for table in 0..150 {
            assert_eq!(world.rows(&format!("SELECT sum(id) FROM t{table}")), ["3"]);
        }
    }
    let many: Vec<String> = (0..150).map(|table| format!("(SELECT sum(id) FROM t{table})")).collect();
    assert_eq!(world.query(&format!("SELECT {}", many.join(", "))).num_columns(), 150);
}

#[test]
fn copies_go_with_the_engine() {
    let directory = TempDir::new().unwrap();
    let options = SqlOptions { cache_dir: Some(directory.path().join("cache")), ..SqlOptions::default() };
    let mut world = World::with(options);
    let data = world.data(&[users(0, 3)], 64 << 10);
    world.put("t", Arc::new(data));
    assert_eq!(world.rows("SELECT sum(id) FROM t"), ["3"]);
    let cache = directory.path().join("cache");
    assert_eq!(std::fs::read_dir(&cache).unwrap().count(), 1);
    drop(world);
    assert_eq!(std::fs::read_dir(&cache).unwrap().count(), 0);
}

#[test]
fn chunks_that_lie_in_no_file_are_copied() {
    let mut world = World::in_memory();
    fill(&mut world);
    for _ in 0..2 {
        assert_eq!(world.rows("SELECT sum(id), count(*) FROM users WHERE id > 0"), ["190|19"]);
    }
}

#[test]
fn work_that_does_not_fit_in_memory_spills() {
    let limit = SqlOptions { memory_limit_bytes: Some(60 << 20), threads: Some(1), ..SqlOptions::default() };
    let world = World::with(limit);
    let sql = "SELECT count(*) FROM (SELECT * FROM (SELECT hash(range) AS h, range FROM range(3000000)) ORDER BY h LIMIT 2900000)";
    assert_eq!(world.rows(sql), ["2900000"]);
}
