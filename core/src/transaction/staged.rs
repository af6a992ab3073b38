//! What a transaction has prepared and not yet committed.

use std::sync::Arc;

use serde_bytes::ByteBuf;

use super::conflict::Mine;
use crate::catalog::View;
use crate::error::Result;
use crate::format::{
    ChangeKind, ManifestSource, SchemaSource, TableChange, TableContent, TableName, TailBatch, Version,
};
use crate::repository::Repository;
use crate::table::{Appended, Fold, Overwritten, TableData, WriteStatistics};

/// A change of one table, prepared: its chunks are durable, and nobody sees them.
#[derive(Clone, Debug)]
pub(super) struct Staged {
    /// The table's version on the branch when the transaction began.
    pub(super) base: Option<Version>,
    pub(super) change: StagedChange,
    pub(super) statistics: WriteStatistics,
}

#[derive(Clone, Debug)]
pub(super) enum StagedChange {
    /// New content, whatever was there before.
    Put(Box<Overwritten>),
    /// Rows behind those that are there.
    Append(Box<Appended>),
    /// No table any more.
    Drop,
    /// The same rows in fewer pieces.
    Fold(Box<Fold>),
}

impl Staged {
    /// How it stands to what others do.
    pub(super) fn conflict_class(&self) -> Mine {
        match self.change {
            StagedChange::Append(_) => Mine::Append,
            StagedChange::Fold(_) => Mine::Fold,
            StagedChange::Put(_) | StagedChange::Drop => Mine::Overwrite,
        }
    }
}

/// The version that a change is laid on.
pub(super) struct Parent {
    pub(super) version: Version,
    pub(super) data: Arc<TableData>,
    pub(super) content: TableContent,
}

impl Parent {
    pub(super) fn load(repository: &Repository, view: &View, table: &TableName, version: Version) -> Result<Parent> {
        let change = view.version_change(table, version)?;
        let content = change.change().content.clone();
        let data = repository.content(view, table, version)?;
        let content = match content {
            Some(content) => content,
            None => content_of(repository, &data, None)?,
        };
        Ok(Parent { version, data, content })
    }
}

/// Turns a staged change into the one that the log keeps, on top of `parent`, as version `to`.
///
/// `None` for a fold whose pieces are no longer there.
pub(super) fn compose(
    repository: &Repository,
    table: &TableName,
    staged: &Staged,
    parent: Option<&Parent>,
    to: Version,
) -> Result<Option<TableChange>> {
    let rows_before = parent.map_or(0, |parent| parent.data.rows());
    let created = if parent.is_none() { ChangeKind::Create } else { ChangeKind::Overwrite };
    let (kind, data, rows_added, rows_removed) = match (&staged.change, parent) {
        (StagedChange::Drop, _) => return Ok(Some(drop_change(table, parent, rows_before))),
        (StagedChange::Put(put), _) => (created, put.to_data(Some(to)), put.rows, rows_before),
        (StagedChange::Append(appended), Some(parent)) => {
            let folded = appended.fold.as_ref().and_then(|fold| parent.data.with_fold(fold));
            let below = folded.as_ref().unwrap_or(&parent.data);
            (ChangeKind::Append, below.with_appended(appended, Some(to)), appended.rows, 0)
        }
        (StagedChange::Fold(fold), Some(parent)) => match parent.data.with_fold(fold) {
            Some(data) => (ChangeKind::Fold, data, 0, 0),
            None => return Ok(None),
        },
        (StagedChange::Append(_) | StagedChange::Fold(_), None) => return Ok(None),
    };
    let inline =
        data.tail.iter().find(|batch| batch.version == Some(to)).map(|batch| ByteBuf::from(batch.bytes.to_vec()));
    Ok(Some(TableChange {
        table: table.clone(),
        kind,
        from: parent.map(|parent| parent.version),
        to: Some(to),
        restores: None,
        rows_added,
        rows_removed,
        content: Some(content_of(repository, &data, parent)?),
        inline,
    }))
}

fn drop_change(table: &TableName, parent: Option<&Parent>, rows_removed: u64) -> TableChange {
    TableChange {
        table: table.clone(),
        kind: ChangeKind::Drop,
        from: parent.map(|parent| parent.version),
        to: None,
        restores: None,
        rows_added: 0,
        rows_removed,
        content: None,
        inline: None,
    }
}

/// Describes resolved data, naming the parent's schema and chunk list where they are the same.
fn content_of(repository: &Repository, data: &TableData, parent: Option<&Parent>) -> Result<TableContent> {
    let schema = match parent {
        Some(parent) if *parent.data.schema == *data.schema => match &parent.content.schema {
            SchemaSource::Here(_) => SchemaSource::As(parent.version),
            SchemaSource::As(version) => SchemaSource::As(*version),
            SchemaSource::InChunks => SchemaSource::Here(data.schema.as_ref().clone()),
        },
        _ => SchemaSource::Here(data.schema.as_ref().clone()),
    };
    let manifest = match parent {
        Some(parent) if Arc::ptr_eq(&parent.data.manifest, &data.manifest) || parent.data.manifest == data.manifest => {
            match &parent.content.manifest {
                ManifestSource::Here(_) => ManifestSource::As(parent.version),
                ManifestSource::As(version) => ManifestSource::As(*version),
                ManifestSource::Node(hash) => ManifestSource::Node(*hash),
                ManifestSource::Listed(_) => repository.tables.store_manifest(&data.manifest)?,
            }
        }
        _ => repository.tables.store_manifest(&data.manifest)?,
    };
    Ok(TableContent {
        schema,
        manifest,
        tail: data.tail.iter().filter_map(tail_batch).collect(),
        rows: data.rows(),
        chunks: data.manifest.chunks.len() as u64,
        bytes: data.bytes(),
    })
}

fn tail_batch(batch: &crate::table::InlineBatch) -> Option<TailBatch> {
    let version = batch.version?;
    Some(TailBatch { version, rows: batch.rows, bytes: batch.bytes.len() as u64, after: batch.after })
}
