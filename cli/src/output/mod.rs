//! Standard output: tables for people, JSON for programs, rows in any format.

mod file;
mod json_values;
mod people;
mod rows;

use std::io::{self, Write};

use serde_json::Value;

pub(crate) use file::write_file;
pub(crate) use people::{Table, bytes, count, grouped, printable};
pub(crate) use rows::{RowsFormat, Sink, TABLE_ROWS_MAX, print_rows, write_rows};

use people::show_rows;

use crate::failure::Outcome;
use crate::style::Style;

/// Where a command's answer goes, and in which form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
    style: Style,
}

impl Output {
    /// Standard output, as JSON or for people.
    pub(crate) fn new(json: bool) -> Output {
        let style = if json { Style::plain() } else { Style::of(&io::stdout()) };
        Output { json, style }
    }

    /// Whether programs read it.
    pub(crate) const fn is_json(self) -> bool {
        self.json
    }

    /// Colours, if people read it on a terminal.
    pub(crate) const fn style(self) -> Style {
        self.style
    }

    /// Prints one answer: the value to programs, the text to people.
    pub(crate) fn answer(
        self,
        value: impl FnOnce() -> Value,
        people: impl FnOnce(&mut dyn Write, Style) -> io::Result<()>,
    ) -> Outcome {
        let mut out = io::BufWriter::new(io::stdout().lock());
        if self.json {
            serde_json::to_writer_pretty(&mut out, &value()).map_err(io::Error::from)?;
            writeln!(out)?;
        } else {
            people(&mut out, self.style)?;
        }
        Ok(out.flush()?)
    }
}
