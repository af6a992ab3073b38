//! What one transaction did: the payload of the log.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{BranchId, BranchName, ChunkHash, Manifest, NodeHash, TableName, TableSchema, TagName, TxId, Version};

/// One transaction as the log keeps it. Everything that changes becomes visible by one of these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transaction {
    /// Its number.
    pub tx_id: TxId,
    /// The branch it stands on.
    pub branch: BranchName,
    /// That branch's number: a name may be used again, a number is not.
    pub branch_id: BranchId,
    /// The head it was committed on; for a merge also the head that was merged.
    pub parents: Vec<TxId>,
    /// Microseconds since 1970-01-01 UTC; never before the previous transaction's.
    pub time_us: i64,
    /// Who, if the handle was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Why, in the committer's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What sort of transaction it is.
    pub kind: TransactionKind,
    /// What happened to tables, at most one change a table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<TableChange>,
    /// What happened to branches and tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refs: Vec<RefChange>,
    /// What a serializable transaction read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<TableRead>,
}

impl Transaction {
    /// The place of the change of a table among its changes. This library writes them in the order of their tables' names,
    /// in which the place is found by halving; another order only takes longer.
    pub fn place_of(&self, table: &TableName) -> Option<usize> {
        match self.tables.binary_search_by(|change| change.table.cmp(table)) {
            Ok(place) => Some(place),
            Err(_) => self.tables.iter().position(|change| change.table == *table),
        }
    }
}

/// What sort of transaction it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionKind {
    /// Tables were changed.
    Commit,
    /// Another branch's changes were taken over; both sides had moved.
    Merge,
    /// Another branch's changes were taken over; this side had not moved.
    FastForward,
    /// The named transaction was undone.
    Revert(TxId),
    /// Only branches or tags changed.
    Refs,
    /// Inlined rows became chunks; no data changed.
    Fold,
}

/// What happened to one table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableChange {
    /// The table.
    pub table: TableName,
    /// What was done.
    pub kind: ChangeKind,
    /// The version on this branch before; `None` where there was no such table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Version>,
    /// The version on this branch after; `None` where the table was dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Version>,
    /// The version whose content came back; only for [`ChangeKind::Restore`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restores: Option<Version>,
    /// Rows that came.
    pub rows_added: u64,
    /// Rows that went.
    pub rows_removed: u64,
    /// What the new version consists of; `None` for [`ChangeKind::Drop`] and [`ChangeKind::Adopt`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<TableContent>,
    /// A batch of rows that rides inside the record: an Arrow IPC record batch message and its body, as
    /// `docs/FORMAT.md` lays them out. It is the last of `content.tail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inline: Option<ByteBuf>,
}

impl TableChange {
    /// A change that neither adds nor removes rows and brings nothing along; the rest is laid on it.
    pub fn new(table: &TableName, kind: ChangeKind, from: Option<Version>, to: Option<Version>) -> TableChange {
        TableChange {
            table: table.clone(),
            kind,
            from,
            to,
            restores: None,
            rows_added: 0,
            rows_removed: 0,
            content: None,
            inline: None,
        }
    }
}

/// What was done to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It came into being, with or without rows.
    Create,
    /// Rows were added.
    Append,
    /// Rows were changed or removed.
    Update,
    /// All its rows were replaced; the schema may differ.
    Overwrite,
    /// It was dropped.
    Drop,
    /// Inlined rows became a chunk; no data changed.
    Fold,
    /// A version that another branch made became this branch's.
    Adopt,
    /// An older content came back under a new version number.
    Restore,
}

impl ChangeKind {
    /// The stable lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            ChangeKind::Create => "create",
            ChangeKind::Append => "append",
            ChangeKind::Update => "update",
            ChangeKind::Overwrite => "overwrite",
            ChangeKind::Drop => "drop",
            ChangeKind::Fold => "fold",
            ChangeKind::Adopt => "adopt",
            ChangeKind::Restore => "restore",
        }
    }
}

/// What a table version consists of: the chunks of its manifest, with inlined batches between and behind them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableContent {
    /// Where the schema stands.
    pub schema: SchemaSource,
    /// Where the list of chunks stands.
    pub manifest: ManifestSource,
    /// The version whose whole tail this one's begins with; an earlier one of the same table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail_of: Option<Version>,
    /// Batches that still ride inside records, oldest first: behind those of `tail_of`, or all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tail: Vec<TailBatch>,
    /// Rows in all; 0 for a low-level version, whose rows nobody counted.
    pub rows: u64,
    /// Number of chunks.
    pub chunks: u64,
    /// Bytes of chunks and inlined batches in all.
    pub bytes: u64,
}

/// Where a version's schema stands. A version named here of the same table always has it [`SchemaSource::Here`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemaSource {
    /// In this change.
    Here(TableSchema),
    /// In the change that made another version.
    As(Version),
    /// In the chunks themselves: a low-level version.
    InChunks,
}

/// Where a version's list of chunks stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManifestSource {
    /// In this change.
    Here(Manifest),
    /// In a metadata node.
    Node(NodeHash),
    /// In the change that made another version, [`ManifestSource::Here`].
    As(Version),
    /// A bare list: a low-level version.
    Listed(Vec<ChunkHash>),
}

/// One batch that rides inside a record; written as an array of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(Version, u64, u64, u64)", into = "(Version, u64, u64, u64)")]
pub struct TailBatch {
    /// The version whose change carries it.
    pub version: Version,
    /// Its rows.
    pub rows: u64,
    /// Its bytes.
    pub bytes: u64,
    /// How many of the manifest's chunks come before it, so that rows keep the order in which they were appended.
    pub after: u64,
}

impl From<(Version, u64, u64, u64)> for TailBatch {
    fn from((version, rows, bytes, after): (Version, u64, u64, u64)) -> TailBatch {
        TailBatch { version, rows, bytes, after }
    }
}

impl From<TailBatch> for (Version, u64, u64, u64) {
    fn from(batch: TailBatch) -> (Version, u64, u64, u64) {
        (batch.version, batch.rows, batch.bytes, batch.after)
    }
}

/// What happened to a branch or a tag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RefChange {
    /// A branch came into being.
    CreateBranch(BranchChange),
    /// A branch was deleted; its transactions stay.
    DeleteBranch(BranchName),
    /// A tag was given.
    CreateTag {
        /// The tag.
        tag: TagName,
        /// The transaction it names.
        target: TxId,
    },
    /// A tag was taken away.
    DeleteTag(TagName),
}

/// A branch that came into being.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BranchChange {
    /// The new branch.
    pub branch: BranchName,
    /// The branch that it starts from.
    pub from: BranchName,
    /// That branch's number.
    pub from_id: BranchId,
    /// The transaction that it starts at, inclusive; the new branch's number is the transaction that creates it.
    pub at: TxId,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A table version that a serializable transaction read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableRead {
    /// The table.
    pub table: TableName,
    /// The version read; `None` where the table was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_change_of_a_table_is_found_in_any_order() {
        let name = |name: &str| TableName::new(name).unwrap();
        for order in [["a", "b", "c", "d"], ["d", "a", "c", "b"], ["b", "a", "d", "c"]] {
            let tables = order.map(|table| TableChange::new(&name(table), ChangeKind::Append, None, None)).to_vec();
            let transaction = Transaction {
                tx_id: TxId(1),
                branch: BranchName::main(),
                branch_id: BranchId(0),
                parents: Vec::new(),
                time_us: 0,
                author: None,
                message: None,
                kind: TransactionKind::Commit,
                tables,
                refs: Vec::new(),
                reads: Vec::new(),
            };
            for (place, table) in order.iter().enumerate() {
                assert_eq!(transaction.place_of(&name(table)), Some(place), "{table} of {order:?}");
            }
            assert_eq!(transaction.place_of(&name("e")), None);
        }
    }
}
