//! The catalog's index: what the log says, sorted. Recent entries in memory, older ones in runs.
//!
//! A key is written once and never changes, so the same key means the same everywhere and runs need no order among
//! each other. Runs are merged as a log-structured tree does (O'Neil et al. 1996): each is at least twice as long as
//! the next, so their number grows with the logarithm of the history.

use std::sync::Arc;

use imbl::OrdMap;

use super::key::{Key, Value};
use super::run::{BlockCache, Run, RunInfo};
use crate::error::Result;
use crate::format::Sequence;
use crate::store::Store;

/// Runs from this length on are no longer merged, which bounds the memory that merging takes to 64 MiB.
const MERGE_ENTRIES_MAX: u64 = 1 << 20;

/// Sorted entries; cloning is cheap and gives a frozen copy.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    recent: OrdMap<Key, Value>,
    runs: Arc<[Run]>,
}

impl Index {
    pub(super) fn open(store: &Arc<dyn Store>, blocks: &Arc<BlockCache>, runs: &[RunInfo]) -> Index {
        let runs = runs.iter().map(|info| Run::open(store.clone(), blocks.clone(), *info)).collect();
        Index { recent: OrdMap::new(), runs }
    }

    pub(super) fn insert(&mut self, key: Key, value: Value) {
        self.recent.insert(key, value);
    }

    pub(super) fn runs(&self) -> Vec<RunInfo> {
        self.runs.iter().map(Run::info).collect()
    }

    pub(super) fn get(&self, key: &Key) -> Result<Option<Value>> {
        if let Some(value) = self.recent.get(key) {
            return Ok(Some(*value));
        }
        for run in self.runs.iter().rev() {
            let position = run.seek(key)?;
            if position < run.len() {
                let (found, value) = run.entry(position)?;
                if found == *key {
                    return Ok(Some(value));
                }
            }
        }
        Ok(None)
    }

    /// The entry with the greatest key in `low..=high`.
    pub(super) fn last_in(&self, low: &Key, high: &Key) -> Result<Option<(Key, Value)>> {
        let mut best = self.recent.range(*low..=*high).next_back().map(|(key, value)| (*key, *value));
        for run in self.runs.iter() {
            let Some(position) = last_position(run, high)? else { continue };
            let entry = run.entry(position)?;
            if entry.0 >= *low && best.is_none_or(|(key, _)| entry.0 > key) {
                best = Some(entry);
            }
        }
        Ok(best)
    }

    /// All entries with keys in `low..=high`, in order.
    pub(super) fn range(&self, low: &Key, high: &Key) -> Result<Vec<(Key, Value)>> {
        let mut entries: Vec<_> = self.recent.range(*low..=*high).map(|(key, value)| (*key, *value)).collect();
        for run in self.runs.iter() {
            for position in run.seek(low)?..run.len() {
                let entry = run.entry(position)?;
                if entry.0 > *high {
                    break;
                }
                entries.push(entry);
            }
        }
        entries.sort_unstable();
        Ok(entries)
    }

    /// The same index with its recent entries in a run, durably.
    pub(super) fn flushed(
        &self,
        store: &Arc<dyn Store>,
        blocks: &Arc<BlockCache>,
        sequence: Sequence,
    ) -> Result<Index> {
        let mut entries: Vec<_> = self.recent.iter().map(|(key, value)| (*key, *value)).collect();
        if entries.is_empty() {
            return Ok(self.clone());
        }
        let mut kept = self.runs.to_vec();
        while let Some(run) = kept.pop_if(|run| run.len() < 2 * entries.len() as u64 && run.len() < MERGE_ENTRIES_MAX) {
            for position in 0..run.len() {
                entries.push(run.entry(position)?);
            }
        }
        entries.sort_unstable();
        entries.dedup();
        kept.push(Run::write(store, blocks.clone(), sequence, &entries)?);
        Ok(Index { recent: OrdMap::new(), runs: kept.into() })
    }

    /// The same index after `before`, a former self, was flushed to `after`.
    pub(super) fn rebased(&self, before: &Index, after: &Index) -> Index {
        let recent = self.recent.clone().relative_complement(before.recent.clone());
        Index { recent, runs: after.runs.clone() }
    }
}

/// The position of the last entry whose key is not above `high`.
fn last_position(run: &Run, high: &Key) -> Result<Option<u64>> {
    let position = run.seek(high)?;
    if position < run.len() && run.entry(position)?.0 == *high {
        return Ok(Some(position));
    }
    Ok(position.checked_sub(1))
}
