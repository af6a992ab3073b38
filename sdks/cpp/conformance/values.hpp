// How single values are written in JSON and in bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace conformance {

using nlohmann::json;
using ByteList = std::vector<std::uint8_t>;

// An integer that may also be written as a string of digits.
std::int64_t to_signed(const json &value);
std::uint64_t to_unsigned(const json &value);

// A number, or one of the strings for what JSON has no number for.
double to_double(const json &value);
json from_double(double value);

std::string to_base64(const std::uint8_t *data, std::size_t len);
ByteList from_base64(const std::string &text);

// A decimal with `scale` digits behind the point, as a little-endian two's complement number of `width` bytes.
ByteList decimal_bytes(const std::string &text, std::size_t scale, std::size_t width);
std::string decimal_text(const std::uint8_t *bytes, std::size_t scale, std::size_t width);

}  // namespace conformance
