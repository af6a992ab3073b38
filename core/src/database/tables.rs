//! Operations on tables.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use serde::Serialize;

use super::{At, BeginOptions, CreateOptions, Database, WriteMode, WriteOptions, table_name};
use crate::cancel::CancelToken;
use crate::catalog::View;
use crate::error::Result;
use crate::format::{ChangeKind, TableChange, TableName, Version};
use crate::table::{RowStream, TableData};
use crate::transaction::Commit;

/// A table, as `list_tables` tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableInfo {
    /// Its name.
    pub name: String,
    /// Its version there.
    pub version: u64,
    /// Its rows.
    pub rows: u64,
    /// Its chunks.
    pub chunks: u64,
    /// Bytes of its chunks and inlined rows.
    pub bytes: u64,
}

/// One version of a table, as its history tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HistoryEntry {
    /// The version; for a drop, the one that was dropped.
    pub version: u64,
    /// The transaction that brought it to the branch.
    pub tx_id: u64,
    /// The branch of that transaction.
    pub branch: String,
    /// When, in microseconds since 1970-01-01 UTC.
    pub time_us: i64,
    /// Who.
    pub author: Option<String>,
    /// Why.
    pub message: Option<String>,
    /// What was done.
    pub kind: ChangeKind,
    /// The rows of the version; 0 after a drop.
    pub rows: u64,
    /// Its chunks.
    pub chunks: u64,
    /// Bytes of its chunks and inlined rows.
    pub bytes: u64,
}

/// How two versions of a table differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DiffSummary {
    /// Rows that only the second has.
    pub rows_added: u64,
    /// Rows that only the first has.
    pub rows_removed: u64,
    /// Rows of one key that differ; always 0 without key columns.
    pub rows_modified: u64,
    /// How the columns differ, in words.
    pub schema_changes: Vec<String>,
}

impl Database {
    /// Creates a table without rows; `TABLE_EXISTS`, `INVALID_ARGUMENT`, `UNSUPPORTED` (a column's type).
    pub fn create_table(&self, name: &str, schema: &Schema, options: &CreateOptions) -> Result<Commit> {
        let transaction = self.begin_on(options.branch.as_deref())?;
        transaction.create_table(name, schema, &options.key)?;
        transaction.commit(options.message.as_deref())
    }

    /// Drops a table from a branch; its versions stay. `TABLE_NOT_FOUND`.
    pub fn drop_table(&self, name: &str, options: &CreateOptions) -> Result<Commit> {
        let transaction = self.begin_on(options.branch.as_deref())?;
        transaction.drop_table(name)?;
        transaction.commit(options.message.as_deref())
    }

    /// Writes rows, creating the table if it is not there. When this returns, they are durable.
    ///
    /// `SCHEMA_MISMATCH`, `WRITE_CONFLICT`, `UNSUPPORTED` (mode upsert), and whatever `rows` fails with.
    pub fn write_table(&self, name: &str, rows: RowStream, options: &WriteOptions) -> Result<Commit> {
        self.write_table_with(name, rows, options, &CancelToken::new())
    }

    /// The same, unless it is cancelled before the commit begins (`CANCELLED`): then nothing was written.
    pub fn write_table_with(
        &self,
        name: &str,
        rows: RowStream,
        options: &WriteOptions,
        cancel: &CancelToken,
    ) -> Result<Commit> {
        let transaction = self.begin_on(options.branch.as_deref())?;
        transaction.write_table_with(name, rows, options.mode, &options.key, cancel)?;
        cancel.check("writing a table")?;
        transaction.commit(options.message.as_deref())
    }

    pub(super) fn begin_on(&self, branch: Option<&str>) -> Result<super::Transaction> {
        let options = BeginOptions { branch: branch.map(str::to_string), ..BeginOptions::default() };
        self.begin(&options)
    }

    /// Brings the rows of a table together in fewer chunks, without changing data; `None` if there is nothing to do.
    pub fn compact(&self, name: &str, branch: Option<&str>) -> Result<Option<Commit>> {
        self.compact_with(name, branch, &CancelToken::new())
    }

    /// The same, unless it is cancelled before the commit begins (`CANCELLED`): then nothing was committed.
    pub fn compact_with(&self, name: &str, branch: Option<&str>, cancel: &CancelToken) -> Result<Option<Commit>> {
        let transaction = self.begin_on(branch)?;
        let is_prepared = transaction.compact(name, cancel)?;
        cancel.check("compacting a table")?;
        is_prepared.then(|| transaction.commit(None)).transpose()
    }

    /// Streams a table; `columns` chooses and orders them. `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`, `INVALID_ARGUMENT`
    /// (a column that is not there); in the stream also `HASH_MISMATCH` and `CHUNK_NOT_FOUND`.
    pub fn read_table(&self, name: &str, columns: Option<&[String]>, at: &At) -> Result<RowStream> {
        self.read_table_with(name, columns, at, &CancelToken::new())
    }

    /// Streams a table until it is cancelled (`CANCELLED`).
    pub fn read_table_with(
        &self,
        name: &str,
        columns: Option<&[String]>,
        at: &At,
        cancel: &CancelToken,
    ) -> Result<RowStream> {
        let (_, data) = self.table_data(name, at)?;
        self.repository()?.tables.read(&data, columns, cancel)
    }

    fn table_data(&self, name: &str, at: &At) -> Result<(Version, Arc<TableData>)> {
        let table = table_name(name)?;
        let view = self.view()?;
        let snapshot = at.snapshot_if_needed(&view, &self.branch_now())?;
        let version = at.version_of(&view, &snapshot, &table)?;
        Ok((version, self.repository()?.content(&view, &table, version)?))
    }

    /// The tables there are, by name.
    pub fn list_tables(&self, at: &At) -> Result<Vec<TableInfo>> {
        let (view, snapshot) = self.look(at)?;
        at.check_versions(&view)?;
        let mut tables = Vec::new();
        view.each_live_table(&snapshot, |version, change| {
            tables.push(match at.version_named(&change.table) {
                Some(named) => table_info(&view, &change.table, named)?,
                // Taken over from another branch, where it was made.
                None if change.content.is_none() => table_info(&view, &change.table, version)?,
                None => info_of(change, version),
            });
            Ok(())
        })?;
        tables.sort_unstable_by(|a: &TableInfo, b| a.name.cmp(&b.name));
        Ok(tables)
    }

    /// The columns of a table; `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`.
    pub fn table_schema(&self, name: &str, at: &At) -> Result<SchemaRef> {
        self.table_data(name, at)?.1.arrow_schema()
    }

    /// The key columns of a table; none if it has no key.
    pub fn table_key(&self, name: &str, at: &At) -> Result<Vec<String>> {
        Ok(self.table_data(name, at)?.1.schema.key.clone())
    }

    /// What happened to a table on a branch and on those that it started from, oldest first; `TABLE_NOT_FOUND`.
    pub fn history(&self, name: &str, branch: Option<&str>) -> Result<Vec<HistoryEntry>> {
        let table = table_name(name)?;
        let view = self.view()?;
        let head = view.head(&self.branch_or_current(branch)?)?;
        let states = view.table_states(&head, &table)?;
        if states.is_empty() {
            return Err(super::at::missing_table(&table, &head));
        }
        states.iter().map(|state| history_entry(&view, &table, state.tx_id)).collect()
    }

    /// How version `to` of a table differs from version `from`, row by row. With `key_columns`, rows of one key that
    /// differ count as modified. `VERSION_NOT_FOUND`, `INVALID_ARGUMENT` (a key column that is not there).
    pub fn diff_versions(&self, name: &str, from: u64, to: u64, key_columns: &[String]) -> Result<DiffSummary> {
        self.diff_versions_with(name, from, to, key_columns, &CancelToken::new())
    }

    /// The same, until it is cancelled (`CANCELLED`).
    pub fn diff_versions_with(
        &self,
        name: &str,
        from: u64,
        to: u64,
        key_columns: &[String],
        cancel: &CancelToken,
    ) -> Result<DiffSummary> {
        let (before, after) = self.two_versions(name, from, to)?;
        let counts = self.repository()?.tables.diff_counts(&before, &after, key_columns, cancel)?;
        Ok(DiffSummary {
            rows_added: counts.rows_added,
            rows_removed: counts.rows_removed,
            rows_modified: counts.rows_modified,
            schema_changes: counts.schema_changes,
        })
    }

    /// The rows in which version `to` differs from version `from`, with `_change_type`: `insert`, `delete`, and with
    /// `key_columns` also `update_preimage` and `update_postimage`. A column that changed its type has one that holds the
    /// values of both versions; `UNSUPPORTED` if there is none.
    pub fn diff_rows(&self, name: &str, from: u64, to: u64, key_columns: &[String]) -> Result<RowStream> {
        self.diff_rows_with(name, from, to, key_columns, &CancelToken::new())
    }

    /// The same, until it is cancelled (`CANCELLED`).
    pub fn diff_rows_with(
        &self,
        name: &str,
        from: u64,
        to: u64,
        key_columns: &[String],
        cancel: &CancelToken,
    ) -> Result<RowStream> {
        let (before, after) = self.two_versions(name, from, to)?;
        self.repository()?.tables.diff_rows(&before, &after, key_columns, cancel)
    }

    fn two_versions(&self, name: &str, from: u64, to: u64) -> Result<(Arc<TableData>, Arc<TableData>)> {
        let (table, view) = (table_name(name)?, self.view()?);
        let repository = self.repository()?;
        Ok((repository.content(&view, &table, Version(from))?, repository.content(&view, &table, Version(to))?))
    }
}

impl WriteOptions {
    /// Options to append rows.
    pub fn append() -> WriteOptions {
        WriteOptions { mode: WriteMode::Append, ..WriteOptions::default() }
    }
}

fn table_info(view: &View, table: &TableName, version: Version) -> Result<TableInfo> {
    view.version_change(table, version).map(|change| info_of(change.change(), version))
}

/// What the change that made a version says of it.
fn info_of(change: &TableChange, version: Version) -> TableInfo {
    let content = change.content.as_ref();
    TableInfo {
        name: change.table.to_string(),
        version: version.0,
        rows: content.map_or(0, |content| content.rows),
        chunks: content.map_or(0, |content| content.chunks),
        bytes: content.map_or(0, |content| content.bytes),
    }
}

fn history_entry(view: &View, table: &TableName, tx_id: crate::format::TxId) -> Result<HistoryEntry> {
    let transaction = view.transaction(tx_id)?;
    let change = transaction.place_of(table).map(|place| &transaction.tables[place]);
    let change =
        change.ok_or_else(|| crate::error::Error::internal(format!("transaction {tx_id} does not change {table}")))?;
    let made = change.to.map(|version| view.version_change(table, version)).transpose()?;
    let content = made.as_ref().and_then(|made| made.change().content.as_ref());
    Ok(HistoryEntry {
        version: change.to.or(change.from).unwrap_or_default().0,
        tx_id: tx_id.0,
        branch: transaction.branch.to_string(),
        time_us: transaction.time_us,
        author: transaction.author.clone(),
        message: transaction.message.clone(),
        kind: change.kind,
        rows: content.map_or(0, |content| content.rows),
        chunks: content.map_or(0, |content| content.chunks),
        bytes: content.map_or(0, |content| content.bytes),
    })
}
