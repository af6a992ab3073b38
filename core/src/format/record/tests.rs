//! The bytes of a record, and what becomes of them when they are damaged.

use proptest::prelude::*;

use super::*;
use crate::format::{BranchId, BranchName, TransactionKind};

/// One record as format version 1 has it. It never changes.
const GOLDEN: &str = "\
    41524d4c2c010000010000000200000003000000000000000700000000000000cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdabababababababababababababababababababababababababababababababab\
    82a86574785f696407666272616e6368646d61696e696272616e63685f69640067706172656e747381066774696d655f7573\
    1b00060a24181e400066617574686f7263616461676d657373616765656669727374646b696e646472656673a86574785f69\
    6408666272616e6368646d61696e696272616e63685f69640067706172656e747381076774696d655f75731b00060a24181e\
    400066617574686f7263616461676d657373616765667365636f6e64646b696e646472656673\
    a52bac5859b317a29e5b36183dd37783514b8132d18877cee32b62542a732848";

fn transaction(tx_id: u64, message: &str) -> Transaction {
    Transaction {
        tx_id: TxId(tx_id),
        branch: BranchName::main(),
        branch_id: BranchId(0),
        parents: vec![TxId(tx_id - 1)],
        time_us: 1_700_000_000_000_000,
        author: Some("ada".to_string()),
        message: Some(message.to_string()),
        kind: TransactionKind::Refs,
        tables: Vec::new(),
        refs: Vec::new(),
        reads: Vec::new(),
    }
}

fn example() -> Encoded {
    let previous = RecordHash::from_bytes([0xab; 32]);
    encode(Sequence(3), previous, [0xcd; 16], &[transaction(7, "first"), transaction(8, "second")]).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn its_bytes_never_change() {
    assert_eq!(hex(&example().bytes), GOLDEN);
}

#[test]
fn what_was_encoded_comes_back() {
    let encoded = example();
    let frame = frame(&encoded.bytes).unwrap();
    assert_eq!((frame.sequence, frame.first_tx, frame.transactions), (Sequence(3), TxId(7), 2));
    assert_eq!((frame.hash, frame.bytes as usize), (encoded.hash, encoded.bytes.len()));
    assert_eq!(frame.transactions().unwrap(), [transaction(7, "first"), transaction(8, "second")]);
}

#[test]
fn a_large_payload_is_compressed() {
    let long = transaction(1, &"again and again ".repeat(10_000));
    let encoded = encode(Sequence(1), RecordHash::of(b""), [0; 16], std::slice::from_ref(&long)).unwrap();
    assert!(encoded.bytes.len() < 1_000);
    assert_eq!(encoded.bytes[10], 1, "the flag");
    assert_eq!(frame(&encoded.bytes).unwrap().transactions().unwrap(), [long]);
}

#[test]
fn every_flipped_bit_is_found() {
    let encoded = example().bytes;
    for at in 0..encoded.len() * 8 {
        let mut flipped = encoded.clone();
        flipped[at / 8] ^= 1 << (at % 8);
        assert_eq!(frame(&flipped), None, "bit {at}");
    }
    (0..encoded.len()).for_each(|length| assert_eq!(frame(&encoded[..length]), None, "{length} bytes"));
}

/// A record with a right hash around whatever bytes.
fn sealed(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = example().bytes;
    bytes.truncate(bytes.len() - TRAILER_BYTES);
    change(&mut bytes);
    let length = (bytes.len() + TRAILER_BYTES) as u32;
    bytes[4..8].copy_from_slice(&length.to_le_bytes());
    let hash = RecordHash::of(&bytes);
    bytes.extend_from_slice(hash.as_bytes());
    bytes
}

#[test]
fn a_right_hash_does_not_excuse_wrong_contents() {
    type Change = fn(&mut Vec<u8>);
    let corrupt: [Change; 7] = [
        |bytes| bytes[8] = 0,
        |bytes| bytes[10] = 2,
        |bytes| bytes[10] = 1,
        |bytes| bytes[12] = 3,
        |bytes| bytes[24] = 8,
        |bytes| bytes.truncate(HEADER_BYTES),
        |bytes| bytes.push(0),
    ];
    for (which, change) in corrupt.into_iter().enumerate() {
        let bytes = sealed(change);
        let outcome = frame(&bytes).unwrap().transactions();
        assert!(matches!(outcome, Err(Error::LogCorrupt { .. })), "{which}: {outcome:?}");
    }
    let newer = sealed(|bytes| bytes[9] = 1);
    let outcome = frame(&newer).unwrap().transactions();
    assert!(matches!(outcome, Err(Error::FormatUnsupported { found: 257, supported: 1, .. })));
}

#[test]
fn a_small_record_cannot_claim_a_huge_payload() {
    let bomb = zstd::bulk::compress(&vec![0; 2 * RECORD_BYTES_MAX], 1).unwrap();
    let bytes = sealed(|bytes| {
        bytes.truncate(HEADER_BYTES);
        bytes[10] = 1;
        bytes.extend_from_slice(&bomb);
    });
    assert!(matches!(frame(&bytes).unwrap().transactions(), Err(Error::LogCorrupt { .. })));
}

#[test]
fn a_record_is_never_empty_and_never_too_large() {
    let encode = |transactions: &[Transaction]| encode(Sequence(1), RecordHash::of(b""), [0; 16], transactions);
    assert!(matches!(encode(&[]), Err(Error::Internal { .. })));
    let huge = transaction(1, &"x".repeat(RECORD_BYTES_MAX));
    assert!(matches!(encode(&[huge]), Err(Error::Unsupported { .. })));
}

proptest! {
    #[test]
    fn any_transactions_come_back(
        sequence: u64, nonce: [u8; 16], previous: [u8; 32], first in 1..u64::MAX / 2, messages in proptest::collection::vec(".{0,400}", 1..9)
    ) {
        let numbered = (first..).zip(&messages);
        let transactions: Vec<Transaction> = numbered.map(|(tx_id, message)| transaction(tx_id, message)).collect();
        let previous = RecordHash::from_bytes(previous);
        let encoded = encode(Sequence(sequence), previous, nonce, &transactions).unwrap();
        let frame = frame(&encoded.bytes).unwrap();
        prop_assert_eq!((frame.sequence, frame.nonce, frame.previous), (Sequence(sequence), nonce, previous));
        prop_assert_eq!(frame.transactions().unwrap(), transactions);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), honest: bool) {
        let bytes = if honest { sealed(|record| { record.truncate(8); record.extend_from_slice(&bytes); record.resize(record.len().max(HEADER_BYTES), 0) }) } else { bytes };
        if let Some(frame) = frame(&bytes) {
            let _ = frame.transactions();
        }
    }
}
