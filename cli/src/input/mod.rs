//! Reads files as streams of record batches: CSV, Parquet, JSON and Arrow IPC, never a whole file in memory.
//!
//! Several files become one stream: their schemas are united by column name, and each batch is brought to the united
//! schema. Every error names the file, and the line or record where it can.

mod arrow_ipc;
mod csv;
mod csv_lines;
mod infer;
mod json;
mod json_type;
mod lossless;
mod parquet;
mod spool;
mod unite;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use armillaria::{CancelToken, Error, Result};
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use tempfile::NamedTempFile;

use crate::file_format::FileFormat;

/// What some programs write before UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Rows are handed on in batches of this many.
const BATCH_ROWS: usize = 8192;

/// The batches of one file.
type Batches = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// How text becomes rows, where the file itself does not say.
#[derive(Clone, Debug)]
pub(crate) struct ReadOptions {
    /// The format; by the file's extension if absent.
    pub(crate) format: Option<FileFormat>,
    /// What separates the columns of CSV; a comma, or a tab in `.tsv`, if absent.
    pub(crate) delimiter: Option<u8>,
    /// Whether the first line of CSV names the columns.
    pub(crate) header: bool,
    /// Texts that stand for null in CSV, besides the empty one.
    pub(crate) nulls: Vec<String>,
    /// Types that the user chose, by column.
    pub(crate) types: Vec<(String, DataType)>,
    /// How many rows of each text file are looked at to find the types.
    pub(crate) sample_rows: usize,
    /// The schema of the table that will take the rows: its types win over guessed ones.
    pub(crate) table: Option<SchemaRef>,
}

impl ReadOptions {
    /// The type that was chosen for a column, by the user or by the table.
    fn chosen_type(&self, column: &str) -> Option<DataType> {
        let by_table = || self.table.as_ref()?.field_with_name(column).ok().map(|field| field.data_type());
        self.users_type(column).or_else(by_table).cloned()
    }

    fn users_type(&self, column: &str) -> Option<&DataType> {
        self.types.iter().find(|(name, _)| name == column).map(|(_, data_type)| data_type)
    }

    /// Whether a column must hold every value whole: unless the user has chosen its type, nobody has agreed to a loss.
    fn must_keep(&self, column: &str) -> bool {
        self.users_type(column).is_none()
    }

    /// The same without the table's types, for files that know their own.
    fn chosen_by_user(&self) -> ReadOptions {
        ReadOptions { table: None, ..self.clone() }
    }

    /// Replaces guessed types by chosen ones.
    fn settle(&self, guessed: &Schema) -> Schema {
        let settle = |field: &Arc<Field>| match self.chosen_type(field.name()) {
            Some(data_type) => Field::new(field.name(), data_type, true),
            None => field.as_ref().clone(),
        };
        Schema::new(guessed.fields().iter().map(settle).collect::<Vec<_>>())
    }
}

/// How far reading has come, shared with a progress bar.
#[derive(Clone, Debug, Default)]
pub(crate) struct Position {
    bytes: Arc<AtomicU64>,
}

impl Position {
    /// Bytes of files read so far; where a format is not read in order, in proportion to its rows.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn advance(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// One file to read.
#[derive(Debug)]
struct Source {
    path: PathBuf,
    /// What errors call it.
    name: String,
    format: FileFormat,
    bytes: u64,
    /// Where standard input was put, until the rows are read.
    _spool: Option<NamedTempFile>,
}

/// Several files, opened and understood, ready to be read as one stream.
#[derive(Debug)]
pub(crate) struct Files {
    sources: Vec<Source>,
    options: ReadOptions,
    schema: SchemaRef,
}

impl Files {
    /// Opens files (`-` is standard input) and finds the schema that unites them.
    pub(crate) fn open(paths: &[PathBuf], options: ReadOptions, cancel: &CancelToken) -> Result<Files> {
        let sources = paths.iter().map(|path| Source::open(path, &options, cancel)).collect::<Result<Vec<_>>>()?;
        let schemas = sources.iter().map(|source| source.schema(&options)).collect::<Result<Vec<_>>>()?;
        let named = sources.iter().map(|source| source.name.as_str()).zip(&schemas);
        let schema = unite::unite(named)?;
        if let Some((column, _)) = options.types.iter().find(|(name, _)| schema.field_with_name(name).is_err()) {
            return Err(Error::invalid("type", format!("no file has a column {column:?}")));
        }
        Ok(Files { sources, options, schema: Arc::new(schema) })
    }

    /// Bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.sources.iter().map(|source| source.bytes).sum()
    }

    /// The united schema.
    #[cfg(test)]
    pub(crate) fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// All rows, file after file.
    pub(crate) fn read(self, position: Position) -> armillaria::RowStream {
        let schema = self.schema.clone();
        let batches =
            self.sources.into_iter().flat_map(move |source| source.read_as(&self.schema, &self.options, &position));
        crate::rows::stream(schema, batches)
    }
}

impl Source {
    fn open(path: &Path, options: &ReadOptions, cancel: &CancelToken) -> Result<Source> {
        if path == Path::new("-") {
            return Source::standard_input(options, cancel);
        }
        let name = path.display().to_string();
        let format = options.format.or_else(|| FileFormat::of(path)).ok_or_else(|| unknown_format(&name))?;
        let failed = |error| Error::io("read a file", &name, error);
        let metadata = path.metadata().map_err(failed)?;
        if metadata.is_file() {
            return Ok(Source { path: path.into(), name, format, bytes: metadata.len(), _spool: None });
        }
        if metadata.is_dir() {
            return Err(Error::invalid("file", format!("{name} is a folder, not a file")));
        }
        let path = path.to_owned();
        Source::spooled(move || File::open(path), name, format, cancel)
    }

    fn standard_input(options: &ReadOptions, cancel: &CancelToken) -> Result<Source> {
        let format = options.format.ok_or_else(|| unknown_format("standard input"))?;
        Source::spooled(|| Ok(io::stdin()), "standard input".into(), format, cancel)
    }

    /// Puts what can be read only once into a temporary file, because types are found by reading twice.
    fn spooled<R: Read>(
        open: impl FnOnce() -> io::Result<R> + Send + 'static,
        name: String,
        format: FileFormat,
        cancel: &CancelToken,
    ) -> Result<Source> {
        let (spool, bytes) = spool::spool(open, &name, cancel)?;
        Ok(Source { path: spool.path().into(), name, format, bytes, _spool: Some(spool) })
    }

    fn file(&self) -> Result<File> {
        File::open(&self.path).map_err(|error| self.io_error(error))
    }

    fn counted(&self, position: &Position) -> Result<Counted> {
        Ok(Counted { file: self.file()?, position: position.clone() })
    }

    fn schema(&self, options: &ReadOptions) -> Result<Schema> {
        match self.format {
            FileFormat::Csv => csv::schema(self, options).map(|guessed| options.settle(&guessed)),
            FileFormat::Json | FileFormat::Jsonl => json::schema(self, options).map(|guessed| options.settle(&guessed)),
            FileFormat::Parquet => parquet::schema(self).map(|schema| options.chosen_by_user().settle(&schema)),
            FileFormat::Arrow => arrow_ipc::schema(self).map(|schema| options.chosen_by_user().settle(&schema)),
        }
    }

    fn read(&self, target: &Schema, options: &ReadOptions, position: &Position) -> Result<Batches> {
        match self.format {
            FileFormat::Csv => csv::read(self, target, options, position),
            FileFormat::Json | FileFormat::Jsonl => json::read(self, target, options, position),
            FileFormat::Parquet => parquet::read(self, position),
            FileFormat::Arrow => arrow_ipc::read(self, position),
        }
    }

    fn read_as(self, target: &SchemaRef, options: &ReadOptions, position: &Position) -> Batches {
        let target = target.clone();
        match self.read(&target, options, position) {
            Err(error) => Box::new(std::iter::once(Err(error))),
            Ok(batches) => {
                Box::new(batches.map(move |batch| unite::bring_to(&batch?, &target).map_err(|error| self.wrong(error))))
            }
        }
    }

    fn io_error(&self, error: io::Error) -> Error {
        Error::io("read a file", &self.name, error)
    }

    /// `INVALID_ARGUMENT` that names this file.
    fn wrong(&self, reason: impl std::fmt::Display) -> Error {
        Error::invalid("file", format!("{}: {reason}", self.name))
    }
}

fn unknown_format(name: &str) -> Error {
    Error::invalid("file", format!("the format of {name} is unknown; say --format csv, parquet, json, jsonl or arrow"))
}

/// A file that tells how far it was read.
#[derive(Debug)]
struct Counted {
    file: File,
    position: Position,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.file.read(buffer)?;
        self.position.advance(bytes as u64);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests;
