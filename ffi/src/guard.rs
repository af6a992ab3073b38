//! What every export runs in: a panic becomes `INTERNAL`, an error an object and a status, and out-parameters hold
//! either an answer or nothing.

use std::mem::MaybeUninit;

use armillaria::{Error, Result};
use arrow::ffi::FFI_ArrowSchema;
use arrow::ffi_stream::FFI_ArrowArrayStream;

use crate::error::{ArmillariaError, ArmillariaStatus};
use crate::panics::caught;

/// An out-parameter: NULL, or memory of the caller's, initialised or not.
pub(crate) type Out<'a, T> = Option<&'a mut MaybeUninit<T>>;

/// What an out-parameter holds when there is no answer.
pub(crate) trait Blank {
    fn blank() -> Self;
}

impl<T> Blank for *const T {
    fn blank() -> Self {
        std::ptr::null()
    }
}

impl<T> Blank for *mut T {
    fn blank() -> Self {
        std::ptr::null_mut()
    }
}

impl Blank for u64 {
    fn blank() -> Self {
        0
    }
}

impl Blank for bool {
    fn blank() -> Self {
        false
    }
}

impl Blank for FFI_ArrowSchema {
    fn blank() -> Self {
        FFI_ArrowSchema::empty()
    }
}

impl Blank for FFI_ArrowArrayStream {
    fn blank() -> Self {
        FFI_ArrowArrayStream::empty()
    }
}

/// Runs the body of an export that answers with a value.
pub(crate) fn answer<T: Blank>(
    out: Out<'_, T>,
    error: Out<'_, *mut ArmillariaError>,
    body: impl FnOnce() -> Result<T>,
) -> ArmillariaStatus {
    let out = blank(out);
    run(error, || {
        let out = out.ok_or_else(|| null("out"))?;
        *out = body()?;
        Ok(())
    })
}

/// Runs the body of an export that answers with nothing but a status.
pub(crate) fn run(error: Out<'_, *mut ArmillariaError>, body: impl FnOnce() -> Result<()>) -> ArmillariaStatus {
    let slot = blank(error);
    match caught(body).and_then(|outcome| outcome) {
        Ok(()) => ArmillariaStatus::Ok,
        Err(failure) => {
            let status = failure.code().into();
            if let Some(slot) = slot {
                *slot = ArmillariaError::new(&failure);
            }
            status
        }
    }
}

/// Writes the empty value; from here on the memory is initialised.
pub(crate) fn blank<T: Blank>(out: Out<'_, T>) -> Option<&mut T> {
    out.map(|slot| slot.write(T::blank()))
}

/// The handle or value that a pointer must give.
pub(crate) fn given<T>(pointer: Option<T>, argument: &'static str) -> Result<T> {
    pointer.ok_or_else(|| null(argument))
}

pub(crate) fn null(argument: &'static str) -> Error {
    Error::invalid(argument, "it is NULL")
}

#[cfg(test)]
mod tests {
    use super::*;
    use armillaria::Code;

    fn outcome(body: impl FnOnce() -> Result<u64>) -> (ArmillariaStatus, u64, Option<(Code, String)>) {
        let (mut out, mut error) = (MaybeUninit::new(77), MaybeUninit::uninit());
        let status = answer(Some(&mut out), Some(&mut error), body);
        // SAFETY: `answer` initialises both.
        let (out, error) = unsafe { (out.assume_init(), error.assume_init()) };
        (status, out, ArmillariaError::take(error))
    }

    #[test]
    fn an_answer_is_handed_out() {
        assert_eq!(outcome(|| Ok(5)), (ArmillariaStatus::Ok, 5, None));
    }

    #[test]
    fn an_error_leaves_the_answer_empty() {
        let (status, out, error) = outcome(|| Err(Error::invalid("x", "no")));
        assert_eq!((status, out), (ArmillariaStatus::InvalidArgument, 0));
        assert_eq!(error.unwrap(), (Code::InvalidArgument, "invalid x: no".to_string()));
    }

    #[test]
    fn a_panic_becomes_internal_with_its_message() {
        for panics in [|| panic!("one {}", 1), || panic!("two"), || std::panic::panic_any(3_u8)] {
            let (status, out, error) = outcome(panics);
            assert_eq!((status, out), (ArmillariaStatus::Internal, 0));
            let (code, message) = error.unwrap();
            assert_eq!(code, Code::Internal);
            assert!(
                ["panic: one 1", "panic: two", "panic: it has no message"].iter().any(|end| message.ends_with(end))
            );
        }
    }

    #[test]
    fn nobody_has_to_take_the_error() {
        let mut out = MaybeUninit::new(1_u64);
        assert_eq!(answer(Some(&mut out), None, || Err(Error::internal("x"))), ArmillariaStatus::Internal);
        assert_eq!(answer(None, None, || Ok(1_u64)), ArmillariaStatus::InvalidArgument);
    }

    #[test]
    fn without_a_place_for_the_answer_nothing_runs() {
        let mut ran = false;
        answer(None, None, || {
            ran = true;
            Ok(1_u64)
        });
        assert!(!ran);
    }
}
