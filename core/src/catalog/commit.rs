//! Group commit: transactions that wait at the same time share one record and one sync.
//!
//! Whoever finds no leader becomes it, takes everything that waits, and appends it as one record while newcomers
//! gather for the next. Nobody waits for a timer.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};

use super::view::View;
use crate::error::{Error, Result};
use crate::format::{BranchId, BranchName, RefChange, TableChange, TableRead, Transaction, TransactionKind, TxId};
use crate::limits::GROUP_BYTES_MAX;

/// A transaction before it has a number and a time.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The branch it stands on.
    pub branch: BranchName,
    /// That branch's number; `None` for the branch that this transaction creates.
    pub branch_id: Option<BranchId>,
    /// The heads it follows.
    pub parents: Vec<TxId>,
    /// Who.
    pub author: Option<String>,
    /// Why.
    pub message: Option<String>,
    /// What sort.
    pub kind: TransactionKind,
    /// What happens to tables.
    pub tables: Vec<TableChange>,
    /// What happens to branches and tags.
    pub refs: Vec<RefChange>,
    /// What was read, if that matters.
    pub reads: Vec<TableRead>,
}

impl Draft {
    pub(super) fn number(self, tx_id: TxId, time_us: i64) -> Transaction {
        Transaction {
            tx_id,
            branch: self.branch,
            branch_id: self.branch_id.unwrap_or(BranchId(tx_id.0)),
            parents: self.parents,
            time_us,
            author: self.author,
            message: self.message,
            kind: self.kind,
            tables: self.tables,
            refs: self.refs,
            reads: self.reads,
        }
    }
}

/// What is to be committed.
pub trait Proposal: Send {
    /// Says, with the log locked, what to commit on top of a view: a draft, nothing (`None`), or why not.
    ///
    /// Asked again, on another view, where the record that was to hold the answer, or what the view began with, did
    /// not come to be, and where a file of the index turned out to be damaged.
    fn propose(&mut self, view: &View) -> Result<Option<Draft>>;

    /// The draft is durable, and about to be seen by others.
    fn committed(&mut self) {}
}

impl<F: FnMut(&View) -> Result<Option<Draft>> + Send> Proposal for F {
    fn propose(&mut self, view: &View) -> Result<Option<Draft>> {
        self(view)
    }
}

/// What became of a proposal: the transaction, or `None` where there was nothing to commit.
pub(super) type Outcome = Result<Option<Arc<Transaction>>>;

/// A proposal on its way.
pub(super) struct Pending {
    /// About how much of a record it takes.
    bytes: usize,
    pub(super) proposal: Mutex<Box<dyn Proposal>>,
    outcome: Mutex<Option<Outcome>>,
    /// Who waits for it.
    member: Thread,
}

impl Pending {
    /// Tells the member what became of its proposal; only the leader does, once, at the end.
    pub(super) fn settle(&self, outcome: Outcome) {
        *lock(&self.outcome) = Some(outcome);
    }
}

/// Where proposals wait. Each member waits by itself, so that only those are woken that have something to do: the
/// members of a group that is settled, and the leader of the next.
#[derive(Default)]
pub(super) struct CommitQueue {
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    proposals: VecDeque<Arc<Pending>>,
    has_leader: bool,
}

impl fmt::Debug for CommitQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommitQueue").field("waiting", &lock(&self.waiting).proposals.len()).finish()
    }
}

impl Waiting {
    /// Takes the first that waits, and those behind it that fit into the same record.
    fn next_group(&mut self) -> Vec<Arc<Pending>> {
        let mut bytes = 0;
        let fits = |pending: &&Arc<Pending>| {
            bytes += pending.bytes;
            bytes <= GROUP_BYTES_MAX
        };
        let members = self.proposals.iter().take_while(fits).count().max(1).min(self.proposals.len());
        self.proposals.drain(..members).collect()
    }
}

impl CommitQueue {
    /// How many proposals are in no group yet, and whether a group is on its way.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> (usize, bool) {
        let waiting = lock(&self.waiting);
        (waiting.proposals.len(), waiting.has_leader)
    }

    /// Waits until a proposal is settled, leading a group where nobody else does.
    ///
    /// `lead` must settle every member of the group that it is given.
    pub(super) fn submit(&self, bytes: usize, proposal: Box<dyn Proposal>, lead: impl Fn(&[Arc<Pending>])) -> Outcome {
        let (proposal, outcome) = (Mutex::new(proposal), Mutex::new(None));
        let mine = Arc::new(Pending { bytes, proposal, outcome, member: thread::current() });
        let mut waiting = lock(&self.waiting);
        waiting.proposals.push_back(mine.clone());
        loop {
            if let Some(outcome) = lock(&mine.outcome).take() {
                return outcome;
            }
            if waiting.has_leader {
                drop(waiting);
                // Returns at once if it was woken since.
                thread::park();
                waiting = lock(&self.waiting);
                continue;
            }
            waiting.has_leader = true;
            let group = waiting.next_group();
            drop(waiting);
            let leading = Leading { queue: self, group };
            lead(&leading.group);
            drop(leading);
            waiting = lock(&self.waiting);
        }
    }
}

/// Gives up leadership when dropped, also by a panic; members that were not settled then get `INTERNAL`.
struct Leading<'a> {
    queue: &'a CommitQueue,
    group: Vec<Arc<Pending>>,
}

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        for member in &self.group {
            let mut outcome = lock(&member.outcome);
            outcome.get_or_insert_with(|| Err(Error::internal("the group commit ended without an outcome")));
        }
        let next = {
            let mut waiting = lock(&self.queue.waiting);
            waiting.has_leader = false;
            waiting.proposals.front().map(|next| next.member.clone())
        };
        next.iter().chain(self.group.iter().map(|member| &member.member)).for_each(Thread::unpark);
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
