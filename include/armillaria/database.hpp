/// \file
/// The front door. Part of armillaria.hpp.
#pragma once

#include <armillaria/copy.hpp>
#include <armillaria/stream.hpp>
#include <armillaria/subscription.hpp>
#include <armillaria/transaction.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace armillaria {

/// A repository that is open: every operation of Armillaria. Any thread may use it, also several at once (moving and
/// destroying it excepted). Destroying it closes it; streams, transactions and subscriptions may outlive it.
///
/// Every operation throws `Error` when it fails; the names in capitals are the codes to expect beside `CLOSED` (after
/// `close`), `INVALID_ARGUMENT`, `IO` and those of damage (400 to 402). Tokens, options and texts are only borrowed for
/// the call.
class Database {
 public:
  /// Opens a directory, or `memory:`. `REPOSITORY_NOT_FOUND`, `FORMAT_UNSUPPORTED`.
  static Database open(std::string_view location, const OpenOptions &options = {}) {
    detail::check_abi();
    const auto lent = detail::lend(options);
    return Database(
        detail::obtain<ArmillariaDatabase, armillaria_database_free>(armillaria_open, detail::lend(location), &lent));
  }

  /// Opens a repository whose parts stand in directories of their own.
  static Database open(const PartLocations &locations, const OpenOptions &options = {}) {
    detail::check_abi();
    const auto lent_locations = detail::lend(locations);
    const auto lent = detail::lend(options);
    return Database(
        detail::obtain<ArmillariaDatabase, armillaria_database_free>(armillaria_open_parts, &lent_locations, &lent));
  }

  /// Closes it, and with it its transactions and subscriptions: whatever is asked of them later is `CLOSED`. Streams
  /// can still be read. Again does nothing.
  void close() const { detail::call(armillaria_close, handle_.get()); }

  /// Makes another branch the current one, for this handle. `BRANCH_NOT_FOUND`.
  void checkout(std::string_view branch) const {
    detail::call(armillaria_checkout, handle_.get(), detail::lend(branch));
  }

  /// The branch that operations look at unless told otherwise; `main` at first.
  std::string current_branch() const { return detail::obtain_text(armillaria_current_branch, handle_.get()); }

  // Tables

  /// Creates a table without rows. `schema` is used up. `TABLE_EXISTS`, `UNSUPPORTED` (a column's type).
  Commit create_table(std::string_view name, Schema schema, const TableOptions &options = {}) const {
    const auto key = detail::lend_all(options.key);
    const auto lent = detail::lend(options, key);
    return detail::obtain_commit(armillaria_create_table, handle_.get(), detail::lend(name), schema.get(), &lent);
  }

  /// Drops a table from a branch; its versions stay. `TABLE_NOT_FOUND`.
  Commit drop_table(std::string_view name, const TableOptions &options = {}) const {
    const auto key = detail::lend_all(options.key);
    const auto lent = detail::lend(options, key);
    return detail::obtain_commit(armillaria_drop_table, handle_.get(), detail::lend(name), &lent);
  }

  /// The tables there are, by name.
  std::vector<TableInfo> list_tables(const At &at = {}) const {
    const detail::LentAt lent(at);
    const auto list = detail::obtain<const ArmillariaTableList, armillaria_table_list_free>(armillaria_list_tables,
                                                                                            handle_.get(), lent.get());
    return detail::copy_all(list->items, list->len, detail::copy_table_info);
  }

  /// The columns of a table. `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`.
  Schema table_schema(std::string_view name, const At &at = {}) const {
    const detail::LentAt lent(at);
    ArrowSchema schema{};
    detail::call(armillaria_table_schema, handle_.get(), detail::lend(name), lent.get(), &schema);
    return Schema(&schema);
  }

  /// The key columns of a table; none if it has no key. `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`.
  std::vector<std::string> table_key(std::string_view name, const At &at = {}) const {
    const detail::LentAt lent(at);
    return detail::obtain_texts(armillaria_table_key, handle_.get(), detail::lend(name), lent.get());
  }

  /// Writes rows, creating the table if it is not there; durable when this returns. `rows` is used up, also when this
  /// throws. `SCHEMA_MISMATCH`, `WRITE_CONFLICT` (safe to retry), `CANCELLED`, and whatever `rows` fails with.
  Commit write_table(std::string_view name, Stream rows, const WriteOptions &options = {}) const {
    const auto key = detail::lend_all(options.key);
    const auto lent = detail::lend(options, key);
    return detail::obtain_commit(armillaria_write_table, handle_.get(), detail::lend(name), rows.get(), &lent,
                                 detail::handle_of(options.cancel));
  }

  /// Streams a table; `columns` chooses and orders them. `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`; while it is read also
  /// `HASH_MISMATCH`, `CHUNK_NOT_FOUND` and `CANCELLED`.
  Stream read_table(std::string_view name, const std::optional<std::vector<std::string>> &columns = std::nullopt,
                    const At &at = {}, const CancelToken *cancel = nullptr) const {
    const detail::LentColumns lent_columns(columns);
    const detail::LentAt lent(at);
    ArrowArrayStream rows{};
    detail::call(armillaria_read_table, handle_.get(), detail::lend(name), lent_columns.data(), lent_columns.len(),
                 lent.get(), detail::handle_of(cancel), &rows);
    return Stream(&rows);
  }

  /// What happened to a table on a branch and on those that it started from, oldest first. `TABLE_NOT_FOUND`.
  std::vector<HistoryEntry> history(std::string_view name,
                                    const std::optional<std::string> &branch = std::nullopt) const {
    const auto list = detail::obtain<const ArmillariaHistory, armillaria_history_free>(
        armillaria_history, handle_.get(), detail::lend(name), detail::lend_optional(branch));
    return detail::copy_all(list->items, list->len, detail::copy_history_entry);
  }

  /// How version `to` of a table differs from version `from`, row by row. With key columns, rows of one key that differ
  /// count as modified. `VERSION_NOT_FOUND`.
  DiffSummary diff_versions(std::string_view name, std::uint64_t from, std::uint64_t to,
                            const std::vector<std::string> &key = {}, const CancelToken *cancel = nullptr) const {
    const auto lent = detail::lend_all(key);
    return detail::copy(*detail::obtain<const ArmillariaDiff, armillaria_diff_free>(
        armillaria_diff_versions, handle_.get(), detail::lend(name), from, to, lent.data(), lent.size(),
        detail::handle_of(cancel)));
  }

  /// Those rows themselves, with a column `_change_type`: `insert`, `delete`, and with key columns also
  /// `update_preimage` and `update_postimage`.
  Stream diff_rows(std::string_view name, std::uint64_t from, std::uint64_t to,
                   const std::vector<std::string> &key = {}, const CancelToken *cancel = nullptr) const {
    const auto lent = detail::lend_all(key);
    ArrowArrayStream rows{};
    detail::call(armillaria_diff_rows, handle_.get(), detail::lend(name), from, to, lent.data(), lent.size(),
                 detail::handle_of(cancel), &rows);
    return Stream(&rows);
  }

  /// Brings the rows of a table together in fewer chunks, without changing data; none if there is nothing to do.
  /// `TABLE_NOT_FOUND`, `WRITE_CONFLICT`, `CANCELLED` (nothing was committed).
  std::optional<Commit> compact(std::string_view name, const std::optional<std::string> &branch = std::nullopt,
                                const CancelToken *cancel = nullptr) const {
    const auto commit = detail::obtain<const ArmillariaCommit, armillaria_commit_free>(
        armillaria_compact, handle_.get(), detail::lend(name), detail::lend_optional(branch),
        detail::handle_of(cancel));
    return commit == nullptr ? std::nullopt : std::optional<Commit>(detail::copy(*commit));
  }

  // SQL

  /// Runs one SELECT that DuckDB understands, over any tables and versions. A table reference may say where it looks:
  /// `AT (VERSION => 3)`, `AT (VERSION => 'branch or tag')`, `AT (TIMESTAMP => …)`. A name is a branch's, else a
  /// tag's; `'branch:name'` and `'tag:name'` say which. `SQL_ERROR`, `UNSUPPORTED` (no SELECT), `TABLE_NOT_FOUND`,
  /// `VERSION_NOT_FOUND`, `CANCELLED`.
  Stream query(std::string_view sql, const Parameters &parameters = {}, const At &at = {},
               const CancelToken *cancel = nullptr) const {
    const auto lent_parameters = detail::lend_all(parameters);
    const detail::LentAt lent(at);
    ArrowArrayStream rows{};
    detail::call(armillaria_query, handle_.get(), detail::lend(sql), lent_parameters.data(), lent_parameters.size(),
                 lent.get(), detail::handle_of(cancel), &rows);
    return Stream(&rows);
  }

  /// Statements other than SELECT: `UNSUPPORTED` for now.
  Commit execute(std::string_view sql, const Parameters &parameters = {}, const CancelToken *cancel = nullptr) const {
    const auto lent = detail::lend_all(parameters);
    return detail::obtain_commit(armillaria_execute, handle_.get(), detail::lend(sql), lent.data(), lent.size(),
                                 detail::handle_of(cancel));
  }

  // Branches, tags, merge

  /// Creates a branch at any place that can be read; the same work for one table or ten thousand. `BRANCH_EXISTS`.
  void create_branch(std::string_view name, const At &from = {},
                     const std::optional<std::string> &description = std::nullopt) const {
    const detail::LentAt lent(from);
    detail::call(armillaria_create_branch, handle_.get(), detail::lend(name), lent.get(),
                 detail::lend_optional(description));
  }

  /// Deletes a branch; its transactions and versions stay. `BRANCH_NOT_FOUND`.
  void delete_branch(std::string_view name) const {
    detail::call(armillaria_delete_branch, handle_.get(), detail::lend(name));
  }

  /// All branches, by name.
  std::vector<BranchInfo> list_branches() const {
    const auto list = detail::obtain<const ArmillariaBranchList, armillaria_branch_list_free>(armillaria_list_branches,
                                                                                              handle_.get());
    return detail::copy_all(list->items, list->len, detail::copy_branch_info);
  }

  /// How the heads of two branches differ. `BRANCH_NOT_FOUND`.
  BranchDiff diff_branches(std::string_view a, std::string_view b) const {
    return detail::copy(*detail::obtain<const ArmillariaBranchDiff, armillaria_branch_diff_free>(
        armillaria_diff_branches, handle_.get(), detail::lend(a), detail::lend(b)));
  }

  /// Merges a branch into another, three-way from their common ancestor, table by table. `BRANCH_NOT_FOUND`,
  /// `MERGE_CONFLICT`.
  MergeReport merge_branch(std::string_view source, const MergeOptions &options = {}) const {
    const auto lent = detail::lend(options);
    return detail::copy(*detail::obtain<const ArmillariaMergeReport, armillaria_merge_report_free>(
        armillaria_merge_branch, handle_.get(), detail::lend(source), &lent));
  }

  /// Undoes what a transaction did to tables, by a new transaction on the same branch. `TRANSACTION_NOT_FOUND`,
  /// `MERGE_CONFLICT` (a table changed again since).
  Commit revert(std::uint64_t tx_id, const std::optional<std::string> &message = std::nullopt) const {
    return detail::obtain_commit(armillaria_revert, handle_.get(), tx_id, detail::lend_optional(message));
  }

  /// Makes a branch hold these versions of these tables, in one transaction; version 0 drops a table.
  /// `BRANCH_NOT_FOUND`, `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`.
  Commit set_branch_versions(std::string_view branch, const TableVersions &versions,
                             const std::optional<std::string> &message = std::nullopt) const {
    const auto lent = detail::lend_all(versions);
    return detail::obtain_commit(armillaria_set_branch_versions, handle_.get(), detail::lend(branch), lent.data(),
                                 lent.size(), detail::lend_optional(message));
  }

  /// Gives a name to a place, for ever. `TAG_EXISTS`.
  void create_tag(std::string_view name, const At &at = {}) const {
    const detail::LentAt lent(at);
    detail::call(armillaria_create_tag, handle_.get(), detail::lend(name), lent.get());
  }

  /// Takes a tag away. `TAG_NOT_FOUND`.
  void delete_tag(std::string_view name) const {
    detail::call(armillaria_delete_tag, handle_.get(), detail::lend(name));
  }

  /// All tags, by name.
  std::vector<TagInfo> list_tags() const {
    const auto list =
        detail::obtain<const ArmillariaTagList, armillaria_tag_list_free>(armillaria_list_tags, handle_.get());
    return detail::copy_all(list->items, list->len, detail::copy_tag_info);
  }

  // Transactions

  /// Begins a transaction. `BRANCH_NOT_FOUND`.
  Transaction begin(const BeginOptions &options = {}) const {
    const auto lent = detail::lend(options);
    ArmillariaTransaction *transaction = nullptr;
    detail::call(armillaria_begin, handle_.get(), &lent, &transaction);
    return Transaction(transaction);
  }

  /// Calls `work(Transaction &)` and commits; if it throws, rolls back and passes the exception on. `work` must not end
  /// the transaction itself. It is called once: whoever wants to retry a `WRITE_CONFLICT` or `SERIALIZATION_FAILURE`
  /// calls this again.
  template <typename Work>
  Commit transact(Work &&work, const TransactOptions &options = {}) const {
    BeginOptions begin_options;
    begin_options.isolation = options.isolation;
    begin_options.branch = options.branch;
    auto transaction = begin(begin_options);
    std::forward<Work>(work)(transaction);
    return transaction.commit(options.message);
  }

  // Changelog

  /// The newest transaction; 0 in a new repository.
  std::uint64_t latest_tx_id() const {
    std::uint64_t tx_id = 0;
    detail::call(armillaria_latest_tx_id, handle_.get(), &tx_id);
    return tx_id;
  }

  /// The changelog as a batch, oldest first. `TRANSACTION_NOT_FOUND`, `BRANCH_NOT_FOUND`.
  std::vector<ChangelogEntry> changes(const ChangesOptions &options = {}) const {
    const auto tables = detail::lend_all(options.tables);
    const auto lent = detail::lend(options, tables);
    const auto list =
        detail::obtain<const ArmillariaChangelog, armillaria_changelog_free>(armillaria_changes, handle_.get(), &lent);
    return detail::copy_all(list->items, list->len, detail::copy_entry);
  }

  /// The rows that came and went after version `from` (0: from nothing) and up to version `to` of a table, with
  /// `_change_type`, `_commit_version`, `_commit_timestamp` and `_tx_id`. `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`.
  Stream table_changes(std::string_view name, std::uint64_t from, std::uint64_t to,
                       const CancelToken *cancel = nullptr) const {
    ArrowArrayStream rows{};
    detail::call(armillaria_table_changes, handle_.get(), detail::lend(name), from, to, detail::handle_of(cancel),
                 &rows);
    return Stream(&rows);
  }

  /// Follows the changelog; without `since_tx` from behind the newest transaction. `TRANSACTION_NOT_FOUND`,
  /// `BRANCH_NOT_FOUND`.
  Subscription subscribe(const ChangesOptions &options = {}) const {
    const auto tables = detail::lend_all(options.tables);
    const auto lent = detail::lend(options, tables);
    ArmillariaSubscription *subscription = nullptr;
    detail::call(armillaria_subscribe, handle_.get(), &lent, &subscription);
    return Subscription(subscription);
  }

  // Health

  /// Reads the log's chain and the manifests, and with `deep` every chunk; says what is damaged and which tables and
  /// versions it touches. Damage is in the report, not an error. `CANCELLED`.
  VerifyReport verify(bool deep = false, const CancelToken *cancel = nullptr) const {
    return detail::copy(*detail::obtain<const ArmillariaVerifyReport, armillaria_verify_report_free>(
        armillaria_verify, handle_.get(), deep, detail::handle_of(cancel)));
  }
  /// Say whether it shall be deep: a token alone would be taken for `true`.
  VerifyReport verify(const CancelToken *cancel) const = delete;

  Stats stats() const {
    return detail::copy(*detail::obtain<const ArmillariaStats, armillaria_stats_free>(armillaria_stats, handle_.get()));
  }

  /// What an object of the repository holds, as JSON.
  std::string inspect(std::string_view object) const {
    return detail::obtain_text(armillaria_inspect, handle_.get(), detail::lend(object));
  }

  // Low-level catalog: versions as bare lists of chunks

  /// Commits a version that is a bare list of chunks, without a look at them. `VERSION_CONFLICT` unless it is the
  /// table's next one.
  Commit commit_chunks(std::string_view name, std::uint64_t version, const std::vector<std::string> &chunk_hashes,
                       const TableOptions &options = {}) const {
    const auto hashes = detail::lend_all(chunk_hashes);
    const auto key = detail::lend_all(options.key);
    const auto lent = detail::lend(options, key);
    return detail::obtain_commit(armillaria_commit_chunks, handle_.get(), detail::lend(name), version, hashes.data(),
                                 hashes.size(), &lent);
  }

  /// The chunks of a version; without one, of the latest ever made. `TABLE_NOT_FOUND`, `VERSION_NOT_FOUND`.
  ChunkList chunk_hashes(std::string_view name, std::optional<std::uint64_t> version = std::nullopt) const {
    ChunkList chunks{};
    chunks.hashes = detail::obtain_texts(armillaria_chunk_hashes, handle_.get(), detail::lend(name),
                                         version.value_or(0), &chunks.version);
    return chunks;
  }

  /// All versions of a table, on any branch. `TABLE_NOT_FOUND`.
  std::vector<std::uint64_t> list_versions(std::string_view name) const {
    const auto list = detail::obtain<const ArmillariaVersionList, armillaria_version_list_free>(
        armillaria_list_versions, handle_.get(), detail::lend(name));
    return std::vector<std::uint64_t>(list->items, list->items + list->len);
  }

  /// The C handle, borrowed.
  const ArmillariaDatabase *get() const noexcept { return handle_.get(); }

 private:
  using Handle = detail::Owned<ArmillariaDatabase, armillaria_database_free>;
  explicit Database(Handle handle) noexcept : handle_(std::move(handle)) {}

  Handle handle_;
};

}  // namespace armillaria
