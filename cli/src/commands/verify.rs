//! `armillaria verify`

use std::io::{self, Write};

use armillaria::{VerifyOptions, VerifyReport};
use clap::Args;
use serde_json::json;

use crate::context::{Access, Context};
use crate::failure::{Failure, Outcome};
use crate::output::{bytes, count};
use crate::progress::Progress;
use crate::style::Style;

/// Checks the log's chain, the manifests, and with --deep the hash of every chunk.
///
/// The exit status is 1 if anything is damaged; the report names it and the versions that it touches.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  armillaria verify\n  armillaria verify --deep --json")]
pub(crate) struct Verify {
    /// Read every chunk.
    #[arg(long)]
    deep: bool,
}

impl Verify {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let database = context.open_on_main(Access::Read, armillaria::OpenOptions::default())?;
        let progress = Progress::count("verifying", 0, !context.output().is_json());
        let show = |done: armillaria::Progress| progress.set_of(done.done, done.total);
        let report = database.verify(&VerifyOptions { deep: self.deep, progress: Some(&show) })?;
        drop(progress);
        context.output().answer(|| json!(report), |out, style| write(&report, out, style))?;
        if report.ok { Ok(()) } else { Err(Failure::Reported) }
    }
}

fn write(report: &VerifyReport, out: &mut dyn Write, style: Style) -> io::Result<()> {
    for problem in &report.problems {
        writeln!(out, "{} {}: {}", style.bad(problem.code), problem.object, problem.message)?;
        problem.affects.iter().try_for_each(|(table, version)| writeln!(out, "  touches {table} version {version}"))?;
    }
    report.notes.iter().try_for_each(|note| writeln!(out, "note: {note}"))?;
    let checked = format!(
        "{}, {}, {} ({})",
        count(report.transactions, "transaction"),
        count(report.versions, "table version"),
        count(report.chunks, "chunk"),
        bytes(report.chunk_bytes)
    );
    writeln!(out, "{}", style.faint(&checked))?;
    match report.ok {
        true => writeln!(out, "{}", style.good("everything is whole")),
        false => writeln!(out, "{}", style.bad(&count(report.problems.len() as u64, "problem"))),
    }
}
