//! `armillaria schema`

use clap::Args;
use serde_json::json;

use crate::args::AtArgs;
use crate::context::{Access, Context};
use crate::failure::Outcome;
use crate::output::Table;

/// Shows a table's columns.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  armillaria schema flights\n  armillaria schema flights --branch fix")]
pub(crate) struct Schema {
    /// The table.
    table: String,
    #[command(flatten)]
    at: AtArgs,
}

impl Schema {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let database = context.open(Access::Read)?;
        let schema = database.table_schema(&self.table, &self.at.at())?;
        context.output().answer(
            || {
                let column = |field: &arrow::datatypes::FieldRef| {
                    json!({ "name": field.name(), "type": field.data_type().to_string(), "nullable": field.is_nullable() })
                };
                json!({ "table": self.table, "columns": schema.fields().iter().map(column).collect::<Vec<_>>() })
            },
            |out, _| {
                let mut shown = Table::new(["column", "type", "null"]);
                for field in schema.fields() {
                    let null = if field.is_nullable() { "yes" } else { "no" };
                    shown.row([field.name().clone(), field.data_type().to_string(), null.into()]);
                }
                shown.write_or(out, "no columns")
            },
        )
    }
}
