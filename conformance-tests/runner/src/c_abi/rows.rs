//! Rows over the Arrow C stream interface.

use armillaria::RowStream;
use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ffi::FFI_ArrowSchema;
use arrow::ffi_stream::{ArrowArrayStreamReader, FFI_ArrowArrayStream};
use serde_json::Value as Json;

use super::memory::check;
use super::structs::ArmillariaError;
use crate::failure::{Failure, ProductError};
use crate::rows;

/// Calls a function that gives rows.
pub(super) fn stream(
    call: impl FnOnce(*mut FFI_ArrowArrayStream, *mut *mut ArmillariaError) -> u32,
) -> Result<FFI_ArrowArrayStream, Failure> {
    let mut out = FFI_ArrowArrayStream::empty();
    check(|error| call(&raw mut out, error))?;
    if out.release.is_none() { Err("the status is OK, and the stream is released".into()) } else { Ok(out) }
}

/// Reads a stream to its end and releases it.
pub(super) fn read(stream: FFI_ArrowArrayStream) -> Result<Json, Failure> {
    let reader = ArrowArrayStreamReader::try_new(stream).map_err(failure)?;
    rows::collect(Box::new(Foreign(reader)), failure)
}

/// Calls a function that takes rows: it must move them, whatever it answers.
pub(super) fn give(
    mut stream: FFI_ArrowArrayStream,
    call: impl FnOnce(*mut FFI_ArrowArrayStream) -> Result<Json, Failure>,
) -> Result<Json, Failure> {
    let outcome = call(&raw mut stream);
    if stream.release.is_some() { Err("the stream was not moved".into()) } else { outcome }
}

/// Rows of a case as a stream that a C program has made.
pub(super) fn export(rows: RowStream) -> FFI_ArrowArrayStream {
    FFI_ArrowArrayStream::new(rows)
}

/// Calls a function that takes a schema: it must move it, whatever it answers.
pub(super) fn give_schema(
    schema: &Schema,
    call: impl FnOnce(*mut FFI_ArrowSchema) -> Result<Json, Failure>,
) -> Result<Json, Failure> {
    let mut schema = FFI_ArrowSchema::try_from(schema).map_err(|error| Failure::Case(error.to_string()))?;
    let outcome = call(&raw mut schema);
    if schema.release.is_some() { Err("the schema was not moved".into()) } else { outcome }
}

/// Calls a function that gives a schema.
pub(super) fn schema(
    call: impl FnOnce(*mut FFI_ArrowSchema, *mut *mut ArmillariaError) -> u32,
) -> Result<Schema, Failure> {
    let mut out = FFI_ArrowSchema::empty();
    check(|error| call(&raw mut out, error))?;
    Schema::try_from(&out).map_err(|error| Failure::Case(error.to_string()))
}

/// An error of a stream, whose text begins with the code: `ARM-400 …`.
fn failure(error: ArrowError) -> Failure {
    let text = error.to_string();
    let coded = text.split_once("ARM-").and_then(|(_, rest)| {
        let (code, message) = rest.split_once(' ')?;
        Some(ProductError::of_code(code.parse().ok()?, message))
    });
    coded.map_or_else(|| Failure::Case(format!("a stream's error has no code: {text}")), Failure::Product)
}

/// A stream of the library's. It may go to another thread, as the header says.
struct Foreign(ArrowArrayStreamReader);

impl Iterator for Foreign {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl RecordBatchReader for Foreign {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }
}
