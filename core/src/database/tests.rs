//! The main paths through the front door, on a repository in memory.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{AsArray, Int64Array, RecordBatch, RecordBatchIterator, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};

use super::*;
use crate::branch::{MergeKind, MergeOptions, MergeStrategy};
use crate::cancel::CancelToken;
use crate::changelog::ChangesQuery;
use crate::check::VerifyOptions;
use crate::error::Code;
use crate::format::schema::column_id;
use crate::format::{ChangeKind, TableName, Version};
use crate::limits::TAIL_BATCHES_MAX;
use crate::repository::recorded_schema;
use crate::table::{RowStream, error_from_arrow as from_arrow};

pub(super) fn memory() -> Database {
    Database::open("memory:", OpenOptions::default()).unwrap()
}

pub(super) fn rows(ids: impl IntoIterator<Item = i64>) -> RowStream {
    let ids: Vec<i64> = ids.into_iter().collect();
    let names: Vec<String> = ids.iter().map(|id| format!("name {id}")).collect();
    let schema =
        Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, false), Field::new("name", DataType::Utf8, true)]));
    let columns: Vec<arrow::array::ArrayRef> =
        vec![Arc::new(Int64Array::from(ids)), Arc::new(StringArray::from(names))];
    let batch = RecordBatch::try_new(schema.clone(), columns).unwrap();
    Box::new(RecordBatchIterator::new([Ok(batch)], schema))
}

pub(super) fn ids(stream: RowStream) -> Vec<i64> {
    let mut ids = Vec::new();
    for batch in stream {
        ids.extend(batch.unwrap().column_by_name("id").unwrap().as_primitive::<Int64Type>().values());
    }
    ids
}

pub(super) fn read(db: &Database, table: &str, at: &At) -> Vec<i64> {
    ids(db.read_table(table, None, at).unwrap())
}

#[test]
fn versions_of_a_table_stay_readable() {
    let db = memory();
    let first = db.write_table("t", rows(0..3), &WriteOptions::default()).unwrap();
    assert_eq!((first.tx_id, first.version(), first.rows), (1, Some(1), 3));
    db.write_table("t", rows(3..5), &WriteOptions::append()).unwrap();
    db.write_table("t", rows(0..100_000), &WriteOptions::append()).unwrap();
    let last = db.write_table("t", rows(7..8), &WriteOptions::default()).unwrap();
    assert_eq!(last.version(), Some(4));
    assert_eq!(read(&db, "t", &At::head()), [7]);
    assert_eq!(read(&db, "t", &At::version("t", 1)), [0, 1, 2]);
    assert_eq!(read(&db, "t", &At::tx(2)), [0, 1, 2, 3, 4]);
    assert_eq!(read(&db, "t", &At::version("t", 3)).len(), 100_005);
    let missing = db.read_table("t", None, &At::version("t", 9)).err().unwrap();
    assert_eq!(missing.code(), Code::VersionNotFound);
    assert_eq!(db.read_table("u", None, &At::head()).err().unwrap().code(), Code::TableNotFound);
    let history = db.history("t", None).unwrap();
    assert_eq!(
        history.iter().map(|entry| (entry.version, entry.rows)).collect::<Vec<_>>(),
        [(1, 3), (2, 5), (3, 100_005), (4, 1)]
    );
    assert!(db.verify(&VerifyOptions { deep: true, progress: None }).unwrap().ok);
}

#[test]
fn many_small_appends_keep_their_order_through_folds_and_checkpoints() {
    let db = memory();
    db.write_table("t", rows(0..1), &WriteOptions::default()).unwrap();
    for id in 1..600 {
        db.write_table("t", rows(id..id + 1), &WriteOptions::append()).unwrap();
    }
    assert_eq!(read(&db, "t", &At::head()), (0..600).collect::<Vec<_>>());
    assert_eq!(read(&db, "t", &At::version("t", 65)), (0..65).collect::<Vec<_>>());
    let inspected = db.inspect("t@600").unwrap();
    assert!(inspected["tail"].as_array().unwrap().len() <= TAIL_BATCHES_MAX + 1, "{inspected}");
    assert!(db.verify(&VerifyOptions { deep: true, progress: None }).unwrap().ok);
}

#[test]
fn a_transaction_that_has_ended_answers_closed_whatever_is_asked() {
    let db = memory();
    db.write_table("t", rows(0..1), &WriteOptions::default()).unwrap();
    let (committed, rolled_back) =
        (db.begin(&BeginOptions::default()).unwrap(), db.begin(&BeginOptions::default()).unwrap());
    committed.commit(None).unwrap();
    rolled_back.rollback().unwrap();
    for ended in [committed, rolled_back] {
        let answers = [
            ended.read_table("t", None).map(drop),
            ended.table_schema("t").map(drop),
            ended.list_tables().map(drop),
            ended.write_table("t", rows(0..1), WriteMode::Append).map(drop),
            ended.create_table("u", &rows(0..1).schema(), &[]),
            ended.drop_table("t"),
            ended.execute("DELETE FROM t").map(drop),
            ended.commit(None).map(drop),
            ended.rollback(),
        ];
        for answer in answers {
            assert_eq!(answer.unwrap_err().code(), Code::Closed);
        }
        #[cfg(feature = "sql")]
        for sql in
            ["SELECT 1", "SHOW TABLES", "SELECT * FROM t", "SELECT * FROM t AT (VERSION => 1)", "SELECT * FROM u"]
        {
            assert_eq!(ended.query(sql, &[]).map(drop).unwrap_err().code(), Code::Closed, "{sql}");
        }
    }
}

#[test]
fn a_serializable_transaction_that_listed_tables_notices_another_table() {
    let db = memory();
    db.write_table("a", rows(0..1), &WriteOptions::default()).unwrap();
    let serializable = BeginOptions { isolation: Isolation::Serializable, ..BeginOptions::default() };
    let begin = |list: bool| {
        let transaction = db.begin(&serializable).unwrap();
        if list {
            transaction.list_tables().unwrap();
        }
        transaction.write_table("mine", rows(0..1), WriteMode::Overwrite).unwrap();
        transaction
    };
    let (listed, blind) = (begin(true), begin(false));
    db.write_table("a", rows(1..2), &WriteOptions::append()).unwrap();
    begin(true).rollback().unwrap();
    db.write_table("b", rows(0..1), &WriteOptions::default()).unwrap();
    let error = listed.commit(None).unwrap_err();
    assert_eq!(error.code(), Code::SerializationFailure, "{error}");
    assert!(error.to_string().contains("\"b\""), "{error}");
    blind.commit(None).unwrap();
    let quiet = begin(true);
    db.write_table("a", rows(2..3), &WriteOptions::append()).unwrap();
    quiet.commit(None).unwrap();
}

#[test]
fn a_branch_is_set_to_versions_of_any_branch() {
    let db = memory();
    db.write_table("a", rows(0..1), &WriteOptions::default()).unwrap();
    db.write_table("b", rows(0..1), &WriteOptions::default()).unwrap();
    db.create_branch("dev", &At::head(), None).unwrap();
    let on_dev = WriteOptions { branch: Some("dev".into()), ..WriteOptions::default() };
    db.write_table("a", rows(0..2), &on_dev).unwrap();
    let set = |versions: &[(&str, Option<u64>)]| {
        let versions = versions.iter().map(|(table, version)| ((*table).to_string(), *version)).collect();
        db.set_branch_versions("main", &versions, Some("by hand"))
    };
    let commit = set(&[("a", Some(2)), ("b", None)]).unwrap();
    assert_eq!(commit.tables.iter().map(|table| table.version).collect::<Vec<_>>(), [Some(2), None]);
    assert_eq!(read(&db, "a", &At::head()), [0, 1]);
    assert_eq!(db.list_tables(&At::head()).unwrap().len(), 1);
    assert_eq!(set(&[("a", Some(2))]).unwrap().tables, []);
    assert_eq!(db.latest_tx_id().unwrap(), commit.tx_id, "nothing changed, nothing was committed");
    assert_eq!(set(&[("a", Some(1))]).unwrap().version(), Some(3), "an older content has a new number");
    assert_eq!(read(&db, "a", &At::head()), [0]);
    let code = |versions: &[_]| set(versions).err().unwrap().code();
    assert_eq!(code(&[("a", Some(9))]), Code::VersionNotFound);
    assert_eq!(code(&[("c", Some(1))]), Code::TableNotFound);
    assert_eq!(code(&[("b", None), ("a", Some(2))]), Code::TableNotFound);
    assert_eq!(read(&db, "a", &At::head()), [0], "all or nothing");
}

#[test]
fn parts_in_directories_of_their_own_are_one_repository() {
    let directory = tempfile::tempdir().unwrap();
    let at = |part: &str| directory.path().join(part);
    let locations = crate::repository::Locations {
        chunks: at("chunks"),
        catalog: at("catalog"),
        branches: Some(at("branches")),
        transactions: Some(at("transactions")),
    };
    let open = |part: &str| Database::open(at(part), OpenOptions::default()).unwrap();
    open("chunks").close();
    open("branches").close();
    {
        let db = Database::open_parts(&locations, OpenOptions::default()).unwrap();
        db.write_table("t", rows(0..100_000), &WriteOptions::default()).unwrap();
        db.create_branch("dev", &At::head(), None).unwrap();
    }
    for (done, part) in ["chunks", "catalog", "branches", "transactions"].into_iter().enumerate() {
        let (db, done) = (open(part), done as u64);
        assert_eq!(db.latest_tx_id().unwrap(), 2 + done, "{part}");
        assert_eq!(read(&db, "t", &At::branch("dev")).len(), 100_000, "{part}");
        db.write_table("t", rows(0..50_000), &WriteOptions::append()).unwrap();
    }
    assert_eq!(read(&open("transactions"), "t", &At::head()).len(), 300_000);
    assert!(!at("catalog").join("chunks").exists(), "all chunks stand in their own directory");
    let chunks = crate::chunk_store::ChunkStore::open(at("chunks"), crate::store::Access::ReadOnly).unwrap();
    assert!(!chunks.list().unwrap().is_empty());
    let other = crate::repository::Locations { catalog: at("other"), ..locations.clone() };
    let error = Database::open_parts(&other, OpenOptions::default()).err().unwrap();
    assert_eq!(error.code(), Code::InvalidArgument, "{error}");
    let alone = at("alone");
    Database::open(&alone, OpenOptions::default())
        .unwrap()
        .write_table("t", rows(0..100_000), &WriteOptions::default())
        .unwrap();
    let late = crate::repository::Locations { catalog: alone, chunks: at("new"), branches: None, transactions: None };
    let error = Database::open_parts(&late, OpenOptions::default()).err().unwrap();
    assert_eq!(error.code(), Code::InvalidArgument, "its chunks would be lost: {error}");
    let read_only = OpenOptions { read_only: true, ..OpenOptions::default() };
    assert_eq!(Database::open_parts(&locations, read_only).unwrap().list_branches().unwrap().len(), 2);
}

#[test]
fn branches_merge_and_conflict() {
    let db = memory();
    db.write_table("a", rows(0..2), &WriteOptions::default()).unwrap();
    db.write_table("b", rows(0..2), &WriteOptions::default()).unwrap();
    let branch = db.create_branch("dev", &At::head(), Some("trial")).unwrap();
    assert_eq!((branch.from_branch.as_deref(), branch.from_tx_id), (Some("main"), Some(2)));
    assert_eq!(db.create_branch("dev", &At::head(), None).err().unwrap().code(), Code::BranchExists);
    let on_dev = WriteOptions { branch: Some("dev".into()), ..WriteOptions::append() };
    db.write_table("a", rows(2..3), &on_dev).unwrap();
    assert_eq!(read(&db, "a", &At::head()), [0, 1]);
    assert_eq!(read(&db, "a", &At::branch("dev")), [0, 1, 2]);
    let diff = db.diff_branches("dev", "main").unwrap();
    assert_eq!(diff.modified, [("a".to_string(), 2, 1)]);

    let dry = db.merge_branch("dev", &MergeOptions { dry_run: true, ..MergeOptions::default() }).unwrap();
    assert_eq!((dry.kind, dry.tx_id, dry.tables), (MergeKind::FastForward, None, vec!["a".to_string()]));
    db.write_table("b", rows(9..10), &WriteOptions::default()).unwrap();
    let merged = db.merge_branch("dev", &MergeOptions::default()).unwrap();
    assert_eq!((merged.kind, merged.conflicts.len()), (MergeKind::Merged, 0));
    assert_eq!((read(&db, "a", &At::head()), read(&db, "b", &At::head())), (vec![0, 1, 2], vec![9]));
    let again = db.merge_branch("dev", &MergeOptions::default()).unwrap();
    assert_eq!((again.kind, again.tx_id), (MergeKind::UpToDate, None));

    db.write_table("a", rows(5..6), &on_dev).unwrap();
    db.write_table("a", rows(6..7), &WriteOptions::default()).unwrap();
    let conflict = db.merge_branch("dev", &MergeOptions::default()).err().unwrap();
    assert_eq!(conflict.code(), Code::MergeConflict);
    let theirs = MergeOptions { strategy: MergeStrategy::Theirs, ..MergeOptions::default() };
    assert_eq!(db.merge_branch("dev", &theirs).unwrap().conflicts, ["a"]);
    assert_eq!(read(&db, "a", &At::head()), [0, 1, 2, 5]);
    let versions: Vec<u64> = db.history("a", None).unwrap().iter().map(|entry| entry.version).collect();
    assert!(versions.is_sorted(), "{versions:?}");
    db.delete_branch("dev").unwrap();
    assert_eq!(db.read_table("a", None, &At::branch("dev")).err().unwrap().code(), Code::BranchNotFound);
    assert_eq!(db.delete_branch("main").err().unwrap().code(), Code::InvalidArgument);
}

fn on_a_branch_that_is_gone() -> Database {
    let db = memory();
    db.write_table("a", rows(0..2), &WriteOptions::default()).unwrap();
    db.create_branch("dev", &At::head(), None).unwrap();
    db.checkout("dev").unwrap();
    db.delete_branch("dev").unwrap();
    db
}

#[test]
fn a_version_is_found_though_the_current_branch_is_gone() {
    let db = on_a_branch_that_is_gone();
    assert_eq!(read(&db, "a", &At::version("a", 1)), [0, 1]);
    assert_eq!(db.table_schema("a", &At::version("a", 1)).unwrap().field(0).name(), "id");
    assert_eq!(db.read_table("a", None, &At::version("a", 2)).err().unwrap().code(), Code::VersionNotFound);
    assert_eq!(db.read_table("a", None, &At::head()).err().unwrap().code(), Code::BranchNotFound);
    let elsewhere = At::branch("dev").with_version("a", 1);
    assert_eq!(db.read_table("a", None, &elsewhere).err().unwrap().code(), Code::BranchNotFound);
}

#[test]
fn a_version_of_a_table_that_is_not_there_is_told_whatever_is_read() {
    let db = memory();
    db.write_table("users", rows(0..2), &WriteOptions::default()).unwrap();
    for (at, code) in [
        (At::version("user", 1), Code::TableNotFound),
        (At::version("users", 1).with_version("user", 1), Code::TableNotFound),
        (At::head().with_version("users", 9), Code::VersionNotFound),
    ] {
        assert_eq!(db.read_table("users", None, &at).err().unwrap().code(), code);
        assert_eq!(db.table_schema("users", &at).unwrap_err().code(), code);
        assert_eq!(db.table_key("users", &at).unwrap_err().code(), code);
        assert_eq!(db.list_tables(&at).unwrap_err().code(), code);
    }
}

#[cfg(feature = "sql")]
#[test]
fn sql_needs_the_current_branch_only_where_nothing_else_is_named() {
    let db = on_a_branch_that_is_gone();
    for place in ["VERSION => 1", "VERSION => 'main'"] {
        let found = db.query(&format!("SELECT id FROM a AT ({place})"), &[], &At::head()).unwrap();
        assert_eq!(ids(found), [0, 1], "{place}");
    }
    assert_eq!(ids(db.query("SELECT id FROM a", &[], &At::version("a", 1)).unwrap()), [0, 1]);
    for (sql, at) in [("SELECT id FROM a", At::head()), ("SELECT 1", At::branch("dev"))] {
        assert_eq!(db.query(sql, &[], &at).err().unwrap().code(), Code::BranchNotFound, "{sql}");
    }
}

#[test]
fn transactions_are_isolated_and_rebase_appends() {
    let db = memory();
    db.write_table("a", rows(0..1), &WriteOptions::default()).unwrap();
    let (one, two) = (db.begin(&BeginOptions::default()).unwrap(), db.begin(&BeginOptions::default()).unwrap());
    one.write_table("a", rows(1..2), WriteMode::Append).unwrap();
    one.write_table("a", rows(2..3), WriteMode::Append).unwrap();
    two.write_table("a", rows(3..4), WriteMode::Append).unwrap();
    two.write_table("new", rows(0..1), WriteMode::Overwrite).unwrap();
    assert_eq!(ids(one.read_table("a", None).unwrap()), [0, 1, 2]);
    assert_eq!(one.read_table("new", None).err().unwrap().code(), Code::TableNotFound);
    one.commit(Some("one")).unwrap();
    two.commit(Some("two")).unwrap();
    assert_eq!(read(&db, "a", &At::head()), [0, 1, 2, 3]);
    assert_eq!(two.commit(None).err().unwrap().code(), Code::Closed);

    let loser = db.begin(&BeginOptions::default()).unwrap();
    loser.write_table("a", rows(9..10), WriteMode::Overwrite).unwrap();
    db.write_table("a", rows(4..5), &WriteOptions::append()).unwrap();
    let conflict = loser.commit(None).err().unwrap();
    assert_eq!((conflict.code(), conflict.is_retryable()), (Code::WriteConflict, true));
    drop(db.begin(&BeginOptions::default()).unwrap());
    assert_eq!(read(&db, "a", &At::head()), [0, 1, 2, 3, 4]);
}

#[test]
fn write_skew_needs_serializable() {
    for (isolation, refused) in [(Isolation::Snapshot, false), (Isolation::Serializable, true)] {
        let db = memory();
        db.write_table("a", rows(0..1), &WriteOptions::default()).unwrap();
        db.write_table("b", rows(0..1), &WriteOptions::default()).unwrap();
        let options = BeginOptions { isolation, ..BeginOptions::default() };
        let (one, two) = (db.begin(&options).unwrap(), db.begin(&options).unwrap());
        drop(one.read_table("a", None).unwrap());
        one.write_table("b", rows(1..2), WriteMode::Overwrite).unwrap();
        drop(two.read_table("b", None).unwrap());
        two.write_table("a", rows(1..2), WriteMode::Overwrite).unwrap();
        one.commit(None).unwrap();
        let second = two.commit(None);
        assert_eq!(second.err().map(|error| error.code()), refused.then_some(Code::SerializationFailure));
    }
}

#[test]
fn what_was_done_can_be_undone_once() {
    let db = memory();
    db.write_table("a", rows(0..1), &WriteOptions::default()).unwrap();
    let bad = db.write_table("a", rows(1..2), &WriteOptions::append()).unwrap();
    let dropped = db.drop_table("a", &CreateOptions::default()).unwrap();
    assert_eq!(db.revert(bad.tx_id, None).err().unwrap().code(), Code::MergeConflict);
    db.revert(dropped.tx_id, None).unwrap();
    assert_eq!(read(&db, "a", &At::head()), [0, 1]);
    db.revert(bad.tx_id, Some("oops")).unwrap();
    assert_eq!(read(&db, "a", &At::head()), [0]);
    assert_eq!(db.revert(99, None).err().unwrap().code(), Code::TransactionNotFound);
}

#[test]
fn the_changelog_tells_and_wakes() {
    let db = memory();
    db.write_table("a", rows(0..2), &WriteOptions::default()).unwrap();
    let mut subscription = db.subscribe(&ChangesQuery::new()).unwrap();
    assert_eq!(subscription.poll(Duration::ZERO).unwrap(), None);
    let (send, receive) = std::sync::mpsc::channel();
    let seen = db.subscribe(&ChangesQuery::new().since_tx(0).table("a")).unwrap();
    let background = seen.spawn(move |entry| send.send(entry.tx_id).is_ok());
    db.write_table("a", rows(2..3), &WriteOptions::append()).unwrap();
    db.write_table("b", rows(2..3), &WriteOptions::append()).unwrap();
    db.create_tag("v1", &At::head()).unwrap();
    let entry = subscription.poll(Duration::from_secs(5)).unwrap().unwrap();
    assert_eq!((entry.tx_id, entry.tables[0].rows_added), (2, 1));
    assert_eq!([receive.recv().unwrap(), receive.recv().unwrap()], [1, 2]);
    background.close().unwrap();
    let all = db.changes(&ChangesQuery::new()).unwrap();
    assert_eq!(all.iter().map(|entry| entry.tx_id).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(db.changes(&ChangesQuery::new().table("b").limit(1)).unwrap()[0].tx_id, 3);
    assert_eq!(db.latest_tx_id().unwrap(), 4);
    assert_eq!(read(&db, "a", &At::tag("v1")), [0, 1, 2]);
    db.close();
    assert_eq!(db.latest_tx_id().err().unwrap().code(), Code::Closed);
    assert!(subscription.next().is_none());
}

#[test]
fn a_cancelled_wait_ends_at_once_and_the_subscription_goes_on() {
    let db = memory();
    let mut subscription = db.subscribe(&ChangesQuery::new()).unwrap();
    let cancel = CancelToken::new();
    let other = cancel.clone();
    let canceller = std::thread::spawn(move || other.cancel());
    let waited = subscription.poll_with(Duration::from_secs(60), &cancel);
    assert_eq!(waited.err().unwrap().code(), Code::Cancelled);
    canceller.join().unwrap();
    db.write_table("a", rows(0..1), &WriteOptions::default()).unwrap();
    assert_eq!(subscription.poll(Duration::ZERO).unwrap().unwrap().tx_id, 1);
}

#[test]
fn commits_that_nobody_asked_for_do_not_use_up_the_time() {
    let db = memory();
    let mut subscription = db.subscribe(&ChangesQuery::new().table("wanted")).unwrap();
    let writer = std::thread::spawn({
        let db = db.clone();
        move || {
            (0..200).for_each(|_| drop(db.write_table("other", rows(0..1), &WriteOptions::default()).unwrap()));
            db.write_table("wanted", rows(0..1), &WriteOptions::default()).unwrap().tx_id
        }
    });
    let entry = subscription.poll(Duration::from_secs(20)).unwrap().unwrap();
    assert_eq!(entry.tx_id, writer.join().unwrap());
}

#[test]
fn whatever_takes_long_can_be_cancelled() {
    let db = memory();
    db.write_table("a", rows(0..2), &WriteOptions::default()).unwrap();
    db.write_table("a", rows(1..3), &WriteOptions::default()).unwrap();
    (0..3).for_each(|id| drop(db.write_table("b", rows([id]), &WriteOptions::append()).unwrap()));
    let cancel = CancelToken::new();
    cancel.cancel();
    let first_of = |stream: Result<RowStream>| stream.and_then(|mut rows| rows.next().unwrap().map_err(from_arrow));
    let refused = [
        db.write_table_with("a", rows(0..1), &WriteOptions::append(), &cancel).map(drop),
        db.diff_versions_with("a", 1, 2, &[], &cancel).map(drop),
        first_of(db.diff_rows_with("a", 1, 2, &[], &cancel)).map(drop),
        db.table_changes_with("a", 0, 2, &cancel).map(drop),
        first_of(db.begin(&BeginOptions::default()).unwrap().read_table_with("a", None, &cancel)).map(drop),
        db.verify_with(&VerifyOptions::default(), &cancel).map(drop),
        db.compact_with("b", None, &cancel).map(drop),
    ];
    for (place, outcome) in refused.into_iter().enumerate() {
        assert_eq!(outcome.err().map(|error| error.code()), Some(Code::Cancelled), "operation {place}");
    }
    assert_eq!(db.latest_tx_id().unwrap(), 5);
}

#[test]
fn a_directory_is_reopened_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("repo");
    {
        let db = Database::open(&path, OpenOptions::default()).unwrap();
        for id in 0..300 {
            db.write_table("a", rows(id..id + 1), &WriteOptions::append()).unwrap();
        }
        db.create_branch("dev", &At::tx(10), None).unwrap();
        db.create_tag("v", &At::tx(20)).unwrap();
    }
    let read_only = OpenOptions { read_only: true, ..OpenOptions::default() };
    let db = Database::open(&path, read_only).unwrap();
    assert_eq!(db.latest_tx_id().unwrap(), 302);
    assert_eq!(read(&db, "a", &At::branch("dev")).len(), 10);
    assert_eq!(read(&db, "a", &At::tag("v")).len(), 20);
    assert_eq!(read(&db, "a", &At::head()).len(), 300);
    let refused = db.write_table("a", rows(0..1), &WriteOptions::append()).err().unwrap();
    assert_eq!(refused.code(), Code::ReadOnly);
    assert!(db.verify(&VerifyOptions { deep: true, progress: None }).unwrap().ok);
    let absent = OpenOptions { create: false, ..OpenOptions::default() };
    let error = Database::open(directory.path().join("none"), absent).err().unwrap();
    assert_eq!(error.code(), Code::RepositoryNotFound);
}

#[test]
fn steps_of_one_transaction_mean_what_they_mean_apart() {
    let db = memory();
    let begin = || db.begin(&BeginOptions::default()).unwrap();
    let schema = rows(0..0).schema();
    let key = |version: u64| db.inspect(&format!("t@{version}")).unwrap()["key"].clone();
    let made = begin();
    made.create_table("t", &schema, &["id".to_string()]).unwrap();
    made.write_table("t", rows(0..3), WriteMode::Overwrite).unwrap();
    let made = made.commit(None).unwrap();
    assert_eq!((made.tables[0].kind, key(1)), (ChangeKind::Create, serde_json::json!(["id"])));
    let replaced = begin();
    replaced.drop_table("t").unwrap();
    replaced.write_table("t", rows(5..6), WriteMode::Overwrite).unwrap();
    let replaced = replaced.commit(None).unwrap();
    assert_eq!((replaced.tables[0].kind, replaced.version()), (ChangeKind::Create, Some(2)));
    assert_eq!((key(2), read(&db, "t", &At::head())), (serde_json::json!([]), vec![5]));
    assert_eq!(read(&db, "t", &At::version("t", 1)), [0, 1, 2]);
    let dropped = begin();
    dropped.drop_table("t").unwrap();
    dropped.create_table("t", &schema, &[]).unwrap();
    dropped.drop_table("t").unwrap();
    assert_eq!(dropped.commit(None).unwrap().tables[0].kind, ChangeKind::Drop);
}

#[test]
fn a_column_id_is_not_given_again_after_a_revert() {
    let db = memory();
    let columns = |names: &[&str]| -> RowStream {
        let fields: Vec<Field> = names.iter().map(|name| Field::new(*name, DataType::Int64, true)).collect();
        let arrays = names.iter().map(|_| -> arrow::array::ArrayRef { Arc::new(Int64Array::from(vec![1])) }).collect();
        let schema = Arc::new(Schema::new(fields));
        Box::new(RecordBatchIterator::new([RecordBatch::try_new(schema.clone(), arrays)], schema))
    };
    db.write_table("t", columns(&["a"]), &WriteOptions::default()).unwrap();
    let second = db.write_table("t", columns(&["a", "b"]), &WriteOptions::default()).unwrap();
    db.revert(second.tx_id, None).unwrap();
    db.write_table("t", columns(&["a", "c"]), &WriteOptions::default()).unwrap();
    let (view, table) = (db.view().unwrap(), TableName::new("t").unwrap());
    let ids = |version| {
        let schema = recorded_schema(&view, &table, Version(version)).unwrap().unwrap().to_arrow_with_ids().unwrap();
        schema.fields().iter().filter_map(|field| column_id(field)).collect::<Vec<u32>>()
    };
    assert_eq!([ids(1), ids(2), ids(3), ids(4)], [vec![1], vec![1, 2], vec![1], vec![1, 3]]);
    assert_eq!(db.read_table("t", None, &At::version("t", 3)).unwrap().schema().fields().len(), 1);
}

#[test]
fn a_branch_made_anew_has_none_of_the_changes_of_its_namesake() {
    let db = memory();
    let on_dev = WriteOptions { branch: Some("dev".to_string()), ..WriteOptions::append() };
    db.write_table("t", rows(0..1), &WriteOptions::default()).unwrap();
    db.create_branch("dev", &At::head(), None).unwrap();
    db.write_table("t", rows(1..2), &on_dev).unwrap();
    db.delete_branch("dev").unwrap();
    db.create_branch("dev", &At::head(), None).unwrap();
    let made = db.latest_tx_id().unwrap();
    let written = db.write_table("t", rows(2..3), &on_dev).unwrap().tx_id;
    let query = ChangesQuery::new().branch("dev");
    let seen: Vec<u64> = db.changes(&query).unwrap().iter().map(|entry| entry.tx_id).collect();
    assert_eq!(seen, [made, written]);
}

#[cfg(feature = "sql")]
#[test]
fn a_time_in_sql_is_a_time_on_the_branch_that_is_looked_at() {
    let db = memory();
    db.write_table("t", rows(0..1), &WriteOptions::default()).unwrap();
    db.create_branch("dev", &At::head(), None).unwrap();
    let on_dev = WriteOptions { branch: Some("dev".to_string()), ..WriteOptions::append() };
    let tx_id = db.write_table("t", rows(1..3), &on_dev).unwrap().tx_id;
    let count = |at: &At| {
        let mut stream = db.query("SELECT id FROM t AT (TIMESTAMP => now())", &[], at).unwrap();
        stream.by_ref().map(|batch| batch.unwrap().num_rows()).sum::<usize>()
    };
    assert_eq!([count(&At::head()), count(&At::branch("dev")), count(&At::tx(tx_id))], [1, 3, 3]);
}
