//! The data that everything is measured on: id int64, ts timestamp[us], category (100 values), name (12 random letters),
//! price double, qty int32. The same seed gives the same rows.

use std::sync::Arc;

use armillaria::RowStream;
use arrow::array::{
    ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, RecordBatchIterator, StringBuilder,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::Result;

/// Rows of a batch, as a program would hand them over.
pub(crate) const BATCH_ROWS: usize = 65_536;

/// 2024-01-01, the time of the first row; each later row is about a second later.
pub(crate) const FIRST_TS_US: i64 = 1_704_067_200_000_000;

/// A second.
pub(crate) const SECOND_US: i64 = 1_000_000;
const CATEGORIES: usize = 100;
const NAME_LETTERS: usize = 12;
const SEED: u64 = 0x5eed;

/// The columns.
pub(crate) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("ts", DataType::Timestamp(TimeUnit::Microsecond, None), false),
        Field::new("category", DataType::Utf8, false),
        Field::new("name", DataType::Utf8, false),
        Field::new("price", DataType::Float64, false),
        Field::new("qty", DataType::Int32, false),
    ]))
}

/// Makes rows one batch after the other; ids count up from `first_id`.
#[derive(Debug)]
pub(crate) struct Generator {
    next_id: i64,
    random: Random,
    categories: Vec<String>,
}

impl Generator {
    /// Rows that depend on the first id and on nothing else.
    pub(crate) fn new(first_id: i64) -> Generator {
        let categories = (0..CATEGORIES).map(|number| format!("category {number:02}")).collect();
        Generator { next_id: first_id, random: Random(SEED ^ first_id as u64), categories }
    }

    /// The next rows.
    pub(crate) fn batch(&mut self, rows: usize) -> std::result::Result<RecordBatch, ArrowError> {
        let ids: Vec<i64> = (self.next_id..).take(rows).collect();
        self.next_id += rows as i64;
        let times = ids.iter().map(|id| FIRST_TS_US + id * SECOND_US + self.random.below(SECOND_US as u64) as i64);
        let times: Vec<i64> = times.collect();
        let mut categories = StringBuilder::with_capacity(rows, rows * 11);
        let mut names = StringBuilder::with_capacity(rows, rows * NAME_LETTERS);
        for _ in 0..rows {
            categories.append_value(&self.categories[self.random.below(CATEGORIES as u64) as usize]);
            names.append_value(std::str::from_utf8(&self.random.letters())?);
        }
        let prices = (0..rows).map(|_| self.random.below(100_000) as f64 / 100.0);
        let prices = Float64Array::from_iter_values(prices);
        let quantities = Int32Array::from_iter_values((0..rows).map(|_| self.random.below(100) as i32 + 1));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(ids)),
            Arc::new(TimestampMicrosecondArray::from(times)),
            Arc::new(categories.finish()),
            Arc::new(names.finish()),
            Arc::new(prices),
            Arc::new(quantities),
        ];
        RecordBatch::try_new(schema(), columns)
    }
}

/// That many rows in memory.
pub(crate) fn table(rows: usize) -> Result<Vec<RecordBatch>> {
    let mut generator = Generator::new(0);
    let sizes = (0..rows).step_by(BATCH_ROWS).map(|start| BATCH_ROWS.min(rows - start));
    Ok(sizes.map(|size| generator.batch(size)).collect::<std::result::Result<_, _>>()?)
}

/// The same rows with other prices in `count` of them, beginning with row `first`.
pub(crate) fn edited(batches: &[RecordBatch], first: usize, count: usize) -> Result<Vec<RecordBatch>> {
    let mut start = 0;
    let mut edited = Vec::with_capacity(batches.len());
    for batch in batches {
        let rows = start..start + batch.num_rows();
        let touched = rows.start.max(first)..rows.end.min(first + count);
        edited.push(match touched.is_empty() {
            true => batch.clone(),
            false => edit(batch, touched.start - rows.start..touched.end - rows.start)?,
        });
        start = rows.end;
    }
    Ok(edited)
}

fn edit(batch: &RecordBatch, rows: std::ops::Range<usize>) -> Result<RecordBatch> {
    let index = batch.schema().index_of("price")?;
    let prices = batch.column(index).as_any().downcast_ref::<Float64Array>().ok_or("price is no double")?;
    let changed = prices.values().iter().enumerate();
    let changed = changed.map(|(row, price)| if rows.contains(&row) { price + 1.0 } else { *price });
    let mut columns = batch.columns().to_vec();
    columns[index] = Arc::new(Float64Array::from_iter_values(changed));
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}

/// Batches as a stream, without copying them.
pub(crate) fn stream(batches: &[RecordBatch]) -> RowStream {
    let batches: Vec<_> = batches.iter().cloned().map(Ok).collect();
    Box::new(RecordBatchIterator::new(batches, schema()))
}

/// The bytes of the rows of a batch in memory.
pub(crate) fn slice_bytes(batch: &RecordBatch) -> usize {
    let of_column = |column: &ArrayRef| column.to_data().get_slice_memory_size().unwrap_or(0);
    batch.columns().iter().map(of_column).sum()
}

/// Reads a stream to its end and drops it; how many rows there were, and their bytes in memory.
pub(crate) fn drain(rows: RowStream) -> Result<(u64, u64)> {
    let (mut count, mut bytes) = (0, 0);
    for batch in rows {
        let batch = batch?;
        count += batch.num_rows() as u64;
        bytes += slice_bytes(&batch) as u64;
    }
    Ok((count, bytes))
}

/// Rows as CSV without a header, timestamps as microseconds.
pub(crate) fn csv(batches: &[RecordBatch]) -> Result<String> {
    let mut text = String::new();
    for batch in batches {
        let mut columns = batch.columns().to_vec();
        columns[1] = arrow::compute::cast(&columns[1], &DataType::Int64)?;
        let format = FormatOptions::default();
        let shown = columns.iter().map(|column| ArrayFormatter::try_new(column, &format));
        let shown = shown.collect::<std::result::Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            let cells: Vec<String> = shown.iter().map(|column| column.value(row).to_string()).collect();
            text += &cells.join(",");
            text.push('\n');
        }
    }
    Ok(text)
}

/// SplitMix64: quick, and the same everywhere.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    fn letters(&mut self) -> [u8; NAME_LETTERS] {
        let mut bits = self.next();
        let mut letters = [0; NAME_LETTERS];
        for letter in &mut letters {
            *letter = b'a' + (bits % 26) as u8;
            bits /= 26;
        }
        letters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_rows_every_time_and_an_edit_touches_only_its_rows() {
        let rows = BATCH_ROWS + 10;
        let (a, b) = (table(rows).unwrap(), table(rows).unwrap());
        assert_eq!(a, b);
        let changed = edited(&a, BATCH_ROWS - 3, 5).unwrap();
        let price = |batches: &[RecordBatch], batch: usize, row: usize| {
            batches[batch].column(4).as_any().downcast_ref::<Float64Array>().unwrap().value(row)
        };
        let differ = |batch: usize, row: usize| price(&a, batch, row) != price(&changed, batch, row);
        assert!((0..BATCH_ROWS - 3).all(|row| !differ(0, row)));
        assert!((BATCH_ROWS - 3..BATCH_ROWS).all(|row| differ(0, row)));
        assert_eq!((0..10).filter(|row| differ(1, *row)).count(), 2);
    }
}
