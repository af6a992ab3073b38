//! Finds the tables that a statement names, in DuckDB's own syntax tree.
//!
//! The walk is over JSON as `json_serialize_sql` gives it. It knows what shadows a table (the names of CTEs), marks each
//! reference, and refuses functions that would read something else.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::advice;
use super::predicate::{self, Condition};
use crate::error::{Error, Result};

/// One place where a statement names a table.
#[derive(Debug)]
pub(super) struct Reference {
    /// The name as written, without quotes.
    pub(super) name: String,
    /// The name that the statement gives it, if any.
    pub(super) alias: Option<String>,
    /// Whether there is an `AT` clause.
    pub(super) has_at: bool,
    /// Its `AT` clause, as a tree: unit and expression.
    pub(super) at: Option<(String, Json)>,
    /// Where the name begins in the text, in bytes.
    pub(super) location: usize,
    /// What rows of it that can matter must fulfil.
    pub(super) condition: Option<Condition>,
}

/// Functions in FROM that touch nothing outside the statement.
const PURE_FUNCTIONS: &[&str] = &[
    "duckdb_functions",
    "duckdb_keywords",
    "duckdb_types",
    "generate_series",
    "icu_calendar_names",
    "json_each",
    "json_tree",
    "pg_timezone_names",
    "pragma_collations",
    "pragma_version",
    "range",
    "repeat",
    "repeat_row",
    "test_all_types",
    "unnest",
];

/// Functions in FROM that read files.
const FILE_FUNCTIONS: &[&str] = &[
    "glob",
    "parquet_bloom_probe",
    "parquet_file_metadata",
    "parquet_full_metadata",
    "parquet_kv_metadata",
    "parquet_metadata",
    "parquet_scan",
    "parquet_schema",
    "read_blob",
    "read_csv",
    "read_csv_auto",
    "read_json",
    "read_json_auto",
    "read_json_objects",
    "read_json_objects_auto",
    "read_ndjson",
    "read_ndjson_auto",
    "read_ndjson_objects",
    "read_parquet",
    "read_text",
    "sniff_csv",
];

/// Functions of values that reach beyond the statement: one plans a SQL text, and so opens the files that it names; one
/// writes to DuckDB's log; one shows the definitions of views.
const REACHING_FUNCTIONS: &[&str] = &["json_serialize_plan", "pg_get_viewdef", "write_log"];

/// A walk over one statement.
pub(super) struct Walk {
    /// What it found.
    pub(super) references: Vec<Reference>,
    marks: Marks,
    external_access: bool,
}

/// The names that stand for tables while a statement is taken apart: they occur nowhere in its text.
#[derive(Clone)]
pub(super) struct Marks {
    nonce: String,
}

impl Marks {
    /// Marks for this text.
    pub(super) fn of(sql: &str) -> Marks {
        Marks { nonce: blake3::hash(sql.as_bytes()).to_hex().to_string() }
    }

    /// The name of reference `index`.
    pub(super) fn name(&self, index: usize) -> String {
        format!("{} {index}", self.nonce)
    }

    /// The reference of that name.
    pub(super) fn index(&self, name: &str) -> Option<usize> {
        name.strip_prefix(&self.nonce)?.trim_start().parse().ok()
    }
}

/// The names of CTEs in force, in lower case.
type Scope = Vec<String>;

impl Walk {
    pub(super) fn new(marks: Marks, external_access: bool) -> Walk {
        Walk { references: Vec::new(), marks, external_access }
    }

    /// Walks a tree; afterwards each table in it is called by its mark and has an alias and no `AT` clause.
    pub(super) fn tree(&mut self, tree: &mut Json) -> Result<()> {
        self.visit(tree, &Vec::new())
    }

    fn visit(&mut self, value: &mut Json, scope: &Scope) -> Result<()> {
        match value {
            Json::Array(values) => values.iter_mut().try_for_each(|value| self.visit(value, scope)),
            Json::Object(object) => self.object(object, scope),
            _ => Ok(()),
        }
    }

    fn object(&mut self, object: &mut Map<String, Json>, scope: &Scope) -> Result<()> {
        let kind = text(object, "type").to_owned();
        match kind.as_str() {
            "BASE_TABLE" => return self.base_table(object, scope),
            "TABLE_FUNCTION" => self.table_function(object)?,
            "SHOW_REF" if object.get("query").is_none_or(Json::is_null) => return Err(advice::show()),
            _ => {}
        }
        check_function(object)?;
        let mut scope = scope.clone();
        if kind == "RECURSIVE_CTE_NODE" {
            scope.push(text(object, "cte_name").to_ascii_lowercase());
        }
        self.ctes(object, &mut scope)?;
        for (_, value) in object.iter_mut().filter(|(key, _)| *key != "cte_map") {
            self.visit(value, &scope)?;
        }
        if kind == "SELECT_NODE" {
            self.conditions(object);
        }
        Ok(())
    }

    /// Each CTE sees those before it.
    fn ctes(&mut self, object: &mut Map<String, Json>, scope: &mut Scope) -> Result<()> {
        let Some(ctes) = object.get_mut("cte_map").and_then(|map| map.get_mut("map")).and_then(Json::as_array_mut)
        else {
            return Ok(());
        };
        for cte in ctes {
            if let Some(query) = cte.get_mut("value") {
                self.visit(query, scope)?;
            }
            scope.push(cte.get("key").and_then(Json::as_str).unwrap_or_default().to_ascii_lowercase());
        }
        Ok(())
    }

    fn base_table(&mut self, table: &mut Map<String, Json>, scope: &Scope) -> Result<()> {
        let name = text(table, "table_name").to_owned();
        let schema = [text(table, "catalog_name"), text(table, "schema_name")].map(str::to_owned);
        let at = table.get("at_clause").filter(|at| !at.is_null()).cloned();
        at.iter().try_for_each(check_functions)?;
        let shadowed = at.is_none() && scope.contains(&name.to_ascii_lowercase());
        match schema.iter().find(|schema| !schema.is_empty()) {
            Some(recurring) if shadowed && recurring == "recurring" => return Ok(()),
            Some(schema) => return Err(advice::qualified(schema, &name)),
            None if shadowed => return Ok(()),
            None => {}
        }
        let alias = Some(text(table, "alias").to_owned()).filter(|alias| !alias.is_empty());
        let index = self.references.len();
        let location = table.get("query_location").and_then(Json::as_u64).unwrap_or(u64::MAX);
        table.insert("table_name".to_owned(), json!(self.marks.name(index)));
        table.insert("alias".to_owned(), json!(alias.as_ref().unwrap_or(&name)));
        table.insert("at_clause".to_owned(), Json::Null);
        self.references.push(Reference {
            name,
            alias,
            has_at: at.is_some(),
            at: at.map(split_at),
            location: usize::try_from(location).unwrap_or(usize::MAX),
            condition: None,
        });
        Ok(())
    }

    fn table_function(&self, object: &Map<String, Json>) -> Result<()> {
        let function = object.get("function").and_then(Json::as_object);
        let name = function.map(|function| text(function, "function_name")).unwrap_or_default().to_ascii_lowercase();
        if PURE_FUNCTIONS.contains(&name.as_str()) {
            return Ok(());
        }
        match (FILE_FUNCTIONS.contains(&name.as_str()), self.external_access) {
            (true, true) => Ok(()),
            (true, false) => Err(advice::file_function(&name)),
            (false, _) => Err(advice::other_function(&name)),
        }
    }

    /// Takes from a SELECT what its WHERE clause says of the tables in its FROM clause.
    fn conditions(&mut self, select: &Map<String, Json>) {
        for (mark, condition) in predicate::of_select(select) {
            if let Some(reference) = self.marks.index(&mark).and_then(|index| self.references.get_mut(index)) {
                reference.condition = Some(condition);
            }
        }
    }
}

/// Refuses a call of a function that reaches beyond the statement.
fn check_function(object: &Map<String, Json>) -> Result<()> {
    let name = text(object, "function_name").to_ascii_lowercase();
    match REACHING_FUNCTIONS.contains(&name.as_str()) {
        true => Err(advice::reaching_function(&name)),
        false => Ok(()),
    }
}

fn check_functions(tree: &Json) -> Result<()> {
    match tree {
        Json::Array(values) => values.iter().try_for_each(check_functions),
        Json::Object(object) => {
            check_function(object)?;
            object.values().try_for_each(check_functions)
        }
        _ => Ok(()),
    }
}

fn split_at(mut at: Json) -> (String, Json) {
    let unit = at.get("unit").and_then(Json::as_str).unwrap_or_default().to_owned();
    (unit, at.get_mut("expr").map(Json::take).unwrap_or_default())
}

/// A member of an object that is a text; empty if it is none.
pub(super) fn text<'a>(object: &'a Map<String, Json>, key: &str) -> &'a str {
    object.get(key).and_then(Json::as_str).unwrap_or_default()
}

/// Numbers positional parameters anew, without gaps, and tells what they were: a part of a statement has some of them.
pub(super) fn renumber(tree: &mut Json) -> Vec<String> {
    let mut numbers = BTreeSet::new();
    parameters(tree, &mut |identifier| numbers.extend(identifier.parse::<u64>()));
    let places: Vec<u64> = numbers.into_iter().collect();
    parameters(tree, &mut |identifier| {
        if let Some(place) = identifier.parse().ok().and_then(|number| places.binary_search(&number).ok()) {
            *identifier = (place + 1).to_string();
        }
    });
    places.iter().map(u64::to_string).collect()
}

fn parameters(tree: &mut Json, see: &mut dyn FnMut(&mut String)) {
    match tree {
        Json::Array(values) => values.iter_mut().for_each(|value| parameters(value, see)),
        Json::Object(object) => {
            let parameter = text(object, "class") == "PARAMETER";
            if let Some(Json::String(identifier)) = object.get_mut("identifier").filter(|_| parameter) {
                see(identifier);
            }
            object.values_mut().for_each(|value| parameters(value, see));
        }
        _ => {}
    }
}

/// The tree without positions in the text and the count of parameters: two texts that mean the same have the same.
pub(super) fn without_locations(tree: &mut Json) {
    match tree {
        Json::Array(values) => values.iter_mut().for_each(without_locations),
        Json::Object(object) => {
            object.remove("query_location");
            object.remove("named_param_map");
            object.values_mut().for_each(without_locations);
        }
        _ => {}
    }
}

/// Whether a tree holds a member `key` of this value anywhere.
pub(super) fn holds(tree: &Json, key: &str, value: &str) -> bool {
    match tree {
        Json::Array(values) => values.iter().any(|child| holds(child, key, value)),
        Json::Object(object) => text(object, key) == value || object.values().any(|child| holds(child, key, value)),
        _ => false,
    }
}

/// `INTERNAL`: DuckDB's tree is not of the form it has had so far.
pub(super) fn unexpected(what: &str) -> Error {
    Error::internal(format!("DuckDB's syntax tree has no {what}"))
}
