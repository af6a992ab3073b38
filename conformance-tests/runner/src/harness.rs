//! The operations that are no operations of the product: files, damage, waiting. And where a case's paths are.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::case::suite_dir;
use crate::failure::Failure;
use crate::step::Step;

/// Runs a step if it is one of these; says whether it was.
pub(crate) fn run(step: &Step, directory: &Path) -> Result<bool, Failure> {
    match step.op() {
        "copy_fixture" => {
            let from = suite_dir().join("fixtures").join(step.text("fixture")?);
            copy(&from, &directory.join(step.text("to")?)).map_err(failed)?;
        }
        "write_file" => write_file(&directory.join(step.text("path")?), step.text("text")?).map_err(failed)?,
        "corrupt_file" => corrupt(&directory.join(step.text("path")?), Some(step.number("offset")?)).map_err(failed)?,
        "corrupt_chunk" => corrupt(&chunk_path(step, directory)?, None).map_err(failed)?,
        "delete_chunk" => fs::remove_file(chunk_path(step, directory)?).map_err(failed)?,
        "sleep_ms" => sleep(Duration::from_millis(step.number("ms")?)),
        _ => return Ok(false),
    }
    Ok(true)
}

/// A location of a case: below its directory, unless it means something else.
pub(crate) fn place(directory: &Path, location: &str) -> PathBuf {
    match location.is_empty() || location == "memory:" || location.contains("://") {
        true => PathBuf::from(location),
        false => directory.join(location),
    }
}

fn failed(error: io::Error) -> Failure {
    Failure::Case(error.to_string())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn write_file(path: &Path, text: &str) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(path, text)
}

fn chunk_path(step: &Step, directory: &Path) -> Result<PathBuf, Failure> {
    let hash = step.text("hash")?;
    let (Some(first), Some(second)) = (hash.get(..2), hash.get(2..4)) else { return Err("that is no hash".into()) };
    let chunks = directory.join(step.text_maybe("location")?.unwrap_or("repo")).join("chunks");
    Ok(chunks.join(first).join(second).join(format!("{hash}.parquet")))
}

/// Turns all bits of one byte of a file, the one in the middle if no other is named.
fn corrupt(path: &Path, offset: Option<u64>) -> io::Result<()> {
    let mut bytes = fs::read(path)?;
    let place = offset.map_or(bytes.len() / 2, |offset| offset as usize);
    let byte = bytes.get_mut(place).ok_or(io::ErrorKind::UnexpectedEof)?;
    *byte = !*byte;
    // Chunks are read-only, and have no other name: a new file takes the place of the old one.
    fs::remove_file(path)?;
    fs::write(path, bytes)
}

#[expect(clippy::disallowed_methods, reason = "a case waits for real time to pass")]
fn sleep(time: Duration) {
    std::thread::sleep(time);
}
