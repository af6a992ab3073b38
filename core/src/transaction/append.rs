//! Rows behind those that are there: few stay inline, in the record of the commit, and many such tails are folded into
//! chunks.

use std::sync::Arc;

use super::staged::{Staged, StagedChange, is_listed};
use super::{Transaction, Work};
use crate::cancel::CancelToken;
use crate::catalog::Snapshot;
use crate::error::{Error, Result};
use crate::format::TableName;
use crate::limits::{INLINE_BATCH_BYTES_MAX, INLINE_TRANSACTION_BYTES_MAX};
use crate::table::{Appended, Fold, InlineBatch, InlineRows, RowStream, TableData, WriteStatistics};

impl Transaction {
    pub(super) fn append(
        &self,
        work: &mut Work,
        table: &TableName,
        rows: RowStream,
        cancel: &CancelToken,
    ) -> Result<WriteStatistics> {
        let budget = self.inline_budget(work, table);
        if let Some(staged) = work.staged.get_mut(table) {
            let before = staged.change.inline_bytes();
            let statistics = self.append_to_staged(staged, table, rows, budget, cancel)?;
            work.inline_bytes = work.inline_bytes - before + staged.change.inline_bytes();
            return Ok(statistics);
        }
        let parent = self.base_data(table)?;
        let appended = self.repository.tables.append(table, &parent, rows, budget, cancel)?;
        let fold = self.fold_due(work, table, &parent, cancel)?;
        let statistics = appended.statistics;
        self.stage(work, table, StagedChange::Append(Box::new(Appended { fold, ..appended })), statistics)?;
        Ok(statistics)
    }

    /// Puts rows behind those that are staged, in place: however many there are, each append costs what it brings.
    fn append_to_staged(
        &self,
        staged: &mut Staged,
        table: &TableName,
        rows: RowStream,
        budget: usize,
        cancel: &CancelToken,
    ) -> Result<WriteStatistics> {
        let schema = match &staged.change {
            StagedChange::Append(_) => self.base_data(table)?.schema.clone(),
            StagedChange::Put(put) => put.schema.clone(),
            StagedChange::List(..) => {
                let instead = "commit the list first, then append".to_string();
                return Err(Error::Unsupported {
                    what: "appending to a list of chunks in its own transaction".into(),
                    instead,
                });
            }
            StagedChange::Drop | StagedChange::Fold(_) => {
                return Err(Error::internal("what was dropped or folded is not appended to"));
            }
        };
        let empty = TableData::empty(schema);
        let appended = self.append_behind(table, &empty, staged.change.inline(), rows, budget, cancel)?;
        let statistics = appended.statistics;
        staged.push(appended).map(|()| statistics)
    }

    /// Folds what is due, unless another transaction is at it or has done it since this one began.
    fn fold_due(
        &self,
        work: &mut Work,
        table: &TableName,
        parent: &TableData,
        cancel: &CancelToken,
    ) -> Result<Option<Fold>> {
        let tables = &self.repository.tables;
        if !tables.is_fold_due(parent) {
            return Ok(None);
        }
        let claim = self.repository.folding.claim(table);
        if claim.is_none() && !tables.is_fold_overdue(parent) {
            return Ok(None);
        }
        let Some(now) = self.data_now(table)? else { return Ok(None) };
        let fold = tables.fold_due(&now, cancel)?;
        work.fold_claims.extend(claim.filter(|_| fold.is_some()));
        Ok(fold)
    }

    /// The table as others have left it on the branch by now, as far as this process knows.
    fn data_now(&self, table: &TableName) -> Result<Option<Arc<TableData>>> {
        let view = self.repository.catalog.latest_view();
        let Some(branch) = view.find_branch(&self.base.branch).filter(|branch| branch.id == self.base.branch_id) else {
            return Ok(None);
        };
        let head = Snapshot { tx_id: branch.head, ..self.base.clone() };
        match view.version_at(&head, table)? {
            Some(version) if !is_listed(&view, table, version)? => {
                self.repository.content(&view, table, version).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Appends rows behind rows that this transaction staged inline, in that order: few rows stay together inline,
    /// otherwise the earlier ones become a chunk before the later ones. `empty` is the table without rows. The answer has
    /// all rows in its pieces, and counts the later ones.
    fn append_behind(
        &self,
        table: &TableName,
        empty: &TableData,
        before: Option<&InlineRows>,
        rows: RowStream,
        budget: usize,
        cancel: &CancelToken,
    ) -> Result<Appended> {
        let tables = &self.repository.tables;
        let after = tables.append(table, empty, rows, budget, cancel)?;
        let Some(before) = before else { return Ok(after) };
        let both: Vec<&InlineRows> = std::iter::once(before).chain(&after.inline).collect();
        let together = tables.read(&with_tail(empty, &both), None, cancel)?;
        let budget = if after.chunks.is_empty() { budget } else { 0 };
        let joined = tables.append(table, empty, together, budget, cancel)?;
        let chunks = joined.chunks.into_iter().chain(after.chunks).collect();
        Ok(Appended { chunks, inline: joined.inline, ..after })
    }

    pub(super) fn inline_budget(&self, work: &Work, table: &TableName) -> usize {
        let own = work.staged.get(table).map_or(0, |staged| staged.change.inline_bytes());
        INLINE_TRANSACTION_BYTES_MAX.saturating_sub(work.inline_bytes - own).min(INLINE_BATCH_BYTES_MAX)
    }
}

/// A table of nothing but rows that are staged inline.
fn with_tail(empty: &TableData, inline: &[&InlineRows]) -> TableData {
    let batch =
        |rows: &&InlineRows| InlineBatch { version: None, rows: rows.rows, after: 0, bytes: rows.bytes.clone() };
    TableData { tail: inline.iter().map(batch).collect(), ..empty.clone() }
}
