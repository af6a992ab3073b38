#include "types.hpp"

#include <map>
#include <memory>
#include <string_view>

namespace conformance {
namespace {

// Types without arguments, and those whose arguments are fixed, with their format strings.
const std::map<std::string, std::string> &formats() {
  static const std::map<std::string, std::string> table = {
      {"null", "n"},           {"bool", "b"},
      {"int8", "c"},           {"uint8", "C"},
      {"int16", "s"},          {"uint16", "S"},
      {"int32", "i"},          {"uint32", "I"},
      {"int64", "l"},          {"uint64", "L"},
      {"float16", "e"},        {"float32", "f"},
      {"float64", "g"},        {"utf8", "u"},
      {"large_utf8", "U"},     {"binary", "z"},
      {"large_binary", "Z"},   {"date32", "tdD"},
      {"date64", "tdm"},       {"time32(s)", "tts"},
      {"time32(ms)", "ttm"},   {"time64(us)", "ttu"},
      {"time64(ns)", "ttn"},   {"duration(s)", "tDs"},
      {"duration(ms)", "tDm"}, {"duration(us)", "tDu"},
      {"duration(ns)", "tDn"}, {"interval(months)", "tiM"},
      {"list", "+l"},          {"interval(day_time)", "tiD"},
      {"large_list", "+L"},    {"interval(month_day_nano)", "tin"},
      {"struct", "+s"},        {"map", "+m"},
  };
  return table;
}

// Reads the grammar of the suite's README from left to right.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Type whole() {
    auto type = next();
    if (!rest().empty()) throw Failure("not a type: " + std::string(text_));
    return type;
  }

 private:
  Type next() {
    Type type;
    type.name = take_until("(<>), :");
    if (take("(")) {
      do {
        type.arguments.push_back(take_until(",)"));
      } while (take(", "));
      expect(")");
    }
    if (take("<")) {
      do {
        type.children.push_back(child(type.name));
      } while (take(", "));
      expect(">");
    }
    type.nullable = !take(" not null");
    return type;
  }

  std::pair<std::string, Type> child(const std::string &parent) {
    std::string field;
    if (parent == "struct") {
      field = take_until(":");
      expect(": ");
    }
    return {field, next()};
  }

  std::string_view rest() const { return text_.substr(at_); }
  std::string take_until(const char *ends) {
    const auto part = rest().substr(0, rest().find_first_of(ends));
    at_ += part.size();
    return std::string(part);
  }
  bool take(std::string_view word) {
    if (rest().substr(0, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  void expect(std::string_view word) {
    if (!take(word)) throw Failure("not a type: " + std::string(text_));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::string with_arguments(const Type &type) {
  std::string text = type.name;
  for (std::size_t i = 0; i < type.arguments.size(); ++i) text += (i == 0 ? "(" : ", ") + type.arguments[i];
  return text + (type.arguments.empty() ? "" : ")");
}

std::string format_of(const Type &type) {
  const auto known = formats().find(with_arguments(type));
  if (known != formats().end()) return known->second;
  const auto &arguments = type.arguments;
  if (type.name == "timestamp") {
    return "ts" + arguments.at(0).substr(0, 1) + ":" + (arguments.size() > 1 ? arguments[1] : "");
  }
  if (type.name == "decimal128") return "d:" + arguments.at(0) + "," + arguments.at(1);
  if (type.name == "decimal256") return "d:" + arguments.at(0) + "," + arguments.at(1) + ",256";
  if (type.name == "fixed_size_binary") return "w:" + arguments.at(0);
  if (type.name == "fixed_size_list") return "+w:" + arguments.at(0);
  throw Failure("no such type: " + with_arguments(type));
}

// What a schema points to.
struct SchemaParts {
  std::string format, name;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema *> child_pointers;
  ArrowSchema dictionary{};
};

void release_schema(ArrowSchema *schema) {
  const std::unique_ptr<SchemaParts> parts(static_cast<SchemaParts *>(schema->private_data));
  for (auto &child : parts->children) {
    if (child.release != nullptr) child.release(&child);
  }
  if (parts->dictionary.release != nullptr) parts->dictionary.release(&parts->dictionary);
  schema->release = nullptr;
}

armillaria::Schema make_schema(const std::string &name, const std::string &format, bool nullable,
                               std::vector<armillaria::Schema> children) {
  auto parts = std::make_unique<SchemaParts>();
  parts->format = format;
  parts->name = name;
  for (auto &child : children) parts->children.push_back(child.release());
  for (auto &child : parts->children) parts->child_pointers.push_back(&child);
  ArrowSchema schema{};
  schema.format = parts->format.c_str();
  schema.name = parts->name.c_str();
  schema.flags = nullable ? ARROW_FLAG_NULLABLE : 0;
  schema.n_children = static_cast<std::int64_t>(parts->children.size());
  schema.children = parts->child_pointers.data();
  schema.release = release_schema;
  schema.private_data = parts.release();
  return armillaria::Schema(&schema);
}

// One column's children: items of lists are called `item`, entries of maps `entries` of `key` and `value`.
std::vector<armillaria::Schema> child_schemas(const Type &type) {
  std::vector<armillaria::Schema> children;
  if (type.name == "map") {
    auto key = type.children.at(0).second;
    key.nullable = false;
    std::vector<armillaria::Schema> entry;
    entry.push_back(column_schema("key", key));
    entry.push_back(column_schema("value", type.children.at(1).second));
    children.push_back(make_schema("entries", "+s", false, std::move(entry)));
    return children;
  }
  for (const auto &[field, child] : type.children) {
    children.push_back(column_schema(type.name == "struct" ? field : "item", child));
  }
  return children;
}

std::string unit_name(char letter) { return letter == 's' ? "s" : std::string(1, letter) + "s"; }

// The name of a type that has its arguments in its format string.
std::string name_with_arguments(const std::string &format) {
  if (format.rfind("ts", 0) == 0) {
    const auto zone = format.substr(4);
    return "timestamp(" + unit_name(format[2]) + (zone.empty() ? ")" : ", " + zone + ")");
  }
  if (format.rfind("w:", 0) == 0) return "fixed_size_binary(" + format.substr(2) + ")";
  if (format.rfind("+w:", 0) == 0) return "fixed_size_list(" + format.substr(3) + ")";
  if (format.rfind("d:", 0) == 0) {
    const auto comma = format.find(','), second = format.find(',', comma + 1);
    const bool wide = second != std::string::npos && format.substr(second) == ",256";
    const auto scale = format.substr(comma + 1, second == std::string::npos ? second : second - comma - 1);
    return (wide ? "decimal256(" : "decimal128(") + format.substr(2, comma - 2) + ", " + scale + ")";
  }
  throw Failure("the suite has no type of format " + format);
}

std::string type_name(const std::string &format) {
  for (const auto &[name, known] : formats()) {
    if (known == format) return name;
  }
  return name_with_arguments(format);
}

std::string describe(const ArrowSchema &schema, bool is_key = false);

std::string describe_children(const ArrowSchema &schema) {
  if (schema.dictionary != nullptr) return "<" + type_name(schema.format) + ", " + describe(*schema.dictionary) + ">";
  const std::string_view format = schema.format;
  if (format == "+m") {
    const auto &entries = *schema.children[0];
    return "<" + describe(*entries.children[0], true) + ", " + describe(*entries.children[1]) + ">";
  }
  std::string text;
  for (std::int64_t i = 0; i < schema.n_children; ++i) {
    const auto &child = *schema.children[i];
    text += (i == 0 ? "<" : ", ") + (format == "+s" ? std::string(child.name) + ": " : "") + describe(child);
  }
  return text.empty() ? "" : text + ">";
}

std::string describe(const ArrowSchema &schema, bool is_key) {
  const bool nullable = is_key || (schema.flags & ARROW_FLAG_NULLABLE) != 0;
  const auto name = schema.dictionary != nullptr ? "dictionary" : type_name(schema.format);
  return name + describe_children(schema) + (nullable ? "" : " not null");
}

}  // namespace

Type parse_type(const std::string &text) { return Parser(text).whole(); }

armillaria::Schema column_schema(const std::string &name, const Type &type) {
  if (type.name == "dictionary") {
    auto schema = make_schema(name, format_of(type.children.at(0).second), type.nullable, {});
    auto *parts = static_cast<SchemaParts *>(schema.get()->private_data);
    parts->dictionary = column_schema("", type.children.at(1).second).release();
    schema.get()->dictionary = &parts->dictionary;
    return schema;
  }
  return make_schema(name, format_of(type), type.nullable, child_schemas(type));
}

armillaria::Schema rows_schema(const json &columns) {
  std::vector<armillaria::Schema> children;
  for (const auto &column : columns) {
    children.push_back(column_schema(column.at(0).get<std::string>(), parse_type(column.at(1).get<std::string>())));
  }
  return make_schema("", "+s", false, std::move(children));
}

json describe_columns(const ArrowSchema &rows) {
  auto columns = json::array();
  for (std::int64_t i = 0; i < rows.n_children; ++i) {
    columns.push_back({rows.children[i]->name, describe(*rows.children[i])});
  }
  return columns;
}

}  // namespace conformance
