//! `armillaria revert`

use clap::Args;
use serde_json::json;

use super::describe;
use crate::context::{Access, Context};
use crate::failure::Outcome;

/// Undoes a transaction with a new one, on the same branch; history is never rewritten.
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
        let commit = context.open(Access::Write)?.revert(self.tx_id, self.message.as_deref())?;
        context.output().answer(|| json!(commit), |out, style| describe::write_commit(&commit, out, style))
    }
}
