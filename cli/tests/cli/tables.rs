use std::fs;
use std::io::Write;
use std::process::Stdio;

use serde_json::json;

use crate::runner::Repo;

#[test]
fn init_makes_a_repository_once() {
    let repo = Repo::absent();
    assert!(repo.ok(&["init"]).starts_with("created a repository in "));
    assert!(repo.root().join("repo.json").is_file());
    assert_eq!(repo.json(&["init"])["created"], false);
    assert!(repo.ok(&["init"]).contains("is a repository already"));
}

#[test]
fn import_tells_the_commit() {
    let repo = Repo::new();
    let path = repo.file("users.csv", "id,name\n1,Ada\n2,Bob\n");
    let commit = repo.json(&["import", "users", &path, "-m", "first"]);
    assert_eq!(commit["tx_id"], 1);
    assert_eq!(commit["branch"], "main");
    assert_eq!(commit["tables"][0]["table"], "users");
    assert_eq!((&commit["tables"][0]["version"], &commit["tables"][0]["rows"]), (&json!(1), &json!(2)));
    let people = repo.ok(&["import", "users", &path]);
    assert!(
        people.contains("committed transaction 2 on main") && people.contains("users version 2, 2 rows"),
        "{people}"
    );
}

#[test]
fn several_files_are_one_commit() {
    let repo = Repo::new();
    let files = [repo.file("a.csv", "n\n1\n"), repo.file("b.jsonl", "{\"n\":2}\n"), repo.file("c.json", "[{\"n\":3}]")];
    let commit = repo.json(&["import", "numbers", &files[0], &files[1], &files[2]]);
    assert_eq!((&commit["tx_id"], &commit["tables"][0]["rows"]), (&json!(1), &json!(3)));
    assert_eq!(repo.rows("SELECT n FROM numbers"), json!([{"n": 1}, {"n": 2}, {"n": 3}]));
}

#[test]
fn import_reads_standard_input() {
    let repo = Repo::new();
    let mut child = repo
        .command(&["import", "users", "-", "--format", "jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"{\"id\": 7}\n").unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(repo.rows("SELECT id FROM users"), json!([{"id": 7}]));
}

#[test]
fn appended_text_keeps_the_tables_types() {
    let repo = Repo::new();
    let path = repo.file("codes.csv", "code\nA1\n");
    repo.ok(&["import", "codes", &path]);
    let path = repo.file("more.csv", "code\n17\n");
    repo.ok(&["import", "codes", &path, "--mode", "append"]);
    assert_eq!(repo.rows("SELECT code FROM codes"), json!([{"code": "A1"}, {"code": "17"}]));
}

#[test]
fn appended_values_lose_nothing_unless_the_user_says_so() {
    let repo = Repo::new();
    let path = repo.file("first.csv", "x,at\n0.5,2013-01-01T05:00:00\n");
    repo.ok(&["import", "readings", &path]);
    let wide = "9007199254740993";
    let fine = "2013-01-01T05:00:00.123456789";
    for (name, content) in [
        ("wide.csv", format!("x,at\n{wide},2013-01-01T05:00:00\n")),
        ("fine.csv", format!("x,at\n1,{fine}\n")),
        ("wide.json", format!("{{\"x\": {wide}, \"at\": \"2013-01-01T05:00:00\"}}\n")),
        ("fine.json", format!("{{\"x\": 1, \"at\": \"{fine}\"}}\n")),
    ] {
        let path = repo.file(name, &content);
        let (message, _) = repo.fails("INVALID_ARGUMENT", &["import", "readings", &path, "--mode", "append"]);
        let (value, column) = if name.starts_with("wide") { (wide, "\"x\"") } else { (fine, "\"at\"") };
        assert!([name, value, column, "--type"].iter().all(|part| message.contains(part)), "{message}");
    }
    assert_eq!(repo.json(&["tables"])[0]["rows"], 1);

    let path = repo.file("agreed.csv", &format!("x,at\n{wide},{fine}\nNaN,\n"));
    repo.ok(&["import", "readings", &path, "--mode", "append", "--type", "x=double", "--type", "at=timestamp"]);
    let path = repo.file("nan.json", "{\"x\": \"NaN\", \"at\": \"2013-01-01T05:00:00.123456\"}\n");
    repo.ok(&["import", "readings", &path, "--mode", "append"]);
    assert_eq!(
        repo.rows("SELECT count(*) AS n, sum(isnan(x)::INT) AS nans FROM readings"),
        json!([{"n": 4, "nans": 2}])
    );
}

#[test]
fn import_goes_to_the_branch_that_is_named() {
    let repo = Repo::with_users();
    repo.ok(&["branch", "fix"]);
    let path = repo.file("one.csv", "id,name\n9,Zoe\n");
    assert_eq!(repo.json(&["import", "users", &path, "--branch", "fix"])["branch"], "fix");
    assert_eq!(repo.json(&["tables"])[0]["rows"], 3);
    assert_eq!(repo.json(&["tables", "--branch", "fix"])[0]["rows"], 1);
}

#[test]
fn a_failed_import_commits_nothing() {
    let repo = Repo::with_users();
    let path = repo.file("bad.csv", "id,name\n4,Dee\nfive,Eve\n");
    let (message, _) = repo.fails("INVALID_ARGUMENT", &["import", "users", &path, "--mode", "append"]);
    assert!(message.contains("bad.csv: line 3: \"five\" in column \"id\" is not Int64"), "{message}");
    assert_eq!(repo.json(&["stats"])["transactions"], 2);
}

#[test]
fn tables_are_listed_at_any_place() {
    let repo = Repo::with_users();
    let table = &repo.json(&["tables"])[0];
    assert_eq!((&table["name"], &table["version"], &table["rows"]), (&json!("users"), &json!(2), &json!(3)));
    assert_eq!(repo.json(&["tables", "--tx", "1"])[0]["rows"], 2);
    assert_eq!(repo.json(&["tables", "--tx", "0"]), json!([]));
    assert_eq!(repo.json(&["tables", "--time", "1999-12-31"]), json!([]));
    assert_eq!(repo.json(&["tables", "--time", "2999-12-31", "--branch", "main"])[0]["version"], 2);
    repo.ok(&["tag", "v1", "tx:1"]);
    assert_eq!(repo.json(&["tables", "--tag", "v1"])[0]["version"], 1);
    assert!(repo.ok(&["tables"]).contains("users"));
}

#[test]
fn schema_shows_columns() {
    let repo = Repo::with_users();
    let columns = &repo.json(&["schema", "users"])["columns"];
    assert_eq!(columns[0], json!({"name": "id", "type": "Int64", "nullable": true}));
    assert_eq!(columns[1]["type"], "Utf8");
    assert!(repo.ok(&["schema", "users"]).contains("Int64"));
}

#[test]
fn history_is_newest_first() {
    let repo = Repo::with_users();
    let history = repo.json(&["history", "users"]);
    assert_eq!(history[0]["version"], 2);
    assert_eq!((&history[1]["message"], &history[1]["author"]), (&json!("first"), &json!("tester")));
    assert_eq!((&history[0]["kind"], &history[0]["rows"]), (&json!("append"), &json!(3)));
    assert_eq!(repo.json(&["history", "users", "--limit", "1"]).as_array().unwrap().len(), 1);
    assert!(repo.ok(&["history", "users"]).contains("second"));
}

#[test]
fn what_is_exported_can_be_imported_again() {
    let repo = Repo::new();
    let path = repo.file("a.csv", "id,name,day,x\n1,Ada,2013-01-01,0.5\n2,,,\n3,\"a \"\"b\"\", c\",2013-01-03,-1\n");
    repo.ok(&["import", "a", &path]);
    let expected = repo.rows("SELECT * FROM a");
    assert_eq!(expected[2]["name"], "a \"b\", c");
    for extension in ["csv", "json", "jsonl", "arrow", "parquet"] {
        let file = repo.path(&format!("out.{extension}"));
        assert_eq!(repo.json(&["export", "a", &file])["rows"], 3);
        repo.ok(&["import", "b", &file]);
        assert_eq!(repo.rows("SELECT id, name, CAST(day AS DATE) AS day, x FROM b"), expected, "{extension}");
    }
}

#[test]
fn export_finds_old_versions_and_columns() {
    let repo = Repo::with_users();
    assert_eq!(repo.ok(&["export", "users", "--version", "1"]), "id,name\n1,Ada\n2,Bob\n");
    assert_eq!(repo.ok(&["export", "users", "--columns", "name", "--tx", "1"]), "name\nAda\nBob\n");
    assert_eq!(repo.ok(&["export", "users", "--format", "jsonl", "--version", "1"]).lines().count(), 2);
}

#[test]
fn export_replaces_a_file_only_when_told() {
    let repo = Repo::with_users();
    let file = repo.file("out.csv", "precious");
    let (message, _) = repo.fails("INVALID_ARGUMENT", &["export", "users", &file]);
    assert!(message.contains("--force"), "{message}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    repo.ok(&["export", "users", &file, "--force"]);
    assert!(fs::read_to_string(&file).unwrap().starts_with("id,name"));
}

#[test]
fn a_failed_export_leaves_no_file() {
    let repo = Repo::new();
    let path = repo.file("nested.json", "[{\"list\": [1, 2]}]");
    repo.ok(&["import", "nested", &path]);
    let (message, _) = repo.fails("UNSUPPORTED", &["export", "nested", &repo.path("out.csv")]);
    assert!(message.contains("\"list\""), "{message}");
    let left: Vec<_> = fs::read_dir(repo.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn a_dropped_table_keeps_its_versions() {
    let repo = Repo::with_users();
    repo.ok(&["drop", "users", "-m", "gone"]);
    assert_eq!(repo.json(&["tables"]), json!([]));
    assert_eq!(repo.ok(&["export", "users", "--version", "1"]).lines().count(), 3);
}

#[test]
fn changed_rows_are_updates_where_a_key_tells_them_apart() {
    let repo = Repo::new();
    let first = repo.file("a.csv", "id,part,n\n1,a,10\n1,b,20\n");
    repo.ok(&["import", "stock", &first, "--key", "id,part"]);
    let second = repo.file("b.csv", "id,part,n\n1,a,11\n1,b,20\n");
    repo.ok(&["import", "stock", &second, "--key", "id", "--key", "part"]);
    let changes = repo.json(&["changes", "stock", "1", "2"]);
    let seen: Vec<_> = changes.as_array().unwrap().iter().map(|row| (&row["_change_type"], &row["n"])).collect();
    assert_eq!(seen, [(&json!("update_preimage"), &json!(10)), (&json!("update_postimage"), &json!(11))]);
    let more = repo.file("c.csv", "id,part,n\n2,a,1\n");
    repo.ok(&["import", "stock", &more, "--mode", "append", "--key", "id,part"]);
    let (message, _) = repo.fails("INVALID_ARGUMENT", &["import", "stock", &more, "--mode", "append", "--key", "id"]);
    assert!(message.contains("the table has the key id,part"), "{message}");
    let (message, _) = repo.fails("INVALID_ARGUMENT", &["import", "other", &more, "--key", "nobody"]);
    assert!(message.contains("nobody"), "{message}");
}

#[test]
fn many_small_appends_are_compacted() {
    let repo = Repo::new();
    let rows: String = (0..3000).map(|n| format!("{n},{}\n", n * 7919 % 3001)).collect();
    let path = repo.file("n.csv", &format!("n,m\n{rows}"));
    for table in ["a", "b"] {
        for _ in 0..3 {
            repo.ok(&["import", table, &path, "--mode", "append"]);
        }
    }
    let commits = repo.json(&["compact"]);
    let folded: Vec<_> = commits.as_array().unwrap().iter().map(|commit| &commit["tables"][0]).collect();
    assert!(!folded.is_empty() && folded.iter().all(|table| table["rows"] == 9000), "{commits}");
    assert_eq!(repo.rows("SELECT count(*) AS n, count(DISTINCT n) AS d FROM a"), json!([{"n": 9000, "d": 3000}]));
    assert_eq!(repo.json(&["compact"]), json!([]));
    assert_eq!(repo.ok(&["compact", "a"]), "nothing to do\n");
    repo.fails("TABLE_NOT_FOUND", &["compact", "ghosts"]);
}

#[test]
fn a_table_that_was_dropped_last_has_its_drop_on_top() {
    let repo = Repo::with_users();
    repo.ok(&["drop", "users", "-m", "gone"]);
    let history = repo.json(&["history", "users", "--limit", "1"]);
    assert_eq!((&history[0]["tx_id"], &history[0]["message"]), (&json!(3), &json!("gone")));
}

#[test]
fn paths_may_be_any_bytes() {
    use std::os::unix::ffi::OsStrExt;
    let repo = Repo::absent();
    let odd = |name: &[u8]| repo.folder().join(std::ffi::OsStr::from_bytes(name)).into_os_string();
    let run = |arguments: &[std::ffi::OsString]| {
        let output = repo.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let root = odd(b"r\xff");
    let with = |arguments: &[&str]| {
        let mut all: Vec<std::ffi::OsString> = vec!["--json".into(), "-C".into(), root.clone()];
        all.extend(arguments.iter().map(Into::into));
        all
    };
    assert_eq!(run(&with(&["init"]))["created"], true);
    let path = repo.file("a.csv", "n\n1\n");
    run(&with(&["import", "t", &path]));
    assert_eq!(run(&[with(&["export", "t"]), vec![odd(b"a\xff.csv")]].concat())["rows"], 1);
    repo.ok(&["init"]);
    let statement: Vec<std::ffi::OsString> = ["--json", "sql", "SELECT 1 AS n", "-o"].map(Into::into).into();
    assert_eq!(run(&[statement, vec![odd(b"b\xff.csv")]].concat())["rows"], 1);
}

#[test]
fn a_pipe_can_be_imported_by_its_name() {
    let repo = Repo::new();
    let pipe = repo.path("pipe.csv");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let child = repo.command(&["import", "t", &pipe]).stdout(Stdio::null()).spawn().unwrap();
    fs::write(&pipe, "n\n1\n2\n").unwrap();
    assert!(child.wait_with_output().unwrap().status.success());
    assert_eq!(repo.rows("SELECT sum(n)::INT AS s FROM t"), json!([{"s": 3}]));
}
