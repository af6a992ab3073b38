//! What one handle was told is committed, every other handle sees from then on, whatever itself is doing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use armillaria::store::MemoryStore;
use armillaria::{Database, OpenOptions, WriteMode, WriteOptions};

use crate::support::{World, ids, narrow};

const HANDLES: usize = 3;
const THREADS_EACH: usize = 2;
const COMMITS_EACH: i64 = 60;

/// What was acknowledged so far: the last transaction, and how many rows.
#[derive(Default)]
struct Acknowledged {
    tx_id: AtomicU64,
    rows: AtomicU64,
}

impl Acknowledged {
    /// Looks first at what was acknowledged, then at what the handle shows.
    fn check(&self, db: &Database) {
        let (tx_id, rows) = (self.tx_id.load(Ordering::SeqCst), self.rows.load(Ordering::SeqCst));
        let seen = db.latest_tx_id().unwrap();
        assert!(seen >= tx_id, "transaction {tx_id} was acknowledged, and {seen} is the last one seen");
        let seen = ids(db, "shared").len() as u64;
        assert!(seen >= rows, "{rows} rows were acknowledged, and {seen} are seen");
    }
}

fn append(db: &Database, ids: impl IntoIterator<Item = i64>) -> u64 {
    let options = WriteOptions { mode: WriteMode::Append, ..WriteOptions::default() };
    db.write_table("shared", narrow(ids), &options).unwrap().tx_id
}

/// All handles stand on one repository, as those of several processes do.
fn run(handles: &[Database]) {
    append(&handles[0], []);
    let acknowledged = Acknowledged::default();
    std::thread::scope(|scope| {
        for (number, db) in (0..).zip(handles.iter().flat_map(|db| std::iter::repeat_n(db, THREADS_EACH))) {
            let acknowledged = &acknowledged;
            scope.spawn(move || {
                for id in number * COMMITS_EACH..(number + 1) * COMMITS_EACH {
                    acknowledged.check(db);
                    let tx_id = append(db, [id]);
                    acknowledged.rows.fetch_add(1, Ordering::SeqCst);
                    acknowledged.tx_id.fetch_max(tx_id, Ordering::SeqCst);
                }
            });
        }
    });
    let expected: Vec<i64> = (0..(HANDLES * THREADS_EACH) as i64 * COMMITS_EACH).collect();
    for db in handles {
        let mut seen = ids(db, "shared");
        seen.sort_unstable();
        assert_eq!(seen, expected);
    }
}

#[test]
fn handles_of_one_store_see_what_was_acknowledged() {
    let (world, store) = (World::new(31), Arc::new(MemoryStore::new()));
    let handles: Vec<Database> = (0..HANDLES).map(|_| world.open(store.clone()).unwrap()).collect();
    run(&handles);
}

#[test]
fn handles_of_one_directory_see_what_was_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let handles: Vec<Database> = (0..HANDLES).map(|_| Database::open(path, OpenOptions::default()).unwrap()).collect();
    run(&handles);
}
