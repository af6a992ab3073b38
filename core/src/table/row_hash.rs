//! Hashes and sizes of rows, column by column. Pure.
//!
//! The 64-bit row hash decides where chunks end; it is part of the format (`docs/FORMAT.md`, "Row hashes") and depends
//! on values only: not on batches, on columns' names, or on what lies under a null. It is no proof of equality.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{ArrowNativeType, DataType};

/// What a row weighs before its values are counted, in canonical bytes.
const ROW_BYTES: u32 = 8;

/// What a string, binary value, list or map weighs before its contents are counted.
const LENGTH_BYTES: u32 = 4;

/// Odd constants with as many ones as zeros.
const SECRET: [u64; 4] = [0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db, 0x8ebc_6af0_9c88_c6e3, 0x5899_65cc_7537_4cc3];

/// What stands in for the value of a null.
const NULL: u64 = 0x1d8e_4e27_c47d_124f;

/// The seed of boundary hashes.
pub(super) const BOUNDARY_SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// Hashes every row of a batch in normal form.
pub(super) fn row_hashes(columns: &[ArrayRef], rows: usize, seed: u64) -> Vec<u64> {
    let mut hashes = vec![seed; rows];
    columns.iter().for_each(|column| Hasher { seed }.column(column, None, &mut hashes));
    hashes
}

/// The canonical bytes of every row of a batch in normal form: what chunk sizes are measured in.
pub(super) fn row_bytes(batch: &RecordBatch) -> Vec<u32> {
    let fixed: u32 = batch.columns().iter().filter_map(|column| fixed_bytes(column.data_type())).sum();
    let mut bytes = vec![ROW_BYTES + fixed; batch.num_rows()];
    let variable = batch.columns().iter().filter(|column| fixed_bytes(column.data_type()).is_none());
    variable.for_each(|column| add_bytes(column, None, &mut bytes));
    bytes
}

/// Multiplies to 128 bits and folds the halves.
#[inline]
fn mix(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    (product as u64) ^ ((product >> 64) as u64)
}

#[inline]
fn combine(hash: u64, value: u64) -> u64 {
    mix(value ^ SECRET[0], hash ^ SECRET[1])
}

#[inline]
fn word8(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

#[inline]
fn word4(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u64::from(u32::from_le_bytes(word))
}

/// Hashes the bytes of one value.
#[inline]
fn hash_bytes(bytes: &[u8], seed: u64) -> u64 {
    let length = bytes.len();
    let mut hash = mix(length as u64 ^ SECRET[2], seed ^ SECRET[3]);
    let mut at = 0;
    while length - at > 16 {
        hash = mix(word8(bytes, at) ^ SECRET[2], word8(bytes, at + 8) ^ hash);
        at += 16;
    }
    let (low, high) = match length - at {
        0 => (0, 0),
        left @ 1..=3 => {
            let middle = u64::from(bytes[at + left / 2]);
            (u64::from(bytes[at]) << 16 | middle << 8 | u64::from(bytes[length - 1]), 0)
        }
        4..=7 => (word4(bytes, at), word4(bytes, length - 4)),
        _ => (word8(bytes, at), word8(bytes, length - 8)),
    };
    mix(low ^ SECRET[2], high ^ hash)
}

#[derive(Clone, Copy)]
struct Hasher {
    seed: u64,
}

impl Hasher {
    /// Mixes a column into the rows' hashes. `hidden` says where a parent is null.
    fn column(self, array: &ArrayRef, hidden: Option<&NullBuffer>, hashes: &mut [u64]) {
        let nulls = NullBuffer::union(array.nulls(), hidden).filter(|nulls| nulls.null_count() > 0);
        let nulls = nulls.as_ref();
        match array.data_type() {
            DataType::Null => hashes.iter_mut().for_each(|hash| *hash = combine(*hash, NULL)),
            DataType::Boolean => {
                let values = array.as_boolean().values();
                fold(hashes, nulls, |row| u64::from(values.value(row)));
            }
            DataType::Utf8 => {
                let values = array.as_string::<i32>();
                self.bytes(values.value_data(), values.offsets(), nulls, hashes);
            }
            DataType::Binary => {
                let values = array.as_binary::<i32>();
                self.bytes(values.value_data(), values.offsets(), nulls, hashes);
            }
            DataType::FixedSizeBinary(_) => {
                let values = array.as_fixed_size_binary();
                fold(hashes, nulls, |row| hash_bytes(values.value(row), self.seed));
            }
            DataType::List(_) => {
                self.list(array.as_list::<i32>().values(), array.as_list::<i32>().offsets(), nulls, hashes)
            }
            DataType::Map(..) => {
                let entries: ArrayRef = std::sync::Arc::new(array.as_map().entries().clone());
                self.list(&entries, array.as_map().offsets(), nulls, hashes);
            }
            DataType::FixedSizeList(_, length) => {
                self.fixed_list(array.as_fixed_size_list().values(), *length as usize, nulls, hashes);
            }
            DataType::Struct(_) => self.structure(array.as_struct().columns(), nulls, hashes),
            _ => self.fixed(array, nulls, hashes),
        }
    }

    fn bytes(self, data: &[u8], offsets: &OffsetBuffer<i32>, nulls: Option<&NullBuffer>, hashes: &mut [u64]) {
        fold(hashes, nulls, |row| hash_bytes(&data[offsets[row] as usize..offsets[row + 1] as usize], self.seed));
    }

    fn fixed(self, array: &ArrayRef, nulls: Option<&NullBuffer>, hashes: &mut [u64]) {
        let data = array.to_data();
        let width = data.data_type().primitive_width().unwrap_or(0);
        let Some(buffer) = data.buffers().first().filter(|_| width > 0) else { return };
        let bytes = &buffer.as_slice()[data.offset() * width..(data.offset() + data.len()) * width];
        match width {
            1 => fold(hashes, nulls, |row| u64::from(bytes[row])),
            2 => fold(hashes, nulls, |row| u64::from(bytes[2 * row]) | u64::from(bytes[2 * row + 1]) << 8),
            4 => fold(hashes, nulls, |row| word4(bytes, 4 * row)),
            8 => fold(hashes, nulls, |row| word8(bytes, 8 * row)),
            _ => fold(hashes, nulls, |row| hash_bytes(&bytes[width * row..width * (row + 1)], self.seed)),
        }
    }

    fn list(self, values: &ArrayRef, offsets: &OffsetBuffer<i32>, nulls: Option<&NullBuffer>, hashes: &mut [u64]) {
        let (first, last) = (offsets[0].as_usize(), offsets[offsets.len() - 1].as_usize());
        let items = row_hashes(&[values.slice(first, last - first)], last - first, self.seed);
        fold(hashes, nulls, |row| {
            let range = offsets[row].as_usize() - first..offsets[row + 1].as_usize() - first;
            let length = combine(self.seed, range.len() as u64);
            items[range].iter().fold(length, |hash, item| combine(hash, *item))
        });
    }

    fn fixed_list(self, values: &ArrayRef, length: usize, nulls: Option<&NullBuffer>, hashes: &mut [u64]) {
        let items = row_hashes(std::slice::from_ref(values), values.len(), self.seed);
        fold(hashes, nulls, |row| {
            items[row * length..(row + 1) * length].iter().fold(self.seed, |hash, item| combine(hash, *item))
        });
    }

    fn structure(self, columns: &[ArrayRef], nulls: Option<&NullBuffer>, hashes: &mut [u64]) {
        let inner = row_hashes(columns, hashes.len(), self.seed);
        fold(hashes, nulls, |row| inner[row]);
    }
}

/// Mixes one value a row into the rows' hashes.
#[inline]
fn fold(hashes: &mut [u64], nulls: Option<&NullBuffer>, value: impl Fn(usize) -> u64) {
    match nulls {
        None => hashes.iter_mut().enumerate().for_each(|(row, hash)| *hash = combine(*hash, value(row))),
        Some(nulls) => hashes.iter_mut().enumerate().for_each(|(row, hash)| {
            *hash = combine(*hash, if nulls.is_valid(row) { value(row) } else { NULL });
        }),
    }
}

/// What every value of a type weighs, if all weigh the same.
fn fixed_bytes(data_type: &DataType) -> Option<u32> {
    match data_type {
        DataType::Null => Some(0),
        DataType::Boolean => Some(1),
        DataType::FixedSizeBinary(width) => Some(*width as u32),
        DataType::FixedSizeList(item, length) => {
            fixed_bytes(item.data_type()).map(|width| width.saturating_mul(*length as u32))
        }
        DataType::Struct(fields) => fields.iter().map(|field| fixed_bytes(field.data_type())).sum(),
        other => other.primitive_width().map(|width| width as u32),
    }
}

/// Adds what each value of a column weighs; a null of variable width weighs its length field only.
fn add_bytes(array: &ArrayRef, hidden: Option<&NullBuffer>, bytes: &mut [u32]) {
    let nulls = NullBuffer::union(array.nulls(), hidden).filter(|nulls| nulls.null_count() > 0);
    let nulls = nulls.as_ref();
    match array.data_type() {
        DataType::Utf8 => add_lengths(array.as_string::<i32>().offsets(), nulls, bytes),
        DataType::Binary => add_lengths(array.as_binary::<i32>().offsets(), nulls, bytes),
        DataType::List(_) => add_items(array.as_list::<i32>().values(), array.as_list::<i32>().offsets(), nulls, bytes),
        DataType::Map(..) => {
            let entries: ArrayRef = std::sync::Arc::new(array.as_map().entries().clone());
            add_items(&entries, array.as_map().offsets(), nulls, bytes);
        }
        DataType::FixedSizeList(_, length) => {
            let length = *length as usize;
            let items = item_bytes(array.as_fixed_size_list().values());
            add(nulls, bytes, |row| {
                items[row * length..(row + 1) * length].iter().fold(0, |sum, item| sum.saturating_add(*item))
            });
        }
        DataType::Struct(_) => array.as_struct().columns().iter().for_each(|column| add_bytes(column, nulls, bytes)),
        other => {
            let width = fixed_bytes(other).unwrap_or(0);
            bytes.iter_mut().for_each(|sum| *sum = sum.saturating_add(width));
        }
    }
}

fn item_bytes(values: &ArrayRef) -> Vec<u32> {
    let mut items = vec![0; values.len()];
    add_bytes(values, None, &mut items);
    items
}

fn add_items(values: &ArrayRef, offsets: &OffsetBuffer<i32>, nulls: Option<&NullBuffer>, bytes: &mut [u32]) {
    let (first, last) = (offsets[0].as_usize(), offsets[offsets.len() - 1].as_usize());
    let items = item_bytes(&values.slice(first, last - first));
    add(nulls, bytes, |row| {
        let range = offsets[row].as_usize() - first..offsets[row + 1].as_usize() - first;
        items[range].iter().fold(LENGTH_BYTES, |sum, item| sum.saturating_add(*item))
    });
}

fn add_lengths(offsets: &OffsetBuffer<i32>, nulls: Option<&NullBuffer>, bytes: &mut [u32]) {
    add(nulls, bytes, |row| LENGTH_BYTES + (offsets[row + 1] - offsets[row]) as u32);
}

#[inline]
fn add(nulls: Option<&NullBuffer>, bytes: &mut [u32], weight: impl Fn(usize) -> u32) {
    for (row, sum) in bytes.iter_mut().enumerate() {
        let valid = nulls.is_none_or(|nulls| nulls.is_valid(row));
        *sum = sum.saturating_add(if valid { weight(row) } else { LENGTH_BYTES });
    }
}
