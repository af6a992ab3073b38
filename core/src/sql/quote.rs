//! Names, texts and paths as SQL.

use std::path::Path;

use crate::error::{Error, Result};

/// A name in double quotes.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A name as people write it: in double quotes only if it is no plain word.
pub(super) fn where_needed(name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let word = name.chars().all(plain) && !name.starts_with(|c: char| c.is_ascii_digit());
    if word { name.to_owned() } else { identifier(name) }
}

/// A text in single quotes.
pub(super) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A path in single quotes; one that is not UTF-8 is `INVALID_ARGUMENT`.
pub(super) fn path(path: &Path) -> Result<String> {
    match path.to_str() {
        Some(path) => Ok(text(path)),
        None => Err(Error::invalid("path", format!("DuckDB reads only UTF-8 paths; path={}", path.display()))),
    }
}

/// A path in single quotes, where DuckDB takes patterns.
pub(super) fn pattern(literal: &Path) -> Result<String> {
    let pattern = path(literal)?;
    match pattern.contains(['*', '?', '[']) {
        true => Ok(pattern.replace('[', "[[]").replace('*', "[*]").replace('?', "[?]")),
        false => Ok(pattern),
    }
}
