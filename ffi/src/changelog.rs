//! The changelog, read as a batch.

use std::mem::MaybeUninit;

use armillaria::format::{RefChange, TransactionKind};
use armillaria::{ChangelogEntry, ChangelogTable, ChangesQuery, Result};
use arrow::ffi_stream::FFI_ArrowArrayStream;
use safer_ffi::derive_ReprC;

use crate::arrow::export_rows;
use crate::cancel::{ArmillariaCancel, token};
use crate::database::{ArmillariaDatabase, database};
use crate::error::{ArmillariaError, ArmillariaStatus};
use crate::flag::Flag;
use crate::guard::answer;
use crate::memory::{self, Memory};
use crate::options::{self, Options};
use crate::string::{ArmillariaString, texts};

/// Which entries of the changelog are wanted. What is not set is not asked for.
#[derive(Clone, Copy, Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaChangesOptions {
    /// `sizeof(ArmillariaChangesOptions)`.
    pub struct_size: usize,
    /// Whether `since_tx` counts.
    pub has_since_tx: Flag,
    /// Whether `until_tx` counts.
    pub has_until_tx: Flag,
    /// Whether `from_time_us` counts.
    pub has_from_time: Flag,
    /// Whether `to_time_us` counts.
    pub has_to_time: Flag,
    /// Whether `limit` counts.
    pub has_limit: Flag,
    /// Only transactions after this one, exclusive.
    pub since_tx: u64,
    /// Only transactions up to this one, inclusive.
    pub until_tx: u64,
    /// Only from this time on, inclusive, in microseconds since 1970-01-01 UTC.
    pub from_time_us: i64,
    /// Only up to this time, inclusive.
    pub to_time_us: i64,
    /// Only the first so many.
    pub limit: u64,
    /// Only transactions that changed one of these tables; none: any.
    pub tables: *const ArmillariaString,
    /// How many.
    pub tables_len: usize,
    /// Only transactions on this branch. Not given: on all.
    pub branch: ArmillariaString,
}

// SAFETY: begins with the size; numbers, flags, strings and pointers only, which bytes of any value make.
unsafe impl Options for ArmillariaChangesOptions {
    const NAME: &'static str = "ArmillariaChangesOptions";
}

/// # Safety
/// As for [`options::read`]; its strings and its array are what they must be.
pub(crate) unsafe fn changes_query(options: *const ArmillariaChangesOptions) -> Result<ChangesQuery> {
    // SAFETY: the caller's promise.
    let options = unsafe { options::read(options) }?;
    // SAFETY: likewise.
    let (tables, branch) =
        unsafe { (texts("tables", options.tables, options.tables_len)?, options.branch.owned("branch")?) };
    let mut query = tables.into_iter().fold(ChangesQuery::new(), ChangesQuery::table);
    query = branch.into_iter().fold(query, ChangesQuery::branch);
    if options.has_since_tx.get() {
        query = query.since_tx(options.since_tx);
    }
    if options.has_until_tx.get() {
        query = query.until_tx(options.until_tx);
    }
    if options.has_from_time.get() {
        query = query.from_time_us(options.from_time_us);
    }
    if options.has_to_time.get() {
        query = query.to_time_us(options.to_time_us);
    }
    if options.has_limit.get() {
        query = query.limit(usize::try_from(options.limit).unwrap_or(usize::MAX));
    }
    Ok(query)
}

/// What a transaction did to one table.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaChangedTable {
    /// The table.
    pub table: ArmillariaString,
    /// What was done: `create`, `append`, `update`, `overwrite`, `drop`, `fold`, `adopt` or `restore`.
    pub kind: ArmillariaString,
    /// Whether there was such a table before.
    pub has_from_version: bool,
    /// Whether there is one afterwards.
    pub has_to_version: bool,
    /// The version before.
    pub from_version: u64,
    /// The version after.
    pub to_version: u64,
    /// Rows that came; an overwrite counts all its rows.
    pub rows_added: u64,
    /// Rows that went; an overwrite counts all rows there were.
    pub rows_removed: u64,
}

/// A branch or tag that was created or deleted.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaChangedRef {
    /// `create_branch`, `delete_branch`, `create_tag` or `delete_tag`.
    pub kind: ArmillariaString,
    /// The branch or tag.
    pub name: ArmillariaString,
    /// For `create_tag` what it names, for `create_branch` where it starts; otherwise 0.
    pub target_tx_id: u64,
}

/// One transaction, as the changelog tells it.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaChangelogEntry {
    /// The transaction; a subscriber that stores it can go on from it.
    pub tx_id: u64,
    /// The branch it stands on.
    pub branch: ArmillariaString,
    /// When, in microseconds since 1970-01-01 UTC.
    pub time_us: i64,
    /// Who; NULL if nobody said.
    pub author: ArmillariaString,
    /// Why; NULL if nobody said.
    pub message: ArmillariaString,
    /// What sort of transaction: `commit`, `merge`, `fast_forward`, `revert`, `refs` or `fold`.
    pub kind: ArmillariaString,
    /// The heads it follows.
    pub parents: *const u64,
    /// How many.
    pub parents_len: usize,
    /// What happened to tables; with a filter on tables, only to those.
    pub tables: *const *const ArmillariaChangedTable,
    /// How many.
    pub tables_len: usize,
    /// What happened to branches and tags.
    pub refs: *const *const ArmillariaChangedRef,
    /// How many.
    pub refs_len: usize,
}

/// Entries of the changelog, oldest first.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaChangelog {
    /// The first; NULL if there are none.
    pub items: *const *const ArmillariaChangelogEntry,
    /// How many.
    pub len: usize,
}

pub(crate) fn entry(memory: &mut Memory, entry: ChangelogEntry) -> ArmillariaChangelogEntry {
    let (parents, parents_len) = memory.array(entry.parents);
    let (tables, tables_len) = memory.items(entry.tables, changed_table);
    let (refs, refs_len) = memory.items(entry.refs, changed_ref);
    ArmillariaChangelogEntry {
        tx_id: entry.tx_id,
        branch: memory.text(entry.branch),
        time_us: entry.time_us,
        author: memory.optional(entry.author),
        message: memory.optional(entry.message),
        kind: ArmillariaString::of(transaction_kind(entry.kind)),
        parents,
        parents_len,
        tables,
        tables_len,
        refs,
        refs_len,
    }
}

fn transaction_kind(kind: TransactionKind) -> &'static str {
    match kind {
        TransactionKind::Commit => "commit",
        TransactionKind::Merge => "merge",
        TransactionKind::FastForward => "fast_forward",
        TransactionKind::Revert(_) => "revert",
        TransactionKind::Refs => "refs",
        TransactionKind::Fold => "fold",
    }
}

fn changed_table(memory: &mut Memory, table: ChangelogTable) -> ArmillariaChangedTable {
    ArmillariaChangedTable {
        table: memory.text(table.table),
        kind: ArmillariaString::of(table.kind.name()),
        has_from_version: table.from_version.is_some(),
        has_to_version: table.to_version.is_some(),
        from_version: table.from_version.unwrap_or(0),
        to_version: table.to_version.unwrap_or(0),
        rows_added: table.rows_added,
        rows_removed: table.rows_removed,
    }
}

fn changed_ref(memory: &mut Memory, change: RefChange) -> ArmillariaChangedRef {
    let (kind, name, target_tx_id) = match change {
        RefChange::CreateBranch(created) => ("create_branch", created.branch.to_string(), created.at.0),
        RefChange::DeleteBranch(branch) => ("delete_branch", branch.to_string(), 0),
        RefChange::CreateTag { tag, target } => ("create_tag", tag.to_string(), target.0),
        RefChange::DeleteTag(tag) => ("delete_tag", tag.to_string(), 0),
    };
    ArmillariaChangedRef { kind: ArmillariaString::of(kind), name: memory.text(name), target_tx_id }
}

fn changelog(entries: Vec<ChangelogEntry>) -> *const ArmillariaChangelog {
    memory::build(|memory| {
        let (items, len) = memory.items(entries, entry);
        ArmillariaChangelog { items, len }
    })
}

/// The newest transaction; 0 in a new repository.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_latest_tx_id(
    db: Option<&ArmillariaDatabase>,
    out: Option<&mut MaybeUninit<u64>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || database(db)?.latest_tx_id())
}

/// The changelog as a batch, oldest first. `TRANSACTION_NOT_FOUND`, `BRANCH_NOT_FOUND`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_changes(
    db: Option<&ArmillariaDatabase>,
    options: *const ArmillariaChangesOptions,
    out: Option<&mut MaybeUninit<*const ArmillariaChangelog>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let query = unsafe { changes_query(options) }?;
        database(db)?.changes(&query).map(changelog)
    })
}

/// Streams the rows that came and went after version `from_version` (0: from nothing) and up to `to_version`, with
/// `_change_type` (`insert`, `delete`, `update_preimage`, `update_postimage`), `_commit_version`, `_commit_timestamp`
/// and `_tx_id`. The columns are those of `to_version`, then those that only earlier versions had; one that changed its
/// type has a type that holds all its values.
///
/// `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`, `INVALID_ARGUMENT` (one did not grow out of the other), `UNSUPPORTED` (no type
/// holds all values of a column; also in the stream), `CANCELLED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_table_changes(
    db: Option<&ArmillariaDatabase>,
    name: ArmillariaString,
    from_version: u64,
    to_version: u64,
    cancel: Option<&ArmillariaCancel>,
    out: Option<&mut MaybeUninit<FFI_ArrowArrayStream>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let name = unsafe { name.required("name") }?;
        database(db)?.table_changes_with(name, from_version, to_version, &token(cancel)).map(export_rows)
    })
}

/// Frees a changelog with its entries. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_changelog_free(changelog: *const ArmillariaChangelog) {
    // SAFETY: only this library makes them, and the caller frees each once.
    unsafe { memory::free(changelog) }
}

/// Frees an entry that came from `armillaria_subscription_next`; those of a changelog are freed with it. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_changelog_entry_free(entry: *const ArmillariaChangelogEntry) {
    // SAFETY: only this library makes them, and the caller frees each once.
    unsafe { memory::free(entry) }
}
