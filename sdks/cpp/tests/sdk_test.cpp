// The SDK's own ways: handles, values, exceptions, streams, transactions, subscriptions. What the operations do is the
// business of the conformance suite.
#include <chrono>
#include <fstream>
#include <thread>
#include <type_traits>

#include "check.hpp"
#include "sample.hpp"

using namespace sample;
using namespace std::chrono_literals;

template <typename T>
constexpr bool move_only = std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T> &&
                           !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;

static_assert(move_only<Database> && move_only<Transaction> && move_only<Subscription> && move_only<ChunkStore>);
static_assert(move_only<CancelToken> && move_only<Stream> && move_only<Schema> && move_only<Batch>);
static_assert(std::is_base_of_v<std::runtime_error, Error> && std::is_base_of_v<Error, ConflictError>);

TEST(writes_reads_branches_and_travels_in_time) {
  const auto db = Database::open("memory:");
  const auto first = db.write_table("users", ids({{1, 2}, {3}}));
  CHECK_EQUAL(first.version.value(), 1U);
  CHECK_EQUAL(first.rows, 3U);
  CHECK_EQUAL(first.tables.at(0).kind, "create");
  db.create_branch("trial", At::head(), "for a look");
  WriteOptions append;
  append.mode = WriteMode::append;
  append.branch = "trial";
  append.message = "one more";
  CHECK_EQUAL(db.write_table("users", ids({{4}}), append).version.value(), 2U);
  CHECK_EQUAL(count(db, "users"), 3);
  CHECK_EQUAL(count(db, "users", At::branch("trial")), 4);
  CHECK_EQUAL(count(db, "users", At::branch("trial").with_version("users", 1)), 3);
  CHECK_EQUAL(count(db, "users", At::time(first.time)), 3);
  const auto history = db.history("users", "trial");
  CHECK_EQUAL(history.size(), 2U);
  CHECK_EQUAL(history.at(1).message.value(), "one more");
  CHECK(!history.at(0).message.has_value());
  const auto branches = db.list_branches();
  CHECK_EQUAL(branches.at(1).description.value(), "for a look");
  CHECK(!branches.at(0).from_branch.has_value());
}

TEST(values_of_every_kind_reach_sql) {
  const auto db = Database::open("memory:");
  const auto text = [&](const Value &value, const char *cast) {
    auto rows = db.query(std::string("SELECT (?)::") + cast + "::VARCHAR", {value});
    const auto batch = rows.next().value();
    return std::string(batch.column(0).text(0).value_or("NULL"));
  };
  CHECK_EQUAL(text(nullptr, "INTEGER"), "NULL");
  CHECK_EQUAL(text(true, "BOOLEAN"), "true");
  CHECK_EQUAL(text(-5, "BIGINT"), "-5");
  CHECK_EQUAL(text(std::int8_t{-5}, "BIGINT"), "-5");
  CHECK_EQUAL(text(~std::uint64_t{0}, "UBIGINT"), "18446744073709551615");
  CHECK_EQUAL(text(2.5F, "DOUBLE"), "2.5");
  CHECK_EQUAL(text("Émile", "VARCHAR"), "Émile");
  CHECK_EQUAL(text(std::string_view("abc").substr(1), "VARCHAR"), "bc");
  CHECK_EQUAL(text(std::string("a\0b", 3), "VARCHAR").size(), 3U);
  CHECK_EQUAL(text(static_cast<const char *>(nullptr), "VARCHAR"), "NULL");
  CHECK_EQUAL(text(Bytes{0, 255}, "BLOB"), "\\x00\\xFF");
  CHECK_EQUAL(text(Date{1}, "DATE"), "1970-01-02");
  CHECK_EQUAL(text(TimeOfDay{90min}, "TIME"), "01:30:00");
  CHECK_EQUAL(text(Timestamp(1s), "TIMESTAMP"), "1970-01-01 00:00:01");
  CHECK_EQUAL(text(std::chrono::system_clock::time_point(1500ms), "TIMESTAMP"), "1970-01-01 00:00:01.5");
  CHECK_EQUAL(text(std::optional<int>(), "INTEGER"), "NULL");
  CHECK_EQUAL(text(std::optional<int>(7), "INTEGER"), "7");
  const auto named = Parameters::named({{"a", 40}, {"b", 2}});
  CHECK_EQUAL(one_number(db.query("SELECT ($a - $b)::BIGINT", named)), 38);
}

TEST(every_category_is_a_class_and_carries_its_code) {
  const auto db = Database::open("memory:");
  db.write_table("a", ids({{1}}));
  CHECK_THROWS(UsageError, sql_error, db.query("SELEC"));
  CHECK_THROWS(UsageError, invalid_argument, db.read_table(""));
  CHECK_THROWS(NotFoundError, table_not_found, db.read_table("b"));
  CHECK_THROWS(ConflictError, table_exists, db.create_table("a", id_schema()));
  CHECK_THROWS(NotFoundError, repository_not_found, {
    OpenOptions options;
    options.create = false;
    Database::open("/nowhere/at/all", options);
  });
  try {
    db.checkout("nobody");
    CHECK(false);
  } catch (const Error &error) {
    CHECK(error.code() == Code::branch_not_found);
    CHECK_EQUAL(error.number(), 202U);
    CHECK(error.category() == Category::not_found);
    CHECK_EQUAL(std::string(error.name()), "BRANCH_NOT_FOUND");
    CHECK(std::string(error.what()).find("nobody") != std::string::npos);
  }
}

TEST(text_that_is_not_utf8_is_refused) {
  const auto db = Database::open("memory:");
  CHECK_THROWS(UsageError, invalid_argument, db.write_table("a\xFF", ids({{1}})));
  CHECK_THROWS(UsageError, invalid_argument, db.query("SELECT '\xC3'"));
  CHECK_THROWS(UsageError, invalid_argument, db.query("SELECT ?", {"\xC3"}));
}

TEST(a_closed_or_moved_handle_says_so) {
  auto db = Database::open("memory:");
  auto transaction = db.begin();
  auto rows = db.query("SELECT 42::BIGINT");
  db.close();
  db.close();
  CHECK_THROWS(UsageError, closed, db.latest_tx_id());
  CHECK_THROWS(UsageError, closed, transaction.commit());
  CHECK_EQUAL(one_number(std::move(rows)), 42);
  const auto moved = std::move(db);
  CHECK_THROWS(UsageError, closed, moved.latest_tx_id());
  CHECK_THROWS(UsageError, invalid_argument, db.latest_tx_id());
}

TEST(streams_transactions_and_batches_outlive_the_database) {
  std::optional<Stream> rows;
  std::optional<Transaction> transaction;
  std::optional<Batch> batch;
  {
    const auto db = Database::open("memory:");
    db.write_table("a", ids({{1, 2, 3}}));
    rows = db.read_table("a");
    transaction = db.begin();
    batch = db.query("SELECT 'kept' AS word").next();
  }
  CHECK_EQUAL(rows->next().value().num_rows(), 3U);
  CHECK_EQUAL(batch->column("word").text(0).value(), "kept");
  CHECK_THROWS(UsageError, closed, transaction->commit());
}

TEST(the_abi_of_another_library_is_refused) {
  detail::require_abi(ARMILLARIA_ABI_VERSION, "0.1.0");
  CHECK_THROWS(UsageError, unsupported, detail::require_abi(ARMILLARIA_ABI_VERSION + 1, "9.9.9"));
  CHECK_EQUAL(version(), armillaria_version());
}

TEST(transact_commits_or_rolls_back) {
  const auto db = Database::open("memory:");
  TransactOptions options;
  options.message = "both";
  const auto commit = db.transact(
      [](Transaction &tx) {
        tx.write_table("a", ids({{1}}));
        tx.write_table("b", ids({{2}}));
        CHECK_EQUAL(one_number(tx.query("SELECT count(*) FROM a, b")), 1);
      },
      options);
  CHECK_EQUAL(commit.tables.size(), 2U);
  CHECK_EQUAL(db.changes().back().message.value(), "both");
  const auto latest = db.latest_tx_id();
  bool passed_on = false;
  try {
    db.transact([](Transaction &tx) {
      tx.drop_table("a");
      throw std::logic_error("no");
    });
  } catch (const std::logic_error &) {
    passed_on = true;
  }
  CHECK(passed_on);
  CHECK_EQUAL(db.latest_tx_id(), latest);
  CHECK_EQUAL(count(db, "a"), 1);
}

TEST(the_second_writer_loses) {
  const auto db = Database::open("memory:");
  auto one = db.begin(), two = db.begin();
  one.write_table("a", ids({{1}}));
  two.write_table("a", ids({{2}}));
  one.commit();
  CHECK_THROWS(ConflictError, write_conflict, two.commit());
  CHECK_THROWS(UsageError, closed, two.rollback());
}

TEST(subscriptions_are_pulled_and_iterated) {
  const auto db = Database::open("memory:");
  db.write_table("a", ids({{1}}));
  ChangesOptions from_the_start;
  from_the_start.since_tx = 0;
  auto subscription = db.subscribe(from_the_start);
  CHECK_EQUAL(subscription.next(0ms).value().tables.at(0).table, "a");
  CHECK(!subscription.next(0ms).has_value());
  CHECK(!subscription.next(20ms).has_value());
  CHECK_EQUAL(subscription.cursor(), 1U);

  std::thread writer([&] {
    for (int i = 0; i < 5; ++i) db.write_table("a", ids({{i}}));
  });
  std::vector<std::uint64_t> seen;
  for (const auto &entry : subscription) {
    seen.push_back(entry.tx_id);
    if (seen.size() == 5) break;
  }
  writer.join();
  CHECK_EQUAL(subscription.cursor(), 6U);
  CHECK(seen == (std::vector<std::uint64_t>{2, 3, 4, 5, 6}));
}

TEST(closing_from_another_thread_ends_a_wait) {
  const auto db = Database::open("memory:");
  auto subscription = db.subscribe();
  std::thread closer([&] {
    std::this_thread::sleep_for(50ms);
    subscription.close();
  });
  int entries = 0;
  for (const auto &entry : subscription) entries += entry.tx_id > 0 ? 1 : 0;
  closer.join();
  CHECK_EQUAL(entries, 0);
  CHECK_THROWS(UsageError, closed, subscription.next(0ms));
}

TEST(a_wait_can_be_cancelled) {
  const auto db = Database::open("memory:");
  auto subscription = db.subscribe();
  const CancelToken token;
  std::thread canceller([&] {
    std::this_thread::sleep_for(50ms);
    token.cancel();
  });
  CHECK_THROWS(EnvironmentError, cancelled, subscription.next(&token));
  canceller.join();
  CHECK(token.is_cancelled());
}

TEST(rows_come_from_and_go_through_cpp) {
  const auto db = Database::open("memory:");
  db.write_table("a", ids({{1, 2}, {3}}));
  auto rows = db.read_table("a");
  auto schema = rows.schema();
  std::size_t passed = 0;
  auto through = produce(std::move(schema), [&]() -> std::optional<Batch> {
    auto batch = rows.next();
    if (batch) passed += batch->num_rows();
    return batch;
  });
  CHECK_EQUAL(db.write_table("b", std::move(through)).rows, 3U);
  CHECK_EQUAL(passed, 3U);
  CHECK_EQUAL(one_number(db.query("SELECT sum(id)::BIGINT FROM b")), 6);
}

TEST(what_a_producer_throws_fails_the_write_and_nothing_is_written) {
  const auto db = Database::open("memory:");
  const auto failing = [](auto thrown) {
    return produce(id_schema(), [thrown]() -> std::optional<Batch> { throw thrown; });
  };
  try {
    db.write_table("a", failing(std::runtime_error("the source is dry")));
    CHECK(false);
  } catch (const Error &error) {
    CHECK(std::string(error.what()).find("the source is dry") != std::string::npos);
  }
  auto stream = failing(EnvironmentError(Code::cancelled, "stop"));
  CHECK_THROWS(EnvironmentError, cancelled, stream.next());
  CHECK_THROWS(EnvironmentError, cancelled, db.write_table("a", failing(EnvironmentError(Code::cancelled, "stop"))));
  CHECK_THROWS(ConflictError, write_conflict,
               db.write_table("a", failing(ConflictError(Code::write_conflict, "late"))));
  auto unknown = failing(42);
  CHECK_THROWS(EnvironmentError, io, unknown.next());
  CHECK_EQUAL(db.latest_tx_id(), 0U);
}

TEST(a_schema_that_is_shared_can_be_taken_apart) {
  const auto db = Database::open("memory:");
  auto shared = std::make_shared<const Schema>(db.query("SELECT {'a': 1, 'b': 'x'} AS s, [1] AS l").schema());
  auto copy = share(shared);
  shared.reset();
  ArrowSchema child = *copy.get()->children[0];  // moves the child out, as the C data interface allows
  copy.get()->children[0]->release = nullptr;
  copy = Schema();
  CHECK_EQUAL(std::string(child.name), "s");
  CHECK_EQUAL(std::string(child.children[1]->name), "b");
  child.release(&child);
}

TEST(streams_are_given_away_and_taken_over) {
  const auto db = Database::open("memory:");
  auto rows = db.query("SELECT 7::BIGINT AS seven");
  ArrowArrayStream raw = rows.release();
  CHECK_THROWS(UsageError, closed, rows.next());
  CHECK_THROWS(UsageError, closed, rows.schema());
  Stream again(&raw);
  CHECK(raw.release == nullptr);
  CHECK_EQUAL(again.schema().name(0), "seven");
  CHECK_EQUAL(one_number(std::move(again)), 7);
}

TEST(columns_answer_what_fits_and_refuse_what_does_not) {
  const auto db = Database::open("memory:");
  auto rows = db.query(
      "SELECT 300::INTEGER AS i, 2.5::DOUBLE AS d, true AS b, NULL::BIGINT AS n, 'x' AS t, ''::BLOB AS e,"
      " DATE '1970-01-11' AS day, -1::BIGINT AS m");
  const auto batch = rows.next().value();
  CHECK_EQUAL(batch.num_columns(), 8U);
  CHECK_EQUAL(batch.column("i").number<std::int64_t>(0).value(), 300);
  CHECK_EQUAL(batch.column("i").number<double>(0).value(), 300.0);
  CHECK_THROWS(UsageError, schema_mismatch, batch.column("i").number<std::int8_t>(0));
  CHECK_THROWS(UsageError, schema_mismatch, batch.column("m").number<std::uint64_t>(0));
  CHECK_THROWS(UsageError, schema_mismatch, batch.column("d").number<int>(0));
  CHECK_EQUAL(batch.column("d").number<double>(0).value(), 2.5);
  CHECK_EQUAL(batch.column("b").number<bool>(0).value(), true);
  CHECK(batch.column("n").is_null(0) && !batch.column("n").number<int>(0));
  CHECK_THROWS(UsageError, schema_mismatch, batch.column("t").number<int>(0));
  CHECK_THROWS(UsageError, schema_mismatch, batch.column("i").text(0));
  CHECK_EQUAL(batch.column("e").text(0).value(), "");
  CHECK_EQUAL(batch.column("day").number<int>(0).value(), 10);
  bool out_of_range = false;
  try {
    batch.column("t").text(1);
  } catch (const std::out_of_range &) {
    out_of_range = true;
  }
  CHECK(out_of_range);
}

TEST(damage_in_a_stream_is_an_integrity_error) {
  const TemporaryDirectory directory;
  const auto repository = directory / "repo";
  {
    const auto db = Database::open(repository);
    db.write_table("a", db.query("SELECT range AS id, hash(range)::VARCHAR AS t FROM range(20000)"));
    const auto hash = db.chunk_hashes("a").hashes.at(0);
    const auto file = repository + "/chunks/" + hash.substr(0, 2) + "/" + hash.substr(2, 2) + "/" + hash + ".parquet";
    std::ifstream whole(file, std::ios::binary);
    std::string bytes(std::istreambuf_iterator<char>(whole), {});
    bytes[bytes.size() / 2] = static_cast<char>(~bytes[bytes.size() / 2]);
    std::filesystem::remove(file);
    std::ofstream(file, std::ios::binary) << bytes;
  }
  const auto db = Database::open(repository);
  CHECK_THROWS(IntegrityError, hash_mismatch, for (auto rows = db.read_table("a"); rows.next();));
  const auto other = Database::open("memory:");
  CHECK_THROWS(IntegrityError, hash_mismatch, other.write_table("b", db.read_table("a")));
  CHECK_THROWS(IntegrityError, hash_mismatch, {
    auto rows = db.read_table("a");
    auto schema = rows.schema();
    other.write_table("b", produce(std::move(schema), [&] { return rows.next(); }));
  });
  const auto report = db.verify(true);
  CHECK(!report.ok);
  CHECK_EQUAL(report.problems.at(0).code, "HASH_MISMATCH");
  CHECK_EQUAL(report.problems.at(0).affects.at(0).table, "a");
}

TEST(a_chunk_store_stands_alone) {
  const TemporaryDirectory directory;
  const ChunkStore store(directory / "chunks");
  const auto hash = store.put("hello");
  CHECK_EQUAL(hash.size(), 64U);
  CHECK(store.exists(hash) && store.list() == std::vector<std::string>{hash});
  CHECK(store.get_verified(hash) == (Bytes{'h', 'e', 'l', 'l', 'o'}));
  CHECK(store.get(store.put(nullptr, 0)).empty());
  CHECK_THROWS(NotFoundError, chunk_not_found, store.get(std::string(64, '0')));
}

TEST(a_column_list_that_is_empty_is_not_all_columns) {
  const auto db = Database::open("memory:");
  db.write_table("a", ids({{1, 2}}));
  CHECK_EQUAL(db.read_table("a").schema().size(), 1U);
  try {
    CHECK_EQUAL(db.read_table("a", std::vector<std::string>()).schema().size(), 0U);
  } catch (const UsageError &error) {
    CHECK(error.code() == Code::invalid_argument);  // may be refused, but never means all
  }
}
