//! The parity report: what every SDK made of every case, as one page without times, so that it can be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use crate::case::{Case, load_cases};
use crate::report::{Outcome, Report, reports_dir};

/// The SDKs that must report, in the order of the columns, with their names.
const SDKS: [(&str, &str); 4] = [("core", "core (Rust)"), ("c-abi", "C ABI"), ("cpp", "C++"), ("go", "Go")];

/// The operations of the suite that are none of the product.
const NO_OPERATIONS: [&str; 9] = [
    "drain",
    "release",
    "reopen",
    "copy_fixture",
    "write_file",
    "corrupt_file",
    "corrupt_chunk",
    "delete_chunk",
    "sleep_ms",
];

const HEAD: &str = "\
<!-- Written by `make parity` from the conformance reports; do not edit. -->

# Parity

What each SDK made of the [conformance cases](../conformance-tests/README.md). A case counts for every operation that it
uses. A cell says how many of the cases passed; a case that did not run, failed, or was skipped without a reason fails the
build.

";

/// The page, and what is wrong: gaps that nothing explains.
#[derive(Clone, Debug)]
pub struct Parity {
    /// `docs/PARITY.md`.
    pub page: String,
    /// One sentence for each gap.
    pub gaps: Vec<String>,
}

impl Parity {
    /// Reads the cases and the reports of all SDKs.
    pub fn gather() -> Result<Parity, String> {
        let reports = SDKS.iter().map(|(sdk, _)| Report::read(&reports_dir().join(format!("{sdk}.json"))));
        let (reports, missing): (Vec<_>, Vec<_>) = reports.partition(Result::is_ok);
        if !missing.is_empty() {
            return Err(missing.into_iter().filter_map(Result::err).collect::<Vec<_>>().join("\n"));
        }
        Ok(Parity::of(&load_cases()?, &reports.into_iter().flatten().collect::<Vec<_>>()))
    }

    /// The page of these cases and reports.
    pub fn of(cases: &[Case], reports: &[Report]) -> Parity {
        let outcomes: BTreeMap<&str, BTreeMap<&str, &Outcome>> = reports
            .iter()
            .map(|report| (report.sdk.as_str(), report.results.iter().map(|it| (it.case.as_str(), it)).collect()))
            .collect();
        let table = Table { cases, outcomes };
        Parity { page: format!("{HEAD}{}{}", table.operations(), table.skips()), gaps: table.gaps() }
    }

    /// Compares the page with the committed one, or writes it.
    pub fn settle(&self, check: bool) -> Result<(), String> {
        let path = crate::case::suite_dir().join("../docs/PARITY.md");
        let wrong = |error: std::io::Error| format!("{}: {error}", path.display());
        if !self.gaps.is_empty() {
            return Err(self.gaps.join("\n"));
        }
        if !check {
            return fs::write(&path, &self.page).map_err(wrong);
        }
        match fs::read_to_string(&path).map_err(wrong)? == self.page {
            true => Ok(()),
            false => Err("docs/PARITY.md is not what the reports say: run `make parity` and commit it".to_string()),
        }
    }
}

struct Table<'a> {
    cases: &'a [Case],
    /// SDK, case, outcome.
    outcomes: BTreeMap<&'a str, BTreeMap<&'a str, &'a Outcome>>,
}

impl Table<'_> {
    fn outcome(&self, sdk: &str, case: &Case) -> Option<&Outcome> {
        self.outcomes.get(sdk)?.get(case.name.as_str()).copied()
    }

    fn operations(&self) -> String {
        let mut page = String::from("| operation |");
        SDKS.iter().for_each(|(_, name)| page.push_str(&format!(" {name} |")));
        page.push_str(&format!("\n|---|{}\n", "---|".repeat(SDKS.len())));
        for (operation, cases) in self.cases_by_operation() {
            self.row(&mut page, &format!("`{operation}`"), &cases);
        }
        self.row(&mut page, "**all cases**", &self.cases.iter().collect::<Vec<_>>());
        page
    }

    fn row(&self, page: &mut String, title: &str, cases: &[&Case]) {
        page.push_str(&format!("| {title} |"));
        for (sdk, _) in SDKS {
            let status = |wanted: &str| {
                cases.iter().filter(|case| self.outcome(sdk, case).is_some_and(|it| it.status == wanted)).count()
            };
            let (passed, skipped) = (status("passed"), status("skipped"));
            let skips = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
            page.push_str(&format!(" {passed}/{}{skips} |", cases.len()));
        }
        page.push('\n');
    }

    fn cases_by_operation(&self) -> BTreeMap<&str, Vec<&Case>> {
        let mut operations: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
        for case in self.cases {
            let used: BTreeSet<&str> = case.steps.iter().filter_map(|step| step.get("op")?.as_str()).collect();
            for operation in used.into_iter().filter(|operation| !NO_OPERATIONS.contains(operation)) {
                operations.entry(operation).or_default().push(case);
            }
        }
        operations
    }

    fn skips(&self) -> String {
        let mut page = String::from("\n## Skipped\n\n");
        let begins = page.len();
        for (sdk, name) in SDKS {
            for case in self.cases {
                let skipped = self.outcome(sdk, case).filter(|outcome| outcome.status == "skipped");
                if let Some(outcome) = skipped {
                    let _ = writeln!(page, "- {name}, `{}`: {}", case.name, outcome.reason);
                }
            }
        }
        if page.len() == begins {
            page.push_str("Nothing.\n");
        }
        page
    }

    fn gaps(&self) -> Vec<String> {
        let gap = |sdk: &str, case: &Case| match self.outcome(sdk, case) {
            None => Some(format!("{sdk} did not run {}", case.name)),
            Some(outcome) => match (outcome.status.as_str(), outcome.reason.as_str()) {
                ("passed", _) => None,
                ("skipped", "") => Some(format!("{sdk} skips {} without a reason", case.name)),
                ("skipped", _) => None,
                (status, reason) => Some(format!("{sdk}: {} {status}: {reason}", case.name)),
            },
        };
        SDKS.iter().flat_map(|(sdk, _)| self.cases.iter().filter_map(move |case| gap(sdk, case))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn case(name: &str, operations: &[&str]) -> Case {
        let steps = operations.iter().map(|op| json!({"op": op}).as_object().cloned().unwrap()).collect();
        Case { name: name.to_string(), json: json!(null), steps }
    }

    fn report(sdk: &str, results: &[(&str, &str, &str)]) -> Report {
        let outcome = |(case, status, reason): &(&str, &str, &str)| Outcome {
            case: case.to_string(),
            status: status.to_string(),
            reason: reason.to_string(),
        };
        Report::new(sdk, results.iter().map(outcome).collect())
    }

    fn all(results: &[(&str, &str, &str)]) -> Vec<Report> {
        SDKS.iter().map(|(sdk, _)| report(sdk, results)).collect()
    }

    #[test]
    fn what_passed_and_what_was_skipped_is_told() {
        let cases = [case("a/x", &["open", "query", "drain"]), case("a/y", &["open"])];
        let parity = Parity::of(&cases, &all(&[("a/x", "passed", ""), ("a/y", "skipped", "no threads")]));
        assert_eq!(parity.gaps, Vec::<String>::new());
        assert!(parity.page.contains("| `open` | 1/2, 1 skipped |"), "{}", parity.page);
        assert!(parity.page.contains("| `query` | 1/1 |"), "{}", parity.page);
        assert!(!parity.page.contains("drain"), "{}", parity.page);
        assert!(parity.page.contains("- Go, `a/y`: no threads"), "{}", parity.page);
    }

    #[test]
    fn gaps_are_named() {
        let cases = [case("a/x", &["open"]), case("a/y", &["open"]), case("a/z", &["open"])];
        let mut reports = all(&[("a/x", "passed", ""), ("a/y", "passed", ""), ("a/z", "passed", "")]);
        reports[3] = report("go", &[("a/x", "failed", "step 1"), ("a/y", "skipped", "")]);
        let gaps = Parity::of(&cases, &reports).gaps;
        assert_eq!(gaps, ["go: a/x failed: step 1", "go skips a/y without a reason", "go did not run a/z"]);
    }
}
