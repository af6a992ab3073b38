//! `armillaria changes`

use armillaria::{ChangelogEntry, ChangesQuery};
use clap::Args;
use serde_json::json;

use super::describe;
use crate::context::{Access, Context};
use crate::failure::{Failure, Outcome};
use crate::output::{RowsFormat, Table, print_rows};
use crate::style::Style;
use crate::time;

const EXAMPLES: &str = "\
Examples:
  armillaria changes --since 10 --table flights
  armillaria changes --from 2013-03-01 --branch main --limit 20 --json
  armillaria changes flights 3 5
  armillaria changes flights 3 5 --format csv > changed.csv";

/// Shows what changed: the changelog, oldest first, or the changed rows of a table between two versions.
///
/// Rows carry _change_type (insert, delete, update_preimage, update_postimage), _commit_version, _commit_timestamp, _tx_id.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Changes {
    /// Show changed rows of this table …
    #[arg(requires = "to_version")]
    table: Option<String>,
    /// … after this version …
    from_version: Option<u64>,
    /// … up to this one.
    to_version: Option<u64>,
    /// Only transactions after this one.
    #[arg(long, value_name = "TX_ID")]
    since: Option<u64>,
    /// Only transactions up to this one.
    #[arg(long, value_name = "TX_ID")]
    until: Option<u64>,
    /// Only transactions from this time on.
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    from: Option<i64>,
    /// Only transactions up to this time.
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    to: Option<i64>,
    /// Only changes of this table (repeatable).
    #[arg(long = "table", value_name = "TABLE")]
    tables: Vec<String>,
    /// Only this branch.
    #[arg(long, value_name = "BRANCH")]
    branch: Option<String>,
    /// At most this many entries.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// How changed rows are written.
    #[arg(long, value_name = "FORMAT", requires = "to_version")]
    format: Option<RowsFormat>,
}

impl Changes {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let database = context.open(Access::Read)?;
        match (&self.table, self.from_version, self.to_version) {
            (Some(table), Some(from), Some(to)) => {
                let rows = database.table_changes(table, from, to)?;
                print_rows(rows, self.format, context.output())
            }
            (None, None, None) => show(&database.changes(&self.query())?, context),
            _ => Err(Failure::Usage(
                "changed rows need a table and two versions: armillaria changes TABLE FROM TO".into(),
            )),
        }
    }

    fn query(&self) -> ChangesQuery {
        let mut query = self.tables.iter().fold(ChangesQuery::new(), ChangesQuery::table);
        query = self.since.into_iter().fold(query, ChangesQuery::since_tx);
        query = self.until.into_iter().fold(query, ChangesQuery::until_tx);
        query = self.from.into_iter().fold(query, ChangesQuery::from_time_us);
        query = self.to.into_iter().fold(query, ChangesQuery::to_time_us);
        query = self.branch.iter().fold(query, ChangesQuery::branch);
        self.limit.into_iter().fold(query, ChangesQuery::limit)
    }
}

fn show(entries: &[ChangelogEntry], context: &Context) -> Outcome {
    context.output().answer(
        || json!(entries),
        |out, _| {
            let mut table = Table::new([">tx", "branch", "time", "author", "message", "tables"]);
            entries.iter().for_each(|entry| table.row(cells(entry)));
            table.write_or(out, "no changes")
        },
    )
}

fn cells(entry: &ChangelogEntry) -> [String; 6] {
    let tables: Vec<String> = entry.tables.iter().map(|table| describe::table_text(table, Style::plain())).collect();
    [
        entry.tx_id.to_string(),
        entry.branch.clone(),
        time::format(entry.time_us),
        entry.author.clone().unwrap_or_default(),
        entry.message.clone().unwrap_or_default(),
        tables.join("\n"),
    ]
}
