//! The log on every store, damaged byte by byte, and stopped after every operation.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::format::record::encode;
use crate::format::{BranchId, BranchName, TransactionKind, TxId};
use crate::store::counting::CountingStore;
use crate::store::{Fault, FaultyStore, LocalStore, MemoryStore, SeededRandomness, StoreFile};

const SMALL_FILE_BYTES: u64 = 2 << 10;

fn chain_start() -> RecordHash {
    RecordHash::of(b"a repository")
}

fn transaction(tx_id: u64, message_bytes: usize) -> Arc<Transaction> {
    let dice = SeededRandomness::new(tx_id);
    let letter = |_| char::from(b'a' + dice.below(26) as u8);
    Arc::new(Transaction {
        tx_id: TxId(tx_id),
        branch: BranchName::main(),
        branch_id: BranchId(0),
        parents: vec![TxId(tx_id - 1)],
        time_us: 1_700_000_000_000_000 + tx_id as i64,
        author: None,
        message: Some((0..message_bytes).map(letter).collect()),
        kind: TransactionKind::Refs,
        tables: Vec::new(),
        refs: Vec::new(),
        reads: Vec::new(),
    })
}

/// A log whose records hold one transaction each, with the tx_id of their sequence.
fn open(store: Arc<dyn Store>, from: Option<LogPosition>) -> Result<Log> {
    open_in_rounds(store, from, LOOK_BYTES)
}

/// The same with a limit to what is read at once.
fn open_in_rounds(store: Arc<dyn Store>, from: Option<LogPosition>, round_bytes: u64) -> Result<Log> {
    let sizes = (SMALL_FILE_BYTES, round_bytes);
    Log::open_with(store, Environment::seeded(7), chain_start(), from, Access::ReadWrite, sizes)
}

fn append(log: &Log, message_bytes: usize) -> Result<Appended> {
    let appended = log.append(&mut |next| Ok(Some(vec![transaction(next.0, message_bytes)])))?;
    Ok(appended.unwrap())
}

fn all(log: &Log) -> Vec<LogRecord> {
    log.scan(LogPosition::start(chain_start())).map(Result::unwrap).collect()
}

fn sequences(records: &[LogRecord]) -> Vec<u64> {
    records.iter().map(|record| record.sequence.0).collect()
}

fn memory() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new())
}

/// The bytes of the first log file, and a store with other bytes in their place.
fn first_file(store: &MemoryStore) -> Vec<u8> {
    store.get(&files::path(Sequence(1))).unwrap().unwrap().to_vec()
}

fn with_first_file(bytes: &[u8]) -> Arc<MemoryStore> {
    let store = memory();
    store.allocate(&files::path(Sequence(1)), bytes.len() as u64).unwrap();
    store.open_file(&files::path(Sequence(1))).unwrap().unwrap().write_at(0, bytes).unwrap();
    store
}

#[test]
fn records_come_back_in_order_across_files_and_handles() {
    let directory = tempfile::tempdir().unwrap();
    let stores: [Arc<dyn Store>; 3] = [
        memory(),
        Arc::new(FaultyStore::new(1)),
        Arc::new(LocalStore::open(directory.path(), Access::ReadWrite).unwrap()),
    ];
    for store in stores {
        let log = open(store.clone(), None).unwrap();
        let other = open(store.clone(), None).unwrap();
        assert!(log.catch_up().unwrap().is_empty());
        let mut locations = Vec::new();
        for size in [0, 10, 900, 5_000, 1, 1_800, 300, 20_000, 1] {
            locations.push(append(&log, size).unwrap().location);
            let (own, seen) = (log.catch_up().unwrap(), other.catch_up().unwrap());
            assert_eq!(own, seen);
            assert_eq!(sequences(&own), [locations.len() as u64]);
            assert_eq!(log.position(), own[0].behind());
            assert_eq!(other.read(own[0].location).unwrap(), own[0]);
        }
        assert!(store.list("log").unwrap().len() > 4, "the log has grown beyond one file");
        let all = all(&log);
        assert_eq!(sequences(&all), (1..=9).collect::<Vec<_>>());
        assert_eq!(all.iter().map(|record| record.location).collect::<Vec<_>>(), locations);
        for from in &all {
            let late = open(store.clone(), Some(from.behind())).unwrap();
            assert_eq!(late.catch_up().unwrap(), all[from.sequence.0 as usize..]);
        }
        assert_eq!(log.health().unwrap(), Health::default());
    }
}

#[test]
fn decide_sees_what_came_since_and_can_change_its_mind() {
    let store = memory();
    let (log, other) = (open(store.clone(), None).unwrap(), open(store, None).unwrap());
    append(&other, 5).unwrap();
    append(&other, 5).unwrap();
    let mut seen = Vec::new();
    let nothing = log.append(&mut |next| {
        seen.extend(sequences(&log.pending()));
        assert_eq!(next, Sequence(3));
        Ok(None)
    });
    assert_eq!((nothing.unwrap(), seen), (None, vec![1, 2]));
    assert!(log.catch_up().unwrap().is_empty(), "they were handed out");
    let refused = log.append(&mut |_| Err(Error::Cancelled { action: "a commit" }));
    assert!(matches!(refused, Err(Error::Cancelled { .. })));
    let empty = log.append(&mut |_| Ok(Some(Vec::new())));
    assert!(matches!(empty, Err(Error::Internal { .. })));
    append(&log, 5).unwrap();
    assert_eq!(sequences(&other.catch_up().unwrap()), [1, 2, 3], "its own and the other's");
}

#[test]
fn a_reader_writes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let read = |root| Arc::new(LocalStore::open(root, Access::ReadOnly).unwrap());
    let open_read = |store| Log::open(store, Environment::seeded(1), chain_start(), None, Access::ReadOnly).unwrap();
    let reader = open_read(read(directory.path()));
    assert!(reader.catch_up().unwrap().is_empty());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    let writer_store = Arc::new(LocalStore::open(directory.path(), Access::ReadWrite).unwrap());
    let writer = Log::open(writer_store, Environment::seeded(2), chain_start(), None, Access::ReadWrite).unwrap();
    append(&writer, 100).unwrap();
    assert_eq!(sequences(&reader.catch_up().unwrap()), [1]);
    assert!(matches!(append(&reader, 1), Err(Error::ReadOnly { .. })));
}

#[test]
fn two_threads_take_turns_on_one_directory() {
    const EACH: u64 = 200;
    let directory = tempfile::tempdir().unwrap();
    let work = || {
        let store = Arc::new(LocalStore::open(directory.path(), Access::ReadWrite).unwrap());
        let log = open(store, None).unwrap();
        let mut seen = Vec::new();
        for size in 0..EACH {
            log.append(&mut |next| {
                seen.extend(sequences(&log.pending()));
                Ok(Some(vec![transaction(next.0, size as usize)]))
            })
            .unwrap();
            seen.extend(sequences(&log.catch_up().unwrap()));
        }
        (log, seen)
    };
    std::thread::scope(|scope| {
        let handles = [scope.spawn(work), scope.spawn(work)];
        for (log, mut seen) in handles.map(|handle| handle.join().unwrap()) {
            seen.extend(sequences(&log.catch_up().unwrap()));
            while seen.len() < 2 * EACH as usize {
                seen.extend(sequences(&log.catch_up().unwrap()));
            }
            assert_eq!(seen, (1..=2 * EACH).collect::<Vec<_>>());
        }
    });
}

#[test]
fn threads_share_one_handle() {
    let log = open(memory(), None).unwrap();
    let appended = std::thread::scope(|scope| {
        let work = || (0..100).map(|_| append(&log, 30).unwrap().sequence.0).collect::<Vec<_>>();
        let handles: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        let mut all: Vec<u64> = handles.into_iter().flat_map(|handle| handle.join().unwrap()).collect();
        all.sort_unstable();
        all
    });
    assert_eq!(appended, (1..=400).collect::<Vec<_>>());
    assert_eq!(all(&log).len(), 400);
}

/// What a log gives back whose first file holds these bytes: the records, and whether appending is refused.
fn recover(bytes: &[u8]) -> (Vec<LogRecord>, bool) {
    let store = with_first_file(bytes);
    let log = open(store.clone(), None).unwrap();
    let records = log.catch_up().unwrap();
    let health = log.health().unwrap();
    let outcome = append(&log, 40);
    match &outcome {
        Ok(appended) => {
            assert_eq!(health.damage, None);
            assert_eq!(appended.sequence.0, records.len() as u64 + 1);
            let again = open(store, None).unwrap();
            assert_eq!(again.catch_up().unwrap().len(), records.len() + 1);
            assert_eq!(again.health().unwrap().torn, None);
            assert_eq!(again.health().unwrap().quarantined.len(), usize::from(health.torn.is_some()));
        }
        Err(error) => {
            assert!(matches!(error, Error::LogCorrupt { .. }), "{error}");
            assert!(health.damage.is_some());
            assert_eq!(first_file(&store), bytes, "damage is left as it is");
            assert!(log.scan(LogPosition::start(chain_start())).any(|record| record.is_err()));
        }
    }
    (records, outcome.is_err())
}

#[test]
fn a_flip_of_any_bit_is_a_torn_tail_or_damage() {
    let store = memory();
    let log = open(store.clone(), None).unwrap();
    (0..3).for_each(|n| _ = append(&log, 40 * n).unwrap());
    let records = all(&log);
    let bytes = first_file(&store);
    let end = records[2].behind().offset as usize;
    let last = records[2].location.offset as usize;
    for at in 0..end + 40 {
        for bit in [0, 3, 7] {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            let (read, refused) = recover(&flipped);
            let expected = records.iter().take_while(|record| record.behind().offset as usize <= at).count();
            assert_eq!(read, records[..expected], "byte {at}");
            assert_eq!(refused, at < last, "byte {at}");
        }
    }
}

#[test]
fn a_file_cut_short_anywhere_is_damaged() {
    let store = memory();
    let log = open(store.clone(), None).unwrap();
    (0..3).for_each(|n| _ = append(&log, 40 * n).unwrap());
    let records = all(&log);
    let bytes = first_file(&store);
    let end = records[2].behind().offset as usize;
    for length in (0..end + 200).step_by(3) {
        let cut = with_first_file(&bytes[..length]);
        let log = open(cut, None).unwrap();
        let whole = records.iter().filter(|record| record.behind().offset as usize <= length).count();
        assert_eq!(log.catch_up().unwrap(), records[..whole], "{length} bytes");
        assert!(matches!(append(&log, 1), Err(Error::LogCorrupt { .. })), "{length} bytes");
    }
}

#[test]
fn a_record_cut_off_anywhere_is_a_torn_tail() {
    let store = memory();
    let log = open(store.clone(), None).unwrap();
    (0..3).for_each(|_| _ = append(&log, 300).unwrap());
    let records = all(&log);
    let bytes = first_file(&store);
    let (last, end) = (records[2].location.offset as usize, records[2].behind().offset as usize);
    for cut in last..end {
        let mut front = bytes.clone();
        front[last..cut].fill(0);
        let mut back = bytes.clone();
        back[cut..end].fill(0);
        assert_eq!(recover(&back), (records[..2].to_vec(), false), "without what is behind {cut}");
        if cut > last {
            assert_eq!(recover(&front), (records[..2].to_vec(), false), "without what is before {cut}");
        }
    }
}

#[test]
fn records_far_behind_zeros_are_found() {
    let open = |store| Log::open(store, Environment::seeded(7), chain_start(), None, Access::ReadWrite).unwrap();
    let store = memory();
    let log = open(store.clone());
    (0..10).for_each(|_| _ = append(&log, 50_000).unwrap());
    let records = all(&log);
    let mut zeroed = first_file(&store);
    let behind = |n: usize| records[n].behind().offset as usize;
    zeroed[behind(1)..behind(8)].fill(0);
    let damaged = open(with_first_file(&zeroed));
    assert_eq!(damaged.health().unwrap().damage.map(|damage| damage.at), Some(records[1].behind()));
    assert!(matches!(append(&damaged, 1), Err(Error::LogCorrupt { .. })));
    assert!(damaged.scan(LogPosition::start(chain_start())).last().unwrap().is_err());
    // The last record alone is lost: that is the end.
    let mut ended = first_file(&store);
    ended[behind(8)..].fill(0);
    let ended = open(with_first_file(&ended));
    assert_eq!(ended.catch_up().unwrap(), records[..9]);
    assert_eq!(append(&ended, 1).unwrap().sequence, Sequence(10));
}

#[test]
fn a_zeroed_page_or_a_missing_file_is_damage() {
    let store = memory();
    let log = open(store.clone(), None).unwrap();
    (0..12).for_each(|_| _ = append(&log, 300).unwrap());
    let records = all(&log);
    let mut zeroed = first_file(&store);
    let second = records[1].location;
    zeroed[second.offset as usize..][..second.bytes as usize].fill(0);
    assert_eq!(recover(&zeroed), (records[..1].to_vec(), true));

    let names: Vec<String> = store.list("log").unwrap().into_iter().map(|file| file.path).collect();
    assert!(names.len() >= 4, "three files and the lock");
    store.delete(&names[1]).unwrap();
    let log = open(store.clone(), None).unwrap();
    let read = log.catch_up().unwrap();
    assert!(!read.is_empty() && read.len() < 12);
    assert!(matches!(append(&log, 1), Err(Error::LogCorrupt { .. })));
    let beyond = open(store, Some(records[read.len()].behind()));
    assert!(matches!(beyond, Err(Error::LogCorrupt { .. })), "a snapshot that the log does not reach");
}

#[test]
fn a_record_of_another_log_or_a_newer_format_is_told() {
    let other = encode(Sequence(1), RecordHash::of(b"other"), [0; 16], &[transaction(1, 1)]);
    let mut bytes = other.unwrap().bytes;
    bytes.resize(SMALL_FILE_BYTES as usize, 0);
    let refused = open(with_first_file(&bytes), None);
    assert!(matches!(&refused, Err(Error::LogCorrupt { at, .. }) if at == "repo.json"), "{refused:?}");

    let store = memory();
    let log = open(store.clone(), None).unwrap();
    append(&log, 1).unwrap();
    let mut newer = first_file(&store);
    let length = log.catch_up().unwrap()[0].location.bytes as usize;
    newer[8] = 2;
    let hash = RecordHash::of(&newer[..length - 32]);
    newer[length - 32..length].copy_from_slice(hash.as_bytes());
    let refused = open(with_first_file(&newer), None);
    assert!(matches!(refused, Err(Error::FormatUnsupported { found: 2, .. })));
}

/// The lock file and its note.
fn lock_file(store: &MemoryStore) -> (Arc<dyn StoreFile>, [u8; 40]) {
    let (file, mut note) = (store.open_file(files::LOCK).unwrap().unwrap(), [0; 40]);
    file.read_at(0, &mut note).unwrap();
    (file, note)
}

#[test]
fn a_live_reader_takes_half_a_record_for_none() {
    let store = memory();
    let log = open(store.clone(), None).unwrap();
    append(&log, 300).unwrap();
    let reader = open(store.clone(), None).unwrap();
    let (lock, note) = lock_file(&store);
    append(&log, 300).unwrap();
    lock.write_at(0, &note).unwrap();
    let file = store.open_file(&files::path(Sequence(1))).unwrap().unwrap();
    let whole = all(&log)[1].location;
    let mut half = vec![0; whole.bytes as usize];
    file.read_at(whole.offset, &mut half).unwrap();
    file.write_at(whole.offset + 200, &vec![0; half.len() - 200]).unwrap();
    assert_eq!(sequences(&reader.catch_up().unwrap()), [1]);
    assert!(reader.catch_up().unwrap().is_empty());
    assert!(reader.health().unwrap().torn.is_some());
    file.write_at(whole.offset, &half).unwrap();
    assert_eq!(sequences(&reader.catch_up().unwrap()), [2]);
    assert_eq!(reader.health().unwrap().torn, None);
}

/// Catches up round by round; how many records came in each.
fn rounds(log: &Log) -> (Vec<LogRecord>, Vec<usize>) {
    let (mut records, mut rounds) = (Vec::new(), Vec::new());
    loop {
        let more = log.catch_up().unwrap();
        rounds.push(more.len());
        records.extend(more);
        if !log.is_behind() {
            return (records, rounds);
        }
    }
}

#[test]
fn a_long_log_is_read_round_by_round() {
    const ROUND_BYTES: u64 = 1_000;
    let store = memory();
    let log = open(store.clone(), None).unwrap();
    let reader = open_in_rounds(store.clone(), None, ROUND_BYTES).unwrap();
    (0..30).for_each(|_| _ = append(&log, 200).unwrap());
    let records = all(&log);
    let bytes = records[0].location.bytes as usize;
    let at_most = ROUND_BYTES as usize / bytes + 1;
    let late = open_in_rounds(store.clone(), None, ROUND_BYTES).unwrap();
    assert_eq!(late.pending().len(), at_most, "opening reads one round");
    for behind in [late, reader, open_in_rounds(store.clone(), None, ROUND_BYTES).unwrap()] {
        let (read, rounds) = rounds(&behind);
        assert!(records.ends_with(&read) && rounds.len() > 3, "{rounds:?}");
        assert!(rounds.iter().all(|count| *count <= at_most), "{rounds:?}");
        assert_eq!(behind.position(), records[29].behind());
        assert_eq!((behind.is_behind(), behind.health().unwrap()), (false, Health::default()));
    }
    let writer = open_in_rounds(store.clone(), None, ROUND_BYTES).unwrap();
    assert_eq!(append(&writer, 5).unwrap().sequence, Sequence(31), "whoever appends reads all of it first");
    assert_eq!(writer.catch_up().unwrap().len(), 31);
}

#[test]
fn damage_far_behind_is_found_when_it_is_reached() {
    let store = memory();
    let log = open(store.clone(), None).unwrap();
    (0..4).for_each(|_| _ = append(&log, 200).unwrap());
    let records = all(&log);
    let mut zeroed = first_file(&store);
    zeroed[records[2].location.offset as usize..records[3].location.offset as usize].fill(0);
    let store = with_first_file(&zeroed);
    let log = open_in_rounds(store.clone(), None, 1).unwrap();
    assert_eq!((log.pending().len(), log.health().unwrap().damage), (1, None));
    assert_eq!(rounds(&log).0, records[1..2]);
    assert_eq!(log.health().unwrap().damage.map(|damage| damage.at), Some(records[1].behind()));
    let writer = open_in_rounds(store, None, 1).unwrap();
    assert!(matches!(append(&writer, 1), Err(Error::LogCorrupt { .. })));
}

#[test]
fn a_poisoned_handle_reads_as_far_as_others_synced() {
    let store = FaultyStore::new(1);
    let log = open_in_rounds(Arc::new(store.clone()), None, 1).unwrap();
    append(&log, 10).unwrap();
    store.inject(store.operations() + 2, Fault::Fail);
    assert!(matches!(append(&log, 10), Err(Error::OutcomeUnknown { .. })));
    let other = open(Arc::new(store.clone()), None).unwrap();
    (0..5).for_each(|_| _ = append(&other, 10).unwrap());
    assert_eq!(sequences(&rounds(&log).0), (1..=7).collect::<Vec<_>>());
}

#[test]
fn a_torn_tail_is_judged_once_and_not_at_every_look() {
    let store = memory();
    append(&open(store.clone(), None).unwrap(), 100).unwrap();
    let log = open(store.clone(), None).unwrap();
    let end = log.catch_up().unwrap()[0].behind();
    let file = store.open_file(&files::path(Sequence(1))).unwrap().unwrap();
    file.write_at(end.offset + 3, b"torn").unwrap();
    let counted = Arc::new(CountingStore::new(store.clone()));
    let reader = open(counted.clone(), None).unwrap();
    assert_eq!(rounds(&reader).0.len(), 1);
    counted.counts.take();
    for _ in 0..3 {
        assert!(reader.catch_up().unwrap().is_empty());
        assert!(reader.health().unwrap().torn.is_some());
        let (listings, bytes) = counted.counts.take();
        assert!(listings == 1 && bytes < 200, "{listings} listings (one is of the quarantine), {bytes} bytes");
    }
    // Whoever writes judges anew: by now something stands behind it.
    let other = encode(Sequence(3), RecordHash::of(b"x"), [0; 16], &[transaction(3, 1)]).unwrap().bytes;
    file.write_at(end.offset + 300, &other).unwrap();
    assert!(reader.catch_up().unwrap().is_empty() && reader.health().unwrap().damage.is_none());
    assert!(matches!(append(&reader, 1), Err(Error::LogCorrupt { .. })));
    assert!(reader.health().unwrap().damage.is_some());
}

#[test]
fn opening_lists_the_log_once_and_reads_nothing_of_its_older_files() {
    let store = memory();
    let log = open(store.clone(), None).unwrap();
    (0..40).for_each(|_| _ = append(&log, 900).unwrap());
    let end = all(&log)[39].behind();
    let counted = Arc::new(CountingStore::new(store));
    open(counted.clone(), Some(end)).unwrap();
    let (listings, bytes) = counted.counts.take();
    assert!(listings == 1 && bytes < 100_000, "{listings} listings, {bytes} bytes");
    assert!(has_begun(&*counted).unwrap());
    assert_eq!(counted.counts.take(), (0, 0));
}

#[test]
fn an_end_mark_that_vanishes_under_open_handles_forks_nothing() {
    let store = memory();
    let log = open(store.clone(), None).unwrap();
    append(&log, 900).unwrap();
    let (reader, writer) = (open(store.clone(), None).unwrap(), open(store.clone(), None).unwrap());
    let end = reader.catch_up().unwrap()[0].behind();
    (0..3).for_each(|_| _ = append(&log, 900).unwrap());
    assert_eq!(all(&log)[1].location.file, Sequence(2), "it did not fit");
    let file = store.open_file(&files::path(Sequence(1))).unwrap().unwrap();
    file.write_at(end.offset, &[0; 8]).unwrap();
    assert_eq!(append(&writer, 10).unwrap().sequence, Sequence(5), "it is behind the others");
    let seen: Vec<_> = (0..16).flat_map(|_| reader.catch_up().unwrap()).collect();
    assert_eq!(sequences(&seen), [2, 3, 4, 5]);
    assert_eq!(sequences(&open(store, None).unwrap().catch_up().unwrap()), [1, 2, 3, 4, 5]);
}

#[test]
fn a_failed_sync_poisons_the_handle_and_another_one_goes_on() {
    for seed in 0..40 {
        let store = FaultyStore::new(seed);
        let log = open(Arc::new(store.clone()), None).unwrap();
        append(&log, 700).unwrap();
        assert_eq!(sequences(&log.catch_up().unwrap()), [1]);
        // Of an append that needs nothing but one: lock, write, sync.
        store.inject(store.operations() + 2, Fault::Fail);
        let other = open(Arc::new(store.clone()), None).unwrap();
        assert!(matches!(append(&log, 700), Err(Error::OutcomeUnknown { .. })));
        assert!(matches!(append(&log, 1), Err(Error::OutcomeUnknown { .. })));
        assert!(log.catch_up().unwrap().is_empty(), "what may not be durable is not handed out");
        assert!(log.health().unwrap().poisoned.is_some());
        assert_eq!(append(&other, 10).unwrap().sequence, Sequence(3), "it saw the record and made it durable");
        assert_eq!(sequences(&log.catch_up().unwrap()), [2, 3], "now it is");
        let after = open(Arc::new(store.crash()), None).unwrap();
        assert_eq!(sequences(&after.catch_up().unwrap()), [1, 2, 3], "seed {seed}");
    }
}

#[test]
fn what_a_reader_was_shown_survives_a_failed_sync_and_a_power_loss() {
    for seed in 0..40 {
        let store = FaultyStore::new(seed);
        let log = open(Arc::new(store.clone()), None).unwrap();
        append(&log, 700).unwrap();
        store.inject(store.operations() + 2, Fault::Fail);
        assert!(matches!(append(&log, 700), Err(Error::OutcomeUnknown { .. })));
        let reader = open(Arc::new(store.clone()), None).unwrap();
        let shown = sequences(&reader.catch_up().unwrap());
        let after = open(Arc::new(store.crash()), None).unwrap();
        assert_eq!(sequences(&after.catch_up().unwrap()), shown, "seed {seed}");
    }
}

#[test]
fn a_record_that_is_being_written_is_not_shown() {
    let store = memory();
    let log = open(store.clone(), None).unwrap();
    append(&log, 10).unwrap();
    let (older, mut note) = lock_file(&store);
    append(&log, 10).unwrap();
    // As it is after the write of the second record and before its sync: a writer holds the lock.
    older.write_at(0, &note).unwrap();
    older.lock().unwrap();
    let reader = open(store.clone(), None).unwrap();
    assert_eq!(sequences(&reader.catch_up().unwrap()), [1]);
    assert!(reader.catch_up().unwrap().is_empty());
    older.unlock().unwrap();
    assert_eq!(sequences(&reader.catch_up().unwrap()), [2], "the writer is gone");
    older.read_at(0, &mut note).unwrap();
    assert_eq!(note[32..], 2_u64.to_le_bytes(), "nobody else has to write it again");
}

#[test]
fn a_committed_record_of_which_only_zeros_are_left_is_told() {
    for lost in 1..=3_u64 {
        let store = memory();
        let log = open(store.clone(), None).unwrap();
        let records: Vec<Appended> = (0..3).map(|_| append(&log, 100).unwrap()).collect();
        let file = store.open_file(&files::path(Sequence(1))).unwrap().unwrap();
        for record in &records[lost as usize - 1..] {
            file.write_at(record.location.offset, &vec![0; record.location.bytes as usize]).unwrap();
        }
        let after = open(store.clone(), None).unwrap();
        assert_eq!(sequences(&after.catch_up().unwrap()), (1..lost).collect::<Vec<_>>());
        let damage = after.health().unwrap().damage.unwrap();
        assert!(damage.error().to_string().contains("was committed here and is gone"), "{damage:?}");
        assert!(matches!(append(&after, 1), Err(Error::LogCorrupt { .. })), "it would write over the place");
    }
}

#[test]
fn a_note_without_a_sequence_still_serves() {
    let store = memory();
    let log = open(store.clone(), None).unwrap();
    (0..2).for_each(|_| drop(append(&log, 50)));
    let note = store.open_file(files::LOCK).unwrap().unwrap();
    note.write_at(32, &[0; 8]).unwrap();
    let after = open(store.clone(), None).unwrap();
    assert_eq!(sequences(&after.catch_up().unwrap()), [1, 2]);
    assert_eq!(append(&after, 50).unwrap().sequence, Sequence(3));
}

#[test]
fn a_full_disk_is_told_and_does_no_harm() {
    let store = FaultyStore::new(3);
    let log = open(Arc::new(store.clone()), None).unwrap();
    for operation in 0..60 {
        let before = log.position();
        store.inject(operation, Fault::OutOfSpace);
        match append(&log, 400) {
            Ok(_) => {}
            Err(Error::OutOfSpace { .. }) => assert_eq!(log.catch_up().unwrap().len(), 0),
            // Syncs that fail, for whatever reason, leave the outcome unknown.
            Err(Error::OutcomeUnknown { .. }) => break,
            Err(error) => panic!("{error}"),
        }
        assert!(log.catch_up().unwrap().len() <= 1, "from {before:?}");
    }
    let mut written = 0;
    let store = FaultyStore::new(4);
    let log = open(Arc::new(store.clone()), None).unwrap();
    append(&log, 400).unwrap();
    for _ in 0..20 {
        store.inject(store.operations() + 1, Fault::OutOfSpace);
        assert!(matches!(append(&log, 400), Err(Error::OutOfSpace { .. })), "lock, then the write");
        written += u64::from(append(&log, 10).is_ok());
    }
    assert_eq!(written, 20);
    assert_eq!(open(Arc::new(store.crash()), None).unwrap().catch_up().unwrap().len(), 21);
}

/// Appends until it is stopped, through two handles in turn; the last sequence that was acknowledged.
fn workload(store: &FaultyStore, appends: usize) -> u64 {
    let mut acknowledged = 0;
    let handles = [open(Arc::new(store.clone()), None), open(Arc::new(store.clone()), None)];
    let [Ok(first), Ok(second)] = handles else { return 0 };
    for n in 0..appends {
        let log = if n % 3 == 2 { &second } else { &first };
        match append(log, (n * 97) % 1_100) {
            Ok(appended) => acknowledged = appended.sequence.0,
            Err(_) => return acknowledged,
        }
    }
    acknowledged
}

/// Opens what a crash left: nothing acknowledged is lost, the chain is whole, and the next append works.
fn check(store: FaultyStore, acknowledged: u64, replay: &str) -> FaultyStore {
    let log = open(Arc::new(store.clone()), None).unwrap_or_else(|error| panic!("{error}: {replay}"));
    let records = log.catch_up().unwrap_or_else(|error| panic!("{error}: {replay}"));
    let health = log.health().unwrap();
    assert_eq!(health.damage, None, "{replay}");
    assert_eq!(sequences(&records), (1..=records.len() as u64).collect::<Vec<_>>(), "{replay}");
    assert!(records.len() as u64 >= acknowledged, "{acknowledged} were acknowledged: {replay}");
    for record in &records {
        assert_eq!(record.transactions[0].tx_id.0, record.sequence.0, "{replay}");
    }
    let appended = append(&log, 200).unwrap_or_else(|error| panic!("{error}: {replay}"));
    assert_eq!(appended.sequence.0, records.len() as u64 + 1, "{replay}");
    assert_eq!(all(&log).len(), records.len() + 1, "{replay}");
    store
}

#[test]
fn stopped_after_every_operation_nothing_acknowledged_is_lost() {
    const APPENDS: usize = 25;
    let calm = FaultyStore::new(0);
    workload(&calm, APPENDS);
    for seed in 0..12 {
        for stop in 0..calm.operations() {
            let store = FaultyStore::new(seed);
            store.inject(stop, Fault::Stop);
            let acknowledged = workload(&store, APPENDS);
            assert!(store.is_stopped());
            let replay = format!("seed {seed}, stopped at operation {stop}");
            let once = check(store.crash(), acknowledged, &replay);
            check(once.crash(), acknowledged + 1, &format!("{replay}, then lost power again"));
            let killed = store.kill();
            let sequence = workload_after_kill(&killed, acknowledged, &replay);
            check(killed.crash(), sequence, &format!("{replay}, killed, then lost power"));
        }
    }
}

/// After the death of one process, others go on without a power loss.
fn workload_after_kill(store: &FaultyStore, acknowledged: u64, replay: &str) -> u64 {
    check(store.clone(), acknowledged, replay);
    let log = open(Arc::new(store.clone()), None).unwrap();
    append(&log, 30).unwrap().sequence.0
}

#[test]
fn failing_at_every_operation_loses_nothing_acknowledged() {
    const APPENDS: usize = 12;
    let calm = FaultyStore::new(0);
    workload(&calm, APPENDS);
    for seed in 0..6 {
        for operation in 0..calm.operations() {
            for fault in [Fault::Fail, Fault::OutOfSpace, Fault::AlreadyThere] {
                let store = FaultyStore::new(seed);
                store.inject(operation, fault);
                let acknowledged = workload(&store, APPENDS);
                let replay = format!("seed {seed}, {fault:?} at operation {operation}");
                check(store.crash(), acknowledged, &replay);
                let killed = check(store.kill(), acknowledged, &replay);
                check(killed.crash(), acknowledged + 1, &format!("{replay}, killed, then lost power"));
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let run = |seed| {
        let store = FaultyStore::new(seed);
        store.inject(41, Fault::Stop);
        workload(&store, 25);
        let after = store.crash();
        check(after.clone(), 0, "a run");
        (store.trace(), after.trace())
    };
    assert_eq!(run(5), run(5));
    assert_eq!(run(5).0.len(), 42);
}

proptest! {
    #[test]
    fn whatever_is_written_over_a_log_what_is_read_was_appended(
        at in 0..SMALL_FILE_BYTES as usize, garbage in proptest::collection::vec(any::<u8>(), 1..400), begin_as_a_record: bool
    ) {
        let store = memory();
        let log = open(store.clone(), None).unwrap();
        (0..3).for_each(|n| _ = append(&log, 100 * n).unwrap());
        let (records, mut bytes) = (all(&log), first_file(&store));
        let mut garbage = garbage;
        if begin_as_a_record && garbage.len() > 8 {
            garbage[..4].copy_from_slice(b"ARML");
            garbage[6..8].fill(0);
        }
        let length = garbage.len().min(bytes.len() - at);
        bytes[at..at + length].copy_from_slice(&garbage[..length]);
        let (read, _) = recover(&bytes);
        prop_assert!(records.starts_with(&read));
        prop_assert!(read.len() >= records.iter().filter(|record| record.behind().offset as usize <= at).count());
    }
}
