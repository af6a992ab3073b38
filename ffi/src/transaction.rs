//! Transactions.

use std::mem::MaybeUninit;

use armillaria::{BeginOptions, Error, Isolation, Result, Transaction};
use arrow::ffi::FFI_ArrowSchema;
use arrow::ffi_stream::FFI_ArrowArrayStream;
use safer_ffi::derive_ReprC;

use crate::arrow::{Values, export_rows, export_schema, import_rows, import_schema, take_schema, take_stream};
use crate::cancel::{ArmillariaCancel, token};
use crate::database::{ArmillariaDatabase, database};
use crate::error::{ArmillariaError, ArmillariaStatus};
use crate::guard::{answer, given, run};
use crate::options::{self, Options};
use crate::panics::quietly;
use crate::results::{ArmillariaCommit, ArmillariaStringList, commit, string_list};
use crate::sql::{ArmillariaParameter, Given};
use crate::string::{ArmillariaString, texts};
use crate::tables::{ArmillariaWriteOptions, columns, write_options};

/// A transaction over any number of tables. It reads a snapshot and its own writes. Exclusive: one thread at a time. It
/// may outlive the handle of its database, and then answers `CLOSED`.
#[derive(Debug)]
pub struct ArmillariaTransaction {
    transaction: Transaction,
}

/// What `ArmillariaBeginOptions.isolation` says: how much a transaction is kept apart from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ArmillariaIsolation {
    /// Reads a snapshot; fails if another commit changed what it writes.
    Snapshot = 0,
    /// Also fails if another commit changed a table that it read.
    Serializable = 1,
}

/// How a transaction begins.
#[derive(Clone, Copy, Debug)]
#[derive_ReprC]
#[repr(C)]
pub struct ArmillariaBeginOptions {
    /// `sizeof(ArmillariaBeginOptions)`.
    pub struct_size: usize,
    /// One of `ARMILLARIA_ISOLATION_…`.
    pub isolation: u32,
    /// The branch. Not given: the current one.
    pub branch: ArmillariaString,
}

// SAFETY: begins with the size; numbers and strings only, which bytes of any value make.
unsafe impl Options for ArmillariaBeginOptions {
    const NAME: &'static str = "ArmillariaBeginOptions";
}

/// # Safety
/// As for [`options::read`], and its strings are what strings must be.
unsafe fn begin_options(options: *const ArmillariaBeginOptions) -> Result<BeginOptions> {
    // SAFETY: the caller's promise.
    let options = unsafe { options::read(options) }?;
    // SAFETY: likewise.
    let branch = unsafe { options.branch.owned("branch") }?;
    Ok(BeginOptions { branch, isolation: isolation(options.isolation)? })
}

fn isolation(number: u32) -> Result<Isolation> {
    const SNAPSHOT: u32 = ArmillariaIsolation::Snapshot as u32;
    const SERIALIZABLE: u32 = ArmillariaIsolation::Serializable as u32;
    match number {
        SNAPSHOT => Ok(Isolation::Snapshot),
        SERIALIZABLE => Ok(Isolation::Serializable),
        _ => Err(Error::invalid("isolation", format!("{number} is none of ARMILLARIA_ISOLATION_…"))),
    }
}

fn transaction(tx: Option<&ArmillariaTransaction>) -> Result<&Transaction> {
    given(tx, "tx").map(|tx| &tx.transaction)
}

/// Begins a transaction; to be freed, whether it was committed or not. `BRANCH_NOT_FOUND`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_begin(
    db: Option<&ArmillariaDatabase>,
    options: *const ArmillariaBeginOptions,
    out: Option<&mut MaybeUninit<*mut ArmillariaTransaction>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let options = unsafe { begin_options(options) }?;
        let transaction = database(db)?.begin(&options)?;
        Ok(Box::into_raw(Box::new(ArmillariaTransaction { transaction })))
    })
}

/// Runs one SELECT over what this transaction sees; as `armillaria_query`. The stream may outlive the transaction.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_transaction_query(
    tx: Option<&ArmillariaTransaction>,
    sql: ArmillariaString,
    parameters: *const ArmillariaParameter,
    parameters_len: usize,
    cancel: Option<&ArmillariaCancel>,
    out: Option<&mut MaybeUninit<FFI_ArrowArrayStream>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let (sql, given) = unsafe { (sql.required("sql")?, Given::read(parameters, parameters_len)?) };
        let tx = transaction(tx)?;
        given.with(|parameters| tx.query_with(sql, parameters, &token(cancel))).map(export_rows)
    })
}

/// Streams a table as this transaction sees it; as `armillaria_read_table`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_transaction_read_table(
    tx: Option<&ArmillariaTransaction>,
    name: ArmillariaString,
    columns: *const ArmillariaString,
    columns_len: usize,
    cancel: Option<&ArmillariaCancel>,
    out: Option<&mut MaybeUninit<FFI_ArrowArrayStream>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let (name, columns) = unsafe { (name.required("name")?, self::columns(columns, columns_len)?) };
        transaction(tx)?.read_table_with(name, columns.as_deref(), &token(cancel)).map(export_rows)
    })
}

/// Prepares rows, which show to others with the commit; as `armillaria_write_table`. `rows` is moved, also when the call
/// fails. It may be a stream that the same transaction handed out; callbacks of the caller's own must not call functions of
/// the transaction. Of the options, `branch` and `message` must not be given: they belong to the beginning and to the
/// commit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_transaction_write_table(
    tx: Option<&ArmillariaTransaction>,
    name: ArmillariaString,
    rows: Option<&mut FFI_ArrowArrayStream>,
    options: *const ArmillariaWriteOptions,
    cancel: Option<&ArmillariaCancel>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    let rows = take_stream(rows);
    run(error, || {
        // SAFETY: arguments are what the header asks for.
        let (name, options) = unsafe { (name.required("name")?, write_options(options)?) };
        if options.branch.is_some() || options.message.is_some() {
            return Err(Error::invalid("options", "branch and message say nothing here: see begin and commit"));
        }
        let tx = transaction(tx)?;
        let rows = import_rows(rows, Values::Checked)?;
        tx.write_table_with(name, rows, options.mode, &options.key, &token(cancel)).map(drop)
    })
}

/// Prepares a new table without rows; as `armillaria_create_table`. `schema` is moved, also when the call fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_transaction_create_table(
    tx: Option<&ArmillariaTransaction>,
    name: ArmillariaString,
    schema: Option<&mut FFI_ArrowSchema>,
    key: *const ArmillariaString,
    key_len: usize,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    let schema = take_schema(schema);
    run(error, || {
        let schema = import_schema(schema)?;
        // SAFETY: arguments are what the header asks for.
        let (name, key) = unsafe { (name.required("name")?, texts("key", key, key_len)?) };
        transaction(tx)?.create_table(name, &schema, &key)
    })
}

/// Prepares the end of a table; as `armillaria_drop_table`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_transaction_drop_table(
    tx: Option<&ArmillariaTransaction>,
    name: ArmillariaString,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    run(error, || {
        // SAFETY: arguments are what the header asks for.
        let name = unsafe { name.required("name") }?;
        transaction(tx)?.drop_table(name)
    })
}

/// The names of the tables that this transaction sees, in order.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_transaction_list_tables(
    tx: Option<&ArmillariaTransaction>,
    out: Option<&mut MaybeUninit<*const ArmillariaStringList>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || transaction(tx)?.list_tables().map(string_list))
}

/// The columns of a table as this transaction sees it; as `armillaria_table_schema`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_transaction_table_schema(
    tx: Option<&ArmillariaTransaction>,
    name: ArmillariaString,
    out: Option<&mut MaybeUninit<FFI_ArrowSchema>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let name = unsafe { name.required("name") }?;
        export_schema(&*transaction(tx)?.table_schema(name)?)
    })
}

/// Runs a statement that changes tables: `UNSUPPORTED` for now.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_transaction_execute(
    tx: Option<&ArmillariaTransaction>,
    sql: ArmillariaString,
    parameters: *const ArmillariaParameter,
    parameters_len: usize,
    cancel: Option<&ArmillariaCancel>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    run(error, || {
        // SAFETY: arguments are what the header asks for.
        let (sql, _) = unsafe { (sql.required("sql")?, Given::read(parameters, parameters_len)?) };
        let tx = transaction(tx)?;
        token(cancel).check("the statement")?;
        tx.execute(sql).map(drop)
    })
}

/// Prepares a version that is a bare list of chunks; as `armillaria_commit_chunks`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_transaction_commit_chunks(
    tx: Option<&ArmillariaTransaction>,
    name: ArmillariaString,
    version: u64,
    chunk_hashes: *const ArmillariaString,
    chunk_hashes_len: usize,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    run(error, || {
        // SAFETY: arguments are what the header asks for.
        let (name, hashes) =
            unsafe { (name.required("name")?, texts("chunk_hashes", chunk_hashes, chunk_hashes_len)?) };
        transaction(tx)?.commit_chunks(name, version, &hashes)
    })
}

/// Commits everything or nothing; durable when this returns. `message` is optional. Whatever the outcome, the transaction
/// has ended.
///
/// `WRITE_CONFLICT`, `SERIALIZATION_FAILURE`, `CLOSED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_transaction_commit(
    tx: Option<&ArmillariaTransaction>,
    message: ArmillariaString,
    out: Option<&mut MaybeUninit<*const ArmillariaCommit>>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    answer(out, error, || {
        // SAFETY: arguments are what the header asks for.
        let message = unsafe { message.optional("message") }?;
        transaction(tx)?.commit(message).map(commit)
    })
}

/// Forgets what was prepared. `CLOSED` if the transaction has ended already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_transaction_rollback(
    tx: Option<&ArmillariaTransaction>,
    error: Option<&mut MaybeUninit<*mut ArmillariaError>>,
) -> ArmillariaStatus {
    run(error, || transaction(tx)?.rollback())
}

/// Frees the transaction, rolling it back if it is open. NULL is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn armillaria_transaction_free(tx: Option<Box<ArmillariaTransaction>>) {
    quietly((), || drop(tx));
}
