//! Versions of the low-level catalog: a bare list of chunks, whose schema and rows stand in the files themselves.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::data::TableData;
use super::normal_type::{normal_schema, same_type};
use super::tail::Tail;
use crate::chunk_store::ChunkStore;
use crate::error::{Error, Result};
use crate::format::{ChunkEntry, ChunkHash, LogicalHash, Manifest, TableSchema};

/// Reads the footers of the chunks. The first chunk's columns are the table's; the others must have the same.
pub(super) fn resolve(chunks: &ChunkStore, listed: &[ChunkHash]) -> Result<TableData> {
    let mut first: Option<SchemaRef> = None;
    let mut entries = Vec::with_capacity(listed.len());
    for hash in listed {
        let (schema, entry) = open(chunks, *hash)?;
        let expected = first.get_or_insert_with(|| schema.clone());
        check_same(expected, &schema, *hash)?;
        entries.push(entry);
    }
    let schema = first.ok_or_else(|| Error::invalid("chunks", "a table without chunks has no columns"))?;
    // Without ids: the files' own, if any, are not this table's, so columns are found by name.
    let normal = normal_schema(&Schema::new(schema.fields().clone()))?;
    let schema = Arc::new(TableSchema::from_arrow_with_ids(&normal, 1, Vec::new())?);
    Ok(TableData { schema, manifest: Arc::new(Manifest { chunks: entries }), tail: Tail::default() })
}

fn open(chunks: &ChunkStore, hash: ChunkHash) -> Result<(SchemaRef, ChunkEntry)> {
    let bytes = chunks.get_verified(hash)?;
    let length = bytes.len() as u64;
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes)
        .map_err(|error| Error::invalid("chunks", format!("{hash} is no Parquet file: {error}")))?;
    let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
    // Nobody hashed these rows: the file's own hash stands for them, and no boundary is known.
    let logical = LogicalHash::from_bytes(*hash.as_bytes());
    let entry =
        ChunkEntry { chunk: hash, logical, rows, bytes: length, first_row: 0, row_bytes: 0, columns: Vec::new() };
    Ok((builder.schema().clone(), entry))
}

fn check_same(expected: &Schema, found: &Schema, hash: ChunkHash) -> Result<()> {
    let (left, right) = (normal_schema(expected)?, normal_schema(found)?);
    let pairs = left.fields().iter().zip(right.fields());
    let mut pairs =
        pairs.map(|(left, right)| left.name() == right.name() && same_type(left.data_type(), right.data_type()));
    match left.fields().len() == right.fields().len() && pairs.all(|same| same) {
        true => Ok(()),
        false => Err(Error::invalid("chunks", format!("{hash} has other columns than the chunks before it"))),
    }
}
