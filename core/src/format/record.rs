//! The frame of a log record. Section "Log records" of `docs/FORMAT.md`.
//!
//! ```text
//! offset  bytes
//!      0      4  magic "ARML"
//!      4      4  length of the whole record, trailer included (all ones: the log goes on in the next file)
//!      8      2  format version
//!     10      2  flags; bit 0: the payload is compressed with zstd
//!     12      4  number of transactions
//!     16      8  sequence
//!     24      8  tx_id of the first transaction; the others follow without gaps
//!     32     16  nonce of the writer
//!     48     32  hash of the record before
//!     80      n  payload: CBOR, an array of transactions
//!   80+n     32  BLAKE3 of everything before: the hash of this record
//! ```
//!
//! Numbers are little-endian. Magic, length and trailer stay where they are in every later format version, so that a
//! newer record is told from a damaged one.

use std::borrow::Borrow;
use std::io::Read;

use super::{FORMAT_VERSION, RecordHash, Sequence, Transaction, TxId, cbor};
use crate::error::{Error, Result};
use crate::limits::{RECORD_BYTES_MAX, RECORD_COMPRESS_BYTES_MIN};

/// The first bytes of every record.
pub const MAGIC: [u8; 4] = *b"ARML";

/// The size of the header.
pub const HEADER_BYTES: usize = 80;

/// The size of the trailer.
pub const TRAILER_BYTES: usize = 32;

/// The size of the smallest frame.
pub const RECORD_BYTES_MIN: usize = HEADER_BYTES + TRAILER_BYTES;

/// What stands behind the last record of a log file that another file follows. No part of a record looks like it.
pub const END_OF_FILE: [u8; 8] = *b"ARML\xff\xff\xff\xff";

const FLAG_ZSTD: u16 = 1;
const ZSTD_LEVEL: i32 = 1;

/// A record whose trailer fits its bytes; the payload is not looked at yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The number of the record.
    pub sequence: Sequence,
    /// The number of its first transaction.
    pub first_tx: TxId,
    /// How many transactions it holds.
    pub transactions: u32,
    /// What its writer chose at random.
    pub nonce: [u8; 16],
    /// The hash of the record before it.
    pub previous: RecordHash,
    /// The hash of this record.
    pub hash: RecordHash,
    /// The size of the whole record.
    pub bytes: u32,
    version: u16,
    flags: u16,
    payload: &'a [u8],
}

/// The bytes of a record and their hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The whole record.
    pub bytes: Vec<u8>,
    /// Its trailer.
    pub hash: RecordHash,
    /// The size of its payload before it was compressed.
    pub plain_bytes: usize,
}

/// What a record holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload {
    /// The transactions: at least one, with ascending tx_ids without gaps.
    pub transactions: Vec<Transaction>,
    /// The size of their encoding, not compressed.
    pub plain_bytes: usize,
}

/// Encodes transactions, of which there must be at least one, as one record. Its nonce is the only thing in it that
/// the arguments do not decide. `UNSUPPORTED` if it would be larger than a record can be.
pub fn encode(
    sequence: Sequence,
    previous: RecordHash,
    nonce: [u8; 16],
    transactions: &[impl Borrow<Transaction>],
) -> Result<Encoded> {
    let transactions: Vec<&Transaction> = transactions.iter().map(Borrow::borrow).collect();
    let Some(first) = transactions.first() else {
        return Err(Error::internal("a record without a transaction"));
    };
    let plain = cbor::encode(&transactions)?;
    if plain.len() > RECORD_BYTES_MAX - RECORD_BYTES_MIN {
        return Err(too_large(plain.len()));
    }
    let plain_bytes = plain.len();
    let (payload, flags) = match compress(&plain) {
        Some(smaller) => (smaller, FLAG_ZSTD),
        None => (plain, 0),
    };
    let total = RECORD_BYTES_MIN + payload.len();
    let mut bytes = Vec::with_capacity(total);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&as_u32(total)?.to_le_bytes());
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&flags.to_le_bytes());
    bytes.extend_from_slice(&as_u32(transactions.len())?.to_le_bytes());
    bytes.extend_from_slice(&sequence.0.to_le_bytes());
    bytes.extend_from_slice(&first.tx_id.0.to_le_bytes());
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(previous.as_bytes());
    bytes.extend_from_slice(&payload);
    let hash = RecordHash::of(&bytes);
    bytes.extend_from_slice(hash.as_bytes());
    Ok(Encoded { bytes, hash, plain_bytes })
}

/// The length that the bytes at the beginning of a record claim for it; `None` where no record can begin so.
pub fn claimed_bytes(header: &[u8]) -> Option<usize> {
    let rest = header.strip_prefix(&MAGIC)?;
    let length = usize::try_from(u32::from_le_bytes(*rest.first_chunk()?)).ok()?;
    (RECORD_BYTES_MIN..=RECORD_BYTES_MAX).contains(&length).then_some(length)
}

/// The sequence that the bytes at the beginning of a record claim for it.
pub fn claimed_sequence(header: &[u8]) -> Option<Sequence> {
    Some(Sequence(u64::from_le_bytes(*header.get(16..)?.first_chunk()?)))
}

/// The record that `bytes` begin with, if they hold a whole one whose hash is right.
pub fn frame(bytes: &[u8]) -> Option<Frame<'_>> {
    let length = claimed_bytes(bytes)?;
    let record = bytes.get(..length)?;
    let (hashed, trailer) = record.split_last_chunk::<TRAILER_BYTES>()?;
    let hash = RecordHash::of(hashed);
    if hash.as_bytes() != trailer {
        return None;
    }
    let (header, payload) = hashed.split_first_chunk::<HEADER_BYTES>()?;
    let mut fields = Fields { rest: header.get(8..)? };
    Some(Frame {
        version: u16::from_le_bytes(fields.take()?),
        flags: u16::from_le_bytes(fields.take()?),
        transactions: u32::from_le_bytes(fields.take()?),
        sequence: Sequence(u64::from_le_bytes(fields.take()?)),
        first_tx: TxId(u64::from_le_bytes(fields.take()?)),
        nonce: fields.take()?,
        previous: RecordHash::from_bytes(fields.take()?),
        hash,
        bytes: u32::try_from(length).ok()?,
        payload,
    })
}

impl Frame<'_> {
    /// The transactions; errors as for [`Frame::payload`].
    pub fn transactions(&self) -> Result<Vec<Transaction>> {
        Ok(self.payload()?.transactions)
    }

    /// What the record holds: `FORMAT_UNSUPPORTED` for a newer record, `LOG_CORRUPT` where the transactions are not what
    /// the header says.
    pub fn payload(&self) -> Result<Payload> {
        if self.version > FORMAT_VERSION {
            let (found, supported) = (u64::from(self.version), u64::from(FORMAT_VERSION));
            return Err(Error::FormatUnsupported { object: "a log record", found, supported });
        }
        if self.version == 0 || self.flags & !FLAG_ZSTD != 0 {
            return Err(self.corrupt(format!("format version {} with flags {:#x}", self.version, self.flags)));
        }
        let plain;
        let payload = match self.flags & FLAG_ZSTD {
            0 => self.payload,
            _ => {
                plain = self.decompress()?;
                plain.as_slice()
            }
        };
        let transactions: Vec<Transaction> = cbor::decode(payload, &self.place())?;
        self.check(&transactions)?;
        Ok(Payload { transactions, plain_bytes: payload.len() })
    }

    fn check(&self, transactions: &[Transaction]) -> Result<()> {
        if transactions.is_empty() || u32::try_from(transactions.len()) != Ok(self.transactions) {
            return Err(self.corrupt("it holds another number of transactions than its header says".to_string()));
        }
        let last = self.first_tx.0.checked_add(transactions.len() as u64 - 1);
        let last = last.ok_or_else(|| self.corrupt("its transactions have no numbers".to_string()))?;
        let numbers = (self.first_tx.0..=last).zip(transactions);
        match { numbers }.find(|(expected, transaction)| transaction.tx_id.0 != *expected) {
            Some((expected, found)) => {
                Err(self.corrupt(format!("transaction {} stands in the place of {expected}", found.tx_id)))
            }
            None => Ok(()),
        }
    }

    fn decompress(&self) -> Result<Vec<u8>> {
        let mut plain = Vec::new();
        // The limit keeps a small forged record from filling the memory; what it cuts off is no CBOR any more.
        zstd::stream::read::Decoder::with_buffer(self.payload)
            .and_then(|decoder| decoder.take(RECORD_BYTES_MAX as u64).read_to_end(&mut plain))
            .map_err(|error| self.corrupt(format!("its payload cannot be decompressed: {error}")))?;
        Ok(plain)
    }

    fn place(&self) -> String {
        format!("record {}", self.sequence)
    }

    fn corrupt(&self, reason: String) -> Error {
        Error::LogCorrupt { at: self.place(), reason }
    }
}

/// Takes little-endian fields from the front.
struct Fields<'a> {
    rest: &'a [u8],
}

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*field)
    }
}

/// The payload compressed, where it is large enough to try and that makes it smaller.
fn compress(plain: &[u8]) -> Option<Vec<u8>> {
    if plain.len() < RECORD_COMPRESS_BYTES_MIN {
        return None;
    }
    zstd::bulk::compress(plain, ZSTD_LEVEL).ok().filter(|smaller| smaller.len() < plain.len())
}

fn as_u32(number: usize) -> Result<u32> {
    u32::try_from(number).map_err(|_| too_large(number))
}

fn too_large(payload_bytes: usize) -> Error {
    Error::Unsupported {
        what: format!("a log record of {payload_bytes} bytes"),
        instead: format!("commit less at once, a record holds at most {RECORD_BYTES_MAX} bytes"),
    }
}

#[cfg(test)]
mod tests;
