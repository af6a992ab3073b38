//! Figures i and j: what the border between languages costs.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use armillaria::{At, Database};
use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;

use crate::context::Context;
use crate::report::{Goal, Line, Unit};
use crate::worker::empty_queries;
use crate::{Result, data, timing};

/// The same text as in the programs of the SDKs.
const EMPTY_QUERY: &str = "SELECT 1 WHERE false";
const QUERIES: usize = 1_000;
const QUERY_ROUNDS: usize = 45;

const ROWS: usize = 10_000_000;
const FEW: usize = 64;
const MANY: usize = 65_536;
const MOVE_ROUNDS: usize = 5;

/// Figure i: an empty query from each language, each round in a process of its own.
pub(super) fn empty_query(context: &Context) -> Result<Vec<Line>> {
    let queries = context.scaled(QUERIES);
    let mut core = || empty_queries(queries);
    let mut c = || from(context, "border-c", queries);
    let mut cpp = || from(context, "border-cpp", queries);
    let mut go = || from(context, "border-go", queries);
    let [core, c, cpp, go] = timing::in_turn(QUERY_ROUNDS, [&mut core, &mut c, &mut cpp, &mut go])?;
    let each = |samples: &timing::Samples| samples.best() / queries as f64;
    let line = |language: &str, samples: &timing::Samples, goal| {
        Line::ratio(format!("{language} / core"), each(samples), each(&core), Unit::Seconds, Goal::Most(goal))
    };
    Ok(vec![line("C", &c, 1.05), line("C++", &cpp, 1.05), line("Go", &go, 1.10)])
}

/// Asks for nothing, so often.
pub(crate) fn query_often(database: &Database, queries: usize) -> Result<()> {
    for _ in 0..queries {
        let (rows, _) = data::drain(database.query(EMPTY_QUERY, &[], &At::head())?)?;
        if rows != 0 {
            return Err("an empty query gave rows".into());
        }
    }
    Ok(())
}

/// How long so many queries took in a program of another language, without its start.
fn from(context: &Context, program: &str, queries: usize) -> Result<Duration> {
    let answer = run(&context.border_program(program)?, &[&queries.to_string()])?;
    Ok(Duration::from_secs_f64(number(&answer, "ns_per_query")? * queries as f64 / 1e9))
}

/// Figure j: ten million rows in and out again.
pub(super) fn moving(context: &Context) -> Result<Vec<Line>> {
    let rows = context.scaled(ROWS);
    let program = context.border_program("move-c")?;
    let mut few = || moved(&program, rows, FEW);
    let mut many = || moved(&program, rows, MANY);
    let batch = batch(MANY)?;
    let batches = rows.div_ceil(MANY);
    let mut ipc = || Ok(context.time(|| (0..batches).try_for_each(|_| copy_through_ipc(&batch)))?.0);
    let [few, many, ipc] = timing::in_turn(MOVE_ROUNDS, [&mut few, &mut many, &mut ipc])?;
    let each = |samples: &timing::Samples, batch: usize| samples.best() / rows.div_ceil(batch) as f64;
    let (few, many, ipc) = (each(&few, FEW), each(&many, MANY), each(&ipc, MANY));
    Ok(vec![
        Line::ratio("a batch of 65,536 rows / of 64 rows", many, few, Unit::Seconds, Goal::Most(1.5)),
        Line::ratio("a batch of 65,536 rows / through Arrow IPC", many, ipc, Unit::Seconds, Goal::Most(0.1)),
    ])
}

fn moved(program: &Path, rows: usize, batch: usize) -> Result<Duration> {
    let answer = run(program, &["move", &rows.to_string(), &batch.to_string()])?;
    Ok(Duration::from_secs_f64(number(&answer, "ns_per_batch")? * number(&answer, "batches")? / 1e9))
}

/// The columns of the program in C: a number, a fraction, and twelve bytes of text.
fn batch(rows: usize) -> Result<RecordBatch> {
    let columns: [(&str, ArrayRef); 3] = [
        ("id", Arc::new(Int64Array::from_iter_values(0..rows as i64))),
        ("value", Arc::new(Float64Array::from_iter_values((0..rows).map(|row| row as f64 / 2.0)))),
        ("text", Arc::new(StringArray::from_iter_values((0..rows).map(|_| "twelve bytes")))),
    ];
    Ok(RecordBatch::try_from_iter(columns)?)
}

fn copy_through_ipc(batch: &RecordBatch) -> Result<()> {
    let mut writer = StreamWriter::try_new(Vec::new(), batch.schema_ref())?;
    writer.write(batch)?;
    let bytes = writer.into_inner()?;
    let rows: usize =
        StreamReader::try_new(bytes.as_slice(), None)?.map(|batch| batch.map_or(0, |b| b.num_rows())).sum();
    if rows == batch.num_rows() { Ok(()) } else { Err(format!("{rows} rows came back").into()) }
}

fn run(program: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).stderr(Stdio::inherit()).output()?;
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout)?),
        false => Err(format!("{} ended with {}", program.display(), output.status).into()),
    }
}

fn number(json: &str, key: &str) -> Result<f64> {
    let value: serde_json::Value = serde_json::from_str(json)?;
    value[key].as_f64().ok_or_else(|| format!("no {key} in {json:?}").into())
}
