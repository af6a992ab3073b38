//! Questions to the catalog as it was after some transaction.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock};

use super::commit::lock;
use super::index::Index;
use super::key::{self, Key, TableState, Value};
use super::records::Records;
use super::run;
use super::state::{Branch, State, Tag};
use crate::error::{Error, Result};
use crate::format::{
    BranchId, BranchName, ChangeKind, RefChange, TableChange, TableKey, TableName, TagName, Transaction, TxId, Version,
};

/// All tables as one transaction left them on a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The branch's name.
    pub branch: BranchName,
    /// The branch's number.
    pub branch_id: BranchId,
    /// The last transaction that is seen.
    pub tx_id: TxId,
}

/// The change that made a table version, and the transaction that it belongs to.
#[derive(Clone, Debug)]
pub struct VersionChange {
    /// The transaction.
    pub transaction: Arc<Transaction>,
    index: usize,
}

impl VersionChange {
    /// The change itself.
    pub fn change(&self) -> &TableChange {
        &self.transaction.tables[self.index]
    }
}

/// The catalog after some transaction. Nothing that others commit shows in it.
#[derive(Clone)]
pub struct View {
    pub(super) state: Arc<State>,
    pub(super) records: Arc<Records>,
    /// For a view of transactions that are being committed together: what their versions consist of.
    pub(super) staged: Option<Arc<StagedContents>>,
    /// The same entries, made anew from the log, once a file of the index has turned out to be damaged.
    anew: Arc<OnceLock<Index>>,
}

/// What whoever proposes a transaction keeps for those that stand on it in the same group; the catalog does not look.
pub(super) type StagedContents = Mutex<HashMap<(TableName, Version), StagedContent>>;

/// What a version consists of, in the form of whoever knows.
pub type StagedContent = Arc<dyn Any + Send + Sync>;

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").field("last_tx", &self.state.last_tx).finish()
    }
}

impl View {
    pub(super) fn of(state: Arc<State>, records: Arc<Records>) -> View {
        View { state, records, staged: None, anew: Arc::default() }
    }

    /// A view on which transactions that are committed together are laid one after the other.
    pub(super) fn of_staged(state: Arc<State>, records: Arc<Records>) -> View {
        View { staged: Some(Arc::default()), ..View::of(state, records) }
    }

    /// Asks the index. Where a file of it is damaged or missing, the answer comes from the log: what is derived fails
    /// nobody who reads. While transactions are being committed the error goes to the commit, which has all of them
    /// proposed anew: those before are not in the log yet.
    fn ask<T>(&self, question: impl Fn(&Index) -> Result<T>) -> Result<T> {
        if let Some(anew) = self.anew.get() {
            return question(anew);
        }
        match question(&self.state.index) {
            Err(error) if run::is_damage(&error) && self.staged.is_none() => {
                tracing::warn!(%error, "reading the log instead of the index");
                let anew = State::from_log(&self.records, self.state.position)?;
                question(self.anew.get_or_init(|| anew.index))
            }
            answer => answer,
        }
    }

    /// The last transaction that is seen; 0 before the first.
    pub fn last_tx(&self) -> TxId {
        self.state.last_tx
    }

    /// All branches, by name.
    pub fn branches(&self) -> impl Iterator<Item = &Branch> {
        self.state.branches.values()
    }

    /// All tags, by name.
    pub fn tags(&self) -> impl Iterator<Item = &Tag> {
        self.state.tags.values()
    }

    /// A branch; `BRANCH_NOT_FOUND`.
    pub fn branch(&self, name: &BranchName) -> Result<&Branch> {
        self.find_branch(name).ok_or_else(|| Error::BranchNotFound { branch: name.to_string() })
    }

    /// A branch, if there is one of that name.
    pub fn find_branch(&self, name: &BranchName) -> Option<&Branch> {
        self.state.branches.get(name)
    }

    /// A tag; `TAG_NOT_FOUND`.
    pub fn tag(&self, name: &TagName) -> Result<&Tag> {
        self.find_tag(name).ok_or_else(|| Error::TagNotFound { tag: name.to_string() })
    }

    /// A tag, if there is one of that name.
    pub fn find_tag(&self, name: &TagName) -> Option<&Tag> {
        self.state.tags.get(name)
    }

    /// A transaction; `TRANSACTION_NOT_FOUND`.
    pub fn transaction(&self, tx_id: TxId) -> Result<Arc<Transaction>> {
        if let Some(staged) = self.state.staged.get(&tx_id) {
            return Ok(staged.clone());
        }
        self.records.get(key::transaction_place(&self.entry(tx_id)?))
    }

    /// Keeps what a version consists of that is being committed, for those that stand on it in the same group.
    pub fn stage_content(&self, table: &TableName, version: Version, content: StagedContent) {
        if let Some(staged) = &self.staged {
            lock(staged).insert((table.clone(), version), content);
        }
    }

    /// What was kept of a version that is being committed.
    pub fn staged_content(&self, table: &TableName, version: Version) -> Option<StagedContent> {
        self.staged.as_ref().and_then(|staged| lock(staged).get(&(table.clone(), version)).cloned())
    }

    /// Whether a transaction is still being committed, so that its numbers may go to another.
    pub fn is_staged(&self, tx_id: TxId) -> bool {
        self.state.staged.contains_key(&tx_id)
    }

    /// What the index says of a transaction.
    fn entry(&self, tx_id: TxId) -> Result<Value> {
        let missing = Error::TransactionNotFound { tx_id: tx_id.0, latest: self.last_tx().0 };
        if tx_id > self.last_tx() {
            return Err(missing);
        }
        self.ask(|index| index.get(&key::transaction_key(tx_id)))?.ok_or(missing)
    }

    /// The head of a branch.
    pub fn head(&self, name: &BranchName) -> Result<Snapshot> {
        let branch = self.branch(name)?;
        Ok(Snapshot { branch: branch.name.clone(), branch_id: branch.id, tx_id: branch.head })
    }

    /// What a transaction left; 0 is the empty beginning.
    pub fn snapshot_of(&self, tx_id: TxId) -> Result<Snapshot> {
        if tx_id == TxId(0) {
            return Ok(Snapshot { branch: BranchName::main(), branch_id: BranchId(0), tx_id });
        }
        let transaction = self.transaction(tx_id)?;
        Ok(Snapshot { branch: transaction.branch.clone(), branch_id: transaction.branch_id, tx_id })
    }

    /// A branch as it was at a time, that moment included.
    pub fn snapshot_at_time(&self, name: &BranchName, time_us: i64) -> Result<Snapshot> {
        let last = self.last_tx_up_to(time_us)?;
        let head = self.head(name)?;
        self.settled(&Snapshot { tx_id: head.tx_id.min(last), ..head })
    }

    /// The last transaction up to a time, that moment included; 0 if none is so old. Found by halving: times never go back.
    pub fn last_tx_up_to(&self, time_us: i64) -> Result<TxId> {
        let (mut low, mut high) = (0, self.last_tx().0);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            let time_of_middle = key::transaction_time(&self.entry(TxId(middle))?);
            if time_of_middle <= time_us { low = middle } else { high = middle - 1 }
        }
        Ok(TxId(low))
    }

    /// The same snapshot, named by the last transaction that it sees of its own line.
    fn settled(&self, snapshot: &Snapshot) -> Result<Snapshot> {
        for (branch, bound) in self.lineage(snapshot)? {
            let (low, high) = (key::branch_key(branch, TxId(0)), key::branch_key(branch, bound));
            if let Some((key, _)) = self.ask(|index| index.last_in(&low, &high))? {
                return self.snapshot_of(key::branch_tx(&key));
            }
        }
        self.snapshot_of(TxId(0))
    }

    /// The transactions on a branch's own line after `after` and up to a snapshot, oldest first; what stood on the
    /// branch that it started from is not among them.
    pub fn transactions_on(&self, snapshot: &Snapshot, after: TxId) -> Result<Vec<TxId>> {
        if after >= snapshot.tx_id {
            return Ok(Vec::new());
        }
        let low = key::branch_key(snapshot.branch_id, after.next());
        let entries = self.ask(|index| index.range(&low, &key::branch_key(snapshot.branch_id, snapshot.tx_id)))?;
        Ok(entries.iter().map(|(key, _)| key::branch_tx(key)).collect())
    }

    /// The last transaction on a branch's own line, up to `tx_id`, that follows more than one, or else the one that created
    /// the branch; `None` on `main` before its first merge. All between follow the one before them and no other.
    pub fn last_junction(&self, branch: BranchId, tx_id: TxId) -> Result<Option<TxId>> {
        let (low, high) = (key::branch_key(branch, TxId(0)), key::branch_key(branch, tx_id));
        let last = self.ask(|index| index.last_in(&low, &high))?;
        let merge = last.and_then(|(_, value)| key::branch_last_merge(&value));
        Ok(merge.or(Some(TxId(branch.0)).filter(|creation| creation.0 > 0)))
    }

    /// The branches that a snapshot sees, itself first, each with the last transaction seen on it.
    fn lineage(&self, snapshot: &Snapshot) -> Result<Vec<(BranchId, TxId)>> {
        let (mut branch, mut bound) = (snapshot.branch_id, snapshot.tx_id);
        let mut lineage = vec![(branch, bound)];
        while branch != BranchId(0) {
            let creation = self.transaction(TxId(branch.0))?;
            let created = creation.refs.iter().find_map(|change| match change {
                RefChange::CreateBranch(created) => Some(created),
                _ => None,
            });
            let created = created
                .filter(|created| created.at.0 < branch.0 && created.from_id.0 < branch.0)
                .ok_or_else(|| Error::LogCorrupt {
                    at: format!("tx_id {branch}"),
                    reason: "it does not create the branch of its number".to_string(),
                })?;
            (branch, bound) = (created.from_id, bound.min(created.at));
            lineage.push((branch, bound));
        }
        Ok(lineage)
    }

    /// What a table is in a snapshot; `None` where there never was one.
    pub fn table_state(&self, snapshot: &Snapshot, table: &TableName) -> Result<Option<TableState>> {
        let table = TableKey::of(table.as_str());
        for (branch, bound) in self.lineage(snapshot)? {
            let (low, high) = state_range(branch, table, bound);
            if let Some((key, value)) = self.ask(|index| index.last_in(&low, &high))? {
                return Ok(Some(key::table_state(&key, &value).1));
            }
        }
        Ok(None)
    }

    /// The version of a table in a snapshot; `None` where there is no such table.
    pub fn version_at(&self, snapshot: &Snapshot, table: &TableName) -> Result<Option<Version>> {
        Ok(self.table_state(snapshot, table)?.and_then(TableState::live))
    }

    /// The states that a table went through in the eyes of a snapshot, oldest first.
    pub fn table_states(&self, snapshot: &Snapshot, table: &TableName) -> Result<Vec<TableState>> {
        let table = TableKey::of(table.as_str());
        let mut states = Vec::new();
        for (branch, bound) in self.lineage(snapshot)?.into_iter().rev() {
            let (low, high) = state_range(branch, table, bound);
            let entries = self.ask(|index| index.range(&low, &high))?;
            states.extend(entries.iter().map(|(key, value)| key::table_state(key, value).1));
        }
        Ok(states)
    }

    /// What happened to a table on the branch of a snapshot after `tx_id` and up to the snapshot, oldest first.
    pub fn changes_since(&self, snapshot: &Snapshot, table: &TableName, tx_id: TxId) -> Result<Vec<ChangeKind>> {
        let low = key::state_key(snapshot.branch_id, TableKey::of(table.as_str()), tx_id.next());
        let high = key::state_key(snapshot.branch_id, TableKey::of(table.as_str()), snapshot.tx_id);
        let mut kinds = Vec::new();
        if low <= high {
            for (key, value) in self.ask(|index| index.range(&low, &high))? {
                let transaction = self.transaction(key::table_state(&key, &value).1.tx_id)?;
                kinds.extend(transaction.place_of(table).map(|place| transaction.tables[place].kind));
            }
        }
        Ok(kinds)
    }

    /// Every table that a snapshot knows of, the dropped ones too. The work grows with their number, not with that of
    /// their versions.
    pub fn tables(&self, snapshot: &Snapshot) -> Result<BTreeMap<TableKey, TableState>> {
        let mut tables = BTreeMap::new();
        let (first, last) = (TableKey::from_bytes([0; 16]), TableKey::from_bytes([0xff; 16]));
        for (branch, bound) in self.lineage(snapshot)?.into_iter().rev() {
            let low = key::state_key(branch, first, TxId(0));
            let high = key::state_key(branch, last, TxId(u64::MAX));
            let states = self.ask(|index| index.newest_of_each(&low, &high, bound))?;
            tables.extend(states.iter().map(|(key, value)| key::table_state(key, value)));
        }
        Ok(tables)
    }

    /// The tables of a snapshot, by name.
    pub fn live_tables(&self, snapshot: &Snapshot) -> Result<BTreeMap<TableName, Version>> {
        let mut live = BTreeMap::new();
        self.each_live_table(snapshot, |version, change| {
            live.insert(change.table.clone(), version);
            Ok(())
        })?;
        Ok(live)
    }

    /// Tells the version of each table of a snapshot and the change that left the table so, in no order that means
    /// anything.
    pub fn each_live_table(
        &self,
        snapshot: &Snapshot,
        tell: impl FnMut(Version, &TableChange) -> Result<()>,
    ) -> Result<()> {
        let tables = self.tables(snapshot)?;
        let live = tables.into_iter().filter_map(|(table, state)| Some((table, state.tx_id, state.live()?)));
        self.each_change(live, tell)
    }

    /// The names behind keys, each given with a transaction that changed the table.
    pub fn names_of(
        &self,
        tables: impl IntoIterator<Item = (TableKey, TxId)>,
    ) -> Result<BTreeMap<TableKey, TableName>> {
        let mut names = BTreeMap::new();
        let tables = tables.into_iter().map(|(table, tx_id)| (table, tx_id, table));
        self.each_change(tables, |table, change| {
            names.insert(table, change.table.clone());
            Ok(())
        })?;
        Ok(names)
    }

    /// Finds changes by keys of tables and transactions. Each transaction is read once, however many of its changes are
    /// meant, and names are hashed once: the work grows with the changes of those transactions.
    fn each_change<T>(
        &self,
        tables: impl IntoIterator<Item = (TableKey, TxId, T)>,
        mut tell: impl FnMut(T, &TableChange) -> Result<()>,
    ) -> Result<()> {
        let mut wanted: BTreeMap<TxId, HashMap<TableKey, T>> = BTreeMap::new();
        for (table, tx_id, item) in tables {
            wanted.entry(tx_id).or_default().insert(table, item);
        }
        for (tx_id, mut wanted) in wanted {
            let transaction = self.transaction(tx_id)?;
            for change in &transaction.tables {
                if wanted.is_empty() {
                    break;
                }
                if let Some(item) = wanted.remove(&TableKey::of(change.table.as_str())) {
                    tell(item, change)?;
                }
            }
            if !wanted.is_empty() {
                let reason = "it does not change the tables that the index says".to_string();
                return Err(Error::LogCorrupt { at: format!("tx_id {tx_id}"), reason });
            }
        }
        Ok(())
    }

    /// The newest version of a table on any branch; `None` where there never was one.
    pub fn latest_version(&self, table: &TableName) -> Result<Option<Version>> {
        let table = TableKey::of(table.as_str());
        let (low, high) = (key::version_key(table, Version(0)), key::version_key(table, Version(u64::MAX)));
        Ok(self.ask(|index| index.last_in(&low, &high))?.map(|(key, _)| key::version_of_key(&key)))
    }

    /// The number that the next version of a table will have.
    pub fn next_version(&self, table: &TableName) -> Result<Version> {
        Ok(self.latest_version(table)?.unwrap_or_default().next())
    }

    /// Whether there is such a version of a table.
    pub fn has_version(&self, table: &TableName, version: Version) -> Result<bool> {
        Ok(self.ask(|index| index.get(&key::version_key(TableKey::of(table.as_str()), version)))?.is_some())
    }

    /// The change that made a version; `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`.
    pub fn version_change(&self, table: &TableName, version: Version) -> Result<VersionChange> {
        let key = key::version_key(TableKey::of(table.as_str()), version);
        let Some(value) = self.ask(|index| index.get(&key))? else {
            return Err(self.missing_version(table, version)?);
        };
        let transaction = match key::version_made(&value) {
            (_, Some(place)) => self.records.get(place)?,
            (tx_id, None) => self.transaction(tx_id)?,
        };
        let makes_it = |place: &usize| transaction.tables[*place].to == Some(version);
        let index = transaction.place_of(table).filter(makes_it).ok_or_else(|| Error::LogCorrupt {
            at: format!("tx_id {}", transaction.tx_id),
            reason: format!("it does not make version {version} of {table}"),
        })?;
        Ok(VersionChange { transaction, index })
    }

    fn missing_version(&self, table: &TableName, version: Version) -> Result<Error> {
        let table = table.to_string();
        Ok(match self.latest_version(&TableName::new(&table)?)? {
            Some(latest) => Error::VersionNotFound { table, version: version.0, latest: latest.0 },
            None => Error::TableNotFound { table, at: "any version".to_string() },
        })
    }
}

fn state_range(branch: BranchId, table: TableKey, bound: TxId) -> (Key, Key) {
    (key::state_key(branch, table, TxId(0)), key::state_key(branch, table, bound))
}
