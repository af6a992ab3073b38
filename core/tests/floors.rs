//! Checks the floors of the core: a module uses only modules of lower floors, so imports cannot form a cycle.
//!
//! Every path that begins with `crate::` counts, in imports and inline, outside comments and test modules.

#![expect(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of each floor, lowest first. Modules that share a floor do not use each other, [`TWINS`] excepted.
const FLOORS: &[&[&str]] = &[
    &["error", "limits", "cancel"],
    &["format"],
    &["store"],
    &["chunk_store"],
    &["log"],
    &["table", "catalog"],
    &["repository"],
    &["transaction"],
    &["branch", "changelog"],
    &["sql", "check", "gc"],
    &["database"],
];

/// What may be used on the same floor: (user, used).
const TWINS: &[(&str, &str)] = &[("table", "catalog"), ("catalog", "table"), ("cancel", "error")];

#[test]
fn no_arrow_climbs() {
    let climbing: Vec<String> = sources().iter().flat_map(Source::violations).collect();
    assert!(climbing.is_empty(), "imports that break the floors:\n{}", climbing.join("\n"));
}

#[test]
fn every_module_has_a_floor() {
    let modules: BTreeSet<String> = sources().into_iter().map(|source| source.module).collect();
    let homeless: Vec<_> = modules.iter().filter(|module| floor_of(module).is_none()).collect();
    assert!(homeless.is_empty(), "modules without a floor: {homeless:?}; add them to FLOORS");
}

#[test]
fn the_check_sees_what_it_must_see() {
    let violations = |module: &str, text: &str| {
        Source { module: module.into(), path: "x.rs".into(), text: text.into() }.violations().len()
    };
    assert_eq!(violations("store", "use crate::log::Log;"), 1);
    assert_eq!(violations("store", "let x = crate::database::open();"), 1);
    assert_eq!(violations("store", "macro_rules! m { () => { $crate::database::open() } }"), 1);
    assert_eq!(violations("store", "use crate::{error::{Error, Result}, log::Log, format};"), 1);
    assert_eq!(violations("store", "pub(crate) use crate::{\n    error::{Error, Result},\n    table,\n};"), 1);
    assert_eq!(violations("branch", "use crate::changelog::Entry;"), 1, "siblings");
    assert_eq!(violations("error", "use crate::cancel::CancelToken;"), 1, "twins have a direction");
    assert_eq!(violations("store", "use crate::Database;"), 1, "a re-export of the crate hides its floor");
    assert_eq!(violations("table", "use crate::catalog::Catalog;"), 0);
    assert_eq!(violations("log", "use crate::store::Store; use crate::log::x; // crate::database"), 0);
}

struct Source {
    module: String,
    path: PathBuf,
    text: String,
}

impl Source {
    fn violations(&self) -> Vec<String> {
        let used = used_modules(&without_comments(&self.text));
        let bad = used.iter().filter(|used| !allowed(&self.module, used));
        bad.map(|used| format!("{}: {} uses {used}", self.path.display(), self.module)).collect()
    }
}

fn allowed(module: &str, used: &str) -> bool {
    let lower = matches!((floor_of(module), floor_of(used)), (Some(from), Some(to)) if to < from);
    module == used || lower || TWINS.contains(&(module, used))
}

fn floor_of(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// The first segment of every path below `crate::`, with the groups of imports taken apart.
fn used_modules(text: &str) -> BTreeSet<String> {
    let paths = text.match_indices("crate::").filter(|(at, _)| !ends_in_word(&text[..*at]));
    paths.flat_map(|(at, found)| heads(&text[at + found.len()..])).collect()
}

fn ends_in_word(text: &str) -> bool {
    text.ends_with(|letter: char| letter.is_alphanumeric() || letter == '_')
}

fn heads(path: &str) -> Vec<String> {
    match path.strip_prefix('{') {
        None => vec![word(path)],
        Some(group) => group_items(group).iter().map(|item| word(item)).filter(|head| !head.is_empty()).collect(),
    }
}

/// The items of `a::{b, c}, d} …` up to the brace that closes it: `a::{b, c}` and `d`.
fn group_items(group: &str) -> Vec<String> {
    let (mut depth, mut items) = (0, vec![String::new()]);
    for letter in group.chars() {
        match letter {
            '}' if depth == 0 => break,
            ',' if depth == 0 => items.push(String::new()),
            _ => items.last_mut().unwrap().push(letter),
        }
        depth += i32::from(letter == '{') - i32::from(letter == '}');
    }
    items
}

fn word(path: &str) -> String {
    path.trim_start().chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Every source file that belongs to a module, without its tests: they may look anywhere.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let sources: Vec<Source> = files.iter().filter_map(|path| source(&root, path)).collect();
    assert!(sources.len() > 5, "found no sources below {}", root.display());
    sources
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn source(root: &Path, path: &Path) -> Option<Source> {
    let parts: Vec<&str> = path.strip_prefix(root).unwrap().iter().map(|part| part.to_str().unwrap()).collect();
    let module = parts[0].trim_end_matches(".rs").to_string();
    let test_only = parts.iter().any(|part| ["tests", "tests.rs"].contains(part));
    let text = fs::read_to_string(path).unwrap().split("#[cfg(test)]\nmod tests").next().unwrap_or_default().into();
    (!test_only && module != "lib").then(|| Source { module, path: parts.join("/").into(), text })
}
