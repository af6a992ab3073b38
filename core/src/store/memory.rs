//! A store in memory: `memory:` repositories and tests.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

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
    room: RwLock<Room>,
    locked: Mutex<bool>,
    unlocked: Condvar,
}

/// The bytes of a file; zeros that nobody wrote over take no memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Room {
    /// The size of the file.
    pub(super) bytes: u64,
    /// How it begins; the rest is zeros.
    pub(super) written: Vec<u8>,
}

impl Room {
    pub(super) fn zeros(bytes: u64) -> Room {
        Room { bytes, written: Vec::new() }
    }

    /// Fills the buffer from `offset` on, up to the end of the file.
    fn read(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let count = clamp(0..self.bytes.saturating_sub(offset), buffer.len()).len();
        let written = &self.written[clamp(offset..offset.saturating_add(count as u64), self.written.len())];
        buffer[..written.len()].copy_from_slice(written);
        buffer[written.len()..count].fill(0);
        count
    }

    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(bytes.len());
        if self.written.len() < end {
            self.written.resize(end, 0);
        }
        self.written[start..end].copy_from_slice(bytes);
        self.bytes = self.bytes.max(end as u64);
    }

    fn slice(&self, range: Range<u64>) -> Bytes {
        let mut bytes = vec![0; clamp(range.clone(), usize::try_from(self.bytes).unwrap_or(usize::MAX)).len()];
        self.read(range.start, &mut bytes);
        bytes.into()
    }
}

impl Node {
    fn bytes(&self) -> u64 {
        match self {
            Node::Object(bytes) => bytes.len() as u64,
            Node::File(file) => file.room().bytes,
        }
    }

    fn slice(&self, range: Range<u64>) -> Bytes {
        match self {
            Node::Object(bytes) => bytes.slice(clamp(range, bytes.len())),
            Node::File(file) => file.room().slice(range),
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

    /// Another store that holds the same.
    pub(super) fn copy(&self) -> MemoryStore {
        let copy = MemoryStore::new();
        for (path, node) in self.read().iter() {
            match node {
                Node::Object(bytes) => copy.put(path, Node::Object(bytes.clone())),
                Node::File(file) => copy.put_file(path, file.room().clone()),
            }
        }
        copy
    }

    /// Puts an object there, whatever was there before.
    pub(super) fn put_object(&self, path: &str, bytes: Vec<u8>) {
        self.put(path, Node::Object(bytes.into()));
    }

    /// Puts a file there, whatever was there before.
    pub(super) fn put_file(&self, path: &str, room: Room) {
        self.put(path, Node::File(Arc::new(FileNode::new(room))));
    }

    fn put(&self, path: &str, node: Node) {
        self.nodes.write().unwrap_or_else(PoisonError::into_inner).insert(path.to_string(), node);
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Node>> {
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

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<()> {
        check_path(path)?;
        self.put_object(path, bytes.to_vec());
        Ok(())
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
        Ok(self.insert(path, || Node::File(Arc::new(FileNode::new(Room::zeros(bytes))))))
    }

    fn open_file(&self, path: &str) -> Result<Option<Arc<dyn StoreFile>>> {
        check_path(path)?;
        match self.read().get(path) {
            None => Ok(None),
            Some(Node::File(node)) => Ok(Some(Arc::new(MemoryFile::new(node.clone())))),
            Some(Node::Object(bytes)) => Ok(Some(Arc::new(OpenObject { bytes: bytes.clone() }))),
        }
    }
}

impl FileNode {
    fn new(room: Room) -> FileNode {
        FileNode { room: RwLock::new(room), ..FileNode::default() }
    }

    fn room(&self) -> RwLockReadGuard<'_, Room> {
        self.room.read().unwrap_or_else(PoisonError::into_inner)
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
        Ok(self.node.room().read(offset, buffer))
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.node.room.write().unwrap_or_else(PoisonError::into_inner).write(offset, bytes);
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn bytes(&self) -> Result<u64> {
        Ok(self.node.room().bytes)
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

    fn try_lock(&self) -> Result<bool> {
        let mut locked = self.node.locked();
        if *locked {
            return Ok(false);
        }
        *locked = true;
        *self.holds_lock() = true;
        Ok(true)
    }

    fn unlock(&self) -> Result<()> {
        if std::mem::take(&mut *self.holds_lock()) {
            *self.node.locked() = false;
            self.node.unlocked.notify_one();
        }
        Ok(())
    }
}

/// An object that was opened.
#[derive(Debug)]
struct OpenObject {
    bytes: Bytes,
}

impl StoreFile for OpenObject {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let part = &self.bytes[clamp(offset..offset.saturating_add(buffer.len() as u64), self.bytes.len())];
        buffer[..part.len()].copy_from_slice(part);
        Ok(part.len())
    }

    fn write_at(&self, _: u64, _: &[u8]) -> Result<()> {
        Err(Error::ReadOnly { action: "write", reason: "an object never changes".to_string() })
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn bytes(&self) -> Result<u64> {
        Ok(self.bytes.len() as u64)
    }

    fn lock(&self) -> Result<()> {
        Err(Error::internal("an object cannot be locked"))
    }

    fn try_lock(&self) -> Result<bool> {
        Err(Error::internal("an object cannot be locked"))
    }

    fn unlock(&self) -> Result<()> {
        Ok(())
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        // Nothing can fail here, and nobody could be told.
        let _ = self.unlock();
    }
}
