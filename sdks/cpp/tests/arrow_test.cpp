// Streams go into Arrow C++, are changed there, and come back. In C++20, which Arrow asks for.
#include <arrow/api.h>
#include <arrow/c/bridge.h>

#include "check.hpp"
#include "sample.hpp"

using namespace sample;

namespace {

// Arrow's results as exceptions.
template <typename T>
T must(arrow::Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().ToString());
  return *std::move(result);
}

void must(const arrow::Status &status) {
  if (!status.ok()) throw std::runtime_error(status.ToString());
}

// Takes a stream over into Arrow.
std::shared_ptr<arrow::RecordBatchReader> import(Stream rows) {
  return must(arrow::ImportRecordBatchReader(rows.get()));
}

// Gives Arrow's rows to Armillaria.
Stream export_rows(std::shared_ptr<arrow::RecordBatchReader> reader) {
  ArrowArrayStream raw{};
  must(arrow::ExportRecordBatchReader(std::move(reader), &raw));
  return Stream(&raw);
}

constexpr const char *people =
    "SELECT range AS id, 'name ' || range AS name, CASE WHEN range % 3 = 0 THEN range / 2.0 END AS score,"
    " [range, NULL] AS list, {'x': range::INTEGER, 'y': range::VARCHAR} AS point FROM range(5000)";

}  // namespace

TEST(arrow_reads_the_values_that_were_written) {
  const auto db = Database::open("memory:");
  db.write_table("people", db.query(people));
  auto rows = db.read_table("people");
  auto table = must(import(std::move(rows))->ToTable());
  must(table->ValidateFull());
  CHECK_EQUAL(table->num_rows(), 5000);
  CHECK_EQUAL(table->schema()->ToString(),
              "id: int64\nname: string\nscore: double\nlist: list<item: int64>\npoint: struct<x: int32, y: string>");
  CHECK_EQUAL(must(table->GetColumnByName("name")->GetScalar(4321))->ToString(), "name 4321");
  CHECK_EQUAL(table->GetColumnByName("score")->null_count(), 3333);
  CHECK(must(table->GetColumnByName("score")->GetScalar(3))->Equals(arrow::DoubleScalar(1.5)));
}

TEST(rows_changed_in_arrow_come_back) {
  const auto db = Database::open("memory:");
  db.write_table("people", db.query(people));
  auto table = must(import(db.query("SELECT id, name FROM people ORDER BY id DESC LIMIT 3"))->ToTable());
  arrow::Int64Builder ages;
  must(ages.AppendValues({70, 71, 72}));
  const auto column = std::make_shared<arrow::ChunkedArray>(must(ages.Finish()));
  table = must(table->AddColumn(2, arrow::field("age", arrow::int64()), column));
  const auto commit = db.write_table("aged", export_rows(std::make_shared<arrow::TableBatchReader>(table)));
  CHECK_EQUAL(commit.rows, 3U);
  CHECK_EQUAL(one_number(db.query("SELECT age FROM aged WHERE id = 4998 AND name = 'name 4998'")), 71);
}

TEST(a_table_goes_through_arrow_and_comes_back_the_same) {
  const auto db = Database::open("memory:");
  const auto first = db.write_table("people", db.query(people));
  const auto again = db.write_table("people", export_rows(import(db.read_table("people"))));
  CHECK_EQUAL(again.version.value(), 2U);
  CHECK_EQUAL(again.chunks_written, 0U);  // equal rows are equal chunks
  const auto diff = db.diff_versions("people", 1, 2);
  CHECK_EQUAL(diff.rows_added + diff.rows_removed, 0U);
  CHECK(diff.schema_changes.empty());
  CHECK(first.chunks_written > 0);
}

TEST(options_have_designated_initialisers_from_cpp20_on) {
  const auto db = Database::open("memory:", {.author = "Ada"});
  db.create_branch("trial");
  db.write_table("a", ids({{1}}), {.branch = "trial", .message = "first"});
  db.transact([](Transaction &tx) { tx.write_table("a", ids({{2}}), {.mode = WriteMode::append}); },
              {.branch = "trial", .message = "second"});
  const auto entry = db.changes({.since_tx = 2, .branch = "trial"}).back();
  CHECK_EQUAL(entry.author.value() + " " + entry.message.value(), "Ada second");
  CHECK(db.merge_branch("trial", {.dry_run = true}).kind == MergeKind::fast_forward);
}

TEST(an_error_of_arrow_fails_the_write) {
  const auto db = Database::open("memory:");
  const auto schema = arrow::schema({arrow::field("id", arrow::int64())});
  auto failing = arrow::MakeFunctionIterator([]() -> arrow::Result<std::shared_ptr<arrow::RecordBatch>> {
    return arrow::Status::IOError("the cable is cut");
  });
  auto reader = must(arrow::RecordBatchReader::MakeFromIterator(std::move(failing), schema));
  try {
    db.write_table("a", export_rows(std::move(reader)));
    CHECK(false);
  } catch (const Error &error) {
    CHECK(std::string(error.what()).find("the cable is cut") != std::string::npos);
  }
  CHECK_EQUAL(db.latest_tx_id(), 0U);
}

TEST(arrow_keeps_the_error_of_the_library) {
  const auto db = Database::open("memory:");
  db.write_table("people", db.query(people));
  const CancelToken token;
  auto reader = import(db.read_table("people", std::nullopt, {}, &token));
  token.cancel();
  const auto status = reader->ToTable().status();
  CHECK(!status.ok());
  CHECK(status.ToString().find("ARM-503 ") != std::string::npos);
}
