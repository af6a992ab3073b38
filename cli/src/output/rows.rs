//! Rows in every format, written batch by batch as they come.

use std::io::{self, Write};
use std::sync::Arc;

use armillaria::{Error, RowStream};
use arrow::array::RecordBatch;
use arrow::csv::WriterBuilder as CsvBuilder;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::ipc::writer::FileWriter;
use arrow::json::WriterBuilder as JsonBuilder;
use arrow::json::writer::{JsonArray, LineDelimited};
use clap::ValueEnum;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::json_values::Faithful;
use super::{Output, show_rows};
use crate::failure::{Failure, Outcome};
use crate::file_format::FileFormat;
use crate::style::Style;

/// A table for people shows this many rows, unless told otherwise.
pub(crate) const TABLE_ROWS_MAX: usize = 50;

/// How the rows of a query are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RowsFormat {
    /// A table for people.
    Table,
    /// Text, the columns named in the first line.
    Csv,
    /// One array of objects; floats that are not finite are the texts NaN, Infinity and -Infinity.
    Json,
    /// One object a line.
    Jsonl,
    /// The Arrow IPC file format.
    Arrow,
    /// Apache Parquet.
    Parquet,
}

impl From<FileFormat> for RowsFormat {
    fn from(format: FileFormat) -> RowsFormat {
        match format {
            FileFormat::Csv => RowsFormat::Csv,
            FileFormat::Json => RowsFormat::Json,
            FileFormat::Jsonl => RowsFormat::Jsonl,
            FileFormat::Arrow => RowsFormat::Arrow,
            FileFormat::Parquet => RowsFormat::Parquet,
        }
    }
}

impl RowsFormat {
    /// Whether a terminal would only show noise.
    pub(crate) const fn is_binary(self) -> bool {
        matches!(self, RowsFormat::Arrow | RowsFormat::Parquet)
    }
}

/// Where rows go.
pub(crate) type Sink<'a> = &'a mut (dyn Write + Send);

/// Writes all rows and returns their number; a table shows only the first `table_rows_max`, all if it is 0.
pub(crate) fn write_rows(
    rows: RowStream,
    format: RowsFormat,
    out: Sink<'_>,
    table_rows_max: usize,
    style: Style,
) -> Outcome<u64> {
    let mut rows = Counted { rows, count: 0 };
    let mut out = Watched { out, error: None };
    let written = match format {
        RowsFormat::Table => table(&mut rows, &mut out, table_rows_max, style),
        RowsFormat::Csv => csv(&mut rows, &mut out),
        RowsFormat::Json => json(&mut rows, &mut out),
        RowsFormat::Jsonl => jsonl(&mut rows, &mut out),
        RowsFormat::Arrow => arrow(&mut rows, &mut out),
        RowsFormat::Parquet => parquet(&mut rows, &mut out),
    };
    match (written, out.error) {
        (Err(_), Some(error)) => Err(Failure::Output(error)),
        (written, _) => written.map(|()| rows.count),
    }
}

/// Prints rows to standard output: in the format that was asked for, else as a table, or JSON to programs.
pub(crate) fn print_rows(rows: RowStream, format: Option<RowsFormat>, output: Output) -> Outcome {
    let usual = if output.is_json() { RowsFormat::Json } else { RowsFormat::Table };
    let mut out = io::BufWriter::new(io::stdout());
    write_rows(rows, format.unwrap_or(usual), &mut out, TABLE_ROWS_MAX, output.style())?;
    Ok(out.flush()?)
}

/// Remembers the operating system's own error, which the writers of formats turn into text.
struct Watched<'a> {
    out: Sink<'a>,
    error: Option<io::Error>,
}

impl Watched<'_> {
    fn watch<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let kind = error.kind();
            self.error = Some(error);
            io::Error::from(kind)
        })
    }
}

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.out.write(bytes);
        self.watch(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.out.flush();
        self.watch(result)
    }
}

struct Counted {
    rows: RowStream,
    count: u64,
}

impl Iterator for Counted {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.rows.next()?;
        self.count += batch.as_ref().map_or(0, |batch| batch.num_rows() as u64);
        Some(batch)
    }
}

fn table(rows: &mut Counted, out: &mut Watched<'_>, rows_max: usize, style: Style) -> Outcome {
    let schema = rows.rows.schema();
    show_rows(&schema, rows, rows_max, out, style).map(|_| ())
}

fn csv(rows: &mut Counted, out: &mut Watched<'_>) -> Outcome {
    let schema = rows.rows.schema();
    if let Some(field) = schema.fields().iter().find(|field| is_nested(field.data_type())) {
        let what = format!("column {:?} of type {} in CSV", field.name(), field.data_type());
        return Err(Error::Unsupported { what, instead: "write jsonl, arrow or parquet".into() }.into());
    }
    let mut writer = CsvBuilder::new().with_header(true).build(out);
    // An empty batch makes the writer write the header even where no rows come.
    writer.write(&RecordBatch::new_empty(schema)).map_err(unwritten)?;
    rows.try_for_each(|batch| writer.write(&batch?).map_err(unwritten))
}

fn is_nested(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => values.is_nested(),
        other => other.is_nested(),
    }
}

/// Parquet's writer panics where it meets one.
fn holds_union(data_type: &DataType) -> bool {
    match data_type {
        DataType::Union(..) => true,
        DataType::Dictionary(_, values) => holds_union(values),
        DataType::Struct(fields) => fields.iter().any(|field| holds_union(field.data_type())),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::RunEndEncoded(_, item)
        | DataType::Map(item, _) => holds_union(item.data_type()),
        _ => false,
    }
}

fn json(rows: &mut Counted, out: &mut Watched<'_>) -> Outcome {
    let mut writer = json_builder().build::<_, JsonArray>(&mut *out);
    rows.try_for_each(|batch| writer.write(&batch?).map_err(unwritten))?;
    writer.finish().map_err(unwritten)?;
    Ok(writeln!(out)?)
}

fn json_builder() -> JsonBuilder {
    JsonBuilder::new().with_explicit_nulls(true).with_encoder_factory(Arc::new(Faithful))
}

fn jsonl(rows: &mut Counted, out: &mut Watched<'_>) -> Outcome {
    let mut writer = json_builder().build::<_, LineDelimited>(out);
    rows.try_for_each(|batch| writer.write(&batch?).map_err(unwritten))?;
    writer.finish().map_err(unwritten)
}

fn arrow(rows: &mut Counted, out: &mut Watched<'_>) -> Outcome {
    let mut writer = FileWriter::try_new(out, &rows.rows.schema()).map_err(unwritten)?;
    rows.try_for_each(|batch| writer.write(&batch?).map_err(unwritten))?;
    writer.finish().map_err(unwritten)
}

fn parquet(rows: &mut Counted, out: &mut Watched<'_>) -> Outcome {
    let schema = rows.rows.schema();
    if let Some(field) = schema.fields().iter().find(|field| holds_union(field.data_type())) {
        let what = format!("column {:?} of type {} in Parquet", field.name(), field.data_type());
        return Err(Error::Unsupported { what, instead: "write arrow, or cast the column".into() }.into());
    }
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let mut writer = ArrowWriter::try_new(out, rows.rows.schema(), Some(properties)).map_err(unwritten)?;
    rows.try_for_each(|batch| writer.write(&batch?).map_err(unwritten))?;
    writer.close().map(|_| ()).map_err(unwritten)
}

/// The format cannot hold these rows; what the operating system refused is in [`Watched`].
fn unwritten(error: impl std::fmt::Display) -> Failure {
    let what = format!("writing these rows ({error})");
    Failure::Core(Error::Unsupported { what, instead: "choose another format, or cast the column".into() })
}
