//! Transactions: prepare changes of any number of tables, commit them all or none.
//!
//! Floor 7. A transaction reads the snapshot that its branch was when it began, and its own writes on top. What it
//! writes is encoded and synced at once, and becomes visible only by the one record that [`Transaction::commit`] appends.
//! Commits that others made meanwhile are looked at with the log locked (`conflict`): what commutes is laid on top of
//! them, everything else is `WRITE_CONFLICT` or `SERIALIZATION_FAILURE`, and nothing was changed.

mod append;
mod commit;
mod conflict;
mod reads;
mod staged;
mod writes;

pub(crate) use commit::describe;
pub use commit::{Commit, CommittedTable};

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::catalog::{Snapshot, View};
use crate::error::{Error, Result};
use crate::format::{BranchName, TableName, Version};
use crate::repository::{FoldClaim, Repository};
use crate::table::WriteStatistics;
use staged::Staged;

/// How much a transaction is kept apart from others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Reads a snapshot; fails if another commit changed what it writes.
    #[default]
    Snapshot,
    /// Also fails if another commit changed a table that it read.
    Serializable,
}

/// Whether written rows replace or follow those that are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WriteMode {
    /// The table consists of these rows.
    #[default]
    Overwrite,
    /// These rows come behind those that are there.
    Append,
    /// Rows with a key that is there replace it: `UNSUPPORTED` until keys arrive.
    Upsert,
}

/// A transaction that is open. Dropping it rolls it back.
///
/// Safe to share between threads; its calls then take turns.
#[derive(Debug)]
pub struct Transaction {
    repository: Arc<Repository>,
    view: View,
    base: Snapshot,
    isolation: Isolation,
    author: Option<String>,
    work: Mutex<Work>,
}

#[derive(Debug, Default)]
struct Work {
    ended: bool,
    staged: BTreeMap<TableName, Staged>,
    /// Of all rows that are staged inline.
    inline_bytes: usize,
    reads: BTreeMap<TableName, Option<Version>>,
    /// Whether it asked which tables there are.
    listed: bool,
    /// Held until the transaction has ended.
    fold_claims: Vec<FoldClaim>,
}

impl Work {
    /// Forgets what was prepared for a table.
    fn unstage(&mut self, table: &TableName) -> Option<Staged> {
        let staged = self.staged.remove(table)?;
        self.inline_bytes -= staged.change.inline_bytes();
        Some(staged)
    }
}

impl Transaction {
    /// Begins on a branch; `BRANCH_NOT_FOUND`.
    pub fn begin(
        repository: Arc<Repository>,
        branch: &BranchName,
        isolation: Isolation,
        author: Option<String>,
    ) -> Result<Transaction> {
        let view = repository.catalog.view()?;
        let base = view.head(branch)?;
        Ok(Transaction { repository, view, base, isolation, author, work: Mutex::default() })
    }

    /// The branch that it will commit to.
    pub fn branch(&self) -> &BranchName {
        &self.base.branch
    }

    /// The snapshot that it reads.
    pub fn snapshot(&self) -> &Snapshot {
        &self.base
    }

    /// The catalog as it was at the beginning.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Forgets everything that was prepared. `CLOSED` if the transaction has ended already.
    pub fn rollback(&self) -> Result<()> {
        let mut work = self.open_work()?;
        *work = Work { ended: true, ..Work::default() };
        Ok(())
    }

    /// `CLOSED` if it was committed or rolled back.
    pub fn check_open(&self) -> Result<()> {
        self.open_work().map(drop)
    }

    fn open_work(&self) -> Result<MutexGuard<'_, Work>> {
        let work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        if work.ended { Err(Error::Closed { what: "transaction" }) } else { Ok(work) }
    }

    fn writable_work(&self, action: &'static str) -> Result<MutexGuard<'_, Work>> {
        self.repository.check_writable(action)?;
        self.open_work()
    }
}

fn sum(a: WriteStatistics, b: WriteStatistics) -> WriteStatistics {
    WriteStatistics {
        rows: a.rows + b.rows,
        chunks_written: a.chunks_written + b.chunks_written,
        chunks_reused: a.chunks_reused + b.chunks_reused,
        bytes_written: a.bytes_written + b.bytes_written,
        bytes_reused: a.bytes_reused + b.bytes_reused,
    }
}
