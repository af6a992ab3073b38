//! Reading a table: chunks and inlined batches in commit order, decoded ahead on threads.
//!
//! Bounded: each thread holds one chunk's file and the batch at hand, and for each chunk at most [`AHEAD_BATCHES`]
//! batches wait. Every file is verified against its name before a row of it is handed out.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

use super::data::TableData;
use super::errors::error_to_arrow;
use super::projection::Projection;
use super::tail::InlineBatch;
use crate::cancel::CancelToken;
use crate::chunk_store::ChunkStore;
use crate::error::{Error, Result};
use crate::format::{ChunkHash, LogicalHash};

/// How many batches of one chunk may wait to be taken.
const AHEAD_BATCHES: usize = 2;

/// A stretch of a table's rows.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// A chunk.
    Chunk(StoredChunk),
    /// Inlined batches that follow one another.
    Inline(Vec<InlineBatch>),
}

/// What is known of a chunk that is to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoredChunk {
    pub(super) chunk: ChunkHash,
    pub(super) logical: LogicalHash,
    pub(super) rows: u64,
}

/// The rows of a version, in order, in stretches.
pub(super) fn sources(data: &TableData) -> Vec<Source> {
    let mut tail = data.tail.to_vec().into_iter().peekable();
    let mut sources = Vec::with_capacity(data.manifest.chunks.len() + 1);
    for place in 0..=data.manifest.chunks.len() {
        let here =
            std::iter::from_fn(|| tail.next_if(|batch| batch.after <= place as u64)).cloned().collect::<Vec<_>>();
        sources.extend((!here.is_empty()).then_some(Source::Inline(here)));
        sources.extend(
            data.manifest.chunks.get(place).map(|entry| {
                Source::Chunk(StoredChunk { chunk: entry.chunk, logical: entry.logical, rows: entry.rows })
            }),
        );
    }
    sources
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// Decodes stretches of rows.
#[derive(Clone, Debug)]
pub(super) struct Decoder {
    pub(super) chunks: ChunkStore,
    pub(super) projection: Projection,
}

impl Decoder {
    /// The batches of one stretch. A damaged chunk is `HASH_MISMATCH`, a missing one `CHUNK_NOT_FOUND`.
    pub(super) fn open(&self, source: &Source) -> Result<Batches> {
        match source {
            Source::Chunk(StoredChunk { chunk, .. }) => {
                let bytes = self.chunks.get_verified(*chunk)?;
                Ok(Box::new(self.projection.open_chunk(*chunk, bytes)?))
            }
            Source::Inline(batches) => Ok(Box::new(std::iter::once(self.join(batches)))),
        }
    }

    fn join(&self, batches: &[InlineBatch]) -> Result<RecordBatch> {
        let decode = |batch: &InlineBatch| {
            let decoded = self.projection.decode_inline(&batch.bytes)?;
            match decoded.num_rows() as u64 == batch.rows {
                true => Ok(decoded),
                false => Err(Error::LogCorrupt {
                    at: "an inlined batch".to_string(),
                    reason: format!("it has {} rows and should have {}", decoded.num_rows(), batch.rows),
                }),
            }
        };
        let decoded = batches.iter().map(decode).collect::<Result<Vec<_>>>()?;
        concat_batches(self.projection.output(), &decoded)
            .map_err(|error| Error::internal(format!("cannot join inlined batches: {error}")))
    }

    /// The batches of several stretches, one after another, on this thread.
    pub(super) fn in_turn(self, sources: Vec<Source>) -> Batches {
        Box::new(sources.into_iter().flat_map(move |source| {
            let batches: Batches = match self.open(&source) {
                Ok(batches) => batches,
                Err(error) => Box::new(std::iter::once(Err(error))),
            };
            batches
        }))
    }

    /// The batches of several stretches, one after another, decoded ahead on up to `threads` threads.
    pub(super) fn ahead(self, sources: Vec<Source>, threads: usize) -> Batches {
        if sources.len() <= 1 || threads == 0 {
            return self.in_turn(sources);
        }
        Box::new(Ahead::new(self, sources, threads))
    }
}

enum Message {
    Batch(RecordBatch),
    End,
}

type Sent = Result<Message>;

/// A stretch, and where its batches go.
type Task = (Source, SyncSender<Sent>);

/// Stretches that are decoded ahead.
struct Ahead {
    /// What comes of each stretch that was not taken yet.
    waiting: VecDeque<Receiver<Sent>>,
    workers: Vec<JoinHandle<()>>,
    start: Option<(Arc<Work>, usize)>,
}

struct Work {
    decoder: Decoder,
    stretches: Mutex<Vec<Option<Task>>>,
    next: AtomicUsize,
}

impl Ahead {
    fn new(decoder: Decoder, sources: Vec<Source>, threads: usize) -> Ahead {
        let workers = threads.min(sources.len());
        let (stretches, waiting) = sources
            .into_iter()
            .map(|source| {
                let (sender, receiver) = sync_channel(AHEAD_BATCHES);
                (Some((source, sender)), receiver)
            })
            .unzip();
        let work = Work { decoder, stretches: Mutex::new(stretches), next: AtomicUsize::new(0) };
        Ahead { waiting, workers: Vec::new(), start: Some((Arc::new(work), workers)) }
    }

    fn start(&mut self) {
        if let Some((work, workers)) = self.start.take() {
            self.workers.extend((0..workers).map(|_| {
                let work = work.clone();
                std::thread::spawn(move || work.run())
            }));
        }
    }
}

impl Work {
    fn take(&self) -> Option<Task> {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        self.stretches.lock().unwrap_or_else(PoisonError::into_inner).get_mut(place)?.take()
    }

    /// Decodes stretch after stretch until none is left or nobody listens.
    fn run(&self) {
        while let Some((source, sender)) = self.take() {
            let batches = match self.decoder.open(&source) {
                Ok(batches) => batches,
                Err(error) => Box::new(std::iter::once(Err(error))),
            };
            let messages = batches.map(|batch| batch.map(Message::Batch)).chain(std::iter::once(Ok(Message::End)));
            for message in messages {
                if sender.send(message).is_err() {
                    return;
                }
            }
        }
    }
}

impl Iterator for Ahead {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Result<RecordBatch>> {
        self.start();
        loop {
            match self.waiting.front()?.recv() {
                Ok(Ok(Message::Batch(batch))) => return Some(Ok(batch)),
                Ok(Ok(Message::End)) => drop(self.waiting.pop_front()),
                Ok(Err(error)) => return Some(Err(error)),
                Err(_) => return Some(Err(Error::internal("a thread that decodes chunks ended early"))),
            }
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.waiting.clear();
        self.start = None;
        for worker in self.workers.drain(..) {
            // A worker's panic was reported to whoever waited for its batches.
            drop(worker.join());
        }
    }
}

/// A stream of batches that stops at the first error and when it is cancelled.
pub(super) struct TableReader {
    schema: SchemaRef,
    batches: Option<Batches>,
    cancel: CancelToken,
}

impl TableReader {
    /// Wraps batches of that schema.
    pub(super) fn new(schema: SchemaRef, batches: Batches, cancel: CancelToken) -> TableReader {
        TableReader { schema, batches: Some(batches), cancel }
    }

    fn step(&mut self) -> Option<Result<RecordBatch>> {
        let batches = self.batches.as_mut()?;
        match self.cancel.check("reading a table") {
            Ok(()) => batches.find(|batch| batch.as_ref().map_or(true, |batch| batch.num_rows() > 0)),
            Err(error) => Some(Err(error)),
        }
    }
}

impl Iterator for TableReader {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if !matches!(step, Some(Ok(_))) {
            self.batches = None;
        }
        step.map(|step| step.map_err(error_to_arrow))
    }
}

impl RecordBatchReader for TableReader {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}
