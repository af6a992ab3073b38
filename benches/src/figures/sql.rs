//! Figure a: SQL over chunks against DuckDB over one file.

use armillaria::{At, Database};
use arrow::array::RecordBatch;
use arrow::temporal_conversions::timestamp_us_to_datetime;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::versions::{self, TABLE};
use crate::context::Context;
use crate::data::{FIRST_TS_US, SECOND_US};
use crate::peers::duckdb::DuckDb;
use crate::report::{Goal, Line, Unit};
use crate::{Result, figures, timing};

const ROUNDS: usize = 15;

pub(super) fn measure(context: &Context) -> Result<Vec<Line>> {
    let scratch = context.scratch()?;
    let plain = scratch.path().join("plain.parquet");
    let duckdb = DuckDb::open(context.threads)?;
    duckdb.load(context.table()?, scratch.path())?;
    duckdb.copy_to(&plain)?;
    duckdb.show(&plain)?;
    let database = versions::write(context, &scratch.path().join("repository"))?;
    let mut lines = Vec::new();
    for (name, sql) in queries(figures::rows(context.table()?))? {
        lines.extend(compare(context, &database, &duckdb, name, &sql)?);
    }
    Ok(lines)
}

/// The names of the queries and their text, for a table of so many rows.
fn queries(rows: usize) -> Result<[(&'static str, String); 4]> {
    let (from, to) = (time(rows * 6 / 10)?, time(rows * 7 / 10)?);
    let values = "count(*), round(sum(price), 2), avg(qty)";
    Ok([
        ("full aggregate", format!("SELECT {values}, min(name), max(name), min(id), max(ts) FROM t")),
        ("group by", format!("SELECT category, {values} FROM t GROUP BY category ORDER BY category")),
        ("range filter", format!("SELECT {values} FROM t WHERE ts >= {from} AND ts < {to}")),
        ("point lookup", format!("SELECT * FROM t WHERE id = {}", rows * 7 / 9)),
    ])
}

/// About the time of a row, in SQL.
fn time(row: usize) -> Result<String> {
    let time = timestamp_us_to_datetime(FIRST_TS_US + row as i64 * SECOND_US).ok_or("no such time")?;
    Ok(format!("TIMESTAMP '{time}'"))
}

fn compare(context: &Context, database: &Database, duckdb: &DuckDb, name: &str, sql: &str) -> Result<[Line; 3]> {
    let (latest, first) = (At::head(), At::version(TABLE, 1));
    check_answers(database, duckdb, sql, &first)?;
    query(database, sql, &latest)?;
    let mut latest = || Ok(context.time(|| query(database, sql, &latest))?.0);
    let mut first = || Ok(context.time(|| query(database, sql, &first))?.0);
    let mut plain = || Ok(context.time(|| duckdb.query(sql))?.0);
    let [latest, first, plain] = timing::in_turn(ROUNDS, [&mut latest, &mut first, &mut plain])?;
    let line = |compared: String, ours: f64, theirs: f64, goal: f64| {
        Line::ratio(compared, ours, theirs, Unit::Seconds, Goal::Most(goal))
    };
    Ok([
        line(format!("{name}: latest / DuckDB"), latest.best(), plain.best(), 1.1),
        line(format!("{name}: version 1 / DuckDB"), first.best(), plain.best(), 1.1),
        line(format!("{name}: version 1 / latest"), first.best(), latest.best(), 1.05),
    ])
}

fn query(database: &Database, sql: &str, at: &At) -> Result<Vec<RecordBatch>> {
    Ok(database.query(sql, &[], at)?.collect::<std::result::Result<_, _>>()?)
}

/// Both sides must say the same of the same rows.
fn check_answers(database: &Database, duckdb: &DuckDb, sql: &str, first: &At) -> Result<()> {
    let (ours, theirs) = (text(&query(database, sql, first)?)?, text(&duckdb.query(sql)?)?);
    match ours == theirs && !ours.is_empty() {
        true => Ok(()),
        false => Err(format!("different answers to {sql}: {ours} and {theirs}").into()),
    }
}

fn text(batches: &[RecordBatch]) -> Result<String> {
    let mut text = String::new();
    for batch in batches {
        for column in batch.columns() {
            let format = FormatOptions::default();
            let shown = ArrayFormatter::try_new(column, &format)?;
            (0..batch.num_rows()).for_each(|row| text += &format!("{};", shown.value(row)));
        }
    }
    Ok(text)
}
