//! What all figures share: sizes, the clock, the place, the peers' programs, and the table of ten million rows.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use armillaria::store::{Clock, SystemClock};
use armillaria::{Database, OpenOptions};
use arrow::array::RecordBatch;
use tempfile::TempDir;

use crate::{Result, Run, data};

/// `--quick` divides every size by this.
const QUICK_DIVISOR: usize = 20;

/// Rows of the large table.
const TABLE_ROWS: usize = 10_000_000;

/// What all figures share.
#[derive(Debug)]
pub(crate) struct Context {
    /// How many threads either side works with.
    pub(crate) threads: usize,
    /// A Python that has DoltLite.
    pub(crate) doltlite_python: Option<PathBuf>,
    /// The program b3sum.
    pub(crate) b3sum: PathBuf,
    /// Where the programs of other languages are.
    border: Option<PathBuf>,
    quick: bool,
    directory: TempDir,
    clock: SystemClock,
    table: OnceCell<Vec<RecordBatch>>,
}

impl Context {
    pub(crate) fn new(run: &Run) -> Result<Context> {
        std::fs::create_dir_all(&run.dir)?;
        Ok(Context {
            threads: std::thread::available_parallelism()?.get(),
            doltlite_python: run.doltlite_python.clone(),
            b3sum: run.b3sum.clone(),
            border: run.border.clone(),
            quick: run.quick,
            directory: tempfile::Builder::new().prefix("run-").tempdir_in(&run.dir)?,
            clock: SystemClock::new(),
            table: OnceCell::new(),
        })
    }

    /// A program of another language.
    pub(crate) fn border_program(&self, name: &str) -> Result<PathBuf> {
        let directory = self.border.as_ref().ok_or("no --border was given: `make bench` builds the programs")?;
        Ok(directory.join(name))
    }

    /// The directory of this run; it goes away with it.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A new directory for one figure.
    pub(crate) fn scratch(&self) -> Result<TempDir> {
        Ok(tempfile::tempdir_in(self.directory())?)
    }

    /// A size as it is asked for: the whole, or a twentieth of it.
    pub(crate) fn scaled(&self, size: usize) -> usize {
        if self.quick { size.div_ceil(QUICK_DIVISOR) } else { size }
    }

    /// Ten million rows in memory.
    pub(crate) fn table(&self) -> Result<&[RecordBatch]> {
        if self.table.get().is_none() {
            let rows = data::table(self.scaled(TABLE_ROWS))?;
            return Ok(self.table.get_or_init(|| rows));
        }
        Ok(self.table.get().map_or(&[], Vec::as_slice))
    }

    /// Time since some fixed moment.
    pub(crate) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Microseconds since 1970-01-01 UTC.
    pub(crate) fn now_us(&self) -> i64 {
        self.clock.now_us()
    }

    /// Does some work; how long it took, and what came of it.
    pub(crate) fn time<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<(Duration, T)> {
        let started = self.now();
        let done = work()?;
        Ok((self.now() - started, done))
    }

    /// Opens or makes a repository that works with as many threads as the other side.
    pub(crate) fn open(&self, directory: &Path) -> Result<Database> {
        Ok(Database::open(directory, OpenOptions { threads: Some(self.threads), ..OpenOptions::default() })?)
    }
}

/// Every file under a directory with its size, in the order of their paths.
pub(crate) fn files(directory: &Path) -> Result<Vec<(PathBuf, u64)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => files.extend(self::files(&entry.path())?),
            false => files.push((entry.path(), entry.metadata()?.len())),
        }
    }
    files.sort();
    Ok(files)
}
