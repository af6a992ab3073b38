//! Appending: one record, one sync, under the lock.

use std::sync::{Arc, PoisonError, TryLockError};

use super::files::Note;
use super::look::Looker;
use super::walk::{Tail, read_rest};
use super::{Appended, Log, LogPosition, LogRecord, RecordLocation, State, files};
use crate::error::{Error, Result};
use crate::format::record::{self, END_OF_FILE, Encoded};
use crate::format::{NodeHash, RecordHash, Sequence, Transaction};
use crate::store::{Access, StoreFile};

/// What is to be appended under that sequence, if anything.
pub type Decide<'a> = &'a mut dyn FnMut(Sequence) -> Result<Option<Vec<Arc<Transaction>>>>;

impl Log {
    /// Appends one record, durable on return, or nothing if `decide` says so.
    ///
    /// `decide` is called once, while no other thread or process can append, with the sequence of the record to come.
    /// All records before that one are pending by then ([`Log::pending`]), or were handed out. It must not append. The
    /// record itself is handed out as any other.
    ///
    /// `IO` with the outcome unknown, from then on for every append through this handle, if a write or a sync failed:
    /// the record may or may not be there after reopening. After any other error it is not there: `LOG_CORRUPT` where
    /// the log is damaged, `OUT_OF_SPACE`, `READ_ONLY`, and what `decide` answers.
    pub fn append(&self, decide: Decide<'_>) -> Result<Option<Appended>> {
        if self.access == Access::ReadOnly {
            return Err(Error::ReadOnly { action: "append to the log", reason: "as asked for".to_string() });
        }
        let _one_at_a_time = self.appender.lock().unwrap_or_else(PoisonError::into_inner);
        self.check_poisoned()?;
        let lock = Lock::take(self.files.lock_or_create()?)?;
        let at = self.catch_up_locked()?;
        let _appending = Appending { log: self };
        let Some(transactions) = decide(at.next)? else { return Ok(None) };
        let encoded = self.encode(at, &transactions)?;
        let location = self.write(at, &encoded)?;
        lock.note(Note::new(encoded.hash, at.next));
        Ok(Some(self.finish(at, location, &encoded, transactions)))
    }

    fn check_poisoned(&self) -> Result<()> {
        match &self.state().poisoned {
            Some(reason) => Err(Error::OutcomeUnknown { reason: reason.clone() }),
            None => Ok(()),
        }
    }

    /// Reads what others appended, makes sure that all of it is durable, and shuts other looks out.
    fn catch_up_locked(&self) -> Result<LogPosition> {
        let mut state = self.state();
        self.look(&mut state, Looker::Appender)?;
        while state.tail == Tail::More {
            self.look(&mut state, Looker::Appender)?;
        }
        if let Tail::Damaged(damage) = &state.tail {
            return Err(damage.error());
        }
        self.adopt(&mut state)?;
        state.appending = true;
        Ok(state.end)
    }

    /// Makes durable what a writer left that died, or failed, before its sync.
    fn adopt(&self, state: &mut State) -> Result<()> {
        if state.note.hash == state.end.previous {
            state.unsynced.clear();
            return Ok(());
        }
        if state.unsynced.is_empty() && state.end.offset > 0 {
            self.files.open_existing(state.end.file)?.sync().map_err(|error| state.poison(&error))?;
        }
        let unsynced = std::mem::take(&mut state.unsynced);
        self.write_again(&unsynced, state)
    }

    /// The same for a reader, where no writer is at work: then `true`. What a writer is about to sync is nobody's yet.
    pub(super) fn adopt_as_reader(&self, records: &[LogRecord], state: &mut State) -> Result<bool> {
        let Some(last) = records.last() else { return Ok(true) };
        let _alone = match self.appender.try_lock() {
            Ok(alone) => alone,
            Err(TryLockError::Poisoned(alone)) => alone.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(false),
        };
        let Some(lock) = Lock::try_take(self.files.lock_or_create()?)? else { return Ok(false) };
        let unsynced: Vec<_> = records.iter().map(|record| (record.location, record.hash)).collect();
        self.write_again(&unsynced, state)?;
        lock.note(Note::new(last.hash, last.sequence));
        Ok(true)
    }

    /// Writes records once more where they stand, and syncs them: after a sync that failed, the kernel may take pages
    /// for written that are not, and a mere sync would do nothing. Under the lock.
    fn write_again(&self, records: &[(RecordLocation, RecordHash)], state: &mut State) -> Result<()> {
        for (location, hash) in records {
            let file = self.files.open_existing(location.file)?;
            let mut bytes = vec![0; location.bytes as usize];
            file.read_at(location.offset, &mut bytes)?;
            if record::frame(&bytes).is_none_or(|frame| frame.hash != *hash) {
                return Err(lost(*location));
            }
            file.write_at(location.offset, &bytes).map_err(|error| state.poison_unless_whole(error))?;
        }
        let mut files: Vec<Sequence> = records.iter().map(|(location, _)| location.file).collect();
        files.dedup();
        for file in files {
            self.files.open_existing(file)?.sync().map_err(|error| state.poison(&error))?;
        }
        Ok(())
    }

    fn encode(&self, at: LogPosition, transactions: &[Arc<Transaction>]) -> Result<Encoded> {
        let mut nonce = [0; 16];
        self.environment.randomness.fill(&mut nonce)?;
        record::encode(at.next, at.previous, nonce, transactions)
    }

    /// Writes a record behind the last one, and syncs it.
    fn write(&self, at: LogPosition, encoded: &Encoded) -> Result<RecordLocation> {
        if self.state().tail == Tail::Torn {
            self.quarantine(at)?;
        }
        let at = self.make_room(at, encoded.bytes.len() as u64)?;
        let file = self.files.open_existing(at.file)?;
        self.write_at(&file, at.offset, &encoded.bytes)?;
        self.sync(&file)?;
        let bytes = u32::try_from(encoded.bytes.len()).map_err(|_| Error::internal("a record above its limit"))?;
        Ok(RecordLocation { file: at.file, offset: at.offset, bytes })
    }

    /// Where the record goes: here, or at the beginning of the next file, in which any record has room.
    fn make_room(&self, at: LogPosition, record_bytes: u64) -> Result<LogPosition> {
        let mut at = at;
        if at.offset > 0 {
            let file = self.files.open_existing(at.file)?;
            if self.files.has_room(&file, at.offset + record_bytes)? {
                return Ok(at);
            }
            self.write_at(&file, at.offset, &END_OF_FILE)?;
            self.sync(&file)?;
            at = LogPosition { file: at.next, offset: 0, ..at };
        }
        self.files.allocate(at.file, record_bytes)?;
        // Whoever made the file may have died before its name was durable.
        let named = self.files.store().sync(&[&files::path(at.file)]);
        named.map_err(|error| self.state().poison(&error))?;
        Ok(at)
    }

    /// Moves what a crash left behind the last record out of the way, so that nothing of it can ever stand behind a
    /// shorter record.
    fn quarantine(&self, at: LogPosition) -> Result<()> {
        let file = self.files.open_existing(at.file)?;
        let mut torn = read_rest(&file, at.offset)?;
        let length = torn.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        torn.truncate(length);
        if torn.is_empty() {
            return Ok(());
        }
        let hash = NodeHash::of(&torn).to_hex();
        let kept = format!("{}/{:020}-{}-{}.torn", files::QUARANTINE, at.next.0, at.offset, &hash[..16]);
        self.files.store().create(&kept, &torn)?;
        let kept = self.files.store().sync(&[&kept]);
        kept.map_err(|error| self.state().poison(&error))?;
        self.write_at(&file, at.offset, &vec![0; torn.len()])?;
        self.sync(&file)?;
        self.state().tail = Tail::Clean;
        Ok(())
    }

    fn write_at(&self, file: &Arc<dyn StoreFile>, offset: u64, bytes: &[u8]) -> Result<()> {
        file.write_at(offset, bytes).map_err(|error| self.state().poison_unless_whole(error))
    }

    fn sync(&self, file: &Arc<dyn StoreFile>) -> Result<()> {
        file.sync().map_err(|error| self.state().poison(&error))
    }

    fn finish(
        &self,
        at: LogPosition,
        location: RecordLocation,
        encoded: &Encoded,
        transactions: Vec<Arc<Transaction>>,
    ) -> Appended {
        let (sequence, hash, plain_bytes) = (at.next, encoded.hash, encoded.plain_bytes);
        let record = LogRecord { sequence, location, hash, previous: at.previous, plain_bytes, transactions };
        let mut state = self.state();
        state.end = record.behind();
        state.tail = Tail::Clean;
        state.pending.push_back(record);
        Appended { sequence, location, hash }
    }
}

/// A record that was read before, and handed out, is no longer there.
fn lost(location: RecordLocation) -> Error {
    let at = format!("{} at byte {}", files::path(location.file), location.offset);
    Error::LogCorrupt { at, reason: "a record that was there is gone: its sync had failed".to_string() }
}

impl State {
    /// A write that ran out of space is known to be incomplete, and the next writer clears it away; of any other
    /// failure nobody knows what it left.
    fn poison_unless_whole(&mut self, error: Error) -> Error {
        match error {
            Error::OutOfSpace { .. } | Error::ReadOnly { .. } => error,
            other => self.poison(&other),
        }
    }
}

/// Lets this handle look at the log again.
struct Appending<'a> {
    log: &'a Log,
}

impl Drop for Appending<'_> {
    fn drop(&mut self) {
        self.log.state().appending = false;
    }
}

/// The lock of the log, held until dropped.
struct Lock {
    file: Arc<dyn StoreFile>,
}

impl Lock {
    fn take(file: Arc<dyn StoreFile>) -> Result<Lock> {
        file.lock()?;
        Ok(Lock { file })
    }

    fn try_take(file: Arc<dyn StoreFile>) -> Result<Option<Lock>> {
        Ok(file.try_lock()?.then_some(Lock { file }))
    }

    /// Tells the others that a record is durable. Without it they write and sync it once more, so a failure is only
    /// noted.
    fn note(&self, note: Note) {
        if let Err(error) = self.file.write_at(0, &note.encode()) {
            tracing::debug!(%error, "cannot note in the lock file what is durable");
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "cannot give the lock of the log back");
        }
    }
}
