//! Transactions, as the front door hands them out.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};

use super::{BeginOptions, Database, WriteMode, table_name};
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::table::{RowStream, WriteStatistics};
use crate::transaction::{self, Commit};

/// A transaction over any number of tables. It reads a snapshot and its own writes; dropping it rolls it back.
#[derive(Debug)]
pub struct Transaction {
    pub(super) database: Database,
    pub(super) transaction: Arc<transaction::Transaction>,
}

impl Database {
    /// Begins a transaction; `BRANCH_NOT_FOUND`.
    pub fn begin(&self, options: &BeginOptions) -> Result<Transaction> {
        let branch = self.branch_or_current(options.branch.as_deref())?;
        let repository = self.repository()?.clone();
        let transaction = transaction::Transaction::begin(repository, &branch, options.isolation, self.author())?;
        Ok(Transaction { database: self.clone(), transaction: Arc::new(transaction) })
    }

    /// Does some work in a transaction: commits if it succeeds, rolls back if it fails and passes the error on.
    pub fn transact<T>(
        &self,
        options: &BeginOptions,
        message: Option<&str>,
        work: impl FnOnce(&Transaction) -> Result<T>,
    ) -> Result<(T, Commit)> {
        let transaction = self.begin(options)?;
        let done = work(&transaction)?;
        Ok((done, transaction.commit(message)?))
    }
}

impl Transaction {
    /// The branch that it will commit to.
    pub fn branch(&self) -> String {
        self.transaction.branch().to_string()
    }

    /// The last transaction that it sees.
    pub fn base_tx_id(&self) -> u64 {
        self.transaction.snapshot().tx_id.0
    }

    /// Streams a table as this transaction sees it; as [`Database::read_table`].
    pub fn read_table(&self, name: &str, columns: Option<&[String]>) -> Result<RowStream> {
        self.read_table_with(name, columns, &CancelToken::new())
    }

    /// The same, until it is cancelled (`CANCELLED`).
    pub fn read_table_with(&self, name: &str, columns: Option<&[String]>, cancel: &CancelToken) -> Result<RowStream> {
        self.check_open()?;
        let (_, data) = self.transaction.table(&table_name(name)?)?;
        self.database.repository()?.tables.read(&data, columns, cancel)
    }

    /// The columns of a table as this transaction sees it.
    pub fn table_schema(&self, name: &str) -> Result<SchemaRef> {
        self.check_open()?;
        self.transaction.table(&table_name(name)?)?.1.arrow_schema()
    }

    /// The names of the tables that this transaction sees, in order.
    pub fn list_tables(&self) -> Result<Vec<String>> {
        self.check_open()?;
        Ok(self.transaction.table_names()?.iter().map(ToString::to_string).collect())
    }

    /// Prepares rows; as [`Database::write_table`]. They show to others with the commit.
    pub fn write_table(&self, name: &str, rows: RowStream, mode: WriteMode) -> Result<WriteStatistics> {
        self.write_table_with(name, rows, mode, &[], &CancelToken::new())
    }

    /// Prepares rows of a table with a key, until it is cancelled (`CANCELLED`).
    pub fn write_table_with(
        &self,
        name: &str,
        rows: RowStream,
        mode: WriteMode,
        key: &[String],
        cancel: &CancelToken,
    ) -> Result<WriteStatistics> {
        self.check_open()?;
        self.transaction.write_table(&table_name(name)?, rows, mode, key, cancel)
    }

    /// Prepares a new table without rows; as [`Database::create_table`].
    pub fn create_table(&self, name: &str, schema: &Schema, key: &[String]) -> Result<()> {
        self.check_open()?;
        self.transaction.create_table(&table_name(name)?, schema, key)
    }

    /// Prepares the end of a table; as [`Database::drop_table`].
    pub fn drop_table(&self, name: &str) -> Result<()> {
        self.check_open()?;
        self.transaction.drop_table(&table_name(name)?)
    }

    pub(super) fn compact(&self, name: &str, cancel: &CancelToken) -> Result<bool> {
        self.check_open()?;
        self.transaction.compact(&table_name(name)?, cancel)
    }

    /// Commits everything or nothing; durable when this returns. `WRITE_CONFLICT`, `SERIALIZATION_FAILURE`.
    pub fn commit(&self, message: Option<&str>) -> Result<Commit> {
        self.check_open()?;
        self.transaction.commit(message)
    }

    /// Forgets what was prepared. `CLOSED` if the transaction has ended already.
    pub fn rollback(&self) -> Result<()> {
        self.check_open()?;
        self.transaction.rollback()
    }

    pub(super) fn check_open(&self) -> Result<()> {
        self.database.repository()?;
        self.transaction.check_open()
    }

    /// Statements other than SELECT: `UNSUPPORTED` for now.
    pub fn execute(&self, _sql: &str) -> Result<Commit> {
        self.check_open()?;
        Err(unsupported_execute())
    }
}

pub(super) fn unsupported_execute() -> Error {
    Error::Unsupported {
        what: "changing tables by SQL".to_string(),
        instead: "call write_table, create_table or drop_table".to_string(),
    }
}
