//! Rows that ride inside a log record: one Arrow IPC record batch without its schema. Pure; part of the format
//! (`docs/FORMAT.md`, "Inlined rows").
//!
//! Layout: u32 little endian length of the message, the message (padded so that the body starts at a multiple of 8),
//! the body. Buffers are aligned to 8 bytes and not compressed; the record around them is.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::read_record_batch;
use arrow::ipc::root_as_message;
use arrow::ipc::writer::{CompressionContext, DictionaryTracker, IpcDataGenerator, IpcWriteOptions};
use arrow::ipc::{Message, MetadataVersion, RecordBatch as BatchHeader};
use bytes::Bytes;

use crate::error::{Error, Result};

/// Body buffers begin at multiples of this.
const ALIGNMENT: usize = 8;

/// Length field and what fills the message up to the body.
const PREFIX_BYTES: usize = 4;

/// Encodes a batch in normal form.
pub(super) fn encode_batch(batch: &RecordBatch) -> Result<Bytes> {
    let bug = |error| Error::internal(format!("cannot encode rows: {error}"));
    let options = IpcWriteOptions::try_new(ALIGNMENT, false, MetadataVersion::V5).map_err(bug)?;
    let mut dictionaries = DictionaryTracker::new(false);
    let mut compression = CompressionContext::default();
    let (_, encoded) =
        IpcDataGenerator::default().encode(batch, &mut dictionaries, &options, &mut compression).map_err(bug)?;
    let message = encoded.ipc_message.len();
    let padding = (PREFIX_BYTES + message).next_multiple_of(ALIGNMENT) - (PREFIX_BYTES + message);
    let mut bytes = Vec::with_capacity(PREFIX_BYTES + message + padding + encoded.arrow_data.len());
    bytes.extend_from_slice(&((message + padding) as u32).to_le_bytes());
    bytes.extend_from_slice(&encoded.ipc_message);
    bytes.resize(PREFIX_BYTES + message + padding, 0);
    bytes.extend_from_slice(&encoded.arrow_data);
    Ok(Bytes::from(bytes))
}

/// Decodes a batch of that schema; damaged bytes are `LOG_CORRUPT`.
pub(super) fn decode_batch(schema: SchemaRef, bytes: &Bytes) -> Result<RecordBatch> {
    let (message, body) = split(bytes).ok_or_else(|| corrupt("it is cut short"))?;
    let message = root_as_message(message).map_err(corrupt)?;
    let header = message.header_as_record_batch().ok_or_else(|| corrupt("it is no record batch"))?;
    check_header(&message, &header, body.len())?;
    let body = Buffer::from(body.to_vec());
    let read = || read_record_batch(&body, header, schema, &Default::default(), None, &message.version());
    // Arrow's decoder panics on buffers that are too short for their rows.
    catch_unwind(AssertUnwindSafe(read)).map_err(|_| corrupt("its buffers do not fit its rows"))?.map_err(corrupt)
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<PREFIX_BYTES>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}

/// Arrow's decoder slices where the header says; what does not lie within the body is refused before.
fn check_header(message: &Message<'_>, header: &BatchHeader<'_>, body_bytes: usize) -> Result<()> {
    let within = |offset: i64, length: i64| {
        let end = usize::try_from(offset).ok()?.checked_add(usize::try_from(length).ok()?)?;
        (end <= body_bytes).then_some(())
    };
    let mut buffers = header.buffers().into_iter().flatten();
    match buffers.all(|buffer| within(buffer.offset(), buffer.length()).is_some()) {
        _ if message.version() != MetadataVersion::V5 => Err(corrupt("it is of another IPC version")),
        _ if header.compression().is_some() => Err(corrupt("it is compressed")),
        true => Ok(()),
        false => Err(corrupt("a buffer lies outside of it")),
    }
}

fn corrupt(reason: impl std::fmt::Display) -> Error {
    Error::LogCorrupt { at: "an inlined batch".to_string(), reason: reason.to_string() }
}
