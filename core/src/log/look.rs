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

/// Every so many looks that find nothing, the lock file is asked whether somebody knows of more: see
/// [`Walker::pass_lost_mark`].
const IDLE_LOOKS: u32 = 16;

/// Whether what was said of bytes that are no record still holds while nobody has written there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// It does.
    Settled,
    /// They are judged again: somebody is about to write there.
    Anew,
}

impl Log {
    /// The first look. What stands at `state.end` must be where the checkpoint says.
    pub(super) fn look_at_opening(&self) -> Result<()> {
        let mut state = self.state();
        if !is_reached(&self.files, state.end)? {
            return Err(state.end.damage("the log does not reach it; it was cut short").error());
        }
        self.look(&mut state, Doubt::Anew)?;
        self.check_identity(&state)
    }

    /// Reads records behind `state.end` and says in `state.tail` what comes then: more of them, after some MiB.
    ///
    /// When the end is reached for the first time, it is looked at more closely: behind it there must be nothing but
    /// zeros. A power loss may have kept the later parts of a record and lost its beginning.
    pub(super) fn look(&self, state: &mut State, doubt: Doubt) -> Result<()> {
        self.read_on(state, doubt)?;
        while state.opening && state.tail != Tail::More {
            state.opening = !self.look_behind(state)?;
        }
        Ok(())
    }

    /// Looks at what stands behind the end; `false` if it has to be looked at once more, for the log goes on.
    fn look_behind(&self, state: &mut State) -> Result<bool> {
        let at = state.end;
        let clean = state.tail == Tail::Clean;
        if clean && self.pass_lost_mark(state)? {
            self.read_on(state, Doubt::Anew)?;
            return Ok(false);
        }
        let ended = clean || state.tail == Tail::NoFile;
        if !ended || (self.is_clean_behind(state)? && self.files.first_after(at.next)?.is_none()) {
            return Ok(true);
        }
        // Or somebody has appended since.
        self.read_on(state, Doubt::Anew)?;
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

    fn read_on(&self, state: &mut State, doubt: Doubt) -> Result<()> {
        loop {
            let mut walker = Walker::new(&self.files, state.end);
            let (mut fresh, end) = self.read_round(&mut walker, state)?;
            let found = fresh.len();
            self.make_durable(&mut fresh, state)?;
            if fresh.len() < found {
                state.take(fresh);
                state.tail = Tail::Clean;
                return Ok(());
            }
            let moved = !fresh.is_empty() || walker.position != state.end;
            state.take(fresh);
            state.end = walker.position;
            state.idle_looks = if moved { 0 } else { state.idle_looks.wrapping_add(1) };
            let asks = doubt == Doubt::Anew || (!moved && state.idle_looks.is_multiple_of(IDLE_LOOKS));
            if asks {
                state.claim = self.files.claim()?;
            }
            let known = !moved && matches!(state.tail, Tail::Torn | Tail::Damaged(_));
            state.tail = match end {
                None => Tail::More,
                Some(Step::Zeros) if asks && state.claim != state.end.previous && self.pass_lost_mark(state)? => {
                    continue;
                }
                // What was found out by looking further stays true until somebody writes.
                Some(Step::Zeros | Step::NoFile) if known => return Ok(()),
                Some(Step::Invalid) if known && doubt == Doubt::Settled => return Ok(()),
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
    /// them; for the rest one sync is made here. After a sync has failed none is trusted, and `fresh` is cut short.
    fn make_durable(&self, fresh: &mut Vec<LogRecord>, state: &mut State) -> Result<()> {
        if fresh.is_empty() {
            return Ok(());
        }
        state.claim = self.files.claim()?;
        let claimed = fresh.iter().rposition(|record| record.hash == state.claim).map_or(0, |last| last + 1);
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
