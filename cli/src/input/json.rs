//! JSON: an array of objects, or objects one after another.

use std::io::{self, BufRead, BufReader, Read};

use armillaria::Result;
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::json::ReaderBuilder;
use arrow::json::reader::infer_json_schema_from_iterator;
use serde_json::Value;

use super::{BATCH_ROWS, Batches, Counted, Position, ReadOptions, Source};

/// Columns and types, from a sample.
pub(super) fn schema(source: &Source, options: &ReadOptions) -> Result<Schema> {
    let values = values(source)?.take(options.sample_rows).collect::<Result<Vec<_>>>()?;
    if values.is_empty() {
        return Err(source.wrong("the file has no objects"));
    }
    infer_json_schema_from_iterator(values.iter().map(Ok)).map_err(|error| source.wrong(error))
}

/// The rows; keys that no column has are an error, because they came after the sample.
pub(super) fn read(source: &Source, target: &Schema, position: &Position) -> Result<Batches> {
    let schema = std::sync::Arc::new(target.clone());
    let builder = ReaderBuilder::new(schema.clone()).with_batch_size(BATCH_ROWS).with_strict_mode(true);
    let objects = BufReader::with_capacity(1 << 20, Objects::new(source.counted(position)?));
    let reader = builder.build(objects).map_err(|error| source.wrong(error))?;
    let source = Source { path: source.path.clone(), name: source.name.clone(), _spool: None, ..*source };
    Ok(Box::new(reader.map(move |batch| batch.map_err(|error| locate(&source, &schema, &error)))))
}

/// Reads the file again, one object at a time, to say which one is wrong.
fn locate(source: &Source, target: &Schema, error: &arrow::error::ArrowError) -> armillaria::Error {
    let first_bad = || -> Result<()> {
        for (index, value) in values(source)?.enumerate() {
            let value = value?;
            decode_one(target, &value).map_err(|error| {
                source.wrong(format!(
                    "object {}: {error}; choose another type with --type, or look at more rows with --sample-rows",
                    index + 1
                ))
            })?;
        }
        Ok(())
    };
    first_bad().err().unwrap_or_else(|| source.wrong(error))
}

fn decode_one(target: &Schema, value: &Value) -> Result<Option<RecordBatch>, arrow::error::ArrowError> {
    let mut decoder = ReaderBuilder::new(target.clone().into()).with_strict_mode(true).build_decoder()?;
    decoder.serialize(std::slice::from_ref(value))?;
    decoder.flush()
}

/// Every object of the file; an error names the line.
fn values(source: &Source) -> Result<impl Iterator<Item = Result<Value>> + use<'_>> {
    let objects = BufReader::new(Objects::new(source.counted(&Position::default())?));
    let values = serde_json::Deserializer::from_reader(objects).into_iter::<Value>();
    Ok(values.map(move |value| match value {
        Ok(value) if value.is_object() => Ok(value),
        Ok(other) => Err(source.wrong(format!("every row must be an object, found {}", shorten(&other.to_string())))),
        Err(error) => Err(source.wrong(error)),
    }))
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

/// Passes a sequence of objects through, and takes the brackets and commas of a surrounding array away.
///
/// Every byte that goes becomes a space, so lines and columns in errors stay right.
struct Objects {
    file: BufReader<Counted>,
    array: Option<bool>,
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Objects {
    fn new(file: Counted) -> Objects {
        Objects { file: BufReader::new(file), array: None, depth: 0, in_string: false, escaped: false }
    }

    fn pass(&mut self, byte: u8) -> u8 {
        if self.in_string {
            self.in_string = self.escaped || byte != b'"';
            self.escaped = !self.escaped && byte == b'\\';
            return byte;
        }
        if self.array.is_none() && !byte.is_ascii_whitespace() {
            self.array = Some(byte == b'[');
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        let of_the_array = match byte {
            b'[' => self.depth == 1,
            b']' => self.depth == 0,
            b',' => self.depth == 1,
            _ => false,
        };
        if self.array == Some(true) && of_the_array { b' ' } else { byte }
    }
}

impl Read for Objects {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.file.fill_buf()?;
        if available.is_empty() && self.array == Some(true) && self.depth > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the array is not closed: the file is cut off"));
        }
        let bytes = available.len().min(buffer.len());
        buffer[..bytes].copy_from_slice(&available[..bytes]);
        self.file.consume(bytes);
        if self.array != Some(false) {
            buffer[..bytes].iter_mut().for_each(|byte| *byte = self.pass(*byte));
        }
        Ok(bytes)
    }
}
