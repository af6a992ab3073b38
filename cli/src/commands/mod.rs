//! The commands, one file each: arguments, work, answer.

pub(crate) mod branch;
pub(crate) mod changes;
pub(crate) mod checkout;
pub(crate) mod compact;
pub(crate) mod completions;
pub(crate) mod diff;
pub(crate) mod drop;
pub(crate) mod export;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod inspect;
pub(crate) mod log;
pub(crate) mod merge;
pub(crate) mod revert;
pub(crate) mod schema;
pub(crate) mod sql;
pub(crate) mod stats;
pub(crate) mod tables;
pub(crate) mod tag;
pub(crate) mod verify;
pub(crate) mod watch;

mod describe;
mod start;

use crate::args::Command;
use crate::context::Context;
use crate::failure::Outcome;

/// Runs a command.
pub(crate) fn run(command: Command, context: &Context) -> Outcome {
    match command {
        Command::Init(args) => args.run(context),
        Command::Import(args) => args.run(context),
        Command::Export(args) => args.run(context),
        Command::Sql(args) => args.run(context),
        Command::Tables(args) => args.run(context),
        Command::Schema(args) => args.run(context),
        Command::History(args) => args.run(context),
        Command::Log(args) => args.run(context),
        Command::Diff(args) => args.run(context),
        Command::Branch(args) => args.run(context),
        Command::Checkout(args) => args.run(context),
        Command::Tag(args) => args.run(context),
        Command::Merge(args) => args.run(context),
        Command::Revert(args) => args.run(context),
        Command::Drop(args) => args.run(context),
        Command::Compact(args) => args.run(context),
        Command::Changes(args) => args.run(context),
        Command::Watch(args) => args.run(context),
        Command::Verify(args) => args.run(context),
        Command::Stats(args) => args.run(context),
        Command::Inspect(args) => args.run(context),
        Command::Completions(args) => args.run(context),
    }
}
