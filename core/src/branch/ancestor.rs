//! Where two lines of history meet.

use std::collections::{BinaryHeap, HashMap};

use crate::catalog::View;
use crate::error::Result;
use crate::format::{BranchId, TxId};

/// The newest transaction that both descend from; 0 if they share nothing but the empty beginning.
///
/// The transactions of a branch follow one another, so all on a branch up to one that was reached are reached. What is
/// looked at are the places where lines meet or part, newest first: the work grows with the number of merges and branches
/// since, not with that of transactions.
pub(super) fn common_ancestor(view: &View, a: TxId, b: TxId) -> Result<TxId> {
    let mut search = Search { view, reached: HashMap::new(), waiting: BinaryHeap::new() };
    search.reach(a, FROM_A)?;
    search.reach(b, FROM_B)?;
    while let Some((tx_id, branch)) = search.next() {
        let marks = search.marks(branch, tx_id);
        if marks == FROM_BOTH {
            return Ok(tx_id);
        }
        search.go_on(tx_id, branch, marks)?;
    }
    Ok(TxId(0))
}

/// From which of the two heads something is reached.
type Marks = [bool; 2];

const FROM_A: Marks = [true, false];
const FROM_B: Marks = [false, true];
const FROM_BOTH: Marks = [true, true];

struct Search<'a> {
    view: &'a View,
    /// Up to where each branch is reached, from either head.
    reached: HashMap<BranchId, [TxId; 2]>,
    /// Newest first; so all that leads to a transaction is looked at before it is.
    waiting: BinaryHeap<(TxId, BranchId)>,
}

impl Search<'_> {
    fn reach(&mut self, tx_id: TxId, marks: Marks) -> Result<()> {
        if tx_id == TxId(0) {
            return Ok(());
        }
        let branch = self.view.transaction(tx_id)?.branch_id;
        let reached = self.reached.entry(branch).or_default();
        for (reached, _) in reached.iter_mut().zip(marks).filter(|(_, marked)| *marked) {
            *reached = tx_id.max(*reached);
        }
        self.waiting.push((tx_id, branch));
        Ok(())
    }

    /// The newest that waits; what was reached in several ways comes once.
    fn next(&mut self) -> Option<(TxId, BranchId)> {
        let newest = self.waiting.pop()?;
        while self.waiting.peek() == Some(&newest) {
            self.waiting.pop();
        }
        Some(newest)
    }

    fn marks(&self, branch: BranchId, tx_id: TxId) -> Marks {
        self.reached.get(&branch).map_or([false; 2], |reached| reached.map(|reached| reached >= tx_id))
    }

    /// Goes on from a transaction to those it follows, passing over those that follow just one of their own branch.
    fn go_on(&mut self, tx_id: TxId, branch: BranchId, marks: Marks) -> Result<()> {
        match self.view.last_junction(branch, tx_id)? {
            Some(junction) if junction == tx_id => {
                let transaction = self.view.transaction(tx_id)?;
                transaction.parents.iter().try_for_each(|parent| self.reach(*parent, marks))
            }
            Some(junction) => {
                self.waiting.push((junction, branch));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
