//! The table store: rows to chunks and back, for whole table versions.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use bytes::Bytes;

use super::boundary::{Cutter, Guide};
use super::columns::{self, ChunkSchema, ChunkSchemas};
use super::data::{Appended, Fold, InlineRows, Overwritten, RowStream, TableData};
use super::encode::encode_chunk;
use super::errors::error_from_arrow;
use super::intake::Intake;
use super::manifest::DurableNodes;
use super::parallel::in_parallel;
#[cfg(feature = "sql")]
use super::plain_copy;
use super::projection::Projection;
use super::reader::{Decoder, Source, TableReader, sources};
use super::writer::{ChunkWriter, Written};
use super::{fold, listed, manifest};
use crate::cancel::CancelToken;
use crate::chunk_store::ChunkStore;
use crate::error::{Error, Result};
use crate::format::{
    ChunkEntry, ChunkHash, LogicalHash, Manifest, ManifestNode, ManifestSource, NodeHash, TableName, TableSchema,
};
use crate::limits::INLINE_BATCH_BYTES_MAX;
use crate::store::Store;

/// Rows of so many canonical bytes per byte of the inline budget are tried inline: narrow columns weigh less in IPC.
const FEW_BYTES_FACTOR: u64 = 4;

/// How a table store works.
#[derive(Clone, Debug)]
pub struct TableOptions {
    /// How many threads encode and decode. With one, all work is done on the caller's thread in a fixed order.
    pub threads: usize,
}

impl Default for TableOptions {
    fn default() -> TableOptions {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        TableOptions { threads }
    }
}

/// Writes and reads tables. Cheap to clone; safe to use from any thread.
#[derive(Clone, Debug)]
pub struct TableStore {
    chunks: ChunkStore,
    meta: Arc<dyn Store>,
    options: TableOptions,
    schemas: Arc<ChunkSchemas>,
    durable_nodes: Arc<DurableNodes>,
}

impl TableStore {
    /// Keeps chunks in `chunks` and manifest nodes under `meta/` of `meta`.
    pub fn new(chunks: ChunkStore, meta: Arc<dyn Store>, options: TableOptions) -> TableStore {
        TableStore { chunks, meta, options, schemas: Arc::default(), durable_nodes: Arc::default() }
    }

    /// How many threads it uses.
    pub fn threads(&self) -> usize {
        self.options.threads
    }

    /// The chunks.
    pub fn chunks(&self) -> &ChunkStore {
        &self.chunks
    }

    /// Makes the schema of a new table. No columns, ill-formed columns, or a key of unknown columns are
    /// `INVALID_ARGUMENT`; a type that Parquet does not hold is `UNSUPPORTED`.
    pub fn create(&self, schema: &Schema, key: &[String]) -> Result<Arc<TableSchema>> {
        columns::table_schema(schema, key, None)
    }

    /// Writes rows as the whole content of a table, reusing the parent's chunks where the rows are the same. Rows of
    /// at most `inline_budget` bytes ([`INLINE_BATCH_BYTES_MAX`] at most) come back to be inlined. An empty `key` keeps
    /// the parent's. Durable on return. `INVALID_ARGUMENT` and `UNSUPPORTED` as for [`TableStore::create`],
    /// `SCHEMA_MISMATCH` for a batch that is not what its stream says, `OUT_OF_SPACE`, `CANCELLED`.
    pub fn overwrite(
        &self,
        table: &TableName,
        parent: Option<&TableData>,
        rows: RowStream,
        key: &[String],
        inline_budget: usize,
        cancel: &CancelToken,
    ) -> Result<Overwritten> {
        let schema = columns::table_schema(&rows.schema(), key, parent.map(|parent| &parent.schema))?;
        let old = parent.map_or(&[][..], |parent| &parent.manifest.chunks);
        let guide = Guide::new(old.iter().map(|chunk| (chunk.first_row, chunk.rows)));
        let known = old.iter().map(|chunk| (chunk.logical, chunk)).collect();
        let (written, inline) = self.write(table, &schema, rows, Cutter::new(guide), known, inline_budget, cancel)?;
        let manifest = match parent {
            Some(parent) if parent.manifest.chunks == written.chunks => parent.manifest.clone(),
            _ => Arc::new(Manifest { chunks: written.chunks }),
        };
        Ok(Overwritten { schema, manifest, inline, rows: written.statistics.rows, statistics: written.statistics })
    }

    /// Writes rows that are to stand behind a table's, matched to its columns by name; nullable columns may be
    /// missing. Few rows come back to be inlined, as for [`TableStore::overwrite`]. Durable on return.
    /// `SCHEMA_MISMATCH`, `OUT_OF_SPACE`, `CANCELLED`.
    pub fn append(
        &self,
        table: &TableName,
        parent: &TableData,
        rows: RowStream,
        inline_budget: usize,
        cancel: &CancelToken,
    ) -> Result<Appended> {
        let cutter = Cutter::new(Guide::default());
        let (written, inline) =
            self.write(table, &parent.schema, rows, cutter, HashMap::new(), inline_budget, cancel)?;
        let (rows, statistics) = (written.statistics.rows, written.statistics);
        Ok(Appended { chunks: written.chunks, inline, fold: None, rows, statistics })
    }

    /// Whether small pieces of a version have gathered that the next append should take along as a fold.
    pub fn is_fold_due(&self, parent: &TableData) -> bool {
        fold::window(parent).is_some()
    }

    /// Whether a fold has been due for long: who was to make it has not.
    pub fn is_fold_overdue(&self, parent: &TableData) -> bool {
        fold::is_overdue(parent)
    }

    /// Writes the pieces together that have gathered, for an append to take along; `None` if none are due. Durable on
    /// return. `CANCELLED`.
    pub fn fold_due(&self, parent: &TableData, cancel: &CancelToken) -> Result<Option<Fold>> {
        fold::window(parent).map(|window| self.fold(parent, &window, cancel)).transpose()
    }

    /// Writes all small pieces of a version that stand side by side together, one stretch after the other, in row order;
    /// those that gain nothing are left out. Durable on return. `CANCELLED`.
    pub fn compact(&self, parent: &TableData, cancel: &CancelToken) -> Result<Vec<Fold>> {
        let folds = fold::all(parent).into_iter().map(|window| self.fold(parent, &window, cancel));
        folds.filter(|fold| fold.as_ref().map_or(true, Fold::gains)).collect()
    }

    /// Reads a version, all columns or some, in the order in which rows were written. Streams: memory is bounded by a
    /// few chunks. An unknown column is `INVALID_ARGUMENT`; in the stream `HASH_MISMATCH` or `CHUNK_NOT_FOUND` name a
    /// damaged or missing chunk.
    pub fn read(&self, data: &TableData, columns: Option<&[String]>, cancel: &CancelToken) -> Result<RowStream> {
        let projection = Projection::of(&data.schema, columns)?;
        let schema = projection.output().clone();
        let batches = self.decoder(projection).ahead(sources(data), self.ahead_threads());
        Ok(Box::new(TableReader::new(schema, batches, cancel.clone())))
    }

    /// Checks chunks against their names, on several threads. `HASH_MISMATCH` or `CHUNK_NOT_FOUND` for one that is
    /// damaged or missing, `CANCELLED`.
    pub fn verify(&self, chunks: &[ChunkHash], cancel: &CancelToken) -> Result<()> {
        in_parallel(self.options.threads, chunks, |chunk| {
            cancel.check("checking chunks")?;
            self.chunks.verify(*chunk)
        })
        .map(drop)
    }

    /// The inlined rows of a version as one Parquet file, for SQL; `None` if there are none.
    pub fn encode_tail(&self, data: &TableData) -> Result<Option<Bytes>> {
        if data.tail.is_empty() {
            return Ok(None);
        }
        let decoder = self.decoder(Projection::stored(&data.schema)?);
        let mut batches = decoder.open(&Source::Inline(data.tail.to_vec().into_iter().cloned().collect()))?;
        let batch = batches.next().transpose()?.ok_or_else(|| Error::internal("inlined batches gave no rows"))?;
        Ok(Some(Bytes::from(encode_chunk(&batch, &CancelToken::new())?)))
    }

    /// Stores a manifest: in the answer if it is short, else in metadata nodes. Durable on return. Nodes that this handle
    /// made durable before are not looked at again.
    pub fn store_manifest(&self, manifest: &Manifest) -> Result<ManifestSource> {
        manifest::store(&*self.meta, &self.durable_nodes, manifest)
    }

    /// Loads a manifest from its root node. A damaged node is `HASH_MISMATCH`, a missing one `CHUNK_NOT_FOUND`.
    pub fn load_manifest(&self, root: NodeHash) -> Result<Manifest> {
        self.durable_nodes.checked(manifest::load(&*self.meta, root))
    }

    /// The entries of a manifest that stand in nodes which are not in `sound`, so that a walk over many versions reads
    /// each node once; adds all its nodes. `HASH_MISMATCH` and `CHUNK_NOT_FOUND` add none.
    pub fn load_unknown_entries(&self, root: NodeHash, sound: &mut HashSet<NodeHash>) -> Result<Vec<ChunkEntry>> {
        self.durable_nodes.checked(manifest::load_unknown(&*self.meta, root, sound))
    }

    /// Loads one metadata node. `HASH_MISMATCH` and `CHUNK_NOT_FOUND` as for [`TableStore::load_manifest`].
    pub fn load_node(&self, node: NodeHash) -> Result<ManifestNode> {
        self.durable_nodes.checked(manifest::load_node(&*self.meta, node))
    }

    /// All nodes of a manifest, the root first: what a check has to look at.
    pub fn manifest_nodes(&self, root: NodeHash) -> Result<Vec<NodeHash>> {
        self.durable_nodes.checked(manifest::nodes(&*self.meta, root))
    }

    /// A version that is a bare list of chunks, whoever wrote them: schema and rows come from the files themselves.
    /// `INVALID_ARGUMENT` if a chunk is no Parquet file or their columns differ.
    pub fn from_listed(&self, chunks: &[ChunkHash]) -> Result<TableData> {
        listed::resolve(&self.chunks, chunks)
    }

    /// Whether a chunk's file says by its Parquet types and statistics what its columns mean, which another writer's or an
    /// older one may not. Its footer is all that is read, unchecked: check the chunk first.
    #[cfg(feature = "sql")]
    pub fn is_plain(&self, schema: &TableSchema, chunk: &ChunkEntry) -> Result<bool> {
        plain_copy::is_plain(&self.chunks, schema, chunk)
    }

    /// The rows of a chunk as such a file. `CHUNK_NOT_FOUND`, `HASH_MISMATCH`, `INVALID_ARGUMENT` if it holds no rows of
    /// this table, `CANCELLED`.
    #[cfg(feature = "sql")]
    pub fn plain_copy(&self, schema: &TableSchema, chunk: ChunkHash, cancel: &CancelToken) -> Result<Bytes> {
        plain_copy::plain_copy(&self.chunks, schema, chunk, cancel)
    }

    /// What changed from one schema to another, a sentence for each column.
    pub fn schema_changes(&self, from: &TableData, to: &TableData) -> Result<Vec<String>> {
        columns::schema_changes(&from.schema, &to.schema)
    }

    pub(super) fn decoder(&self, projection: Projection) -> Decoder {
        Decoder { chunks: self.chunks.clone(), projection }
    }

    /// With one thread nothing is decoded ahead.
    pub(super) fn ahead_threads(&self) -> usize {
        if self.options.threads > 1 { self.options.threads } else { 0 }
    }

    #[expect(clippy::too_many_arguments, reason = "what the two ways of writing have in common")]
    fn write<'a>(
        &'a self,
        table: &TableName,
        schema: &Arc<TableSchema>,
        rows: RowStream,
        cutter: Cutter,
        known: HashMap<LogicalHash, &'a ChunkEntry>,
        inline_budget: usize,
        cancel: &'a CancelToken,
    ) -> Result<(Written, Option<InlineRows>)> {
        let intake = Intake::new(table, rows.schema(), self.schemas.of(schema)?)?;
        let writer = self.writer(intake.target().clone(), known, cancel);
        let budget = inline_budget.min(INLINE_BATCH_BYTES_MAX);
        let written = writer.write(pieces(rows, &intake, cancel), cutter, budget as u64 * FEW_BYTES_FACTOR)?;
        writer.inline_or_chunk(written, budget)
    }

    fn writer<'a>(
        &'a self,
        schema: ChunkSchema,
        known: HashMap<LogicalHash, &'a ChunkEntry>,
        cancel: &'a CancelToken,
    ) -> ChunkWriter<'a> {
        ChunkWriter { chunks: &self.chunks, schema, known, threads: self.options.threads, cancel }
    }

    fn fold(&self, parent: &TableData, window: &fold::Window, cancel: &CancelToken) -> Result<Fold> {
        let decoder = self.decoder(Projection::stored(&parent.schema)?);
        let batches = decoder.in_turn(sources(&window.part(parent)));
        let batches = batches.map(|batch| cancel.check("folding a table").and(batch));
        let writer = self.writer(self.schemas.of(&parent.schema)?, HashMap::new(), cancel);
        let written = writer.write(batches, Cutter::new(Guide::default()), 0)?;
        Ok(window.fold(parent, written))
    }
}

/// The stream's rows in the table's form; ends at the first error.
fn pieces<'a>(
    rows: RowStream,
    intake: &'a Intake,
    cancel: &'a CancelToken,
) -> impl Iterator<Item = Result<RecordBatch>> + 'a {
    rows.flat_map(move |batch| {
        let taken = cancel.check("writing a table").and_then(|()| intake.take(&batch.map_err(error_from_arrow)?));
        match taken {
            Ok(pieces) => pieces.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        }
    })
}
