//! Identifiers. Each kind is its own type, so that one cannot be passed for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Error;

macro_rules! hash_id {
    ($(#[doc = $doc:literal])* $name:ident, $what:literal) => {
        $(#[doc = $doc])*
        ///
        /// 32 bytes; shown, parsed and written to JSON as 64 lower-case hex digits.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 32]);

        impl $name {
            /// The hash of some bytes.
            pub fn of(bytes: &[u8]) -> Self {
                Self(*blake3::hash(bytes).as_bytes())
            }

            /// Takes the raw bytes of a hash.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The raw bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// 64 lower-case hex digits.
            pub fn to_hex(self) -> String {
                blake3::Hash::from_bytes(self.0).to_hex().to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.to_hex())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.to_hex())
            }
        }

        impl FromStr for $name {
            type Err = Error;

            /// Parses 64 lower-case hex digits; anything else is `INVALID_ARGUMENT`.
            fn from_str(text: &str) -> Result<Self, Error> {
                parse_hex(text)
                    .map(Self)
                    .ok_or_else(|| Error::invalid($what, format!("{text:?} is not 64 lower-case hex digits")))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serialize_bytes(&self.0, serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserialize_bytes(deserializer).map(Self)
            }
        }
    };
}

hash_id!(
    /// The name of a chunk: the BLAKE3 hash of its bytes.
    ChunkHash,
    "chunk hash"
);
/// Makes a [`ChunkHash`] of bytes that come piece by piece.
#[derive(Clone, Debug, Default)]
pub struct ChunkHasher {
    hasher: blake3::Hasher,
}

impl ChunkHasher {
    /// The hash of no bytes so far.
    pub fn new() -> ChunkHasher {
        ChunkHasher::default()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// The hash of all bytes so far.
    pub fn finish(&self) -> ChunkHash {
        ChunkHash::from_bytes(*self.hasher.finalize().as_bytes())
    }
}

hash_id!(
    /// The name of a metadata node: the BLAKE3 hash of its bytes.
    NodeHash,
    "node hash"
);
hash_id!(
    /// The BLAKE3 trailer of a log record, which the next record repeats: the log is a hash chain.
    RecordHash,
    "record hash"
);
hash_id!(
    /// The BLAKE3 hash of a chunk's rows in canonical form, whatever the bytes of its file.
    LogicalHash,
    "logical hash"
);

fn parse_hex(text: &str) -> Option<[u8; 32]> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    blake3::Hash::from_hex(text).ok().map(|hash| *hash.as_bytes())
}

fn serialize_bytes<S: Serializer, const N: usize>(bytes: &[u8; N], serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        serializer.serialize_str(&hex)
    } else {
        serializer.serialize_bytes(bytes)
    }
}

fn deserialize_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
    use serde::de::Error as _;
    if deserializer.is_human_readable() {
        let text = String::deserialize(deserializer)?;
        parse_hex(&text).ok_or_else(|| D::Error::custom("not 64 lower-case hex digits"))
    } else {
        let bytes = serde_bytes::ByteArray::<32>::deserialize(deserializer)?;
        Ok(bytes.into_array())
    }
}

/// What a table's name becomes in indexes of fixed-width keys: the first 16 bytes of the BLAKE3 hash of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableKey([u8; 16]);

impl TableKey {
    /// The key of a table name.
    pub fn of(name: &str) -> TableKey {
        TableKey::prefix(blake3::hash(name.as_bytes()).as_bytes())
    }

    fn prefix(hash: &[u8; 32]) -> TableKey {
        let mut key = [0; 16];
        key.copy_from_slice(hash.split_at(16).0);
        TableKey(key)
    }

    /// Takes the raw bytes of a key.
    pub const fn from_bytes(bytes: [u8; 16]) -> TableKey {
        TableKey(bytes)
    }

    /// The raw bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

macro_rules! number_id {
    ($(#[doc = $doc:literal])* $name:ident) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// The number after this one.
            pub const fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_id!(
    /// A transaction's number: dense, from 1, in commit order over the whole repository. 0 is the empty beginning.
    TxId
);
number_id!(
    /// A table version's number: dense, from 1, per table name over the whole repository, in commit order.
    Version
);
number_id!(
    /// A log record's number: dense, from 1.
    Sequence
);
number_id!(
    /// A branch's number: the transaction that created it; `main` is 0. A name that is used again is another branch.
    BranchId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_survives_hex_json_and_cbor() {
        let hash = ChunkHash::of(b"rows");
        assert_eq!(hash.to_hex().parse::<ChunkHash>().unwrap(), hash);
        let json = serde_json::to_string(&hash).unwrap();
        assert_eq!(json, format!("\"{hash}\""));
        assert_eq!(serde_json::from_str::<ChunkHash>(&json).unwrap(), hash);
        let mut cbor = Vec::new();
        ciborium::into_writer(&hash, &mut cbor).unwrap();
        assert_eq!(cbor.len(), 34);
        assert_eq!(ciborium::from_reader::<ChunkHash, _>(cbor.as_slice()).unwrap(), hash);
    }

    #[test]
    fn pieces_have_the_hash_of_the_whole() {
        let mut hasher = ChunkHasher::new();
        assert_eq!(hasher.finish(), ChunkHash::of(b""));
        b"rows and more rows".chunks(5).for_each(|piece| hasher.update(piece));
        assert_eq!(hasher.finish(), ChunkHash::of(b"rows and more rows"));
    }

    #[test]
    fn ill_formed_hex_is_refused() {
        let hex = ChunkHash::of(b"rows").to_hex();
        for text in ["", "ab", &hex[..63], &hex.to_uppercase(), &format!("{}g", &hex[..63]), "ä".repeat(32).as_str()] {
            assert!(text.parse::<ChunkHash>().is_err(), "{text}");
        }
    }
}
