//! Cases that must fail: a runner that lets everything pass would prove nothing.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

use armillaria_conformance::{CAbiBackend, Case, CoreBackend, run_case};
use serde_json::{Value as Json, json};

/// What both backends say of the steps behind opening a database and writing a table.
fn complaints(steps: &[Json]) -> Vec<String> {
    let before = [
        json!({"op": "open", "as": "db"}),
        json!({"op": "write_table", "on": "db", "table": "a", "columns": [["id", "int64"]], "rows": [["1"]]}),
    ];
    let steps = before.iter().chain(steps).map(|step| step.as_object().unwrap().clone()).collect();
    let case = Case { name: "a/b".to_string(), json: json!(null), steps };
    let outcomes = [run_case(&case, CoreBackend::new), run_case(&case, CAbiBackend::new)];
    outcomes.into_iter().map(|outcome| outcome.unwrap_err()).collect()
}

fn fails(step: Json, words: &[&str]) {
    for complaint in complaints(std::slice::from_ref(&step)) {
        assert!(complaint.starts_with("step 3 ("), "{complaint}");
        assert!(words.iter().all(|word| complaint.contains(word)), "{step}: {complaint}");
    }
}

#[test]
fn another_result_is_told_with_its_place() {
    let read = |expect: Json| json!({"op": "read_table", "on": "db", "table": "a", "expect": expect});
    fails(read(json!({"rows": [["2"]]})), &["/rows/0/0", "expected \"2\"", "got \"1\""]);
    fails(read(json!({"rows": []})), &["expected 0 elements"]);
    fails(read(json!({"columns": [["id", "int32"]]})), &["int32", "int64"]);
    fails(read(json!({"colour": "red"})), &["/colour", "no such field"]);
}

#[test]
fn another_outcome_is_told() {
    let missing = json!({"op": "read_table", "on": "db", "table": "b"});
    fails(missing.clone(), &["expected success", "TABLE_NOT_FOUND"]);
    let mut other = missing;
    other["error"] = json!({"code": 201, "category": "not_found"});
    fails(other, &["/code", "expected 201", "got 200"]);
    let error = json!({"code": 200, "category": "not_found"});
    fails(json!({"op": "read_table", "on": "db", "table": "a", "error": error}), &["expected the error"]);
}

#[test]
fn what_nobody_knows_is_refused() {
    fails(json!({"op": "fly", "on": "db"}), &["no operation"]);
    fails(json!({"op": "latest_tx_id", "on": "db", "colour": "red"}), &["colour"]);
    fails(json!({"op": "latest_tx_id", "on": "nobody"}), &["nobody"]);
    fails(json!({"op": "commit", "on": "db"}), &["step 3 (commit db)"]);
    fails(json!({"op": "latest_tx_id", "on": "db", "save": {"x": "/nothing"}}), &["/nothing"]);
    fails(json!({"op": "revert", "on": "db", "tx_id": {"$ref": "x"}}), &["no step saved"]);
}
