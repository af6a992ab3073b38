//! Operations as data: each is done to the database and to the model, and both must answer the same.

use std::sync::Arc;

use armillaria::format::ChangeKind;
use armillaria::store::{Clock, Store};
use armillaria::{
    At, BeginOptions, Code, Commit, CreateOptions, Database, Error, Isolation, MergeOptions, MergeStrategy,
    Transaction, WriteMode, WriteOptions,
};

use crate::model::{Merged, Model, OpenTransaction, Outcome, Place, Wanted};
use crate::support::{Row, Shape, World, bulky_rows, collect};

pub(crate) const TABLES: [&str; 4] = ["alpha", "beta", "gamma", "Ünïcode table"];
pub(crate) const BRANCHES: [&str; 4] = ["main", "dev", "team/feature", "hotfix"];
pub(crate) const TAGS: [&str; 3] = ["v1", "v2", "release/3"];
pub(crate) const SLOTS: usize = 3;

/// A branch out of [`BRANCHES`], or the current one.
pub(crate) type On = Option<&'static str>;

#[derive(Clone, Debug)]
pub(crate) enum Op {
    Create { table: &'static str, on: On, shape: Shape },
    Write { table: &'static str, on: On, rows: Rows },
    Drop { table: &'static str, on: On },
    Compact { table: &'static str, on: On },
    Branch { name: &'static str, from: Spot },
    DeleteBranch { name: &'static str },
    Checkout { name: &'static str },
    Tag { name: &'static str, at: Spot },
    DeleteTag { name: &'static str },
    Merge { source: &'static str, into: On, strategy: MergeStrategy, dry_run: bool },
    Revert { pick: u64 },
    Begin { slot: usize, on: On, isolation: Isolation },
    TxRead { slot: usize, table: &'static str },
    TxTables { slot: usize },
    TxWrite { slot: usize, table: &'static str, rows: Rows },
    TxCreate { slot: usize, table: &'static str, shape: Shape },
    TxDrop { slot: usize, table: &'static str },
    TxCommit { slot: usize },
    TxRollback { slot: usize },
    Tick { micros: u64 },
    Reopen,
}

/// A place to read at; a pick chooses among the transactions there are, or just after them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spot {
    Head,
    Branch(&'static str),
    Tag(&'static str),
    Transaction(u64),
    Time(On, u64),
}

/// Rows to write: few that ride inside the record, or enough for a chunk.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    pub(crate) mode: WriteMode,
    pub(crate) shape: Shape,
    pub(crate) first_id: i64,
    pub(crate) count: usize,
    /// If not 0, this many bytes of rows instead of `count` small ones.
    pub(crate) bytes: usize,
}

impl Rows {
    pub(crate) fn append(first_id: i64, count: usize) -> Rows {
        Rows { mode: WriteMode::Append, shape: Shape::Narrow, first_id, count, bytes: 0 }
    }

    pub(crate) fn overwrite(first_id: i64, count: usize) -> Rows {
        Rows { mode: WriteMode::Overwrite, ..Rows::append(first_id, count) }
    }

    /// More than rides inside a record.
    pub(crate) fn bulky(self) -> Rows {
        Rows { bytes: 80_000, ..self }
    }

    /// Just as much as rides inside a record.
    pub(crate) fn heavy(first_id: i64) -> Rows {
        Rows { bytes: 60_000, ..Rows::overwrite(first_id, 0) }
    }

    fn rows(&self) -> Vec<Row> {
        if self.bytes > 0 {
            return bulky_rows(self.first_id, self.bytes, self.first_id.unsigned_abs());
        }
        let text = |id: i64| (id % 5 != 0).then(|| format!("text {} {}", id % 3, self.shape as u8));
        let extra = |id: i64| (self.shape == Shape::Wide && id % 2 == 0).then_some(id * 10);
        let ids = self.first_id..self.first_id + self.count as i64;
        ids.map(|id| Row { id, text: text(id), extra: extra(id) }).collect()
    }

    fn wanted(&self) -> Wanted {
        Wanted { mode: self.mode, shape: self.shape, rows: self.rows() }
    }
}

/// What an operation came to, as far as the model can say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Done,
    Transaction(u64),
    Commit {
        tx_id: u64,
        tables: Vec<(String, ChangeKind, Option<u64>, u64)>,
    },
    Merged(Merged),
    Rows(Vec<Row>),
    Names(Vec<String>),
    /// There was nothing to fold, says the library.
    NothingToFold,
}

/// A database and its model, side by side.
pub(crate) struct Twins {
    pub(crate) world: World,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) db: Database,
    open: [Option<Transaction>; SLOTS],
    pub(crate) thought: Thought,
}

/// The model's half.
#[derive(Clone, Debug)]
pub(crate) struct Thought {
    pub(crate) model: Model,
    current: &'static str,
    open: [Option<OpenTransaction>; SLOTS],
}

impl Thought {
    pub(crate) fn new(model: Model) -> Thought {
        Thought { model, current: "main", open: Default::default() }
    }

    fn on(&self, on: On) -> &'static str {
        on.unwrap_or(self.current)
    }

    fn place(&self, spot: Spot) -> Place {
        match spot {
            Spot::Head => Place::Branch(self.current.to_string()),
            Spot::Branch(name) => Place::Branch(name.to_string()),
            Spot::Tag(name) => Place::Tag(name.to_string()),
            Spot::Transaction(pick) => Place::Transaction(self.picked(pick)),
            Spot::Time(on, pick) => {
                let tx_id = self.picked(pick).clamp(1, self.model.latest().max(1));
                let time_us = self.model.transaction(tx_id).map_or(0, |transaction| transaction.time_us);
                Place::Time(self.on(on).to_string(), time_us - (pick % 2) as i64)
            }
        }
    }

    /// A transaction that is there, or now and then the one after the last.
    fn picked(&self, pick: u64) -> u64 {
        pick % (self.model.latest() + 2)
    }

    fn commit_answer(&self, tx_id: u64) -> Answer {
        let rows = |change: &crate::model::Change| match change.to {
            Some(version) => self.model.version(&change.table, version).unwrap().content.rows.len() as u64,
            None => 0,
        };
        let changes = &self.model.at(tx_id).changes;
        let tables = changes.iter().map(|change| (change.table.clone(), change.kind, change.to, rows(change)));
        Answer::Commit { tx_id, tables: tables.collect() }
    }

    /// What the model makes of an operation.
    pub(crate) fn think(&mut self, op: &Op, now_us: i64) -> Outcome<Answer> {
        let model = &mut self.model;
        let branch = |on: &On| on.unwrap_or(self.current);
        let committed = match op {
            Op::Create { table, on, shape } => model.create_table(branch(on), table, *shape, now_us)?,
            Op::Write { table, on, rows } => model.write(branch(on), table, rows.wanted(), now_us)?,
            Op::Drop { table, on } => model.drop_table(branch(on), table, now_us)?,
            Op::Compact { table, on } => model.fold(table, branch(on), now_us)?,
            Op::Revert { pick } => {
                let tx_id = self.picked(*pick);
                self.model.revert(tx_id, now_us)?
            }
            Op::Branch { name, from } => {
                let place = self.place(*from);
                return self.model.create_branch(name, &place, now_us).map(Answer::Transaction);
            }
            Op::DeleteBranch { name } => return model.delete_branch(name, now_us).map(|_| Answer::Done),
            Op::Tag { name, at } => {
                let place = self.place(*at);
                self.model.create_tag(name, &place, now_us)?;
                return Ok(Answer::Transaction(self.model.tags[*name]));
            }
            Op::DeleteTag { name } => return model.delete_tag(name, now_us).map(|_| Answer::Done),
            Op::Merge { source, into, strategy, dry_run } => {
                return model.merge(source, branch(into), *strategy, *dry_run, now_us).map(Answer::Merged);
            }
            Op::Checkout { name } => {
                model.branch(name)?;
                self.current = name;
                return Ok(Answer::Done);
            }
            Op::Begin { slot, on, isolation } => {
                self.open[*slot] = None;
                self.open[*slot] = Some(model.begin(branch(on), *isolation)?);
                return Ok(Answer::Done);
            }
            Op::Tick { .. } => return Ok(Answer::Done),
            Op::Reopen => {
                *self = Thought::new(self.model.clone());
                return Ok(Answer::Done);
            }
            _ => return self.think_inside(op, now_us),
        };
        Ok(self.commit_answer(committed))
    }

    /// Operations inside an open transaction.
    fn think_inside(&mut self, op: &Op, now_us: i64) -> Outcome<Answer> {
        let Some(place) = slot_of(op).filter(|slot| self.open[*slot].is_some()) else { return Ok(Answer::Done) };
        let open = self.open[place].as_mut().unwrap();
        match op {
            Op::TxRead { table, .. } => open.read(&self.model, table).map(Answer::Rows),
            Op::TxTables { .. } => Ok(Answer::Names(open.tables(&self.model))),
            Op::TxWrite { table, rows, .. } => open.write(&self.model, table, rows.wanted()).map(|()| Answer::Done),
            Op::TxCreate { table, shape, .. } => open.create_table(&self.model, table, *shape).map(|()| Answer::Done),
            Op::TxDrop { table, .. } => open.drop_table(&self.model, table).map(|()| Answer::Done),
            Op::TxCommit { .. } => {
                let open = self.open[place].take().unwrap();
                let base = open.base;
                match self.model.commit_open(open, now_us)? {
                    Some(tx_id) => Ok(self.commit_answer(tx_id)),
                    None => Ok(Answer::Commit { tx_id: base, tables: Vec::new() }),
                }
            }
            _ => {
                self.open[place] = None;
                Ok(Answer::Done)
            }
        }
    }
}

fn slot_of(op: &Op) -> Option<usize> {
    match op {
        Op::TxRead { slot, .. }
        | Op::TxTables { slot }
        | Op::TxWrite { slot, .. }
        | Op::TxCreate { slot, .. }
        | Op::TxDrop { slot, .. }
        | Op::TxCommit { slot }
        | Op::TxRollback { slot } => Some(*slot),
        _ => None,
    }
}

impl Twins {
    pub(crate) fn open(world: World, store: Arc<dyn Store>) -> armillaria::Result<Twins> {
        let db = world.open(store.clone())?;
        Ok(Twins { world, store, db, open: Default::default(), thought: Thought::new(Model::new()) })
    }

    /// Does an operation to both and compares. An error of the surroundings, which the model knows nothing of, is
    /// handed back with what the model would have become; the model stays as it was.
    #[track_caller]
    pub(crate) fn step(&mut self, op: &Op) -> Result<(), (Error, Thought)> {
        let mut after = self.thought.clone();
        let expected = after.think(op, self.world.clock.now_us());
        let actual = self.perform(op);
        match &actual {
            Err(error) if matches!(error.code(), Code::Io | Code::OutOfSpace) => {
                return Err((error.clone(), after));
            }
            Ok(Answer::NothingToFold) => {
                assert!(expected.is_ok(), "{op:?}: there is no such table, and the library found it well folded");
                return Ok(());
            }
            _ => {}
        }
        let codes = actual.as_ref().map_err(Error::code);
        assert_eq!(codes, expected.as_ref().map_err(|code| *code), "{op:?} answered (left) {actual:?}");
        self.thought = after;
        Ok(())
    }

    /// Goes on with another model and no open transaction, as after opening the repository again.
    pub(crate) fn forget_open(&mut self, model: Model) {
        self.open = Default::default();
        self.thought = Thought::new(model);
    }

    /// Ends one open transaction in the model too.
    pub(crate) fn forget_slot(&mut self, slot: usize) {
        self.open[slot] = None;
        self.thought.open[slot] = None;
    }

    fn perform(&mut self, op: &Op) -> armillaria::Result<Answer> {
        let db = &self.db;
        match op {
            Op::Create { table, on, shape } => {
                db.create_table(table, &shape.schema(), &create_options(on)).map(committed)
            }
            Op::Write { table, on, rows } => {
                let options = WriteOptions { mode: rows.mode, branch: owned(on), ..WriteOptions::default() };
                db.write_table(table, rows.shape.stream(&rows.rows()), &options).map(committed)
            }
            Op::Drop { table, on } => db.drop_table(table, &create_options(on)).map(committed),
            Op::Compact { table, on } => Ok(db.compact(table, *on)?.map_or(Answer::NothingToFold, committed)),
            Op::Branch { name, from } => {
                db.create_branch(name, &self.at(*from), None).map(|branch| Answer::Transaction(branch.head_tx_id))
            }
            Op::DeleteBranch { name } => db.delete_branch(name).map(|()| Answer::Done),
            Op::Checkout { name } => db.checkout(name).map(|()| Answer::Done),
            Op::Tag { name, at } => db.create_tag(name, &self.at(*at)).map(|tag| Answer::Transaction(tag.tx_id)),
            Op::DeleteTag { name } => db.delete_tag(name).map(|()| Answer::Done),
            Op::Merge { source, into, strategy, dry_run } => {
                let options = MergeOptions { into: owned(into), strategy: *strategy, dry_run: *dry_run, message: None };
                let report = db.merge_branch(source, &options)?;
                let (tables, conflicts) = (report.tables, report.conflicts);
                Ok(Answer::Merged(Merged { kind: report.kind, tx_id: report.tx_id, tables, conflicts }))
            }
            Op::Revert { pick } => db.revert(self.thought.picked(*pick), None).map(committed),
            Op::Begin { slot, on, isolation } => {
                self.open[*slot] = None;
                self.open[*slot] = Some(db.begin(&BeginOptions { branch: owned(on), isolation: *isolation })?);
                Ok(Answer::Done)
            }
            Op::Tick { micros } => {
                self.world.tick(*micros);
                Ok(Answer::Done)
            }
            Op::Reopen => {
                self.open = Default::default();
                self.db.close();
                self.db = self.world.open(self.store.clone())?;
                Ok(Answer::Done)
            }
            _ => self.perform_inside(op),
        }
    }

    fn perform_inside(&mut self, op: &Op) -> armillaria::Result<Answer> {
        let Some(slot) = slot_of(op).filter(|slot| self.open[*slot].is_some()) else { return Ok(Answer::Done) };
        let open = self.open[slot].as_ref().unwrap();
        match op {
            Op::TxRead { table, .. } => open.read_table(table, None).and_then(collect).map(Answer::Rows),
            Op::TxTables { .. } => open.list_tables().map(Answer::Names),
            Op::TxWrite { table, rows, .. } => {
                open.write_table(table, rows.shape.stream(&rows.rows()), rows.mode).map(|_| Answer::Done)
            }
            Op::TxCreate { table, shape, .. } => open.create_table(table, &shape.schema(), &[]).map(|()| Answer::Done),
            Op::TxDrop { table, .. } => open.drop_table(table).map(|()| Answer::Done),
            Op::TxCommit { .. } => {
                let open = self.open[slot].take().unwrap();
                open.commit(Some("a transaction")).map(committed)
            }
            _ => {
                self.open[slot].take().unwrap().rollback()?;
                Ok(Answer::Done)
            }
        }
    }

    fn at(&self, spot: Spot) -> At {
        at(&self.thought.place(spot), matches!(spot, Spot::Head))
    }
}

/// The place as a caller names it; the current branch need not be named.
pub(crate) fn at(place: &Place, is_current: bool) -> At {
    match place {
        Place::Branch(_) if is_current => At::head(),
        Place::Branch(name) => At::branch(name.as_str()),
        Place::Tag(name) => At::tag(name.as_str()),
        Place::Transaction(tx_id) => At::tx(*tx_id),
        Place::Time(branch, time_us) => At::timestamp(*time_us).on_branch(branch.as_str()),
    }
}

fn owned(on: &On) -> Option<String> {
    on.map(str::to_string)
}

fn create_options(on: &On) -> CreateOptions {
    CreateOptions { branch: owned(on), ..CreateOptions::default() }
}

fn committed(commit: Commit) -> Answer {
    let tables = commit.tables.into_iter().map(|table| (table.table, table.kind, table.version, table.rows));
    Answer::Commit { tx_id: commit.tx_id, tables: tables.collect() }
}
