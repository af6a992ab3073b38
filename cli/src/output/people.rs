//! What people read: tables, counts and sizes.

use std::borrow::Cow;
use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use comfy_table::{Cell, CellAlignment, ContentArrangement, presets};

use crate::failure::Outcome;
use crate::style::Style;

/// A table with a line of headings.
#[derive(Debug)]
pub(crate) struct Table {
    table: comfy_table::Table,
    right: Vec<bool>,
}

impl Table {
    /// Headings; those that begin with `>` stand to the right, with their columns.
    pub(crate) fn new<'a>(headings: impl IntoIterator<Item = &'a str>) -> Table {
        let headings: Vec<(&str, bool)> =
            headings.into_iter().map(|heading| (heading.trim_start_matches('>'), heading.starts_with('>'))).collect();
        let mut table = comfy_table::Table::new();
        table.load_preset(presets::UTF8_FULL_CONDENSED);
        fit(&mut table);
        table.set_header(headings.iter().map(|(heading, _)| Cell::new(printable(heading))));
        Table { table, right: headings.into_iter().map(|(_, right)| right).collect() }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let align = |(cell, right): (String, &bool)| {
            let alignment = if *right { CellAlignment::Right } else { CellAlignment::Left };
            Cell::new(printable(&cell)).set_alignment(alignment)
        };
        self.table.add_row(cells.into_iter().zip(&self.right).map(align));
    }

    /// Writes it; one without rows becomes the sentence `nothing`.
    pub(crate) fn write_or(&self, out: &mut dyn Write, nothing: &str) -> io::Result<()> {
        match self.table.is_empty() {
            true => writeln!(out, "{nothing}"),
            false => self.write(out),
        }
    }

    /// Writes it, its headings alone if it has no rows.
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.table)
    }
}

/// A text of somebody else's with its control characters spelled out, so that it cannot steer the terminal; ends of
/// lines and tabs stay.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let steers = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\t');
    if !text.contains(steers) {
        return text.into();
    }
    let spell = |letter: char| if steers(letter) { letter.escape_unicode().to_string() } else { letter.to_string() };
    text.chars().map(spell).collect()
}

/// Fits a table to the terminal, unless that says that it is 0 columns wide: then it does not know (serial lines,
/// `script`, containers that were just started).
fn fit(table: &mut comfy_table::Table) {
    table.set_content_arrangement(match table.width() {
        Some(0) => ContentArrangement::Disabled,
        _ => ContentArrangement::Dynamic,
    });
}

/// Shows rows as a table: the first `rows_max` of them, all if it is 0. Returns how many were shown.
pub(crate) fn show_rows(
    schema: &Schema,
    batches: &mut dyn Iterator<Item = Result<RecordBatch, ArrowError>>,
    rows_max: usize,
    out: &mut dyn Write,
    style: Style,
) -> Outcome<usize> {
    let mut table = Table::for_rows(schema);
    let (mut shown, mut more) = (0, false);
    while let (false, Some(batch)) = (more, batches.next().transpose()?) {
        let wanted = if rows_max == 0 { batch.num_rows() } else { batch.num_rows().min(rows_max - shown) };
        table.rows_of(&batch.slice(0, wanted))?;
        shown += wanted;
        more = wanted < batch.num_rows();
    }
    match schema.fields().is_empty() {
        true => writeln!(out, "no columns")?,
        false => table.write(out)?,
    }
    let note = if more { format!("the first {shown} rows; --rows 0 shows all") } else { count(shown as u64, "row") };
    writeln!(out, "{}", style.faint(&note))?;
    Ok(shown)
}

impl Table {
    fn for_rows(schema: &Schema) -> Table {
        let heading = |name: &str, numeric| if numeric { format!(">{name}") } else { name.into() };
        let headings: Vec<String> =
            schema.fields().iter().map(|field| heading(field.name(), field.data_type().is_numeric())).collect();
        Table::new(headings.iter().map(String::as_str))
    }

    fn rows_of(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let options = FormatOptions::default().with_null("NULL").with_display_error(true);
        let columns = batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            self.row(columns.iter().map(|column| column.value(row).to_string()));
        }
        Ok(())
    }
}

/// `1 row`, `336,776 rows`.
pub(crate) fn count(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// `336,776`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// `512 B`, `3.7 MiB`.
#[expect(clippy::cast_precision_loss, reason = "shown with one digit after the point")]
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if number < 1024 {
        return format!("{number} B");
    }
    let (mut size, mut unit) = (number as f64 / 1024.0, 0);
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_sizes_short() {
        assert_eq!(count(1, "row"), "1 row");
        assert_eq!(count(336_776, "row"), "336,776 rows");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(999), "999");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(3_900_000), "3.7 MiB");
        assert_eq!(bytes(u64::MAX), "16384.0 PiB");
    }

    #[test]
    fn a_terminal_of_unknown_width_gets_whole_lines() {
        let mut table = Table::new(["a heading"]);
        table.row(["a cell that is long".to_string()]);
        let lines = |width, table: &mut comfy_table::Table| {
            table.set_width(width);
            fit(table);
            table.to_string().lines().count()
        };
        assert_eq!(lines(0, &mut table.table), 5);
        assert!(lines(12, &mut table.table) > 5);
    }

    #[test]
    fn an_empty_table_is_a_sentence() {
        let mut out = Vec::new();
        Table::new(["a"]).write_or(&mut out, "no tables").unwrap();
        assert_eq!(out, b"no tables\n");
    }

    #[test]
    fn nobody_elses_text_steers_the_terminal() {
        assert_eq!(printable("a\u{1b}[31m\rb\nc\t\u{9b}ä"), "a\\u{1b}[31m\\u{d}b\nc\t\\u{9b}ä");
    }
}
