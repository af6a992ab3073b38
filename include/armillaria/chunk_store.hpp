/// \file
/// The content-addressed store below everything, usable alone. Part of armillaria.hpp.
#pragma once

#include <armillaria/copy.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace armillaria {

/// Immutable bytes named by their BLAKE3 hash, in a directory. Any thread, also several at once.
class ChunkStore {
 public:
  /// Opens a directory, making it unless it is read-only.
  explicit ChunkStore(std::string_view directory, bool read_only = false) {
    detail::check_abi();
    handle_ = detail::obtain<ArmillariaChunkStore, armillaria_chunk_store_free>(armillaria_chunk_store_open,
                                                                                detail::lend(directory), read_only);
  }

  /// Stores bytes; durable when this returns. Answers their hash, 64 hexadecimal digits.
  std::string put(const void *data, std::size_t len) const {
    return detail::obtain_text(armillaria_chunk_store_put, handle_.get(), static_cast<const std::uint8_t *>(data), len);
  }
  std::string put(std::string_view bytes) const { return put(bytes.data(), bytes.size()); }
  std::string put(const Bytes &bytes) const { return put(bytes.data(), bytes.size()); }

  /// The bytes of a hash, not checked. `CHUNK_NOT_FOUND`.
  Bytes get(std::string_view hash) const { return bytes(armillaria_chunk_store_get, hash); }

  /// The bytes of a hash, checked against it. `CHUNK_NOT_FOUND`, `HASH_MISMATCH`.
  Bytes get_verified(std::string_view hash) const { return bytes(armillaria_chunk_store_get_verified, hash); }

  bool exists(std::string_view hash) const {
    bool there = false;
    detail::call(armillaria_chunk_store_exists, handle_.get(), detail::lend(hash), &there);
    return there;
  }

  /// All hashes.
  std::vector<std::string> list() const { return detail::obtain_texts(armillaria_chunk_store_list, handle_.get()); }

  /// The C handle, borrowed.
  const ArmillariaChunkStore *get() const noexcept { return handle_.get(); }

 private:
  template <typename Function>
  Bytes bytes(Function function, std::string_view hash) const {
    const auto buffer =
        detail::obtain<const ArmillariaBuffer, armillaria_buffer_free>(function, handle_.get(), detail::lend(hash));
    return Bytes(buffer->data, buffer->data + buffer->len);
  }

  detail::Owned<ArmillariaChunkStore, armillaria_chunk_store_free> handle_;
};

}  // namespace armillaria
