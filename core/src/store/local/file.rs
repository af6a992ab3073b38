//! A file that is open, of a [`LocalStore`](super::LocalStore).

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;

use super::write_error;
use crate::error::{Error, Result};
use crate::store::StoreFile;

/// A file that is open.
#[derive(Debug)]
pub(super) struct LocalFile {
    pub(super) file: File,
    pub(super) path: String,
    /// Whether it was opened to be written as well.
    pub(super) write: bool,
}

impl StoreFile for LocalFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let mut count = 0;
        while count < buffer.len() {
            match self.file.read_at(&mut buffer[count..], offset + count as u64) {
                Ok(0) => break,
                Ok(more) => count += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("read", &self.path, error)),
            }
        }
        Ok(count)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        if !self.write {
            return Err(Error::ReadOnly { action: "write", reason: "the file may only be read".to_string() });
        }
        self.file.write_all_at(bytes, offset).map_err(|error| write_error("write", &self.path, error))
    }

    fn sync(&self) -> Result<()> {
        match self.file.sync_data() {
            // A medium that cannot be written holds nothing that is not durable.
            Err(error) if !self.write && error.kind() == ErrorKind::ReadOnlyFilesystem => Ok(()),
            other => other.map_err(|error| Error::io("sync", &self.path, error)),
        }
    }

    fn bytes(&self) -> Result<u64> {
        let metadata = self.file.metadata().map_err(|error| Error::io("measure", &self.path, error))?;
        Ok(metadata.len())
    }

    fn lock(&self) -> Result<()> {
        loop {
            match self.file.lock() {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => return other.map_err(|error| Error::io("lock", &self.path, error)),
            }
        }
    }

    fn try_lock(&self) -> Result<bool> {
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(Error::io("lock", &self.path, error)),
        }
    }

    fn unlock(&self) -> Result<()> {
        self.file.unlock().map_err(|error| Error::io("unlock", &self.path, error))
    }
}
