//! The blocks of a run: where they stand in its file, how they are verified, and those kept in memory.
//!
//! Data blocks hold entries, a key and its value each. Behind them stand fence blocks, which hold the first key of
//! every data block, so that a lookup finds its data block without trying others. Behind each block stands the BLAKE3
//! hash of its items and its number: what is read is verified without reading the whole file.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::commit::lock;
use super::key::{Key, Value, WIDTH};
use crate::format::NodeHash;

/// Bytes of an entry: its key, then its value.
pub(super) const ENTRY_BYTES: usize = 2 * WIDTH;

/// Bytes of a fence: the first key of a data block.
const FENCE_BYTES: usize = WIDTH;

const HASH_BYTES: usize = 32;

/// Entries of a data block: 4 KiB, which BLAKE3 hashes in parallel.
const BLOCK_ENTRIES: u64 = 64;

/// Fences of a fence block: 8 KiB.
pub(super) const BLOCK_FENCES: u64 = 256;

/// Bytes of the largest block, a full one of fences, with its hash.
pub(super) const BLOCK_BYTES_MAX: u64 = BLOCK_FENCES * FENCE_BYTES as u64 + HASH_BYTES as u64;

/// Bytes of blocks kept in memory, shared by all runs of a repository.
const CACHE_BYTES: u64 = 16 << 20;

/// Items of one width, in the order of the keys that they begin with.
#[derive(Clone, Debug)]
pub(super) struct Block {
    items: Bytes,
    item_bytes: usize,
}

impl Block {
    /// Fences, one after another.
    pub(super) fn of_fences(items: Bytes) -> Block {
        Block { items, item_bytes: FENCE_BYTES }
    }

    fn of_entries(items: Bytes) -> Block {
        Block { items, item_bytes: ENTRY_BYTES }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len() / self.item_bytes
    }

    /// How many items have keys that are not above `key`.
    pub(super) fn count_up_to(&self, key: &Key) -> usize {
        self.partition(|other| other <= key.as_slice())
    }

    /// How many items have keys below `key`.
    pub(super) fn count_below(&self, key: &Key) -> usize {
        self.partition(|other| other < key.as_slice())
    }

    /// How many items have keys that satisfy a predicate, which holds for those of a prefix.
    fn partition(&self, holds: impl Fn(&[u8]) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let start = middle * self.item_bytes;
            if holds(&self.items[start..start + WIDTH]) { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The entry at a position below [`Block::len`], in a block of entries.
    pub(super) fn entry(&self, at: usize) -> (Key, Value) {
        let (mut key, mut value) = ([0; WIDTH], [0; WIDTH]);
        let start = at * ENTRY_BYTES;
        key.copy_from_slice(&self.items[start..start + WIDTH]);
        value.copy_from_slice(&self.items[start + WIDTH..start + ENTRY_BYTES]);
        (key, value)
    }
}

/// Where the blocks of a run stand. They are numbered from 0 in the order of the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Entries of the run.
    pub(super) entries: u64,
}

impl Layout {
    pub(super) fn data_blocks(self) -> u64 {
        self.entries.div_ceil(BLOCK_ENTRIES)
    }

    pub(super) fn fence_blocks(self) -> u64 {
        self.data_blocks().div_ceil(BLOCK_FENCES)
    }

    fn is_data(self, number: u64) -> bool {
        number < self.data_blocks()
    }

    /// The bytes of a block in the file, its hash included.
    pub(super) fn range(self, number: u64) -> Range<u64> {
        match self.is_data(number) {
            true => block_range(number, self.entries, BLOCK_ENTRIES, ENTRY_BYTES),
            false => {
                let number = number - self.data_blocks();
                let range = block_range(number, self.data_blocks(), BLOCK_FENCES, FENCE_BYTES);
                self.data_bytes() + range.start..self.data_bytes() + range.end
            }
        }
    }

    /// The size of all data blocks.
    fn data_bytes(self) -> u64 {
        self.entries * ENTRY_BYTES as u64 + self.data_blocks() * HASH_BYTES as u64
    }

    /// Checks the bytes of a block; `None` unless they match their hash.
    pub(super) fn verified(self, number: u64, bytes: Bytes) -> Option<Block> {
        let items = bytes.slice(..bytes.len().checked_sub(HASH_BYTES)?);
        let matches = block_hash(number, &items).as_bytes()[..] == bytes[items.len()..];
        matches.then(|| if self.is_data(number) { Block::of_entries(items) } else { Block::of_fences(items) })
    }

    /// The entries of a whole file, in order, unchecked.
    pub(super) fn entries_of(self, file: &Bytes) -> impl Iterator<Item = (Key, Value)> {
        let block = move |number| {
            let range = self.range(number);
            Block::of_entries(file.slice(range.start as usize..range.end as usize - HASH_BYTES))
        };
        (0..self.data_blocks()).map(block).flat_map(|block| (0..block.len()).map(move |at| block.entry(at)))
    }
}

/// The bytes of a block among blocks of one kind that hold `items` together.
fn block_range(number: u64, items: u64, block_items: u64, item_bytes: usize) -> Range<u64> {
    let start = number * (block_items * item_bytes as u64 + HASH_BYTES as u64);
    let here = block_items.min(items - number * block_items);
    start..start + here * item_bytes as u64 + HASH_BYTES as u64
}

/// The file of a run with these entries, and the first key of each of its fence blocks, one after another.
pub(super) fn encode(entries: &[(Key, Value)]) -> (Vec<u8>, Vec<u8>) {
    let mut file = Vec::with_capacity(entries.len() * (ENTRY_BYTES + 1) + HASH_BYTES);
    let mut fences = Vec::with_capacity(entries.len() / BLOCK_ENTRIES as usize * FENCE_BYTES + FENCE_BYTES);
    let mut number = 0;
    for block in entries.chunks(BLOCK_ENTRIES as usize) {
        fences.extend_from_slice(&block[0].0);
        let items = block.iter().flat_map(|(key, value)| [key, value]).flatten();
        push_block(&mut file, &mut number, items.copied());
    }
    let mut first_fences = Vec::new();
    for block in fences.chunks(BLOCK_FENCES as usize * FENCE_BYTES) {
        first_fences.extend_from_slice(&block[..FENCE_BYTES]);
        push_block(&mut file, &mut number, block.iter().copied());
    }
    (file, first_fences)
}

fn push_block(file: &mut Vec<u8>, number: &mut u64, items: impl Iterator<Item = u8>) {
    let start = file.len();
    file.extend(items);
    let hash = block_hash(*number, &file[start..]);
    file.extend_from_slice(hash.as_bytes());
    *number += 1;
}

fn block_hash(number: u64, items: &[u8]) -> blake3::Hash {
    blake3::Hasher::new().update(items).update(&number.to_le_bytes()).finalize()
}

/// Blocks that were read and verified.
#[derive(Debug)]
pub(super) struct BlockCache {
    blocks: Cache<(NodeHash, u64), Block, ByBytes>,
    damaged: AtomicBool,
    /// Paths of the runs that were found missing or damaged.
    distrusted: Mutex<HashSet<String>>,
}

#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<(NodeHash, u64), Block> for ByBytes {
    fn weight(&self, _: &(NodeHash, u64), block: &Block) -> u64 {
        block.items.len() as u64
    }
}

impl BlockCache {
    pub(super) fn new() -> Arc<BlockCache> {
        let blocks = Cache::with_weighter((CACHE_BYTES >> 12) as usize, CACHE_BYTES, ByBytes);
        Arc::new(BlockCache { blocks, damaged: AtomicBool::new(false), distrusted: Mutex::default() })
    }

    /// A block of the run of that name.
    pub(super) fn get(&self, run: NodeHash, number: u64) -> Option<Block> {
        self.blocks.get(&(run, number))
    }

    pub(super) fn insert(&self, run: NodeHash, number: u64, block: &Block) {
        self.blocks.insert((run, number), block.clone());
    }

    /// How many blocks are kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Notes that a run is missing or damaged: it is not used again, and the index is made anew from the log.
    pub(super) fn distrust(&self, run: &str) {
        lock(&self.distrusted).insert(run.to_string());
        self.mark_damaged();
    }

    /// Whether a run was found missing or damaged.
    pub(super) fn is_distrusted(&self, run: &str) -> bool {
        lock(&self.distrusted).contains(run)
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
