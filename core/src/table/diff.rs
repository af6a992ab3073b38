//! What differs between two versions: only stretches that are not on both sides are read.
//!
//! Rows are compared as a multiset, whatever their order. A row is known by 128 bits of hash, of which one pass over
//! both sides keeps a count; a second pass hands out the rows. Bounded: when the sides are large, rows are taken in
//! parts by hash, each part with its own two passes.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};

use super::alignment::{Aligned, Alignment, common_columns};
use super::columns::{column_list, schema_changes};
use super::data::{RowStream, TableData};
use super::projection::Projection;
use super::reader::{Decoder, Source, TableReader, sources};
use super::row_hash::row_hashes;
use super::store::TableStore;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::format::LogicalHash;

/// The column of [`TableStore::diff_rows`] that says what happened to a row.
pub const CHANGE_TYPE_COLUMN: &str = "_change_type";

/// So many rows are counted in one part.
const PART_ROWS: u64 = 2 << 20;

const SEEDS: [u64; 2] = [0x2545_f491_4f6c_dd1d, 0xda94_2042_e4dd_58b5];

/// How many rows differ between two versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiffCounts {
    /// Rows that came, with keys also those whose key is new.
    pub rows_added: u64,
    /// Rows that went.
    pub rows_removed: u64,
    /// Rows whose key is on both sides and whose values differ; 0 without key columns.
    pub rows_modified: u64,
    /// What changed in the schema, a sentence for each column.
    pub schema_changes: Vec<String>,
}

impl TableStore {
    /// Counts the rows that differ, by key columns, or without any by whole rows. Key columns that are not on both
    /// sides are `INVALID_ARGUMENT`; columns of types that cannot be compared `UNSUPPORTED`.
    pub fn diff_counts(
        &self,
        from: &TableData,
        to: &TableData,
        key_columns: &[String],
        cancel: &CancelToken,
    ) -> Result<DiffCounts> {
        let diff = Diff::of_both(self, from, to, key_columns, cancel)?;
        let mut counts = DiffCounts { schema_changes: schema_changes(&from.schema, &to.schema)?, ..Default::default() };
        for part in 0..diff.parts {
            let changes = diff.count(part)?;
            for key in changes.keys.values() {
                counts.rows_modified += key.modified;
                counts.rows_removed += key.removed - key.modified;
                counts.rows_added += key.added - key.modified;
            }
        }
        Ok(counts)
    }

    /// The rows that differ, with [`CHANGE_TYPE_COLUMN`]: `insert`, `delete`, and with key columns also
    /// `update_preimage` and `update_postimage`. Columns of either side come out; one that a side does not have is
    /// null there, one that changed its type has a type that holds both. Of the rows of a part, those of `from` come
    /// first. Errors as for [`TableStore::diff_counts`].
    pub fn diff_rows(
        &self,
        from: &TableData,
        to: &TableData,
        key_columns: &[String],
        cancel: &CancelToken,
    ) -> Result<RowStream> {
        Diff::of_both(self, from, to, key_columns, cancel)?.stream()
    }

    /// The same in given columns, which hold what both versions hold: both are converted to them from their own types, and
    /// compared in them.
    pub fn diff_rows_as(
        &self,
        columns: &[FieldRef],
        from: &TableData,
        to: &TableData,
        key_columns: &[String],
        cancel: &CancelToken,
    ) -> Result<RowStream> {
        Diff::new(self, columns.into(), [from, to], key_columns, cancel)?.stream()
    }
}

/// Batches of one side, in the columns of the diff.
type AlignedBatches = Box<dyn Iterator<Item = Result<Aligned>> + Send>;

/// Two versions and what has to be read of them.
struct Diff {
    columns: Arc<[FieldRef]>,
    /// Where the key columns stand; none: whole rows.
    key: Vec<usize>,
    from: Side,
    to: Side,
    parts: u64,
    threads: usize,
    cancel: CancelToken,
}

/// One of the two versions.
struct Side {
    decoder: Decoder,
    sources: Vec<Source>,
    alignment: Alignment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    From,
    To,
}

/// What happened to the rows of one part.
#[derive(Default)]
struct Changes {
    /// For each row that differs: its key, and how many more of it there are in `from` than in `to`.
    rows: HashMap<u128, (u128, i64)>,
    keys: HashMap<u128, KeyChange>,
}

/// What happened to the rows of one key.
#[derive(Clone, Copy, Debug, Default)]
struct KeyChange {
    removed: u64,
    added: u64,
    modified: u64,
    /// How many of the modified were handed out, before and after.
    handed: [u64; 2],
}

impl Diff {
    /// In the columns that are common to both.
    fn of_both(
        store: &TableStore,
        from: &TableData,
        to: &TableData,
        key: &[String],
        cancel: &CancelToken,
    ) -> Result<Diff> {
        let (left, right) = (from.arrow_schema()?, to.arrow_schema()?);
        let columns = common_columns(&left, &right)?;
        Diff::new(store, columns.into(), [from, to], key, cancel)
    }

    fn new(
        store: &TableStore,
        columns: Arc<[FieldRef]>,
        [from, to]: [&TableData; 2],
        key: &[String],
        cancel: &CancelToken,
    ) -> Result<Diff> {
        let (left, right) = (from.arrow_schema()?, to.arrow_schema()?);
        let key = key.iter().map(|name| key_place(name, &columns, &left, &right)).collect::<Result<_>>()?;
        let (from_sources, to_sources) = differing(from, to);
        let rows = source_rows(&from_sources) + source_rows(&to_sources);
        let [of_from, of_to] = Alignment::of_both(&columns, &left, &right);
        Ok(Diff {
            from: Side::new(store, from, from_sources, of_from)?,
            to: Side::new(store, to, to_sources, of_to)?,
            columns,
            key,
            parts: rows.div_ceil(PART_ROWS).next_power_of_two(),
            threads: store.ahead_threads(),
            cancel: cancel.clone(),
        })
    }

    fn stream(self) -> Result<RowStream> {
        let (schema, cancel) = (self.output()?, self.cancel.clone());
        let batches =
            DiffRows { diff: self, schema: schema.clone(), part: 0, changes: Changes::default(), reading: None };
        Ok(Box::new(TableReader::new(schema, Box::new(batches), cancel)))
    }

    fn output(&self) -> Result<SchemaRef> {
        if self.columns.iter().any(|column| column.name() == CHANGE_TYPE_COLUMN) {
            return Err(Error::invalid("table", format!("it has a column {CHANGE_TYPE_COLUMN:?} of its own")));
        }
        let change = Arc::new(Field::new(CHANGE_TYPE_COLUMN, DataType::Utf8, false));
        Ok(Arc::new(Schema::new(self.columns.iter().cloned().chain([change]).collect::<Vec<_>>())))
    }

    fn side(&self, which: Which) -> &Side {
        if which == Which::From { &self.from } else { &self.to }
    }

    /// The batches of one side, in the columns of the diff.
    fn batches(&self, which: Which) -> AlignedBatches {
        let side = self.side(which);
        let (alignment, cancel) = (side.alignment.clone(), self.cancel.clone());
        let batches = side.decoder.clone().ahead(side.sources.clone(), self.threads);
        Box::new(batches.map(move |batch| {
            cancel.check("comparing two versions")?;
            alignment.align(&batch?)
        }))
    }

    /// Hashes of rows and of their keys.
    fn hashes(&self, aligned: &Aligned) -> Vec<(u128, u128)> {
        let whole = wide_hashes(&aligned.compared(None), aligned.rows());
        if self.key.is_empty() {
            return whole.iter().map(|row| (*row, 0)).collect();
        }
        let key = aligned.compared(Some(&self.key));
        whole.into_iter().zip(wide_hashes(&key, aligned.rows())).collect()
    }

    fn in_part(&self, part: u64, (row, key): (u128, u128)) -> bool {
        let hash = if self.key.is_empty() { row } else { key };
        (hash >> 64) as u64 & (self.parts - 1) == part
    }

    /// The first pass over one part.
    fn count(&self, part: u64) -> Result<Changes> {
        let mut changes = Changes::default();
        for (which, one) in [(Which::From, 1), (Which::To, -1)] {
            for aligned in self.batches(which) {
                for (row, key) in self.hashes(&aligned?).into_iter().filter(|hashes| self.in_part(part, *hashes)) {
                    changes.rows.entry(row).or_insert((key, 0)).1 += one;
                }
            }
        }
        changes.rows.retain(|_, (_, net)| *net != 0);
        for (key, net) in changes.rows.values() {
            let change = changes.keys.entry(*key).or_default();
            change.removed += net.max(&0).unsigned_abs();
            change.added += net.min(&0).unsigned_abs();
        }
        if !self.key.is_empty() {
            changes.keys.values_mut().for_each(|key| key.modified = key.removed.min(key.added));
        }
        Ok(changes)
    }
}

impl Side {
    fn new(store: &TableStore, data: &TableData, sources: Vec<Source>, alignment: Alignment) -> Result<Side> {
        Ok(Side { decoder: store.decoder(Projection::of(&data.schema, None)?), sources, alignment })
    }
}

impl Changes {
    /// Whether this row is to be handed out on this side, and as what; it is then counted as handed out.
    fn hand_out(&mut self, which: Which, row: u128) -> Option<&'static str> {
        let (key, net) = self.rows.get_mut(&row)?;
        let (step, at) = match which {
            Which::From if *net > 0 => (-1, 0),
            Which::To if *net < 0 => (1, 1),
            _ => return None,
        };
        *net += step;
        let key = self.keys.get_mut(key)?;
        let modified = key.handed[at] < key.modified;
        key.handed[at] += u64::from(modified);
        Some(match (which, modified) {
            (Which::From, false) => "delete",
            (Which::From, true) => "update_preimage",
            (Which::To, false) => "insert",
            (Which::To, true) => "update_postimage",
        })
    }
}

/// The second passes, part by part.
struct DiffRows {
    diff: Diff,
    schema: SchemaRef,
    part: u64,
    changes: Changes,
    reading: Option<(Which, AlignedBatches)>,
}

impl DiffRows {
    fn step(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            let Some((which, batches)) = self.reading.as_mut() else {
                if self.part == self.diff.parts {
                    return Ok(None);
                }
                self.changes = self.diff.count(self.part)?;
                self.reading = Some((Which::From, self.diff.batches(Which::From)));
                continue;
            };
            match (batches.next(), *which) {
                (Some(aligned), which) => return self.changed_rows(which, &aligned?).map(Some),
                (None, Which::From) => self.reading = Some((Which::To, self.diff.batches(Which::To))),
                (None, Which::To) => {
                    self.reading = None;
                    self.part += 1;
                }
            }
        }
    }

    fn changed_rows(&mut self, which: Which, aligned: &Aligned) -> Result<RecordBatch> {
        let (mut places, mut changes) = (Vec::new(), Vec::new());
        for (place, hashes) in self.diff.hashes(aligned).into_iter().enumerate() {
            if !self.diff.in_part(self.part, hashes) {
                continue;
            }
            if let Some(change) = self.changes.hand_out(which, hashes.0) {
                places.push(place as u64);
                changes.push(change);
            }
        }
        aligned.check_shown(&places, &self.diff.columns)?;
        let bug = |error| Error::internal(format!("cannot gather changed rows: {error}"));
        let rows = Schema::new(self.diff.columns.to_vec());
        let rows = RecordBatch::try_new(Arc::new(rows), aligned.columns.clone()).map_err(bug)?;
        let rows = take_record_batch(&rows, &UInt64Array::from(places)).map_err(bug)?;
        let changes: ArrayRef = Arc::new(StringArray::from(changes));
        let columns = rows.columns().iter().cloned().chain([changes]).collect();
        RecordBatch::try_new(self.schema.clone(), columns).map_err(bug)
    }
}

impl Iterator for DiffRows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Result<RecordBatch>> {
        self.step().transpose()
    }
}

fn wide_hashes(columns: &[ArrayRef], rows: usize) -> Vec<u128> {
    let [low, high] = SEEDS.map(|seed| row_hashes(columns, rows, seed));
    low.into_iter().zip(high).map(|(low, high)| u128::from(high) << 64 | u128::from(low)).collect()
}

fn key_place(name: &str, columns: &[FieldRef], from: &Schema, to: &Schema) -> Result<usize> {
    for side in [from, to] {
        if side.index_of(name).is_err() {
            let reason = format!("there is no column {name:?} on both sides; {}", column_list(side));
            return Err(Error::invalid("key_columns", reason));
        }
    }
    let place = columns.iter().position(|column| column.name() == name);
    place.ok_or_else(|| Error::internal("a column of both sides is not among the columns of either"))
}

/// What stands on one side only. Equal chunks and equal inlined batches cancel out, one for one.
fn differing(from: &TableData, to: &TableData) -> (Vec<Source>, Vec<Source>) {
    if from.schema.arrow != to.schema.arrow {
        return (sources(from), sources(to));
    }
    let (left, right) = (single_sources(from), single_sources(to));
    let mut surplus: HashMap<LogicalHash, i64> = HashMap::new();
    left.iter().for_each(|source| *surplus.entry(identity(source)).or_default() += 1);
    right.iter().for_each(|source| *surplus.entry(identity(source)).or_default() -= 1);
    let mut keep = |source: &Source, sign: i64| {
        let count = surplus.entry(identity(source)).or_default();
        let kept = *count * sign > 0;
        *count -= if kept { sign } else { 0 };
        kept
    };
    let left = left.into_iter().filter(|source| keep(source, 1)).collect();
    let right = right.into_iter().filter(|source| keep(source, -1)).collect();
    (left, right)
}

/// What two stretches have in common only if they hold the same rows.
fn identity(source: &Source) -> LogicalHash {
    match source {
        Source::Chunk(chunk) => chunk.logical,
        Source::Inline(batches) => {
            let mut hasher = blake3::Hasher::new();
            batches.iter().for_each(|batch| {
                hasher.update(&(batch.bytes.len() as u64).to_le_bytes()).update(&batch.bytes);
            });
            LogicalHash::from_bytes(*hasher.finalize().as_bytes())
        }
    }
}

/// The stretches of a version with every inlined batch by itself.
fn single_sources(data: &TableData) -> Vec<Source> {
    let split = |source: Source| match source {
        Source::Inline(batches) => batches.into_iter().map(|batch| Source::Inline(vec![batch])).collect(),
        chunk => vec![chunk],
    };
    sources(data).into_iter().flat_map(split).collect()
}

fn source_rows(sources: &[Source]) -> u64 {
    let count = |source: &Source| match source {
        Source::Chunk(chunk) => chunk.rows,
        Source::Inline(batches) => batches.iter().map(|batch| batch.rows).sum(),
    };
    sources.iter().map(count).sum()
}
