//! What a verification says of damage, and what it leaves to whom.

use std::sync::{Arc, Mutex};
use std::thread;

use super::tests::rows;
use super::*;
use crate::check::{Progress, VerifyOptions};
use crate::chunk_store::PREFIX;
use crate::store::{MemoryStore, Store};

fn open(store: &Arc<MemoryStore>, options: OpenOptions) -> Database {
    Database::open_store(store.clone(), "here", options).unwrap()
}

#[test]
fn chunks_are_hashed_on_as_many_threads_as_the_options_say() {
    let store = Arc::new(MemoryStore::new());
    let db = open(&store, OpenOptions { threads: Some(1), ..OpenOptions::default() });
    for n in 0..20 {
        db.write_table(&format!("t{n}"), rows(n * 10_000..n * 10_000 + 9_000), &WriteOptions::default()).unwrap();
    }
    let seen = Mutex::new(Vec::new());
    let tell = |_: Progress| seen.lock().unwrap().push(thread::current().id());
    let report = db.verify(&VerifyOptions { deep: true, progress: Some(&tell) }).unwrap();
    assert!(report.ok && report.chunks == 20);
    assert_eq!(seen.into_inner().unwrap(), [thread::current().id(); 20]);
}

#[test]
fn a_damaged_chunk_that_was_replaced_is_told_from_an_unfinished_write() {
    let store = Arc::new(MemoryStore::new());
    open(&store, OpenOptions::default()).write_table("t", rows(0..50_000), &WriteOptions::default()).unwrap();
    let chunk = store.list(PREFIX).unwrap().remove(0).path;
    store.replace(&chunk, b"damaged").unwrap();
    let db = open(&store, OpenOptions::default());
    db.write_table("t", rows(0..50_000), &WriteOptions::default()).unwrap();
    store.create("quarantine/00000000000000000002-300-0123456789abcdef.torn", b"torn").unwrap();
    let report = db.verify(&VerifyOptions { deep: true, progress: None }).unwrap();
    assert!(report.ok, "{report:?}");
    let [torn, damaged] = &report.notes[..] else { panic!("{report:?}") };
    let name = chunk.rsplit('/').next().unwrap().strip_suffix(".parquet").unwrap();
    assert!(damaged.contains(&format!("chunk {name}, damaged")), "{damaged}");
    assert!(torn.ends_with("0123456789abcdef.torn holds bytes of an unfinished write"), "{torn}");
}

#[test]
fn transactions_that_cannot_be_read_are_counted() {
    let store = Arc::new(MemoryStore::new());
    let db = open(&store, OpenOptions::default());
    for id in 0..300 {
        db.write_table("t", rows([id]), &WriteOptions::append()).unwrap();
    }
    drop(db);
    let path =
        store.list("log").unwrap().into_iter().map(|file| file.path).find(|path| path.ends_with(".log")).unwrap();
    let (bytes, file) = (store.get(&path).unwrap().unwrap(), store.open_file(&path).unwrap().unwrap());
    let begins: Vec<usize> = (0..bytes.len() - 4).filter(|at| bytes[*at..].starts_with(b"ARML")).collect();
    for tx_id in [100, 150, 151] {
        let at = begins[tx_id - 1] + 90;
        file.write_at(at as u64, &[!bytes[at]]).unwrap();
    }
    let report = open(&store, OpenOptions::default()).verify(&VerifyOptions::default()).unwrap();
    assert_eq!((report.problems.len(), report.transactions), (1, 297), "{report:?}");
    let [note] = &report.notes[..] else { panic!("{report:?}") };
    assert!(note.starts_with("transactions that cannot be read: 3 of those from 100 to 151;"), "{note}");
}
