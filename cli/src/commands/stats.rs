//! `armillaria stats`

use clap::Args;
use serde_json::json;

use crate::context::{Access, Context};
use crate::failure::Outcome;
use crate::output::{Table, bytes, grouped};

/// Shows what the repository holds and costs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  armillaria stats\n  armillaria stats --json | jq .dedup_ratio")]
pub(crate) struct Stats {}

impl Stats {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let stats = context.open(Access::Read)?.stats()?;
        context.output().answer(
            || json!(stats),
            |out, _| {
                let mut table = Table::new(["", ">"]);
                table.row(["tables".into(), grouped(stats.tables)]);
                table.row(["table versions".into(), grouped(stats.versions)]);
                table.row(["transactions".into(), grouped(stats.transactions)]);
                table.row(["branches".into(), grouped(stats.branches)]);
                table.row(["tags".into(), grouped(stats.tags)]);
                table.row(["chunks".into(), grouped(stats.chunks)]);
                table.row(["bytes stored".into(), bytes(stats.bytes_stored)]);
                table.row(["bytes of all versions".into(), bytes(stats.bytes_logical)]);
                if stats.bytes_stored > 0 {
                    table.row(["stored once instead of".into(), format!("{:.1} times", stats.dedup_ratio)]);
                }
                table.write_or(out, "")
            },
        )
    }
}
