//! The contents of versions that were used last, in memory.
//!
//! Versions share most of what they consist of: an append has its parent's chunk list and all of its tail but one batch.
//! What is shared is weighed once, for as long as any kept version holds it, so that the limit is what is in memory, no
//! more and no less. Which versions go is decided by the clock algorithm: a version that was used since the hand last
//! passed it stays for one more round.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::Result;
use crate::format::{Manifest, TableName, Version};
use crate::table::{TableData, Tail};

/// A version of a table.
pub(super) type Key = (TableName, Version);

/// What a version weighs beside what it may share.
const VERSION_BYTES: u64 = 1024;

/// What a batch of a tail weighs beside its rows.
const BATCH_BYTES: u64 = 128;

/// Contents of versions, up to a limit in bytes, or one that is larger.
pub(super) struct Contents {
    bytes_max: u64,
    kept: Mutex<Kept>,
    /// Told when a content was made, or could not be.
    made: Condvar,
}

impl Contents {
    pub(super) fn new(bytes_max: u64) -> Contents {
        Contents { bytes_max, kept: Mutex::default(), made: Condvar::new() }
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<TableData>> {
        self.kept().get(key)
    }

    pub(super) fn insert(&self, key: Key, data: Arc<TableData>) {
        let evicted = self.kept().insert(key, data, self.bytes_max);
        // Outside of the lock: much may go with it.
        drop(evicted);
    }

    /// The content of a version, made where there is none. Who wants one that is being made waits for it.
    pub(super) fn get_or_make(
        &self,
        key: &Key,
        make: impl FnOnce() -> Result<Arc<TableData>>,
    ) -> Result<Arc<TableData>> {
        let mut kept = self.kept();
        loop {
            if let Some(data) = kept.get(key) {
                return Ok(data);
            }
            if kept.being_made.insert(key.clone()) {
                break;
            }
            kept = self.made.wait(kept).unwrap_or_else(PoisonError::into_inner);
        }
        drop(kept);
        let _making = Making { contents: self, key };
        let data = make()?;
        self.insert(key.clone(), data.clone());
        Ok(data)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.kept();
        f.debug_struct("Contents").field("versions", &kept.versions.len()).field("bytes", &kept.weight.bytes).finish()
    }
}

/// Lets those who wait go on, also after an error or a panic: the next of them tries.
struct Making<'a> {
    contents: &'a Contents,
    key: &'a Key,
}

impl Drop for Making<'_> {
    fn drop(&mut self) {
        self.contents.kept().being_made.remove(self.key);
        self.contents.made.notify_all();
    }
}

#[derive(Default)]
struct Kept {
    versions: HashMap<Key, Used>,
    /// All keys, in the order in which the hand passes them.
    order: VecDeque<Key>,
    weight: Weight,
    being_made: HashSet<Key>,
}

struct Used {
    data: Arc<TableData>,
    /// Since the hand last passed.
    lately: bool,
}

impl Kept {
    fn get(&mut self, key: &Key) -> Option<Arc<TableData>> {
        let used = self.versions.get_mut(key)?;
        used.lately = true;
        Some(used.data.clone())
    }

    /// Answers what had to go.
    fn insert(&mut self, key: Key, data: Arc<TableData>, bytes_max: u64) -> Vec<Arc<TableData>> {
        self.weight.add(&data);
        let (mut gone, mut newcomer) = (Vec::new(), None);
        match self.versions.get_mut(&key) {
            Some(used) => gone.push(std::mem::replace(&mut used.data, data)),
            None => newcomer = Some((key, Used { data, lately: false })),
        }
        gone.iter().for_each(|data| self.weight.remove(data));
        let stay = usize::from(newcomer.is_none());
        while self.weight.bytes > bytes_max && self.order.len() > stay {
            gone.extend(self.pass());
        }
        if let Some((key, used)) = newcomer {
            self.order.push_back(key.clone());
            self.versions.insert(key, used);
        }
        gone
    }

    /// Moves the hand on by one: the version there goes, unless it was used lately.
    fn pass(&mut self) -> Option<Arc<TableData>> {
        let key = self.order.pop_front()?;
        if let Some(used) = self.versions.get_mut(&key)
            && std::mem::take(&mut used.lately)
        {
            self.order.push_back(key);
            return None;
        }
        let data = self.versions.remove(&key)?.data;
        self.weight.remove(&data);
        Some(data)
    }
}

/// What versions weigh together: each part once.
///
/// Parts are known by their addresses, which are theirs for as long as somebody holds them.
#[derive(Default)]
struct Weight {
    bytes: u64,
    /// By part: how many versions, or later batches, hold it.
    holders: HashMap<usize, usize>,
}

impl Weight {
    fn add(&mut self, data: &TableData) {
        self.bytes += VERSION_BYTES;
        for (part, bytes) in whole_parts(data) {
            self.hold(part, bytes);
        }
        for (link, bytes) in links(&data.tail) {
            // The batches before a batch that is held are held by it.
            if !self.hold(link, bytes) {
                break;
            }
        }
    }

    fn remove(&mut self, data: &TableData) {
        self.bytes -= VERSION_BYTES;
        for (part, bytes) in whole_parts(data) {
            self.release(part, bytes);
        }
        for (link, bytes) in links(&data.tail) {
            if !self.release(link, bytes) {
                break;
            }
        }
    }

    /// Whether nobody held it before.
    fn hold(&mut self, part: usize, bytes: u64) -> bool {
        let holders = self.holders.entry(part).or_default();
        *holders += 1;
        let new = *holders == 1;
        self.bytes += if new { bytes } else { 0 };
        new
    }

    /// Whether nobody holds it any more.
    fn release(&mut self, part: usize, bytes: u64) -> bool {
        let Entry::Occupied(mut holders) = self.holders.entry(part) else { return false };
        *holders.get_mut() -= 1;
        let gone = *holders.get() == 0;
        if gone {
            holders.remove();
            self.bytes -= bytes;
        }
        gone
    }
}

/// What a version shares as a whole or not at all, and its bytes.
fn whole_parts(data: &TableData) -> [(usize, u64); 2] {
    let schema = (Arc::as_ptr(&data.schema) as usize, data.schema.arrow.len() as u64);
    [schema, (Arc::as_ptr(&data.manifest) as usize, manifest_bytes(&data.manifest))]
}

fn manifest_bytes(manifest: &Manifest) -> u64 {
    let columns = manifest.chunks.first().map_or(0, |chunk| chunk.columns.len() as u64);
    manifest.chunks.len() as u64 * (128 + 64 * columns)
}

/// The batches of a tail, the last one first, and their bytes.
fn links(tail: &Tail) -> impl Iterator<Item = (usize, u64)> {
    tail.newest_first().map(|batch| (std::ptr::from_ref(batch) as usize, BATCH_BYTES + batch.bytes.len() as u64))
}

#[cfg(test)]
mod tests;
