//! A repository in a temporary folder, and the binary to run on it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with a repository `repo` in it.
pub(crate) struct Repo {
    folder: TempDir,
}

/// What a run of the binary came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Repo {
    /// A folder without a repository.
    pub(crate) fn absent() -> Repo {
        Repo { folder: tempfile::tempdir().unwrap() }
    }

    /// An empty repository.
    pub(crate) fn new() -> Repo {
        let repo = Repo::absent();
        repo.ok(&["init"]);
        repo
    }

    /// A repository whose table `users` has two versions: Ada and Bob; Ada, Bob and Cy.
    pub(crate) fn with_users() -> Repo {
        let repo = Repo::new();
        let first = repo.file("users.csv", "id,name\n1,Ada\n2,Bob\n");
        repo.ok(&["import", "users", &first, "-m", "first"]);
        let second = repo.file("more.csv", "id,name\n3,Cy\n");
        repo.ok(&["import", "users", &second, "--mode", "append", "-m", "second"]);
        repo
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder().join("repo")
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder().join(name).display().to_string()
    }

    /// Writes a file and returns its path.
    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        fs::write(self.folder().join(name), content).unwrap();
        self.path(name)
    }

    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_armillaria"));
        command.current_dir(self.folder()).args(arguments).stdin(Stdio::null());
        command.env("ARMILLARIA_REPO", self.root()).env("ARMILLARIA_AUTHOR", "tester").env_remove("RUST_LOG");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { status: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Runs a command that must succeed; returns what it printed.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.status, 0, "{arguments:?} failed: {}{}", ran.out, ran.err);
        assert_eq!(ran.err, "", "{arguments:?} complained");
        ran.out
    }

    /// Runs a command with --json that must succeed.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let out = self.ok(&[arguments, &["--json"]].concat());
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?} printed no JSON ({error}): {out}"))
    }

    /// Runs a command that must fail with an error of this name; returns the message and the hint.
    pub(crate) fn fails(&self, name: &str, arguments: &[&str]) -> (String, String) {
        let ran = self.run(arguments);
        assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{arguments:?}: {}", ran.err);
        let (error, hint) = ran.err.trim_end().split_once("\nhint: ").unwrap_or((ran.err.trim_end(), ""));
        let message = error.strip_prefix(&format!("error[{name}]: "));
        (message.unwrap_or_else(|| panic!("{arguments:?}: no {name} in {error:?}")).into(), hint.into())
    }

    /// The rows of a query.
    pub(crate) fn rows(&self, statement: &str) -> Value {
        self.json(&["sql", statement])
    }
}
