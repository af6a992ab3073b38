//! Files of every kind, flipped, cut short and taken away: what is read is either right or an error with its code, and
//! where the file can be made again from others, nothing is missed.

mod derived;

use std::sync::Arc;

use armillaria::store::{MemoryStore, Store};
use armillaria::{At, Code, Database, Error, Isolation, OpenOptions, Result, VerifyOptions};

use crate::script::{Op, Rows, Spot, TABLES, Twins};
use crate::support::{World, bulky_rows, put, read};
use crate::{sweep, workload};

/// What is done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Damage {
    /// One bit is flipped, so many thousandths into the file.
    Flip(usize),
    /// It is cut to so many thousandths of what is written in it.
    Cut(usize),
    Gone,
}

const DAMAGES: [Damage; 9] = [
    Damage::Flip(0),
    Damage::Flip(2),
    Damage::Flip(333),
    Damage::Flip(700),
    Damage::Flip(999),
    Damage::Cut(0),
    Damage::Cut(500),
    Damage::Cut(990),
    Damage::Gone,
];

/// A repository with files of every kind: several log files, chunks, checkpoints with index files, quarantine.
struct Repository {
    world: World,
    twins: Twins,
    store: Arc<MemoryStore>,
}

fn repository() -> Repository {
    let (world, store) = (World::new(11), Arc::new(MemoryStore::new()));
    let mut twins = Twins::open(world.clone(), store.clone()).unwrap();
    let mut ops = workload::checkpoints();
    ops.extend([
        Op::Write { table: "alpha", on: None, rows: Rows::append(5, 0).bulky() },
        Op::Branch { name: "dev", from: Spot::Head },
        Op::Begin { slot: 0, on: Some("dev"), isolation: Isolation::Snapshot },
        Op::TxWrite { slot: 0, table: TABLES[1], rows: Rows::overwrite(9, 0).bulky() },
        Op::TxCommit { slot: 0 },
        workload::append("alpha", 77),
    ]);
    ops.iter().for_each(|op| twins.step(op).map_err(|(error, _)| error).unwrap());
    Repository { world, twins, store }
}

impl Repository {
    /// The paths of one kind of file.
    fn paths(&self, prefix: &str) -> Vec<String> {
        let listed = self.store.list("").unwrap().into_iter().map(|listed| listed.path);
        listed.filter(|path| path.starts_with(prefix) && !path.ends_with("lock")).collect()
    }

    /// A copy of the store with one file damaged.
    fn damaged(&self, path: &str, damage: Damage) -> Arc<MemoryStore> {
        let copy = Arc::new(MemoryStore::new());
        for listed in self.store.list("").unwrap() {
            let mut bytes = self.store.get(&listed.path).unwrap().unwrap().to_vec();
            if listed.path == path {
                match damage {
                    Damage::Gone => continue,
                    Damage::Cut(part) => bytes.truncate(written(&bytes) * part / 1000),
                    Damage::Flip(part) => flip(&mut bytes, part),
                }
            }
            put(&copy, &listed.path, &bytes);
        }
        copy
    }

    fn open(&self, store: Arc<MemoryStore>) -> Result<Database> {
        self.world.open(store)
    }

    fn open_to_read(&self, store: Arc<MemoryStore>) -> Result<Database> {
        Database::open_store(store, "test", OpenOptions { read_only: true, ..self.world.options() })
    }
}

fn flip(bytes: &mut [u8], part: usize) {
    let at = written(bytes) * part / 1000;
    bytes[at] ^= 0x10;
}

/// A log file ends with zeros that mean nothing.
fn written(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).map_or(bytes.len(), |last| last + 1)
}

/// Every kind of damage to every one of these files, and what to call it.
fn each_damage(paths: &[String]) -> impl Iterator<Item = (&str, Damage, String)> {
    paths.iter().flat_map(|path| DAMAGES.map(|damage| (path.as_str(), damage, format!("{path} {damage:?}"))))
}

/// Reads everything; each answer is right, or an error of integrity. Says whether all were right.
fn all_right_or_told(repository: &Repository, db: &Database, context: &str) -> bool {
    let mut whole = true;
    for (table, versions) in &repository.twins.thought.model.versions {
        for (number, version) in (1..).zip(versions) {
            match read(db, table, &At::version(table, number)) {
                Ok(rows) => assert_eq!(rows, *version.content.rows, "{context}: {table} version {number}"),
                Err(error) => {
                    whole = false;
                    let code = error.code();
                    // The log may have been cut: a later version is then unknown to it.
                    let fine = [
                        Code::HashMismatch,
                        Code::LogCorrupt,
                        Code::ChunkNotFound,
                        Code::VersionNotFound,
                        Code::TableNotFound,
                    ];
                    assert!(fine.contains(&code), "{context}: {table} version {number}: {code}: {error}");
                }
            }
        }
    }
    whole
}

#[test]
fn a_damaged_chunk_is_named_and_touches_nothing_else() {
    let repository = repository();
    let chunks = repository.paths("chunks/");
    assert!(chunks.len() >= 2, "{chunks:?}");
    for path in &chunks {
        let hash = path.rsplit('/').next().unwrap().trim_end_matches(".parquet");
        for damage in DAMAGES {
            let context = format!("{path} {damage:?}");
            let db = repository.open(repository.damaged(path, damage)).unwrap();
            let report = db.verify(&VerifyOptions { deep: true, progress: None }).unwrap();
            assert!(!report.ok, "{context}");
            let [problem] = report.problems.as_slice() else { panic!("{context}: {:?}", report.problems) };
            assert!(problem.object.contains(hash), "{context}: {problem:?}");
            assert!(!problem.affects.is_empty(), "{context}: {problem:?}");
            let code = if damage == Damage::Gone { Code::ChunkNotFound } else { Code::HashMismatch };
            assert_eq!(problem.code, code.name(), "{context}");
            for (table, number) in &problem.affects {
                let outcome = read(&db, table, &At::version(table, *number));
                assert_eq!(outcome.map_err(|error| error.code()), Err(code), "{context}: {table} {number}");
            }
            check_others(&repository, &db, &problem.affects, &context);
        }
    }
}

fn check_others(repository: &Repository, db: &Database, affected: &[(String, u64)], context: &str) {
    for (table, versions) in &repository.twins.thought.model.versions {
        for (number, version) in (1..).zip(versions) {
            if !affected.contains(&(table.clone(), number)) {
                let rows = read(db, table, &At::version(table, number)).unwrap();
                assert_eq!(rows, *version.content.rows, "{context}: {table} {number}");
            }
        }
    }
}

#[test]
fn a_log_without_its_identity_is_not_taken_for_a_new_repository() {
    let store = Arc::new(MemoryStore::new());
    let world = World::new(13);
    let db = world.open(store.clone()).unwrap();
    db.create_tag("v1", &At::head()).unwrap();
    drop(db);
    let identity = store.get("repo.json").unwrap().unwrap();
    store.delete("repo.json").unwrap();
    assert_eq!(world.open(store.clone()).unwrap_err().code(), Code::RepositoryNotFound);
    store.create("repo.json", &identity).unwrap();
    assert_eq!(world.open(store).unwrap().list_tags().unwrap().len(), 1, "brought back from a copy, it opens again");
}

#[test]
fn without_any_derived_file_everything_is_there() {
    let repository = repository();
    let store = repository.damaged("", Damage::Gone);
    let derived = [repository.paths("snapshots/"), repository.paths("index/"), vec!["log/lock".to_string()]].concat();
    derived.iter().for_each(|path| store.delete(path).unwrap());
    let db = repository.open(store).unwrap();
    sweep::check_state(&db, &repository.twins.thought.model);
}

#[test]
fn a_damaged_log_is_told_and_never_misread() {
    let repository = repository();
    let files = repository.paths("log/");
    assert!(files.len() >= 2, "{files:?}");
    for (path, damage, context) in each_damage(&files) {
        check_damaged_log(&repository, path, damage, &context);
    }
}

fn check_damaged_log(repository: &Repository, path: &str, damage: Damage, context: &str) {
    let is_last = *path == *repository.paths("log/").last().unwrap();
    let store = repository.damaged(path, damage);
    let db = match repository.open(store.clone()) {
        Ok(db) => db,
        Err(error) => return assert_eq!(error.code(), Code::LogCorrupt, "{context}: {error}"),
    };
    let whole = all_right_or_told(repository, &db, context);
    let lost = db.latest_tx_id().unwrap() < repository.twins.thought.model.latest();
    let report = db.verify(&VerifyOptions { deep: true, progress: None }).unwrap();
    if !is_last {
        assert!(!report.ok, "{context}: verify finds nothing");
        assert!(report.problems.iter().any(|problem| problem.code == "LOG_CORRUPT"), "{context}: {report:?}");
    }
    if lost || !whole {
        assert!(!report.ok || !report.notes.is_empty() || is_last, "{context}: lost without a word");
    }
    drop(db);
    // What stood in the log is never written over, whatever is tried.
    if !is_last && damage != Damage::Gone {
        let before = store.get(path).unwrap();
        let written = repository.open(store.clone()).and_then(|db| db.create_tag("more", &At::head()).map(|_| ()));
        assert_eq!(store.get(path).unwrap(), before, "{context}: {written:?}");
    }
}

#[test]
fn a_torn_tail_is_the_end_of_the_log() {
    let repository = repository();
    let path = repository.paths("log/").pop().unwrap();
    let bytes = repository.store.get(&path).unwrap().unwrap();
    for missing in [1, 30, 100] {
        let mut torn = bytes.to_vec();
        torn[written(&bytes) - missing..].fill(0);
        let store = repository.damaged(&path, Damage::Gone);
        put(&store, &path, &torn);
        // Without what tells that it was durable once.
        put(&store, "log/lock", &[0; 40]);
        let db = repository.open(store.clone()).unwrap();
        let latest = repository.twins.thought.model.latest() - 1;
        assert_eq!(db.latest_tx_id().unwrap(), latest, "the last commit was cut off by {missing} bytes");
        let report = db.verify(&VerifyOptions { deep: true, progress: None }).unwrap();
        assert!(report.ok && !report.notes.is_empty(), "{report:?}");
        db.create_tag("next", &At::head()).unwrap();
        assert_eq!(repository.open(store.clone()).unwrap().latest_tx_id().unwrap(), latest + 1);
        assert_eq!(store.list("quarantine").unwrap().len(), 1, "what was torn is kept");
    }
}

#[test]
fn damage_of_the_newest_commit_is_not_taken_for_a_torn_write() {
    let repository = repository();
    let path = repository.paths("log/").pop().unwrap();
    let bytes = repository.store.get(&path).unwrap().unwrap();
    let end = written(&bytes);
    // In the payload, in the trailer, and the length of the record, which the search for its trailer does without.
    for at in [end - 60, end - 5, bytes[..end].windows(4).rposition(|part| part == b"ARML").unwrap() + 5] {
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 4;
        let store = repository.damaged(&path, Damage::Gone);
        put(&store, &path, &flipped);
        let db = repository.open(store.clone()).unwrap();
        assert_eq!(db.latest_tx_id().unwrap(), repository.twins.thought.model.latest() - 1);
        let report = db.verify(&VerifyOptions { deep: true, progress: None }).unwrap();
        assert!(report.problems.iter().any(|problem| problem.code == "LOG_CORRUPT"), "{report:?}");
        assert_eq!(db.create_tag("next", &At::head()).unwrap_err().code(), Code::LogCorrupt);
        assert_eq!(store.get(&path).unwrap().unwrap(), flipped, "nothing is written over it");
    }
}

#[test]
fn writing_good_rows_again_repairs_a_chunk_that_is_damaged_or_gone() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Database::open(folder.path(), OpenOptions::default()).unwrap();
    let rows = bulky_rows(0, 100_000, 5);
    let write = |db: &Database| db.write_table("t", crate::support::Shape::Narrow.stream(&rows), &Default::default());
    write(&open()).unwrap();
    let hash = open().inspect("t@1").unwrap()["chunks"][0]["chunk"].as_str().unwrap().to_string();
    let path = folder.path().join(format!("chunks/{}/{}/{hash}.parquet", &hash[..2], &hash[2..4]));
    let good = std::fs::read(&path).unwrap();
    let (mut flipped, cut) = (good.clone(), good[..good.len() / 2].to_vec());
    flipped[good.len() / 2] ^= 1;
    for damaged in [Some(flipped), Some(cut), None] {
        std::fs::remove_file(&path).unwrap();
        if let Some(bytes) = &damaged {
            std::fs::write(&path, bytes).unwrap();
        }
        let commit = write(&open()).unwrap();
        assert_eq!((commit.chunks_written, commit.chunks_reused), (1, 0));
        assert_eq!(std::fs::read(&path).unwrap(), good);
    }
    assert_eq!(write(&open()).unwrap().chunks_written, 0);
}

#[test]
fn a_damaged_identity_opens_nothing() {
    let repository = repository();
    for damage in [Damage::Cut(0), Damage::Cut(500), Damage::Flip(20), Damage::Gone] {
        let outcome = repository.open(repository.damaged("repo.json", damage));
        let code = if damage == Damage::Gone { Code::RepositoryNotFound } else { Code::LogCorrupt };
        assert_eq!(code_or_panic(outcome, damage), code, "{damage:?}");
    }
}

/// With a checkpoint, which is of the log's own identity, and without.
#[test]
fn a_log_begun_by_another_repository_opens_nothing() {
    let repository = repository();
    let checkpoints = [repository.paths("snapshots/"), Vec::new()];
    assert!(!checkpoints[0].is_empty());
    for kept in checkpoints {
        let store = repository.damaged("repo.json", Damage::Gone);
        let gone = repository.paths("snapshots/").into_iter().filter(|path| !kept.contains(path));
        gone.for_each(|path| store.delete(&path).unwrap());
        let text = String::from_utf8(repository.store.get("repo.json").unwrap().unwrap().to_vec()).unwrap();
        let at = text.find("uuid").unwrap() + 10;
        let digit = if &text[at..=at] == "0" { "1" } else { "0" };
        let other = format!("{}{digit}{}", &text[..at], &text[at + 1..]);
        store.create("repo.json", other.as_bytes()).unwrap();
        let log = store.get(&repository.paths("log/")[0]).unwrap();
        let error = repository.open(store.clone()).unwrap_err();
        assert_eq!(error.code(), Code::LogCorrupt, "{error}");
        assert!(error.to_string().contains("another uuid"), "{error}");
        assert_eq!(store.get(&repository.paths("log/")[0]).unwrap(), log, "nothing is written");
        store.delete("repo.json").unwrap();
        store.create("repo.json", text.as_bytes()).unwrap();
        let db = repository.open(store).unwrap();
        assert!(all_right_or_told(&repository, &db, "with its own identity again"));
    }
}

/// Checkpoints of another repository, copied by mistake: the log decides.
#[test]
fn checkpoints_of_another_repository_are_passed_over() {
    let repository = repository();
    let other = World::new(17);
    let store = Arc::new(MemoryStore::new());
    let mut twins = Twins::open(other, store.clone()).unwrap();
    workload::checkpoints().iter().for_each(|op| twins.step(op).map_err(|(error, _)| error).unwrap());
    let mixed = repository.damaged("", Damage::Gone);
    repository.paths("snapshots/").iter().for_each(|path| mixed.delete(path).unwrap());
    let foreign = [store.list("snapshots").unwrap(), store.list("index").unwrap()].concat();
    assert!(foreign.len() >= 2, "{foreign:?}");
    for listed in foreign {
        mixed.create(&listed.path, &store.get(&listed.path).unwrap().unwrap()).unwrap();
    }
    let db = repository.open(mixed).unwrap();
    sweep::check_state(&db, &repository.twins.thought.model);
}

fn code_or_panic(outcome: Result<Database>, damage: Damage) -> Code {
    match outcome {
        Ok(_) => panic!("{damage:?} was not noticed"),
        Err(error) => error.code(),
    }
}

#[test]
fn a_newer_format_is_refused() {
    let repository = repository();
    let store = repository.damaged("repo.json", Damage::Gone);
    let text = String::from_utf8(repository.store.get("repo.json").unwrap().unwrap().to_vec()).unwrap();
    let newer = text.replace("\"format_version\": 1", "\"format_version\": 2");
    store.create("repo.json", newer.as_bytes()).unwrap();
    let error = repository.open(store).unwrap_err();
    assert!(matches!(error, Error::FormatUnsupported { found: 2, supported: 1, .. }), "{error}");
}

/// A manifest too large for a record stands in nodes of its own; a damaged one is told.
#[test]
fn a_damaged_node_is_told() {
    let (world, store) = (World::new(12), Arc::new(MemoryStore::new()));
    let db = world.open(store.clone()).unwrap();
    let wanted = armillaria::WriteOptions::append();
    for n in 0..60 {
        let rows = bulky_rows(n * 10_000, 70_000, n as u64);
        db.write_table("t", crate::support::Shape::Narrow.stream(&rows), &wanted).unwrap();
    }
    let expected = read(&db, "t", &At::head()).unwrap();
    let nodes: Vec<_> = store.list("meta").unwrap().into_iter().map(|listed| listed.path).collect();
    assert!(!nodes.is_empty(), "no manifest was large enough");
    let repository = Repository { twins: Twins::open(world.clone(), store.clone()).unwrap(), world, store };
    for damage in DAMAGES {
        let damaged = repository.damaged(&nodes[0], damage);
        let db = repository.open(damaged).unwrap();
        let report = db.verify(&VerifyOptions { deep: true, progress: None }).unwrap();
        assert!(!report.ok, "{damage:?}");
        let version = report.problems[0].affects[0].1;
        let code = read(&db, "t", &At::version("t", version)).unwrap_err().code();
        assert!(matches!(code, Code::HashMismatch | Code::ChunkNotFound | Code::LogCorrupt), "{damage:?}: {code}");
        if version < 59 && report.problems.iter().all(|problem| problem.affects.iter().all(|(_, v)| *v < 60)) {
            assert_eq!(read(&db, "t", &At::head()).unwrap(), expected, "{damage:?}");
        }
    }
}

#[test]
fn flipped_files_on_a_real_directory_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::open(folder.path(), OpenOptions::default()).unwrap();
    let rows = bulky_rows(0, 100_000, 5);
    db.write_table("t", crate::support::Shape::Narrow.stream(&rows), &Default::default()).unwrap();
    let hash = db.inspect("t@1").unwrap()["chunks"][0]["chunk"].as_str().unwrap().to_string();
    let path = folder.path().join(format!("chunks/{}/{}/{hash}.parquet", &hash[..2], &hash[2..4]));
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, bytes).unwrap();
    let db = Database::open(folder.path(), OpenOptions::default()).unwrap();
    let error = read(&db, "t", &At::head()).unwrap_err();
    assert_eq!(error.code(), Code::HashMismatch);
    assert!(error.to_string().contains(&hash), "{error} names the chunk");
}
