//! A run: index entries sorted into one immutable file, looked up by ranged reads.
//!
//! Layout: blocks of [`BLOCK_ENTRIES`] entries (the last one shorter), each entry a key and its value, each block
//! closed by the BLAKE3 hash of its number and its entries. So a lookup verifies what it reads without reading the
//! whole file. Runs are derived from the log: one that is missing or damaged is built again from it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

use super::key::{Key, Value, WIDTH};
use crate::error::{Error, Result};
use crate::format::{NodeHash, Sequence};
use crate::store::Store;

const ENTRY_BYTES: usize = 2 * WIDTH;
const BLOCK_ENTRIES: u64 = 63;
const HASH_BYTES: usize = 32;
const BLOCK_BYTES: u64 = BLOCK_ENTRIES * ENTRY_BYTES as u64 + HASH_BYTES as u64;

/// Blocks kept in memory, shared by all runs of a repository: 16 MiB.
const CACHED_BLOCKS: usize = 4096;

/// Blocks that were read and verified.
#[derive(Debug)]
pub(super) struct BlockCache {
    blocks: Cache<(NodeHash, u64), Bytes>,
    damaged: AtomicBool,
}

impl BlockCache {
    pub(super) fn new() -> Arc<BlockCache> {
        Arc::new(BlockCache { blocks: Cache::new(CACHED_BLOCKS), damaged: AtomicBool::new(false) })
    }

    /// Has the index made anew from the log before it is used again.
    pub(super) fn mark_damaged(&self) {
        self.damaged.store(true, Ordering::SeqCst);
    }

    /// Whether the index is to be made anew.
    pub(super) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::SeqCst)
    }

    /// Whether a run turned out to be missing or damaged since this was last asked.
    pub(super) fn take_damaged(&self) -> bool {
        self.damaged.swap(false, Ordering::SeqCst)
    }
}

/// What a snapshot says of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunInfo {
    /// The record up to which it was made.
    pub(super) sequence: Sequence,
    /// The hash of the whole file.
    pub(super) name: NodeHash,
    /// How many entries it has.
    pub(super) entries: u64,
}

/// A run that can be looked up.
#[derive(Clone)]
pub(super) struct Run {
    info: RunInfo,
    path: String,
    store: Arc<dyn Store>,
    blocks: Arc<BlockCache>,
}

impl Run {
    /// Names a run that a snapshot lists; nothing is read yet.
    pub(super) fn open(store: Arc<dyn Store>, blocks: Arc<BlockCache>, info: RunInfo) -> Run {
        Run { info, path: run_path(&info), store, blocks }
    }

    /// Writes sorted entries as a run, durably.
    pub(super) fn write(
        store: &Arc<dyn Store>,
        blocks: Arc<BlockCache>,
        sequence: Sequence,
        entries: &[(Key, Value)],
    ) -> Result<Run> {
        debug_assert!(entries.is_sorted(), "a run is sorted");
        let mut bytes = Vec::with_capacity(entries.len() * (ENTRY_BYTES + 1));
        for (number, block) in entries.chunks(BLOCK_ENTRIES as usize).enumerate() {
            let start = bytes.len();
            block.iter().for_each(|(key, value)| {
                bytes.extend_from_slice(key);
                bytes.extend_from_slice(value);
            });
            let hash = block_hash(number as u64, &bytes[start..]);
            bytes.extend_from_slice(hash.as_bytes());
        }
        let info = RunInfo { sequence, name: NodeHash::of(&bytes), entries: entries.len() as u64 };
        let path = run_path(&info);
        store.create(&path, &bytes)?;
        store.sync(&[path.as_str()])?;
        Ok(Run { info, path, store: store.clone(), blocks })
    }

    pub(super) fn info(&self) -> RunInfo {
        self.info
    }

    pub(super) fn len(&self) -> u64 {
        self.info.entries
    }

    /// The entry at a position below [`Run::len`].
    pub(super) fn entry(&self, position: u64) -> Result<(Key, Value)> {
        let block = self.block(position / BLOCK_ENTRIES)?;
        Ok(entry_of(&block, (position % BLOCK_ENTRIES) as usize))
    }

    /// The position of the first entry whose key is not below `key`; [`Run::len`] if there is none.
    pub(super) fn seek(&self, key: &Key) -> Result<u64> {
        let blocks = self.len().div_ceil(BLOCK_ENTRIES);
        let block = partition(blocks, |number| Ok(entry_of(&self.block(number)?, 0).0 < *key))?;
        let Some(number) = block.checked_sub(1) else { return Ok(0) };
        let bytes = self.block(number)?;
        let entries = ((bytes.len() - HASH_BYTES) / ENTRY_BYTES) as u64;
        let inside = partition(entries, |at| Ok(entry_of(&bytes, at as usize).0 < *key))?;
        Ok(number * BLOCK_ENTRIES + inside)
    }

    fn block(&self, number: u64) -> Result<Bytes> {
        if let Some(block) = self.blocks.blocks.get(&(self.info.name, number)) {
            return Ok(block);
        }
        let block = self.read_block(number)?;
        self.blocks.blocks.insert((self.info.name, number), block.clone());
        Ok(block)
    }

    fn read_block(&self, number: u64) -> Result<Bytes> {
        let entries = BLOCK_ENTRIES.min(self.len() - number * BLOCK_ENTRIES);
        let length = entries * ENTRY_BYTES as u64 + HASH_BYTES as u64;
        let start = number * BLOCK_BYTES;
        let block =
            self.store.get_range(&self.path, start..start + length)?.ok_or_else(|| self.damaged("is missing"))?;
        if block.len() as u64 != length {
            return Err(self.damaged("is cut short"));
        }
        let (entries, hash) = block.split_at(block.len() - HASH_BYTES);
        if block_hash(number, entries).as_bytes() != hash {
            return Err(self.damaged("does not match its hash"));
        }
        Ok(block)
    }

    fn damaged(&self, what: &str) -> Error {
        self.blocks.mark_damaged();
        let reason = format!("an index file {what}; the next operation makes the index anew from the log");
        Error::LogCorrupt { at: self.path.clone(), reason }
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.info.fmt(f)
    }
}

/// Where a run is kept.
pub(super) fn run_path(info: &RunInfo) -> String {
    format!("{RUNS}/{:020}-{}", info.sequence.0, info.name)
}

/// The record up to which the run at a path was made.
pub(super) fn run_sequence(path: &str) -> Option<Sequence> {
    let (sequence, _) = path.strip_prefix(RUNS)?.strip_prefix('/')?.split_once('-')?;
    sequence.parse().ok().map(Sequence)
}

/// The directory of runs.
pub(super) const RUNS: &str = "index";

fn block_hash(number: u64, entries: &[u8]) -> blake3::Hash {
    blake3::Hasher::new().update(&number.to_le_bytes()).update(entries).finalize()
}

fn entry_of(block: &[u8], at: usize) -> (Key, Value) {
    let (mut key, mut value) = ([0; WIDTH], [0; WIDTH]);
    let start = at * ENTRY_BYTES;
    key.copy_from_slice(&block[start..start + WIDTH]);
    value.copy_from_slice(&block[start + WIDTH..start + ENTRY_BYTES]);
    (key, value)
}

/// How many of `0..count` satisfy a predicate that holds for a prefix.
fn partition(count: u64, mut holds: impl FnMut(u64) -> Result<bool>) -> Result<u64> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle)? { low = middle + 1 } else { high = middle }
    }
    Ok(low)
}
