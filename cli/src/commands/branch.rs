//! `armillaria branch`

use armillaria::{BranchInfo, OpenOptions};
use clap::Args;
use serde_json::json;

use super::start;
use crate::context::{Access, Context};
use crate::failure::Outcome;
use crate::output::Table;

const EXAMPLES: &str = "\
Examples:
  armillaria branch
  armillaria branch fix
  armillaria branch fix tag:v1.0 -d \"corrects the departure delays\"
  armillaria branch --delete fix";

/// Lists, creates or deletes branches. Creating one costs the same however many tables there are.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Branch {
    /// Create a branch of this name …
    name: Option<String>,
    /// … that starts here: a branch or tag, tag:NAME, branch:NAME or tx:N; the current branch if absent.
    #[arg(requires = "name")]
    start: Option<String>,
    /// What the branch is for.
    #[arg(short, long, value_name = "TEXT", requires = "name")]
    description: Option<String>,
    /// Delete this branch; its transactions stay.
    #[arg(long, value_name = "BRANCH", conflicts_with = "name")]
    delete: Option<String>,
}

impl Branch {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        match (&self.name, &self.delete) {
            (Some(name), _) => self.create(name, context),
            (None, Some(name)) => delete(name, context),
            (None, None) => list(context),
        }
    }

    fn create(&self, name: &str, context: &Context) -> Outcome {
        let database = context.open(Access::Write)?;
        let at = start::find(&database, self.start.as_deref())?;
        let branch = database.create_branch(name, &at, self.description.as_deref())?;
        context.output().answer(
            || json!(branch),
            |out, _| writeln!(out, "created branch {name} at transaction {}", branch.head_tx_id),
        )
    }
}

fn delete(name: &str, context: &Context) -> Outcome {
    context.open_on_main(Access::Write, OpenOptions::default())?.delete_branch(name)?;
    context.output().answer(|| json!({ "deleted": name }), |out, _| writeln!(out, "deleted branch {name}"))
}

fn list(context: &Context) -> Outcome {
    let branches = context.open_on_main(Access::Read, OpenOptions::default())?.list_branches()?;
    let current = context.remembered_branch()?.unwrap_or_else(|| "main".into());
    context.output().answer(
        || {
            let branch = |branch: &BranchInfo| {
                let mut value = json!(branch);
                value["current"] = (branch.name == current).into();
                value
            };
            branches.iter().map(branch).collect()
        },
        |out, _| {
            let mut table = Table::new(["", "branch", ">head", "from", "description"]);
            for branch in &branches {
                let mark = if branch.name == current { "*" } else { "" };
                let description = branch.description.clone().unwrap_or_default();
                table.row([
                    mark.into(),
                    branch.name.clone(),
                    branch.head_tx_id.to_string(),
                    origin(branch),
                    description,
                ]);
            }
            table.write_or(out, "no branches")
        },
    )
}

fn origin(branch: &BranchInfo) -> String {
    match (&branch.from_branch, branch.from_tx_id) {
        (Some(from), Some(tx_id)) => format!("{from} at {tx_id}"),
        _ => String::new(),
    }
}
