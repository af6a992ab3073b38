//! Rows and columns across the border, by Arrow's C data interface: pointers move, bytes stay where they are.

mod check;
mod export;
mod import;

pub(crate) use export::{export_rows, export_schema};
pub(crate) use import::{Values, import_rows, import_schema};

use arrow::ffi::FFI_ArrowSchema;
use arrow::ffi_stream::FFI_ArrowArrayStream;

/// Moves a stream out of the caller's struct, which is released from then on. To be done before anything can fail.
pub(crate) fn take_stream(stream: Option<&mut FFI_ArrowArrayStream>) -> Option<FFI_ArrowArrayStream> {
    stream.map(|stream| std::mem::replace(stream, FFI_ArrowArrayStream::empty()))
}

/// Moves a schema out of the caller's struct, which is released from then on. To be done before anything can fail.
pub(crate) fn take_schema(schema: Option<&mut FFI_ArrowSchema>) -> Option<FFI_ArrowSchema> {
    schema.map(|schema| std::mem::replace(schema, FFI_ArrowSchema::empty()))
}
