//! Runs cases: each in a fresh directory, step by step, two cases at a time.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Map, Value as Json};

use crate::backend::Backend;
use crate::case::Case;
use crate::failure::Failure;
use crate::harness;
use crate::matching::{self, Saved};
use crate::report::{Outcome, Report};
use crate::step::Step;

/// So many cases run at the same time.
const THREADS: usize = 2;

/// Runs all cases and reports; `backend` makes one that keeps what it makes in a directory.
pub fn run_suite<B: Backend>(sdk: &str, cases: &[Case], backend: impl Fn(&Path) -> B + Sync) -> Report {
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = Outcome::of(&case.name, run_case(case, &backend));
            outcomes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(outcome);
        }
    };
    std::thread::scope(|scope| {
        (1..THREADS).for_each(|_| drop(scope.spawn(work)));
        work();
    });
    Report::new(sdk, outcomes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// Runs one case; the error says which step failed, what was expected and what came.
pub fn run_case<B: Backend>(case: &Case, backend: impl Fn(&Path) -> B) -> Result<(), String> {
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (mut backend, mut saved) = (backend(directory.path()), Saved::new());
    for (index, fields) in case.steps.iter().enumerate() {
        run_step(&mut backend, directory.path(), fields, &mut saved)
            .map_err(|reason| format!("step {} ({}): {reason}", index + 1, summary(fields)))?;
    }
    Ok(())
}

fn run_step(
    backend: &mut impl Backend,
    directory: &Path,
    fields: &Map<String, Json>,
    saved: &mut Saved,
) -> Result<(), String> {
    let Json::Object(fields) = matching::resolve(&Json::Object(fields.clone()), saved)? else {
        return Err("a step is an object".to_string());
    };
    let step = Step::new(fields);
    let result = match harness::run(&step, directory) {
        Ok(true) => Ok(Json::Object(Map::new())),
        Ok(false) => backend.run(&step),
        Err(failure) => Err(failure),
    };
    let result = match (result, step.field("error")) {
        (Err(Failure::Case(reason)), _) => return Err(reason),
        (Err(Failure::Product(error)), Some(pattern)) => return matching::check(pattern, &error.to_json(), ""),
        (Err(Failure::Product(error)), None) => return Err(format!("expected success, got {}", error.to_json())),
        (Ok(result), Some(pattern)) => return Err(format!("expected the error {pattern}, got {result}")),
        (Ok(result), None) => result,
    };
    step.check_all_used().map_err(|failure| format!("{failure:?}"))?;
    step.field("expect").map_or(Ok(()), |pattern| matching::check(pattern, &result, ""))?;
    save(&step, &result, saved)
}

fn save(step: &Step, result: &Json, saved: &mut Saved) -> Result<(), String> {
    for (name, pointer) in step.field("save").and_then(Json::as_object).into_iter().flatten() {
        let pointer = pointer.as_str().unwrap_or_default();
        let value = result.pointer(pointer).ok_or_else(|| format!("there is nothing at {pointer} in {result}"))?;
        saved.insert(name.clone(), value.clone());
    }
    Ok(())
}

/// A step in a few words.
fn summary(fields: &Map<String, Json>) -> String {
    let words = ["op", "on", "as", "table", "branch", "sql"].iter().filter_map(|field| fields.get(*field)?.as_str());
    words.collect::<Vec<_>>().join(" ")
}
