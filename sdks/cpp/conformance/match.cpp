#include "match.hpp"

#include <algorithm>
#include <vector>

namespace conformance {
namespace {

// Whether an object is one of the forms that begin with `$`.
bool is_special(const json &value) {
  return value.is_object() && value.size() == 1 && value.begin().key().rfind('$', 0) == 0;
}

std::string concat(const json &parts, const Saved &saved) {
  std::string text;
  for (const auto &part : parts) {
    const auto value = resolve(part, saved);
    text += value.is_string() ? value.get<std::string>() : value.dump();
  }
  return text;
}

[[noreturn]] void mismatch(const std::string &path, const std::string &expected, const json &actual) {
  constexpr std::size_t shown_bytes_max = 2000;
  const auto shown = actual.dump(-1, ' ', true).substr(0, shown_bytes_max);
  throw Failure("at " + (path.empty() ? "/" : path) + ": expected " + expected + ", got " + shown);
}

void check_length(std::size_t length, const json &actual, const std::string &path) {
  if (!actual.is_array() || actual.size() != length) {
    mismatch(path, "an array of " + std::to_string(length) + " elements", actual);
  }
}

bool matches(const json &pattern, const json &actual, const std::string &path) {
  try {
    check(pattern, actual, path);
    return true;
  } catch (const Failure &) {
    return false;
  }
}

// Each pattern, in turn, takes the first element that matches and is not taken.
void check_unordered(const json &patterns, const json &actual, const std::string &path) {
  check_length(patterns.size(), actual, path);
  std::vector<json> left(actual.begin(), actual.end());
  for (const auto &pattern : patterns) {
    const auto found =
        std::find_if(left.begin(), left.end(), [&](const json &item) { return matches(pattern, item, path); });
    if (found == left.end()) mismatch(path, "an element " + pattern.dump() + ", in any place", actual);
    left.erase(found);
  }
}

void check_special(const json &pattern, const json &actual, const std::string &path) {
  const auto &name = pattern.begin().key();
  const auto &argument = pattern.begin().value();
  if (name == "$any") {
    if (actual.is_null()) mismatch(path, "anything but null", actual);
  } else if (name == "$contains") {
    const auto wanted = argument.get<std::string>();
    const bool found = actual.is_string() && actual.get<std::string>().find(wanted) != std::string::npos;
    if (!found) mismatch(path, "a string with \"" + wanted + "\" in it", actual);
  } else if (name == "$unordered") {
    check_unordered(argument, actual, path);
  } else {
    throw Failure("there is no matcher " + name);
  }
}

}  // namespace

json resolve(const json &value, const Saved &saved) {
  if (is_special(value) && value.begin().key() == "$concat") return concat(value.begin().value(), saved);
  if (is_special(value) && value.begin().key() == "$ref") {
    const auto found = saved.find(value.begin().value().get<std::string>());
    if (found == saved.end()) throw Failure("no step saved " + value.begin().value().dump());
    return found->second;
  }
  auto resolved = value;
  if (value.is_structured()) {
    for (auto &item : resolved) item = resolve(item, saved);
  }
  return resolved;
}

void check(const json &pattern, const json &actual, const std::string &path) {
  if (is_special(pattern)) return check_special(pattern, actual, path);
  if (pattern.is_object()) {
    if (!actual.is_object()) mismatch(path, "an object", actual);
    for (const auto &[name, field] : pattern.items()) {
      if (!actual.contains(name)) throw Failure("at " + path + "/" + name + ": there is no such field");
      check(field, actual[name], path + "/" + name);
    }
  } else if (pattern.is_array()) {
    check_length(pattern.size(), actual, path);
    for (std::size_t i = 0; i < pattern.size(); ++i) check(pattern[i], actual[i], path + "/" + std::to_string(i));
  } else if (pattern != actual) {
    mismatch(path, pattern.dump(), actual);
  }
}

}  // namespace conformance
