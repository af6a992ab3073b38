//! A store in memory: `memory:` repositories and tests.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};

use bytes::Bytes;

use super::{Created, Listed, Store, StoreFile, check_directory, check_path};
use crate::error::{Error, Result};

/// Keeps everything in memory, for as long as it lives.
#[derive(Debug, Default)]
pub struct MemoryStore {
    nodes: RwLock<BTreeMap<String, Node>>,
}

#[derive(Clone, Debug)]
enum Node {
    Object(Bytes),
    File(Arc<FileNode>),
}

/// A file, shared by all who opened it.
#[derive(Debug, Default)]
struct FileNode {
    bytes: RwLock<Vec<u8>>,
    locked: Mutex<bool>,
    unlocked: Condvar,
}

impl Node {
    fn bytes(&self) -> u64 {
        match self {
            Node::Object(bytes) => bytes.len() as u64,
            Node::File(file) => file.read(|bytes| bytes.len() as u64),
        }
    }

    fn slice(&self, range: Range<u64>) -> Bytes {
        match self {
            Node::Object(bytes) => bytes.slice(clamp(range, bytes.len())),
            Node::File(file) => file.read(|bytes| Bytes::copy_from_slice(&bytes[clamp(range, bytes.len())])),
        }
    }
}

/// The part of a range that lies within `len` bytes.
fn clamp(range: Range<u64>, len: usize) -> Range<usize> {
    let end = usize::try_from(range.end).unwrap_or(usize::MAX).min(len);
    let start = usize::try_from(range.start).unwrap_or(usize::MAX).min(end);
    start..end
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    /// Puts an object or a file there, whatever was there before.
    pub(super) fn put(&self, path: &str, bytes: Vec<u8>, is_file: bool) {
        let node = match is_file {
            true => Node::File(Arc::new(FileNode { bytes: RwLock::new(bytes), ..FileNode::default() })),
            false => Node::Object(bytes.into()),
        };
        self.nodes.write().unwrap_or_else(PoisonError::into_inner).insert(path.to_string(), node);
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<String, Node>> {
        self.nodes.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn insert(&self, path: &str, node: impl FnOnce() -> Node) -> Created {
        let mut nodes = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
        if nodes.contains_key(path) {
            return Created::AlreadyThere;
        }
        nodes.insert(path.to_string(), node());
        Created::New
    }
}

impl Store for MemoryStore {
    fn create(&self, path: &str, bytes: &[u8]) -> Result<Created> {
        check_path(path)?;
        Ok(self.insert(path, || Node::Object(Bytes::copy_from_slice(bytes))))
    }

    fn sync(&self, paths: &[&str]) -> Result<()> {
        let nodes = self.read();
        match paths.iter().find(|path| !nodes.contains_key(**path)) {
            Some(path) => Err(Error::io("sync", path, std::io::ErrorKind::NotFound.into())),
            None => Ok(()),
        }
    }

    fn get(&self, path: &str) -> Result<Option<Bytes>> {
        self.get_range(path, 0..u64::MAX)
    }

    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Option<Bytes>> {
        check_path(path)?;
        Ok(self.read().get(path).map(|node| node.slice(range)))
    }

    fn list(&self, directory: &str) -> Result<Vec<Listed>> {
        check_directory(directory)?;
        let below = |path: &str| match path.strip_prefix(directory) {
            Some(rest) => directory.is_empty() || rest.starts_with('/'),
            None => false,
        };
        let nodes = self.read();
        let found = nodes.range(directory.to_string()..).take_while(|(path, _)| path.starts_with(directory));
        Ok(found
            .filter(|(path, _)| below(path))
            .map(|(path, node)| Listed { path: path.clone(), bytes: node.bytes() })
            .collect())
    }

    fn delete(&self, path: &str) -> Result<()> {
        check_path(path)?;
        self.nodes.write().unwrap_or_else(PoisonError::into_inner).remove(path);
        Ok(())
    }

    fn local_path(&self, _path: &str) -> Option<PathBuf> {
        None
    }

    fn allocate(&self, path: &str, bytes: u64) -> Result<Created> {
        check_path(path)?;
        let room = usize::try_from(bytes).map_err(|_| Error::invalid("bytes", "more than memory can hold"))?;
        let file = || FileNode { bytes: RwLock::new(vec![0; room]), ..FileNode::default() };
        Ok(self.insert(path, || Node::File(Arc::new(file()))))
    }

    fn open_file(&self, path: &str) -> Result<Option<Arc<dyn StoreFile>>> {
        check_path(path)?;
        match self.read().get(path) {
            None => Ok(None),
            Some(Node::File(node)) => Ok(Some(Arc::new(MemoryFile::new(node.clone())))),
            Some(Node::Object(_)) => Err(Error::invalid("path", format!("{path:?} is an object, not a file"))),
        }
    }
}

impl FileNode {
    fn read<T>(&self, look: impl FnOnce(&[u8]) -> T) -> T {
        look(&self.bytes.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn locked(&self) -> MutexGuard<'_, bool> {
        self.locked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One opening of a file.
#[derive(Debug)]
struct MemoryFile {
    node: Arc<FileNode>,
    holds_lock: Mutex<bool>,
}

impl MemoryFile {
    fn new(node: Arc<FileNode>) -> MemoryFile {
        MemoryFile { node, holds_lock: Mutex::new(false) }
    }

    fn holds_lock(&self) -> MutexGuard<'_, bool> {
        self.holds_lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StoreFile for MemoryFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        self.node.read(|bytes| {
            let range = clamp(offset..offset.saturating_add(buffer.len() as u64), bytes.len());
            let count = range.len();
            buffer[..count].copy_from_slice(&bytes[range]);
            Ok(count)
        })
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let start = usize::try_from(offset).map_err(|_| Error::invalid("offset", "beyond memory"))?;
        let mut room = self.node.bytes.write().unwrap_or_else(PoisonError::into_inner);
        let end = start + bytes.len();
        if room.len() < end {
            room.resize(end, 0);
        }
        room[start..end].copy_from_slice(bytes);
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn bytes(&self) -> Result<u64> {
        Ok(self.node.read(|bytes| bytes.len() as u64))
    }

    fn lock(&self) -> Result<()> {
        let mut locked = self.node.locked();
        while *locked {
            locked = self.node.unlocked.wait(locked).unwrap_or_else(PoisonError::into_inner);
        }
        *locked = true;
        *self.holds_lock() = true;
        Ok(())
    }

    fn unlock(&self) -> Result<()> {
        if std::mem::take(&mut *self.holds_lock()) {
            *self.node.locked() = false;
            self.node.unlocked.notify_one();
        }
        Ok(())
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        // Nothing can fail here, and nobody could be told.
        let _ = self.unlock();
    }
}
