//! The last step of a transaction: check against what others committed, then one record.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::conflict::{Verdict, judge};
use super::staged::{Composed, Staged, StagedChange, compose};
use super::writes::check_sequence;
use super::{Isolation, Transaction, Work, sum};
use crate::catalog::{Draft, Proposal, Snapshot, View};
use crate::error::{Error, Result};
use crate::format::{ChangeKind, TableChange, TableName, TableRead, TransactionKind, TxId, Version};
use crate::limits::TRANSACTION_BYTES;
use crate::repository::Repository;
use crate::table::{TableData, WriteStatistics};

/// What a commit did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Commit {
    /// The transaction; where there was nothing to commit, the branch's last one.
    pub tx_id: u64,
    /// The branch.
    pub branch: String,
    /// When, in microseconds since 1970-01-01 UTC.
    pub time_us: i64,
    /// The tables that changed, by name.
    pub tables: Vec<CommittedTable>,
    /// Rows written.
    pub rows: u64,
    /// Chunks that had to be written.
    pub chunks_written: u64,
    /// Chunks that were there already.
    pub chunks_reused: u64,
    /// Bytes that had to be written: chunks and inlined rows.
    pub bytes_written: u64,
    /// Bytes that were there already.
    pub bytes_reused: u64,
}

/// What a commit did to one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CommittedTable {
    /// The table.
    pub table: String,
    /// What was done.
    pub kind: ChangeKind,
    /// Its new version; `None` where it was dropped.
    pub version: Option<u64>,
    /// The rows that it now has.
    pub rows: u64,
}

impl Commit {
    /// The new version of the table, where the commit changed just one.
    pub fn version(&self) -> Option<u64> {
        match self.tables.as_slice() {
            [table] => table.version,
            _ => None,
        }
    }
}

/// What a commit is made from; shared with whoever leads the group.
pub(super) struct Prepared {
    pub(super) repository: Arc<Repository>,
    pub(super) base: Snapshot,
    pub(super) isolation: Isolation,
    pub(super) author: Option<String>,
    pub(super) message: Option<String>,
    pub(super) kind: TransactionKind,
    pub(super) staged: BTreeMap<TableName, Staged>,
    pub(super) reads: BTreeMap<TableName, Option<Version>>,
    pub(super) listed: bool,
    /// What the versions consist of that were proposed.
    pub(super) proposed: Vec<(TableName, Version, Arc<TableData>)>,
}

impl Transaction {
    /// Commits everything that was prepared, or nothing. When this returns, it is durable and visible.
    ///
    /// `WRITE_CONFLICT` and `SERIALIZATION_FAILURE` are safe to retry from `begin`; `BRANCH_NOT_FOUND` if the branch
    /// was deleted meanwhile. Whatever the outcome, the transaction has ended.
    pub fn commit(&self, message: Option<&str>) -> Result<Commit> {
        let work = {
            let mut work = self.open_work()?;
            std::mem::replace(&mut *work, Work { ended: true, ..Work::default() })
        };
        if work.staged.is_empty() {
            return Ok(self.nothing_to_commit());
        }
        let inline_bytes = work.staged.values().map(|staged| staged.change.inline_bytes());
        debug_assert_eq!(work.inline_bytes, inline_bytes.sum::<usize>(), "what was counted is what is staged");
        let statistics = work.staged.values().map(|staged| staged.statistics).fold(WriteStatistics::default(), sum);
        let prepared = Prepared {
            repository: self.repository.clone(),
            base: self.base.clone(),
            isolation: self.isolation,
            author: self.author.clone(),
            message: message.map(str::to_string),
            kind: kind_of(&work.staged),
            staged: work.staged,
            reads: work.reads,
            listed: work.listed,
            proposed: Vec::new(),
        };
        prepared.store_nodes(&self.view)?;
        let committed = self.repository.catalog.commit(prepared.record_bytes(), Box::new(prepared))?;
        Ok(committed.map_or_else(|| self.nothing_to_commit(), |transaction| describe(&transaction, statistics)))
    }

    fn nothing_to_commit(&self) -> Commit {
        let (tx_id, time_us) = (self.base.tx_id, 0);
        let (rows, chunks, bytes) = (0, 0, 0);
        Commit {
            tx_id: tx_id.0,
            branch: self.base.branch.to_string(),
            time_us,
            tables: Vec::new(),
            rows,
            chunks_written: chunks,
            chunks_reused: chunks,
            bytes_written: bytes,
            bytes_reused: bytes,
        }
    }
}

/// A transaction that only folds changes no data.
fn kind_of(staged: &BTreeMap<TableName, Staged>) -> TransactionKind {
    let folds = staged.values().all(|staged| matches!(staged.change, StagedChange::Fold(_)));
    if folds { TransactionKind::Fold } else { TransactionKind::Commit }
}

/// Says in the user's words what a committed transaction did.
pub(crate) fn describe(transaction: &crate::format::Transaction, statistics: WriteStatistics) -> Commit {
    let table = |change: &TableChange| CommittedTable {
        table: change.table.to_string(),
        kind: change.kind,
        version: change.to.map(|version| version.0),
        rows: change.content.as_ref().map_or(0, |content| content.rows),
    };
    Commit {
        tx_id: transaction.tx_id.0,
        branch: transaction.branch.to_string(),
        time_us: transaction.time_us,
        tables: transaction.tables.iter().map(table).collect(),
        rows: statistics.rows,
        chunks_written: statistics.chunks_written,
        chunks_reused: statistics.chunks_reused,
        bytes_written: statistics.bytes_written,
        bytes_reused: statistics.bytes_reused,
    }
}

impl Proposal for Prepared {
    /// Checks against a view that nobody can change meanwhile, and says what to commit.
    fn propose(&mut self, view: &View) -> Result<Option<Draft>> {
        let head = view.head(&self.base.branch)?;
        if head.branch_id != self.base.branch_id {
            return Err(Error::BranchNotFound {
                branch: format!("{} (of transaction {})", head.branch, self.base.branch_id),
            });
        }
        self.check_reads(view, &head)?;
        let mut tables = Vec::with_capacity(self.staged.len());
        let mut proposed = Vec::with_capacity(self.staged.len());
        for (table, staged) in &self.staged {
            let Some(Composed { change, data }) = self.propose_table(view, &head, table, staged)? else { continue };
            proposed.extend(change.to.zip(data).map(|(version, data)| (table.clone(), version, data)));
            tables.push(change);
        }
        for (table, version, data) in &proposed {
            view.stage_content(table, *version, data.clone());
        }
        self.proposed = proposed;
        Ok((!tables.is_empty()).then(|| Draft {
            branch: head.branch,
            branch_id: Some(head.branch_id),
            parents: vec![head.tx_id],
            author: self.author.clone(),
            message: self.message.clone(),
            kind: self.kind,
            tables,
            refs: Vec::new(),
            reads: self.recorded_reads(),
        }))
    }

    /// Whoever reads the new versions need not resolve them.
    fn committed(&mut self) {
        for (table, version, data) in self.proposed.drain(..) {
            self.repository.remember(&table, version, data);
        }
    }
}

impl Prepared {
    /// Writes the manifest nodes while nobody waits for the log; a commit that loses a race makes them anew.
    fn store_nodes(&self, view: &View) -> Result<()> {
        for (table, staged) in self.staged.iter().filter(|(_, staged)| staged.changes_chunks()) {
            compose(&self.repository, view, table, staged, staged.base, view.next_version(table)?)?;
        }
        Ok(())
    }

    /// About how much of a record it takes: inlined rows, and for each table a chunk list and more.
    fn record_bytes(&self) -> usize {
        let tables = self.staged.values().map(|staged| TRANSACTION_BYTES + staged.change.record_bytes());
        TRANSACTION_BYTES + self.message.as_ref().map_or(0, String::len) + tables.sum::<usize>()
    }

    fn propose_table(
        &self,
        view: &View,
        head: &Snapshot,
        table: &TableName,
        staged: &Staged,
    ) -> Result<Option<Composed>> {
        let to = view.next_version(table)?;
        if let StagedChange::List(_, version) = &staged.change {
            check_sequence(table, *version, to)?;
        }
        let verdict = self.verdict(view, head, table, staged)?;
        let now = view.version_at(head, table)?;
        match verdict {
            Verdict::Abandon => return Ok(None),
            Verdict::Conflict => return Err(self.conflict(head, table, "another commit changed this table")),
            Verdict::PassesIfSchemaFits if !self.schema_fits(view, table, staged.base, now)? => {
                return Err(self.conflict(head, table, "another commit changed this table's schema"));
            }
            Verdict::Passes | Verdict::PassesIfSchemaFits => {}
        }
        if matches!(staged.change, StagedChange::Drop) && now.is_none() {
            return Ok(None);
        }
        compose(&self.repository, view, table, staged, now, to)
    }

    fn verdict(&self, view: &View, head: &Snapshot, table: &TableName, staged: &Staged) -> Result<Verdict> {
        let theirs = view.changes_since(head, table, self.base.tx_id)?;
        Ok(judge(staged.conflict_class(), theirs, self.isolation == Isolation::Serializable))
    }

    fn schema_fits(&self, view: &View, table: &TableName, base: Option<Version>, now: Option<Version>) -> Result<bool> {
        let (Some(base), Some(now)) = (base, now) else { return Ok(false) };
        let schema = |version| Ok(self.repository.content(view, table, version)?.schema.clone());
        Ok(schema(base)? == schema(now)?)
    }

    fn check_reads(&self, view: &View, head: &Snapshot) -> Result<()> {
        if self.isolation != Isolation::Serializable {
            return Ok(());
        }
        let failure = |table: &TableName| {
            let (table, branch) = (table.to_string(), head.branch.to_string());
            Error::SerializationFailure { table, branch, tx_id: head.tx_id.0 }
        };
        for (table, version) in &self.reads {
            if view.version_at(head, table)? != *version {
                return Err(failure(table));
            }
        }
        if self.listed {
            let (before, now) = (view.live_tables(&self.base)?, view.live_tables(head)?);
            let came = now.keys().find(|table| !before.contains_key(*table));
            let went = before.keys().find(|table| !now.contains_key(*table));
            return came.or(went).map_or(Ok(()), |table| Err(failure(table)));
        }
        Ok(())
    }

    fn recorded_reads(&self) -> Vec<TableRead> {
        if self.isolation != Isolation::Serializable {
            return Vec::new();
        }
        self.reads.iter().map(|(table, version)| TableRead { table: table.clone(), version: *version }).collect()
    }

    fn conflict(&self, head: &Snapshot, table: &TableName, reason: &str) -> Error {
        let TxId(tx_id) = head.tx_id;
        Error::WriteConflict {
            table: table.to_string(),
            branch: head.branch.to_string(),
            tx_id,
            reason: reason.to_string(),
        }
    }
}
