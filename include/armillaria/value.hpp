/// \file
/// Values that are handed to SQL. Part of armillaria.hpp.
#pragma once

#include <armillaria/detail.hpp>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace armillaria {

/// A moment, UTC.
using Timestamp = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

/// A calendar day: days since 1970-01-01.
struct Date {
  std::int64_t days = 0;
};

/// A time of day: microseconds since midnight.
struct TimeOfDay {
  std::chrono::microseconds since_midnight{0};
};

/// Bytes, as opposed to text.
using Bytes = std::vector<std::uint8_t>;

/// One value for a parameter of a statement. Owns what it holds. Made from whatever fits:
/// `nullptr`, `bool`, integers, floating point numbers, text, `Bytes`, `Date`, `TimeOfDay`, moments, and
/// `std::optional` of these.
class Value {
 public:
  using Variant = std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, std::string, Bytes, Date,
                               TimeOfDay, Timestamp>;

  Value(std::nullptr_t = nullptr) : variant_(nullptr) {}
  template <typename T, std::enable_if_t<std::is_arithmetic_v<T>, int> = 0>
  Value(T number) : variant_(arithmetic(number)) {}
  /// A character or a number? Say `"a"` or `int{c}`.
  Value(char character) = delete;
  Value(std::string text) : variant_(std::move(text)) {}
  Value(std::string_view text) : variant_(std::string(text)) {}
  /// Text that ends with a NUL; a null pointer is NULL.
  Value(const char *text) : variant_(nullptr) {
    if (text != nullptr) variant_ = std::string(text);
  }
  Value(Bytes bytes) : variant_(std::move(bytes)) {}
  Value(Date date) : variant_(date) {}
  Value(TimeOfDay time) : variant_(time) {}
  /// A moment of the system clock, rounded down to microseconds.
  template <typename Duration>
  Value(std::chrono::time_point<std::chrono::system_clock, Duration> time)
      : variant_(std::chrono::floor<std::chrono::microseconds>(time)) {}
  template <typename T>
  Value(std::optional<T> value) : variant_(nullptr) {
    if (value) variant_ = Value(*std::move(value)).variant_;
  }

  const Variant &variant() const noexcept { return variant_; }

 private:
  template <typename T>
  static Variant arithmetic(T number) {
    if constexpr (std::is_same_v<T, bool>) {
      return number;
    } else if constexpr (std::is_floating_point_v<T>) {
      return static_cast<double>(number);
    } else if constexpr (std::is_signed_v<T>) {
      return static_cast<std::int64_t>(number);
    } else {
      return static_cast<std::uint64_t>(number);
    }
  }

  Variant variant_;
};

/// The values for a statement's parameters: all by position (`?`, `$1`), or all by name (`$name`).
///
///     db.query("SELECT * FROM flights WHERE month = ? AND carrier = ?", {7, "UA"});
///     db.query("SELECT * FROM flights WHERE month = $month", Parameters::named({{"month", 7}}));
class Parameters {
 public:
  /// None.
  Parameters() = default;
  /// By position.
  Parameters(std::initializer_list<Value> values) {
    for (const auto &value : values) add(value);
  }
  /// By position.
  explicit Parameters(const std::vector<Value> &values) {
    for (const auto &value : values) add(value);
  }
  /// By name, without the `$`.
  static Parameters named(std::vector<std::pair<std::string, Value>> values) {
    Parameters parameters;
    for (auto &[name, value] : values) parameters.items_.push_back({std::move(name), std::move(value)});
    return parameters;
  }

  struct Item {
    std::optional<std::string> name;
    Value value;
  };
  const std::vector<Item> &items() const noexcept { return items_; }

 private:
  void add(const Value &value) { items_.push_back({std::nullopt, value}); }

  std::vector<Item> items_;
};

namespace detail {

/// Writes a value into the parameter that lends it to the library.
struct LendValue {
  ArmillariaParameter &out;

  void operator()(std::nullptr_t) const { out.kind = ARMILLARIA_PARAMETER_NULL; }
  void operator()(bool value) const { integer(ARMILLARIA_PARAMETER_BOOL, value ? 1 : 0); }
  void operator()(std::int64_t value) const { integer(ARMILLARIA_PARAMETER_INT, value); }
  void operator()(Date value) const { integer(ARMILLARIA_PARAMETER_DATE, value.days); }
  void operator()(TimeOfDay value) const { integer(ARMILLARIA_PARAMETER_TIME, value.since_midnight.count()); }
  void operator()(Timestamp value) const { integer(ARMILLARIA_PARAMETER_TIMESTAMP, value.time_since_epoch().count()); }
  void operator()(std::uint64_t value) const {
    out.kind = ARMILLARIA_PARAMETER_UINT;
    out.unsigned_integer = value;
  }
  void operator()(double value) const {
    out.kind = ARMILLARIA_PARAMETER_FLOAT;
    out.real = value;
  }
  void operator()(const std::string &value) const {
    out.kind = ARMILLARIA_PARAMETER_TEXT;
    out.bytes = lend(value);
  }
  void operator()(const Bytes &value) const {
    out.kind = ARMILLARIA_PARAMETER_BYTES;
    out.bytes = lend(std::string_view(reinterpret_cast<const char *>(value.data()), value.size()));
  }

 private:
  void integer(std::uint32_t kind, std::int64_t value) const {
    out.kind = kind;
    out.integer = value;
  }
};

/// Lends parameters, which must outlive the list.
inline std::vector<ArmillariaParameter> lend_all(const Parameters &parameters) {
  std::vector<ArmillariaParameter> lent;
  lent.reserve(parameters.items().size());
  for (const auto &item : parameters.items()) {
    ArmillariaParameter parameter{};
    parameter.name = lend_optional(item.name);
    std::visit(LendValue{parameter}, item.value.variant());
    lent.push_back(parameter);
  }
  return lent;
}

}  // namespace detail
}  // namespace armillaria
