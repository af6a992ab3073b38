//! Every case, through the crate `armillaria`.

use armillaria_conformance::{CoreBackend, load_cases, run_suite};

#[test]
fn every_case_passes_on_the_core() {
    let report = run_suite("core", &load_cases().unwrap(), CoreBackend::new);
    report.write().unwrap();
    let failures = report.failures();
    assert!(failures.is_empty(), "{} cases failed:\n\n{}\n", failures.len(), failures.join("\n\n"));
}
