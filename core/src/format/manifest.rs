//! The list of a table version's chunks.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{ChunkHash, LogicalHash, NodeHash};

/// The chunks of a table version, in row order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The chunks.
    pub chunks: Vec<ChunkEntry>,
}

/// What is known of one chunk without opening it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChunkEntry {
    /// Its name.
    pub chunk: ChunkHash,
    /// The hash of its rows.
    pub logical: LogicalHash,
    /// Its rows.
    pub rows: u64,
    /// The bytes of its file.
    pub bytes: u64,
    /// The boundary hash of its first row: later writes cut where a row has it.
    pub first_row: u64,
    /// The canonical bytes of its rows, by which chunks are cut; 0 where nobody has counted them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub row_bytes: u64,
    /// Statistics of its top-level columns, by column id.
    pub columns: Vec<ColumnStatistics>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What is known of one column of a chunk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnStatistics {
    /// The column.
    pub id: u32,
    /// Its nulls.
    pub nulls: u64,
    /// A value that none is below; `None` where the type has no order or all are null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Scalar>,
    /// A value that none is above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Scalar>,
}

/// A bound of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scalar {
    /// Of booleans.
    Bool(bool),
    /// Of signed integers, dates, times, timestamps and durations, in the column's own unit.
    Int(i64),
    /// Of unsigned integers.
    UInt(u64),
    /// Of floating point numbers; never NaN.
    Float(f64),
    /// Of decimals, as the unscaled big-endian two's complement.
    Decimal(ByteBuf),
    /// Of strings; may be cut short, a maximum then rounded up.
    Text(String),
    /// Of binary values; may be cut short likewise.
    Bytes(ByteBuf),
}

/// A node of a manifest that does not fit into a record: a list, or a list of lists cut by content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManifestNode {
    /// Chunks.
    Leaf(Manifest),
    /// Further nodes, in row order.
    Inner(Vec<NodeHash>),
}
