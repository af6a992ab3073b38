// Runs the conformance suite through the C++ SDK.
// Usage: conformance PATH_OF_CONFORMANCE_TESTS PATH_OF_SKIPS
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "match.hpp"
#include "results.hpp"
#include "step.hpp"

namespace {

using namespace conformance;
namespace fs = std::filesystem;

json read_json(const fs::path &path) {
  std::ifstream file(path);
  if (!file) throw Failure("cannot read " + path.string());
  return json::parse(file);
}

// A directory that is removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    auto pattern = (fs::temp_directory_path() / "armillaria-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw Failure("cannot make a temporary directory");
    path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;  // a leftover in the temporary directory harms nobody
    fs::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory &) = delete;
  TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;
  const fs::path &path() const { return path_; }

 private:
  fs::path path_;
};

void run_step(const json &fields, Case &running, Saved &saved) {
  const auto resolved = resolve(fields, saved);
  Step step(resolved);
  json result;
  try {
    result = run_operation(step, running);
  } catch (const armillaria::Error &error) {
    const auto answer = show(error);
    if (!resolved.contains("error")) throw Failure("expected success, got " + answer.dump());
    return check(resolved["error"], answer);
  }
  if (resolved.contains("error")) {
    throw Failure("expected the error " + resolved["error"].dump() + ", got " + result.dump());
  }
  step.check_all_used();
  if (resolved.contains("expect")) check(resolved["expect"], result);
  if (!resolved.contains("save")) return;
  for (const auto &[name, pointer] : resolved["save"].items()) {
    saved[name] = result.at(json::json_pointer(pointer.get<std::string>()));
  }
}

// Runs one case; the answer says what went wrong, and is empty if nothing did.
std::string run_case(const fs::path &file, const fs::path &fixtures) {
  const TemporaryDirectory directory;
  Case running{directory.path(), fixtures, {}};
  Saved saved;
  std::size_t number = 0;
  std::string operation;
  try {
    const auto content = read_json(file);
    if (content.at("schema") != "1.0") throw Failure("the case is of schema " + content["schema"].dump());
    for (const auto &fields : content.at("steps")) {
      ++number;
      operation = fields.at("op").get<std::string>();
      run_step(fields, running, saved);
    }
    return number > 0 ? "" : "the case has no steps";
  } catch (const std::exception &error) {
    return "step " + std::to_string(number) + " (" + operation + "): " + error.what();
  }
}

std::vector<std::string> case_names(const fs::path &cases) {
  std::vector<std::string> names;
  for (const auto &entry : fs::recursive_directory_iterator(cases)) {
    if (entry.path().extension() == ".json") {
      names.push_back(fs::relative(entry.path(), cases).replace_extension().generic_string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

json outcome(const std::string &name, const std::string &problem, const json &skips) {
  const bool listed = skips.contains(name);
  if (listed && problem.empty())
    return {{"case", name}, {"status", "failed"}, {"reason", "is on the list of skips and passes"}};
  if (listed) return {{"case", name}, {"status", "skipped"}, {"reason", skips[name]}};
  return {{"case", name}, {"status", problem.empty() ? "passed" : "failed"}, {"reason", problem}};
}

json run_suite(const fs::path &suite, const json &skips) {
  const char *only = std::getenv("ARMILLARIA_CONFORMANCE_CASE");
  auto results = json::array();
  const auto names = case_names(suite / "cases");
  for (const auto &name : names) {
    if (only != nullptr && name != only) continue;
    results.push_back(outcome(name, run_case(suite / "cases" / (name + ".json"), suite / "fixtures"), skips));
  }
  for (const auto &[name, reason] : skips.items()) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      results.push_back(
          {{"case", name}, {"status", "failed"}, {"reason", "is on the list of skips and does not exist"}});
    }
  }
  if (results.empty()) throw Failure("there are no such cases below " + (suite / "cases").string());
  return results;
}

void write_report(const json &results) {
  const char *named = std::getenv("ARMILLARIA_CONFORMANCE_REPORT");
  const fs::path path = named != nullptr ? named : "target/conformance/cpp.json";
  if (path.has_parent_path()) fs::create_directories(path.parent_path());
  std::ofstream file(path);
  file << json{{"sdk", "cpp"}, {"results", results}}.dump(1) << "\n";
  if (!file.flush()) throw Failure("cannot write " + path.string());
}

}  // namespace

int main(int count, char **arguments) {
  if (count != 3) {
    std::cerr << "usage: conformance PATH_OF_CONFORMANCE_TESTS PATH_OF_SKIPS\n";
    return 2;
  }
  try {
    const auto results = run_suite(arguments[1], read_json(arguments[2]));
    write_report(results);
    std::map<std::string, int> counts;
    for (const auto &result : results) {
      const auto status = result["status"].get<std::string>();
      ++counts[status];
      if (status == "failed")
        std::cout << "FAILED " << result["case"].get<std::string>() << ": " << result["reason"].get<std::string>()
                  << "\n";
    }
    std::cout << "C++ conformance: " << counts["passed"] << " passed, " << counts["failed"] << " failed, "
              << counts["skipped"] << " skipped\n";
    return counts["failed"] == 0 ? 0 : 1;
  } catch (const std::exception &error) {
    std::cerr << "conformance: " << error.what() << "\n";
    return 1;
  }
}
