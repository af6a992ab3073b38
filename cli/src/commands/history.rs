//! `armillaria history`

use armillaria::HistoryEntry;
use clap::Args;
use serde_json::json;

use crate::context::{Access, Context};
use crate::failure::Outcome;
use crate::output::{Table, bytes, grouped};
use crate::time;

/// Lists a table's versions, newest first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  armillaria history flights\n  armillaria history flights --branch fix --limit 5")]
pub(crate) struct History {
    /// The table.
    table: String,
    /// The versions that this branch sees; the current branch if absent.
    #[arg(long, value_name = "BRANCH")]
    branch: Option<String>,
    /// At most this many, the newest.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

impl History {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let database = context.open(Access::Read)?;
        let mut entries = database.history(&self.table, self.branch.as_deref())?;
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.tx_id));
        entries.truncate(self.limit.unwrap_or(usize::MAX));
        context.output().answer(
            || json!(entries),
            |out, _| {
                let columns =
                    [">version", ">tx", "branch", "time", "kind", ">rows", ">chunks", ">size", "author", "message"];
                let mut shown = Table::new(columns);
                entries.iter().for_each(|entry| shown.row(cells(entry)));
                shown.write_or(out, "no versions")
            },
        )
    }
}

fn cells(entry: &HistoryEntry) -> [String; 10] {
    [
        entry.version.to_string(),
        entry.tx_id.to_string(),
        entry.branch.clone(),
        time::format(entry.time_us),
        entry.kind.name().into(),
        grouped(entry.rows),
        grouped(entry.chunks),
        bytes(entry.bytes),
        entry.author.clone().unwrap_or_default(),
        entry.message.clone().unwrap_or_default(),
    ]
}
