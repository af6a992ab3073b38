//! A cursor over the changelog that can wait for what comes next.
//!
//! A subscriber that stores the last tx_id it handled and starts again from there misses nothing and sees nothing
//! twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{ChangelogEntry, ChangesQuery, Filter, next_entry};
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::format::TxId;
use crate::repository::Repository;

/// Follows the changelog. One thread at a time.
#[derive(Debug)]
pub struct Subscription {
    repository: Arc<Repository>,
    filter: Filter,
    cursor: TxId,
    closed: Arc<AtomicBool>,
    database_closed: Arc<AtomicBool>,
}

impl Subscription {
    /// Subscribes to what a query asks for; its limits in time and number do not count. Without `since_tx` it begins
    /// behind the newest transaction. `database_closed` ends it from outside.
    pub(crate) fn new(
        repository: Arc<Repository>,
        query: &ChangesQuery,
        database_closed: Arc<AtomicBool>,
    ) -> Result<Subscription> {
        let view = repository.catalog.view()?;
        let filter = Filter::new(&view, query)?;
        let latest = view.last_tx();
        let cursor = TxId(query.since_tx.unwrap_or(latest.0));
        if cursor > latest {
            return Err(Error::TransactionNotFound { tx_id: cursor.0, latest: latest.0 });
        }
        Ok(Subscription { repository, filter, cursor, closed: Arc::default(), database_closed })
    }

    /// The last transaction that was handed out or passed over.
    pub fn cursor(&self) -> u64 {
        self.cursor.0
    }

    /// The next entry, waiting for it up to `timeout`; `None` if none came. With a timeout of 0 it looks at all there is and
    /// waits for nothing; otherwise the search ends with the time, too, and the next call goes on from there. `CLOSED` after [`Subscription::close`] or
    /// when the database was closed.
    pub fn poll(&mut self, timeout: Duration) -> Result<Option<ChangelogEntry>> {
        self.poll_with(timeout, &CancelToken::new())
    }

    /// The same, until it is cancelled (`CANCELLED`): that ends the wait at once, and the subscription goes on.
    pub fn poll_with(&mut self, timeout: Duration, cancel: &CancelToken) -> Result<Option<ChangelogEntry>> {
        let repository = self.repository.clone();
        let _wake = cancel.on_cancel(move || repository.catalog.wake_all());
        let closed = [self.closed.clone(), self.database_closed.clone()];
        let stop = || cancel.is_cancelled() || closed.iter().any(|closed| closed.load(Ordering::SeqCst));
        let clock = self.repository.catalog.clock().clone();
        let mut left = timeout;
        loop {
            self.check_open()?;
            cancel.check("waiting for changes")?;
            let (view, began) = (self.repository.catalog.view()?, clock.monotonic());
            let spent = || clock.monotonic().saturating_sub(began);
            let is_over = || stop() || (!left.is_zero() && spent() >= left);
            let (entry, cursor) = next_entry(&view, &self.filter, self.cursor, is_over)?;
            self.cursor = cursor;
            if entry.is_some() {
                return Ok(entry);
            }
            if stop() {
                continue;
            }
            if left.is_zero() || spent() >= left {
                return Ok(None);
            }
            left = self.repository.catalog.wait_for_commit(cursor, left.saturating_sub(spent()), stop)?;
        }
    }

    /// Ends the subscription: a wait in another thread returns, and the iterator ends.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.repository.catalog.wake_all();
    }

    /// What closes this subscription from another thread.
    pub fn closer(&self) -> impl Fn() + Send + Sync + 'static + use<> {
        let (closed, repository) = (self.closed.clone(), self.repository.clone());
        move || {
            closed.store(true, Ordering::SeqCst);
            repository.catalog.wake_all();
        }
    }

    /// Calls `handle` for every entry, in order, from a thread of its own, until it answers `false`, the subscription
    /// is closed, or an error ends it.
    pub fn spawn(self, mut handle: impl FnMut(ChangelogEntry) -> bool + Send + 'static) -> BackgroundSubscription {
        let close = Box::new(self.closer());
        let worker = std::thread::spawn(move || {
            for entry in self {
                if !handle(entry?) {
                    break;
                }
            }
            Ok(())
        });
        BackgroundSubscription { close, worker: Some(worker) }
    }

    fn check_open(&self) -> Result<()> {
        if self.database_closed.load(Ordering::SeqCst) {
            return Err(Error::Closed { what: "database" });
        }
        if self.closed.load(Ordering::SeqCst) {
            return Err(Error::Closed { what: "subscription" });
        }
        Ok(())
    }
}

impl Iterator for Subscription {
    type Item = Result<ChangelogEntry>;

    /// Waits for the next entry; ends when the subscription or its database is closed.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.poll(Duration::MAX) {
                Ok(Some(entry)) => return Some(Ok(entry)),
                Ok(None) => {}
                Err(Error::Closed { .. }) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// A subscription that runs in a thread of its own. Dropping it closes it and waits for the handler to return.
pub struct BackgroundSubscription {
    close: Box<dyn Fn() + Send + Sync>,
    worker: Option<JoinHandle<Result<()>>>,
}

impl BackgroundSubscription {
    /// Closes the subscription, waits for its thread, and says how it ended.
    pub fn close(mut self) -> Result<()> {
        self.end()
    }

    /// Whether the thread has ended by itself.
    pub fn is_finished(&self) -> bool {
        self.worker.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn end(&mut self) -> Result<()> {
        (self.close)();
        match self.worker.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Err(Error::internal("the handler of a subscription panicked")),
        }
    }
}

impl std::fmt::Debug for BackgroundSubscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BackgroundSubscription").field("finished", &self.is_finished()).finish()
    }
}

impl Drop for BackgroundSubscription {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::warn!(%error, "a subscription ended with an error");
        }
    }
}
