//! The catalog's index: what the log says, sorted. Recent entries in memory, older ones in runs.
//!
//! A key is written once and never changes, so the same key means the same everywhere. Each run holds what consecutive
//! transactions made, runs stand in the order of those, and what is in memory is newer than all of them: most runs are
//! passed over unread. Runs are merged as a log-structured tree does (O'Neil et al. 1996): each is at least twice as
//! long as the next, so their number grows with the logarithm of the history.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::OrdMap;

use super::block::BlockCache;
use super::key::{self, Key, Value};
use super::run::{Run, RunInfo};
use crate::error::Result;
use crate::format::{Sequence, TxId};
use crate::store::Store;

/// Runs from this length on are no longer merged, so that merging never takes more than about twice as many entries,
/// 128 MiB, and as much for the file that it makes of them.
const MERGE_ENTRIES_MAX: u64 = 1 << 20;

/// Sorted entries; cloning is cheap and gives a frozen copy.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    recent: OrdMap<Key, Value>,
    runs: Arc<[Run]>,
}

impl Index {
    /// The index of a checkpoint; `runs` stand in the order of their transactions.
    pub(super) fn open(store: &Arc<dyn Store>, blocks: &Arc<BlockCache>, runs: Vec<RunInfo>) -> Index {
        let mut last_tx = TxId(0);
        let open = |info: RunInfo| {
            let first_tx = std::mem::replace(&mut last_tx, info.last_tx).next();
            Run::open(store.clone(), blocks.clone(), first_tx, info)
        };
        Index { recent: OrdMap::new(), runs: runs.into_iter().map(open).collect() }
    }

    /// Whether the files of all runs are there, in their sizes.
    pub(super) fn is_there(&self) -> Result<bool> {
        self.runs.iter().try_fold(true, |all, run| Ok(all && run.is_there()?))
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
        // The older a run, the longer, and the more likely it holds the key.
        for run in self.runs_of(key, key) {
            if let Some((found, value)) = run.last_up_to(key)?
                && found == *key
            {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// The entry with the greatest key in `low..=high`, which differ in nothing but their last part, the one that
    /// counts upwards: so the greatest is the newest.
    pub(super) fn last_in(&self, low: &Key, high: &Key) -> Result<Option<(Key, Value)>> {
        if let Some((key, value)) = self.recent.range(*low..=*high).next_back() {
            return Ok(Some((*key, *value)));
        }
        for run in self.runs_of(low, high).rev() {
            if let Some(entry) = run.last_up_to(high)?
                && entry.0 >= *low
            {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// All entries with keys in `low..=high`, in order.
    pub(super) fn range(&self, low: &Key, high: &Key) -> Result<Vec<(Key, Value)>> {
        let mut entries: Vec<_> = self.recent.range(*low..=*high).map(|(key, value)| (*key, *value)).collect();
        for run in self.runs_of(low, high) {
            run.range(low, high, &mut entries)?;
        }
        entries.sort_unstable();
        Ok(entries)
    }

    /// Of all keys in `low..=high` that differ only in the part that counts upwards, the entry of the greatest that
    /// counts no further than `last`. What lies between is passed over unread.
    pub(super) fn newest_of_each(&self, low: &Key, high: &Key, last: TxId) -> Result<Vec<(Key, Value)>> {
        let mut newest = BTreeMap::new();
        let prefix = |key: &Key| key::counted(key, 0);
        // Oldest first: what later ones hold is newer.
        for run in self.runs.iter().filter(|run| run.overlaps(&(TxId(0)..=last))) {
            let entries = newest_of_each(low, high, last, |key| run.first_from(key), |key| run.last_up_to(key))?;
            newest.extend(entries.into_iter().map(|entry| (prefix(&entry.0), entry)));
        }
        let owned = |(key, value): (&Key, &Value)| (*key, *value);
        let first_from = |key: &Key| Ok(self.recent.range(*key..).next().map(owned));
        let last_up_to = |key: &Key| Ok(self.recent.range(..=*key).next_back().map(owned));
        let entries = newest_of_each(low, high, last, first_from, last_up_to)?;
        newest.extend(entries.into_iter().map(|entry| (prefix(&entry.0), entry)));
        Ok(newest.into_values().collect())
    }

    /// The runs that can hold keys in `low..=high`, oldest first.
    fn runs_of(&self, low: &Key, high: &Key) -> impl DoubleEndedIterator<Item = &Run> {
        let made_by = key::made_by(low, high);
        self.runs.iter().filter(move |run| run.overlaps(&made_by))
    }

    /// The same index with its recent entries, up to those of `last_tx`, in a run, durably.
    pub(super) fn flushed(
        &self,
        store: &Arc<dyn Store>,
        blocks: &Arc<BlockCache>,
        sequence: Sequence,
        last_tx: TxId,
    ) -> Result<Index> {
        let mut entries: Vec<_> = self.recent.iter().map(|(key, value)| (*key, *value)).collect();
        if entries.is_empty() {
            return Ok(self.clone());
        }
        let mut kept = self.runs.to_vec();
        while let Some(run) = kept.pop_if(|run| run.len() < 2 * entries.len() as u64 && run.len() < MERGE_ENTRIES_MAX) {
            run.all(&mut entries)?;
        }
        entries.sort_unstable();
        entries.dedup();
        let first_tx = kept.last().map_or(TxId(1), |run| run.last_tx().next());
        kept.push(Run::write(store, blocks, sequence, first_tx..=last_tx, &entries)?);
        Ok(Index { recent: OrdMap::new(), runs: kept.into() })
    }

    /// The same index after `before`, a former self, was flushed to `after`; as it is where it was made anew since.
    pub(super) fn rebased(&self, before: &Index, after: &Index) -> Index {
        match Arc::ptr_eq(&self.runs, &before.runs) {
            true => self.on_runs_of(after),
            false => self.clone(),
        }
    }

    /// The same index on the runs of another, if those reach further: what they hold leaves the memory.
    pub(super) fn on_runs_of(&self, other: &Index) -> Index {
        let last_tx = other.runs_end();
        if last_tx <= self.runs_end() {
            return self.clone();
        }
        let newer = self.recent.iter().filter(|(key, value)| key::maker(key, value) > last_tx);
        Index { recent: newer.map(|(key, value)| (*key, *value)).collect(), runs: other.runs.clone() }
    }

    /// The last transaction in the runs; 0 if there are none.
    pub(super) fn runs_end(&self) -> TxId {
        self.runs.last().map_or(TxId(0), Run::last_tx)
    }

    /// How many entries are in memory.
    pub(super) fn recent_len(&self) -> usize {
        self.recent.len()
    }
}

/// Jumps from prefix to prefix through sorted entries that can be looked up from either side.
fn newest_of_each(
    low: &Key,
    high: &Key,
    last: TxId,
    first_from: impl Fn(&Key) -> Result<Option<(Key, Value)>>,
    last_up_to: impl Fn(&Key) -> Result<Option<(Key, Value)>>,
) -> Result<Vec<(Key, Value)>> {
    let (mut found, mut from) = (Vec::new(), Some(*low));
    while let Some(key) = from
        && let Some((first, _)) = first_from(&key)?
        && first <= *high
    {
        let bound = key::counted(&first, last.0);
        if first <= bound {
            found.extend(last_up_to(&bound)?);
        }
        from = key::behind_prefix(&first);
    }
    Ok(found)
}
