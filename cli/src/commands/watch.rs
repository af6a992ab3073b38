//! `armillaria watch`

use std::io::{self, Write};
use std::time::Duration;

use armillaria::{CancelToken, ChangelogEntry, ChangesQuery};
use clap::Args;
use serde_json::json;

use super::describe;
use crate::context::{Access, Context};
use crate::failure::Outcome;
use crate::interrupt;
use crate::output::{Output, printable};
use crate::time;

/// How soon Ctrl-C is noticed.
const POLL: Duration = Duration::from_millis(200);

const EXAMPLES: &str = "\
Examples:
  armillaria watch
  armillaria watch --since 17 --table flights --json | while read -r entry; do …; done";

/// Follows the changelog until Ctrl-C; with --json one object a line.
///
/// Whoever keeps the last tx_id and starts again with --since misses nothing and sees nothing twice.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Watch {
    /// Begin after this transaction; 0 is the beginning. What comes from now on, if absent.
    #[arg(long, value_name = "TX_ID")]
    since: Option<u64>,
    /// Only changes of this table (repeatable).
    #[arg(long = "table", value_name = "TABLE")]
    tables: Vec<String>,
    /// Only this branch.
    #[arg(long, value_name = "BRANCH")]
    branch: Option<String>,
    /// Stop after this many entries.
    #[arg(long, value_name = "N")]
    count: Option<u64>,
}

impl Watch {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let database = context.open(Access::Read)?;
        let mut subscription = database.subscribe(&self.query())?;
        let stop = CancelToken::new();
        let _interrupt = interrupt::cancels(&stop);
        let mut left = self.count.unwrap_or(u64::MAX);
        while left > 0 && !stop.is_cancelled() {
            if let Some(entry) = subscription.poll(POLL)? {
                write_entry(&entry, context.output())?;
                left -= 1;
            }
        }
        Ok(())
    }

    fn query(&self) -> ChangesQuery {
        let mut query = self.tables.iter().fold(ChangesQuery::new(), ChangesQuery::table);
        query = self.since.into_iter().fold(query, ChangesQuery::since_tx);
        self.branch.iter().fold(query, ChangesQuery::branch)
    }
}

/// Writes one entry and flushes, so that a reader behind a pipe sees it at once.
fn write_entry(entry: &ChangelogEntry, output: Output) -> Outcome {
    let mut out = io::stdout().lock();
    if output.is_json() {
        writeln!(out, "{}", json!(entry))?;
    } else {
        let style = output.style();
        let tables: Vec<String> = entry.tables.iter().map(|table| describe::table_text(table, style)).collect();
        let (tx_id, time) = (style.strong(&entry.tx_id.to_string()), style.faint(&time::format(entry.time_us)));
        let message = printable(entry.message.as_deref().unwrap_or_default());
        writeln!(out, "{tx_id} {time} {} {message} [{}]", entry.branch, tables.join(", "))?;
    }
    Ok(out.flush()?)
}
