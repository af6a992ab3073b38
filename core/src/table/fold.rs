//! Which small pieces of a table are worth writing together. Pure.
//!
//! A version is a row of pieces, chunks and inlined batches. A stretch of them is folded when the tail has grown, or
//! when small chunks have gathered at the end. Small chunks before the stretch join it once [`TIER_CHUNKS`] of about its size
//! stand side by side, as in a log-structured merge tree of size tiers: each row is written again O(log n) times.

use std::ops::Range;
use std::sync::Arc;

use super::boundary::CUT_BYTES_MIN;
use super::data::{Fold, TableData};
use super::tail::InlineBatch;
use super::writer::Written;
use crate::format::{ChunkEntry, Manifest};
use crate::limits::{TAIL_BATCHES_MAX, TAIL_BYTES_MAX};

/// A chunk whose file has fewer bytes is small, unless its rows were enough for a chunk and are only well compressed.
const SMALL_CHUNK_BYTES: u64 = 2 << 20;

/// So many small chunks side by side at the end are worth folding.
const SMALL_CHUNKS_MAX: usize = 32;

/// So many chunks no larger than what comes behind them are written together with it. More write each row less often,
/// fewer keep less of them side by side.
const TIER_CHUNKS: usize = 8;

/// How many times [`TAIL_BATCHES_MAX`] batches a tail has before nobody waits any longer for who was to fold it.
const OVERDUE_FACTOR: usize = 8;

/// A stretch of pieces: neighbouring chunks, and neighbouring batches of the tail between and around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    chunks: Range<usize>,
    batches: Range<usize>,
}

/// One piece of a version.
#[derive(Clone, Copy, Debug)]
struct Piece {
    bytes: u64,
    is_chunk: bool,
    is_small: bool,
}

impl Piece {
    fn of_chunk(chunk: &ChunkEntry) -> Piece {
        Piece { bytes: chunk.bytes, is_chunk: true, is_small: is_small(chunk) }
    }

    fn of_batch(batch: &InlineBatch) -> Piece {
        Piece { bytes: batch.bytes.len() as u64, is_chunk: false, is_small: true }
    }
}

fn is_small(chunk: &ChunkEntry) -> bool {
    chunk.bytes < SMALL_CHUNK_BYTES && chunk.row_bytes < CUT_BYTES_MIN
}

/// The stretch that is due to be folded when the next rows come, if there is one.
pub(super) fn window(data: &TableData) -> Option<Window> {
    let tail_has_grown = data.tail.len() >= TAIL_BATCHES_MAX || data.tail_bytes() >= TAIL_BYTES_MAX;
    if !tail_has_grown && small_chunks_at_end(data) < SMALL_CHUNKS_MAX {
        return None;
    }
    let pieces = pieces(data)?;
    if tail_has_grown {
        let stretch = longest_small(&pieces)?;
        let first = stretch.clone().find(|place| !pieces[*place].is_chunk)?;
        return Some(to_window(&pieces, grow(&pieces, first..stretch.end, stretch.start)));
    }
    let small = pieces.iter().rev().take_while(|piece| piece.is_small).count();
    Some(to_window(&pieces, pieces.len() - small..pieces.len()))
}

/// Batches of the tail are small, too, and do not part them.
fn small_chunks_at_end(data: &TableData) -> usize {
    data.manifest.chunks.iter().rev().take_while(|chunk| is_small(chunk)).count()
}

/// Whether the tail has grown to many times the length at which it should have been folded: a fold takes as long as many
/// small appends of others, so somewhat more is usual.
pub(super) fn is_overdue(data: &TableData) -> bool {
    data.tail.len() >= OVERDUE_FACTOR * TAIL_BATCHES_MAX || data.tail_bytes() >= 2 * TAIL_BYTES_MAX
}

/// Every stretch of small pieces that may gain from being written together, in row order.
pub(super) fn all(data: &TableData) -> Vec<Window> {
    let Some(pieces) = pieces(data) else { return Vec::new() };
    let is_alone = |stretch: &Range<usize>| stretch.len() == 1 && pieces[stretch.start].is_chunk;
    let stretches = small_stretches(&pieces).into_iter().filter(|stretch| !is_alone(stretch));
    stretches.map(|stretch| to_window(&pieces, stretch)).collect()
}

/// The pieces of a version in row order; `None` while a batch is not committed, for nothing could name it.
fn pieces(data: &TableData) -> Option<Vec<Piece>> {
    if !data.tail.is_committed() {
        return None;
    }
    let mut pieces = Vec::with_capacity(data.manifest.chunks.len() + data.tail.len());
    let mut tail = data.tail.to_vec().into_iter().peekable();
    for place in 0..=data.manifest.chunks.len() {
        while let Some(batch) = tail.next_if(|batch| batch.after <= place as u64) {
            pieces.push(Piece::of_batch(batch));
        }
        pieces.extend(data.manifest.chunks.get(place).map(Piece::of_chunk));
    }
    Some(pieces)
}

/// Small pieces side by side, as far as they go.
fn small_stretches(pieces: &[Piece]) -> Vec<Range<usize>> {
    let mut stretches: Vec<Range<usize>> = Vec::new();
    for (place, _) in pieces.iter().enumerate().filter(|(_, piece)| piece.is_small) {
        match stretches.last_mut() {
            Some(stretch) if stretch.end == place => stretch.end += 1,
            _ => stretches.push(place..place + 1),
        }
    }
    stretches
}

/// The stretch of small pieces that has the most batches, and of those the most pieces; the later one of equals.
fn longest_small(pieces: &[Piece]) -> Option<Range<usize>> {
    let batches = |stretch: &Range<usize>| pieces[stretch.clone()].iter().filter(|piece| !piece.is_chunk).count();
    small_stretches(pieces).into_iter().max_by_key(|stretch| (batches(stretch), stretch.len()))
}

/// Takes in the pieces before a stretch, a tier at a time, while a whole tier of them is no larger than it.
fn grow(pieces: &[Piece], core: Range<usize>, floor: usize) -> Range<usize> {
    let mut bytes: u64 = pieces[core.clone()].iter().map(|piece| piece.bytes).sum();
    let mut start = core.start;
    loop {
        // Equal rows do not always take equal bytes.
        let alike = |piece: &&Piece| piece.bytes <= bytes + bytes / 2;
        let tier = pieces[floor..start].iter().rev().take_while(alike);
        let (count, sum) = tier.fold((0, 0), |(count, sum), piece| (count + 1, sum + piece.bytes));
        if count < TIER_CHUNKS {
            return start..core.end;
        }
        start -= count;
        bytes += sum;
    }
}

fn to_window(pieces: &[Piece], stretch: Range<usize>) -> Window {
    let count = |range: Range<usize>, chunk: bool| pieces[range].iter().filter(|piece| piece.is_chunk == chunk).count();
    let (chunks, batches) = (count(0..stretch.start, true), count(0..stretch.start, false));
    let chunks = chunks..chunks + count(stretch.clone(), true);
    let batches = batches..batches + count(stretch, false);
    Window { chunks, batches }
}

impl Window {
    /// The rows of the stretch as a version of their own.
    pub(super) fn part(&self, data: &TableData) -> TableData {
        let manifest = Manifest { chunks: data.manifest.chunks[self.chunks.clone()].to_vec() };
        let start = self.chunks.start as u64;
        let moved = |batch: &InlineBatch| InlineBatch { after: batch.after - start, ..batch.clone() };
        let tail = data.tail.to_vec()[self.batches.clone()].iter().map(|batch| moved(batch)).collect();
        TableData { schema: data.schema.clone(), manifest: Arc::new(manifest), tail }
    }

    /// The fold that puts what was written in the place of the stretch.
    pub(super) fn fold(&self, data: &TableData, written: Written) -> Fold {
        Fold {
            batches: data.tail.to_vec()[self.batches.clone()].iter().filter_map(|batch| batch.version).collect(),
            place: self.chunks.clone(),
            replaced: data.manifest.chunks[self.chunks.clone()].iter().map(|chunk| chunk.chunk).collect(),
            chunks: written.chunks,
            statistics: written.statistics,
        }
    }
}
