//! Transactions: prepare changes of any number of tables, commit them all or none.
//!
//! Floor 7. A transaction reads the snapshot that its branch was when it began, and its own writes on top. What it
//! writes is encoded and synced at once, and becomes visible only by the one record that [`Transaction::commit`] appends.
//! Commits that others made meanwhile are looked at with the log locked (`conflict`): what commutes is laid on top of
//! them, everything else is `WRITE_CONFLICT` or `SERIALIZATION_FAILURE`, and nothing was changed.

mod commit;
mod conflict;
mod staged;

pub(crate) use commit::describe;
pub use commit::{Commit, CommittedTable};

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::datatypes::Schema;

use crate::cancel::CancelToken;
use crate::catalog::{Snapshot, View};
use crate::error::{Error, Result};
use crate::format::{BranchName, ChunkHash, TableName, Version};
use crate::limits::{INLINE_BATCH_BYTES_MAX, INLINE_TRANSACTION_BYTES_MAX};
use crate::repository::{FoldClaim, Repository};
use crate::table::{Appended, Fold, InlineBatch, InlineRows, Overwritten, RowStream, TableData, WriteStatistics};
use staged::{Staged, StagedChange, is_listed};

/// How much a transaction is kept apart from others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Reads a snapshot; fails if another commit changed what it writes.
    #[default]
    Snapshot,
    /// Also fails if another commit changed a table that it read.
    Serializable,
}

/// Whether written rows replace or follow those that are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WriteMode {
    /// The table consists of these rows.
    #[default]
    Overwrite,
    /// These rows come behind those that are there.
    Append,
    /// Rows with a key that is there replace it: `UNSUPPORTED` until keys arrive.
    Upsert,
}

/// A transaction that is open. Dropping it rolls it back.
///
/// Safe to share between threads; its calls then take turns.
#[derive(Debug)]
pub struct Transaction {
    repository: Arc<Repository>,
    view: View,
    base: Snapshot,
    isolation: Isolation,
    author: Option<String>,
    work: Mutex<Work>,
}

#[derive(Debug, Default)]
struct Work {
    ended: bool,
    staged: BTreeMap<TableName, Staged>,
    /// Of all rows that are staged inline.
    inline_bytes: usize,
    reads: BTreeMap<TableName, Option<Version>>,
    /// Whether it asked which tables there are.
    listed: bool,
    /// Held until the transaction has ended.
    fold_claims: Vec<FoldClaim>,
}

impl Work {
    /// Forgets what was prepared for a table.
    fn unstage(&mut self, table: &TableName) -> Option<Staged> {
        let staged = self.staged.remove(table)?;
        self.inline_bytes -= staged.change.inline_bytes();
        Some(staged)
    }
}

impl Transaction {
    /// Begins on a branch; `BRANCH_NOT_FOUND`.
    pub fn begin(
        repository: Arc<Repository>,
        branch: &BranchName,
        isolation: Isolation,
        author: Option<String>,
    ) -> Result<Transaction> {
        let view = repository.catalog.view()?;
        let base = view.head(branch)?;
        Ok(Transaction { repository, view, base, isolation, author, work: Mutex::default() })
    }

    /// The branch that it will commit to.
    pub fn branch(&self) -> &BranchName {
        &self.base.branch
    }

    /// The snapshot that it reads.
    pub fn snapshot(&self) -> &Snapshot {
        &self.base
    }

    /// The catalog as it was at the beginning.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// A table as this transaction sees it, its own writes included; `TABLE_NOT_FOUND`. The version is `None` for
    /// what it wrote itself.
    pub fn table(&self, table: &TableName) -> Result<(Option<Version>, Arc<TableData>)> {
        let mut work = self.open_work()?;
        let missing =
            || Error::TableNotFound { table: table.to_string(), at: format!("branch {:?}", self.base.branch) };
        let Some(staged) = work.staged.get(table).cloned() else {
            let version = self.read_base(&mut work, table)?.ok_or_else(missing)?;
            return Ok((Some(version), self.repository.content(&self.view, table, version)?));
        };
        if matches!(staged.change, StagedChange::Append(_) | StagedChange::Fold(_)) {
            self.read_base(&mut work, table)?;
        }
        let data = self.staged_data(table, &staged)?.ok_or_else(missing)?;
        Ok((None, Arc::new(data)))
    }

    /// Counts a table as read, as it was at the beginning.
    #[cfg(feature = "sql")]
    pub fn note_read(&self, table: &TableName) -> Result<()> {
        let mut work = self.open_work()?;
        self.read_base(&mut work, table).map(|_| ())
    }

    /// The names of the tables that this transaction sees.
    pub fn table_names(&self) -> Result<Vec<TableName>> {
        let mut work = self.open_work()?;
        work.listed = true;
        let mut names: BTreeMap<TableName, ()> =
            self.view.live_tables(&self.base)?.into_keys().map(|name| (name, ())).collect();
        for (name, staged) in &work.staged {
            match staged.change {
                StagedChange::Drop => drop(names.remove(name)),
                _ => drop(names.insert(name.clone(), ())),
            }
        }
        Ok(names.into_keys().collect())
    }

    /// Prepares a new table without rows; `TABLE_EXISTS`.
    pub fn create_table(&self, table: &TableName, schema: &Schema, key: &[String]) -> Result<()> {
        let mut work = self.writable_work("create a table")?;
        if self.exists(&work, table)? {
            let (table, branch) = (table.to_string(), self.base.branch.to_string());
            return Err(Error::TableExists { table, branch });
        }
        let schema = self.repository.tables.create(schema, key)?;
        let statistics = WriteStatistics::default();
        let put = Overwritten { schema, manifest: Arc::default(), inline: None, rows: 0, statistics };
        self.stage(&mut work, table, StagedChange::Put(Box::new(put)), statistics)
    }

    /// Prepares the end of a table; `TABLE_NOT_FOUND`.
    pub fn drop_table(&self, table: &TableName) -> Result<()> {
        let mut work = self.writable_work("drop a table")?;
        if !self.exists(&work, table)? {
            return Err(Error::TableNotFound {
                table: table.to_string(),
                at: format!("branch {:?}", self.base.branch),
            });
        }
        if self.base_version(table)?.is_none() {
            work.unstage(table);
            return Ok(());
        }
        self.stage(&mut work, table, StagedChange::Drop, WriteStatistics::default())
    }

    /// Prepares rows for a table, which is created if it is not there. Returns when the rows are durable and yet
    /// unseen by others.
    ///
    /// `SCHEMA_MISMATCH`, `UNSUPPORTED` (upsert), `CANCELLED`, and what `rows` itself fails with.
    pub fn write_table(
        &self,
        table: &TableName,
        rows: RowStream,
        mode: WriteMode,
        key: &[String],
        cancel: &CancelToken,
    ) -> Result<WriteStatistics> {
        let mut work = self.writable_work("write a table")?;
        let exists = self.exists(&work, table)?;
        match mode {
            WriteMode::Upsert => {
                let instead = "write with mode overwrite or append".to_string();
                Err(Error::Unsupported { what: "mode upsert".to_string(), instead })
            }
            WriteMode::Append if exists => self.append(&mut work, table, rows, cancel),
            WriteMode::Append | WriteMode::Overwrite => self.overwrite(&mut work, table, rows, key, cancel),
        }
    }

    /// Prepares a version of a table as a bare list of chunks: the low-level catalog. The table is created if it is not
    /// there. Nothing looks at the chunks now: reading a version answers `CHUNK_NOT_FOUND` for one that is not there, and
    /// `INVALID_ARGUMENT` if they are no Parquet files of the same columns.
    ///
    /// `VERSION_CONFLICT` unless `version` is the table's next one, now and when it is committed.
    pub fn commit_chunks(&self, table: &TableName, version: Version, chunks: Vec<ChunkHash>) -> Result<()> {
        let mut work = self.writable_work("commit chunks")?;
        check_sequence(table, version, self.view.next_version(table)?)?;
        self.stage(&mut work, table, StagedChange::List(chunks, version), WriteStatistics::default())
    }

    /// Prepares the same rows of a table in fewer pieces; says whether there is anything to do. A table that this
    /// transaction has written already is left as it is, and so is a bare list of chunks. `TABLE_NOT_FOUND`, `CANCELLED`.
    pub fn compact(&self, table: &TableName, cancel: &CancelToken) -> Result<bool> {
        let mut work = self.writable_work("compact a table")?;
        let missing =
            || Error::TableNotFound { table: table.to_string(), at: format!("branch {:?}", self.base.branch) };
        let version = self.base_version(table)?.ok_or_else(missing)?;
        if work.staged.contains_key(table) || is_listed(&self.view, table, version)? {
            return Ok(false);
        }
        let data = self.repository.content(&self.view, table, version)?;
        let folds = self.repository.tables.compact(&data, cancel)?;
        if folds.is_empty() {
            return Ok(false);
        }
        let statistics = folds.iter().map(|fold| fold.statistics).fold(WriteStatistics::default(), sum);
        self.stage(&mut work, table, StagedChange::Fold(folds), statistics)?;
        Ok(true)
    }

    /// Forgets everything that was prepared. `CLOSED` if the transaction has ended already.
    pub fn rollback(&self) -> Result<()> {
        let mut work = self.open_work()?;
        *work = Work { ended: true, ..Work::default() };
        Ok(())
    }

    fn append(
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

    fn overwrite(
        &self,
        work: &mut Work,
        table: &TableName,
        rows: RowStream,
        key: &[String],
        cancel: &CancelToken,
    ) -> Result<WriteStatistics> {
        let parent = self.parent_of_overwrite(work, table)?;
        let budget = self.inline_budget(work, table);
        let put = self.repository.tables.overwrite(table, parent.as_deref(), rows, key, budget, cancel)?;
        let statistics = put.statistics;
        self.stage(work, table, StagedChange::Put(Box::new(put)), statistics)?;
        Ok(statistics)
    }

    /// The content whose columns, key and chunks an overwrite goes by: what this transaction has prepared, or what was
    /// there at the beginning.
    fn parent_of_overwrite(&self, work: &Work, table: &TableName) -> Result<Option<Arc<TableData>>> {
        match work.staged.get(table).map(|staged| &staged.change) {
            Some(StagedChange::Put(put)) => return Ok(Some(Arc::new(put.to_data(None)))),
            Some(StagedChange::Drop | StagedChange::List(..)) => return Ok(None),
            Some(StagedChange::Append(_) | StagedChange::Fold(_)) | None => {}
        }
        match self.base_version(table)? {
            Some(version) if !is_listed(&self.view, table, version)? => {
                self.repository.content(&self.view, table, version).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn inline_budget(&self, work: &Work, table: &TableName) -> usize {
        let own = work.staged.get(table).map_or(0, |staged| staged.change.inline_bytes());
        INLINE_TRANSACTION_BYTES_MAX.saturating_sub(work.inline_bytes - own).min(INLINE_BATCH_BYTES_MAX)
    }

    fn stage(
        &self,
        work: &mut Work,
        table: &TableName,
        change: StagedChange,
        statistics: WriteStatistics,
    ) -> Result<()> {
        let base = self.base_version(table)?;
        let before = work.unstage(table);
        let anew = before.as_ref().is_some_and(|before| before.anew || matches!(before.change, StagedChange::Drop));
        let statistics = sum(before.map_or_else(WriteStatistics::default, |before| before.statistics), statistics);
        work.inline_bytes += change.inline_bytes();
        work.staged.insert(table.clone(), Staged { base, anew, change, statistics });
        Ok(())
    }

    fn staged_data(&self, table: &TableName, staged: &Staged) -> Result<Option<TableData>> {
        Ok(match &staged.change {
            StagedChange::Drop => None,
            StagedChange::Put(put) => Some(put.to_data(None)),
            StagedChange::Append(appended) => Some(self.base_data(table)?.with_appended(appended, None)),
            StagedChange::List(chunks, _) => Some(self.repository.tables.from_listed(chunks)?),
            StagedChange::Fold(_) => Some(TableData::clone(&*self.base_data(table)?)),
        })
    }

    fn base_version(&self, table: &TableName) -> Result<Option<Version>> {
        self.view.version_at(&self.base, table)
    }

    fn base_data(&self, table: &TableName) -> Result<Arc<TableData>> {
        let version = self.base_version(table)?.ok_or_else(|| Error::internal("the table was there"))?;
        self.repository.content(&self.view, table, version)
    }

    /// The version at the beginning, which counts as read.
    fn read_base(&self, work: &mut Work, table: &TableName) -> Result<Option<Version>> {
        let version = self.base_version(table)?;
        work.reads.insert(table.clone(), version);
        Ok(version)
    }

    fn exists(&self, work: &Work, table: &TableName) -> Result<bool> {
        match work.staged.get(table) {
            Some(staged) => Ok(!matches!(staged.change, StagedChange::Drop)),
            None => Ok(self.base_version(table)?.is_some()),
        }
    }

    /// `CLOSED` if it was committed or rolled back.
    pub fn check_open(&self) -> Result<()> {
        self.open_work().map(drop)
    }

    fn open_work(&self) -> Result<MutexGuard<'_, Work>> {
        let work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        if work.ended { Err(Error::Closed { what: "transaction" }) } else { Ok(work) }
    }

    fn writable_work(&self, action: &'static str) -> Result<MutexGuard<'_, Work>> {
        self.repository.check_writable(action)?;
        self.open_work()
    }
}

/// Versions follow one another without gaps: `VERSION_CONFLICT`.
fn check_sequence(table: &TableName, given: Version, expected: Version) -> Result<()> {
    match given == expected {
        true => Ok(()),
        false => Err(Error::VersionConflict { table: table.to_string(), expected: expected.0, given: given.0 }),
    }
}

/// A table of nothing but rows that are staged inline.
fn with_tail(empty: &TableData, inline: &[&InlineRows]) -> TableData {
    let batch =
        |rows: &&InlineRows| InlineBatch { version: None, rows: rows.rows, after: 0, bytes: rows.bytes.clone() };
    TableData { tail: inline.iter().map(batch).collect(), ..empty.clone() }
}

fn sum(a: WriteStatistics, b: WriteStatistics) -> WriteStatistics {
    WriteStatistics {
        rows: a.rows + b.rows,
        chunks_written: a.chunks_written + b.chunks_written,
        chunks_reused: a.chunks_reused + b.chunks_reused,
        bytes_written: a.bytes_written + b.bytes_written,
        bytes_reused: a.bytes_reused + b.bytes_reused,
    }
}
