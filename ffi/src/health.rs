//! Verification, statistics, and a look inside.

use std::mem::MaybeUninit;

use armillaria::check::{Problem, Stats, VerifyReport};
use armillaria::{Error, VerifyOptions};
use safer_ffi::derive_ReprC;

use crate::at::ArmillariaTableVersion;
use crate::cancel::{ArmillariaCancel, token};
use crate::database::{ArmillariaDatabase, database};
use crate::error::{ArmillariaError, ArmillariaStatus};
use crate::flag::Flag;
use crate::guard::answer;
use crate::memory::{self, Memory};
use crate::results::{ArmillariaBuffer, buffer};
use crate::string::ArmillariaString;

/// Something that is damaged or missing.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaProblem {
    /// What: a chunk, a node, a place in the log, a checkpoint, an index file.
    pub object: ArmillariaString,
    /// The name of the error code, such as `HASH_MISMATCH`.
    pub code: ArmillariaString,
    /// The error in words.
    pub message: ArmillariaString,
    /// The table versions that need it, in order.
    pub affects: *const ArmillariaTableVersion,
    /// How many.
    pub affects_len: usize,
}

/// What a verification found.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaVerifyReport {
    /// Whether nothing is damaged or missing.
    pub ok: bool,
    /// Log records read.
    pub records: u64,
    /// Transactions in them.
    pub transactions: u64,
    /// Table versions in them.
    pub versions: u64,
    /// Chunks that versions use.
    pub chunks: u64,
    /// Bytes of those chunks.
    pub chunk_bytes: u64,
    /// Chunks that no version uses: leftovers of writes that were never committed.
    pub unused_chunks: u64,
    /// What is damaged or missing.
    pub problems: *const *const ArmillariaProblem,
    /// How many.
    pub problems_len: usize,
    /// What is unusual and costs nothing, such as the torn end of a write that was never acknowledged.
    pub notes: *const ArmillariaString,
    /// How many.
    pub notes_len: usize,
}

/// How much a repository holds.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaStats {
    /// Tables at the head of any branch.
    pub tables: u64,
    /// Table versions ever made.
    pub versions: u64,
    /// Transactions.
    pub transactions: u64,
    /// Branches, `main` included.
    pub branches: u64,
    /// Tags.
    pub tags: u64,
    /// Chunk files.
    pub chunks: u64,
    /// Bytes of chunk files.
    pub chunk_bytes: u64,
    /// Bytes of log records.
    pub log_bytes: u64,
    /// Bytes of all that: chunks, records and metadata nodes.
    pub bytes_stored: u64,
    /// Bytes that all versions together would take if each were stored by itself.
    pub bytes_logical: u64,
    /// `bytes_logical` over `bytes_stored`; 0 in an empty repository.
    pub dedup_ratio: f64,
}

fn problem(memory: &mut Memory, problem: Problem) -> ArmillariaProblem {
    let affects = problem.affects.into_iter();
    let affects =
        affects.map(|(table, version)| ArmillariaTableVersion { table: memory.text(table), version }).collect();
    let (affects, affects_len) = memory.array(affects);
    ArmillariaProblem {
        object: memory.text(problem.object),
        code: ArmillariaString::of(problem.code),
        message: memory.text(problem.message),
        affects,
        affects_len,
    }
}

fn verify_report(report: VerifyReport) -> *const ArmillariaVerifyReport {
    memory::build(|memory| {
        let (problems, problems_len) = memory.items(report.problems, problem);
        let (notes, notes_len) = memory.texts(report.notes);
        ArmillariaVerifyReport {
            ok: report.ok,
            records: report.records,
            transactions: report.transactions,
            versions: report.versions,
            chunks: report.chunks,
            chunk_bytes: report.chunk_bytes,
            unused_chunks: report.unused_chunks,
            problems,
            problems_len,
            notes,
            notes_len,
        }
    })
}

fn stats(stats: &Stats) -> *const ArmillariaStats {
    memory::build(|_| ArmillariaStats {
        tables: stats.tables,
        versions: stats.versions,
        transactions: stats.transactions,
        branches: stats.branches,
        tags: stats.tags,
        chunks: stats.chunks,
        chunk_bytes: stats.chunk_bytes,
        log_bytes: stats.log_bytes,
        bytes_stored: stats.bytes_stored,
        bytes_logical: stats.bytes_logical,
        dedup_ratio: stats.dedup_ratio,
    })
}

/// Reads everything and reports what is damaged, which is no error; with `deep` also every chunk's bytes. `CANCELLED`,
/// `IO`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_verify(
    db: Option<&ArmillariaDatabase>,
    deep: Flag,
    cancel: Option<&ArmillariaCancel>,
    out: Option<&mut MaybeUninit<*const ArmillariaVerifyReport>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        let options = VerifyOptions { deep: deep.get(), ..VerifyOptions::default() };
        database(db)?.verify_with(&options, &token(cancel)).map(verify_report)
    })
}

/// Counts what there is; reads the whole log. `LOG_CORRUPT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_stats(
    db: Option<&ArmillariaDatabase>,
    out: Option<&mut MaybeUninit<*const ArmillariaStats>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || Ok(stats(&database(db)?.stats()?)))
}

/// Shows a stored object as JSON (UTF-8): `repo`; `tx:42`, a transaction as the log keeps it; `users@3`, what a table
/// version consists of; `chunk:<hash>`, what a chunk says of itself; `node:<hash>`, a metadata node.
///
/// `INVALID_ARGUMENT` for anything else; the `…_NOT_FOUND` of the object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_inspect(
    db: Option<&ArmillariaDatabase>,
    object: ArmillariaString,
    out: Option<&mut MaybeUninit<*const ArmillariaBuffer>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let object = unsafe { object.required("object") }?;
        let shown = serde_json::to_vec(&database(db)?.inspect(object)?);
        shown.map(buffer).map_err(|error| Error::internal(format!("cannot write JSON: {error}")))
    })
}

/// Frees the report of a verification. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_verify_report_free(report: *const ArmillariaVerifyReport) {
    // SAFETY: only this library makes them, and the caller frees each once.
    unsafe { memory::free(report) }
}

/// Frees statistics. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_stats_free(stats: *const ArmillariaStats) {
    // SAFETY: only this library makes them, and the caller frees each once.
    unsafe { memory::free(stats) }
}
