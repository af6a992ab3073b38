//! SQL at any version.

use std::sync::Arc;

use super::at::parse_reference;
use super::transactions::unsupported_execute;
use super::{At, Database, Transaction, table_name};
use crate::cancel::CancelToken;
use crate::catalog::{Snapshot, View};
use crate::error::{Error, Result};
use crate::format::{BranchName, Version};
use crate::repository::Repository;
use crate::sql::{Parameters, ResolvedTable, TableAt, Tables};
use crate::table::RowStream;
use crate::transaction::Commit;

impl Database {
    /// Runs one SELECT that DuckDB understands, over any tables and versions, and streams its rows.
    ///
    /// A table reference may say where it looks: `AT (VERSION => 3)`, `AT (VERSION => 'branch or tag')`,
    /// `AT (TIMESTAMP => …)`. A name is a branch's, else a tag's; `'branch:name'` and `'tag:name'` say which.
    /// `SQL_ERROR`, `UNSUPPORTED` (no SELECT), `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND` ….
    pub fn query<'a>(&self, sql: &str, parameters: impl Into<Parameters<'a>>, at: &At) -> Result<RowStream> {
        self.query_with(sql, parameters, at, &CancelToken::new())
    }

    /// The same, until it is cancelled (`CANCELLED`).
    pub fn query_with<'a>(
        &self,
        sql: &str,
        parameters: impl Into<Parameters<'a>>,
        at: &At,
        cancel: &CancelToken,
    ) -> Result<RowStream> {
        let (view, current) = (self.view()?, self.branch_now());
        let snapshot = at.snapshot_if_needed(&view, &current)?;
        at.check_versions(&view)?;
        let repository = self.repository()?.clone();
        let tables = SnapshotTables { repository, view, snapshot, current, at: at.clone() };
        self.inner.engine.query(sql, parameters, &tables, cancel)
    }

    /// INSERT, UPDATE and the like: `UNSUPPORTED` for now.
    pub fn execute<'a>(&self, _sql: &str, _parameters: impl Into<Parameters<'a>>) -> Result<Commit> {
        self.repository()?;
        Err(unsupported_execute())
    }
}

impl Transaction {
    /// Runs one SELECT over what this transaction sees; as [`Database::query`].
    pub fn query<'a>(&self, sql: &str, parameters: impl Into<Parameters<'a>>) -> Result<RowStream> {
        self.query_with(sql, parameters, &CancelToken::new())
    }

    /// The same, until it is cancelled (`CANCELLED`).
    pub fn query_with<'a>(
        &self,
        sql: &str,
        parameters: impl Into<Parameters<'a>>,
        cancel: &CancelToken,
    ) -> Result<RowStream> {
        self.check_open()?;
        let committed = SnapshotTables {
            repository: self.database.repository()?.clone(),
            view: self.transaction.view().clone(),
            snapshot: Ok(self.transaction.snapshot().clone()),
            current: self.transaction.branch().clone(),
            at: At::head(),
        };
        let tables = TransactionTables { transaction: self.transaction.clone(), committed };
        self.database.inner.engine.query(sql, parameters, &tables, cancel)
    }
}

/// The tables of a snapshot.
struct SnapshotTables {
    repository: Arc<Repository>,
    view: View,
    snapshot: Result<Snapshot>,
    current: BranchName,
    at: At,
}

impl SnapshotTables {
    /// Where a table reference looks.
    fn place(&self, at: &TableAt) -> Result<(At, Result<Snapshot>)> {
        let at = match at {
            TableAt::Default | TableAt::Version(_) => return Ok((self.at.clone(), self.snapshot.clone())),
            TableAt::Ref(name) => parse_reference(&self.view, name)?,
            TableAt::Time(time_us) => self.at.then(*time_us, self.snapshot.as_ref().map_err(Error::clone)?),
        };
        let snapshot = at.snapshot(&self.view, &self.current)?;
        Ok((at, Ok(snapshot)))
    }
}

impl Tables for SnapshotTables {
    fn resolve(&self, table: &str, at: &TableAt) -> Result<ResolvedTable> {
        let name = table_name(table)?;
        let (place, snapshot) = self.place(at)?;
        let version = match at {
            TableAt::Version(version) => Version(*version),
            _ => place.version_of(&self.view, &snapshot, &name)?,
        };
        let data = self.repository.content(&self.view, &name, version)?;
        Ok(ResolvedTable { name: name.to_string(), version, data })
    }

    fn list(&self, at: &TableAt) -> Result<Vec<String>> {
        let (_, snapshot) = self.place(at)?;
        Ok(self.view.live_tables(&snapshot?)?.keys().map(ToString::to_string).collect())
    }
}

/// The same with a transaction's own writes on top, wherever a reference does not say otherwise.
struct TransactionTables {
    transaction: Arc<crate::transaction::Transaction>,
    committed: SnapshotTables,
}

impl TransactionTables {
    /// Whether a reference means what the transaction began from, by a name or a time that may mean something else by
    /// now.
    fn names_own_branch(&self, at: &TableAt) -> Result<bool> {
        Ok(matches!(at, TableAt::Ref(_) | TableAt::Time(_))
            && self.committed.place(at)?.1? == *self.transaction.snapshot())
    }
}

impl Tables for TransactionTables {
    fn resolve(&self, table: &str, at: &TableAt) -> Result<ResolvedTable> {
        if *at != TableAt::Default {
            if self.names_own_branch(at)? {
                self.transaction.note_read(&table_name(table)?)?;
            }
            return self.committed.resolve(table, at);
        }
        let (version, data) = self.transaction.table(&table_name(table)?)?;
        Ok(ResolvedTable { name: table.to_string(), version: version.unwrap_or_default(), data })
    }

    fn list(&self, at: &TableAt) -> Result<Vec<String>> {
        match at {
            TableAt::Default => Ok(self.transaction.table_names()?.iter().map(ToString::to_string).collect()),
            _ => {
                if self.names_own_branch(at)? {
                    self.transaction.table_names()?;
                }
                self.committed.list(at)
            }
        }
    }
}
