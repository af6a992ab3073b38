// The SDK's results as the suite writes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "types.hpp"

namespace conformance {

template <typename T>
json optional(const std::optional<T> &value) {
  return value ? json(*value) : json(nullptr);
}

// An array of what `one` makes of each item.
template <typename Item, typename Function>
json all(const std::vector<Item> &items, Function one) {
  auto shown = json::array();
  for (const auto &item : items) shown.push_back(one(item));
  return shown;
}

inline std::int64_t micros(armillaria::Timestamp time) { return time.time_since_epoch().count(); }

inline json show(const armillaria::CommittedTable &table) {
  return {{"table", table.table}, {"kind", table.kind}, {"version", optional(table.version)}, {"rows", table.rows}};
}

inline json show(const armillaria::Commit &commit) {
  return {{"tx_id", commit.tx_id},
          {"branch", commit.branch},
          {"time_us", micros(commit.time)},
          {"tables", all(commit.tables, [](const auto &table) { return show(table); })},
          {"version", optional(commit.version)},
          {"rows", commit.rows},
          {"chunks_written", commit.chunks_written},
          {"chunks_reused", commit.chunks_reused},
          {"bytes_written", commit.bytes_written},
          {"bytes_reused", commit.bytes_reused}};
}

inline json show(const armillaria::TableInfo &table) {
  return {{"name", table.name},
          {"version", table.version},
          {"rows", table.rows},
          {"chunks", table.chunks},
          {"bytes", table.bytes}};
}

inline json show(const armillaria::HistoryEntry &entry) {
  return {{"version", entry.version},
          {"tx_id", entry.tx_id},
          {"branch", entry.branch},
          {"time_us", micros(entry.time)},
          {"author", optional(entry.author)},
          {"message", optional(entry.message)},
          {"kind", entry.kind},
          {"rows", entry.rows},
          {"chunks", entry.chunks},
          {"bytes", entry.bytes}};
}

inline json show(const armillaria::DiffSummary &diff) {
  return {{"rows_added", diff.rows_added},
          {"rows_removed", diff.rows_removed},
          {"rows_modified", diff.rows_modified},
          {"schema_changes", diff.schema_changes}};
}

inline json show(const armillaria::BranchInfo &branch) {
  return {{"name", branch.name},
          {"head_tx_id", branch.head_tx_id},
          {"from_branch", optional(branch.from_branch)},
          {"from_tx_id", optional(branch.from_tx_id)},
          {"created_us", micros(branch.created)},
          {"description", optional(branch.description)}};
}

inline json show(const armillaria::TagInfo &tag) {
  return {{"name", tag.name}, {"tx_id", tag.tx_id}, {"created_us", micros(tag.created)}};
}

inline json show(const armillaria::ModifiedTable &table) {
  return {{"table", table.table}, {"version_in_a", table.version_in_a}, {"version_in_b", table.version_in_b}};
}

inline json show(const armillaria::BranchDiff &diff) {
  return {{"added", diff.added},
          {"removed", diff.removed},
          {"modified", all(diff.modified, [](const auto &table) { return show(table); })}};
}

inline std::string show(armillaria::MergeKind kind) {
  switch (kind) {
    case armillaria::MergeKind::up_to_date: return "up_to_date";
    case armillaria::MergeKind::fast_forward: return "fast_forward";
    case armillaria::MergeKind::merged: return "merged";
  }
  throw Failure("a kind of merge that nobody knows");
}

inline json show(const armillaria::MergeReport &report) {
  return {{"kind", show(report.kind)},
          {"tx_id", optional(report.tx_id)},
          {"tables", report.tables},
          {"conflicts", report.conflicts}};
}

inline json show(const armillaria::ChangedTable &table) {
  return {{"table", table.table},
          {"kind", table.kind},
          {"from_version", optional(table.from_version)},
          {"to_version", optional(table.to_version)},
          {"rows_added", table.rows_added},
          {"rows_removed", table.rows_removed}};
}

inline json show(const armillaria::ChangedRef &ref) {
  return {{"kind", ref.kind}, {"name", ref.name}, {"target_tx_id", ref.target_tx_id}};
}

inline json show(const armillaria::ChangelogEntry &entry) {
  return {{"tx_id", entry.tx_id},
          {"branch", entry.branch},
          {"time_us", micros(entry.time)},
          {"author", optional(entry.author)},
          {"message", optional(entry.message)},
          {"kind", entry.kind},
          {"parents", entry.parents},
          {"tables", all(entry.tables, [](const auto &table) { return show(table); })},
          {"refs", all(entry.refs, [](const auto &ref) { return show(ref); })}};
}

inline json show(const armillaria::TableVersion &version) {
  return {{"table", version.table}, {"version", version.version}};
}

inline json show(const armillaria::Problem &problem) {
  return {{"object", problem.object},
          {"code", problem.code},
          {"message", problem.message},
          {"affects", all(problem.affects, [](const auto &version) { return show(version); })}};
}

inline json show(const armillaria::VerifyReport &report) {
  return {{"ok", report.ok},
          {"records", report.records},
          {"transactions", report.transactions},
          {"versions", report.versions},
          {"chunks", report.chunks},
          {"chunk_bytes", report.chunk_bytes},
          {"unused_chunks", report.unused_chunks},
          {"problems", all(report.problems, [](const auto &problem) { return show(problem); })},
          {"notes", report.notes}};
}

inline json show(const armillaria::Stats &stats) {
  return {{"tables", stats.tables},
          {"versions", stats.versions},
          {"transactions", stats.transactions},
          {"branches", stats.branches},
          {"tags", stats.tags},
          {"chunks", stats.chunks},
          {"chunk_bytes", stats.chunk_bytes},
          {"log_bytes", stats.log_bytes},
          {"bytes_stored", stats.bytes_stored},
          {"bytes_logical", stats.bytes_logical},
          {"dedup_ratio", stats.dedup_ratio}};
}

inline json show(const armillaria::Error &error) {
  return {{"code", error.number()},
          {"name", error.name()},
          {"category", armillaria::name_of(error.category())},
          {"message", error.what()}};
}

// Shows every item of a list.
template <typename Item>
json show_all(const std::vector<Item> &items) {
  return all(items, [](const auto &item) { return show(item); });
}

}  // namespace conformance
