/// \file
/// Streams whose rows come from C++ code. Part of armillaria.hpp.
#pragma once

#include <armillaria/stream.hpp>
#include <cerrno>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace armillaria {

namespace detail {

/// A part of a schema that is handed out: its texts belong to the shared schema, its child pointers to itself, so that
/// a consumer may move parts out of it, as the C data interface allows.
struct SharedSchemaNode {
  std::shared_ptr<const Schema> schema;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema *> child_pointers;
  ArrowSchema dictionary{};

  static void release(ArrowSchema *schema) {
    const std::unique_ptr<SharedSchemaNode> node(static_cast<SharedSchemaNode *>(schema->private_data));
    for (auto &child : node->children) {
      if (child.release != nullptr) child.release(&child);
    }
    if (node->dictionary.release != nullptr) node->dictionary.release(&node->dictionary);
    schema->release = nullptr;
  }
};

inline Schema share(const std::shared_ptr<const Schema> &schema, const ArrowSchema &part) {
  auto node = std::make_unique<SharedSchemaNode>();
  node->schema = schema;
  ArrowSchema out = part;
  out.release = SharedSchemaNode::release;
  out.private_data = node.get();
  Schema owner(&out);  // releases what was made so far if memory runs out below
  auto *unfinished = node.release();
  unfinished->children.reserve(static_cast<std::size_t>(part.n_children));
  unfinished->child_pointers.reserve(static_cast<std::size_t>(part.n_children));
  for (std::int64_t i = 0; i < part.n_children; ++i) {
    unfinished->children.push_back(share(schema, *part.children[i]).release());
  }
  for (auto &child : unfinished->children) unfinished->child_pointers.push_back(&child);
  owner.get()->children = unfinished->child_pointers.data();
  if (part.dictionary != nullptr) {
    unfinished->dictionary = share(schema, *part.dictionary).release();
    owner.get()->dictionary = &unfinished->dictionary;
  }
  return owner;
}

/// What stands behind a stream that C++ code fills.
struct Producer {
  std::shared_ptr<const Schema> schema;
  std::function<std::optional<Batch>()> next_batch;
  std::string failure;

  static Producer &of(ArrowArrayStream *stream) noexcept { return *static_cast<Producer *>(stream->private_data); }

  /// Runs C++ code for a C caller: an exception becomes the stream's error.
  template <typename Work>
  int guard(Work work) noexcept {
    try {
      work();
      return 0;
    } catch (const Error &error) {
      return fail("ARM-" + std::to_string(error.number()) + " " + error.what());
    } catch (const std::bad_alloc &) {
      return ENOMEM;
    } catch (const std::exception &error) {
      return fail(error.what());
    } catch (...) {
      return fail("the producer of the rows threw something that is not a std::exception");
    }
  }

  int fail(std::string text) noexcept {
    failure = std::move(text);
    return EIO;
  }

  static int get_schema(ArrowArrayStream *stream, ArrowSchema *out) {
    auto &self = of(stream);
    return self.guard([&] { *out = share(self.schema, *self.schema->get()).release(); });
  }

  static int get_next(ArrowArrayStream *stream, ArrowArray *out) {
    auto &self = of(stream);
    return self.guard([&] {
      auto batch = self.next_batch();
      if (batch && batch->num_columns() != self.schema->size())
        throw_error(Code::schema_mismatch, "a batch of " + std::to_string(batch->num_columns()) +
                                               " columns came from a producer of " +
                                               std::to_string(self.schema->size()));
      *out = batch ? batch->release() : ArrowArray{};
    });
  }

  static const char *get_last_error(ArrowArrayStream *stream) {
    const auto &failure = of(stream).failure;
    return failure.empty() ? nullptr : failure.c_str();
  }

  static void release(ArrowArrayStream *stream) {
    delete &of(stream);
    stream->release = nullptr;
  }
};

}  // namespace detail

/// A copy of a schema that shares its texts; the original may go.
inline Schema share(const std::shared_ptr<const Schema> &schema) { return detail::share(schema, *schema->get()); }

/// A stream whose batches `next` makes, until it answers none; each must have the columns of `schema`. `next` is called
/// by one thread at a time, which may not be the one that made the stream. What it throws is the error of whoever reads
/// the stream, such as `write_table`.
inline Stream produce(Schema schema, std::function<std::optional<Batch>()> next) {
  auto producer = std::make_unique<detail::Producer>();
  producer->schema = std::make_shared<const Schema>(std::move(schema));
  producer->next_batch = std::move(next);
  ArrowArrayStream stream{};
  stream.get_schema = detail::Producer::get_schema;
  stream.get_next = detail::Producer::get_next;
  stream.get_last_error = detail::Producer::get_last_error;
  stream.release = detail::Producer::release;
  stream.private_data = producer.release();
  return Stream(&stream);
}

}  // namespace armillaria
