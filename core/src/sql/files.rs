//! The files that DuckDB reads: chunks where they lie, and copies of what lies nowhere DuckDB could read it.
//!
//! Copies are named by hash and a number, and live in the engine's own directory until nothing uses them any more.

use std::collections::HashSet;
use std::fmt::Debug;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tempfile::NamedTempFile;

use super::scratch::Scratch;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::format::{ChunkEntry, ChunkHash, TableSchema};
use crate::table::{TableData, TableStore, in_parallel};

/// Copies beyond this many bytes go, those that were not used for long first, unless a statement is reading them.
const COPIES_BYTES_MAX: u64 = 1 << 30;

/// Copies beyond this many go likewise.
const COPIES_MAX: u64 = 4096;

/// So few that the cache is one piece, and no copy too large for its part of the limit.
const COPIES_EXPECTED: usize = 32;

/// Where chunks come from.
pub trait ChunkFiles: Send + Sync + Debug {
    /// Where the chunk lies as a file of the local file system; `None` if it lies elsewhere.
    fn local_path(&self, chunk: &ChunkHash) -> Option<PathBuf>;

    /// The bytes of the chunk; `CHUNK_NOT_FOUND` if there is none.
    fn get(&self, chunk: &ChunkHash) -> Result<Bytes>;

    /// Checks chunks against their names: `HASH_MISMATCH`, `CHUNK_NOT_FOUND`, `CANCELLED`.
    fn verify(&self, chunks: &[ChunkHash], cancel: &CancelToken) -> Result<()>;

    /// Whether the chunk, which was checked, is a file whose types and statistics say what they mean.
    fn is_plain(&self, schema: &TableSchema, chunk: &ChunkEntry) -> Result<bool>;

    /// The chunk's rows as such a file.
    fn plain_copy(&self, schema: &TableSchema, chunk: &ChunkHash, cancel: &CancelToken) -> Result<Bytes>;

    /// How many threads look at chunks and copy them.
    fn threads(&self) -> usize;

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
    directory: Mutex<Option<Arc<Scratch>>>,
    /// By key. Who needs one that is being made waits for it, and for nothing else.
    copies: Cache<String, Arc<Copy>, ByShare>,
    copies_made: AtomicU64,
    /// Chunks whose bytes have been compared with their names.
    verified: Mutex<HashSet<ChunkHash>>,
    /// Keys of chunks that were looked at and need no copy.
    plain: Mutex<HashSet<String>>,
}

/// A copy's share of both limits.
#[derive(Clone, Debug)]
struct ByShare;

impl Weighter<String, Arc<Copy>> for ByShare {
    fn weight(&self, _: &String, copy: &Arc<Copy>) -> u64 {
        copy.bytes.max(COPIES_BYTES_MAX / COPIES_MAX)
    }
}

#[derive(Debug)]
struct Copy {
    path: PathBuf,
    bytes: u64,
    directory: Arc<Scratch>,
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
        Files {
            chunks,
            parent,
            directory: Mutex::default(),
            copies: Cache::with_weighter(COPIES_EXPECTED, COPIES_BYTES_MAX, ByShare),
            copies_made: AtomicU64::new(0),
            verified: Mutex::default(),
            plain: Mutex::default(),
        }
    }

    /// The engine's own directory; another one where it was taken away.
    pub(super) fn directory(&self) -> Result<Arc<Scratch>> {
        let mut directory = lock(&self.directory);
        match &*directory {
            Some(directory) if directory.is_there() => Ok(directory.clone()),
            _ => Ok(directory.insert(Arc::new(Scratch::new(self.parent.as_deref())?)).clone()),
        }
    }

    /// The file of a chunk.
    pub(super) fn chunk(&self, chunk: &ChunkHash) -> Result<FileRef> {
        match self.chunks.local_path(chunk) {
            Some(path) => Ok(FileRef { path: absolute(path)?, _copy: None }),
            None => self.copy(&chunk.to_hex(), || self.chunks.get(chunk)),
        }
    }

    /// The files of chunks that DuckDB might misread: copies that it cannot, of those that are not such files themselves.
    /// Each thread holds one chunk and its copy at a time. The chunks were checked.
    pub(super) fn plain_chunks(
        &self,
        schema: &TableSchema,
        chunks: &[&ChunkEntry],
        cancel: &CancelToken,
    ) -> Result<Vec<FileRef>> {
        let schema_hash = blake3::hash(&schema.arrow).to_hex();
        let keyed: Vec<(String, &ChunkEntry)> =
            chunks.iter().map(|chunk| (format!("{}-{schema_hash}", chunk.chunk.to_hex()), *chunk)).collect();
        let known = {
            let plain = lock(&self.plain);
            keyed.iter().all(|(key, _)| plain.contains(key) || self.copies.contains_key(key))
        };
        let threads = if known { 1 } else { self.chunks.threads() };
        in_parallel(threads, &keyed, |(key, chunk)| {
            cancel.check("the query")?;
            self.plain_chunk(schema, key, chunk, cancel)
        })
    }

    fn plain_chunk(
        &self,
        schema: &TableSchema,
        key: &str,
        chunk: &ChunkEntry,
        cancel: &CancelToken,
    ) -> Result<FileRef> {
        if lock(&self.plain).contains(key) {
            return self.chunk(&chunk.chunk);
        }
        if !self.copies.contains_key(key) && self.chunks.is_plain(schema, chunk)? {
            lock(&self.plain).insert(key.to_owned());
            return self.chunk(&chunk.chunk);
        }
        self.copy(key, || self.chunks.plain_copy(schema, &chunk.chunk, cancel))
    }

    /// Checks chunks against their names before DuckDB, which cannot, reads them for the first time.
    pub(super) fn verify(&self, chunks: &[ChunkHash], cancel: &CancelToken) -> Result<()> {
        let fresh: Vec<ChunkHash> = {
            let verified = lock(&self.verified);
            chunks.iter().filter(|chunk| !verified.contains(chunk)).copied().collect()
        };
        if !fresh.is_empty() {
            self.chunks.verify(&fresh, cancel)?;
            lock(&self.verified).extend(fresh);
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
        self.forget_if_gone(key);
        let copy = self.copies.get_or_insert_with(key, || self.write(key, &bytes()?))?;
        Ok(FileRef { path: copy.path.clone(), _copy: Some(copy) })
    }

    /// Forgets a copy that was taken away, or stands in a directory that was: there no statement may read.
    fn forget_if_gone(&self, key: &str) {
        let Some(copy) = self.copies.peek(key) else { return };
        let is_in_use = |directory: &Arc<Scratch>| Arc::ptr_eq(directory, &copy.directory);
        if !lock(&self.directory).as_ref().is_some_and(is_in_use) || !copy.path.exists() {
            self.copies.remove_if(key, |now| Arc::ptr_eq(now, &copy));
        }
    }

    fn write(&self, key: &str, bytes: &[u8]) -> Result<Arc<Copy>> {
        let directory = self.directory()?;
        let number = self.copies_made.fetch_add(1, Ordering::Relaxed);
        let path = directory.path().join(format!("{key}-{number}.parquet"));
        write_file(directory.path(), &path, bytes)?;
        Ok(Arc::new(Copy { path, bytes: bytes.len() as u64, directory }))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn is_plain(&self, schema: &TableSchema, chunk: &ChunkEntry) -> Result<bool> {
        TableStore::is_plain(self, schema, chunk)
    }

    fn plain_copy(&self, schema: &TableSchema, chunk: &ChunkHash, cancel: &CancelToken) -> Result<Bytes> {
        TableStore::plain_copy(self, schema, *chunk, cancel)
    }

    fn threads(&self) -> usize {
        TableStore::threads(self)
    }

    fn encode_tail(&self, data: &TableData) -> Result<Bytes> {
        let rows = TableStore::encode_tail(self, data)?;
        rows.ok_or_else(|| Error::internal("a table without inlined batches has no tail to encode"))
    }
}
