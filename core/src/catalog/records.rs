//! Transactions read back from the log, with the recently used ones in memory.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::key::TransactionPlace;
use crate::error::{Error, Result};
use crate::format::Transaction;
use crate::log::{Log, LogPosition, LogRecord, RecordLocation};

/// Bytes of records kept in memory.
const CACHE_BYTES: u64 = 64 << 20;

/// So few that no part of the cache is too small for what a group commits at once, on however many cores.
const RECORDS_EXPECTED: usize = 512;

pub(super) type Transactions = Arc<[Arc<Transaction>]>;

/// The transactions of a record.
#[derive(Clone, Debug)]
struct Kept {
    transactions: Transactions,
    /// What they take, about: in the log they may be compressed many times over.
    plain_bytes: usize,
}

/// A log with a cache before it.
#[derive(Debug)]
pub(super) struct Records {
    pub(super) log: Log,
    /// The place before the first record.
    pub(super) beginning: LogPosition,
    cache: Cache<RecordLocation, Kept, ByPlainBytes>,
}

#[derive(Clone, Debug)]
struct ByPlainBytes;

impl Weighter<RecordLocation, Kept> for ByPlainBytes {
    fn weight(&self, _: &RecordLocation, kept: &Kept) -> u64 {
        kept.plain_bytes.max(1) as u64
    }
}

impl Records {
    pub(super) fn new(log: Log, beginning: LogPosition) -> Records {
        Records { log, beginning, cache: Cache::with_weighter(RECORDS_EXPECTED, CACHE_BYTES, ByPlainBytes) }
    }

    /// The transaction at a place.
    pub(super) fn get(&self, place: TransactionPlace) -> Result<Arc<Transaction>> {
        let transactions = match self.cache.get(&place.record) {
            Some(kept) => kept.transactions,
            None => self.remember(self.log.read(place.record)?),
        };
        transactions.get(place.index as usize).cloned().ok_or_else(|| Error::LogCorrupt {
            at: format!("log file {} offset {}", place.record.file, place.record.offset),
            reason: format!("the record has {} transactions, number {} was asked for", transactions.len(), place.index),
        })
    }

    /// Keeps a record that was read or written, and shares its transactions.
    pub(super) fn remember(&self, record: LogRecord) -> Transactions {
        let transactions: Transactions = record.transactions.into();
        let kept = Kept { transactions: transactions.clone(), plain_bytes: record.plain_bytes };
        self.cache.insert(record.location, kept);
        transactions
    }

    /// About how many bytes are in memory.
    #[cfg(test)]
    pub(super) fn bytes_kept(&self) -> u64 {
        self.cache.weight()
    }
}
