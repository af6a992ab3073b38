//! The file formats that can be imported and exported.

use std::path::Path;

use clap::ValueEnum;

/// A format of files that hold rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileFormat {
    /// Text, one row a line, the columns named in the first line.
    Csv,
    /// An array of objects (objects one after another are read too).
    Json,
    /// One object a line.
    Jsonl,
    /// The Arrow IPC file format (the stream format is read too).
    Arrow,
    /// Apache Parquet.
    Parquet,
}

impl FileFormat {
    /// The format that a file's extension stands for.
    pub(crate) fn of(path: &Path) -> Option<FileFormat> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" | "tsv" => Some(FileFormat::Csv),
            "json" => Some(FileFormat::Json),
            "jsonl" | "ndjson" => Some(FileFormat::Jsonl),
            "arrow" | "arrows" | "ipc" | "feather" => Some(FileFormat::Arrow),
            "parquet" | "pq" => Some(FileFormat::Parquet),
            _ => None,
        }
    }
}
