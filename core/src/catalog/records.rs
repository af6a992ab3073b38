//! Transactions read back from the log, with the recently used ones in memory.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::key::TransactionPlace;
use crate::error::{Error, Result};
use crate::format::Transaction;
use crate::log::{Log, LogRecord, RecordLocation};

/// Bytes of records kept in memory.
const CACHE_BYTES: u64 = 64 << 20;

pub(super) type Transactions = Arc<[Arc<Transaction>]>;

/// A log with a cache before it.
#[derive(Debug)]
pub(super) struct Records {
    pub(super) log: Log,
    cache: Cache<RecordLocation, Transactions, ByRecordBytes>,
}

#[derive(Clone, Debug)]
struct ByRecordBytes;

impl Weighter<RecordLocation, Transactions> for ByRecordBytes {
    fn weight(&self, location: &RecordLocation, _: &Transactions) -> u64 {
        u64::from(location.bytes).max(1)
    }
}

impl Records {
    pub(super) fn new(log: Log) -> Records {
        Records { log, cache: Cache::with_weighter(4096, CACHE_BYTES, ByRecordBytes) }
    }

    /// The transaction at a place.
    pub(super) fn get(&self, place: TransactionPlace) -> Result<Arc<Transaction>> {
        let transactions = match self.cache.get(&place.record) {
            Some(transactions) => transactions,
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
        self.cache.insert(record.location, transactions.clone());
        transactions
    }
}
