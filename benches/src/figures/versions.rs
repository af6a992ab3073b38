//! The repository of figures a and g: a large table in fifty versions.

use std::path::Path;

use armillaria::{Database, WriteOptions};

use crate::context::Context;
use crate::data::{self, Generator};
use crate::{Result, figures};

/// The table.
pub(super) const TABLE: &str = "t";

const VERSIONS: u64 = 50;

/// Each version whose number is a multiple of this is a rewrite, the others are appends.
const REWRITE_EVERY: u64 = 5;

const APPENDED_ROWS: usize = 1_000;

/// Writes the fifty versions into a new repository.
pub(super) fn write(context: &Context, directory: &Path) -> Result<Database> {
    let database = context.open(directory)?;
    let mut rows = context.table()?.to_vec();
    let count = figures::rows(&rows);
    database.write_table(TABLE, data::stream(&rows), &WriteOptions::default())?;
    for version in 2..=VERSIONS {
        if version % REWRITE_EVERY == 0 && version < VERSIONS {
            let first = count * (version as usize) / (VERSIONS as usize + 1);
            rows = data::edited(&rows, first, count / 100)?;
            database.write_table(TABLE, data::stream(&rows), &WriteOptions::default())?;
        } else {
            let first_id = (count + version as usize * APPENDED_ROWS) as i64;
            rows.push(Generator::new(first_id).batch(APPENDED_ROWS)?);
            let appended = data::stream(rows.last().map_or(&[], std::slice::from_ref));
            database.write_table(TABLE, appended, &WriteOptions::append())?;
        }
    }
    Ok(database)
}
