//! What a repository means, said as simply as possible: every transaction keeps all that it left, in memory.
//!
//! Written from the description of the operations, and independent of how the library works: no index, no lineage of
//! branches, no chunks. A branch is a transaction; what came before it is found by following first parents.

mod merging;
mod staging;

pub(crate) use merging::Merged;
pub(crate) use staging::{OpenTransaction, Wanted};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use armillaria::Code;
use armillaria::format::ChangeKind;

use crate::support::{Row, Shape};

/// A result of the model: what it says, or the code that the library must answer.
pub(crate) type Outcome<T> = Result<T, Code>;

#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// The transaction of number n is at n; number 0 is the empty beginning.
    pub(crate) transactions: Vec<Transaction>,
    pub(crate) versions: BTreeMap<String, Vec<Version>>,
    pub(crate) branches: BTreeMap<String, Branch>,
    pub(crate) tags: BTreeMap<String, u64>,
    next_schema: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Branch {
    /// The transaction that created it: a name may be used again, this is not.
    pub(crate) line: u64,
    pub(crate) head: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Transaction {
    pub(crate) branch: String,
    pub(crate) line: u64,
    pub(crate) parents: Vec<u64>,
    pub(crate) time_us: i64,
    pub(crate) changes: Vec<Change>,
    /// All tables as this transaction left them, the dropped ones too.
    pub(crate) tables: BTreeMap<String, TableState>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TableState {
    /// The version; for a dropped table the one that was dropped.
    pub(crate) version: u64,
    pub(crate) is_live: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    pub(crate) table: String,
    pub(crate) kind: ChangeKind,
    pub(crate) from: Option<u64>,
    pub(crate) to: Option<u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) content: Content,
    pub(crate) from: Option<u64>,
    pub(crate) kind: ChangeKind,
    pub(crate) restores: Option<u64>,
    pub(crate) tx_id: u64,
}

/// Rows in order, and their columns. The number of a schema changes whenever columns do, also back and forth.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) rows: Arc<Vec<Row>>,
    pub(crate) shape: Shape,
    pub(crate) schema: u32,
}

/// Where a read looks.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Branch(String),
    Tag(String),
    Transaction(u64),
    /// A branch at a time.
    Time(String, i64),
}

impl Model {
    pub(crate) fn new() -> Model {
        let beginning = Transaction {
            branch: "main".to_string(),
            line: 0,
            parents: Vec::new(),
            time_us: i64::MIN,
            changes: Vec::new(),
            tables: BTreeMap::new(),
        };
        Model {
            transactions: vec![beginning],
            versions: BTreeMap::new(),
            branches: BTreeMap::from([("main".to_string(), Branch { line: 0, head: 0 })]),
            tags: BTreeMap::new(),
            next_schema: 0,
        }
    }

    pub(crate) fn latest(&self) -> u64 {
        self.transactions.len() as u64 - 1
    }

    pub(crate) fn transaction(&self, tx_id: u64) -> Outcome<&Transaction> {
        self.transactions.get(tx_id as usize).ok_or(Code::TransactionNotFound)
    }

    pub(crate) fn branch(&self, name: &str) -> Outcome<&Branch> {
        self.branches.get(name).ok_or(Code::BranchNotFound)
    }

    pub(crate) fn version(&self, table: &str, version: u64) -> Outcome<&Version> {
        let versions = self.versions.get(table).ok_or(Code::TableNotFound)?;
        version.checked_sub(1).and_then(|at| versions.get(at as usize)).ok_or(Code::VersionNotFound)
    }

    /// The transaction that a place means.
    pub(crate) fn find(&self, place: &Place) -> Outcome<u64> {
        match place {
            Place::Branch(name) => Ok(self.branch(name)?.head),
            Place::Tag(tag) => self.tags.get(tag).copied().ok_or(Code::TagNotFound),
            Place::Transaction(tx_id) => self.transaction(*tx_id).map(|_| *tx_id),
            Place::Time(branch, time_us) => {
                let head = self.branch(branch)?.head;
                Ok(self.first_parents(head).find(|tx_id| self.at(*tx_id).time_us <= *time_us).unwrap_or(0))
            }
        }
    }

    pub(crate) fn at(&self, tx_id: u64) -> &Transaction {
        &self.transactions[tx_id as usize]
    }

    /// A transaction and those before it on its branch and on the branches that this one started from, newest first.
    pub(crate) fn first_parents(&self, tx_id: u64) -> impl Iterator<Item = u64> {
        std::iter::successors(Some(tx_id), |tx_id| self.at(*tx_id).parents.first().copied())
    }

    pub(crate) fn live_version(&self, tx_id: u64, table: &str) -> Option<u64> {
        self.at(tx_id).tables.get(table).filter(|state| state.is_live).map(|state| state.version)
    }

    pub(crate) fn live_tables(&self, tx_id: u64) -> BTreeMap<&str, u64> {
        let tables = self.at(tx_id).tables.iter().filter(|(_, state)| state.is_live);
        tables.map(|(name, state)| (name.as_str(), state.version)).collect()
    }

    /// The transactions that changed a table in the eyes of a branch, oldest first.
    pub(crate) fn history(&self, table: &str, branch: &str) -> Outcome<Vec<u64>> {
        let head = self.branch(branch)?.head;
        let mut seen: Vec<u64> =
            self.first_parents(head).filter(|tx_id| self.change(*tx_id, table).is_some()).collect();
        seen.reverse();
        if seen.is_empty() { Err(Code::TableNotFound) } else { Ok(seen) }
    }

    pub(crate) fn change(&self, tx_id: u64, table: &str) -> Option<&Change> {
        self.at(tx_id).changes.iter().find(|change| change.table == table)
    }

    /// The version whose data a version has: folding changes none, and restoring brings back another's.
    pub(crate) fn data_version(&self, table: &str, version: u64) -> u64 {
        match self.version(table, version) {
            Ok(Version { kind: ChangeKind::Fold, from: Some(same), .. } | Version { restores: Some(same), .. }) => {
                self.data_version(table, *same)
            }
            _ => version,
        }
    }

    /// The versions between two, the first exclusive, if the second grew out of the first.
    pub(crate) fn growth(&self, table: &str, from: u64, to: u64) -> Outcome<Vec<u64>> {
        if from > 0 {
            self.version(table, from)?;
        }
        let (mut path, mut at) = (Vec::new(), to);
        while at > from {
            path.push(at);
            at = self.version(table, at)?.from.unwrap_or(0);
        }
        path.reverse();
        if at == from { Ok(path) } else { Err(Code::InvalidArgument) }
    }

    pub(crate) fn create_branch(&mut self, name: &str, from: &Place, time_us: i64) -> Outcome<u64> {
        let from = self.find(from)?;
        if self.branches.contains_key(name) {
            return Err(Code::BranchExists);
        }
        let line = self.latest() + 1;
        self.branches.insert(name.to_string(), Branch { line, head: from });
        Ok(self.commit(name, vec![from], Vec::new(), time_us))
    }

    pub(crate) fn delete_branch(&mut self, name: &str, time_us: i64) -> Outcome<u64> {
        if name == "main" {
            return Err(Code::InvalidArgument);
        }
        let head = self.branch(name)?.head;
        let tx_id = self.commit(name, vec![head], Vec::new(), time_us);
        self.branches.remove(name);
        Ok(tx_id)
    }

    pub(crate) fn create_tag(&mut self, tag: &str, place: &Place, time_us: i64) -> Outcome<u64> {
        let target = self.find(place)?;
        if self.tags.contains_key(tag) {
            return Err(Code::TagExists);
        }
        self.tags.insert(tag.to_string(), target);
        let head = self.branches["main"].head;
        Ok(self.commit("main", vec![head], Vec::new(), time_us))
    }

    pub(crate) fn delete_tag(&mut self, tag: &str, time_us: i64) -> Outcome<u64> {
        self.tags.remove(tag).ok_or(Code::TagNotFound)?;
        let head = self.branches["main"].head;
        Ok(self.commit("main", vec![head], Vec::new(), time_us))
    }

    /// Adds a transaction to a branch; the versions that it brings must be there already.
    fn commit(&mut self, branch: &str, parents: Vec<u64>, changes: Vec<Change>, time_us: i64) -> u64 {
        let tx_id = self.latest() + 1;
        let mut tables = self.at(parents[0]).tables.clone();
        for change in &changes {
            let version = change.to.or(change.from).unwrap();
            tables.insert(change.table.clone(), TableState { version, is_live: change.to.is_some() });
        }
        let time_us = time_us.max(self.at(self.latest()).time_us);
        let line = self.branches[branch].line;
        self.transactions.push(Transaction { branch: branch.to_string(), line, parents, time_us, changes, tables });
        self.branches.get_mut(branch).unwrap().head = tx_id;
        tx_id
    }

    fn add_version(&mut self, table: &str, kind: ChangeKind, from: Option<u64>, content: Content) -> Change {
        let tx_id = self.latest() + 1;
        let versions = self.versions.entry(table.to_string()).or_default();
        versions.push(Version { content, from, kind, restores: None, tx_id });
        Change { table: table.to_string(), kind, from, to: Some(versions.len() as u64) }
    }

    fn restore(&mut self, table: &str, from: Option<u64>, version: u64) -> Change {
        let content = self.version(table, version).unwrap().content.clone();
        let change = self.add_version(table, ChangeKind::Restore, from, content);
        self.versions.get_mut(table).unwrap().last_mut().unwrap().restores = Some(version);
        change
    }

    fn new_schema(&mut self) -> u32 {
        self.next_schema += 1;
        self.next_schema
    }

    /// Makes the same rows a new version; the library decides whether there is anything to fold.
    pub(crate) fn fold(&mut self, table: &str, branch: &str, time_us: i64) -> Outcome<u64> {
        let head = self.branch(branch)?.head;
        let from = self.live_version(head, table).ok_or(Code::TableNotFound)?;
        let content = self.version(table, from)?.content.clone();
        let change = self.add_version(table, ChangeKind::Fold, Some(from), content);
        Ok(self.commit(branch, vec![head], vec![change], time_us))
    }

    /// Every name of a table that there ever was.
    pub(crate) fn table_names(&self) -> BTreeSet<&str> {
        self.versions.keys().map(String::as_str).collect()
    }
}

fn drop_change(table: &str, from: Option<u64>) -> Change {
    Change { table: table.to_string(), kind: ChangeKind::Drop, from, to: None }
}
