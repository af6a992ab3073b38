//! Branches.

use std::collections::BTreeMap;
use std::mem::MaybeUninit;

use armillaria::{BranchDiff, BranchInfo};
use safer_ffi::derive_ReprC;

use crate::at::{self, ArmillariaAt, ArmillariaTableVersion, table_versions};
use crate::database::{ArmillariaDatabase, database};
use crate::error::{ArmillariaError, ArmillariaStatus};
use crate::guard::{answer, run};
use crate::memory::{self, Memory};
use crate::results::{ArmillariaCommit, commit};
use crate::string::ArmillariaString;

/// A branch.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaBranchInfo {
    /// Its name.
    pub name: ArmillariaString,
    /// The last transaction on it.
    pub head_tx_id: u64,
    /// The branch that it started from; NULL for `main`.
    pub from_branch: ArmillariaString,
    /// Whether it started from another branch; false for `main`.
    pub has_from_tx_id: bool,
    /// The transaction that it started at.
    pub from_tx_id: u64,
    /// When it was created, in microseconds since 1970-01-01 UTC; 0 for `main`.
    pub created_us: i64,
    /// What it is for; NULL if nobody said.
    pub description: ArmillariaString,
}

/// Branches, by name.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaBranchList {
    /// The first; there is always one.
    pub items: *const *const ArmillariaBranchInfo,
    /// How many.
    pub len: usize,
}

/// A table that two branches have in different versions.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaModifiedTable {
    /// The table.
    pub table: ArmillariaString,
    /// Its version on the first branch.
    pub version_in_a: u64,
    /// Its version on the second branch.
    pub version_in_b: u64,
}

/// How two branches differ, by the versions that their heads hold.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaBranchDiff {
    /// Tables of the first that the second has not.
    pub added: *const ArmillariaString,
    /// How many.
    pub added_len: usize,
    /// Tables of the second that the first has not.
    pub removed: *const ArmillariaString,
    /// How many.
    pub removed_len: usize,
    /// Tables of both in different versions.
    pub modified: *const *const ArmillariaModifiedTable,
    /// How many.
    pub modified_len: usize,
}

fn branch_list(branches: Vec<BranchInfo>) -> *const ArmillariaBranchList {
    let item = |memory: &mut Memory, branch: BranchInfo| ArmillariaBranchInfo {
        name: memory.text(branch.name),
        head_tx_id: branch.head_tx_id,
        from_branch: memory.optional(branch.from_branch),
        has_from_tx_id: branch.from_tx_id.is_some(),
        from_tx_id: branch.from_tx_id.unwrap_or(0),
        created_us: branch.created_us,
        description: memory.optional(branch.description),
    };
    memory::build(|memory| {
        let (items, len) = memory.items(branches, item);
        ArmillariaBranchList { items, len }
    })
}

fn branch_diff(diff: BranchDiff) -> *const ArmillariaBranchDiff {
    memory::build(|memory| {
        let (added, added_len) = memory.texts(diff.added);
        let (removed, removed_len) = memory.texts(diff.removed);
        let (modified, modified_len) = memory.items(diff.modified, |memory, (table, version_in_a, version_in_b)| {
            ArmillariaModifiedTable { table: memory.text(table), version_in_a, version_in_b }
        });
        ArmillariaBranchDiff { added, added_len, removed, removed_len, modified, modified_len }
    })
}

/// Creates a branch, at any place that can be read; the same work for one table or ten thousand. `description` is
/// optional. `BRANCH_EXISTS`; `INVALID_ARGUMENT` if `from` names versions of single tables.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_create_branch(
    db: Option<&ArmillariaDatabase>,
    name: ArmillariaString,
    from: *const ArmillariaAt,
    description: ArmillariaString,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    run(error, || {
        // SAFETY: arguments are what the header asks for.
        let (name, from, description) =
            unsafe { (name.required("name")?, at::read(from)?, description.optional("description")?) };
        database(db)?.create_branch(name, &from, description).map(drop)
    })
}

/// Deletes a branch; its transactions and versions stay. `BRANCH_NOT_FOUND`; `INVALID_ARGUMENT` for `main`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_delete_branch(
    db: Option<&ArmillariaDatabase>,
    name: ArmillariaString,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    run(error, || {
        // SAFETY: arguments are what the header asks for.
        let name = unsafe { name.required("name") }?;
        database(db)?.delete_branch(name)
    })
}

/// All branches, by name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_list_branches(
    db: Option<&ArmillariaDatabase>,
    out: Option<&mut MaybeUninit<*const ArmillariaBranchList>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || database(db)?.list_branches().map(branch_list))
}

/// How the heads of two branches differ. `BRANCH_NOT_FOUND`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_diff_branches(
    db: Option<&ArmillariaDatabase>,
    a: ArmillariaString,
    b: ArmillariaString,
    out: Option<&mut MaybeUninit<*const ArmillariaBranchDiff>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let (a, b) = unsafe { (a.required("a")?, b.required("b")?) };
        database(db)?.diff_branches(a, b).map(branch_diff)
    })
}

/// Makes a branch hold these versions of these tables, in one transaction; a version of 0 drops the table. Tables that
/// are not named stay as they are. `message` is optional.
///
/// `BRANCH_NOT_FOUND`, `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_set_branch_versions(
    db: Option<&ArmillariaDatabase>,
    branch: ArmillariaString,
    versions: *const ArmillariaTableVersion,
    versions_len: usize,
    message: ArmillariaString,
    out: Option<&mut MaybeUninit<*const ArmillariaCommit>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let (branch, versions, message) = unsafe {
            let versions = table_versions("versions", versions, versions_len)?;
            (branch.required("branch")?, versions, message.optional("message")?)
        };
        let versions: BTreeMap<String, Option<u64>> =
            versions.into_iter().map(|(table, version)| (table, (version > 0).then_some(version))).collect();
        database(db)?.set_branch_versions(branch, &versions, message).map(commit)
    })
}

/// Frees a list of branches. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_branch_list_free(list: *const ArmillariaBranchList) {
    // SAFETY: only this library makes them, and the caller frees each once.
    unsafe { memory::free(list) }
}

/// Frees a difference of branches. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_branch_diff_free(diff: *const ArmillariaBranchDiff) {
    // SAFETY: only this library makes them, and the caller frees each once.
    unsafe { memory::free(diff) }
}
