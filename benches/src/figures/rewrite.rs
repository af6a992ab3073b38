//! Figure c: a table written again, almost as it was and just as it was.

use std::path::Path;
use std::time::Duration;

use armillaria::{Database, WriteOptions};
use arrow::array::RecordBatch;

use crate::context::{Context, files};
use crate::report::{Goal, Line, Unit};
use crate::{Result, data, figures};

const ROUNDS: usize = 4;

/// What one write took.
struct Written {
    took: Duration,
    new_bytes: u64,
    new_chunks: usize,
}

pub(super) fn measure(context: &Context) -> Result<Vec<Line>> {
    let rows = context.table()?;
    let count = figures::rows(rows);
    let edited = data::edited(rows, count * 37 / 100, count / 100)?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let directory = context.scratch()?;
        let database = context.open(directory.path())?;
        let write = |rows: &[RecordBatch]| write(context, &database, directory.path(), rows);
        rounds.push([write(rows)?, write(&edited)?, write(&edited)?]);
    }
    let best =
        |write: usize| rounds.iter().map(|round| round[write].took).min().map_or(f64::NAN, |best| best.as_secs_f64());
    let most_bytes = |write: usize| rounds.iter().map(|round| round[write].new_bytes).max().unwrap_or(u64::MAX) as f64;
    let new_chunks = rounds.iter().map(|round| round[2].new_chunks).max().unwrap_or(usize::MAX) as f64;
    let time = |compared: &str, write: usize, goal: f64| {
        Line::ratio(compared, best(write), best(0), Unit::Seconds, Goal::Most(goal))
    };
    Ok(vec![
        time("1% edited in one place / first write: time", 1, 0.35),
        Line::ratio(
            "1% edited in one place / first write: bytes",
            most_bytes(1),
            most_bytes(0),
            Unit::Bytes,
            Goal::Most(0.05),
        ),
        time("unchanged / first write: time", 2, 0.2),
        Line {
            compared: "unchanged: new chunks".to_string(),
            ours: format!("{new_chunks}"),
            theirs: String::new(),
            value: new_chunks,
            goal: Goal::Units(0.0, ""),
        },
    ])
}

fn write(context: &Context, database: &Database, directory: &Path, rows: &[RecordBatch]) -> Result<Written> {
    let before = files(directory)?;
    let written = context.time(|| Ok(database.write_table("t", data::stream(rows), &WriteOptions::default())?));
    let (took, _) = written?;
    let after = files(directory)?;
    let bytes = |files: &[(std::path::PathBuf, u64)]| files.iter().map(|(_, bytes)| bytes).sum::<u64>();
    let chunks = |files: &[(std::path::PathBuf, u64)]| {
        files.iter().filter(|(path, _)| path.extension().is_some_and(|extension| extension == "parquet")).count()
    };
    Ok(Written { took, new_bytes: bytes(&after) - bytes(&before), new_chunks: chunks(&after) - chunks(&before) })
}
