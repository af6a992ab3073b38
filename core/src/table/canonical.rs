//! The logical hash of a chunk: BLAKE3 over its rows in one canonical form. Pure; part of the format
//! (`docs/FORMAT.md`, "Logical hashes").
//!
//! It covers the schema with column ids and every value, so that equal hashes mean equal rows, whatever library wrote
//! the file. Columns are hashed one after another, because BLAKE3 is fastest over long runs of bytes.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt64Array};
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow::compute::take;
use arrow::datatypes::{ArrowNativeType, DataType};

use crate::error::{Error, Result};
use crate::format::LogicalHash;

const DOMAIN: &[u8] = b"armillaria rows 1\n";

/// Scratch space is handed to the hash in pieces of about this size.
const SCRATCH_BYTES: usize = 256 << 10;

/// Hashes the rows of a chunk; `schema` is the schema message that its file carries.
pub(super) fn logical_hash(schema: &[u8], batch: &RecordBatch) -> Result<LogicalHash> {
    let mut canon = Canon { hasher: blake3::Hasher::new(), scratch: Vec::new() };
    canon.put(DOMAIN);
    canon.number(schema.len() as u64);
    canon.put(schema);
    canon.number(batch.num_rows() as u64);
    batch.columns().iter().try_for_each(|column| canon.column(column, None))?;
    Ok(LogicalHash::from_bytes(canon.finish()))
}

struct Canon {
    hasher: blake3::Hasher,
    scratch: Vec<u8>,
}

impl Canon {
    /// Short pieces are gathered; long ones are hashed where they lie.
    fn put(&mut self, bytes: &[u8]) {
        if bytes.len() >= SCRATCH_BYTES {
            self.flush();
            self.hasher.update(bytes);
        } else {
            self.scratch.extend_from_slice(bytes);
            if self.scratch.len() >= SCRATCH_BYTES {
                self.flush();
            }
        }
    }

    fn number(&mut self, number: u64) {
        self.put(&number.to_le_bytes());
    }

    fn flush(&mut self) {
        self.hasher.update(&self.scratch);
        self.scratch.clear();
    }

    fn finish(mut self) -> [u8; 32] {
        self.flush();
        *self.hasher.finalize().as_bytes()
    }

    /// A column: which rows are null, then the values of the others. `hidden` says where a parent is null.
    fn column(&mut self, array: &ArrayRef, hidden: Option<&NullBuffer>) -> Result<()> {
        let nulls = NullBuffer::union(array.nulls(), hidden).filter(|nulls| nulls.null_count() > 0);
        let nulls = nulls.as_ref();
        self.validity(nulls);
        match array.data_type() {
            DataType::List(_) => {
                return self.list(array.as_list::<i32>().values(), array.as_list::<i32>().offsets(), nulls);
            }
            DataType::Map(..) => {
                let entries: ArrayRef = Arc::new(array.as_map().entries().clone());
                return self.list(&entries, array.as_map().offsets(), nulls);
            }
            DataType::FixedSizeList(_, length) => {
                let below = nulls.map(|nulls| nulls.expand(*length as usize));
                return self.column(array.as_fixed_size_list().values(), below.as_ref());
            }
            DataType::Struct(_) => {
                return array.as_struct().columns().iter().try_for_each(|column| self.column(column, nulls));
            }
            _ => self.leaf(array, nulls),
        }
        Ok(())
    }

    fn leaf(&mut self, array: &ArrayRef, nulls: Option<&NullBuffer>) {
        match array.data_type() {
            DataType::Null => self.number(array.len() as u64),
            DataType::Boolean => self.booleans(array.as_boolean().values(), nulls),
            DataType::Utf8 => {
                self.bytes(array.as_string::<i32>().value_data(), array.as_string::<i32>().offsets(), nulls);
            }
            DataType::Binary => {
                self.bytes(array.as_binary::<i32>().value_data(), array.as_binary::<i32>().offsets(), nulls);
            }
            _ => self.fixed(array, nulls),
        }
    }

    fn validity(&mut self, nulls: Option<&NullBuffer>) {
        self.put(&[u8::from(nulls.is_some())]);
        if let Some(nulls) = nulls {
            self.bits(nulls.inner());
        }
    }

    fn booleans(&mut self, values: &BooleanBuffer, nulls: Option<&NullBuffer>) {
        match nulls {
            None => self.bits(values),
            Some(nulls) => self.bits(&(values & nulls.inner())),
        }
    }

    /// Bits from the lowest of the first byte on; the last byte is filled with zeros.
    fn bits(&mut self, bits: &BooleanBuffer) {
        let mut packed = bits.sliced().as_slice()[..bits.len().div_ceil(8)].to_vec();
        if let (Some(last), left @ 1..) = (packed.last_mut(), bits.len() % 8) {
            *last &= (1 << left) - 1;
        }
        self.put(&packed);
    }

    fn fixed(&mut self, array: &ArrayRef, nulls: Option<&NullBuffer>) {
        let data = array.to_data();
        let width = match data.data_type() {
            DataType::FixedSizeBinary(width) => *width as usize,
            other => other.primitive_width().unwrap_or(0),
        };
        let Some(buffer) = data.buffers().first() else { return };
        let bytes = &buffer.as_slice()[data.offset() * width..(data.offset() + data.len()) * width];
        match nulls {
            None => self.put(bytes),
            Some(nulls) => nulls.valid_slices().for_each(|(start, end)| self.put(&bytes[start * width..end * width])),
        }
    }

    /// The lengths of the values, then the values end to end.
    fn bytes(&mut self, data: &[u8], offsets: &OffsetBuffer<i32>, nulls: Option<&NullBuffer>) {
        self.lengths(offsets, nulls);
        let span = |start: usize, end: usize| offsets[start].as_usize()..offsets[end].as_usize();
        match nulls {
            None => self.put(&data[span(0, offsets.len() - 1)]),
            Some(nulls) => nulls.valid_slices().for_each(|(start, end)| self.put(&data[span(start, end)])),
        }
    }

    fn lengths(&mut self, offsets: &OffsetBuffer<i32>, nulls: Option<&NullBuffer>) {
        let lengths = offsets.windows(2).map(|pair| (pair[1] - pair[0]) as u32);
        let mut bytes = Vec::with_capacity(4 * offsets.len());
        match nulls {
            None => lengths.for_each(|length| bytes.extend_from_slice(&length.to_le_bytes())),
            Some(nulls) => lengths.zip(nulls).for_each(|(length, valid)| {
                bytes.extend_from_slice(&if valid { length } else { 0 }.to_le_bytes());
            }),
        }
        self.put(&bytes);
    }

    fn list(&mut self, values: &ArrayRef, offsets: &OffsetBuffer<i32>, nulls: Option<&NullBuffer>) -> Result<()> {
        self.lengths(offsets, nulls);
        let runs: Vec<(usize, usize)> = match nulls {
            None => vec![(0, offsets.len() - 1)],
            Some(nulls) => nulls.valid_slices().collect(),
        };
        let pieces = runs.iter().map(|(start, end)| (offsets[*start].as_usize(), offsets[*end].as_usize()));
        self.column(&joined(values, pieces)?, None)
    }
}

/// The given stretches of an array, end to end; no copy where they touch.
fn joined(values: &ArrayRef, pieces: impl Iterator<Item = (usize, usize)>) -> Result<ArrayRef> {
    let mut merged: Vec<(usize, usize)> = Vec::new();
    for (start, end) in pieces.filter(|(start, end)| start < end) {
        match merged.last_mut() {
            Some(last) if last.1 == start => last.1 = end,
            _ => merged.push((start, end)),
        }
    }
    match merged[..] {
        [] => Ok(values.slice(0, 0)),
        [(start, end)] => Ok(values.slice(start, end - start)),
        _ => {
            let indices = merged.iter().flat_map(|(start, end)| *start as u64..*end as u64);
            let indices = UInt64Array::from_iter_values(indices);
            take(values, &indices, None).map_err(|error| Error::internal(format!("cannot gather items: {error}")))
        }
    }
}
