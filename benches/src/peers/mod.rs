//! What Armillaria is measured against.

pub(crate) mod bare_log;
pub(crate) mod doltlite;
pub(crate) mod duckdb;
