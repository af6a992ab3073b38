//! Work that needs a process of its own: this program, started again with one of the subcommands below.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use armillaria::store::{Clock, SystemClock};
use armillaria::{At, Database, OpenOptions, VerifyOptions, WriteOptions};
use arrow::array::RecordBatchIterator;
use clap::Subcommand;

use crate::data::{self, BATCH_ROWS, Generator};
use crate::{Result, figures};

/// What such a process does.
#[derive(Debug, Subcommand)]
pub(crate) enum Worker {
    /// Commits ten rows at a time once a line comes in; tells the seconds it took
    #[command(hide = true)]
    Commit {
        /// The repository.
        directory: PathBuf,
        /// How many commits.
        commits: usize,
    },
    /// Asks for nothing, often; tells the seconds it took
    #[command(hide = true)]
    Query {
        /// How often.
        queries: usize,
    },
    /// Streams a table in and out again; tells the most memory that it ever had
    #[command(hide = true)]
    Stream {
        /// The repository.
        directory: PathBuf,
        /// The size of the table in memory.
        bytes: u64,
    },
    /// Verifies a repository, every chunk of it
    #[command(hide = true)]
    Verify {
        /// The repository.
        directory: PathBuf,
    },
}

/// Does the work.
pub(crate) fn work(worker: &Worker) -> Result<()> {
    match worker {
        Worker::Commit { directory, commits } => commit(directory, *commits),
        Worker::Query { queries } => query(*queries),
        Worker::Stream { directory, bytes } => stream(directory, *bytes),
        Worker::Verify { directory } => verify(directory),
    }
}

fn open(directory: &Path) -> Result<Database> {
    Ok(Database::open(directory, OpenOptions::default())?)
}

fn commit(directory: &Path, commits: usize) -> Result<()> {
    let database = open(directory)?;
    let batches = figures::commits::small_batches(i64::from(std::process::id()) << 32, commits + 1)?;
    let (first, rest) = batches.split_first().ok_or("nothing to commit")?;
    let append =
        |batch| database.write_table("events", data::stream(std::slice::from_ref(batch)), &WriteOptions::append());
    append(first)?;
    tell("ready")?;
    std::io::stdin().read_line(&mut String::new())?;
    let clock = SystemClock::new();
    for batch in rest {
        append(batch)?;
    }
    tell(&clock.monotonic().as_secs_f64().to_string())
}

fn query(queries: usize) -> Result<()> {
    let database = open(Path::new("memory:"))?;
    database.write_table("small", data::stream(&data::table(100)?), &WriteOptions::default())?;
    figures::border::query_often(&database, queries / 10)?;
    let clock = SystemClock::new();
    figures::border::query_often(&database, queries)?;
    tell(&clock.monotonic().as_secs_f64().to_string())
}

fn stream(directory: &Path, bytes: u64) -> Result<()> {
    let database = open(directory)?;
    let (mut generator, mut made) = (Generator::new(0), 0);
    let batches = std::iter::from_fn(move || {
        (made < bytes).then(|| {
            let batch = generator.batch(BATCH_ROWS);
            made += batch.as_ref().map_or(0, |batch| data::slice_bytes(batch) as u64);
            batch
        })
    });
    let rows = Box::new(RecordBatchIterator::new(batches, data::schema()));
    let written = database.write_table("large", rows, &WriteOptions::default())?.rows;
    tell(&memory_peak_bytes()?.to_string())?;
    let (read, read_bytes) = data::drain(database.read_table("large", None, &At::head())?)?;
    if read != written || read_bytes < bytes {
        return Err(format!("{written} rows of {bytes} bytes were written, {read} of {read_bytes} came out").into());
    }
    tell(&memory_peak_bytes()?.to_string())
}

fn verify(directory: &Path) -> Result<()> {
    let report = open(directory)?.verify(&VerifyOptions { deep: true, ..VerifyOptions::default() })?;
    if report.ok { tell("ok") } else { Err(format!("damaged: {:?}", report.problems).into()) }
}

/// The most memory that this process ever had resident, as Linux counts it.
fn memory_peak_bytes() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/self/status")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024)
}

fn tell(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// Another process that answers lines; the first that it says is "ready". It is ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Conversation {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Conversation {
    /// Starts a process and waits until it is ready.
    pub(crate) fn start(command: &mut Command) -> Result<Conversation> {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = process.stdin.take().ok_or("no pipe to the process")?;
        let output = BufReader::new(process.stdout.take().ok_or("no pipe from the process")?);
        let mut conversation = Conversation { process, input, output };
        match conversation.listen()?.trim() {
            "ready" => Ok(conversation),
            other => Err(format!("a process said {other:?} and should have said that it is ready").into()),
        }
    }

    /// Starts this program again to commit rows.
    pub(crate) fn committer(directory: &Path, commits: usize) -> Result<Conversation> {
        let mut command = Command::new(std::env::current_exe()?);
        Conversation::start(command.arg("commit").arg(directory).arg(commits.to_string()))
    }

    /// Sends a line.
    pub(crate) fn say(&mut self, line: &str) -> Result<()> {
        writeln!(self.input, "{line}")?;
        Ok(self.input.flush()?)
    }

    /// Waits for a line.
    pub(crate) fn listen(&mut self) -> Result<String> {
        let mut line = String::new();
        match self.output.read_line(&mut line)? {
            0 => Err("a process ended too early; what it said is above".into()),
            _ => Ok(line),
        }
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// How long so many empty queries took in a process of their own, without its start.
pub(crate) fn empty_queries(queries: usize) -> Result<Duration> {
    let text = run("query", &[queries.to_string().as_ref()])?;
    Ok(Duration::from_secs_f64(text.trim().parse()?))
}

/// The memory that streaming a table in, and then in and out, took at most: in bytes.
pub(crate) fn stream_in_and_out(directory: &Path, bytes: u64) -> Result<[f64; 2]> {
    let text = run("stream", &[directory.as_os_str(), bytes.to_string().as_ref()])?;
    let mut peaks = text.lines().map(str::parse);
    let mut next = || peaks.next().ok_or("the process said too little");
    Ok([next()??, next()??])
}

/// Runs this program again to verify a repository; how long that took, start to end.
pub(crate) fn verify_deep(directory: &Path) -> Result<Duration> {
    let clock = SystemClock::new();
    run("verify", &[directory.as_os_str()])?;
    Ok(clock.monotonic())
}

fn run(subcommand: &str, arguments: &[&OsStr]) -> Result<String> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(subcommand).args(arguments).stderr(Stdio::inherit());
    let output = command.output()?;
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout)?),
        false => Err(format!("the process that was to {subcommand} ended with {}", output.status).into()),
    }
}
