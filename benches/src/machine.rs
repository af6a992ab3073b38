//! What the numbers were measured on, without names that identify the machine.

use std::fmt;
use std::path::Path;
use std::process::Command;

use arrow::temporal_conversions::timestamp_us_to_datetime;

use crate::Result;
use crate::context::Context;
use crate::peers::{doltlite, duckdb};

/// What the numbers were measured on.
#[derive(Debug)]
pub(crate) struct Machine {
    facts: Vec<(&'static str, String)>,
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n| | |\n|---|---|")?;
        self.facts.iter().try_for_each(|(name, fact)| write!(f, "\n| {name} | {fact} |"))?;
        writeln!(f)
    }
}

/// Looks around. What cannot be found out is "unknown".
pub(crate) fn describe(context: &Context) -> Result<Machine> {
    let unknown = || "unknown".to_string();
    let doltlite = doltlite::version(context).unwrap_or_else(|_| "not installed".to_string());
    let b3sum =
        first_line(Command::new(&context.b3sum).arg("--version")).unwrap_or_else(|| "not installed".to_string());
    let facts = vec![
        (
            "date",
            timestamp_us_to_datetime(context.now_us()).map_or_else(unknown, |time| format!("{} UTC", time.date())),
        ),
        ("command", "`make bench`".to_string()),
        ("processor", processor().map_or_else(unknown, |name| format!("{name}, {} cores", context.threads))),
        ("memory", memory_gib().map_or_else(unknown, |gib| format!("{gib:.0} GiB"))),
        ("file system", file_system(context.directory()).unwrap_or_else(unknown)),
        ("system", format!("{} {}, {}", std::env::consts::OS, kernel().unwrap_or_default(), std::env::consts::ARCH)),
        ("load when it began", load().unwrap_or_else(unknown)),
        ("Armillaria", format!("{} (release, thin LTO)", env!("CARGO_PKG_VERSION"))),
        ("DuckDB", duckdb::version()?),
        ("DoltLite", doltlite),
        ("b3sum", b3sum.trim_start_matches("b3sum ").to_string()),
    ];
    Ok(Machine { facts })
}

/// What a program says first; `None` if it cannot be run.
pub(crate) fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(str::to_string)
}

fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_string())
}

fn memory_gib() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib / f64::from(1 << 20))
}

fn kernel() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    let numbers = text.trim().split(|letter: char| letter != '.' && !letter.is_ascii_digit()).next()?;
    Some(numbers.to_string())
}

fn load() -> Option<String> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next().map(str::to_string)
}

/// The type of the file system that a directory is on.
fn file_system(directory: &Path) -> Option<String> {
    let directory = directory.canonicalize().ok()?;
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    let mount = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        Some((words.next()?.to_string(), words.next()?.to_string()))
    };
    let holding = mounts.lines().filter_map(mount).filter(|(place, _)| directory.starts_with(place));
    holding.max_by_key(|(place, _)| place.len()).map(|(_, kind)| kind)
}
