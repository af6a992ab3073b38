//! From what the log says of a version to everything that is needed to read it.

use std::sync::Arc;

use bytes::Bytes;

use crate::catalog::{VersionChange, View};
use crate::error::{Error, Result};
use crate::format::{Manifest, ManifestSource, SchemaSource, TableContent, TableName, TableSchema, TailBatch, Version};
use crate::table::{InlineBatch, TableData, TableStore, Tail};

/// A version whose content is in memory, and what the log says of it.
pub(super) struct Before {
    pub(super) version: Version,
    pub(super) change: VersionChange,
    pub(super) data: Arc<TableData>,
}

impl Before {
    /// Its schema, if the same is meant.
    fn schema(&self, source: &SchemaSource) -> Option<Arc<TableSchema>> {
        let SchemaSource::As(version) = source else { return None };
        let same = *version == self.version || self.content()?.schema == *source;
        same.then(|| self.data.schema.clone())
    }

    /// Its chunk list, if the same is meant.
    fn manifest(&self, source: &ManifestSource) -> Option<Arc<Manifest>> {
        let same = match source {
            ManifestSource::As(version) if *version == self.version => true,
            ManifestSource::As(_) | ManifestSource::Node(_) => self.content()?.manifest == *source,
            ManifestSource::Here(_) | ManifestSource::Listed(_) => false,
        };
        same.then(|| self.data.manifest.clone())
    }

    fn content(&self) -> Option<&TableContent> {
        self.change.change().content.as_ref()
    }
}

/// Resolves what the log says of a version; what it has in common with the one before is taken from there.
pub(super) fn resolve(
    tables: &TableStore,
    view: &View,
    table: &TableName,
    change: &VersionChange,
    before: Option<&Before>,
) -> Result<TableData> {
    let content = content_of(change)?;
    if let ManifestSource::Listed(chunks) = &content.manifest {
        return tables.from_listed(chunks);
    }
    let schema = match before.and_then(|before| before.schema(&content.schema)) {
        Some(schema) => schema,
        None => schema(view, table, &content.schema)?,
    };
    let manifest = match before.and_then(|before| before.manifest(&content.manifest)) {
        Some(manifest) => manifest,
        None => manifest(tables, view, table, &content.manifest)?,
    };
    let tail = tail(view, table, change, before)?;
    Ok(TableData { schema, manifest, tail })
}

/// Goes back from version to version until the tail of one is known, and then forth again.
fn tail(view: &View, table: &TableName, change: &VersionChange, before: Option<&Before>) -> Result<Tail> {
    let mut changes = vec![change.clone()];
    let mut tail = Tail::default();
    while let Some(earlier) = changes.last().map(content_of).transpose()?.and_then(|content| content.tail_of) {
        if let Some(before) = before.filter(|before| before.version == earlier) {
            tail = before.data.tail.clone();
            break;
        }
        if changes.last().and_then(|later| later.change().to).is_none_or(|later| earlier >= later) {
            return Err(broken(table, earlier, "a version that is not later has its tail"));
        }
        changes.push(view.version_change(table, earlier)?);
    }
    // What a fold left of an earlier tail is in the same order, so one pass finds it.
    let known = before.map_or(Vec::new(), |before| before.data.tail.to_vec());
    let mut known = known.into_iter();
    for change in changes.iter().rev() {
        for batch in &content_of(change)?.tail {
            tail.push(match known.find(|known| known.version == Some(batch.version)) {
                Some(known) => InlineBatch { after: batch.after, ..known.clone() },
                None => inline_batch(view, table, batch)?,
            });
        }
    }
    Ok(tail)
}

/// The schema of a version; `None` for a low-level one.
pub fn recorded_schema(view: &View, table: &TableName, version: Version) -> Result<Option<Arc<TableSchema>>> {
    let change = view.version_change(table, version)?;
    match &content_of(&change)?.schema {
        SchemaSource::InChunks => Ok(None),
        source => schema(view, table, source).map(Some),
    }
}

fn schema(view: &View, table: &TableName, source: &SchemaSource) -> Result<Arc<TableSchema>> {
    match source {
        SchemaSource::Here(schema) => Ok(Arc::new(schema.clone())),
        SchemaSource::As(version) => {
            let change = view.version_change(table, *version)?;
            match &content_of(&change)?.schema {
                SchemaSource::Here(schema) => Ok(Arc::new(schema.clone())),
                _ => Err(broken(table, *version, "it does not hold the schema that another version names it for")),
            }
        }
        SchemaSource::InChunks => Err(Error::internal("only a low-level version has its schema in its chunks")),
    }
}

fn manifest(tables: &TableStore, view: &View, table: &TableName, source: &ManifestSource) -> Result<Arc<Manifest>> {
    match source {
        ManifestSource::Here(manifest) => Ok(Arc::new(manifest.clone())),
        ManifestSource::Node(hash) => tables.load_manifest(*hash).map(Arc::new),
        ManifestSource::As(version) => {
            let change = view.version_change(table, *version)?;
            match &content_of(&change)?.manifest {
                ManifestSource::Here(manifest) => Ok(Arc::new(manifest.clone())),
                _ => Err(broken(table, *version, "it does not hold the chunk list that another version names it for")),
            }
        }
        ManifestSource::Listed(_) => Err(Error::internal("a bare chunk list is described, not resolved")),
    }
}

fn inline_batch(view: &View, table: &TableName, batch: &TailBatch) -> Result<InlineBatch> {
    let change = view.version_change(table, batch.version)?;
    let missing = || broken(table, batch.version, "it does not carry the rows that another version names it for");
    let bytes = change.change().inline.as_ref().ok_or_else(missing)?;
    Ok(InlineBatch {
        version: Some(batch.version),
        rows: batch.rows,
        after: batch.after,
        bytes: Bytes::copy_from_slice(bytes),
    })
}

fn content_of(change: &VersionChange) -> Result<&TableContent> {
    let table = change.change();
    let missing = || broken(&table.table, table.to.unwrap_or_default(), "it has no content");
    table.content.as_ref().ok_or_else(missing)
}

fn broken(table: &TableName, version: Version, reason: &str) -> Error {
    Error::LogCorrupt { at: format!("table {table} version {version}"), reason: reason.to_string() }
}
