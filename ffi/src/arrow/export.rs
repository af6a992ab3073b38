//! Streams and schemas for the caller.
//!
//! Arrow's own export aborts the process where a stream panics or an error has a NUL in its text; this one does not.

use std::ffi::{CString, c_char, c_int, c_void};

use armillaria::table::{error_from_arrow, error_to_arrow};
use armillaria::{Code, Error, Result, RowStream};
use arrow::array::{Array, RecordBatch, RecordBatchReader, StructArray};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use arrow::ffi_stream::FFI_ArrowArrayStream;

use crate::error::{c_text, stream_text};
use crate::panics::{caught, quietly};

/// Makes a stream that any Arrow library reads. It owns its rows and needs no handle to live. Texts of its errors begin
/// with `ARM-<code> `. After an error it answers with the same error again, never with the end.
pub(crate) fn export_rows(rows: RowStream) -> FFI_ArrowArrayStream {
    let exported = Exported { schema: rows.schema(), rows: Some(rows), failure: None };
    FFI_ArrowArrayStream {
        get_schema: Some(get_schema),
        get_next: Some(get_next),
        get_last_error: Some(get_last_error),
        release: Some(release),
        private_data: Box::into_raw(Box::new(exported)).cast::<c_void>(),
    }
}

/// A schema that any Arrow library reads: a struct whose fields are the columns.
pub(crate) fn export_schema(schema: &Schema) -> Result<FFI_ArrowSchema> {
    FFI_ArrowSchema::try_from(schema).map_err(|error| Error::internal(format!("cannot export a schema: {error}")))
}

/// The rows of a stream that [`export_rows`] made and that came back; the stream is released by it. Anybody else's stream
/// comes back as it is.
///
/// # Errors
/// The stream, which is not one of ours.
pub(super) fn reclaim_rows(mut stream: FFI_ArrowArrayStream) -> Result<RowStream, FFI_ArrowArrayStream> {
    let is_ours = stream.release.is_some_and(|theirs| std::ptr::fn_addr_eq(theirs, release as Release));
    let exported = if is_ours { stream.private_data.cast::<Exported>() } else { std::ptr::null_mut() };
    if exported.is_null() {
        return Err(stream);
    }
    (stream.private_data, stream.release) = (std::ptr::null_mut(), None);
    // SAFETY: `release` is ours, so the pointer was made of a box in `export_rows`; the stream gave it away, so it is
    // dropped once.
    Ok(unsafe { Box::from_raw(exported) })
}

type Release = unsafe extern "C" fn(*mut FFI_ArrowArrayStream);

struct Exported {
    schema: SchemaRef,
    /// `None` after the last row or an error.
    rows: Option<RowStream>,
    failure: Option<Failure>,
}

struct Failure {
    error: Error,
    text: CString,
}

impl Exported {
    fn schema(&mut self) -> Result<FFI_ArrowSchema, c_int> {
        let schema = self.schema.clone();
        caught(|| export_schema(&schema)).flatten().map_err(|error| self.fail(error))
    }

    /// The next batch; a released array at the end.
    fn array(&mut self) -> Result<FFI_ArrowArray, c_int> {
        let batch = self.batch().map_err(|error| errno(error.code()))?;
        let array = |batch| FFI_ArrowArray::new(&StructArray::from(batch).to_data());
        caught(|| batch.map_or_else(FFI_ArrowArray::empty, array)).map_err(|error| self.fail(error))
    }

    /// The next batch; `None` at the end.
    fn batch(&mut self) -> Result<Option<RecordBatch>> {
        if let Some(failure) = &self.failure {
            return Err(failure.error.clone());
        }
        let step = caught(|| self.rows.as_mut().and_then(Iterator::next).transpose().map_err(error_from_arrow));
        let batch = step.flatten();
        match &batch {
            Ok(Some(_)) => {}
            Ok(None) => self.end(),
            Err(error) => {
                self.fail(error.clone());
            }
        }
        batch
    }

    fn end(&mut self) {
        let rows = self.rows.take();
        quietly((), || drop(rows));
    }

    fn fail(&mut self, error: Error) -> c_int {
        self.end();
        let (errno, text) = (errno(error.code()), c_text(&stream_text(&error)));
        self.failure = Some(Failure { error, text });
        errno
    }
}

impl Iterator for Exported {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.batch().map_err(error_to_arrow).transpose()
    }
}

impl RecordBatchReader for Exported {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

/// What is nearest to a code among the numbers that Arrow's streams answer with.
fn errno(code: Code) -> c_int {
    match code {
        Code::Cancelled => libc::ECANCELED,
        Code::Timeout => libc::ETIMEDOUT,
        Code::OutOfSpace => libc::ENOSPC,
        Code::Unsupported => libc::ENOSYS,
        Code::Io | Code::HashMismatch | Code::LogCorrupt | Code::ChunkNotFound | Code::Internal => libc::EIO,
        _ => libc::EINVAL,
    }
}

/// What stands behind a stream of ours; `None` for NULL and after its release.
///
/// # Safety
/// `stream` is NULL or one that [`export_rows`] made, wherever it was moved since, and only this thread uses it.
unsafe fn exported<'a>(stream: *mut FFI_ArrowArrayStream) -> Option<&'a mut Exported> {
    // SAFETY: the caller's promise; the pointer was made of a box, and is NULL after the release.
    unsafe { stream.as_mut()?.private_data.cast::<Exported>().as_mut() }
}

/// Writes an answer of a stream, which may stand where nothing was before.
///
/// # Safety
/// `out` is NULL or can be written.
unsafe fn write<T>(out: *mut T, value: Result<T, c_int>) -> c_int {
    match value {
        Err(errno) => errno,
        Ok(_) if out.is_null() => libc::EINVAL,
        Ok(value) => {
            // SAFETY: the caller's promise.
            unsafe { out.write(value) };
            0
        }
    }
}

unsafe extern "C" fn get_schema(stream: *mut FFI_ArrowArrayStream, out: *mut FFI_ArrowSchema) -> c_int {
    // SAFETY: Arrow's rules for those who call it.
    unsafe { write(out, exported(stream).ok_or(libc::EINVAL).and_then(Exported::schema)) }
}

unsafe extern "C" fn get_next(stream: *mut FFI_ArrowArrayStream, out: *mut FFI_ArrowArray) -> c_int {
    // SAFETY: Arrow's rules for those who call it.
    unsafe { write(out, exported(stream).ok_or(libc::EINVAL).and_then(Exported::array)) }
}

unsafe extern "C" fn get_last_error(stream: *mut FFI_ArrowArrayStream) -> *const c_char {
    // SAFETY: Arrow's rules for those who call it.
    let failure = unsafe { exported(stream) }.and_then(|exported| exported.failure.as_ref());
    failure.map_or(std::ptr::null(), |failure| failure.text.as_ptr())
}

unsafe extern "C" fn release(stream: *mut FFI_ArrowArrayStream) {
    // SAFETY: Arrow's rules for those who call it.
    let Some(stream) = (unsafe { stream.as_mut() }) else { return };
    let exported = std::mem::replace(&mut stream.private_data, std::ptr::null_mut()).cast::<Exported>();
    (stream.get_schema, stream.get_next, stream.get_last_error, stream.release) = (None, None, None, None);
    if !exported.is_null() {
        // SAFETY: made of a box in `export_rows`, and taken out of the stream, so dropped once.
        quietly((), || drop(unsafe { Box::from_raw(exported) }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;
    use std::sync::Arc;

    use arrow::array::{Int32Array, RecordBatch, RecordBatchReader};
    use arrow::error::ArrowError;

    use crate::arrow::{Values, import_rows};

    type Step = fn() -> Result<RecordBatch, ArrowError>;

    struct Steps(std::vec::IntoIter<Step>);

    impl Iterator for Steps {
        type Item = Result<RecordBatch, ArrowError>;

        fn next(&mut self) -> Option<Self::Item> {
            self.0.next().map(|step| step())
        }
    }

    impl RecordBatchReader for Steps {
        fn schema(&self) -> SchemaRef {
            one().unwrap().schema()
        }
    }

    fn one() -> Result<RecordBatch, ArrowError> {
        RecordBatch::try_from_iter([("a", Arc::new(Int32Array::from(vec![1])) as _)])
    }

    fn stream(steps: Vec<Step>) -> FFI_ArrowArrayStream {
        export_rows(Box::new(Steps(steps.into_iter())))
    }

    /// The answers of a stream: rows, 0 at the end, or what it says of an error.
    fn answers(stream: &mut FFI_ArrowArrayStream, count: usize) -> Vec<Result<i64, String>> {
        let next = stream.get_next.unwrap();
        let last_error = stream.get_last_error.unwrap();
        let mut answer = || {
            let mut array = FFI_ArrowArray::empty();
            // SAFETY: the stream is ours and not released.
            unsafe {
                match next(stream, &raw mut array) {
                    0 => Ok(array.length),
                    _ => Err(CStr::from_ptr(last_error(stream)).to_string_lossy().into_owned()),
                }
            }
        };
        (0..count).map(|_| answer()).collect()
    }

    #[test]
    fn what_goes_out_comes_in() {
        let rows = import_rows(Some(stream(vec![one, one])), Values::Checked).unwrap();
        assert_eq!(rows.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 2);
    }

    #[test]
    fn the_end_stays_the_end() {
        assert_eq!(answers(&mut stream(vec![one]), 3), [Ok(1), Ok(0), Ok(0)]);
    }

    #[test]
    fn an_error_begins_with_its_code_and_stays() {
        let fail: Step = || Err(ArrowError::ExternalError(Box::new(Error::Cancelled { action: "a\0test" })));
        let text = "ARM-503 a\u{fffd}test was cancelled".to_string();
        assert_eq!(answers(&mut stream(vec![one, fail, one]), 3), [Ok(1), Err(text.clone()), Err(text)]);
    }

    #[test]
    fn a_panic_is_an_error() {
        let answers = answers(&mut stream(vec![|| panic!("oh")]), 1);
        assert_eq!(answers, [Err("ARM-900 a bug in Armillaria, please report it: panic: oh".to_string())]);
    }

    #[test]
    fn a_released_stream_has_nothing_to_say() {
        let mut stream = stream(vec![one]);
        let next = stream.get_next.unwrap();
        let mut array = FFI_ArrowArray::empty();
        // SAFETY: the stream is ours; what remains of it after the release is NULL.
        unsafe {
            release(&raw mut stream);
            release(&raw mut stream);
            assert!(stream.release.is_none());
            assert_eq!(next(&raw mut stream, &raw mut array), libc::EINVAL);
            assert_eq!(next(std::ptr::null_mut(), &raw mut array), libc::EINVAL);
            assert!(get_last_error(&raw mut stream).is_null());
        }
    }
}
