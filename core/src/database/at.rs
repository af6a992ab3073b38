//! Where a read looks.

use std::collections::BTreeMap;

use crate::catalog::{Snapshot, View};
use crate::error::{Error, Result};
use crate::format::{BranchName, TableName, TagName, TxId, Version};

/// Where a read looks: the head of the current branch, unless told otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct At {
    branch: Option<String>,
    point: Point,
    versions: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Point {
    #[default]
    Head,
    Tag(String),
    Transaction(u64),
    Time(i64),
}

impl At {
    /// The head of the current branch.
    pub fn head() -> At {
        At::default()
    }

    /// The head of a branch.
    pub fn branch(name: impl Into<String>) -> At {
        At::default().on_branch(name)
    }

    /// What a tag names.
    pub fn tag(name: impl Into<String>) -> At {
        At { point: Point::Tag(name.into()), ..At::default() }
    }

    /// All tables as a transaction left them on its branch; 0 is the empty beginning.
    pub fn tx(tx_id: u64) -> At {
        At { point: Point::Transaction(tx_id), ..At::default() }
    }

    /// The current branch as it was at a time, inclusive, in microseconds since 1970-01-01 UTC.
    pub fn timestamp(time_us: i64) -> At {
        At { point: Point::Time(time_us), ..At::default() }
    }

    /// One table at a version of it.
    pub fn version(table: impl Into<String>, version: u64) -> At {
        At::default().with_version(table, version)
    }

    /// The same, on another branch; says nothing where a tag or a transaction was named.
    pub fn on_branch(mut self, name: impl Into<String>) -> At {
        self.branch = Some(name.into());
        self
    }

    /// The same, but for one table, which is looked at in that version.
    pub fn with_version(mut self, table: impl Into<String>, version: u64) -> At {
        self.versions.insert(table.into(), version);
        self
    }

    /// The branch of a snapshot, which this names, as it was at a time.
    #[cfg(feature = "sql")]
    pub(super) fn then(&self, time_us: i64, snapshot: &Snapshot) -> At {
        let branch = match self.point {
            Point::Head | Point::Time(_) => self.branch.clone(),
            Point::Tag(_) | Point::Transaction(_) => Some(snapshot.branch.to_string()),
        };
        At { branch, ..At::timestamp(time_us) }
    }

    /// Refuses versions of single tables where all tables are meant; `INVALID_ARGUMENT`.
    pub(super) fn of_all_tables(&self) -> Result<&At> {
        match self.versions.keys().next() {
            None => Ok(self),
            Some(table) => Err(Error::invalid("at", format!("a version of {table:?} alone is no place to stand at"))),
        }
    }

    /// The snapshot that is meant; `BRANCH_NOT_FOUND`, `TAG_NOT_FOUND`, `TRANSACTION_NOT_FOUND`.
    pub(super) fn snapshot(&self, view: &View, current: &BranchName) -> Result<Snapshot> {
        let named = self.branch.as_deref().map(BranchName::new).transpose()?;
        let branch = named.as_ref().unwrap_or(current);
        match &self.point {
            Point::Head => view.head(branch),
            Point::Tag(tag) => view.snapshot_of(view.tag(&TagName::new(tag)?)?.target),
            Point::Transaction(tx_id) => view.snapshot_of(TxId(*tx_id)),
            Point::Time(time_us) => view.snapshot_at_time(branch, *time_us),
        }
    }

    /// The same, for whoever may need none: a version of a table stands on no branch, so that the current branch may
    /// be gone. What is named must be there.
    pub(super) fn snapshot_if_needed(&self, view: &View, current: &BranchName) -> Result<Result<Snapshot>> {
        let names_a_place = self.branch.is_some() || self.point != Point::Head;
        match self.snapshot(view, current) {
            Err(error) if names_a_place => Err(error),
            snapshot => Ok(snapshot),
        }
    }

    /// The version of a table that is meant; `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`, also of other tables that this names.
    pub(super) fn version_of(&self, view: &View, snapshot: &Result<Snapshot>, table: &TableName) -> Result<Version> {
        // Those of other tables as well: a name that was mistyped must not go unnoticed.
        self.check_versions(view)?;
        if let Some(version) = self.version_named(table) {
            return Ok(version);
        }
        let snapshot = snapshot.as_ref().map_err(Error::clone)?;
        view.version_at(snapshot, table)?.ok_or_else(|| missing_table(table, snapshot))
    }

    /// The version of a table that this names.
    pub(super) fn version_named(&self, table: &TableName) -> Option<Version> {
        self.versions.get(table.as_str()).map(|version| Version(*version))
    }

    /// Refuses versions that are not there: `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`.
    pub(super) fn check_versions(&self, view: &View) -> Result<()> {
        self.versions.iter().try_for_each(|(table, version)| {
            view.version_change(&TableName::new(table)?, Version(*version)).map(|_| ())
        })
    }
}

pub(super) fn missing_table(table: &TableName, snapshot: &Snapshot) -> Error {
    let at = format!("branch {:?}, transaction {}", snapshot.branch, snapshot.tx_id);
    Error::TableNotFound { table: table.to_string(), at }
}

/// What `AT (VERSION => 'name')` means: a branch, else a tag; `branch:…`, `tag:…` and `tx:…` say which.
#[cfg(feature = "sql")]
pub(super) fn parse_reference(view: &View, text: &str) -> Result<At> {
    if let Some(name) = text.strip_prefix("branch:") {
        return Ok(At::branch(name));
    }
    if let Some(name) = text.strip_prefix("tag:") {
        return Ok(At::tag(name));
    }
    if let Some(number) = text.strip_prefix("tx:") {
        let tx_id = number.parse();
        return tx_id.map(At::tx).map_err(|_| Error::invalid("version", format!("{text:?} has no number after tx:")));
    }
    if view.find_branch(&BranchName::new(text)?).is_some() {
        return Ok(At::branch(text));
    }
    match view.find_tag(&TagName::new(text)?) {
        Some(_) => Ok(At::tag(text)),
        None => Err(Error::BranchNotFound { branch: format!("{text} (nor is there such a tag)") }),
    }
}
