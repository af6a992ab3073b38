//! `armillaria diff`

use std::io::{self, Write};

use armillaria::{BranchDiff, Database, DiffSummary};
use clap::Args;
use serde_json::json;

use crate::context::{Access, Context};
use crate::failure::{Failure, Outcome};
use crate::output::{Output, RowsFormat, Table, grouped, print_rows};
use crate::style::Style;

const EXAMPLES: &str = "\
Examples:
  armillaria diff main fix
  armillaria diff flights 3 5
  armillaria diff users 1 2 --key id --rows
  armillaria diff users 1 2 --key id --rows --format csv > changed.csv";

/// Compares two branches, or two versions of a table.
///
/// With key columns, rows whose key is on both sides with other values count as modified.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, override_usage = "armillaria diff [OPTIONS] BRANCH BRANCH\n       armillaria diff [OPTIONS] TABLE VERSION VERSION")]
pub(crate) struct Diff {
    /// Two branches, or a table and two of its versions.
    #[arg(required = true, num_args = 2..=3, value_names = ["A", "B", "C"])]
    sides: Vec<String>,
    /// Show the rows that differ, with a column _change_type.
    #[arg(long)]
    rows: bool,
    /// The columns that tell rows apart (repeatable, or with commas).
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    key: Vec<String>,
    /// How rows are written.
    #[arg(long, value_name = "FORMAT", requires = "rows")]
    format: Option<RowsFormat>,
}

impl Diff {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        match self.sides.as_slice() {
            [a, b] if self.rows || !self.key.is_empty() => Err(Failure::Usage(format!(
                "--rows and --key compare versions of a table: armillaria diff TABLE {a} {b}"
            ))),
            [a, b] => {
                let diff = context.open(Access::Read)?.diff_branches(a, b)?;
                context.output().answer(|| json!(diff), |out, style| write_branches(&diff, [a, b], out, style))
            }
            [table, from, to] => {
                let (from, to) = (version(from)?, version(to)?);
                self.versions(&context.open(Access::Read)?, table, from, to, context.output())
            }
            _ => Err(Failure::Usage("compare two branches, or a table and two versions".into())),
        }
    }

    fn versions(&self, database: &Database, table: &str, from: u64, to: u64, output: Output) -> Outcome {
        if self.rows {
            let rows = database.diff_rows(table, from, to, &self.key)?;
            return print_rows(rows, self.format, output);
        }
        let diff = database.diff_versions(table, from, to, &self.key)?;
        output.answer(|| json!(diff), |out, style| write_versions(&diff, out, style))
    }
}

fn version(text: &str) -> Outcome<u64> {
    text.parse().map_err(|_| Failure::Usage(format!("{text:?} is not a version number")))
}

fn write_branches(diff: &BranchDiff, [a, b]: [&str; 2], out: &mut dyn Write, style: Style) -> io::Result<()> {
    let (in_a, in_b) = (format!(">in {a}"), format!(">in {b}"));
    let mut table = Table::new(["table", &in_a, &in_b]);
    let yes = || "yes".to_string();
    diff.added.iter().for_each(|name| table.row([name.clone(), yes(), String::new()]));
    diff.removed.iter().for_each(|name| table.row([name.clone(), String::new(), yes()]));
    let version = |version: &u64| format!("version {version}");
    diff.modified.iter().for_each(|(name, a, b)| table.row([name.clone(), version(a), version(b)]));
    table.write_or(out, &style.faint("the branches hold the same versions"))
}

fn write_versions(diff: &DiffSummary, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let (added, removed) = (grouped(diff.rows_added), grouped(diff.rows_removed));
    let modified = grouped(diff.rows_modified);
    writeln!(out, "{} rows added", style.good(&format!("+{added}")))?;
    writeln!(out, "{} rows removed", style.bad(&format!("-{removed}")))?;
    writeln!(out, "{} rows modified", style.strong(&format!("~{modified}")))?;
    diff.schema_changes.iter().try_for_each(|change| writeln!(out, "schema: {change}"))
}
