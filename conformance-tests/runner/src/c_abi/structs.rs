//! The structs of `include/armillaria.h`, as a C program sees them.

use std::ffi::c_char;

/// A handle whose inside nobody sees.
macro_rules! opaque {
    ($($module:ident::$name:ident;)*) => {
        $(#[repr(C)]
        #[derive(Debug)]
        pub(super) struct $name {
            _inside: [u8; 0],
        })*
    };
}

macro_rules! structs {
    ($($module:ident::$name:ident { $($field:ident: $type:ty,)* })*) => {
        $(#[repr(C)]
        #[derive(Clone, Copy, Debug)]
        pub(super) struct $name {
            $(pub(super) $field: $type,)*
        })*

        #[cfg(test)]
        mod tests {
            #[test]
            fn structs_are_those_of_the_library() {
                $(assert_eq!(
                    (size_of::<super::$name>(), align_of::<super::$name>()),
                    (size_of::<armillaria_ffi::$module::$name>(), align_of::<armillaria_ffi::$module::$name>()),
                    stringify!($name),
                );)*
            }
        }
    };
}

opaque! {
    error::ArmillariaError;
    cancel::ArmillariaCancel;
    database::ArmillariaDatabase;
    transaction::ArmillariaTransaction;
    subscription::ArmillariaSubscription;
    chunk_store::ArmillariaChunkStore;
}

structs! {
    string::ArmillariaString {
        data: *const c_char,
        len: usize,
    }
    results::ArmillariaBuffer {
        data: *const u8,
        len: usize,
    }
    results::ArmillariaStringList {
        items: *const ArmillariaString,
        len: usize,
    }
    results::ArmillariaVersionList {
        items: *const u64,
        len: usize,
    }
    results::ArmillariaCommittedTable {
        table: ArmillariaString,
        kind: ArmillariaString,
        has_version: bool,
        version: u64,
        rows: u64,
    }
    results::ArmillariaCommit {
        tx_id: u64,
        branch: ArmillariaString,
        time_us: i64,
        tables: *const *const ArmillariaCommittedTable,
        tables_len: usize,
        has_version: bool,
        version: u64,
        rows: u64,
        chunks_written: u64,
        chunks_reused: u64,
        bytes_written: u64,
        bytes_reused: u64,
    }
    database::ArmillariaOpenOptions {
        struct_size: usize,
        must_exist: bool,
        read_only: bool,
        external_access: bool,
        threads: u32,
        memory_limit_bytes: u64,
        author: ArmillariaString,
        cache_dir: ArmillariaString,
    }
    database::ArmillariaPartLocations {
        struct_size: usize,
        chunks: ArmillariaString,
        catalog: ArmillariaString,
        branches: ArmillariaString,
        transactions: ArmillariaString,
    }
    at::ArmillariaTableVersion {
        table: ArmillariaString,
        version: u64,
    }
    at::ArmillariaAt {
        struct_size: usize,
        point: u32,
        branch: ArmillariaString,
        tag: ArmillariaString,
        tx_id: u64,
        time_us: i64,
        versions: *const ArmillariaTableVersion,
        versions_len: usize,
    }
    tables::ArmillariaTableOptions {
        struct_size: usize,
        key: *const ArmillariaString,
        key_len: usize,
        branch: ArmillariaString,
        message: ArmillariaString,
    }
    tables::ArmillariaWriteOptions {
        struct_size: usize,
        mode: u32,
        key: *const ArmillariaString,
        key_len: usize,
        branch: ArmillariaString,
        message: ArmillariaString,
    }
    tables::ArmillariaTableInfo {
        name: ArmillariaString,
        version: u64,
        rows: u64,
        chunks: u64,
        bytes: u64,
    }
    tables::ArmillariaTableList {
        items: *const *const ArmillariaTableInfo,
        len: usize,
    }
    tables::ArmillariaHistoryEntry {
        version: u64,
        tx_id: u64,
        branch: ArmillariaString,
        time_us: i64,
        author: ArmillariaString,
        message: ArmillariaString,
        kind: ArmillariaString,
        rows: u64,
        chunks: u64,
        bytes: u64,
    }
    tables::ArmillariaHistory {
        items: *const *const ArmillariaHistoryEntry,
        len: usize,
    }
    tables::ArmillariaDiff {
        rows_added: u64,
        rows_removed: u64,
        rows_modified: u64,
        schema_changes: *const ArmillariaString,
        schema_changes_len: usize,
    }
    sql::ArmillariaParameter {
        kind: u32,
        name: ArmillariaString,
        integer: i64,
        unsigned_integer: u64,
        real: f64,
        bytes: ArmillariaString,
    }
    branches::ArmillariaBranchInfo {
        name: ArmillariaString,
        head_tx_id: u64,
        from_branch: ArmillariaString,
        has_from_tx_id: bool,
        from_tx_id: u64,
        created_us: i64,
        description: ArmillariaString,
    }
    branches::ArmillariaBranchList {
        items: *const *const ArmillariaBranchInfo,
        len: usize,
    }
    branches::ArmillariaModifiedTable {
        table: ArmillariaString,
        version_in_a: u64,
        version_in_b: u64,
    }
    branches::ArmillariaBranchDiff {
        added: *const ArmillariaString,
        added_len: usize,
        removed: *const ArmillariaString,
        removed_len: usize,
        modified: *const *const ArmillariaModifiedTable,
        modified_len: usize,
    }
    merge::ArmillariaMergeOptions {
        struct_size: usize,
        strategy: u32,
        dry_run: bool,
        into: ArmillariaString,
        message: ArmillariaString,
    }
    merge::ArmillariaMergeReport {
        kind: u32,
        has_tx_id: bool,
        tx_id: u64,
        tables: *const ArmillariaString,
        tables_len: usize,
        conflicts: *const ArmillariaString,
        conflicts_len: usize,
    }
    tags::ArmillariaTagInfo {
        name: ArmillariaString,
        tx_id: u64,
        created_us: i64,
    }
    tags::ArmillariaTagList {
        items: *const *const ArmillariaTagInfo,
        len: usize,
    }
    transaction::ArmillariaBeginOptions {
        struct_size: usize,
        isolation: u32,
        branch: ArmillariaString,
    }
    changelog::ArmillariaChangesOptions {
        struct_size: usize,
        has_since_tx: bool,
        has_until_tx: bool,
        has_from_time: bool,
        has_to_time: bool,
        has_limit: bool,
        since_tx: u64,
        until_tx: u64,
        from_time_us: i64,
        to_time_us: i64,
        limit: u64,
        tables: *const ArmillariaString,
        tables_len: usize,
        branch: ArmillariaString,
    }
    changelog::ArmillariaChangedTable {
        table: ArmillariaString,
        kind: ArmillariaString,
        has_from_version: bool,
        has_to_version: bool,
        from_version: u64,
        to_version: u64,
        rows_added: u64,
        rows_removed: u64,
    }
    changelog::ArmillariaChangedRef {
        kind: ArmillariaString,
        name: ArmillariaString,
        target_tx_id: u64,
    }
    changelog::ArmillariaChangelogEntry {
        tx_id: u64,
        branch: ArmillariaString,
        time_us: i64,
        author: ArmillariaString,
        message: ArmillariaString,
        kind: ArmillariaString,
        parents: *const u64,
        parents_len: usize,
        tables: *const *const ArmillariaChangedTable,
        tables_len: usize,
        refs: *const *const ArmillariaChangedRef,
        refs_len: usize,
    }
    changelog::ArmillariaChangelog {
        items: *const *const ArmillariaChangelogEntry,
        len: usize,
    }
    health::ArmillariaProblem {
        object: ArmillariaString,
        code: ArmillariaString,
        message: ArmillariaString,
        affects: *const ArmillariaTableVersion,
        affects_len: usize,
    }
    health::ArmillariaVerifyReport {
        ok: bool,
        records: u64,
        transactions: u64,
        versions: u64,
        chunks: u64,
        chunk_bytes: u64,
        unused_chunks: u64,
        problems: *const *const ArmillariaProblem,
        problems_len: usize,
        notes: *const ArmillariaString,
        notes_len: usize,
    }
    health::ArmillariaStats {
        tables: u64,
        versions: u64,
        transactions: u64,
        branches: u64,
        tags: u64,
        chunks: u64,
        chunk_bytes: u64,
        log_bytes: u64,
        bytes_stored: u64,
        bytes_logical: u64,
        dedup_ratio: f64,
    }
}
