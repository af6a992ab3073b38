//! Tables: rows to chunks and back. Floor 5: knows `chunk_store`, `store` and what is below; nothing of catalogs,
//! branches or transactions.
//!
//! Invariants:
//! 1. What a call returns is durable: its chunks and manifest nodes were synced.
//! 2. The same rows after the same parent give the same chunk files, however they were cut into batches.
//! 3. A chunk is an ordinary Parquet file whose fields carry column ids.
//! 4. Two chunks of one logical hash hold the same rows under the same schema.
//!
//! The sections "Chunks", "Manifests" and "Inlined rows" of `docs/FORMAT.md` describe what is written.

mod alignment;
mod boundary;
mod canonical;
mod columns;
mod common_type;
mod convert;
mod data;
mod diff;
mod encode;
mod errors;
mod fold;
mod inline;
mod intake;
mod listed;
mod manifest;
mod nan;
mod normal_array;
mod normal_type;
mod pages;
mod parallel;
#[cfg(feature = "sql")]
mod plain_copy;
mod projection;
mod reader;
mod row_hash;
mod statistics;
mod store;
mod tail;
mod writer;

pub use alignment::common_columns;
pub use data::{Appended, Fold, InlineRows, Overwritten, RowStream, TableData, WriteStatistics};
pub use diff::{CHANGE_TYPE_COLUMN, DiffCounts};
pub use errors::{error_from_arrow, error_to_arrow};
pub use parallel::in_parallel;
pub use store::{TableOptions, TableStore};
pub use tail::{InlineBatch, Tail};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
