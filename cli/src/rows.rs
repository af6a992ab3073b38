//! Streams of record batches.

use armillaria::{Error, Result, RowStream};
use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

/// Makes a stream of a schema and an iterator; it ends at the first error.
pub(crate) fn stream(
    schema: SchemaRef,
    batches: impl Iterator<Item = Result<RecordBatch>> + Send + 'static,
) -> RowStream {
    Box::new(Rows { schema, batches: Some(Box::new(batches)) })
}

/// The error that travelled inside an Arrow stream.
pub(crate) fn unwrap_error(error: ArrowError) -> Error {
    match error {
        ArrowError::ExternalError(inner) => match inner.downcast::<Error>() {
            Ok(error) => *error,
            Err(other) => Error::internal(other.to_string()),
        },
        other => Error::internal(other.to_string()),
    }
}

struct Rows {
    schema: SchemaRef,
    batches: Option<Box<dyn Iterator<Item = Result<RecordBatch>> + Send>>,
}

impl Iterator for Rows {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.batches.as_mut()?.next();
        if !matches!(item, Some(Ok(_))) {
            self.batches = None;
        }
        item.map(|batch| batch.map_err(|error| ArrowError::ExternalError(Box::new(error))))
    }
}

impl RecordBatchReader for Rows {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}
