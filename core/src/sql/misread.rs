//! Which chunks DuckDB might misread: their files must be looked at, and copied where they do not say what they mean.
//!
//! One-sided: "no" is said only where a manifest shows it. A manifest has no statistics of a chunk that another writer
//! made, gives no maximum for a column with a NaN, and knows nothing of what stands inside other values.

use arrow::datatypes::{DataType, Schema};

use crate::format::ChunkEntry;
use crate::format::schema::column_id;

/// Whether the file may have types that Parquet has not, or bounds that leave NaN out.
pub(super) fn might_be(schema: &Schema, chunk: &ChunkEntry) -> bool {
    chunk.columns.is_empty()
        || schema.fields().iter().any(|field| match field.data_type() {
            kind if kind.is_floating() => column_id(field).is_none_or(|id| may_hold_nan(chunk, id)),
            kind => holds_floats(kind),
        })
}

fn may_hold_nan(chunk: &ChunkEntry, id: u32) -> bool {
    let column = chunk.columns.iter().find(|column| column.id == id);
    column.is_none_or(|column| column.max.is_none() && column.nulls < chunk.rows)
}

fn holds_floats(data_type: &DataType) -> bool {
    use DataType::*;
    match data_type {
        List(item) | FixedSizeList(item, _) | Map(item, _) => holds_floats(item.data_type()),
        Struct(fields) => fields.iter().any(|field| holds_floats(field.data_type())),
        kind => kind.is_floating(),
    }
}
