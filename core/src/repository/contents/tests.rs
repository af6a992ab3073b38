//! What contents weigh, which of them go, and who waits for whom.

use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::datatypes::{DataType, Field, Schema};
use bytes::Bytes;

use super::*;
use crate::error::Error;
use crate::format::{ChunkEntry, ChunkHash, LogicalHash, TableSchema};
use crate::store::SeededRandomness;
use crate::table::InlineBatch;

const ROWS_BYTES: u64 = 10_000;

fn key(version: u64) -> Key {
    (TableName::new("t").unwrap(), Version(version))
}

fn empty() -> TableData {
    let schema = Schema::new(vec![Field::new("x", DataType::Int64, true)]);
    TableData::empty(Arc::new(TableSchema::from_arrow_with_ids(&schema, 1, Vec::new()).unwrap()))
}

fn appended(to: &TableData, version: u64) -> TableData {
    let mut data = to.clone();
    let bytes = Bytes::from(vec![0; ROWS_BYTES as usize]);
    data.tail.push(InlineBatch { version: Some(Version(version)), rows: 1, after: 0, bytes });
    data
}

/// Versions that grow out of one another by a batch each.
fn chain(versions: u64) -> Vec<Arc<TableData>> {
    let grown =
        std::iter::successors(Some((0, empty())), |(version, data)| Some((version + 1, appended(data, version + 1))));
    grown.skip(1).take(versions as usize).map(|(_, data)| Arc::new(data)).collect()
}

fn bytes(contents: &Contents) -> u64 {
    contents.kept().weight.bytes
}

fn kept(contents: &Contents, versions: u64) -> Vec<u64> {
    (1..=versions).filter(|version| contents.kept().versions.contains_key(&key(*version))).collect()
}

#[test]
fn what_versions_share_is_weighed_once() {
    let chain = chain(100);
    let schema = chain[0].schema.arrow.len() as u64;
    let one = VERSION_BYTES + BATCH_BYTES + ROWS_BYTES;
    let contents = Contents::new(u64::MAX);
    contents.insert(key(100), chain[99].clone());
    assert_eq!(bytes(&contents), schema + VERSION_BYTES + 100 * (BATCH_BYTES + ROWS_BYTES));
    chain.iter().enumerate().for_each(|(at, data)| contents.insert(key(at as u64 + 1), data.clone()));
    assert_eq!(bytes(&contents), schema + 100 * one);

    let few = Contents::new(schema + 100 * one);
    chain.iter().enumerate().for_each(|(at, data)| few.insert(key(at as u64 + 1), data.clone()));
    assert_eq!(kept(&few, 100).len(), 100, "all fit");
}

#[test]
fn a_batch_is_weighed_until_the_last_version_with_it_goes() {
    let chain = chain(10);
    let schema = chain[0].schema.arrow.len() as u64;
    let batch = BATCH_BYTES + ROWS_BYTES;
    let mut kept = Kept::default();
    for (at, data) in chain.iter().enumerate() {
        assert!(kept.insert(key(at as u64 + 1), data.clone(), u64::MAX).is_empty());
    }
    for left in (1..10).rev() {
        let gone = std::iter::from_fn(|| Some(kept.pass())).flatten().next().unwrap();
        assert_eq!(gone.tail.len(), 10 - left as usize, "the oldest first");
        assert_eq!(kept.weight.bytes, schema + left * VERSION_BYTES + 10 * batch, "the last version has all batches");
    }
    while kept.versions.len() == 1 {
        kept.pass();
    }
    assert_eq!((kept.weight.bytes, kept.weight.holders.len()), (0, 0));
}

#[test]
fn chunk_lists_are_weighed_once_and_by_their_length() {
    let entry = ChunkEntry {
        chunk: ChunkHash::of(b"c"),
        logical: LogicalHash::from_bytes([0; 32]),
        rows: 1,
        bytes: 1,
        first_row: 0,
        row_bytes: 0,
        columns: Vec::new(),
    };
    let base = TableData { manifest: Arc::new(Manifest { chunks: vec![entry; 1000] }), ..empty() };
    let schema = base.schema.arrow.len() as u64;
    let contents = Contents::new(u64::MAX);
    contents.insert(key(1), Arc::new(base.clone()));
    contents.insert(key(2), Arc::new(appended(&base, 2)));
    let list = 128_000;
    assert_eq!(bytes(&contents), schema + 2 * VERSION_BYTES + list + BATCH_BYTES + ROWS_BYTES);
    let copy = TableData { manifest: Arc::new(Manifest::clone(&base.manifest)), ..base };
    contents.insert(key(2), Arc::new(copy));
    assert_eq!(bytes(&contents), schema + 2 * VERSION_BYTES + 2 * list, "another list, and no batch any more");
}

#[test]
fn what_is_used_stays_and_one_that_is_too_large_too() {
    let chain = chain(20);
    let alone = || Arc::new(appended(&empty(), 1));
    let one = VERSION_BYTES + alone().schema.arrow.len() as u64 + BATCH_BYTES + ROWS_BYTES;
    let contents = Contents::new(5 * one);
    for version in 1..=20 {
        contents.insert(key(version), alone());
        assert!(contents.get(&key(1)).is_some(), "used after each insertion");
    }
    let left = kept(&contents, 20);
    assert_eq!(left.len(), 5);
    assert!(left.contains(&1) && left.contains(&20));
    assert!(contents.get(&key(3)).is_none());
    let small = Contents::new(1);
    small.insert(key(1), alone());
    small.insert(key(20), chain[19].clone());
    assert_eq!(kept(&small, 20), [20]);
}

#[test]
fn the_weight_is_that_of_what_is_there_whatever_came_and_went() {
    let dice = SeededRandomness::new(3);
    let (mut pool, contents) = (vec![Arc::new(empty())], Contents::new(40 * ROWS_BYTES));
    for _ in 0..3000 {
        let parent = pool[dice.below(pool.len() as u64) as usize].clone();
        let data = Arc::new(appended(&parent, 1));
        contents.insert(key(dice.below(60)), data.clone());
        contents.get(&key(dice.below(60)));
        pool.push(data);
        if pool.len() > 30 {
            pool.swap_remove(dice.below(30) as usize);
        }
        let kept = contents.kept();
        let mut parts: HashMap<usize, u64> = HashMap::new();
        for used in kept.versions.values() {
            parts.extend(whole_parts(&used.data));
            parts.extend(links(&used.data.tail));
        }
        assert_eq!(kept.weight.bytes, parts.values().sum::<u64>() + VERSION_BYTES * kept.versions.len() as u64);
        assert_eq!((kept.weight.holders.len(), kept.order.len()), (parts.len(), kept.versions.len()));
        assert!(kept.weight.bytes <= 40 * ROWS_BYTES || kept.versions.len() == 1);
    }
}

#[test]
fn a_content_is_made_once_and_after_a_failure_by_the_next_who_waits() {
    let contents = Contents::new(u64::MAX);
    let (tries, come) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let make = || match tries.fetch_add(1, Ordering::SeqCst) {
        0 => {
            while come.load(Ordering::SeqCst) < 4 {
                std::thread::yield_now();
            }
            Err(Error::internal("the first fails"))
        }
        _ => Ok(Arc::new(appended(&empty(), 1))),
    };
    let ask = || {
        come.fetch_add(1, Ordering::SeqCst);
        contents.get_or_make(&key(1), make)
    };
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_err()).count(), 1);
    assert_eq!(tries.load(Ordering::SeqCst), 2);
    let made: Vec<_> = outcomes.into_iter().flatten().collect();
    assert!(made.iter().all(|data| Arc::ptr_eq(data, &made[0])));
    assert!(contents.kept().being_made.is_empty());
}
