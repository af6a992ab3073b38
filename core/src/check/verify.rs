//! Reads everything and says what is damaged, and which tables and versions that touches.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Serialize;

use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::format::{ChunkHash, Manifest, ManifestSource, TableChange, TxId};
use crate::repository::Repository;

const ACTION: &str = "the verification";

/// How thorough to be.
#[derive(Clone, Copy, Default)]
pub struct VerifyOptions<'a> {
    /// Also read every chunk and compare its hash.
    pub deep: bool,
    /// Told now and then how far it is; from several threads.
    pub progress: Option<&'a (dyn Fn(Progress) + Sync)>,
}

impl std::fmt::Debug for VerifyOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifyOptions").field("deep", &self.deep).finish_non_exhaustive()
    }
}

/// How far a verification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Chunks checked.
    pub done: u64,
    /// Chunks to check.
    pub total: u64,
}

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
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
    pub problems: Vec<Problem>,
    /// What is unusual and costs nothing, such as the torn end of a write that was never acknowledged.
    pub notes: Vec<String>,
}

/// Something that is damaged or missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What: a chunk, a node, a place in the log.
    pub object: String,
    /// The name of the error code, such as `HASH_MISMATCH`.
    pub code: &'static str,
    /// The error in words.
    pub message: String,
    /// The table versions that need it: name and version, in order.
    pub affects: Vec<(String, u64)>,
}

/// Checks the log's chain, the index, the chunk lists, and that every chunk is there in its size; with `deep` also the
/// hash of every chunk. Damage is reported, not an error; `CLOSED`, `CANCELLED`, `IO` and the like are.
pub fn verify(repository: &Repository, options: &VerifyOptions<'_>, cancel: &CancelToken) -> Result<VerifyReport> {
    let mut report = VerifyReport::default();
    let used = read_log(repository, &mut report, cancel)?;
    let health = repository.catalog.log().health()?;
    report.notes.extend(health.torn.map(|at| {
        format!(
            "bytes of a write that was never acknowledged stand behind record {}; the next commit removes them",
            at.next.0 - 1
        )
    }));
    report.notes.extend(health.quarantined.iter().map(|path| format!("{path} holds bytes of an unfinished write")));
    let stored: BTreeMap<ChunkHash, u64> =
        repository.chunks.list()?.into_iter().map(|listed| (listed.hash, listed.bytes)).collect();
    report.chunks = used.len() as u64;
    report.chunk_bytes = used.keys().filter_map(|chunk| stored.get(chunk)).sum();
    report.unused_chunks = stored.keys().filter(|chunk| !used.contains_key(*chunk)).count() as u64;
    let damaged = damaged_chunks(repository, &used, &stored, options, cancel);
    cancel.check(ACTION)?;
    let affected = affected_versions(repository, &damaged, cancel)?;
    report.problems.extend(damaged.into_iter().map(|(chunk, error)| {
        let affects = affected.get(&chunk).map(|versions| versions.iter().cloned().collect()).unwrap_or_default();
        problem(format!("chunk {chunk}"), &error, affects)
    }));
    report.ok = report.problems.is_empty();
    Ok(report)
}

fn problem(object: String, error: &Error, affects: Vec<(String, u64)>) -> Problem {
    Problem { object, code: error.code().name(), message: error.to_string(), affects }
}

/// The chunks that versions use, with the sizes that their lists say (`None` where they say none).
type UsedChunks = BTreeMap<ChunkHash, Option<u64>>;

fn read_log(repository: &Repository, report: &mut VerifyReport, cancel: &CancelToken) -> Result<UsedChunks> {
    let view = repository.catalog.view()?;
    let mut used = UsedChunks::new();
    for record in repository.catalog.log().scan(repository.catalog.beginning()) {
        cancel.check(ACTION)?;
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                report.problems.push(problem("the log".to_string(), &error, Vec::new()));
                break;
            }
        };
        report.records += 1;
        for transaction in &record.transactions {
            report.transactions += 1;
            if transaction.tx_id <= view.last_tx()
                && let Err(error) = check_index(&view, transaction)
            {
                report.problems.push(problem(
                    format!("the index, transaction {}", transaction.tx_id),
                    &error,
                    Vec::new(),
                ));
            }
            for change in &transaction.tables {
                report.versions += u64::from(change.content.is_some());
                if let Err(error) = collect_chunks(repository, change, &mut used) {
                    let version = change.to.map_or(0, |version| version.0);
                    let object = format!("the chunk list of table {} version {version}", change.table);
                    report.problems.push(problem(object, &error, vec![(change.table.to_string(), version)]));
                }
            }
        }
    }
    Ok(used)
}

/// The index finds a transaction and the versions that it made.
fn check_index(view: &crate::catalog::View, transaction: &crate::format::Transaction) -> Result<()> {
    let differs = |what: String| Error::LogCorrupt {
        at: "the index".to_string(),
        reason: format!("it does not agree with the log about {what}"),
    };
    let TxId(tx_id) = transaction.tx_id;
    if *view.transaction(transaction.tx_id)? != *transaction {
        return Err(differs(format!("transaction {tx_id}")));
    }
    for change in transaction.tables.iter().filter(|change| change.content.is_some()) {
        let Some(version) = change.to else { continue };
        if view.version_change(&change.table, version)?.transaction.tx_id != transaction.tx_id {
            return Err(differs(format!("version {version} of {}", change.table)));
        }
    }
    Ok(())
}

fn collect_chunks(repository: &Repository, change: &TableChange, used: &mut UsedChunks) -> Result<()> {
    let mut add = |manifest: &Manifest| {
        used.extend(manifest.chunks.iter().map(|chunk| (chunk.chunk, Some(chunk.bytes))));
    };
    match change.content.as_ref().map(|content| &content.manifest) {
        Some(ManifestSource::Here(manifest)) => add(manifest),
        Some(ManifestSource::Node(hash)) => add(&repository.tables.load_manifest(*hash)?),
        Some(ManifestSource::Listed(chunks)) => {
            chunks.iter().for_each(|chunk| {
                used.entry(*chunk).or_default();
            });
        }
        Some(ManifestSource::As(_)) | None => {}
    }
    Ok(())
}

fn damaged_chunks(
    repository: &Repository,
    used: &UsedChunks,
    stored: &BTreeMap<ChunkHash, u64>,
    options: &VerifyOptions<'_>,
    cancel: &CancelToken,
) -> BTreeMap<ChunkHash, Error> {
    let chunks: Vec<_> = used.iter().collect();
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let damaged = Mutex::new(BTreeMap::new());
    let work = || {
        while !cancel.is_cancelled()
            && let Some((chunk, bytes)) = chunks.get(next.fetch_add(1, Ordering::Relaxed))
        {
            if let Err(error) = check_chunk(repository, **chunk, **bytes, stored, options.deep) {
                damaged.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(**chunk, error);
            }
            let done = done.fetch_add(1, Ordering::Relaxed) as u64 + 1;
            if let Some(progress) = options.progress {
                progress(Progress { done, total: chunks.len() as u64 });
            }
        }
    };
    let threads = match options.deep {
        true => std::thread::available_parallelism().map_or(1, NonZero::get),
        false => 1,
    };
    std::thread::scope(|scope| {
        (1..threads).for_each(|_| drop(scope.spawn(work)));
        work();
    });
    damaged.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn check_chunk(
    repository: &Repository,
    chunk: ChunkHash,
    bytes: Option<u64>,
    stored: &BTreeMap<ChunkHash, u64>,
    deep: bool,
) -> Result<()> {
    let found = stored.get(&chunk).ok_or_else(|| Error::ChunkNotFound { hash: chunk.to_hex() })?;
    if bytes.is_some_and(|bytes| bytes != *found) {
        let (expected, actual) = (format!("{} ({} bytes)", chunk, bytes.unwrap_or(0)), format!("{found} bytes"));
        return Err(Error::HashMismatch { object: "chunk", expected, actual });
    }
    if deep {
        repository.chunks.verify(chunk)?;
    }
    Ok(())
}

/// The table versions whose lists name one of some chunks.
fn affected_versions(
    repository: &Repository,
    damaged: &BTreeMap<ChunkHash, Error>,
    cancel: &CancelToken,
) -> Result<BTreeMap<ChunkHash, BTreeSet<(String, u64)>>> {
    let mut affected: BTreeMap<ChunkHash, BTreeSet<(String, u64)>> = BTreeMap::new();
    if damaged.is_empty() {
        return Ok(affected);
    }
    let view = repository.catalog.view()?;
    for tx_id in 1..=view.last_tx().0 {
        cancel.check(ACTION)?;
        for change in &view.transaction(TxId(tx_id))?.tables {
            let (Some(version), Some(_)) = (change.to, &change.content) else { continue };
            for chunk in chunks_of(repository, &view, change)? {
                if damaged.contains_key(&chunk) {
                    affected.entry(chunk).or_default().insert((change.table.to_string(), version.0));
                }
            }
        }
    }
    Ok(affected)
}

fn chunks_of(repository: &Repository, view: &crate::catalog::View, change: &TableChange) -> Result<Vec<ChunkHash>> {
    let source = match change.content.as_ref().map(|content| &content.manifest) {
        Some(ManifestSource::As(version)) => {
            let shared = view.version_change(&change.table, *version)?;
            return chunks_of(repository, view, shared.change());
        }
        other => other,
    };
    let hashes = |manifest: &Manifest| manifest.chunks.iter().map(|chunk| chunk.chunk).collect();
    Ok(match source {
        Some(ManifestSource::Here(manifest)) => hashes(manifest),
        Some(ManifestSource::Listed(chunks)) => chunks.clone(),
        // A node that cannot be read was reported by itself.
        Some(ManifestSource::Node(hash)) => {
            repository.tables.load_manifest(*hash).map_or_else(|_| Vec::new(), |list| hashes(&list))
        }
        Some(ManifestSource::As(_)) | None => Vec::new(),
    })
}
