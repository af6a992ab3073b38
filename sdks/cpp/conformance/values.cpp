#include "values.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "types.hpp"

namespace conformance {
namespace {

template <typename Integer>
Integer to_integer(const json &value) {
  if (value.is_number_integer()) return value.get<Integer>();
  const auto text = value.get<std::string>();
  Integer number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) throw Failure("not an integer: " + text);
  return number;
}

void negate(ByteList &bytes) {
  unsigned carry = 1;
  for (auto &byte : bytes) {
    carry += static_cast<std::uint8_t>(~byte);
    byte = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
}

constexpr char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::int64_t to_signed(const json &value) { return to_integer<std::int64_t>(value); }
std::uint64_t to_unsigned(const json &value) { return to_integer<std::uint64_t>(value); }

double to_double(const json &value) {
  if (value.is_number()) return value.get<double>();
  const auto text = value.get<std::string>();
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  if (text == "-0") return -0.0;
  throw Failure("not a number: " + text);
}

json from_double(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  if (value == 0 && std::signbit(value)) return "-0";
  return value;
}

std::string to_base64(const std::uint8_t *data, std::size_t len) {
  std::string text;
  for (std::size_t i = 0; i < len; i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (i + k < len ? data[i + k] : 0U);
    for (std::size_t k = 0; k < 4; ++k) {
      text += i + k <= len ? base64_digits[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

ByteList from_base64(const std::string &text) {
  ByteList bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char letter : text) {
    if (letter == '=') break;
    const auto *digit = std::find(base64_digits, base64_digits + 64, letter);
    if (digit == base64_digits + 64) throw Failure("not base64: " + text);
    bits = bits << 6 | static_cast<std::uint32_t>(digit - base64_digits);
    count += 6;
    if (count >= 8) bytes.push_back(static_cast<std::uint8_t>(bits >> (count -= 8)));
  }
  return bytes;
}

ByteList decimal_bytes(const std::string &text, std::size_t scale, std::size_t width) {
  const bool negative = !text.empty() && text[0] == '-';
  const auto point = text.find('.');
  const auto behind = point == std::string::npos ? 0 : text.size() - point - 1;
  if (behind != scale) throw Failure("a decimal with other digits behind the point: " + text);
  ByteList bytes(width, 0);
  for (std::size_t i = negative ? 1 : 0; i < text.size(); ++i) {
    if (i == point) continue;
    unsigned carry = static_cast<unsigned>(text[i] - '0');
    if (carry > 9) throw Failure("not a decimal: " + text);
    for (auto &byte : bytes) {
      carry += byte * 10U;
      byte = static_cast<std::uint8_t>(carry);
      carry >>= 8;
    }
  }
  if (negative) negate(bytes);
  return bytes;
}

std::string decimal_text(const std::uint8_t *data, std::size_t scale, std::size_t width) {
  ByteList bytes(data, data + width);
  const bool negative = (bytes.back() & 0x80) != 0;
  if (negative) negate(bytes);
  std::string digits;  // the last first
  while (digits.size() <= scale || std::any_of(bytes.begin(), bytes.end(), [](auto byte) { return byte != 0; })) {
    unsigned rest = 0;
    for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
      rest = rest << 8 | *byte;
      *byte = static_cast<std::uint8_t>(rest / 10);
      rest %= 10;
    }
    digits += static_cast<char>('0' + rest);
  }
  if (scale > 0) digits.insert(scale, ".");
  if (negative) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

}  // namespace conformance
