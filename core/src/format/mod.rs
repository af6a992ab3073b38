//! The bytes of format version 1: identifiers, names, and what is written to the log and to metadata nodes.
//!
//! Floor 1: pure bytes, no I/O; knows `error` and `limits`. `docs/FORMAT.md` is its specification. Every decoder
//! checks what it reads and answers `LOG_CORRUPT`, `HASH_MISMATCH` or `FORMAT_UNSUPPORTED`; none panics.

pub mod cbor;
pub mod id;
pub mod manifest;
pub mod name;
pub mod record;
pub mod repository;
pub mod schema;
pub mod transaction;

pub use id::{BranchId, ChunkHash, ChunkHasher, LogicalHash, NodeHash, RecordHash, Sequence, TableKey, TxId, Version};
pub use manifest::{ChunkEntry, ColumnStatistics, Manifest, ManifestNode, Scalar};
pub use name::{BranchName, TableName, TagName};
pub use repository::Repository;
pub use schema::TableSchema;
pub use transaction::{
    BranchChange, ChangeKind, ManifestSource, RefChange, SchemaSource, TableChange, TableContent, TableRead, TailBatch,
    Transaction, TransactionKind,
};

/// The format version that this library writes, and the newest that it reads.
pub const FORMAT_VERSION: u16 = 1;
