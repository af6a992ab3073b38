//! Checks the floors of this crate, as `core/tests/floors.rs` does for the core: a module uses only modules of lower
//! floors.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules of each floor, lowest first.
const FLOORS: &[&[&str]] = &[
    &["array", "flag", "panics"],
    &["error", "string"],
    &["guard", "memory", "options"],
    &["arrow", "at", "cancel", "library", "results"],
    &["database"],
    &["branches", "changelog", "chunk_store", "health", "merge", "sql", "tables", "tags"],
    &["catalog", "subscription", "testing", "transaction"],
];

fn floor_of(module: &str) -> usize {
    let floor = FLOORS.iter().position(|floor| floor.contains(&module));
    floor.unwrap_or_else(|| panic!("{module} has no floor: add it to FLOORS"))
}

/// The modules that a source uses outside its tests.
fn used(text: &str) -> Vec<&str> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let paths = code.split("crate::").skip(1);
    paths.filter_map(|path| path.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()).collect()
}

fn climbing(module: &str, text: &str) -> Vec<String> {
    let climbs = |used: &&str| *used != module && floor_of(used) >= floor_of(module);
    used(text).into_iter().filter(climbs).map(|used| format!("{module} uses {used}")).collect()
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

#[test]
fn no_arrow_climbs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for path in sources(&root) {
        let first = path.strip_prefix(&root).unwrap().components().next().unwrap();
        let module = Path::new(first.as_os_str()).file_stem().unwrap().to_str().unwrap().to_string();
        if !["lib", "floors"].contains(&module.as_str()) {
            found.extend(climbing(&module, &fs::read_to_string(&path).unwrap()));
        }
    }
    assert!(found.is_empty(), "imports that break the floors: {found:?}");
}

#[test]
fn the_check_sees_what_it_must_see() {
    assert_eq!(climbing("error", "use crate::guard::run;"), ["error uses guard"]);
    assert_eq!(climbing("tags", "use crate::guard::run;\nlet x = crate::sql::Given;"), ["tags uses sql"]);
    assert!(climbing("sql", "use crate::at::At;\n#[cfg(test)]\nmod tests { use crate::transaction::x; }").is_empty());
}
