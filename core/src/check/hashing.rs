//! Compares chunks with their names, on threads, while the log that says which ones is still being read.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::{Progress, VerifyOptions};
use crate::cancel::CancelToken;
use crate::chunk_store::ChunkStore;
use crate::error::{Error, Result};
use crate::format::ChunkHash;

/// What threads that hash share.
pub(super) struct Hashing<'a> {
    chunks: &'a ChunkStore,
    progress: Option<&'a (dyn Fn(Progress) + Sync)>,
    cancel: &'a CancelToken,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<ChunkHash>,
    progress: Progress,
    /// Nothing will be added any more.
    complete: bool,
    damaged: BTreeMap<ChunkHash, Error>,
}

/// Lets the threads go home, however the search for chunks ends.
struct Completes<'a>(&'a Hashing<'a>);

impl Drop for Completes<'_> {
    fn drop(&mut self) {
        self.0.state().complete = true;
        self.0.changed.notify_all();
    }
}

/// Lets `find` add chunks and hashes them meanwhile on other threads, and helps once all are found. Answers what was found, and what is
/// damaged or missing. When cancelled it stops early.
pub(super) fn hash_while<T>(
    chunks: &ChunkStore,
    threads: usize,
    options: &VerifyOptions<'_>,
    cancel: &CancelToken,
    find: impl FnOnce(&Hashing<'_>) -> Result<T>,
) -> Result<(T, BTreeMap<ChunkHash, Error>)> {
    let (state, changed) = (Mutex::default(), Condvar::new());
    let hashing = Hashing { chunks, progress: options.progress, cancel, state, changed };
    let found = std::thread::scope(|scope| {
        (1..threads).for_each(|_| drop(scope.spawn(|| hashing.work())));
        let completes = Completes(&hashing);
        let found = find(&hashing)?;
        drop(completes);
        hashing.work();
        Ok(found)
    })?;
    let damaged = std::mem::take(&mut hashing.state().damaged);
    Ok((found, damaged))
}

impl Hashing<'_> {
    /// Has a chunk hashed.
    pub(super) fn add(&self, chunk: ChunkHash) {
        let mut state = self.state();
        state.waiting.push_back(chunk);
        state.progress.total += 1;
        drop(state);
        self.changed.notify_one();
    }

    fn work(&self) {
        while let Some(chunk) = self.next() {
            let verified = self.chunks.verify(chunk);
            let mut state = self.state();
            state.damaged.extend(verified.err().map(|error| (chunk, error)));
            state.progress.done += 1;
            let progress = state.progress;
            drop(state);
            if let Some(tell) = self.progress {
                tell(progress);
            }
        }
    }

    /// Waits for a chunk; `None` once there are no more.
    fn next(&self) -> Option<ChunkHash> {
        let mut state = self.state();
        loop {
            if self.cancel.is_cancelled() {
                return None;
            }
            match state.waiting.pop_front() {
                None if !state.complete => {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                chunk => return chunk,
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
