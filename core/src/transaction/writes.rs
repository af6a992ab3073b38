//! What a transaction prepares: tables that come and go, rows, bare lists of chunks.

use std::sync::Arc;

use arrow::datatypes::Schema;

use super::staged::{Staged, StagedChange, is_listed};
use super::{Transaction, Work, WriteMode, sum};
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::format::{ChunkHash, TableName, Version};
use crate::table::{Overwritten, RowStream, TableData, WriteStatistics};

impl Transaction {
    /// Prepares a new table without rows; `TABLE_EXISTS`.
    pub fn create_table(&self, table: &TableName, schema: &Schema, key: &[String]) -> Result<()> {
        let mut work = self.writable_work("create a table")?;
        if self.exists(&work, table)? {
            let (table, branch) = (table.to_string(), self.base.branch.to_string());
            return Err(Error::TableExists { table, branch });
        }
        let schema = self.repository.tables.create(schema, key)?;
        let statistics = WriteStatistics::default();
        let put = Overwritten { schema, manifest: Arc::default(), inline: None, rows: 0, statistics };
        self.stage(&mut work, table, StagedChange::Put(Box::new(put)), statistics)
    }

    /// Prepares the end of a table; `TABLE_NOT_FOUND`.
    pub fn drop_table(&self, table: &TableName) -> Result<()> {
        let mut work = self.writable_work("drop a table")?;
        if !self.exists(&work, table)? {
            return Err(Error::TableNotFound {
                table: table.to_string(),
                at: format!("branch {:?}", self.base.branch),
            });
        }
        if self.base_version(table)?.is_none() {
            work.unstage(table);
            return Ok(());
        }
        self.stage(&mut work, table, StagedChange::Drop, WriteStatistics::default())
    }

    /// Prepares rows for a table, which is created if it is not there. Returns when the rows are durable and yet
    /// unseen by others.
    ///
    /// `SCHEMA_MISMATCH`, `UNSUPPORTED` (upsert), `CANCELLED`, and what `rows` itself fails with.
    pub fn write_table(
        &self,
        table: &TableName,
        rows: RowStream,
        mode: WriteMode,
        key: &[String],
        cancel: &CancelToken,
    ) -> Result<WriteStatistics> {
        let mut work = self.writable_work("write a table")?;
        let exists = self.exists(&work, table)?;
        match mode {
            WriteMode::Upsert => {
                let instead = "write with mode overwrite or append".to_string();
                Err(Error::Unsupported { what: "mode upsert".to_string(), instead })
            }
            WriteMode::Append if exists => self.append(&mut work, table, rows, cancel),
            WriteMode::Append | WriteMode::Overwrite => self.overwrite(&mut work, table, rows, key, cancel),
        }
    }

    /// Prepares a version of a table as a bare list of chunks: the low-level catalog. The table is created if it is not
    /// there. Nothing looks at the chunks now: reading a version answers `CHUNK_NOT_FOUND` for one that is not there, and
    /// `INVALID_ARGUMENT` if they are no Parquet files of the same columns.
    ///
    /// `VERSION_CONFLICT` unless `version` is the table's next one, now and when it is committed.
    pub fn commit_chunks(&self, table: &TableName, version: Version, chunks: Vec<ChunkHash>) -> Result<()> {
        let mut work = self.writable_work("commit chunks")?;
        check_sequence(table, version, self.view.next_version(table)?)?;
        self.stage(&mut work, table, StagedChange::List(chunks, version), WriteStatistics::default())
    }

    /// Prepares the same rows of a table in fewer pieces; says whether there is anything to do. A table that this
    /// transaction has written already is left as it is, and so is a bare list of chunks. `TABLE_NOT_FOUND`, `CANCELLED`.
    pub fn compact(&self, table: &TableName, cancel: &CancelToken) -> Result<bool> {
        let mut work = self.writable_work("compact a table")?;
        let missing =
            || Error::TableNotFound { table: table.to_string(), at: format!("branch {:?}", self.base.branch) };
        let version = self.base_version(table)?.ok_or_else(missing)?;
        if work.staged.contains_key(table) || is_listed(&self.view, table, version)? {
            return Ok(false);
        }
        let data = self.repository.content(&self.view, table, version)?;
        let folds = self.repository.tables.compact(&data, cancel)?;
        if folds.is_empty() {
            return Ok(false);
        }
        let statistics = folds.iter().map(|fold| fold.statistics).fold(WriteStatistics::default(), sum);
        self.stage(&mut work, table, StagedChange::Fold(folds), statistics)?;
        Ok(true)
    }

    fn overwrite(
        &self,
        work: &mut Work,
        table: &TableName,
        rows: RowStream,
        key: &[String],
        cancel: &CancelToken,
    ) -> Result<WriteStatistics> {
        let parent = self.parent_of_overwrite(work, table)?;
        let budget = self.inline_budget(work, table);
        let put = self.repository.tables.overwrite(table, parent.as_deref(), rows, key, budget, cancel)?;
        let statistics = put.statistics;
        self.stage(work, table, StagedChange::Put(Box::new(put)), statistics)?;
        Ok(statistics)
    }

    /// The content whose columns, key and chunks an overwrite goes by: what this transaction has prepared, or what was
    /// there at the beginning.
    fn parent_of_overwrite(&self, work: &Work, table: &TableName) -> Result<Option<Arc<TableData>>> {
        match work.staged.get(table).map(|staged| &staged.change) {
            Some(StagedChange::Put(put)) => return Ok(Some(Arc::new(put.to_data(None)))),
            Some(StagedChange::Drop | StagedChange::List(..)) => return Ok(None),
            Some(StagedChange::Append(_) | StagedChange::Fold(_)) | None => {}
        }
        match self.base_version(table)? {
            Some(version) if !is_listed(&self.view, table, version)? => {
                self.repository.content(&self.view, table, version).map(Some)
            }
            _ => Ok(None),
        }
    }

    pub(super) fn stage(
        &self,
        work: &mut Work,
        table: &TableName,
        change: StagedChange,
        statistics: WriteStatistics,
    ) -> Result<()> {
        let base = self.base_version(table)?;
        let before = work.unstage(table);
        let anew = before.as_ref().is_some_and(|before| before.anew || matches!(before.change, StagedChange::Drop));
        let statistics = sum(before.map_or_else(WriteStatistics::default, |before| before.statistics), statistics);
        work.inline_bytes += change.inline_bytes();
        work.staged.insert(table.clone(), Staged { base, anew, change, statistics });
        Ok(())
    }
}

/// Versions follow one another without gaps: `VERSION_CONFLICT`.
pub(super) fn check_sequence(table: &TableName, given: Version, expected: Version) -> Result<()> {
    match given == expected {
        true => Ok(()),
        false => Err(Error::VersionConflict { table: table.to_string(), expected: expected.0, given: given.0 }),
    }
}
