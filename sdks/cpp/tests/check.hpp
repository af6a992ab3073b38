// A test framework of one page. `TEST(name) { CHECK(...); }`; a failed check ends its test and fails the program.
#pragma once

#include <armillaria.hpp>
#include <cstdint>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace check {

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

using Test = std::pair<const char *, std::function<void()>>;

inline std::vector<Test> &tests() {
  static std::vector<Test> all;
  return all;
}

struct Register {
  Register(const char *name, std::function<void()> test) { tests().emplace_back(name, std::move(test)); }
};

inline std::string place(const char *file, int line) { return std::string(file) + ":" + std::to_string(line) + ": "; }

template <typename A, typename B>
void equal(const A &actual, const B &expected, const char *text, const char *file, int line) {
  if (actual == expected) return;
  std::ostringstream message;
  message << place(file, line) << text << " is " << actual << ", expected " << expected;
  throw Failure(message.str());
}

inline int run_all(const char *program) {
  int failed = 0;
  for (const auto &[name, test] : tests()) {
    try {
      test();
      std::cout << "ok      " << name << "\n";
    } catch (const std::exception &error) {
      ++failed;
      std::cout << "FAILED  " << name << "\n  " << error.what() << "\n";
    }
  }
  const auto name = std::string(program).substr(std::string(program).rfind('/') + 1);
  std::cout << "C++ " << name << ": " << tests().size() - static_cast<std::size_t>(failed) << " passed, " << failed
            << " failed" << std::endl;
  return failed == 0 && !tests().empty() ? 0 : 1;
}

}  // namespace check

#define TEST(name)                                           \
  static void name();                                        \
  static const check::Register register_##name(#name, name); \
  static void name()

#define CHECK(condition)                                                                                      \
  do {                                                                                                        \
    if (!(condition)) throw check::Failure(check::place(__FILE__, __LINE__) + #condition + " does not hold"); \
  } while (false)

#define CHECK_EQUAL(actual, expected) check::equal(actual, expected, #actual, __FILE__, __LINE__)

// The statement throws `Class` (and is no mere base of it) with this code.
#define CHECK_THROWS(Class, expected_code, ...)                                                                   \
  do {                                                                                                            \
    bool thrown = false;                                                                                          \
    try {                                                                                                         \
      __VA_ARGS__;                                                                                                \
    } catch (const armillaria::Class &error) {                                                                    \
      thrown = true;                                                                                              \
      check::equal(std::string(error.name()), armillaria::name_of(armillaria::Code::expected_code), #__VA_ARGS__, \
                   __FILE__, __LINE__);                                                                           \
    }                                                                                                             \
    if (!thrown) throw check::Failure(check::place(__FILE__, __LINE__) + #__VA_ARGS__ + " throws no " #Class);    \
  } while (false)
