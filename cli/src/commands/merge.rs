//! `armillaria merge`

use std::io::{self, Write};

use armillaria::{MergeKind, MergeOptions, MergeReport, MergeStrategy};
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::context::{Access, Context};
use crate::failure::{Failure, Outcome};
use crate::style::Style;

const EXAMPLES: &str = "\
Examples:
  armillaria merge fix
  armillaria merge fix --dry-run
  armillaria merge fix --into release --strategy theirs -m \"the corrected flights\"";

/// Takes over what another branch changed since the two parted.
///
/// Tables that only one side changed always merge. A table that both changed is a conflict, unless a strategy decides.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Merge {
    /// The branch to merge.
    source: String,
    /// The branch that takes it; the current branch if absent.
    #[arg(long, value_name = "BRANCH")]
    into: Option<String>,
    /// What to do where both sides changed a table.
    #[arg(long, value_enum, default_value_t = Strategy::Fail)]
    strategy: Strategy,
    /// Only say what would happen.
    #[arg(long)]
    dry_run: bool,
    /// Why.
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Strategy {
    /// Change nothing and name the tables.
    Fail,
    /// Keep the tables of the branch that takes.
    Ours,
    /// Take the tables of the merged branch.
    Theirs,
}

impl Merge {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let strategy = match self.strategy {
            Strategy::Fail => MergeStrategy::Fail,
            Strategy::Ours => MergeStrategy::Ours,
            Strategy::Theirs => MergeStrategy::Theirs,
        };
        let access = if self.dry_run { Access::Read } else { Access::Write };
        let options = MergeOptions { into: self.into, strategy, dry_run: self.dry_run, message: self.message };
        let report = context.open(access)?.merge_branch(&self.source, &options)?;
        // Only a dry run gets here with conflicts that nothing decides.
        if strategy == MergeStrategy::Fail && !report.conflicts.is_empty() {
            refused(&report, &self.source, context)?;
            return Err(Failure::Reported);
        }
        context.output().answer(|| json!(report), |out, style| write(&report, &self.source, self.dry_run, out, style))
    }
}

/// The answer of a dry run of a merge that would fail.
fn refused(report: &MergeReport, source: &str, context: &Context) -> Outcome {
    context.output().answer(
        || {
            let mut value = json!(report);
            value["kind"] = "conflict".into();
            value["tables"] = json!([]);
            value
        },
        |out, style| {
            writeln!(
                out,
                "{}",
                style.bad(&format!("{source} would not be merged: both sides changed the same tables"))
            )?;
            write_conflicts(report, out, style)
        },
    )
}

fn write_conflicts(report: &MergeReport, out: &mut dyn Write, style: Style) -> io::Result<()> {
    report.conflicts.iter().try_for_each(|table| writeln!(out, "  {} {table}", style.bad("conflict")))
}

fn write(report: &MergeReport, source: &str, dry_run: bool, out: &mut dyn Write, style: Style) -> io::Result<()> {
    let what = match (report.kind, dry_run) {
        (MergeKind::UpToDate, _) => format!("nothing to merge: {source} is contained already"),
        (MergeKind::FastForward, false) => format!("took over {source}: fast-forward"),
        (MergeKind::FastForward, true) => format!("{source} would be taken over: fast-forward"),
        (_, false) => format!("merged {source}"),
        (_, true) => format!("{source} would be merged"),
    };
    let tx_id = report.tx_id.map(|tx_id| format!(", transaction {tx_id}")).unwrap_or_default();
    writeln!(out, "{}{tx_id}", style.strong(&what))?;
    report.tables.iter().try_for_each(|table| writeln!(out, "  {table}"))?;
    write_conflicts(report, out, style)
}
