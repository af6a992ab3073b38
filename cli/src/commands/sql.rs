//! `armillaria sql`

use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::path::PathBuf;

use armillaria::{At, CancelToken, Database, OpenOptions, Parameters, RowStream, Value};
use clap::Args;
use serde_json::json;

use super::export::refuse_noise;
use crate::args::AtArgs;
use crate::context::{Access, Context};
use crate::failure::{Failure, Outcome};
use crate::file_format::FileFormat;
use crate::interrupt;
use crate::output::{Output, RowsFormat, TABLE_ROWS_MAX, count, write_file, write_rows};
use crate::progress::Progress;
use crate::shell;
use crate::style::Style;

const EXAMPLES: &str = "\
Examples:
  armillaria sql
  armillaria sql \"SELECT carrier, count(*) FROM flights GROUP BY carrier\"
  armillaria sql \"SELECT count(*) FROM flights AT (VERSION => 3)\"
  armillaria sql \"SELECT * FROM users\" --at-version users=1 --format csv --output users.csv
  armillaria sql \"SELECT * FROM users WHERE id = ?\" -p 17 --tag v1.0";

/// Answers a question in SQL, over any tables at any versions; without one, opens a shell.
///
/// In SQL, AT (VERSION => 3) looks at a version of a table, AT (VERSION => 'fix') at a branch or tag, and
/// AT (TIMESTAMP => TIMESTAMP '2013-03-01') at a time. Statements can also come through a pipe.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Sql {
    /// The question; a shell if absent.
    statement: Option<String>,
    /// How rows are written: a table, or JSON with --json, if absent.
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<RowsFormat>,
    /// Write rows to this file; its extension says the format.
    #[arg(short, long, value_name = "FILE", requires = "statement")]
    output: Option<PathBuf>,
    /// Replace the output file if it exists.
    #[arg(long, requires = "output")]
    force: bool,
    /// Show at most this many rows in a table; 0 shows all.
    #[arg(long, value_name = "N", default_value_t = TABLE_ROWS_MAX)]
    rows: usize,
    /// The value of the next parameter, written ? in the statement (repeatable). Numbers, true, false and null are
    /// what they look like; put anything in single quotes to make it text.
    #[arg(short, long = "param", value_name = "VALUE", allow_hyphen_values = true)]
    parameters: Vec<String>,
    /// Let SQL read files outside the repository.
    #[arg(long)]
    external_access: bool,
    /// Look at one table in this version (repeatable).
    #[arg(long, value_name = "TABLE=VERSION", value_parser = table_version, help_heading = "Where to look")]
    at_version: Vec<(String, u64)>,
    #[command(flatten)]
    at: AtArgs,
}

/// Everything a statement needs besides itself.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) database: Database,
    pub(crate) at: At,
    pub(crate) format: RowsFormat,
    pub(crate) rows_max: usize,
    pub(crate) output: Output,
}

impl Sql {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let parameters: Vec<Value> = self.parameters.iter().map(|text| parameter(text)).collect();
        let options = OpenOptions { external_access: self.external_access, ..OpenOptions::default() };
        let session = Session {
            format: refuse_noise(self.format(context.output())?, self.output.is_none())?,
            database: context.open_with(Access::Read, options)?,
            at: self.at_version.iter().fold(self.at.at(), |at, (table, version)| at.with_version(table, *version)),
            rows_max: self.rows,
            output: context.output(),
        };
        match (&self.statement, &self.output) {
            (Some(statement), Some(file)) => session.write_to(file, self.force, statement, &parameters),
            (Some(statement), None) => session.print(statement, &parameters).map(|_| ()),
            (None, _) if !parameters.is_empty() => Err(Failure::Usage("parameters need a statement".into())),
            (None, _) if io::stdin().is_terminal() => shell::run(session),
            (None, _) => session.run_script(),
        }
    }

    fn format(&self, output: Output) -> Outcome<RowsFormat> {
        let usual = if output.is_json() { RowsFormat::Json } else { RowsFormat::Table };
        match (self.format, &self.output) {
            (Some(format), _) => Ok(format),
            (None, None) => Ok(usual),
            (None, Some(file)) => FileFormat::of(file).map(RowsFormat::from).ok_or_else(|| {
                Failure::Usage(format!("the format of {} is unknown; say --format csv, parquet, …", file.display()))
            }),
        }
    }
}

impl Session {
    /// Runs a statement and prints its rows; Ctrl-C cancels it. Returns the number of rows printed.
    pub(crate) fn print(&self, statement: &str, parameters: &[Value]) -> Outcome<u64> {
        let cancel = CancelToken::new();
        let _interrupt = interrupt::cancels(&cancel);
        let rows = self.query(statement, parameters, &cancel)?;
        let mut out = BufWriter::new(io::stdout());
        let printed = write_rows(rows, self.format, &mut out, self.rows_max, self.output.style())?;
        out.flush()?;
        Ok(printed)
    }

    fn query(&self, statement: &str, parameters: &[Value], cancel: &CancelToken) -> Outcome<RowStream> {
        let spinner = Progress::spinner("running", !self.output.is_json());
        let rows = self.database.query_with(statement, Parameters::Positional(parameters), &self.at, cancel)?;
        drop(spinner);
        Ok(rows)
    }

    fn write_to(&self, file: &std::path::Path, force: bool, statement: &str, parameters: &[Value]) -> Outcome {
        let cancel = CancelToken::new();
        let _interrupt = interrupt::cancels(&cancel);
        let progress = Progress::spinner(&format!("writing {}", file.display()), !self.output.is_json());
        let rows = progress.count_rows(self.query(statement, parameters, &cancel)?);
        let written = write_file(file, force, |out| write_rows(rows, self.format, out, 0, Style::plain()))?;
        drop(progress);
        self.output.answer(
            || json!({ "file": file.display().to_string(), "rows": written }),
            |out, _| writeln!(out, "wrote {} to {}", count(written, "row"), file.display()),
        )
    }

    /// Runs the statements that come through standard input, until one fails.
    fn run_script(&self) -> Outcome {
        let mut text = String::new();
        io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| armillaria::Error::io("read standard input", "-", error))?;
        let (statements, rest) = shell::split_statements(&text);
        let last = if shell::is_blank(rest) { None } else { Some(rest) };
        statements.into_iter().chain(last).try_for_each(|statement| match statement.strip_prefix('.') {
            Some(_) => Err(Failure::Usage(
                "commands that begin with a dot are for the shell on a terminal; in a script, write SQL".into(),
            )),
            None => self.print(statement, &[]).map(|_| ()),
        })
    }
}

fn table_version(text: &str) -> Result<(String, u64), String> {
    let (table, version) = text.rsplit_once('=').ok_or("write TABLE=VERSION")?;
    let version = version.parse().map_err(|_| format!("{version:?} is not a version number"))?;
    Ok((table.into(), version))
}

fn parameter(text: &str) -> Value {
    let quoted = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    if let Some(quoted) = quoted {
        return Value::Text(quoted.into());
    }
    match text.to_ascii_lowercase().as_str() {
        "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => number(text).unwrap_or_else(|| Value::Text(text.into())),
    }
}

fn number(text: &str) -> Option<Value> {
    let looks = text.starts_with(|letter: char| letter.is_ascii_digit() || "+-.".contains(letter));
    let whole = || text.parse().ok().map(Value::Int);
    let fraction = || text.parse().ok().map(Value::Float);
    looks.then(|| whole().or_else(fraction)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_what_they_look_like() {
        let shown = |text| format!("{:?}", parameter(text));
        assert_eq!(shown("5"), "Int(5)");
        assert_eq!(shown("-2.5"), "Float(-2.5)");
        assert_eq!(shown("'5'"), "Text(\"5\")");
        assert_eq!(shown("NULL"), "Null");
        assert_eq!(shown("true"), "Bool(true)");
        assert_eq!(shown("inf"), "Text(\"inf\")", "a word, not a number");
        assert_eq!(shown("2013-01-01"), "Text(\"2013-01-01\")");
    }

    #[test]
    fn versions_of_tables_are_read() {
        assert_eq!(table_version("a=b=3").unwrap(), ("a=b".into(), 3));
        assert!(table_version("users").is_err());
        assert!(table_version("users=x").is_err());
    }
}
