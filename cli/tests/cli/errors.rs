use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::runner::Repo;

#[test]
fn what_is_no_repository_is_told() {
    let repo = Repo::absent();
    let (message, hint) = repo.fails("REPOSITORY_NOT_FOUND", &["tables"]);
    assert!(message.contains("no repository here"), "{message}");
    assert_eq!(hint, format!("`armillaria -C {} init` creates one", repo.root().display()));
    assert!(!repo.root().exists(), "looking creates nothing");
    let elsewhere = repo.path("elsewhere");
    let (message, _) = repo.fails("REPOSITORY_NOT_FOUND", &["-C", &elsewhere, "sql", "SELECT 1"]);
    assert!(message.contains("elsewhere"), "-C wins over the environment: {message}");
    for command in [&["-C", "memory:", "init"][..], &["-C", "memory:", "tables"]] {
        let ran = repo.run(command);
        assert_eq!(ran.status, 2, "{}", ran.out);
        assert!(ran.err.contains("name a folder"), "{}", ran.err);
    }
    let file = repo.file("file", "");
    assert_eq!(repo.run(&["-C", &file, "tables"]).status, 1);
}

#[test]
fn unknown_names_come_with_a_hint() {
    let repo = Repo::with_users();
    let cases: &[(&str, &[&str], &str)] = &[
        ("TABLE_NOT_FOUND", &["schema", "ghosts"], "`armillaria tables`"),
        ("TABLE_NOT_FOUND", &["export", "ghosts"], "`armillaria tables`"),
        ("TABLE_NOT_FOUND", &["history", "ghosts"], "`armillaria tables`"),
        ("TABLE_NOT_FOUND", &["drop", "ghosts"], "`armillaria tables`"),
        ("TABLE_NOT_FOUND", &["sql", "SELECT * FROM ghosts"], "`armillaria tables`"),
        ("VERSION_NOT_FOUND", &["export", "users", "--version", "9"], "`armillaria history users`"),
        ("VERSION_NOT_FOUND", &["sql", "SELECT * FROM users AT (VERSION => 9)"], "`armillaria history users`"),
        ("BRANCH_NOT_FOUND", &["tables", "--branch", "ghosts"], "`armillaria branch`"),
        ("BRANCH_NOT_FOUND", &["merge", "ghosts"], "`armillaria branch`"),
        ("BRANCH_NOT_FOUND", &["diff", "main", "ghosts"], "`armillaria branch`"),
        ("TAG_NOT_FOUND", &["tables", "--tag", "ghosts"], "`armillaria tag`"),
        ("TAG_NOT_FOUND", &["tag", "--delete", "ghosts"], "`armillaria tag`"),
        ("TRANSACTION_NOT_FOUND", &["tables", "--tx", "99"], "`armillaria log`"),
        ("SQL_ERROR", &["sql", "SELEC 1"], ""),
        ("INVALID_ARGUMENT", &["export", "users", "--columns", "ghosts"], ""),
        ("INVALID_ARGUMENT", &["branch", "a//b"], ""),
        ("INVALID_ARGUMENT", &["tag", ".."], ""),
    ];
    for (name, arguments, hint) in cases {
        let (_, given) = repo.fails(name, arguments);
        assert!(given.starts_with(hint), "{arguments:?}: {given}");
    }
}

#[test]
fn errors_are_json_where_answers_are() {
    let repo = Repo::with_users();
    let ran = repo.run(&["schema", "ghosts", "--json"]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    let error = &serde_json::from_str::<Value>(&ran.err).unwrap()["error"];
    assert_eq!((&error["code"], &error["name"]), (&json!(200), &json!("TABLE_NOT_FOUND")));
    assert_eq!(error["category"], "not_found");
    assert!(error["message"].as_str().unwrap().contains("ghosts") && error["hint"].is_string());
    for senseless in
        [&["changes", "users", "1", "--json"][..], &["--json", "frobnicate"], &["--json", "import"], &["--json"]]
    {
        let usage = repo.run(senseless);
        assert_eq!((usage.status, usage.out.as_str()), (2, ""), "{senseless:?}");
        let error = &serde_json::from_str::<Value>(&usage.err).unwrap()["error"];
        assert_eq!((&error["name"], &error["category"]), (&json!("USAGE"), &json!("usage")), "{senseless:?}");
        assert!(!error["message"].as_str().unwrap().is_empty() && !usage.err.contains("error: "), "{}", usage.err);
    }
    assert!(repo.ok(&["--json", "--help"]).contains("Usage"));
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let repo = Repo::with_users();
    let path = repo.file("other.jsonl", "{\"id\": \"x\", \"name\": \"y\"}\n");
    let ran = repo.run(&["import", "users", &path, "--mode", "append"]);
    assert_eq!(ran.status, 1, "{}", ran.out);
    let parquet = repo.path("text.parquet");
    repo.ok(&["sql", "SELECT 'x' AS id", "--output", &parquet]);
    let (message, hint) = repo.fails("SCHEMA_MISMATCH", &["import", "users", &parquet, "--mode", "append"]);
    assert!(message.contains("id"), "{message}");
    assert!(hint.contains("`armillaria schema users`"), "{hint}");
}

#[test]
fn a_directory_that_cannot_be_written_can_be_read() {
    let repo = Repo::with_users();
    let locked = Locked::new(&repo);
    if fs::write(repo.root().join("probe"), "").is_ok() {
        return eprintln!("skipped: this user writes where nobody may");
    }
    assert_eq!(repo.rows("SELECT count(*) AS n FROM users")[0]["n"], 3);
    repo.ok(&["tables"]);
    repo.ok(&["log"]);
    repo.ok(&["verify", "--deep"]);
    let path = repo.file("x.csv", "x\n1\n");
    assert_eq!(repo.run(&["import", "x", &path]).status, 1);
    assert_eq!(repo.run(&["checkout", "-b", "fix"]).status, 1);
    drop(locked);
    assert_eq!(repo.json(&["stats"])["transactions"], 2);
}

/// Takes the right to write away from every folder of a repository, until it is dropped.
struct Locked(Vec<std::path::PathBuf>);

impl Locked {
    fn new(repo: &Repo) -> Locked {
        let mut folders = vec![repo.root()];
        let mut next = 0;
        while next < folders.len() {
            let entries = fs::read_dir(&folders[next]).unwrap().map(|entry| entry.unwrap().path());
            let below: Vec<_> = entries.filter(|path| path.is_dir()).collect();
            folders.extend(below);
            next += 1;
        }
        folders.iter().for_each(|folder| set_mode(folder, 0o555));
        Locked(folders)
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        self.0.iter().for_each(|folder| set_mode(folder, 0o755));
    }
}

fn set_mode(path: &std::path::Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let repo = Repo::new();
    let statement = "SELECT * FROM range(1000000)";
    for format in ["csv", "jsonl", "json"] {
        let mut command = repo.command(&["sql", statement, "--format", format]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = [0; 16];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), err.as_str()), (Some(0), ""), "{format}");
    }
}

#[test]
fn a_pipe_gets_no_colours() {
    let repo = Repo::with_users();
    for arguments in [&["log"][..], &["tables"], &["verify"], &["schema", "ghosts"]] {
        let ran = repo.run(arguments);
        assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "{arguments:?}");
    }
}

#[test]
fn a_newer_format_is_refused() {
    let repo = Repo::with_users();
    let path = repo.root().join("repo.json");
    let mut identity: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let version = identity.as_object_mut().unwrap().iter_mut().find(|(key, _)| key.contains("version")).unwrap().1;
    *version = json!(999);
    set_mode(&path, 0o644);
    fs::write(&path, identity.to_string()).unwrap();
    let (message, _) = repo.fails("FORMAT_UNSUPPORTED", &["tables"]);
    assert!(message.contains("999"), "{message}");
}

/// Runs a command that writes a file, tells it to end when the file is begun, and says how that went.
fn end_while_writing(repo: &Repo, signal: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let staged = || {
        let names = fs::read_dir(repo.folder()).unwrap().map(|entry| entry.unwrap().file_name());
        names.into_iter().any(|name| name.to_str().unwrap().starts_with(".armillaria-"))
    };
    let child = repo.command(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    while !staged() {
        std::thread::yield_now();
    }
    let kill = std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(kill.success(), "{arguments:?} had ended already");
    let output = child.wait_with_output().unwrap();
    assert!(!staged(), "{signal} {arguments:?} left its temporary file");
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn who_is_told_to_end_takes_temporary_files_along() {
    let repo = Repo::new();
    let rows = repo.path("rows.parquet");
    repo.ok(&["sql", "SELECT range AS n, md5(range::VARCHAR) AS t FROM range(2000000)", "-o", &rows]);
    repo.ok(&["import", "rows", &rows]);
    let out = repo.path("out.csv");
    for signal in ["-INT", "-TERM"] {
        for command in [&["export", "rows", &out][..], &["sql", "FROM range(10000000000)", "-o", &out]] {
            let (status, told) = end_while_writing(&repo, signal, command);
            assert_eq!(status, Some(1), "{signal} {command:?}: {told}");
            assert!(told.contains("error[CANCELLED]"), "{signal} {command:?}: {told}");
            assert!(!std::path::Path::new(&out).exists());
        }
    }
}
