//! What a [`LocalStore`](super::LocalStore) knows to survive a power loss.

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::LocalStore;
use crate::error::{Error, Result};

/// What one handle has synced.
#[derive(Debug)]
pub(super) struct Durability {
    /// The lowest directory, at or above the root, that was there when the store was opened.
    anchor: PathBuf,
    /// Objects whose bytes this handle has synced and whose names it has not.
    fresh: Mutex<HashSet<String>>,
    /// Directories whose own entry in the directory above is known to be durable.
    durable: Mutex<HashSet<PathBuf>>,
    /// Why a sync failed; from then on nothing is known to be durable.
    failed_sync: OnceLock<String>,
}

impl Durability {
    /// Nothing has been synced yet.
    pub(super) fn of(root: &Path) -> Durability {
        let anchor = root.ancestors().find(|directory| directory.is_dir()).unwrap_or(root).to_path_buf();
        let (fresh, durable, failed_sync) = Default::default();
        Durability { anchor, fresh, durable, failed_sync }
    }

    /// Objects whose bytes this handle has synced and whose names it has not.
    pub(super) fn fresh(&self) -> MutexGuard<'_, HashSet<String>> {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Directories whose own entry in the directory above is known to be durable.
    pub(super) fn durable(&self) -> MutexGuard<'_, HashSet<PathBuf>> {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sync_failed(&self, error: Error) -> Error {
        self.failed_sync.get_or_init(|| error.to_string());
        error
    }
}

impl LocalStore {
    /// Makes the bytes and the names of objects durable.
    pub(super) fn make_durable(&self, paths: &[&str]) -> Result<()> {
        if let Some(reason) = self.durability.failed_sync.get() {
            return Err(Error::OutcomeUnknown { reason: reason.clone() });
        }
        for path in paths {
            self.sync_bytes(path)?;
        }
        self.sync_directories(paths)?;
        let mut fresh = self.durability.fresh();
        paths.iter().for_each(|path| _ = fresh.remove(*path));
        Ok(())
    }

    fn sync_bytes(&self, path: &str) -> Result<()> {
        if self.durability.fresh().contains(path) {
            return Ok(());
        }
        let file = File::open(self.path(path)).map_err(|error| Error::io("open", path, error))?;
        file.sync_data().map_err(|error| self.durability.sync_failed(Error::io("sync", path, error)))
    }

    /// Makes the entry of every one of these paths durable, and the entries of the directories above them.
    fn sync_directories(&self, paths: &[&str]) -> Result<()> {
        let mut directories: BTreeSet<PathBuf> =
            paths.iter().filter_map(|path| self.path(path).parent().map(Path::to_path_buf)).collect();
        let mut made_durable: Vec<PathBuf> = Vec::new();
        for directory in directories.clone() {
            for below in directory.ancestors().take_while(|below| *below != self.durability.anchor) {
                if self.durability.durable().contains(below) {
                    break;
                }
                directories.extend(below.parent().map(Path::to_path_buf));
                made_durable.push(below.to_path_buf());
            }
        }
        self.sync_anchor()?;
        // From the bottom up, so that a name is durable only once there is something durable behind it.
        for directory in directories.iter().rev() {
            let opened = File::open(directory).map_err(|error| Error::io("open", directory.display(), error))?;
            opened.sync_all().map_err(|error| {
                self.durability.sync_failed(Error::io("sync a directory", directory.display(), error))
            })?;
        }
        self.durability.durable().extend(made_durable);
        Ok(())
    }

    /// Makes the entry of the directory durable that was there before this handle: nobody knows whether who made it did.
    fn sync_anchor(&self) -> Result<()> {
        let Some(above) =
            self.durability.anchor.parent().filter(|_| !self.durability.durable().contains(&self.durability.anchor))
        else {
            return Ok(());
        };
        match File::open(above) {
            Ok(directory) => match directory.sync_all() {
                Err(error) if !is_beyond_sync(&error) => {
                    return Err(self.durability.sync_failed(Error::io("sync a directory", above.display(), error)));
                }
                _ => {}
            },
            // Who may not even list it has not made it, and cannot sync it.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
            Err(error) => return Err(Error::io("open", above.display(), error)),
        }
        self.durability.durable().insert(self.durability.anchor.clone());
        Ok(())
    }
}

/// Whether a directory cannot be synced at all, as on a file system that is never written: nothing in it can be lost.
fn is_beyond_sync(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported | ErrorKind::ReadOnlyFilesystem)
}
