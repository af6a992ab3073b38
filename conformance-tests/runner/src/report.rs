//! What a run came to, as every runner writes it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

/// How one case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The case.
    pub case: String,
    /// `passed`, `failed` or `skipped`.
    pub status: String,
    /// Why it failed or was skipped.
    pub reason: String,
}

impl Outcome {
    pub(crate) fn of(case: &str, result: Result<(), String>) -> Outcome {
        let (status, reason) = match result {
            Ok(()) => ("passed", String::new()),
            Err(reason) => ("failed", reason),
        };
        Outcome { case: case.to_string(), status: status.to_string(), reason }
    }
}

/// The outcomes of one SDK, by case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The SDK: `core`, `c-abi`, `cpp`, `go` ….
    pub sdk: String,
    /// How each case ended.
    pub results: Vec<Outcome>,
}

impl Report {
    /// A report of these outcomes.
    pub fn new(sdk: &str, mut results: Vec<Outcome>) -> Report {
        results.sort_by(|a, b| a.case.cmp(&b.case));
        Report { sdk: sdk.to_string(), results }
    }

    /// What failed, a paragraph for each case.
    pub fn failures(&self) -> Vec<String> {
        let failed = self.results.iter().filter(|outcome| outcome.status == "failed");
        failed.map(|outcome| format!("{}: {}", outcome.case, outcome.reason)).collect()
    }

    /// Writes it to where the README says.
    pub fn write(&self) -> Result<(), String> {
        let path = match std::env::var_os("ARMILLARIA_CONFORMANCE_REPORT") {
            Some(path) => PathBuf::from(path),
            None => reports_dir().join(format!("{}.json", self.sdk)),
        };
        let text = format!("{:#}\n", self.to_json());
        path.parent().map_or(Ok(()), fs::create_dir_all).map_err(|error| format!("{}: {error}", path.display()))?;
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Reads one that a runner wrote.
    pub fn read(path: &Path) -> Result<Report, String> {
        let wrong = |reason: &dyn std::fmt::Display| format!("{}: {reason}", path.display());
        let text = fs::read_to_string(path).map_err(|error| wrong(&error))?;
        let json: Json = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
        let text = |value: &Json, name: &str| value.get(name)?.as_str().map(str::to_string);
        let outcome = |value: &Json| {
            let (case, status) = (text(value, "case")?, text(value, "status")?);
            Some(Outcome { case, status, reason: text(value, "reason").unwrap_or_default() })
        };
        let read = || {
            let results = json.get("results")?.as_array()?.iter().map(outcome).collect::<Option<Vec<_>>>()?;
            Some(Report::new(&text(&json, "sdk")?, results))
        };
        read().ok_or_else(|| wrong(&"that is no conformance report"))
    }

    fn to_json(&self) -> Json {
        let outcome =
            |outcome: &Outcome| json!({"case": outcome.case, "status": outcome.status, "reason": outcome.reason});
        json!({"sdk": self.sdk, "results": self.results.iter().map(outcome).collect::<Vec<_>>()})
    }
}

/// Where reports are, whatever cargo's own target folder is.
pub(crate) fn reports_dir() -> PathBuf {
    crate::case::suite_dir().join("../target/conformance")
}
