/// \file
/// Copies the library's results into values. Not for users; part of armillaria.hpp.
#pragma once

#include <armillaria/results.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace armillaria::detail {

inline Timestamp moment(std::int64_t time_us) { return Timestamp(std::chrono::microseconds(time_us)); }

/// Copies an array of pointers to items.
template <typename Value, typename Item>
std::vector<Value> copy_all(const Item *const *items, std::size_t len, Value (*copy)(const Item &)) {
  std::vector<Value> values;
  values.reserve(len);
  for (std::size_t i = 0; i < len; ++i) values.push_back(copy(*items[i]));
  return values;
}

inline CommittedTable copy_committed_table(const ArmillariaCommittedTable &from) {
  return {text(from.table), text(from.kind), optional_value(from.has_version, from.version), from.rows};
}

inline Commit copy(const ArmillariaCommit &from) {
  return {from.tx_id,
          text(from.branch),
          moment(from.time_us),
          copy_all(from.tables, from.tables_len, copy_committed_table),
          optional_value(from.has_version, from.version),
          from.rows,
          from.chunks_written,
          from.chunks_reused,
          from.bytes_written,
          from.bytes_reused};
}

inline TableInfo copy_table_info(const ArmillariaTableInfo &from) {
  return {text(from.name), from.version, from.rows, from.chunks, from.bytes};
}

inline HistoryEntry copy_history_entry(const ArmillariaHistoryEntry &from) {
  return {from.version,
          from.tx_id,
          text(from.branch),
          moment(from.time_us),
          optional_text(from.author),
          optional_text(from.message),
          text(from.kind),
          from.rows,
          from.chunks,
          from.bytes};
}

inline DiffSummary copy(const ArmillariaDiff &from) {
  return {from.rows_added, from.rows_removed, from.rows_modified, texts(from.schema_changes, from.schema_changes_len)};
}

inline BranchInfo copy_branch_info(const ArmillariaBranchInfo &from) {
  return {text(from.name),
          from.head_tx_id,
          optional_text(from.from_branch),
          optional_value(from.has_from_tx_id, from.from_tx_id),
          moment(from.created_us),
          optional_text(from.description)};
}

inline TagInfo copy_tag_info(const ArmillariaTagInfo &from) {
  return {text(from.name), from.tx_id, moment(from.created_us)};
}

inline ModifiedTable copy_modified_table(const ArmillariaModifiedTable &from) {
  return {text(from.table), from.version_in_a, from.version_in_b};
}

inline BranchDiff copy(const ArmillariaBranchDiff &from) {
  return {texts(from.added, from.added_len), texts(from.removed, from.removed_len),
          copy_all(from.modified, from.modified_len, copy_modified_table)};
}

inline MergeReport copy(const ArmillariaMergeReport &from) {
  return {static_cast<MergeKind>(from.kind), optional_value(from.has_tx_id, from.tx_id),
          texts(from.tables, from.tables_len), texts(from.conflicts, from.conflicts_len)};
}

inline ChangedTable copy_changed_table(const ArmillariaChangedTable &from) {
  return {text(from.table),
          text(from.kind),
          optional_value(from.has_from_version, from.from_version),
          optional_value(from.has_to_version, from.to_version),
          from.rows_added,
          from.rows_removed};
}

inline ChangedRef copy_changed_ref(const ArmillariaChangedRef &from) {
  return {text(from.kind), text(from.name), from.target_tx_id};
}

inline ChangelogEntry copy_entry(const ArmillariaChangelogEntry &from) {
  return {from.tx_id,
          text(from.branch),
          moment(from.time_us),
          optional_text(from.author),
          optional_text(from.message),
          text(from.kind),
          std::vector<std::uint64_t>(from.parents, from.parents + from.parents_len),
          copy_all(from.tables, from.tables_len, copy_changed_table),
          copy_all(from.refs, from.refs_len, copy_changed_ref)};
}

inline Problem copy_problem(const ArmillariaProblem &from) {
  std::vector<TableVersion> affects;
  affects.reserve(from.affects_len);
  for (std::size_t i = 0; i < from.affects_len; ++i) {
    affects.push_back({text(from.affects[i].table), from.affects[i].version});
  }
  return {text(from.object), text(from.code), text(from.message), std::move(affects)};
}

inline VerifyReport copy(const ArmillariaVerifyReport &from) {
  return {from.ok,
          from.records,
          from.transactions,
          from.versions,
          from.chunks,
          from.chunk_bytes,
          from.unused_chunks,
          copy_all(from.problems, from.problems_len, copy_problem),
          texts(from.notes, from.notes_len)};
}

inline Stats copy(const ArmillariaStats &from) {
  return {from.tables,      from.versions,  from.transactions, from.branches,      from.tags,       from.chunks,
          from.chunk_bytes, from.log_bytes, from.bytes_stored, from.bytes_logical, from.dedup_ratio};
}

/// Calls a function that commits.
template <typename Function, typename... Arguments>
Commit obtain_commit(Function function, Arguments... arguments) {
  return copy(*obtain<const ArmillariaCommit, armillaria_commit_free>(function, arguments...));
}

/// Calls a function that answers text.
template <typename Function, typename... Arguments>
std::string obtain_text(Function function, Arguments... arguments) {
  const auto buffer = obtain<const ArmillariaBuffer, armillaria_buffer_free>(function, arguments...);
  return std::string(reinterpret_cast<const char *>(buffer->data), buffer->len);
}

/// Calls a function that answers a list of texts.
template <typename Function, typename... Arguments>
std::vector<std::string> obtain_texts(Function function, Arguments... arguments) {
  const auto list = obtain<const ArmillariaStringList, armillaria_string_list_free>(function, arguments...);
  return texts(list->items, list->len);
}

}  // namespace armillaria::detail
