//! What a transaction sees: the snapshot that it began with, and its own writes on top.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::staged::{Staged, StagedChange};
use super::{Transaction, Work};
use crate::error::{Error, Result};
use crate::format::{TableName, Version};
use crate::table::TableData;

impl Transaction {
    /// A table as this transaction sees it, its own writes included; `TABLE_NOT_FOUND`. The version is `None` for
    /// what it wrote itself.
    pub fn table(&self, table: &TableName) -> Result<(Option<Version>, Arc<TableData>)> {
        let mut work = self.open_work()?;
        let missing =
            || Error::TableNotFound { table: table.to_string(), at: format!("branch {:?}", self.base.branch) };
        let Some(staged) = work.staged.get(table).cloned() else {
            let version = self.read_base(&mut work, table)?.ok_or_else(missing)?;
            return Ok((Some(version), self.repository.content(&self.view, table, version)?));
        };
        if matches!(staged.change, StagedChange::Append(_) | StagedChange::Fold(_)) {
            self.read_base(&mut work, table)?;
        }
        let data = self.staged_data(table, &staged)?.ok_or_else(missing)?;
        Ok((None, Arc::new(data)))
    }

    /// Counts a table as read, as it was at the beginning.
    #[cfg(feature = "sql")]
    pub fn note_read(&self, table: &TableName) -> Result<()> {
        let mut work = self.open_work()?;
        self.read_base(&mut work, table).map(|_| ())
    }

    /// The names of the tables that this transaction sees.
    pub fn table_names(&self) -> Result<Vec<TableName>> {
        let mut work = self.open_work()?;
        work.listed = true;
        let mut names: BTreeMap<TableName, ()> =
            self.view.live_tables(&self.base)?.into_keys().map(|name| (name, ())).collect();
        for (name, staged) in &work.staged {
            match staged.change {
                StagedChange::Drop => drop(names.remove(name)),
                _ => drop(names.insert(name.clone(), ())),
            }
        }
        Ok(names.into_keys().collect())
    }

    pub(super) fn staged_data(&self, table: &TableName, staged: &Staged) -> Result<Option<TableData>> {
        Ok(match &staged.change {
            StagedChange::Drop => None,
            StagedChange::Put(put) => Some(put.to_data(None)),
            StagedChange::Append(appended) => Some(self.base_data(table)?.with_appended(appended, None)),
            StagedChange::List(chunks, _) => Some(self.repository.tables.from_listed(chunks)?),
            StagedChange::Fold(_) => Some(TableData::clone(&*self.base_data(table)?)),
        })
    }

    pub(super) fn base_version(&self, table: &TableName) -> Result<Option<Version>> {
        self.view.version_at(&self.base, table)
    }

    pub(super) fn base_data(&self, table: &TableName) -> Result<Arc<TableData>> {
        let version = self.base_version(table)?.ok_or_else(|| Error::internal("the table was there"))?;
        self.repository.content(&self.view, table, version)
    }

    /// The version at the beginning, which counts as read.
    pub(super) fn read_base(&self, work: &mut Work, table: &TableName) -> Result<Option<Version>> {
        let version = self.base_version(table)?;
        work.reads.insert(table.clone(), version);
        Ok(version)
    }

    pub(super) fn exists(&self, work: &Work, table: &TableName) -> Result<bool> {
        match work.staged.get(table) {
            Some(staged) => Ok(!matches!(staged.change, StagedChange::Drop)),
            None => Ok(self.base_version(table)?.is_some()),
        }
    }
}
