//! A store in a directory of the local file system.
//!
//! An object is written to `tmp/`, synced, and linked to its name, so that it is whole wherever its name is. Its
//! directory entry is made durable by [`Store::sync`], with every directory above it that this handle has not yet
//! seen durable. Whoever writes a file in `tmp/` holds its lock; what is there under a staged name without a lock
//! belongs to a dead process.

mod durability;
mod file;
mod staged;
mod walk;

use std::fs::{self, DirEntry, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::{Access, Created, Listed, Store, StoreFile, check_directory, check_path};
use crate::error::{Error, Result};
use durability::Durability;
use file::LocalFile;
use staged::{TMP, is_staged, link, stage, staged_name, write_zeros};
use walk::walk;

/// How often a staged file is written anew because a sweeper took it for a leftover.
const STAGE_TRIES_MAX: u32 = 8;

/// Mode of objects: nobody writes them again.
const OBJECT_MODE: u32 = 0o444;

/// Mode of files that are written in place.
const FILE_MODE: u32 = 0o644;

/// What is read through goes through a buffer of this size, which stays in the processor's caches.
const PIECE_BYTES: usize = 256 << 10;

/// Keeps objects and files in a directory. Any number of processes may use one directory at the same time.
#[derive(Debug)]
pub struct LocalStore {
    root: PathBuf,
    access: Access,
    durability: Durability,
}

impl LocalStore {
    /// Opens a directory. It need not be there: the first write makes it.
    pub fn open(root: impl AsRef<Path>, access: Access) -> Result<LocalStore> {
        let given = root.as_ref();
        let root = std::path::absolute(given).map_err(|error| Error::io("find", given.display(), error))?;
        let durability = Durability::of(&root);
        Ok(LocalStore { root, access, durability })
    }

    /// The directory, as an absolute path.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    fn check_writable(&self, action: &'static str) -> Result<()> {
        match self.access {
            Access::ReadWrite => Ok(()),
            Access::ReadOnly => Err(Error::ReadOnly { action, reason: "as asked for".to_string() }),
        }
    }

    /// Writes bytes to a staged file, syncs them and gives them their name as `name` does.
    fn publish(
        &self,
        path: &str,
        mode: u32,
        write: &dyn Fn(&mut File) -> io::Result<()>,
        name: fn(&Path, &Path) -> io::Result<()>,
    ) -> Result<Created> {
        let target = self.path(path);
        self.make_directories(target.parent().unwrap_or(&self.root))?;
        let staged_directory = self.path(TMP);
        self.make_directories(&staged_directory)?;
        for _ in 0..STAGE_TRIES_MAX {
            let staged = staged_directory.join(staged_name()?);
            let outcome = stage(&staged, mode, write).and_then(|_file| name(&staged, &target));
            // Harmless if it stays: a leftover that is swept later. After a rename it is gone.
            let _ = fs::remove_file(&staged);
            match outcome {
                Ok(()) => return Ok(Created::New),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(Created::AlreadyThere),
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(write_error("write", path, error)),
            }
        }
        Err(Error::io("write", path, io::Error::other("the staged file vanished again and again")))
    }

    fn make_directories(&self, directory: &Path) -> Result<()> {
        if self.durability.durable().contains(directory) {
            return Ok(());
        }
        fs::create_dir_all(directory).map_err(|error| write_error("make a directory", directory.display(), error))
    }
}

impl Store for LocalStore {
    fn create(&self, path: &str, bytes: &[u8]) -> Result<Created> {
        check_path(path)?;
        self.check_writable("create an object")?;
        if self.path(path).exists() {
            return Ok(Created::AlreadyThere);
        }
        let created = self.publish(path, OBJECT_MODE, &|file| file.write_all(bytes), link)?;
        if created == Created::New {
            self.durability.fresh().insert(path.to_string());
        }
        Ok(created)
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<()> {
        check_path(path)?;
        self.check_writable("replace an object")?;
        let rename = |staged: &Path, target: &Path| fs::rename(staged, target);
        self.publish(path, OBJECT_MODE, &|file| file.write_all(bytes), rename)?;
        self.durability.fresh().insert(path.to_string());
        Ok(())
    }

    fn sweep(&self) -> Result<()> {
        for leftover in self.names(TMP)?.iter().filter(|name| is_staged(name)) {
            let path = self.path(leftover);
            let unused = File::open(&path).is_ok_and(|file| file.try_lock().is_ok());
            if unused && let Err(error) = fs::remove_file(&path) {
                tracing::debug!(path = %path.display(), %error, "cannot sweep a leftover");
            }
        }
        Ok(())
    }

    fn sync(&self, paths: &[&str]) -> Result<()> {
        self.check_writable("sync")?;
        paths.iter().try_for_each(|path| check_path(path))?;
        self.make_durable(paths)
    }

    fn get(&self, path: &str) -> Result<Option<Bytes>> {
        check_path(path)?;
        match fs::read(self.path(path)) {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(Error::io("read", path, error)),
        }
    }

    fn read_through(&self, path: &str, sink: &mut dyn FnMut(&[u8])) -> Result<bool> {
        let Some(file) = self.open_local(path, false)? else { return Ok(false) };
        let (mut buffer, mut offset) = (vec![0; PIECE_BYTES], 0);
        loop {
            let count = file.read_at(offset, &mut buffer)?;
            sink(&buffer[..count]);
            offset += count as u64;
            if count < buffer.len() {
                return Ok(true);
            }
        }
    }

    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Option<Bytes>> {
        let Some(file) = self.open_local(path, false)? else { return Ok(None) };
        let mut length = range.end.saturating_sub(range.start);
        if length > PIECE_BYTES as u64 {
            // A wrong range must not decide how much memory is taken.
            length = length.min(file.bytes()?.saturating_sub(range.start));
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        let count = file.read_at(range.start, &mut bytes)?;
        bytes.truncate(count);
        Ok(Some(bytes.into()))
    }

    fn list(&self, directory: &str) -> Result<Vec<Listed>> {
        check_directory(directory)?;
        let mut found = Vec::new();
        let mut measure = |entry: &DirEntry, path| {
            match fs::metadata(entry.path()) {
                Ok(metadata) => found.push(Listed { path, bytes: metadata.len() }),
                // Gone since the directory was read.
                Err(error) if is_absent(&error) => {}
                Err(error) => return Err(error),
            }
            Ok(())
        };
        walk(&self.path(directory), directory, &mut measure).map_err(|error| Error::io("list", directory, error))?;
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    fn names(&self, directory: &str) -> Result<Vec<String>> {
        check_directory(directory)?;
        let mut found = Vec::new();
        let mut name = |_: &DirEntry, path| {
            found.push(path);
            Ok(())
        };
        walk(&self.path(directory), directory, &mut name).map_err(|error| Error::io("list", directory, error))?;
        found.sort_unstable();
        Ok(found)
    }

    fn delete(&self, path: &str) -> Result<()> {
        check_path(path)?;
        self.check_writable("delete an object")?;
        self.durability.fresh().remove(path);
        match fs::remove_file(self.path(path)) {
            Err(error) if !is_absent(&error) => Err(write_error("delete", path, error)),
            _ => Ok(()),
        }
    }

    fn local_path(&self, path: &str) -> Option<PathBuf> {
        Some(self.path(path))
    }

    fn allocate(&self, path: &str, bytes: u64) -> Result<Created> {
        check_path(path)?;
        self.check_writable("allocate a file")?;
        if self.path(path).exists() {
            return Ok(Created::AlreadyThere);
        }
        self.publish(path, FILE_MODE, &|file| write_zeros(file, bytes), link)
    }

    fn open_file(&self, path: &str) -> Result<Option<Arc<dyn StoreFile>>> {
        let file = match self.open_local(path, self.access == Access::ReadWrite) {
            // A directory that may only be read can still be read.
            Err(Error::ReadOnly { .. }) => self.open_local(path, false)?,
            other => other?,
        };
        Ok(file.map(|file| -> Arc<dyn StoreFile> { Arc::new(file) }))
    }
}

impl LocalStore {
    fn open_local(&self, path: &str, write: bool) -> Result<Option<LocalFile>> {
        check_path(path)?;
        match OpenOptions::new().read(true).write(write).open(self.path(path)) {
            Ok(file) => Ok(Some(LocalFile { file, path: path.to_string(), write })),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(write_error("open", path, error)),
        }
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn write_error(action: &'static str, path: impl std::fmt::Display, error: io::Error) -> Error {
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            Error::ReadOnly { action, reason: format!("{path}: {error}") }
        }
        _ => Error::io(action, path, error),
    }
}
