//! Reads everything and says what is damaged, and which tables and versions that touches.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::Serialize;

use super::derived;
use super::hashing::{Hashing, hash_while};
use crate::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::format::{ChunkEntry, ChunkHash, Manifest, ManifestSource, NodeHash, TableChange, Transaction, TxId};
use crate::repository::Repository;

/// What a problem of the log itself is reported of.
const LOG: &str = "the log";

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Chunks checked.
    pub done: u64,
    /// Chunks to check, as far as the log has been read: chunks are checked meanwhile.
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
    /// What: a chunk, a node, a place in the log, a checkpoint, an index file.
    pub object: String,
    /// The name of the error code, such as `HASH_MISMATCH`.
    pub code: &'static str,
    /// The error in words.
    pub message: String,
    /// The table versions that need it: name and version, in order.
    pub affects: Vec<(String, u64)>,
}

/// Checks checkpoints and index files, the log's chain, what the index says of it, the chunk lists, and that every chunk is
/// there in its size; with `deep` also the hash of every chunk. Damage is reported, not an error; `CLOSED`, `CANCELLED`,
/// `IO` and the like are.
pub fn verify(repository: &Repository, options: &VerifyOptions<'_>, cancel: &CancelToken) -> Result<VerifyReport> {
    let mut report = VerifyReport::default();
    derived::check(repository, &mut report, cancel)?;
    // What the log names was stored before: listed in this order, nothing that is being committed seems to be missing.
    let mut find = |hashing: Option<&Hashing<'_>>| {
        let used = read_log(repository, &mut report, hashing, cancel)?;
        let stored = repository.chunks.list()?.into_iter().map(|listed| (listed.hash, listed.bytes));
        Ok((used, stored.collect::<BTreeMap<ChunkHash, u64>>()))
    };
    let ((used, stored), mut wrong) = match options.deep {
        true => {
            let threads = repository.tables.threads();
            hash_while(&repository.chunks, threads, options, cancel, |hashing| find(Some(hashing)))?
        }
        false => (find(None)?, BTreeMap::new()),
    };
    cancel.check(ACTION)?;
    let health = repository.catalog.log().health()?;
    if let Some(damage) = health.damage.filter(|_| report.problems.iter().all(|problem| problem.object != LOG)) {
        report.problems.push(problem(LOG.to_string(), &damage.error(), Vec::new()));
    }
    report.notes.extend(health.torn.map(|at| {
        format!(
            "bytes of a write that was never acknowledged stand behind record {}; the next commit removes them",
            at.next.0 - 1
        )
    }));
    report.notes.extend(quarantined(repository, &health.quarantined)?);
    report.chunks = used.len() as u64;
    report.chunk_bytes = used.keys().filter_map(|chunk| stored.get(chunk)).sum();
    report.unused_chunks = stored.keys().filter(|chunk| !used.contains_key(*chunk)).count() as u64;
    let mut damaged = BTreeMap::new();
    for (chunk, bytes) in &used {
        let error = check_listed(*chunk, *bytes, &stored).err().or_else(|| wrong.remove(chunk));
        damaged.extend(error.map(|error| (*chunk, error)));
    }
    if let (false, Some(tell)) = (options.deep, options.progress) {
        tell(Progress { done: report.chunks, total: report.chunks });
    }
    let affected = affected_versions(repository, &damaged, cancel)?;
    report.problems.extend(damaged.into_iter().map(|(chunk, error)| {
        let affects = affected.get(&chunk).map(|versions| versions.iter().cloned().collect()).unwrap_or_default();
        problem(format!("chunk {chunk}"), &error, affects)
    }));
    report.ok = report.problems.is_empty();
    Ok(report)
}

/// What stands in `quarantine/`, of the log and of the chunks, which may have a directory of their own.
fn quarantined(repository: &Repository, of_log: &[String]) -> Result<Vec<String>> {
    let of_chunks = repository.chunks.quarantined()?;
    let unfinished = of_log.iter().filter(|path| of_chunks.iter().all(|(_, other)| other != *path));
    let unfinished = unfinished.map(|path| format!("{path} holds bytes of an unfinished write"));
    let damaged = of_chunks.iter().map(|(chunk, path)| {
        format!("{path} holds what stood in the place of chunk {chunk}, damaged; the chunk was written again")
    });
    Ok(unfinished.chain(damaged).collect())
}

fn problem(object: String, error: &Error, affects: Vec<(String, u64)>) -> Problem {
    Problem { object, code: error.code().name(), message: error.to_string(), affects }
}

/// What the log has told so far.
#[derive(Default)]
struct Found {
    /// The chunks that versions use, with the sizes that their lists say (`None` where they say none).
    used: BTreeMap<ChunkHash, Option<u64>>,
    /// Nodes of chunk lists that were read and are whole.
    sound: HashSet<NodeHash>,
    /// It is told once: what is wrong with a file shows in every transaction that it holds.
    index_is_damaged: bool,
}

/// Reads the log and the chunk lists; each chunk is given to be hashed as soon as it is known.
fn read_log(
    repository: &Repository,
    report: &mut VerifyReport,
    hashing: Option<&Hashing<'_>>,
    cancel: &CancelToken,
) -> Result<BTreeMap<ChunkHash, Option<u64>>> {
    let view = repository.catalog.view()?;
    let mut found = Found::default();
    let (mut last_tx, mut unreadable) = (TxId(0), Vec::new());
    for record in repository.catalog.log().scan(repository.catalog.beginning()) {
        cancel.check(ACTION)?;
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                report.problems.push(problem(LOG.to_string(), &error, Vec::new()));
                break;
            }
        };
        report.records += 1;
        for transaction in &record.transactions {
            last_tx = transaction.tx_id;
            if transaction.tx_id <= view.last_tx() && !found.index_is_damaged {
                let checked = check_index(&view, transaction);
                found.index_is_damaged = checked.is_err();
                let object = format!("the index, transaction {}", transaction.tx_id);
                report.problems.extend(checked.err().map(|error| problem(object, &error, Vec::new())));
            }
            found.transaction(repository, transaction, report, hashing);
        }
    }
    // Behind damage of the log, what the index still finds.
    for tx_id in last_tx.0 + 1..=view.last_tx().0 {
        cancel.check(ACTION)?;
        match view.transaction(TxId(tx_id)) {
            Ok(transaction) => found.transaction(repository, &transaction, report, hashing),
            Err(_) => unreadable.push(tx_id),
        }
    }
    if let (Some(first), Some(last)) = (unreadable.first(), unreadable.last()) {
        report.notes.push(format!(
            "transactions that cannot be read: {} of those from {first} to {last}; what they changed was not checked",
            unreadable.len()
        ));
    }
    Ok(found.used)
}

impl Found {
    fn transaction(
        &mut self,
        repository: &Repository,
        transaction: &Transaction,
        report: &mut VerifyReport,
        hashing: Option<&Hashing<'_>>,
    ) {
        report.transactions += 1;
        for change in &transaction.tables {
            report.versions += u64::from(change.content.is_some());
            if let Err(error) = self.collect(repository, change, hashing) {
                let version = change.to.map_or(0, |version| version.0);
                let object = format!("the chunk list of table {} version {version}", change.table);
                report.problems.push(problem(object, &error, vec![(change.table.to_string(), version)]));
            }
        }
    }

    fn collect(&mut self, repository: &Repository, change: &TableChange, hashing: Option<&Hashing<'_>>) -> Result<()> {
        match change.content.as_ref().map(|content| &content.manifest) {
            Some(ManifestSource::Here(manifest)) => self.add_entries(&manifest.chunks, hashing),
            Some(ManifestSource::Node(root)) => {
                let entries = repository.tables.load_unknown_entries(*root, &mut self.sound)?;
                self.add_entries(&entries, hashing);
            }
            Some(ManifestSource::Listed(chunks)) => chunks.iter().for_each(|chunk| self.add(*chunk, None, hashing)),
            Some(ManifestSource::As(_)) | None => {}
        }
        Ok(())
    }

    fn add_entries(&mut self, entries: &[ChunkEntry], hashing: Option<&Hashing<'_>>) {
        entries.iter().for_each(|entry| self.add(entry.chunk, Some(entry.bytes), hashing));
    }

    fn add(&mut self, chunk: ChunkHash, bytes: Option<u64>, hashing: Option<&Hashing<'_>>) {
        match self.used.entry(chunk) {
            Entry::Occupied(mut known) => *known.get_mut() = bytes.or(*known.get()),
            Entry::Vacant(new) => {
                new.insert(bytes);
                hashing.into_iter().for_each(|hashing| hashing.add(chunk));
            }
        }
    }
}

/// The index finds a transaction and the versions that it made.
fn check_index(view: &crate::catalog::View, transaction: &Transaction) -> Result<()> {
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

/// A chunk is there, in the size that lists say.
fn check_listed(chunk: ChunkHash, bytes: Option<u64>, stored: &BTreeMap<ChunkHash, u64>) -> Result<()> {
    let found = stored.get(&chunk).ok_or_else(|| Error::ChunkNotFound { hash: chunk.to_hex() })?;
    if bytes.is_some_and(|bytes| bytes != *found) {
        let (expected, actual) = (format!("{} ({} bytes)", chunk, bytes.unwrap_or(0)), format!("{found} bytes"));
        return Err(Error::HashMismatch { object: "chunk", expected, actual });
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
        // What cannot be read was reported by itself.
        let Ok(transaction) = view.transaction(TxId(tx_id)) else { continue };
        for change in &transaction.tables {
            let (Some(version), Some(_)) = (change.to, &change.content) else { continue };
            for chunk in chunks_of(repository, &view, change).unwrap_or_default() {
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
