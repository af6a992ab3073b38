//! DuckDB's errors as this library's.

use super::types::UNREADABLE;
use crate::error::Error;

/// An error of opening or setting up DuckDB.
pub(super) fn setup(error: duckdb::Error) -> Error {
    Error::Sql { message: format!("DuckDB could not be set up: {}", message(error)) }
}

/// An error of a statement, with DuckDB's own message.
pub(super) fn sql(error: duckdb::Error) -> Error {
    let message = message(error);
    match message.split_once(UNREADABLE) {
        Some((_, column)) => Error::Unsupported {
            what: format!("the column {:?}, of decimals with more than 38 digits, in SQL", column.trim_end()),
            instead: "leave it out, or read it with `read_table`".to_owned(),
        },
        None => Error::Sql { message },
    }
}

/// Whether DuckDB says that it does nothing more since an internal error, whoever's it was.
pub(super) fn is_of_broken_instance(error: &Error) -> bool {
    matches!(error, Error::Sql { message } if message.contains("database has been invalidated"))
}

/// Whether DuckDB says that something stopped the statement, instead of what.
pub(super) fn is_interruption(error: &Error) -> bool {
    matches!(error, Error::Sql { message } if message.starts_with("INTERRUPT Error"))
}

/// Whether DuckDB failed over a value whose type it did not know: the one place where that is seen is a parameter.
pub(super) fn is_of_untyped_value(error: &Error) -> bool {
    let Error::Sql { message } = error else { return false };
    let line = message.lines().next().unwrap_or_default();
    line.starts_with("INTERNAL Error") && (line.contains("Invalid PhysicalType") || line.contains("type INVALID"))
}

fn message(error: duckdb::Error) -> String {
    match error {
        duckdb::Error::DuckDBFailure(_, Some(message)) => without_settings(&message),
        other => other.to_string(),
    }
}

/// DuckDB advises to raise this limit by SET, which statements may not do here.
pub(super) fn without_settings(message: &str) -> String {
    match message.split_once(" Use \"SET max_expression_depth") {
        Some((what, _)) => format!("{what} Write the statement with less nesting."),
        None => message.to_owned(),
    }
}

/// Whether a message of DuckDB may come from a file that is missing or damaged.
pub(super) fn may_be_damage(message: &str) -> bool {
    let kinds = ["IO Error", "Invalid Error", "INTERNAL Error", "Serialization Error", "TProtocolException"];
    let signs = ["arquet", "ecompress", "orrupt", "magic bytes", "ZSTD", "UTF-8", "UTF8"];
    kinds.iter().any(|kind| message.starts_with(kind)) || signs.iter().any(|sign| message.contains(sign))
}
