//! What is in a directory, at any depth.

use std::fs::{self, DirEntry};
use std::io;
use std::path::Path;

use super::is_absent;

/// Shows every entry below a directory that is none itself, at any depth, with its path.
pub(super) fn walk(
    directory: &Path,
    name: &str,
    show: &mut dyn FnMut(&DirEntry, String) -> io::Result<()>,
) -> io::Result<()> {
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
