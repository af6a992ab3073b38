//! Results of the C ABI in the terms of the cases.

use serde_json::{Value as Json, json};

use super::memory::{items, read, read_all, slice};
use super::structs::*;

pub(super) fn commit(commit: &ArmillariaCommit) -> Json {
    let tables = items(commit.tables, commit.tables_len).map(|table| {
        json!({
            "table": read(table.table),
            "kind": read(table.kind),
            "version": table.has_version.then_some(table.version),
            "rows": table.rows,
        })
    });
    json!({
        "tx_id": commit.tx_id,
        "branch": read(commit.branch),
        "time_us": commit.time_us,
        "tables": tables.collect::<Vec<_>>(),
        "version": commit.has_version.then_some(commit.version),
        "rows": commit.rows,
        "chunks_written": commit.chunks_written,
        "chunks_reused": commit.chunks_reused,
        "bytes_written": commit.bytes_written,
        "bytes_reused": commit.bytes_reused,
    })
}

pub(super) fn string_list(list: &ArmillariaStringList) -> Vec<String> {
    read_all(list.items, list.len)
}

pub(super) fn table_list(list: &ArmillariaTableList) -> Json {
    let tables = items(list.items, list.len).map(|table| {
        json!({
            "name": read(table.name),
            "version": table.version,
            "rows": table.rows,
            "chunks": table.chunks,
            "bytes": table.bytes,
        })
    });
    json!({"tables": tables.collect::<Vec<_>>()})
}

pub(super) fn history(history: &ArmillariaHistory) -> Json {
    let entries = items(history.items, history.len).map(|entry| {
        json!({
            "version": entry.version,
            "tx_id": entry.tx_id,
            "branch": read(entry.branch),
            "time_us": entry.time_us,
            "author": read(entry.author),
            "message": read(entry.message),
            "kind": read(entry.kind),
            "rows": entry.rows,
            "chunks": entry.chunks,
            "bytes": entry.bytes,
        })
    });
    json!({"entries": entries.collect::<Vec<_>>()})
}

pub(super) fn diff(diff: &ArmillariaDiff) -> Json {
    json!({
        "rows_added": diff.rows_added,
        "rows_removed": diff.rows_removed,
        "rows_modified": diff.rows_modified,
        "schema_changes": read_all(diff.schema_changes, diff.schema_changes_len),
    })
}

pub(super) fn branch_list(list: &ArmillariaBranchList) -> Json {
    let branches = items(list.items, list.len).map(|branch| {
        json!({
            "name": read(branch.name),
            "head_tx_id": branch.head_tx_id,
            "from_branch": read(branch.from_branch),
            "from_tx_id": branch.has_from_tx_id.then_some(branch.from_tx_id),
            "created_us": branch.created_us,
            "description": read(branch.description),
        })
    });
    json!({"branches": branches.collect::<Vec<_>>()})
}

pub(super) fn branch_diff(diff: &ArmillariaBranchDiff) -> Json {
    let modified = items(diff.modified, diff.modified_len).map(|table| {
        json!({
            "table": read(table.table),
            "version_in_a": table.version_in_a,
            "version_in_b": table.version_in_b,
        })
    });
    json!({
        "added": read_all(diff.added, diff.added_len),
        "removed": read_all(diff.removed, diff.removed_len),
        "modified": modified.collect::<Vec<_>>(),
    })
}

pub(super) fn merge_report(report: &ArmillariaMergeReport) -> Json {
    const KINDS: [&str; 3] = ["up_to_date", "fast_forward", "merged"];
    json!({
        "kind": KINDS.get(report.kind as usize),
        "tx_id": report.has_tx_id.then_some(report.tx_id),
        "tables": read_all(report.tables, report.tables_len),
        "conflicts": read_all(report.conflicts, report.conflicts_len),
    })
}

pub(super) fn tag_list(list: &ArmillariaTagList) -> Json {
    let tags = items(list.items, list.len)
        .map(|tag| json!({"name": read(tag.name), "tx_id": tag.tx_id, "created_us": tag.created_us}));
    json!({"tags": tags.collect::<Vec<_>>()})
}

pub(super) fn changelog(changelog: &ArmillariaChangelog) -> Json {
    json!({"entries": items(changelog.items, changelog.len).map(entry).collect::<Vec<_>>()})
}

pub(super) fn entry(entry: &ArmillariaChangelogEntry) -> Json {
    let tables = items(entry.tables, entry.tables_len).map(|table| {
        json!({
            "table": read(table.table),
            "kind": read(table.kind),
            "from_version": table.has_from_version.then_some(table.from_version),
            "to_version": table.has_to_version.then_some(table.to_version),
            "rows_added": table.rows_added,
            "rows_removed": table.rows_removed,
        })
    });
    let refs = items(entry.refs, entry.refs_len).map(
        |change| json!({"kind": read(change.kind), "name": read(change.name), "target_tx_id": change.target_tx_id}),
    );
    json!({
        "tx_id": entry.tx_id,
        "branch": read(entry.branch),
        "time_us": entry.time_us,
        "author": read(entry.author),
        "message": read(entry.message),
        "kind": read(entry.kind),
        "parents": slice(entry.parents, entry.parents_len),
        "tables": tables.collect::<Vec<_>>(),
        "refs": refs.collect::<Vec<_>>(),
    })
}

pub(super) fn verify_report(report: &ArmillariaVerifyReport) -> Json {
    let problems = items(report.problems, report.problems_len).map(|problem| {
        let affects = slice(problem.affects, problem.affects_len).iter();
        let affects = affects.map(|version| json!({"table": read(version.table), "version": version.version}));
        json!({
            "object": read(problem.object),
            "code": read(problem.code),
            "message": read(problem.message),
            "affects": affects.collect::<Vec<_>>(),
        })
    });
    json!({
        "ok": report.ok,
        "records": report.records,
        "transactions": report.transactions,
        "versions": report.versions,
        "chunks": report.chunks,
        "chunk_bytes": report.chunk_bytes,
        "unused_chunks": report.unused_chunks,
        "problems": problems.collect::<Vec<_>>(),
        "notes": read_all(report.notes, report.notes_len),
    })
}

pub(super) fn stats(stats: &ArmillariaStats) -> Json {
    json!({
        "tables": stats.tables,
        "versions": stats.versions,
        "transactions": stats.transactions,
        "branches": stats.branches,
        "tags": stats.tags,
        "chunks": stats.chunks,
        "chunk_bytes": stats.chunk_bytes,
        "log_bytes": stats.log_bytes,
        "bytes_stored": stats.bytes_stored,
        "bytes_logical": stats.bytes_logical,
        "dedup_ratio": stats.dedup_ratio,
    })
}

pub(super) fn bytes(buffer: &ArmillariaBuffer) -> Vec<u8> {
    slice(buffer.data, buffer.len).to_vec()
}
