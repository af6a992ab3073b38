//! Errors: a status that every function returns, and an object that says more.

use std::ffi::{CStr, CString, c_char};

use armillaria::{Category, Code, Error};

use crate::panics::quietly;

/// How a call went: 0, or the code of its error. Codes never change meaning and are never used again. A later library
/// may return others: treat them by their category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ArmillariaStatus {
    /// It went well.
    Ok = 0,
    /// A bad name, option, path or value.
    InvalidArgument = 100,
    /// Columns or types do not fit the table.
    SchemaMismatch = 101,
    /// DuckDB refused the statement.
    SqlError = 102,
    /// Understood and not offered.
    Unsupported = 103,
    /// A write through a read-only handle.
    ReadOnly = 104,
    /// The handle was closed, or the transaction has ended.
    Closed = 105,
    /// No such table there.
    TableNotFound = 200,
    /// No such version of the table.
    VersionNotFound = 201,
    /// No such branch.
    BranchNotFound = 202,
    /// No such tag.
    TagNotFound = 203,
    /// No such chunk.
    ChunkNotFound = 204,
    /// No repository at that location.
    RepositoryNotFound = 205,
    /// No such transaction.
    TransactionNotFound = 206,
    /// The table is there already.
    TableExists = 300,
    /// The branch is there already.
    BranchExists = 301,
    /// The tag is there already.
    TagExists = 302,
    /// Another commit changed what this one writes; safe to retry.
    WriteConflict = 310,
    /// Another commit changed what this one read; safe to retry.
    SerializationFailure = 311,
    /// Both sides changed the same thing.
    MergeConflict = 312,
    /// The low-level catalog was given a version out of sequence.
    VersionConflict = 313,
    /// Bytes do not match their name.
    HashMismatch = 400,
    /// A record is damaged, missing or out of chain.
    LogCorrupt = 401,
    /// Written by a newer format.
    FormatUnsupported = 402,
    /// The operating system or the object store failed.
    Io = 500,
    /// No space is left.
    OutOfSpace = 501,
    /// Time ran out.
    Timeout = 502,
    /// The caller cancelled.
    Cancelled = 503,
    /// A bug in Armillaria.
    Internal = 900,
}

impl From<Code> for ArmillariaStatus {
    fn from(code: Code) -> ArmillariaStatus {
        match code {
            Code::InvalidArgument => ArmillariaStatus::InvalidArgument,
            Code::SchemaMismatch => ArmillariaStatus::SchemaMismatch,
            Code::SqlError => ArmillariaStatus::SqlError,
            Code::Unsupported => ArmillariaStatus::Unsupported,
            Code::ReadOnly => ArmillariaStatus::ReadOnly,
            Code::Closed => ArmillariaStatus::Closed,
            Code::TableNotFound => ArmillariaStatus::TableNotFound,
            Code::VersionNotFound => ArmillariaStatus::VersionNotFound,
            Code::BranchNotFound => ArmillariaStatus::BranchNotFound,
            Code::TagNotFound => ArmillariaStatus::TagNotFound,
            Code::ChunkNotFound => ArmillariaStatus::ChunkNotFound,
            Code::RepositoryNotFound => ArmillariaStatus::RepositoryNotFound,
            Code::TransactionNotFound => ArmillariaStatus::TransactionNotFound,
            Code::TableExists => ArmillariaStatus::TableExists,
            Code::BranchExists => ArmillariaStatus::BranchExists,
            Code::TagExists => ArmillariaStatus::TagExists,
            Code::WriteConflict => ArmillariaStatus::WriteConflict,
            Code::SerializationFailure => ArmillariaStatus::SerializationFailure,
            Code::MergeConflict => ArmillariaStatus::MergeConflict,
            Code::VersionConflict => ArmillariaStatus::VersionConflict,
            Code::HashMismatch => ArmillariaStatus::HashMismatch,
            Code::LogCorrupt => ArmillariaStatus::LogCorrupt,
            Code::FormatUnsupported => ArmillariaStatus::FormatUnsupported,
            Code::Io => ArmillariaStatus::Io,
            Code::OutOfSpace => ArmillariaStatus::OutOfSpace,
            Code::Timeout => ArmillariaStatus::Timeout,
            Code::Cancelled => ArmillariaStatus::Cancelled,
            // Also what a code that is missing here would become; a test goes through all of them.
            _ => ArmillariaStatus::Internal,
        }
    }
}

/// What kind of trouble an error is, and so how to react to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ArmillariaCategory {
    /// There is no error.
    None = 0,
    /// The call is wrong: fix the input.
    Usage = 1,
    /// What was named is not there.
    NotFound = 2,
    /// Somebody else got there first: retry or decide.
    Conflict = 3,
    /// Stored bytes are damaged or of another format: run `armillaria_verify`.
    Integrity = 4,
    /// The surroundings failed: repair them, then open again.
    Environment = 5,
    /// A bug: report it.
    Internal = 6,
}

impl From<Category> for ArmillariaCategory {
    fn from(category: Category) -> ArmillariaCategory {
        match category {
            Category::Usage => ArmillariaCategory::Usage,
            Category::NotFound => ArmillariaCategory::NotFound,
            Category::Conflict => ArmillariaCategory::Conflict,
            Category::Integrity => ArmillariaCategory::Integrity,
            Category::Environment => ArmillariaCategory::Environment,
            _ => ArmillariaCategory::Internal,
        }
    }
}

/// Why a call failed. Immutable: any thread may read it. The caller frees it.
#[derive(Debug)]
pub struct ArmillariaError {
    code: Code,
    name: CString,
    message: CString,
}

impl ArmillariaError {
    pub(crate) fn new(error: &Error) -> *mut ArmillariaError {
        let (code, message) = (error.code(), c_text(&error.to_string()));
        Box::into_raw(Box::new(ArmillariaError { code, name: c_text(code.name()), message }))
    }

    #[cfg(test)]
    pub(crate) fn take(error: *mut ArmillariaError) -> Option<(Code, String)> {
        // SAFETY: tests pass what `new` made, once.
        let error = (!error.is_null()).then(|| unsafe { Box::from_raw(error) })?;
        Some((error.code, error.message.to_string_lossy().into_owned()))
    }
}

/// What an error says where only text can pass, as in Arrow's streams: `ARM-400 the bytes do not match …`.
pub(crate) fn stream_text(error: &Error) -> String {
    format!("ARM-{} {error}", error.code().number())
}

/// The error that a text of [`stream_text`] tells of; `None` for any other text, and for a code of a later version.
pub(crate) fn from_stream_text(text: &str) -> Option<Error> {
    let (number, message) = text.strip_prefix("ARM-")?.split_once(' ')?;
    let code = Code::from_number(number.parse().ok()?)?;
    Some(Error::Relayed { code, message: message.to_string() })
}

/// A text that C can read to its end: a NUL in it, as a name that somebody tried may have, becomes U+FFFD.
pub(crate) fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}

/// The code of an error; `ARMILLARIA_STATUS_OK` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_error_code(error: Option<&ArmillariaError>) -> ArmillariaStatus {
    error.map_or(ArmillariaStatus::Ok, |error| error.code.into())
}

/// The category of an error; `ARMILLARIA_CATEGORY_NONE` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_error_category(error: Option<&ArmillariaError>) -> ArmillariaCategory {
    error.map_or(ArmillariaCategory::None, |error| error.code.category().into())
}

/// The name of an error's code, such as `WRITE_CONFLICT`; `OK` for NULL. NUL-terminated, valid as long as the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_error_name(error: Option<&ArmillariaError>) -> *const c_char {
    error.map_or(c"OK", |error| error.name.as_c_str()).as_ptr()
}

/// What was wrong, with which object, and what to do, in English; empty for NULL. NUL-terminated UTF-8, valid as long as
/// the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_error_message(error: Option<&ArmillariaError>) -> *const c_char {
    let message: &CStr = error.map_or(c"", |error| error.message.as_c_str());
    message.as_ptr()
}

/// Frees an error. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_error_free(error: Option<Box<ArmillariaError>>) {
    quietly((), || drop(error));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_core_has_its_status() {
        for code in Code::ALL {
            assert_eq!(ArmillariaStatus::from(*code) as u32, code.number(), "{code}");
        }
    }

    #[test]
    fn every_category_of_the_core_has_its_number() {
        let number = |code: Code| ArmillariaCategory::from(code.category()) as u32;
        let codes = [Code::ReadOnly, Code::TagNotFound, Code::TagExists, Code::LogCorrupt, Code::Io, Code::Internal];
        assert_eq!(codes.map(number), [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn an_error_passes_as_text() {
        for code in Code::ALL {
            let error = Error::Relayed { code: *code, message: "a b".into() };
            let told = from_stream_text(&stream_text(&error)).unwrap();
            assert_eq!((told.code(), told.to_string()), (*code, "a b".to_string()));
        }
        for other in ["", "a b", "ARM-", "ARM-400", "ARM-x y", "ARM-999 y", "Io: ARM-400 y"] {
            assert!(from_stream_text(other).is_none(), "{other:?}");
        }
    }

    #[test]
    fn a_message_reaches_its_end_whatever_is_in_it() {
        assert_eq!(c_text("a\0b").to_str().unwrap(), "a\u{fffd}b");
    }

    #[test]
    fn null_is_no_error() {
        // SAFETY: NULL is allowed.
        unsafe {
            assert_eq!(armillaria_error_code(None), ArmillariaStatus::Ok);
            assert_eq!(armillaria_error_category(None), ArmillariaCategory::None);
            assert_eq!(CStr::from_ptr(armillaria_error_name(None)), c"OK");
            assert_eq!(CStr::from_ptr(armillaria_error_message(None)), c"");
            armillaria_error_free(None);
        }
    }
}
