//! Copies of a repository that are made while somebody commits: as section "Copying a repository" of `docs/FORMAT.md` says they are
//! whole; in another order they may be told as damaged, and are never misread.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use armillaria::store::{MemoryStore, Store};
use armillaria::{At, Code, Database, OpenOptions, VerifyOptions, WriteOptions};

use crate::model::Model;
use crate::script::{Op, Twins};
use crate::support::{World, assert_whole, bulky_rows, narrow, put, read};
use crate::{sweep, workload};

/// A repository that somebody commits to while it is copied.
struct Busy {
    twins: Twins,
    store: Arc<MemoryStore>,
    ops: std::vec::IntoIter<Op>,
}

impl Busy {
    fn new() -> Busy {
        let store = Arc::new(MemoryStore::new());
        let twins = Twins::open(World::new(21), store.clone()).unwrap();
        let ops = [workload::checkpoints(), workload::everything()].concat().into_iter();
        Busy { twins, store, ops }
    }

    /// So many commits; when the workload is over, small ones.
    fn commit(&mut self, count: u64) {
        let last = self.model().latest() + count;
        while self.model().latest() < last {
            let op = self.ops.next().unwrap_or_else(|| workload::append("alpha", 7));
            self.twins.step(&op).map_err(|(error, _)| error).unwrap();
        }
    }

    fn model(&self) -> &Model {
        &self.twins.thought.model
    }

    /// Copies what stands below a directory now, file by file, with commits between any two of them.
    fn copy(&mut self, directory: &str, to: &MemoryStore, commits: u64) {
        for path in self.store.names(directory).unwrap() {
            if let Some(bytes) = self.store.get(&path).unwrap() {
                put(to, &path, &bytes);
            }
            self.commit(commits);
        }
    }

    /// Copies the log at one moment, without its note.
    fn copy_log_files(&self, to: &MemoryStore) {
        for path in self.store.names("log").unwrap().into_iter().filter(|path| path != "log/lock") {
            put(to, &path, &self.store.get(&path).unwrap().unwrap());
        }
    }

    fn copy_note(&self, to: &MemoryStore) {
        put(to, "log/lock", &self.store.get("log/lock").unwrap().unwrap());
    }

    /// As documented; answers with what the repository was when its log was copied.
    fn copy_in_order(&mut self, with_derived: bool) -> (Arc<MemoryStore>, Model) {
        let to = Arc::new(MemoryStore::new());
        put(&to, "repo.json", &self.store.get("repo.json").unwrap().unwrap());
        if with_derived {
            self.copy("snapshots", &to, 1);
            self.copy("index", &to, 1);
        }
        // With the lock held nobody commits.
        self.copy("log", &to, 0);
        let model = self.model().clone();
        self.commit(1);
        self.copy("chunks", &to, 1);
        self.copy("meta", &to, 1);
        (to, model)
    }
}

#[test]
fn a_copy_that_is_made_in_order_is_whole() {
    let mut busy = Busy::new();
    for (round, with_derived) in [false, true].into_iter().cycle().take(12).enumerate() {
        busy.commit(8);
        let (copy, model) = busy.copy_in_order(with_derived);
        assert!(model.latest() < busy.model().latest(), "round {round}: somebody committed meanwhile");
        let world = World::new(22 + round as u64);
        let mut twins = Twins::open(world, copy).unwrap();
        assert_whole(&twins.db);
        sweep::check_state(&twins.db, &model);
        twins.forget_open(model);
        twins.step(&workload::append("alpha", 99)).map_err(|(error, _)| error).unwrap();
        twins.step(&Op::Reopen).map_err(|(error, _)| error).unwrap();
        sweep::check_heads(&twins.db, &twins.thought.model);
    }
    assert!(!busy.store.names("snapshots").unwrap().is_empty() && busy.store.names("log").unwrap().len() > 2);
}

/// The note is copied behind the log and tells of commits that the copy has not.
#[test]
fn a_copy_whose_note_is_ahead_is_told_and_can_be_used_without_the_newest_commits() {
    let mut busy = Busy::new();
    busy.commit(20);
    let copy = Arc::new(MemoryStore::new());
    put(&copy, "repo.json", &busy.store.get("repo.json").unwrap().unwrap());
    busy.copy_log_files(&copy);
    let model = busy.model().clone();
    busy.commit(2);
    busy.copy_note(&copy);
    busy.copy("chunks", &copy, 0);
    busy.copy("meta", &copy, 0);

    let world = World::new(23);
    let db = world.open(copy.clone()).unwrap();
    sweep::check_state(&db, &model);
    let report = db.verify(&VerifyOptions::default()).unwrap();
    let [problem] = &report.problems[..] else { panic!("{report:?}") };
    assert_eq!((problem.object.as_str(), problem.code), ("the log", "LOG_CORRUPT"));
    let advice = "remove log/lock from the copy, and only there, to go on without the record";
    assert!(
        problem.message.contains("was committed here and is gone") && problem.message.contains(advice),
        "{problem:?}"
    );
    let refused = db.create_tag("next", &At::head()).unwrap_err();
    assert!(refused.code() == Code::LogCorrupt && refused.to_string().contains(advice), "{refused}");
    drop(db);

    copy.delete("log/lock").unwrap();
    let mut twins = Twins::open(world, copy).unwrap();
    assert_whole(&twins.db);
    twins.forget_open(model);
    twins.step(&workload::append("alpha", 5)).map_err(|(error, _)| error).unwrap();
    sweep::check_state(&twins.db, &twins.thought.model);
}

/// The first part of the newest log file is older than the rest, as where it is read piece by piece.
#[test]
fn a_copy_of_a_log_file_that_is_of_two_moments_is_told() {
    let mut busy = Busy::new();
    busy.commit(35);
    let newest = busy.store.names("log").unwrap().into_iter().rfind(|path| path.ends_with(".log")).unwrap();
    let before = busy.store.get(&newest).unwrap().unwrap();
    let end = before.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let copy = Arc::new(MemoryStore::new());
    put(&copy, "repo.json", &busy.store.get("repo.json").unwrap().unwrap());
    busy.copy_note(&copy);
    let model = busy.model().clone();
    for id in 0..3 {
        busy.twins.step(&workload::append("alpha", id)).map_err(|(error, _)| error).unwrap();
    }
    busy.copy_log_files(&copy);
    let mut bytes = busy.store.get(&newest).unwrap().unwrap().to_vec();
    // Somewhere in the first of the three records that came meanwhile.
    bytes[end..end + 150].fill(0);
    copy.open_file(&newest).unwrap().unwrap().write_at(0, &bytes).unwrap();
    busy.copy("chunks", &copy, 0);
    busy.copy("meta", &copy, 0);
    let db = World::new(24).open(copy.clone()).unwrap();
    sweep::check_state(&db, &model);
    let report = db.verify(&VerifyOptions::default()).unwrap();
    assert!(!report.ok && report.problems.iter().all(|problem| problem.code == "LOG_CORRUPT"), "{report:?}");
    assert_eq!(db.create_tag("next", &At::head()).unwrap_err().code(), Code::LogCorrupt);
}

/// The documented commands on a real directory, while a thread commits as fast as it can.
#[test]
fn a_directory_is_copied_while_somebody_commits() {
    let folder = tempfile::tempdir().unwrap();
    let (repo, done) = (folder.path().join("repo"), AtomicBool::new(false));
    let db = Database::open(&repo, OpenOptions::default()).unwrap();
    db.write_table("t", narrow(0..1), &WriteOptions::append()).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut id = 1;
            while !done.load(Ordering::Relaxed) {
                let large = crate::support::Shape::Narrow.stream(&bulky_rows(id, 80_000, id.unsigned_abs()));
                let rows = if id % 10 == 0 { large } else { narrow(id..id + 1) };
                db.write_table("t", rows, &WriteOptions::append()).unwrap();
                id += 1;
            }
        });
        let mut newest = 0;
        for round in 0..8 {
            let copy = folder.path().join(format!("copy {round}"));
            let before = db.latest_tx_id().unwrap();
            copy_directory(&repo, &copy);
            let after = db.latest_tx_id().unwrap();
            let copied = Database::open(&copy, OpenOptions::default()).unwrap();
            assert_whole(&copied);
            let latest = copied.latest_tx_id().unwrap();
            assert!((before..=after).contains(&latest) && latest >= newest, "{before} {latest} {after}");
            assert_eq!(read(&copied, "t", &At::tx(before)).unwrap(), read(&db, "t", &At::tx(before)).unwrap());
            copied.create_tag("copied", &At::head()).unwrap();
            newest = latest;
        }
        done.store(true, Ordering::Relaxed);
    });
}

/// `cp`, `flock repo/log/lock cp`, and `cp` again.
fn copy_directory(repo: &Path, copy: &Path) {
    fs::create_dir(copy).unwrap();
    fs::copy(repo.join("repo.json"), copy.join("repo.json")).unwrap();
    let lock = File::open(repo.join("log/lock")).unwrap();
    lock.lock().unwrap();
    copy_all(&repo.join("log"), &copy.join("log"));
    lock.unlock().unwrap();
    for part in ["chunks", "meta"].into_iter().filter(|part| repo.join(part).exists()) {
        copy_all(&repo.join(part), &copy.join(part));
    }
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_all(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}
