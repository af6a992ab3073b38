// What cases do to files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "types.hpp"
#include "values.hpp"

namespace conformance {

inline ByteList read_file(const std::filesystem::path &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Failure("cannot read " + path.string());
  return ByteList(std::istreambuf_iterator<char>(file), {});
}

inline void write_bytes(const std::filesystem::path &path, const char *data, std::size_t len) {
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file.write(data, static_cast<std::streamsize>(len));
  if (!file.flush()) throw Failure("cannot write " + path.string());
}

inline void write_file(const std::filesystem::path &path, const std::string &text) {
  write_bytes(path, text.data(), text.size());
}

inline void copy_fixture(const std::filesystem::path &from, const std::filesystem::path &to) {
  std::filesystem::create_directories(to.parent_path());
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
}

inline std::filesystem::path chunk_file(const std::filesystem::path &repository, const std::string &hash) {
  if (hash.size() < 4) throw Failure("that is no hash: " + hash);
  return repository / "chunks" / hash.substr(0, 2) / hash.substr(2, 2) / (hash + ".parquet");
}

inline void remove_file(const std::filesystem::path &path) {
  if (!std::filesystem::remove(path)) throw Failure("there is no file " + path.string());
}

// Turns all bits of one byte, the one in the middle if no other is named. Chunks are read-only: a new file takes the
// place of the old one.
inline void corrupt(const std::filesystem::path &path, std::optional<std::uint64_t> offset) {
  auto bytes = read_file(path);
  auto &byte = bytes.at(offset.value_or(bytes.size() / 2));
  byte = static_cast<std::uint8_t>(~byte);
  remove_file(path);
  write_bytes(path, reinterpret_cast<const char *>(bytes.data()), bytes.size());
}

}  // namespace conformance
