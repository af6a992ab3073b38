//! A chunk's rows to the bytes of its Parquet file. Pure.
//!
//! Invariant: the bytes depend on the schema and the rows only. Parquet's writer pages by batch, so it is given exactly
//! one batch a row group; what it would otherwise choose or sign is pinned here. How each column is encoded is decided
//! from a sample of its own values, because a dictionary of mostly distinct values costs time and saves nothing. It
//! compresses nothing: [`super::pages`] does, once it has joined short runs.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, RecordBatch, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion};
use parquet::schema::types::ColumnPath;

use super::nan;
use super::pages;
use super::row_hash::{BOUNDARY_SEED, row_hashes};
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::limits::ROW_GROUP_ROWS_MAX;

/// Who wrote the file; a new number whenever the same rows begin to give other bytes.
const CREATED_BY: &str = "armillaria version 2";

const PAGE_BYTES: usize = 1 << 20;
const DICTIONARY_BYTES_MAX: usize = 1 << 20;

/// How many values of a column are looked at to choose its encoding.
const SAMPLE_ROWS: usize = 4096;

/// The Parquet file of these rows, in balanced row groups of at most [`ROW_GROUP_ROWS_MAX`] rows. `CANCELLED` between
/// two of them.
pub(super) fn encode_chunk(batch: &RecordBatch, cancel: &CancelToken) -> Result<Vec<u8>> {
    let check = || cancel.check("writing a table").map_err(Failure::Other);
    let encode = || {
        let properties = properties(batch)?;
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties.clone()))?;
        for (start, rows) in row_groups(batch.num_rows()) {
            check()?;
            writer.write(&batch.slice(start, rows))?;
            writer.flush()?;
        }
        let metadata = writer.finish()?;
        let plain = std::mem::take(writer.inner_mut());
        pages::compress(plain.into(), &metadata, properties, check)
    };
    encode().map_err(|failure| match failure {
        Failure::Parquet(error) => Error::internal(format!("cannot encode a chunk: {error}")),
        Failure::Other(error) => error,
    })
}

/// Why a chunk was not encoded.
enum Failure {
    Parquet(ParquetError),
    Other(Error),
}

impl From<ParquetError> for Failure {
    fn from(error: ParquetError) -> Failure {
        Failure::Parquet(error)
    }
}

/// Cuts rows into the fewest groups allowed, their sizes differing by at most one.
fn row_groups(rows: usize) -> impl Iterator<Item = (usize, usize)> {
    let groups = rows.div_ceil(ROW_GROUP_ROWS_MAX);
    let begin = move |group: usize| (group as u128 * rows as u128 / groups as u128) as usize;
    (0..groups).map(move |group| (begin(group), begin(group + 1) - begin(group)))
}

fn properties(batch: &RecordBatch) -> Result<WriterProperties, ParquetError> {
    let all = WriterProperties::builder()
        .set_created_by(CREATED_BY.to_string())
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::UNCOMPRESSED)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_statistics_truncate_length(Some(64))
        .set_offset_index_disabled(true)
        .set_data_page_size_limit(PAGE_BYTES)
        .set_data_page_row_count_limit(ROW_GROUP_ROWS_MAX)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES_MAX)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS_MAX));
    let unbounded = nan::unbounded_leaves(batch)?.into_iter();
    let all = unbounded.fold(all, |all, leaf| all.set_column_statistics_enabled(leaf, EnabledStatistics::None));
    let schema = batch.schema_ref();
    let mut columns = schema.fields().iter().zip(batch.columns());
    Ok(columns.try_fold(all, |builder, (field, array)| choose_encoding(builder, field, array))?.build())
}

/// Chooses for one top-level column; the leaves of nested ones keep dictionaries, which fall back when they grow.
fn choose_encoding(
    builder: WriterPropertiesBuilder,
    field: &Field,
    array: &ArrayRef,
) -> Result<WriterPropertiesBuilder, ParquetError> {
    if field.data_type().is_nested() || array.is_empty() || repeats(&sample(array)?) {
        return Ok(builder);
    }
    let path = ColumnPath::new(vec![field.name().clone()]);
    let builder = builder.set_column_dictionary_enabled(path.clone(), false);
    Ok(match plain_encoding(array) {
        Some(encoding) => builder.set_column_encoding(path, encoding),
        None => builder,
    })
}

/// Values evenly spaced over the column.
fn sample(array: &ArrayRef) -> Result<ArrayRef, ParquetError> {
    let count = array.len().min(SAMPLE_ROWS);
    let places = (0..count).map(|at| (at as u128 * array.len() as u128 / count as u128) as u64);
    Ok(take(array, &UInt64Array::from_iter_values(places), None)?)
}

fn repeats(sample: &ArrayRef) -> bool {
    let hashes = row_hashes(std::slice::from_ref(sample), sample.len(), BOUNDARY_SEED);
    HashSet::<u64>::from_iter(hashes).len() * 2 <= sample.len()
}

/// How to write values that mostly differ; `None` leaves them plain. Lengths apart from bytes compress faster; small
/// steps between numbers, as of ids and times, are packed into few bits, which DuckDB reads three times faster.
fn plain_encoding(array: &ArrayRef) -> Option<Encoding> {
    use DataType::*;
    match array.data_type() {
        Utf8 | Binary => Some(Encoding::DELTA_LENGTH_BYTE_ARRAY),
        Int32 | UInt32 | Date32 | Time32(_) | Int64 | UInt64 | Time64(_) | Timestamp(..) | Duration(_) => {
            steps_are_small(array).then_some(Encoding::DELTA_BINARY_PACKED)
        }
        _ => None,
    }
}

/// Whether the steps between neighbours take, on average over a sample, at most three quarters of a value's bits.
fn steps_are_small(array: &ArrayRef) -> bool {
    let data = array.to_data();
    let width = data.data_type().primitive_width().unwrap_or(0);
    let bytes = data.buffers().first().map_or(&[][..], |buffer| &buffer.as_slice()[data.offset() * width..]);
    let pairs = array.len().saturating_sub(1);
    let count = pairs.min(SAMPLE_ROWS);
    let places = (0..count).map(|at| (at as u128 * pairs as u128 / count as u128) as usize);
    let steps = places.filter(|at| array.is_valid(*at) && array.is_valid(at + 1));
    let bits = steps.map(|at| step_bits(&bytes[at * width..(at + 2) * width]));
    let (count, sum) = bits.fold((0_u64, 0_u64), |(count, sum), bits| (count + 1, sum + u64::from(bits)));
    count > 0 && sum * 4 <= count * width as u64 * 8 * 3
}

/// The bits of the step between two neighbours of 4 or 8 bytes each, its sign included.
fn step_bits(pair: &[u8]) -> u32 {
    let (left, right) = pair.split_at(pair.len() / 2);
    let step = match (<[u8; 8]>::try_from(left), <[u8; 8]>::try_from(right)) {
        (Ok(left), Ok(right)) => i64::from_le_bytes(right).wrapping_sub(i64::from_le_bytes(left)),
        _ => word(right).wrapping_sub(word(left)),
    };
    65 - (step ^ (step >> 63)).leading_zeros()
}

fn word(bytes: &[u8]) -> i64 {
    <[u8; 4]>::try_from(bytes).map_or(0, |bytes| i64::from(i32::from_le_bytes(bytes)))
}
