//! Changes that bring a table of a branch to content that is there already: what merging, reverting and setting versions
//! have in common.

use crate::catalog::{TableState, View};
use crate::error::{Error, Result};
use crate::format::{
    ChangeKind, ManifestSource, SchemaSource, TableChange, TableContent, TableName, TableSchema, Version,
};
use crate::repository::recorded_schema;

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

/// Gives a change that makes a version the number that is next now.
pub(super) fn renumber(view: &View, change: &mut TableChange) -> Result<()> {
    if change.content.is_some() {
        change.to = Some(view.next_version(&change.table)?);
    }
    Ok(())
}
