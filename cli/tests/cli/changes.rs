use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::runner::Repo;

#[test]
fn the_changelog_is_filtered() {
    let repo = Repo::with_users();
    let path = repo.file("x.csv", "x\n1\n");
    repo.ok(&["import", "x", &path]);
    let numbers = |arguments: &[&str]| -> Vec<u64> {
        let entries = repo.json(&[&["changes"], arguments].concat());
        entries.as_array().unwrap().iter().map(|entry| entry["tx_id"].as_u64().unwrap()).collect()
    };
    assert_eq!(numbers(&[]), [1, 2, 3]);
    assert_eq!(numbers(&["--since", "1"]), [2, 3]);
    assert_eq!(numbers(&["--since", "0", "--until", "2"]), [1, 2]);
    assert_eq!(numbers(&["--table", "x"]), [3]);
    assert_eq!(numbers(&["--limit", "2"]), [1, 2]);
    assert_eq!(numbers(&["--from", "2999-01-01"]), [0; 0]);
    assert_eq!(numbers(&["--to", "1999-01-01"]), [0; 0]);
    assert_eq!(numbers(&["--branch", "main"]), [1, 2, 3]);
    let table = &repo.json(&["changes", "--since", "1"])[0]["tables"][0];
    assert_eq!((&table["from_version"], &table["to_version"], &table["rows_added"]), (&json!(1), &json!(2), &json!(1)));
    assert!(repo.ok(&["changes"]).contains("users append 1→2 +1"));
    repo.fails("BRANCH_NOT_FOUND", &["changes", "--branch", "nowhere"]);
}

#[test]
fn rows_that_changed_carry_their_commit() {
    let repo = Repo::with_users();
    let rows = repo.json(&["changes", "users", "1", "2"]);
    assert_eq!(rows.as_array().unwrap().len(), 1);
    assert_eq!((&rows[0]["name"], &rows[0]["_change_type"]), (&json!("Cy"), &json!("insert")));
    assert_eq!((&rows[0]["_commit_version"], &rows[0]["_tx_id"]), (&json!(2), &json!(2)));
    let csv = repo.ok(&["changes", "users", "0", "2", "--format", "csv"]);
    assert_eq!(csv.lines().count(), 4);
}

#[test]
fn watch_sees_what_was_and_what_comes() {
    let repo = Repo::with_users();
    let mut watch = Watch::start(&repo, &["--since", "1"]);
    assert_eq!(watch.next()["tx_id"], 2);
    let path = repo.file("x.csv", "x\n1\n");
    repo.ok(&["import", "x", &path, "-m", "from another process"]);
    let entry = watch.next();
    assert_eq!((&entry["tx_id"], &entry["message"]), (&json!(3), &json!("from another process")));
}

#[test]
fn watch_stops_after_a_number_of_entries() {
    let repo = Repo::with_users();
    let shown = repo.ok(&["watch", "--since", "0", "--count", "2"]);
    assert_eq!(shown.lines().count(), 2);
    assert!(shown.contains("[users append 1→2 +1]"), "{shown}");
    let filtered =
        repo.ok(&["watch", "--since", "0", "--count", "1", "--table", "users", "--branch", "main", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&filtered).unwrap()["tx_id"], 1);
}

#[cfg(target_os = "linux")]
#[test]
fn watch_ends_well_on_ctrl_c() {
    let repo = Repo::with_users();
    let mut watch = Watch::start(&repo, &["--since", "0"]);
    assert_eq!(watch.next()["tx_id"], 1);
    let id = watch.child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(watch.child.wait().unwrap().code(), Some(0));
}

struct Watch {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Watch {
    fn start(repo: &Repo, arguments: &[&str]) -> Watch {
        let arguments = [&["watch", "--json"], arguments].concat();
        let mut child = repo.command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Watch { child, lines }
    }

    fn next(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().unwrap();
    }
}
