//! A table's schema as it is stored.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

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
