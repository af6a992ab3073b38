// A query of about ten seconds is cancelled from another thread.
#include <chrono>
#include <thread>

#include "check.hpp"
#include "sample.hpp"

using namespace sample;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

namespace {

// Takes about ten seconds on one core, and has no rows before its end.
constexpr const char *ten_seconds = "SELECT sum(sin(range) * cos(range)) FROM range(1000000000)";

// How long after the cancellation `work` fails with CANCELLED.
template <typename Work>
Milliseconds time_to_cancel(const CancelToken &token, Work work) {
  Clock::time_point cancelled;
  std::thread canceller([&] {
    std::this_thread::sleep_for(300ms);
    cancelled = Clock::now();
    token.cancel();
  });
  Clock::time_point failed;
  std::string code;
  try {
    work();
  } catch (const Error &error) {
    failed = Clock::now();
    code = error.name();
  }
  canceller.join();
  CHECK_EQUAL(code, "CANCELLED");
  return failed - cancelled;
}

// The bound is generous: other programs may have the cores.
void report(const char *what, Milliseconds time) {
  std::cout << "  " << what << " ended " << time.count() << " ms after it was cancelled\n";
  CHECK(time > 0ms && time < 2000ms);
}

}  // namespace

TEST(a_query_of_ten_seconds_ends_when_it_is_cancelled) {
  OpenOptions options;
  options.threads = 1;
  const auto db = Database::open("memory:", options);
  const CancelToken token;
  report("the query", time_to_cancel(token, [&] {
           auto rows = db.query(ten_seconds, {}, {}, &token);
           while (rows.next()) continue;
         }));
  CHECK_EQUAL(one_number(db.query("SELECT 1::BIGINT")), 1);  // the database is as good as before
}

TEST(a_write_of_such_a_query_ends_and_writes_nothing) {
  OpenOptions options;
  options.threads = 1;
  const auto db = Database::open("memory:", options);
  const CancelToken token;
  report("the write", time_to_cancel(token, [&] {
           WriteOptions write;
           write.cancel = &token;
           db.write_table("a", db.query(ten_seconds, {}, {}, &token), write);
         }));
  CHECK_EQUAL(db.latest_tx_id(), 0U);
}

TEST(a_compaction_that_is_cancelled_before_changes_nothing) {
  const auto db = Database::open("memory:");
  WriteOptions append;
  append.mode = WriteMode::append;
  for (std::int64_t id = 0; id < 3; id++) db.write_table("a", ids({{id}}), append);
  const CancelToken token;
  token.cancel();
  std::string code;
  try {
    db.compact("a", std::nullopt, &token);
  } catch (const Error &error) {
    code = error.name();
  }
  CHECK_EQUAL(code, "CANCELLED");
  CHECK_EQUAL(db.latest_tx_id(), 3U);
  CHECK_EQUAL(db.compact("a").value().version.value(), 4U);
}
