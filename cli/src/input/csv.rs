//! CSV: types are found from a sample, and a value that does not fit is named with its line.

use armillaria::Result;
use arrow::array::{Array, ArrayRef, RecordBatch, StringArray, StringBuilder};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use csv::{Reader, ReaderBuilder, StringRecord};

use super::csv_lines::{CsvLines, EmptyLines};
use super::infer::TypeGuess;
use super::lossless::keeps;
use super::{BATCH_ROWS, Batches, Position, ReadOptions, Source};

/// Columns and types, from the header and a sample.
pub(super) fn schema(source: &Source, options: &ReadOptions) -> Result<Schema> {
    let (names, mut reader) = open(source, options, &Position::default())?;
    let mut guesses = vec![TypeGuess::new(); names.len()];
    for record in reader.records().take(options.sample_rows) {
        let record = record.map_err(|error| wrong(source, &error))?;
        for (guess, value) in guesses.iter_mut().zip(record.iter()).filter(|(_, value)| !is_null(value, options)) {
            guess.see(value);
        }
    }
    let fields = names.iter().zip(guesses).map(|(name, guess)| Field::new(name, guess.data_type(), true));
    Ok(Schema::new(fields.collect::<Vec<_>>()))
}

/// The rows, every value as the target's type of its column.
pub(super) fn read(source: &Source, target: &Schema, options: &ReadOptions, position: &Position) -> Result<Batches> {
    let (names, reader) = open(source, options, position)?;
    let field = |name: &String| match target.field_with_name(name) {
        Ok(field) => Field::new(name, field.data_type().clone(), true),
        Err(_) => Field::new(name, DataType::Utf8, true),
    };
    let schema = Schema::new(names.iter().map(field).collect::<Vec<_>>()).into();
    let source = Source { path: source.path.clone(), name: source.name.clone(), _spool: None, ..*source };
    let mut rows = Rows { source, reader, schema, options: options.clone(), record: StringRecord::new() };
    Ok(Box::new(std::iter::from_fn(move || rows.next_batch().transpose())))
}

/// The column names, and the rows.
fn open(source: &Source, options: &ReadOptions, position: &Position) -> Result<(Vec<String>, Reader<CsvLines>)> {
    let names = names(source, options, &mut reader(source, options, &Position::default(), EmptyLines::Skipped)?)?;
    let empty_lines = match names.as_slice() {
        [_] if options.header => EmptyLines::RowsBelowHeader,
        [_] => EmptyLines::Rows,
        _ => EmptyLines::Skipped,
    };
    let mut rows = reader(source, options, position, empty_lines)?;
    // So that the first record of values has its own line in errors.
    rows.headers().map_err(|error| wrong(source, &error))?;
    Ok((names, rows))
}

fn reader(
    source: &Source,
    options: &ReadOptions,
    position: &Position,
    empty_lines: EmptyLines,
) -> Result<Reader<CsvLines>> {
    let tabs = source.path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("tsv"));
    let delimiter = options.delimiter.unwrap_or(if tabs { b'\t' } else { b',' });
    let lines = CsvLines::new(source.counted(position)?, delimiter, empty_lines);
    let mut builder = ReaderBuilder::new();
    Ok(builder.delimiter(delimiter).has_headers(options.header).buffer_capacity(1 << 16).from_reader(lines))
}

/// The column names: the header, or `column1`, `column2` …
fn names(source: &Source, options: &ReadOptions, reader: &mut Reader<CsvLines>) -> Result<Vec<String>> {
    let first = reader.headers().map_err(|error| wrong(source, &error))?;
    let names: Vec<String> = match options.header {
        true => first.iter().map(str::to_string).collect(),
        false => (1..=first.len()).map(|number| format!("column{number}")).collect(),
    };
    match names.as_slice() {
        [] => Err(source.wrong("the file is empty; the first line must name the columns")),
        _ => Ok(names),
    }
}

fn is_null(value: &str, options: &ReadOptions) -> bool {
    value.is_empty() || options.nulls.iter().any(|null| null == value)
}

/// `file line 17: …`, for what the CSV reader itself refuses.
fn wrong(source: &Source, error: &csv::Error) -> armillaria::Error {
    let line = error.position().map_or(0, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            source.wrong(format!("line {line} has {len} columns, the lines before it have {expected_len}"))
        }
        csv::ErrorKind::Utf8 { .. } => source.wrong(format!("line {line} is not UTF-8")),
        csv::ErrorKind::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => source.wrong(error),
        _ => source.wrong(error),
    }
}

struct Rows {
    source: Source,
    reader: Reader<CsvLines>,
    schema: SchemaRef,
    options: ReadOptions,
    record: StringRecord,
}

impl Rows {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let (texts, lines) = self.next_texts()?;
        if lines.is_empty() {
            return Ok(None);
        }
        let columns = texts.into_iter().zip(self.schema.fields());
        let columns = columns.map(|(text, field)| self.convert(text, field, &lines)).collect::<Result<Vec<_>>>()?;
        RecordBatch::try_new(self.schema.clone(), columns).map(Some).map_err(|error| self.source.wrong(error))
    }

    /// Up to a batch of rows as text, and the line of each.
    fn next_texts(&mut self) -> Result<(Vec<StringArray>, Vec<u64>)> {
        let mut builders: Vec<StringBuilder> = self.schema.fields().iter().map(|_| StringBuilder::new()).collect();
        let mut lines = Vec::new();
        while lines.len() < BATCH_ROWS {
            if !self.reader.read_record(&mut self.record).map_err(|error| wrong(&self.source, &error))? {
                break;
            }
            lines.push(self.record.position().map_or(0, csv::Position::line));
            for (builder, value) in builders.iter_mut().zip(self.record.iter()) {
                builder.append_option((!is_null(value, &self.options)).then_some(value));
            }
        }
        Ok((builders.iter_mut().map(StringBuilder::finish).collect(), lines))
    }

    fn convert(&self, text: StringArray, field: &Field, lines: &[u64]) -> Result<ArrayRef> {
        let lenient = CastOptions { safe: true, ..CastOptions::default() };
        let converted = cast_with_options(&text, field.data_type(), &lenient).map_err(|_| {
            self.source.wrong(format!("CSV cannot hold column {:?} of type {}", field.name(), field.data_type()))
        })?;
        let must_keep = self.options.must_keep(field.name());
        let lost = |row: &usize| must_keep && !keeps(text.value(*row), field.data_type());
        let mut given = (0..text.len()).filter(|&row| text.is_valid(row));
        match given.find(|row| converted.is_null(*row) || lost(row)) {
            None => Ok(converted),
            Some(row) => Err(self.misfit(field, lines[row], text.value(row), converted.is_valid(row))),
        }
    }

    fn misfit(&self, field: &Field, line: u64, value: &str, lost: bool) -> armillaria::Error {
        let (name, data_type) = (field.name(), field.data_type());
        let misfit = if lost { "would lose digits as" } else { "is not" };
        let way_out =
            "; choose another type with --type, name a null with --null, or look at more rows with --sample-rows";
        self.source.wrong(format!("line {line}: {value:?} in column {name:?} {misfit} {data_type}{way_out}"))
    }
}
