//! The index against a plain map, how much a lookup reads, damage, and the bytes of checkpoints.

mod handles;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::block::{self, Layout};
use super::checkpoint::Checkpoint;
use super::checkpointing::CHECKPOINTS_KEPT;
use super::index::Index;
use super::key::{self, Key, TransactionPlace, Value};
use super::run::{Run, RunInfo};
use super::state::State;
use super::*;
use crate::error::Error;
use crate::format::{BranchId, BranchName, Repository, Sequence, TableKey, TransactionKind, Version};
use crate::log::RecordLocation;
use crate::store::{Fault, FaultyStore, MemoryStore, SeededRandomness};

const BRANCHES: u64 = 3;
const TABLES: u64 = 20;

/// An index that moves on as a catalog's does, and all that was put into it.
struct Twins {
    store: Arc<dyn Store>,
    index: Index,
    /// What a handle has that never flushes, and takes runs over now and then.
    follower: Index,
    thought: BTreeMap<Key, Value>,
    versions: BTreeMap<u64, u64>,
    last_tx: TxId,
    dice: SeededRandomness,
}

impl Twins {
    fn new(seed: u64) -> Twins {
        Twins {
            store: Arc::new(MemoryStore::new()),
            index: Index::default(),
            follower: Index::default(),
            thought: BTreeMap::new(),
            versions: BTreeMap::new(),
            last_tx: TxId(0),
            dice: SeededRandomness::new(seed),
        }
    }

    /// A transaction that writes one table on one branch. Few tables have many versions.
    fn step(&mut self) {
        self.last_tx = self.last_tx.next();
        let (tx_id, branch) = (self.last_tx, BranchId(self.dice.below(BRANCHES)));
        let table = self.dice.below(TABLES).min(self.dice.below(TABLES));
        let version = self.versions.entry(table).or_default();
        *version += 1;
        let (table, version) = (table_key(table), Version(*version));
        let location = RecordLocation { file: Sequence(1), offset: tx_id.0 * 200, bytes: 200 };
        let place = TransactionPlace { record: location, index: 0 };
        self.insert(key::transaction_key(tx_id), key::transaction_value(place, tx_id.0.cast_signed()));
        self.insert(key::version_key(table, version), key::version_value(tx_id, Some(place)));
        self.insert(key::state_key(branch, table, tx_id), key::state_value(version, false));
        self.insert(key::branch_key(branch, tx_id), [0; key::WIDTH]);
    }

    fn insert(&mut self, key: Key, value: Value) {
        self.index.insert(key, value);
        self.follower.insert(key, value);
        assert_eq!(self.thought.insert(key, value), None);
    }

    fn flush(&mut self) {
        let blocks = BlockCache::new();
        self.index = self.index.flushed(&self.store, &blocks, Sequence(self.last_tx.0), self.last_tx).unwrap();
    }

    /// The same index as a process that opens it now has it: nothing is in memory.
    fn reopened(&self) -> (Index, Arc<BlockCache>) {
        let blocks = BlockCache::new();
        (Index::open(&self.store, &blocks, self.index.runs()), blocks)
    }

    fn check_all(&self) {
        let random_tx = || TxId(self.dice.below(self.last_tx.0 + 2));
        for key in self.thought.keys() {
            assert_eq!(self.index.get(key).unwrap(), self.thought.get(key).copied());
        }
        for table in (0..=TABLES).map(table_key) {
            for number in [0, 1, self.dice.below(self.last_tx.0 + 2), u64::MAX] {
                let key = key::version_key(table, Version(number));
                assert_eq!(self.index.get(&key).unwrap(), self.thought.get(&key).copied());
            }
            let versions = |number| key::version_key(table, Version(number));
            self.check_between(&versions(0), &versions(u64::MAX));
            for branch in (0..=BRANCHES).map(BranchId) {
                let (from, to) = (random_tx(), random_tx());
                let state = |tx_id| key::state_key(branch, table, tx_id);
                self.check_between(&state(TxId(0)), &state(to));
                self.check_between(&state(from.min(to)), &state(from.max(to)));
                self.check_between(&key::branch_key(branch, from.min(to)), &key::branch_key(branch, from.max(to)));
            }
        }
        let states = |table, tx_id| key::state_key(BranchId(1), TableKey::from_bytes([table; 16]), tx_id);
        let (first, last) = (states(0, TxId(0)), states(0xff, TxId(u64::MAX)));
        self.check_range(&first, &last);
        self.check_newest(&first, &last, TxId(u64::MAX));
        self.check_newest(&first, &last, random_tx());
    }

    fn check_between(&self, low: &Key, high: &Key) {
        let last = self.thought.range(*low..=*high).next_back().map(|(key, value)| (*key, *value));
        assert_eq!(self.index.last_in(low, high).unwrap(), last);
        self.check_range(low, high);
    }

    fn check_newest(&self, low: &Key, high: &Key, until: TxId) {
        let entries = self.thought.range(*low..=*high).map(|(key, value)| (*key, *value));
        let mut newest = BTreeMap::new();
        for (key, value) in entries.filter(|(key, _)| *key <= key::counted(key, until.0)) {
            newest.insert(key::counted(&key, 0), (key, value));
        }
        let found = self.index.newest_of_each(low, high, until).unwrap();
        assert_eq!(found, newest.into_values().collect::<Vec<_>>());
    }

    fn check_range(&self, low: &Key, high: &Key) {
        let range: Vec<_> = self.thought.range(*low..=*high).map(|(key, value)| (*key, *value)).collect();
        assert_eq!(self.index.range(low, high).unwrap(), range);
    }
}

fn table_key(number: u64) -> TableKey {
    TableKey::of(&number.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn an_index_in_runs_answers_as_a_plain_map(seed: u64, flushes in prop::collection::vec(1..120_u32, 1..12)) {
        let mut twins = Twins::new(seed);
        for steps in flushes {
            (0..steps).for_each(|_| twins.step());
            if twins.dice.below(4) > 0 {
                twins.flush();
            }
            if twins.dice.below(3) == 0 {
                twins.flush();
                twins.index = twins.reopened().0;
                twins.follower = twins.follower.on_runs_of(&twins.index);
                prop_assert_eq!(twins.follower.recent_len(), 0);
            }
        }
        twins.check_all();
        twins.index = twins.follower.clone();
        twins.check_all();
    }
}

/// 42,000 entries in three runs; the first has more than one fence block leads to.
fn many() -> Twins {
    let mut twins = Twins::new(3);
    for _ in 0..42 {
        (0..250).for_each(|_| twins.step());
        twins.flush();
    }
    let lengths: Vec<_> = twins.index.runs().iter().map(|run| run.entries).collect();
    assert!(lengths.len() >= 3 && lengths[0] > 20_000 && lengths.is_sorted_by(|a, b| *a >= 2 * b), "{lengths:?}");
    twins
}

#[test]
fn a_lookup_reads_two_blocks_of_a_run() {
    let twins = many();
    twins.check_all();
    let runs = twins.index.runs().len();
    for tx_id in [1, 5_000, 8_000, 8_001, 10_000, 10_001, 10_500].map(TxId) {
        let (index, blocks) = twins.reopened();
        assert!(index.get(&key::transaction_key(tx_id)).unwrap().is_some());
        assert_eq!(blocks.len(), 2, "transaction {tx_id}");
    }
    for version in [1, 100, 500] {
        let (index, blocks) = twins.reopened();
        assert!(index.get(&key::version_key(table_key(0), Version(version))).unwrap().is_some());
        assert!(blocks.len() <= 2 * runs, "version {version}: {} blocks", blocks.len());
        if version == 1 {
            assert_eq!(blocks.len(), 2, "the oldest run is asked first");
        }
    }
    let (index, blocks) = twins.reopened();
    let (first, head) = (key::branch_key(BranchId(0), TxId(0)), key::branch_key(BranchId(0), twins.last_tx));
    assert!(index.last_in(&first, &head).unwrap().is_some());
    assert_eq!(blocks.len(), 2, "the newest run is asked first");
}

#[test]
fn merging_leaves_the_memory_to_those_who_look_things_up() {
    let mut twins = many();
    let (index, blocks) = twins.reopened();
    twins.index = index;
    (0..20_000).for_each(|_| twins.step());
    let merged = twins.index.flushed(&twins.store, &blocks, Sequence(99), twins.last_tx).unwrap();
    assert_eq!((merged.runs().len(), blocks.len()), (1, 0));
}

#[test]
fn every_flipped_byte_of_a_run_is_told() {
    let mut twins = Twins::new(5);
    (0..40).for_each(|_| twins.step());
    twins.flush();
    let path = twins.store.list("index").unwrap().remove(0).path;
    let whole = twins.store.get(&path).unwrap().unwrap();
    let look_all_up = |index: &Index| twins.thought.keys().try_for_each(|key| index.get(key).map(|_| ()));
    for at in 0..whole.len() {
        let mut flipped = whole.to_vec();
        flipped[at] ^= 1;
        replace(&*twins.store, &path, &flipped);
        let (index, blocks) = twins.reopened();
        assert!(matches!(look_all_up(&index), Err(Error::LogCorrupt { .. })), "byte {at}");
        assert!(blocks.is_damaged(), "byte {at}");
    }
    for length in 0..whole.len() {
        replace(&*twins.store, &path, &whole[..length]);
        let (index, blocks) = twins.reopened();
        assert!(look_all_up(&index).is_err() && blocks.is_damaged(), "cut to {length}");
        let (mut index, blocks) = twins.reopened();
        (0..100).for_each(|n| index.insert(key::branch_key(BranchId(9), TxId(n)), [0; key::WIDTH]));
        let merged = index.flushed(&twins.store, &blocks, Sequence(99), TxId(99));
        assert!(merged.is_err() && blocks.is_damaged(), "merged after it was cut to {length}");
    }
}

fn replace(store: &dyn Store, path: &str, bytes: &[u8]) {
    store.delete(path).unwrap();
    store.create(path, bytes).unwrap();
}

#[test]
fn a_run_that_does_not_fit_its_checkpoint_is_told() {
    let mut twins = Twins::new(5);
    (0..40).for_each(|_| twins.step());
    twins.flush();
    let [info] = twins.index.runs().try_into().unwrap();
    let wrong = RunInfo { fences: vec![0; key::WIDTH].into(), ..info.clone() };
    assert!(wrong.is_sound());
    let blocks = BlockCache::new();
    let run = Run::open(twins.store.clone(), blocks.clone(), TxId(1), wrong);
    assert!(run.last_up_to(&[0; key::WIDTH]).is_err() && blocks.is_damaged());
    let more = RunInfo { entries: info.entries + 1, ..info };
    let run = Run::open(twins.store.clone(), BlockCache::new(), TxId(1), more);
    assert!(run.all(&mut Vec::new()).is_err());
}

#[test]
fn the_bytes_of_a_run_never_change() {
    let entries: Vec<(Key, Value)> =
        (0..20_000_u64).map(|n| (key::transaction_key(TxId(n)), key::version_value(TxId(n), None))).collect();
    let (one, fences) = block::encode(&entries[7..8]);
    assert_eq!(one.len(), 64 + 32 + 32 + 32);
    assert_eq!((&one[..32], &one[96..128], &fences[..]), (&entries[7].0[..], &entries[7].0[..], &entries[7].0[..]));
    let numbered = |items: &[u8], number: u64| blake3::hash(&[items, &number.to_le_bytes()].concat());
    assert_eq!(one[64..96], numbered(&one[..64], 0).as_bytes()[..]);
    assert_eq!(one[128..], numbered(&one[96..128], 1).as_bytes()[..]);
    let (file, fences) = block::encode(&entries);
    assert_eq!((file.len(), fences.len()), (20_000 * 64 + 313 * 32 + 313 * 32 + 2 * 32, 2 * 32));
    assert_eq!(Layout { entries: 20_000 }.range(314).end, file.len() as u64);
    assert_eq!(fences[32..], entries[256 * 64].0);
    assert_eq!(
        crate::format::NodeHash::of(&file).to_hex(),
        "ee1f09ca1303339eab35129c4559ba255d242d1871a9d580333248cc40034fc7"
    );
}

#[test]
fn a_checkpoint_that_is_not_understood_is_passed_over() {
    let mut twins = Twins::new(5);
    for _ in 0..3 {
        (0..40).for_each(|_| twins.step());
        twins.flush();
        (0..10).for_each(|_| twins.step());
        twins.flush();
    }
    let chain_start = RecordHash::of(b"a log");
    let mut state = State::empty(LogPosition::start(chain_start));
    (state.index, state.last_tx) = (twins.index.clone(), twins.last_tx);
    let decoded = |change: &dyn Fn(&mut ciborium::Value)| {
        let mut value = ciborium::from_reader(&Checkpoint::of(&state, chain_start).encode().unwrap()[..]).unwrap();
        change(&mut value);
        let mut bytes = Vec::new();
        ciborium::into_writer(&value, &mut bytes).unwrap();
        Checkpoint::decode(&bytes)
    };
    let whole = decoded(&|_| ()).unwrap();
    assert_eq!((whole.chain_start, whole.position), (chain_start, state.position));
    assert!(decoded(&|value| *field(value, "layout") = 2.into()).is_none());
    assert!(decoded(&|value| *field(value, "last_tx") = 149.into()).is_none());
    assert!(decoded(&|value| runs(value).reverse()).is_none());
    assert!(decoded(&|value| drop(runs(value).pop())).is_none());
    assert!(decoded(&|value| *field(&mut runs(value)[0], "entries") = 0.into()).is_none());
    assert!(decoded(&|value| *field(&mut runs(value)[0], "entries") = u64::MAX.into()).is_none());
    assert!(decoded(&|value| *field(&mut runs(value)[0], "fences") = vec![0_u8; 33].into()).is_none());
}

fn field<'a>(value: &'a mut ciborium::Value, name: &str) -> &'a mut ciborium::Value {
    let fields = value.as_map_mut().unwrap();
    &mut fields.iter_mut().find(|(key, _)| key.as_text() == Some(name)).unwrap().1
}

fn runs(value: &mut ciborium::Value) -> &mut Vec<ciborium::Value> {
    field(value, "runs").as_array_mut().unwrap()
}

/// The committed repository has a checkpoint of layout 1, which is passed over; `checkpoint-layout-3` is what is derived
/// from its log today. If that changes on purpose, the layout gets another number and the folder another name.
#[test]
fn the_fixture_gives_the_checkpoint_that_is_committed() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance-tests/fixtures");
    let store = Arc::new(MemoryStore::new());
    for file in files(&fixtures.join("repository-v1")) {
        let bytes = std::fs::read(fixtures.join("repository-v1").join(&file)).unwrap();
        if file.starts_with("log/") {
            store.allocate(&file, bytes.len() as u64).unwrap();
            store.open_file(&file).unwrap().unwrap().write_at(0, &bytes).unwrap();
        } else {
            store.create(&file, &bytes).unwrap();
        }
    }
    let identity = Repository::decode(&store.get("repo.json").unwrap().unwrap()).unwrap();
    let chain_start = identity.chain_start().unwrap();
    let open = || Catalog::open(store.clone(), Environment::seeded(1), chain_start, Access::ReadWrite).unwrap();
    let catalog = open();
    assert_eq!(catalog.uncheckpointed_records.load(Ordering::Relaxed), 319, "the whole log was read");
    catalog.checkpoint().unwrap();
    let committed = fixtures.join("checkpoint-layout-3");
    let derived: Vec<_> = ["index", "snapshots"].iter().flat_map(|folder| store.list(folder).unwrap()).collect();
    let derived: Vec<_> =
        derived.into_iter().map(|listed| listed.path).filter(|path| path.contains("/0000000000000000031")).collect();
    let now = tempfile::tempdir().unwrap().keep();
    for path in &derived {
        std::fs::create_dir_all(now.join(path).parent().unwrap()).unwrap();
        std::fs::write(now.join(path), store.get(path).unwrap().unwrap()).unwrap();
    }
    let read = |folder: &Path| {
        files(folder).into_iter().map(|file| (std::fs::read(folder.join(&file)).unwrap(), file)).collect::<Vec<_>>()
    };
    assert!(read(&committed) == read(&now), "{committed:?} is not what is derived today: {now:?}");
    std::fs::remove_dir_all(now).unwrap();
    assert_eq!(open().uncheckpointed_records.load(Ordering::Relaxed), 0, "the checkpoint was used");
}

fn commit_nothing(catalog: &Catalog) -> TxId {
    let propose = |view: &View| {
        let head = view.head(&BranchName::main())?;
        Ok(Some(Draft {
            branch: head.branch,
            branch_id: Some(head.branch_id),
            parents: vec![head.tx_id],
            author: None,
            message: None,
            kind: TransactionKind::Refs,
            tables: Vec::new(),
            refs: Vec::new(),
            reads: Vec::new(),
        }))
    };
    catalog.commit(100, Box::new(propose)).unwrap().unwrap().tx_id
}

#[test]
fn a_view_that_is_held_answers_though_its_index_files_were_swept() {
    let directory = tempfile::tempdir().unwrap();
    let open = || {
        let store = Arc::new(crate::store::LocalStore::open(directory.path(), Access::ReadWrite).unwrap());
        Catalog::open(store, Environment::seeded(5), RecordHash::of(b"a repository"), Access::ReadWrite).unwrap()
    };
    let writer = open();
    for _ in 0..20 {
        commit_nothing(&writer);
    }
    writer.checkpoint().unwrap();
    let reader = open();
    let held = reader.view().unwrap();
    let index_files = || files(&directory.path().join("index")).into_iter().collect::<BTreeSet<_>>();
    let of_held = index_files();
    assert!(!of_held.is_empty());

    for _ in 0..2 * CHECKPOINTS_KEPT {
        commit_nothing(&writer);
        writer.checkpoint().unwrap();
    }
    let last = commit_nothing(&writer);
    assert!(of_held.is_disjoint(&index_files()), "the sweep left files that the view uses");
    for tx_id in (1..=20).map(TxId) {
        assert_eq!(held.transaction(tx_id).unwrap().tx_id, tx_id);
    }
    assert_eq!(held.last_tx(), TxId(20));
    let now = reader.view().unwrap();
    assert_eq!((now.last_tx(), now.transaction(last).unwrap().parents.clone()), (last, vec![TxId(last.0 - 1)]));
    assert!(!reader.blocks.is_damaged(), "nothing had to be made anew");
}

/// The files below a directory by their relative paths, sorted.
fn files(directory: &Path) -> Vec<String> {
    let store = crate::store::LocalStore::open(directory, Access::ReadOnly).unwrap();
    store.list("").unwrap().into_iter().map(|listed| listed.path).collect()
}

/// 600 commits, with a fault that is planned before the one that makes the first checkpoint due: how many runs and how
/// many checkpoints were begun, and how many records the next opening reads.
fn checkpoints_after(fault: &dyn Fn(&FaultyStore)) -> ([usize; 2], u64) {
    let store = FaultyStore::new(1);
    let open = || {
        let (store, chain_start) = (Arc::new(store.clone()), RecordHash::of(b"a log"));
        Catalog::open(store, Environment::seeded(1), chain_start, Access::ReadWrite).unwrap()
    };
    let catalog = open();
    for n in 0..600 {
        if n == 255 {
            fault(&store);
        }
        commit_nothing(&catalog);
    }
    for tx_id in (1..=600).map(TxId) {
        assert_eq!(catalog.view().unwrap().transaction(tx_id).unwrap().tx_id, tx_id);
    }
    let trace = store.trace();
    let written = |directory| trace.iter().filter(|line| line.contains(&format!("create {directory}/"))).count();
    (["index", "snapshots"].map(written), open().uncheckpointed_records.load(Ordering::Relaxed))
}

#[test]
fn a_checkpoint_that_fails_is_tried_again_only_after_as_many_records() {
    assert_eq!(checkpoints_after(&|_| ()), ([2, 2], 600 - 512));
    // What a commit takes: lock, write, sync, the note. Then come the run and its sync, the checkpoint and its sync.
    let full_at = |number| move |store: &FaultyStore| store.inject(store.operations() + number, Fault::OutOfSpace);
    assert_eq!(checkpoints_after(&full_at(4)), ([2, 1], 600 - 512), "no run");
    assert_eq!(checkpoints_after(&full_at(6)), ([2, 2], 600 - 512), "a run, and no checkpoint that names it");
}

#[cfg(unix)]
#[test]
fn what_is_derived_and_cannot_be_read_is_passed_over() {
    for folder in ["snapshots", "index"] {
        let directory = tempfile::tempdir().unwrap();
        let open = || {
            let store = Arc::new(crate::store::LocalStore::open(directory.path(), Access::ReadWrite).unwrap());
            Catalog::open(store, Environment::seeded(1), RecordHash::of(b"a log"), Access::ReadWrite).unwrap()
        };
        let catalog = open();
        (0..260).for_each(|_| _ = commit_nothing(&catalog));
        let files = files(&directory.path().join(folder));
        assert_eq!((files.len(), open().uncheckpointed_records.load(Ordering::Relaxed)), (1, 4));
        // Every look at a link to itself is an error, and none that says that there is nothing.
        let file = directory.path().join(folder).join(&files[0]);
        std::fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink(&file, &file).unwrap();
        assert!(std::fs::read(&file).is_err_and(|error| error.kind() != std::io::ErrorKind::NotFound));
        let again = open();
        assert_eq!(again.uncheckpointed_records.load(Ordering::Relaxed), 260, "the whole log was read");
        assert_eq!(commit_nothing(&again), TxId(261));
        assert_eq!(again.view().unwrap().transaction(TxId(7)).unwrap().tx_id, TxId(7));
    }
}
