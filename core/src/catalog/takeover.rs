//! Taking over what others wrote down: a handle that never commits writes no checkpoint, and what it learns of others'
//! commits would stay in its memory for ever.

use std::sync::atomic::Ordering;

use super::Catalog;
use super::checkpoint::Checkpoint;
use super::checkpointing::newest_checkpoint;
use super::state::State;
use crate::log::LogPosition;

/// From so many index entries in memory on, about 2 MiB, checkpoints of others are looked for.
pub(super) const RECENT_ENTRIES_MAX: usize = 1 << 14;

impl Catalog {
    /// Puts the published state on the runs of a checkpoint that another handle wrote, if much has gathered in memory.
    ///
    /// `moving` is held. The look is repeated only when as much again has gathered, so it costs little where nobody writes
    /// checkpoints.
    pub(super) fn take_over_if_large(&self) {
        if self.published().index.recent_len() < self.take_over_at.load(Ordering::Relaxed) {
            return;
        }
        // Who writes a checkpoint through this handle empties the memory, too.
        let Ok(_alone) = self.checkpointing.try_lock() else { return };
        self.take_over();
        let next = self.published().index.recent_len() + RECENT_ENTRIES_MAX;
        self.take_over_at.store(next, Ordering::Relaxed);
    }

    fn take_over(&self) {
        let published = self.published();
        let will_do = |checkpoint: &Checkpoint| {
            checkpoint.chain_start == self.records.beginning.previous
                && checkpoint.last_tx > published.index.runs_end()
                && self.is_passed(&published, checkpoint.position)
        };
        if let Some(checkpoint) = newest_checkpoint(&self.store, &self.blocks, will_do) {
            let index = published.index.on_runs_of(&checkpoint.index);
            self.publish(State { index, ..State::clone(&published) });
        }
    }

    /// Whether a state has come by a place in the log: it stands there, or behind a record that follows that place.
    fn is_passed(&self, state: &State, place: LogPosition) -> bool {
        let follows =
            || matches!(self.records.log.scan(place).next(), Some(Ok(record)) if record.sequence == place.next);
        place == state.position || (place.next < state.position.next && follows())
    }
}
