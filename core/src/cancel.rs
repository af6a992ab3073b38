//! Cancellation from any thread. Floor 0: knows nothing else.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result};

type Callback = Arc<dyn Fn() + Send + Sync>;

/// Asks work to stop; clones are the same token. Once cancelled, a token stays cancelled.
#[derive(Clone, Default)]
pub struct CancelToken {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    cancelled: AtomicBool,
    next_id: AtomicU64,
    callbacks: Mutex<Vec<(u64, Callback)>>,
}

impl CancelToken {
    /// A token that nobody has cancelled.
    pub fn new() -> CancelToken {
        CancelToken::default()
    }

    /// Cancels whatever carries this token; safe to call from any thread, again and again.
    pub fn cancel(&self) {
        self.shared.cancelled.store(true, Ordering::SeqCst);
        let callbacks: Vec<Callback> = self.callbacks().iter().map(|(_, callback)| callback.clone()).collect();
        callbacks.iter().for_each(|callback| callback());
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.shared.cancelled.load(Ordering::SeqCst)
    }

    /// `CANCELLED` if it was cancelled.
    pub fn check(&self, action: &'static str) -> Result<()> {
        if self.is_cancelled() { Err(Error::Cancelled { action }) } else { Ok(()) }
    }

    /// Calls `callback` when the token is cancelled, at once if it already is, until the guard is dropped.
    pub fn on_cancel(&self, callback: impl Fn() + Send + Sync + 'static) -> CancelGuard {
        let id = self.shared.next_id.fetch_add(1, Ordering::Relaxed);
        let callback: Callback = Arc::new(callback);
        self.callbacks().push((id, callback.clone()));
        if self.is_cancelled() {
            callback();
        }
        CancelGuard { token: self.clone(), id }
    }

    fn callbacks(&self) -> std::sync::MutexGuard<'_, Vec<(u64, Callback)>> {
        self.shared.callbacks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken").field("cancelled", &self.is_cancelled()).finish()
    }
}

/// Takes its callback back when dropped.
#[derive(Debug)]
pub struct CancelGuard {
    token: CancelToken,
    id: u64,
}

impl Drop for CancelGuard {
    fn drop(&mut self) {
        self.token.callbacks().retain(|(id, _)| *id != self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn callbacks_run_until_their_guard_is_dropped() {
        let (token, calls) = (CancelToken::new(), Arc::new(AtomicUsize::new(0)));
        let count = |calls: &Arc<AtomicUsize>| {
            let calls = calls.clone();
            move || {
                calls.fetch_add(1, Ordering::SeqCst);
            }
        };
        drop(token.on_cancel(count(&calls)));
        let kept = token.on_cancel(count(&calls));
        token.cancel();
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        let late = token.on_cancel(count(&calls));
        assert_eq!(calls.load(Ordering::SeqCst), 2);
        assert!(token.check("a test").is_err());
        drop((kept, late));
    }
}
