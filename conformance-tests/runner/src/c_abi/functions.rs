//! The functions of `include/armillaria.h`, declared as a C program declares them, with a note of each call.

use std::collections::BTreeSet;
use std::ffi::c_char;
use std::sync::{Mutex, PoisonError};

use arrow::ffi::FFI_ArrowSchema;
use arrow::ffi_stream::FFI_ArrowArrayStream;

use super::structs::*;

static CALLED: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// The functions of the C ABI that this process has called through the backend, by name.
pub fn functions_called() -> BTreeSet<&'static str> {
    CALLED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn called(name: &'static str) {
    CALLED.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
}

/// `_` for each argument.
macro_rules! any {
    ($type:ty) => {
        _
    };
}

macro_rules! functions {
    ($($module:ident::$name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $answer:ty)?;)*) => {
        mod symbols {
            use super::*;

            unsafe extern "C" {
                $(pub(super) fn $name($($argument: $type),*) $(-> $answer)?;)*
            }
        }

        $(#[expect(clippy::allow_attributes, reason = "most of them have few arguments")]
        #[allow(clippy::too_many_arguments, reason = "as the header has it")]
        pub(super) unsafe fn $name($($argument: $type),*) $(-> $answer)? {
            called(stringify!($name));
            // SAFETY: the caller keeps to the header.
            unsafe { symbols::$name($($argument),*) }
        })*

        // Each is a function of the library, with as many arguments.
        const _: () = {
            $(let _: unsafe extern "C" fn($(any!($type)),*) -> _ = armillaria_ffi::$module::$name;)*
        };
    };
}

functions! {
    library::armillaria_abi_version() -> u32;
    library::armillaria_version() -> *const c_char;
    error::armillaria_error_code(error: *const ArmillariaError) -> u32;
    error::armillaria_error_category(error: *const ArmillariaError) -> u32;
    error::armillaria_error_name(error: *const ArmillariaError) -> *const c_char;
    error::armillaria_error_message(error: *const ArmillariaError) -> *const c_char;
    error::armillaria_error_free(error: *mut ArmillariaError);
    results::armillaria_buffer_free(buffer: *const ArmillariaBuffer);
    results::armillaria_string_list_free(list: *const ArmillariaStringList);
    results::armillaria_version_list_free(list: *const ArmillariaVersionList);
    results::armillaria_commit_free(commit: *const ArmillariaCommit);
    cancel::armillaria_cancel_new() -> *mut ArmillariaCancel;
    cancel::armillaria_cancel_cancel(cancel: *const ArmillariaCancel);
    cancel::armillaria_cancel_is_cancelled(cancel: *const ArmillariaCancel) -> bool;
    cancel::armillaria_cancel_free(cancel: *mut ArmillariaCancel);
    database::armillaria_open(
        location: ArmillariaString,
        options: *const ArmillariaOpenOptions,
        out: *mut *mut ArmillariaDatabase,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    database::armillaria_open_parts(
        locations: *const ArmillariaPartLocations,
        options: *const ArmillariaOpenOptions,
        out: *mut *mut ArmillariaDatabase,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    database::armillaria_close(db: *const ArmillariaDatabase, error: *mut *mut ArmillariaError) -> u32;
    database::armillaria_database_free(db: *mut ArmillariaDatabase);
    database::armillaria_checkout(
        db: *const ArmillariaDatabase,
        branch: ArmillariaString,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    database::armillaria_current_branch(
        db: *const ArmillariaDatabase,
        out: *mut *const ArmillariaBuffer,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    tables::armillaria_create_table(
        db: *const ArmillariaDatabase,
        name: ArmillariaString,
        schema: *mut FFI_ArrowSchema,
        options: *const ArmillariaTableOptions,
        out: *mut *const ArmillariaCommit,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    tables::armillaria_drop_table(
        db: *const ArmillariaDatabase,
        name: ArmillariaString,
        options: *const ArmillariaTableOptions,
        out: *mut *const ArmillariaCommit,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    tables::armillaria_list_tables(
        db: *const ArmillariaDatabase,
        at: *const ArmillariaAt,
        out: *mut *const ArmillariaTableList,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    tables::armillaria_table_schema(
        db: *const ArmillariaDatabase,
        name: ArmillariaString,
        at: *const ArmillariaAt,
        out: *mut FFI_ArrowSchema,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    tables::armillaria_table_key(
        db: *const ArmillariaDatabase,
        name: ArmillariaString,
        at: *const ArmillariaAt,
        out: *mut *const ArmillariaStringList,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    tables::armillaria_write_table(
        db: *const ArmillariaDatabase,
        name: ArmillariaString,
        rows: *mut FFI_ArrowArrayStream,
        options: *const ArmillariaWriteOptions,
        cancel: *const ArmillariaCancel,
        out: *mut *const ArmillariaCommit,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    tables::armillaria_read_table(
        db: *const ArmillariaDatabase,
        name: ArmillariaString,
        columns: *const ArmillariaString,
        columns_len: usize,
        at: *const ArmillariaAt,
        cancel: *const ArmillariaCancel,
        out: *mut FFI_ArrowArrayStream,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    tables::armillaria_history(
        db: *const ArmillariaDatabase,
        name: ArmillariaString,
        branch: ArmillariaString,
        out: *mut *const ArmillariaHistory,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    tables::armillaria_diff_versions(
        db: *const ArmillariaDatabase,
        name: ArmillariaString,
        from: u64,
        to: u64,
        key: *const ArmillariaString,
        key_len: usize,
        cancel: *const ArmillariaCancel,
        out: *mut *const ArmillariaDiff,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    tables::armillaria_diff_rows(
        db: *const ArmillariaDatabase,
        name: ArmillariaString,
        from: u64,
        to: u64,
        key: *const ArmillariaString,
        key_len: usize,
        cancel: *const ArmillariaCancel,
        out: *mut FFI_ArrowArrayStream,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    tables::armillaria_compact(
        db: *const ArmillariaDatabase,
        name: ArmillariaString,
        branch: ArmillariaString,
        cancel: *const ArmillariaCancel,
        out: *mut *const ArmillariaCommit,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    tables::armillaria_table_list_free(list: *const ArmillariaTableList);
    tables::armillaria_history_free(history: *const ArmillariaHistory);
    tables::armillaria_diff_free(diff: *const ArmillariaDiff);
    sql::armillaria_query(
        db: *const ArmillariaDatabase,
        sql: ArmillariaString,
        parameters: *const ArmillariaParameter,
        parameters_len: usize,
        at: *const ArmillariaAt,
        cancel: *const ArmillariaCancel,
        out: *mut FFI_ArrowArrayStream,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    sql::armillaria_execute(
        db: *const ArmillariaDatabase,
        sql: ArmillariaString,
        parameters: *const ArmillariaParameter,
        parameters_len: usize,
        cancel: *const ArmillariaCancel,
        out: *mut *const ArmillariaCommit,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    branches::armillaria_create_branch(
        db: *const ArmillariaDatabase,
        name: ArmillariaString,
        from: *const ArmillariaAt,
        description: ArmillariaString,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    branches::armillaria_delete_branch(
        db: *const ArmillariaDatabase,
        name: ArmillariaString,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    branches::armillaria_list_branches(
        db: *const ArmillariaDatabase,
        out: *mut *const ArmillariaBranchList,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    branches::armillaria_diff_branches(
        db: *const ArmillariaDatabase,
        a: ArmillariaString,
        b: ArmillariaString,
        out: *mut *const ArmillariaBranchDiff,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    branches::armillaria_set_branch_versions(
        db: *const ArmillariaDatabase,
        branch: ArmillariaString,
        versions: *const ArmillariaTableVersion,
        versions_len: usize,
        message: ArmillariaString,
        out: *mut *const ArmillariaCommit,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    branches::armillaria_branch_list_free(list: *const ArmillariaBranchList);
    branches::armillaria_branch_diff_free(diff: *const ArmillariaBranchDiff);
    merge::armillaria_merge_branch(
        db: *const ArmillariaDatabase,
        source: ArmillariaString,
        options: *const ArmillariaMergeOptions,
        out: *mut *const ArmillariaMergeReport,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    merge::armillaria_revert(
        db: *const ArmillariaDatabase,
        tx_id: u64,
        message: ArmillariaString,
        out: *mut *const ArmillariaCommit,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    merge::armillaria_merge_report_free(report: *const ArmillariaMergeReport);
    tags::armillaria_create_tag(
        db: *const ArmillariaDatabase,
        name: ArmillariaString,
        at: *const ArmillariaAt,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    tags::armillaria_delete_tag(
        db: *const ArmillariaDatabase,
        name: ArmillariaString,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    tags::armillaria_list_tags(
        db: *const ArmillariaDatabase,
        out: *mut *const ArmillariaTagList,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    tags::armillaria_tag_list_free(list: *const ArmillariaTagList);
    transaction::armillaria_begin(
        db: *const ArmillariaDatabase,
        options: *const ArmillariaBeginOptions,
        out: *mut *mut ArmillariaTransaction,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    transaction::armillaria_transaction_query(
        tx: *const ArmillariaTransaction,
        sql: ArmillariaString,
        parameters: *const ArmillariaParameter,
        parameters_len: usize,
        cancel: *const ArmillariaCancel,
        out: *mut FFI_ArrowArrayStream,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    transaction::armillaria_transaction_read_table(
        tx: *const ArmillariaTransaction,
        name: ArmillariaString,
        columns: *const ArmillariaString,
        columns_len: usize,
        cancel: *const ArmillariaCancel,
        out: *mut FFI_ArrowArrayStream,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    transaction::armillaria_transaction_write_table(
        tx: *const ArmillariaTransaction,
        name: ArmillariaString,
        rows: *mut FFI_ArrowArrayStream,
        options: *const ArmillariaWriteOptions,
        cancel: *const ArmillariaCancel,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    transaction::armillaria_transaction_create_table(
        tx: *const ArmillariaTransaction,
        name: ArmillariaString,
        schema: *mut FFI_ArrowSchema,
        key: *const ArmillariaString,
        key_len: usize,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    transaction::armillaria_transaction_drop_table(
        tx: *const ArmillariaTransaction,
        name: ArmillariaString,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    transaction::armillaria_transaction_list_tables(
        tx: *const ArmillariaTransaction,
        out: *mut *const ArmillariaStringList,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    transaction::armillaria_transaction_table_schema(
        tx: *const ArmillariaTransaction,
        name: ArmillariaString,
        out: *mut FFI_ArrowSchema,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    transaction::armillaria_transaction_execute(
        tx: *const ArmillariaTransaction,
        sql: ArmillariaString,
        parameters: *const ArmillariaParameter,
        parameters_len: usize,
        cancel: *const ArmillariaCancel,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    transaction::armillaria_transaction_commit_chunks(
        tx: *const ArmillariaTransaction,
        name: ArmillariaString,
        version: u64,
        chunk_hashes: *const ArmillariaString,
        chunk_hashes_len: usize,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    transaction::armillaria_transaction_commit(
        tx: *const ArmillariaTransaction,
        message: ArmillariaString,
        out: *mut *const ArmillariaCommit,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    transaction::armillaria_transaction_rollback(
        tx: *const ArmillariaTransaction,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    transaction::armillaria_transaction_free(tx: *mut ArmillariaTransaction);
    changelog::armillaria_latest_tx_id(
        db: *const ArmillariaDatabase,
        out: *mut u64,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    changelog::armillaria_changes(
        db: *const ArmillariaDatabase,
        options: *const ArmillariaChangesOptions,
        out: *mut *const ArmillariaChangelog,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    changelog::armillaria_table_changes(
        db: *const ArmillariaDatabase,
        name: ArmillariaString,
        from_version: u64,
        to_version: u64,
        cancel: *const ArmillariaCancel,
        out: *mut FFI_ArrowArrayStream,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    changelog::armillaria_changelog_free(changelog: *const ArmillariaChangelog);
    changelog::armillaria_changelog_entry_free(entry: *const ArmillariaChangelogEntry);
    subscription::armillaria_subscribe(
        db: *const ArmillariaDatabase,
        options: *const ArmillariaChangesOptions,
        out: *mut *mut ArmillariaSubscription,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    subscription::armillaria_subscription_next(
        subscription: *const ArmillariaSubscription,
        timeout_ms: i64,
        cancel: *const ArmillariaCancel,
        out: *mut *const ArmillariaChangelogEntry,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    subscription::armillaria_subscription_cursor(
        subscription: *const ArmillariaSubscription,
        out: *mut u64,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    subscription::armillaria_subscription_close(
        subscription: *const ArmillariaSubscription,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    subscription::armillaria_subscription_free(subscription: *mut ArmillariaSubscription);
    health::armillaria_verify(
        db: *const ArmillariaDatabase,
        deep: bool,
        cancel: *const ArmillariaCancel,
        out: *mut *const ArmillariaVerifyReport,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    health::armillaria_stats(
        db: *const ArmillariaDatabase,
        out: *mut *const ArmillariaStats,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    health::armillaria_inspect(
        db: *const ArmillariaDatabase,
        object: ArmillariaString,
        out: *mut *const ArmillariaBuffer,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    health::armillaria_verify_report_free(report: *const ArmillariaVerifyReport);
    health::armillaria_stats_free(stats: *const ArmillariaStats);
    catalog::armillaria_commit_chunks(
        db: *const ArmillariaDatabase,
        name: ArmillariaString,
        version: u64,
        chunk_hashes: *const ArmillariaString,
        chunk_hashes_len: usize,
        options: *const ArmillariaTableOptions,
        out: *mut *const ArmillariaCommit,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    catalog::armillaria_chunk_hashes(
        db: *const ArmillariaDatabase,
        name: ArmillariaString,
        version: u64,
        version_out: *mut u64,
        out: *mut *const ArmillariaStringList,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    catalog::armillaria_list_versions(
        db: *const ArmillariaDatabase,
        name: ArmillariaString,
        out: *mut *const ArmillariaVersionList,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    chunk_store::armillaria_chunk_store_open(
        directory: ArmillariaString,
        read_only: bool,
        out: *mut *mut ArmillariaChunkStore,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    chunk_store::armillaria_chunk_store_put(
        store: *const ArmillariaChunkStore,
        data: *const u8,
        len: usize,
        out: *mut *const ArmillariaBuffer,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    chunk_store::armillaria_chunk_store_get(
        store: *const ArmillariaChunkStore,
        hash: ArmillariaString,
        out: *mut *const ArmillariaBuffer,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    chunk_store::armillaria_chunk_store_get_verified(
        store: *const ArmillariaChunkStore,
        hash: ArmillariaString,
        out: *mut *const ArmillariaBuffer,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    chunk_store::armillaria_chunk_store_exists(
        store: *const ArmillariaChunkStore,
        hash: ArmillariaString,
        out: *mut bool,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    chunk_store::armillaria_chunk_store_list(
        store: *const ArmillariaChunkStore,
        out: *mut *const ArmillariaStringList,
        error: *mut *mut ArmillariaError,
    ) -> u32;
    chunk_store::armillaria_chunk_store_free(store: *mut ArmillariaChunkStore);
}
