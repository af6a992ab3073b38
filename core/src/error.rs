//! The one error type of the library. Floor 0: knows nothing else.
//!
//! Every error has a stable numeric [`Code`], a [`Category`] and a sentence that says what was wrong, with which
//! object, and what to do. Codes never change meaning and are never reused.

use std::fmt;
use std::io;
use std::sync::Arc;

/// The result of every fallible operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $number:literal, $name:literal, $category:ident;)*) => {
        /// The stable number of an error; the same in every language.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u32)]
        #[non_exhaustive]
        pub enum Code { $($(#[doc = $doc])* $variant = $number,)* }

        impl Code {
            /// Every code, in numeric order.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The stable name, such as `WRITE_CONFLICT`.
            pub const fn name(self) -> &'static str {
                match self { $(Code::$variant => $name,)* }
            }

            /// The group that tells a caller how to react.
            pub const fn category(self) -> Category {
                match self { $(Code::$variant => Category::$category,)* }
            }
        }
    };
}

codes! {
    /// A bad name, option, path or value.
    InvalidArgument = 100, "INVALID_ARGUMENT", Usage;
    /// Columns or types do not fit the table.
    SchemaMismatch = 101, "SCHEMA_MISMATCH", Usage;
    /// DuckDB refused the statement.
    SqlError = 102, "SQL_ERROR", Usage;
    /// Understood and not offered.
    Unsupported = 103, "UNSUPPORTED", Usage;
    /// A write through a read-only handle.
    ReadOnly = 104, "READ_ONLY", Usage;
    /// The handle was closed, or the transaction has ended.
    Closed = 105, "CLOSED", Usage;
    /// No such table there.
    TableNotFound = 200, "TABLE_NOT_FOUND", NotFound;
    /// No such version of the table.
    VersionNotFound = 201, "VERSION_NOT_FOUND", NotFound;
    /// No such branch.
    BranchNotFound = 202, "BRANCH_NOT_FOUND", NotFound;
    /// No such tag.
    TagNotFound = 203, "TAG_NOT_FOUND", NotFound;
    /// No such chunk.
    ChunkNotFound = 204, "CHUNK_NOT_FOUND", NotFound;
    /// No repository at that location.
    RepositoryNotFound = 205, "REPOSITORY_NOT_FOUND", NotFound;
    /// No such transaction.
    TransactionNotFound = 206, "TRANSACTION_NOT_FOUND", NotFound;
    /// The table is there already.
    TableExists = 300, "TABLE_EXISTS", Conflict;
    /// The branch is there already.
    BranchExists = 301, "BRANCH_EXISTS", Conflict;
    /// The tag is there already.
    TagExists = 302, "TAG_EXISTS", Conflict;
    /// Another commit changed what this one writes; safe to retry.
    WriteConflict = 310, "WRITE_CONFLICT", Conflict;
    /// Another commit changed what this one read; safe to retry.
    SerializationFailure = 311, "SERIALIZATION_FAILURE", Conflict;
    /// Both sides changed the same thing.
    MergeConflict = 312, "MERGE_CONFLICT", Conflict;
    /// The low-level catalog was given a version out of sequence.
    VersionConflict = 313, "VERSION_CONFLICT", Conflict;
    /// Bytes do not match their name.
    HashMismatch = 400, "HASH_MISMATCH", Integrity;
    /// A record is damaged, missing or out of chain.
    LogCorrupt = 401, "LOG_CORRUPT", Integrity;
    /// Written by a newer format.
    FormatUnsupported = 402, "FORMAT_UNSUPPORTED", Integrity;
    /// The operating system or the object store failed.
    Io = 500, "IO", Environment;
    /// No space is left.
    OutOfSpace = 501, "OUT_OF_SPACE", Environment;
    /// Time ran out.
    Timeout = 502, "TIMEOUT", Environment;
    /// The caller cancelled.
    Cancelled = 503, "CANCELLED", Environment;
    /// A bug in Armillaria.
    Internal = 900, "INTERNAL", Internal;
}

impl Code {
    /// The stable number.
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The code with this number; `None` for one that this version does not know.
    pub fn from_number(number: u32) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.number() == number)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What kind of trouble a code is, and so how to react to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Category {
    /// The call is wrong: fix the input.
    Usage,
    /// What was named is not there.
    NotFound,
    /// Somebody else got there first: retry or decide.
    Conflict,
    /// Stored bytes are damaged or of another format: run `verify`.
    Integrity,
    /// The surroundings failed: repair them, then reopen.
    Environment,
    /// A bug: report it.
    Internal,
}

impl Category {
    /// The stable lower-case name, such as `not_found`.
    pub const fn name(self) -> &'static str {
        match self {
            Category::Usage => "usage",
            Category::NotFound => "not_found",
            Category::Conflict => "conflict",
            Category::Integrity => "integrity",
            Category::Environment => "environment",
            Category::Internal => "internal",
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Everything that can go wrong. Cheap to clone: a failed group commit hands the same error to every member.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are what the messages name them")]
pub enum Error {
    /// `INVALID_ARGUMENT`.
    #[error("invalid {argument}: {reason}")]
    InvalidArgument { argument: &'static str, reason: String },

    /// `SCHEMA_MISMATCH`.
    #[error("the rows do not fit the table: {reason}; table={table:?}")]
    SchemaMismatch { table: String, reason: String },

    /// `SQL_ERROR`; the message is DuckDB's own.
    #[error("{message}")]
    Sql { message: String },

    /// `UNSUPPORTED`.
    #[error("{what} is not supported; {instead}")]
    Unsupported { what: String, instead: String },

    /// `READ_ONLY`.
    #[error("cannot {action}: the repository is open read-only ({reason}); open it for writing")]
    ReadOnly { action: &'static str, reason: String },

    /// `CLOSED`.
    #[error("the {what} is closed; open or begin a new one")]
    Closed { what: &'static str },

    /// `TABLE_NOT_FOUND`.
    #[error("no such table at {at}; table={table:?}")]
    TableNotFound { table: String, at: String },

    /// `VERSION_NOT_FOUND`.
    #[error("no such version of the table, the latest is {latest}; table={table:?} version={version}")]
    VersionNotFound { table: String, version: u64, latest: u64 },

    /// `BRANCH_NOT_FOUND`.
    #[error("no such branch; branch={branch:?}")]
    BranchNotFound { branch: String },

    /// `TAG_NOT_FOUND`.
    #[error("no such tag; tag={tag:?}")]
    TagNotFound { tag: String },

    /// `CHUNK_NOT_FOUND`.
    #[error("no such chunk in the store; chunk={hash}")]
    ChunkNotFound { hash: String },

    /// `CHUNK_NOT_FOUND`, of a metadata node: part of a long chunk list.
    #[error("no such metadata node in the store; node={hash}")]
    NodeNotFound { hash: String },

    /// `REPOSITORY_NOT_FOUND`.
    #[error("no repository here ({reason}); create one with `init`; location={location:?}")]
    RepositoryNotFound { location: String, reason: String },

    /// `TRANSACTION_NOT_FOUND`.
    #[error("no such transaction, the latest is {latest}; tx_id={tx_id}")]
    TransactionNotFound { tx_id: u64, latest: u64 },

    /// `TABLE_EXISTS`.
    #[error("the table exists already; drop it or write to it; table={table:?} branch={branch:?}")]
    TableExists { table: String, branch: String },

    /// `BRANCH_EXISTS`.
    #[error("the branch exists already; branch={branch:?}")]
    BranchExists { branch: String },

    /// `TAG_EXISTS`.
    #[error("the tag exists already, and tags do not move; tag={tag:?}")]
    TagExists { tag: String },

    /// `WRITE_CONFLICT`.
    #[error("{reason}; begin again and retry; table={table:?} branch={branch:?} tx_id={tx_id}")]
    WriteConflict { table: String, branch: String, tx_id: u64, reason: String },

    /// `SERIALIZATION_FAILURE`.
    #[error(
        "a table that this transaction read was changed by another commit; begin again and retry; table={table:?} branch={branch:?} tx_id={tx_id}"
    )]
    SerializationFailure { table: String, branch: String, tx_id: u64 },

    /// `MERGE_CONFLICT`.
    #[error(
        "both branches changed the same tables since their common ancestor; choose strategy ours or theirs, or change one side; source={source_branch:?} into={into:?} tables={tables:?}"
    )]
    MergeConflict { source_branch: String, into: String, tables: Vec<String> },

    /// `VERSION_CONFLICT`.
    #[error("versions follow one another without gaps: expected {expected}, got {given}; table={table:?}")]
    VersionConflict { table: String, expected: u64, given: u64 },

    /// `HASH_MISMATCH`.
    #[error("the bytes do not match their name: damaged {object}; run `verify`; expected={expected} actual={actual}")]
    HashMismatch { object: &'static str, expected: String, actual: String },

    /// `LOG_CORRUPT`.
    #[error("the log is damaged: {reason}; run `verify`; at={at}")]
    LogCorrupt { at: String, reason: String },

    /// `FORMAT_UNSUPPORTED`.
    #[error("{object} has format version {found}, this library reads up to {supported}; use a newer Armillaria")]
    FormatUnsupported { object: &'static str, found: u64, supported: u64 },

    /// `IO`.
    #[error("cannot {action}: {source}; path={path:?}")]
    Io { action: &'static str, path: String, source: Arc<io::Error> },

    /// `IO`: a sync failed, so what it was to make durable may or may not be there after a crash.
    #[error(
        "the outcome of a write is unknown ({reason}); this handle no longer writes: reopen the repository and look"
    )]
    OutcomeUnknown { reason: String },

    /// `OUT_OF_SPACE`.
    #[error("no space left to {action}; free some and retry; path={path:?}")]
    OutOfSpace { action: &'static str, path: String },

    /// `TIMEOUT`.
    #[error("{action} took longer than {milliseconds} ms")]
    Timeout { action: &'static str, milliseconds: u64 },

    /// `CANCELLED`.
    #[error("{action} was cancelled")]
    Cancelled { action: &'static str },

    /// `INTERNAL`.
    #[error("a bug in Armillaria, please report it: {reason}")]
    Internal { reason: String },

    /// Any code: an error of this library that left it as text, such as through the stream of another language, and came
    /// back with rows.
    #[error("{message}")]
    Relayed { code: Code, message: String },
}

impl Error {
    /// The stable code of this error.
    pub const fn code(&self) -> Code {
        match self {
            Error::InvalidArgument { .. } => Code::InvalidArgument,
            Error::SchemaMismatch { .. } => Code::SchemaMismatch,
            Error::Sql { .. } => Code::SqlError,
            Error::Unsupported { .. } => Code::Unsupported,
            Error::ReadOnly { .. } => Code::ReadOnly,
            Error::Closed { .. } => Code::Closed,
            Error::TableNotFound { .. } => Code::TableNotFound,
            Error::VersionNotFound { .. } => Code::VersionNotFound,
            Error::BranchNotFound { .. } => Code::BranchNotFound,
            Error::TagNotFound { .. } => Code::TagNotFound,
            Error::ChunkNotFound { .. } | Error::NodeNotFound { .. } => Code::ChunkNotFound,
            Error::RepositoryNotFound { .. } => Code::RepositoryNotFound,
            Error::TransactionNotFound { .. } => Code::TransactionNotFound,
            Error::TableExists { .. } => Code::TableExists,
            Error::BranchExists { .. } => Code::BranchExists,
            Error::TagExists { .. } => Code::TagExists,
            Error::WriteConflict { .. } => Code::WriteConflict,
            Error::SerializationFailure { .. } => Code::SerializationFailure,
            Error::MergeConflict { .. } => Code::MergeConflict,
            Error::VersionConflict { .. } => Code::VersionConflict,
            Error::HashMismatch { .. } => Code::HashMismatch,
            Error::LogCorrupt { .. } => Code::LogCorrupt,
            Error::FormatUnsupported { .. } => Code::FormatUnsupported,
            Error::Io { .. } | Error::OutcomeUnknown { .. } => Code::Io,
            Error::OutOfSpace { .. } => Code::OutOfSpace,
            Error::Timeout { .. } => Code::Timeout,
            Error::Cancelled { .. } => Code::Cancelled,
            Error::Internal { .. } => Code::Internal,
            Error::Relayed { code, .. } => *code,
        }
    }

    /// The category of the code.
    pub const fn category(&self) -> Category {
        self.code().category()
    }

    /// Whether beginning again and repeating the same work can succeed without any other change.
    pub const fn is_retryable(&self) -> bool {
        matches!(self.code(), Code::WriteConflict | Code::SerializationFailure)
    }

    /// `INVALID_ARGUMENT` for the named argument.
    pub fn invalid(argument: &'static str, reason: impl Into<String>) -> Error {
        Error::InvalidArgument { argument, reason: reason.into() }
    }

    /// `INTERNAL`: an invariant does not hold.
    pub fn internal(reason: impl Into<String>) -> Error {
        Error::Internal { reason: reason.into() }
    }

    /// `IO`, or `OUT_OF_SPACE` where the operating system says so.
    pub fn io(action: &'static str, path: impl fmt::Display, source: io::Error) -> Error {
        let path = path.to_string();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::OutOfSpace { action, path },
            _ => Error::Io { action, path, source: Arc::new(source) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_ordered() {
        assert!(Code::ALL.windows(2).all(|pair| pair[0].number() < pair[1].number()));
        assert_eq!(Code::ALL.len(), 28);
        assert_eq!(Code::WriteConflict.number(), 310);
        assert_eq!(Code::WriteConflict.to_string(), "WRITE_CONFLICT");
        assert!(Code::ALL.iter().all(|code| Code::from_number(code.number()) == Some(*code)));
        assert_eq!(Code::from_number(999), None);
    }

    #[test]
    fn an_error_that_comes_back_is_what_it_was() {
        let conflict =
            Error::WriteConflict { table: "t".into(), branch: "main".into(), tx_id: 7, reason: "it moved".into() };
        let relayed = Error::Relayed { code: conflict.code(), message: conflict.to_string() };
        assert_eq!((relayed.code(), relayed.to_string()), (Code::WriteConflict, conflict.to_string()));
        assert!(conflict.is_retryable() && relayed.is_retryable());
    }

    #[test]
    fn a_full_disk_has_its_own_code() {
        let full = Error::io("write a chunk", "x", io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(full.code(), Code::OutOfSpace);
        let other = Error::io("write a chunk", "x", io::Error::from(io::ErrorKind::PermissionDenied));
        assert_eq!((other.code(), other.category()), (Code::Io, Category::Environment));
    }
}
