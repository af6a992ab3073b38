//! Commits and changes of tables, for people.

use std::io::{self, Write};

use armillaria::{ChangelogTable, Commit};

use crate::output::{bytes, count, grouped};
use crate::style::Style;

/// A commit in a few lines.
pub(super) fn write_commit(commit: &Commit, out: &mut dyn Write, style: Style) -> io::Result<()> {
    writeln!(out, "{} on {}", style.strong(&format!("committed transaction {}", commit.tx_id)), commit.branch)?;
    for table in &commit.tables {
        let version = table.version.map_or("dropped".into(), |version| format!("version {version}"));
        writeln!(out, "  {} {version}, {}", table.table, count(table.rows, "row"))?;
    }
    let written = format!(
        "  {} written ({}), {} reused ({})",
        count(commit.chunks_written, "chunk"),
        bytes(commit.bytes_written),
        grouped(commit.chunks_reused),
        bytes(commit.bytes_reused)
    );
    writeln!(out, "{}", style.faint(&written))
}

/// What an entry did to a table: `flights append 2→3 +28,834 -0`.
pub(super) fn table_text(table: &ChangelogTable, style: Style) -> String {
    let version = |version: Option<u64>| version.map_or("–".into(), |version| version.to_string());
    let versions = format!("{}→{}", version(table.from_version), version(table.to_version));
    let added = style.good(&format!("+{}", grouped(table.rows_added)));
    let removed = match table.rows_removed {
        0 => String::new(),
        rows => format!(" {}", style.bad(&format!("-{}", grouped(rows)))),
    };
    format!("{} {} {versions} {added}{removed}", table.table, table.kind.name())
}
