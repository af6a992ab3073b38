//! The suite itself: every case keeps to the schema, the schema to what this validator knows, the README to the schema.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

#[path = "suite/schema.rs"]
mod schema;

use std::collections::BTreeSet;
use std::fs;

use armillaria_conformance::{load_cases, suite_dir};
use serde_json::Value as Json;

fn schema_text() -> Json {
    let text = fs::read_to_string(suite_dir().join("schema/case.schema.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn operations(schema: &Json) -> BTreeSet<String> {
    let known = schema["$defs"]["step"]["properties"]["op"]["enum"].as_array().unwrap();
    known.iter().map(|op| op.as_str().unwrap().to_string()).collect()
}

#[test]
fn every_case_keeps_to_the_schema() {
    let (root, cases) = (schema_text(), load_cases().unwrap());
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| schema::check(&root, &case.json).err().map(|reason| format!("{}: {reason}", case.name)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let filtered = std::env::var_os("ARMILLARIA_CONFORMANCE_CASE").is_some();
    assert!(filtered || cases.len() >= 180, "only {} cases were found", cases.len());
}

#[test]
fn what_is_not_in_the_schema_is_refused() {
    let root = schema_text();
    let case = |step: Json| serde_json::json!({"schema": "1.0", "name": "a/b", "steps": [step]});
    let good = [
        r#"{"op": "open", "as": "db"}"#,
        r#"{"op": "query", "on": "db", "sql": "SELECT 1", "params": [{"int": "1"}], "expect": {"rows": [[{"$any": true}]]}}"#,
        r#"{"op": "create_tag", "on": "db", "tag": "t", "at": {"branch": "x", "time_us": {"$ref": "t"}}}"#,
    ];
    let bad = [
        r#"{"op": "fly", "as": "db"}"#,
        r#"{"op": "open"}"#,
        r#"{"op": "open", "as": "db", "colour": "red"}"#,
        r#"{"op": "open", "as": "No Handle"}"#,
        r#"{"op": "query", "on": "db", "sql": 1}"#,
        r#"{"op": "query", "on": "db", "sql": "SELECT 1", "params": [{"int": "1", "text": "x"}]}"#,
        r#"{"op": "query", "on": "db", "sql": "SELECT 1", "expect": {"rows": {"$anything": true}}}"#,
        r#"{"op": "query", "on": "db", "sql": "SELECT 1", "error": {"code": 102}}"#,
        r#"{"op": "query", "on": "db", "sql": "SELECT 1", "error": {"code": 99, "category": "usage"}}"#,
        r#"{"op": "query", "on": "db", "sql": "SELECT 1", "expect": {"rows": []}, "error": {"code": 102, "category": "usage"}}"#,
        r#"{"op": "create_tag", "on": "db", "tag": "t", "at": {"tag": "x", "tx_id": 1}}"#,
        r#"{"op": "write_table", "on": "db", "table": "t", "columns": [["a", "int"]], "rows": []}"#,
        r#"{"op": "write_table", "on": "db", "table": "t"}"#,
    ];
    for text in good {
        schema::check(&root, &case(serde_json::from_str(text).unwrap())).unwrap();
    }
    for text in bad {
        assert!(schema::check(&root, &case(serde_json::from_str(text).unwrap())).is_err(), "{text}");
    }
}

#[test]
fn every_operation_is_explained_and_used() {
    let operations = operations(&schema_text());
    let readme = fs::read_to_string(suite_dir().join("README.md")).unwrap();
    let unexplained: Vec<_> = operations.iter().filter(|op| !readme.contains(&format!("`{op}`"))).collect();
    assert!(unexplained.is_empty(), "the README does not explain {unexplained:?}");
    let cases = load_cases().unwrap();
    let used: BTreeSet<&str> =
        cases.iter().flat_map(|case| &case.steps).filter_map(|step| step.get("op")?.as_str()).collect();
    let unused: Vec<_> = operations.iter().filter(|op| !used.contains(op.as_str())).collect();
    assert!(unused.is_empty() || std::env::var_os("ARMILLARIA_CONFORMANCE_CASE").is_some(), "no case uses {unused:?}");
}

/// Those that cannot be provoked from outside; the README says why.
const NOT_PROVOKED: [u64; 3] = [501, 502, 900];

#[test]
fn every_error_code_is_expected_somewhere() {
    let cases = load_cases().unwrap();
    let expected: BTreeSet<u64> =
        cases.iter().flat_map(|case| &case.steps).filter_map(|step| step.get("error")?["code"].as_u64()).collect();
    let all = armillaria::Code::ALL.iter().map(|code| u64::from(code.number()));
    let missing: Vec<u64> = all.filter(|code| !expected.contains(code) && !NOT_PROVOKED.contains(code)).collect();
    assert!(
        missing.is_empty() || std::env::var_os("ARMILLARIA_CONFORMANCE_CASE").is_some(),
        "no case expects {missing:?}"
    );
}
