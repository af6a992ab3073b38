//! The second pass over a chunk's Parquet file: joins short runs in its pages, then compresses them. Pure.
//!
//! Parquet's writer ends a bit-packed run after 504 values. DuckDB unpacks 32 values at a time and takes what a run has
//! beyond that one by one, so it reads dictionary columns and nulls faster where runs are as long as the data allows.
//! A run consists of whole bytes, so joining runs only rewrites the numbers before them: the values stay as they are.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::page::{CompressedPage, Page, PageReader, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::properties::WriterProperties;
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::file::writer::{SerializedFileWriter, SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescriptor;

/// As DuckDB writes: what level 3 makes is smaller than what level 1 makes, and read faster.
const ZSTD_LEVEL: i32 = 3;

/// Writes a file that is not compressed once more, with long runs and compressed; `properties` are its own.
/// `check` is called before each row group.
pub(super) fn compress<E: From<ParquetError>>(
    plain: Bytes,
    metadata: &ParquetMetaData,
    properties: WriterProperties,
    check: impl Fn() -> std::result::Result<(), E>,
) -> std::result::Result<Vec<u8>, E> {
    let file = metadata.file_metadata();
    let properties = properties.into_builder().set_key_value_metadata(file.key_value_metadata().cloned()).build();
    let schema = file.schema_descr().root_schema_ptr();
    let mut writer = SerializedFileWriter::new(Vec::with_capacity(plain.len() / 2), schema, Arc::new(properties))?;
    let mut columns = Columns { plain: Arc::new(plain), compressor: compressor()? };
    for group in metadata.row_groups() {
        check()?;
        let mut row_group = writer.next_row_group()?;
        for column in group.columns() {
            let (bytes, close) = columns.compress(column, group.num_rows())?;
            row_group.append_column(&bytes, close)?;
        }
        row_group.close()?;
    }
    Ok(writer.into_inner()?)
}

fn compressor() -> Result<zstd::bulk::Compressor<'static>> {
    zstd::bulk::Compressor::new(ZSTD_LEVEL).map_err(ParquetError::from)
}

struct Columns {
    plain: Arc<Bytes>,
    compressor: zstd::bulk::Compressor<'static>,
}

impl Columns {
    fn compress(&mut self, column: &ColumnChunkMetaData, rows: i64) -> Result<(Bytes, ColumnCloseResult)> {
        let rows_written = u64::try_from(rows)?;
        let mut pages = SerializedPageReader::new(self.plain.clone(), column, usize::try_from(rows)?, None)?;
        let mut sink = TrackedWrite::new(Vec::with_capacity(usize::try_from(column.compressed_size())?));
        let (mut uncompressed, mut dictionary, mut data) = (0, None, None);
        while let Some(page) = pages.get_next_page()? {
            let page = self.compress_page(with_long_runs(page, column.column_descr())?)?;
            let first = if page.compressed_page().is_dictionary_page() { &mut dictionary } else { &mut data };
            let written = SerializedPageWriter::new(&mut sink).write_page(page)?;
            first.get_or_insert(written.offset as i64);
            uncompressed += written.uncompressed_size;
        }
        let bytes = Bytes::from(sink.into_inner()?);
        let metadata = column.clone().into_builder();
        let metadata = metadata
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
            .set_total_compressed_size(bytes.len() as i64)
            .set_total_uncompressed_size(uncompressed as i64)
            .set_dictionary_page_offset(dictionary)
            .set_data_page_offset(data.unwrap_or(0))
            .build()?;
        let bytes_written = bytes.len() as u64;
        let (bloom_filter, column_index, offset_index) = (None, None, None);
        Ok((
            bytes,
            ColumnCloseResult { bytes_written, rows_written, metadata, bloom_filter, column_index, offset_index },
        ))
    }

    fn compress_page(&mut self, mut page: Page) -> Result<CompressedPage> {
        let size = page.buffer().len();
        let smaller = Bytes::from(self.compressor.compress(page.buffer())?);
        match &mut page {
            Page::DataPage { buf, .. } | Page::DictionaryPage { buf, .. } => *buf = smaller,
            Page::DataPageV2 { .. } => return Err(unexpected("a data page of version 2")),
        }
        Ok(CompressedPage::new(page, size))
    }
}

/// The page with its levels and, if they are indices into a dictionary, its values in long runs.
fn with_long_runs(mut page: Page, column: &ColumnDescriptor) -> Result<Page> {
    let Page::DataPage { buf, encoding, .. } = &mut page else { return Ok(page) };
    let levels = [column.max_rep_level(), column.max_def_level()];
    let indices = matches!(encoding, Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY);
    if !indices && levels == [0, 0] {
        return Ok(page);
    }
    let (mut rest, mut made) = (buf.clone(), Vec::with_capacity(buf.len()));
    for level in levels.into_iter().filter(|level| *level > 0) {
        let length = rest.try_get_u32_le().map_err(|_| unexpected("a page that ends early"))? as usize;
        let runs = take(&mut rest, length)?;
        let start = made.len();
        made.extend([0; size_of::<u32>()]);
        join_runs(runs, 16 - level.leading_zeros(), &mut made)?;
        let length = (made.len() - start - size_of::<u32>()) as u32;
        made[start..start + size_of::<u32>()].copy_from_slice(&length.to_le_bytes());
    }
    if indices && !rest.is_empty() {
        let width = rest.get_u8();
        made.push(width);
        join_runs(rest, u32::from(width), &mut made)?;
    } else {
        made.extend_from_slice(&rest);
    }
    *buf = Bytes::from(made);
    Ok(page)
}

/// Copies runs of values of `width` bits, bit-packed ones that follow one another as one. Each is a number, then bytes:
/// `2n` and a value that is repeated n times, or `2n + 1` and n times 8 packed values.
fn join_runs(mut runs: Bytes, width: u32, made: &mut Vec<u8>) -> Result<()> {
    let width = width as usize;
    let (mut packed, mut groups) = (Vec::with_capacity(runs.len()), 0);
    while !runs.is_empty() {
        let header = take_number(&mut runs)?;
        if header & 1 == 1 {
            groups += header >> 1;
            let bytes = usize::try_from(header >> 1)?.saturating_mul(width);
            packed.extend_from_slice(&take(&mut runs, bytes)?);
        } else {
            put_packed(&mut packed, &mut groups, made);
            put_number(header, made);
            made.extend_from_slice(&take(&mut runs, width.div_ceil(8))?);
        }
    }
    put_packed(&mut packed, &mut groups, made);
    Ok(())
}

fn put_packed(packed: &mut Vec<u8>, groups: &mut u64, made: &mut Vec<u8>) {
    if *groups > 0 {
        put_number(std::mem::take(groups) << 1 | 1, made);
        made.append(packed);
    }
}

fn take(from: &mut Bytes, length: usize) -> Result<Bytes> {
    if length > from.len() { Err(unexpected("a page that ends early")) } else { Ok(from.split_to(length)) }
}

/// A number in groups of seven bits, the lowest first.
fn take_number(from: &mut Bytes) -> Result<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = from.try_get_u8().map_err(|_| unexpected("a page that ends early"))?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(unexpected("a run of more values than there can be"))
}

fn put_number(mut number: u64, made: &mut Vec<u8>) {
    while number >= 0x80 {
        made.push(number as u8 | 0x80);
        number >>= 7;
    }
    made.push(number as u8);
}

fn unexpected(what: &str) -> ParquetError {
    ParquetError::General(format!("the Parquet writer made {what}"))
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, RecordBatch, StringArray};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::super::encode::encode_chunk;
    use super::*;
    use crate::cancel::CancelToken;

    /// Words that repeat without order, every third missing.
    fn words(rows: u32) -> RecordBatch {
        let word = |row: u32| (!row.is_multiple_of(3)).then(|| format!("word {}", row.wrapping_mul(0x9e37_79b9) >> 27));
        let column: ArrayRef = Arc::new((0..rows).map(word).collect::<StringArray>());
        RecordBatch::try_from_iter([("w", column)]).unwrap()
    }

    #[test]
    fn levels_and_indices_of_a_page_are_one_run_each() {
        let batch = words(100_000);
        let file = Bytes::from(encode_chunk(&batch, &CancelToken::new()).unwrap());
        let reader = SerializedFileReader::new(file.clone()).unwrap();
        let pages = reader.get_row_group(0).unwrap().get_column_page_reader(0).unwrap();
        let pages: Vec<Page> = pages.collect::<Result<_>>().unwrap();
        let [Page::DictionaryPage { .. }, Page::DataPage { buf, encoding, .. }] = &pages[..] else {
            panic!("a dictionary and one page: {pages:?}")
        };
        assert_eq!(*encoding, Encoding::RLE_DICTIONARY);
        let mut page = buf.clone();
        let levels = page.get_u32_le() as usize;
        let mut levels = page.split_to(levels);
        assert_eq!(take_number(&mut levels).unwrap(), (100_000 / 8) << 1 | 1);
        assert_eq!(levels.len(), 100_000 / 8);
        let (width, values) = (usize::from(page.get_u8()), 66_666_usize);
        assert_eq!(take_number(&mut page).unwrap() as usize, values.div_ceil(8) << 1 | 1);
        assert_eq!(page.len(), values.div_ceil(8) * width);
        let mut read =
            ParquetRecordBatchReaderBuilder::try_new(file).unwrap().with_batch_size(100_000).build().unwrap();
        assert_eq!(read.next().unwrap().unwrap().columns(), batch.columns());
    }

    fn joined(runs: &[u8], width: u32) -> Result<Vec<u8>> {
        let mut made = Vec::new();
        join_runs(Bytes::copy_from_slice(runs), width, &mut made)?;
        Ok(made)
    }

    #[test]
    fn packed_runs_that_follow_one_another_become_one() {
        let run = |groups: u8, fill: u8, bytes: usize| [&[groups << 1 | 1][..], &vec![fill; bytes]].concat();
        let one = joined(&[run(1, 7, 3), run(2, 9, 6)].concat(), 3).unwrap();
        assert_eq!(one, [3 << 1 | 1, 7, 7, 7, 9, 9, 9, 9, 9, 9]);
        // 63 groups and 63 groups: the number before them takes two bytes.
        let two = joined(&[run(63, 1, 63), run(63, 2, 63)].concat(), 1).unwrap();
        assert_eq!(two[..2], [0xfd, 0x01]);
        assert_eq!(two[2..], [vec![1; 63], vec![2; 63]].concat());
    }

    #[test]
    fn repeated_values_stay_between_packed_ones() {
        let repeated = [20, 5];
        let runs = [&[3, 1][..], &repeated, &[3, 2, 3, 3]].concat();
        assert_eq!(joined(&runs, 1).unwrap(), [&[3, 1][..], &repeated, &[5, 2, 3]].concat());
        let wide = [20, 5, 1];
        assert_eq!(joined(&wide, 9).unwrap(), wide);
        assert_eq!(joined(&[20], 0).unwrap(), [20], "one value in the dictionary takes no bits");
    }

    #[test]
    fn runs_that_end_early_are_errors() {
        assert!(joined(&[3], 1).is_err());
        assert!(joined(&[20], 1).is_err());
        assert!(joined(&[0x80], 1).is_err());
        assert!(joined(&[0xff; 11], 1).is_err());
    }
}
