//! The files of the log by the sequence of their first record.

use std::sync::{Arc, OnceLock};

use quick_cache::sync::Cache;

use super::LogRecord;
use crate::error::{Error, Result};
use crate::format::{RecordHash, Sequence};
use crate::store::{Store, StoreFile};

/// The directory of log files.
pub(super) const LOG: &str = "log";

/// Whoever appends holds the lock of this file; it begins with a [`Note`].
pub(super) const LOCK: &str = "log/lock";

/// Where torn tails go.
pub(super) const QUARANTINE: &str = "quarantine";

/// How many bytes of the lock file mean something: a hash, and a sequence.
const NOTE_BYTES: usize = 32 + 8;

/// How many files are kept open.
const OPEN_FILES_MAX: usize = 16;

/// What the lock file says: up to where the log is durable. It may be stale or lost, and is never ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Note {
    /// The hash of a record that is durable, as are all before it; any other bytes where none is known.
    pub(super) hash: RecordHash,
    /// Its sequence; 0 where that is not known.
    sequence: Sequence,
}

impl Note {
    /// What no note says.
    pub(super) const NONE: Note = Note { hash: RecordHash::from_bytes([0; 32]), sequence: Sequence(0) };

    pub(super) fn new(hash: RecordHash, sequence: Sequence) -> Note {
        Note { hash, sequence }
    }

    fn decode(bytes: [u8; NOTE_BYTES]) -> Note {
        let (mut hash, mut sequence) = ([0; 32], [0; 8]);
        hash.copy_from_slice(&bytes[..32]);
        sequence.copy_from_slice(&bytes[32..]);
        Note { hash: RecordHash::from_bytes(hash), sequence: Sequence(u64::from_le_bytes(sequence)) }
    }

    pub(super) fn encode(self) -> [u8; NOTE_BYTES] {
        let mut bytes = [0; NOTE_BYTES];
        bytes[..32].copy_from_slice(self.hash.as_bytes());
        bytes[32..].copy_from_slice(&self.sequence.0.to_le_bytes());
        bytes
    }

    /// Whether it tells that a record is durable.
    pub(super) fn covers(&self, record: &LogRecord) -> bool {
        self.tells_of(record.sequence) || self.hash == record.hash
    }

    /// Whether it tells that the record of that sequence was durable, whatever became of it.
    pub(super) fn tells_of(&self, sequence: Sequence) -> bool {
        self.sequence >= sequence
    }
}

/// Opens log files and keeps them open.
#[derive(Debug)]
pub(super) struct Files {
    store: Arc<dyn Store>,
    open: Cache<Sequence, Arc<dyn StoreFile>>,
    lock: OnceLock<Arc<dyn StoreFile>>,
    /// The size that every log file has at least.
    file_bytes: u64,
}

impl Files {
    pub(super) fn new(store: Arc<dyn Store>, file_bytes: u64) -> Files {
        Files { store, open: Cache::new(OPEN_FILES_MAX), lock: OnceLock::new(), file_bytes }
    }

    pub(super) fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The file whose first record has that sequence, if it is there.
    pub(super) fn open(&self, file: Sequence) -> Result<Option<Arc<dyn StoreFile>>> {
        if let Some(open) = self.open.get(&file) {
            return Ok(Some(open));
        }
        let opened = self.store.open_file(&path(file))?;
        if let Some(opened) = &opened {
            self.open.insert(file, opened.clone());
        }
        Ok(opened)
    }

    /// The same for a file that must be there.
    pub(super) fn open_existing(&self, file: Sequence) -> Result<Arc<dyn StoreFile>> {
        self.open(file)?.ok_or_else(|| Error::LogCorrupt { at: path(file), reason: "the file is missing".to_string() })
    }

    /// Makes the file whose first record will have that sequence, with room for it, if it is not there yet.
    pub(super) fn allocate(&self, file: Sequence, record_bytes: u64) -> Result<()> {
        if self.open(file)?.is_none() {
            self.store.allocate(&path(file), self.file_bytes.max(record_bytes))?;
        }
        Ok(())
    }

    /// Whether a file that is not cut short ends at `end` or behind it.
    pub(super) fn has_room(&self, file: &Arc<dyn StoreFile>, end: u64) -> Result<bool> {
        Ok(end <= self.file_bytes || end <= file.bytes()?)
    }

    /// Whether a file is shorter than it was made.
    pub(super) fn is_cut_short(&self, file: &Arc<dyn StoreFile>) -> Result<bool> {
        Ok(file.bytes()? < self.file_bytes)
    }

    /// The lock file, if it is there.
    pub(super) fn lock(&self) -> Result<Option<Arc<dyn StoreFile>>> {
        if let Some(lock) = self.lock.get() {
            return Ok(Some(lock.clone()));
        }
        let opened = self.store.open_file(LOCK)?;
        Ok(opened.map(|opened| self.lock.get_or_init(|| opened).clone()))
    }

    /// The lock file, made if it must be.
    pub(super) fn lock_or_create(&self) -> Result<Arc<dyn StoreFile>> {
        if let Some(lock) = self.lock()? {
            return Ok(lock);
        }
        self.store.allocate(LOCK, NOTE_BYTES as u64)?;
        self.lock()?.ok_or_else(|| Error::io("open", LOCK, std::io::ErrorKind::NotFound.into()))
    }

    /// Up to where the log is known to be durable.
    pub(super) fn note(&self) -> Result<Note> {
        let mut note = [0; NOTE_BYTES];
        if let Some(lock) = self.lock()? {
            lock.read_at(0, &mut note)?;
        }
        Ok(Note::decode(note))
    }

    /// The first file whose first record is later than `sequence`.
    pub(super) fn first_after(&self, sequence: Sequence) -> Result<Option<Sequence>> {
        let names = self.store.names(LOG)?;
        Ok(names.iter().filter_map(|name| parse(name)).find(|first| *first > sequence))
    }
}

/// The path of the file whose first record has that sequence.
pub(super) fn path(file: Sequence) -> String {
    format!("{LOG}/{:020}.log", file.0)
}

fn parse(path: &str) -> Option<Sequence> {
    let digits = path.strip_prefix("log/")?.strip_suffix(".log")?;
    let number = digits.parse().ok()?;
    (digits.len() == 20).then_some(Sequence(number))
}
