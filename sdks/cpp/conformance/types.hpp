// The types of the conformance suite: their text, and the Arrow schemas that they stand for.
#pragma once

#include <armillaria.hpp>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace conformance {

using nlohmann::json;

// A case that cannot be run or does not hold; the text says why.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// `list<struct<a: int64 not null>>`, taken apart.
struct Type {
  std::string name;
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, Type>> children;  // with the names of fields
  bool nullable = true;
};

Type parse_type(const std::string &text);

// The schema of a column. The texts in it live as long as it does.
armillaria::Schema column_schema(const std::string &name, const Type &type);

// The schema of rows with these columns, `[[name, type], …]`.
armillaria::Schema rows_schema(const json &columns);

// `[[name, type], …]` of a schema.
json describe_columns(const ArrowSchema &rows);

}  // namespace conformance
