//! Keys and values of the catalog's index: 32 bytes each, ordered as bytes.
//!
//! | kind | key | value | answers |
//! |---|---|---|---|
//! | 1 | tx_id | its place in the log, time | where is a transaction, and when was it? |
//! | 2 | table, version | tx_id, its place in the log | which transaction made a version, and where is it? |
//! | 3 | branch, table, tx_id | version, dropped or not | what was a table on a branch after a transaction? |
//! | 4 | branch, tx_id | the last merge on that branch until then | which transactions stand on a branch? |
//!
//! The last 8 bytes of a key count upwards: among keys that are equal before them, those of later transactions are
//! greater.

use std::ops::RangeInclusive;

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

/// Bytes before the part of a key that counts upwards.
const PREFIX_BYTES: usize = 24;

/// Where a transaction stands in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TransactionPlace {
    pub(super) record: RecordLocation,
    /// Its place among the record's transactions, from 0.
    pub(super) index: u32,
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

/// The transactions that can have made an entry with a key in `low..=high`.
pub(super) fn made_by(low: &Key, high: &Key) -> RangeInclusive<TxId> {
    if low[..PREFIX_BYTES] != high[..PREFIX_BYTES] {
        return TxId(0)..=TxId(u64::MAX);
    }
    let (first, last) = (TxId(u64_at(low, PREFIX_BYTES)), TxId(u64_at(high, PREFIX_BYTES)));
    // A transaction makes at most one version of a table, so the n-th is made by the n-th transaction or a later one.
    if low[0] == KIND_VERSION { first..=TxId(u64::MAX) } else { first..=last }
}

/// The transaction that made an entry.
pub(super) fn maker(key: &Key, value: &Value) -> TxId {
    match key[0] {
        KIND_VERSION => version_made(value).0,
        _ => TxId(u64_at(key, PREFIX_BYTES)),
    }
}

/// The same key with another part that counts upwards.
pub(super) fn counted(key: &Key, count: u64) -> Key {
    let mut key = *key;
    key[PREFIX_BYTES..].copy_from_slice(&count.to_be_bytes());
    key
}

/// The least key that differs from a key before the part that counts upwards, and is greater; `None` if there is none.
pub(super) fn behind_prefix(key: &Key) -> Option<Key> {
    let mut next = counted(key, 0);
    for byte in next[..PREFIX_BYTES].iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte > 0 {
            return Some(next);
        }
    }
    None
}

pub(super) fn transaction_key(tx_id: TxId) -> Key {
    let mut key = [0; WIDTH];
    key[0] = KIND_TRANSACTION;
    key[24..].copy_from_slice(&tx_id.0.to_be_bytes());
    key
}

pub(super) fn transaction_value(place: TransactionPlace, time_us: i64) -> Value {
    let mut value = [0; WIDTH];
    write_place(&mut value, 0, place);
    value[24..].copy_from_slice(&time_us.to_be_bytes());
    value
}

pub(super) fn transaction_place(value: &Value) -> TransactionPlace {
    place_at(value, 0)
}

/// When a transaction was, in microseconds since 1970-01-01 UTC.
pub(super) fn transaction_time(value: &Value) -> i64 {
    u64_at(value, 24).cast_signed()
}

fn write_place(value: &mut Value, at: usize, place: TransactionPlace) {
    value[at..at + 8].copy_from_slice(&place.record.file.0.to_be_bytes());
    value[at + 8..at + 16].copy_from_slice(&place.record.offset.to_be_bytes());
    value[at + 16..at + 20].copy_from_slice(&place.record.bytes.to_be_bytes());
    value[at + 20..at + 24].copy_from_slice(&place.index.to_be_bytes());
}

fn place_at(value: &Value, at: usize) -> TransactionPlace {
    let (file, offset, bytes) = (Sequence(u64_at(value, at)), u64_at(value, at + 8), u32_at(value, at + 16));
    TransactionPlace { record: RecordLocation { file, offset, bytes }, index: u32_at(value, at + 20) }
}

pub(super) fn version_key(table: TableKey, version: Version) -> Key {
    let mut key = [0; WIDTH];
    key[0] = KIND_VERSION;
    key[1..17].copy_from_slice(table.as_bytes());
    key[24..].copy_from_slice(&version.0.to_be_bytes());
    key
}

/// `place` is `None` while the transaction is being committed.
pub(super) fn version_value(tx_id: TxId, place: Option<TransactionPlace>) -> Value {
    let mut value = [0; WIDTH];
    value[..8].copy_from_slice(&tx_id.0.to_be_bytes());
    if let Some(place) = place {
        write_place(&mut value, 8, place);
    }
    value
}

/// The transaction that made a version, and its place unless it is being committed.
pub(super) fn version_made(value: &Value) -> (TxId, Option<TransactionPlace>) {
    let place = place_at(value, 8);
    (TxId(u64_at(value, 0)), (place.record.bytes > 0).then_some(place))
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

/// `last_merge` is the last transaction on the branch, this one included, that follows more than one; 0 if none does.
pub(super) fn branch_value(last_merge: TxId) -> Value {
    let mut value = [0; WIDTH];
    value[..8].copy_from_slice(&last_merge.0.to_be_bytes());
    value
}

/// The last merge on a branch, as a branch entry knows it.
pub(super) fn branch_last_merge(value: &Value) -> Option<TxId> {
    Some(TxId(u64_at(value, 0))).filter(|merge| merge.0 > 0)
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
        let place =
            TransactionPlace { record: RecordLocation { file: Sequence(7), offset: 4096, bytes: 99 }, index: 3 };
        let value = transaction_value(place, -5);
        assert_eq!((transaction_place(&value), transaction_time(&value)), (place, -5));
        let table = TableKey::of("users");
        let state = TableState { version: Version(4), dropped: true, tx_id: TxId(9) };
        let key = state_key(BranchId(2), table, state.tx_id);
        assert_eq!(table_state(&key, &state_value(state.version, true)), (table, state));
        for place in [None, Some(place)] {
            assert_eq!(version_made(&version_value(TxId(9), place)), (TxId(9), place));
        }
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

    #[test]
    fn behind_a_prefix_stands_the_next_one() {
        let (a, b) = (TableKey::from_bytes([1; 16]), TableKey::from_bytes([0xff; 16]));
        let behind = behind_prefix(&state_key(BranchId(1), a, TxId(7))).unwrap();
        assert!(state_key(BranchId(1), a, TxId(u64::MAX)) < behind);
        assert_eq!(
            behind,
            state_key(
                BranchId(1),
                TableKey::from_bytes([[1; 15].as_slice(), &[2]].concat().try_into().unwrap()),
                TxId(0)
            )
        );
        let first = TableKey::from_bytes([0; 16]);
        assert_eq!(behind_prefix(&state_key(BranchId(1), b, TxId(7))), Some(state_key(BranchId(2), first, TxId(0))));
        assert_eq!(behind_prefix(&[0xff; WIDTH]), None);
        assert_eq!(branch_last_merge(&branch_value(TxId(5))), Some(TxId(5)));
        assert_eq!(branch_last_merge(&branch_value(TxId(0))), None);
    }

    #[test]
    fn a_key_tells_who_can_have_made_it() {
        let table = TableKey::of("users");
        let one = |key: Key| made_by(&key, &key);
        let (seven, any_later) = (TxId(7)..=TxId(7), TxId(7)..=TxId(u64::MAX));
        assert_eq!(one(transaction_key(TxId(7))), seven);
        assert_eq!(one(state_key(BranchId(300), table, TxId(7))), seven);
        assert_eq!(one(branch_key(BranchId(300), TxId(7))), seven);
        assert_eq!(one(version_key(table, Version(7))), any_later);
        let states = made_by(&state_key(BranchId(1), table, TxId(3)), &state_key(BranchId(1), table, TxId(5)));
        assert_eq!(states, TxId(3)..=TxId(5));
        for key in
            [transaction_key(TxId(7)), state_key(BranchId(300), table, TxId(7)), branch_key(BranchId(300), TxId(7))]
        {
            assert_eq!(maker(&key, &[9; WIDTH]), TxId(7));
        }
        assert_eq!(maker(&version_key(table, Version(2)), &version_value(TxId(7), None)), TxId(7));
        let tables = made_by(
            &state_key(BranchId(1), TableKey::from_bytes([0; 16]), TxId(3)),
            &state_key(BranchId(1), TableKey::from_bytes([1; 16]), TxId(5)),
        );
        assert_eq!(tables, TxId(0)..=TxId(u64::MAX), "states of other tables lie between");
    }
}
