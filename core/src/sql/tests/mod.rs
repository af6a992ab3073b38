//! Tests of the SQL floor against real chunk files.

mod damage;
mod files;
mod listing;
mod locked;
mod nan;
mod pruning;
mod scratch;
mod statements;
mod streaming;
mod types;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchIterator, RecordBatchReader, StringArray};
use arrow::compute::concat_batches;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use tempfile::TempDir;

use super::*;
use crate::cancel::CancelToken;
use crate::chunk_store::{ChunkStore, PREFIX};
use crate::error::{Code, Error, Result};
use crate::format::{Manifest, TableName, Version};
use crate::store::{Access, LocalStore, MemoryStore, Store};
use crate::table::{RowStream, TableData, TableOptions, TableStore, error_from_arrow};

/// A repository's tables without a repository: versions in lists, no branches but `main` and `old`.
pub(super) struct World {
    pub(super) engine: SqlEngine,
    pub(super) store: TableStore,
    pub(super) directory: TempDir,
    tables: BTreeMap<String, Vec<Arc<TableData>>>,
}

impl World {
    pub(super) fn new() -> World {
        World::with(SqlOptions::default())
    }

    pub(super) fn with(options: SqlOptions) -> World {
        let directory = TempDir::new().unwrap();
        let local: Arc<dyn Store> = Arc::new(LocalStore::open(directory.path(), Access::ReadWrite).unwrap());
        World::over(directory, local, options)
    }

    /// A world whose chunks lie in no file.
    pub(super) fn in_memory() -> World {
        World::over(TempDir::new().unwrap(), Arc::new(MemoryStore::new()), SqlOptions::default())
    }

    fn over(directory: TempDir, store: Arc<dyn Store>, options: SqlOptions) -> World {
        let store = TableStore::new(ChunkStore::new(store.clone(), PREFIX), store, TableOptions { threads: 1 });
        let options = SqlOptions { chunk_roots: vec![directory.path().to_owned()], ..options };
        World { engine: SqlEngine::new(options, store.clone()), store, directory, tables: BTreeMap::new() }
    }

    /// A new version of a table: one chunk for each batch, or none.
    pub(super) fn write(&mut self, table: &str, batches: &[RecordBatch]) -> Arc<TableData> {
        let data = Arc::new(self.data(batches, 0));
        self.put(table, data.clone());
        data
    }

    pub(super) fn put(&mut self, table: &str, data: Arc<TableData>) {
        self.tables.entry(table.to_owned()).or_default().push(data);
    }

    /// The rows as a table's content: one chunk or inlined batch for each batch.
    pub(super) fn data(&self, batches: &[RecordBatch], inline_budget: usize) -> TableData {
        let (name, token) = (TableName::new("t").unwrap(), CancelToken::new());
        let mut chunks = Vec::new();
        let mut first: Option<TableData> = None;
        for batch in batches {
            let rows = stream(std::slice::from_ref(batch));
            let written = self.store.overwrite(&name, None, rows, &[], inline_budget, &token).unwrap();
            let data = written.to_data(Some(Version(1)));
            chunks.extend_from_slice(&data.manifest.chunks);
            first.get_or_insert(data);
        }
        TableData { manifest: Arc::new(Manifest { chunks }), ..first.unwrap() }
    }

    pub(super) fn try_query(&self, sql: &str, parameters: &[Value]) -> Result<RecordBatch> {
        collect(self.engine.query(sql, parameters, self, &CancelToken::new())?)
    }

    pub(super) fn query(&self, sql: &str) -> RecordBatch {
        self.try_query(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The rows as text, columns parted by `|`.
    pub(super) fn rows(&self, sql: &str) -> Vec<String> {
        text_rows(&self.query(sql))
    }

    pub(super) fn error(&self, sql: &str) -> Error {
        match self.try_query(sql, &[]) {
            Ok(rows) => panic!("{sql} gave {rows:?}"),
            Err(error) => error,
        }
    }

    pub(super) fn code(&self, sql: &str) -> Code {
        self.error(sql).code()
    }
}

impl Tables for World {
    fn resolve(&self, table: &str, at: &TableAt) -> Result<ResolvedTable> {
        let none = || Error::TableNotFound { table: table.to_owned(), at: "main".to_owned() };
        let versions = self.tables.get(table).ok_or_else(none)?;
        let version = match at {
            TableAt::Default => versions.len() as u64,
            TableAt::Version(version) => *version,
            TableAt::Ref(name) if name == "old" => 1,
            TableAt::Ref(name) => return Err(Error::BranchNotFound { branch: name.clone() }),
            TableAt::Time(micros) => 1 + u64::from(*micros >= 1_000_000),
        };
        let data = version.checked_sub(1).and_then(|index| versions.get(index as usize));
        let latest = versions.len() as u64;
        let data = data.ok_or(Error::VersionNotFound { table: table.to_owned(), version, latest })?;
        Ok(ResolvedTable { name: table.to_owned(), version: Version(version), data: data.clone() })
    }

    fn list(&self, _: &TableAt) -> Result<Vec<String>> {
        Ok(self.tables.keys().cloned().collect())
    }
}

pub(super) fn stream(batches: &[RecordBatch]) -> RowStream {
    let schema = batches[0].schema();
    let rows: Vec<_> = batches.iter().cloned().map(Ok).collect();
    Box::new(RecordBatchIterator::new(rows, schema))
}

pub(super) fn collect(rows: RowStream) -> Result<RecordBatch> {
    let schema = rows.schema();
    let batches = rows.collect::<Result<Vec<_>, _>>().map_err(error_from_arrow)?;
    Ok(concat_batches(&schema, &batches).unwrap())
}

pub(super) fn text_rows(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("null");
    let columns: Vec<_> =
        batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
    let row = |index: usize| columns.iter().map(|column| column.value(index).to_string()).collect::<Vec<_>>().join("|");
    (0..batch.num_rows()).map(row).collect()
}

pub(super) fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

/// Users `from..to`: `id`, `name` = `user <id>`, `age` = 20 + id % 50.
pub(super) fn users(from: i64, to: i64) -> RecordBatch {
    batch(vec![
        ("id", Arc::new(Int64Array::from_iter_values(from..to))),
        ("name", Arc::new(StringArray::from_iter_values((from..to).map(|id| format!("user {id}"))))),
        ("age", Arc::new(Int64Array::from_iter_values((from..to).map(|id| 20 + id % 50)))),
    ])
}

/// `users` in two versions (10 rows; 20 in two chunks), and `orders` (5 rows).
pub(super) fn shop() -> World {
    let mut world = World::new();
    fill(&mut world);
    world
}

pub(super) fn fill(world: &mut World) {
    world.write("users", &[users(0, 10)]);
    world.write("users", &[users(0, 10), users(10, 20)]);
    let user: ArrayRef = Arc::new(Int64Array::from(vec![1, 1, 2, 15, 15]));
    let amount: ArrayRef = Arc::new(Int64Array::from(vec![10, 20, 30, 40, 50]));
    world.write("orders", &[batch(vec![("user", user), ("amount", amount)])]);
}
