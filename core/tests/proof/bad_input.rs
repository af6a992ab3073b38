//! Bad input: every public operation with unknown and ill-formed names, on closed handles and with rows that do not
//! fit. Each answers its code, and nothing changes.

use std::sync::Arc;
use std::time::Duration;

use armillaria::store::{Fault, FaultyStore};
use armillaria::{
    At, BeginOptions, ChangesQuery, Code, CreateOptions, Database, Error, MergeOptions, OpenOptions, Result,
    VerifyOptions, WriteMode, WriteOptions,
};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchIterator, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;

use crate::support::{
    Row, Shape, World, assert_whole, bulky_rows, code_of, collect, ids, in_memory, narrow, read, stream_of,
};

/// Names that nothing can have.
fn ill_formed() -> Vec<String> {
    let mut names: Vec<String> = ["", ".", "..", "a\nb", "a\0b", "\u{7f}"].map(String::from).into();
    names.push("x".repeat(256));
    names
}

fn database() -> Database {
    let db = in_memory();
    db.write_table("t", narrow([1, 2]), &WriteOptions::default()).unwrap();
    db.create_branch("dev", &At::head(), None).unwrap();
    db.create_tag("v1", &At::head()).unwrap();
    db
}

/// An operation that takes a name, and where it looks.
type Named = (&'static str, Box<dyn Fn(&Database, &str) -> Result<()>>);

fn named(what: &'static str, run: impl Fn(&Database, &str) -> Result<()> + 'static) -> Named {
    (what, Box::new(run))
}

fn drain(stream: armillaria::RowStream) -> Result<()> {
    collect(stream).map(|_| ())
}

fn on(branch: &str) -> WriteOptions {
    WriteOptions { branch: Some(branch.to_string()), ..WriteOptions::default() }
}

fn create_on(branch: &str) -> CreateOptions {
    CreateOptions { branch: Some(branch.to_string()), ..CreateOptions::default() }
}

fn begin(db: &Database) -> armillaria::Transaction {
    db.begin(&BeginOptions::default()).unwrap()
}

/// Operations on a table that must be there.
fn on_tables() -> Vec<Named> {
    vec![
        named("read_table", |db, name| drain(db.read_table(name, None, &At::head())?)),
        named("read_table of a branch", |db, name| drain(db.read_table(name, None, &At::branch("dev"))?)),
        named("read_table of a version", |db, name| drain(db.read_table(name, None, &At::version(name, 1))?)),
        named("table_schema", |db, name| db.table_schema(name, &At::head()).map(|_| ())),
        named("table_key", |db, name| db.table_key(name, &At::head()).map(|_| ())),
        named("drop_table", |db, name| db.drop_table(name, &CreateOptions::default()).map(|_| ())),
        named("compact", |db, name| db.compact(name, None).map(|_| ())),
        named("history", |db, name| db.history(name, None).map(|_| ())),
        named("diff_versions", |db, name| db.diff_versions(name, 1, 1, &[]).map(|_| ())),
        named("diff_rows", |db, name| drain(db.diff_rows(name, 1, 1, &[])?)),
        named("table_changes", |db, name| drain(db.table_changes(name, 0, 1)?)),
        named("list_tables", |db, name| db.list_tables(&At::version(name, 1)).map(|_| ())),
        named("inspect", |db, name| db.inspect(&format!("{name}@1")).map(|_| ())),
        named("transaction read_table", |db, name| drain(begin(db).read_table(name, None)?)),
        named("transaction table_schema", |db, name| begin(db).table_schema(name).map(|_| ())),
        named("transaction drop_table", |db, name| begin(db).drop_table(name)),
    ]
}

/// Operations on a branch that must be there.
fn on_branches() -> Vec<Named> {
    vec![
        named("checkout", |db, name| db.checkout(name)),
        named("delete_branch", |db, name| db.delete_branch(name)),
        named("begin", |db, name| {
            db.begin(&BeginOptions { branch: Some(name.to_string()), ..BeginOptions::default() }).map(|_| ())
        }),
        named("read_table", |db, name| drain(db.read_table("t", None, &At::branch(name))?)),
        named("list_tables", |db, name| db.list_tables(&At::branch(name)).map(|_| ())),
        named("list_tables at a time", |db, name| db.list_tables(&At::timestamp(0).on_branch(name)).map(|_| ())),
        named("write_table", |db, name| db.write_table("t", narrow([1]), &on(name)).map(|_| ())),
        named("create_table", |db, name| db.create_table("u", &Shape::Narrow.schema(), &create_on(name)).map(|_| ())),
        named("drop_table", |db, name| db.drop_table("t", &create_on(name)).map(|_| ())),
        named("compact", |db, name| db.compact("t", Some(name)).map(|_| ())),
        named("history", |db, name| db.history("t", Some(name)).map(|_| ())),
        named("diff_branches, left", |db, name| db.diff_branches(name, "main").map(|_| ())),
        named("diff_branches, right", |db, name| db.diff_branches("main", name).map(|_| ())),
        named("merge_branch", |db, name| db.merge_branch(name, &MergeOptions::default()).map(|_| ())),
        named("merge_branch, into", |db, name| {
            let options = MergeOptions { into: Some(name.to_string()), ..MergeOptions::default() };
            db.merge_branch("dev", &options).map(|_| ())
        }),
        named("create_branch, from", |db, name| db.create_branch("new", &At::branch(name), None).map(|_| ())),
        named("create_tag, at", |db, name| db.create_tag("new", &At::branch(name)).map(|_| ())),
        named("changes", |db, name| db.changes(&ChangesQuery::new().branch(name)).map(|_| ())),
        named("subscribe", |db, name| db.subscribe(&ChangesQuery::new().branch(name)).map(|_| ())),
    ]
}

/// Operations on a tag that must be there.
fn on_tags() -> Vec<Named> {
    vec![
        named("delete_tag", |db, name| db.delete_tag(name)),
        named("read_table", |db, name| drain(db.read_table("t", None, &At::tag(name))?)),
        named("create_branch, from", |db, name| db.create_branch("new", &At::tag(name), None).map(|_| ())),
        named("list_tables", |db, name| db.list_tables(&At::tag(name)).map(|_| ())),
    ]
}

/// Operations that make something of that name.
fn making() -> Vec<Named> {
    vec![
        named("create_table", |db, name| {
            db.create_table(name, &Shape::Narrow.schema(), &CreateOptions::default()).map(|_| ())
        }),
        named("write_table", |db, name| db.write_table(name, narrow([1]), &WriteOptions::default()).map(|_| ())),
        named("create_branch", |db, name| db.create_branch(name, &At::head(), None).map(|_| ())),
        named("create_tag", |db, name| db.create_tag(name, &At::head()).map(|_| ())),
        named("transaction create_table", |db, name| begin(db).create_table(name, &Shape::Narrow.schema(), &[])),
        named("transaction write_table", |db, name| {
            begin(db).write_table(name, narrow([1]), WriteMode::Append).map(|_| ())
        }),
        named("changes of a table", |db, name| db.changes(&ChangesQuery::new().table(name)).map(|_| ())),
        named("subscribe to a table", |db, name| db.subscribe(&ChangesQuery::new().table(name)).map(|_| ())),
    ]
}

#[track_caller]
fn assert_refused(db: &Database, (what, run): &Named, name: &str, code: Code) {
    let before = db.latest_tx_id().unwrap();
    match run(db, name) {
        Ok(()) => panic!("{what} took {name:?}"),
        Err(error) => {
            assert_eq!(error.code(), code, "{what} of {name:?}: {error}");
            assert!(!error.to_string().is_empty());
        }
    }
    assert_eq!(db.latest_tx_id().unwrap(), before, "{what} of {name:?} was refused and committed");
}

#[test]
fn unknown_names_have_their_codes() {
    let db = database();
    let unknown =
        [(on_tables(), Code::TableNotFound), (on_branches(), Code::BranchNotFound), (on_tags(), Code::TagNotFound)];
    for (operations, code) in &unknown {
        operations.iter().for_each(|operation| assert_refused(&db, operation, "nobody", *code));
    }
    assert_eq!(ids(&db, "t"), [1, 2]);
    assert_whole(&db);
}

#[test]
fn ill_formed_names_are_invalid_everywhere() {
    let db = database();
    for name in ill_formed() {
        for operation in on_tables().iter().chain(&on_branches()).chain(&on_tags()).chain(&making()) {
            assert_refused(&db, operation, &name, Code::InvalidArgument);
        }
    }
    for name in ["/", "a/", "/a", "a//b", "a/../b", "./a"] {
        for operation in on_branches().iter().chain(&on_tags()) {
            assert_refused(&db, operation, name, Code::InvalidArgument);
        }
    }
    assert_whole(&db);
}

#[test]
fn what_is_there_already_is_not_made_again() {
    let db = database();
    let codes = [(0, "t", Code::TableExists), (2, "dev", Code::BranchExists), (2, "main", Code::BranchExists)];
    codes.iter().for_each(|(at, name, code)| assert_refused(&db, &making()[*at], name, *code));
    assert_refused(&db, &making()[3], "v1", Code::TagExists);
    assert_eq!(code_of(db.delete_branch("main")), Code::InvalidArgument);
}

#[test]
fn numbers_that_are_not_there_are_not_found() {
    let db = database();
    let latest = db.latest_tx_id().unwrap();
    for version in [0, 2, u64::MAX] {
        let code = |outcome: Result<()>| assert_eq!(code_of(outcome), Code::VersionNotFound, "version {version}");
        code(db.read_table("t", None, &At::version("t", version)).map(|_| ()));
        code(db.diff_versions("t", 1, version, &[]).map(|_| ()));
        code(db.diff_versions("t", version, 1, &[]).map(|_| ()));
        code(db.inspect(&format!("t@{version}")).map(|_| ()));
        if version > 0 {
            code(db.table_changes("t", 0, version).map(|_| ()));
        }
    }
    for tx_id in [latest + 1, u64::MAX] {
        let code = |outcome: Result<()>| assert_eq!(code_of(outcome), Code::TransactionNotFound, "tx_id {tx_id}");
        code(db.list_tables(&At::tx(tx_id)).map(|_| ()));
        code(db.create_branch("new", &At::tx(tx_id), None).map(|_| ()));
        code(db.create_tag("new", &At::tx(tx_id)).map(|_| ()));
        code(db.revert(tx_id, None).map(|_| ()));
        code(db.changes(&ChangesQuery::new().since_tx(tx_id)).map(|_| ()));
        code(db.changes(&ChangesQuery::new().until_tx(tx_id)).map(|_| ()));
        code(db.subscribe(&ChangesQuery::new().since_tx(tx_id)).map(|_| ()));
        code(db.inspect(&format!("tx:{tx_id}")).map(|_| ()));
    }
    assert_eq!(code_of(db.revert(0, None)), Code::TransactionNotFound);
    assert_eq!(code_of(db.revert(latest, None)), Code::InvalidArgument, "it changed no table");
    assert_eq!(db.list_tables(&At::timestamp(i64::MIN)).unwrap(), [], "before everything there was nothing");
}

#[test]
fn objects_that_are_none_are_told() {
    let db = database();
    let hash = "0".repeat(64);
    for (object, code) in [
        ("".to_string(), Code::InvalidArgument),
        ("tx:".to_string(), Code::InvalidArgument),
        ("tx:-1".to_string(), Code::InvalidArgument),
        ("t@".to_string(), Code::InvalidArgument),
        ("chunk:".to_string(), Code::InvalidArgument),
        ("chunk:xyz".to_string(), Code::InvalidArgument),
        (format!("chunk:{hash}"), Code::ChunkNotFound),
        (format!("node:{}", &hash[1..]), Code::InvalidArgument),
        (format!("node:{hash}"), Code::ChunkNotFound),
    ] {
        assert_eq!(code_of(db.inspect(&object)), code, "{object:?}");
    }
}

fn column(name: &str, array: ArrayRef) -> RecordBatch {
    RecordBatch::try_from_iter([(name, array)]).unwrap()
}

#[test]
fn rows_that_do_not_fit_are_refused_and_named() {
    let db = database();
    let texts = || Arc::new(StringArray::from(vec!["x"])) as ArrayRef;
    let numbers = || Arc::new(Int64Array::from(vec![1])) as ArrayRef;
    let misfits = [
        column("text", texts()),
        RecordBatch::try_from_iter([("id", texts()), ("text", texts())]).unwrap(),
        RecordBatch::try_from_iter([("id", numbers()), ("text", texts()), ("more", numbers())]).unwrap(),
    ];
    for batch in misfits {
        let error = db.write_table("t", stream_of(batch.clone()), &WriteOptions::append()).unwrap_err();
        assert_eq!(error.code(), Code::SchemaMismatch, "{error}");
        assert!(error.to_string().contains("\"t\""), "{error} names the table");
        let transaction = begin(&db);
        assert_eq!(code_of(transaction.write_table("t", stream_of(batch), WriteMode::Append)), Code::SchemaMismatch);
        transaction.write_table("t", narrow([3]), WriteMode::Append).unwrap();
        transaction.rollback().unwrap();
    }
    assert_eq!(ids(&db, "t"), [1, 2]);
}

#[test]
fn schemas_that_no_table_can_have_are_refused() {
    let db = database();
    let same = vec![Field::new("a", DataType::Int64, true), Field::new("a", DataType::Utf8, true)];
    for (schema, code) in [(Schema::empty(), Code::InvalidArgument), (Schema::new(same), Code::InvalidArgument)] {
        assert_eq!(code_of(db.create_table("u", &schema, &CreateOptions::default())), code, "{schema:?}");
    }
    let key = CreateOptions { key: vec!["missing".to_string()], ..CreateOptions::default() };
    assert_eq!(code_of(db.create_table("u", &Shape::Narrow.schema(), &key)), Code::InvalidArgument);
    let upsert = WriteOptions { mode: WriteMode::Upsert, ..WriteOptions::default() };
    assert_eq!(code_of(db.write_table("t", narrow([1]), &upsert)), Code::Unsupported);
    let missing = ["missing".to_string()];
    assert_eq!(code_of(db.read_table("t", Some(&missing), &At::head())), Code::InvalidArgument);
    assert_eq!(code_of(db.diff_versions("t", 1, 1, &missing)), Code::InvalidArgument);
    assert_eq!(db.list_tables(&At::head()).unwrap().len(), 1);
}

#[test]
fn an_error_among_the_rows_writes_nothing() {
    let db = database();
    let own = || ArrowError::ExternalError(Box::new(Error::Cancelled { action: "the source" }));
    let foreign = || ArrowError::ComputeError("the source broke".to_string());
    for (error, code) in [(own as fn() -> ArrowError, Code::Cancelled), (foreign, Code::InvalidArgument)] {
        let good = Shape::Narrow.batch(&bulky_rows(1, 200_000, 1));
        let rows = RecordBatchIterator::new(vec![Ok(good), Err(error())], Shape::Narrow.schema());
        assert_eq!(code_of(db.write_table("t", Box::new(rows), &WriteOptions::append())), code);
    }
    assert_eq!(ids(&db, "t"), [1, 2]);
    assert_whole(&db);
}

/// Every operation of a database that was closed.
#[test]
fn a_closed_handle_answers_closed() {
    let db = database();
    let (transaction, mut subscription) = (begin(&db), db.subscribe(&ChangesQuery::new()).unwrap());
    let mut stream = db.read_table("t", None, &At::head()).unwrap();
    let clone = db.clone();
    db.close();
    db.close();
    for (what, run) in on_tables().iter().take(13).chain(&on_branches()).chain(&on_tags()).chain(&making()[..4]) {
        assert_eq!(code_of(run(&clone, "main")), Code::Closed, "{what}");
    }
    for outcome in [
        clone.latest_tx_id().map(|_| ()),
        clone.current_branch().map(|_| ()),
        clone.list_branches().map(|_| ()),
        clone.list_tags().map(|_| ()),
        clone.revert(1, None).map(|_| ()),
        clone.stats().map(|_| ()),
        clone.verify(&VerifyOptions::default()).map(|_| ()),
        clone.inspect("repo").map(|_| ()),
        clone.changes(&ChangesQuery::new()).map(|_| ()),
        transaction.commit(None).map(|_| ()),
        transaction.rollback(),
        transaction.list_tables().map(|_| ()),
        transaction.read_table("t", None).map(|_| ()),
        transaction.write_table("t", narrow([1]), WriteMode::Append).map(|_| ()),
        transaction.create_table("u", &Shape::Narrow.schema(), &[]),
        transaction.drop_table("t"),
        subscription.poll(Duration::ZERO).map(|_| ()),
    ] {
        assert_eq!(code_of(outcome), Code::Closed);
    }
    assert_eq!(subscription.next().map(|entry| entry.is_ok()), None, "the iterator ends");
    assert_eq!(stream.next().unwrap().unwrap().num_rows(), 2, "a stream that was handed out can still be read");
}

#[cfg(feature = "sql")]
#[test]
fn sql_has_its_codes() {
    let db = database();
    for (sql, code) in [
        ("SELEC 1", Code::SqlError),
        ("SELECT * FROM nobody", Code::TableNotFound),
        ("SELECT * FROM t AT (VERSION => 9)", Code::VersionNotFound),
        ("SELECT * FROM t AT (VERSION => 'nobody')", Code::BranchNotFound),
        ("SELECT * FROM t AT (VERSION => 'tag:nobody')", Code::TagNotFound),
        ("SELECT * FROM t AT (VERSION => 'tx:99')", Code::TransactionNotFound),
        ("SELECT * FROM t AT (VERSION => 'tx:x')", Code::InvalidArgument),
        ("SELECT missing FROM t", Code::SqlError),
        ("INSERT INTO t VALUES (1, 'x')", Code::Unsupported),
    ] {
        let outcome = db.query(sql, &[], &At::head()).and_then(|stream| {
            stream.map(|batch| batch.map_err(crate::support::unwrap_arrow).map(|_| ())).collect::<Result<Vec<()>>>()
        });
        assert_eq!(code_of(outcome), code, "{sql}");
    }
    assert_eq!(code_of(db.execute("DELETE FROM t", &[])), Code::Unsupported);
    let transaction = begin(&db);
    assert_eq!(code_of(transaction.execute("DELETE FROM t")), Code::Unsupported);
    db.close();
    assert_eq!(code_of(db.query("SELECT 1", &[], &At::head())), Code::Closed);
    assert_eq!(code_of(db.execute("DELETE FROM t", &[])), Code::Closed);
    assert_eq!(code_of(transaction.query("SELECT 1", &[])), Code::Closed);
}

#[test]
fn a_transaction_that_has_ended_is_closed() {
    let db = database();
    let (committed, rolled_back) = (begin(&db), begin(&db));
    committed.write_table("t", narrow([3]), WriteMode::Append).unwrap();
    committed.commit(None).unwrap();
    rolled_back.rollback().unwrap();
    for transaction in [committed, rolled_back] {
        for outcome in [
            transaction.commit(None).map(|_| ()),
            transaction.rollback(),
            transaction.read_table("t", None).map(|_| ()),
            transaction.write_table("t", narrow([1]), WriteMode::Append).map(|_| ()),
            transaction.create_table("u", &Shape::Narrow.schema(), &[]),
            transaction.drop_table("t"),
            transaction.list_tables().map(|_| ()),
        ] {
            assert_eq!(code_of(outcome), Code::Closed);
        }
    }
}

#[test]
fn a_full_disk_loses_nothing_and_the_next_commit_works() {
    let world = World::new(3);
    let store = FaultyStore::new(3);
    let db = world.open(Arc::new(store.clone())).unwrap();
    db.write_table("t", narrow([1]), &WriteOptions::append()).unwrap();
    let bulky = bulky_rows(100, 200_000, 1);
    for (rows, first) in [(Shape::Narrow.batch(&bulky), 0), (Shape::Narrow.batch(&[Row::new(5, "x")]), 1)] {
        (0..20).for_each(|n| store.inject(store.operations() + first + n, Fault::OutOfSpace));
        let error = db.write_table("t", stream_of(rows), &WriteOptions::append()).unwrap_err();
        assert_eq!(error.code(), Code::OutOfSpace, "{error}");
        assert_eq!(ids(&db, "t"), [1]);
        // Space is freed: what was planned is used up by operations that fail.
        while db.create_tag("full", &At::head()).is_err() {}
        db.delete_tag("full").unwrap();
    }
    db.write_table("t", narrow([2]), &WriteOptions::append()).unwrap();
    assert_eq!(read(&world.open(Arc::new(store)).unwrap(), "t", &At::head()).unwrap().len(), 2);
}

#[test]
fn locations_that_are_none_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let must_exist = || OpenOptions { create: false, ..OpenOptions::default() };
    let read_only = || OpenOptions { read_only: true, ..OpenOptions::default() };
    std::fs::write(path("file"), "no directory").unwrap();
    std::fs::create_dir(path("foreign")).unwrap();
    std::fs::write(path("foreign").join("notes.txt"), "somebody's").unwrap();
    std::fs::create_dir_all(path("foreign").join("tmp/cache")).unwrap();
    std::fs::write(path("foreign").join("tmp/cache/page"), "somebody's, too").unwrap();
    std::fs::create_dir(path("empty")).unwrap();
    assert_eq!(code_of(Database::open("", OpenOptions::default())), Code::InvalidArgument);
    assert_eq!(code_of(Database::open("s3://bucket/x", OpenOptions::default())), Code::Unsupported);
    for options in [must_exist(), read_only()] {
        for name in ["missing", "empty", "foreign"] {
            assert_eq!(code_of(Database::open(path(name), options.clone())), Code::RepositoryNotFound, "{name}");
        }
    }
    assert_eq!(code_of(Database::open(path("foreign"), OpenOptions::default())), Code::RepositoryNotFound);
    assert!(Database::open(path("file"), OpenOptions::default()).is_err());
    assert_eq!(std::fs::read_dir(path("foreign")).unwrap().count(), 2, "nothing was put there");
    assert!(path("foreign").join("tmp/cache/page").exists(), "nor taken away");
    assert!(!path("missing").exists());
}

#[test]
fn a_read_only_handle_reads_and_touches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::open(folder.path(), OpenOptions::default()).unwrap();
    db.write_table("t", narrow([1, 2]), &WriteOptions::default()).unwrap();
    db.create_branch("dev", &At::head(), None).unwrap();
    db.create_tag("v1", &At::head()).unwrap();
    let before = files(folder.path());
    let reader = Database::open(folder.path(), OpenOptions { read_only: true, ..OpenOptions::default() }).unwrap();
    assert_eq!(ids(&reader, "t"), [1, 2]);
    for (what, run) in &making()[..4] {
        assert_eq!(code_of(run(&reader, "new")), Code::ReadOnly, "{what}");
    }
    for outcome in [
        reader.drop_table("t", &CreateOptions::default()).map(|_| ()),
        reader.write_table("t", narrow([1]), &WriteOptions::append()).map(|_| ()),
        reader.delete_branch("dev"),
        reader.delete_tag("v1"),
        reader.merge_branch("dev", &MergeOptions::default()).map(|_| ()),
        reader.revert(1, None).map(|_| ()),
        reader.compact("t", None).map(|_| ()),
    ] {
        assert_eq!(code_of(outcome), Code::ReadOnly);
    }
    assert_whole(&reader);
    assert_eq!(files(folder.path()), before, "a reader changed the directory");
}

/// Every file with its size and its bytes' hash.
fn files(folder: &std::path::Path) -> Vec<(std::path::PathBuf, u64, blake3::Hash)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found.push((path, bytes.len() as u64, blake3::hash(&bytes)));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}
