//! Runs and prints the commands of the demonstration, and keeps the time.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use armillaria::{Database, OpenOptions};
use tempfile::TempDir;

use crate::Outcome;

/// How long the subscriber may take to catch up at the end.
const CATCH_UP: Duration = Duration::from_secs(20);

/// The folder, the program, and what was measured.
pub(crate) struct Stage {
    folder: TempDir,
    program: PathBuf,
    data: PathBuf,
    started: Instant,
    times: Vec<(String, Duration)>,
}

impl Stage {
    /// Makes the folder and the repository.
    pub(crate) fn new(program: PathBuf, data: PathBuf) -> Outcome<Stage> {
        let (folder, times) = (tempfile::tempdir()?, Vec::new());
        let (program, data) = (program.canonicalize()?, data.canonicalize()?);
        let mut stage = Stage { folder, program, data, started: now(), times };
        stage.heading("A repository")?;
        stage.run(&["init"])?;
        Ok(stage)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.folder().join("nyc")
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    pub(crate) fn heading(&self, text: &str) -> Outcome {
        Ok(writeln!(io::stdout(), "\n━━ {text} {}\n", "━".repeat(90usize.saturating_sub(text.chars().count())))?)
    }

    pub(crate) fn say(&self, text: &str) -> Outcome {
        Ok(writeln!(io::stdout(), "{text}")?)
    }

    /// Prints lines of Rust that the demonstration runs.
    pub(crate) fn code(&self, lines: &str) -> Outcome {
        Ok(lines.lines().try_for_each(|line| writeln!(io::stdout(), "  │ {line}"))?)
    }

    /// Runs a command of the command line and prints both it and its answer.
    pub(crate) fn run(&mut self, arguments: &[&str]) -> Outcome {
        self.run_expecting(arguments, true, true)
    }

    /// Runs a command and prints the last line of its answer only.
    pub(crate) fn run_quietly(&mut self, arguments: &[&str]) -> Outcome {
        self.run_expecting(arguments, true, false)
    }

    /// Runs a command that must fail.
    pub(crate) fn run_failing(&mut self, arguments: &[&str]) -> Outcome {
        self.run_expecting(arguments, false, true)
    }

    fn run_expecting(&mut self, arguments: &[&str], success: bool, whole: bool) -> Outcome {
        let shown: Vec<String> = arguments.iter().map(|argument| Stage::shown(argument)).collect();
        writeln!(io::stdout(), "$ armillaria {}", shown.join(" "))?;
        let mut command = self.command();
        let output = self.timed(arguments.first().unwrap_or(&""), || Ok(command.args(arguments).output()?))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let lines: Vec<&str> = text.lines().collect();
        let from = if whole { 0 } else { lines.len().saturating_sub(1) };
        lines[from..].iter().try_for_each(|line| writeln!(io::stdout(), "{line}"))?;
        io::stdout().write_all(&output.stderr)?;
        match output.status.success() == success {
            true => Ok(()),
            false => Err(format!("armillaria {} ended with {}", shown.join(" "), output.status).into()),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(self.folder()).env("ARMILLARIA_REPO", "nyc").env("ARMILLARIA_AUTHOR", "demo");
        command.stdin(Stdio::null());
        command
    }

    /// As a user would type it.
    fn shown(argument: &str) -> String {
        if argument.contains([' ', '(', '\'']) { format!("\"{argument}\"") } else { argument.into() }
    }

    /// Does something and remembers how long it took.
    pub(crate) fn timed<T>(&mut self, what: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        let started = now();
        let result = work();
        self.times.push((what.into(), started.elapsed()));
        result
    }

    /// Prints what took how long: the commands of one kind together.
    pub(crate) fn times(&self) -> Outcome {
        let mut kinds: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
        self.times.iter().for_each(|(kind, time)| kinds.entry(kind).or_default().push(*time));
        let mut out = io::stdout();
        writeln!(out, "\n{:<32} {:>5} {:>12} {:>12}", "what", "runs", "median", "all")?;
        for (kind, mut times) in kinds {
            times.sort_unstable();
            let (median, all): (Duration, Duration) = (times[times.len() / 2], times.iter().sum());
            writeln!(out, "{kind:<32} {:>5} {:>9.1} ms {:>9.1} ms", times.len(), millis(median), millis(all))?;
        }
        writeln!(
            out,
            "\nThe whole demonstration took {:.1} s. Its folder is gone.",
            self.started.elapsed().as_secs_f64()
        )?;
        Ok(())
    }

    /// Starts a process that watches everything from the beginning.
    pub(crate) fn subscribe(&self) -> Outcome<Subscriber> {
        let mut process = self.command().args(["watch", "--since", "0", "--json"]).stdout(Stdio::piped()).spawn()?;
        let output = BufReader::new(process.stdout.take().ok_or("the subscriber has no output")?);
        let (sender, entries) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Subscriber { process, entries })
    }

    /// Copies the repository.
    pub(crate) fn copy_repository(&self) -> Outcome<PathBuf> {
        let copy = self.folder().join("copy");
        let status = Command::new("cp").arg("-R").arg(self.repository()).arg(&copy).status()?;
        if status.success() { Ok(copy) } else { Err(format!("cp ended with {status}").into()) }
    }
}

/// A process that watches.
pub(crate) struct Subscriber {
    process: Child,
    entries: Receiver<String>,
}

impl Subscriber {
    /// Waits until the newest transaction was seen; returns how many were seen and how many there are.
    pub(crate) fn finish(self, stage: &Stage) -> Outcome<(u64, u64)> {
        let options = OpenOptions { create: false, read_only: true, ..OpenOptions::default() };
        let latest = Database::open(stage.repository(), options)?.latest_tx_id()?;
        let deadline = now() + CATCH_UP;
        let mut seen = 0;
        while seen < latest {
            match self.entries.recv_timeout(deadline.saturating_duration_since(now())) {
                Ok(line) => {
                    let entry: serde_json::Value = serde_json::from_str(&line)?;
                    seen += 1;
                    if entry["tx_id"] != seen {
                        return Err(format!("the subscriber expected transaction {seen} and saw {entry}").into());
                    }
                }
                Err(RecvTimeoutError::Timeout) => return Err(format!("the subscriber saw {seen} of {latest}").into()),
                Err(RecvTimeoutError::Disconnected) => return Err("the subscriber ended early".into()),
            }
        }
        Ok((seen, latest))
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        if self.process.kill().is_ok() {
            // The process is gone either way; its status says nothing.
            drop(self.process.wait());
        }
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[expect(clippy::disallowed_methods, reason = "a demonstration shows how long things take")]
fn now() -> Instant {
    Instant::now()
}
