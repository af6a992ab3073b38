// Patterns: what a result must match. And references: values that earlier steps saved.
#pragma once

#include <map>
#include <string>

#include "types.hpp"

namespace conformance {

using Saved = std::map<std::string, json>;

// Puts saved values in the place of `$ref` and `$concat`, anywhere in a value.
json resolve(const json &value, const Saved &saved);

// Throws a `Failure` that says where a value does not match a pattern.
void check(const json &pattern, const json &actual, const std::string &path = "");

}  // namespace conformance
