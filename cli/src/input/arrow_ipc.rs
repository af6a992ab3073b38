//! Arrow IPC, the file format and the stream format.

use std::io::{BufReader, Read};

use armillaria::Result;
use arrow::array::RecordBatchReader;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::ipc::reader::{FileReader, StreamReader};

use super::{Batches, Counted, Position, Source};

const FILE_MAGIC: &[u8; 6] = b"ARROW1";

/// The schema at the beginning.
pub(super) fn schema(source: &Source) -> Result<Schema> {
    Ok(reader(source, &Position::default())?.schema().as_ref().clone())
}

/// The rows, batch after batch.
pub(super) fn read(source: &Source, position: &Position) -> Result<Batches> {
    let reader = reader(source, position)?;
    let name = source.name.clone();
    Ok(Box::new(
        reader.map(move |batch| batch.map_err(|error| armillaria::Error::invalid("file", format!("{name}: {error}")))),
    ))
}

fn reader(source: &Source, position: &Position) -> Result<Box<dyn RecordBatchReader + Send>> {
    let opened = if is_file_format(source)? { file(source, position)? } else { stream(source, position)? };
    opened.map_err(|error| source.wrong(format!("not Arrow IPC: {error}")))
}

type Opened = Result<Box<dyn RecordBatchReader + Send>, ArrowError>;

fn file(source: &Source, position: &Position) -> Result<Opened> {
    position.advance(source.bytes);
    let reader = FileReader::try_new_buffered(source.file()?, None);
    Ok(reader.map(|reader| -> Box<dyn RecordBatchReader + Send> { Box::new(reader) }))
}

fn stream(source: &Source, position: &Position) -> Result<Opened> {
    let reader: Result<StreamReader<BufReader<Counted>>, _> =
        StreamReader::try_new_buffered(source.counted(position)?, None);
    Ok(reader.map(|reader| -> Box<dyn RecordBatchReader + Send> { Box::new(reader) }))
}

fn is_file_format(source: &Source) -> Result<bool> {
    let mut magic = Vec::new();
    let read = source.file()?.take(FILE_MAGIC.len() as u64).read_to_end(&mut magic);
    read.map_err(|error| source.io_error(error))?;
    Ok(magic == FILE_MAGIC)
}
