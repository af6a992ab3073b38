//! `armillaria import`

use std::path::PathBuf;

use armillaria::{At, CancelToken, Error, WriteMode, WriteOptions};
use arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::describe;
use crate::context::{Access, Context};
use crate::failure::{Failure, Outcome};
use crate::file_format::FileFormat;
use crate::input::{Files, Position, ReadOptions};
use crate::interrupt;
use crate::progress::Progress;

const EXAMPLES: &str = "\
Examples:
  armillaria import flights flights.parquet
  armillaria import flights jan.csv feb.csv --mode append -m \"two more months\"
  armillaria import users users.csv --key id
  armillaria import codes codes.csv --type zip=text --type price=decimal(10,2) --null NA
  curl -s https://example.org/rows.jsonl | armillaria import rows - --format jsonl";

/// Reads files into a table, as one commit. The table is made if it is not there.
///
/// The types of CSV and JSON columns are found from a sample; when the table exists and rows are appended, its own types
/// are taken. A column whose numbers or times would lose digits stays text, unless --type says otherwise. An empty CSV
/// value is null.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Import {
    /// The table.
    table: String,
    /// The files; - is standard input. Their extensions say the formats.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Replace the table's rows, or add to them.
    #[arg(long, value_enum, default_value_t = Mode::Overwrite)]
    mode: Mode,
    /// The branch to commit to; the current branch if absent.
    #[arg(long, value_name = "BRANCH")]
    branch: Option<String>,
    /// The columns whose values tell rows apart (repeatable, or with commas): with them, changed rows show as updates in
    /// `changes` and `diff`.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    key: Vec<String>,
    /// Why.
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    #[command(flatten)]
    reading: Reading,
}

/// How files are read.
#[derive(Debug, Args)]
#[command(next_help_heading = "How files are read")]
struct Reading {
    /// The format, if the extensions do not say it.
    #[arg(long, value_name = "FORMAT")]
    format: Option<FileFormat>,
    /// What separates CSV columns: one character, or "tab".
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    delimiter: Option<u8>,
    /// The first line of CSV holds values, not names; columns become column1, column2 …
    #[arg(long)]
    no_header: bool,
    /// A CSV value that stands for null, besides the empty one (repeatable).
    #[arg(long, value_name = "TEXT")]
    null: Vec<String>,
    /// A column's type (repeatable): bool, int, float, text, date, timestamp, decimal(P,S).
    #[arg(long = "type", value_name = "COLUMN=TYPE", value_parser = column_type)]
    types: Vec<(String, DataType)>,
    /// How many rows of each CSV or JSON file are looked at to find the types.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    sample_rows: usize,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mode {
    /// The new rows take the place of the old.
    Overwrite,
    /// The new rows come after the old.
    Append,
}

impl Import {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let database = context.open(Access::Write)?;
        let at = self.branch.as_ref().map_or_else(At::head, At::branch);
        let table = match self.mode {
            Mode::Append => existing_schema(database.table_schema(&self.table, &at))?,
            Mode::Overwrite => None,
        };
        if table.is_some() && !self.key.is_empty() {
            self.check_key(&database.table_key(&self.table, &at)?)?;
        }
        let cancel = CancelToken::new();
        let _interrupt = interrupt::cancels(&cancel);
        let files = Files::open(&self.files, self.reading.options(table), &cancel)?;
        let progress =
            Progress::bytes(&format!("importing {}", self.table), files.bytes(), !context.output().is_json());
        let position = Position::default();
        let rows = progress.follow(files.read(position.clone()), position);
        let mode = match self.mode {
            Mode::Overwrite => WriteMode::Overwrite,
            Mode::Append => WriteMode::Append,
        };
        let options = WriteOptions { mode, key: self.key, branch: self.branch, message: self.message };
        let commit = database.write_table_with(&self.table, rows, &options, &cancel)?;
        drop(progress);
        context.output().answer(|| json!(commit), |out, style| describe::write_commit(&commit, out, style))
    }

    /// Rows that are added do not change the key.
    fn check_key(&self, key: &[String]) -> Outcome {
        if key == self.key {
            return Ok(());
        }
        let known = if key.is_empty() { "no key".into() } else { format!("the key {}", key.join(",")) };
        let reason = format!("the table has {known}, and rows that are added do not change it; --mode overwrite does");
        Err(Error::invalid("key", reason).into())
    }
}

fn existing_schema(schema: armillaria::Result<SchemaRef>) -> Outcome<Option<SchemaRef>> {
    match schema {
        Ok(schema) => Ok(Some(schema)),
        Err(Error::TableNotFound { .. }) => Ok(None),
        Err(error) => Err(Failure::Core(error)),
    }
}

impl Reading {
    fn options(self, table: Option<SchemaRef>) -> ReadOptions {
        ReadOptions {
            format: self.format,
            delimiter: self.delimiter,
            header: !self.no_header,
            nulls: self.null,
            types: self.types,
            sample_rows: self.sample_rows,
            table,
        }
    }
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err("it must be one ASCII character, or tab".into()),
    }
}

fn column_type(text: &str) -> Result<(String, DataType), String> {
    let (column, name) = text.rsplit_once('=').ok_or("write COLUMN=TYPE")?;
    Ok((column.into(), data_type(name)?))
}

fn data_type(name: &str) -> Result<DataType, String> {
    let data_type = match name.to_ascii_lowercase().as_str() {
        "bool" | "boolean" => DataType::Boolean,
        "int" | "bigint" | "int64" => DataType::Int64,
        "int32" => DataType::Int32,
        "float" | "double" | "float64" => DataType::Float64,
        "float32" => DataType::Float32,
        "text" | "string" | "varchar" => DataType::Utf8,
        "date" => DataType::Date32,
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "timestamptz" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        other => return decimal(other),
    };
    Ok(data_type)
}

fn decimal(name: &str) -> Result<DataType, String> {
    let unknown =
        || format!("unknown type {name:?}; one of bool, int, float, text, date, timestamp, timestamptz, decimal(P,S)");
    let inside = name.strip_prefix("decimal(").and_then(|rest| rest.strip_suffix(')')).ok_or_else(unknown)?;
    let (precision, scale) = inside.split_once(',').ok_or_else(unknown)?;
    let precision: u8 = precision.trim().parse().map_err(|_| unknown())?;
    let scale: i8 = scale.trim().parse().map_err(|_| unknown())?;
    match (1..=38).contains(&precision) && (0..=i8::try_from(precision).unwrap_or(i8::MAX)).contains(&scale) {
        true => Ok(DataType::Decimal128(precision, scale)),
        false => Err(format!("{name} is no decimal: 1 to 38 digits, of which 0 to all stand after the point")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read() {
        assert_eq!(column_type("a=b=text").unwrap(), ("a=b".into(), DataType::Utf8));
        assert_eq!(data_type("decimal(10, 2)").unwrap(), DataType::Decimal128(10, 2));
        for bad in ["number", "decimal(0,0)", "decimal(39,1)", "decimal(4,5)", "decimal(4)", ""] {
            assert!(data_type(bad).is_err(), "{bad}");
        }
        assert!(column_type("text").is_err());
    }
}
