//! The catalog after some transaction: a value that is cheap to clone and never changes under its reader.

use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::index::Index;
use super::key::{self, TransactionPlace};
use super::records::Records;
use crate::error::{Error, Result};
use crate::format::{BranchId, BranchName, RefChange, TableChange, TableKey, TagName, Transaction, TxId, Version};
use crate::log::{LogPosition, RecordLocation};

/// A branch that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// Its name.
    pub name: BranchName,
    /// Its number.
    pub id: BranchId,
    /// The last transaction on it.
    pub head: TxId,
    /// The branch and the transaction that it started from; `None` for `main`.
    pub from: Option<(BranchName, TxId)>,
    /// When it was created, in microseconds since 1970-01-01 UTC.
    pub created_us: i64,
    /// What it is for.
    pub description: Option<String>,
    /// The last transaction on it that follows more than one; 0 if none does.
    pub(super) last_merge: TxId,
}

/// A tag that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    /// Its name.
    pub name: TagName,
    /// The transaction that it names.
    pub target: TxId,
    /// When it was given, in microseconds since 1970-01-01 UTC.
    pub created_us: i64,
}

/// All that the log says up to some transaction.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// Behind the last record that is in it.
    pub(super) position: LogPosition,
    pub(super) last_tx: TxId,
    pub(super) last_time_us: i64,
    pub(super) branches: OrdMap<BranchName, Branch>,
    pub(super) tags: OrdMap<TagName, Tag>,
    pub(super) index: Index,
    /// Transactions that are being committed and have no place in the log yet.
    pub(super) staged: OrdMap<TxId, Arc<Transaction>>,
}

impl State {
    /// Before the first transaction: `main`, and nothing on it.
    /// What the log says up to a place behind a record. `LOG_CORRUPT` if it does not reach it.
    pub(super) fn from_log(records: &Records, end: LogPosition) -> Result<State> {
        let mut state = State::empty(records.beginning);
        for record in records.log.scan(records.beginning) {
            if state.position.next == end.next {
                break;
            }
            let record = record?;
            let (location, behind) = (record.location, record.behind());
            for (index, transaction) in (0..).zip(records.remember(record).iter()) {
                state.apply(transaction, Some(TransactionPlace { record: location, index }))?;
            }
            state.position = behind;
        }
        match state.position.next == end.next {
            true => Ok(state),
            false => Err(Error::LogCorrupt {
                at: format!("record {}", state.position.next),
                reason: "the log ends here, and it was longer".to_string(),
            }),
        }
    }

    pub(super) fn empty(position: LogPosition) -> State {
        let main = Branch {
            name: BranchName::main(),
            id: BranchId(0),
            head: TxId(0),
            from: None,
            created_us: 0,
            description: None,
            last_merge: TxId(0),
        };
        State {
            position,
            last_tx: TxId(0),
            last_time_us: i64::MIN,
            branches: OrdMap::unit(main.name.clone(), main),
            tags: OrdMap::new(),
            index: Index::default(),
            staged: OrdMap::new(),
        }
    }

    /// Moves on by one transaction; one that does not follow is `LOG_CORRUPT` and changes nothing.
    ///
    /// `place` is `None` while the transaction is being committed.
    pub(super) fn apply(&mut self, transaction: &Arc<Transaction>, place: Option<TransactionPlace>) -> Result<()> {
        self.check_follows(transaction)?;
        let tx_id = transaction.tx_id;
        match place {
            Some(place) => {
                let value = key::transaction_value(place, transaction.time_us);
                self.index.insert(key::transaction_key(tx_id), value);
            }
            None => {
                self.staged.insert(tx_id, transaction.clone());
            }
        }
        let last_merge = self.last_merge(transaction);
        self.index.insert(key::branch_key(transaction.branch_id, tx_id), key::branch_value(last_merge));
        transaction.tables.iter().for_each(|change| self.apply_table(transaction, change, place));
        transaction.refs.iter().for_each(|change| self.apply_ref(transaction, change));
        if let Some(branch) = self.branches.get_mut(&transaction.branch)
            && branch.id == transaction.branch_id
        {
            branch.head = tx_id;
            branch.last_merge = last_merge;
        }
        self.last_tx = tx_id;
        self.last_time_us = transaction.time_us;
        Ok(())
    }

    /// The last merge on a transaction's branch, itself included.
    fn last_merge(&self, transaction: &Transaction) -> TxId {
        if transaction.parents.len() > 1 {
            return transaction.tx_id;
        }
        let branch = self.branches.get(&transaction.branch).filter(|branch| branch.id == transaction.branch_id);
        branch.map_or(TxId(0), |branch| branch.last_merge)
    }

    fn check_follows(&self, transaction: &Transaction) -> Result<()> {
        let corrupt = |reason: String| Error::LogCorrupt { at: format!("tx_id {}", transaction.tx_id), reason };
        if transaction.tx_id != self.last_tx.next() {
            return Err(corrupt(format!("transaction {} follows transaction {}", transaction.tx_id, self.last_tx)));
        }
        if transaction.time_us < self.last_time_us {
            return Err(corrupt("its time is before the previous transaction's".to_string()));
        }
        let bare_drop = transaction.tables.iter().find(|change| change.to.is_none() && change.from.is_none());
        if let Some(change) = bare_drop {
            return Err(corrupt(format!("it drops a table that was not there: {}", change.table)));
        }
        // What lookups leave out rests on this: see `key::made_by`.
        let too_high = |change: &&TableChange| change.to.is_some_and(|version| version.0 > transaction.tx_id.0);
        match transaction.tables.iter().find(too_high) {
            Some(change) => Err(corrupt(format!("it makes a version of {} that cannot be its next", change.table))),
            None => Ok(()),
        }
    }

    fn apply_table(&mut self, transaction: &Transaction, change: &TableChange, place: Option<TransactionPlace>) {
        let table = TableKey::of(change.table.as_str());
        let dropped = change.to.is_none();
        let version = change.to.or(change.from).unwrap_or(Version(0));
        let state_key = key::state_key(transaction.branch_id, table, transaction.tx_id);
        self.index.insert(state_key, key::state_value(version, dropped));
        if change.content.is_some() {
            let value = key::version_value(transaction.tx_id, place);
            self.index.insert(key::version_key(table, version), value);
        }
    }

    /// Moves on to behind the record in which all transactions now stand that were being committed.
    pub(super) fn settle(&mut self, record: RecordLocation, behind: LogPosition) {
        let staged = std::mem::take(&mut self.staged);
        for (index, transaction) in (0..).zip(staged.values()) {
            let place = TransactionPlace { record, index };
            let value = key::transaction_value(place, transaction.time_us);
            self.index.insert(key::transaction_key(transaction.tx_id), value);
            let value = key::version_value(transaction.tx_id, Some(place));
            for change in transaction.tables.iter().filter(|change| change.content.is_some()) {
                let table = TableKey::of(change.table.as_str());
                self.index.insert(key::version_key(table, change.to.unwrap_or(Version(0))), value);
            }
        }
        self.position = behind;
    }

    fn apply_ref(&mut self, transaction: &Transaction, change: &RefChange) {
        match change {
            RefChange::CreateBranch(created) => {
                let branch = Branch {
                    name: created.branch.clone(),
                    id: BranchId(transaction.tx_id.0),
                    head: transaction.tx_id,
                    from: Some((created.from.clone(), created.at)),
                    created_us: transaction.time_us,
                    description: created.description.clone(),
                    last_merge: TxId(0),
                };
                self.branches.insert(created.branch.clone(), branch);
            }
            RefChange::DeleteBranch(name) => {
                self.branches.remove(name);
            }
            RefChange::CreateTag { tag, target } => {
                let created = Tag { name: tag.clone(), target: *target, created_us: transaction.time_us };
                self.tags.insert(tag.clone(), created);
            }
            RefChange::DeleteTag(tag) => {
                self.tags.remove(tag);
            }
        }
    }
}
