//! CBOR (RFC 8949) through serde: field names as text keys, hashes as byte strings.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// How deep a decoder follows nesting before it refuses the bytes.
const DEPTH_MAX: usize = 64;

/// Encodes a value; the same value always gives the same bytes.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(512);
    ciborium::into_writer(value, &mut bytes).map_err(|error| Error::internal(format!("cannot encode: {error}")))?;
    Ok(bytes)
}

/// Decodes a value that fills `bytes` exactly; anything else is `LOG_CORRUPT`, placed at `object`.
pub fn decode<T: DeserializeOwned>(bytes: &[u8], object: &str) -> Result<T> {
    let corrupt = |reason: String| Error::LogCorrupt { at: object.to_string(), reason };
    let mut rest = bytes;
    let value = ciborium::de::from_reader_with_recursion_limit(&mut rest, DEPTH_MAX)
        .map_err(|error| corrupt(format!("not the expected CBOR: {error}")))?;
    match rest.len() {
        0 => Ok(value),
        left => Err(corrupt(format!("{left} bytes stand behind the value"))),
    }
}
