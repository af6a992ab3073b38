//! Undoing a transaction by a new one. History is never rewritten.

use std::sync::Arc;

use super::moving::{drop_table, restore, rows_of, same_data};
use crate::catalog::{Draft, Snapshot, View};
use crate::error::{Error, Result};
use crate::format::{ChangeKind, TableChange, Transaction, TransactionKind, TxId};
use crate::limits::TRANSACTION_BYTES;
use crate::repository::Repository;

/// Undoes what a transaction did to tables, on the branch that it stands on.
///
/// `TRANSACTION_NOT_FOUND`; `MERGE_CONFLICT` if a table changed again since; `INVALID_ARGUMENT` if the transaction
/// changed no table; `BRANCH_NOT_FOUND` if its branch is gone.
pub fn revert(
    repository: &Repository,
    tx_id: TxId,
    message: Option<String>,
    author: Option<String>,
) -> Result<Arc<Transaction>> {
    repository.check_writable("revert a transaction")?;
    let committed = repository.catalog.commit(
        TRANSACTION_BYTES,
        Box::new(move |view: &View| {
            let undone = view.transaction(tx_id)?;
            let snapshot = view.snapshot_of(tx_id)?;
            let head = same_branch(view, &snapshot)?;
            let tables = undo_all(view, &head, &undone)?;
            let message = message.clone().or_else(|| Some(format!("Revert transaction {tx_id}")));
            Ok(Some(Draft {
                branch: head.branch,
                branch_id: Some(head.branch_id),
                parents: vec![head.tx_id],
                author: author.clone(),
                message,
                kind: TransactionKind::Revert(tx_id),
                tables,
                refs: Vec::new(),
                reads: Vec::new(),
            }))
        }),
    )?;
    committed.ok_or_else(|| Error::internal("a revert always commits"))
}

fn undo_all(view: &View, head: &Snapshot, undone: &Transaction) -> Result<Vec<TableChange>> {
    let changes: Vec<_> = undone.tables.iter().filter(|change| change.kind != ChangeKind::Fold).collect();
    if changes.is_empty() {
        return Err(Error::invalid("transaction", format!("tx_id {} changed no table", undone.tx_id)));
    }
    let mut conflicts = Vec::new();
    for change in &changes {
        let now = view.version_at(head, &change.table)?;
        if !same_data(view, &change.table, now, change.to)? {
            conflicts.push(change.table.to_string());
        }
    }
    if !conflicts.is_empty() {
        let source_branch = format!("transaction {}, undone", undone.tx_id);
        return Err(Error::MergeConflict { source_branch, into: head.branch.to_string(), tables: conflicts });
    }
    changes.into_iter().map(|change| undo(view, head, change)).collect()
}

fn undo(view: &View, head: &Snapshot, change: &TableChange) -> Result<TableChange> {
    let now = view.version_at(head, &change.table)?;
    match change.from.filter(|_| change.kind != ChangeKind::Create) {
        Some(before) => restore(view, &change.table, now, before),
        None => Ok(drop_table(&change.table, now, rows_of(view, &change.table, now)?)),
    }
}

/// The head of the branch of a snapshot, if that branch still is the same.
fn same_branch(view: &View, snapshot: &Snapshot) -> Result<Snapshot> {
    let head = view.head(&snapshot.branch)?;
    match head.branch_id == snapshot.branch_id {
        true => Ok(head),
        false => Err(Error::BranchNotFound { branch: format!("{} as it was", snapshot.branch) }),
    }
}
