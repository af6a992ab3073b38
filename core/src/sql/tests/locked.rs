//! Every way out of the repository that a statement could try.

use std::fs;
use std::path::Path;

use super::*;

/// All files below a directory, with their sizes.
fn files(directory: &Path) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push((path.display().to_string(), path.metadata().unwrap().len())),
        }
    }
    found.sort();
    found
}

#[test]
fn nothing_outside_is_read_and_nothing_is_written() {
    let world = shop();
    assert_eq!(world.rows("SELECT count(id) FROM users"), ["20"]);
    let outside = TempDir::new().unwrap();
    let out = outside.path().display();
    fs::write(outside.path().join("x.csv"), "secret\n1\n").unwrap();
    let root = world.directory.path().display();
    let (chunk, _) = files(world.directory.path()).into_iter().find(|(path, _)| path.ends_with(".parquet")).unwrap();
    let before = files(world.directory.path());
    let ways = [
        format!("SELECT * FROM read_csv('{out}/x.csv')"),
        format!("SELECT * FROM read_csv_auto('{out}/x.csv')"),
        format!("SELECT * FROM read_text('{out}/x.csv')"),
        format!("SELECT * FROM main.read_text('{out}/x.csv')"),
        format!("SELECT * FROM Read_Blob('{out}/*')"),
        format!("SELECT * FROM read_json('{out}/x.csv')"),
        format!("SELECT * FROM read_parquet('{out}/x.parquet')"),
        format!("SELECT * FROM read_parquet('{chunk}')"),
        format!("SELECT * FROM parquet_scan('{chunk}')"),
        format!("SELECT * FROM parquet_metadata('{chunk}')"),
        format!("SELECT * FROM sniff_csv('{out}/x.csv')"),
        format!("SELECT * FROM glob('{out}/*')"),
        format!("SELECT * FROM glob('{root}/**')"),
        format!("SELECT * FROM (SELECT 1) a, LATERAL (SELECT * FROM read_text('{out}/x.csv')) b"),
        format!("WITH a AS (SELECT * FROM read_text('{out}/x.csv')) SELECT * FROM a"),
        format!("SELECT (SELECT count(*) FROM read_text('{out}/x.csv'))"),
        format!("SELECT * FROM query('SELECT * FROM read_text(''{out}/x.csv'')')"),
        format!("SELECT * FROM query_table('{out}/x.csv')"),
        format!(
            "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT * FROM read_text(''{out}/x.csv'')'))"
        ),
        format!("SELECT * FROM '{out}/x.csv'"),
        format!("SELECT * FROM \"{out}/x.csv\""),
        format!("FROM '{chunk}'"),
        format!("SELECT * FROM '{root}/**/*.parquet'"),
        format!("ATTACH '{out}/x.db'"),
        format!("ATTACH '{root}/x.db'"),
        "INSTALL httpfs".to_owned(),
        "LOAD httpfs".to_owned(),
        format!("LOAD '{out}/x.duckdb_extension'"),
        "SET enable_external_access = true".to_owned(),
        "SET lock_configuration = false".to_owned(),
        "RESET lock_configuration".to_owned(),
        "PRAGMA enable_external_access = true".to_owned(),
        format!("PRAGMA database_list; COPY (SELECT 1) TO '{root}/x.csv'"),
        format!("COPY (SELECT 1) TO '{out}/y.csv'"),
        format!("COPY (SELECT 1) TO '{root}/x.csv'"),
        format!("COPY (SELECT 1) TO '{chunk}'"),
        format!("EXPLAIN ANALYZE COPY (SELECT 1) TO '{root}/x.csv'"),
        format!("EXPLAIN (ANALYZE) COPY (SELECT 1) TO '{root}/x.csv'"),
        format!("EXPLAIN ANALYZE EXPLAIN ANALYZE COPY (SELECT 1) TO '{root}/x.csv'"),
        format!("EXPORT DATABASE '{root}/x'"),
        format!("SELECT 1; COPY (SELECT 1) TO '{root}/x.csv'"),
        format!("/* SELECT */ COPY (SELECT 1) TO '{root}/x.csv'"),
        format!("WITH a AS (SELECT 1) COPY a TO '{root}/x.csv'"),
        format!("PREPARE p AS COPY (SELECT 1) TO '{root}/x.csv'"),
        "EXECUTE p".to_owned(),
        "CREATE TABLE x (a INT)".to_owned(),
        "CREATE TEMP TABLE x AS SELECT 1".to_owned(),
        "CREATE MACRO f() AS TABLE SELECT 1".to_owned(),
        "CREATE SECRET s (TYPE s3)".to_owned(),
        "SELECT 1 INTO x".to_owned(),
        "SELECT getenv('HOME')".to_owned(),
        "SELECT * FROM duckdb_secrets()".to_owned(),
        "SELECT * FROM duckdb_settings()".to_owned(),
        "SELECT * FROM duckdb_temporary_files()".to_owned(),
        "SELECT * FROM duckdb_views()".to_owned(),
        "SELECT * FROM duckdb_databases".to_owned(),
        "SELECT * FROM sqlite_master".to_owned(),
        "SELECT * FROM pg_catalog.pg_class".to_owned(),
        "SELECT * FROM arrow_scan(1, 2, 3)".to_owned(),
        "SELECT * FROM seq_scan()".to_owned(),
        "SELECT * FROM enable_logging()".to_owned(),
        "SELECT * FROM checkpoint()".to_owned(),
        "SELECT * FROM nothing_known()".to_owned(),
        format!("SELECT * FROM users AT (TIMESTAMP => (SELECT content FROM read_text('{out}/x.csv')))"),
        "SELECT write_log('a line')".to_owned(),
        "SELECT pg_get_viewdef(0)".to_owned(),
    ];
    for sql in &ways {
        let error = world.error(sql);
        let known = [Code::Unsupported, Code::SqlError, Code::TableNotFound, Code::InvalidArgument];
        assert!(known.contains(&error.code()), "{sql}: {error}");
    }
    assert_eq!(files(world.directory.path()), before);
    assert_eq!(files(outside.path()).len(), 1);
    assert_eq!(world.rows("SELECT count(id) FROM users"), ["20"], "the engine still works");
}

/// A function of values that plans a text would open the files that the text names, whether their bytes were checked or
/// not.
#[test]
fn no_function_plans_a_text_wherever_it_stands() {
    let world = shop();
    let (chunk, _) = files(world.directory.path()).into_iter().find(|(path, _)| path.ends_with(".parquet")).unwrap();
    let text = format!("SELECT min(id) FROM read_parquet(''{chunk}'')");
    let plan = format!("json_serialize_plan('{text}', optimize := true)");
    for sql in [
        format!("SELECT {plan}"),
        format!("SELECT main.JSON_Serialize_Plan('{text}')"),
        format!("SELECT \"json_serialize_plan\"('{text}')"),
        format!("SELECT ('{text}').json_serialize_plan()"),
        format!("EXPLAIN ANALYZE SELECT {plan}"),
        format!("SELECT id FROM users WHERE {plan} <> '' ORDER BY {plan}"),
        format!("SELECT list_transform(['{text}'], lambda text: json_serialize_plan(text))"),
        format!("SELECT * FROM (VALUES ({plan}))"),
        format!("WITH a AS (SELECT {plan}) FROM a"),
        format!("SELECT * FROM unnest([{plan}])"),
        format!("SELECT * FROM users AT (VERSION => {plan})"),
        format!("SELECT sum(id) OVER (ORDER BY {plan}) FROM users"),
    ] {
        let error = world.error(&sql);
        assert_eq!(error.code(), Code::Unsupported, "{sql}: {error}");
        assert!(error.to_string().contains("json_serialize_plan"), "{sql}: {error}");
    }
    assert_eq!(world.rows("SELECT json_serialize_sql('SELECT 1')::VARCHAR LIKE '%SELECT_NODE%'"), ["true"]);
}

/// Each of these was looked at: a newer DuckDB that brings another function of this kind must not open a way unnoticed.
#[test]
fn functions_of_values_that_may_reach_beyond_a_statement_are_known() {
    let known = [
        "current_query",
        "current_query_id",
        "current_setting",
        "getvariable",
        "in_search_path",
        "json_deserialize_sql",
        "json_extract_path",
        "json_extract_path_text",
        "json_serialize_plan",
        "json_serialize_sql",
        "parse_dirpath",
        "parse_duckdb_log_message",
        "parse_filename",
        "parse_path",
        "pg_conf_load_time",
        "pg_get_viewdef",
        "write_log",
    ];
    let words =
        "sql|plan|query|read|exec|log_|_log|path|glob|scan|secret|env|setting|view|variable|file|load|copy|attach";
    let found = World::new().rows(&format!(
        "SELECT DISTINCT function_name FROM duckdb_functions() \
         WHERE function_type IN ('scalar', 'macro') AND regexp_matches(function_name, '{words}') ORDER BY 1"
    ));
    let strange: Vec<_> = found.iter().filter(|name| !known.contains(&name.as_str())).collect();
    assert!(strange.is_empty(), "{strange:?}");
}

/// The second wall: what the syntax tree lets through, DuckDB itself refuses.
#[test]
fn duckdb_is_locked_too() {
    let world = shop();
    assert_eq!(
        world.rows("SELECT current_setting('enable_external_access'), current_setting('lock_configuration')"),
        ["false|true"]
    );
    assert_eq!(
        world.rows(
            "SELECT current_setting('autoload_known_extensions'), current_setting('autoinstall_known_extensions')"
        ),
        ["false|false"]
    );
    assert_eq!(world.rows("SELECT current_setting('TimeZone')"), ["UTC"]);
}

#[test]
fn with_external_access_files_outside_can_be_read() {
    let mut world = World::with(SqlOptions { external_access: true, ..SqlOptions::default() });
    fill(&mut world);
    let outside = TempDir::new().unwrap();
    let out = outside.path().display();
    fs::write(outside.path().join("x.csv"), "id,extra\n3,a\n4,b\n").unwrap();
    assert_eq!(world.rows(&format!("SELECT sum(id) FROM read_csv('{out}/x.csv')")), ["7"]);
    let joined = format!("SELECT name, extra FROM users JOIN '{out}/x.csv' USING (id) ORDER BY id");
    assert_eq!(world.rows(&joined), ["user 3|a", "user 4|b"]);
    assert_eq!(world.rows(&format!("SELECT x.extra FROM '{out}/x.csv' WHERE x.id = 3")), ["a"]);
    assert_eq!(world.code("SELECT * FROM nobody"), Code::TableNotFound);
    assert_eq!(world.code(&format!("SELECT * FROM '{out}/y.csv'")), Code::SqlError);
    assert_eq!(world.code(&format!("COPY (SELECT 1) TO '{out}/y.csv'")), Code::Unsupported);
    assert_eq!(world.code("SET threads = 1"), Code::Unsupported);
    assert_eq!(world.code("SELECT * FROM query('SELECT 1')"), Code::Unsupported);
    assert_eq!(files(outside.path()).len(), 1);
}

#[test]
fn a_repository_may_lie_anywhere() {
    let directory = TempDir::new().unwrap();
    for name in ["a b", "it's", "x=1", "[a]*?", "ünï", "{a,b}"] {
        let root = directory.path().join(name);
        fs::create_dir(&root).unwrap();
        let local: Arc<dyn Store> = Arc::new(LocalStore::open(&root, Access::ReadWrite).unwrap());
        let inner = tempfile::Builder::new().tempdir_in(&root).unwrap();
        let store = TableStore::new(ChunkStore::new(local.clone(), PREFIX), local, TableOptions { threads: 1 });
        let options = SqlOptions {
            chunk_roots: vec![root.clone()],
            cache_dir: Some(root.join("cache")),
            ..SqlOptions::default()
        };
        let mut world =
            World { engine: SqlEngine::new(options, store.clone()), store, directory: inner, tables: BTreeMap::new() };
        fill(&mut world);
        assert_eq!(world.rows("SELECT count(*), sum(id) FROM users WHERE id > 5"), ["14|175"], "{name}");
        assert_eq!(world.query("SELECT * FROM users").num_columns(), 3, "{name}");
    }
}
