//! Merging and reverting in the model.

use std::collections::BTreeSet;

use armillaria::format::ChangeKind;
use armillaria::{Code, MergeKind, MergeStrategy};

use super::{Change, Model, Outcome, drop_change};

/// What a merge came to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Merged {
    pub(crate) kind: MergeKind,
    pub(crate) tx_id: Option<u64>,
    pub(crate) tables: Vec<String>,
    pub(crate) conflicts: Vec<String>,
}

impl Model {
    /// Merges by versions: a table that only the source changed since the newest common ancestor is taken over.
    pub(crate) fn merge(
        &mut self,
        source: &str,
        into: &str,
        strategy: MergeStrategy,
        is_dry_run: bool,
        time_us: i64,
    ) -> Outcome<Merged> {
        let (theirs, ours) = (self.branch(source)?.head, self.branch(into)?.head);
        let base = *self.ancestors(theirs).intersection(&self.ancestors(ours)).max().unwrap();
        let (mut taken, mut conflicts, mut we_moved) = (Vec::new(), Vec::new(), false);
        let names: Vec<String> = self.table_names().into_iter().map(str::to_string).collect();
        for table in names {
            let [was, our, their] = [base, ours, theirs].map(|tx_id| self.data_at(tx_id, &table));
            we_moved |= our != was;
            if their == was || their == our {
                continue;
            }
            if our != was {
                conflicts.push(table.clone());
            }
            if our == was || strategy == MergeStrategy::Theirs {
                taken.push(table);
            }
        }
        let kind = match (taken.is_empty() && conflicts.is_empty(), we_moved) {
            (true, _) => MergeKind::UpToDate,
            (false, false) => MergeKind::FastForward,
            (false, true) => MergeKind::Merged,
        };
        let mut merged = Merged { kind, tx_id: None, tables: taken, conflicts };
        if is_dry_run || kind == MergeKind::UpToDate {
            return Ok(merged);
        }
        if strategy == MergeStrategy::Fail && !merged.conflicts.is_empty() {
            return Err(Code::MergeConflict);
        }
        let changes = merged.tables.iter().map(|table| self.take_over(table, ours, theirs)).collect();
        merged.tx_id = Some(self.commit(into, vec![ours, theirs], changes, time_us));
        Ok(merged)
    }

    fn data_at(&self, tx_id: u64, table: &str) -> Option<u64> {
        self.live_version(tx_id, table).map(|version| self.data_version(table, version))
    }

    /// Their version becomes ours; where ours is newer, numbers must grow, so its content comes back under a new one.
    fn take_over(&mut self, table: &str, ours: u64, theirs: u64) -> Change {
        let from = self.live_version(ours, table);
        let newest = self.at(ours).tables.get(table).map_or(0, |state| state.version);
        match self.live_version(theirs, table) {
            None => drop_change(table, from),
            Some(version) if version <= newest => self.restore(table, from, version),
            to => Change { table: table.to_string(), kind: ChangeKind::Adopt, from, to },
        }
    }

    fn ancestors(&self, tx_id: u64) -> BTreeSet<u64> {
        let (mut seen, mut waiting) = (BTreeSet::new(), vec![tx_id]);
        while let Some(tx_id) = waiting.pop() {
            if seen.insert(tx_id) {
                waiting.extend(&self.at(tx_id).parents);
            }
        }
        seen
    }

    pub(crate) fn revert(&mut self, tx_id: u64, time_us: i64) -> Outcome<u64> {
        let undone = self.transaction(tx_id)?.clone();
        // Nothing stands on the empty beginning.
        if tx_id == 0 {
            return Err(Code::TransactionNotFound);
        }
        let head = self.branch(&undone.branch)?.clone();
        if head.line != undone.line {
            return Err(Code::BranchNotFound);
        }
        let changes: Vec<Change> =
            undone.changes.into_iter().filter(|change| change.kind != ChangeKind::Fold).collect();
        if changes.is_empty() {
            return Err(Code::InvalidArgument);
        }
        for change in &changes {
            let then = change.to.map(|version| self.data_version(&change.table, version));
            if self.data_at(head.head, &change.table) != then {
                return Err(Code::MergeConflict);
            }
        }
        let changes = changes.iter().map(|change| {
            let now = self.live_version(head.head, &change.table);
            match change.from {
                Some(before) => self.restore(&change.table, now, before),
                None => drop_change(&change.table, now),
            }
        });
        let changes = changes.collect();
        Ok(self.commit(&undone.branch, vec![head.head], changes, time_us))
    }
}
