//! Results of the core in the terms of the cases. Most are what their types serialise to.

use armillaria::format::{RefChange, TransactionKind};
use armillaria::{BranchDiff, ChangelogEntry, Commit, VerifyReport};
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::failure::Failure;

pub(super) fn plain(value: &impl Serialize) -> Result<Json, Failure> {
    serde_json::to_value(value).map_err(|error| Failure::Case(error.to_string()))
}

pub(super) fn commit(commit: &Commit) -> Result<Json, Failure> {
    let mut result = plain(commit)?;
    result["version"] = json!(commit.version());
    Ok(result)
}

pub(super) fn branch_diff(diff: &BranchDiff) -> Json {
    let modified = diff.modified.iter();
    let modified: Vec<Json> =
        modified.map(|(table, a, b)| json!({"table": table, "version_in_a": a, "version_in_b": b})).collect();
    json!({"added": diff.added, "removed": diff.removed, "modified": modified})
}

pub(super) fn entry(entry: &ChangelogEntry) -> Result<Json, Failure> {
    let mut result = plain(entry)?;
    if let TransactionKind::Revert(_) = entry.kind {
        result["kind"] = json!("revert");
    }
    result["refs"] = entry.refs.iter().map(ref_change).collect();
    Ok(result)
}

fn ref_change(change: &RefChange) -> Json {
    let (kind, name, target) = match change {
        RefChange::CreateBranch(created) => ("create_branch", created.branch.as_str(), created.at.0),
        RefChange::DeleteBranch(branch) => ("delete_branch", branch.as_str(), 0),
        RefChange::CreateTag { tag, target } => ("create_tag", tag.as_str(), target.0),
        RefChange::DeleteTag(tag) => ("delete_tag", tag.as_str(), 0),
    };
    json!({"kind": kind, "name": name, "target_tx_id": target})
}

pub(super) fn verify_report(report: &VerifyReport) -> Result<Json, Failure> {
    let mut result = plain(report)?;
    for (problem, shown) in report.problems.iter().zip(result["problems"].as_array_mut().into_iter().flatten()) {
        let affects = problem.affects.iter();
        shown["affects"] = affects.map(|(table, version)| json!({"table": table, "version": version})).collect();
    }
    Ok(result)
}
