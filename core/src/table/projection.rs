//! Chunks and inlined batches back to rows of a table's schema. Pure but for the bytes it is given.
//!
//! Columns are found by their id, so that renaming and reordering cost nothing; a chunk written before a column was
//! added has nulls for it. A chunk of another writer, without ids, is read by names.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{Field, Fields, Schema, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::columns::{ChunkSchema, column_list};
use super::inline::decode_batch;
use super::normal_array::{Misfit, conform};
use crate::error::{Error, Result};
use crate::format::schema::column_id;
use crate::format::{ChunkHash, TableSchema};

/// Rows of a batch that comes out of a chunk.
const BATCH_ROWS: usize = 32_768;

/// Which columns to read, and as what.
#[derive(Clone, Debug)]
pub(super) struct Projection {
    /// What inlined batches hold: all columns.
    stored: SchemaRef,
    /// What comes out.
    output: SchemaRef,
    /// For each column that comes out, its name and id in chunks.
    wanted: Vec<(String, Option<u32>)>,
}

impl Projection {
    /// Some columns, or all, as the table's readers see them. An unknown or repeated one is `INVALID_ARGUMENT`.
    pub(super) fn of(schema: &TableSchema, columns: Option<&[String]>) -> Result<Projection> {
        let (with_ids, plain) = (schema.to_arrow_with_ids()?, schema.to_arrow()?);
        let places = match columns {
            None => (0..plain.fields().len()).collect(),
            Some(columns) => find_columns(&plain, columns)?,
        };
        let fields: Fields = places.iter().map(|place| plain.fields()[*place].clone()).collect();
        let output = Arc::new(Schema::new_with_metadata(fields, plain.metadata().clone()));
        let wanted = places.iter().map(|place| wanted(with_ids.field(*place))).collect();
        Ok(Projection { stored: ChunkSchema::of(schema)?.arrow, output, wanted })
    }

    /// All columns in the form in which chunks of the table are written.
    pub(super) fn stored(schema: &TableSchema) -> Result<Projection> {
        let stored = ChunkSchema::of(schema)?.arrow;
        let wanted = stored.fields().iter().map(|field| wanted(field)).collect();
        Ok(Projection { output: stored.clone(), stored, wanted })
    }

    /// The schema of what comes out.
    pub(super) fn output(&self) -> &SchemaRef {
        &self.output
    }

    /// Opens a chunk, whose bytes were verified.
    pub(super) fn open_chunk(&self, chunk: ChunkHash, bytes: Bytes) -> Result<ChunkRows> {
        let unreadable = |error: &dyn std::fmt::Display| unreadable(chunk, error);
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|error| unreadable(&error))?;
        let file = builder.schema().clone();
        let places: Vec<Option<usize>> = self.wanted.iter().map(|wanted| find_in_file(&file, wanted)).collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), places.iter().flatten().copied());
        let rows = builder.metadata().file_metadata().num_rows();
        let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build();
        let reader = reader.map_err(|error| unreadable(&error))?;
        let mut read: Vec<usize> = places.iter().flatten().copied().collect();
        read.sort_unstable();
        let places = places.into_iter().map(|place| place.and_then(|place| read.binary_search(&place).ok())).collect();
        Ok(ChunkRows { chunk, reader, places, output: self.output.clone(), rows_left: rows.max(0) as u64 })
    }

    /// Decodes an inlined batch.
    pub(super) fn decode_inline(&self, bytes: &Bytes) -> Result<RecordBatch> {
        let batch = decode_batch(self.stored.clone(), bytes)?;
        let places: Vec<Option<usize>> = self.wanted.iter().map(|wanted| find_in_file(&self.stored, wanted)).collect();
        arrange(&batch, &places, &self.output)
            .map_err(|reason| Error::LogCorrupt { at: "an inlined batch".into(), reason })
    }
}

/// The rows of one chunk, batch by batch.
pub(super) struct ChunkRows {
    chunk: ChunkHash,
    reader: ParquetRecordBatchReader,
    /// Where each column that comes out stands in what the reader gives.
    places: Vec<Option<usize>>,
    output: SchemaRef,
    rows_left: u64,
}

impl Iterator for ChunkRows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Result<RecordBatch>> {
        let Some(batch) = self.reader.next() else {
            let missing = std::mem::take(&mut self.rows_left);
            return (missing > 0).then(|| Err(unreadable(self.chunk, &format!("{missing} rows are missing"))));
        };
        let arranged = batch.map_err(|error| error.to_string());
        let arranged = arranged.and_then(|batch| arrange(&batch, &self.places, &self.output));
        self.rows_left =
            self.rows_left.saturating_sub(arranged.as_ref().map_or(self.rows_left, |batch| batch.num_rows() as u64));
        Some(arranged.map_err(|reason| unreadable(self.chunk, &reason)))
    }
}

/// Puts columns in order, in the types that come out, with nulls for those that are not there.
fn arrange(batch: &RecordBatch, places: &[Option<usize>], output: &SchemaRef) -> Result<RecordBatch, String> {
    let column = |(place, field): (&Option<usize>, &Arc<Field>)| match place {
        None => Ok(new_null_array(field.data_type(), batch.num_rows())),
        Some(place) => conform(batch.column(*place), field).map_err(|misfit| misfit_words(field, misfit)),
    };
    let columns: Result<Vec<ArrayRef>, String> = places.iter().zip(output.fields()).map(column).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(output.clone(), columns?, &options).map_err(|error| error.to_string())
}

fn misfit_words(field: &Field, misfit: Misfit) -> String {
    match misfit {
        Misfit::TooLarge => format!("column {:?} has more than 2 GiB in one batch", field.name()),
        Misfit::Wrong(reason) => format!("column {:?}: {reason}", field.name()),
    }
}

fn wanted(field: &Field) -> (String, Option<u32>) {
    (field.name().clone(), column_id(field))
}

/// By id where the file has ids, else by name.
fn find_in_file(file: &Schema, (name, id): &(String, Option<u32>)) -> Option<usize> {
    let has_ids = file.fields().iter().any(|field| column_id(field).is_some());
    match (has_ids, id) {
        (true, Some(id)) => file.fields().iter().position(|field| column_id(field) == Some(*id)),
        _ => file.index_of(name).ok(),
    }
}

fn find_columns(schema: &Schema, columns: &[String]) -> Result<Vec<usize>> {
    if columns.is_empty() {
        return Err(Error::invalid("columns", format!("none are named; {}", column_list(schema))));
    }
    let mut places = Vec::new();
    for name in columns {
        let unknown = || Error::invalid("columns", format!("there is no column {name:?}; {}", column_list(schema)));
        let place = schema.index_of(name).map_err(|_| unknown())?;
        if places.contains(&place) {
            return Err(Error::invalid("columns", format!("{name:?} stands there twice")));
        }
        places.push(place);
    }
    Ok(places)
}

/// The bytes are those that were written, and still cannot be read.
fn unreadable(chunk: ChunkHash, reason: &dyn std::fmt::Display) -> Error {
    Error::invalid("chunk", format!("{chunk} cannot be read as rows of this table: {reason}"))
}
