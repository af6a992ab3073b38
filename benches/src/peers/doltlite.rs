//! DoltLite in a Python process of its own, which is told how many commits to make and answers how long they took.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use arrow::array::RecordBatch;

use crate::context::Context;
use crate::machine::first_line;
use crate::worker::Conversation;
use crate::{Result, data};

const SCRIPT: &str = include_str!("doltlite_commits.py");

/// A DoltLite that commits when told.
#[derive(Debug)]
pub(crate) struct DoltLite {
    process: Conversation,
}

impl DoltLite {
    /// Starts it on a new file in a directory, with the rows that it will commit.
    pub(crate) fn start(context: &Context, directory: &Path, rows: &[RecordBatch]) -> Result<DoltLite> {
        let (script, csv) = (directory.join("doltlite_commits.py"), directory.join("rows.csv"));
        std::fs::write(&script, SCRIPT)?;
        std::fs::write(&csv, data::csv(rows)?)?;
        let mut command = Command::new(python(context)?);
        command.arg(&script).arg(directory.join("doltlite.db")).arg(&csv);
        Ok(DoltLite { process: Conversation::start(&mut command)? })
    }

    /// Makes so many durable commits of ten rows; how long they took, without Python's preparations.
    pub(crate) fn commit(&mut self, commits: usize) -> Result<Duration> {
        self.process.say(&commits.to_string())?;
        Ok(Duration::from_secs_f64(self.process.listen()?.trim().parse()?))
    }
}

/// The version that is installed.
pub(crate) fn version(context: &Context) -> Result<String> {
    let asked = "import importlib.metadata as m; print(m.version('doltlite'))";
    let line = first_line(Command::new(python(context)?).args(["-c", asked]));
    line.ok_or_else(|| "there is no package doltlite in that Python".into())
}

fn python(context: &Context) -> Result<&Path> {
    let missing = "--doltlite-python is not given; make bench installs one";
    context.doltlite_python.as_deref().ok_or_else(|| missing.into())
}
