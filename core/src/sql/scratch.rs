//! The directory of an engine: what is materialised and spilled.
//!
//! It goes with the engine. One that somebody has taken away is given up, and another made in its place. What a process
//! left that was killed, the next one sweeps away: a directory whose file [`IN_USE`] nobody holds locked has no owner any
//! more.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use tempfile::TempDir;

use crate::error::{Error, Result};

const PREFIX: &str = "armillaria-sql-";
const IN_USE: &str = "in-use";

/// A directory that goes when it is dropped.
#[derive(Debug)]
pub(super) struct Scratch {
    directory: TempDir,
    _in_use: File,
}

impl Scratch {
    /// Makes one in `parent`, or in the system's temporary directory. `IO`.
    pub(super) fn new(parent: Option<&Path>) -> Result<Scratch> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
        let failed = |error| Error::io("make a directory for SQL", parent.display(), error);
        fs::create_dir_all(&parent).map_err(failed)?;
        let parent = parent.canonicalize().map_err(failed)?;
        let scratch = loop {
            let directory = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&parent).map_err(failed)?;
            if let Some(in_use) = hold(directory.path()).map_err(failed)? {
                break Scratch { directory, _in_use: in_use };
            }
        };
        if is_first_in(&parent) {
            sweep(&parent, &scratch);
        }
        Ok(scratch)
    }

    /// Whether it is still there and held: what clears old files out of temporary directories may take it away from a process
    /// that runs for long.
    pub(super) fn is_there(&self) -> bool {
        self.path().join(IN_USE).exists()
    }

    /// Its full name, without links.
    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// Says that the directory is in use; `None` if somebody swept it away before it could be said.
fn hold(directory: &Path) -> io::Result<Option<File>> {
    let path = directory.join(IN_USE);
    let file = match File::create(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(None),
        // Where files cannot be locked, nobody sweeps either.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(path.exists().then_some(file)),
    }
}

/// Whether this process makes its first directory there.
fn is_first_in(parent: &Path) -> bool {
    static SWEPT: LazyLock<Mutex<HashSet<PathBuf>>> = LazyLock::new(Mutex::default);
    SWEPT.lock().unwrap_or_else(PoisonError::into_inner).insert(parent.to_owned())
}

/// Removes what processes of this user left. Whatever stands in the way stays: it does no harm.
fn sweep(parent: &Path, own: &Scratch) {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let left = entries.map(|entry| entry.path()).filter(|path| is_scratch(path) && path != own.path());
    for path in left.filter(|path| same_owner(path, own.path())) {
        match remove_unused(&path) {
            Ok(removed) => tracing::debug!(path = %path.display(), removed, "a directory for SQL of another process"),
            Err(error) => tracing::debug!(path = %path.display(), %error, "a directory for SQL could not be removed"),
        }
    }
}

fn is_scratch(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX))
}

/// Removes a directory that nobody holds; one of which nobody says so may be younger than its file, and stays.
fn remove_unused(directory: &Path) -> io::Result<bool> {
    let path = directory.join(IN_USE);
    if !path.symlink_metadata()?.is_file() {
        return Ok(false);
    }
    let file = OpenOptions::new().write(true).open(&path)?;
    match file.try_lock() {
        Ok(()) => fs::remove_dir_all(directory).map(|()| true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(unix)]
fn same_owner(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let owner = |path: &Path| path.symlink_metadata().map(|metadata| metadata.uid());
    matches!((owner(a), owner(b)), (Ok(a), Ok(b)) if a == b)
}

#[cfg(not(unix))]
fn same_owner(_: &Path, _: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_swept_and_nothing_else() {
        let parent = TempDir::new().unwrap();
        let alive = Scratch::new(Some(parent.path())).unwrap();
        let made = |name: &str, files: &[&str]| {
            let path = parent.path().join(name);
            fs::create_dir(&path).unwrap();
            files.iter().for_each(|file| fs::write(path.join(file), "x").unwrap());
            path
        };
        let left = made("armillaria-sql-left", &[IN_USE, "tail.parquet"]);
        let stays = [made("armillaria-sql-young", &[]), made("other", &[IN_USE]), alive.path().to_owned()];
        let own = Scratch::new(Some(parent.path())).unwrap();
        assert!(left.exists(), "a process sweeps once");
        sweep(&parent.path().canonicalize().unwrap(), &own);
        assert!(!left.exists() && own.path().exists() && stays.iter().all(|path| path.exists()));
        let gone = own.path().to_owned();
        drop(own);
        assert!(!gone.exists());
    }

    #[test]
    fn a_directory_that_was_swept_away_is_not_held() {
        let parent = TempDir::new().unwrap();
        assert!(hold(&parent.path().join("gone")).unwrap().is_none());
        let held = hold(parent.path()).unwrap();
        assert!(held.is_some() && hold(parent.path()).unwrap().is_none());
    }
}
