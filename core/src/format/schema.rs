//! A table's schema as it is stored.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use arrow::ipc::convert::fb_to_schema;
use arrow::ipc::root_as_message;
use arrow::ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteOptions};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::error::{Error, Result};

/// The field metadata that carries a column id; Parquet's own key, so that chunk files carry the id too.
pub const COLUMN_ID_KEY: &str = "PARQUET:field_id";

/// A table's columns, their permanent ids and its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSchema {
    /// The Arrow schema as an IPC schema message; every field, nested ones too, carries its column id as
    /// `PARQUET:field_id` metadata.
    pub arrow: ByteBuf,
    /// The next column id; ids are never used again.
    pub next_column_id: u32,
    /// The names of the key columns, if the table has a key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
}

impl TableSchema {
    /// Stores an Arrow schema whose fields carry column ids already.
    pub fn from_arrow_with_ids(schema: &Schema, next_column_id: u32, key: Vec<String>) -> Result<TableSchema> {
        Ok(TableSchema { arrow: ByteBuf::from(encode_schema(schema)?), next_column_id, key })
    }

    /// The columns as Arrow sees them, without column ids. Damaged bytes are `LOG_CORRUPT`.
    pub fn to_arrow(&self) -> Result<SchemaRef> {
        let schema = self.to_arrow_with_ids()?;
        let fields: Fields = schema.fields().iter().map(without_column_ids).collect();
        Ok(Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())))
    }

    /// The columns with their column ids as `PARQUET:field_id` metadata. Damaged bytes are `LOG_CORRUPT`.
    pub fn to_arrow_with_ids(&self) -> Result<SchemaRef> {
        decode_schema(&self.arrow).map(Arc::new)
    }
}

/// The column id that a field carries.
pub fn column_id(field: &Field) -> Option<u32> {
    field.metadata().get(COLUMN_ID_KEY)?.parse().ok()
}

/// A field of this type instead, with all else kept.
pub fn with_type(field: &Field, data_type: DataType) -> Field {
    field.clone().with_data_type(data_type)
}

/// Rebuilds a nested type with `change` applied to the fields directly below it; other types stay as they are.
pub fn map_children(data_type: &DataType, change: &mut dyn FnMut(&FieldRef) -> FieldRef) -> DataType {
    match data_type {
        DataType::List(item) => DataType::List(change(item)),
        DataType::LargeList(item) => DataType::LargeList(change(item)),
        DataType::ListView(item) => DataType::ListView(change(item)),
        DataType::LargeListView(item) => DataType::LargeListView(change(item)),
        DataType::FixedSizeList(item, length) => DataType::FixedSizeList(change(item), *length),
        DataType::Map(entries, sorted) => DataType::Map(change(entries), *sorted),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(change).collect()),
        other => other.clone(),
    }
}

fn without_column_ids(field: &FieldRef) -> FieldRef {
    let data_type = map_children(field.data_type(), &mut without_column_ids);
    let mut metadata: HashMap<String, String> = field.metadata().clone();
    metadata.remove(COLUMN_ID_KEY);
    Arc::new(with_type(field, data_type).with_metadata(metadata))
}

/// The IPC schema message of an Arrow schema; the same schema always gives the same bytes.
pub fn encode_schema(schema: &Schema) -> Result<Vec<u8>> {
    let options = IpcWriteOptions::default();
    let mut dictionaries = DictionaryTracker::new(false);
    let encoded =
        IpcDataGenerator::default().schema_to_bytes_with_dictionary_tracker(schema, &mut dictionaries, &options);
    Ok(encoded.ipc_message)
}

/// Reads an IPC schema message; damaged bytes are `LOG_CORRUPT`.
pub fn decode_schema(bytes: &[u8]) -> Result<Schema> {
    let corrupt = |reason: String| Error::LogCorrupt { at: "a table schema".to_string(), reason };
    let message = root_as_message(bytes).map_err(|error| corrupt(format!("not an IPC message: {error}")))?;
    let schema = message.header_as_schema().ok_or_else(|| corrupt("not an IPC schema message".to_string()))?;
    // Arrow's converter panics on types that it does not know.
    catch_unwind(AssertUnwindSafe(|| fb_to_schema(schema))).map_err(|_| corrupt("an ill-formed type".to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_id(field: Field, id: u32) -> Field {
        field.with_metadata(HashMap::from([(COLUMN_ID_KEY.to_string(), id.to_string())]))
    }

    fn schema() -> Schema {
        let item = with_id(Field::new("item", DataType::Utf8, true), 3);
        Schema::new(vec![
            with_id(Field::new("id", DataType::Int64, false), 1),
            with_id(Field::new("tags", DataType::List(Arc::new(item)), true), 2),
        ])
    }

    #[test]
    fn a_schema_survives_and_can_lose_its_ids() {
        let stored = TableSchema::from_arrow_with_ids(&schema(), 4, vec!["id".into()]).unwrap();
        assert_eq!(*stored.to_arrow_with_ids().unwrap(), schema());
        let plain = stored.to_arrow().unwrap();
        let item = Arc::new(Field::new("item", DataType::Utf8, true));
        assert_eq!(plain.field(1), &Field::new("tags", DataType::List(item), true));
        assert_eq!(column_id(schema().field(1)), Some(2));
        assert_eq!(column_id(plain.field(1)), None);
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let stored = TableSchema::from_arrow_with_ids(&schema(), 4, Vec::new()).unwrap();
        for length in 0..stored.arrow.len() {
            let cut = TableSchema { arrow: ByteBuf::from(&stored.arrow[..length]), ..stored.clone() };
            if let Err(error) = cut.to_arrow() {
                assert_eq!(error.code(), crate::error::Code::LogCorrupt);
            }
        }
        let empty = TableSchema { arrow: ByteBuf::new(), ..stored };
        assert!(empty.to_arrow().is_err());
    }
}
