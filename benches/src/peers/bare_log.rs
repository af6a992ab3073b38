//! The least that a durable commit can be: the same bytes, appended and synced, and nothing else.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use armillaria::format::record::claimed_bytes;
use armillaria::limits::LOG_FILE_BYTES;

use crate::Result;
use crate::context::files;

/// Appends records to files that are allocated at the same size as Armillaria's.
#[derive(Debug)]
pub(crate) struct BareLog {
    directory: PathBuf,
    files: u32,
    file: File,
    offset: u64,
}

impl BareLog {
    pub(crate) fn new(directory: &Path) -> Result<BareLog> {
        let file = allocate(directory, 0)?;
        Ok(BareLog { directory: directory.to_path_buf(), files: 1, file, offset: 0 })
    }

    /// Appends one record; durable on return.
    pub(crate) fn append(&mut self, record: &[u8]) -> Result<()> {
        if self.offset + record.len() as u64 > LOG_FILE_BYTES {
            self.file = allocate(&self.directory, self.files)?;
            self.files += 1;
            self.offset = 0;
        }
        self.file.write_all_at(record, self.offset)?;
        self.file.sync_data()?;
        self.offset += record.len() as u64;
        Ok(())
    }
}

fn allocate(directory: &Path, number: u32) -> Result<File> {
    let file = File::create_new(directory.join(format!("{number}.bare")))?;
    file.write_all_at(&vec![0; usize::try_from(LOG_FILE_BYTES)?], 0)?;
    file.sync_all()?;
    File::open(directory)?.sync_all()?;
    Ok(file)
}

/// The records in a repository's log, as bytes, oldest first.
pub(crate) fn records(repository: &Path) -> Result<Vec<Vec<u8>>> {
    let mut records = Vec::new();
    for (path, _) in files(&repository.join("log"))? {
        let bytes = std::fs::read(path)?;
        let mut rest = &bytes[..];
        while let Some(length) = claimed_bytes(rest) {
            let record = rest.get(..length).ok_or("a record is cut off")?;
            records.push(record.to_vec());
            rest = &rest[length..];
        }
    }
    Ok(records)
}
