//! The engine's directory, and what becomes of statements when somebody clears it away from under a long-lived process.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// A table whose rows ride in log records, so that each statement reads a copy of them.
fn world(parent: &Path) -> World {
    let options = SqlOptions {
        cache_dir: Some(parent.to_owned()),
        memory_limit_bytes: Some(60 << 20),
        threads: Some(1),
        ..SqlOptions::default()
    };
    let mut world = World::with(options);
    let data = world.data(&[users(0, 3)], 64 << 10);
    world.put("t", Arc::new(data));
    world
}

/// The one directory of the engine.
fn scratch(parent: &Path) -> PathBuf {
    let mut entries = fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().path());
    let only = entries.next().unwrap();
    assert_eq!(entries.next(), None);
    only
}

const READS_A_COPY: &str = "SELECT sum(id) FROM t";

const SPILLS: &str = "SELECT count(*) FROM \
     (SELECT * FROM (SELECT hash(range) AS h, range FROM range(3000000)) ORDER BY h LIMIT 2900000)";

#[test]
fn a_directory_that_was_taken_away_is_made_anew_by_the_next_statement() {
    let parent = TempDir::new().unwrap();
    let world = world(parent.path());
    assert_eq!((world.rows(READS_A_COPY), world.rows(SPILLS)), (vec!["3".to_owned()], vec!["2900000".to_owned()]));
    let first = scratch(parent.path());
    fs::remove_dir_all(&first).unwrap();
    assert_eq!(world.rows(SPILLS), ["2900000"]);
    let second = scratch(parent.path());
    assert_ne!(first, second);
    fs::remove_dir_all(&second).unwrap();
    assert_eq!(world.rows(READS_A_COPY), ["3"]);
    // And the directory above it, which holds nothing else.
    fs::remove_dir_all(parent.path()).unwrap();
    assert_eq!(world.rows(READS_A_COPY), ["3"]);
    assert_eq!(world.rows(SPILLS), ["2900000"]);
    let last = scratch(parent.path());
    drop(world);
    assert!(!last.exists() && parent.path().exists());
}

#[test]
fn single_files_that_were_taken_away_are_made_anew() {
    let parent = TempDir::new().unwrap();
    let world = world(parent.path());
    assert_eq!(world.rows(READS_A_COPY), ["3"]);
    let directory = scratch(parent.path());
    let files = || {
        let names = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
        names.filter(|path| path.extension().is_some_and(|extension| extension == "parquet")).collect::<Vec<_>>()
    };
    assert_eq!(files().len(), 1);
    fs::remove_file(&files()[0]).unwrap();
    assert_eq!(world.rows(READS_A_COPY), ["3"]);
    assert_eq!((scratch(parent.path()), files().len()), (directory.clone(), 1), "in the same directory");
    // What says that the directory is in use is a file, too. Without it the directory is given up.
    fs::remove_file(directory.join("in-use")).unwrap();
    assert_eq!(world.rows(READS_A_COPY), ["3"]);
    drop(world);
    assert!(!directory.exists());
}

/// A stream goes on reading the files that it has open.
#[test]
fn a_statement_that_runs_when_the_directory_goes_has_its_rows() {
    let parent = TempDir::new().unwrap();
    let world = world(parent.path());
    let (sql, none): (_, &[Value]) = ("SELECT range AS n FROM range(100000)", &[]);
    let mut rows = world.engine.query(sql, none, &world, &CancelToken::new()).unwrap();
    let first = rows.next().unwrap().unwrap();
    fs::remove_dir_all(scratch(parent.path())).unwrap();
    assert_eq!(world.rows(READS_A_COPY), ["3"], "another statement meanwhile");
    let rest: usize = rows.map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(first.num_rows() + rest, 100_000);
}
