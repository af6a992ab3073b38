//! The files that DuckDB reads: chunks where they lie, and copies of what lies nowhere DuckDB could read it.
//!
//! Copies are named by hash and a number, and live in the engine's own directory until nothing uses them any more.

use std::collections::{HashSet, VecDeque};
use std::fmt::Debug;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tempfile::NamedTempFile;

use super::scratch::Scratch;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::format::ChunkHash;
use crate::table::{TableData, TableStore};

/// Copies beyond this many bytes go, the least recently used first, unless a statement is reading them.
const COPIES_BYTES_MAX: u64 = 1 << 30;

/// Copies beyond this many go likewise.
const COPIES_MAX: usize = 4096;

/// Where chunks come from.
pub trait ChunkFiles: Send + Sync + Debug {
    /// Where the chunk lies as a file of the local file system; `None` if it lies elsewhere.
    fn local_path(&self, chunk: &ChunkHash) -> Option<PathBuf>;

    /// The bytes of the chunk; `CHUNK_NOT_FOUND` if there is none.
    fn get(&self, chunk: &ChunkHash) -> Result<Bytes>;

    /// Checks chunks against their names: `HASH_MISMATCH`, `CHUNK_NOT_FOUND`, `CANCELLED`.
    fn verify(&self, chunks: &[ChunkHash], cancel: &CancelToken) -> Result<()>;

    /// The inlined batches of a table, in order, as one Parquet file.
    fn encode_tail(&self, data: &TableData) -> Result<Bytes>;
}

/// A file that is there for as long as this value.
#[derive(Clone, Debug)]
pub(super) struct FileRef {
    pub(super) path: PathBuf,
    /// What keeps a copy; a chunk of the store needs nothing.
    _copy: Option<Arc<Copy>>,
}

/// Finds files, and makes them where there are none.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) chunks: Arc<dyn ChunkFiles>,
    parent: Option<PathBuf>,
    state: Mutex<State>,
    /// Chunks whose bytes have been compared with their names.
    verified: Mutex<HashSet<ChunkHash>>,
}

#[derive(Debug, Default)]
struct State {
    directory: Option<Arc<Scratch>>,
    /// The most recently used last.
    copies: VecDeque<Arc<Copy>>,
    bytes: u64,
    number: u64,
}

#[derive(Debug)]
struct Copy {
    key: String,
    path: PathBuf,
    bytes: u64,
    _directory: Arc<Scratch>,
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(path = %self.path.display(), %error, "a copy stays until its directory goes");
        }
    }
}

impl Files {
    pub(super) fn new(chunks: Arc<dyn ChunkFiles>, parent: Option<PathBuf>) -> Files {
        Files { chunks, parent, state: Mutex::default(), verified: Mutex::default() }
    }

    /// The engine's own directory.
    pub(super) fn directory(&self) -> Result<Arc<Scratch>> {
        self.state().directory(self.parent.as_deref())
    }

    /// The file of a chunk.
    pub(super) fn chunk(&self, chunk: &ChunkHash) -> Result<FileRef> {
        match self.chunks.local_path(chunk) {
            Some(path) => Ok(FileRef { path: absolute(path)?, _copy: None }),
            None => self.copy(&chunk.to_hex(), || self.chunks.get(chunk)),
        }
    }

    /// Checks chunks against their names before DuckDB, which cannot, reads them for the first time.
    pub(super) fn verify(&self, chunks: &[ChunkHash], cancel: &CancelToken) -> Result<()> {
        let verified = || self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh: Vec<ChunkHash> = {
            let verified = verified();
            chunks.iter().filter(|chunk| !verified.contains(chunk)).copied().collect()
        };
        if !fresh.is_empty() {
            self.chunks.verify(&fresh, cancel)?;
            verified().extend(fresh);
        }
        Ok(())
    }

    /// A file of the inlined batches of `data`.
    pub(super) fn tail(&self, data: &TableData) -> Result<FileRef> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&data.schema.arrow);
        for batch in data.tail.to_vec() {
            hasher.update(&(batch.bytes.len() as u64).to_le_bytes()).update(&batch.bytes);
        }
        self.copy(&format!("tail-{}", hasher.finalize().to_hex()), || self.chunks.encode_tail(data))
    }

    fn copy(&self, key: &str, bytes: impl FnOnce() -> Result<Bytes>) -> Result<FileRef> {
        let mut state = self.state();
        let copy = match state.take(key) {
            Some(copy) => copy,
            None => state.write(key, &bytes()?, self.parent.as_deref())?,
        };
        state.keep(copy.clone());
        Ok(FileRef { path: copy.path.clone(), _copy: Some(copy) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn directory(&mut self, parent: Option<&Path>) -> Result<Arc<Scratch>> {
        match &self.directory {
            Some(directory) => Ok(directory.clone()),
            None => Ok(self.directory.insert(Arc::new(Scratch::new(parent)?)).clone()),
        }
    }

    fn take(&mut self, key: &str) -> Option<Arc<Copy>> {
        let index = self.copies.iter().position(|copy| copy.key == key)?;
        let copy = self.copies.remove(index)?;
        self.bytes -= copy.bytes;
        Some(copy)
    }

    fn keep(&mut self, copy: Arc<Copy>) {
        self.bytes += copy.bytes;
        self.copies.push_back(copy);
        while self.copies.len() > COPIES_MAX || (self.bytes > COPIES_BYTES_MAX && self.copies.len() > 1) {
            self.bytes -= self.copies.pop_front().map_or(0, |old| old.bytes);
        }
    }

    fn write(&mut self, key: &str, bytes: &[u8], parent: Option<&Path>) -> Result<Arc<Copy>> {
        let directory = self.directory(parent)?;
        self.number += 1;
        let path = directory.path().join(format!("{key}-{}.parquet", self.number));
        write_file(directory.path(), &path, bytes)?;
        Ok(Arc::new(Copy { key: key.to_owned(), path, bytes: bytes.len() as u64, _directory: directory }))
    }
}

/// DuckDB checks paths against the directories that it may read, and knows those by their full names.
fn absolute(path: PathBuf) -> Result<PathBuf> {
    if path.is_absolute() {
        return Ok(path);
    }
    std::path::absolute(&path).map_err(|error| Error::io("find a chunk", path.display(), error))
}

fn write_file(directory: &Path, path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |error| Error::io("write a file for SQL", path.display(), error);
    let mut file = NamedTempFile::new_in(directory).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

impl ChunkFiles for TableStore {
    fn local_path(&self, chunk: &ChunkHash) -> Option<PathBuf> {
        self.chunks().local_path(*chunk)
    }

    fn get(&self, chunk: &ChunkHash) -> Result<Bytes> {
        self.chunks().get(*chunk)
    }

    fn verify(&self, chunks: &[ChunkHash], cancel: &CancelToken) -> Result<()> {
        TableStore::verify(self, chunks, cancel)
    }

    fn encode_tail(&self, data: &TableData) -> Result<Bytes> {
        let rows = TableStore::encode_tail(self, data)?;
        rows.ok_or_else(|| Error::internal("a table without inlined batches has no tail to encode"))
    }
}
