//! Four processes commit to one directory and are killed at random: what they acknowledged is there, tx_ids have no
//! gaps, and the chain verifies.
//!
//! A worker is this test binary again, told by environment variables to run [`a_worker_commits_what_it_acknowledges`].
//! It notes each commit in a file of its own after the commit returned; what it had written to that file survives its
//! death. `ARMILLARIA_PROOF_KILLS` asks for more kills, `ARMILLARIA_PROOF_SEED` for another order of events.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions as FileOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use armillaria::store::{Clock, SeededRandomness, SystemClock};
use armillaria::{At, BeginOptions, ChangesQuery, Code, Database, OpenOptions, Result, WriteMode, WriteOptions};

use crate::support::{Row, Shape, assert_whole, bulky_rows, from_env, read};

const WORKERS: u64 = 4;
const KILLS: u64 = 110;
const DIRECTORY: &str = "ARMILLARIA_PROOF_WORKER_DIRECTORY";
const WORKER: &str = "ARMILLARIA_PROOF_WORKER";
const LIFE: &str = "ARMILLARIA_PROOF_WORKER_LIFE";

/// A commit that a worker saw return: its number, and the id of the row that it added to `log`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Acknowledged {
    tx_id: u64,
    row_id: i64,
}

fn options(worker: u64) -> OpenOptions {
    OpenOptions { threads: Some(1), author: Some(format!("worker {worker}")), ..OpenOptions::default() }
}

/// One commit of a worker: always a row to `log`, and by turns more.
fn commit(db: &Database, worker: u64, row_id: i64, dice: &SeededRandomness) -> Result<u64> {
    let row = [Row::new(row_id, format!("worker {worker}"))];
    let (log, own) = (Shape::Narrow.stream(&row), Shape::Narrow.stream(&row));
    let own_table = format!("own {worker}");
    let transaction = db.begin(&BeginOptions::default())?;
    transaction.write_table("log", log, WriteMode::Append)?;
    match dice.below(8) {
        0 => drop(transaction.write_table(&own_table, own, WriteMode::Overwrite)?),
        1 => {
            let rows = bulky_rows(row_id, 100_000, row_id.unsigned_abs());
            transaction.write_table(&own_table, Shape::Narrow.stream(&rows), WriteMode::Append)?;
        }
        2 => drop(transaction.write_table("shared", own, WriteMode::Append)?),
        _ => {}
    }
    Ok(transaction.commit(None)?.tx_id)
}

fn work(directory: &Path, worker: u64, life: u64, commits: u64) {
    let db = Database::open(directory.join("repository"), options(worker)).unwrap();
    let mut notes = FileOptions::new().create(true).append(true).open(notes_path(directory, worker)).unwrap();
    let dice = SeededRandomness::new(worker * 1_000_003 + life);
    for n in 0..commits {
        // Unique over all workers and their lives.
        let row_id = ((worker << 48) | (life << 24) | n) as i64;
        match commit(&db, worker, row_id, &dice) {
            Ok(tx_id) => notes.write_all(format!("{tx_id} {row_id}\n").as_bytes()).unwrap(),
            // Two may create a table at the same time, one of them in vain.
            Err(error) => assert_eq!(error.code(), Code::WriteConflict, "{error}"),
        }
        if n % 16 == 15 {
            names(&db, worker, life, n);
        }
    }
}

/// Branches and tags come and go too.
fn names(db: &Database, worker: u64, life: u64, n: u64) {
    let name = format!("{worker}/{life}/{n}");
    db.create_branch(&name, &At::head(), None).unwrap();
    db.create_tag(&name, &At::branch(&name)).unwrap();
    let on_branch = WriteOptions { branch: Some(name.clone()), ..WriteOptions::append() };
    db.write_table("aside", Shape::Narrow.stream(&[Row::new(1, name.clone())]), &on_branch).unwrap();
    db.delete_branch(&name).unwrap();
}

fn notes_path(directory: &Path, worker: u64) -> PathBuf {
    directory.join(format!("notes-{worker}"))
}

/// What a worker noted; a line that its death cut short was not acknowledged.
fn acknowledged(directory: &Path) -> Vec<Acknowledged> {
    let mut all = Vec::new();
    for worker in 0..WORKERS {
        let text = fs::read_to_string(notes_path(directory, worker)).unwrap_or_default();
        for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
            let (tx_id, row_id) = line.split_once(' ').unwrap();
            all.push(Acknowledged { tx_id: tx_id.parse().unwrap(), row_id: row_id.parse().unwrap() });
        }
    }
    all
}

/// With the variables of a worker this is one, and commits until it is killed; without them it commits a little.
#[test]
fn a_worker_commits_what_it_acknowledges() {
    if let Some(directory) = std::env::var_os(DIRECTORY) {
        let (worker, life) = (from_env(WORKER).unwrap(), from_env(LIFE).unwrap());
        return work(Path::new(&directory), worker, life, u64::MAX);
    }
    let directory = tempfile::tempdir().unwrap();
    work(directory.path(), 1, 0, 40);
    assert_eq!(check(directory.path()), 40);
}

fn spawn(directory: &Path, worker: u64, life: u64) -> Child {
    let output = File::create(directory.join(format!("output-{worker}-{life}"))).unwrap();
    Command::new(std::env::current_exe().unwrap())
        .args(["kill::a_worker_commits_what_it_acknowledges", "--exact", "--nocapture"])
        .env(DIRECTORY, directory)
        .env(WORKER, worker.to_string())
        .env(LIFE, life.to_string())
        .stdout(Stdio::null())
        .stderr(output)
        .spawn()
        .unwrap()
}

/// Opens the repository as one more process does, and looks at everything; answers how many were acknowledged.
fn check(directory: &Path) -> usize {
    // Taken before opening: whatever was acknowledged by now must be visible.
    let noted = acknowledged(directory);
    let db = Database::open(directory.join("repository"), OpenOptions::default()).unwrap();
    let changes = db.changes(&ChangesQuery::new()).unwrap();
    assert!(changes.iter().zip(1..).all(|(entry, tx_id)| entry.tx_id == tx_id), "tx_ids have gaps");
    if noted.is_empty() {
        return 0;
    }
    let mut visible: BTreeMap<i64, u64> = BTreeMap::new();
    for row in read(&db, "log", &At::tx(changes.len() as u64).with_version("log", last_version(&changes))).unwrap() {
        *visible.entry(row.id).or_default() += 1;
    }
    assert!(visible.values().all(|count| *count == 1), "a row is there twice");
    for Acknowledged { tx_id, row_id } in &noted {
        assert!(visible.contains_key(row_id), "transaction {tx_id} was acknowledged, and its row {row_id} is lost");
        let entry = &changes[*tx_id as usize - 1];
        assert!(entry.tables.iter().any(|table| table.table == "log" && table.rows_added == 1), "{entry:?}");
    }
    assert_whole(&db);
    noted.len()
}

fn last_version(changes: &[armillaria::ChangelogEntry]) -> u64 {
    let of_log = changes.iter().flat_map(|entry| &entry.tables).filter(|table| table.table == "log");
    of_log.filter_map(|table| table.to_version).max().unwrap_or(1)
}

#[test]
fn what_killed_processes_acknowledged_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let (clock, dice) = (SystemClock::new(), SeededRandomness::new(from_env("ARMILLARIA_PROOF_SEED").unwrap_or(4)));
    let kills = from_env("ARMILLARIA_PROOF_KILLS").unwrap_or(KILLS);
    let mut workers: Vec<Child> = (0..WORKERS).map(|worker| spawn(directory.path(), worker, 0)).collect();
    for kill in 1..=kills {
        clock.sleep(Duration::from_millis(20 + dice.below(130)));
        let victim = dice.below(WORKERS);
        let child = &mut workers[victim as usize];
        if let Some(status) = child.try_wait().unwrap() {
            panic!("worker {victim} ended by itself, {status}:\n{}", complaints(directory.path()));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        *child = spawn(directory.path(), victim, kill);
        if kill % 25 == 0 {
            check(directory.path());
        }
    }
    for worker in &mut workers {
        worker.kill().unwrap();
        worker.wait().unwrap();
    }
    let count = check(directory.path());
    println!("{kills} kills, {count} acknowledged commits");
    assert!(count as u64 > kills, "the workers hardly committed anything: {count}\n{}", complaints(directory.path()));
}

fn complaints(directory: &Path) -> String {
    let outputs = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    outputs
        .filter(|path| path.is_file())
        .filter_map(|path| fs::read_to_string(path).ok())
        .filter(|text| text.contains("panicked"))
        .collect()
}
