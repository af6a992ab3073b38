//! CSV on its way to the parser, which skips lines that are empty and takes the end of the file for the end of a quote.
//! Here an empty line becomes a value where the file has one column, and a file that ends inside quotes is refused.

use std::io::{self, Read};

use super::{BYTE_ORDER_MARK, Counted};

/// Where the parser stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// At the beginning of a line; `after_cr` behind a carriage return, whose newline belongs to it.
    Line {
        after_cr: bool,
    },
    /// At the beginning of a later value of a line.
    Value,
    /// In a value without quotes.
    Plain,
    Quoted,
    /// Behind a quote inside quotes: their end, or the first half of a doubled one.
    Quote,
}

/// The file is read in parts of this size.
const PART_BYTES: usize = 1 << 18;

/// Reads a CSV file.
#[derive(Debug)]
pub(super) struct CsvLines {
    file: Counted,
    part: Vec<u8>,
    delimiter: u8,
    empty_lines: EmptyLines,
    state: State,
    /// The line that is read; 0 before the first.
    line: u64,
    /// The line of the last quote that opened a value.
    quoted_since: u64,
    ready: Vec<u8>,
    taken: usize,
}

/// What a line that is empty means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EmptyLines {
    /// Nothing: there are several columns.
    Skipped,
    /// A row, whose only value is empty.
    Rows,
    /// The same, but only from the first line on that is not empty: it names the column.
    RowsBelowHeader,
}

impl CsvLines {
    pub(super) fn new(file: Counted, delimiter: u8, empty_lines: EmptyLines) -> CsvLines {
        let state = State::Line { after_cr: false };
        let (part, ready) = (vec![0; PART_BYTES], Vec::new());
        CsvLines { file, part, delimiter, empty_lines, state, line: 0, quoted_since: 0, ready, taken: 0 }
    }

    /// Makes the next part of the file ready; nothing at its end.
    fn advance(&mut self) -> io::Result<()> {
        (self.ready, self.taken) = (Vec::with_capacity(PART_BYTES), 0);
        let bytes = self.file.read(&mut self.part)?;
        if bytes == 0 && self.state == State::Quoted {
            let reason = format!("the file ends inside the quotes that line {} opens", self.quoted_since);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, reason));
        }
        let first = self.line == 0;
        self.line = self.line.max(1);
        let part = std::mem::take(&mut self.part);
        let text = &part[..bytes];
        self.follow(text.strip_prefix(BYTE_ORDER_MARK).filter(|_| first).unwrap_or(text));
        self.part = part;
        Ok(())
    }

    /// Follows the parser through a part of the file, and makes it ready.
    fn follow(&mut self, part: &[u8]) {
        for &byte in part {
            if self.is_empty_line(byte) {
                self.ready.extend_from_slice(b"\"\"");
            }
            self.ready.push(byte);
            let next = self.next_state(byte);
            if next == State::Quoted && !matches!(self.state, State::Quoted | State::Quote) {
                self.quoted_since = self.line;
            }
            if self.empty_lines == EmptyLines::RowsBelowHeader && !matches!(next, State::Line { .. }) {
                self.empty_lines = EmptyLines::Rows;
            }
            self.line += u64::from(byte == b'\n');
            self.state = next;
        }
    }

    fn next_state(&self, byte: u8) -> State {
        match (self.state, byte) {
            (State::Quoted, b'"') => State::Quote,
            (State::Quoted, _) => State::Quoted,
            (State::Line { .. } | State::Value | State::Quote, b'"') => State::Quoted,
            (_, b'\r') => State::Line { after_cr: true },
            (_, b'\n') => State::Line { after_cr: false },
            (_, byte) if byte == self.delimiter => State::Value,
            _ => State::Plain,
        }
    }

    fn is_empty_line(&self, byte: u8) -> bool {
        let State::Line { after_cr } = self.state else { return false };
        self.empty_lines == EmptyLines::Rows && (byte == b'\r' || (byte == b'\n' && !after_cr))
    }
}

impl Read for CsvLines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.ready.len() {
            self.advance()?;
        }
        let ready = &self.ready[self.taken..];
        let bytes = ready.len().min(buffer.len());
        buffer[..bytes].copy_from_slice(&ready[..bytes]);
        self.taken += bytes;
        Ok(bytes)
    }
}
