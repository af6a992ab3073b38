//! The command line of Armillaria: git for tables.

mod args;
mod clock;
mod commands;
mod context;
mod current_branch;
mod failure;
mod file_format;
mod graph;
mod hint;
mod input;
mod interrupt;
mod output;
mod progress;
mod rows;
mod shell;
mod staged_file;
mod style;
mod time;

use std::io;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use args::Cli;
use context::Context;
use failure::Failure;
use style::Style;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refused) => return refuse(&refused),
    };
    show_spans(cli.global.verbose);
    let context = Context::new(&cli.global);
    match commands::run(cli.command, &context) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Where even standard error is gone, the exit status still tells.
            let told = failure.report(&mut io::stderr().lock(), cli.global.json, Style::of(&io::stderr()));
            ExitCode::from(told.map_or(failure::EXIT_FAILED, |()| failure.exit_status()))
        }
    }
}

/// Tells why the command line made no sense, as JSON where that was asked for; or shows the help or the version.
fn refuse(refused: &clap::Error) -> ExitCode {
    let failure = Failure::CommandLine(refused.to_string());
    let told = match refused.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        true => failure.report(&mut io::stderr().lock(), true, Style::plain()),
        false => refused.print(),
    };
    let status = if refused.use_stderr() { failure.exit_status() } else { 0 };
    ExitCode::from(told.map_or(failure::EXIT_FAILED, |()| status))
}

/// Prints the library's spans with their times on standard error.
fn show_spans(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "armillaria=debug",
        _ => "armillaria=trace",
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(level))
        .with_span_events(if verbose == 0 { FmtSpan::NONE } else { FmtSpan::CLOSE })
        .with_writer(io::stderr)
        .with_ansi(Style::of(&io::stderr()).is_coloured())
        .with_target(false)
        .init();
}
