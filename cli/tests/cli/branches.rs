use std::fs;

use serde_json::json;

use crate::runner::Repo;

/// `users` of the branch `fix` has other rows than `users` of `main`.
fn with_a_fix() -> Repo {
    let repo = Repo::with_users();
    repo.ok(&["branch", "fix", "-d", "puts Bob right"]);
    let path = repo.file("fixed.csv", "id,name\n1,Ada\n2,Rob\n3,Cy\n");
    repo.ok(&["import", "users", &path, "--branch", "fix", "-m", "Bob is Rob"]);
    repo
}

#[test]
fn branches_are_made_listed_and_deleted() {
    let repo = Repo::with_users();
    let branch = repo.json(&["branch", "fix", "tx:1", "-d", "a fix"]);
    assert_eq!((&branch["name"], &branch["from_tx_id"]), (&json!("fix"), &json!(1)));
    let list = repo.json(&["branch"]);
    let named = |name: &str| list.as_array().unwrap().iter().find(|branch| branch["name"] == name).unwrap().clone();
    assert_eq!((&named("main")["current"], &named("fix")["current"]), (&json!(true), &json!(false)));
    assert_eq!((&named("fix")["description"], &named("fix")["from_branch"]), (&json!("a fix"), &json!("main")));
    assert!(repo.ok(&["branch"]).contains("a fix"));
    repo.ok(&["branch", "--delete", "fix"]);
    assert_eq!(repo.json(&["branch"]).as_array().unwrap().len(), 1);
    repo.fails("BRANCH_NOT_FOUND", &["branch", "--delete", "fix"]);
    repo.fails("INVALID_ARGUMENT", &["branch", "--delete", "main"]);
}

#[test]
fn a_branch_starts_where_it_is_told() {
    let repo = Repo::with_users();
    repo.ok(&["tag", "v1", "tx:1"]);
    for (name, start) in [("a", "v1"), ("b", "tag:v1"), ("c", "tx:1")] {
        repo.ok(&["branch", name, start]);
        assert_eq!(repo.json(&["tables", "--branch", name])[0]["version"], 1, "{start}");
    }
    repo.ok(&["branch", "d", "branch:a"]);
    assert_eq!(repo.json(&["tables", "--branch", "d"])[0]["version"], 1);
    repo.fails("BRANCH_NOT_FOUND", &["branch", "e", "nowhere"]);
    repo.fails("TAG_NOT_FOUND", &["branch", "e", "tag:nowhere"]);
    repo.fails("TRANSACTION_NOT_FOUND", &["branch", "e", "tx:99"]);
    let (_, hint) = repo.fails("BRANCH_EXISTS", &["branch", "a"]);
    assert_eq!(hint, "`armillaria checkout a` switches to it");
}

#[test]
fn the_current_branch_is_remembered() {
    let repo = with_a_fix();
    assert_eq!(repo.json(&["checkout", "fix"]), json!({"branch": "fix"}));
    assert_eq!(repo.rows("SELECT name FROM users WHERE id = 2")[0]["name"], "Rob");
    assert!(repo.ok(&["branch"]).contains("* ┆ fix"));
    let path = repo.file("x.csv", "x\n1\n");
    assert_eq!(repo.json(&["import", "x", &path])["branch"], "fix");
    repo.ok(&["checkout", "main"]);
    assert_eq!(repo.rows("SELECT name FROM users WHERE id = 2")[0]["name"], "Bob");
    repo.ok(&["checkout", "-b", "new"]);
    assert_eq!(repo.json(&["import", "x", &path])["branch"], "new");
}

#[test]
fn a_branch_that_is_gone_is_told() {
    let repo = with_a_fix();
    repo.ok(&["checkout", "fix"]);
    repo.ok(&["branch", "--delete", "fix"]);
    let (message, hint) = repo.fails("BRANCH_NOT_FOUND", &["tables"]);
    assert_eq!(message, "the current branch is gone; branch=\"fix\"");
    assert!(hint.contains("`armillaria checkout main`"), "{hint}");
    repo.ok(&["checkout", "main"]);
    repo.ok(&["tables"]);
    fs::write(repo.root().join("cli.json"), "{").unwrap();
    let (message, _) = repo.fails("INVALID_ARGUMENT", &["tables"]);
    assert!(message.contains("cli.json is damaged"), "{message}");
}

#[test]
fn a_checkout_of_nothing_changes_nothing() {
    let repo = Repo::with_users();
    repo.fails("BRANCH_NOT_FOUND", &["checkout", "nowhere"]);
    repo.ok(&["tables"]);
}

#[test]
fn tags_stay_where_they_are() {
    let repo = Repo::with_users();
    assert_eq!(repo.json(&["tag", "v1", "tx:1"])["tx_id"], 1);
    repo.ok(&["tag", "latest"]);
    let (_, hint) = repo.fails("TAG_EXISTS", &["tag", "v1"]);
    assert_eq!(hint, "`armillaria tag --delete v1` takes it away first");
    let list = repo.json(&["tag"]);
    assert_eq!((&list[0]["name"], &list[1]["name"]), (&json!("latest"), &json!("v1")));
    assert!(repo.ok(&["tag"]).contains("v1"));
    repo.ok(&["tag", "--delete", "v1"]);
    repo.fails("TAG_NOT_FOUND", &["tables", "--tag", "v1"]);
}

#[test]
fn branches_and_versions_are_compared() {
    let repo = with_a_fix();
    assert_eq!(repo.json(&["diff", "fix", "main"]), json!({"added": [], "removed": [], "modified": [["users", 3, 2]]}));
    assert!(repo.ok(&["diff", "fix", "main"]).contains("version 3"));
    assert!(repo.ok(&["diff", "main", "main"]).contains("the same versions"));
    let by_row = repo.json(&["diff", "users", "2", "3"]);
    assert_eq!((&by_row["rows_added"], &by_row["rows_removed"]), (&json!(1), &json!(1)));
    let by_key = repo.json(&["diff", "users", "2", "3", "--key", "id"]);
    assert_eq!((&by_key["rows_added"], &by_key["rows_modified"]), (&json!(0), &json!(1)));
    assert!(repo.ok(&["diff", "users", "2", "3", "--key", "id"]).contains("~1 rows modified"));
    let rows = repo.json(&["diff", "users", "2", "3", "--key", "id", "--rows"]);
    let names: Vec<_> = rows.as_array().unwrap().iter().map(|row| (&row["_change_type"], &row["name"])).collect();
    let (before, after) = (json!("update_preimage"), json!("update_postimage"));
    assert_eq!(names, [(&before, &json!("Bob")), (&after, &json!("Rob"))]);
    let csv = repo.ok(&["diff", "users", "1", "2", "--rows", "--format", "csv"]);
    assert!(csv.contains("insert") && csv.contains("Cy"), "{csv}");
    repo.fails("VERSION_NOT_FOUND", &["diff", "users", "1", "9"]);
}

#[test]
fn a_merge_takes_over_what_changed() {
    let repo = with_a_fix();
    let dry = repo.json(&["merge", "fix", "--dry-run"]);
    assert_eq!(
        (&dry["kind"], &dry["tx_id"], &dry["tables"]),
        (&json!("fast_forward"), &json!(null), &json!(["users"]))
    );
    assert_eq!(repo.rows("SELECT name FROM users WHERE id = 2")[0]["name"], "Bob");
    let path = repo.file("x.csv", "x\n1\n");
    repo.ok(&["import", "x", &path]);
    let merged = repo.json(&["merge", "fix", "-m", "take it"]);
    assert_eq!((&merged["kind"], &merged["conflicts"]), (&json!("merged"), &json!([])));
    assert_eq!(repo.rows("SELECT name FROM users WHERE id = 2")[0]["name"], "Rob");
    assert_eq!(repo.json(&["merge", "fix"])["kind"], "up_to_date");
    assert!(repo.ok(&["merge", "fix"]).contains("nothing to merge"));
    assert!(repo.ok(&["log"]).contains("├─╮"), "the graph shows the merge");
}

#[test]
fn a_conflict_is_an_answer() {
    let repo = with_a_fix();
    let path = repo.file("other.csv", "id,name\n1,Eve\n");
    repo.ok(&["import", "users", &path]);
    let (message, hint) = repo.fails("MERGE_CONFLICT", &["merge", "fix"]);
    assert!(message.contains("\"users\""), "{message}");
    assert!(hint.contains("armillaria merge fix --strategy theirs"), "{hint}");
    let dry = repo.run(&["merge", "fix", "--dry-run", "--json"]);
    assert_eq!((dry.status, dry.err.as_str()), (1, ""), "a dry run reports conflicts and fails");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&dry.out).unwrap()["conflicts"], json!(["users"]));
    repo.ok(&["merge", "fix", "--strategy", "theirs"]);
    assert_eq!(repo.rows("SELECT count(*) AS n FROM users")[0]["n"], 3);
}

#[test]
fn a_revert_undoes_with_a_new_commit() {
    let repo = Repo::with_users();
    assert_eq!(repo.json(&["revert", "2", "-m", "no Cy"])["tx_id"], 3);
    assert_eq!(repo.rows("SELECT count(*) AS n FROM users")[0]["n"], 2);
    assert!(repo.ok(&["log"]).contains("reverts 2"));
    let (_, hint) = repo.fails("TRANSACTION_NOT_FOUND", &["revert", "99"]);
    assert_eq!(hint, "`armillaria log` lists the transactions");
}

#[test]
fn the_log_is_newest_first_and_filtered() {
    let repo = with_a_fix();
    let all = repo.json(&["log"]);
    let numbers: Vec<_> = all.as_array().unwrap().iter().map(|entry| entry["tx_id"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [4, 3, 2, 1]);
    assert_eq!(all[0]["message"], "Bob is Rob");
    let one = repo.json(&["log", "--limit", "1", "--branch", "main"]);
    assert_eq!((one.as_array().unwrap().len(), &one[0]["tx_id"]), (1, &json!(2)));
    assert_eq!(repo.json(&["log", "--table", "absent"]), json!([]));
    let shown = repo.ok(&["log"]);
    assert!(
        shown.starts_with("● 4 (fix)") && shown.contains("(*main)") && shown.contains("users append 1→2 +1"),
        "{shown}"
    );
}

#[test]
fn a_dry_run_of_a_merge_that_would_fail_says_so() {
    let repo = Repo::with_users();
    let path = repo.file("one.csv", "id,name\n9,Zoe\n");
    repo.ok(&["branch", "fix"]);
    repo.ok(&["import", "users", &path, "--branch", "fix"]);
    repo.ok(&["import", "users", &path]);
    let ran = repo.run(&["merge", "fix", "--dry-run"]);
    assert_eq!(ran.status, 1);
    assert!(ran.out.contains("fix would not be merged") && ran.out.contains("conflict users"), "{}", ran.out);
    let ran = repo.run(&["merge", "fix", "--dry-run", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.status, &report["kind"], &report["conflicts"]), (1, &json!("conflict"), &json!(["users"])));
    let decided = repo.json(&["merge", "fix", "--dry-run", "--strategy", "theirs"]);
    assert_eq!((&decided["kind"], &decided["tables"]), (&json!("merged"), &json!(["users"])));
}

#[test]
fn a_revert_on_another_branch_is_told() {
    let repo = Repo::with_users();
    repo.ok(&["checkout", "-b", "fix"]);
    let told = repo.ok(&["revert", "2"]);
    assert!(told.contains("on main") && told.contains("note: transaction 2 was made on main"), "{told}");
    assert_eq!(
        (repo.json(&["tables"])[0]["rows"].clone(), repo.json(&["tables", "--branch", "main"])[0]["rows"].clone()),
        (json!(3), json!(2))
    );
    repo.ok(&["checkout", "main"]);
    assert!(!repo.ok(&["revert", "4"]).contains("note:"));
}
