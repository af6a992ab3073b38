//! Checkpoints: the catalog written down now and then, so that opening does not read the whole log.
//!
//! A checkpoint is derived from the log and never needed: one that is missing or damaged is passed over for the
//! one before it, and where there is none, or the newest is of another layout or of another log, for the log itself.

use std::collections::HashSet;
use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::block::BlockCache;
use super::index::Index;
use super::run::{RUNS, RunInfo, run_path, run_sequence};
use super::state::{Branch, State, Tag};
use crate::error::Result;
use crate::format::{RecordHash, TxId, cbor};
use crate::log::LogPosition;
use crate::store::Store;

/// Checkpoints of another layout are passed over. Layout 1 had runs without fences, layout 2 did not tell where the merges
/// of a branch are.
const LAYOUT: u32 = 3;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Checkpoint {
    layout: u32,
    /// Of the log that it is derived from.
    pub(super) chain_start: RecordHash,
    /// Behind the last record that it covers.
    pub(super) position: LogPosition,
    /// The last transaction that it covers.
    pub(super) last_tx: TxId,
    last_time_us: i64,
    branches: Vec<Branch>,
    tags: Vec<Tag>,
    runs: Vec<RunInfo>,
}

impl Checkpoint {
    /// Writes down a state whose index has no recent entries.
    pub(super) fn of(state: &State, chain_start: RecordHash) -> Checkpoint {
        Checkpoint {
            layout: LAYOUT,
            chain_start,
            position: state.position,
            last_tx: state.last_tx,
            last_time_us: state.last_time_us,
            branches: state.branches.values().cloned().collect(),
            tags: state.tags.values().cloned().collect(),
            runs: state.index.runs(),
        }
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>> {
        cbor::encode(self)
    }

    /// Reads a checkpoint back; `None` if it is not one that this library understands.
    pub(super) fn decode(bytes: &[u8]) -> Option<Checkpoint> {
        cbor::decode(bytes, "a checkpoint").ok().filter(Checkpoint::is_sound)
    }

    /// Whether it is of this layout, and its runs together hold every transaction once.
    fn is_sound(&self) -> bool {
        let last_of_runs = self.runs.last().map_or(TxId(0), |run| run.last_tx);
        self.layout == LAYOUT
            && self.runs.iter().all(RunInfo::is_sound)
            && self.runs.is_sorted_by(|run, next| run.last_tx < next.last_tx)
            && last_of_runs == self.last_tx
    }

    pub(super) fn state(self, store: &Arc<dyn Store>, blocks: &Arc<BlockCache>) -> State {
        State {
            position: self.position,
            last_tx: self.last_tx,
            last_time_us: self.last_time_us,
            branches: self.branches.into_iter().map(|branch| (branch.name.clone(), branch)).collect(),
            tags: self.tags.into_iter().map(|tag| (tag.name.clone(), tag)).collect(),
            index: Index::open(store, blocks, self.runs),
            staged: OrdMap::new(),
        }
    }

    /// The files that it needs.
    pub(super) fn files(&self) -> impl Iterator<Item = String> {
        self.runs.iter().map(run_path)
    }
}

/// Deletes the index files that none of the given checkpoints needs.
///
/// Files younger than all of them stay: somebody may be about to write a checkpoint that names them.
pub(super) fn sweep_runs(store: &dyn Store, kept: &[Checkpoint]) -> Result<()> {
    let Some(oldest) = kept.iter().map(|checkpoint| checkpoint.position.next).min() else { return Ok(()) };
    let needed: HashSet<String> = kept.iter().flat_map(Checkpoint::files).collect();
    for path in store.names(RUNS)? {
        let old = run_sequence(&path).is_some_and(|sequence| sequence < oldest);
        if old && !needed.contains(&path) {
            store.delete(&path)?;
        }
    }
    Ok(())
}
