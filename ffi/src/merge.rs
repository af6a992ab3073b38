//! Merging and reverting.

use std::mem::MaybeUninit;

use armillaria::{Error, MergeKind, MergeOptions, MergeReport, MergeStrategy, Result};
use safer_ffi::derive_ReprC;

use crate::database::{ArmillariaDatabase, database};
use crate::error::{ArmillariaError, ArmillariaStatus};
use crate::flag::Flag;
use crate::guard::answer;
use crate::memory;
use crate::options::{self, Options};
use crate::results::{ArmillariaCommit, commit};
use crate::string::ArmillariaString;

/// What `ArmillariaMergeOptions.strategy` says: what to do with a table that both sides changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ArmillariaMergeStrategy {
    /// `MERGE_CONFLICT`, naming the tables.
    Fail = 0,
    /// Keep what the receiving branch has.
    Ours = 1,
    /// Take what the merged branch has.
    Theirs = 2,
}

/// What `ArmillariaMergeReport.kind` says: what a merge came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ArmillariaMergeKind {
    /// There was nothing to take over.
    UpToDate = 0,
    /// Only the merged side had moved.
    FastForward = 1,
    /// Both sides had moved.
    Merged = 2,
}

/// How branches are merged.
#[derive(Clone, Copy, Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaMergeOptions {
    /// `sizeof(ArmillariaMergeOptions)`.
    pub struct_size: usize,
    /// One of `ARMILLARIA_MERGE_STRATEGY_…`.
    pub strategy: u32,
    /// Whether to say only what would happen.
    pub dry_run: Flag,
    /// The receiving branch. Not given: the current one.
    pub into: ArmillariaString,
    /// Why. Optional.
    pub message: ArmillariaString,
}

// SAFETY: begins with the size; numbers, flags and strings only, which bytes of any value make.
unsafe impl Options for ArmillariaMergeOptions {
    const NAME: &'static str = "ArmillariaMergeOptions";
}

/// # Safety
/// As for [`options::read`], and its strings are what strings must be.
unsafe fn merge_options(options: *const ArmillariaMergeOptions) -> Result<MergeOptions> {
    // SAFETY: the caller's promise.
    unsafe {
        let options = options::read(options)?;
        Ok(MergeOptions {
            into: options.into.owned("into")?,
            strategy: strategy(options.strategy)?,
            dry_run: options.dry_run.get(),
            message: options.message.owned("message")?,
        })
    }
}

fn strategy(number: u32) -> Result<MergeStrategy> {
    const FAIL: u32 = ArmillariaMergeStrategy::Fail as u32;
    const OURS: u32 = ArmillariaMergeStrategy::Ours as u32;
    const THEIRS: u32 = ArmillariaMergeStrategy::Theirs as u32;
    match number {
        FAIL => Ok(MergeStrategy::Fail),
        OURS => Ok(MergeStrategy::Ours),
        THEIRS => Ok(MergeStrategy::Theirs),
        _ => Err(Error::invalid("strategy", format!("{number} is none of ARMILLARIA_MERGE_STRATEGY_…"))),
    }
}

/// What a merge did, or would do.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaMergeReport {
    /// One of `ARMILLARIA_MERGE_KIND_…`.
    pub kind: u32,
    /// Whether there is a transaction: not for a dry run, nor where there was nothing to do.
    pub has_tx_id: bool,
    /// The transaction.
    pub tx_id: u64,
    /// The tables that it changed on the receiving branch, by name.
    pub tables: *const ArmillariaString,
    /// How many.
    pub tables_len: usize,
    /// The tables that both sides changed, by name, whatever the strategy made of them.
    pub conflicts: *const ArmillariaString,
    /// How many.
    pub conflicts_len: usize,
}

fn merge_report(report: MergeReport) -> *const ArmillariaMergeReport {
    let kind = match report.kind {
        MergeKind::UpToDate => ArmillariaMergeKind::UpToDate,
        MergeKind::FastForward => ArmillariaMergeKind::FastForward,
        MergeKind::Merged => ArmillariaMergeKind::Merged,
    };
    memory::build(|memory| {
        let (tables, tables_len) = memory.texts(report.tables);
        let (conflicts, conflicts_len) = memory.texts(report.conflicts);
        ArmillariaMergeReport {
            kind: kind as u32,
            has_tx_id: report.tx_id.is_some(),
            tx_id: report.tx_id.unwrap_or(0),
            tables,
            tables_len,
            conflicts,
            conflicts_len,
        }
    })
}

/// Merges a branch into another, three-way from their common ancestor, table by table.
///
/// `BRANCH_NOT_FOUND`; `MERGE_CONFLICT` unless the strategy decides or it is a dry run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_merge_branch(
    db: Option<&ArmillariaDatabase>,
    source: ArmillariaString,
    options: *const ArmillariaMergeOptions,
    out: Option<&mut MaybeUninit<*const ArmillariaMergeReport>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let (source, options) = unsafe { (source.required("source")?, merge_options(options)?) };
        database(db)?.merge_branch(source, &options).map(merge_report)
    })
}

/// Undoes what a transaction did to tables, by a new transaction on the same branch. `message` is optional.
///
/// `TRANSACTION_NOT_FOUND`, `MERGE_CONFLICT` (a table changed again since), `INVALID_ARGUMENT` (it changed none).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_revert(
    db: Option<&ArmillariaDatabase>,
    tx_id: u64,
    message: ArmillariaString,
    out: Option<&mut MaybeUninit<*const ArmillariaCommit>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let message = unsafe { message.optional("message") }?;
        database(db)?.revert(tx_id, message).map(commit)
    })
}

/// Frees the report of a merge. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_merge_report_free(report: *const ArmillariaMergeReport) {
    // SAFETY: only this library makes them, and the caller frees each once.
    unsafe { memory::free(report) }
}
