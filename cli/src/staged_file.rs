//! Temporary files that become a file of another name by a rename, so that nobody sees one half written.

use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

/// Makes a temporary file in the folder of `path`; it goes away unless it is persisted.
pub(crate) fn stage_beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".armillaria-");
    // Temporary files are private; what a command leaves follows the user's mask, like any new file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}
