//! Results that several functions share.

use armillaria::{Commit, CommittedTable};
use safer_ffi::derive_ReprC;

use crate::memory::{self, Memory};
use crate::string::ArmillariaString;

/// Bytes.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaBuffer {
    /// The first byte; not NULL even if there are none, and not NUL-terminated.
    pub data: *const u8,
    /// How many bytes.
    pub len: usize,
}

/// Texts.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaStringList {
    /// The first; NULL if there are none.
    pub items: *const ArmillariaString,
    /// How many.
    pub len: usize,
}

/// Version numbers.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaVersionList {
    /// The first; NULL if there are none.
    pub items: *const u64,
    /// How many.
    pub len: usize,
}

/// What a commit did to one table.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaCommittedTable {
    /// The table.
    pub table: ArmillariaString,
    /// What was done: `create`, `append`, `update`, `overwrite`, `drop`, `fold`, `adopt` or `restore`.
    pub kind: ArmillariaString,
    /// Whether it has a version afterwards; false where it was dropped.
    pub has_version: bool,
    /// Its new version.
    pub version: u64,
    /// The rows that it now has.
    pub rows: u64,
}

/// What a commit did.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaCommit {
    /// The transaction; where there was nothing to commit, the branch's last one.
    pub tx_id: u64,
    /// The branch.
    pub branch: ArmillariaString,
    /// When, in microseconds since 1970-01-01 UTC.
    pub time_us: i64,
    /// The tables that changed, by name.
    pub tables: *const *const ArmillariaCommittedTable,
    /// How many.
    pub tables_len: usize,
    /// Whether it changed exactly one table, which is still there.
    pub has_version: bool,
    /// The new version of that table.
    pub version: u64,
    /// Rows written.
    pub rows: u64,
    /// Chunks that had to be written.
    pub chunks_written: u64,
    /// Chunks that were there already.
    pub chunks_reused: u64,
    /// Bytes that had to be written: chunks and inlined rows.
    pub bytes_written: u64,
    /// Bytes that were there already.
    pub bytes_reused: u64,
}

pub(crate) fn buffer(bytes: impl Into<Vec<u8>>) -> *const ArmillariaBuffer {
    let bytes = bytes.into();
    memory::build(|memory| match memory.array(bytes) {
        (_, 0) => ArmillariaBuffer { data: memory.text("").data.cast(), len: 0 },
        (data, len) => ArmillariaBuffer { data, len },
    })
}

pub(crate) fn string_list(texts: Vec<String>) -> *const ArmillariaStringList {
    memory::build(|memory| {
        let (items, len) = memory.texts(texts);
        ArmillariaStringList { items, len }
    })
}

pub(crate) fn version_list(versions: Vec<u64>) -> *const ArmillariaVersionList {
    memory::build(|memory| {
        let (items, len) = memory.array(versions);
        ArmillariaVersionList { items, len }
    })
}

pub(crate) fn commit(commit: Commit) -> *const ArmillariaCommit {
    memory::build(|memory| {
        let version = commit.version();
        let (tables, tables_len) = memory.items(commit.tables, committed_table);
        ArmillariaCommit {
            tx_id: commit.tx_id,
            branch: memory.text(commit.branch),
            time_us: commit.time_us,
            tables,
            tables_len,
            has_version: version.is_some(),
            version: version.unwrap_or(0),
            rows: commit.rows,
            chunks_written: commit.chunks_written,
            chunks_reused: commit.chunks_reused,
            bytes_written: commit.bytes_written,
            bytes_reused: commit.bytes_reused,
        }
    })
}

fn committed_table(memory: &mut Memory, table: CommittedTable) -> ArmillariaCommittedTable {
    ArmillariaCommittedTable {
        table: memory.text(table.table),
        kind: ArmillariaString::of(table.kind.name()),
        has_version: table.version.is_some(),
        version: table.version.unwrap_or(0),
        rows: table.rows,
    }
}

/// Frees bytes. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_buffer_free(buffer: *const ArmillariaBuffer) {
    // SAFETY: only this library makes them, and the caller frees each once.
    unsafe { memory::free(buffer) }
}

/// Frees texts. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_string_list_free(list: *const ArmillariaStringList) {
    // SAFETY: only this library makes them, and the caller frees each once.
    unsafe { memory::free(list) }
}

/// Frees version numbers. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_version_list_free(list: *const ArmillariaVersionList) {
    // SAFETY: only this library makes them, and the caller frees each once.
    unsafe { memory::free(list) }
}

/// Frees a commit's description. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_commit_free(commit: *const ArmillariaCommit) {
    // SAFETY: only this library makes them, and the caller frees each once.
    unsafe { memory::free(commit) }
}
