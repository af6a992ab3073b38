/* The layout of every public struct on machines with 64-bit pointers, as programs were compiled with it. A line may only
 * be added, and the size of a struct of options or results may only grow: everything else breaks programs that exist. */
#include "armillaria.h"

#ifdef __cplusplus
#define ASSERT(condition) static_assert(condition, #condition)
#else
#define ASSERT(condition) _Static_assert(condition, #condition)
#endif
#define SIZE(type, bytes) ASSERT(sizeof(type) == (bytes))
#define FIELD(type, field, offset) ASSERT(offsetof(type, field) == (offset))

ASSERT(sizeof(void *) == 8);
ASSERT(sizeof(size_t) == 8);
ASSERT(sizeof(bool) == 1);
ASSERT(sizeof(ArmillariaStatus) == 4);
ASSERT(sizeof(ArmillariaCategory) == 4);
ASSERT(sizeof(struct ArrowSchema) == 72);
ASSERT(sizeof(struct ArrowArray) == 80);
ASSERT(sizeof(struct ArrowArrayStream) == 40);

SIZE(ArmillariaString, 16);
FIELD(ArmillariaString, data, 0);
FIELD(ArmillariaString, len, 8);

SIZE(ArmillariaBuffer, 16);
FIELD(ArmillariaBuffer, data, 0);
FIELD(ArmillariaBuffer, len, 8);

SIZE(ArmillariaStringList, 16);
FIELD(ArmillariaStringList, items, 0);
FIELD(ArmillariaStringList, len, 8);

SIZE(ArmillariaVersionList, 16);
FIELD(ArmillariaVersionList, items, 0);
FIELD(ArmillariaVersionList, len, 8);

SIZE(ArmillariaCommittedTable, 56);
FIELD(ArmillariaCommittedTable, table, 0);
FIELD(ArmillariaCommittedTable, kind, 16);
FIELD(ArmillariaCommittedTable, has_version, 32);
FIELD(ArmillariaCommittedTable, version, 40);
FIELD(ArmillariaCommittedTable, rows, 48);

SIZE(ArmillariaCommit, 104);
FIELD(ArmillariaCommit, tx_id, 0);
FIELD(ArmillariaCommit, branch, 8);
FIELD(ArmillariaCommit, time_us, 24);
FIELD(ArmillariaCommit, tables, 32);
FIELD(ArmillariaCommit, tables_len, 40);
FIELD(ArmillariaCommit, has_version, 48);
FIELD(ArmillariaCommit, version, 56);
FIELD(ArmillariaCommit, rows, 64);
FIELD(ArmillariaCommit, chunks_written, 72);
FIELD(ArmillariaCommit, chunks_reused, 80);
FIELD(ArmillariaCommit, bytes_written, 88);
FIELD(ArmillariaCommit, bytes_reused, 96);

SIZE(ArmillariaOpenOptions, 56);
FIELD(ArmillariaOpenOptions, struct_size, 0);
FIELD(ArmillariaOpenOptions, must_exist, 8);
FIELD(ArmillariaOpenOptions, read_only, 9);
FIELD(ArmillariaOpenOptions, external_access, 10);
FIELD(ArmillariaOpenOptions, threads, 12);
FIELD(ArmillariaOpenOptions, memory_limit_bytes, 16);
FIELD(ArmillariaOpenOptions, author, 24);
FIELD(ArmillariaOpenOptions, cache_dir, 40);

SIZE(ArmillariaPartLocations, 72);
FIELD(ArmillariaPartLocations, struct_size, 0);
FIELD(ArmillariaPartLocations, chunks, 8);
FIELD(ArmillariaPartLocations, catalog, 24);
FIELD(ArmillariaPartLocations, branches, 40);
FIELD(ArmillariaPartLocations, transactions, 56);

SIZE(ArmillariaTableVersion, 24);
FIELD(ArmillariaTableVersion, table, 0);
FIELD(ArmillariaTableVersion, version, 16);

SIZE(ArmillariaAt, 80);
FIELD(ArmillariaAt, struct_size, 0);
FIELD(ArmillariaAt, point, 8);
FIELD(ArmillariaAt, branch, 16);
FIELD(ArmillariaAt, tag, 32);
FIELD(ArmillariaAt, tx_id, 48);
FIELD(ArmillariaAt, time_us, 56);
FIELD(ArmillariaAt, versions, 64);
FIELD(ArmillariaAt, versions_len, 72);

SIZE(ArmillariaTableOptions, 56);
FIELD(ArmillariaTableOptions, struct_size, 0);
FIELD(ArmillariaTableOptions, key, 8);
FIELD(ArmillariaTableOptions, key_len, 16);
FIELD(ArmillariaTableOptions, branch, 24);
FIELD(ArmillariaTableOptions, message, 40);

SIZE(ArmillariaWriteOptions, 64);
FIELD(ArmillariaWriteOptions, struct_size, 0);
FIELD(ArmillariaWriteOptions, mode, 8);
FIELD(ArmillariaWriteOptions, key, 16);
FIELD(ArmillariaWriteOptions, key_len, 24);
FIELD(ArmillariaWriteOptions, branch, 32);
FIELD(ArmillariaWriteOptions, message, 48);

SIZE(ArmillariaTableInfo, 48);
FIELD(ArmillariaTableInfo, name, 0);
FIELD(ArmillariaTableInfo, version, 16);
FIELD(ArmillariaTableInfo, rows, 24);
FIELD(ArmillariaTableInfo, chunks, 32);
FIELD(ArmillariaTableInfo, bytes, 40);

SIZE(ArmillariaTableList, 16);
FIELD(ArmillariaTableList, items, 0);
FIELD(ArmillariaTableList, len, 8);

SIZE(ArmillariaHistoryEntry, 112);
FIELD(ArmillariaHistoryEntry, version, 0);
FIELD(ArmillariaHistoryEntry, tx_id, 8);
FIELD(ArmillariaHistoryEntry, branch, 16);
FIELD(ArmillariaHistoryEntry, time_us, 32);
FIELD(ArmillariaHistoryEntry, author, 40);
FIELD(ArmillariaHistoryEntry, message, 56);
FIELD(ArmillariaHistoryEntry, kind, 72);
FIELD(ArmillariaHistoryEntry, rows, 88);
FIELD(ArmillariaHistoryEntry, chunks, 96);
FIELD(ArmillariaHistoryEntry, bytes, 104);

SIZE(ArmillariaHistory, 16);
FIELD(ArmillariaHistory, items, 0);
FIELD(ArmillariaHistory, len, 8);

SIZE(ArmillariaDiff, 40);
FIELD(ArmillariaDiff, rows_added, 0);
FIELD(ArmillariaDiff, rows_removed, 8);
FIELD(ArmillariaDiff, rows_modified, 16);
FIELD(ArmillariaDiff, schema_changes, 24);
FIELD(ArmillariaDiff, schema_changes_len, 32);

SIZE(ArmillariaParameter, 64);
FIELD(ArmillariaParameter, kind, 0);
FIELD(ArmillariaParameter, name, 8);
FIELD(ArmillariaParameter, integer, 24);
FIELD(ArmillariaParameter, unsigned_integer, 32);
FIELD(ArmillariaParameter, real, 40);
FIELD(ArmillariaParameter, bytes, 48);

SIZE(ArmillariaBranchInfo, 80);
FIELD(ArmillariaBranchInfo, name, 0);
FIELD(ArmillariaBranchInfo, head_tx_id, 16);
FIELD(ArmillariaBranchInfo, from_branch, 24);
FIELD(ArmillariaBranchInfo, has_from_tx_id, 40);
FIELD(ArmillariaBranchInfo, from_tx_id, 48);
FIELD(ArmillariaBranchInfo, created_us, 56);
FIELD(ArmillariaBranchInfo, description, 64);

SIZE(ArmillariaBranchList, 16);
FIELD(ArmillariaBranchList, items, 0);
FIELD(ArmillariaBranchList, len, 8);

SIZE(ArmillariaModifiedTable, 32);
FIELD(ArmillariaModifiedTable, table, 0);
FIELD(ArmillariaModifiedTable, version_in_a, 16);
FIELD(ArmillariaModifiedTable, version_in_b, 24);

SIZE(ArmillariaBranchDiff, 48);
FIELD(ArmillariaBranchDiff, added, 0);
FIELD(ArmillariaBranchDiff, added_len, 8);
FIELD(ArmillariaBranchDiff, removed, 16);
FIELD(ArmillariaBranchDiff, removed_len, 24);
FIELD(ArmillariaBranchDiff, modified, 32);
FIELD(ArmillariaBranchDiff, modified_len, 40);

SIZE(ArmillariaMergeOptions, 48);
FIELD(ArmillariaMergeOptions, struct_size, 0);
FIELD(ArmillariaMergeOptions, strategy, 8);
FIELD(ArmillariaMergeOptions, dry_run, 12);
FIELD(ArmillariaMergeOptions, into, 16);
FIELD(ArmillariaMergeOptions, message, 32);

SIZE(ArmillariaMergeReport, 48);
FIELD(ArmillariaMergeReport, kind, 0);
FIELD(ArmillariaMergeReport, has_tx_id, 4);
FIELD(ArmillariaMergeReport, tx_id, 8);
FIELD(ArmillariaMergeReport, tables, 16);
FIELD(ArmillariaMergeReport, tables_len, 24);
FIELD(ArmillariaMergeReport, conflicts, 32);
FIELD(ArmillariaMergeReport, conflicts_len, 40);

SIZE(ArmillariaTagInfo, 32);
FIELD(ArmillariaTagInfo, name, 0);
FIELD(ArmillariaTagInfo, tx_id, 16);
FIELD(ArmillariaTagInfo, created_us, 24);

SIZE(ArmillariaTagList, 16);
FIELD(ArmillariaTagList, items, 0);
FIELD(ArmillariaTagList, len, 8);

SIZE(ArmillariaBeginOptions, 32);
FIELD(ArmillariaBeginOptions, struct_size, 0);
FIELD(ArmillariaBeginOptions, isolation, 8);
FIELD(ArmillariaBeginOptions, branch, 16);

SIZE(ArmillariaChangesOptions, 88);
FIELD(ArmillariaChangesOptions, struct_size, 0);
FIELD(ArmillariaChangesOptions, has_since_tx, 8);
FIELD(ArmillariaChangesOptions, has_until_tx, 9);
FIELD(ArmillariaChangesOptions, has_from_time, 10);
FIELD(ArmillariaChangesOptions, has_to_time, 11);
FIELD(ArmillariaChangesOptions, has_limit, 12);
FIELD(ArmillariaChangesOptions, since_tx, 16);
FIELD(ArmillariaChangesOptions, until_tx, 24);
FIELD(ArmillariaChangesOptions, from_time_us, 32);
FIELD(ArmillariaChangesOptions, to_time_us, 40);
FIELD(ArmillariaChangesOptions, limit, 48);
FIELD(ArmillariaChangesOptions, tables, 56);
FIELD(ArmillariaChangesOptions, tables_len, 64);
FIELD(ArmillariaChangesOptions, branch, 72);

SIZE(ArmillariaChangedTable, 72);
FIELD(ArmillariaChangedTable, table, 0);
FIELD(ArmillariaChangedTable, kind, 16);
FIELD(ArmillariaChangedTable, has_from_version, 32);
FIELD(ArmillariaChangedTable, has_to_version, 33);
FIELD(ArmillariaChangedTable, from_version, 40);
FIELD(ArmillariaChangedTable, to_version, 48);
FIELD(ArmillariaChangedTable, rows_added, 56);
FIELD(ArmillariaChangedTable, rows_removed, 64);

SIZE(ArmillariaChangedRef, 40);
FIELD(ArmillariaChangedRef, kind, 0);
FIELD(ArmillariaChangedRef, name, 16);
FIELD(ArmillariaChangedRef, target_tx_id, 32);

SIZE(ArmillariaChangelogEntry, 128);
FIELD(ArmillariaChangelogEntry, tx_id, 0);
FIELD(ArmillariaChangelogEntry, branch, 8);
FIELD(ArmillariaChangelogEntry, time_us, 24);
FIELD(ArmillariaChangelogEntry, author, 32);
FIELD(ArmillariaChangelogEntry, message, 48);
FIELD(ArmillariaChangelogEntry, kind, 64);
FIELD(ArmillariaChangelogEntry, parents, 80);
FIELD(ArmillariaChangelogEntry, parents_len, 88);
FIELD(ArmillariaChangelogEntry, tables, 96);
FIELD(ArmillariaChangelogEntry, tables_len, 104);
FIELD(ArmillariaChangelogEntry, refs, 112);
FIELD(ArmillariaChangelogEntry, refs_len, 120);

SIZE(ArmillariaChangelog, 16);
FIELD(ArmillariaChangelog, items, 0);
FIELD(ArmillariaChangelog, len, 8);

SIZE(ArmillariaProblem, 64);
FIELD(ArmillariaProblem, object, 0);
FIELD(ArmillariaProblem, code, 16);
FIELD(ArmillariaProblem, message, 32);
FIELD(ArmillariaProblem, affects, 48);
FIELD(ArmillariaProblem, affects_len, 56);

SIZE(ArmillariaVerifyReport, 88);
FIELD(ArmillariaVerifyReport, ok, 0);
FIELD(ArmillariaVerifyReport, records, 8);
FIELD(ArmillariaVerifyReport, transactions, 16);
FIELD(ArmillariaVerifyReport, versions, 24);
FIELD(ArmillariaVerifyReport, chunks, 32);
FIELD(ArmillariaVerifyReport, chunk_bytes, 40);
FIELD(ArmillariaVerifyReport, unused_chunks, 48);
FIELD(ArmillariaVerifyReport, problems, 56);
FIELD(ArmillariaVerifyReport, problems_len, 64);
FIELD(ArmillariaVerifyReport, notes, 72);
FIELD(ArmillariaVerifyReport, notes_len, 80);

SIZE(ArmillariaStats, 88);
FIELD(ArmillariaStats, tables, 0);
FIELD(ArmillariaStats, versions, 8);
FIELD(ArmillariaStats, transactions, 16);
FIELD(ArmillariaStats, branches, 24);
FIELD(ArmillariaStats, tags, 32);
FIELD(ArmillariaStats, chunks, 40);
FIELD(ArmillariaStats, chunk_bytes, 48);
FIELD(ArmillariaStats, log_bytes, 56);
FIELD(ArmillariaStats, bytes_stored, 64);
FIELD(ArmillariaStats, bytes_logical, 72);
FIELD(ArmillariaStats, dedup_ratio, 80);
