//! What a command ends with when it does not succeed, and how that is told.

use std::io::{self, Write};

use armillaria::{Code, Error};
use arrow::error::ArrowError;
use serde_json::json;

use crate::hint::{hint, in_commands};
use crate::style::Style;

/// The command understood its arguments and failed.
pub(crate) const EXIT_FAILED: u8 = 1;
/// The command line made no sense.
pub(crate) const EXIT_USAGE: u8 = 2;

/// The result of a command.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a command did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The library refused.
    Core(Error),
    /// The arguments do not go together.
    Usage(String),
    /// There is no such command or argument; what the parser says of it.
    CommandLine(String),
    /// The branch that the last `checkout` chose is gone.
    StaleBranch { branch: String },
    /// Standard output could not be written.
    Output(io::Error),
    /// The report is already printed, and its answer is no: `verify` found damage, a dry run found conflicts.
    Reported,
}

impl Failure {
    /// The process's exit status. A reader that went away, as in `| head`, is no failure.
    pub(crate) fn exit_status(&self) -> u8 {
        match self {
            Failure::Usage(_) | Failure::CommandLine(_) => EXIT_USAGE,
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            _ => EXIT_FAILED,
        }
    }

    /// Tells it to people, or as JSON to programs.
    pub(crate) fn report(&self, out: &mut dyn Write, json: bool, style: Style) -> io::Result<()> {
        let Some((name, message)) = self.name_and_message() else { return Ok(()) };
        if json {
            return writeln!(out, "{}", self.json(name, &message));
        }
        writeln!(out, "{}: {message}", style.bad(&format!("error[{name}]")))?;
        match self.hint() {
            Some(hint) => writeln!(out, "{}: {hint}", style.good("hint")),
            None => Ok(()),
        }
    }

    fn name_and_message(&self) -> Option<(&'static str, String)> {
        match self {
            Failure::Core(error) => Some((error.code().name(), in_commands(error))),
            Failure::StaleBranch { branch } => {
                let message = format!("the current branch is gone; branch={branch:?}");
                Some((Code::BranchNotFound.name(), message))
            }
            Failure::Usage(reason) => Some(("USAGE", reason.clone())),
            Failure::CommandLine(said) => Some(("USAGE", first_paragraph(said))),
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => None,
            Failure::Output(error) => Some(("IO", format!("cannot write the output: {error}"))),
            Failure::Reported => None,
        }
    }

    fn json(&self, name: &str, message: &str) -> serde_json::Value {
        let of = |code: Code| (code.number(), code.category().name());
        let (code, category) = match self {
            Failure::Core(error) => of(error.code()),
            Failure::StaleBranch { .. } => of(Code::BranchNotFound),
            Failure::Output(_) => of(Code::Io),
            Failure::Usage(_) | Failure::CommandLine(_) | Failure::Reported => of(Code::InvalidArgument),
        };
        json!({ "error": { "code": code, "name": name, "category": category, "message": message, "hint": self.hint() } })
    }

    fn hint(&self) -> Option<String> {
        match self {
            Failure::Core(error) => hint(error),
            Failure::StaleBranch { .. } => {
                Some("`armillaria branch` lists the branches, `armillaria checkout main` goes back".into())
            }
            Failure::Usage(_) | Failure::CommandLine(_) => {
                Some("armillaria COMMAND --help shows what a command takes".into())
            }
            _ => None,
        }
    }
}

/// `error: unexpected argument …`, without the usage that follows.
fn first_paragraph(said: &str) -> String {
    let paragraph = said.strip_prefix("error: ").unwrap_or(said).split("\n\n").next().unwrap_or_default();
    paragraph.trim_end().into()
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Core(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Output(error)
    }
}

/// Errors inside a stream of rows.
impl From<ArrowError> for Failure {
    fn from(error: ArrowError) -> Failure {
        Failure::Core(crate::rows::unwrap_error(error))
    }
}
