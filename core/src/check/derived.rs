//! Checkpoints and index files. They are derived from the log, so damage to them costs nothing but time; it is reported all
//! the same, for who has one bad file may have others soon.

use super::verify::{Problem, VerifyReport};
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::repository::Repository;

const CHECKPOINT: &str =
    "nothing is lost: openings pass over it and read more of the log; delete it, for later commits write others";

const INDEX_FILE: &str = "nothing is lost: who needs it reads the log instead, and who may write makes it anew; delete it to have \
                          that done at the next opening";

/// Adds what is wrong with derived files. Before anything is looked up: a handle that may write takes a damaged index file away.
pub(super) fn check(repository: &Repository, report: &mut VerifyReport, cancel: &CancelToken) -> Result<()> {
    let damage = repository.catalog.check_derived(cancel)?;
    let checkpoints = damage.checkpoints.iter().map(|(path, error)| problem("checkpoint", path, error, CHECKPOINT));
    let index_files = damage.index_files.iter().map(|(path, error)| problem("index file", path, error, INDEX_FILE));
    report.problems.extend(checkpoints.chain(index_files));
    report.notes.extend(damage.missing.iter().map(|path| {
        format!(
            "index file {path} is missing and the newest checkpoint needs it; nothing is lost: openings read more of the log \
             until a later commit writes a checkpoint"
        )
    }));
    Ok(())
}

fn problem(what: &str, path: &str, error: &Error, advice: &str) -> Problem {
    let (object, message) = (format!("{what} {path}"), format!("{advice}; {error}"));
    Problem { object, code: error.code().name(), message, affects: Vec::new() }
}
