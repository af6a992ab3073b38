//! `armillaria checkout`

use armillaria::{At, OpenOptions};
use clap::Args;
use serde_json::json;

use crate::context::{Access, Context};
use crate::failure::Outcome;

/// Switches to a branch, for the next commands too. It is remembered in the repository's folder, in cli.json.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  armillaria checkout fix\n  armillaria checkout -b fix\n  armillaria checkout main"
)]
pub(crate) struct Checkout {
    /// The branch.
    branch: String,
    /// Create it first, from the head of the current branch.
    #[arg(short = 'b', long = "create")]
    create: bool,
}

impl Checkout {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        if self.create {
            context.open(Access::Write)?.create_branch(&self.branch, &At::head(), None)?;
        } else {
            context.open_on_main(Access::Read, OpenOptions::default())?.checkout(&self.branch)?;
        }
        context.remember_branch(&self.branch)?;
        context
            .output()
            .answer(|| json!({ "branch": self.branch }), |out, _| writeln!(out, "now on branch {}", self.branch))
    }
}
