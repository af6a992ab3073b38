//! What a table version is made of, resolved, and how changes are laid over it. Pure: no I/O.
//!
//! Invariants: `tail` is sorted by `after`, and no `after` is larger than the number of chunks. The rows of a version
//! are its chunks in order, each tail batch standing behind the first `after` chunks.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatchReader;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;

use super::tail::{InlineBatch, Tail};
use crate::error::Result;
use crate::format::{ChunkEntry, ChunkHash, Manifest, TableSchema, Version};

/// Rows on their way: a stream of Arrow record batches. An error of this library travels inside as
/// `ArrowError::ExternalError`.
pub type RowStream = Box<dyn RecordBatchReader + Send>;

/// One version of a table, resolved: everything that is needed to read it but the chunks themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct TableData {
    /// Columns, their ids and the key.
    pub schema: Arc<TableSchema>,
    /// The chunks.
    pub manifest: Arc<Manifest>,
    /// Batches that ride inside log records, in row order.
    pub tail: Tail,
}

/// Rows that are to ride inside the log record of the change that brings them.
#[derive(Clone, Debug, PartialEq)]
pub struct InlineRows {
    /// How many rows.
    pub rows: u64,
    /// An Arrow IPC record batch message and its body.
    pub bytes: Bytes,
}

/// What writing cost, and what it saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteStatistics {
    /// Rows written.
    pub rows: u64,
    /// Chunks that had to be encoded and were new to the store.
    pub chunks_written: u64,
    /// Chunks that were there already.
    pub chunks_reused: u64,
    /// Bytes of the new chunks and of inlined rows.
    pub bytes_written: u64,
    /// Bytes of the chunks that were there already.
    pub bytes_reused: u64,
}

/// A table's new content; all its chunks are durable.
#[derive(Clone, Debug, PartialEq)]
pub struct Overwritten {
    /// The new schema; equal to the parent's if nothing changed.
    pub schema: Arc<TableSchema>,
    /// The new chunks; none if the rows are inlined or there are none.
    pub manifest: Arc<Manifest>,
    /// The rows, if they are few.
    pub inline: Option<InlineRows>,
    /// How many rows.
    pub rows: u64,
    /// What it cost.
    pub statistics: WriteStatistics,
}

/// Rows to be put behind those of a table; all chunks are durable.
///
/// `chunks` and `inline` do not depend on the parent's rows: a commit that lost a race puts them behind its new parent
/// ([`TableData::with_appended`]). At most one of them holds rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Appended {
    /// The new chunks.
    pub chunks: Vec<ChunkEntry>,
    /// The rows, if they are few.
    pub inline: Option<InlineRows>,
    /// Small pieces of the parent written together ([`TableStore::fold_due`](super::TableStore::fold_due)); may ride
    /// along, or be left out.
    pub fold: Option<Fold>,
    /// How many rows came; those of the fold did not come.
    pub rows: u64,
    /// What it cost, the fold left out.
    pub statistics: WriteStatistics,
}

/// Small chunks and inlined batches that stand side by side, written together as chunks: no data changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Fold {
    /// The batches it replaces, by the version that carries them.
    pub batches: Vec<Version>,
    /// Where the chunks it replaces stood; if none, where the batches stood.
    pub place: Range<usize>,
    /// The chunks it replaces.
    pub replaced: Vec<ChunkHash>,
    /// What replaces them.
    pub chunks: Vec<ChunkEntry>,
    /// What it cost.
    pub statistics: WriteStatistics,
}

impl Fold {
    /// Whether there are fewer pieces than before. Small files may hold many rows, and then there are as many again.
    pub(super) fn gains(&self) -> bool {
        !self.batches.is_empty() || self.chunks.len() < self.replaced.len()
    }
}

impl TableData {
    /// A table without rows.
    pub fn empty(schema: Arc<TableSchema>) -> TableData {
        TableData { schema, manifest: Arc::default(), tail: Tail::default() }
    }

    /// The columns as Arrow sees them: without column ids, with the metadata their writer gave them.
    pub fn arrow_schema(&self) -> Result<SchemaRef> {
        self.schema.to_arrow()
    }

    /// Rows in all.
    pub fn rows(&self) -> u64 {
        self.chunk_rows() + self.tail_rows()
    }

    /// Rows in chunks.
    pub fn chunk_rows(&self) -> u64 {
        self.manifest.chunks.iter().map(|chunk| chunk.rows).sum()
    }

    /// Rows in inlined batches.
    pub fn tail_rows(&self) -> u64 {
        self.tail.rows()
    }

    /// Bytes of chunks and inlined batches in all.
    pub fn bytes(&self) -> u64 {
        let chunks: u64 = self.manifest.chunks.iter().map(|chunk| chunk.bytes).sum();
        chunks + self.tail_bytes()
    }

    /// Bytes of inlined batches.
    pub fn tail_bytes(&self) -> u64 {
        self.tail.bytes()
    }

    /// This version with the rows of an append behind its own; the append's fold is left out. `version` is that of
    /// the change that carries the rows, `None` while it has none.
    pub fn with_appended(&self, appended: &Appended, version: Option<Version>) -> TableData {
        let mut data = self.clone();
        if !appended.chunks.is_empty() {
            Arc::make_mut(&mut data.manifest).chunks.extend_from_slice(&appended.chunks);
        }
        data.push_inline(appended.inline.as_ref(), version);
        data
    }

    /// This version with a fold applied; `None` if what the fold replaces no longer stands here side by side, as
    /// after another fold or an overwrite: the fold is then to be left out.
    pub fn with_fold(&self, fold: &Fold) -> Option<TableData> {
        let tail = self.tail.to_vec();
        let batches = find_batches(&tail, &fold.batches)?;
        let chunks = self.find_chunks(&tail, fold, &batches)?;
        let (before, behind) = match batches.is_empty() {
            true => tail.split_at(tail.partition_point(|batch| batch.after <= chunks.start as u64)),
            false => (&tail[..batches.start], &tail[batches.end..]),
        };
        let moved = |batch: &InlineBatch| {
            let after = batch.after - chunks.len() as u64 + fold.chunks.len() as u64;
            InlineBatch { after, ..batch.clone() }
        };
        let before = before.iter().copied().cloned();
        let tail = before.chain(behind.iter().map(|batch| moved(batch))).collect();
        let mut manifest = Manifest::clone(&self.manifest);
        manifest.chunks.splice(chunks, fold.chunks.iter().cloned());
        Some(TableData { schema: self.schema.clone(), manifest: Arc::new(manifest), tail })
    }

    /// This version with those of some folds applied whose pieces stand here, each for itself; `None` if none does. They are
    /// prepared on one version, in row order.
    pub fn with_folds(&self, folds: &[Fold]) -> Option<TableData> {
        // The last first: where the others stood stays true.
        let folded = |data: Option<TableData>, fold: &Fold| data.as_ref().unwrap_or(self).with_fold(fold).or(data);
        folds.iter().rev().fold(None, folded)
    }

    fn push_inline(&mut self, inline: Option<&InlineRows>, version: Option<Version>) {
        let after = self.manifest.chunks.len() as u64;
        if let Some(rows) = inline {
            self.tail.push(InlineBatch { version, rows: rows.rows, after, bytes: rows.bytes.clone() });
        }
    }

    /// Where the fold's chunks stand side by side, with none but its batches between them.
    fn find_chunks(&self, tail: &[&InlineBatch], fold: &Fold, batches: &Range<usize>) -> Option<Range<usize>> {
        let start = match (fold.replaced.is_empty(), tail.get(batches.start)) {
            (true, batch) => batch.filter(|_| !batches.is_empty())?.after as usize,
            (false, _) => self.find_run(&fold.replaced, fold.place.start)?,
        };
        let place = start..start + fold.replaced.len();
        let (low, high) = (place.start as u64, place.end as u64);
        let inside = tail[batches.clone()].iter().all(|batch| (low..=high).contains(&batch.after));
        let apart = match batches.is_empty() {
            true => tail.iter().all(|batch| batch.after <= low || batch.after >= high),
            false => {
                tail[..batches.start].iter().all(|batch| batch.after <= low)
                    && tail[batches.end..].iter().all(|batch| batch.after >= high)
            }
        };
        (inside && apart).then_some(place)
    }

    fn find_run(&self, hashes: &[ChunkHash], near: usize) -> Option<usize> {
        let chunks = &self.manifest.chunks;
        let stands_at = |start: usize| {
            let run = chunks.get(start..start.checked_add(hashes.len())?)?;
            run.iter().zip(hashes).all(|(chunk, hash)| chunk.chunk == *hash).then_some(start)
        };
        stands_at(near).or_else(|| (0..chunks.len()).find_map(stands_at))
    }
}

/// Where those batches stand side by side.
fn find_batches(tail: &[&InlineBatch], versions: &[Version]) -> Option<Range<usize>> {
    let Some(first) = versions.first() else { return Some(0..0) };
    let start = tail.iter().position(|batch| batch.version == Some(*first))?;
    let end = start.checked_add(versions.len()).filter(|end| *end <= tail.len())?;
    let same = tail[start..end].iter().zip(versions).all(|(batch, version)| batch.version == Some(*version));
    same.then_some(start..end)
}

impl Overwritten {
    /// The new content as a version; `version` is that of the change that carries it, `None` while it has none.
    pub fn to_data(&self, version: Option<Version>) -> TableData {
        let mut data = TableData::empty(self.schema.clone());
        data.manifest = self.manifest.clone();
        data.push_inline(self.inline.as_ref(), version);
        data
    }
}
