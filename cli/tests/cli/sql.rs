use std::io::Write;
use std::process::Stdio;

use serde_json::json;

use crate::runner::{Ran, Repo};

#[test]
fn rows_come_in_every_format() {
    let repo = Repo::with_users();
    let statement = "SELECT id, name FROM users ORDER BY id LIMIT 1";
    assert_eq!(repo.ok(&["sql", statement, "--format", "csv"]), "id,name\n1,Ada\n");
    assert_eq!(repo.ok(&["sql", statement, "--format", "jsonl"]), "{\"id\":1,\"name\":\"Ada\"}\n");
    assert_eq!(repo.ok(&["sql", statement, "--format", "json"]), "[{\"id\":1,\"name\":\"Ada\"}]\n");
    let table = repo.ok(&["sql", statement]);
    assert!(table.contains("│ id ┆ name │") && table.ends_with("1 row\n"), "{table}");
    for format in ["arrow", "parquet"] {
        let output = repo.command(&["sql", statement, "--format", format]).output().unwrap();
        let magic: &[u8] = if format == "arrow" { b"ARROW1" } else { b"PAR1" };
        assert!(output.status.success() && output.stdout.starts_with(magic), "{format}");
    }
}

#[test]
fn no_rows_are_still_an_answer() {
    let repo = Repo::with_users();
    let nobody = "SELECT id FROM users WHERE id > 99";
    assert_eq!(repo.ok(&["sql", nobody, "--format", "csv"]), "id\n");
    assert_eq!(repo.rows(nobody), json!([]));
    for empty in [nobody, "SELECT id FROM users LIMIT 0"] {
        let shown = repo.ok(&["sql", empty]);
        assert!(shown.contains("│ id │") && shown.ends_with("0 rows\n"), "{shown}");
    }
    assert!(repo.ok(&["diff", "users", "2", "2", "--rows"]).contains("_change_type"));
}

#[test]
fn versions_are_found_in_every_way() {
    let repo = Repo::with_users();
    repo.ok(&["tag", "v1", "tx:1"]);
    let count = "SELECT count(*) AS n FROM users";
    let n = |arguments: &[&str]| repo.json(&[&["sql", count], arguments].concat())[0]["n"].clone();
    assert_eq!(n(&[]), 3);
    assert_eq!(n(&["--at-version", "users=1"]), 2);
    assert_eq!(n(&["--tag", "v1"]), 2);
    assert_eq!(n(&["--tx", "1"]), 2);
    assert_eq!(n(&["--branch", "main"]), 3);
    assert_eq!(n(&["--time", "2999-01-01"]), 3);
    let both = "SELECT (SELECT count(*) FROM users) - (SELECT count(*) FROM users AT (VERSION => 1)) AS d";
    assert_eq!(repo.rows(both)[0]["d"], 1);
    assert_eq!(repo.rows("SELECT count(*) AS n FROM users AT (VERSION => 'v1')")[0]["n"], 2);
}

#[test]
fn parameters_are_bound() {
    let repo = Repo::with_users();
    let statement = "SELECT name FROM users WHERE id = ? OR name = ? ORDER BY id";
    let rows = repo.json(&["sql", statement, "-p", "1", "-p", "'Cy'"]);
    assert_eq!(rows, json!([{"name": "Ada"}, {"name": "Cy"}]));
    repo.fails("INVALID_ARGUMENT", &["sql", statement, "-p", "1"]);
}

#[test]
fn output_goes_to_a_file() {
    let repo = Repo::with_users();
    let file = repo.path("rows.parquet");
    assert_eq!(repo.json(&["sql", "SELECT * FROM users", "--output", &file])["rows"], 3);
    repo.ok(&["import", "again", &file]);
    assert_eq!(repo.rows("SELECT count(*) AS n FROM again")[0]["n"], 3);
    repo.fails("INVALID_ARGUMENT", &["sql", "SELECT 1", "--output", &file]);
    repo.ok(&["sql", "SELECT 1 AS one", "--output", &file, "--force"]);
}

#[test]
fn a_long_table_is_cut_and_says_so() {
    let repo = Repo::new();
    let statement = "SELECT * FROM range(100)";
    let cut = repo.ok(&["sql", statement]);
    assert!(cut.contains("the first 50 rows; --rows 0 shows all") && !cut.contains("│    50 │"), "{cut}");
    assert!(repo.ok(&["sql", statement, "--rows", "0"]).ends_with("100 rows\n"));
    assert!(repo.ok(&["sql", statement, "--rows", "2"]).contains("the first 2 rows"));
}

#[test]
fn statements_come_through_a_pipe() {
    let repo = Repo::with_users();
    let ran = piped(&repo, "SELECT 'a;b' AS x; -- first;\nSELECT count(*) AS n\nFROM users", &["--format", "csv"]);
    assert_eq!((ran.status, ran.out.as_str()), (0, "x\na;b\nn\n3\n"), "{}", ran.err);
    let ran = piped(&repo, "SELECT 1 AS x; SELECT nonsense; SELECT 2 AS x;", &["--format", "csv"]);
    assert_eq!((ran.status, ran.out.as_str()), (1, "x\n1\n"), "it stops at the first error");
    assert!(ran.err.contains("error[SQL_ERROR]"), "{}", ran.err);
}

fn piped(repo: &Repo, statements: &str, arguments: &[&str]) -> Ran {
    let mut command = repo.command(&[&["sql"], arguments].concat());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(statements.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { status: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn sql_only_reads_and_only_here() {
    let repo = Repo::with_users();
    let outside = repo.file("secret.csv", "a\n1\n");
    repo.fails("UNSUPPORTED", &["sql", "DELETE FROM users"]);
    repo.fails("UNSUPPORTED", &["sql", &format!("COPY (SELECT 1) TO '{}'", repo.path("stolen.csv"))]);
    repo.run(&["sql", &format!("SELECT * FROM read_csv('{outside}')")]).refused();
    let seen = repo.json(&["sql", &format!("SELECT * FROM read_csv('{outside}')"), "--external-access"]);
    assert_eq!(seen, json!([{"a": 1}]));
    assert!(!repo.folder().join("stolen.csv").exists());
}

#[test]
fn json_says_what_csv_says_of_floats_that_are_not_finite() {
    let repo = Repo::new();
    let statement =
        "SELECT x::DOUBLE AS x, [x::FLOAT] AS l FROM (VALUES ('nan'), ('inf'), ('-inf'), ('1.5'), (NULL)) t(x)";
    let expected = json!([
        {"x": "NaN", "l": ["NaN"]},
        {"x": "Infinity", "l": ["Infinity"]},
        {"x": "-Infinity", "l": ["-Infinity"]},
        {"x": 1.5, "l": [1.5]},
        {"x": null, "l": [null]},
    ]);
    assert_eq!(repo.rows(statement), expected);
    let file = repo.path("floats.jsonl");
    repo.ok(&["sql", "SELECT 'nan'::DOUBLE AS x UNION ALL SELECT '-inf' UNION ALL SELECT 2.5", "-o", &file]);
    repo.ok(&["import", "floats", &file, "--type", "x=float"]);
    assert_eq!(repo.rows("SELECT x::VARCHAR AS x FROM floats"), json!([{"x": "nan"}, {"x": "-inf"}, {"x": "2.5"}]));
}

#[test]
fn times_that_cannot_be_written_are_refused() {
    let repo = Repo::new();
    for value in ["'infinity'::TIMESTAMP", "'-infinity'::DATE", "'infinity'::TIMESTAMPTZ"] {
        for format in ["json", "jsonl", "csv"] {
            let statement = format!("SELECT {value} AS t");
            let ran = repo.run(&["sql", &statement, "--format", format]);
            assert_eq!(ran.status, 1, "{value} as {format}: {}", ran.out);
            assert!(!ran.out.contains("ERROR") && ran.err.starts_with("error[UNSUPPORTED]"), "{}{}", ran.out, ran.err);
        }
    }
    assert_eq!(repo.rows("SELECT TIMESTAMP '2013-01-01' AS t"), json!([{"t": "2013-01-01T00:00:00"}]));
}

#[test]
fn parquet_holds_no_unions() {
    let repo = Repo::new();
    for statement in ["SELECT union_value(k := 1) AS u", "SELECT [{'a': union_value(k := 1)}] AS u"] {
        let (message, _) = repo.fails("UNSUPPORTED", &["sql", statement, "-o", &repo.path("u.parquet")]);
        assert!(message.contains("column \"u\""), "{message}");
    }
}

#[test]
fn values_do_not_steer_the_terminal() {
    let repo = Repo::new();
    let shown = repo.ok(&["sql", "SELECT 'a' || chr(27) || '[31m' AS x"]);
    assert!(shown.contains("a\\u{1b}[31m") && !shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn advice_is_given_in_commands() {
    let repo = Repo::with_users();
    let advice = [
        ("INSERT INTO users VALUES (1)", "`armillaria import`"),
        ("DROP TABLE users", "`armillaria drop`"),
        ("SELECT * FROM read_csv('x.csv')", "give `--external-access`"),
        ("SELECT 1; DROP TABLE users", "a text of 2 statements"),
    ];
    for (statement, expected) in advice {
        let (message, _) = repo.fails("UNSUPPORTED", &["sql", statement]);
        assert!(message.contains(expected) && !message.contains("write_table"), "{message}");
    }
    let deep = format!("SELECT {}true", "NOT ".repeat(1500));
    let (message, _) = repo.fails("SQL_ERROR", &["sql", &deep]);
    assert!(message.ends_with("exceeded. Write the statement with less nesting."), "{message}");
}

#[test]
fn commands_with_a_dot_need_a_terminal() {
    let ran = piped(&Repo::with_users(), ".tables\n", &[]);
    assert_eq!((ran.status, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("for the shell on a terminal"), "{}", ran.err);
}

impl Ran {
    fn refused(&self) {
        assert_eq!((self.status, self.out.as_str()), (1, ""));
        assert!(self.err.starts_with("error["), "{}", self.err);
    }
}
