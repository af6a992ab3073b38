// One step of a case, and the handles that a case has.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "types.hpp"
#include "values.hpp"

namespace conformance {

// The fields of a step. Remembers which were asked for, so that an unknown one is noticed.
class Step {
 public:
  explicit Step(json fields) : fields_(std::move(fields)) {}

  const json *find(const std::string &name) {
    used_.insert(name);
    const auto found = fields_.find(name);
    return found == fields_.end() ? nullptr : &*found;
  }
  const json &get(const std::string &name) {
    const auto *value = find(name);
    if (value == nullptr) throw Failure("the step has no " + name);
    return *value;
  }
  bool has(const std::string &name) { return find(name) != nullptr; }

  std::string text(const std::string &name) { return get(name).get<std::string>(); }
  std::string text_or(const std::string &name, const std::string &otherwise) {
    return has(name) ? text(name) : otherwise;
  }
  std::optional<std::string> optional_text(const std::string &name) {
    return has(name) ? std::optional<std::string>(text(name)) : std::nullopt;
  }
  std::vector<std::string> texts(const std::string &name) {
    return has(name) ? get(name).get<std::vector<std::string>>() : std::vector<std::string>();
  }
  bool flag(const std::string &name) { return has(name) && get(name).get<bool>(); }
  std::uint64_t number(const std::string &name) { return to_unsigned(get(name)); }
  std::optional<std::uint64_t> optional_number(const std::string &name) {
    return has(name) ? std::optional<std::uint64_t>(number(name)) : std::nullopt;
  }

  void check_all_used() const {
    static const std::set<std::string> of_all = {"op", "on", "as", "expect", "error", "save", "note"};
    for (const auto &[name, value] : fields_.items()) {
      if (used_.count(name) == 0 && of_all.count(name) == 0) throw Failure("unknown argument " + name);
    }
  }

 private:
  json fields_;
  std::set<std::string> used_;
};

// A database remembers how it was opened, so that it can be opened again.
struct OpenDatabase {
  armillaria::Database database;
  Step opened_by;
};

using Handle = std::variant<OpenDatabase, armillaria::Transaction, armillaria::Subscription, armillaria::Stream,
                            armillaria::ChunkStore, armillaria::CancelToken>;

// The handles of a case by name, released newest first.
class Handles {
 public:
  Handles() = default;
  Handles(const Handles &) = delete;
  Handles &operator=(const Handles &) = delete;
  ~Handles() {
    while (!handles_.empty()) handles_.pop_back();
  }

  void put(const std::string &name, Handle handle) {
    release_if_there(name);
    handles_.emplace_back(name, std::make_unique<Handle>(std::move(handle)));
  }
  Handle &get(const std::string &name) {
    for (auto &[known, handle] : handles_) {
      if (known == name) return *handle;
    }
    throw Failure("there is no handle " + name);
  }
  template <typename Kind>
  Kind &get(const std::string &name) {
    auto *handle = std::get_if<Kind>(&get(name));
    if (handle == nullptr) throw Failure("the operation is not for the handle " + name);
    return *handle;
  }
  void release(const std::string &name) {
    get(name);
    release_if_there(name);
  }

 private:
  void release_if_there(const std::string &name) {
    for (auto handle = handles_.begin(); handle != handles_.end(); ++handle) {
      if (handle->first == name) {
        handles_.erase(handle);
        return;
      }
    }
  }

  std::vector<std::pair<std::string, std::unique_ptr<Handle>>> handles_;
};

// What a running case has.
struct Case {
  std::filesystem::path directory;
  std::filesystem::path fixtures;
  Handles handles;

  // A path of a case: below its directory, unless it means something else.
  std::string place(const std::string &path) const {
    const bool as_it_is = path.empty() || path == "memory:" || path.find("://") != std::string::npos;
    return as_it_is ? path : (directory / path).string();
  }
};

// Runs the operation that a step names and answers its result.
json run_operation(Step &step, Case &running);

}  // namespace conformance
