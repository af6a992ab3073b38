//! From a statement to the text that DuckDB runs: tables resolved, views made, names filled in.

use std::path::Path;
use std::sync::Arc;

use super::failure;
use super::files::{ChunkFiles, FileRef, Files};
use super::instance::Pooled;
use super::naming::Naming;
use super::quote;
use super::statement::{Body, Statement, TableUse};
use super::tables::{ResolvedTable, TableAt, Tables};
use super::template::Filling;
use super::value::Parameters;
use super::view::View;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::format::ChunkHash;

/// This many names are suggested for one that is not there.
const SUGGESTIONS_MAX: usize = 3;

/// What DuckDB is to run, and what must stay for as long as it runs.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) sql: String,
    /// What its parameters `$1`, `$2` … were in the user's text.
    pub(super) places: Vec<String>,
    pub(super) reads: Reads,
}

/// What a statement reads.
#[derive(Debug)]
pub(super) struct Reads {
    pub(super) source: Arc<dyn ChunkFiles>,
    pub(super) chunks: Vec<ChunkHash>,
    pub(super) files: Vec<FileRef>,
    pub(super) naming: Naming,
}

/// What is needed to plan a statement.
pub(super) struct Planner<'a> {
    pub(super) tables: &'a dyn Tables,
    pub(super) files: &'a Files,
    pub(super) parameters: Parameters<'a>,
    pub(super) external_access: bool,
    pub(super) cancel: &'a CancelToken,
}

type Resolved = Vec<((String, TableAt), ResolvedTable)>;

impl Planner<'_> {
    /// Resolves the statement's tables and makes a view for each on the connection.
    pub(super) fn plan(&self, statement: &Statement, connection: &mut Pooled) -> Result<Plan> {
        let reads = Reads {
            source: self.files.chunks.clone(),
            chunks: Vec::new(),
            files: Vec::new(),
            naming: Naming::default(),
        };
        match &statement.body {
            Body::ShowTables => Ok(Plan { sql: self.show_tables()?, places: Vec::new(), reads }),
            Body::Select { template, tables, places } => {
                let (mut plan, mut resolved) =
                    (Plan { sql: String::new(), places: places.clone(), reads }, Resolved::new());
                let mut fillings = Vec::with_capacity(tables.len());
                for table in tables {
                    let found = match self.find(table, &mut resolved, connection)? {
                        Some(found) => found,
                        None => {
                            fillings.push(file(&table.name));
                            continue;
                        }
                    };
                    if let Some(sql) = count(table, &found) {
                        return Ok(Plan { sql: format!("{}{sql}", statement.explain), ..plan });
                    }
                    fillings.push(self.view(table, &found, &mut plan.reads, connection)?);
                }
                plan.sql = format!("{}{}", statement.explain, template.fill(&fillings));
                Ok(plan)
            }
        }
    }

    fn view(&self, table: &TableUse, found: &ResolvedTable, reads: &mut Reads, on: &mut Pooled) -> Result<Filling> {
        let view = View::of(found, table.condition.as_ref(), self.parameters, self.files, self.cancel)?;
        on.ensure_view(&view.name, &view.definition).map_err(|error| reads.diagnose(error, &view.chunks))?;
        reads.files.extend(view.files);
        reads.chunks.extend(view.chunks);
        reads.naming.add(view.name.clone(), table.name.clone());
        Ok(Filling { relation: view.name, alias: table.name.clone() })
    }

    /// The table that a reference means; `None` if it means a file.
    fn find(&self, table: &TableUse, resolved: &mut Resolved, on: &Pooled) -> Result<Option<ResolvedTable>> {
        let place = (table.name.clone(), table.at.evaluate(&on.connection, self.parameters)?);
        if let Some((_, found)) = resolved.iter().find(|(known, _)| *known == place) {
            return Ok(Some(found.clone()));
        }
        match resolve(self.tables, &place.0, &place.1) {
            Err(Error::TableNotFound { .. }) if self.external_access && is_file(table) => Ok(None),
            found => {
                let found = found?;
                resolved.push((place, found.clone()));
                Ok(Some(found))
            }
        }
    }

    fn show_tables(&self) -> Result<String> {
        let mut names = self.tables.list(&TableAt::Default)?;
        names.sort_unstable();
        let names: Vec<String> = names.iter().map(|name| quote::text(name)).collect();
        Ok(format!("SELECT unnest([{}]::VARCHAR[]) AS name", names.join(", ")))
    }
}

/// A count of all rows, from the manifest.
fn count(table: &TableUse, found: &ResolvedTable) -> Option<String> {
    let column = table.count.as_ref().filter(|_| !found.data.schema.arrow.is_empty())?;
    Some(format!("SELECT CAST({} AS BIGINT) AS {}", found.data.rows(), quote::identifier(column)))
}

fn is_file(table: &TableUse) -> bool {
    matches!(table.at, super::at::AtClause::Default) && table.name.contains(['.', '/'])
}

/// A file that is named where a table could be; DuckDB finds out what it is.
fn file(name: &str) -> Filling {
    let stem = Path::new(name).file_stem().and_then(|stem| stem.to_str()).unwrap_or(name);
    Filling { relation: name.to_owned(), alias: stem.to_owned() }
}

/// The table of that name, or the only one whose name differs in case alone.
fn resolve(tables: &dyn Tables, name: &str, at: &TableAt) -> Result<ResolvedTable> {
    match tables.resolve(name, at) {
        Err(Error::TableNotFound { table, at: place }) => {
            // Where nothing can be listed there is nothing to suggest.
            let names = tables.list(at).unwrap_or_default();
            let alike: Vec<&String> = names.iter().filter(|other| fold(other) == fold(name)).collect();
            match alike.as_slice() {
                [only] => tables.resolve(only, at),
                _ => Err(Error::TableNotFound { table, at: place + &suggestions(name, &names) }),
            }
        }
        found => found,
    }
}

fn fold(name: &str) -> String {
    name.to_lowercase()
}

fn suggestions(name: &str, names: &[String]) -> String {
    let mut near: Vec<(usize, &String)> =
        names.iter().map(|other| (distance(&fold(name), &fold(other)), other)).collect();
    near.retain(|(distance, _)| *distance <= 1 + name.chars().count() / 4);
    near.sort();
    let near: Vec<String> = near.iter().take(SUGGESTIONS_MAX).map(|(_, name)| format!("{name:?}")).collect();
    if near.is_empty() { String::new() } else { format!(" (did you mean {}?)", near.join(" or ")) }
}

/// How many letters must change to make one name of the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

impl Reads {
    /// What an error of DuckDB really is: a chunk that is missing or damaged says so itself, a view goes by the name of
    /// its table.
    pub(super) fn diagnose(&self, error: Error, more: &[ChunkHash]) -> Error {
        let Error::Sql { message } = &error else { return error };
        if !failure::may_be_damage(message) {
            return Error::Sql { message: self.naming.explain(message) };
        }
        let chunks = more.iter().chain(&self.chunks);
        let named = chunks.clone().find(|chunk| message.contains(&chunk.to_hex()));
        let suspects: Vec<&ChunkHash> = named.map_or_else(|| chunks.collect(), |chunk| vec![chunk]);
        suspects.into_iter().find_map(|chunk| self.damage(chunk)).unwrap_or(error)
    }

    fn damage(&self, chunk: &ChunkHash) -> Option<Error> {
        match self.source.get(chunk) {
            Err(error) => Some(error),
            Ok(bytes) => {
                let actual = ChunkHash::of(&bytes);
                let (expected, found) = (chunk.to_hex(), actual.to_hex());
                (actual != *chunk).then_some(Error::HashMismatch { object: "chunk", expected, actual: found })
            }
        }
    }
}
