/// \file
/// Transactions. Part of armillaria.hpp.
#pragma once

#include <armillaria/copy.hpp>
#include <armillaria/stream.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace armillaria {

namespace detail {

/// The columns to read, lent for one call; no pointer where all are wanted.
class LentColumns {
 public:
  explicit LentColumns(const std::optional<std::vector<std::string>> &columns) {
    if (!columns) return;
    len_ = columns->size();
    lent_ = lend_all(*columns);
    lent_.emplace_back();  // so that there is a pointer for an empty list too, which means: no columns
  }
  const ArmillariaString *data() const noexcept { return lent_.empty() ? nullptr : lent_.data(); }
  std::size_t len() const noexcept { return len_; }

 private:
  std::size_t len_ = 0;
  std::vector<ArmillariaString> lent_;
};

}  // namespace detail

/// A transaction over any number of tables. It reads a snapshot and its own writes; others see nothing of it before it
/// is committed. Destroying an open one rolls it back. One thread at a time. After `commit` or `rollback`, whatever
/// came of them, everything answers `CLOSED`. It may outlive its database handle, but not that handle's `close`.
class Transaction {
 public:
  /// Takes over a handle of the C ABI.
  explicit Transaction(ArmillariaTransaction *handle) noexcept : handle_(handle) {}

  /// Runs one SELECT over what this transaction sees; as `Database::query`.
  Stream query(std::string_view sql, const Parameters &parameters = {}, const CancelToken *cancel = nullptr) {
    const auto lent = detail::lend_all(parameters);
    ArrowArrayStream rows{};
    detail::call(armillaria_transaction_query, handle_.get(), detail::lend(sql), lent.data(), lent.size(),
                 detail::handle_of(cancel), &rows);
    return Stream(&rows);
  }

  /// Streams a table as this transaction sees it; as `Database::read_table`.
  Stream read_table(std::string_view name, const std::optional<std::vector<std::string>> &columns = std::nullopt,
                    const CancelToken *cancel = nullptr) {
    const detail::LentColumns lent(columns);
    ArrowArrayStream rows{};
    detail::call(armillaria_transaction_read_table, handle_.get(), detail::lend(name), lent.data(), lent.len(),
                 detail::handle_of(cancel), &rows);
    return Stream(&rows);
  }

  /// Prepares rows, creating the table if it is not there. `rows` is used up, also when this throws. They may be those
  /// of a query of this transaction; what makes them otherwise, such as `produce`, must not call its functions: only
  /// one thread at a time has the transaction, so the call would wait for the write, which waits for the rows.
  void write_table(std::string_view name, Stream rows, const WriteOptions &options = {}) {
    const auto key = detail::lend_all(options.key);
    const auto lent = detail::lend(options, key);
    detail::call(armillaria_transaction_write_table, handle_.get(), detail::lend(name), rows.get(), &lent,
                 detail::handle_of(options.cancel));
  }

  /// Prepares a new table without rows. `TABLE_EXISTS`.
  void create_table(std::string_view name, Schema schema, const std::vector<std::string> &key = {}) {
    const auto lent = detail::lend_all(key);
    detail::call(armillaria_transaction_create_table, handle_.get(), detail::lend(name), schema.get(), lent.data(),
                 lent.size());
  }

  /// Prepares the end of a table. `TABLE_NOT_FOUND`.
  void drop_table(std::string_view name) {
    detail::call(armillaria_transaction_drop_table, handle_.get(), detail::lend(name));
  }

  /// The names of the tables that this transaction sees, in order.
  std::vector<std::string> list_tables() {
    return detail::obtain_texts(armillaria_transaction_list_tables, handle_.get());
  }

  /// The columns of a table as this transaction sees it. `TABLE_NOT_FOUND`.
  Schema table_schema(std::string_view name) {
    ArrowSchema schema{};
    detail::call(armillaria_transaction_table_schema, handle_.get(), detail::lend(name), &schema);
    return Schema(&schema);
  }

  /// Statements other than SELECT: `UNSUPPORTED` for now.
  void execute(std::string_view sql, const Parameters &parameters = {}, const CancelToken *cancel = nullptr) {
    const auto lent = detail::lend_all(parameters);
    detail::call(armillaria_transaction_execute, handle_.get(), detail::lend(sql), lent.data(), lent.size(),
                 detail::handle_of(cancel));
  }

  /// Prepares a version that is a bare list of chunks; as `Database::commit_chunks`.
  void commit_chunks(std::string_view name, std::uint64_t version, const std::vector<std::string> &chunk_hashes) {
    const auto lent = detail::lend_all(chunk_hashes);
    detail::call(armillaria_transaction_commit_chunks, handle_.get(), detail::lend(name), version, lent.data(),
                 lent.size());
  }

  /// Commits everything or nothing; durable and visible when this returns. `WRITE_CONFLICT` and
  /// `SERIALIZATION_FAILURE` are safe to retry from the beginning.
  Commit commit(const std::optional<std::string> &message = std::nullopt) {
    return detail::obtain_commit(armillaria_transaction_commit, handle_.get(), detail::lend_optional(message));
  }

  /// Forgets what was prepared.
  void rollback() { detail::call(armillaria_transaction_rollback, handle_.get()); }

  /// The C handle, borrowed.
  ArmillariaTransaction *get() noexcept { return handle_.get(); }

 private:
  detail::Owned<ArmillariaTransaction, armillaria_transaction_free> handle_;
};

}  // namespace armillaria
