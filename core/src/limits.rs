//! Every limit and tuning constant, with its unit in its name. Floor 0: knows nothing else.

/// The longest name of a table, branch or tag.
pub const NAME_BYTES_MAX: usize = 255;

/// A log file is allocated at this size, all zeros; a record that does not fit begins the next file.
pub const LOG_FILE_BYTES: u64 = 4 << 20;

/// Records are read in rounds of about this many bytes, so that a long log is never in memory as a whole.
pub const LOOK_BYTES: u64 = 4 << 20;

/// The largest log record, header and trailer included; also what bounds a decoder's allocation.
pub const RECORD_BYTES_MAX: usize = 64 << 20;

/// Payloads from this size on are compressed, where that makes them smaller.
pub const RECORD_COMPRESS_BYTES_MIN: usize = 8 << 10;

/// A group commit takes transactions until their payload reaches this.
pub const GROUP_BYTES_MAX: usize = 1 << 20;

/// Batches up to this many bytes of Arrow IPC ride inside the log record.
pub const INLINE_BATCH_BYTES_MAX: usize = 64 << 10;

/// A transaction inlines at most this many bytes of batches.
pub const INLINE_TRANSACTION_BYTES_MAX: usize = 1 << 20;

/// A table's tail of inlined batches is folded into a chunk when it has this many batches …
pub const TAIL_BATCHES_MAX: usize = 128;

/// … or this many bytes.
pub const TAIL_BYTES_MAX: u64 = 8 << 20;

/// A manifest up to this many encoded bytes rides inside the record that makes it.
pub const INLINE_MANIFEST_BYTES_MAX: usize = 4 << 10;

/// A manifest node holds at most this many entries.
pub const MANIFEST_NODE_ENTRIES_MAX: usize = 512;

/// After this many records beyond the newest snapshot, a new one is written …
pub const SNAPSHOT_RECORDS: u64 = 256;

/// … or after this many bytes of records.
pub const SNAPSHOT_LOG_BYTES: u64 = 4 << 20;

/// About what a transaction takes of a record for itself, and for each table that it changes.
pub const TRANSACTION_BYTES: usize = 512;

/// A row group of a chunk has at most this many rows.
pub const ROW_GROUP_ROWS_MAX: usize = 131_072;
