//! Subscriptions: the changelog, pulled entry by entry.

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use armillaria::{Error, Result, Subscription};

use crate::cancel::{ArmillariaCancel, token};
use crate::changelog::{ArmillariaChangelogEntry, ArmillariaChangesOptions, changes_query, entry};
use crate::database::{ArmillariaDatabase, database};
use crate::error::{ArmillariaError, ArmillariaStatus};
use crate::guard::{answer, given, run};
use crate::memory;
use crate::panics::quietly;

/// A cursor over the changelog that can wait for what comes next. Exclusive: one thread at a time, but any thread may
/// close it. It may outlive the handle of its database, and then answers `CLOSED`.
pub struct ArmillariaSubscription {
    subscription: Mutex<Subscription>,
    /// Kept beside it: while a call waits, the subscription is locked.
    cursor: AtomicU64,
    close: Box<dyn Fn() + Send + Sync>,
}

impl std::fmt::Debug for ArmillariaSubscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArmillariaSubscription").field("cursor", &self.cursor).finish_non_exhaustive()
    }
}

impl ArmillariaSubscription {
    fn new(subscription: Subscription) -> *mut ArmillariaSubscription {
        let (cursor, close) = (AtomicU64::new(subscription.cursor()), Box::new(subscription.closer()));
        Box::into_raw(Box::new(ArmillariaSubscription { subscription: Mutex::new(subscription), cursor, close }))
    }
}

/// How long a call waits: 0 not at all, -1 for ever.
fn wait(timeout_ms: i64) -> Result<Duration> {
    match u64::try_from(timeout_ms) {
        Ok(milliseconds) => Ok(Duration::from_millis(milliseconds)),
        Err(_) if timeout_ms == -1 => Ok(Duration::MAX),
        Err(_) => Err(Error::invalid("timeout_ms", format!("{timeout_ms} is neither a time nor -1"))),
    }
}

/// Follows the changelog. Of the options, `until_tx`, the times and `limit` say nothing; without `since_tx` it begins
/// behind the newest transaction. A subscriber that stores the last `tx_id` it handled and starts again from there misses
/// nothing and sees nothing twice.
///
/// `TRANSACTION_NOT_FOUND`, `BRANCH_NOT_FOUND`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_subscribe(
    db: Option<&ArmillariaDatabase>,
    options: *const ArmillariaChangesOptions,
    out: Option<&mut MaybeUninit<*mut ArmillariaSubscription>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let query = unsafe { changes_query(options) }?;
        database(db)?.subscribe(&query).map(ArmillariaSubscription::new)
    })
}

/// The next entry, waiting for it up to `timeout_ms` (0: not at all; -1: for ever); `*out` is NULL if none came. Free it
/// with `armillaria_changelog_entry_free`.
///
/// `CLOSED` after the subscription or its database was closed, `CANCELLED` (the subscription goes on): both at once, also
/// while this waits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_subscription_next(
    subscription: Option<&ArmillariaSubscription>,
    timeout_ms: i64,
    cancel: Option<&ArmillariaCancel>,
    out: Option<&mut MaybeUninit<*const ArmillariaChangelogEntry>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        let handle = given(subscription, "subscription")?;
        let timeout = wait(timeout_ms)?;
        let mut subscription = handle.subscription.lock().unwrap_or_else(PoisonError::into_inner);
        let found = subscription.poll_with(timeout, &token(cancel))?;
        handle.cursor.store(subscription.cursor(), Ordering::Release);
        Ok(found.map_or(std::ptr::null(), |found| memory::build(|memory| entry(memory, found))))
    })
}

/// The last transaction that was handed out or passed over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_subscription_cursor(
    subscription: Option<&ArmillariaSubscription>,
    out: Option<&mut MaybeUninit<u64>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || Ok(given(subscription, "subscription")?.cursor.load(Ordering::Acquire)))
}

/// Ends the subscription, from any thread: a waiting `armillaria_subscription_next` answers `CLOSED`. Closing again does
/// nothing. The handle is still to be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_subscription_close(
    subscription: Option<&ArmillariaSubscription>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    run(error, || {
        (given(subscription, "subscription")?.close)();
        Ok(())
    })
}

/// Frees the subscription, which no other thread may be using: close it first and let a waiting call return. NULL is
/// allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_subscription_free(subscription: Option<Box<ArmillariaSubscription>>) {
    quietly((), || drop(subscription));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_a_time_or_for_ever() {
        assert_eq!(wait(0).unwrap(), Duration::ZERO);
        assert_eq!(wait(1_500).unwrap(), Duration::from_millis(1_500));
        assert_eq!(wait(i64::MAX).unwrap(), Duration::from_millis(i64::MAX.unsigned_abs()));
        assert_eq!(wait(-1).unwrap(), Duration::MAX);
        assert!(wait(-2).is_err());
    }
}
