//! The data of the demonstration.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use armillaria::RowStream;
use arrow::array::{AsArray, Int64Array, RecordBatchIterator, RecordBatchReader};
use arrow::compute::filter_record_batch;
use arrow::compute::kernels::cmp::eq;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::Outcome;

/// Streams one of the data files.
pub(crate) fn parquet(data: &Path, name: &str) -> Outcome<RowStream> {
    let file = File::open(data.join(name).with_extension("parquet"))?;
    Ok(Box::new(ParquetRecordBatchReaderBuilder::try_new(file)?.build()?))
}

/// A stream of no rows.
pub(crate) fn no_rows(schema: SchemaRef) -> RowStream {
    Box::new(RecordBatchIterator::new(std::iter::empty(), schema))
}

/// Writes the flights of each month into a file of their own, as an airport would deliver them.
/// Returns the names of the files.
pub(crate) fn split_by_month(data: &Path, folder: &Path) -> Outcome<Vec<String>> {
    let schema = parquet(data, "flights")?.schema();
    let names: Vec<String> = (1..=12).map(|month| format!("2013-{month:02}.parquet")).collect();
    for (month, name) in (1..).zip(&names) {
        let mut writer = ArrowWriter::try_new(File::create(folder.join(name))?, schema.clone(), None)?;
        for batch in parquet(data, "flights")? {
            let batch = batch?;
            let of_month = eq(&batch["month"], &Int64Array::new_scalar(month))?;
            writer.write(&filter_record_batch(&batch, &of_month)?)?;
        }
        writer.close()?;
    }
    Ok(names)
}

/// The text in the only row and column of an answer.
pub(crate) fn one_text(mut rows: RowStream) -> Outcome<String> {
    let batch = rows.next().ok_or("the answer is empty")??;
    Ok(batch.column(0).as_string::<i32>().value(0).to_string())
}

/// Flips one bit in the middle of a repository's largest chunk; returns the chunk's file.
pub(crate) fn flip_a_bit(repository: &Path) -> Outcome<PathBuf> {
    let mut chunks = Vec::new();
    collect(&repository.join("chunks"), &mut chunks)?;
    let (bytes, path) = chunks.into_iter().max().ok_or("there are no chunks")?;
    let mut permissions = fs::metadata(&path)?.permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
    fs::set_permissions(&path, permissions)?;
    let (mut file, mut byte) = (File::options().read(true).write(true).open(&path)?, [0]);
    file.seek(SeekFrom::Start(bytes / 2))?;
    file.read_exact(&mut byte)?;
    file.seek(SeekFrom::Start(bytes / 2))?;
    file.write_all(&[byte[0] ^ 1])?;
    Ok(path.strip_prefix(repository)?.to_path_buf())
}

fn collect(folder: &Path, files: &mut Vec<(u64, PathBuf)>) -> Outcome {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.push((entry.metadata()?.len(), entry.path()));
        }
    }
    Ok(())
}
