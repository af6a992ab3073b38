//! Moving single tables of a branch to versions that are there already.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::moving::{drop_table, rows_of, take_over};
use crate::catalog::{Draft, Snapshot, TableState, View};
use crate::error::{Error, Result};
use crate::format::{BranchName, TableChange, TableName, Transaction, TransactionKind, Version};
use crate::limits::TRANSACTION_BYTES;
use crate::repository::Repository;

/// Makes tables of a branch stand at given versions; `None` drops one. `None` comes back where they stood there already.
///
/// `BRANCH_NOT_FOUND`, `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`.
pub fn set_versions(
    repository: &Repository,
    branch: &BranchName,
    versions: BTreeMap<TableName, Option<Version>>,
    message: Option<String>,
    author: Option<String>,
) -> Result<Option<Arc<Transaction>>> {
    repository.check_writable("set the versions of a branch")?;
    let branch = branch.clone();
    repository.catalog.commit(
        TRANSACTION_BYTES,
        Box::new(move |view: &View| {
            let head = view.head(&branch)?;
            let changes = versions.iter().map(|(table, version)| change(view, &head, table, *version));
            let tables: Vec<TableChange> = changes.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
            Ok((!tables.is_empty()).then(|| Draft {
                branch: head.branch,
                branch_id: Some(head.branch_id),
                parents: vec![head.tx_id],
                author: author.clone(),
                message: message.clone(),
                kind: TransactionKind::Commit,
                tables,
                refs: Vec::new(),
                reads: Vec::new(),
            }))
        }),
    )
}

fn change(view: &View, head: &Snapshot, table: &TableName, to: Option<Version>) -> Result<Option<TableChange>> {
    let state = view.table_state(head, table)?;
    let now = state.and_then(TableState::live);
    match to {
        Some(version) if now == Some(version) => Ok(None),
        Some(version) => {
            view.version_change(table, version)?;
            take_over(view, table, state, Some(version), now).map(Some)
        }
        None if now.is_none() => {
            let at = format!("branch {:?}", head.branch);
            Err(Error::TableNotFound { table: table.to_string(), at })
        }
        None => Ok(Some(drop_table(table, now, rows_of(view, table, now)?))),
    }
}
