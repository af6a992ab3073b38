/// \file
/// Rows, as Arrow's C data interface hands them over: without a copy. Part of armillaria.hpp.
///
/// Hand a stream to Arrow C++ (`arrow::ImportRecordBatchReader(rows.get())`), nanoarrow, DuckDB or anything else that
/// speaks the interface, or read it here batch by batch.
#pragma once

#include <armillaria.h>

#include <armillaria/column.hpp>
#include <armillaria/error.hpp>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace armillaria {

namespace detail {

/// Owns a struct of the Arrow C data interface. Moving it moves the struct, as the interface demands.
template <typename T>
class ArrowOwner {
 public:
  ArrowOwner() = default;
  /// Takes over what `source` holds and leaves it released. `source` may be null.
  explicit ArrowOwner(T *source) noexcept {
    if (source != nullptr) value_ = std::exchange(*source, T{});
  }
  ArrowOwner(ArrowOwner &&other) noexcept : value_(std::exchange(other.value_, T{})) {}
  ArrowOwner &operator=(ArrowOwner &&other) noexcept {
    if (this != &other) {
      reset();
      value_ = std::exchange(other.value_, T{});
    }
    return *this;
  }
  ~ArrowOwner() { reset(); }

  T *get() noexcept { return &value_; }
  const T *get() const noexcept { return &value_; }
  T release() noexcept { return std::exchange(value_, T{}); }
  bool empty() const noexcept { return value_.release == nullptr; }
  void reset() noexcept {
    if (value_.release != nullptr) value_.release(&value_);
    value_ = T{};
  }

 private:
  T value_{};
};

}  // namespace detail

/// The columns of a stream or a table. Owns an `ArrowSchema`. One thread at a time may change it, any may read.
class Schema {
 public:
  Schema() = default;
  /// Takes over what `source` holds and leaves it released.
  explicit Schema(ArrowSchema *source) noexcept : owner_(source) {}

  /// The number of columns.
  std::size_t size() const noexcept { return static_cast<std::size_t>(owner_.get()->n_children); }
  /// The name of a column; borrowed. `std::out_of_range`.
  std::string_view name(std::size_t column) const { return at(column).name == nullptr ? "" : at(column).name; }
  /// The type of a column as a format string of Arrow's C data interface: `l` is int64, `u` is text; borrowed.
  std::string_view format(std::size_t column) const { return at(column).format; }
  /// The place of the column with this name, if there is one.
  std::optional<std::size_t> find(std::string_view name) const {
    for (std::size_t i = 0; i < size(); ++i) {
      if (this->name(i) == name) return i;
    }
    return std::nullopt;
  }

  /// The struct, borrowed. Whoever takes it over from here leaves this released.
  ArrowSchema *get() noexcept { return owner_.get(); }
  const ArrowSchema *get() const noexcept { return owner_.get(); }
  /// Gives the struct away; the caller must call its `release`.
  ArrowSchema release() noexcept { return owner_.release(); }

 private:
  const ArrowSchema &at(std::size_t column) const {
    if (column >= size()) throw std::out_of_range("the schema has no column " + std::to_string(column));
    return *owner_.get()->children[column];
  }

  detail::ArrowOwner<ArrowSchema> owner_;
};

/// Some rows of a stream. Owns an `ArrowArray` of struct type, one child for each column. It may outlive its stream,
/// move between threads, and be read by several at once.
class Batch {
 public:
  /// Takes over what `source` holds and leaves it released. `schema` must be the one of the array.
  Batch(ArrowArray *source, std::shared_ptr<const Schema> schema) noexcept
      : owner_(source), schema_(std::move(schema)) {}

  std::size_t num_rows() const noexcept { return static_cast<std::size_t>(owner_.get()->length); }
  std::size_t num_columns() const noexcept { return static_cast<std::size_t>(owner_.get()->n_children); }
  const Schema &schema() const noexcept {
    static const Schema none;  // of a batch that was moved from
    return schema_ == nullptr ? none : *schema_;
  }
  const std::shared_ptr<const Schema> &shared_schema() const noexcept { return schema_; }

  /// A view of a column, valid as long as the batch. `std::out_of_range`.
  Column column(std::size_t index) const {
    if (index >= num_columns() || index >= schema().size())
      throw std::out_of_range("the batch has no column " + std::to_string(index));
    const auto &batch = *owner_.get();
    return Column(*schema().get()->children[index], *batch.children[index], batch.offset, batch.length);
  }
  /// The same by name.
  Column column(std::string_view name) const {
    const auto index = schema().find(name);
    if (!index) throw std::out_of_range("the batch has no column " + std::string(name));
    return column(*index);
  }

  /// The struct, borrowed. Whoever takes it over from here leaves this released.
  ArrowArray *get() noexcept { return owner_.get(); }
  const ArrowArray *get() const noexcept { return owner_.get(); }
  /// Gives the struct away; the caller must call its `release`.
  ArrowArray release() noexcept { return owner_.release(); }

 private:
  detail::ArrowOwner<ArrowArray> owner_;
  std::shared_ptr<const Schema> schema_;
};

/// Rows that arrive batch by batch. Owns an `ArrowArrayStream`. One thread at a time. It may outlive the database
/// that made it. Errors that turn up while it is read are thrown as those of any operation (`HASH_MISMATCH`,
/// `CANCELLED`, …), again and again.
///
///     for (const auto &batch : db.query("SELECT ...")) use(batch.column(0));
class Stream {
 public:
  /// An empty handle: every read of it is `CLOSED`.
  Stream() = default;
  /// Takes over what `source` holds and leaves it released.
  explicit Stream(ArrowArrayStream *source) noexcept : owner_(source) {}

  /// The columns, in a copy of the caller's own.
  Schema schema() {
    ArrowSchema schema{};
    const int failure = readable().get_schema(owner_.get(), &schema);
    if (failure != 0) fail(failure);
    return Schema(&schema);
  }

  /// The next batch; none at the end. Batches without rows are handed out as they come.
  std::optional<Batch> next() {
    ArrowArray array{};
    const int failure = readable().get_next(owner_.get(), &array);
    if (failure != 0) fail(failure);
    if (array.release == nullptr) return std::nullopt;
    detail::ArrowOwner<ArrowArray> rows(&array);
    if (!schema_) schema_ = std::make_shared<const Schema>(schema());
    return Batch(rows.get(), schema_);
  }

  /// The struct, borrowed. Whoever takes it over from here (as `arrow::ImportRecordBatchReader` does) leaves this
  /// empty.
  ArrowArrayStream *get() noexcept { return owner_.get(); }
  /// Gives the struct away; the caller must call its `release`.
  ArrowArrayStream release() noexcept {
    schema_.reset();
    return owner_.release();
  }

  /// Goes over the batches that are left, once.
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Batch;
    using difference_type = std::ptrdiff_t;
    using pointer = Batch *;
    using reference = Batch &;

    Iterator() = default;
    explicit Iterator(Stream *stream) : stream_(stream) { ++*this; }

    Batch &operator*() noexcept { return *batch_; }
    Batch *operator->() noexcept { return &*batch_; }
    Iterator &operator++() {
      batch_.reset();
      if ((batch_ = stream_->next()) == std::nullopt) stream_ = nullptr;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(const Iterator &other) const noexcept { return stream_ == other.stream_; }
    bool operator!=(const Iterator &other) const noexcept { return stream_ != other.stream_; }

   private:
    Stream *stream_ = nullptr;
    std::optional<Batch> batch_;
  };

  Iterator begin() { return Iterator(this); }
  Iterator end() { return {}; }

 private:
  ArrowArrayStream &readable() {
    if (owner_.empty()) throw_error(Code::closed, "the stream was given away or never opened");
    return *owner_.get();
  }

  [[noreturn]] void fail(int failure) {
    detail::throw_stream_error(failure, owner_.get()->get_last_error(owner_.get()));
  }

  detail::ArrowOwner<ArrowArrayStream> owner_;
  std::shared_ptr<const Schema> schema_;
};

}  // namespace armillaria
