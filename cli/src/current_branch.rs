//! Remembers the current branch of a repository, for the next command.
//!
//! It stands in `cli.json` beside the repository's own files, which know nothing of it. It is replaced by a rename, so a
//! command that runs at the same time reads the old or the new one.

use std::io::{self, Write};
use std::path::Path;

use armillaria::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::staged_file::stage_beside;

const FILE: &str = "cli.json";

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    branch: Option<String>,
}

/// The remembered branch, if there is one.
pub(crate) fn load(repository: &Path) -> Result<Option<String>> {
    let path = repository.join(FILE);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind()) => {
            return Ok(None);
        }
        Err(error) => return Err(Error::io("read the current branch", path.display(), error)),
    };
    match serde_json::from_slice::<State>(&text) {
        Ok(state) => Ok(state.branch),
        Err(error) => {
            Err(Error::invalid("current branch", format!("{} is damaged ({error}); delete it", path.display())))
        }
    }
}

/// Remembers a branch; on return it is on disk under its name, though not synced: it is a convenience, not data.
pub(crate) fn store(repository: &Path, branch: &str) -> Result<()> {
    let path = repository.join(FILE);
    replace(&path, branch).map_err(|error| Error::io("remember the current branch", path.display(), error))
}

fn replace(path: &Path, branch: &str) -> io::Result<()> {
    let mut file = stage_beside(path)?;
    serde_json::to_writer(&mut file, &State { branch: Some(branch.into()) })?;
    file.write_all(b"\n")?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_is_remembered_until_the_next() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(load(folder.path()).unwrap(), None);
        store(folder.path(), "feature/x").unwrap();
        store(folder.path(), "fix").unwrap();
        assert_eq!(load(folder.path()).unwrap().as_deref(), Some("fix"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else stays behind");
    }

    #[test]
    fn a_damaged_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "{").unwrap();
        let error = load(folder.path()).unwrap_err().to_string();
        assert!(error.contains("cli.json is damaged"), "{error}");
    }
}
