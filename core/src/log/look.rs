//! Catching up: what came since, made durable, and what stands behind it.

use super::walk::{
    CUT_SHORT, Step, Tail, Walker, chain_start, had_record, has_records_behind, is_reached, read_behind_zeros,
};
use super::{Log, LogRecord, State};
use crate::error::{Error, Result};
use crate::format::Sequence;
use crate::store::Access;

/// What to do where the lock file tells of a record that is not there: a copy that was made while somebody committed cannot be
/// told from damage.
macro_rules! copied {
    () => {
        "bring the file back from a copy; if this directory is a copy itself, made while somebody committed, nothing of the \
         original is lost: copy it anew as docs/FORMAT.md says, or remove log/lock from the copy, and only there, to go on \
         without the record"
    };
}

/// What is said of a place where there is no record though there are some behind it.
const CUT_OFF: &str = "it is damaged, and there are records behind it";

/// What is said of the newest record where the lock file tells that it was durable.
const ACKNOWLEDGED: &str = concat!("it is damaged, and it was committed; ", copied!());

/// Every so many looks that find nothing, the lock file is asked whether somebody knows of more: see
/// [`Walker::pass_lost_mark`].
const IDLE_LOOKS: u32 = 16;

/// What is said of a place where there is nothing though the lock file tells of a record.
const GONE: &str = concat!("a record was committed here and is gone; ", copied!());

/// What is said of the place where a checkpoint ends and the log does not come to.
const NOT_REACHED: &str = "the log does not reach it: it was cut short; in a copy that was made while somebody committed, and only \
                           there, remove snapshots/ to go on with what was copied";

/// Who looks. Only a reader leaves it at what was said before of bytes that are no record: nobody has written there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looker {
    Reader,
    Opener,
    /// Holds the lock and is about to write.
    Appender,
}

impl Log {
    /// The first look. What stands at `state.end` must be where the checkpoint says.
    pub(super) fn look_at_opening(&self) -> Result<()> {
        let mut state = self.state();
        if !is_reached(&self.files, state.end)? {
            return Err(state.end.damage(NOT_REACHED).error());
        }
        self.look(&mut state, Looker::Opener)?;
        self.check_identity(&state)
    }

    /// Reads records behind `state.end` and says in `state.tail` what comes then: more of them, after some MiB.
    ///
    /// When the end is reached for the first time, it is looked at more closely: behind it there must be nothing but
    /// zeros. A power loss may have kept the later parts of a record and lost its beginning.
    pub(super) fn look(&self, state: &mut State, looker: Looker) -> Result<()> {
        self.read_on(state, looker)?;
        while state.opening && state.tail != Tail::More {
            state.opening = !self.look_behind(state, looker)?;
        }
        Ok(())
    }

    /// Looks at what stands behind the end; `false` if it has to be looked at once more, for the log goes on.
    fn look_behind(&self, state: &mut State, looker: Looker) -> Result<bool> {
        let at = state.end;
        let clean = state.tail == Tail::Clean;
        if clean && self.pass_lost_mark(state)? {
            self.read_on(state, looker)?;
            return Ok(false);
        }
        let ended = clean || state.tail == Tail::NoFile;
        if !ended || (self.is_clean_behind(state)? && self.files.first_after(at.next)?.is_none()) {
            return Ok(true);
        }
        // Or somebody has appended since.
        self.read_on(state, looker)?;
        if state.end != at {
            return Ok(false);
        }
        state.tail = self.judge(state)?;
        Ok(true)
    }

    /// Where the first record does not belong here: says so if it is because the whole log was begun by another
    /// repository. Nothing of such a log can be read, unlike of one that is damaged further on.
    fn check_identity(&self, state: &State) -> Result<()> {
        if state.end.next != Sequence(1) || !matches!(state.tail, Tail::Damaged(_)) {
            return Ok(());
        }
        match chain_start(&self.files)? {
            Some(begun) if begun != state.end.previous => Err(Error::LogCorrupt {
                at: "repo.json".to_string(),
                reason: format!(
                    "the log was begun by a repository with another uuid: its chain starts with {begun}, this one's \
                     with {}; bring the repo.json of the log back from a copy",
                    state.end.previous
                ),
            }),
            _ => Ok(()),
        }
    }

    fn pass_lost_mark(&self, state: &mut State) -> Result<bool> {
        let mut walker = Walker::new(&self.files, state.end);
        let passed = walker.pass_lost_mark()?;
        state.end = walker.position;
        Ok(passed)
    }

    fn is_clean_behind(&self, state: &State) -> Result<bool> {
        match self.files.open(state.end.file)? {
            Some(file) => Ok(!self.files.is_cut_short(&file)? && read_behind_zeros(&file, state.end.offset)?.is_none()),
            None => Ok(true),
        }
    }

    fn read_on(&self, state: &mut State, looker: Looker) -> Result<()> {
        loop {
            let mut walker = Walker::new(&self.files, state.end);
            let (mut fresh, end) = self.read_round(&mut walker, state)?;
            let found = fresh.len();
            self.make_durable(&mut fresh, state, looker)?;
            if fresh.len() < found {
                state.take(fresh);
                state.tail = Tail::Clean;
                return Ok(());
            }
            let moved = !fresh.is_empty() || walker.position != state.end;
            state.take(fresh);
            state.end = walker.position;
            state.idle_looks = if moved { 0 } else { state.idle_looks.wrapping_add(1) };
            let asks = looker != Looker::Reader || (!moved && state.idle_looks.is_multiple_of(IDLE_LOOKS));
            if asks {
                state.note = self.files.note()?;
            }
            let known = !moved && matches!(state.tail, Tail::Torn | Tail::Damaged(_));
            state.tail = match end {
                None => Tail::More,
                Some(Step::Zeros) if asks && state.note.hash != state.end.previous && self.pass_lost_mark(state)? => {
                    continue;
                }
                // What was found out by looking further stays true until somebody writes.
                Some(Step::Zeros | Step::NoFile) if known => return Ok(()),
                Some(Step::Invalid) if known && looker == Looker::Reader => return Ok(()),
                Some(Step::Zeros | Step::NoFile) if asks && state.note.tells_of(state.end.next) => {
                    Tail::Damaged(state.end.damage(GONE))
                }
                Some(Step::NoFile) => Tail::NoFile,
                Some(Step::Damaged(damage)) => Tail::Damaged(damage),
                Some(Step::Zeros | Step::Record(_)) => Tail::Clean,
                Some(Step::Invalid) => self.judge(state)?,
            };
            // A record that was being written when it was read, and is whole by now, is no damage.
            if !matches!(state.tail, Tail::Damaged(_)) || !self.has_record(state)? {
                return Ok(());
            }
        }
    }

    /// Reads records up to some MiB, and what comes then where it comes before that.
    fn read_round(&self, walker: &mut Walker<'_>, state: &State) -> Result<(Vec<LogRecord>, Option<Step>)> {
        // Who cannot sync learns only at the end what is durable.
        let limit = if state.poisoned.is_some() { u64::MAX } else { self.round_bytes };
        let (mut fresh, mut bytes) = (Vec::new(), 0);
        while bytes < limit {
            match walker.step()? {
                Step::Record(record) => {
                    bytes += u64::from(record.location.bytes);
                    fresh.push(record);
                }
                end => return Ok((fresh, Some(end))),
            }
        }
        Ok((fresh, None))
    }

    fn has_record(&self, state: &State) -> Result<bool> {
        Ok(matches!(Walker::new(&self.files, state.end).step()?, Step::Record(_)))
    }

    /// Tells a torn tail from damage, where there is no record at `state.end` but something behind it.
    fn judge(&self, state: &State) -> Result<Tail> {
        let at = state.end;
        if had_record(&self.files, at)? {
            return Ok(Tail::Damaged(at.damage(ACKNOWLEDGED)));
        }
        if has_records_behind(&self.files, at)? {
            return Ok(Tail::Damaged(at.damage(CUT_OFF)));
        }
        match self.files.open(at.file)? {
            Some(file) if self.files.is_cut_short(&file)? => Ok(Tail::Damaged(at.damage(CUT_SHORT))),
            _ => Ok(Tail::Torn),
        }
    }

    /// Makes sure that records which others wrote are durable: the lock file tells up to where their writers synced
    /// them. The rest is left behind by a writer that died or failed, and is made durable here, or belongs to one that
    /// is at work, and `fresh` is cut short. After a sync has failed here none is trusted.
    fn make_durable(&self, fresh: &mut Vec<LogRecord>, state: &mut State, looker: Looker) -> Result<()> {
        if fresh.is_empty() {
            return Ok(());
        }
        state.note = self.files.note()?;
        let covered = fresh.iter().rposition(|record| state.note.covers(record)).map_or(0, |last| last + 1);
        if covered > 0 {
            state.unsynced.clear();
        }
        let rest = &fresh[covered..];
        if state.poisoned.is_some() {
            fresh.truncate(covered);
        } else if looker == Looker::Appender {
            state.unsynced.extend(rest.iter().map(|record| (record.location, record.hash)));
        } else if self.access == Access::ReadOnly {
            self.sync_files_of(rest, state)?;
        } else if !self.adopt_as_reader(rest, state)? {
            fresh.truncate(covered);
        }
        Ok(())
    }

    /// All that can be done by who may not write.
    fn sync_files_of(&self, records: &[LogRecord], state: &mut State) -> Result<()> {
        let mut files: Vec<_> = records.iter().map(|record| record.location.file).collect();
        files.dedup();
        for file in files {
            self.files.open_existing(file)?.sync().map_err(|error| state.poison(&error))?;
        }
        Ok(())
    }
}

impl State {
    fn take(&mut self, fresh: Vec<LogRecord>) {
        if let Some(last) = fresh.last() {
            self.end = last.behind();
            self.tail = Tail::Clean;
        }
        self.pending.extend(fresh);
    }

    /// Notes that nothing that this handle syncs can be relied on any more.
    pub(super) fn poison(&mut self, error: &Error) -> Error {
        let reason = self.poisoned.get_or_insert_with(|| error.to_string()).clone();
        Error::OutcomeUnknown { reason }
    }
}
