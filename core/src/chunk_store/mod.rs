//! Bytes named by their BLAKE3 hash. Floor 3: knows `store` and what is below.
//!
//! A chunk stands at `<prefix>/ab/cd/<hash>.parquet`, where `abcd` are the first digits of its hash. It never
//! changes; equal bytes are stored once. Usable alone on any directory. Section "Chunks" of `docs/FORMAT.md`.

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::format::{ChunkHash, ChunkHasher};
use crate::store::{Access, Created, LocalStore, Store};

/// The directory of chunks in a repository, and in a chunk store that is used alone.
pub const PREFIX: &str = "chunks";

const EXTENSION: &str = ".parquet";

const QUARANTINE: &str = "quarantine";

/// What became of a put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PutChunk {
    /// The chunk's name.
    pub hash: ChunkHash,
    /// Whether it was not there before.
    pub new: bool,
}

/// One line of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedChunk {
    /// The chunk's name.
    pub hash: ChunkHash,
    /// Its size.
    pub bytes: u64,
}

/// Keeps chunks in a [`Store`]. Cheap to clone; clones are the same store.
#[derive(Clone, Debug)]
pub struct ChunkStore {
    store: Arc<dyn Store>,
    prefix: Arc<str>,
    /// Chunks whose bytes were put or checked.
    sound: Arc<Mutex<HashSet<ChunkHash>>>,
}

impl ChunkStore {
    /// Keeps chunks below a directory of the store, such as [`PREFIX`].
    pub fn new(store: Arc<dyn Store>, prefix: &str) -> ChunkStore {
        ChunkStore { store, prefix: prefix.into(), sound: Arc::default() }
    }

    /// Keeps chunks in `chunks/` of a directory of the local file system, which the first put makes if it must.
    pub fn open(directory: impl AsRef<Path>, access: Access) -> Result<ChunkStore> {
        let store = LocalStore::open(directory, access)?;
        if access == Access::ReadWrite {
            store.sweep()?;
        }
        Ok(ChunkStore::new(Arc::new(store), PREFIX))
    }

    /// Removes what processes that died while they put chunks have left.
    pub fn sweep(&self) -> Result<()> {
        self.store.sweep()
    }

    /// Stores bytes under their hash. Durable only after [`ChunkStore::sync`]. A damaged file that stood in the
    /// chunk's place goes to `quarantine/`. `OUT_OF_SPACE`, `READ_ONLY`.
    pub fn put(&self, bytes: &[u8]) -> Result<PutChunk> {
        let hash = ChunkHash::of(bytes);
        let path = self.path(hash);
        let created = self.store.create(&path, bytes)?;
        let new = created == Created::New || self.replace_damaged(hash, &path, bytes)?;
        self.sound().insert(hash);
        Ok(PutChunk { hash, new })
    }

    /// Makes chunks durable, whoever put them.
    pub fn sync(&self, hashes: &[ChunkHash]) -> Result<()> {
        if hashes.is_empty() {
            return Ok(());
        }
        let paths: Vec<String> = hashes.iter().map(|hash| self.path(*hash)).collect();
        self.store.sync(&paths.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The bytes as they are stored, unchecked. `CHUNK_NOT_FOUND`.
    pub fn get(&self, hash: ChunkHash) -> Result<Bytes> {
        self.store.get(&self.path(hash))?.ok_or_else(|| not_found(hash))
    }

    /// The bytes, after checking them against the hash. `HASH_MISMATCH`, `CHUNK_NOT_FOUND`.
    pub fn get_verified(&self, hash: ChunkHash) -> Result<Bytes> {
        let bytes = self.get(hash)?;
        check(hash, ChunkHash::of(&bytes))?;
        Ok(bytes)
    }

    /// Checks the bytes against the hash without keeping them. `HASH_MISMATCH`, `CHUNK_NOT_FOUND`.
    pub fn verify(&self, hash: ChunkHash) -> Result<()> {
        let mut hasher = ChunkHasher::new();
        if !self.store.read_through(&self.path(hash), &mut |piece| hasher.update(piece))? {
            return Err(not_found(hash));
        }
        check(hash, hasher.finish())
    }

    /// Whether a chunk is there, in its size, and whole: its bytes are checked unless this store has put or checked
    /// them before.
    pub fn is_sound(&self, hash: ChunkHash, bytes: u64) -> Result<bool> {
        let last = bytes.saturating_sub(1);
        let end = self.store.get_range(&self.path(hash), last..last.saturating_add(2))?;
        if end.is_none_or(|end| end.len() as u64 != bytes - last) {
            return Ok(false);
        }
        if self.sound().contains(&hash) {
            return Ok(true);
        }
        match self.verify(hash) {
            Ok(()) => {
                self.sound().insert(hash);
                Ok(true)
            }
            Err(Error::HashMismatch { .. } | Error::ChunkNotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Some of the bytes, unchecked, from `start` up to but not with `end`; fewer where the chunk ends before.
    /// `CHUNK_NOT_FOUND`.
    pub fn get_range(&self, hash: ChunkHash, range: Range<u64>) -> Result<Bytes> {
        self.store.get_range(&self.path(hash), range)?.ok_or_else(|| not_found(hash))
    }

    /// Whether there is a chunk of that name; its bytes are not looked at.
    pub fn contains(&self, hash: ChunkHash) -> Result<bool> {
        Ok(self.store.get_range(&self.path(hash), 0..0)?.is_some())
    }

    /// Every chunk, sorted by hash. Other files below the directory are passed over.
    pub fn list(&self) -> Result<Vec<ListedChunk>> {
        let listed = self.store.list(&self.prefix)?;
        let chunk = |path: &str, bytes| self.parse(path).map(|hash| ListedChunk { hash, bytes });
        Ok(listed.iter().filter_map(|file| chunk(&file.path, file.bytes)).collect())
    }

    /// What was found in the place of chunks and was not their bytes: the chunk, and where it was moved to.
    pub fn quarantined(&self) -> Result<Vec<(ChunkHash, String)>> {
        let listed = self.store.list(QUARANTINE)?.into_iter().map(|file| file.path);
        Ok(listed.filter_map(|path| Some((quarantined_chunk(&path)?, path))).collect())
    }

    /// Where another library can open the chunk; `None` if the store is no file system.
    pub fn local_path(&self, hash: ChunkHash) -> Option<PathBuf> {
        self.store.local_path(&self.path(hash))
    }

    /// The directory below which all chunks lie, for a library that opens them itself; `None` as for
    /// [`ChunkStore::local_path`].
    pub fn local_root(&self) -> Option<PathBuf> {
        self.store.local_path(&self.prefix)
    }

    /// The chunk's path in its store.
    pub fn path(&self, hash: ChunkHash) -> String {
        let hex = hash.to_hex();
        format!("{}/{}/{}/{hex}{EXTENSION}", self.prefix, &hex[..2], &hex[2..4])
    }

    fn parse(&self, path: &str) -> Option<ChunkHash> {
        let hash = path.rsplit('/').next()?.strip_suffix(EXTENSION)?.parse().ok()?;
        (self.path(hash) == path).then_some(hash)
    }

    /// Replaces a file that is not what its name says; otherwise new rows would stand on lost bytes.
    fn replace_damaged(&self, hash: ChunkHash, path: &str, bytes: &[u8]) -> Result<bool> {
        if let Some(found) = self.store.get(path)? {
            if found == bytes {
                return Ok(false);
            }
            let kept = format!("{QUARANTINE}/{hash}-{}{EXTENSION}", &ChunkHash::of(&found).to_hex()[..16]);
            self.store.create(&kept, &found)?;
            self.store.sync(&[&kept])?;
        }
        self.store.replace(path, bytes)?;
        Ok(true)
    }

    fn sound(&self) -> MutexGuard<'_, HashSet<ChunkHash>> {
        self.sound.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn quarantined_chunk(path: &str) -> Option<ChunkHash> {
    let name = path.strip_prefix(QUARANTINE)?.strip_prefix('/')?.strip_suffix(EXTENSION)?;
    name.split_once('-')?.0.parse().ok()
}

fn check(hash: ChunkHash, actual: ChunkHash) -> Result<()> {
    match actual == hash {
        true => Ok(()),
        false => Err(Error::HashMismatch { object: "chunk", expected: hash.to_hex(), actual: actual.to_hex() }),
    }
}

fn not_found(hash: ChunkHash) -> Error {
    Error::ChunkNotFound { hash: hash.to_hex() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    fn memory() -> (Arc<MemoryStore>, ChunkStore) {
        let store = Arc::new(MemoryStore::new());
        (store.clone(), ChunkStore::new(store, PREFIX))
    }

    #[test]
    fn equal_bytes_are_stored_once() {
        let (store, chunks) = memory();
        let first = chunks.put(b"rows").unwrap();
        assert_eq!(first, PutChunk { hash: ChunkHash::of(b"rows"), new: true });
        assert_eq!(chunks.put(b"rows").unwrap(), PutChunk { new: false, ..first });
        assert_eq!(chunks.put(b"").unwrap().hash, ChunkHash::of(b""));
        chunks.sync(&[first.hash]).unwrap();
        chunks.sync(&[]).unwrap();
        assert_eq!(chunks.get_verified(first.hash).unwrap(), &b"rows"[..]);
        assert_eq!(chunks.get_range(first.hash, 1..3).unwrap(), &b"ow"[..]);
        assert_eq!(chunks.get_range(first.hash, 3..9).unwrap(), &b"s"[..]);
        assert_eq!(store.list("").unwrap().len(), 2);
        let hex = first.hash.to_hex();
        assert_eq!(chunks.path(first.hash), format!("chunks/{}/{}/{hex}.parquet", &hex[..2], &hex[2..4]));
    }

    #[test]
    fn what_is_not_there_is_named() {
        let (_, chunks) = memory();
        let hash = ChunkHash::of(b"nowhere");
        assert!(!chunks.contains(hash).unwrap());
        let errors = [chunks.get(hash).err(), chunks.get_range(hash, 0..1).err(), chunks.verify(hash).err()];
        for error in errors.into_iter().flatten() {
            assert!(matches!(&error, Error::ChunkNotFound { hash: named } if *named == hash.to_hex()));
        }
        assert!(chunks.sync(&[hash]).is_err());
    }

    #[test]
    fn damage_is_named_and_a_second_put_repairs_it() {
        let (store, chunks) = memory();
        let hash = ChunkHash::of(b"rows");
        store.create(&chunks.path(hash), b"r0ws").unwrap();
        for error in [chunks.get_verified(hash).unwrap_err(), chunks.verify(hash).unwrap_err()] {
            assert!(matches!(&error, Error::HashMismatch { expected, .. } if *expected == hash.to_hex()), "{error}");
        }
        assert!(chunks.put(b"rows").unwrap().new);
        assert_eq!(chunks.get_verified(hash).unwrap(), &b"rows"[..]);
        chunks.verify(hash).unwrap();
        let kept = store.list("quarantine").unwrap();
        assert_eq!(store.get(&kept[0].path).unwrap().unwrap(), &b"r0ws"[..]);
        store.create("quarantine/00000000000000000007-4096-0123456789abcdef.torn", b"of the log").unwrap();
        assert_eq!(chunks.quarantined().unwrap(), [(hash, kept[0].path.clone())]);
    }

    #[test]
    fn a_listing_holds_chunks_and_nothing_else() {
        let (store, chunks) = memory();
        let mut hashes: Vec<ChunkHash> = (0..50_u8).map(|n| chunks.put(&[n]).unwrap().hash).collect();
        hashes.sort();
        store.create("chunks/README", b"not a chunk").unwrap();
        store.create(&format!("chunks/{}.parquet", hashes[0]), b"in the wrong place").unwrap();
        let listed = chunks.list().unwrap();
        assert!(listed.iter().all(|chunk| chunk.bytes == 1));
        assert_eq!(listed.iter().map(|chunk| chunk.hash).collect::<Vec<_>>(), hashes);
    }

    #[test]
    fn a_directory_is_enough() {
        let directory = tempfile::tempdir().unwrap();
        let chunks = ChunkStore::open(directory.path().join("new"), Access::ReadWrite).unwrap();
        assert!(chunks.list().unwrap().is_empty());
        let hash = chunks.put(b"rows").unwrap().hash;
        chunks.sync(&[hash]).unwrap();
        let path = chunks.local_path(hash).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"rows");
        assert!(std::fs::metadata(&path).unwrap().permissions().readonly());
        let reader = ChunkStore::open(directory.path().join("new"), Access::ReadOnly).unwrap();
        assert_eq!(reader.get_verified(hash).unwrap(), &b"rows"[..]);
        assert!(matches!(reader.put(b"more"), Err(Error::ReadOnly { .. })));
    }
}
