/// \file
/// How the C functions are called. Not for users; part of armillaria.hpp.
#pragma once

#include <armillaria.h>

#include <armillaria/error.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace armillaria::detail {

/// Throws unless the library that was loaded fits the header that this program was compiled with.
inline void require_abi(std::uint32_t library, const char *version) {
  if (library == ARMILLARIA_ABI_VERSION) return;
  throw_error(Code::unsupported, "this program was compiled for version " + std::to_string(ARMILLARIA_ABI_VERSION) +
                                     " of Armillaria's C ABI, but the library found at run time is Armillaria " +
                                     version + " with ABI version " + std::to_string(library) +
                                     "; load the library that belongs to the header, or compile again");
}

/// Checks the library once in the life of the program; everything that makes a first handle calls this.
inline void check_abi() {
  static const bool checked = (require_abi(armillaria_abi_version(), armillaria_version()), true);
  static_cast<void>(checked);
}

/// Calls a function of the library whose last argument receives the error; throws if it fails.
template <typename Function, typename... Arguments>
void call(Function function, Arguments... arguments) {
  ArmillariaError *error = nullptr;
  const auto status = static_cast<std::uint32_t>(function(arguments..., &error));
  if (status != ARMILLARIA_STATUS_OK) throw_owned(status, error);
}

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T *object) const noexcept {
    Free(object);
  }
};

/// What the library handed out and `Free` takes back.
template <typename T, auto Free>
using Owned = std::unique_ptr<T, Freer<Free>>;

/// Calls a function whose last but one argument receives a new object, and owns what it made; throws if it fails.
template <typename T, auto Free, typename Function, typename... Arguments>
Owned<T, Free> obtain(Function function, Arguments... arguments) {
  T *object = nullptr;
  call(function, arguments..., &object);
  return Owned<T, Free>(object);
}

/// Lends a text that is given, even if it is empty.
inline ArmillariaString lend(std::string_view text) noexcept {
  ArmillariaString lent{};
  lent.data = text.data() == nullptr ? "" : text.data();
  lent.len = text.size();
  return lent;
}

/// Lends a text that may not be given.
inline ArmillariaString lend_optional(const std::optional<std::string> &text) noexcept {
  return text ? lend(*text) : ArmillariaString{};
}

/// Lends a list of texts, which must outlive the list.
inline std::vector<ArmillariaString> lend_all(const std::vector<std::string> &texts) {
  std::vector<ArmillariaString> lent;
  lent.reserve(texts.size());
  for (const auto &text : texts) lent.push_back(lend(text));
  return lent;
}

inline std::string text(const ArmillariaString &borrowed) {
  return borrowed.data == nullptr ? std::string() : std::string(borrowed.data, borrowed.len);
}

inline std::optional<std::string> optional_text(const ArmillariaString &borrowed) {
  if (borrowed.data == nullptr) return std::nullopt;
  return std::string(borrowed.data, borrowed.len);
}

inline std::vector<std::string> texts(const ArmillariaString *items, std::size_t len) {
  std::vector<std::string> copied;
  copied.reserve(len);
  for (std::size_t i = 0; i < len; ++i) copied.push_back(text(items[i]));
  return copied;
}

template <typename T>
std::optional<T> optional_value(bool given, T value) {
  return given ? std::optional<T>(value) : std::nullopt;
}

}  // namespace armillaria::detail
