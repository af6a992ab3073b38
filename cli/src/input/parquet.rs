//! Parquet.

use std::fs::File;

use armillaria::Result;
use arrow::datatypes::Schema;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{BATCH_ROWS, Batches, Position, Source};

/// The schema in the footer.
pub(super) fn schema(source: &Source) -> Result<Schema> {
    Ok(builder(source)?.schema().as_ref().clone())
}

/// The rows, row group after row group.
pub(super) fn read(source: &Source, position: &Position) -> Result<Batches> {
    let builder = builder(source)?;
    let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0).max(1);
    let reader = builder.with_batch_size(BATCH_ROWS).build().map_err(|error| source.wrong(error))?;
    let (name, bytes, position) = (source.name.clone(), source.bytes, position.clone());
    Ok(Box::new(reader.map(move |batch| {
        let batch = batch.map_err(|error| armillaria::Error::invalid("file", format!("{name}: {error}")))?;
        position.advance(bytes.saturating_mul(batch.num_rows() as u64) / rows);
        Ok(batch)
    })))
}

fn builder(source: &Source) -> Result<ParquetRecordBatchReaderBuilder<File>> {
    ParquetRecordBatchReaderBuilder::try_new(source.file()?).map_err(|error| source.wrong(error))
}
