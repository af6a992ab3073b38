// Reads Arrow arrays by hand, value by value.
#include <cstring>
#include <string_view>

#include "rows.hpp"
#include "values.hpp"

namespace conformance {
namespace {

json render(const ArrowSchema &schema, const ArrowArray &array, std::int64_t index);

// One value of an array; `index` counts from the beginning of its buffers.
class Cell {
 public:
  Cell(const ArrowSchema &schema, const ArrowArray &array, std::int64_t index)
      : schema_(schema), array_(array), index_(index), format_(schema.format) {}

  json value() const {
    if (is_null()) return nullptr;
    if (schema_.dictionary != nullptr) {
      return render(*schema_.dictionary, *array_.dictionary, array_.dictionary->offset + fixed().get<std::int64_t>());
    }
    if (format_ == "u") return text<std::int32_t>();
    if (format_ == "U") return text<std::int64_t>();
    if (format_ == "z") return base64<std::int32_t>();
    if (format_ == "Z") return base64<std::int64_t>();
    if (format_ == "+l") return items(at<std::int32_t>(1, index_), at<std::int32_t>(1, index_ + 1));
    if (format_ == "+L") return items(at<std::int64_t>(1, index_), at<std::int64_t>(1, index_ + 1));
    if (format_ == "+m") return items(at<std::int32_t>(1, index_), at<std::int32_t>(1, index_ + 1));
    if (format_.substr(0, 3) == "+w:") return items(index_ * number_behind(':'), (index_ + 1) * number_behind(':'));
    if (format_ == "+s") return fields();
    return fixed();
  }

 private:
  bool is_null() const {
    if (format_ == "n") return true;
    const auto *validity = static_cast<const std::uint8_t *>(array_.buffers[0]);
    return validity != nullptr && (validity[index_ / 8] >> (index_ % 8) & 1) == 0;
  }

  template <typename T>
  T at(std::size_t buffer, std::int64_t index) const {
    T value;
    std::memcpy(&value,
                static_cast<const char *>(array_.buffers[buffer]) + index * static_cast<std::int64_t>(sizeof value),
                sizeof value);
    return value;
  }

  template <typename Offset>
  std::string_view slice() const {
    const auto begin = at<Offset>(1, index_), end = at<Offset>(1, index_ + 1);
    if (begin == end) return {};
    return {static_cast<const char *>(array_.buffers[2]) + begin, static_cast<std::size_t>(end - begin)};
  }

  template <typename Offset>
  json text() const {
    return std::string(slice<Offset>());
  }

  template <typename Offset>
  json base64() const {
    const auto bytes = slice<Offset>();
    return to_base64(reinterpret_cast<const std::uint8_t *>(bytes.data()), bytes.size());
  }

  json items(std::int64_t begin, std::int64_t end) const {
    auto values = json::array();
    const auto &child = *array_.children[0];
    for (auto i = begin; i < end; ++i) values.push_back(render(*schema_.children[0], child, child.offset + i));
    return values;
  }

  json fields() const {
    auto values = json::array();
    for (std::int64_t i = 0; i < schema_.n_children; ++i) {
      const auto &child = *array_.children[i];
      values.push_back(render(*schema_.children[i], child, child.offset + index_));
    }
    return values;
  }

  json fixed() const {
    switch (format_[0]) {
      case 'b': return (at<std::uint8_t>(1, index_ / 8) >> (index_ % 8) & 1) != 0;
      case 'c': return at<std::int8_t>(1, index_);
      case 'C': return at<std::uint8_t>(1, index_);
      case 's': return at<std::int16_t>(1, index_);
      case 'S':
      case 'e': return at<std::uint16_t>(1, index_);
      case 'i': return at<std::int32_t>(1, index_);
      case 'I': return at<std::uint32_t>(1, index_);
      case 'l': return long_number(at<std::int64_t>(1, index_));
      case 'L': return long_number(at<std::uint64_t>(1, index_));
      case 'f': return from_double(at<float>(1, index_));
      case 'g': return from_double(at<double>(1, index_));
      case 't': return moment();
      case 'w': return to_base64(bytes(number_behind(':')), static_cast<std::size_t>(number_behind(':')));
      case 'd': return decimal();
      default: throw Failure("the suite has no type of format " + std::string(format_));
    }
  }

  // Numbers of 64 bits are strings, except where they are indices of a dictionary.
  template <typename T>
  json long_number(T number) const {
    return schema_.dictionary != nullptr ? json(number) : json(std::to_string(number));
  }

  json moment() const {
    if (format_ == "tiD") return {at<std::int32_t>(1, 2 * index_), at<std::int32_t>(1, 2 * index_ + 1)};
    if (format_ == "tin") {
      return {at<std::int32_t>(1, 4 * index_), at<std::int32_t>(1, 4 * index_ + 1),
              std::to_string(at<std::int64_t>(1, 2 * index_ + 1))};
    }
    if (format_ == "tdD" || format_ == "tts" || format_ == "ttm" || format_ == "tiM")
      return at<std::int32_t>(1, index_);
    return std::to_string(at<std::int64_t>(1, index_));
  }

  json decimal() const {
    const std::int64_t width = format_.substr(format_.size() - 4) == ",256" ? 32 : 16;
    return decimal_text(bytes(width), static_cast<std::size_t>(number_behind(',')), static_cast<std::size_t>(width));
  }

  const std::uint8_t *bytes(std::int64_t width) const {
    return static_cast<const std::uint8_t *>(array_.buffers[1]) + index_ * width;
  }

  std::int64_t number_behind(char mark) const { return std::stol(std::string(format_.substr(format_.find(mark) + 1))); }

  const ArrowSchema &schema_;
  const ArrowArray &array_;
  std::int64_t index_;
  std::string_view format_;
};

json render(const ArrowSchema &schema, const ArrowArray &array, std::int64_t index) {
  return Cell(schema, array, index).value();
}

}  // namespace

json drain(armillaria::Stream &stream) {
  const auto schema = stream.schema();
  auto rows = json::array();
  for (const auto &batch : stream) {
    const auto &array = *batch.get();
    for (std::int64_t row = 0; row < array.length; ++row) {
      auto values = json::array();
      for (std::int64_t column = 0; column < array.n_children; ++column) {
        const auto &child = *array.children[column];
        values.push_back(render(*schema.get()->children[column], child, child.offset + array.offset + row));
      }
      rows.push_back(std::move(values));
    }
  }
  const auto count = rows.size();
  return {{"columns", describe_columns(*schema.get())}, {"rows", std::move(rows)}, {"row_count", count}};
}

}  // namespace conformance
