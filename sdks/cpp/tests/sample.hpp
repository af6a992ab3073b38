// Rows to test with, and what is often asked.
#pragma once

#include <stdlib.h>
#include <armillaria.hpp>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sample {

using namespace armillaria;

// The schema of one column `id` of int64. Everything in it is static.
inline Schema id_schema() {
  static const auto release = [](ArrowSchema *schema) { schema->release = nullptr; };
  static ArrowSchema id{"l", "id", nullptr, ARROW_FLAG_NULLABLE, 0, nullptr, nullptr, release, nullptr};
  static ArrowSchema *columns[] = {&id};
  ArrowSchema rows{"+s", "", nullptr, 0, 1, columns, nullptr, release, nullptr};
  return Schema(&rows);
}

// What an array of int64 points to.
struct IdParts {
  std::vector<std::int64_t> ids;
  std::vector<const void *> column_buffers, batch_buffers;
  ArrowArray column{};
  std::vector<ArrowArray *> columns;
};

// A batch of one column `id`, without NULLs.
inline Batch id_batch(std::vector<std::int64_t> ids, const std::shared_ptr<const Schema> &schema) {
  auto *parts = new IdParts{std::move(ids), {}, {nullptr}, {}, {}};
  parts->column_buffers = {nullptr, parts->ids.data()};
  parts->column.length = static_cast<std::int64_t>(parts->ids.size());
  parts->column.n_buffers = 2;
  parts->column.buffers = parts->column_buffers.data();
  parts->column.release = [](ArrowArray *array) { array->release = nullptr; };
  parts->columns = {&parts->column};
  ArrowArray batch{};
  batch.length = parts->column.length;
  batch.n_buffers = 1;
  batch.buffers = parts->batch_buffers.data();
  batch.n_children = 1;
  batch.children = parts->columns.data();
  batch.private_data = parts;
  batch.release = [](ArrowArray *array) {
    delete static_cast<IdParts *>(array->private_data);
    array->release = nullptr;
  };
  return Batch(&batch, schema);
}

// A stream of these batches.
inline Stream ids(std::vector<std::vector<std::int64_t>> batches) {
  auto schema = std::make_shared<const Schema>(id_schema());
  return produce(share(schema), [schema, batches, at = std::size_t{0}]() mutable -> std::optional<Batch> {
    if (at == batches.size()) return std::nullopt;
    return id_batch(batches[at++], schema);
  });
}

// The integer in the only row and column of an answer.
inline std::int64_t one_number(Stream rows) {
  for (const auto &batch : rows) {
    if (batch.num_rows() > 0) return batch.column(0).number<std::int64_t>(0).value();
  }
  throw std::runtime_error("the answer has no rows");
}

inline std::int64_t count(const Database &database, const std::string &table, const At &at = {}) {
  return one_number(database.query("SELECT count(*) FROM \"" + table + "\"", {}, at));
}

// A directory that is removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    auto pattern = (std::filesystem::temp_directory_path() / "armillaria-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary directory");
    path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;  // a leftover in the temporary directory harms nobody
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory &) = delete;
  TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;
  std::string operator/(const char *name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace sample
