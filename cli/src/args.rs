//! The command line: global options and commands. Each command's own arguments stand with the command.

use std::path::PathBuf;

use armillaria::At;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand};

use crate::commands;
use crate::time;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default())
    .placeholder(AnsiColor::Cyan.on_default());

const EXAMPLES: &str = "\
Examples:
  armillaria -C shop init
  armillaria -C shop import users users.csv -m \"first users\"
  armillaria -C shop sql \"SELECT count(*) FROM users\"
  armillaria -C shop sql \"SELECT * FROM users AT (VERSION => 1)\"
  armillaria -C shop branch fix && armillaria -C shop checkout fix
  armillaria -C shop log";

/// Git for tables: versions, branches and SQL over content-addressed Parquet.
#[derive(Debug, Parser)]
#[command(name = "armillaria", version, styles = STYLES, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Cli {
    /// The options that every command takes.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options for every command")]
pub(crate) struct Global {
    /// The repository's folder.
    #[arg(
        short = 'C',
        long = "repository",
        global = true,
        env = "ARMILLARIA_REPO",
        value_name = "DIR",
        default_value = "."
    )]
    pub(crate) repository: PathBuf,
    /// Print JSON, for programs; errors too, on standard error.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Who commits.
    #[arg(long, global = true, env = "ARMILLARIA_AUTHOR", value_name = "NAME")]
    pub(crate) author: Option<String>,
    /// Show what the library does and how long it takes; twice for more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a repository.
    Init(commands::init::Init),
    /// Read files into a table: CSV, Parquet, JSON, Arrow IPC.
    Import(commands::import::Import),
    /// Write a table to a file, at any version.
    Export(commands::export::Export),
    /// Answer a question in SQL, or open a shell.
    Sql(commands::sql::Sql),
    /// List the tables.
    Tables(commands::tables::Tables),
    /// Show a table's columns.
    Schema(commands::schema::Schema),
    /// List a table's versions.
    History(commands::history::History),
    /// Show the transactions, with the graph of branches.
    Log(commands::log::Log),
    /// Compare two branches, or two versions of a table.
    Diff(commands::diff::Diff),
    /// List, create or delete branches.
    Branch(commands::branch::Branch),
    /// Switch to a branch, for the next commands too.
    Checkout(commands::checkout::Checkout),
    /// List, create or delete tags.
    Tag(commands::tag::Tag),
    /// Take over what another branch changed.
    Merge(commands::merge::Merge),
    /// Undo a transaction with a new one.
    Revert(commands::revert::Revert),
    /// Drop a table; its versions stay.
    Drop(commands::drop::Drop),
    /// Bring a table's rows together in fewer chunks.
    Compact(commands::compact::Compact),
    /// Show what changed: the changelog, or the rows between two versions.
    Changes(commands::changes::Changes),
    /// Follow the changelog until Ctrl-C.
    Watch(commands::watch::Watch),
    /// Check that everything stored is whole.
    Verify(commands::verify::Verify),
    /// Show what the repository holds and costs.
    Stats(commands::stats::Stats),
    /// Print any stored object as JSON.
    Inspect(commands::inspect::Inspect),
    /// Print a completion script for a shell.
    Completions(commands::completions::Completions),
}

/// Where to look; the head of the current branch if nothing is said.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Where to look")]
pub(crate) struct AtArgs {
    /// A branch: its head, or what it was at --time.
    #[arg(long, value_name = "BRANCH", conflicts_with_all = ["tag", "tx"])]
    pub(crate) branch: Option<String>,
    /// A tag.
    #[arg(long, value_name = "TAG", group = "point")]
    pub(crate) tag: Option<String>,
    /// A transaction.
    #[arg(long, value_name = "TX_ID", group = "point")]
    pub(crate) tx: Option<u64>,
    /// A time, inclusive, such as 2013-03-01 or "2013-03-01 12:30:00" (UTC).
    #[arg(long, value_name = "TIME", group = "point", value_parser = time::parse)]
    pub(crate) time: Option<i64>,
}

impl AtArgs {
    /// The library's form.
    pub(crate) fn at(&self) -> At {
        let at = match self {
            AtArgs { tag: Some(tag), .. } => At::tag(tag),
            AtArgs { tx: Some(tx), .. } => At::tx(*tx),
            AtArgs { time: Some(time_us), .. } => At::timestamp(*time_us),
            _ => At::head(),
        };
        self.branch.iter().fold(at, At::on_branch)
    }
}
