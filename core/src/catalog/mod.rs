//! The catalog: what the log means. Branches, tags, and which version of which table is where.
//!
//! Floor 5: knows the log and what is below; knows nothing of rows. Nothing here grows with the history: questions are
//! answered from an index of sorted files, the newest entries of which are in memory (`index`), and from single
//! records of the log.
//!
//! Invariants: tx_ids are dense and in log order; times never go back; versions of a table name are dense over the whole
//! repository; what a view has seen never changes.

mod block;
mod checkpoint;
mod checkpointing;
mod commit;
mod derived;
mod group;
mod index;
mod key;
mod records;
mod run;
mod state;
mod takeover;
#[cfg(test)]
mod tests;
mod view;

pub use commit::{Draft, Proposal};
pub use derived::DerivedDamage;
pub use key::TableState;
pub use state::{Branch, Tag};
pub use view::{Snapshot, StagedContent, VersionChange, View};

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tracing::instrument;

use block::BlockCache;
use checkpointing::newest_checkpoint;
use commit::{CommitQueue, lock};
use key::TransactionPlace;
use records::{Records, Transactions};
use state::State;
use takeover::RECENT_ENTRIES_MAX;

use crate::error::Result;
use crate::format::{RecordHash, TxId};
use crate::limits::SNAPSHOT_RECORDS;
use crate::log::{Log, LogPosition, LogRecord};
use crate::store::{Access, Clock, Environment, Store};

/// What those who wait for the next transaction look at.
#[derive(Debug)]
struct Arrivals {
    last_tx: TxId,
    /// How many wait.
    waiting: usize,
}

/// The versioned catalog of one repository. Thread-safe; several processes may have it open at once.
#[derive(Debug)]
pub struct Catalog {
    store: Arc<dyn Store>,
    environment: Environment,
    records: Arc<Records>,
    blocks: Arc<BlockCache>,
    /// What readers see.
    published: RwLock<Arc<State>>,
    /// Held while the state moves on, so that records are applied in their order.
    moving: Mutex<()>,
    queue: CommitQueue,
    arrivals: Mutex<Arrivals>,
    arrived: Condvar,
    /// Records, and their bytes, since the newest checkpoint, or the last try to write one.
    uncheckpointed_records: AtomicU64,
    uncheckpointed_bytes: AtomicU64,
    checkpointing: Mutex<()>,
    /// How many entries in memory call for a look at the checkpoints that others wrote.
    take_over_at: AtomicUsize,
}

impl Catalog {
    /// Opens the catalog of a log, from its newest checkpoint.
    ///
    /// `chain_start` is what `repo.json` gives. A checkpoint that cannot be used is passed over for the log itself.
    /// `LOG_CORRUPT`, `FORMAT_UNSUPPORTED`, `IO`.
    #[instrument(level = "debug", skip_all)]
    pub fn open(
        store: Arc<dyn Store>,
        environment: Environment,
        chain_start: RecordHash,
        access: Access,
    ) -> Result<Catalog> {
        let blocks = BlockCache::new();
        let open_log = |from| Log::open(store.clone(), environment.clone(), chain_start, from, access);
        let (log, state) = match newest_checkpoint(&store, &blocks, |checkpoint| checkpoint.chain_start == chain_start)
        {
            Some(state) => (open_log(Some(state.position))?, state),
            None => (open_log(None)?, State::empty(LogPosition::start(chain_start))),
        };
        let catalog = Catalog {
            store,
            environment,
            records: Arc::new(Records::new(log, LogPosition::start(chain_start))),
            blocks,
            arrivals: Mutex::new(Arrivals { last_tx: state.last_tx, waiting: 0 }),
            published: RwLock::new(Arc::new(state)),
            moving: Mutex::new(()),
            queue: CommitQueue::default(),
            arrived: Condvar::new(),
            uncheckpointed_records: AtomicU64::new(0),
            uncheckpointed_bytes: AtomicU64::new(0),
            checkpointing: Mutex::new(()),
            take_over_at: AtomicUsize::new(RECENT_ENTRIES_MAX),
        };
        if let Err(error) = catalog.refresh() {
            // A damaged index file: the second look has one made anew.
            catalog.blocks.is_damaged().then_some(()).ok_or(error)?;
            catalog.refresh()?;
        }
        Ok(catalog)
    }

    /// The place before the first record of the log.
    pub fn beginning(&self) -> LogPosition {
        self.records.beginning
    }

    /// The log below.
    pub fn log(&self) -> &Log {
        &self.records.log
    }

    /// Where the times of transactions come from.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.environment.clock
    }

    /// The catalog as it is now, with everything that any process has committed.
    pub fn view(&self) -> Result<View> {
        self.refresh()?;
        Ok(self.latest_view())
    }

    /// The catalog as this process last saw it, without a look at the log.
    pub fn latest_view(&self) -> View {
        View::of(self.published(), self.records.clone())
    }

    fn published(&self) -> Arc<State> {
        self.published.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn publish(&self, state: impl Into<Arc<State>>) {
        let state = state.into();
        let last_tx = state.last_tx;
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = state;
        let mut arrivals = lock(&self.arrivals);
        arrivals.last_tx = last_tx;
        // To wake nobody costs a call of the kernel, too.
        if arrivals.waiting > 0 {
            self.arrived.notify_all();
        }
    }

    /// Takes in what other processes committed.
    fn refresh(&self) -> Result<()> {
        let _moving = lock(&self.moving);
        self.rebuild_if_damaged()?;
        loop {
            let fresh = self.records.log.catch_up()?;
            self.take_in(fresh)?;
            self.take_over_if_large();
            if !self.records.log.is_behind() {
                return Ok(());
            }
        }
    }

    fn rebuild_if_damaged(&self) -> Result<()> {
        match self.blocks.take_damaged() {
            true => self.rebuild().inspect_err(|_| self.blocks.mark_damaged()),
            false => Ok(()),
        }
    }

    /// Makes the index anew from the log: a file of it was missing or damaged.
    #[instrument(level = "debug", skip_all)]
    fn rebuild(&self) -> Result<()> {
        self.publish(State::from_log(&self.records, self.records.log.position())?);
        // The next commit writes it down.
        self.uncheckpointed_records.fetch_add(SNAPSHOT_RECORDS, Ordering::Relaxed);
        Ok(())
    }

    /// Applies records that follow the published state, and publishes.
    fn take_in(&self, fresh: Vec<LogRecord>) -> Result<Arc<State>> {
        let published = self.published();
        if fresh.is_empty() {
            return Ok(published);
        }
        let mut state = State::clone(&published);
        for record in fresh.into_iter().filter(|record| record.sequence >= published.position.next) {
            // The log does not hand a record out again: what was not taken in has to be read anew.
            self.apply(&mut state, record).inspect_err(|_| self.blocks.mark_damaged())?;
        }
        self.publish(state);
        Ok(self.published())
    }

    /// Counts a record, and keeps it in memory.
    fn remember(&self, record: LogRecord) -> Transactions {
        self.uncheckpointed_records.fetch_add(1, Ordering::Relaxed);
        self.uncheckpointed_bytes.fetch_add(u64::from(record.location.bytes), Ordering::Relaxed);
        self.records.remember(record)
    }

    fn apply(&self, state: &mut State, record: LogRecord) -> Result<()> {
        let (location, behind) = (record.location, record.behind());
        let transactions = self.remember(record);
        for (index, transaction) in (0..).zip(transactions.iter()) {
            state.apply(transaction, Some(TransactionPlace { record: location, index }))?;
        }
        state.position = behind;
        Ok(())
    }

    /// Waits until a transaction after `tx_id` is there, the time is over, or `stop` says so; answers how much of the
    /// time is left.
    ///
    /// Commits of this process and [`Catalog::wake_all`] wake it at once; commits of others are looked for now and then.
    pub fn wait_for_commit(&self, tx_id: TxId, timeout: Duration, stop: impl Fn() -> bool) -> Result<Duration> {
        const LOOK_AROUND: Duration = Duration::from_millis(20);
        let clock = &self.environment.clock;
        let mut left = timeout;
        loop {
            self.refresh()?;
            let mut seen = lock(&self.arrivals);
            if seen.last_tx > tx_id || left.is_zero() || stop() {
                return Ok(left);
            }
            let (pause, began) = (left.min(LOOK_AROUND), clock.monotonic());
            seen.waiting += 1;
            let (mut seen, waited) = self
                .arrived
                .wait_timeout_while(seen, pause, |seen| seen.last_tx <= tx_id && !stop())
                .unwrap_or_else(PoisonError::into_inner);
            seen.waiting -= 1;
            drop(seen);
            let spent = if waited.timed_out() { pause } else { clock.monotonic().saturating_sub(began) };
            left = left.saturating_sub(spent);
        }
    }

    /// Wakes everybody who waits, for instance because the database closes.
    pub fn wake_all(&self) {
        // With the lock, so that nobody is between looking and waiting.
        let seen = lock(&self.arrivals);
        self.arrived.notify_all();
        drop(seen);
    }
}
