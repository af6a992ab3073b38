//! JSON: an array of objects, or objects one after another.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use armillaria::Result;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::json::ReaderBuilder;
use serde_json::value::RawValue;

use super::json_type::{self, Shape};
use super::lossless::{keeps, may_lose};
use super::{BATCH_ROWS, BYTE_ORDER_MARK, Batches, Counted, Position, ReadOptions, Source};

/// Columns and types, from a sample.
pub(super) fn schema(source: &Source, options: &ReadOptions) -> Result<Schema> {
    let mut shape = Shape::Nothing;
    for value in values(source)?.take(options.sample_rows) {
        shape.see(&value?).map_err(|error| source.wrong(error))?;
    }
    match shape {
        Shape::Nothing => Err(source.wrong("the file has no objects")),
        shape => json_type::columns(source, shape, options),
    }
}

/// The rows; keys that no column has are an error, because they came after the sample.
pub(super) fn read(source: &Source, target: &Schema, options: &ReadOptions, position: &Position) -> Result<Batches> {
    let target = Target::new(target, options);
    let objects = BufReader::with_capacity(1 << 20, Objects::new(source.counted(position)?));
    let reader = target.reader().build(objects).map_err(|error| source.wrong(error))?;
    let source = Source { path: source.path.clone(), name: source.name.clone(), _spool: None, ..*source };
    Ok(Box::new(reader.map(move |batch| {
        batch.and_then(|batch| target.convert(&batch)).map_err(|error| locate(&source, &target, &error))
    })))
}

/// What objects become. Numbers are read as text and converted then, because Arrow's reader would cut and round them.
struct Target {
    read: SchemaRef,
    columns: SchemaRef,
    /// For each column, whether it must hold every value whole.
    must_keep: Vec<bool>,
}

impl Target {
    fn new(columns: &Schema, options: &ReadOptions) -> Target {
        let must_keep: Vec<bool> = columns.fields().iter().map(|field| options.must_keep(field.name())).collect();
        let read = columns.fields().iter().zip(&must_keep).map(|(field, must_keep)| read_as(field, *must_keep));
        let read = Arc::new(Schema::new(read.collect::<Vec<_>>()));
        Target { read, columns: Arc::new(columns.clone()), must_keep }
    }

    fn reader(&self) -> ReaderBuilder {
        let builder = ReaderBuilder::new(self.read.clone()).with_batch_size(BATCH_ROWS);
        builder.with_strict_mode(true).with_coerce_primitive(true)
    }

    fn convert(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let columns = batch.columns().iter().zip(self.columns.fields()).zip(&self.must_keep);
        let columns = columns.map(|((column, field), must_keep)| {
            let lenient = CastOptions { safe: true, ..CastOptions::default() };
            let converted = cast_with_options(column, field.data_type(), &lenient)?;
            match misfit(column.as_ref(), converted.as_ref(), *must_keep) {
                None => Ok(converted),
                Some(value) => {
                    let (name, data_type) = (field.name(), field.data_type());
                    Err(ArrowError::JsonError(format!("{value} in column {name:?} does not fit {data_type}")))
                }
            }
        });
        RecordBatch::try_new(self.columns.clone(), columns.collect::<Result<_, _>>()?)
    }

    fn decode_one(&self, object: &RawValue) -> Result<(), ArrowError> {
        let mut decoder = self.reader().build_decoder()?;
        decoder.decode(object.get().as_bytes())?;
        let batch = decoder.flush()?;
        batch.map_or(Ok(()), |batch| self.convert(&batch).map(|_| ()))
    }
}

/// The field with its numbers as text: whole ones always, others and times where nothing may be lost.
fn read_as(field: &Field, must_keep: bool) -> Field {
    let inner = |field: &FieldRef| Arc::new(read_as(field, must_keep));
    let data_type = match field.data_type() {
        number if number.is_integer() => DataType::Utf8,
        lossy if must_keep && may_lose(lossy) => DataType::Utf8,
        DataType::List(item) => DataType::List(inner(item)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        other => other.clone(),
    };
    field.clone().with_data_type(data_type)
}

/// The first text that is not there any more after its conversion, or not whole.
fn misfit(text: &dyn Array, converted: &dyn Array, must_keep: bool) -> Option<String> {
    match (text.data_type(), converted.data_type()) {
        (DataType::Utf8, DataType::Utf8) => None,
        (DataType::Utf8, data_type) => {
            let text = text.as_string::<i32>();
            let kept = |row| converted.is_valid(row) && (!must_keep || keeps(text.value(row), data_type));
            (0..text.len()).find(|&row| text.is_valid(row) && !kept(row)).map(|row| text.value(row).into())
        }
        (DataType::List(_), DataType::List(_)) => {
            let (text, converted) = (text.as_list::<i32>(), converted.as_list::<i32>());
            misfit(text.values().as_ref(), converted.values().as_ref(), must_keep)
        }
        (DataType::Struct(_), DataType::Struct(_)) => {
            let columns = text.as_struct().columns().iter().zip(converted.as_struct().columns());
            columns.into_iter().find_map(|(text, converted)| misfit(text.as_ref(), converted.as_ref(), must_keep))
        }
        _ => None,
    }
}

/// Reads the file again, one object at a time, to say which one is wrong.
fn locate(source: &Source, target: &Target, error: &ArrowError) -> armillaria::Error {
    let first_bad = || -> Result<()> {
        for (index, value) in values(source)?.enumerate() {
            let value = value?;
            target.decode_one(&value).map_err(|error| {
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

/// Every object of the file, as it is written; an error names the line.
fn values(source: &Source) -> Result<impl Iterator<Item = Result<Box<RawValue>>> + use<'_>> {
    let objects = BufReader::new(Objects::new(source.counted(&Position::default())?));
    let values = serde_json::Deserializer::from_reader(objects).into_iter::<Box<RawValue>>();
    Ok(values.map(move |value| match value {
        Ok(value) if value.get().starts_with('{') => Ok(value),
        Ok(other) => Err(source.wrong(format!("every row must be an object, found {}", shorten(other.get())))),
        Err(error) => Err(source.wrong(error)),
    }))
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

/// Passes a sequence of objects through, and takes a byte order mark and the brackets and commas of a surrounding array
/// away.
///
/// Every byte that goes becomes a space, so lines and columns in errors stay right.
struct Objects {
    file: BufReader<Counted>,
    begun: bool,
    array: Option<bool>,
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Objects {
    fn new(file: Counted) -> Objects {
        Objects { file: BufReader::new(file), begun: false, array: None, depth: 0, in_string: false, escaped: false }
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
        let mut available = self.file.fill_buf()?;
        if !std::mem::replace(&mut self.begun, true) && available.starts_with(BYTE_ORDER_MARK) {
            self.file.consume(BYTE_ORDER_MARK.len());
            available = self.file.fill_buf()?;
        }
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
