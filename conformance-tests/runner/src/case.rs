//! Case files.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

/// One case: a name and its steps.
#[derive(Clone, Debug)]
pub struct Case {
    /// `area/name`, as the file is called.
    pub name: String,
    /// The whole file.
    pub json: Json,
    /// The steps, their references not resolved.
    pub steps: Vec<Map<String, Json>>,
}

/// The folder `conformance-tests`: where `ARMILLARIA_CONFORMANCE_DIR` says, else where this crate was compiled.
pub fn suite_dir() -> PathBuf {
    let named = std::env::var_os("ARMILLARIA_CONFORMANCE_DIR").map(PathBuf::from);
    named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
}

/// Every case of the suite, by name; only the one that `ARMILLARIA_CONFORMANCE_CASE` names, if it is set.
pub fn load_cases() -> Result<Vec<Case>, String> {
    let mut files = Vec::new();
    for area in entries(&suite_dir().join("cases"))? {
        files.extend(entries(&area)?.into_iter().filter(|path| path.extension().is_some_and(|end| end == "json")));
    }
    let only = std::env::var("ARMILLARIA_CONFORMANCE_CASE").ok();
    let mut cases = files.iter().map(|file| load(file)).collect::<Result<Vec<_>, _>>()?;
    cases.retain(|case| only.as_ref().is_none_or(|only| *only == case.name));
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(cases)
}

fn load(file: &Path) -> Result<Case, String> {
    let wrong = |reason: String| format!("{}: {reason}", file.display());
    let text = fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let json: Json = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let name = json.get("name").and_then(Json::as_str).unwrap_or_default().to_string();
    if !file.with_extension("").ends_with(&name) || name.split('/').count() != 2 {
        return Err(wrong(format!("the name {name:?} is not the file's")));
    }
    let steps = json.get("steps").and_then(Json::as_array).ok_or_else(|| wrong("it has no steps".to_string()))?;
    let steps = steps.iter().map(|step| step.as_object().cloned()).collect::<Option<Vec<_>>>();
    Ok(Case { name, steps: steps.ok_or_else(|| wrong("a step is an object".to_string()))?, json })
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::read_dir(folder).map_err(wrong)?.map(|entry| Ok(entry.map_err(wrong)?.path())).collect()
}
