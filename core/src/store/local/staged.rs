//! Files that have no name yet: written and synced in `tmp/`, and then linked or renamed to where they are found.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::error::Result;
use crate::store::{Randomness, SystemRandomness};

/// The directory of files that are being written.
pub(super) const TMP: &str = "tmp";

/// What the names of files in [`TMP`] end with, so that nobody else's file is taken for one.
const STAGED: &str = ".staged";

/// A name that nobody else has.
pub(super) fn staged_name() -> Result<String> {
    let mut bytes = [0; 16];
    SystemRandomness.fill(&mut bytes)?;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(digits + STAGED)
}

/// Whether a path is one that [`staged_name`] gives, in [`TMP`] itself.
pub(super) fn is_staged(path: &str) -> bool {
    let digits = path.strip_prefix(TMP).and_then(|rest| rest.strip_prefix('/')?.strip_suffix(STAGED));
    digits.is_some_and(|digits| digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Writes and syncs a new file; the lock that marks it as in use ends when the file is closed.
pub(super) fn stage(path: &Path, mode: u32, write: &dyn Fn(&mut File) -> io::Result<()>) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    // Without the lock a sweeper may take the file away; then linking it fails, and it is written again.
    let _ = file.try_lock();
    write(&mut file)?;
    file.sync_data()?;
    Ok(file)
}

/// Gives a staged file its name unless the name is taken. Where links are forbidden (Android, some network file
/// systems), a rename that replaces nothing does the same.
pub(super) fn link(staged: &Path, target: &Path) -> io::Result<()> {
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

pub(super) fn write_zeros(file: &mut File, bytes: u64) -> io::Result<()> {
    static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
    let mut left = bytes;
    while left > 0 {
        let part = left.min(ZEROS.len() as u64);
        file.write_all(&ZEROS[..part as usize])?;
        left -= part;
    }
    Ok(())
}
