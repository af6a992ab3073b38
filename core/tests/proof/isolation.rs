//! Each cell of the conflict table as a caller sees it, and what the two levels of isolation allow.

use std::collections::BTreeSet;

use armillaria::{
    At, BeginOptions, Code, CreateOptions, Database, Isolation, Result, Transaction, WriteMode, WriteOptions,
};

use crate::support::{Row, Shape, code_of, collect, ids, in_memory, narrow, read};

/// What is done to table `t`, in a transaction or beside it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Deed {
    Append,
    Overwrite,
    OverwriteOtherSchema,
    Drop,
    Compact,
}

impl Deed {
    fn stage(self, transaction: &Transaction) -> Result<()> {
        let wide = Shape::Wide.stream(&[Row::new(900, "wide")]);
        match self {
            Deed::Append => transaction.write_table("t", narrow([100]), WriteMode::Append).map(|_| ()),
            Deed::Overwrite => transaction.write_table("t", narrow([200]), WriteMode::Overwrite).map(|_| ()),
            Deed::OverwriteOtherSchema => transaction.write_table("t", wide, WriteMode::Overwrite).map(|_| ()),
            Deed::Drop => transaction.drop_table("t"),
            Deed::Compact => panic!("a transaction does not compact"),
        }
    }

    fn commit_alone(self, db: &Database) {
        if self == Deed::Compact {
            assert!(db.compact("t", None).unwrap().is_some(), "there was nothing to compact");
            return;
        }
        let transaction = db.begin(&BeginOptions::default()).unwrap();
        self.stage(&transaction).unwrap();
        transaction.commit(None).unwrap();
    }
}

/// A table of ids 0 to 2 in pieces, so that there is something to compact.
fn database() -> Database {
    let db = in_memory();
    for id in 0..3 {
        append(&db, "t", [id]).unwrap();
    }
    db
}

fn append(db: &Database, table: &str, new: impl IntoIterator<Item = i64>) -> Result<u64> {
    db.write_table(table, narrow(new), &WriteOptions::append()).map(|commit| commit.tx_id)
}

fn begin(db: &Database, isolation: Isolation) -> Transaction {
    db.begin(&BeginOptions { isolation, ..BeginOptions::default() }).unwrap()
}

/// Stages mine, lets theirs commit, commits mine.
fn race(mine: Deed, theirs: Deed, isolation: Isolation) -> (Database, Result<u64>) {
    let db = database();
    let transaction = begin(&db, isolation);
    mine.stage(&transaction).unwrap();
    theirs.commit_alone(&db);
    let before = db.latest_tx_id().unwrap();
    let outcome = transaction.commit(None).map(|commit| commit.tx_id);
    let expected = if outcome.is_ok() { before + 1 } else { before };
    assert_eq!(db.latest_tx_id().unwrap(), expected, "{mine:?} after {theirs:?}");
    (db, outcome)
}

#[test]
fn a_blind_append_passes_what_leaves_the_schema_alone() {
    for isolation in [Isolation::Snapshot, Isolation::Serializable] {
        for (theirs, expected) in [
            (Deed::Append, vec![0, 1, 2, 100, 100]),
            (Deed::Compact, vec![0, 1, 2, 100]),
            (Deed::Overwrite, vec![200, 100]),
        ] {
            let (db, outcome) = race(Deed::Append, theirs, isolation);
            outcome.unwrap_or_else(|error| panic!("append after {theirs:?}: {error}"));
            assert_eq!(ids(&db, "t"), expected, "append after {theirs:?}");
        }
    }
}

#[test]
fn a_blind_append_conflicts_with_another_schema_and_with_the_end_of_the_table() {
    for theirs in [Deed::OverwriteOtherSchema, Deed::Drop] {
        assert_eq!(code_of(race(Deed::Append, theirs, Isolation::Snapshot).1), Code::WriteConflict, "{theirs:?}");
    }
}

#[test]
fn an_overwrite_and_a_drop_conflict_with_everything() {
    let theirs = [Deed::Append, Deed::Overwrite, Deed::OverwriteOtherSchema, Deed::Drop, Deed::Compact];
    for mine in [Deed::Overwrite, Deed::OverwriteOtherSchema, Deed::Drop] {
        for theirs in theirs {
            let (db, outcome) = race(mine, theirs, Isolation::Snapshot);
            let error = outcome.unwrap_err();
            assert_eq!(error.code(), Code::WriteConflict, "{mine:?} after {theirs:?}");
            assert!(error.is_retryable() && error.to_string().contains("\"t\""), "{error} names the table");
            assert_eq!(db.list_tables(&At::head()).unwrap().is_empty(), theirs == Deed::Drop);
        }
    }
}

#[test]
fn compaction_commutes_with_appends_and_gives_way_to_the_rest() {
    // `compact` begins and commits at once, so the race is run by threads; whatever wins, no row is lost.
    for theirs in [Deed::Append, Deed::Overwrite, Deed::Drop] {
        for _ in 0..10 {
            let db = database();
            std::thread::scope(|scope| {
                let compacting = scope.spawn(|| db.compact("t", None).map(|_| ()));
                let outcome = commit_with_retries(&db, theirs);
                assert!(outcome.is_ok(), "{outcome:?}");
                match compacting.join().unwrap() {
                    Ok(()) => {}
                    Err(error) => assert_eq!(error.code(), Code::TableNotFound, "{error}"),
                }
            });
            match theirs {
                Deed::Append => assert_eq!(ids(&db, "t"), [0, 1, 2, 100]),
                Deed::Overwrite => assert_eq!(ids(&db, "t"), [200]),
                _ => assert!(db.list_tables(&At::head()).unwrap().is_empty()),
            }
        }
    }
}

fn commit_with_retries(db: &Database, deed: Deed) -> Result<u64> {
    loop {
        let transaction = db.begin(&BeginOptions::default())?;
        deed.stage(&transaction)?;
        match transaction.commit(None) {
            Err(error) if error.is_retryable() => {}
            other => return other.map(|commit| commit.tx_id),
        }
    }
}

#[test]
fn two_creators_of_one_table_conflict() {
    let db = in_memory();
    let (a, b) = (begin(&db, Isolation::Snapshot), begin(&db, Isolation::Snapshot));
    a.create_table("new", &Shape::Narrow.schema(), &[]).unwrap();
    b.write_table("new", narrow([1]), WriteMode::Append).unwrap();
    a.commit(None).unwrap();
    assert_eq!(code_of(b.commit(None)), Code::WriteConflict);
}

#[test]
fn different_tables_and_different_branches_never_conflict() {
    let db = database();
    db.create_branch("dev", &At::head(), None).unwrap();
    let on_dev = db.begin(&BeginOptions { branch: Some("dev".into()), ..BeginOptions::default() }).unwrap();
    let (one, two) = (begin(&db, Isolation::Serializable), begin(&db, Isolation::Serializable));
    one.write_table("t", narrow([1]), WriteMode::Overwrite).unwrap();
    two.write_table("u", narrow([2]), WriteMode::Overwrite).unwrap();
    on_dev.drop_table("t").unwrap();
    [one, two, on_dev].iter().for_each(|transaction| drop(transaction.commit(None).unwrap()));
    assert_eq!((ids(&db, "t"), ids(&db, "u")), (vec![1], vec![2]));
}

/// Both read x and y; one writes x, the other y.
fn write_skew(isolation: Isolation) -> (Result<u64>, Result<u64>) {
    let db = in_memory();
    for table in ["x", "y"] {
        append(&db, table, [1]).unwrap();
    }
    let [a, b] = [begin(&db, isolation), begin(&db, isolation)];
    for (transaction, written) in [(&a, "x"), (&b, "y")] {
        for table in ["x", "y"] {
            assert_eq!(collect(transaction.read_table(table, None).unwrap()).unwrap().len(), 1);
        }
        transaction.write_table(written, narrow([]), WriteMode::Overwrite).unwrap();
    }
    (a.commit(None).map(|commit| commit.tx_id), b.commit(None).map(|commit| commit.tx_id))
}

#[test]
fn write_skew_happens_under_snapshot_and_is_refused_under_serializable() {
    let (first, second) = write_skew(Isolation::Snapshot);
    assert!(first.is_ok() && second.is_ok());
    let (first, second) = write_skew(Isolation::Serializable);
    assert!(first.is_ok());
    assert_eq!(code_of(second), Code::SerializationFailure);
}

#[test]
fn a_missing_table_counts_as_read() {
    let db = database();
    let transaction = begin(&db, Isolation::Serializable);
    assert_eq!(code_of(transaction.read_table("phantom", None)), Code::TableNotFound);
    transaction.write_table("t", narrow([5]), WriteMode::Append).unwrap();
    append(&db, "phantom", [1]).unwrap();
    assert_eq!(code_of(transaction.commit(None)), Code::SerializationFailure);
}

#[cfg(feature = "sql")]
#[test]
fn what_sql_reads_counts_as_read() {
    for place in ["", "AT (VERSION => 'main')", "AT (TIMESTAMP => TIMESTAMP '2200-01-01')"] {
        let sql = &format!("SELECT count(*) FROM other {place}");
        let db = database();
        append(&db, "other", [1]).unwrap();
        let transaction = begin(&db, Isolation::Serializable);
        collect_any(transaction.query(sql, &[]).unwrap());
        transaction.write_table("t", narrow([5]), WriteMode::Append).unwrap();
        append(&db, "other", [2]).unwrap();
        assert_eq!(code_of(transaction.commit(None)), Code::SerializationFailure, "{sql}");
    }
}

#[cfg(feature = "sql")]
fn collect_any(stream: armillaria::RowStream) {
    stream.for_each(|batch| drop(batch.unwrap()));
}

#[test]
fn an_update_that_read_before_another_wrote_is_refused() {
    let db = in_memory();
    append(&db, "counter", [10]).unwrap();
    let [a, b] = [begin(&db, Isolation::Snapshot), begin(&db, Isolation::Snapshot)];
    for transaction in [&a, &b] {
        let now = collect(transaction.read_table("counter", None).unwrap()).unwrap()[0].id;
        transaction.write_table("counter", narrow([now + 1]), WriteMode::Overwrite).unwrap();
    }
    a.commit(None).unwrap();
    assert_eq!(code_of(b.commit(None)), Code::WriteConflict);
    assert_eq!(ids(&db, "counter"), [11], "no update is lost");
}

#[test]
fn a_transaction_reads_its_own_writes_and_nobody_elses() {
    let db = database();
    let transaction = begin(&db, Isolation::Snapshot);
    transaction.write_table("t", narrow([3]), WriteMode::Append).unwrap();
    transaction.write_table("t", narrow([4]), WriteMode::Append).unwrap();
    transaction.write_table("mine", narrow([7]), WriteMode::Overwrite).unwrap();
    append(&db, "t", [50]).unwrap();
    append(&db, "theirs", [1]).unwrap();
    let seen = |table: &str| collect(transaction.read_table(table, None).unwrap()).unwrap();
    assert_eq!(seen("t").iter().map(|row| row.id).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert_eq!(seen("mine").len(), 1);
    assert_eq!(transaction.list_tables().unwrap(), ["mine", "t"]);
    assert_eq!(ids(&db, "t"), [0, 1, 2, 50], "nothing shows before the commit");
    transaction.commit(None).unwrap();
    assert_eq!(ids(&db, "t"), [0, 1, 2, 50, 3, 4]);
}

#[test]
fn a_transaction_that_is_dropped_leaves_nothing() {
    let db = database();
    let before = db.latest_tx_id().unwrap();
    let transaction = begin(&db, Isolation::Snapshot);
    transaction.write_table("t", narrow([3]), WriteMode::Overwrite).unwrap();
    transaction.drop_table("t").unwrap();
    transaction.create_table("new", &Shape::Narrow.schema(), &[]).unwrap();
    drop(transaction);
    assert_eq!(db.latest_tx_id().unwrap(), before);
    assert_eq!(ids(&db, "t"), [0, 1, 2]);
}

#[test]
fn a_transaction_does_not_outlive_its_branch() {
    let db = database();
    db.create_branch("dev", &At::head(), None).unwrap();
    let transaction = db.begin(&BeginOptions { branch: Some("dev".into()), ..BeginOptions::default() }).unwrap();
    transaction.write_table("t", narrow([3]), WriteMode::Append).unwrap();
    db.delete_branch("dev").unwrap();
    db.create_branch("dev", &At::head(), None).unwrap();
    assert_eq!(code_of(transaction.commit(None)), Code::BranchNotFound, "the new branch is another one");
    assert_eq!(read(&db, "t", &At::branch("dev")).unwrap().len(), 3);
}

#[test]
fn sixteen_threads_appending_to_one_table_lose_nothing() {
    const EACH: i64 = 25;
    let db = in_memory();
    db.create_table("t", &Shape::Narrow.schema(), &CreateOptions::default()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let db = &db;
            scope.spawn(move || {
                for n in 0..EACH {
                    append(db, "t", [thread * 1000 + n]).unwrap();
                }
            });
        }
    });
    let found = ids(&db, "t");
    assert_eq!(found.len(), 16 * EACH as usize);
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len());
    for thread in 0..16 {
        let own: Vec<i64> = found.iter().copied().filter(|id| id / 1000 == thread).collect();
        assert!(own.is_sorted(), "each thread's rows stand in the order of its commits");
    }
    assert_eq!(db.latest_tx_id().unwrap(), 1 + 16 * EACH as u64);
}
