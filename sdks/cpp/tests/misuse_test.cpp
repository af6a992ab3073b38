// What a program gets wrong: it does not compile, or an error says what is wrong; nothing crashes or hangs.
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "check.hpp"
#include "sample.hpp"

using namespace sample;

namespace {

template <typename T, typename = void>
constexpr bool takes_a_number_for_a_time = false;
template <typename T>
constexpr bool takes_a_number_for_a_time<T, std::void_t<decltype(std::declval<T &>().next(0))>> = true;

template <typename T, typename = void>
constexpr bool takes_a_token_for_deep = false;
template <typename T>
constexpr bool
    takes_a_token_for_deep<T, std::void_t<decltype(std::declval<T &>().verify(std::declval<CancelToken *>()))>> = true;

static_assert(!takes_a_number_for_a_time<Subscription> && !takes_a_token_for_deep<Database>);
static_assert(!std::is_constructible_v<Value, char> && std::is_constructible_v<Value, std::int8_t>);

template <typename Work>
bool out_of_range(Work work) {
  try {
    work();
  } catch (const std::out_of_range &) {
    return true;
  }
  return false;
}

}  // namespace

TEST(a_batch_that_was_moved_from_or_given_away_has_no_columns) {
  auto rows = Database::open("memory:").query("SELECT 42::BIGINT AS a");
  auto batch = rows.next().value();
  auto moved = std::move(batch);
  CHECK_EQUAL(moved.column("a").number<int>(0).value(), 42);
  auto given = moved.release();
  given.release(&given);
  for (const auto *empty : {&batch, &moved}) {
    CHECK_EQUAL(empty->num_rows() + empty->num_columns(), 0U);
    CHECK(out_of_range([&] { empty->column(0); }));
    CHECK(out_of_range([&] { empty->column("a"); }));
  }
  CHECK_EQUAL(batch.schema().size(), 0U);
}

TEST(a_batch_of_other_columns_than_its_producer_promised_is_refused) {
  const auto db = Database::open("memory:");
  auto rows = db.query("SELECT 1 AS a");
  auto wrong = produce(db.query("SELECT 1 AS a, 2 AS b").schema(), [&] { return rows.next(); });
  CHECK_THROWS(UsageError, schema_mismatch, db.write_table("a", std::move(wrong)));
  CHECK_EQUAL(db.latest_tx_id(), 0U);
}

TEST(decimals_say_how_they_are_read) {
  auto rows = Database::open("memory:").query("SELECT sum(range) AS n FROM range(3)");
  const auto batch = rows.next().value();
  CHECK_THROWS(UsageError, schema_mismatch, batch.column("n").number<long>(0));
  try {
    batch.column("n").number<long>(0);
  } catch (const UsageError &error) {
    CHECK(std::string(error.what()).find("sum(x)::BIGINT") != std::string::npos);
  }
}

TEST(work_that_commits_its_transaction_itself_is_told) {
  const auto db = Database::open("memory:");
  CHECK_THROWS(UsageError, closed, db.transact([](Transaction &tx) {
    tx.write_table("a", ids({{1}}));
    tx.commit();
  }));
  CHECK_EQUAL(db.latest_tx_id(), 1U);
}
