//! `armillaria export`

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;

use armillaria::{At, CancelToken};
use clap::Args;
use serde_json::json;

use crate::args::AtArgs;
use crate::context::{Access, Context};
use crate::failure::{Failure, Outcome};
use crate::file_format::FileFormat;
use crate::interrupt;
use crate::output::{RowsFormat, count, write_file, write_rows};
use crate::progress::Progress;
use crate::style::Style;

const EXAMPLES: &str = "\
Examples:
  armillaria export flights flights.parquet
  armillaria export flights --format csv | head
  armillaria export flights march.csv --version 3 --columns carrier,origin,dest";

/// Writes a table to a file, at any version.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Export {
    /// The table.
    table: String,
    /// The file; standard output if absent. Its extension says the format.
    file: Option<PathBuf>,
    /// The format, if the extension does not say it (CSV on standard output).
    #[arg(long, value_name = "FORMAT")]
    format: Option<FileFormat>,
    /// Only these columns.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    columns: Option<Vec<String>>,
    /// Replace the file if it exists.
    #[arg(long)]
    force: bool,
    /// A version of the table.
    #[arg(long, value_name = "VERSION", conflicts_with_all = ["branch", "tag", "tx", "time"], help_heading = "Where to look")]
    version: Option<u64>,
    #[command(flatten)]
    at: AtArgs,
}

impl Export {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let format = self.format()?;
        let at = self.version.map_or_else(|| self.at.at(), |version| At::head().with_version(&self.table, version));
        let database = context.open(Access::Read)?;
        let cancel = CancelToken::new();
        let _interrupt = interrupt::cancels(&cancel);
        let rows = database.read_table_with(&self.table, self.columns.as_deref(), &at, &cancel)?;
        let Some(file) = &self.file else {
            let mut out = BufWriter::new(io::stdout());
            write_rows(rows, format, &mut out, 0, Style::plain())?;
            return Ok(out.flush()?);
        };
        let progress = Progress::spinner(&format!("writing {}", file.display()), !context.output().is_json());
        let rows = progress.count_rows(rows);
        let written = write_file(file, self.force, |out| write_rows(rows, format, out, 0, Style::plain()))?;
        drop(progress);
        context.output().answer(
            || json!({ "table": self.table, "file": file.display().to_string(), "rows": written }),
            |out, _| writeln!(out, "wrote {} to {}", count(written, "row"), file.display()),
        )
    }

    fn format(&self) -> Outcome<RowsFormat> {
        let by_extension = self.file.as_deref().map(|file| {
            FileFormat::of(file).ok_or_else(|| {
                Failure::Usage(format!(
                    "the format of {} is unknown; say --format csv, parquet, json, jsonl or arrow",
                    file.display()
                ))
            })
        });
        let format = match (self.format, by_extension) {
            (Some(format), _) => format,
            (None, Some(format)) => format?,
            (None, None) => FileFormat::Csv,
        };
        refuse_noise(format.into(), self.file.is_none())
    }
}

/// Binary formats do not belong on a terminal.
pub(super) fn refuse_noise(format: RowsFormat, to_stdout: bool) -> Outcome<RowsFormat> {
    if format.is_binary() && to_stdout && io::stdout().is_terminal() {
        return Err(Failure::Usage("a terminal cannot show this format; name a file, or use a pipe".into()));
    }
    Ok(format)
}
