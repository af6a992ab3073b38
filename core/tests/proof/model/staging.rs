//! Transactions of the model: what they see, what they prepared, and when they may commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use armillaria::format::ChangeKind;
use armillaria::{Code, Isolation, WriteMode};

use super::{Change, Content, Model, Outcome, drop_change};
use crate::support::{Row, Shape};

/// A transaction that is open.
#[derive(Clone, Debug)]
pub(crate) struct OpenTransaction {
    pub(crate) branch: String,
    line: u64,
    pub(crate) base: u64,
    isolation: Isolation,
    staged: BTreeMap<String, Staged>,
    reads: BTreeMap<String, Option<u64>>,
    has_listed: bool,
}

#[derive(Clone, Debug)]
enum Staged {
    Put { rows: Vec<Row>, shape: Shape },
    Append(Vec<Row>),
    Drop,
}

/// Rows that somebody wants to write.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) mode: WriteMode,
    pub(crate) shape: Shape,
    pub(crate) rows: Vec<Row>,
}

impl Model {
    pub(crate) fn begin(&self, branch: &str, isolation: Isolation) -> Outcome<OpenTransaction> {
        let found = self.branch(branch)?;
        let (branch, line, base) = (branch.to_string(), found.line, found.head);
        let (staged, reads) = (BTreeMap::new(), BTreeMap::new());
        Ok(OpenTransaction { branch, line, base, isolation, staged, reads, has_listed: false })
    }

    /// Commits, and answers the new transaction; `None` where there was nothing to do.
    pub(crate) fn commit_open(&mut self, open: OpenTransaction, time_us: i64) -> Outcome<Option<u64>> {
        if open.staged.is_empty() {
            return Ok(None);
        }
        let head = self.branch(&open.branch)?.clone();
        if head.line != open.line {
            return Err(Code::BranchNotFound);
        }
        if open.isolation == Isolation::Serializable {
            let changed = |(table, version): (&String, &Option<u64>)| self.live_version(head.head, table) != *version;
            let came_or_went = || !self.live_tables(open.base).keys().eq(self.live_tables(head.head).keys());
            if open.reads.iter().any(changed) || (open.has_listed && came_or_went()) {
                return Err(Code::SerializationFailure);
            }
        }
        for (table, staged) in &open.staged {
            if !self.may_pass(&open, head.head, table, staged) {
                return Err(Code::WriteConflict);
            }
        }
        let changes: Vec<Change> =
            open.staged.into_iter().filter_map(|(table, staged)| self.lay_on(head.head, &table, staged)).collect();
        if changes.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.commit(&open.branch, vec![head.head], changes, time_us)))
    }

    /// The conflict table.
    fn may_pass(&self, open: &OpenTransaction, head: u64, table: &str, staged: &Staged) -> bool {
        let since = (open.base + 1..=head).filter(|tx_id| self.at(*tx_id).line == open.line);
        let theirs: Vec<ChangeKind> = since.filter_map(|tx_id| self.change(tx_id, table)).map(|c| c.kind).collect();
        if !matches!(staged, Staged::Append(_)) {
            return theirs.is_empty();
        }
        if theirs.iter().any(|kind| matches!(kind, ChangeKind::Create | ChangeKind::Drop)) {
            return false;
        }
        let replaced = theirs.iter().any(|kind| !matches!(kind, ChangeKind::Append | ChangeKind::Fold));
        !replaced || self.schema_at(open.base, table) == self.schema_at(head, table)
    }

    fn schema_at(&self, tx_id: u64, table: &str) -> Option<u32> {
        let version = self.live_version(tx_id, table)?;
        self.version(table, version).ok().map(|version| version.content.schema)
    }

    fn lay_on(&mut self, head: u64, table: &str, staged: Staged) -> Option<Change> {
        let from = self.live_version(head, table);
        let before = from.map(|version| self.version(table, version).unwrap().content.clone());
        match staged {
            Staged::Drop => from.map(|_| drop_change(table, from)),
            Staged::Append(rows) => {
                let before = before.unwrap();
                let rows = Arc::new(before.rows.iter().cloned().chain(rows).collect());
                Some(self.add_version(table, ChangeKind::Append, from, Content { rows, ..before }))
            }
            Staged::Put { rows, shape } => {
                let same = before.filter(|before| before.shape == shape);
                let schema = same.map_or_else(|| self.new_schema(), |before| before.schema);
                let kind = if from.is_some() { ChangeKind::Overwrite } else { ChangeKind::Create };
                Some(self.add_version(table, kind, from, Content { rows: Arc::new(rows), shape, schema }))
            }
        }
    }

    /// One write as a transaction of its own.
    pub(crate) fn write(&mut self, branch: &str, table: &str, wanted: Wanted, time_us: i64) -> Outcome<u64> {
        let mut open = self.begin(branch, Isolation::Snapshot)?;
        open.write(self, table, wanted)?;
        self.commit_open(open, time_us).map(Option::unwrap)
    }

    pub(crate) fn create_table(&mut self, branch: &str, table: &str, shape: Shape, time_us: i64) -> Outcome<u64> {
        let mut open = self.begin(branch, Isolation::Snapshot)?;
        open.create_table(self, table, shape)?;
        self.commit_open(open, time_us).map(Option::unwrap)
    }

    pub(crate) fn drop_table(&mut self, branch: &str, table: &str, time_us: i64) -> Outcome<u64> {
        let mut open = self.begin(branch, Isolation::Snapshot)?;
        open.drop_table(self, table)?;
        self.commit_open(open, time_us).map(Option::unwrap)
    }
}

impl OpenTransaction {
    /// What the transaction sees of a table. Looking at what others wrote counts as a read.
    pub(crate) fn read(&mut self, model: &Model, table: &str) -> Outcome<Vec<Row>> {
        let base = model.live_version(self.base, table);
        if matches!(self.staged.get(table), None | Some(Staged::Append(_))) {
            self.reads.insert(table.to_string(), base);
        }
        self.look(model, table).map(|(rows, _)| rows).ok_or(Code::TableNotFound)
    }

    /// What the transaction sees by name. Listing counts as a read of which tables there are.
    pub(crate) fn tables(&mut self, model: &Model) -> Vec<String> {
        self.has_listed = true;
        let known = model.live_tables(self.base).into_keys().map(str::to_string);
        let mut names: Vec<String> = known.chain(self.staged.keys().cloned()).collect();
        names.sort_unstable();
        names.dedup();
        names.retain(|name| self.look(model, name).is_some());
        names
    }

    fn look(&self, model: &Model, table: &str) -> Option<(Vec<Row>, Shape)> {
        let base = model.live_version(self.base, table).map(|version| &model.version(table, version).unwrap().content);
        match self.staged.get(table) {
            None => base.map(|content| (content.rows.to_vec(), content.shape)),
            Some(Staged::Drop) => None,
            Some(Staged::Put { rows, shape }) => Some((rows.clone(), *shape)),
            Some(Staged::Append(rows)) => {
                let content = base.unwrap();
                Some((content.rows.iter().chain(rows).cloned().collect(), content.shape))
            }
        }
    }

    pub(crate) fn write(&mut self, model: &Model, table: &str, wanted: Wanted) -> Outcome<()> {
        let seen = self.look(model, table);
        let staged = match (wanted.mode, seen) {
            (WriteMode::Upsert, _) => return Err(Code::Unsupported),
            (WriteMode::Append, Some((_, shape))) => {
                if wanted.shape == Shape::Wide && shape == Shape::Narrow {
                    return Err(Code::SchemaMismatch);
                }
                match self.staged.remove(table) {
                    Some(Staged::Put { rows, shape }) => Staged::Put { rows: [rows, wanted.rows].concat(), shape },
                    Some(Staged::Append(rows)) => Staged::Append([rows, wanted.rows].concat()),
                    _ => Staged::Append(wanted.rows),
                }
            }
            _ => Staged::Put { rows: wanted.rows, shape: wanted.shape },
        };
        self.staged.insert(table.to_string(), staged);
        Ok(())
    }

    pub(crate) fn create_table(&mut self, model: &Model, table: &str, shape: Shape) -> Outcome<()> {
        if self.look(model, table).is_some() {
            return Err(Code::TableExists);
        }
        self.staged.insert(table.to_string(), Staged::Put { rows: Vec::new(), shape });
        Ok(())
    }

    pub(crate) fn drop_table(&mut self, model: &Model, table: &str) -> Outcome<()> {
        if self.look(model, table).is_none() {
            return Err(Code::TableNotFound);
        }
        match model.live_version(self.base, table) {
            Some(_) => self.staged.insert(table.to_string(), Staged::Drop),
            None => self.staged.remove(table),
        };
        Ok(())
    }
}
