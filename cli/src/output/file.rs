//! Files that a command writes: whole or not at all.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use armillaria::Error;

use super::Sink;
use crate::failure::{Failure, Outcome};
use crate::staged_file::stage_beside;

/// Writes a file through a temporary one beside it, so that a failure leaves nothing half written.
///
/// A file that exists already is `INVALID_ARGUMENT`, unless `replace` is set.
pub(crate) fn write_file<T>(path: &Path, replace: bool, write: impl FnOnce(Sink<'_>) -> Outcome<T>) -> Outcome<T> {
    if !replace && path.exists() {
        let reason = format!("{} exists already; --force replaces it", path.display());
        return Err(Error::invalid("output file", reason).into());
    }
    let failed = |error: io::Error| Failure::Core(Error::io("write a file", path.display(), error));
    let mut staged = stage_beside(path).map_err(failed)?;
    let mut buffer = BufWriter::new(staged.as_file_mut());
    let result = write(&mut buffer).map_err(|failure| match failure {
        Failure::Output(error) => failed(error),
        other => other,
    })?;
    buffer.flush().map_err(failed)?;
    drop(buffer);
    let placed = if replace { staged.persist(path) } else { staged.persist_noclobber(path) };
    placed.map_err(|error| failed(error.error))?;
    Ok(result)
}
