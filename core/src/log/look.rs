//! Catching up: what came since, made durable, and what stands behind it.

use super::walk::{
    CUT_SHORT, Step, Tail, Walker, chain_start, had_record, has_records_behind, is_reached, read_behind_zeros,
};
use super::{Log, LogRecord, State};
use crate::error::{Error, Result};
use crate::format::Sequence;

/// What is said of a place where there is no record though there are some behind it.
const CUT_OFF: &str = "it is damaged, and there are records behind it";

/// What is said of the newest record where the lock file tells that it was durable.
const ACKNOWLEDGED: &str = "it is damaged, and it was committed";

impl Log {
    /// Looks once more closely than [`Log::look`]: behind the end of the log there must be nothing but zeros. A power
    /// loss may have kept the later parts of a record and lost its beginning.
    pub(super) fn look_at_opening(&self) -> Result<()> {
        let mut state = self.state();
        if !is_reached(&self.files, state.end)? {
            return Err(state.end.damage("the log does not reach it; it was cut short").error());
        }
        loop {
            self.look(&mut state)?;
            self.check_identity(&state)?;
            let at = state.end;
            let clean = state.tail == Tail::Clean;
            if clean && self.pass_lost_mark(&mut state)? {
                continue;
            }
            let ended = clean || state.tail == Tail::NoFile;
            if !ended || (self.is_clean_behind(&state)? && self.files.first_after(at.next)?.is_none()) {
                return Ok(());
            }
            // Or somebody has appended since.
            self.look(&mut state)?;
            if state.end == at {
                state.tail = self.judge(&state)?;
                return Ok(());
            }
        }
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

    /// Reads every record behind `state.end`, and says in `state.tail` what comes then.
    pub(super) fn look(&self, state: &mut State) -> Result<()> {
        loop {
            let mut walker = Walker::new(&self.files, state.end);
            let mut fresh = Vec::new();
            let end = loop {
                match walker.step()? {
                    Step::Record(record) => fresh.push(record),
                    end => break end,
                }
            };
            let found = fresh.len();
            self.make_durable(&mut fresh, state)?;
            if fresh.len() < found {
                state.take(fresh);
                return Ok(());
            }
            let moved = !fresh.is_empty() || walker.position != state.end;
            state.take(fresh);
            state.end = walker.position;
            match end {
                // What was found out at opening, by looking further, stays true until somebody writes.
                Step::Zeros | Step::NoFile if !moved && matches!(state.tail, Tail::Torn | Tail::Damaged(_)) => {}
                Step::NoFile => state.tail = Tail::NoFile,
                Step::Damaged(damage) => state.tail = Tail::Damaged(damage),
                Step::Zeros | Step::Record(_) => state.tail = Tail::Clean,
                Step::Invalid => state.tail = self.judge(state)?,
            }
            // A record that was being written when it was read, and is whole by now, is no damage.
            if !matches!(state.tail, Tail::Damaged(_)) || !self.has_record(state)? {
                return Ok(());
            }
        }
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
    /// them; for the rest one sync is made here. After a sync has failed none is trusted, and `fresh` is cut short.
    fn make_durable(&self, fresh: &mut Vec<LogRecord>, state: &mut State) -> Result<()> {
        if fresh.is_empty() {
            return Ok(());
        }
        let claim = self.files.claim()?;
        let claimed = fresh.iter().rposition(|record| record.hash == claim).map_or(0, |last| last + 1);
        if state.poisoned.is_some() {
            fresh.truncate(claimed);
        }
        if claimed > 0 {
            state.unclaimed.clear();
        }
        let unclaimed: Vec<_> = fresh[claimed..].iter().map(|record| (record.location, record.hash)).collect();
        let mut files: Vec<_> = unclaimed.iter().map(|(location, _)| location.file).collect();
        files.dedup();
        for file in files {
            let synced = self.files.open_existing(file)?.sync();
            synced.map_err(|error| state.poison(&error))?;
        }
        state.unclaimed.extend(unclaimed);
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
