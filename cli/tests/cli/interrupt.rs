//! Ctrl-C, and a request to end, while something is imported.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::runner::Repo;

fn signal(child: &Child, name: &str) {
    let kill = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(kill.success(), "the process had ended already");
}

/// The files below a folder.
fn files(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}

/// The import was given up: it says so, committed nothing and left nothing, and the next one works.
fn assert_given_up(repo: &Repo, child: Child) {
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(1), &b""[..]), "{told}");
    assert!(told.starts_with("error[CANCELLED]: "), "{told}");
    assert_eq!(files(&repo.root().join("tmp")), 0, "a temporary file was left in the repository");
    assert_eq!(files(&repo.folder().join("spool")), 0, "a temporary file was left");
    assert_eq!(repo.json(&["tables"]).as_array().map(Vec::len), Some(1));
    assert_eq!(repo.json(&["log"]).as_array().map(Vec::len), Some(2), "a transaction more");
    assert_eq!(repo.rows("SELECT count(*) AS n FROM users"), json!([{"n": 3}]));
    repo.ok(&["verify", "--deep"]);
    let next = repo.file("next.csv", "id,name\n9,Zoe\n");
    repo.ok(&["import", "next", &next]);
    assert_eq!(repo.rows("FROM next"), json!([{"id": 9, "name": "Zoe"}]));
    repo.ok(&["drop", "next"]);
}

fn import(repo: &Repo, arguments: &[&str], stdin: Stdio) -> Child {
    let spool = repo.folder().join("spool");
    fs::create_dir_all(&spool).unwrap();
    let mut command = repo.command(&[&["import"], arguments].concat());
    command.env("TMPDIR", spool).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The first chunk of several is there when the signal comes.
#[test]
fn an_import_that_is_interrupted_commits_nothing() {
    for (mode, name) in [("overwrite", "-INT"), ("append", "-TERM")] {
        let repo = Repo::with_users();
        let large = repo.path("large.csv");
        repo.ok(&["sql", "SELECT range AS id, md5(range::VARCHAR) AS name FROM range(2000000)", "-o", &large]);
        assert_eq!(files(&repo.root().join("chunks")), 0, "these few rows need no chunk");
        let child = import(&repo, &["users", &large, "--mode", mode], Stdio::null());
        while files(&repo.root().join("chunks")) == 0 {
            std::thread::yield_now();
        }
        signal(&child, name);
        assert_given_up(&repo, child);
    }
}

/// Nothing comes out of the pipe any more, and it stays open.
#[test]
fn an_import_that_waits_for_a_pipe_can_be_interrupted() {
    let repo = Repo::with_users();
    let mut silent = Command::new("sh");
    silent.args(["-c", "printf 'id,name\\n4,Dan\\n'; exec sleep 60"]).stdout(Stdio::piped());
    let mut silent = silent.spawn().unwrap();
    let pipe = silent.stdout.take().unwrap();
    let child = import(&repo, &["users", "-", "--format", "csv"], pipe.into());
    while files(&repo.folder().join("spool")) == 0 {
        std::thread::yield_now();
    }
    signal(&child, "-INT");
    assert_given_up(&repo, child);
    silent.kill().unwrap();
    silent.wait().unwrap();
}
