//! What a transaction has prepared and not yet committed.

use std::sync::Arc;

use serde_bytes::ByteBuf;

use super::conflict::Mine;
use super::sum;
use crate::catalog::View;
use crate::error::{Error, Result};
use crate::format::{
    ChangeKind, ChunkHash, ManifestSource, SchemaSource, TableChange, TableContent, TableName, TailBatch, Version,
};
use crate::limits::INLINE_MANIFEST_BYTES_MAX;
use crate::repository::Repository;
use crate::table::{Appended, Fold, InlineBatch, InlineRows, Overwritten, TableData, WriteStatistics};

/// What the name of a chunk takes in a bare list.
const LISTED_CHUNK_BYTES: usize = 34;

/// A change of one table, prepared: its chunks are durable, and nobody sees them.
#[derive(Clone, Debug)]
pub(super) struct Staged {
    /// The table's version on the branch when the transaction began.
    pub(super) base: Option<Version>,
    /// Whether this transaction dropped the table before: what it puts there now is another table of that name.
    pub(super) anew: bool,
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
    /// The same rows in fewer pieces, in row order.
    Fold(Vec<Fold>),
    /// A bare list of chunks, as that version and no other.
    List(Vec<ChunkHash>, Version),
}

impl StagedChange {
    /// The rows that are to ride inside the record.
    pub(super) fn inline(&self) -> Option<&InlineRows> {
        match self {
            StagedChange::Put(put) => put.inline.as_ref(),
            StagedChange::Append(appended) => appended.inline.as_ref(),
            StagedChange::Drop | StagedChange::Fold(_) | StagedChange::List(..) => None,
        }
    }
}

impl StagedChange {
    /// Of the rows that are to ride inside the record.
    pub(super) fn inline_bytes(&self) -> usize {
        self.inline().map_or(0, |rows| rows.bytes.len())
    }

    /// About how much of a record it takes.
    pub(super) fn record_bytes(&self) -> usize {
        match (self, self.inline()) {
            (StagedChange::List(chunks, _), _) => chunks.len() * LISTED_CHUNK_BYTES,
            (_, Some(rows)) => rows.bytes.len(),
            (_, None) => INLINE_MANIFEST_BYTES_MAX,
        }
    }
}

impl Staged {
    /// Puts an append behind what is put or appended already; its inlined rows stand in the place of those.
    pub(super) fn push(&mut self, more: Appended) -> Result<()> {
        let (chunks, inline, rows) = match &mut self.change {
            StagedChange::Append(appended) => (&mut appended.chunks, &mut appended.inline, &mut appended.rows),
            // Whoever is reading the table as it was keeps a list of his own.
            StagedChange::Put(put) => (&mut Arc::make_mut(&mut put.manifest).chunks, &mut put.inline, &mut put.rows),
            StagedChange::Drop | StagedChange::Fold(_) | StagedChange::List(..) => {
                return Err(Error::internal("rows were appended to what has none of its own"));
            }
        };
        chunks.extend(more.chunks);
        *inline = more.inline;
        *rows += more.rows;
        self.statistics = sum(self.statistics, more.statistics);
        Ok(())
    }

    /// How it stands to what others do.
    pub(super) fn conflict_class(&self) -> Mine {
        match self.change {
            StagedChange::Append(_) => Mine::Append,
            StagedChange::Fold(_) => Mine::Fold,
            StagedChange::Put(_) | StagedChange::Drop | StagedChange::List(..) => Mine::Overwrite,
        }
    }

    /// Whether the list of chunks becomes another.
    pub(super) fn changes_chunks(&self) -> bool {
        match &self.change {
            StagedChange::Put(_) | StagedChange::Fold(_) => true,
            StagedChange::Append(appended) => !appended.chunks.is_empty() || appended.fold.is_some(),
            StagedChange::Drop | StagedChange::List(..) => false,
        }
    }
}

/// The version that a change is laid on.
struct Parent {
    version: Version,
    data: Arc<TableData>,
    content: TableContent,
}

impl Parent {
    fn load(repository: &Repository, view: &View, table: &TableName, version: Version) -> Result<Parent> {
        let content = recorded_content(view, table, version)?;
        Ok(Parent { version, data: repository.content(view, table, version)?, content })
    }

    /// The same where it can be built upon: a bare list of chunks need not be readable.
    fn load_unless_listed(
        repository: &Repository,
        view: &View,
        table: &TableName,
        version: Version,
    ) -> Result<Option<Parent>> {
        match is_listed(view, table, version)? {
            true => Ok(None),
            false => Parent::load(repository, view, table, version).map(Some),
        }
    }
}

/// What the log says of a version.
fn recorded_content(view: &View, table: &TableName, version: Version) -> Result<TableContent> {
    let content = view.version_change(table, version)?.change().content.clone();
    content.ok_or_else(|| Error::internal(format!("version {version} of {table} has no content")))
}

/// Whether a version is a bare list of chunks, of the low-level catalog.
pub(super) fn is_listed(view: &View, table: &TableName, version: Version) -> Result<bool> {
    Ok(matches!(recorded_content(view, table, version)?.manifest, ManifestSource::Listed(_)))
}

/// A change as the log keeps it.
pub(super) struct Composed {
    pub(super) change: TableChange,
    /// What its version consists of, as whoever resolves it would find; `None` for a bare list, and where there is none.
    pub(super) data: Option<Arc<TableData>>,
}

impl Composed {
    fn without_data(change: TableChange) -> Option<Composed> {
        Some(Composed { change, data: None })
    }
}

/// Turns a staged change into the one that the log keeps, on top of version `parent`, as version `to`.
///
/// `None` for a fold whose pieces are no longer there.
pub(super) fn compose(
    repository: &Repository,
    view: &View,
    table: &TableName,
    staged: &Staged,
    parent: Option<Version>,
    to: Version,
) -> Result<Option<Composed>> {
    let load = |version| Parent::load(repository, view, table, version);
    let load_unless_listed = |version| Parent::load_unless_listed(repository, view, table, version);
    let (kind, data, rows_added, parent_data) = match (&staged.change, parent) {
        (StagedChange::Drop, _) => return drop_change(view, table, parent).map(Composed::without_data),
        (StagedChange::List(chunks, _), _) => {
            return list_change(view, table, chunks, parent, to).map(Composed::without_data);
        }
        (StagedChange::Put(put), _) => {
            let grown_from = parent.filter(|_| !staged.anew);
            let kind = if grown_from.is_none() { ChangeKind::Create } else { ChangeKind::Overwrite };
            (kind, put.to_data(Some(to)), put.rows, grown_from.map(load_unless_listed).transpose()?.flatten())
        }
        (StagedChange::Append(appended), Some(parent)) => {
            let parent = load(parent)?;
            let folded = appended.fold.as_ref().and_then(|fold| parent.data.with_fold(fold));
            let data = folded.as_ref().unwrap_or(&parent.data).with_appended(appended, Some(to));
            (ChangeKind::Append, data, appended.rows, Some(parent))
        }
        (StagedChange::Fold(folds), Some(parent)) => {
            let parent = load(parent)?;
            let Some(data) = parent.data.with_folds(folds) else { return Ok(None) };
            (ChangeKind::Fold, data, 0, Some(parent))
        }
        (StagedChange::Append(_) | StagedChange::Fold(_), None) => return Ok(None),
    };
    let replaces = matches!(kind, ChangeKind::Create | ChangeKind::Overwrite);
    let rows_removed = if replaces { recorded_rows(view, table, parent)? } else { 0 };
    let from = parent.filter(|_| kind != ChangeKind::Create);
    let inline = staged.change.inline().map(|rows| ByteBuf::from(rows.bytes.to_vec()));
    let content = Some(content_of(repository, &data, parent_data.as_ref())?);
    let change = TableChange::new(table, kind, from, Some(to));
    let change = TableChange { rows_added, rows_removed, content, inline, ..change };
    Ok(Some(Composed { change, data: Some(Arc::new(data)) }))
}

fn drop_change(view: &View, table: &TableName, parent: Option<Version>) -> Result<TableChange> {
    let rows_removed = recorded_rows(view, table, parent)?;
    Ok(TableChange { rows_removed, ..TableChange::new(table, ChangeKind::Drop, parent, None) })
}

/// Nobody counts the rows of a bare list of chunks.
fn list_change(
    view: &View,
    table: &TableName,
    chunks: &[ChunkHash],
    parent: Option<Version>,
    to: Version,
) -> Result<TableChange> {
    let kind = if parent.is_none() { ChangeKind::Create } else { ChangeKind::Overwrite };
    let content = TableContent {
        schema: SchemaSource::InChunks,
        manifest: ManifestSource::Listed(chunks.to_vec()),
        tail_of: None,
        tail: Vec::new(),
        rows: 0,
        chunks: chunks.len() as u64,
        bytes: 0,
    };
    let rows_removed = recorded_rows(view, table, parent)?;
    Ok(TableChange { rows_removed, content: Some(content), ..TableChange::new(table, kind, parent, Some(to)) })
}

fn recorded_rows(view: &View, table: &TableName, version: Option<Version>) -> Result<u64> {
    version.map_or(Ok(0), |version| Ok(recorded_content(view, table, version)?.rows))
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
    let (tail_of, tail) = tail_of(data, parent);
    Ok(TableContent {
        schema,
        manifest,
        tail_of,
        tail,
        rows: data.rows(),
        chunks: data.manifest.chunks.len() as u64,
        bytes: data.bytes(),
    })
}

/// Names the parent's tail where this one begins with it.
fn tail_of(data: &TableData, parent: Option<&Parent>) -> (Option<Version>, Vec<TailBatch>) {
    let grown = parent.filter(|parent| !parent.data.tail.is_empty());
    let grown = grown.and_then(|parent| Some((parent, data.tail.grown_from(&parent.data.tail)?)));
    match grown {
        // So that a chain of versions is never longer than the tail.
        Some((parent, more)) if more.is_empty() => (parent.content.tail_of, parent.content.tail.clone()),
        Some((parent, more)) => (Some(parent.version), more.into_iter().filter_map(tail_batch).collect()),
        None => (None, data.tail.to_vec().into_iter().filter_map(tail_batch).collect()),
    }
}

fn tail_batch(batch: &InlineBatch) -> Option<TailBatch> {
    let version = batch.version?;
    Some(TailBatch { version, rows: batch.rows, bytes: batch.bytes.len() as u64, after: batch.after })
}

#[cfg(test)]
mod tests {
    use std::iter;

    use super::*;
    use crate::format::{ChunkEntry, LogicalHash, Manifest, TableSchema};

    fn chunks(count: usize) -> Vec<ChunkEntry> {
        let (logical, columns) = (LogicalHash::from_bytes([0; 32]), Vec::new());
        let entry =
            ChunkEntry { chunk: ChunkHash::of(b"c"), logical, rows: 10, bytes: 1, first_row: 0, row_bytes: 0, columns };
        iter::repeat_n(entry, count).collect()
    }

    fn appended(count: usize, inline: Option<InlineRows>) -> Appended {
        let rows = 10 * count as u64 + inline.as_ref().map_or(0, |rows| rows.rows);
        let statistics = WriteStatistics { rows, chunks_written: count as u64, ..WriteStatistics::default() };
        Appended { chunks: chunks(count), inline, fold: None, rows, statistics }
    }

    fn staged(change: StagedChange) -> Staged {
        Staged { base: None, anew: false, change, statistics: WriteStatistics::default() }
    }

    fn inline(rows: u64) -> Option<InlineRows> {
        Some(InlineRows { rows, bytes: vec![7; rows as usize].into() })
    }

    #[test]
    fn rows_are_put_behind_others_in_place_unless_somebody_reads_those() {
        let schema = TableSchema { arrow: ByteBuf::new(), next_column_id: 1, key: Vec::new() };
        let put = Overwritten {
            schema: Arc::new(schema),
            manifest: Arc::new(Manifest { chunks: chunks(3) }),
            inline: inline(5),
            rows: 35,
            statistics: WriteStatistics::default(),
        };
        let mut staged = staged(StagedChange::Put(Box::new(put)));
        let manifest = |staged: &Staged| match &staged.change {
            StagedChange::Put(put) => put.manifest.clone(),
            _ => unreachable!(),
        };
        let place = Arc::as_ptr(&manifest(&staged));
        staged.push(appended(2, inline(7))).unwrap();
        assert_eq!((Arc::as_ptr(&manifest(&staged)), manifest(&staged).chunks.len()), (place, 5));
        let read = manifest(&staged);
        staged.push(appended(1, None)).unwrap();
        assert_eq!((read.chunks.len(), manifest(&staged).chunks.len()), (5, 6));
        let StagedChange::Put(put) = &staged.change else { unreachable!() };
        assert_eq!((put.rows, &put.inline, staged.change.inline_bytes()), (35 + 27 + 10, &None, 0));
        assert_eq!((staged.statistics.rows, staged.statistics.chunks_written), (37, 3));
    }

    #[test]
    fn what_has_no_rows_of_its_own_takes_none() {
        for change in [StagedChange::Drop, StagedChange::List(Vec::new(), Version(1))] {
            assert!(staged(change).push(appended(1, None)).is_err());
        }
        let mut staged = staged(StagedChange::Append(Box::new(appended(1, inline(3)))));
        assert_eq!(staged.change.inline_bytes(), 3);
        staged.push(appended(2, inline(4))).unwrap();
        let StagedChange::Append(all) = &staged.change else { unreachable!() };
        assert_eq!((all.chunks.len(), all.rows, staged.change.inline_bytes()), (3, 13 + 24, 4));
    }
}
