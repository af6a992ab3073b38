/// \file
/// What operations answer: plain values that own everything they hold. Part of armillaria.hpp.
#pragma once

#include <armillaria/options.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace armillaria {

/// What a commit did to one table.
struct CommittedTable {
  std::string table;
  std::string kind;                      ///< create, append, update, overwrite, drop, fold, adopt or restore
  std::optional<std::uint64_t> version;  ///< its new version; none where it was dropped
  std::uint64_t rows;                    ///< that it now has
};

/// A transaction that is durable and visible.
struct Commit {
  std::uint64_t tx_id;
  std::string branch;
  Timestamp time;
  std::vector<CommittedTable> tables;    ///< that changed, by name
  std::optional<std::uint64_t> version;  ///< where just one table changed and is still there
  std::uint64_t rows;                    ///< written
  std::uint64_t chunks_written;
  std::uint64_t chunks_reused;
  std::uint64_t bytes_written;
  std::uint64_t bytes_reused;
};

/// A table, as `Database::list_tables` tells it.
struct TableInfo {
  std::string name;
  std::uint64_t version;
  std::uint64_t rows;
  std::uint64_t chunks;
  std::uint64_t bytes;  ///< of its chunks and inlined rows
};

/// One version of a table, as its history tells it.
struct HistoryEntry {
  std::uint64_t version;  ///< for a drop, the one that was dropped
  std::uint64_t tx_id;    ///< the transaction that brought it to the branch
  std::string branch;
  Timestamp time;
  std::optional<std::string> author;
  std::optional<std::string> message;
  std::string kind;    ///< as in `CommittedTable`
  std::uint64_t rows;  ///< 0 after a drop
  std::uint64_t chunks;
  std::uint64_t bytes;
};

/// How two versions of a table differ.
struct DiffSummary {
  std::uint64_t rows_added;
  std::uint64_t rows_removed;
  std::uint64_t rows_modified;              ///< 0 without key columns
  std::vector<std::string> schema_changes;  ///< in words
};

struct BranchInfo {
  std::string name;
  std::uint64_t head_tx_id;                 ///< the last transaction on it
  std::optional<std::string> from_branch;   ///< the branch that it started from; none for `main`
  std::optional<std::uint64_t> from_tx_id;  ///< the transaction that it started at
  Timestamp created;                        ///< 1970 for `main`
  std::optional<std::string> description;
};

struct TagInfo {
  std::string name;
  std::uint64_t tx_id;  ///< that it names
  Timestamp created;
};

/// A table that two branches hold in different versions.
struct ModifiedTable {
  std::string table;
  std::uint64_t version_in_a;
  std::uint64_t version_in_b;
};

/// How the heads of two branches differ.
struct BranchDiff {
  std::vector<std::string> added;    ///< in a and not in b
  std::vector<std::string> removed;  ///< in b and not in a
  std::vector<ModifiedTable> modified;
};

enum class MergeKind : std::uint32_t {
  up_to_date = ARMILLARIA_MERGE_KIND_UP_TO_DATE,
  fast_forward = ARMILLARIA_MERGE_KIND_FAST_FORWARD,
  merged = ARMILLARIA_MERGE_KIND_MERGED,
};

struct MergeReport {
  MergeKind kind;
  std::optional<std::uint64_t> tx_id;  ///< none where nothing was committed
  std::vector<std::string> tables;     ///< that changed
  std::vector<std::string> conflicts;  ///< tables that both sides changed
};

/// What a transaction did to one table, as the changelog tells it.
struct ChangedTable {
  std::string table;
  std::string kind;                           ///< as in `CommittedTable`
  std::optional<std::uint64_t> from_version;  ///< none where there was no such table
  std::optional<std::uint64_t> to_version;    ///< none where it was dropped
  std::uint64_t rows_added;
  std::uint64_t rows_removed;
};

/// A branch or tag that was created or deleted.
struct ChangedRef {
  std::string kind;  ///< create_branch, delete_branch, create_tag or delete_tag
  std::string name;
  std::uint64_t target_tx_id;  ///< what a new tag names, where a new branch starts; else 0
};

/// One transaction, as the changelog tells it. Whoever stores `tx_id` can resume from it.
struct ChangelogEntry {
  std::uint64_t tx_id;
  std::string branch;
  Timestamp time;
  std::optional<std::string> author;
  std::optional<std::string> message;
  std::string kind;  ///< commit, merge, fast_forward, revert, refs or fold
  std::vector<std::uint64_t> parents;
  std::vector<ChangedTable> tables;
  std::vector<ChangedRef> refs;
};

/// A version of a table.
struct TableVersion {
  std::string table;
  std::uint64_t version;
};

/// Something that `Database::verify` found damaged.
struct Problem {
  std::string object;
  std::string code;  ///< the name of an error code, such as `HASH_MISMATCH`
  std::string message;
  std::vector<TableVersion> affects;
};

struct VerifyReport {
  bool ok;  ///< no problems
  std::uint64_t records;
  std::uint64_t transactions;
  std::uint64_t versions;
  std::uint64_t chunks;
  std::uint64_t chunk_bytes;
  std::uint64_t unused_chunks;
  std::vector<Problem> problems;
  std::vector<std::string> notes;
};

struct Stats {
  std::uint64_t tables;
  std::uint64_t versions;
  std::uint64_t transactions;
  std::uint64_t branches;
  std::uint64_t tags;
  std::uint64_t chunks;
  std::uint64_t chunk_bytes;
  std::uint64_t log_bytes;
  std::uint64_t bytes_stored;
  std::uint64_t bytes_logical;
  double dedup_ratio;
};

/// A version of a table as a bare list of chunks.
struct ChunkList {
  std::uint64_t version;
  std::vector<std::string> hashes;  ///< 64 hexadecimal digits each
};

}  // namespace armillaria
