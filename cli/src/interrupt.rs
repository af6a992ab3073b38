//! Ctrl-C cancels the work that runs, and so does a request to end (SIGTERM, SIGHUP), so that temporary files go away;
//! where nothing runs, they end the process as usual.

use std::sync::{Mutex, Once, PoisonError};

use armillaria::CancelToken;

/// The status of a process that Ctrl-C ended: 128 and the signal's number.
const EXIT_INTERRUPTED: i32 = 130;

static RUNNING: Mutex<Option<CancelToken>> = Mutex::new(None);
static HANDLER: Once = Once::new();

/// Lets Ctrl-C cancel this token until the guard is dropped. A second Ctrl-C ends the process.
pub(crate) fn cancels(token: &CancelToken) -> Guard {
    HANDLER.call_once(|| {
        if let Err(error) = ctrlc::set_handler(interrupt) {
            tracing::warn!(%error, "Ctrl-C ends the process at once, because its handler could not be set");
        }
    });
    set(Some(token.clone()));
    Guard(())
}

/// While it lives, Ctrl-C cancels.
#[derive(Debug)]
pub(crate) struct Guard(());

impl Drop for Guard {
    fn drop(&mut self) {
        set(None);
    }
}

fn set(token: Option<CancelToken>) {
    *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) = token;
}

fn interrupt() {
    let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match running {
        Some(token) if !token.is_cancelled() => token.cancel(),
        _ => std::process::exit(EXIT_INTERRUPTED),
    }
}
