//! Asking work to stop, from any thread.

use armillaria::CancelToken;

use crate::panics::quietly;

/// Asks work to stop. Shared: any thread may use it, several at once; one token may go with many calls. Once cancelled,
/// it stays so. Work that stops answers `CANCELLED`.
#[derive(Debug)]
pub struct ArmillariaCancel {
    token: CancelToken,
}

/// The token that a call works under; a fresh one if none was given.
pub(crate) fn token(cancel: Option<&ArmillariaCancel>) -> CancelToken {
    cancel.map_or_else(CancelToken::new, |cancel| cancel.token.clone())
}

/// Makes a token; free it with `armillaria_cancel_free`.
#[unsafe(no_mangle)]
pub extern "C" fn armillaria_cancel_new() -> *mut ArmillariaCancel {
    quietly(std::ptr::null_mut(), || Box::into_raw(Box::new(ArmillariaCancel { token: CancelToken::new() })))
}

/// Cancels all work that carries the token, now and later, and returns without waiting for it. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_cancel_cancel(cancel: Option<&ArmillariaCancel>) {
    quietly((), || {
        if let Some(cancel) = cancel {
            cancel.token.cancel();
        }
    });
}

/// Whether the token was cancelled; false for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_cancel_is_cancelled(cancel: Option<&ArmillariaCancel>) -> bool {
    cancel.is_some_and(|cancel| cancel.token.is_cancelled())
}

/// Frees the token; work that carries it goes on with its own reference. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_cancel_free(cancel: Option<Box<ArmillariaCancel>>) {
    quietly((), || drop(cancel));
}
