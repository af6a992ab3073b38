//! Streams and schemas of the caller's.

use std::ffi::{CStr, c_int};
use std::io;
use std::sync::Arc;

use armillaria::table::error_to_arrow;
use armillaria::{Error, Result, RowStream};
use arrow::array::{RecordBatch, RecordBatchOptions, RecordBatchReader, StructArray};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi_and_data_type};
use arrow::ffi_stream::FFI_ArrowArrayStream;

use super::check;
use super::export::reclaim_rows;
use crate::error::from_stream_text;
use crate::guard::given;
use crate::panics::caught;

/// How far the caller's buffers are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    /// Their sizes are checked, at a cost that does not grow with the rows.
    #[cfg(any(test, feature = "testing"))]
    Trusted,
    /// Offsets, texts and dictionary keys are checked too: what is stored must be right.
    Checked,
}

/// The rows of a stream that was taken from the caller. It is asked for its schema now, for batches later, always on the
/// thread that asks; it is released when the rows are dropped. `INVALID_ARGUMENT`, and what the stream fails with.
///
/// A stream of ours that comes back is opened up: its rows and errors are our own, and need no check.
pub(crate) fn import_rows(stream: Option<FFI_ArrowArrayStream>, values: Values) -> Result<RowStream> {
    match reclaim_rows(given(stream, "rows")?) {
        Ok(rows) => Ok(rows),
        Err(stream) => import_foreign(stream, values),
    }
}

fn import_foreign(stream: FFI_ArrowArrayStream, values: Values) -> Result<RowStream> {
    let mut stream = Stream { stream, schema: Arc::new(Schema::empty()), values };
    stream.schema = stream.read_schema()?;
    Ok(Box::new(stream))
}

/// The schema that was taken from the caller: a struct whose fields are the columns. `INVALID_ARGUMENT`.
pub(crate) fn import_schema(schema: Option<FFI_ArrowSchema>) -> Result<Schema> {
    let schema = given(schema, "schema")?;
    // SAFETY: the caller's own schema, as the header asks for it.
    unsafe { check::schema(&schema) }?;
    let columns = caught(|| Schema::try_from(&schema)).map_err(|error| unreadable("Arrow schema", &error))?;
    columns.map_err(|error| unreadable("Arrow schema", &error))
}

struct Stream {
    stream: FFI_ArrowArrayStream,
    schema: SchemaRef,
    values: Values,
}

impl Stream {
    fn read_schema(&mut self) -> Result<SchemaRef> {
        let (Some(get_schema), Some(_), Some(_)) = (self.stream.get_schema, self.stream.get_next, self.stream.release)
        else {
            return Err(Error::invalid("rows", "the stream was released, or never filled in"));
        };
        let mut schema = FFI_ArrowSchema::empty();
        // SAFETY: a stream that is not released may be asked for its schema.
        match unsafe { get_schema(&raw mut self.stream, &raw mut schema) } {
            0 => import_schema(Some(schema)).map(Arc::new),
            errno => Err(self.failure(errno)),
        }
    }

    fn read_batch(&mut self) -> Result<Option<RecordBatch>> {
        let get_next = given(self.stream.get_next, "rows")?;
        let mut array = FFI_ArrowArray::empty();
        // SAFETY: the stream is not released before it is dropped.
        match unsafe { get_next(&raw mut self.stream, &raw mut array) } {
            0 if array.is_released() => Ok(None),
            // Arrow asserts where a producer breaks the rules.
            0 => caught(|| self.batch(array)).map_err(|error| unreadable("rows", &error))?.map(Some),
            errno => Err(self.failure(errno)),
        }
    }

    fn batch(&self, array: FFI_ArrowArray) -> Result<RecordBatch> {
        let misfit = |error: ArrowError| unreadable("rows", &error);
        let data_type = DataType::Struct(self.schema.fields().clone());
        // SAFETY: the producer's own array, as the header asks for it.
        unsafe { check::array(&array, &data_type) }?;
        // SAFETY: likewise, and its numbers were looked at.
        let mut data = unsafe { from_ffi_and_data_type(array, data_type) }.map_err(misfit)?;
        data.align_buffers();
        match self.values {
            #[cfg(any(test, feature = "testing"))]
            Values::Trusted => data.validate(),
            Values::Checked => data.validate_full(),
        }
        .map_err(misfit)?;
        if data.null_count() > 0 {
            return Err(Error::invalid("rows", "whole rows are null; only columns can be"));
        }
        let rows = RecordBatchOptions::new().with_row_count(Some(data.len()));
        let (_, columns, _) = StructArray::from(data).into_parts();
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &rows).map_err(misfit)
    }

    /// What the producer says of its last call, which answered with an `errno`.
    fn failure(&mut self, errno: c_int) -> Error {
        let text = self.last_error().unwrap_or_else(|| format!("the stream failed with errno {errno}"));
        if let Some(error) = from_stream_text(&text) {
            return error;
        }
        match errno {
            libc::EINVAL => Error::invalid("rows", text),
            libc::ECANCELED => Error::Cancelled { action: "the caller's stream" },
            _ => {
                let kind = io::Error::from_raw_os_error(errno).kind();
                Error::io("read the rows", "the caller's stream", io::Error::new(kind, text))
            }
        }
    }

    fn last_error(&mut self) -> Option<String> {
        let get_last_error = self.stream.get_last_error?;
        // SAFETY: a stream that is not released may be asked for it.
        let text = unsafe { get_last_error(&raw mut self.stream) };
        // SAFETY: not NULL here, so a text that lasts until the next call.
        (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
    }
}

impl Iterator for Stream {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read_batch().map_err(error_to_arrow).transpose()
    }
}

impl RecordBatchReader for Stream {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

fn unreadable(argument: &'static str, reason: &dyn std::fmt::Display) -> Error {
    Error::invalid(argument, format!("Arrow cannot read it: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use armillaria::Code;
    use armillaria::table::error_from_arrow;
    use arrow::array::{Array, ArrayData, ArrayRef, Int32Array, RecordBatchIterator, StringArray};
    use arrow::buffer::Buffer;
    use arrow::datatypes::Field;

    fn stream(column: ArrayRef) -> FFI_ArrowArrayStream {
        let batch = RecordBatch::try_from_iter([("a", column)]).unwrap();
        FFI_ArrowArrayStream::new(Box::new(RecordBatchIterator::new([Ok(batch.clone())], batch.schema())))
    }

    fn code(rows: RowStream) -> Option<Code> {
        rows.into_iter().find_map(|batch| batch.err().map(|error| error_from_arrow(error).code()))
    }

    #[test]
    fn rows_arrive_where_they_were() {
        let column: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, Some(3)]));
        let sent = column.to_data().buffers()[0].as_ptr();
        let mut rows = import_rows(Some(stream(column.clone())), Values::Checked).unwrap();
        let batch = rows.next().unwrap().unwrap();
        assert_eq!(batch.column(0), &column);
        assert_eq!(batch.column(0).to_data().buffers()[0].as_ptr(), sent);
        assert!(rows.next().is_none());
    }

    #[test]
    fn a_stream_that_is_gone_is_refused() {
        for gone in [None, Some(FFI_ArrowArrayStream::empty())] {
            assert_eq!(import_rows(gone, Values::Checked).err().unwrap().code(), Code::InvalidArgument);
        }
        assert_eq!(import_schema(Some(FFI_ArrowSchema::empty())).err().unwrap().code(), Code::InvalidArgument);
        let number = FFI_ArrowSchema::try_from(&Field::new("a", DataType::Int32, true)).unwrap();
        assert_eq!(import_schema(Some(number)).err().unwrap().code(), Code::InvalidArgument, "no struct");
    }

    #[test]
    fn texts_that_are_not_utf8_are_refused_before_they_are_stored() {
        let offsets = Buffer::from_slice_ref([0_i32, 1, 2]);
        // SAFETY: it is wrong on purpose, and only handed to what checks it.
        let data = unsafe {
            ArrayData::builder(DataType::Utf8)
                .len(2)
                .add_buffer(offsets)
                .add_buffer(Buffer::from(b"a\xff"))
                .build_unchecked()
        };
        let wrong = || Arc::new(StringArray::from(data.clone())) as ArrayRef;
        assert_eq!(code(import_rows(Some(stream(wrong())), Values::Checked).unwrap()), Some(Code::InvalidArgument));
        assert_eq!(code(import_rows(Some(stream(wrong())), Values::Trusted).unwrap()), None);
    }

    #[test]
    fn buffers_that_are_not_aligned_are_copied_and_all_others_are_not() {
        let bytes = Buffer::from_vec((0..17_u8).collect::<Vec<_>>());
        let schema = Arc::new(Schema::new(vec![Field::new("a", DataType::Int64, false)]));
        for start in [0, 1] {
            let place = bytes.slice_with_length(start, 16);
            // SAFETY: Arrow looks at the alignment where it makes an array of it, which the import does later.
            let rows = unsafe {
                let numbers = ArrayData::builder(DataType::Int64).len(2).add_buffer(place.clone()).build_unchecked();
                let rows = ArrayData::builder(DataType::Struct(schema.fields().clone()));
                rows.len(2).add_child_data(numbers).build_unchecked()
            };
            let stream =
                Stream { stream: FFI_ArrowArrayStream::empty(), schema: schema.clone(), values: Values::Checked };
            let batch = stream.batch(FFI_ArrowArray::new(&rows)).unwrap();
            let arrived = batch.column(0).to_data().buffers()[0].clone();
            assert_eq!(arrived.as_slice(), place.as_slice());
            assert_eq!(arrived.as_ptr() == place.as_ptr(), place.as_ptr().cast::<i64>().is_aligned());
        }
    }

    #[test]
    fn the_producers_error_is_told() {
        let schema = Arc::new(Schema::new(vec![Field::new("a", DataType::Int32, true)]));
        let failing =
            |error| FFI_ArrowArrayStream::new(Box::new(RecordBatchIterator::new([Err(error)], schema.clone())));
        let out_of_range = import_rows(Some(failing(ArrowError::ComputeError("out of range".into()))), Values::Checked);
        let error = error_from_arrow(out_of_range.unwrap().next().unwrap().err().unwrap());
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.to_string().contains("out of range"), "{error}");
        let unreadable = ArrowError::IoError("disk on fire".into(), io::Error::other("x"));
        assert_eq!(code(import_rows(Some(failing(unreadable)), Values::Checked).unwrap()), Some(Code::Io));
    }
}
