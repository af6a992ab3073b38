//! The changelog: the log's transactions as a stream of entries. Nothing is written for it; the log *is* it.
//!
//! Floor 8. [`changes`] reads it as a batch, [`Subscription`] follows it, [`row_changes`] gives the rows.

mod rows;
mod subscription;

pub use rows::row_changes;
pub use subscription::{BackgroundSubscription, Subscription};

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use serde::Serialize;

use crate::catalog::View;
use crate::error::{Error, Result};
use crate::format::{
    BranchId, BranchName, ChangeKind, RefChange, TableChange, TableName, Transaction, TransactionKind, TxId,
};

/// One transaction, as the changelog tells it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChangelogEntry {
    /// The transaction; a subscriber that stores it can resume from it.
    pub tx_id: u64,
    /// The branch it stands on.
    pub branch: String,
    /// The heads it follows.
    pub parents: Vec<u64>,
    /// Microseconds since 1970-01-01 UTC.
    pub time_us: i64,
    /// Who.
    pub author: Option<String>,
    /// Why.
    pub message: Option<String>,
    /// What sort of transaction.
    pub kind: TransactionKind,
    /// What happened to tables; with a filter on tables, only to those.
    pub tables: Vec<ChangelogTable>,
    /// What happened to branches and tags.
    pub refs: Vec<RefChange>,
}

/// What a transaction did to one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangelogTable {
    /// The table.
    pub table: String,
    /// What was done.
    pub kind: ChangeKind,
    /// The version before; `None` where there was no such table.
    pub from_version: Option<u64>,
    /// The version after; `None` where it was dropped.
    pub to_version: Option<u64>,
    /// Rows that came; an overwrite counts all its rows.
    pub rows_added: u64,
    /// Rows that went; an overwrite counts all rows there were.
    pub rows_removed: u64,
}

impl From<&TableChange> for ChangelogTable {
    fn from(change: &TableChange) -> ChangelogTable {
        ChangelogTable {
            table: change.table.to_string(),
            kind: change.kind,
            from_version: change.from.map(|version| version.0),
            to_version: change.to.map(|version| version.0),
            rows_added: change.rows_added,
            rows_removed: change.rows_removed,
        }
    }
}

/// Which entries of the changelog are wanted. Everything that is not set is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangesQuery {
    since_tx: Option<u64>,
    until_tx: Option<u64>,
    from_time_us: Option<i64>,
    to_time_us: Option<i64>,
    tables: Vec<String>,
    branch: Option<String>,
    limit: Option<usize>,
}

impl ChangesQuery {
    /// All entries.
    pub fn new() -> ChangesQuery {
        ChangesQuery::default()
    }

    /// Only transactions after this one, exclusive.
    pub fn since_tx(mut self, tx_id: u64) -> Self {
        self.since_tx = Some(tx_id);
        self
    }

    /// Only transactions up to this one, inclusive.
    pub fn until_tx(mut self, tx_id: u64) -> Self {
        self.until_tx = Some(tx_id);
        self
    }

    /// Only from this time on, inclusive, in microseconds since 1970-01-01 UTC.
    pub fn from_time_us(mut self, time_us: i64) -> Self {
        self.from_time_us = Some(time_us);
        self
    }

    /// Only up to this time, inclusive.
    pub fn to_time_us(mut self, time_us: i64) -> Self {
        self.to_time_us = Some(time_us);
        self
    }

    /// Only transactions that changed this table, or another one asked for in the same way.
    pub fn table(mut self, table: impl Into<String>) -> Self {
        self.tables.push(table.into());
        self
    }

    /// Only transactions on this branch.
    pub fn branch(mut self, branch: impl Into<String>) -> Self {
        self.branch = Some(branch.into());
        self
    }

    /// Only the first so many.
    pub fn limit(mut self, entries: usize) -> Self {
        self.limit = Some(entries);
        self
    }
}

/// What a query asks of a transaction; its names were checked.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    tables: BTreeSet<TableName>,
    branch: Option<BranchId>,
}

impl Filter {
    /// Checks the names of a query: `INVALID_ARGUMENT`, `BRANCH_NOT_FOUND`.
    pub(crate) fn new(view: &View, query: &ChangesQuery) -> Result<Filter> {
        // Its number: of branches that had the same name one after another the last is meant.
        let branch = |name| Ok(view.branch(&BranchName::new(name)?)?.id);
        let branch = query.branch.as_deref().map(branch).transpose()?;
        Ok(Filter { tables: query.tables.iter().map(|table| TableName::new(table)).collect::<Result<_>>()?, branch })
    }

    /// The entry of a transaction, if it passes.
    fn entry(&self, transaction: &Transaction) -> Option<ChangelogEntry> {
        let on_branch = self.branch.is_none_or(|branch| branch == transaction.branch_id);
        let wanted = |change: &&TableChange| self.tables.is_empty() || self.tables.contains(&change.table);
        let tables: Vec<_> = transaction.tables.iter().filter(wanted).map(ChangelogTable::from).collect();
        let concerned = self.tables.is_empty() || !tables.is_empty();
        (on_branch && concerned).then(|| ChangelogEntry {
            tx_id: transaction.tx_id.0,
            branch: transaction.branch.to_string(),
            parents: transaction.parents.iter().map(|parent| parent.0).collect(),
            time_us: transaction.time_us,
            author: transaction.author.clone(),
            message: transaction.message.clone(),
            kind: transaction.kind,
            tables,
            refs: transaction.refs.clone(),
        })
    }
}

/// The entries that a query asks for, oldest first.
///
/// `TRANSACTION_NOT_FOUND` for a `since_tx` or `until_tx` that lies in the future, `BRANCH_NOT_FOUND`.
pub fn changes(view: &View, query: &ChangesQuery) -> Result<Vec<ChangelogEntry>> {
    let filter = Filter::new(view, query)?;
    let latest = view.last_tx().0;
    for tx_id in [query.since_tx, query.until_tx].into_iter().flatten() {
        if tx_id > latest {
            return Err(Error::TransactionNotFound { tx_id, latest });
        }
    }
    let mut entries = Vec::new();
    for tx_id in asked_for(view, query)? {
        if query.limit.is_some_and(|limit| entries.len() >= limit) {
            break;
        }
        entries.extend(filter.entry(&*view.transaction(TxId(tx_id))?));
    }
    Ok(entries)
}

/// The transactions between the limits that a query sets, in number and in time.
fn asked_for(view: &View, query: &ChangesQuery) -> Result<RangeInclusive<u64>> {
    let mut first = query.since_tx.unwrap_or(0) + 1;
    let mut last = query.until_tx.unwrap_or(view.last_tx().0);
    if let Some(before) = query.from_time_us.and_then(|time_us| time_us.checked_sub(1)) {
        first = first.max(view.last_tx_up_to(before)?.0 + 1);
    }
    if let Some(time_us) = query.to_time_us {
        last = last.min(view.last_tx_up_to(time_us)?.0);
    }
    Ok(first..=last)
}

/// The first entry after `cursor` that passes, if the search comes to one before `stop` ends it; and how far it came.
fn next_entry(
    view: &View,
    filter: &Filter,
    cursor: TxId,
    stop: impl Fn() -> bool,
) -> Result<(Option<ChangelogEntry>, TxId)> {
    for tx_id in (cursor.0 + 1..=view.last_tx().0).map(TxId) {
        if let Some(entry) = filter.entry(&*view.transaction(tx_id)?) {
            return Ok((Some(entry), tx_id));
        }
        if stop() {
            return Ok((None, tx_id));
        }
    }
    Ok((None, view.last_tx().max(cursor)))
}

#[cfg(test)]
mod tests;
