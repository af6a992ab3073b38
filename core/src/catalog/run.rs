//! A run: index entries sorted into one immutable file, looked up by ranged reads. Section "Index runs" of
//! `docs/FORMAT.md`.
//!
//! A lookup reads one fence block and one data block; which fence block, the checkpoint says. A run holds all entries of
//! consecutive transactions. Runs are derived from the log: one that is missing or damaged is built again from it.

use std::fmt;
use std::ops::{Range, RangeInclusive};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::block::{self, BLOCK_BYTES_MAX, BLOCK_FENCES, Block, BlockCache, Layout};
use super::key::{Key, Value, WIDTH};
use crate::error::{Error, Result};
use crate::format::{NodeHash, Sequence, TxId};
use crate::store::{Store, StoreFile};

/// What a snapshot says of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunInfo {
    /// The record up to which it was made.
    pub(super) sequence: Sequence,
    /// The hash of the whole file.
    pub(super) name: NodeHash,
    /// How many entries it has.
    pub(super) entries: u64,
    /// The last transaction in it; its first is the one after the last of the run before.
    pub(super) last_tx: TxId,
    /// The first key of every fence block, one after another.
    pub(super) fences: ByteBuf,
}

impl RunInfo {
    /// Whether its parts fit together.
    pub(super) fn is_sound(&self) -> bool {
        let fence_blocks = (self.fences.len() / WIDTH) as u64;
        self.entries > 0 && self.fences.len().is_multiple_of(WIDTH) && self.layout().fence_blocks() == fence_blocks
    }

    fn layout(&self) -> Layout {
        Layout { entries: self.entries }
    }
}

/// A run that can be looked up.
#[derive(Clone)]
pub(super) struct Run {
    info: Arc<RunInfo>,
    first_tx: TxId,
    /// The first key of every fence block.
    fences: Block,
    path: String,
    /// Open from when it is written, found to be there, or first needed, for a sweep may take its name away.
    file: Arc<OnceLock<Arc<dyn StoreFile>>>,
    store: Arc<dyn Store>,
    blocks: Arc<BlockCache>,
}

impl Run {
    /// Names a run that a snapshot lists; nothing is read yet.
    pub(super) fn open(store: Arc<dyn Store>, blocks: Arc<BlockCache>, first_tx: TxId, info: RunInfo) -> Run {
        let fences = Block::of_fences(Bytes::copy_from_slice(&info.fences));
        Run { path: run_path(&info), info: Arc::new(info), first_tx, fences, file: Arc::default(), store, blocks }
    }

    /// Writes the sorted entries of some transactions as a run, durably.
    pub(super) fn write(
        store: &Arc<dyn Store>,
        blocks: &Arc<BlockCache>,
        sequence: Sequence,
        made_by: RangeInclusive<TxId>,
        entries: &[(Key, Value)],
    ) -> Result<Run> {
        debug_assert!(!entries.is_empty() && entries.is_sorted(), "a run has sorted entries");
        let (file, fences) = block::encode(entries);
        let info = RunInfo {
            sequence,
            name: NodeHash::of(&file),
            entries: entries.len() as u64,
            last_tx: *made_by.end(),
            fences: ByteBuf::from(fences),
        };
        let run = Run::open(store.clone(), blocks.clone(), *made_by.start(), info);
        store.create(&run.path, &file)?;
        store.sync(&[run.path.as_str()])?;
        run.open_file()?;
        Ok(run)
    }

    /// Whether its file is there, in its size, and was not found damaged; keeps it open.
    pub(super) fn is_there(&self) -> Result<bool> {
        if self.blocks.is_distrusted(&self.path) {
            return Ok(false);
        }
        let file = self.open_file()?;
        Ok(file.map(|file| file.bytes()).transpose()? == Some(self.file_bytes()))
    }

    fn open_file(&self) -> Result<Option<&Arc<dyn StoreFile>>> {
        if self.file.get().is_none() {
            let opened = self.store.open_file(&self.path)?;
            return Ok(opened.map(|opened| self.file.get_or_init(|| opened)));
        }
        Ok(self.file.get())
    }

    fn file(&self) -> Result<&Arc<dyn StoreFile>> {
        self.open_file()?.ok_or_else(|| self.damaged("is missing"))
    }

    fn file_bytes(&self) -> u64 {
        let layout = self.info.layout();
        layout.range(layout.data_blocks() + layout.fence_blocks() - 1).end
    }

    pub(super) fn info(&self) -> RunInfo {
        RunInfo::clone(&self.info)
    }

    pub(super) fn len(&self) -> u64 {
        self.info.entries
    }

    /// The last transaction in it.
    pub(super) fn last_tx(&self) -> TxId {
        self.info.last_tx
    }

    /// Whether it can hold entries of some transactions.
    pub(super) fn overlaps(&self, made_by: &RangeInclusive<TxId>) -> bool {
        self.first_tx <= *made_by.end() && *made_by.start() <= self.last_tx()
    }

    /// The last entry whose key is not above `key`.
    pub(super) fn last_up_to(&self, key: &Key) -> Result<Option<(Key, Value)>> {
        let Some(number) = self.block_of(key)? else { return Ok(None) };
        let block = self.block(number)?;
        Ok(Some(block.entry(self.last_of(block.count_up_to(key))?)))
    }

    /// The first entry whose key is not below `key`.
    pub(super) fn first_from(&self, key: &Key) -> Result<Option<(Key, Value)>> {
        // If not in the block that would hold the key, it is the first of the next one.
        for number in self.block_of(key)?.unwrap_or(0)..self.info.layout().data_blocks() {
            let block = self.block(number)?;
            let at = block.count_below(key);
            if at < block.len() {
                return Ok(Some(block.entry(at)));
            }
        }
        Ok(None)
    }

    /// Adds all entries with keys in `low..=high`, in order.
    pub(super) fn range(&self, low: &Key, high: &Key, found: &mut Vec<(Key, Value)>) -> Result<()> {
        let first = self.block_of(low)?.unwrap_or(0);
        for number in first..self.info.layout().data_blocks() {
            let block = self.block(number)?;
            let end = block.count_up_to(high);
            found.extend((block.count_below(low)..end).map(|at| block.entry(at)));
            if end < block.len() {
                break;
            }
        }
        Ok(())
    }

    /// Adds all entries, in order: the file is read at once, and nothing of it is kept in memory.
    pub(super) fn all(&self, found: &mut Vec<(Key, Value)>) -> Result<()> {
        let file = self.read(0..self.file_bytes())?;
        if NodeHash::of(&file) != self.info.name {
            return Err(self.damaged("does not match its name"));
        }
        found.extend(self.info.layout().entries_of(&file));
        Ok(())
    }

    /// The data block that holds a key if any does: the last one that does not begin above it.
    fn block_of(&self, key: &Key) -> Result<Option<u64>> {
        let Some(part) = self.fences.count_up_to(key).checked_sub(1) else { return Ok(None) };
        let fences = self.block(self.info.layout().data_blocks() + part as u64)?;
        let inside = self.last_of(fences.count_up_to(key))?;
        Ok(Some(part as u64 * BLOCK_FENCES + inside as u64))
    }

    /// The place of the last of so many items. There is one: the block was chosen because its first key is not above.
    fn last_of(&self, count: usize) -> Result<usize> {
        count.checked_sub(1).ok_or_else(|| self.damaged("does not fit its checkpoint"))
    }

    fn block(&self, number: u64) -> Result<Block> {
        if let Some(block) = self.blocks.get(self.info.name, number) {
            return Ok(block);
        }
        let block = self.read_block(number)?;
        self.blocks.insert(self.info.name, number, &block);
        Ok(block)
    }

    fn read_block(&self, number: u64) -> Result<Block> {
        let layout = self.info.layout();
        let bytes = self.read(layout.range(number))?;
        layout.verified(number, bytes).ok_or_else(|| self.damaged("does not match its hash"))
    }

    fn read(&self, range: Range<u64>) -> Result<Bytes> {
        let file = self.file()?;
        let length = range.end - range.start;
        // A wrong size must not decide how much memory is taken.
        if length > BLOCK_BYTES_MAX && range.end > file.bytes()? {
            return Err(self.damaged("is cut short"));
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        let count = file.read_at(range.start, &mut bytes)?;
        match count as u64 == length {
            true => Ok(bytes.into()),
            false => Err(self.damaged("is cut short")),
        }
    }

    /// Has the index made anew, here and by whoever opens the repository next: no checkpoint that names this run is
    /// used once its file is gone.
    fn damaged(&self, what: &str) -> Error {
        self.blocks.distrust(&self.path);
        if let Err(error) = self.store.delete(&self.path) {
            tracing::debug!(path = self.path, %error, "a damaged index file stays");
        }
        let reason = format!("an index file {what}; the next operation makes the index anew from the log");
        Error::LogCorrupt { at: self.path.clone(), reason }
    }
}

/// Whether an error says that a run is damaged or missing: all that it holds can be read from the log.
pub(super) fn is_damage(error: &Error) -> bool {
    matches!(error, Error::LogCorrupt { at, .. } if at.starts_with(RUNS))
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
    let (sequence, _) = run_parts(path)?;
    sequence.parse().ok().map(Sequence)
}

/// The hash that the file at a path should have.
pub(super) fn run_name(path: &str) -> Option<NodeHash> {
    let (_, name) = run_parts(path)?;
    name.parse().ok()
}

fn run_parts(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix(RUNS)?.strip_prefix('/')?.split_once('-')
}

/// The directory of runs.
pub(super) const RUNS: &str = "index";
