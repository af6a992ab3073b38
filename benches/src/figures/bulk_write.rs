//! Figure b: a large table from memory to disk.

use armillaria::WriteOptions;

use crate::context::Context;
use crate::peers::duckdb::DuckDb;
use crate::report::{Goal, Line, Unit};
use crate::{Result, data, timing};

const ROUNDS: usize = 5;

pub(super) fn measure(context: &Context) -> Result<Vec<Line>> {
    let scratch = context.scratch()?;
    let rows = context.table()?;
    let duckdb = DuckDb::open(context.threads)?;
    duckdb.load(rows, scratch.path())?;
    let mut ours = || {
        let directory = context.scratch()?;
        let database = context.open(directory.path())?;
        Ok(context.time(|| Ok(database.write_table("t", data::stream(rows), &WriteOptions::default())?))?.0)
    };
    let mut theirs = || {
        let directory = context.scratch()?;
        Ok(context.time(|| duckdb.copy_to(&directory.path().join("t.parquet")))?.0)
    };
    let [ours, theirs] = timing::in_turn(ROUNDS, [&mut ours, &mut theirs])?;
    Ok(vec![Line::ratio("first write / COPY TO", ours.best(), theirs.best(), Unit::Seconds, Goal::Most(1.2))])
}
