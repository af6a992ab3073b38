//! Chunks of other writers, written anew where their files do not say what they mean.
//!
//! DuckDB reads a Parquet file by Parquet's own types and believes its statistics. Arrow's writers also keep types there
//! that Parquet has not, in a note that only Arrow's readers look at, and every writer leaves NaN out of the bounds.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, Schema};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};

use super::nan;
use super::normal_type::normal_schema;
use super::projection::Projection;
use crate::cancel::CancelToken;
use crate::chunk_store::ChunkStore;
use crate::error::{Error, Result};
use crate::format::{ChunkEntry, ChunkHash, TableSchema};
use crate::limits::ROW_GROUP_ROWS_MAX;

/// What `created_by` begins with in a chunk that this library wrote; a number follows.
const CREATED_BY_PREFIX: &str = "armillaria version ";

/// Since this number bounds are kept only where they hold.
const BOUNDS_HOLD_SINCE: u32 = 2;

/// So much is read at first to find a footer in: more than nearly all have.
const FOOTER_BYTES: u64 = 64 << 10;

/// Whether the chunk's file says what it means, as far as its footer can tell.
pub(super) fn is_plain(chunks: &ChunkStore, schema: &TableSchema, chunk: &ChunkEntry) -> Result<bool> {
    // Of a file without a footer, or of another size, whoever copies it says what is wrong.
    let Some(footer) = footer(chunks, chunk)? else { return Ok(false) };
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let Ok(file) = ArrowReaderMetadata::try_new(Arc::new(footer), options) else { return Ok(false) };
    Ok(bounds_hold(file.metadata()) && stands_as_meant(file.schema(), Projection::stored(schema)?.output()))
}

/// What stands at the end of a Parquet file; `None` if it is none.
fn footer(chunks: &ChunkStore, chunk: &ChunkEntry) -> Result<Option<ParquetMetaData>> {
    let mut wanted = FOOTER_BYTES;
    loop {
        let start = chunk.bytes.saturating_sub(wanted);
        let end = chunks.get_range(chunk.chunk, start..chunk.bytes)?;
        let mut reader = ParquetMetaDataReader::new();
        match reader.try_parse_sized(&end, chunk.bytes).and_then(|()| reader.finish()) {
            Err(ParquetError::NeedMoreData(more)) if more as u64 > wanted && start > 0 => wanted = more as u64,
            footer => return Ok(footer.ok()),
        }
    }
}

/// The chunk's rows as a file that says what it means. `CHUNK_NOT_FOUND`, `HASH_MISMATCH`, `INVALID_ARGUMENT` if it
/// holds no rows of this table.
pub(super) fn plain_copy(
    chunks: &ChunkStore,
    schema: &TableSchema,
    chunk: ChunkHash,
    cancel: &CancelToken,
) -> Result<Bytes> {
    let projection = Projection::stored(schema)?;
    let rows = projection.open_chunk(chunk, chunks.get_verified(chunk)?)?;
    let mut writer = writer(projection.output()).map_err(internal)?;
    for batch in rows {
        cancel.check("the query")?;
        writer.write(&batch?).map_err(internal)?;
    }
    writer.into_inner().map(Bytes::from).map_err(internal)
}

fn writer(schema: &Arc<Schema>) -> Result<ArrowWriter<Vec<u8>>, ParquetError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS_MAX));
    let without = |properties: WriterPropertiesBuilder, leaf| {
        properties.set_column_statistics_enabled(leaf, EnabledStatistics::None)
    };
    let properties = nan::floating_leaves(schema)?.into_iter().fold(properties, without).build();
    ArrowWriter::try_new(Vec::new(), schema.clone(), Some(properties))
}

fn internal(error: ParquetError) -> Error {
    Error::internal(format!("cannot copy a chunk: {error}"))
}

/// Whether each column stands in the file in the Parquet type that its own type has.
fn stands_as_meant(file: &Schema, meant: &Schema) -> bool {
    let Ok(file) = normal_schema(file) else { return false };
    let stands = |field: &FieldRef| match file.field_with_name(field.name()) {
        Ok(found) => same_in_parquet(found.data_type(), field.data_type()),
        Err(_) => false,
    };
    meant.fields().iter().all(stands)
}

fn same_in_parquet(file: &DataType, meant: &DataType) -> bool {
    use DataType::*;
    let same = |file: &FieldRef, meant: &FieldRef| same_in_parquet(file.data_type(), meant.data_type());
    match (file, meant) {
        (List(a), List(b) | FixedSizeList(b, _)) | (Map(a, _), Map(b, _)) => same(a, b),
        (Struct(a), Struct(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.name() == b.name() && same(a, b))
        }
        (Timestamp(unit, zone), Timestamp(other, meant)) => unit == other && zone.is_some() == meant.is_some(),
        // A length of time stands as its number; nothing else does.
        (Int64, Duration(_)) => true,
        (Interval(_), Interval(_)) | (_, Null) => true,
        (file, meant) => file == meant,
    }
}

/// Whether the bounds that a Parquet file gives for floating point numbers hold for NaN too.
fn bounds_hold(file: &ParquetMetaData) -> bool {
    let writer =
        file.file_metadata().created_by().and_then(|by| by.strip_prefix(CREATED_BY_PREFIX)?.parse::<u32>().ok());
    let mut columns = file.row_groups().iter().flat_map(|group| group.columns());
    writer.is_some_and(|number| number >= BOUNDS_HOLD_SINCE)
        || columns.all(|column| {
            let bounds = column.statistics().is_some_and(|bounds| bounds.max_bytes_opt().is_some());
            !(bounds && nan::is_floating(column.column_descr()))
        })
}
