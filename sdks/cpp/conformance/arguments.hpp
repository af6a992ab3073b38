// The arguments of operations, and the handles they are called on.
#pragma once

#include <chrono>
#include <functional>
#include <map>

#include "rows.hpp"
#include "step.hpp"

namespace conformance {

using namespace armillaria;

inline const json nothing = json::object();

inline Database &database(Step &step, Case &running) {
  return running.handles.get<OpenDatabase>(step.text("on")).database;
}

inline Transaction *transaction(Step &step, Case &running) {
  return std::get_if<Transaction>(&running.handles.get(step.text("on")));
}

inline const CancelToken *cancel(Step &step, Case &running) {
  return step.has("cancel") ? &running.handles.get<CancelToken>(step.text("cancel")) : nullptr;
}

inline TableVersions versions(const json &value) {
  TableVersions versions;
  for (const auto &[table, version] : value.items()) versions[table] = to_unsigned(version);
  return versions;
}

inline At at(Step &step, const std::string &name = "at") {
  if (!step.has(name)) return {};
  Step fields(step.get(name));
  At place;
  if (fields.has("tag")) place = At::tag(fields.text("tag"));
  if (fields.has("tx_id")) place = At::tx(fields.number("tx_id"));
  if (fields.has("time_us")) place = At::time(Timestamp(std::chrono::microseconds(to_signed(fields.get("time_us")))));
  if (fields.has("branch")) place = std::move(place).on_branch(fields.text("branch"));
  if (fields.has("versions")) {
    for (const auto &[table, version] : versions(fields.get("versions"))) {
      place = std::move(place).with_version(table, version);
    }
  }
  fields.check_all_used();
  return place;
}

inline Value value(const json &parameter) {
  const auto &kind = parameter.begin().key();
  const auto &content = parameter.begin().value();
  if (kind == "null") return nullptr;
  if (kind == "bool") return content.get<bool>();
  if (kind == "int") return to_signed(content);
  if (kind == "uint") return to_unsigned(content);
  if (kind == "float") return to_double(content);
  if (kind == "text") return content.get<std::string>();
  if (kind == "bytes") return from_base64(content.get<std::string>());
  if (kind == "date") return Date{to_signed(content)};
  if (kind == "time") return TimeOfDay{std::chrono::microseconds(to_signed(content))};
  if (kind == "timestamp") return Timestamp(std::chrono::microseconds(to_signed(content)));
  throw Failure("no such kind of parameter: " + kind);
}

inline Parameters parameters(Step &step) {
  if (!step.has("params")) return {};
  const auto &given = step.get("params");
  if (given.is_object()) {
    std::vector<std::pair<std::string, Value>> named;
    for (const auto &[name, parameter] : given.items()) named.emplace_back(name, value(parameter));
    return Parameters::named(std::move(named));
  }
  std::vector<Value> values;
  for (const auto &parameter : given) values.push_back(value(parameter));
  return Parameters(values);
}

template <typename Choice>
Choice choose(Step &step, const std::string &name, const std::map<std::string, Choice> &choices, Choice otherwise) {
  if (!step.has(name)) return otherwise;
  const auto found = choices.find(step.text(name));
  if (found == choices.end()) throw Failure("no such " + name + ": " + step.text(name));
  return found->second;
}

// Rows that an operation answered: read to the end, or kept unread under a name.
inline json answer_rows(Step &step, Case &running, Stream stream) {
  if (!step.has("as")) return drain(stream);
  running.handles.put(step.text("as"), std::move(stream));
  return nothing;
}

inline TableOptions table_options(Step &step) {
  return {step.texts("key"), step.optional_text("branch"), step.optional_text("message")};
}

// Operations by name.
using Operation = std::function<json(Step &, Case &)>;
using Table = std::map<std::string, Operation>;

const Table &database_operations();
const Table &table_operations();
const Table &branch_operations();
const Table &chunk_and_case_operations();

}  // namespace conformance
