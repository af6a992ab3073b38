//! The columns of a table: their permanent ids, the key, and what changed between two versions. Pure.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::{Field, FieldRef, Fields, Schema, SchemaRef};

use super::normal_type::{normal_schema, same_type, type_name};
use crate::error::{Error, Result};
use crate::format::TableSchema;
use crate::format::schema::{COLUMN_ID_KEY, column_id, encode_schema, map_children, with_type};

/// So many chunk schemas are kept.
const RECENT_SCHEMAS_MAX: usize = 64;

/// The schema of the chunks of a table: normal types, column ids, and no other metadata.
#[derive(Clone, Debug)]
pub(super) struct ChunkSchema {
    /// The schema.
    pub(super) arrow: SchemaRef,
    /// The same as an IPC schema message: what logical hashes cover.
    pub(super) message: Arc<[u8]>,
}

impl ChunkSchema {
    /// The schema that chunks of this table are written with.
    pub(super) fn of(schema: &TableSchema) -> Result<ChunkSchema> {
        let full = schema.to_arrow_with_ids()?;
        let fields: Fields = full.fields().iter().map(only_id).collect();
        let arrow = Arc::new(Schema::new(fields));
        let message = encode_schema(&arrow)?.into();
        Ok(ChunkSchema { arrow, message })
    }
}

/// The chunk schemas of the tables that were written last, so that small appends need not make them anew.
#[derive(Debug, Default)]
pub(super) struct ChunkSchemas {
    recent: Mutex<VecDeque<(Arc<TableSchema>, ChunkSchema)>>,
}

impl ChunkSchemas {
    /// The schema that chunks of this table are written with.
    pub(super) fn of(&self, schema: &Arc<TableSchema>) -> Result<ChunkSchema> {
        let recent = || self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, made)) = recent().iter().find(|(known, _)| Arc::ptr_eq(known, schema)) {
            return Ok(made.clone());
        }
        let made = ChunkSchema::of(schema)?;
        let mut recent = recent();
        recent.truncate(RECENT_SCHEMAS_MAX - 1);
        recent.push_front((schema.clone(), made.clone()));
        Ok(made)
    }
}

/// Gives a schema ids and checks its key. A column of the parent that has the same name and type keeps its id; if
/// nothing changed, the parent's schema itself is returned. An empty key keeps the parent's.
pub(super) fn table_schema(
    schema: &Schema,
    key: &[String],
    parent: Option<&Arc<TableSchema>>,
) -> Result<Arc<TableSchema>> {
    let normal = normal_schema(schema)?;
    let known = parent.map(|parent| parent.to_arrow_with_ids()).transpose()?;
    let key = match (key, parent) {
        ([], Some(parent)) => parent.key.clone(),
        (key, _) => key.to_vec(),
    };
    check_key(&normal, &key)?;
    let mut ids = Ids { next: parent.map_or(1, |parent| parent.next_column_id) };
    let fields = ids.assign_all(normal.fields(), known.as_ref().map(|known| known.fields()));
    let with_ids = Schema::new_with_metadata(fields, normal.metadata().clone());
    let made = TableSchema::from_arrow_with_ids(&with_ids, ids.next, key)?;
    Ok(match parent {
        Some(parent) if **parent == made => parent.clone(),
        _ => Arc::new(made),
    })
}

/// What changed from one schema to another, a sentence for each column.
pub(super) fn schema_changes(from: &TableSchema, to: &TableSchema) -> Result<Vec<String>> {
    let (from_schema, to_schema) = (from.to_arrow()?, to.to_arrow()?);
    let mut changes = Vec::new();
    for old in from_schema.fields() {
        match to_schema.field_with_name(old.name()) {
            Err(_) => changes.push(format!("column {:?} ({}) was removed", old.name(), type_name(old.data_type()))),
            Ok(new) => changes.extend(column_change(old, new)),
        }
    }
    let added = to_schema.fields().iter().filter(|field| from_schema.field_with_name(field.name()).is_err());
    changes.extend(added.map(|new| format!("column {:?} ({}) was added", new.name(), type_name(new.data_type()))));
    if from.key != to.key {
        changes.push(format!("the key was {:?} and is {:?}", from.key, to.key));
    }
    Ok(changes)
}

fn column_change(old: &Field, new: &Field) -> Option<String> {
    let (was, is) = (type_name(old.data_type()), type_name(new.data_type()));
    match (old.is_nullable(), new.is_nullable()) {
        _ if was != is => Some(format!("column {:?} was {was} and is {is}", old.name())),
        (false, true) => Some(format!("column {:?} now takes nulls", old.name())),
        (true, false) => Some(format!("column {:?} no longer takes nulls", old.name())),
        _ => None,
    }
}

fn check_key(schema: &Schema, key: &[String]) -> Result<()> {
    let mut seen = HashSet::new();
    for name in key {
        if schema.field_with_name(name).is_err() {
            return Err(Error::invalid("key", format!("{name:?} is not a column; {}", column_list(schema))));
        }
        if !seen.insert(name) {
            return Err(Error::invalid("key", format!("{name:?} stands there twice")));
        }
    }
    Ok(())
}

/// The columns of a schema in words, for errors.
pub(super) fn column_list(schema: &Schema) -> String {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    format!("the columns are {names:?}")
}

struct Ids {
    next: u32,
}

impl Ids {
    fn assign_all(&mut self, fields: &Fields, known: Option<&Fields>) -> Fields {
        let same = |field: &Field, old: &&FieldRef| {
            old.name() == field.name() && same_type(old.data_type(), field.data_type())
        };
        fields
            .iter()
            .map(|field| {
                let old = known.and_then(|known| known.iter().find(|old| same(field, old)));
                self.assign(field, old)
            })
            .collect()
    }

    fn assign(&mut self, field: &FieldRef, known: Option<&FieldRef>) -> FieldRef {
        let id = known.and_then(|known| column_id(known)).unwrap_or_else(|| self.take());
        let mut below = known.map(|known| children(known)).unwrap_or_default().into_iter();
        let data_type = map_children(field.data_type(), &mut |child| self.assign(child, below.next().as_ref()));
        let mut metadata = field.metadata().clone();
        metadata.insert(COLUMN_ID_KEY.to_string(), id.to_string());
        Arc::new(with_type(field, data_type).with_metadata(metadata))
    }

    fn take(&mut self) -> u32 {
        self.next += 1;
        self.next - 1
    }
}

/// The fields directly below a field.
fn children(field: &Field) -> Vec<FieldRef> {
    let mut children = Vec::new();
    map_children(field.data_type(), &mut |child| {
        children.push(child.clone());
        child.clone()
    });
    children
}

fn only_id(field: &FieldRef) -> FieldRef {
    let data_type = map_children(field.data_type(), &mut only_id);
    let id = column_id(field).map(|id| (COLUMN_ID_KEY.to_string(), id.to_string()));
    Arc::new(with_type(field, data_type).with_metadata(HashMap::from_iter(id)))
}
