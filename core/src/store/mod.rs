//! Where bytes live, and the clock and randomness beside them. Floor 2: knows `error`, `limits`, `format`.
//!
//! A [`Store`] holds two kinds of things under relative paths such as `chunks/ab/cd/….parquet`:
//!
//! - *objects*, made by [`Store::create`]: they appear whole or not at all and never change;
//! - *files*, made by [`Store::allocate`]: fixed room that is written in place, under a lock. Only the log has them.
//!
//! Nothing is durable before it was synced, and a sync that failed is never repaired by a later one that does not:
//! who gets an error from a sync must treat the outcome as unknown. All input and output of the library goes through
//! this trait, so that a test can stop it after every single operation ([`FaultyStore`]).

#[cfg(test)]
pub(crate) mod counting;
mod environment;
mod faulty;
mod local;
mod memory;
pub mod repository;
#[cfg(test)]
mod suite;

use std::fmt::Debug;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

pub use environment::{Clock, Environment, ManualClock, Randomness, SeededRandomness, SystemClock, SystemRandomness};
pub use faulty::{Fault, FaultyStore, PowerLoss};
pub use local::LocalStore;
pub use memory::MemoryStore;

use crate::error::{Error, Result};

/// Whether a handle may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads only; nothing on disk is touched, and every write answers `READ_ONLY`.
    ReadOnly,
    /// Reads and writes.
    ReadWrite,
}

/// What became of a create-only write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// The object was not there, and now is.
    New,
    /// An object of that path was there; it was left as it is.
    AlreadyThere,
}

/// One line of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The path, relative to the store.
    pub path: String,
    /// Its size.
    pub bytes: u64,
}

/// Holds bytes under relative paths. Paths have non-empty parts between `/`, none of them `.` or `..`;
/// anything else is `INVALID_ARGUMENT`.
pub trait Store: Debug + Send + Sync {
    /// Creates an object unless there is one: it appears whole or not at all, and read-only where the medium knows
    /// that. Durable only after [`Store::sync`]. `OUT_OF_SPACE`, `READ_ONLY`.
    fn create(&self, path: &str, bytes: &[u8]) -> Result<Created>;

    /// Puts an object in the place of one that was found damaged, or of none. At any moment readers find the old one
    /// or the new one, whole. Durable only after [`Store::sync`]. `OUT_OF_SPACE`, `READ_ONLY`.
    fn replace(&self, path: &str, bytes: &[u8]) -> Result<()>;

    /// Removes what processes that died while they wrote have left. For who knows that the store is its own.
    fn sweep(&self) -> Result<()> {
        Ok(())
    }

    /// Makes objects and the directories above them durable, whoever made them. `IO` for one that is not there.
    /// Once it failed to make something durable, it answers `IO` (outcome unknown) for as long as the store is open.
    fn sync(&self, paths: &[&str]) -> Result<()>;

    /// The whole of an object or file; `None` if there is none.
    fn get(&self, path: &str) -> Result<Option<Bytes>>;

    /// Hands the bytes of an object or file over piece by piece, in order, and keeps none of them; `false` if there is
    /// none. Pieces may be of any size.
    fn read_through(&self, path: &str, sink: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let bytes = self.get(path)?;
        if let Some(bytes) = &bytes {
            sink(bytes);
        }
        Ok(bytes.is_some())
    }

    /// Some bytes of an object or file, from `start` up to but not with `end`; fewer where it ends before.
    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Option<Bytes>>;

    /// Everything below a directory, at any depth, sorted by path; `""` is the whole store. A directory that is
    /// not there is empty.
    fn list(&self, directory: &str) -> Result<Vec<Listed>>;

    /// The paths that [`Store::list`] gives, without a look at what stands there.
    fn names(&self, directory: &str) -> Result<Vec<String>> {
        Ok(self.list(directory)?.into_iter().map(|listed| listed.path).collect())
    }

    /// Removes an object; one that is not there is fine. Not durable: after a crash it may be back.
    fn delete(&self, path: &str) -> Result<()>;

    /// Where another library can open the object itself; `None` if the store is no file system.
    fn local_path(&self, path: &str) -> Option<PathBuf>;

    /// Makes a file of `bytes` zeros unless there is a file of that path. It appears whole, its zeros are durable;
    /// its name is durable only after [`Store::sync`].
    fn allocate(&self, path: &str, bytes: u64) -> Result<Created>;

    /// Opens a file for reading and, where the store allows it, writing in place; `None` if there is none. An object can
    /// be opened as well, and is only read. What is open stays readable when its name is gone.
    fn open_file(&self, path: &str) -> Result<Option<Arc<dyn StoreFile>>>;
}

/// A file that is written in place. Closed when dropped.
pub trait StoreFile: Debug + Send + Sync {
    /// Fills `buffer` from `offset` on and returns how many bytes there were: fewer only at the end of the file.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize>;

    /// Writes in place; the file grows if it must. Readers see it at once, a crash may tear it until
    /// [`StoreFile::sync`]. After `OUT_OF_SPACE` at least the last byte is not written; after any other error
    /// anything may be.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()>;

    /// Makes the bytes of the file durable, whoever wrote them.
    fn sync(&self) -> Result<()>;

    /// The size of the file.
    fn bytes(&self) -> Result<u64>;

    /// Waits for the exclusive lock of the file. It belongs to this opening of the file and ends with
    /// [`StoreFile::unlock`], when this is dropped, or when the process dies.
    fn lock(&self) -> Result<()>;

    /// Takes the lock where nobody has it, and says whether it did.
    fn try_lock(&self) -> Result<bool>;

    /// Gives the lock back.
    fn unlock(&self) -> Result<()>;
}

/// Answers `INVALID_ARGUMENT` for a path that could leave the store or name it ambiguously.
fn check_path(path: &str) -> Result<()> {
    let fine = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0']);
    match path.split('/').all(fine) {
        true => Ok(()),
        false => Err(Error::invalid("path", format!("{path:?} is not a relative path of plain parts"))),
    }
}

/// The same for a directory, where `""` stands for the store itself.
fn check_directory(directory: &str) -> Result<()> {
    if directory.is_empty() { Ok(()) } else { check_path(directory) }
}
