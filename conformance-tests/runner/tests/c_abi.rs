//! Every case, through the C ABI; and every function of the header in some case.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

use std::collections::BTreeSet;
use std::fs;

use armillaria_conformance::{CAbiBackend, functions_called, load_cases, run_suite, suite_dir};

#[test]
fn every_case_passes_on_the_c_abi() {
    let report = run_suite("c-abi", &load_cases().unwrap(), CAbiBackend::new);
    report.write().unwrap();
    let failures = report.failures();
    assert!(failures.is_empty(), "{} cases failed:\n\n{}\n", failures.len(), failures.join("\n\n"));
    if std::env::var_os("ARMILLARIA_CONFORMANCE_CASE").is_none() {
        every_function_of_the_header_was_called();
    }
}

/// A function that no case reaches could do anything.
fn every_function_of_the_header_was_called() {
    let header = fs::read_to_string(suite_dir().join("../include/armillaria.h")).unwrap();
    let declared = functions_of(&header);
    assert!(declared.len() > 80, "only {} functions were found in the header", declared.len());
    let called = functions_called();
    let missing: Vec<&str> =
        declared.iter().filter(|name| !called.contains(name.as_str())).map(String::as_str).collect();
    assert!(missing.is_empty(), "no case calls {missing:?}");
}

/// The functions that a header declares; inline ones are defined there, not declared.
fn functions_of(header: &str) -> BTreeSet<String> {
    let mut functions = BTreeSet::new();
    let mut code = String::new();
    let mut rest = header;
    while let Some((before, behind)) = rest.split_once("/*") {
        code.push_str(before);
        rest = behind.split_once("*/").map_or("", |(_, behind)| behind);
    }
    code.push_str(rest);
    for declaration in code.split(';').filter(|declaration| !declaration.contains("static inline")) {
        let Some((head, _)) = declaration.split_once('(') else { continue };
        let name = head.rsplit(|end: char| !(end.is_ascii_alphanumeric() || end == '_')).next().unwrap_or_default();
        if name.starts_with("armillaria_") {
            functions.insert(name.to_string());
        }
    }
    functions
}

#[test]
fn declarations_are_found() {
    let header = "/** armillaria_no(x); */ struct S *armillaria_a(int x); static inline void armillaria_b(void) { f(); }\n\
                  void\n  armillaria_c(void);";
    assert_eq!(functions_of(header), BTreeSet::from(["armillaria_a".to_string(), "armillaria_c".to_string()]));
}
