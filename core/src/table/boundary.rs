//! Where chunks end: a pure state machine over the hashes and sizes of rows.
//!
//! Chunks end where the content says so, so that equal stretches of rows become equal chunks wherever they stand
//! (content-defined chunking, as LBFS, restic and casync cut files). Two regimes:
//!
//! - *Unguided* (first write, append): after [`CUT_BYTES_MIN`] at the first row whose hash is low enough, the odds
//!   growing with the row's bytes; where none comes before [`CUT_BYTES_MAX`], at the lowest hash since the minimum.
//! - *Guided* (overwrite): where a chunk of the parent began, so that unchanged chunks come out the same whatever was
//!   inserted or removed before them. Rows that look like a beginning but are not, as in tables that repeat
//!   themselves, do not mislead it: while a chunk follows its parent's, the parent's row count comes first.
//!
//! Invariant: the cuts depend on the sequence of rows and on the guide only.

use std::collections::HashMap;

/// A chunk gets at least this many canonical bytes before it may end unguided.
pub(super) const CUT_BYTES_MIN: u64 = 10 << 20;

/// How many further canonical bytes an unguided chunk gets on average.
const CUT_BYTES_MEAN: u64 = 2 << 20;

/// A chunk has at most this many canonical bytes, unless one row has more.
pub(super) const CUT_BYTES_MAX: u64 = 16 << 20;

/// Guided cuts never make a chunk of fewer canonical bytes: a smaller piece goes with what follows it.
const FRAGMENT_BYTES_MIN: u64 = CUT_BYTES_MIN / 4;

/// The boundaries of the parent version.
#[derive(Debug)]
pub(super) struct Guide {
    /// Hash of the first row, and rows, of each chunk.
    chunks: Vec<(u64, u64)>,
    /// Where each hash begins a chunk, ascending.
    places: HashMap<u64, Vec<usize>>,
    /// One bit for each value of the hashes' low bits: most rows need no look into `places`.
    filter: Vec<u64>,
}

impl Default for Guide {
    /// No parent.
    fn default() -> Guide {
        Guide::new([])
    }
}

impl Guide {
    /// Takes the first row's hash and the number of rows of each chunk of the parent.
    pub(super) fn new(chunks: impl IntoIterator<Item = (u64, u64)>) -> Guide {
        let chunks: Vec<_> = chunks.into_iter().collect();
        let mut filter = vec![0; chunks.len().next_power_of_two() * 4];
        let mut places: HashMap<u64, Vec<usize>> = HashMap::new();
        for (place, (hash, _)) in chunks.iter().enumerate() {
            places.entry(*hash).or_default().push(place);
            set_bit(&mut filter, *hash);
        }
        Guide { chunks, places, filter }
    }

    fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The chunk that begins with such a row: the next one after `after`, else the first.
    #[inline]
    fn find(&self, hash: u64, after: Option<usize>) -> Option<usize> {
        if self.places.is_empty() || !has_bit(&self.filter, hash) {
            return None;
        }
        let places = self.places.get(&hash)?;
        let next = after.map_or(0, |after| places.partition_point(|place| *place <= after));
        places.get(next).or_else(|| places.first()).copied()
    }
}

fn set_bit(filter: &mut [u64], hash: u64) {
    let bit = hash as usize & (filter.len() * 64 - 1);
    filter[bit / 64] |= 1 << (bit % 64);
}

#[inline]
fn has_bit(filter: &[u64], hash: u64) -> bool {
    let bit = hash as usize & (filter.len() * 64 - 1);
    filter[bit / 64] >> (bit % 64) & 1 == 1
}

#[derive(Clone, Copy, Debug)]
struct Row {
    hash: u64,
    bytes: u32,
}

/// A chunk that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// Its rows.
    pub(super) rows: usize,
    /// The boundary hash of its first row.
    pub(super) first_row: u64,
    /// Its canonical bytes.
    pub(super) bytes: u64,
}

/// Finds the ends of chunks in a stream of rows.
#[derive(Debug)]
pub(super) struct Cutter {
    guide: Guide,
    /// The rows of the open chunk, and behind them those not looked at yet.
    rows: Vec<Row>,
    /// How many of `rows` were looked at.
    seen: usize,
    /// Their bytes.
    seen_bytes: u64,
    /// The parent's chunk that the open one follows, row by row as far as is known.
    follows: Option<usize>,
    /// The parent's chunk that was last seen to begin.
    passed: Option<usize>,
    /// The last place, short of the followed chunk's rows, where another chunk of the parent begins.
    candidate: Option<usize>,
    /// The best place to cut by content alone: the lowest hash since the minimum.
    lowest: Option<(u64, usize)>,
}

impl Cutter {
    /// Begins; an empty guide means unguided.
    pub(super) fn new(guide: Guide) -> Cutter {
        Cutter {
            guide,
            rows: Vec::new(),
            seen: 0,
            seen_bytes: 0,
            follows: None,
            passed: None,
            candidate: None,
            lowest: None,
        }
    }

    /// Takes the next rows and returns the chunks that are now known to have ended.
    pub(super) fn push(&mut self, hashes: &[u64], bytes: &[u32]) -> Vec<Cut> {
        self.rows.extend(hashes.iter().zip(bytes).map(|(hash, bytes)| Row { hash: *hash, bytes: *bytes }));
        let mut cuts = Vec::new();
        while self.seen < self.rows.len() {
            if let Some(rows) = self.look() {
                cuts.extend(self.cut(rows));
                self.begin_after(rows);
            }
        }
        cuts
    }

    /// The chunk that the end of the rows ends, if there are any.
    pub(super) fn finish(&self) -> Option<Cut> {
        self.cut(self.rows.len())
    }

    fn cut(&self, rows: usize) -> Option<Cut> {
        let bytes = self.rows[..rows].iter().map(|row| u64::from(row.bytes)).sum();
        self.rows.first().map(|first| Cut { rows, first_row: first.hash, bytes })
    }

    /// The canonical bytes of the open chunk.
    pub(super) fn open_bytes(&self) -> u64 {
        self.seen_bytes
    }

    /// Looks at the next row. Returns the length of the open chunk if that is known to have ended.
    #[inline]
    fn look(&mut self) -> Option<usize> {
        let row = self.rows[self.seen];
        if self.seen == 0 {
            self.follows = self.guide.find(row.hash, self.passed);
            self.passed = self.follows.or(self.passed);
        } else if let Some(length) = self.end_before(row) {
            return Some(length);
        }
        self.seen += 1;
        self.seen_bytes += u64::from(row.bytes);
        None
    }

    /// Whether the open chunk ends, at the latest, before the row that comes next.
    #[inline]
    fn end_before(&mut self, row: Row) -> Option<usize> {
        let full = self.seen_bytes + u64::from(row.bytes) > CUT_BYTES_MAX;
        if !self.guide.is_empty() {
            if let Some(length) = self.end_by_guide(row) {
                return Some(length);
            }
        } else if self.seen_bytes >= CUT_BYTES_MIN && is_low(row) {
            return Some(self.seen);
        }
        if full {
            return Some(self.candidate.or(self.lowest.map(|(_, place)| place)).unwrap_or(self.seen));
        }
        if self.seen_bytes >= CUT_BYTES_MIN && self.lowest.is_none_or(|(lowest, _)| row.hash < lowest) {
            self.lowest = Some((row.hash, self.seen));
        }
        None
    }

    #[inline]
    fn end_by_guide(&mut self, row: Row) -> Option<usize> {
        if self.seen_bytes < FRAGMENT_BYTES_MIN {
            return None;
        }
        let followed = self.follows.map(|place| (place, self.guide.chunks[place].1 as usize));
        match followed {
            Some((_, rows)) if self.seen < rows => {
                self.candidate = self.end_if_known(row).or(self.candidate);
                None
            }
            Some((place, rows)) if self.seen == rows => {
                let as_expected = self.guide.chunks.get(place + 1).is_none_or(|(hash, _)| *hash == row.hash);
                if as_expected { Some(self.seen) } else { self.candidate.or_else(|| self.end_if_known(row)) }
            }
            _ => self.end_if_known(row),
        }
    }

    /// A row that only repeats the one before it is no beginning.
    #[inline]
    fn end_if_known(&self, row: Row) -> Option<usize> {
        self.guide.find(row.hash, self.passed)?;
        (self.rows[self.seen - 1].hash != row.hash).then_some(self.seen)
    }

    /// Begins the next chunk; rows that were looked at beyond the end are looked at again.
    fn begin_after(&mut self, length: usize) {
        self.rows.drain(..length);
        self.seen = 0;
        self.seen_bytes = 0;
        self.follows = None;
        self.candidate = None;
        self.lowest = None;
    }
}

/// Whether a row ends the chunk before it by chance: once in [`CUT_BYTES_MEAN`] bytes.
#[inline]
fn is_low(row: Row) -> bool {
    row.hash < u64::from(row.bytes).saturating_mul(u64::MAX / CUT_BYTES_MEAN)
}
