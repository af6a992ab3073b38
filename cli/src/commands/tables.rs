//! `armillaria tables`

use clap::Args;
use serde_json::json;

use crate::args::AtArgs;
use crate::context::{Access, Context};
use crate::failure::Outcome;
use crate::output::{Table, bytes, grouped};

/// Lists the tables.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  armillaria tables\n  armillaria tables --tag v1.0\n  armillaria tables --time 2013-03-01"
)]
pub(crate) struct Tables {
    #[command(flatten)]
    at: AtArgs,
}

impl Tables {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let database = context.open(Access::Read)?;
        let tables = database.list_tables(&self.at.at())?;
        context.output().answer(
            || json!(tables),
            |out, _| {
                let mut shown = Table::new(["table", ">version", ">rows", ">chunks", ">size"]);
                for table in &tables {
                    let numbers = [table.version, table.rows, table.chunks].map(grouped);
                    shown.row(std::iter::once(table.name.clone()).chain(numbers).chain([bytes(table.bytes)]));
                }
                shown.write_or(out, "no tables; `armillaria import TABLE FILE` makes one")
            },
        )
    }
}
