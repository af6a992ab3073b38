//! A statement, taken apart once and kept by its text.

use std::sync::Arc;

use duckdb::{Connection, params};
use quick_cache::sync::Cache;
use serde_json::{Map, Value as Json, json};

use super::advice;
use super::at::AtClause;
use super::failure;
use super::lexer;
use super::predicate::{Condition, text_of};
use super::references::{self, Marks, Reference, Walk, text, unexpected};
use super::template::{Filling, Template};
use crate::error::{Error, Result};

/// This many statements are kept.
const STATEMENTS_MAX: usize = 512;

/// Longer texts are not kept.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// Deeper trees are taken apart on a thread with a stack for them; serde_json refuses 128.
const DEPTH_MAX: usize = 100;

/// The stack of that thread: DuckDB nests expressions 1000 deep, each a few levels of its tree.
const STACK_BYTES: usize = 64 << 20;

/// Statements that were taken apart, by their text.
#[derive(Debug)]
pub(super) struct Statements {
    kept: Cache<String, Arc<Statement>>,
    external_access: bool,
}

/// A statement that may run.
#[derive(Debug)]
pub(super) struct Statement {
    /// What comes before the SELECT: nothing, or `EXPLAIN …`.
    pub(super) explain: String,
    pub(super) body: Body,
    /// The names of its parameters; digits if they are positional.
    pub(super) parameters: Vec<String>,
}

/// What a statement asks for.
#[derive(Debug)]
pub(super) enum Body {
    /// The rows of a SELECT.
    Select {
        template: Template,
        tables: Vec<TableUse>,
        /// What the parameters `$1`, `$2` … of the template were in the user's text.
        places: Vec<String>,
    },
    /// The names of all tables.
    ShowTables,
}

/// One place where a statement reads a table.
#[derive(Debug)]
pub(super) struct TableUse {
    /// The name as written.
    pub(super) name: String,
    /// Where it looks.
    pub(super) at: AtClause,
    /// What rows that matter fulfil.
    pub(super) condition: Option<Condition>,
    /// Set if the statement is nothing but a count of this table's rows: the name of the result's column.
    pub(super) count: Option<String>,
}

impl Statements {
    pub(super) fn new(external_access: bool) -> Statements {
        Statements { kept: Cache::new(STATEMENTS_MAX), external_access }
    }

    /// The statement of that text: as it was kept, or taken apart now.
    pub(super) fn get(&self, sql: &str, connection: &mut Connection) -> Result<Arc<Statement>> {
        if let Some(statement) = self.kept.get(sql) {
            return Ok(statement);
        }
        let statement = Arc::new(Statement::parse(sql, connection, self.external_access)?);
        if sql.len() <= TEXT_BYTES_MAX {
            self.kept.insert(sql.to_owned(), statement.clone());
        }
        Ok(statement)
    }
}

impl Statement {
    fn parse(sql: &str, connection: &mut Connection, external_access: bool) -> Result<Statement> {
        let (explain, select) = lexer::split_explain(sql);
        let tree = serialize(connection, select)?;
        if depth(&tree) <= DEPTH_MAX {
            return Parse { connection, select, external_access }.statement(explain, &tree);
        }
        std::thread::scope(|scope| {
            let parse = move || Parse { connection, select, external_access }.statement(explain, &tree);
            let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, parse);
            let thread = thread.map_err(|error| Error::io("start a thread", "", error))?;
            thread.join().unwrap_or_else(|_| Err(Error::internal("a statement could not be taken apart")))
        })
    }
}

struct Parse<'a> {
    connection: &'a mut Connection,
    select: &'a str,
    external_access: bool,
}

impl Parse<'_> {
    fn statement(self, explain: String, tree: &str) -> Result<Statement> {
        let mut tree = read_tree(tree, self.select)?;
        let parameters = parameters(&tree)?;
        if explain.is_empty() && is_show_tables(&tree) {
            return Ok(Statement { explain, body: Body::ShowTables, parameters });
        }
        let marks = Marks::of(self.select);
        let count = count_column(&tree);
        let mut walk = Walk::new(marks.clone(), self.external_access);
        walk.tree(&mut tree)?;
        let places = references::renumber(&mut tree);
        let template = self.template(&walk.references, &marks, tree)?;
        let tables = walk.references.into_iter().map(|reference| self.table_use(reference, count.clone()));
        let body = Body::Select { template, tables: tables.collect::<Result<_>>()?, places };
        Ok(Statement { explain, body, parameters })
    }

    fn table_use(&self, reference: Reference, count: Option<String>) -> Result<TableUse> {
        let at = match reference.at {
            Some((unit, expression)) => AtClause::of_tree(&unit, expression, self.connection)?,
            None => AtClause::Default,
        };
        Ok(TableUse { name: reference.name, at, condition: reference.condition, count })
    }

    /// The text with holes, and the proof that it means what the tree with its marks means.
    fn template(&self, references: &[Reference], marks: &Marks, mut tree: Json) -> Result<Template> {
        let names: Vec<String> = (0..references.len()).map(|index| marks.name(index)).collect();
        if let Some(template) = Template::cut(self.select, references) {
            references::without_locations(&mut tree);
            if self.means(&template, references, &names, &tree)? {
                return Ok(template);
            }
        }
        let text = deserialize(self.connection, &tree)?;
        let found = Template::find(&text, &names).ok_or_else(|| unexpected("text with all its tables"))?;
        references::without_locations(&mut tree);
        match self.means(&found, references, &names, &tree)? {
            true => Ok(found),
            false => Err(no_way_back()),
        }
    }

    fn means(&self, template: &Template, references: &[Reference], names: &[String], tree: &Json) -> Result<bool> {
        let alias = |reference: &Reference| reference.alias.clone().unwrap_or_else(|| reference.name.clone());
        let filling =
            |(reference, name): (&Reference, &String)| Filling { relation: name.clone(), alias: alias(reference) };
        let fillings: Vec<Filling> = references.iter().zip(names).map(filling).collect();
        let mut again: Json = parse_json(&serialize(self.connection, &template.fill(&fillings))?)?;
        references::without_locations(&mut again);
        Ok(again == *tree)
    }
}

fn no_way_back() -> Error {
    let instead = "write it in another way: DuckDB reads its own form of it differently";
    Error::Unsupported { what: "this statement's syntax together with tables".into(), instead: instead.into() }
}

/// DuckDB's syntax tree of a text, as JSON.
fn serialize(connection: &Connection, sql: &str) -> Result<String> {
    if sql.contains('\0') {
        return Err(Error::Sql { message: "a statement holds no zero bytes".to_owned() });
    }
    let mut statement =
        connection.prepare_cached("SELECT json_serialize_sql(?::VARCHAR)::VARCHAR").map_err(failure::sql)?;
    statement.query_row(params![sql], |row| row.get(0)).map_err(failure::sql)
}

/// The text of a syntax tree.
pub(super) fn deserialize(connection: &Connection, tree: &Json) -> Result<String> {
    let mut statement = connection.prepare_cached("SELECT json_deserialize_sql(?::JSON)").map_err(failure::sql)?;
    statement.query_row(params![tree.to_string()], |row| row.get(0)).map_err(failure::sql)
}

fn parse_json(tree: &str) -> Result<Json> {
    let mut reader = serde_json::Deserializer::from_str(tree);
    reader.disable_recursion_limit();
    let parsed = serde::Deserialize::deserialize(&mut reader);
    parsed.map_err(|error| Error::internal(format!("DuckDB's syntax tree is no JSON: {error}")))
}

/// How deep the brackets of a JSON text nest; those in strings count too, which does no harm.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    for byte in json.bytes() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Reads the tree of exactly one SELECT.
fn read_tree(tree: &str, sql: &str) -> Result<Json> {
    let tree = parse_json(tree)?;
    let object = tree.as_object().ok_or_else(|| unexpected("object"))?;
    if object.get("error").and_then(Json::as_bool) != Some(false) {
        return Err(refusal(object, sql));
    }
    match object.get("statements").and_then(Json::as_array).map(Vec::len) {
        Some(1) => Ok(tree),
        Some(0) => Err(Error::Sql { message: "there is no statement in this text".to_owned() }),
        Some(count) => Err(advice::many(count)),
        None => Err(unexpected("list of statements")),
    }
}

fn refusal(answer: &Map<String, Json>, sql: &str) -> Error {
    if text(answer, "error_type") == "not implemented" {
        return advice::no_select(sql);
    }
    let position = text(answer, "position");
    let place = if position.is_empty() { String::new() } else { format!(" (at character {position})") };
    let message = failure::without_settings(text(answer, "error_message"));
    Error::Sql { message: format!("Parser Error: {message}{place}") }
}

fn statement_of(tree: &Json) -> Option<&Json> {
    tree.get("statements")?.get(0)
}

fn parameters(tree: &Json) -> Result<Vec<String>> {
    let map = statement_of(tree).and_then(|statement| statement.get("named_param_map")?.as_array());
    let map = map.ok_or_else(|| unexpected("list of parameters"))?;
    Ok(map.iter().map(|entry| text_of(entry, "key").to_owned()).collect())
}

fn is_show_tables(tree: &Json) -> bool {
    let from = statement_of(tree).and_then(|statement| statement.get("node")?.get("from_table"));
    from.is_some_and(|from| text_of(from, "type") == "SHOW_REF" && text_of(from, "table_name") == "\"tables\"")
}

/// The name of the result's column if the statement is `SELECT count(*) FROM table` and nothing else.
fn count_column(tree: &Json) -> Option<String> {
    let node = statement_of(tree)?.get("node")?;
    let [column] = node.get("select_list")?.as_array()?.as_slice() else { return None };
    let from = node.get("from_table")?;
    let bare = |object: &Json, keys: &[&str]| keys.iter().all(|key| object.get(key).is_none_or(is_nothing));
    let counts = text_of(column, "function_name") == "count_star" && bare(column, &["filter", "schema", "distinct"]);
    let plain =
        text_of(node, "type") == "SELECT_NODE" && text_of(from, "type") == "BASE_TABLE" && bare(from, &["sample"]);
    let clauses = ["modifiers", "where_clause", "group_expressions", "group_sets", "having", "sample", "qualify"];
    let alias = Some(text_of(column, "alias")).filter(|alias| !alias.is_empty()).unwrap_or("count_star()");
    let no_ctes = node.get("cte_map").and_then(|ctes| ctes.get("map")).is_none_or(is_nothing);
    (counts && plain && no_ctes && bare(node, &clauses)).then(|| alias.to_owned())
}

fn is_nothing(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(false) => true,
        Json::String(text) => text.is_empty(),
        Json::Array(values) => values.is_empty(),
        _ => false,
    }
}

/// The tree of a SELECT of one expression.
pub(super) fn select_of(expression: Json) -> Json {
    json!({"error": false, "statements": [{"node": {
        "type": "SELECT_NODE", "modifiers": [], "cte_map": {"map": []}, "select_list": [expression],
        "from_table": {"type": "EMPTY", "alias": "", "sample": null, "query_location": u64::MAX},
        "where_clause": null, "group_expressions": [], "group_sets": [], "aggregate_handling": "STANDARD_HANDLING",
        "having": null, "sample": null, "qualify": null}, "named_param_map": []}]})
}
