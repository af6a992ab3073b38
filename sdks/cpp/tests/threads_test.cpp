// Eight threads on one database: every one writes, reads, branches and queries, and every result is checked.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "check.hpp"
#include "sample.hpp"

using namespace sample;

namespace {

constexpr int threads = 8;

// Rounds for each thread; more may be asked for.
int rounds() {
  const char *given = std::getenv("ARMILLARIA_THREAD_ROUNDS");
  return given == nullptr ? 10 : std::atoi(given);
}

// Runs `work(thread)` on all threads and passes the first failure on.
template <typename Work>
void on_all_threads(Work work) {
  std::mutex mutex;
  std::exception_ptr failure;
  std::vector<std::thread> running;
  for (int thread = 0; thread < threads; ++thread) {
    running.emplace_back([&, thread] {
      try {
        work(thread);
      } catch (...) {
        const std::lock_guard<std::mutex> lock(mutex);
        if (!failure) failure = std::current_exception();
      }
    });
  }
  for (auto &thread : running) thread.join();
  if (failure) std::rethrow_exception(failure);
}

WriteOptions append(const std::string &branch) {
  WriteOptions options;
  options.mode = WriteMode::append;
  options.branch = branch;
  return options;
}

// Adds one to a number that all threads share, again whenever another thread was faster. Answers how often that was.
int count_up(const Database &db) {
  for (int lost = 0;; ++lost) {
    try {
      db.transact(
          [](Transaction &tx) { tx.write_table("counter", ids({{one_number(tx.query("FROM counter")) + 1}})); });
      return lost;
    } catch (const ConflictError &error) {
      CHECK(error.code() == Code::write_conflict);
    }
  }
}

}  // namespace

TEST(eight_threads_share_one_database) {
  const auto db = Database::open("memory:");
  db.write_table("counter", ids({{0}}));
  db.create_table("shared", id_schema());
  std::atomic<int> conflicts{0};
  on_all_threads([&](int thread) {
    const auto own = "t" + std::to_string(thread);
    db.create_branch(own);
    for (int round = 1; round <= rounds(); ++round) {
      db.write_table("own", ids({{thread, round}}), append(own));
      CHECK_EQUAL(count(db, "own", At::branch(own)), 2 * round);
      CHECK_EQUAL(one_number(db.query("SELECT count(DISTINCT id) FROM own WHERE id = ?", {thread}, At::branch(own))),
                  1);
      std::size_t rows = 0;
      for (const auto &batch : db.read_table("own", std::nullopt, At::branch(own))) rows += batch.num_rows();
      CHECK_EQUAL(rows, 2U * static_cast<std::size_t>(round));
      db.write_table("shared", ids({{thread * 1000 + round}}), append("main"));
      conflicts += count_up(db);
      CHECK_THROWS(NotFoundError, table_not_found, db.read_table("own"));
    }
  });
  const auto total = static_cast<std::int64_t>(threads) * rounds();
  CHECK_EQUAL(count(db, "shared"), total);
  CHECK_EQUAL(one_number(db.query("SELECT count(DISTINCT id) FROM shared")), total);
  CHECK_EQUAL(db.list_branches().size(), threads + 1U);
  CHECK(db.verify(true).ok);
  CHECK_EQUAL(one_number(db.query("FROM counter")), total);
  std::cout << "  counted to " << total << ", " << conflicts << " times another thread was faster\n";
}

TEST(subscribers_in_eight_threads_see_every_commit_in_order) {
  const auto db = Database::open("memory:");
  const auto last = static_cast<std::uint64_t>(5 * rounds());
  std::thread writer([&] {
    for (std::uint64_t i = 0; i < last; ++i) db.write_table("a", ids({{1}}));
  });
  on_all_threads([&](int) {
    ChangesOptions from_the_start;
    from_the_start.since_tx = 0;
    auto subscription = db.subscribe(from_the_start);
    for (std::uint64_t expected = 1; expected <= last; ++expected) CHECK_EQUAL(subscription.next().tx_id, expected);
  });
  writer.join();
}

TEST(closing_while_eight_threads_work_gives_results_or_closed) {
  const auto db = Database::open("memory:");
  db.write_table("a", ids({{1, 2, 3}}));
  std::thread closer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    db.close();
  });
  on_all_threads([&](int) {
    try {
      for (;;) CHECK_EQUAL(count(db, "a"), 3);
    } catch (const UsageError &error) {
      CHECK(error.code() == Code::closed);
    }
  });
  closer.join();
}
