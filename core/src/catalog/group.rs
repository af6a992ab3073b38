//! The way of a group into the log: its proposals are judged one on top of the other, and those that are accepted
//! become one record.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::{mem, slice};

use tracing::{debug, instrument};

use super::Catalog;
use super::commit::{Outcome, Pending, Proposal, lock};
use super::run;
use super::state::State;
use super::view::View;
use crate::error::{Error, Result};
use crate::format::{Sequence, Transaction};
use crate::log::Appended;

impl Catalog {
    /// Commits what a proposal says; when this returns, it is durable.
    ///
    /// `bytes` is about how much of a record it will take. `None` where the proposal found nothing to commit. Errors are
    /// the proposal's own, or the log's; `UNSUPPORTED` if it is larger than a record can be.
    #[instrument(level = "debug", skip_all, name = "commit")]
    pub fn commit(&self, bytes: usize, proposal: Box<dyn Proposal>) -> Result<Option<Arc<Transaction>>> {
        let outcome = self.queue.submit(bytes, proposal, |group| self.commit_group(group));
        if let Ok(Some(transaction)) = &outcome {
            debug!(tx_id = transaction.tx_id.0, branch = %transaction.branch, "committed");
            self.checkpoint_if_due();
        }
        outcome
    }

    /// Settles every member.
    fn commit_group(&self, group: &[Arc<Pending>]) {
        let mut left = group.to_vec();
        while !left.is_empty() {
            left = self.commit_together(&left);
        }
    }

    /// Settles members, one at least, and answers with those that have to be judged again.
    fn commit_together(&self, members: &[Arc<Pending>]) -> Vec<Arc<Pending>> {
        let mut proposed = None;
        let appended = self.append(members, &mut proposed);
        match (appended, proposed) {
            (Ok(appended), Some(mut proposed)) => {
                self.publish_committed(members, &mut proposed, appended);
                members.iter().zip(proposed.outcomes).for_each(|(member, outcome)| member.settle(outcome));
                Vec::new()
            }
            // One of them is too large, or all of them together: no fault of those that are not.
            (Err(Error::Unsupported { .. }), Some(_)) if members.len() > 1 => {
                members.iter().for_each(|member| self.commit_group(slice::from_ref(member)));
                Vec::new()
            }
            (Err(error), Some(proposed)) => settle_failed(members, proposed.outcomes, &error),
            (appended, None) => {
                let error = appended.err().unwrap_or_else(|| Error::internal("an append that asked for nothing"));
                members.iter().for_each(|member| member.settle(Err(error.clone())));
                Vec::new()
            }
        }
    }

    /// Appends what the members propose, as one record.
    fn append(&self, members: &[Arc<Pending>], proposed: &mut Option<Proposed>) -> Result<Option<Appended>> {
        self.records.log.append(&mut |sequence| {
            let mut answers = self.propose_together(self.base(sequence)?, members);
            if answers.met_damage() {
                // Nothing is written yet: all are asked once more, on an index that is made from the log alone.
                tracing::warn!("asking for commits again: they met a damaged index file");
                answers = self.propose_together(self.base(sequence)?, members);
            }
            let Proposed { outcomes, .. } = proposed.insert(answers);
            let accepted: Vec<_> = outcomes.iter().flatten().flatten().cloned().collect();
            Ok((!accepted.is_empty()).then_some(accepted))
        })
    }

    /// What the record of that sequence is laid on: all that is in the log. From here to the end of the append the log hands
    /// out nothing more, so it stays the newest state.
    fn base(&self, sequence: Sequence) -> Result<Arc<State>> {
        let _moving = lock(&self.moving);
        self.take_in(self.records.log.pending())?;
        self.rebuild_if_damaged()?;
        let base = self.published();
        if base.position.next != sequence {
            self.blocks.mark_damaged();
            let behind = base.position.next;
            return Err(Error::internal(format!("record {sequence} would not follow {behind}; try again")));
        }
        Ok(base)
    }

    /// Lets every member propose on top of those before it.
    fn propose_together(&self, base: Arc<State>, members: &[Arc<Pending>]) -> Proposed {
        let time_us = self.environment.clock.now_us().max(base.last_time_us);
        let mut view = View::of_staged(base.clone(), self.records.clone());
        let outcomes = members.iter().map(|member| propose_on(&mut view, member, time_us)).collect();
        Proposed { base, state: view.state, outcomes }
    }

    fn publish_committed(&self, members: &[Arc<Pending>], proposed: &mut Proposed, appended: Option<Appended>) {
        let accepted = members.iter().zip(&proposed.outcomes).filter(|(_, outcome)| is_accepted(outcome));
        accepted.for_each(|(member, _)| lock(&member.proposal).committed());
        if let Some(appended) = appended
            && let Err(error) = self.take_in_appended(proposed, appended)
        {
            // The commit is durable whatever becomes of this process's picture of it.
            tracing::warn!(%error, "cannot read back what was committed");
        }
    }

    /// Publishes what was appended: the state that was proposed, where nothing has moved since.
    fn take_in_appended(&self, proposed: &mut Proposed, appended: Appended) -> Result<()> {
        let _moving = lock(&self.moving);
        self.rebuild_if_damaged()?;
        let mut fresh = self.records.log.pending();
        match fresh.pop_if(|record| record.sequence == appended.sequence) {
            Some(record) if fresh.is_empty() && Arc::ptr_eq(&proposed.base, &self.published()) => {
                let (location, behind) = (record.location, record.behind());
                self.remember(record);
                let mut state = Arc::unwrap_or_clone(mem::replace(&mut proposed.state, proposed.base.clone()));
                state.settle(location, behind);
                self.publish(state);
            }
            record => {
                fresh.extend(record);
                self.take_in(fresh)?;
            }
        }
        Ok(())
    }
}

/// What the members of a group want to become of the catalog.
struct Proposed {
    /// What they stand on.
    base: Arc<State>,
    /// What they make of it, all together.
    state: Arc<State>,
    /// What each of them said.
    outcomes: Vec<Outcome>,
}

impl Proposed {
    /// Whether an answer is missing because a file of the index is damaged; it was marked, and is not asked again.
    fn met_damage(&self) -> bool {
        self.outcomes.iter().any(|outcome| outcome.as_ref().is_err_and(run::is_damage))
    }
}

/// Lets a member propose on top of a view, which moves on if that is accepted.
fn propose_on(view: &mut View, member: &Pending, time_us: i64) -> Outcome {
    let Some(draft) = lock(&member.proposal).propose(view)? else { return Ok(None) };
    let transaction = Arc::new(draft.number(view.last_tx().next(), time_us));
    Arc::make_mut(&mut view.state).apply(&transaction, None)?;
    Ok(Some(transaction))
}

/// Settles those whose outcome an error of the log decides or leaves as it is; answers with the others: what they were
/// judged by never came to be.
fn settle_failed(members: &[Arc<Pending>], outcomes: Vec<Outcome>, error: &Error) -> Vec<Arc<Pending>> {
    let first_accepted = outcomes.iter().position(is_accepted).unwrap_or(outcomes.len());
    let mut again = Vec::new();
    for (at, (member, outcome)) in members.iter().zip(outcomes).enumerate() {
        match outcome {
            Ok(Some(_)) => member.settle(Err(error.clone())),
            outcome if at < first_accepted => member.settle(outcome),
            _ => again.push(member.clone()),
        }
    }
    again
}

fn is_accepted(outcome: &Outcome) -> bool {
    matches!(outcome, Ok(Some(_)))
}
