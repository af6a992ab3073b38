//! Rows to chunks: cutting on the caller's thread, encoding on others, syncing beside them.
//!
//! Bounded: at most one chunk is open, and one waits for and one is in the hands of each worker. With one thread
//! everything happens on the caller's, in one order, so that a test that counts store operations can repeat itself.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Scope, ScopedJoinHandle};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;

use super::boundary::{Cut, Cutter, Guide};
use super::canonical::logical_hash;
use super::columns::ChunkSchema;
use super::data::{InlineRows, WriteStatistics};
use super::encode::encode_chunk;
use super::inline::encode_batch;
use super::row_hash::{BOUNDARY_SEED, row_bytes, row_hashes};
use super::statistics::column_statistics;
use crate::cancel::CancelToken;
use crate::chunk_store::ChunkStore;
use crate::error::{Error, Result};
use crate::format::{ChunkEntry, ChunkHash, LogicalHash};

/// Turns the rows of one call into chunks.
pub(super) struct ChunkWriter<'a> {
    pub(super) chunks: &'a ChunkStore,
    pub(super) schema: ChunkSchema,
    /// Chunks that need not be encoded again.
    pub(super) known: HashMap<LogicalHash, &'a ChunkEntry>,
    pub(super) threads: usize,
    pub(super) cancel: &'a CancelToken,
}

/// What became of the rows of one call; every chunk is durable.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) chunks: Vec<ChunkEntry>,
    /// The rows, if they were few enough not to become a chunk.
    pub(super) few: Option<RecordBatch>,
    pub(super) statistics: WriteStatistics,
}

/// One chunk's rows.
struct Job {
    place: usize,
    first_row: u64,
    row_bytes: u64,
    pieces: Vec<RecordBatch>,
}

/// A finished chunk.
struct Made {
    entry: ChunkEntry,
    /// Whether its file was not there before.
    new: bool,
}

/// What became of the job of that place.
type Outcome = (usize, Result<Made>);

impl ChunkWriter<'_> {
    /// Writes pieces that [`super::intake::Intake`] made. If there are at most `few_bytes` canonical bytes in all,
    /// the rows come back instead.
    pub(super) fn write(
        &self,
        pieces: impl Iterator<Item = Result<RecordBatch>>,
        cutter: Cutter,
        few_bytes: u64,
    ) -> Result<Written> {
        std::thread::scope(|scope| {
            let mut open = OpenChunk { cutter, pieces: Vec::new(), place: 0 };
            let mut crew = Crew::new(self, scope);
            for piece in pieces {
                open.push(piece?).into_iter().try_for_each(|job| crew.give(job))?;
            }
            if open.place == 0 && open.cutter.open_bytes() <= few_bytes {
                return self.few(&open.pieces);
            }
            open.finish().map_or(Ok(()), |job| crew.give_last(job))?;
            crew.finish()
        })
    }

    /// Decides what becomes of few rows: inlined if they fit, else a chunk after all.
    pub(super) fn inline_or_chunk(&self, mut written: Written, budget: usize) -> Result<(Written, Option<InlineRows>)> {
        let Some(few) = written.few.take() else { return Ok((written, None)) };
        let bytes = encode_batch(&few)?;
        if bytes.len() <= budget {
            written.statistics.bytes_written += bytes.len() as u64;
            return Ok((written, Some(InlineRows { rows: few.num_rows() as u64, bytes })));
        }
        let written = self.write(std::iter::once(Ok(few)), Cutter::new(Guide::default()), 0)?;
        Ok((written, None))
    }

    fn few(&self, pieces: &[RecordBatch]) -> Result<Written> {
        let rows: usize = pieces.iter().map(RecordBatch::num_rows).sum();
        let statistics = WriteStatistics { rows: rows as u64, ..Default::default() };
        let few = if rows == 0 { None } else { Some(self.join(pieces)?) };
        Ok(Written { chunks: Vec::new(), few, statistics })
    }

    fn join(&self, pieces: &[RecordBatch]) -> Result<RecordBatch> {
        concat_batches(&self.schema.arrow, pieces)
            .map_err(|error| Error::internal(format!("cannot join rows to a chunk: {error}")))
    }

    /// Makes a chunk, or finds it among the known ones. `CANCELLED` also in between.
    fn make(&self, job: &Job) -> Result<Made> {
        self.cancel.check("writing a table")?;
        let batch = self.join(&job.pieces)?;
        let logical = logical_hash(&self.schema.message, &batch)?;
        if let Some(known) = self.known.get(&logical)
            && self.chunks.is_sound(known.chunk, known.bytes)?
        {
            return Ok(Made { entry: (*known).clone(), new: false });
        }
        let bytes = encode_chunk(&batch, self.cancel)?;
        let put = self.chunks.put(&bytes)?;
        let entry = ChunkEntry {
            chunk: put.hash,
            logical,
            rows: batch.num_rows() as u64,
            bytes: bytes.len() as u64,
            first_row: job.first_row,
            row_bytes: job.row_bytes,
            columns: column_statistics(&self.schema.arrow, &batch),
        };
        Ok(Made { entry, new: put.new })
    }
}

/// The chunk that rows still come to.
struct OpenChunk {
    cutter: Cutter,
    pieces: Vec<RecordBatch>,
    /// How many chunks ended before it.
    place: usize,
}

impl OpenChunk {
    fn push(&mut self, piece: RecordBatch) -> Vec<Job> {
        let hashes = row_hashes(piece.columns(), piece.num_rows(), BOUNDARY_SEED);
        let cuts = self.cutter.push(&hashes, &row_bytes(&piece));
        self.pieces.push(piece);
        cuts.into_iter().map(|cut| self.end(cut)).collect()
    }

    fn finish(mut self) -> Option<Job> {
        self.cutter.finish().map(|cut| self.end(cut))
    }

    /// Takes the first rows away as a chunk of their own.
    fn end(&mut self, cut: Cut) -> Job {
        let mut left = cut.rows;
        let whole = self.pieces.iter().take_while(|piece| {
            let fits = piece.num_rows() <= left;
            left -= if fits { piece.num_rows() } else { 0 };
            fits
        });
        let whole = whole.count();
        let mut pieces: Vec<RecordBatch> = self.pieces.drain(..whole).collect();
        if let Some(next) = self.pieces.first_mut().filter(|_| left > 0) {
            pieces.push(next.slice(0, left));
            *next = next.slice(left, next.num_rows() - left);
        }
        self.place += 1;
        Job { place: self.place - 1, first_row: cut.first_row, row_bytes: cut.bytes, pieces }
    }
}

/// The threads that make chunks; started one by one as there is work for them.
struct Crew<'scope, 'env> {
    writer: &'env ChunkWriter<'env>,
    scope: &'scope Scope<'scope, 'env>,
    jobs: Option<SyncSender<Job>>,
    queue: Arc<Mutex<Receiver<Job>>>,
    made: (Sender<Outcome>, Receiver<Outcome>),
    stop: Arc<AtomicBool>,
    workers: usize,
    syncer: Option<(Sender<ChunkHash>, ScopedJoinHandle<'scope, Result<()>>)>,
    done: Vec<(usize, Made)>,
}

impl<'scope, 'env> Crew<'scope, 'env> {
    fn new(writer: &'env ChunkWriter<'env>, scope: &'scope Scope<'scope, 'env>) -> Crew<'scope, 'env> {
        let (jobs, queue) = sync_channel(1);
        Crew {
            writer,
            scope,
            jobs: Some(jobs),
            queue: Arc::new(Mutex::new(queue)),
            made: channel(),
            stop: Arc::default(),
            workers: 0,
            syncer: None,
            done: Vec::new(),
        }
    }

    /// Hands a job to the workers, waiting until one can take it.
    fn give(&mut self, job: Job) -> Result<()> {
        if self.writer.threads <= 1 {
            return self.make_here(job);
        }
        if self.workers < self.writer.threads {
            self.start_worker();
        }
        while let Ok((place, made)) = self.made.1.try_recv() {
            self.collect(place, made)?;
        }
        let jobs = self.jobs.as_ref().ok_or_else(|| Error::internal("a crew was given work after its end"))?;
        jobs.send(job).map_err(|_| Error::internal("the threads that encode chunks are gone"))
    }

    /// Hands over the last job; if it is the only one it needs no thread.
    fn give_last(&mut self, job: Job) -> Result<()> {
        if self.workers == 0 { self.make_here(job) } else { self.give(job) }
    }

    fn make_here(&mut self, job: Job) -> Result<()> {
        let made = self.writer.make(&job);
        self.collect(job.place, made)
    }

    fn collect(&mut self, place: usize, made: Result<Made>) -> Result<()> {
        let made = made?;
        if let Some((hashes, _)) = &self.syncer {
            hashes.send(made.entry.chunk).map_err(|_| Error::internal("the thread that syncs chunks is gone"))?;
        }
        self.done.push((place, made));
        Ok(())
    }

    fn start_worker(&mut self) {
        self.workers += 1;
        let (writer, queue, made, stop) = (self.writer, self.queue.clone(), self.made.0.clone(), self.stop.clone());
        self.scope.spawn(move || work(writer, &queue, &made, &stop));
        if self.syncer.is_none() {
            let (hashes, waiting) = channel();
            let chunks = self.writer.chunks;
            self.syncer = Some((hashes, self.scope.spawn(move || sync_all(chunks, &waiting))));
        }
    }

    /// Waits until every chunk is made and durable.
    fn finish(mut self) -> Result<Written> {
        drop(self.jobs.take());
        let (sender, receiver) = std::mem::replace(&mut self.made, channel());
        drop(sender);
        while let Ok((place, made)) = receiver.recv() {
            self.collect(place, made)?;
        }
        self.sync()?;
        let mut done = std::mem::take(&mut self.done);
        done.sort_by_key(|(place, _)| *place);
        if done.iter().enumerate().any(|(at, (place, _))| at != *place) {
            return Err(Error::internal("a thread that encodes chunks ended early"));
        }
        Ok(summary(done.into_iter().map(|(_, made)| made)))
    }

    fn sync(&mut self) -> Result<()> {
        let Some((hashes, syncer)) = self.syncer.take() else {
            let chunks: Vec<ChunkHash> = self.done.iter().map(|(_, made)| made.entry.chunk).collect();
            return if chunks.is_empty() { Ok(()) } else { self.writer.chunks.sync(&chunks) };
        };
        drop(hashes);
        syncer.join().unwrap_or_else(|_| Err(Error::internal("the thread that syncs chunks panicked")))
    }
}

impl Drop for Crew<'_, '_> {
    /// Lets the workers leave what still waits, after an error.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn work(writer: &ChunkWriter<'_>, queue: &Mutex<Receiver<Job>>, made: &Sender<Outcome>, stop: &AtomicBool) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        if stop.load(Ordering::Relaxed) {
            return;
        }
        // A panic must not leave the caller waiting for a worker that is gone.
        let outcome = catch_unwind(AssertUnwindSafe(|| writer.make(&job)))
            .unwrap_or_else(|_| Err(Error::internal("a thread that encodes chunks panicked")));
        if made.send((job.place, outcome)).is_err() {
            return;
        }
    }
}

/// Syncs chunks as they come, as much at a time as has come. A chunk that was there already may be new to the disk, too:
/// put in place of a damaged one by somebody who has not synced it yet.
fn sync_all(chunks: &ChunkStore, waiting: &Receiver<ChunkHash>) -> Result<()> {
    while let Ok(first) = waiting.recv() {
        let batch: Vec<ChunkHash> = std::iter::once(first).chain(waiting.try_iter()).collect();
        chunks.sync(&batch)?;
    }
    Ok(())
}

fn summary(made: impl Iterator<Item = Made>) -> Written {
    let mut written = Written::default();
    let statistics = &mut written.statistics;
    for chunk in made {
        let (count, bytes) = match chunk.new {
            true => (&mut statistics.chunks_written, &mut statistics.bytes_written),
            false => (&mut statistics.chunks_reused, &mut statistics.bytes_reused),
        };
        *count += 1;
        *bytes += chunk.entry.bytes;
        statistics.rows += chunk.entry.rows;
        written.chunks.push(chunk.entry);
    }
    written
}
