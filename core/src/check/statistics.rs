//! How much there is.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::error::Result;
use crate::repository::Repository;

/// How much a repository holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Stats {
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

/// Counts a repository. `LOG_CORRUPT` where the log is damaged.
pub fn stats(repository: &Repository) -> Result<Stats> {
    let view = repository.catalog.view()?;
    let mut stats =
        Stats { branches: view.branches().count() as u64, tags: view.tags().count() as u64, ..Stats::default() };
    let mut tables = BTreeSet::new();
    for branch in view.branches() {
        tables.extend(view.live_tables(&view.head(&branch.name)?)?.into_keys());
    }
    stats.tables = tables.len() as u64;
    for record in repository.catalog.log().scan(repository.catalog.beginning()) {
        let record = record?;
        stats.log_bytes += u64::from(record.location.bytes);
        stats.transactions += record.transactions.len() as u64;
        let contents = record
            .transactions
            .iter()
            .flat_map(|transaction| &transaction.tables)
            .filter_map(|change| change.content.as_ref());
        for content in contents {
            stats.versions += 1;
            stats.bytes_logical += content.bytes;
        }
    }
    let chunks = repository.chunks.list()?;
    stats.chunks = chunks.len() as u64;
    stats.chunk_bytes = chunks.iter().map(|chunk| chunk.bytes).sum();
    let nodes: u64 = repository.store.list("meta")?.iter().map(|node| node.bytes).sum();
    stats.bytes_stored = stats.chunk_bytes + stats.log_bytes + nodes;
    if stats.bytes_stored > 0 {
        stats.dedup_ratio = stats.bytes_logical as f64 / stats.bytes_stored as f64;
    }
    Ok(stats)
}
