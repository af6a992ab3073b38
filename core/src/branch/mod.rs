//! Branches and tags: names for transactions. Creating one is one record, however many tables it holds.
//!
//! Floor 8. Merging is in `merge`, undoing in `revert`, moving tables to other versions in `set_versions`.

mod ancestor;
mod merge;
mod moving;
mod revert;
mod set_versions;

pub use merge::{MergeKind, MergeOptions, MergeReport, MergeStrategy, merge};
pub use revert::revert;
pub use set_versions::set_versions;

use std::sync::Arc;

use serde::Serialize;

use crate::catalog::{Branch, Draft, Snapshot, Tag, View};
use crate::error::{Error, Result};
use crate::format::{BranchChange, BranchId, BranchName, RefChange, TagName, Transaction, TransactionKind, TxId};
use crate::limits::TRANSACTION_BYTES;
use crate::repository::Repository;

/// A branch, as users see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BranchInfo {
    /// Its name.
    pub name: String,
    /// The last transaction on it.
    pub head_tx_id: u64,
    /// The branch that it started from; `None` for `main`.
    pub from_branch: Option<String>,
    /// The transaction that it started at.
    pub from_tx_id: Option<u64>,
    /// When it was created, in microseconds since 1970-01-01 UTC; 0 for `main`.
    pub created_us: i64,
    /// What it is for.
    pub description: Option<String>,
}

impl From<&Branch> for BranchInfo {
    fn from(branch: &Branch) -> BranchInfo {
        BranchInfo {
            name: branch.name.to_string(),
            head_tx_id: branch.head.0,
            from_branch: branch.from.as_ref().map(|(name, _)| name.to_string()),
            from_tx_id: branch.from.as_ref().map(|(_, tx_id)| tx_id.0),
            created_us: branch.created_us,
            description: branch.description.clone(),
        }
    }
}

/// A tag, as users see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TagInfo {
    /// Its name.
    pub name: String,
    /// The transaction that it names.
    pub tx_id: u64,
    /// When it was given, in microseconds since 1970-01-01 UTC.
    pub created_us: i64,
}

impl From<&Tag> for TagInfo {
    fn from(tag: &Tag) -> TagInfo {
        TagInfo { name: tag.name.to_string(), tx_id: tag.target.0, created_us: tag.created_us }
    }
}

/// How two branches differ, by the versions that their heads hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BranchDiff {
    /// Tables of the first branch that the second has not.
    pub added: Vec<String>,
    /// Tables of the second branch that the first has not.
    pub removed: Vec<String>,
    /// Tables of both with different versions: name, version in the first, version in the second.
    pub modified: Vec<(String, u64, u64)>,
}

/// Creates a branch at a snapshot; `BRANCH_EXISTS`.
pub fn create_branch(
    repository: &Repository,
    name: &BranchName,
    from: Snapshot,
    description: Option<String>,
    author: Option<String>,
) -> Result<BranchInfo> {
    repository.check_writable("create a branch")?;
    let name = name.clone();
    let create = move |view: &View| {
        if view.find_branch(&name).is_some() {
            return Err(Error::BranchExists { branch: name.to_string() });
        }
        let change = BranchChange {
            branch: name.clone(),
            from: from.branch.clone(),
            from_id: from.branch_id,
            at: from.tx_id,
            description: description.clone(),
        };
        let refs = vec![RefChange::CreateBranch(change)];
        Ok(Some(refs_draft(name.clone(), None, from.tx_id, author.clone(), refs)))
    };
    let transaction = commit_refs(repository, create)?;
    let created = transaction.refs.iter().find_map(|change| match change {
        RefChange::CreateBranch(created) => Some(created),
        _ => None,
    });
    let created = created.ok_or_else(|| Error::internal("the transaction creates no branch"))?;
    Ok(BranchInfo {
        name: created.branch.to_string(),
        head_tx_id: transaction.tx_id.0,
        from_branch: Some(created.from.to_string()),
        from_tx_id: Some(created.at.0),
        created_us: transaction.time_us,
        description: created.description.clone(),
    })
}

/// Deletes a branch; its transactions and versions stay. `BRANCH_NOT_FOUND`; `main` stays (`INVALID_ARGUMENT`).
pub fn delete_branch(repository: &Repository, name: &BranchName, author: Option<String>) -> Result<TxId> {
    repository.check_writable("delete a branch")?;
    if *name == BranchName::main() {
        return Err(Error::invalid("branch name", "\"main\" always exists"));
    }
    let name = name.clone();
    let delete = move |view: &View| {
        let head = view.head(&name)?;
        let refs = vec![RefChange::DeleteBranch(name.clone())];
        Ok(Some(refs_draft(name.clone(), Some(head.branch_id), head.tx_id, author.clone(), refs)))
    };
    Ok(commit_refs(repository, delete)?.tx_id)
}

/// Gives a tag to a snapshot; `TAG_EXISTS`.
pub fn create_tag(repository: &Repository, tag: &TagName, target: Snapshot, author: Option<String>) -> Result<TagInfo> {
    repository.check_writable("create a tag")?;
    let name = tag.clone();
    let create = move |view: &View| {
        if view.find_tag(&name).is_some() {
            return Err(Error::TagExists { tag: name.to_string() });
        }
        let refs = vec![RefChange::CreateTag { tag: name.clone(), target: target.tx_id }];
        tag_draft(view, author.clone(), refs).map(Some)
    };
    let transaction = commit_refs(repository, create)?;
    let created_us = transaction.time_us;
    let target = transaction.refs.iter().find_map(|change| match change {
        RefChange::CreateTag { target, .. } => Some(target.0),
        _ => None,
    });
    Ok(TagInfo { name: tag.to_string(), tx_id: target.unwrap_or_default(), created_us })
}

/// Takes a tag away; `TAG_NOT_FOUND`.
pub fn delete_tag(repository: &Repository, tag: &TagName, author: Option<String>) -> Result<TxId> {
    repository.check_writable("delete a tag")?;
    let tag = tag.clone();
    let delete = move |view: &View| {
        view.tag(&tag)?;
        tag_draft(view, author.clone(), vec![RefChange::DeleteTag(tag.clone())]).map(Some)
    };
    Ok(commit_refs(repository, delete)?.tx_id)
}

/// How the heads of two branches differ; `BRANCH_NOT_FOUND`.
pub fn diff_branches(view: &View, a: &BranchName, b: &BranchName) -> Result<BranchDiff> {
    let (in_a, in_b) = (view.live_tables(&view.head(a)?)?, view.live_tables(&view.head(b)?)?);
    let mut diff = BranchDiff::default();
    for (table, version) in &in_a {
        match in_b.get(table) {
            None => diff.added.push(table.to_string()),
            Some(other) if other != version => diff.modified.push((table.to_string(), version.0, other.0)),
            Some(_) => {}
        }
    }
    diff.removed = in_b.keys().filter(|table| !in_a.contains_key(*table)).map(|table| table.to_string()).collect();
    Ok(diff)
}

/// Tags belong to the repository: their transactions stand on `main`.
fn tag_draft(view: &View, author: Option<String>, refs: Vec<RefChange>) -> Result<Draft> {
    let main = view.head(&BranchName::main())?;
    Ok(refs_draft(main.branch, Some(main.branch_id), main.tx_id, author, refs))
}

fn refs_draft(
    branch: BranchName,
    branch_id: Option<BranchId>,
    parent: TxId,
    author: Option<String>,
    refs: Vec<RefChange>,
) -> Draft {
    Draft {
        branch,
        branch_id,
        parents: vec![parent],
        author,
        message: None,
        kind: TransactionKind::Refs,
        tables: Vec::new(),
        refs,
        reads: Vec::new(),
    }
}

fn commit_refs(
    repository: &Repository,
    propose: impl FnMut(&View) -> Result<Option<Draft>> + Send + 'static,
) -> Result<Arc<Transaction>> {
    let committed = repository.catalog.commit(TRANSACTION_BYTES, Box::new(propose))?;
    committed.ok_or_else(|| Error::internal("a change of names always commits"))
}
