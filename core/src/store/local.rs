//! A store in a directory of the local file system.
//!
//! An object is written to `tmp/`, synced, and linked to its name, so that it is whole wherever its name is. Its
//! directory entry is made durable by [`Store::sync`], with every directory above it that this handle has not yet
//! seen durable. Whoever writes a file in `tmp/` holds its lock; what is there under a staged name without a lock
//! belongs to a dead process.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, DirEntry, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;

use super::{Access, Created, Listed, Randomness, Store, StoreFile, SystemRandomness, check_directory, check_path};
use crate::error::{Error, Result};

/// The directory of files that are being written.
const TMP: &str = "tmp";

/// What the names of files in [`TMP`] end with, so that nobody else's file is taken for one.
const STAGED: &str = ".staged";

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
    /// The lowest directory, at or above the root, that was there when the store was opened.
    anchor: PathBuf,
    /// Objects whose bytes this handle has synced and whose names it has not.
    fresh: Mutex<HashSet<String>>,
    /// Directories whose own entry in the directory above is known to be durable.
    durable: Mutex<HashSet<PathBuf>>,
    /// Why a sync failed; from then on nothing is known to be durable.
    failed_sync: OnceLock<String>,
}

impl LocalStore {
    /// Opens a directory. It need not be there: the first write makes it.
    pub fn open(root: impl AsRef<Path>, access: Access) -> Result<LocalStore> {
        let given = root.as_ref();
        let root = std::path::absolute(given).map_err(|error| Error::io("find", given.display(), error))?;
        let anchor = root.ancestors().find(|directory| directory.is_dir()).unwrap_or(&root).to_path_buf();
        let (fresh, durable, failed_sync) = Default::default();
        Ok(LocalStore { root, access, anchor, fresh, durable, failed_sync })
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
        if self.durable().contains(directory) {
            return Ok(());
        }
        fs::create_dir_all(directory).map_err(|error| write_error("make a directory", directory.display(), error))
    }

    /// Makes the entry of every one of these paths durable, and the entries of the directories above them.
    fn sync_directories(&self, paths: &[&str]) -> Result<()> {
        let mut directories: BTreeSet<PathBuf> =
            paths.iter().filter_map(|path| self.path(path).parent().map(Path::to_path_buf)).collect();
        let mut made_durable: Vec<PathBuf> = Vec::new();
        for directory in directories.clone() {
            for below in directory.ancestors().take_while(|below| *below != self.anchor) {
                if self.durable().contains(below) {
                    break;
                }
                directories.extend(below.parent().map(Path::to_path_buf));
                made_durable.push(below.to_path_buf());
            }
        }
        self.sync_anchor()?;
        // From the bottom up, so that a name is durable only once there is something durable behind it.
        for directory in directories.iter().rev() {
            let opened = File::open(directory).map_err(|error| Error::io("open", directory.display(), error))?;
            opened
                .sync_all()
                .map_err(|error| self.sync_failed(Error::io("sync a directory", directory.display(), error)))?;
        }
        self.durable().extend(made_durable);
        Ok(())
    }

    /// Makes the entry of the directory durable that was there before this handle: nobody knows whether who made it did.
    fn sync_anchor(&self) -> Result<()> {
        let Some(above) = self.anchor.parent().filter(|_| !self.durable().contains(&self.anchor)) else {
            return Ok(());
        };
        match File::open(above) {
            Ok(directory) => match directory.sync_all() {
                Err(error) if !is_beyond_sync(&error) => {
                    return Err(self.sync_failed(Error::io("sync a directory", above.display(), error)));
                }
                _ => {}
            },
            // Who may not even list it has not made it, and cannot sync it.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
            Err(error) => return Err(Error::io("open", above.display(), error)),
        }
        self.durable().insert(self.anchor.clone());
        Ok(())
    }

    fn sync_bytes(&self, path: &str) -> Result<()> {
        if self.fresh().contains(path) {
            return Ok(());
        }
        let file = File::open(self.path(path)).map_err(|error| Error::io("open", path, error))?;
        file.sync_data().map_err(|error| self.sync_failed(Error::io("sync", path, error)))
    }

    fn sync_failed(&self, error: Error) -> Error {
        self.failed_sync.get_or_init(|| error.to_string());
        error
    }

    fn fresh(&self) -> MutexGuard<'_, HashSet<String>> {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn durable(&self) -> MutexGuard<'_, HashSet<PathBuf>> {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a directory cannot be synced at all, as on a file system that is never written: nothing in it can be lost.
fn is_beyond_sync(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported | ErrorKind::ReadOnlyFilesystem)
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
            self.fresh().insert(path.to_string());
        }
        Ok(created)
    }

    fn replace(&self, path: &str, bytes: &[u8]) -> Result<()> {
        check_path(path)?;
        self.check_writable("replace an object")?;
        let rename = |staged: &Path, target: &Path| fs::rename(staged, target);
        self.publish(path, OBJECT_MODE, &|file| file.write_all(bytes), rename)?;
        self.fresh().insert(path.to_string());
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
        if let Some(reason) = self.failed_sync.get() {
            return Err(Error::OutcomeUnknown { reason: reason.clone() });
        }
        for path in paths {
            check_path(path)?;
            self.sync_bytes(path)?;
        }
        self.sync_directories(paths)?;
        let mut fresh = self.fresh();
        paths.iter().for_each(|path| _ = fresh.remove(*path));
        Ok(())
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
        self.fresh().remove(path);
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

/// A file that is open.
#[derive(Debug)]
struct LocalFile {
    file: File,
    path: String,
    write: bool,
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

fn staged_name() -> Result<String> {
    let mut bytes = [0; 16];
    SystemRandomness.fill(&mut bytes)?;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(digits + STAGED)
}

/// Whether a path is one that [`staged_name`] gives, in [`TMP`] itself.
fn is_staged(path: &str) -> bool {
    let digits = path.strip_prefix(TMP).and_then(|rest| rest.strip_prefix('/')?.strip_suffix(STAGED));
    digits.is_some_and(|digits| digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Writes and syncs a new file; the lock that marks it as in use ends when the file is closed.
fn stage(path: &Path, mode: u32, write: &dyn Fn(&mut File) -> io::Result<()>) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    // Without the lock a sweeper may take the file away; then linking it fails, and it is written again.
    let _ = file.try_lock();
    write(&mut file)?;
    file.sync_data()?;
    Ok(file)
}

/// Gives a staged file its name unless the name is taken. Where links are forbidden (Android, some network file
/// systems), a rename that replaces nothing does the same.
fn link(staged: &Path, target: &Path) -> io::Result<()> {
    match fs::hard_link(staged, target) {
        Err(error)
            if !matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound | ErrorKind::StorageFull) =>
        {
            rename_new(staged, target)
                .map_err(|second| if second.kind() == ErrorKind::AlreadyExists { second } else { error })
        }
        other => other,
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn rename_new(staged: &Path, target: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, staged, CWD, target, RenameFlags::NOREPLACE)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn rename_new(_staged: &Path, _target: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

fn write_zeros(file: &mut File, bytes: u64) -> io::Result<()> {
    static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
    let mut left = bytes;
    while left > 0 {
        let part = left.min(ZEROS.len() as u64);
        file.write_all(&ZEROS[..part as usize])?;
        left -= part;
    }
    Ok(())
}

/// Shows every entry below a directory that is none itself, at any depth, with its path.
fn walk(directory: &Path, name: &str, show: &mut dyn FnMut(&DirEntry, String) -> io::Result<()>) -> io::Result<()> {
    let entries = match fs::read_dir(directory) {
        Err(error) if is_absent(&error) => return Ok(()),
        other => other?,
    };
    for entry in entries {
        let entry = entry?;
        let own_name = entry.file_name().to_string_lossy().into_owned();
        let path = if name.is_empty() { own_name } else { format!("{name}/{own_name}") };
        if is_directory(&entry) { walk(&entry.path(), &path, show)? } else { show(&entry, path)? }
    }
    Ok(())
}

/// Whether an entry is a directory, or a link to one.
fn is_directory(entry: &DirEntry) -> bool {
    match entry.file_type() {
        Ok(kind) if kind.is_symlink() => fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_dir()),
        Ok(kind) => kind.is_dir(),
        // Gone since the directory was read, or it cannot be told: whoever is shown it finds out.
        Err(_) => false,
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
