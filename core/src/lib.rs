//! Git for tables: versioned, content-addressed tables with branches, SQL at any version and a changelog.

pub mod cancel;
pub mod chunk_store;
pub mod error;
pub mod format;
pub mod limits;
pub mod log;
#[cfg(feature = "sql")]
pub mod sql;
pub mod store;
pub mod table;

pub use cancel::{CancelGuard, CancelToken};
pub use error::{Category, Code, Error, Result};
