/// \file
/// Reading single values out of Arrow columns. Part of armillaria.hpp.
///
/// Enough for answers of a few rows and common types. For more, hand the stream to a library that computes with Arrow.
#pragma once

#include <armillaria.h>

#include <armillaria/error.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace armillaria {

/// A borrowed view of one column of a batch.
class Column {
 public:
  /// `offset` and `length` are those of the batch.
  Column(const ArrowSchema &schema, const ArrowArray &array, std::int64_t offset, std::int64_t length) noexcept
      : schema_(&schema), array_(&array), offset_(array.offset + offset), length_(length) {}

  std::size_t size() const noexcept { return static_cast<std::size_t>(length_); }
  /// Format string of Arrow's C data interface.
  std::string_view format() const noexcept { return schema_->format; }

  /// Whether the row holds NULL. `std::out_of_range`.
  bool is_null(std::size_t row) const {
    const auto index = at(row);
    if (format() == "n") return true;
    const auto *validity = buffer<std::uint8_t>(0);
    return validity != nullptr && !bit(validity, index);
  }

  /// The number in a row, as the type asked for; none for NULL. Takes any integer, boolean, floating point number,
  /// date, time, timestamp or duration (as the integer that stores it). `SCHEMA_MISMATCH` if the column is of another
  /// type or the number does not fit. DuckDB's `sum` of integers is a decimal, which has to be cast in the statement:
  /// `sum(x)::BIGINT`.
  template <typename T>
  std::optional<T> number(std::size_t row) const {
    static_assert(std::is_arithmetic_v<T>, "number() answers numbers; text() is for text and binary");
    if (is_null(row)) return std::nullopt;
    const auto index = at(row);
    switch (storage()) {
      case 'b': return cast<T>(bit(buffer<std::uint8_t>(1), index) ? 1 : 0);
      case 'c': return cast<T>(buffer<std::int8_t>(1)[index]);
      case 'C': return cast<T>(buffer<std::uint8_t>(1)[index]);
      case 's': return cast<T>(buffer<std::int16_t>(1)[index]);
      case 'S': return cast<T>(buffer<std::uint16_t>(1)[index]);
      case 'i': return cast<T>(buffer<std::int32_t>(1)[index]);
      case 'I': return cast<T>(buffer<std::uint32_t>(1)[index]);
      case 'l': return cast<T>(buffer<std::int64_t>(1)[index]);
      case 'L': return cast<T>(buffer<std::uint64_t>(1)[index]);
      case 'f': return cast<T>(buffer<float>(1)[index]);
      case 'g': return cast<T>(buffer<double>(1)[index]);
      default: throw_error(Code::schema_mismatch, no_numbers());
    }
  }

  /// The text or bytes in a row, borrowed from the batch; none for NULL. `SCHEMA_MISMATCH` if the column is of another
  /// type.
  std::optional<std::string_view> text(std::size_t row) const {
    if (is_null(row)) return std::nullopt;
    const auto index = at(row);
    if (format() == "u" || format() == "z") return slice<std::int32_t>(index);
    if (format() == "U" || format() == "Z") return slice<std::int64_t>(index);
    throw_error(Code::schema_mismatch, "a column of format " + std::string(format()) + " holds no text");
  }

 private:
  std::int64_t at(std::size_t row) const {
    if (row >= size()) throw std::out_of_range("the column has no row " + std::to_string(row));
    return offset_ + static_cast<std::int64_t>(row);
  }

  /// The format letter of the numbers that are stored; NUL where the column holds none.
  char storage() const noexcept {
    const auto format = this->format();
    if (schema_->dictionary != nullptr) return '\0';
    if (format.size() == 1 && std::string_view("bcCsSiIlLfg").find(format[0]) != std::string_view::npos)
      return format[0];
    if (format == "tdD" || format == "tts" || format == "ttm") return 'i';
    if (format.size() > 2 && (format.substr(0, 2) == "ts" || format.substr(0, 2) == "tD")) return 'l';
    if (format == "tdm" || format == "ttu" || format == "ttn") return 'l';
    return '\0';
  }

  std::string no_numbers() const {
    const auto format = std::string(this->format());
    if (schema_->dictionary == nullptr && format.substr(0, 2) == "d:")
      return "decimals (format " + format + ") are not read one by one; cast them in SQL, such as sum(x)::BIGINT";
    return "a column of format " + format + " holds no numbers";
  }

  template <typename T>
  const T *buffer(std::int64_t index) const noexcept {
    return index < array_->n_buffers ? static_cast<const T *>(array_->buffers[index]) : nullptr;
  }

  static bool bit(const std::uint8_t *bits, std::int64_t index) noexcept {
    return (bits[index / 8] >> (index % 8) & 1) != 0;
  }

  /// Where an integer is asked for, the stored number must be one and come through unchanged.
  template <typename T, typename Stored>
  static T cast(Stored stored) {
    if constexpr (std::is_floating_point_v<T>) {
      return static_cast<T>(stored);
    } else if constexpr (std::is_floating_point_v<Stored>) {
      throw_error(Code::schema_mismatch, "the column holds floating point numbers; ask for double");
    } else {
      const auto cast = static_cast<T>(stored);
      if (static_cast<Stored>(cast) != stored || (cast < T{}) != (stored < Stored{})) {
        throw_error(Code::schema_mismatch, "the number " + std::to_string(stored) + " does not fit the type asked for");
      }
      return cast;
    }
  }

  template <typename Offset>
  std::string_view slice(std::int64_t index) const noexcept {
    const auto *offsets = buffer<Offset>(1);
    const auto *bytes = buffer<char>(2);
    const auto length = static_cast<std::size_t>(offsets[index + 1] - offsets[index]);
    return length == 0 ? std::string_view("", 0) : std::string_view(bytes + offsets[index], length);
  }

  const ArrowSchema *schema_;
  const ArrowArray *array_;
  std::int64_t offset_;
  std::int64_t length_;
};

}  // namespace armillaria
