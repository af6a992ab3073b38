//! Three-way merge from the common ancestor, table by table.
//!
//! A table that changed on one side only is taken over; one that changed on both is a conflict, for the strategy to
//! decide. The common ancestor is the newest transaction that both heads descend from.

use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::catalog::{Draft, Snapshot, TableState, View};
use crate::error::{Error, Result};
use crate::format::{
    BranchName, ChangeKind, ManifestSource, SchemaSource, TableChange, TableContent, TableKey, TableName, TableSchema,
    TransactionKind, TxId, Version,
};
use crate::limits::TRANSACTION_BYTES;
use crate::repository::{Repository, recorded_schema};

/// What to do with a table that both sides changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MergeStrategy {
    /// `MERGE_CONFLICT`, naming the tables.
    #[default]
    Fail,
    /// Keep what the receiving branch has.
    Ours,
    /// Take what the merged branch has.
    Theirs,
}

/// How to merge.
#[derive(Clone, Debug, Default)]
pub struct MergeOptions {
    /// The receiving branch; `None`: the current one.
    pub into: Option<String>,
    /// What to do with conflicts.
    pub strategy: MergeStrategy,
    /// Only say what would happen.
    pub dry_run: bool,
    /// Why.
    pub message: Option<String>,
}

/// What a merge came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeKind {
    /// There was nothing to take over.
    UpToDate,
    /// Only the merged side had moved.
    FastForward,
    /// Both sides had moved.
    Merged,
}

/// What a merge did, or would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MergeReport {
    /// What it came to.
    pub kind: MergeKind,
    /// The transaction; `None` for a dry run and where there was nothing to do.
    pub tx_id: Option<u64>,
    /// The tables that it changed on the receiving branch, by name.
    pub tables: Vec<String>,
    /// The tables that both sides changed, by name, whatever the strategy made of them.
    pub conflicts: Vec<String>,
}

struct Plan {
    kind: MergeKind,
    changes: Vec<TableChange>,
    conflicts: Vec<String>,
    parents: Vec<TxId>,
}

/// Merges a branch into another; `BRANCH_NOT_FOUND`, `MERGE_CONFLICT` (never from a dry run).
pub fn merge(
    repository: &Repository,
    source: &BranchName,
    into: &BranchName,
    options: &MergeOptions,
    author: Option<String>,
) -> Result<MergeReport> {
    if options.dry_run {
        let plan = plan(&repository.catalog.view()?, source, into, options.strategy)?;
        return Ok(report(&plan, None));
    }
    repository.check_writable("merge a branch")?;
    let decided: Arc<Mutex<Option<Plan>>> = Arc::default();
    let (slot, source, into) = (decided.clone(), source.clone(), into.clone());
    let (strategy, message) = (options.strategy, options.message.clone());
    let committed = repository.catalog.commit(
        TRANSACTION_BYTES,
        Box::new(move |view: &View| {
            let plan = plan(view, &source, &into, strategy)?;
            if strategy == MergeStrategy::Fail && !plan.conflicts.is_empty() {
                let (source_branch, into) = (source.to_string(), into.to_string());
                return Err(Error::MergeConflict { source_branch, into, tables: plan.conflicts });
            }
            let message = message.clone().or_else(|| Some(format!("Merge {source} into {into}")));
            let draft = draft(view, &into, &plan, author.clone(), message)?;
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(plan);
            Ok(draft)
        }),
    )?;
    let plan = decided.lock().unwrap_or_else(PoisonError::into_inner).take();
    let plan = plan.ok_or_else(|| Error::internal("a merge ended without a plan"))?;
    Ok(report(&plan, committed.map(|transaction| transaction.tx_id.0)))
}

fn report(plan: &Plan, tx_id: Option<u64>) -> MergeReport {
    let tables = plan.changes.iter().map(|change| change.table.to_string()).collect();
    MergeReport { kind: plan.kind, tx_id, tables, conflicts: plan.conflicts.clone() }
}

fn draft(
    view: &View,
    into: &BranchName,
    plan: &Plan,
    author: Option<String>,
    message: Option<String>,
) -> Result<Option<Draft>> {
    let kind = match plan.kind {
        MergeKind::UpToDate => return Ok(None),
        MergeKind::FastForward => TransactionKind::FastForward,
        MergeKind::Merged => TransactionKind::Merge,
    };
    let head = view.head(into)?;
    Ok(Some(Draft {
        branch: head.branch,
        branch_id: Some(head.branch_id),
        parents: plan.parents.clone(),
        author,
        message,
        kind,
        tables: plan.changes.clone(),
        refs: Vec::new(),
        reads: Vec::new(),
    }))
}

fn plan(view: &View, source: &BranchName, into: &BranchName, strategy: MergeStrategy) -> Result<Plan> {
    let (theirs, ours) = (view.head(source)?, view.head(into)?);
    let base = view.snapshot_of(common_ancestor(view, theirs.tx_id, ours.tx_id)?)?;
    let tables = [&base, &ours, &theirs].map(|snapshot| view.tables(snapshot));
    let [base, our_tables, their_tables] = tables;
    let (base, our_tables, their_tables) = (base?, our_tables?, their_tables?);
    let mut plan = Plan {
        kind: MergeKind::UpToDate,
        changes: Vec::new(),
        conflicts: Vec::new(),
        parents: vec![ours.tx_id, theirs.tx_id],
    };
    let mut we_moved = false;
    for table in all_tables(&base, &our_tables, &their_tables) {
        let states = [&base, &our_tables, &their_tables].map(|tables| tables.get(table).copied());
        let Some(known) = states.iter().flatten().next() else { continue };
        let name = view.name_of(*table, known)?;
        let [was, our, their] = states.map(|state| state.and_then(TableState::live));
        let we_changed = !same_data(view, &name, our, was)?;
        we_moved |= we_changed;
        if same_data(view, &name, their, was)? || same_data(view, &name, their, our)? {
            continue;
        }
        if we_changed {
            plan.conflicts.push(name.to_string());
        }
        if !we_changed || strategy == MergeStrategy::Theirs {
            plan.changes.push(take_over(view, &name, states[1], their, was)?);
        }
    }
    plan.conflicts.sort_unstable();
    plan.changes.sort_by(|a, b| a.table.cmp(&b.table));
    plan.kind = match (plan.changes.is_empty() && plan.conflicts.is_empty(), we_moved) {
        (true, _) => MergeKind::UpToDate,
        (false, false) => MergeKind::FastForward,
        (false, true) => MergeKind::Merged,
    };
    Ok(plan)
}

type Tables = BTreeMap<TableKey, TableState>;

fn all_tables<'a>(base: &'a Tables, ours: &'a Tables, theirs: &'a Tables) -> Vec<&'a TableKey> {
    let mut keys: Vec<_> = base.keys().chain(ours.keys()).chain(theirs.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Whether two versions hold the same data: they are one, or only folds and restores stand between them.
pub(super) fn same_data(view: &View, table: &TableName, a: Option<Version>, b: Option<Version>) -> Result<bool> {
    let data = |version: Option<Version>| version.map(|version| data_version(view, table, version)).transpose();
    Ok(a == b || data(a)? == data(b)?)
}

/// The version that first had the data of a version.
fn data_version(view: &View, table: &TableName, mut version: Version) -> Result<Version> {
    loop {
        let change = view.version_change(table, version)?;
        let change = change.change();
        let same = match change.kind {
            ChangeKind::Fold => change.from,
            ChangeKind::Restore => change.restores,
            _ => None,
        };
        match same.filter(|before| *before < version) {
            Some(before) => version = before,
            None => return Ok(version),
        }
    }
}

/// What a version consists of, with whatever stands in its own change named by its number.
fn content_by_reference(view: &View, table: &TableName, version: Version) -> Result<TableContent> {
    let change = view.version_change(table, version)?;
    let missing = || Error::internal(format!("version {version} of {table} has no content"));
    let content = change.change().content.as_ref().ok_or_else(missing)?;
    Ok(TableContent {
        schema: match &content.schema {
            SchemaSource::Here(_) => SchemaSource::As(version),
            other => other.clone(),
        },
        manifest: match &content.manifest {
            ManifestSource::Here(_) => ManifestSource::As(version),
            other => other.clone(),
        },
        ..content.clone()
    })
}

/// Makes what the other side has this side's.
pub(super) fn take_over(
    view: &View,
    table: &TableName,
    ours: Option<TableState>,
    theirs: Option<Version>,
    base: Option<Version>,
) -> Result<TableChange> {
    let from = ours.and_then(TableState::live);
    let Some(version) = theirs else {
        return Ok(drop_table(table, from, rows_of(view, table, from)?));
    };
    let newest = ours.map_or(Version(0), |state| state.version);
    if version <= newest {
        return restore(view, table, from, version);
    }
    let (rows_added, rows_removed) = match rows_since(view, table, version, base)? {
        Some(counts) if same_data(view, table, from, base)? => counts,
        _ => (rows_of(view, table, Some(version))?, rows_of(view, table, from)?),
    };
    Ok(TableChange { rows_added, rows_removed, ..TableChange::new(table, ChangeKind::Adopt, from, Some(version)) })
}

pub(super) fn drop_table(table: &TableName, from: Option<Version>, rows_removed: u64) -> TableChange {
    TableChange { rows_removed, ..TableChange::new(table, ChangeKind::Drop, from, None) }
}

/// Brings an older version's content back under a new number, so that numbers on a branch keep growing.
pub(super) fn restore(view: &View, table: &TableName, from: Option<Version>, version: Version) -> Result<TableChange> {
    let content = content_by_reference(view, table, version)?;
    let schema = restored_schema(view, table, from, version)?.unwrap_or(content.schema);
    let content = TableContent { schema, ..content };
    Ok(TableChange {
        restores: Some(version),
        rows_added: content.rows,
        rows_removed: rows_of(view, table, from)?,
        content: Some(content),
        ..TableChange::new(table, ChangeKind::Restore, from, Some(view.next_version(table)?))
    })
}

/// The restored version's schema where it must say more than that one did: ids of columns that came since are not
/// given again.
fn restored_schema(
    view: &View,
    table: &TableName,
    from: Option<Version>,
    version: Version,
) -> Result<Option<SchemaSource>> {
    let Some(from) = from else { return Ok(None) };
    let (Some(now), Some(restored)) = (recorded_schema(view, table, from)?, recorded_schema(view, table, version)?)
    else {
        return Ok(None);
    };
    let next_column_id = now.next_column_id.max(restored.next_column_id);
    let more = next_column_id > restored.next_column_id;
    Ok(more.then(|| SchemaSource::Here(TableSchema { next_column_id, ..TableSchema::clone(&restored) })))
}

pub(super) fn rows_of(view: &View, table: &TableName, version: Option<Version>) -> Result<u64> {
    let Some(version) = version else { return Ok(0) };
    let change = view.version_change(table, version)?;
    Ok(change.change().content.as_ref().map_or(0, |content| content.rows))
}

/// Rows added and removed from `base` to `version`; `None` where one did not grow out of the other.
fn rows_since(view: &View, table: &TableName, version: Version, base: Option<Version>) -> Result<Option<(u64, u64)>> {
    let (mut added, mut removed, mut at) = (0, 0, Some(version));
    while at != base {
        let Some(version) = at else { return Ok(None) };
        let change = view.version_change(table, version)?;
        added += change.change().rows_added;
        removed += change.change().rows_removed;
        at = change.change().from.filter(|before| *before < version);
    }
    Ok(Some((added, removed)))
}

/// The newest transaction that both descend from; 0 if they share nothing but the empty beginning.
fn common_ancestor(view: &View, a: TxId, b: TxId) -> Result<TxId> {
    const FROM_A: u8 = 1;
    const FROM_B: u8 = 2;
    let mut reached: HashMap<TxId, u8> = HashMap::from([(a, FROM_A)]);
    *reached.entry(b).or_default() |= FROM_B;
    let mut queue = BinaryHeap::from([a, b]);
    while let Some(tx_id) = queue.pop() {
        let marks = reached.get(&tx_id).copied().unwrap_or_default();
        if marks == FROM_A | FROM_B || tx_id == TxId(0) {
            return Ok(tx_id);
        }
        for parent in &view.transaction(tx_id)?.parents {
            let before = reached.entry(*parent).or_default();
            if *before == 0 {
                queue.push(*parent);
            }
            *before |= marks;
        }
    }
    Ok(TxId(0))
}

/// The head of the branch of a snapshot, if that branch still is the same.
pub(super) fn same_branch(view: &View, snapshot: &Snapshot) -> Result<Snapshot> {
    let head = view.head(&snapshot.branch)?;
    match head.branch_id == snapshot.branch_id {
        true => Ok(head),
        false => Err(Error::BranchNotFound { branch: format!("{} as it was", snapshot.branch) }),
    }
}
