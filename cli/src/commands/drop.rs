//! `armillaria drop`

use clap::Args;
use serde_json::json;

use super::describe;
use crate::context::{Access, Context};
use crate::failure::Outcome;

/// Drops a table. Its versions stay, for reading and for revert.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  armillaria drop scratch -m \"no longer needed\"")]
pub(crate) struct Drop {
    /// The table.
    table: String,
    /// The branch to commit to; the current branch if absent.
    #[arg(long, value_name = "BRANCH")]
    branch: Option<String>,
    /// Why.
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
}

impl Drop {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let options = armillaria::CreateOptions { branch: self.branch, message: self.message, ..Default::default() };
        let commit = context.open(Access::Write)?.drop_table(&self.table, &options)?;
        context.output().answer(|| json!(commit), |out, style| describe::write_commit(&commit, out, style))
    }
}
