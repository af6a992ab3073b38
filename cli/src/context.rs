//! What every command needs: where the repository is, who asks, and how to answer.

use std::path::{Path, PathBuf};

use armillaria::{Database, Error, OpenOptions};

use crate::args::Global;
use crate::current_branch;
use crate::failure::{Failure, Outcome};
use crate::output::Output;

/// What every command needs.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    repository: PathBuf,
    author: Option<String>,
    output: Output,
}

/// What a command wants from the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Looks only; works on a directory that cannot be written.
    Read,
    /// Also commits.
    Write,
}

impl Context {
    /// Takes the global options.
    pub(crate) fn new(global: &Global) -> Context {
        let user = || ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
        let author = global.author.clone().or_else(user).filter(|author| !author.is_empty());
        Context { repository: global.repository.clone(), author, output: Output::new(global.json) }
    }

    /// How to answer.
    pub(crate) const fn output(&self) -> Output {
        self.output
    }

    /// The repository's folder.
    pub(crate) fn repository(&self) -> &Path {
        &self.repository
    }

    /// Opens the repository on the branch that is remembered; if that branch is gone, says so.
    pub(crate) fn open(&self, access: Access) -> Outcome<Database> {
        self.open_with(access, OpenOptions::default())
    }

    /// The same with more options.
    pub(crate) fn open_with(&self, access: Access, options: OpenOptions) -> Outcome<Database> {
        let database = self.open_on_main(access, options)?;
        match self.remembered_branch()? {
            None => Ok(database),
            Some(branch) => match database.checkout(&branch) {
                Ok(()) => Ok(database),
                Err(Error::BranchNotFound { .. }) => Err(Failure::StaleBranch { branch }),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// Opens the repository on `main`, whatever is remembered.
    pub(crate) fn open_on_main(&self, access: Access, options: OpenOptions) -> Outcome<Database> {
        self.refuse_memory()?;
        let read_only = access == Access::Read;
        let options = OpenOptions { create: false, read_only, author: self.author.clone(), ..options };
        Ok(Database::open(&self.repository, options)?)
    }

    /// Creates the repository, or opens it if it is there.
    pub(crate) fn create(&self) -> Outcome<Database> {
        self.refuse_memory()?;
        let options = OpenOptions { create: true, author: self.author.clone(), ..OpenOptions::default() };
        Ok(Database::open(&self.repository, options)?)
    }

    /// A repository in memory would end with the command.
    fn refuse_memory(&self) -> Outcome {
        match self.repository.to_str() {
            Some("memory:") => {
                Err(Failure::Usage("a repository in memory ends with its command; name a folder with -C".into()))
            }
            _ => Ok(()),
        }
    }

    /// The branch that the last `checkout` chose.
    pub(crate) fn remembered_branch(&self) -> Outcome<Option<String>> {
        Ok(current_branch::load(&self.repository)?)
    }

    /// Remembers a branch for the next commands.
    pub(crate) fn remember_branch(&self, branch: &str) -> Outcome {
        Ok(current_branch::store(&self.repository, branch)?)
    }
}
