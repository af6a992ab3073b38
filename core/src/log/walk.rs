//! Reading records one after another, and telling what stands where no record does.

use std::sync::Arc;

use super::files::Files;
use super::{Damage, LogPosition, LogRecord, RecordLocation};
use crate::error::{Error, Result};
use crate::format::record::{self, END_OF_FILE, Frame, MAGIC, RECORD_BYTES_MIN, TRAILER_BYTES};
use crate::format::{RecordHash, Sequence};
use crate::store::StoreFile;

/// How much is read at once where one record follows another.
const READ_AHEAD_BYTES: usize = 64 << 10;

/// How many times its own size a file may be hashed in search of records behind damage.
const SEARCH_FACTOR_MAX: usize = 8;

pub(super) const CUT_SHORT: &str = "its file was cut short";

/// What stands behind the last record, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// Zeros.
    Clean,
    /// The file before has ended, the next one is not there yet.
    NoFile,
    /// Another record, most likely: it was not looked at yet.
    More,
    /// What is left of one more record, or one that is just being written.
    Torn,
    /// Something that is no record, with records behind it.
    Damaged(Damage),
}

/// What a walker finds next.
#[derive(Debug)]
pub(super) enum Step {
    Record(LogRecord),
    /// Zeros where the next record would begin.
    Zeros,
    /// The file of the next record is not there.
    NoFile,
    /// Bytes that are no record.
    Invalid,
    /// Something that no crash leaves.
    Damaged(Damage),
}

/// Walks from record to record and checks each against the one before.
#[derive(Debug)]
pub(super) struct Walker<'a> {
    files: &'a Files,
    pub(super) position: LogPosition,
    window: Window,
}

impl<'a> Walker<'a> {
    pub(super) fn new(files: &'a Files, position: LogPosition) -> Walker<'a> {
        Walker { files, position, window: Window::default() }
    }

    /// Reads the next record and goes behind it.
    pub(super) fn step(&mut self) -> Result<Step> {
        loop {
            let at = self.position;
            let Some(file) = self.files.open(at.file)? else { return Ok(self.missing_file()) };
            let head = self.window.peek(at.file, &file, at.offset, RECORD_BYTES_MIN)?;
            let full = head.len() < RECORD_BYTES_MIN;
            if full && self.files.is_cut_short(&file)? {
                return Ok(Step::Damaged(at.damage(CUT_SHORT)));
            }
            if full || head.starts_with(&END_OF_FILE) {
                match self.next_file() {
                    Some(damage) => return Ok(damage),
                    None => continue,
                }
            }
            if is_zero(head) {
                return Ok(Step::Zeros);
            }
            let length = record::claimed_bytes(head).unwrap_or(0);
            let frame = record::frame(self.window.peek(at.file, &file, at.offset, length)?);
            match frame.map(|frame| at.accept(&frame)).transpose()? {
                Some(step) => return Ok(self.passed(step)),
                // Whoever made the next file left this one clean: what is here now belongs to nothing.
                None if self.pass_lost_mark()? => {}
                None => return Ok(Step::Invalid),
            }
        }
    }

    /// Goes on in the next file if there is one, though the mark that this one has ended was lost: a power loss after a
    /// sync that failed can do that, and so can a kernel that lets go of what it could not write.
    pub(super) fn pass_lost_mark(&mut self) -> Result<bool> {
        let LogPosition { file, next, .. } = self.position;
        Ok(file != next && self.files.open(next)?.is_some() && self.next_file().is_none())
    }

    fn passed(&mut self, step: Step) -> Step {
        if let Step::Record(record) = &step {
            self.position = record.behind();
        }
        step
    }

    fn missing_file(&self) -> Step {
        match self.position.offset {
            0 => Step::NoFile,
            _ => Step::Damaged(self.position.damage("its file is missing")),
        }
    }

    /// Goes on in the next file, whether or not it is there yet.
    fn next_file(&mut self) -> Option<Step> {
        if self.position.file == self.position.next {
            return Some(Step::Damaged(self.position.damage("its file ends before its first record")));
        }
        self.position = LogPosition { file: self.position.next, offset: 0, ..self.position };
        None
    }
}

impl LogPosition {
    pub(super) fn damage(self, reason: impl Into<String>) -> Damage {
        Damage { at: self, reason: reason.into() }
    }

    /// Checks that a record that stands here belongs here.
    fn accept(self, frame: &Frame<'_>) -> Result<Step> {
        if frame.sequence != self.next {
            let reason = format!("record {} stands there", frame.sequence);
            return Ok(Step::Damaged(self.damage(reason)));
        }
        if frame.previous != self.previous {
            let reason = format!("it follows {}, the record before it is {}", frame.previous, self.previous);
            return Ok(Step::Damaged(self.damage(reason)));
        }
        match to_record(frame, self.file, self.offset) {
            Err(Error::LogCorrupt { reason, .. }) => Ok(Step::Damaged(self.damage(reason))),
            other => other.map(Step::Record),
        }
    }
}

fn to_record(frame: &Frame<'_>, file: Sequence, offset: u64) -> Result<LogRecord> {
    let payload = frame.payload()?;
    Ok(LogRecord {
        sequence: frame.sequence,
        location: RecordLocation { file, offset, bytes: frame.bytes },
        hash: frame.hash,
        previous: frame.previous,
        plain_bytes: payload.plain_bytes,
        transactions: payload.transactions.into_iter().map(Arc::new).collect(),
    })
}

/// Reads and verifies one record of which only the location is known.
pub(super) fn read_one(files: &Files, location: RecordLocation) -> Result<LogRecord> {
    let RecordLocation { file, offset, bytes } = location;
    let mut buffer = vec![0; bytes as usize];
    let count = files.open_existing(file)?.read_at(offset, &mut buffer)?;
    match record::frame(&buffer[..count]) {
        Some(frame) if frame.bytes == bytes => to_record(&frame, file, offset),
        _ => Err(Error::LogCorrupt {
            at: format!("{} at byte {offset}", super::files::path(file)),
            reason: "there is no record of the expected size and hash".to_string(),
        }),
    }
}

/// Whether a record stood at a place where none does now, and was durable: the lock file keeps the sequence of one, or
/// only its hash, and that is what stands there, or what the bytes there hash to.
pub(super) fn had_record(files: &Files, at: LogPosition) -> Result<bool> {
    let note = files.note()?;
    if note.tells_of(at.next) {
        return Ok(true);
    }
    let noted = note.hash;
    if noted == at.previous || is_zero(noted.as_bytes()) {
        return Ok(false);
    }
    let Some(file) = files.open(at.file)? else { return Ok(false) };
    let bytes = read_rest(&file, at.offset)?;
    let hashed = record::claimed_bytes(&bytes).and_then(|length| bytes.get(..length - TRAILER_BYTES));
    let stands_there = || bytes.windows(TRAILER_BYTES).any(|window| window == noted.as_bytes());
    Ok(hashed.is_some_and(|hashed| RecordHash::of(hashed) == noted) || stands_there())
}

/// Whether valid records stand behind a place where none does: then the place is damaged. A crash while the next
/// record is written leaves nothing valid behind it.
pub(super) fn has_records_behind(files: &Files, at: LogPosition) -> Result<bool> {
    if files.first_after(at.next)?.is_some() {
        return Ok(true);
    }
    let Some(file) = files.open(at.file)? else { return Ok(false) };
    let Some((zeros, bytes)) = read_behind_zeros(&file, at.offset)? else { return Ok(false) };
    let mut budget = bytes.len().saturating_mul(SEARCH_FACTOR_MAX);
    let mut start = usize::from(zeros == 0);
    while let Some(found) = find_magic(&bytes, start) {
        let candidate = &bytes[found..];
        if could_be_behind(candidate, at.next, zeros + found) {
            let hashed = record::claimed_bytes(candidate).unwrap_or(0);
            // Bytes made to look like very many records are treated as damage rather than searched for ever.
            if record::frame(candidate).is_some() || hashed > budget {
                return Ok(true);
            }
            budget -= hashed;
        }
        start = found + 1;
    }
    Ok(false)
}

/// Whether a later record can begin here: so far behind the place of record `next`, only so many fit between.
fn could_be_behind(candidate: &[u8], next: Sequence, distance: usize) -> bool {
    let Some(sequence) = record::claimed_sequence(candidate) else { return false };
    let between = (distance / RECORD_BYTES_MIN).max(1) as u64;
    sequence > next && sequence.0 - next.0 <= between
}

fn find_magic(bytes: &[u8], start: usize) -> Option<usize> {
    let mut from = start;
    loop {
        let found = from + bytes.get(from..)?.iter().position(|byte| *byte == MAGIC[0])?;
        if bytes[found..].starts_with(&MAGIC) {
            return Some(found);
        }
        from = found + 1;
    }
}

/// Everything from an offset to the end of a file.
pub(super) fn read_rest(file: &Arc<dyn StoreFile>, offset: u64) -> Result<Vec<u8>> {
    let length = file.bytes()?.saturating_sub(offset);
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    let count = file.read_at(offset, &mut bytes)?;
    bytes.truncate(count);
    Ok(bytes)
}

/// The bytes from an offset to the end of a file, without zeros at their beginning, whose number comes with them: as
/// many as could be passed in whole pieces. `None` if there is nothing but zeros, as there is behind most logs.
pub(super) fn read_behind_zeros(file: &Arc<dyn StoreFile>, offset: u64) -> Result<Option<(usize, Vec<u8>)>> {
    let mut piece = vec![0; READ_AHEAD_BYTES];
    let mut zeros = 0;
    loop {
        let count = file.read_at(offset + zeros as u64, &mut piece)?;
        if !is_zero(&piece[..count]) {
            return Ok(Some((zeros, read_rest(file, offset + zeros as u64)?)));
        }
        zeros += count;
        if count < piece.len() {
            return Ok(None);
        }
    }
}

/// Whether all bytes are zero.
fn is_zero(bytes: &[u8]) -> bool {
    bytes.chunks(64).all(|part| part.iter().fold(0, |all, byte| all | byte) == 0)
}

/// A part of a file in memory.
#[derive(Debug, Default)]
struct Window {
    file: Sequence,
    start: u64,
    bytes: Vec<u8>,
    reads: u32,
}

impl Window {
    /// The `length` bytes from `offset` on, fewer at the end of the file. The first read takes no more than it must:
    /// most often there is nothing new.
    fn peek(&mut self, name: Sequence, file: &Arc<dyn StoreFile>, offset: u64, length: usize) -> Result<&[u8]> {
        if !self.holds(name, offset, length) {
            let ahead = if self.reads == 0 { length } else { length.max(READ_AHEAD_BYTES) };
            self.fill(name, file, offset, ahead)?;
        }
        let from = usize::try_from(offset - self.start).unwrap_or(self.bytes.len());
        Ok(&self.bytes[from..(from + length).min(self.bytes.len())])
    }

    fn holds(&self, name: Sequence, offset: u64, length: usize) -> bool {
        let end = self.start + self.bytes.len() as u64;
        self.file == name && self.start <= offset && offset + length as u64 <= end
    }

    fn fill(&mut self, name: Sequence, file: &Arc<dyn StoreFile>, offset: u64, length: usize) -> Result<()> {
        let mut room = length;
        if length > READ_AHEAD_BYTES {
            // A damaged length must not decide how much memory is taken.
            room = length.min(usize::try_from(file.bytes()?.saturating_sub(offset)).unwrap_or(length));
        }
        self.bytes.resize(room, 0);
        let count = file.read_at(offset, &mut self.bytes)?;
        self.bytes.truncate(count);
        (self.file, self.start, self.reads) = (name, offset, self.reads + 1);
        Ok(())
    }
}

/// Reads records to the end of the log.
#[derive(Debug)]
pub struct Scan<'a> {
    walker: Walker<'a>,
    ended: bool,
}

impl<'a> Scan<'a> {
    pub(super) fn new(walker: Walker<'a>) -> Scan<'a> {
        Scan { walker, ended: false }
    }

    /// The place behind the last record that was read.
    pub fn position(&self) -> LogPosition {
        self.walker.position
    }

    fn read(&mut self) -> Result<Option<LogRecord>> {
        let found = self.step_or_end()?;
        if found.is_some() || !self.is_cut_off()? {
            return Ok(found);
        }
        // Records are written in order: if this place was only being written, it is whole by now.
        self.walker.window = Window::default();
        match self.step_or_end()? {
            Some(record) => Ok(Some(record)),
            None => Err(self.walker.position.damage("it is no record, and there are records behind it").error()),
        }
    }

    fn step_or_end(&mut self) -> Result<Option<LogRecord>> {
        match self.walker.step()? {
            Step::Record(record) => Ok(Some(record)),
            Step::Damaged(damage) => Err(damage.error()),
            Step::Zeros if self.walker.pass_lost_mark()? => self.step_or_end(),
            Step::Zeros | Step::Invalid | Step::NoFile => Ok(None),
        }
    }

    fn is_cut_off(&self) -> Result<bool> {
        has_records_behind(self.walker.files, self.walker.position)
    }
}

impl Iterator for Scan<'_> {
    type Item = Result<LogRecord>;

    fn next(&mut self) -> Option<Result<LogRecord>> {
        if self.ended {
            return None;
        }
        let read = self.read().transpose();
        self.ended = !matches!(read, Some(Ok(_)));
        read
    }
}

/// What the first record of the log names as the one before it, if it is whole: the start of its chain.
pub(super) fn chain_start(files: &Files) -> Result<Option<RecordHash>> {
    let (first, mut window) = (Sequence(1), Window::default());
    let Some(file) = files.open(first)? else { return Ok(None) };
    let head = window.peek(first, &file, 0, RECORD_BYTES_MIN)?;
    let length = record::claimed_bytes(head).unwrap_or(0);
    let frame = record::frame(window.peek(first, &file, 0, length)?);
    Ok(frame.filter(|frame| frame.sequence == first).map(|frame| frame.previous))
}

/// Whether the record before a place is the one it names, as far as its file tells.
pub(super) fn is_reached(files: &Files, at: LogPosition) -> Result<bool> {
    let mut trailer = [0; record::TRAILER_BYTES];
    let Some(offset) = at.offset.checked_sub(trailer.len() as u64) else { return Ok(at.offset == 0) };
    let Some(file) = files.open(at.file)? else { return Ok(false) };
    file.read_at(offset, &mut trailer)?;
    Ok(RecordHash::from_bytes(trailer) == at.previous)
}
