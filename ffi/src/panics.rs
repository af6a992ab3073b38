//! Panics, which never leave this crate.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use armillaria::{Error, Result};

/// `INTERNAL` for a panic. What a body may leave half-done is behind locks that the core recovers, or belongs to a call
/// that failed; so looking at it again is safe.
pub(crate) fn caught<T>(body: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload| Error::internal(format!("panic: {}", text_of(payload))))
}

fn text_of(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => match payload.downcast_ref::<&str>() {
            Some(text) => (*text).to_string(),
            None => {
                // Dropping what somebody threw could panic again.
                std::mem::forget(payload);
                "it has no message".to_string()
            }
        },
    }
}

/// Runs a function that frees or only looks: there is nowhere to report a panic to, so it answers `otherwise`.
pub(crate) fn quietly<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    caught(body).unwrap_or(otherwise)
}
