//! Tables: writing, reading, history, differences.

use std::mem::MaybeUninit;

use armillaria::database::{DiffSummary, HistoryEntry, TableInfo};
use armillaria::{CreateOptions, Error, Result, WriteMode, WriteOptions};
use arrow::ffi::FFI_ArrowSchema;
use arrow::ffi_stream::FFI_ArrowArrayStream;
use safer_ffi::derive_ReprC;

use crate::arrow::{Values, export_rows, export_schema, import_rows, import_schema, take_schema, take_stream};
use crate::at::{self, ArmillariaAt};
use crate::cancel::{ArmillariaCancel, token};
use crate::database::{ArmillariaDatabase, database};
use crate::error::{ArmillariaError, ArmillariaStatus};
use crate::guard::answer;
use crate::memory::{self, Memory};
use crate::options::{self, Options};
use crate::results::{ArmillariaCommit, ArmillariaStringList, commit, string_list};
use crate::string::{ArmillariaString, texts};

/// What `ArmillariaWriteOptions.mode` says: whether rows replace or follow those that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ArmillariaWriteMode {
    /// The table consists of these rows.
    Overwrite = 0,
    /// These rows come behind those that are there.
    Append = 1,
    /// Rows with a key that is there replace it.
    Upsert = 2,
}

/// The write mode of a number; `INVALID_ARGUMENT`.
pub(crate) fn write_mode(number: u32) -> Result<WriteMode> {
    const OVERWRITE: u32 = ArmillariaWriteMode::Overwrite as u32;
    const APPEND: u32 = ArmillariaWriteMode::Append as u32;
    const UPSERT: u32 = ArmillariaWriteMode::Upsert as u32;
    match number {
        OVERWRITE => Ok(WriteMode::Overwrite),
        APPEND => Ok(WriteMode::Append),
        UPSERT => Ok(WriteMode::Upsert),
        _ => Err(Error::invalid("mode", format!("{number} is none of ARMILLARIA_WRITE_MODE_…"))),
    }
}

/// How a table is created or dropped.
#[derive(Clone, Copy, Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaTableOptions {
    /// `sizeof(ArmillariaTableOptions)`.
    pub struct_size: usize,
    /// The key columns, for a table that is created. Row changes tell updates by them; nothing enforces that
    /// they are unique.
    pub key: *const ArmillariaString,
    /// How many.
    pub key_len: usize,
    /// The branch. Not given: the current one.
    pub branch: ArmillariaString,
    /// Why. Optional.
    pub message: ArmillariaString,
}

// SAFETY: begins with the size; numbers, strings and pointers only, which bytes of any value make.
unsafe impl Options for ArmillariaTableOptions {
    const NAME: &'static str = "ArmillariaTableOptions";
}

/// How rows are written.
#[derive(Clone, Copy, Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaWriteOptions {
    /// `sizeof(ArmillariaWriteOptions)`.
    pub struct_size: usize,
    /// One of `ARMILLARIA_WRITE_MODE_…`.
    pub mode: u32,
    /// The key columns, for a table that is created or overwritten. Row changes tell updates by them; nothing enforces
    /// that they are unique.
    pub key: *const ArmillariaString,
    /// How many.
    pub key_len: usize,
    /// The branch. Not given: the current one.
    pub branch: ArmillariaString,
    /// Why. Optional.
    pub message: ArmillariaString,
}

// SAFETY: begins with the size; numbers, strings and pointers only, which bytes of any value make.
unsafe impl Options for ArmillariaWriteOptions {
    const NAME: &'static str = "ArmillariaWriteOptions";
}

/// # Safety
/// As for [`options::read`]; its strings and its array are what they must be.
pub(crate) unsafe fn table_options(options: *const ArmillariaTableOptions) -> Result<CreateOptions> {
    // SAFETY: the caller's promise.
    unsafe {
        let options = options::read(options)?;
        Ok(CreateOptions {
            key: texts("key", options.key, options.key_len)?,
            branch: options.branch.owned("branch")?,
            message: options.message.owned("message")?,
        })
    }
}

/// The same where a key would mean nothing: `INVALID_ARGUMENT`.
///
/// # Safety
/// As for [`table_options`].
unsafe fn options_without_key(options: *const ArmillariaTableOptions) -> Result<CreateOptions> {
    // SAFETY: the caller's promise.
    let options = unsafe { table_options(options) }?;
    match options.key.is_empty() {
        true => Ok(options),
        false => Err(Error::invalid("key", "it says nothing here")),
    }
}

/// # Safety
/// As for [`options::read`]; its strings and its array are what they must be.
pub(crate) unsafe fn write_options(options: *const ArmillariaWriteOptions) -> Result<WriteOptions> {
    // SAFETY: the caller's promise.
    unsafe {
        let options = options::read(options)?;
        Ok(WriteOptions {
            mode: write_mode(options.mode)?,
            key: texts("key", options.key, options.key_len)?,
            branch: options.branch.owned("branch")?,
            message: options.message.owned("message")?,
        })
    }
}

/// The columns to read, in order; `None` for all, which NULL means.
///
/// # Safety
/// As for [`texts`].
pub(crate) unsafe fn columns(columns: *const ArmillariaString, len: usize) -> Result<Option<Vec<String>>> {
    match columns.is_null() && len == 0 {
        true => Ok(None),
        // SAFETY: the caller's promise.
        false => unsafe { texts("columns", columns, len) }.map(Some),
    }
}

/// A table.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaTableInfo {
    /// Its name.
    pub name: ArmillariaString,
    /// Its version there.
    pub version: u64,
    /// Its rows.
    pub rows: u64,
    /// Its chunks.
    pub chunks: u64,
    /// Bytes of its chunks and inlined rows.
    pub bytes: u64,
}

/// Tables, by name.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaTableList {
    /// The first; NULL if there are none.
    pub items: *const *const ArmillariaTableInfo,
    /// How many.
    pub len: usize,
}

/// One version of a table, as its history tells it.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaHistoryEntry {
    /// The version; for a drop, the one that was dropped.
    pub version: u64,
    /// The transaction that brought it to the branch.
    pub tx_id: u64,
    /// The branch of that transaction.
    pub branch: ArmillariaString,
    /// When, in microseconds since 1970-01-01 UTC.
    pub time_us: i64,
    /// Who; NULL if nobody said.
    pub author: ArmillariaString,
    /// Why; NULL if nobody said.
    pub message: ArmillariaString,
    /// What was done: `create`, `append`, `update`, `overwrite`, `drop`, `fold`, `adopt` or `restore`.
    pub kind: ArmillariaString,
    /// The rows of the version; 0 after a drop.
    pub rows: u64,
    /// Its chunks.
    pub chunks: u64,
    /// Bytes of its chunks and inlined rows.
    pub bytes: u64,
}

/// The versions of a table, oldest first.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaHistory {
    /// The first; NULL if there are none.
    pub items: *const *const ArmillariaHistoryEntry,
    /// How many.
    pub len: usize,
}

/// How two versions of a table differ.
#[derive(Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaDiff {
    /// Rows that only the second has.
    pub rows_added: u64,
    /// Rows that only the first has.
    pub rows_removed: u64,
    /// Rows of one key that differ; always 0 without key columns.
    pub rows_modified: u64,
    /// How the columns differ, in words.
    pub schema_changes: *const ArmillariaString,
    /// How many.
    pub schema_changes_len: usize,
}

fn table_list(tables: Vec<TableInfo>) -> *const ArmillariaTableList {
    let item = |memory: &mut Memory, table: TableInfo| ArmillariaTableInfo {
        name: memory.text(table.name),
        version: table.version,
        rows: table.rows,
        chunks: table.chunks,
        bytes: table.bytes,
    };
    memory::build(|memory| {
        let (items, len) = memory.items(tables, item);
        ArmillariaTableList { items, len }
    })
}

fn history(entries: Vec<HistoryEntry>) -> *const ArmillariaHistory {
    let item = |memory: &mut Memory, entry: HistoryEntry| ArmillariaHistoryEntry {
        version: entry.version,
        tx_id: entry.tx_id,
        branch: memory.text(entry.branch),
        time_us: entry.time_us,
        author: memory.optional(entry.author),
        message: memory.optional(entry.message),
        kind: ArmillariaString::of(entry.kind.name()),
        rows: entry.rows,
        chunks: entry.chunks,
        bytes: entry.bytes,
    };
    memory::build(|memory| {
        let (items, len) = memory.items(entries, item);
        ArmillariaHistory { items, len }
    })
}

fn diff(summary: DiffSummary) -> *const ArmillariaDiff {
    memory::build(|memory| {
        let (schema_changes, schema_changes_len) = memory.texts(summary.schema_changes);
        ArmillariaDiff {
            rows_added: summary.rows_added,
            rows_removed: summary.rows_removed,
            rows_modified: summary.rows_modified,
            schema_changes,
            schema_changes_len,
        }
    })
}

/// Creates a table without rows. `schema`: a struct whose fields are the columns; it is moved, also when the call fails.
///
/// `TABLE_EXISTS`, `INVALID_ARGUMENT`, `UNSUPPORTED` (a column's type).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_create_table(
    db: Option<&ArmillariaDatabase>,
    name: ArmillariaString,
    schema: Option<&mut FFI_ArrowSchema>,
    options: *const ArmillariaTableOptions,
    out: Option<&mut MaybeUninit<*const ArmillariaCommit>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    let schema = take_schema(schema);
    answer(out, error, || {
        let schema = import_schema(schema)?;
        // SAFETY: arguments are what the header asks for.
        let (name, options) = unsafe { (name.required("name")?, table_options(options)?) };
        database(db)?.create_table(name, &schema, &options).map(commit)
    })
}

/// Drops a table from a branch; its versions stay. Of the options, `key` must not be given. `TABLE_NOT_FOUND`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_drop_table(
    db: Option<&ArmillariaDatabase>,
    name: ArmillariaString,
    options: *const ArmillariaTableOptions,
    out: Option<&mut MaybeUninit<*const ArmillariaCommit>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let (name, options) = unsafe { (name.required("name")?, options_without_key(options)?) };
        database(db)?.drop_table(name, &options).map(commit)
    })
}

/// The tables there are, by name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_list_tables(
    db: Option<&ArmillariaDatabase>,
    at: *const ArmillariaAt,
    out: Option<&mut MaybeUninit<*const ArmillariaTableList>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let at = unsafe { at::read(at) }?;
        database(db)?.list_tables(&at).map(table_list)
    })
}

/// The columns of a table, as a struct whose fields they are; released by the caller. `TABLE_NOT_FOUND`,
/// `VERSION_NOT_FOUND`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_table_schema(
    db: Option<&ArmillariaDatabase>,
    name: ArmillariaString,
    at: *const ArmillariaAt,
    out: Option<&mut MaybeUninit<FFI_ArrowSchema>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let (name, at) = unsafe { (name.required("name")?, at::read(at)?) };
        export_schema(&*database(db)?.table_schema(name, &at)?)
    })
}

/// The key columns of a table; none if it has no key. `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_table_key(
    db: Option<&ArmillariaDatabase>,
    name: ArmillariaString,
    at: *const ArmillariaAt,
    out: Option<&mut MaybeUninit<*const ArmillariaStringList>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let (name, at) = unsafe { (name.required("name")?, at::read(at)?) };
        database(db)?.table_key(name, &at).map(string_list)
    })
}

/// Writes rows, creating the table if it is not there; when this returns, they are durable. `rows` is moved, also when
/// the call fails, and read on this thread until it ends.
///
/// `SCHEMA_MISMATCH`, `WRITE_CONFLICT`, `UNSUPPORTED` (mode upsert), `CANCELLED` (nothing was written); where `rows`
/// fails: the code that its text begins with, as in "ARM-400 the bytes …"; else `INVALID_ARGUMENT` for `EINVAL`,
/// `CANCELLED` for `ECANCELED`, `IO` for others, with its own message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_write_table(
    db: Option<&ArmillariaDatabase>,
    name: ArmillariaString,
    rows: Option<&mut FFI_ArrowArrayStream>,
    options: *const ArmillariaWriteOptions,
    cancel: Option<&ArmillariaCancel>,
    out: Option<&mut MaybeUninit<*const ArmillariaCommit>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    let rows = take_stream(rows);
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let (name, options) = unsafe { (name.required("name")?, write_options(options)?) };
        let db = database(db)?;
        db.write_table_with(name, import_rows(rows, Values::Checked)?, &options, &token(cancel)).map(commit)
    })
}

/// Streams a table. `columns` chooses and orders them; NULL: all. The stream verifies every chunk that it reads.
///
/// `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`, `INVALID_ARGUMENT` (a column that is not there); in the stream also
/// `HASH_MISMATCH`, `CHUNK_NOT_FOUND`, `CANCELLED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_read_table(
    db: Option<&ArmillariaDatabase>,
    name: ArmillariaString,
    columns: *const ArmillariaString,
    columns_len: usize,
    at: *const ArmillariaAt,
    cancel: Option<&ArmillariaCancel>,
    out: Option<&mut MaybeUninit<FFI_ArrowArrayStream>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let (name, columns, at) =
            unsafe { (name.required("name")?, self::columns(columns, columns_len)?, at::read(at)?) };
        database(db)?.read_table_with(name, columns.as_deref(), &at, &token(cancel)).map(export_rows)
    })
}

/// What happened to a table on a branch and on those that it started from, oldest first. `branch` not given: the current
/// one. `TABLE_NOT_FOUND`, `BRANCH_NOT_FOUND`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_history(
    db: Option<&ArmillariaDatabase>,
    name: ArmillariaString,
    branch: ArmillariaString,
    out: Option<&mut MaybeUninit<*const ArmillariaHistory>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let (name, branch) = unsafe { (name.required("name")?, branch.optional("branch")?) };
        database(db)?.history(name, branch).map(history)
    })
}

/// Counts in how many rows version `to` of a table differs from version `from`. With key columns, rows of one key that
/// differ count as modified.
///
/// `VERSION_NOT_FOUND`, `INVALID_ARGUMENT` (a key column that is not there), `CANCELLED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_diff_versions(
    db: Option<&ArmillariaDatabase>,
    name: ArmillariaString,
    from: u64,
    to: u64,
    key: *const ArmillariaString,
    key_len: usize,
    cancel: Option<&ArmillariaCancel>,
    out: Option<&mut MaybeUninit<*const ArmillariaDiff>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let (name, key) = unsafe { (name.required("name")?, texts("key", key, key_len)?) };
        database(db)?.diff_versions_with(name, from, to, &key, &token(cancel)).map(diff)
    })
}

/// Streams the rows in which version `to` differs from version `from`, with `_change_type`: `insert`, `delete`, and with
/// key columns also `update_preimage` and `update_postimage`. Errors as for `armillaria_diff_versions`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_diff_rows(
    db: Option<&ArmillariaDatabase>,
    name: ArmillariaString,
    from: u64,
    to: u64,
    key: *const ArmillariaString,
    key_len: usize,
    cancel: Option<&ArmillariaCancel>,
    out: Option<&mut MaybeUninit<FFI_ArrowArrayStream>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let (name, key) = unsafe { (name.required("name")?, texts("key", key, key_len)?) };
        database(db)?.diff_rows_with(name, from, to, &key, &token(cancel)).map(export_rows)
    })
}

/// Brings the rows of a table together in fewer chunks, without changing data. `branch` not given: the current one.
/// `*out` is NULL where there is nothing to do. `TABLE_NOT_FOUND`, `WRITE_CONFLICT`, `CANCELLED` (nothing was committed).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_compact(
    db: Option<&ArmillariaDatabase>,
    name: ArmillariaString,
    branch: ArmillariaString,
    cancel: Option<&ArmillariaCancel>,
    out: Option<&mut MaybeUninit<*const ArmillariaCommit>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let (name, branch) = unsafe { (name.required("name")?, branch.optional("branch")?) };
        Ok(database(db)?.compact_with(name, branch, &token(cancel))?.map_or(std::ptr::null(), commit))
    })
}

/// Frees a list of tables. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_table_list_free(list: *const ArmillariaTableList) {
    // SAFETY: only this library makes them, and the caller frees each once.
    unsafe { memory::free(list) }
}

/// Frees a history. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_history_free(history: *const ArmillariaHistory) {
    // SAFETY: only this library makes them, and the caller frees each once.
    unsafe { memory::free(history) }
}

/// Frees a difference. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_diff_free(diff: *const ArmillariaDiff) {
    // SAFETY: only this library makes them, and the caller frees each once.
    unsafe { memory::free(diff) }
}
