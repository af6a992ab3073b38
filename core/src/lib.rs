//! Git for tables: versioned, content-addressed tables with branches, SQL at any version and a changelog.
//!
//! [`Database`] is the front door. `docs/ARCHITECTURE.md` tells how the floors below it fit together, and
//! `docs/FORMAT.md` what they write.

pub mod branch;
pub mod cancel;
pub mod catalog;
pub mod changelog;
pub mod check;
pub mod chunk_store;
pub mod database;
pub mod error;
pub mod format;
pub mod limits;
pub mod log;
pub mod repository;
#[cfg(feature = "sql")]
pub mod sql;
pub mod store;
pub mod table;
pub mod transaction;

pub use branch::{BranchDiff, BranchInfo, MergeKind, MergeOptions, MergeReport, MergeStrategy, TagInfo};
pub use cancel::{CancelGuard, CancelToken};
pub use changelog::{BackgroundSubscription, ChangelogEntry, ChangelogTable, ChangesQuery, Subscription};
pub use check::{Problem, Progress, Stats, VerifyOptions, VerifyReport};
pub use database::{
    At, BeginOptions, CreateOptions, Database, DiffSummary, HistoryEntry, Isolation, OpenOptions, TableInfo,
    Transaction, WriteMode, WriteOptions,
};
pub use error::{Category, Code, Error, Result};
#[cfg(feature = "sql")]
pub use sql::{Parameters, Value};
pub use table::{RowStream, WriteStatistics};
pub use transaction::{Commit, CommittedTable};

/// The example of the README is compiled and run as a test.
#[cfg(all(doctest, feature = "sql"))]
#[doc = include_str!("../../README.md")]
struct Readme;
