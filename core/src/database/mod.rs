//! The front door: one handle with every operation.
//!
//! Floor 10, the top. It checks names, finds the branch, and calls the floors below; it decides nothing itself.

mod at;
mod branches;
mod catalog;
mod changes;
mod inspect;
#[cfg(test)]
mod many_tables;
mod open;
mod options;
#[cfg(feature = "sql")]
mod query;
#[cfg(test)]
mod row_change_properties;
#[cfg(test)]
mod staged_appends;
mod tables;
#[cfg(test)]
mod tests;
mod transactions;
#[cfg(test)]
mod type_changes;
#[cfg(test)]
mod verification;

pub use at::At;
pub use options::{BeginOptions, CreateOptions, Isolation, OpenOptions, WriteMode, WriteOptions};
pub use tables::{DiffSummary, HistoryEntry, TableInfo};
pub use transactions::Transaction;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::catalog::{Snapshot, View};
use crate::error::{Error, Result};
use crate::format::{BranchName, TableName};
use crate::repository::Repository;

/// A repository that is open: every operation of Armillaria. Clones are the same handle; any thread may use it.
///
/// ```
/// # fn main() -> armillaria::Result<()> {
/// use armillaria::{At, Database, OpenOptions};
///
/// let db = Database::open("memory:", OpenOptions::default())?;
/// db.create_branch("experiment", &At::head(), None)?;
/// assert_eq!(db.list_branches()?.len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Database {
    inner: Arc<Inner>,
}

struct Inner {
    repository: Arc<Repository>,
    author: Option<String>,
    current_branch: RwLock<BranchName>,
    closed: Arc<AtomicBool>,
    #[cfg(feature = "sql")]
    engine: crate::sql::SqlEngine,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("current_branch", &self.branch_now()).finish_non_exhaustive()
    }
}

impl Database {
    /// Closes the handle and all its clones: what is asked of it or of its transactions and subscriptions later is
    /// `CLOSED`. Streams that were handed out can still be read. Closing again does nothing.
    pub fn close(&self) {
        self.inner.closed.store(true, Ordering::SeqCst);
        self.inner.repository.catalog.wake_all();
    }

    /// The branch that operations look at unless told otherwise; `main` at first.
    pub fn current_branch(&self) -> Result<String> {
        self.repository()?;
        Ok(self.branch_now().to_string())
    }

    /// Makes another branch the current one, for this handle; `BRANCH_NOT_FOUND`.
    pub fn checkout(&self, branch: &str) -> Result<()> {
        let name = BranchName::new(branch)?;
        self.view()?.branch(&name)?;
        *self.inner.current_branch.write().unwrap_or_else(PoisonError::into_inner) = name;
        Ok(())
    }

    fn branch_now(&self) -> BranchName {
        self.inner.current_branch.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The branch that an option names, or the current one.
    fn branch_or_current(&self, branch: Option<&str>) -> Result<BranchName> {
        branch.map_or_else(|| Ok(self.branch_now()), BranchName::new)
    }

    fn repository(&self) -> Result<&Arc<Repository>> {
        match self.inner.closed.load(Ordering::SeqCst) {
            true => Err(Error::Closed { what: "database" }),
            false => Ok(&self.inner.repository),
        }
    }

    fn author(&self) -> Option<String> {
        self.inner.author.clone()
    }

    fn view(&self) -> Result<View> {
        self.repository()?.catalog.view()
    }

    fn look(&self, at: &At) -> Result<(View, Snapshot)> {
        let view = self.view()?;
        let snapshot = at.snapshot(&view, &self.branch_now())?;
        Ok((view, snapshot))
    }
}

fn table_name(name: &str) -> Result<TableName> {
    TableName::new(name)
}
