//! `armillaria revert`

use clap::Args;
use serde_json::json;

use super::describe;
use crate::context::{Access, Context};
use crate::failure::Outcome;

/// Undoes a transaction with a new one, on the branch that it was made on; history is never rewritten.
///
/// To undo a merge, revert the merge or fast-forward: it is a transaction of the branch that took over.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  armillaria revert 17\n  armillaria revert 17 -m \"that was wrong\"")]
pub(crate) struct Revert {
    /// The transaction to undo.
    tx_id: u64,
    /// Why.
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
}

impl Revert {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let database = context.open(Access::Write)?;
        let current = database.current_branch()?;
        let commit = database.revert(self.tx_id, self.message.as_deref())?;
        context.output().answer(
            || json!(commit),
            |out, style| {
                describe::write_commit(&commit, out, style)?;
                if commit.branch == current {
                    return Ok(());
                }
                let (tx_id, branch) = (self.tx_id, &commit.branch);
                writeln!(out, "note: transaction {tx_id} was made on {branch}, so {branch} changed; {current} did not")
            },
        )
    }
}
