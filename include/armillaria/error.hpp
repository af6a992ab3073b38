/// \file
/// The one error type of the library, with a class for each category. Part of armillaria.hpp.
#pragma once

#include <armillaria.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

namespace armillaria {

/// What went wrong: a stable number, the same in every language. A newer library may answer with one that is not
/// listed here; its category is still known.
enum class Code : std::uint32_t {
  invalid_argument = ARMILLARIA_STATUS_INVALID_ARGUMENT,
  schema_mismatch = ARMILLARIA_STATUS_SCHEMA_MISMATCH,
  sql_error = ARMILLARIA_STATUS_SQL_ERROR,
  unsupported = ARMILLARIA_STATUS_UNSUPPORTED,
  read_only = ARMILLARIA_STATUS_READ_ONLY,
  closed = ARMILLARIA_STATUS_CLOSED,
  table_not_found = ARMILLARIA_STATUS_TABLE_NOT_FOUND,
  version_not_found = ARMILLARIA_STATUS_VERSION_NOT_FOUND,
  branch_not_found = ARMILLARIA_STATUS_BRANCH_NOT_FOUND,
  tag_not_found = ARMILLARIA_STATUS_TAG_NOT_FOUND,
  chunk_not_found = ARMILLARIA_STATUS_CHUNK_NOT_FOUND,
  repository_not_found = ARMILLARIA_STATUS_REPOSITORY_NOT_FOUND,
  transaction_not_found = ARMILLARIA_STATUS_TRANSACTION_NOT_FOUND,
  table_exists = ARMILLARIA_STATUS_TABLE_EXISTS,
  branch_exists = ARMILLARIA_STATUS_BRANCH_EXISTS,
  tag_exists = ARMILLARIA_STATUS_TAG_EXISTS,
  write_conflict = ARMILLARIA_STATUS_WRITE_CONFLICT,
  serialization_failure = ARMILLARIA_STATUS_SERIALIZATION_FAILURE,
  merge_conflict = ARMILLARIA_STATUS_MERGE_CONFLICT,
  version_conflict = ARMILLARIA_STATUS_VERSION_CONFLICT,
  hash_mismatch = ARMILLARIA_STATUS_HASH_MISMATCH,
  log_corrupt = ARMILLARIA_STATUS_LOG_CORRUPT,
  format_unsupported = ARMILLARIA_STATUS_FORMAT_UNSUPPORTED,
  io = ARMILLARIA_STATUS_IO,
  out_of_space = ARMILLARIA_STATUS_OUT_OF_SPACE,
  timeout = ARMILLARIA_STATUS_TIMEOUT,
  cancelled = ARMILLARIA_STATUS_CANCELLED,
  internal = ARMILLARIA_STATUS_INTERNAL,
};

/// What kind of trouble a code is, and so how to react to it.
enum class Category : std::uint32_t {
  usage = ARMILLARIA_CATEGORY_USAGE,              ///< the call is wrong: fix the input
  not_found = ARMILLARIA_CATEGORY_NOT_FOUND,      ///< what was named is not there
  conflict = ARMILLARIA_CATEGORY_CONFLICT,        ///< somebody else got there first: retry or decide
  integrity = ARMILLARIA_CATEGORY_INTEGRITY,      ///< stored bytes are damaged or of another format: run verify
  environment = ARMILLARIA_CATEGORY_ENVIRONMENT,  ///< the surroundings failed: repair them, then reopen
  internal = ARMILLARIA_CATEGORY_INTERNAL,        ///< a bug: report it
};

/// The stable name of a code, such as `WRITE_CONFLICT`; `UNKNOWN` for one that this header does not list.
constexpr const char *name_of(Code code) noexcept {
  switch (code) {
    case Code::invalid_argument: return "INVALID_ARGUMENT";
    case Code::schema_mismatch: return "SCHEMA_MISMATCH";
    case Code::sql_error: return "SQL_ERROR";
    case Code::unsupported: return "UNSUPPORTED";
    case Code::read_only: return "READ_ONLY";
    case Code::closed: return "CLOSED";
    case Code::table_not_found: return "TABLE_NOT_FOUND";
    case Code::version_not_found: return "VERSION_NOT_FOUND";
    case Code::branch_not_found: return "BRANCH_NOT_FOUND";
    case Code::tag_not_found: return "TAG_NOT_FOUND";
    case Code::chunk_not_found: return "CHUNK_NOT_FOUND";
    case Code::repository_not_found: return "REPOSITORY_NOT_FOUND";
    case Code::transaction_not_found: return "TRANSACTION_NOT_FOUND";
    case Code::table_exists: return "TABLE_EXISTS";
    case Code::branch_exists: return "BRANCH_EXISTS";
    case Code::tag_exists: return "TAG_EXISTS";
    case Code::write_conflict: return "WRITE_CONFLICT";
    case Code::serialization_failure: return "SERIALIZATION_FAILURE";
    case Code::merge_conflict: return "MERGE_CONFLICT";
    case Code::version_conflict: return "VERSION_CONFLICT";
    case Code::hash_mismatch: return "HASH_MISMATCH";
    case Code::log_corrupt: return "LOG_CORRUPT";
    case Code::format_unsupported: return "FORMAT_UNSUPPORTED";
    case Code::io: return "IO";
    case Code::out_of_space: return "OUT_OF_SPACE";
    case Code::timeout: return "TIMEOUT";
    case Code::cancelled: return "CANCELLED";
    case Code::internal: return "INTERNAL";
  }
  return "UNKNOWN";
}

/// The category of a code: its hundreds say it, also for a code that this header does not list.
constexpr Category category_of(Code code) noexcept {
  switch (static_cast<std::uint32_t>(code) / 100) {
    case 1: return Category::usage;
    case 2: return Category::not_found;
    case 3: return Category::conflict;
    case 4: return Category::integrity;
    case 5: return Category::environment;
    default: return Category::internal;
  }
}

/// The stable lower-case name of a category, such as `not_found`.
constexpr const char *name_of(Category category) noexcept {
  switch (category) {
    case Category::usage: return "usage";
    case Category::not_found: return "not_found";
    case Category::conflict: return "conflict";
    case Category::integrity: return "integrity";
    case Category::environment: return "environment";
    case Category::internal: return "internal";
  }
  return "unknown";
}

/// What every operation throws when it fails. `what()` is a sentence that says what was wrong, with which object, and
/// what to do. Always thrown as the subclass of its category.
class Error : public std::runtime_error {
 public:
  Error(Code code, const std::string &message) : std::runtime_error(message), code_(code) {}

  Code code() const noexcept { return code_; }
  /// The code as the number that is the same in every language, such as 310.
  std::uint32_t number() const noexcept { return static_cast<std::uint32_t>(code_); }
  Category category() const noexcept { return category_of(code_); }
  /// The stable name of the code, such as `WRITE_CONFLICT`.
  const char *name() const noexcept { return name_of(code_); }

 private:
  Code code_;
};

/// The call is wrong: fix the input (codes 100 to 199).
class UsageError : public Error {
  using Error::Error;
};
/// What was named is not there (codes 200 to 299).
class NotFoundError : public Error {
  using Error::Error;
};
/// Somebody else got there first: retry or decide (codes 300 to 399).
class ConflictError : public Error {
  using Error::Error;
};
/// Stored bytes are damaged or of another format: run `verify` (codes 400 to 499).
class IntegrityError : public Error {
  using Error::Error;
};
/// The surroundings failed, time ran out, or the work was cancelled (codes 500 to 599).
class EnvironmentError : public Error {
  using Error::Error;
};
/// A bug in Armillaria: report it (code 900).
class InternalError : public Error {
  using Error::Error;
};

/// Throws the subclass that fits the code.
[[noreturn]] inline void throw_error(Code code, const std::string &message) {
  switch (category_of(code)) {
    case Category::usage: throw UsageError(code, message);
    case Category::not_found: throw NotFoundError(code, message);
    case Category::conflict: throw ConflictError(code, message);
    case Category::integrity: throw IntegrityError(code, message);
    case Category::environment: throw EnvironmentError(code, message);
    case Category::internal: break;
  }
  throw InternalError(code, message);
}

namespace detail {

struct ErrorFree {
  void operator()(ArmillariaError *error) const noexcept { armillaria_error_free(error); }
};

/// Frees the library's error and throws it.
[[noreturn]] inline void throw_owned(std::uint32_t status, ArmillariaError *error) {
  const std::unique_ptr<ArmillariaError, ErrorFree> owned(error);
  throw_error(static_cast<Code>(status), armillaria_error_message(error));
}

/// Throws what a stream said when it failed: text of the form `ARM-503 the work was cancelled` is the error that it
/// names, any other text comes from another producer and is `IO`.
[[noreturn]] inline void throw_stream_error(int failure, const char *text) {
  if (text == nullptr)
    throw_error(Code::io, "the stream failed and does not say why; errno=" + std::to_string(failure));
  if (std::strncmp(text, "ARM-", 4) == 0) {
    char *end = nullptr;
    const auto number = std::strtoul(text + 4, &end, 10);
    if (end != text + 4 && *end == ' ') throw_error(static_cast<Code>(number), end + 1);
  }
  throw_error(Code::io, text);
}

}  // namespace detail
}  // namespace armillaria
