//! When checkpoints are written, which one opening uses, and which are swept.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tracing::{debug, instrument};

use super::Catalog;
use super::block::BlockCache;
use super::checkpoint::{self, Checkpoint};
use super::commit::lock;
use super::index::Index;
use super::state::State;
use crate::error::{Error, Result};
use crate::format::Sequence;
use crate::limits::{SNAPSHOT_LOG_BYTES, SNAPSHOT_RECORDS};
use crate::log::Snapshots;
use crate::store::Store;

/// How many checkpoints a sweep leaves.
pub(super) const CHECKPOINTS_KEPT: usize = 64;

impl Catalog {
    pub(super) fn checkpoint_if_due(&self) {
        let Ok(_alone) = self.checkpointing.try_lock() else { return };
        let due = self.uncheckpointed_records.load(Ordering::Relaxed) >= SNAPSHOT_RECORDS
            || self.uncheckpointed_bytes.load(Ordering::Relaxed) >= SNAPSHOT_LOG_BYTES;
        if due && let Err(error) = self.checkpoint() {
            // Derived data: the commit stands whatever happens here.
            debug!(%error, "no checkpoint");
        }
    }

    /// Writes the published state down and sweeps what it replaces.
    #[instrument(level = "debug", skip_all)]
    pub(super) fn checkpoint(&self) -> Result<()> {
        // Where this fails, the next try is due only after as many records again.
        self.uncheckpointed_records.store(0, Ordering::Relaxed);
        self.uncheckpointed_bytes.store(0, Ordering::Relaxed);
        let state = self.published();
        let last = Sequence(state.position.next.0.saturating_sub(1));
        let index = state.index.flushed(&self.store, &self.blocks, last, state.last_tx)?;
        // From here on the run is used, so that it is not written again if no checkpoint comes to name it.
        self.rebase(&state.index, &index);
        let flushed = State { index, ..State::clone(&state) };
        let snapshots = Snapshots::new(self.store.clone());
        snapshots.put(last, &Checkpoint::of(&flushed, self.records.beginning.previous).encode()?)?;
        sweep(&self.store, &snapshots)
    }

    /// Publishes the same state with those of its entries in a run that a flush has written there.
    fn rebase(&self, before: &Index, after: &Index) {
        let _moving = lock(&self.moving);
        let mut current = State::clone(&self.published());
        current.index = current.index.rebased(before, after);
        self.publish(current);
    }
}

/// The state that the newest checkpoint holds of those that will do and whose index files are all there. One of a layout
/// that this library does not know is passed over, too, and so is one that cannot be read: the log says the same.
pub(super) fn newest_checkpoint(
    store: &Arc<dyn Store>,
    blocks: &Arc<BlockCache>,
    will_do: impl Fn(&Checkpoint) -> bool,
) -> Option<State> {
    let unreadable = |error: &Error| tracing::warn!(%error, "passing over checkpoints that cannot be read");
    let snapshots = Snapshots::new(store.clone());
    let found = snapshots.newest_first().inspect_err(unreadable).into_iter().flatten();
    let decoded = found.filter_map(|(_, bytes)| Checkpoint::decode(&bytes));
    let mut states = decoded.filter(will_do).map(|checkpoint| checkpoint.state(store, blocks));
    states.find(|state| state.index.is_there().inspect_err(unreadable).unwrap_or(false))
}

/// Deletes checkpoints, and index files that none of those left needs.
///
/// Other processes may still look things up in older index files, or be about to write a checkpoint: what is younger
/// than [`CHECKPOINTS_KEPT`] checkpoints stays.
fn sweep(store: &Arc<dyn Store>, snapshots: &Snapshots) -> Result<()> {
    let sequences = snapshots.list()?;
    if sequences.len() < 2 * CHECKPOINTS_KEPT {
        return Ok(());
    }
    snapshots.prune(CHECKPOINTS_KEPT)?;
    let mut kept = Vec::new();
    for sequence in snapshots.list()? {
        kept.extend(snapshots.get(sequence)?.and_then(|bytes| Checkpoint::decode(&bytes)));
    }
    checkpoint::sweep_runs(&**store, &kept)
}
