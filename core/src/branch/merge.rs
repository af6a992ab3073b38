//! Three-way merge from the common ancestor, table by table.
//!
//! A table that changed on one side only is taken over; one that changed on both is a conflict, for the strategy to
//! decide. The common ancestor is the newest transaction that both heads descend from.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use super::ancestor::common_ancestor;
use super::moving::{renumber, same_data, take_over};
use crate::catalog::{Draft, Snapshot, TableState, View};
use crate::error::{Error, Result};
use crate::format::{BranchName, TableChange, TableKey, TableName, TransactionKind};
use crate::limits::TRANSACTION_BYTES;
use crate::repository::Repository;

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

#[derive(Clone)]
struct Plan {
    kind: MergeKind,
    changes: Vec<TableChange>,
    conflicts: Vec<String>,
    /// The heads that it was made for: the receiving one, the merged one.
    heads: [Snapshot; 2],
}

/// Merges a branch into another; `BRANCH_NOT_FOUND`, `MERGE_CONFLICT` (never from a dry run).
pub fn merge(
    repository: &Repository,
    source: &BranchName,
    into: &BranchName,
    options: &MergeOptions,
    author: Option<String>,
) -> Result<MergeReport> {
    if !options.dry_run {
        repository.check_writable("merge a branch")?;
    }
    // While nobody waits for the log; most often it holds with the log locked, too.
    let planned = plan(&repository.catalog.view()?, source, into, options.strategy)?;
    if options.dry_run {
        return Ok(report(&planned, None));
    }
    let decided: Arc<Mutex<Option<Plan>>> = Arc::default();
    let (slot, source, into) = (decided.clone(), source.clone(), into.clone());
    let (strategy, message) = (options.strategy, options.message.clone());
    let committed = repository.catalog.commit(
        TRANSACTION_BYTES,
        Box::new(move |view: &View| {
            let plan = plan_again(view, &planned, &source, &into, strategy)?;
            if strategy == MergeStrategy::Fail && !plan.conflicts.is_empty() {
                let (source_branch, into) = (source.to_string(), into.to_string());
                return Err(Error::MergeConflict { source_branch, into, tables: plan.conflicts });
            }
            let message = message.clone().or_else(|| Some(format!("Merge {source} into {into}")));
            let draft = draft(&plan, author.clone(), message);
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

fn draft(plan: &Plan, author: Option<String>, message: Option<String>) -> Option<Draft> {
    let kind = match plan.kind {
        MergeKind::UpToDate => return None,
        MergeKind::FastForward => TransactionKind::FastForward,
        MergeKind::Merged => TransactionKind::Merge,
    };
    let [head, merged] = plan.heads.clone();
    Some(Draft {
        branch: head.branch,
        branch_id: Some(head.branch_id),
        parents: vec![head.tx_id, merged.tx_id],
        author,
        message,
        kind,
        tables: plan.changes.clone(),
        refs: Vec::new(),
        reads: Vec::new(),
    })
}

/// A plan made before, with the numbers that are next now; made anew if one of the branches has moved.
fn plan_again(
    view: &View,
    planned: &Plan,
    source: &BranchName,
    into: &BranchName,
    strategy: MergeStrategy,
) -> Result<Plan> {
    if planned.heads != [view.head(into)?, view.head(source)?] {
        return plan(view, source, into, strategy);
    }
    let mut plan = planned.clone();
    plan.changes.iter_mut().try_for_each(|change| renumber(view, change))?;
    Ok(plan)
}

fn plan(view: &View, source: &BranchName, into: &BranchName, strategy: MergeStrategy) -> Result<Plan> {
    let (theirs, ours) = (view.head(source)?, view.head(into)?);
    let base = view.snapshot_of(common_ancestor(view, theirs.tx_id, ours.tx_id)?)?;
    let tables = [&base, &ours, &theirs].map(|snapshot| view.tables(snapshot));
    let [base, our_tables, their_tables] = tables;
    let (base, our_tables, their_tables) = (base?, our_tables?, their_tables?);
    let mut plan =
        Plan { kind: MergeKind::UpToDate, changes: Vec::new(), conflicts: Vec::new(), heads: [ours, theirs] };
    let mut we_moved = false;
    for (name, states) in moved_tables(view, [&base, &our_tables, &their_tables])? {
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

/// The states of a table in the ancestor, here and there.
type States = [Option<TableState>; 3];

/// The tables that either side has moved, with their names.
fn moved_tables(view: &View, [base, ours, theirs]: [&Tables; 3]) -> Result<Vec<(TableName, States)>> {
    let mut keys: Vec<&TableKey> = base.keys().chain(ours.keys()).chain(theirs.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let states = |key: &TableKey| [base, ours, theirs].map(|tables| tables.get(key).copied());
    let has_moved = |states: &States| {
        let [was, our, their] = states.map(|state| state.and_then(TableState::live));
        our != was || their != was
    };
    let moved = keys.into_iter().map(|key| (*key, states(key))).filter(|(_, states)| has_moved(states));
    let moved: Vec<(TableKey, States)> = moved.collect();
    let known = |states: &States| states.iter().flatten().next().map(|state| state.tx_id);
    let mut names = view.names_of(moved.iter().filter_map(|(key, states)| Some((*key, known(states)?))))?;
    let named = |(key, states): (TableKey, States)| names.remove(&key).map(|name| (name, states));
    Ok(moved.into_iter().filter_map(named).collect())
}
