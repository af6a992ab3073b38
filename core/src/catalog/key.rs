//! Keys and values of the catalog's index: 32 bytes each, ordered as bytes.
//!
//! | kind | key | value | answers |
//! |---|---|---|---|
//! | 1 | tx_id | log file, offset, length, place in the record, time | where is a transaction? |
//! | 2 | table, version | tx_id | which transaction made a version? |
//! | 3 | branch, table, tx_id | version, dropped or not | what was a table on a branch after a transaction? |
//! | 4 | branch, tx_id | nothing | which transactions stand on a branch? |

use crate::format::{BranchId, Sequence, TableKey, TxId, Version};
use crate::log::RecordLocation;

/// Bytes of a key, and of a value.
pub(super) const WIDTH: usize = 32;

/// An ordered key.
pub(super) type Key = [u8; WIDTH];

/// What stands behind a key.
pub(super) type Value = [u8; WIDTH];

const KIND_TRANSACTION: u8 = 1;
const KIND_VERSION: u8 = 2;
const KIND_STATE: u8 = 3;
const KIND_BRANCH: u8 = 4;

/// Where a transaction stands in the log, and when it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TransactionPlace {
    pub(super) record: RecordLocation,
    /// Its place among the record's transactions, from 0.
    pub(super) index: u32,
    /// Microseconds since 1970-01-01 UTC.
    pub(super) time_us: i64,
}

/// What a table is on a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableState {
    /// The version that is there, or was there when it was dropped.
    pub version: Version,
    /// Whether it was dropped.
    pub dropped: bool,
    /// The transaction that left it so.
    pub tx_id: TxId,
}

impl TableState {
    /// The version, unless the table was dropped.
    pub fn live(self) -> Option<Version> {
        (!self.dropped).then_some(self.version)
    }
}

pub(super) fn transaction_key(tx_id: TxId) -> Key {
    let mut key = [0; WIDTH];
    key[0] = KIND_TRANSACTION;
    key[24..].copy_from_slice(&tx_id.0.to_be_bytes());
    key
}

pub(super) fn transaction_value(place: TransactionPlace) -> Value {
    let mut value = [0; WIDTH];
    value[..8].copy_from_slice(&place.record.file.0.to_be_bytes());
    value[8..16].copy_from_slice(&place.record.offset.to_be_bytes());
    value[16..20].copy_from_slice(&place.record.bytes.to_be_bytes());
    value[20..24].copy_from_slice(&place.index.to_be_bytes());
    value[24..].copy_from_slice(&place.time_us.to_be_bytes());
    value
}

pub(super) fn transaction_place(value: &Value) -> TransactionPlace {
    TransactionPlace {
        record: RecordLocation { file: Sequence(u64_at(value, 0)), offset: u64_at(value, 8), bytes: u32_at(value, 16) },
        index: u32_at(value, 20),
        time_us: u64_at(value, 24).cast_signed(),
    }
}

pub(super) fn version_key(table: TableKey, version: Version) -> Key {
    let mut key = [0; WIDTH];
    key[0] = KIND_VERSION;
    key[1..17].copy_from_slice(table.as_bytes());
    key[24..].copy_from_slice(&version.0.to_be_bytes());
    key
}

pub(super) fn version_value(tx_id: TxId) -> Value {
    let mut value = [0; WIDTH];
    value[..8].copy_from_slice(&tx_id.0.to_be_bytes());
    value
}

pub(super) fn version_tx(value: &Value) -> TxId {
    TxId(u64_at(value, 0))
}

/// The version that a version key speaks of.
pub(super) fn version_of_key(key: &Key) -> Version {
    Version(u64_at(key, 24))
}

pub(super) fn state_key(branch: BranchId, table: TableKey, tx_id: TxId) -> Key {
    let mut key = [0; WIDTH];
    // 56 bits of branch number: the top byte of a dense counter is never used.
    key[..8].copy_from_slice(&branch.0.to_be_bytes());
    key[0] = KIND_STATE;
    key[8..24].copy_from_slice(table.as_bytes());
    key[24..].copy_from_slice(&tx_id.0.to_be_bytes());
    key
}

pub(super) fn state_value(version: Version, dropped: bool) -> Value {
    let mut value = [0; WIDTH];
    value[..8].copy_from_slice(&version.0.to_be_bytes());
    value[8] = u8::from(dropped);
    value
}

/// The table and the state that a state entry speaks of.
pub(super) fn table_state(key: &Key, value: &Value) -> (TableKey, TableState) {
    let mut table = [0; 16];
    table.copy_from_slice(&key[8..24]);
    let state = TableState { version: Version(u64_at(value, 0)), dropped: value[8] != 0, tx_id: TxId(u64_at(key, 24)) };
    (TableKey::from_bytes(table), state)
}

pub(super) fn branch_key(branch: BranchId, tx_id: TxId) -> Key {
    let mut key = [0; WIDTH];
    key[..8].copy_from_slice(&branch.0.to_be_bytes());
    key[0] = KIND_BRANCH;
    key[24..].copy_from_slice(&tx_id.0.to_be_bytes());
    key
}

/// The transaction that a branch key speaks of.
pub(super) fn branch_tx(key: &Key) -> TxId {
    TxId(u64_at(key, 24))
}

fn u64_at(bytes: &[u8; WIDTH], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_be_bytes(number)
}

fn u32_at(bytes: &[u8; WIDTH], at: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[at..at + 4]);
    u32::from_be_bytes(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_survive_their_bytes() {
        let place = TransactionPlace {
            record: RecordLocation { file: Sequence(7), offset: 4096, bytes: 99 },
            index: 3,
            time_us: -5,
        };
        assert_eq!(transaction_place(&transaction_value(place)), place);
        let table = TableKey::of("users");
        let state = TableState { version: Version(4), dropped: true, tx_id: TxId(9) };
        let key = state_key(BranchId(2), table, state.tx_id);
        assert_eq!(table_state(&key, &state_value(state.version, true)), (table, state));
        assert_eq!(version_tx(&version_value(TxId(9))), TxId(9));
        assert_eq!(version_of_key(&version_key(table, Version(8))), Version(8));
    }

    #[test]
    fn keys_order_by_branch_then_table_then_transaction() {
        let (a, b) = (TableKey::from_bytes([1; 16]), TableKey::from_bytes([2; 16]));
        let keys = [
            transaction_key(TxId(u64::MAX)),
            version_key(a, Version(1)),
            version_key(a, Version(256)),
            version_key(b, Version(1)),
            state_key(BranchId(0), a, TxId(300)),
            state_key(BranchId(0), b, TxId(1)),
            state_key(BranchId(1), a, TxId(0)),
        ];
        assert!(keys.is_sorted());
    }
}
