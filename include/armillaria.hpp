/// \file
/// Armillaria for C++17: git for tables, embedded. Header-only, over the C ABI in armillaria.h; link libarmillaria.
///
///     auto db = armillaria::Database::open("flights.repo");
///     db.create_branch("trial");
///     for (const auto &batch : db.query("SELECT count(*) FROM flights", {}, armillaria::At::branch("trial")))
///       std::cout << *batch.column(0).number<long>(0) << "\n";
///
/// - Handles (`Database`, `Transaction`, `Subscription`, `ChunkStore`, `CancelToken`, `Stream`, `Schema`, `Batch`) are
///   move-only and free what they own. One that was moved from must not be used: a handle of the library then answers
///   `INVALID_ARGUMENT`, a `Stream` `CLOSED`, a `Schema` or `Batch` has no columns, a `CancelToken` cancels nothing.
/// - Let go of every handle and stream before `main` returns. DuckDB keeps state in thread-local variables, which are
///   gone when the destructors of static variables run: a `Database` in a static variable may crash there.
/// - Results are plain values that own everything in them.
/// - Whatever fails throws `armillaria::Error`, always as the subclass of its category.
/// - `Database`, `ChunkStore` and `CancelToken` may be used by any number of threads at once. The others by one at a
///   time.
/// - Rows travel as Arrow streams (C data interface), without a copy.
/// - All texts are UTF-8.
#pragma once

#include <armillaria/cancel.hpp>
#include <armillaria/chunk_store.hpp>
#include <armillaria/column.hpp>
#include <armillaria/database.hpp>
#include <armillaria/error.hpp>
#include <armillaria/options.hpp>
#include <armillaria/producer.hpp>
#include <armillaria/results.hpp>
#include <armillaria/stream.hpp>
#include <armillaria/subscription.hpp>
#include <armillaria/transaction.hpp>
#include <armillaria/value.hpp>

namespace armillaria {

/// The version of the library that was loaded, such as "0.1.0".
inline std::string version() { return armillaria_version(); }

}  // namespace armillaria
