//! `armillaria compact`

use armillaria::{At, CancelToken, Commit, Database};
use clap::Args;
use serde_json::json;

use super::describe;
use crate::context::{Access, Context};
use crate::failure::Outcome;
use crate::interrupt;

const EXAMPLES: &str = "\
Examples:
  armillaria compact flights
  armillaria compact
  armillaria compact --branch fix --json";

/// Brings the rows of a table together in fewer chunks, after many small appends. No row changes, and appends of
/// others go on meanwhile; an overwrite that began before is refused, and may be tried again.
///
/// Each table that there is something to do for gets a new version, in a commit of its own. Reading the table becomes
/// faster; old versions stay as they are.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Compact {
    /// The table; all tables of the branch if absent.
    table: Option<String>,
    /// The branch to commit to; the current branch if absent.
    #[arg(long, value_name = "BRANCH")]
    branch: Option<String>,
}

impl Compact {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let cancel = CancelToken::new();
        let _interrupt = interrupt::cancels(&cancel);
        let database = context.open(Access::Write)?;
        let branch = self.branch.as_deref();
        let mut commits: Vec<Commit> = Vec::new();
        for table in self.tables(&database)? {
            commits.extend(database.compact_with(&table, branch, &cancel)?);
        }
        context.output().answer(
            || json!(commits),
            |out, style| match commits.as_slice() {
                [] => writeln!(out, "nothing to do"),
                commits => commits.iter().try_for_each(|commit| describe::write_commit(commit, out, style)),
            },
        )
    }

    fn tables(&self, database: &Database) -> Outcome<Vec<String>> {
        let at = self.branch.as_ref().map_or_else(At::head, At::branch);
        match &self.table {
            Some(table) => Ok(vec![table.clone()]),
            None => Ok(database.list_tables(&at)?.into_iter().map(|table| table.name).collect()),
        }
    }
}
