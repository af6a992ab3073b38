//! `repo.json`: what makes a directory a repository. Section "repo.json" of `docs/FORMAT.md`.

use serde::{Deserialize, Serialize};

use super::{FORMAT_VERSION, RecordHash};
use crate::error::{Error, Result};

/// What the first record's chain link is derived from, before the 16 bytes of the identifier.
const CHAIN_DOMAIN: &[u8] = b"armillaria log\n";

/// The features that this library understands. A repository that lists another one is refused.
const FEATURES: &[&str] = &[];

/// The identity of a repository and what a reader must understand to open it. Written once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// The format version; a newer one is refused.
    pub format_version: u16,
    /// The identity: a random UUID (version 4), as 8-4-4-4-12 lower-case hex digits.
    pub uuid: String,
    /// When it was made, in microseconds since 1970-01-01 UTC.
    pub created_us: i64,
    /// Features beyond the format version that a reader must understand.
    pub features: Vec<String>,
}

impl Repository {
    /// A new identity from 16 random bytes.
    pub fn new(random: [u8; 16], created_us: i64) -> Repository {
        let mut uuid = random;
        uuid[6] = (uuid[6] & 0x0f) | 0x40;
        uuid[8] = (uuid[8] & 0x3f) | 0x80;
        Repository { format_version: FORMAT_VERSION, uuid: show_uuid(&uuid), created_us, features: Vec::new() }
    }

    /// The bytes of `repo.json`.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|error| Error::internal(error.to_string()))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads `repo.json`: `FORMAT_UNSUPPORTED` if it is newer than this library, `LOG_CORRUPT` if it is ill formed.
    pub fn decode(bytes: &[u8]) -> Result<Repository> {
        let probe: Probe = serde_json::from_slice(bytes).map_err(|error| corrupt(error.to_string()))?;
        if probe.format_version > u64::from(FORMAT_VERSION) {
            let supported = u64::from(FORMAT_VERSION);
            return Err(Error::FormatUnsupported { object: "the repository", found: probe.format_version, supported });
        }
        let repository: Repository = serde_json::from_slice(bytes).map_err(|error| corrupt(error.to_string()))?;
        if repository.format_version == 0 {
            return Err(corrupt("there is no format version 0".to_string()));
        }
        repository.uuid_bytes()?;
        match repository.features.iter().find(|feature| !FEATURES.contains(&feature.as_str())) {
            Some(feature) => Err(Error::Unsupported {
                what: format!("the repository's feature {feature:?}"),
                instead: "use a newer Armillaria".to_string(),
            }),
            None => Ok(repository),
        }
    }

    /// What the first record of the log names as its predecessor.
    pub fn chain_start(&self) -> Result<RecordHash> {
        Ok(RecordHash::of(&[CHAIN_DOMAIN, &self.uuid_bytes()?].concat()))
    }

    fn uuid_bytes(&self) -> Result<[u8; 16]> {
        parse_uuid(&self.uuid).ok_or_else(|| corrupt(format!("{:?} is no UUID", self.uuid)))
    }
}

/// As much as tells whether the rest can be read.
#[derive(Deserialize)]
struct Probe {
    format_version: u64,
}

fn corrupt(reason: String) -> Error {
    Error::LogCorrupt { at: "repo.json".to_string(), reason }
}

fn show_uuid(bytes: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let number = u128::from_str_radix(&digits, 16).ok()?;
    let bytes = number.to_be_bytes();
    (show_uuid(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Repository {
        Repository::new(*b"0123456789abcdef", 1_700_000_000_000_000)
    }

    const GOLDEN: &str = r#"{
  "format_version": 1,
  "uuid": "30313233-3435-4637-b839-616263646566",
  "created_us": 1700000000000000,
  "features": []
}
"#;

    #[test]
    fn its_bytes_never_change() {
        assert_eq!(String::from_utf8(example().encode().unwrap()).unwrap(), GOLDEN);
        assert_eq!(Repository::decode(GOLDEN.as_bytes()).unwrap(), example());
        let chain_start = example().chain_start().unwrap().to_hex();
        assert_eq!(chain_start, RecordHash::of(b"armillaria log\n012345F7\xb89abcdef").to_hex());
        assert_eq!(chain_start, "3409e7f981d73ea68508f8ddc92db19880fe7df760346b8c36e4375492dfce34");
    }

    #[test]
    fn a_newer_format_or_feature_is_refused() {
        let newer = GOLDEN.replace("\"format_version\": 1", "\"format_version\": 2, \"new\": []");
        assert!(matches!(Repository::decode(newer.as_bytes()), Err(Error::FormatUnsupported { found: 2, .. })));
        let huge = GOLDEN.replace("\"format_version\": 1", "\"format_version\": 70000");
        assert!(matches!(Repository::decode(huge.as_bytes()), Err(Error::FormatUnsupported { .. })));
        let feature = GOLDEN.replace("[]", "[\"telepathy\"]");
        assert!(matches!(Repository::decode(feature.as_bytes()), Err(Error::Unsupported { .. })));
    }

    #[test]
    fn damage_is_told() {
        let ill_formed = [
            String::new(),
            "{}".to_string(),
            GOLDEN.replace("version\": 1", "version\": 0"),
            GOLDEN.replace("version\": 1", "version\": -1"),
            GOLDEN.replace("30313233-", "30313233"),
            GOLDEN.replace("b839", "B839"),
            GOLDEN.replace("b839", "+839"),
        ];
        for text in ill_formed {
            let outcome = Repository::decode(text.as_bytes());
            assert!(matches!(outcome, Err(Error::LogCorrupt { .. })), "{text}: {outcome:?}");
        }
    }
}
