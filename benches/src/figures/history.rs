//! Figure f: what a long history costs.

use std::cell::RefCell;
use std::path::Path;

use armillaria::{At, Database, WriteOptions};

use super::commits::small_batches;
use crate::context::Context;
use crate::report::{Goal, Line, Unit};
use crate::{Result, data, timing};

const ROUNDS: usize = 31;
const LONG: usize = 10_000;
const SHORT: usize = 100;
const TABLE: &str = "t";

pub(super) fn measure(context: &Context) -> Result<Vec<Line>> {
    let directories = [context.scratch()?, context.scratch()?];
    let [long, short] = directories.each_ref().map(tempfile::TempDir::path);
    commit(context, long, context.scaled(LONG))?;
    commit(context, short, SHORT)?;
    let (long_open, short_open) = (RefCell::new(None), RefCell::new(None));
    let mut open_long = || open(context, long, &long_open);
    let mut open_short = || open(context, short, &short_open);
    let mut find_long = || find(context, &long_open);
    let mut find_short = || find(context, &short_open);
    let [mut opened, mut found] = [const { Vec::new() }; 2];
    for _ in 0..ROUNDS {
        opened.push(timing::in_turn(1, [&mut open_long, &mut open_short])?);
        found.push(timing::in_turn(1, [&mut find_long, &mut find_short])?);
    }
    let line = |what: &str, rounds: Vec<[timing::Samples; 2]>| {
        let [long, short] = timing::together(rounds);
        let compared = format!("{what}: 10,000 commits / 100");
        Line::ratio(compared, long.median(), short.median(), Unit::Seconds, Goal::Most(2.0))
    };
    let both = opened.iter().zip(&found).map(|(opened, found)| timing::summed(opened, found)).collect();
    Ok(vec![line("open", opened), line("find version 1", found), line("open and find version 1", both)])
}

fn commit(context: &Context, directory: &Path, commits: usize) -> Result<()> {
    let database = context.open(directory)?;
    for batch in small_batches(0, commits)? {
        database.write_table(TABLE, data::stream(&[batch]), &WriteOptions::append())?;
    }
    database.close();
    Ok(())
}

type Opened = RefCell<Option<Database>>;

/// Opens a repository and keeps the handle; the one before is dropped first.
fn open(context: &Context, directory: &Path, opened: &Opened) -> Result<std::time::Duration> {
    opened.replace(None);
    let (took, database) = context.time(|| {
        let database = context.open(directory)?;
        match database.latest_tx_id()? {
            0 => Err("the repository is empty".into()),
            _ => Ok(database),
        }
    })?;
    opened.replace(Some(database));
    Ok(took)
}

fn find(context: &Context, opened: &Opened) -> Result<std::time::Duration> {
    let opened = opened.borrow();
    let database = opened.as_ref().ok_or("nothing is open")?;
    let (took, rows) = context.time(|| {
        let mut rows = database.read_table(TABLE, None, &At::version(TABLE, 1))?;
        Ok(rows.next().transpose()?.map_or(0, |batch| batch.num_rows()))
    })?;
    if rows == 10 { Ok(took) } else { Err(format!("version 1 has {rows} rows").into()) }
}
