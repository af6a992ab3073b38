//! Operations on the changelog.

use super::{Database, table_name};
use crate::cancel::CancelToken;
use crate::changelog::{self, ChangelogEntry, ChangesQuery, Subscription};
use crate::error::Result;
use crate::format::Version;
use crate::table::RowStream;

impl Database {
    /// The newest transaction; 0 in a new repository.
    pub fn latest_tx_id(&self) -> Result<u64> {
        Ok(self.view()?.last_tx().0)
    }

    /// The changelog as a batch, oldest first; `TRANSACTION_NOT_FOUND`, `BRANCH_NOT_FOUND`.
    pub fn changes(&self, query: &ChangesQuery) -> Result<Vec<ChangelogEntry>> {
        changelog::changes(&self.view()?, query)
    }

    /// The rows that came and went after version `from` (0: from nothing) and up to version `to` of a table, with
    /// `_change_type`, `_commit_version`, `_commit_timestamp` and `_tx_id`. The columns are those of version `to`, then
    /// those that only earlier versions had; one that changed its type has a type that holds all its values.
    ///
    /// Applied in order, the changes turn the rows of `from` into those of `to`. Values are compared as they are shown, so
    /// a change of type alone changes no row that looks the same after it.
    ///
    /// `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`; `INVALID_ARGUMENT` if `to` did not grow out of `from`; `UNSUPPORTED` if no
    /// type holds all values of a column.
    pub fn table_changes(&self, name: &str, from: u64, to: u64) -> Result<RowStream> {
        self.table_changes_with(name, from, to, &CancelToken::new())
    }

    /// The same, until it is cancelled (`CANCELLED`).
    pub fn table_changes_with(&self, name: &str, from: u64, to: u64, cancel: &CancelToken) -> Result<RowStream> {
        let (table, view) = (table_name(name)?, self.view()?);
        let (from, to) = (Version(from), Version(to));
        changelog::row_changes(self.repository()?, &view, &table, from, to, cancel)
    }

    /// Follows the changelog: tables, branch and `since_tx` of the query say what is wanted.
    /// Without `since_tx` it begins behind the newest transaction. `TRANSACTION_NOT_FOUND`, `BRANCH_NOT_FOUND`.
    pub fn subscribe(&self, query: &ChangesQuery) -> Result<Subscription> {
        Subscription::new(self.repository()?.clone(), query, self.inner.closed.clone())
    }
}
