//! A table version as a view: the files that hold its rows, and how to read them.

use std::collections::HashSet;
use std::iter;
use std::sync::Arc;

use arrow::datatypes::{FieldRef, Schema, SchemaRef};

use super::files::{FileRef, Files};
use super::misread;
use super::predicate::Condition;
use super::prune::{self, Columns};
use super::quote;
use super::tables::ResolvedTable;
use super::types;
use super::value::Parameters;
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::format::schema::column_id;
use crate::format::{ChunkEntry, ChunkHash, Manifest};
use crate::table::TableData;

/// A view to be made, and what must stay for as long as it is read.
#[derive(Debug)]
pub(super) struct View {
    /// Says the table and the version, and ends in a hash of the definition.
    pub(super) name: String,
    /// A SELECT.
    pub(super) definition: String,
    /// The files that it reads.
    pub(super) files: Vec<FileRef>,
    /// The chunks that it reads.
    pub(super) chunks: Vec<ChunkHash>,
}

impl View {
    /// A view of the table, without chunks that the condition rules out.
    pub(super) fn of(
        table: &ResolvedTable,
        condition: Option<&Condition>,
        parameters: Parameters<'_>,
        files: &Files,
        cancel: &CancelToken,
    ) -> Result<View> {
        let data = &*table.data;
        let schema = (!data.schema.arrow.is_empty()).then(|| data.schema.to_arrow_with_ids()).transpose()?;
        let kept = kept(data, schema.as_ref(), condition, parameters);
        let chunks: Vec<ChunkHash> = kept.iter().map(|(_, chunk)| chunk.chunk).collect();
        // Before anybody believes what stands in them.
        files.verify(&chunks, cancel)?;
        let files = in_order(data, schema.as_ref(), &kept, files, cancel)?;
        let definition = match (schema, files.is_empty()) {
            (Some(schema), true) => empty(&schema)?,
            (Some(schema), false) => typed(&schema, &files, &kept)?,
            (None, true) => return Err(no_columns(&table.name)),
            (None, false) => format!("SELECT * FROM {}", read(&files, "")?),
        };
        // DuckDB tells names apart in lower case only: the hash must tell them apart.
        let hash =
            blake3::Hasher::new().update(definition.as_bytes()).update(table.name.as_bytes()).finalize().to_hex();
        let name = format!("{}@{} {}", table.name, table.version, &hash[..32]);
        Ok(View { name, definition, files, chunks })
    }
}

/// The chunks that a condition leaves, with their places.
fn kept<'a>(
    data: &'a TableData,
    schema: Option<&SchemaRef>,
    condition: Option<&Condition>,
    parameters: Parameters<'_>,
) -> Vec<(usize, &'a ChunkEntry)> {
    let chunks = data.manifest.chunks.iter().enumerate();
    let (Some(schema), Some(condition)) = (schema, condition) else { return chunks.collect() };
    let columns = Columns::of(schema, &names(schema));
    chunks.filter(|(_, chunk)| !prune::rules_out(condition, chunk, &columns, parameters)).collect()
}

/// The files of the kept chunks and of all inlined batches, in row order.
fn in_order(
    data: &TableData,
    schema: Option<&SchemaRef>,
    kept: &[(usize, &ChunkEntry)],
    files: &Files,
    cancel: &CancelToken,
) -> Result<Vec<FileRef>> {
    let mut order: Vec<(u64, FileRef)> = Vec::with_capacity(kept.len() + 1);
    let place_of = |place: usize| 2 * place as u64 + 1;
    let mut suspects = Vec::new();
    for (place, chunk) in kept {
        cancel.check("the query")?;
        match schema.is_some_and(|schema| misread::might_be(schema, chunk)) {
            true => suspects.push((*place, *chunk)),
            false => order.push((place_of(*place), files.chunk(&chunk.chunk)?)),
        }
    }
    let suspected: Vec<&ChunkEntry> = suspects.iter().map(|(_, chunk)| *chunk).collect();
    let plain = files.plain_chunks(&data.schema, &suspected, cancel)?;
    order.extend(suspects.iter().zip(plain).map(|((place, _), file)| (place_of(*place), file)));
    for batches in data.tail.to_vec().chunk_by(|a, b| a.after == b.after) {
        let tail = batches.iter().copied().cloned().collect();
        let tail = TableData { schema: data.schema.clone(), manifest: Arc::new(Manifest::default()), tail };
        let after = batches.first().map_or(0, |batch| batch.after);
        order.push((2 * after, files.tail(&tail)?));
    }
    order.sort_by_key(|(place, _)| *place);
    Ok(order.into_iter().map(|(_, file)| file).collect())
}

fn no_columns(table: &str) -> Error {
    let instead = "commit a version with chunks first";
    Error::Unsupported {
        what: format!("SQL on the table {table:?}, which has no chunks and no schema,"),
        instead: instead.into(),
    }
}

/// The names of the columns in SQL: where two differ only in case, the later ones end in a number, as DuckDB names them.
fn names(schema: &Schema) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut fresh = |name: &str| {
        let numbered = (1..).map(|number| format!("{name}_{number}"));
        let mut all = iter::once(name.to_owned()).chain(numbered);
        all.find(|name| seen.insert(name.to_ascii_lowercase())).unwrap_or_default()
    };
    schema.fields().iter().map(|field| field.name().as_str()).map(&mut fresh).collect()
}

/// No rows, but the right columns.
fn empty(schema: &Schema) -> Result<String> {
    let column = |(field, name): (&FieldRef, String)| -> Result<String> {
        Ok(format!("CAST(NULL AS {}) AS {}", types::in_sql(field.data_type())?, quote::identifier(&name)))
    };
    let columns = schema.fields().iter().zip(names(schema)).map(column).collect::<Result<Vec<_>>>()?;
    Ok(format!("SELECT {} WHERE false", columns.join(", ")))
}

fn typed(schema: &Schema, files: &[FileRef], kept: &[(usize, &ChunkEntry)]) -> Result<String> {
    let names = names(schema);
    let (mut columns, mut changed) = (Vec::new(), false);
    for (field, name) in schema.fields().iter().zip(&names) {
        let quoted = quote::identifier(name);
        let converted = types::conversion(field.data_type(), &quoted, name)?;
        changed |= converted.is_some();
        columns.push(converted.map_or_else(|| quoted.clone(), |converted| format!("{converted} AS {quoted}")));
    }
    let renamed = schema.fields().iter().zip(&names).any(|(field, name)| field.name() != name);
    let columns = if changed { columns.join(", ") } else { "*".to_owned() };
    let by_id = if renamed || lacks_columns(schema, kept) { by_id(schema, &names)? } else { String::new() };
    Ok(format!("SELECT {columns} FROM {}", read(files, &by_id)?))
}

/// Whether some chunk was written before some column was there. A chunk without any statistics, as the low-level
/// catalog lists them, has the columns that all the others have.
fn lacks_columns(schema: &Schema, kept: &[(usize, &ChunkEntry)]) -> bool {
    let ids: Vec<Option<u32>> = schema.fields().iter().map(|field| column_id(field)).collect();
    let has = |chunk: &ChunkEntry, id: Option<u32>| chunk.columns.iter().any(|column| Some(column.id) == id);
    kept.iter().any(|(_, chunk)| !chunk.columns.is_empty() && ids.iter().any(|id| !has(chunk, *id)))
}

/// Reads columns by their ids: where a file lacks one, its values are null.
fn by_id(schema: &Schema, names: &[String]) -> Result<String> {
    let column = |(field, name): (&FieldRef, &String)| -> Result<String> {
        let id = column_id(field).ok_or_else(|| Error::internal("a column without an id"))?;
        let (name, kind) = (quote::text(name), quote::text(&types::in_file(field.data_type())?));
        Ok(format!("{id}: {{'name': {name}, 'type': {kind}, 'default_value': NULL}}"))
    };
    let columns = schema.fields().iter().zip(names).map(column).collect::<Result<Vec<_>>>()?;
    Ok(format!(", schema = MAP {{{}}}", columns.join(", ")))
}

fn read(files: &[FileRef], options: &str) -> Result<String> {
    let paths = files.iter().map(|file| quote::pattern(&file.path)).collect::<Result<Vec<_>>>()?;
    Ok(format!("read_parquet([{}], hive_partitioning = false{options})", paths.join(", ")))
}
