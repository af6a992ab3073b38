// Streams go into DuckDB's own Arrow scan, in a database of its own, and come back.
#include <duckdb.h>

#include "check.hpp"
#include "sample.hpp"

using namespace sample;

namespace {

// A DuckDB of its own, in memory.
class Duck {
 public:
  Duck() {
    if (duckdb_open(nullptr, &database_) != DuckDBSuccess || duckdb_connect(database_, &connection_) != DuckDBSuccess) {
      throw std::runtime_error("DuckDB does not open");
    }
  }
  ~Duck() {
    duckdb_disconnect(&connection_);
    duckdb_close(&database_);
  }
  Duck(const Duck &) = delete;
  Duck &operator=(const Duck &) = delete;

  // Makes the rows of a stream a view. The stream must live as long as the view is used, and can be read once.
  void scan(const char *view, Stream &rows) {
    auto stream = reinterpret_cast<duckdb_arrow_stream>(rows.get());
    if (duckdb_arrow_scan(connection_, view, stream) != DuckDBSuccess) throw std::runtime_error("DuckDB does not scan");
  }

  void run(const char *sql) {
    duckdb_result result;
    const auto state = duckdb_query(connection_, sql, &result);
    const std::string error = state == DuckDBSuccess ? "" : duckdb_result_error(&result);
    duckdb_destroy_result(&result);
    if (state != DuckDBSuccess) throw std::runtime_error(error);
  }

  std::string text(const char *sql) {
    duckdb_result result;
    if (duckdb_query(connection_, sql, &result) != DuckDBSuccess)
      throw std::runtime_error(duckdb_result_error(&result));
    char *value = duckdb_value_varchar(&result, 0, 0);
    const std::string copied = value == nullptr ? "NULL" : value;
    duckdb_free(value);
    duckdb_destroy_result(&result);
    return copied;
  }

  // The rows of a SELECT, as a stream of Arrow batches. The Duck must outlive it.
  Stream rows(const char *sql);

 private:
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
};

// Turns DuckDB's error objects into exceptions.
void must(duckdb_error_data error) {
  if (error == nullptr) return;
  const std::string message = duckdb_error_data_message(error);
  const bool failed = duckdb_error_data_has_error(error);
  duckdb_destroy_error_data(&error);
  if (failed) throw std::runtime_error(message);
}

// What a stream of DuckDB's chunks holds on to.
struct DuckRows {
  duckdb_result result{};
  duckdb_arrow_options options = nullptr;

  DuckRows() = default;
  DuckRows(const DuckRows &) = delete;
  DuckRows &operator=(const DuckRows &) = delete;
  ~DuckRows() {
    if (options != nullptr) duckdb_destroy_arrow_options(&options);
    duckdb_destroy_result(&result);
  }

  Schema schema() {
    std::vector<duckdb_logical_type> types;
    std::vector<const char *> names;
    for (idx_t i = 0; i < duckdb_column_count(&result); ++i) {
      types.push_back(duckdb_column_logical_type(&result, i));
      names.push_back(duckdb_column_name(&result, i));
    }
    ArrowSchema schema{};
    auto error = duckdb_to_arrow_schema(options, types.data(), names.data(), types.size(), &schema);
    for (auto &type : types) duckdb_destroy_logical_type(&type);
    must(error);
    return Schema(&schema);
  }

  std::optional<Batch> next(const std::shared_ptr<const Schema> &schema) {
    auto chunk = duckdb_fetch_chunk(result);
    if (chunk == nullptr) return std::nullopt;
    ArrowArray array{};
    auto error = duckdb_data_chunk_to_arrow(options, chunk, &array);
    duckdb_destroy_data_chunk(&chunk);
    must(error);
    return Batch(&array, schema);
  }
};

Stream Duck::rows(const char *sql) {
  auto rows = std::make_shared<DuckRows>();
  if (duckdb_query(connection_, sql, &rows->result) != DuckDBSuccess) {
    throw std::runtime_error(duckdb_result_error(&rows->result));
  }
  duckdb_connection_get_arrow_options(connection_, &rows->options);
  auto schema = std::make_shared<const Schema>(rows->schema());
  return produce(share(schema), [rows, schema] { return rows->next(schema); });
}

}  // namespace

TEST(duckdb_scans_a_table_of_armillaria) {
  const auto db = Database::open("memory:");
  db.write_table("a", db.query("SELECT range AS id, 'name ' || range AS name FROM range(3000)"));
  auto rows = db.read_table("a");
  Duck duck;
  duck.scan("scanned", rows);
  CHECK_EQUAL(duck.text("SELECT count(*) || ' ' || sum(id) || ' ' || max(name) FROM scanned"), "3000 4498500 name 999");
}

TEST(what_duckdb_made_of_it_comes_back) {
  const auto db = Database::open("memory:");
  db.write_table("a", db.query("SELECT range AS id, [range, NULL] AS list FROM range(3000)"));
  auto rows = db.query("SELECT * FROM a WHERE id % 2 = 0");
  Duck duck;
  duck.scan("scanned", rows);
  duck.run("CREATE TABLE kept AS SELECT id, list[1] * 2 AS twice, 'n' || id AS name FROM scanned");
  const auto commit = db.write_table("b", duck.rows("SELECT * FROM kept ORDER BY id"));
  CHECK_EQUAL(commit.rows, 1500U);
  CHECK_EQUAL(one_number(db.query("SELECT sum(twice)::BIGINT FROM b")), 4498500 - 1500);
  CHECK_EQUAL(one_number(db.query("SELECT count(*) FROM a JOIN b USING (id) WHERE name = 'n' || id")), 1500);
}
