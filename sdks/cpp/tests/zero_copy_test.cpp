// No copy is made at the border: buffers keep their addresses. And a panic behind it is an INTERNAL error. Needs the
// library that was built for testing, which alone has these two functions.
#include <cstring>

#include "check.hpp"
#include "sample.hpp"

extern "C" {
// Imports and exports again, over the code that write_table and read_table use.
ArmillariaStatus armillaria_testing_round_trip(ArrowArrayStream *in, ArrowArrayStream *out, ArmillariaError **error);
ArmillariaStatus armillaria_testing_panic(ArmillariaError **error);
}

using namespace sample;

namespace {

// The addresses of all buffers of an array that hold something, depth first.
void collect(const ArrowArray &array, std::vector<const void *> &addresses) {
  for (std::int64_t i = 0; i < array.n_buffers; ++i) {
    if (array.buffers[i] != nullptr) addresses.push_back(array.buffers[i]);
  }
  for (std::int64_t i = 0; i < array.n_children; ++i) collect(*array.children[i], addresses);
  if (array.dictionary != nullptr) collect(*array.dictionary, addresses);
}

std::vector<const void *> addresses_of(const Batch &batch) {
  std::vector<const void *> addresses;
  collect(*batch.get(), addresses);
  return addresses;
}

Stream round_trip(Stream in) {
  ArrowArrayStream out{};
  detail::call(armillaria_testing_round_trip, in.get(), &out);
  return Stream(&out);
}

// Sends the only batch of a query over the border and compares the addresses.
void check_same_buffers(const std::string &sql, std::size_t buffers_at_least) {
  const auto db = Database::open("memory:");
  auto rows = db.query(sql);
  auto schema = std::make_shared<const Schema>(rows.schema());
  auto batch = rows.next().value();
  const auto before = addresses_of(batch);
  const auto length = batch.num_rows();
  auto raw = batch.release();
  auto once = produce(share(schema), [&]() -> std::optional<Batch> {
    if (raw.release == nullptr) return std::nullopt;
    return Batch(&raw, schema);
  });
  auto back = round_trip(std::move(once));
  const auto returned = back.next().value();
  CHECK_EQUAL(returned.num_rows(), length);
  const auto after = addresses_of(returned);
  CHECK(before.size() >= buffers_at_least);
  CHECK(before == after);
  CHECK(!back.next().has_value());
}

}  // namespace

TEST(primitive_columns_keep_their_buffers) {
  check_same_buffers("SELECT range AS l, range::INTEGER AS i, range::DOUBLE AS d FROM range(2000)", 3);
  check_same_buffers("SELECT CASE WHEN range % 2 = 0 THEN range END AS with_nulls FROM range(2000)", 2);
}

TEST(string_columns_keep_their_buffers) {
  check_same_buffers("SELECT 'text ' || range AS t, ('b' || range)::BLOB AS b FROM range(2000)", 4);
}

TEST(nested_columns_keep_their_buffers) {
  check_same_buffers("SELECT {'a': range, 'b': [range::VARCHAR, NULL]} AS s, [[range]] AS l FROM range(2000)", 7);
  check_same_buffers("SELECT MAP {'k' || range: range} AS m FROM range(2000)", 4);
}

TEST(buffers_made_in_cpp_keep_their_addresses) {
  auto schema = std::make_shared<const Schema>(id_schema());
  auto batch = id_batch({1, 2, 3}, schema);
  const void *address = batch.get()->children[0]->buffers[1];
  auto raw = batch.release();
  auto back = round_trip(produce(share(schema), [&]() -> std::optional<Batch> {
    if (raw.release == nullptr) return std::nullopt;
    return Batch(&raw, schema);
  }));
  const auto returned = back.next().value();
  CHECK_EQUAL(returned.get()->children[0]->buffers[1], address);
  CHECK_EQUAL(returned.column("id").number<int>(2).value(), 3);
}

TEST(a_panic_is_an_internal_error) { CHECK_THROWS(InternalError, internal, detail::call(armillaria_testing_panic)); }
