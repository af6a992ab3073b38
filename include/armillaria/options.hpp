/// \file
/// How operations are asked for. Part of armillaria.hpp.
///
/// All are aggregates whose defaults are the library's: `WriteOptions options; options.mode = WriteMode::append;`, or
/// from C++20 on `{.mode = WriteMode::append}`. What is not given is left to the library.
#pragma once

#include <armillaria/cancel.hpp>
#include <armillaria/value.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace armillaria {

/// Whether rows replace or follow those that are there.
enum class WriteMode : std::uint32_t {
  overwrite = ARMILLARIA_WRITE_MODE_OVERWRITE,
  append = ARMILLARIA_WRITE_MODE_APPEND,
  upsert = ARMILLARIA_WRITE_MODE_UPSERT,  ///< needs a key
};

/// How much a transaction is kept apart from others.
enum class Isolation : std::uint32_t {
  snapshot = ARMILLARIA_ISOLATION_SNAPSHOT,          ///< what it writes must not have changed meanwhile
  serializable = ARMILLARIA_ISOLATION_SERIALIZABLE,  ///< nor what it read
};

/// What a merge does with a table that both sides changed.
enum class MergeStrategy : std::uint32_t {
  fail = ARMILLARIA_MERGE_STRATEGY_FAIL,      ///< `MERGE_CONFLICT`
  ours = ARMILLARIA_MERGE_STRATEGY_OURS,      ///< the branch that is merged into wins
  theirs = ARMILLARIA_MERGE_STRATEGY_THEIRS,  ///< the branch that is merged wins
};

/// How a database is opened.
struct OpenOptions {
  bool create = true;                      ///< make a repository where there is none
  bool read_only = false;                  ///< refuse every write
  bool external_access = false;            ///< whether SQL may read files outside the repository
  std::uint32_t threads = 0;               ///< 0: as many as there are cores
  std::uint64_t memory_limit_bytes = 0;    ///< for SQL; 0: most of the machine's
  std::optional<std::string> author{};     ///< who commits
  std::optional<std::string> cache_dir{};  ///< where data is spilled; otherwise the system's temporary directory
};

/// The directories of one repository whose parts stand apart.
struct PartLocations {
  std::string chunks{};
  std::string catalog{};
  std::optional<std::string> branches{};
  std::optional<std::string> transactions{};
};

/// How a table is created or dropped, and how a version is committed as a bare list of chunks.
struct TableOptions {
  std::vector<std::string> key{};        ///< the key columns, not enforced to be unique; only for `create_table`
  std::optional<std::string> branch{};   ///< otherwise the current branch
  std::optional<std::string> message{};  ///< why
};

/// How rows are written. In a transaction, which has a branch and a message of its own, those must not be given.
struct WriteOptions {
  WriteMode mode = WriteMode::overwrite;
  std::vector<std::string> key{};        ///< of a table that is created or overwritten; not enforced to be unique
  std::optional<std::string> branch{};   ///< otherwise the current branch
  std::optional<std::string> message{};  ///< why
  const CancelToken *cancel = nullptr;
};

/// How a branch is merged.
struct MergeOptions {
  MergeStrategy strategy = MergeStrategy::fail;
  bool dry_run = false;                  ///< only say what would come of it
  std::optional<std::string> into{};     ///< otherwise the current branch
  std::optional<std::string> message{};  ///< why
};

/// How a transaction begins.
struct BeginOptions {
  Isolation isolation = Isolation::snapshot;
  std::optional<std::string> branch{};  ///< otherwise the current branch
};

/// How `Database::transact` begins and commits.
struct TransactOptions {
  Isolation isolation = Isolation::snapshot;
  std::optional<std::string> branch{};   ///< otherwise the current branch
  std::optional<std::string> message{};  ///< why
};

/// Which entries of the changelog are wanted. A subscription looks at `since_tx`, `tables` and `branch` only.
struct ChangesOptions {
  std::optional<std::uint64_t> since_tx{};  ///< exclusive
  std::optional<std::uint64_t> until_tx{};  ///< inclusive
  std::optional<Timestamp> from_time{};     ///< inclusive
  std::optional<Timestamp> to_time{};       ///< inclusive
  std::optional<std::uint64_t> limit{};     ///< only the first so many
  std::vector<std::string> tables{};        ///< otherwise all
  std::optional<std::string> branch{};      ///< otherwise all
};

namespace detail {
class LentAt;
}

/// Versions of tables, by name.
using TableVersions = std::map<std::string, std::uint64_t>;

/// Where a read looks: the head of the current branch, unless told otherwise.
///
///     At::branch("trial"), At::tag("v1"), At::tx(42), At::time(moment).on_branch("trial"), At::version("users", 3)
class At {
 public:
  /// The head of the current branch.
  At() = default;
  static At head() { return {}; }
  /// The head of a branch.
  static At branch(std::string name) { return At().on_branch(std::move(name)); }
  /// What a tag names.
  static At tag(std::string name) {
    At at;
    at.point_ = ARMILLARIA_AT_POINT_TAG;
    at.tag_ = std::move(name);
    return at;
  }
  /// All tables as a transaction left them on its branch; 0 is the empty beginning.
  static At tx(std::uint64_t tx_id) {
    At at;
    at.point_ = ARMILLARIA_AT_POINT_TRANSACTION;
    at.tx_id_ = tx_id;
    return at;
  }
  /// A branch as it was at a moment, inclusive.
  static At time(Timestamp time) {
    At at;
    at.point_ = ARMILLARIA_AT_POINT_TIME;
    at.time_us_ = time.time_since_epoch().count();
    return at;
  }
  /// One table at a version of it.
  static At version(std::string table, std::uint64_t version) { return At().with_version(std::move(table), version); }

  /// The same on another branch; says nothing where a tag or a transaction is named.
  At on_branch(std::string name) const & { return At(*this).on_branch(std::move(name)); }
  At on_branch(std::string name) && {
    branch_ = std::move(name);
    return std::move(*this);
  }
  /// The same, but for one table, which is looked at in that version.
  At with_version(std::string table, std::uint64_t version) const & {
    return At(*this).with_version(std::move(table), version);
  }
  At with_version(std::string table, std::uint64_t version) && {
    versions_[std::move(table)] = version;
    return std::move(*this);
  }

 private:
  friend class detail::LentAt;

  std::uint32_t point_ = ARMILLARIA_AT_POINT_HEAD;
  std::optional<std::string> branch_;
  std::optional<std::string> tag_;
  std::uint64_t tx_id_ = 0;
  std::int64_t time_us_ = 0;
  TableVersions versions_;
};

namespace detail {

/// Lends versions of tables, which must outlive the list.
inline std::vector<ArmillariaTableVersion> lend_all(const TableVersions &versions) {
  std::vector<ArmillariaTableVersion> lent;
  lent.reserve(versions.size());
  for (const auto &[table, version] : versions) {
    ArmillariaTableVersion item{};
    item.table = lend(table);
    item.version = version;
    lent.push_back(item);
  }
  return lent;
}

/// Lends an `At` for one call.
class LentAt {
 public:
  explicit LentAt(const At &at) : versions_(lend_all(at.versions_)) {
    lent_.struct_size = sizeof lent_;
    lent_.point = at.point_;
    lent_.branch = lend_optional(at.branch_);
    lent_.tag = lend_optional(at.tag_);
    lent_.tx_id = at.tx_id_;
    lent_.time_us = at.time_us_;
    lent_.versions = versions_.data();
    lent_.versions_len = versions_.size();
  }
  LentAt(const LentAt &) = delete;
  LentAt &operator=(const LentAt &) = delete;

  const ArmillariaAt *get() const noexcept { return &lent_; }

 private:
  std::vector<ArmillariaTableVersion> versions_;
  ArmillariaAt lent_{};
};

inline ArmillariaOpenOptions lend(const OpenOptions &options) noexcept {
  ArmillariaOpenOptions lent{};
  lent.struct_size = sizeof lent;
  lent.must_exist = !options.create;
  lent.read_only = options.read_only;
  lent.external_access = options.external_access;
  lent.threads = options.threads;
  lent.memory_limit_bytes = options.memory_limit_bytes;
  lent.author = lend_optional(options.author);
  lent.cache_dir = lend_optional(options.cache_dir);
  return lent;
}

inline ArmillariaPartLocations lend(const PartLocations &locations) noexcept {
  ArmillariaPartLocations lent{};
  lent.struct_size = sizeof lent;
  lent.chunks = lend(locations.chunks);
  lent.catalog = lend(locations.catalog);
  lent.branches = lend_optional(locations.branches);
  lent.transactions = lend_optional(locations.transactions);
  return lent;
}

/// `key` lends the key columns of `options`.
inline ArmillariaTableOptions lend(const TableOptions &options, const std::vector<ArmillariaString> &key) noexcept {
  ArmillariaTableOptions lent{};
  lent.struct_size = sizeof lent;
  lent.key = key.data();
  lent.key_len = key.size();
  lent.branch = lend_optional(options.branch);
  lent.message = lend_optional(options.message);
  return lent;
}

/// `key` lends the key columns of `options`.
inline ArmillariaWriteOptions lend(const WriteOptions &options, const std::vector<ArmillariaString> &key) noexcept {
  ArmillariaWriteOptions lent{};
  lent.struct_size = sizeof lent;
  lent.mode = static_cast<std::uint32_t>(options.mode);
  lent.key = key.data();
  lent.key_len = key.size();
  lent.branch = lend_optional(options.branch);
  lent.message = lend_optional(options.message);
  return lent;
}

inline ArmillariaMergeOptions lend(const MergeOptions &options) noexcept {
  ArmillariaMergeOptions lent{};
  lent.struct_size = sizeof lent;
  lent.strategy = static_cast<std::uint32_t>(options.strategy);
  lent.dry_run = options.dry_run;
  lent.into = lend_optional(options.into);
  lent.message = lend_optional(options.message);
  return lent;
}

inline ArmillariaBeginOptions lend(const BeginOptions &options) noexcept {
  ArmillariaBeginOptions lent{};
  lent.struct_size = sizeof lent;
  lent.isolation = static_cast<std::uint32_t>(options.isolation);
  lent.branch = lend_optional(options.branch);
  return lent;
}

/// `tables` lends the tables of `options`.
inline ArmillariaChangesOptions lend(const ChangesOptions &options,
                                     const std::vector<ArmillariaString> &tables) noexcept {
  ArmillariaChangesOptions lent{};
  lent.struct_size = sizeof lent;
  lent.has_since_tx = options.since_tx.has_value();
  lent.since_tx = options.since_tx.value_or(0);
  lent.has_until_tx = options.until_tx.has_value();
  lent.until_tx = options.until_tx.value_or(0);
  lent.has_from_time = options.from_time.has_value();
  lent.from_time_us = options.from_time.value_or(Timestamp()).time_since_epoch().count();
  lent.has_to_time = options.to_time.has_value();
  lent.to_time_us = options.to_time.value_or(Timestamp()).time_since_epoch().count();
  lent.has_limit = options.limit.has_value();
  lent.limit = options.limit.value_or(0);
  lent.tables = tables.data();
  lent.tables_len = tables.size();
  lent.branch = lend_optional(options.branch);
  return lent;
}

}  // namespace detail
}  // namespace armillaria
