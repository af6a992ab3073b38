//! What all proofs share: rows, streams of them, and databases on a clock that the test moves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use armillaria::store::{Environment, ManualClock, MemoryStore, SeededRandomness, Store};
use armillaria::table::RowStream;
use armillaria::{At, Code, Database, Error, OpenOptions, Result};
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, RecordBatchIterator, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use arrow::error::ArrowError;

/// The columns that a table of a test has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    /// `id` and `text`.
    Narrow,
    /// `id`, `text` and `extra`.
    Wide,
}

/// A row of a test; `extra` is `None` in a narrow one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Row {
    pub(crate) id: i64,
    pub(crate) text: Option<String>,
    pub(crate) extra: Option<i64>,
}

impl Row {
    pub(crate) fn new(id: i64, text: impl Into<String>) -> Row {
        Row { id, text: Some(text.into()), extra: None }
    }
}

impl Shape {
    pub(crate) fn schema(self) -> SchemaRef {
        let mut fields = vec![Field::new("id", DataType::Int64, false), Field::new("text", DataType::Utf8, true)];
        if self == Shape::Wide {
            fields.push(Field::new("extra", DataType::Int64, true));
        }
        Arc::new(Schema::new(fields))
    }

    pub(crate) fn batch(self, rows: &[Row]) -> RecordBatch {
        let ids: Int64Array = rows.iter().map(|row| Some(row.id)).collect();
        let texts: StringArray = rows.iter().map(|row| row.text.clone()).collect();
        let mut columns: Vec<ArrayRef> = vec![Arc::new(ids), Arc::new(texts)];
        if self == Shape::Wide {
            columns.push(Arc::new(rows.iter().map(|row| row.extra).collect::<Int64Array>()));
        }
        RecordBatch::try_new(self.schema(), columns).unwrap()
    }

    pub(crate) fn stream(self, rows: &[Row]) -> RowStream {
        stream_of(self.batch(rows))
    }
}

pub(crate) fn stream_of(batch: RecordBatch) -> RowStream {
    let schema = batch.schema();
    Box::new(RecordBatchIterator::new([Ok(batch)], schema))
}

/// Narrow rows with those ids.
pub(crate) fn rows_of(ids: impl IntoIterator<Item = i64>) -> Vec<Row> {
    ids.into_iter().map(|id| Row::new(id, format!("row {id}"))).collect()
}

pub(crate) fn narrow(ids: impl IntoIterator<Item = i64>) -> RowStream {
    Shape::Narrow.stream(&rows_of(ids))
}

/// So many narrow rows that do not compress, about `bytes` of them: more than 64 KiB do not ride inside a record.
pub(crate) fn bulky_rows(first_id: i64, bytes: usize, seed: u64) -> Vec<Row> {
    let dice = SeededRandomness::new(seed);
    let letter = || char::from(b'0' + dice.below(75) as u8);
    let text = || (0..192).map(|_| letter()).collect::<String>();
    (0..(bytes / 200).max(1) as i64).map(|n| Row::new(first_id + n, text())).collect()
}

/// All rows of a stream, in order.
pub(crate) fn collect(stream: RowStream) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for batch in stream {
        rows.extend(batch_rows(&batch.map_err(unwrap_arrow)?));
    }
    Ok(rows)
}

pub(crate) fn batches(stream: RowStream) -> Result<Vec<RecordBatch>> {
    stream.map(|batch| batch.map_err(unwrap_arrow)).collect()
}

pub(crate) fn batch_rows(batch: &RecordBatch) -> Vec<Row> {
    let ids = batch.column_by_name("id").unwrap().as_primitive::<Int64Type>();
    let texts = batch.column_by_name("text").unwrap().as_string::<i32>();
    let extras = batch.column_by_name("extra").map(|column| column.as_primitive::<Int64Type>());
    let row = |at: usize| Row {
        id: ids.value(at),
        text: texts.is_valid(at).then(|| texts.value(at).to_string()),
        extra: extras.filter(|extras| extras.is_valid(at)).map(|extras| extras.value(at)),
    };
    (0..batch.num_rows()).map(row).collect()
}

/// The library's error inside Arrow's.
pub(crate) fn unwrap_arrow(error: ArrowError) -> Error {
    match error {
        ArrowError::ExternalError(inner) => match inner.downcast::<Error>() {
            Ok(error) => *error,
            Err(other) => panic!("a stream failed with an error that is not the library's: {other}"),
        },
        other => panic!("a stream failed with an error that is not the library's: {other}"),
    }
}

/// How often each row occurs.
pub(crate) fn counted<'a>(rows: impl IntoIterator<Item = &'a Row>) -> BTreeMap<&'a Row, i64> {
    let mut counts = BTreeMap::new();
    rows.into_iter().for_each(|row| *counts.entry(row).or_default() += 1);
    counts
}

/// The code of a failure; a success is a failure of the test.
#[track_caller]
pub(crate) fn code_of<T>(outcome: Result<T>) -> Code {
    match outcome {
        Ok(_) => panic!("this was to fail and did not"),
        Err(error) => error.code(),
    }
}

/// A clock that the test moves, and randomness from a seed, another for each handle.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    seed: u64,
    opened: Arc<AtomicU64>,
}

impl World {
    pub(crate) fn new(seed: u64) -> World {
        let clock = Arc::new(ManualClock::new(1_700_000_000_000_000));
        World { clock, seed, opened: Arc::default() }
    }

    pub(crate) fn tick(&self, micros: u64) {
        self.clock.advance(Duration::from_micros(micros));
    }

    pub(crate) fn options(&self) -> OpenOptions {
        let opened = self.opened.fetch_add(1, Ordering::SeqCst);
        let randomness = Arc::new(SeededRandomness::new(self.seed ^ (opened << 32)));
        let environment = Environment { clock: self.clock.clone(), randomness };
        OpenOptions { threads: Some(1), environment, ..OpenOptions::default() }
    }

    pub(crate) fn open(&self, store: Arc<dyn Store>) -> Result<Database> {
        Database::open_store(store, "test", self.options())
    }
}

/// A database in memory, with the machine's own clock.
pub(crate) fn in_memory() -> Database {
    Database::open("memory:", OpenOptions::default()).unwrap()
}

pub(crate) fn read(db: &Database, table: &str, at: &At) -> Result<Vec<Row>> {
    collect(db.read_table(table, None, at)?)
}

pub(crate) fn ids(db: &Database, table: &str) -> Vec<i64> {
    read(db, table, &At::head()).unwrap().iter().map(|row| row.id).collect()
}

/// Fails unless a deep verification finds nothing wrong.
#[track_caller]
pub(crate) fn assert_whole(db: &Database) {
    let report = db.verify(&armillaria::VerifyOptions { deep: true, progress: None }).unwrap();
    assert!(report.ok, "verify found {:#?}", report.problems);
}

/// A number from the environment: how the long variants are asked for and a failure is replayed.
pub(crate) fn from_env(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text:?} is no number")))
}

/// Puts a file into a store. Log files are written in place, everything else is an object.
pub(crate) fn put(store: &MemoryStore, path: &str, bytes: &[u8]) {
    if path.starts_with("log/") {
        store.allocate(path, bytes.len() as u64).unwrap();
        store.open_file(path).unwrap().unwrap().write_at(0, bytes).unwrap();
    } else {
        store.create(path, bytes).unwrap();
    }
}
