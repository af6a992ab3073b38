//! Operations on branches and tags.

use std::collections::BTreeMap;

use super::{At, Database};
use crate::branch::{self, BranchDiff, BranchInfo, MergeOptions, MergeReport, TagInfo};
use crate::error::Result;
use crate::format::{BranchName, TableName, TagName, TxId, Version};
use crate::table::WriteStatistics;
use crate::transaction::{Commit, describe};

impl Database {
    /// Creates a branch, at any place that all tables can be read at; the same work for one table or ten thousand.
    /// `BRANCH_EXISTS`.
    pub fn create_branch(&self, name: &str, from: &At, description: Option<&str>) -> Result<BranchInfo> {
        let name = BranchName::new(name)?;
        let (_, snapshot) = self.look(from.of_all_tables()?)?;
        let description = description.map(str::to_string);
        branch::create_branch(self.repository()?, &name, snapshot, description, self.author())
    }

    /// Deletes a branch; its transactions and versions stay. `BRANCH_NOT_FOUND`; `INVALID_ARGUMENT` for `main`.
    pub fn delete_branch(&self, name: &str) -> Result<()> {
        branch::delete_branch(self.repository()?, &BranchName::new(name)?, self.author()).map(|_| ())
    }

    /// All branches, by name.
    pub fn list_branches(&self) -> Result<Vec<BranchInfo>> {
        Ok(self.view()?.branches().map(BranchInfo::from).collect())
    }

    /// Makes tables of a branch stand at given versions, whatever branch made them; `None` drops the table. Tables that
    /// are not named stay. Where nothing would change, nothing is committed.
    ///
    /// `BRANCH_NOT_FOUND`, `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`.
    pub fn set_branch_versions(
        &self,
        branch: &str,
        versions: &BTreeMap<String, Option<u64>>,
        message: Option<&str>,
    ) -> Result<Commit> {
        let branch = BranchName::new(branch)?;
        let parse = |(table, version): (&String, &Option<u64>)| Ok((TableName::new(table)?, version.map(Version)));
        let versions = versions.iter().map(parse).collect::<Result<_>>()?;
        let message = message.map(str::to_string);
        let made = branch::set_versions(self.repository()?, &branch, versions, message, self.author())?;
        match made {
            Some(transaction) => Ok(describe(&transaction, WriteStatistics::default())),
            None => self.begin_on(Some(branch.as_str()))?.commit(None),
        }
    }

    /// Gives a name to a place, for ever; `TAG_EXISTS`.
    pub fn create_tag(&self, name: &str, at: &At) -> Result<TagInfo> {
        let name = TagName::new(name)?;
        let (_, snapshot) = self.look(at.of_all_tables()?)?;
        branch::create_tag(self.repository()?, &name, snapshot, self.author())
    }

    /// Takes a tag away; `TAG_NOT_FOUND`.
    pub fn delete_tag(&self, name: &str) -> Result<()> {
        branch::delete_tag(self.repository()?, &TagName::new(name)?, self.author()).map(|_| ())
    }

    /// All tags, by name.
    pub fn list_tags(&self) -> Result<Vec<TagInfo>> {
        Ok(self.view()?.tags().map(TagInfo::from).collect())
    }

    /// How the heads of two branches differ; `BRANCH_NOT_FOUND`.
    pub fn diff_branches(&self, a: &str, b: &str) -> Result<BranchDiff> {
        branch::diff_branches(&self.view()?, &BranchName::new(a)?, &BranchName::new(b)?)
    }

    /// Merges a branch into another, three-way from their common ancestor, table by table.
    /// `BRANCH_NOT_FOUND`; `MERGE_CONFLICT` unless the strategy decides or it is a dry run.
    pub fn merge_branch(&self, source: &str, options: &MergeOptions) -> Result<MergeReport> {
        let source = BranchName::new(source)?;
        let into = self.branch_or_current(options.into.as_deref())?;
        branch::merge(self.repository()?, &source, &into, options, self.author())
    }

    /// Undoes what a transaction did to tables, by a new transaction on the same branch.
    ///
    /// `TRANSACTION_NOT_FOUND`, `MERGE_CONFLICT` (a table changed again since), `INVALID_ARGUMENT` (it changed none).
    pub fn revert(&self, tx_id: u64, message: Option<&str>) -> Result<Commit> {
        let message = message.map(str::to_string);
        let transaction = branch::revert(self.repository()?, TxId(tx_id), message, self.author())?;
        Ok(describe(&transaction, WriteStatistics::default()))
    }
}
