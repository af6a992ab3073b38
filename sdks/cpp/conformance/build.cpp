// Builds Arrow arrays by hand, value by value.
#include <cstring>
#include <memory>
#include <string_view>

#include "rows.hpp"
#include "values.hpp"

namespace conformance {
namespace {

// What an array points to.
struct ArrayParts {
  std::vector<ByteList> buffers;
  std::vector<const void *> buffer_pointers;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray *> child_pointers;
  ArrowArray dictionary{};
};

void release_array(ArrowArray *array) {
  const std::unique_ptr<ArrayParts> parts(static_cast<ArrayParts *>(array->private_data));
  for (auto &child : parts->children) {
    if (child.release != nullptr) child.release(&child);
  }
  if (parts->dictionary.release != nullptr) parts->dictionary.release(&parts->dictionary);
  array->release = nullptr;
}

using Values = std::vector<json>;

template <typename T>
void append(ByteList &bytes, T value) {
  const auto at = bytes.size();
  bytes.resize(at + sizeof value);
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

// Builds one array: validity first, then what the type asks for.
class Builder {
 public:
  Builder(const ArrowSchema &schema, const Values &values) : schema_(schema), values_(values), format_(schema.format) {}

  ArrowArray build() {
    if (format_ != "n") validity();
    if (schema_.dictionary != nullptr) {
      dictionary();
    } else if (format_ == "u" || format_ == "z") {
      variable<std::int32_t>();
    } else if (format_ == "U" || format_ == "Z") {
      variable<std::int64_t>();
    } else if (format_ == "+l" || format_ == "+m") {
      list<std::int32_t>();
    } else if (format_ == "+L") {
      list<std::int64_t>();
    } else if (format_.substr(0, 3) == "+w:") {
      fixed_size_list();
    } else if (format_ == "+s") {
      structs();
    } else if (format_ == "b") {
      bits();
    } else if (format_ != "n") {
      auto &bytes = buffer();
      for (const auto &value : values_) fixed(bytes, value);
    }
    return finish();
  }

 private:
  ByteList &buffer() { return parts_->buffers.emplace_back(); }

  void validity() {
    auto &bits = buffer();
    bits.resize((values_.size() + 7) / 8);
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (values_[i].is_null()) {
        ++null_count_;
      } else {
        bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | 1U << (i % 8));
      }
    }
    if (null_count_ == 0) bits.clear();  // every value is there: no buffer is needed
  }

  void bits() {
    ByteList bits((values_.size() + 7) / 8);
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (!values_[i].is_null() && values_[i].get<bool>())
        bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | 1U << (i % 8));
    }
    buffer() = std::move(bits);
  }

  template <typename Offset>
  void variable() {
    ByteList offsets, bytes;
    append(offsets, Offset{0});
    for (const auto &value : values_) {
      if (!value.is_null()) {
        const auto text = value.get<std::string>();
        const auto data = format_ == "z" || format_ == "Z" ? from_base64(text) : ByteList(text.begin(), text.end());
        bytes.insert(bytes.end(), data.begin(), data.end());
      }
      append(offsets, static_cast<Offset>(bytes.size()));
    }
    buffer() = std::move(offsets);
    buffer() = std::move(bytes);
  }

  template <typename Offset>
  void list() {
    ByteList offsets;
    Values items;
    append(offsets, Offset{0});
    for (const auto &value : values_) {
      items.insert(items.end(), value.begin(), value.end());
      append(offsets, static_cast<Offset>(items.size()));
    }
    buffer() = std::move(offsets);
    child(0, items);
  }

  void fixed_size_list() {
    const auto size = static_cast<std::size_t>(std::stoul(std::string(format_.substr(3))));
    Values items;
    for (const auto &value : values_) {
      if (!value.is_null() && value.size() != size) throw Failure("a list of another size: " + value.dump());
      for (std::size_t i = 0; i < size; ++i) items.push_back(value.is_null() ? filler(*schema_.children[0]) : value[i]);
    }
    child(0, items);
  }

  void structs() {
    for (std::int64_t i = 0; i < schema_.n_children; ++i) {
      Values fields;
      for (const auto &value : values_) {
        fields.push_back(value.is_null() ? filler(*schema_.children[i]) : value.at(static_cast<std::size_t>(i)));
      }
      child(i, fields);
    }
  }

  // What stands below a NULL, where nobody looks.
  static json filler(const ArrowSchema &) { return nullptr; }

  void dictionary() {
    Values distinct;
    Values indices;
    for (const auto &value : values_) {
      if (value.is_null()) {
        indices.push_back(nullptr);
        continue;
      }
      std::size_t place = 0;
      while (place < distinct.size() && distinct[place] != value) ++place;
      if (place == distinct.size()) distinct.push_back(value);
      indices.push_back(place);
    }
    auto &bytes = buffer();
    for (const auto &index : indices) fixed(bytes, index);
    parts_->dictionary = Builder(*schema_.dictionary, distinct).build();
  }

  void child(std::int64_t index, const Values &values) {
    parts_->children.push_back(Builder(*schema_.children[index], values).build());
  }

  // Appends a value of fixed width; zeros for NULL.
  void fixed(ByteList &bytes, const json &value) const {
    switch (format_[0]) {
      case 'c': return append(bytes, static_cast<std::int8_t>(number(value)));
      case 'C': return append(bytes, static_cast<std::uint8_t>(number(value)));
      case 's': return append(bytes, static_cast<std::int16_t>(number(value)));
      case 'S':
      case 'e': return append(bytes, static_cast<std::uint16_t>(number(value)));
      case 'i': return append(bytes, static_cast<std::int32_t>(number(value)));
      case 'I': return append(bytes, static_cast<std::uint32_t>(number(value)));
      case 'l': return append(bytes, number(value));
      case 'L': return append(bytes, value.is_null() ? 0 : to_unsigned(value));
      case 'f': return append(bytes, static_cast<float>(real(value)));
      case 'g': return append(bytes, real(value));
      case 't': return moment(bytes, value);
      case 'w':
        return sized(bytes, value.is_null() ? ByteList() : from_base64(value.get<std::string>()), width_behind_colon());
      case 'd': return decimal(bytes, value);
      default: throw Failure("no builder for format " + std::string(format_));
    }
  }

  static std::int64_t number(const json &value) { return value.is_null() ? 0 : to_signed(value); }
  static double real(const json &value) { return value.is_null() ? 0 : to_double(value); }

  // Dates, times, timestamps, durations and intervals.
  void moment(ByteList &bytes, const json &value) const {
    if (format_ == "tiD" || format_ == "tin") {
      append(bytes, static_cast<std::int32_t>(value.is_null() ? 0 : number(value.at(0))));
      append(bytes, static_cast<std::int32_t>(value.is_null() ? 0 : number(value.at(1))));
      if (format_ == "tin") append(bytes, value.is_null() ? std::int64_t{0} : number(value.at(2)));
    } else if (format_ == "tdD" || format_ == "tts" || format_ == "ttm" || format_ == "tiM") {
      append(bytes, static_cast<std::int32_t>(number(value)));
    } else {
      append(bytes, number(value));
    }
  }

  void decimal(ByteList &bytes, const json &value) const {
    const std::size_t width = format_.substr(format_.size() - 4) == ",256" ? 32 : 16;
    const auto scale = static_cast<std::size_t>(std::stoul(std::string(format_.substr(format_.find(',') + 1))));
    sized(bytes, value.is_null() ? ByteList() : decimal_bytes(value.get<std::string>(), scale, width), width);
  }

  static void sized(ByteList &bytes, ByteList value, std::size_t width) {
    if (!value.empty() && value.size() != width) throw Failure("a value of another width");
    value.resize(width);
    bytes.insert(bytes.end(), value.begin(), value.end());
  }

  std::size_t width_behind_colon() const {
    return static_cast<std::size_t>(std::stoul(std::string(format_.substr(format_.find(':') + 1))));
  }

  ArrowArray finish() {
    auto &parts = *parts_;
    static const ByteList nothing(64);
    for (std::size_t i = 0; i < parts.buffers.size(); ++i) {
      const auto &buffer = parts.buffers[i];
      parts.buffer_pointers.push_back(!buffer.empty() ? buffer.data() : i == 0 ? nullptr : nothing.data());
    }
    for (auto &child : parts.children) parts.child_pointers.push_back(&child);
    ArrowArray array{};
    array.length = static_cast<std::int64_t>(values_.size());
    array.null_count = format_ == "n" ? array.length : null_count_;
    array.n_buffers = static_cast<std::int64_t>(parts.buffer_pointers.size());
    array.n_children = static_cast<std::int64_t>(parts.child_pointers.size());
    array.buffers = parts.buffer_pointers.data();
    array.children = parts.child_pointers.data();
    array.dictionary = parts.dictionary.release == nullptr ? nullptr : &parts.dictionary;
    array.release = release_array;
    array.private_data = parts_.release();
    return array;
  }

  const ArrowSchema &schema_;
  const Values &values_;
  std::string_view format_;
  std::int64_t null_count_ = 0;
  std::unique_ptr<ArrayParts> parts_ = std::make_unique<ArrayParts>();
};

}  // namespace

armillaria::Stream build_rows(const json &columns, const json &rows, std::size_t batch_rows) {
  auto schema = std::make_shared<const armillaria::Schema>(rows_schema(columns));
  const std::size_t size = batch_rows == 0 ? std::max<std::size_t>(rows.size(), 1) : batch_rows;
  auto next = [schema, rows, size, at = std::size_t{0}]() mutable -> std::optional<armillaria::Batch> {
    if (at >= rows.size()) return std::nullopt;
    const auto end = std::min(at + size, rows.size());
    const Values values(rows.begin() + static_cast<std::ptrdiff_t>(at),
                        rows.begin() + static_cast<std::ptrdiff_t>(end));
    at = end;
    auto array = Builder(*schema->get(), values).build();
    return armillaria::Batch(&array, schema);
  };
  return armillaria::produce(armillaria::share(schema), next);
}

}  // namespace conformance
