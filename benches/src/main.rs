//! Measures Armillaria against what users would pick instead.
//!
//! Every figure is a ratio measured in one run: both sides take turns, so that a machine that slows down slows both
//! down, and the middle or the best of several rounds counts. `make bench` runs all figures and writes
//! `docs/BENCHMARKS.md`.

mod context;
mod data;
mod figures;
mod machine;
mod peers;
mod report;
mod timing;
mod worker;

use std::io::Write;
use std::path::PathBuf;

use clap::Parser;

use context::Context;
use report::Report;

/// Whatever goes wrong ends a figure, not the others.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Measures Armillaria against what users would pick instead.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    worker: Option<worker::Worker>,
    #[command(flatten)]
    run: Run,
}

#[derive(Debug, clap::Args)]
struct Run {
    /// Runs everything at a twentieth of its size: checks the code, measures nothing
    #[arg(long)]
    quick: bool,
    /// Runs only these figures
    #[arg(long, value_delimiter = ',', value_name = "a,b,…")]
    only: Vec<char>,
    /// Where the repositories are made; on the file system that is to be measured
    #[arg(long, default_value = "target/bench", value_name = "DIR")]
    dir: PathBuf,
    /// A Python that has the package doltlite
    #[arg(long, value_name = "PROGRAM")]
    doltlite_python: Option<PathBuf>,
    /// The program b3sum
    #[arg(long, default_value = "b3sum", value_name = "PROGRAM")]
    b3sum: PathBuf,
    /// Where border-c, border-cpp, border-go and move-c are
    #[arg(long, value_name = "DIR")]
    border: Option<PathBuf>,
    /// Writes the report there as Markdown, if all figures ran in full size
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match arguments.worker {
        Some(worker) => worker::work(&worker),
        None => run(&arguments.run),
    }
}

fn run(run: &Run) -> Result<()> {
    let context = Context::new(run)?;
    let mut report = Report::new(machine::describe(&context)?);
    let mut out = std::io::stdout().lock();
    for figure in figures::ALL.iter().filter(|figure| run.only.is_empty() || run.only.contains(&figure.letter)) {
        writeln!(out, "{}. {}", figure.letter, figure.title)?;
        let started = context.now();
        let result = (figure.measure)(&context);
        let lines = report.add(figure, result);
        lines.iter().try_for_each(|line| writeln!(out, "   {line}"))?;
        writeln!(out, "   ({:.0} s)", (context.now() - started).as_secs_f64())?;
    }
    writeln!(out, "\n{}", report.table())?;
    write_report(run, &report, &mut out)?;
    writeln!(out, "{}", report.summary())?;
    match report.failures() {
        0 => Ok(()),
        failures => Err(format!("{failures} figures could not be measured").into()),
    }
}

fn write_report(run: &Run, report: &Report, out: &mut impl Write) -> Result<()> {
    let Some(output) = &run.output else { return Ok(()) };
    if run.quick || !run.only.is_empty() || report.failures() > 0 {
        writeln!(out, "{} is left as it is: this was no full run", output.display())?;
        return Ok(());
    }
    std::fs::write(output, report.markdown())?;
    writeln!(out, "written: {}", output.display())?;
    Ok(())
}
