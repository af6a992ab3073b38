//! The log: the one place where anything becomes visible. Floor 4: knows `store` and what is below.
//!
//! Records stand one after another in files of [`LOG_FILE_BYTES`] zeros, each named by
//! the sequence of its first record. A record holds the hash of the one before. Section "The log" of `docs/FORMAT.md`.
//!
//! Invariants:
//! 1. A record is handed out only once it is durable, and acknowledged only after one sync of its file. Who may only
//!    read makes it so by a sync, which promises nothing after one of the writer's that failed.
//! 2. It is written only by who holds the lock of `log/lock`, behind the last record, and only once all records
//!    before it are durable.
//! 3. Behind the last record there are zeros, or what a crash left of one more record: the torn tail. Whoever writes
//!    next moves it to `quarantine/` first.
//! 4. The next file is made only after the file before it durably ended with
//!    [`END_OF_FILE`](crate::format::record::END_OF_FILE), or has no room for any record; its name is durable before
//!    its first record is written.
//! 5. `log/lock` begins with the hash and the sequence of a record that is durable, as are all before it. This note may
//!    be stale or lost, and then costs one more write and sync; it is never ahead, so that a record which it tells of
//!    and which is not there was lost.

mod append;
mod files;
mod look;
mod snapshot;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::format::{RecordHash, Sequence, Transaction};
use crate::limits::{LOG_FILE_BYTES, LOOK_BYTES};
use crate::store::{Access, Environment, Store};
use files::{Files, Note};
use look::Looker;
use walk::{Tail, Walker};

pub use append::Decide;
pub use snapshot::Snapshots;
pub use walk::Scan;

/// Whether the log of a store has its first file: from then on `repo.json` is durable.
pub fn has_begun(store: &dyn Store) -> Result<bool> {
    Ok(store.open_file(&files::path(Sequence(1)))?.is_some())
}

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RecordLocation {
    /// The file, by the sequence of its first record.
    pub file: Sequence,
    /// The first byte in the file.
    pub offset: u64,
    /// The size of the record.
    pub bytes: u32,
}

/// A place between two records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LogPosition {
    /// The file in which the next record is looked for first.
    pub file: Sequence,
    /// Where in that file.
    pub offset: u64,
    /// The sequence of the next record.
    pub next: Sequence,
    /// The hash of the record before.
    pub previous: RecordHash,
}

impl LogPosition {
    /// Before the first record of a repository; its chain start stands for the hash before it.
    pub const fn start(chain_start: RecordHash) -> LogPosition {
        LogPosition { file: Sequence(1), offset: 0, next: Sequence(1), previous: chain_start }
    }
}

/// One record, read and verified.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRecord {
    /// Its number.
    pub sequence: Sequence,
    /// Where it stands.
    pub location: RecordLocation,
    /// Its hash.
    pub hash: RecordHash,
    /// The hash of the record before it.
    pub previous: RecordHash,
    /// The size of its payload, not compressed.
    pub plain_bytes: usize,
    /// What it holds: at least one, with ascending tx_ids without gaps.
    pub transactions: Vec<Arc<Transaction>>,
}

impl LogRecord {
    /// The place behind it.
    pub fn behind(&self) -> LogPosition {
        LogPosition {
            file: self.location.file,
            offset: self.location.offset + u64::from(self.location.bytes),
            next: self.sequence.next(),
            previous: self.hash,
        }
    }
}

/// A record that was appended and is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its number.
    pub sequence: Sequence,
    /// Where it stands.
    pub location: RecordLocation,
    /// Its hash.
    pub hash: RecordHash,
}

/// What is wrong with a log, as far as this handle has looked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// What a crash, or a writer at work, left behind the last record; the next writer moves it to quarantine.
    pub torn: Option<LogPosition>,
    /// Damage with valid records behind it: reading stops before it, nothing can be appended.
    pub damage: Option<Damage>,
    /// Why this handle no longer appends.
    pub poisoned: Option<String>,
    /// Paths of what was moved to quarantine.
    pub quarantined: Vec<String>,
}

/// Where a log is damaged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where the record stands, or should.
    pub at: LogPosition,
    /// What is wrong.
    pub reason: String,
}

impl Damage {
    /// `LOG_CORRUPT`.
    pub fn error(&self) -> Error {
        let at = format!("record {} in {} at byte {}", self.at.next, files::path(self.at.file), self.at.offset);
        Error::LogCorrupt { at, reason: self.reason.clone() }
    }
}

/// The log of one repository. Any number of handles, threads and processes may use one log at the same time.
#[derive(Debug)]
pub struct Log {
    files: Files,
    environment: Environment,
    access: Access,
    /// About how much is read at once.
    round_bytes: u64,
    /// Taken before `state`, and kept while a record is written.
    appender: Mutex<()>,
    /// Not kept while a record is written and synced, so that readers go on.
    state: Mutex<State>,
}

/// How far this handle has come.
#[derive(Debug)]
struct State {
    /// Behind the last record that was read or appended.
    end: LogPosition,
    /// Behind the last record that was handed out.
    delivered: LogPosition,
    /// Records between the two.
    pending: VecDeque<LogRecord>,
    /// Records of others, the newest ones, that nobody is known to have synced; only while this handle holds the lock.
    unsynced: Vec<(RecordLocation, RecordHash)>,
    /// What stands at `end`.
    tail: Tail,
    /// Whether the end was not reached yet since opening, and so not looked behind.
    opening: bool,
    /// What the lock file said when it was last read.
    note: Note,
    /// How many looks have found nothing since one found something.
    idle_looks: u32,
    /// Whether this handle holds the lock and is about to append at `end`: nobody else can.
    appending: bool,
    /// Why a write or a sync failed; from then on this handle neither writes nor trusts a sync of its own.
    poisoned: Option<String>,
}

impl Log {
    /// Opens the log of a repository whose `repo.json` gives `chain_start`. `from` is a place behind a record, as a
    /// snapshot keeps it: earlier records are not looked at. A torn tail or damage behind it is no error here, see
    /// [`Log::health`]; `LOG_CORRUPT` if the log does not reach `from`, `IO`.
    pub fn open(
        store: Arc<dyn Store>,
        environment: Environment,
        chain_start: RecordHash,
        from: Option<LogPosition>,
        access: Access,
    ) -> Result<Log> {
        Log::open_with(store, environment, chain_start, from, access, (LOG_FILE_BYTES, LOOK_BYTES))
    }

    /// The same with log files, and rounds of reading, of other sizes, for tests.
    fn open_with(
        store: Arc<dyn Store>,
        environment: Environment,
        chain_start: RecordHash,
        from: Option<LogPosition>,
        access: Access,
        (file_bytes, round_bytes): (u64, u64),
    ) -> Result<Log> {
        let position = from.unwrap_or(LogPosition::start(chain_start));
        let state = State {
            end: position,
            delivered: position,
            pending: VecDeque::new(),
            unsynced: Vec::new(),
            tail: Tail::Clean,
            opening: true,
            note: Note::NONE,
            idle_looks: 0,
            appending: false,
            poisoned: None,
        };
        let log = Log {
            files: Files::new(store, file_bytes),
            environment,
            access,
            round_bytes,
            appender: Mutex::default(),
            state: Mutex::new(state),
        };
        log.look_at_opening()?;
        Ok(log)
    }

    /// The records appended since this handle last looked, its own among them, in order, verified and durable; where
    /// they have more than some MiB, the first of them ([`Log::is_behind`]). Costs one small read where there is nothing
    /// new, and now and then two. Stops before a torn tail and before damage. `FORMAT_UNSUPPORTED`, `IO`; an error hands out nothing, and the
    /// next call tries again.
    pub fn catch_up(&self) -> Result<Vec<LogRecord>> {
        let mut state = self.state();
        let has_round = state.tail == Tail::More && !state.pending.is_empty();
        if !state.appending && !has_round {
            self.look(&mut state, Looker::Reader)?;
        }
        Ok(state.deliver())
    }

    /// Whether the last look ended before the end of the log, so that there is more to catch up with.
    pub fn is_behind(&self) -> bool {
        self.state().tail == Tail::More
    }

    /// The records that this handle has appended or read and not yet handed out, in order, without looking further.
    pub fn pending(&self) -> Vec<LogRecord> {
        self.state().deliver()
    }

    /// One record, read again and verified. `LOG_CORRUPT`.
    pub fn read(&self, location: RecordLocation) -> Result<LogRecord> {
        walk::read_one(&self.files, location)
    }

    /// The place behind the last record that was handed out.
    pub fn position(&self) -> LogPosition {
        self.state().delivered
    }

    /// Reads on from a place to the end of the log, whatever was handed out before. Damage ends it with
    /// `LOG_CORRUPT`, a torn tail without.
    pub fn scan(&self, from: LogPosition) -> Scan<'_> {
        Scan::new(Walker::new(&self.files, from))
    }

    /// What is wrong with the log, as far as this handle has looked.
    pub fn health(&self) -> Result<Health> {
        let quarantined = self.files.store().names(files::QUARANTINE)?;
        let state = self.state();
        let (torn, damage) = match &state.tail {
            Tail::Torn => (Some(state.end), None),
            Tail::Damaged(damage) => (None, Some(damage.clone())),
            Tail::Clean | Tail::NoFile | Tail::More => (None, None),
        };
        Ok(Health { torn, damage, poisoned: state.poisoned.clone(), quarantined })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn deliver(&mut self) -> Vec<LogRecord> {
        let records: Vec<LogRecord> = self.pending.drain(..).collect();
        if let Some(last) = records.last() {
            self.delivered = last.behind();
        }
        records
    }
}
