// Branches, tags, merges.
#include "arguments.hpp"
#include "results.hpp"

namespace conformance {
namespace {

json merge_branch(Step &step, Case &running) {
  const std::map<std::string, MergeStrategy> strategies = {
      {"fail", MergeStrategy::fail}, {"ours", MergeStrategy::ours}, {"theirs", MergeStrategy::theirs}};
  MergeOptions options;
  options.strategy = choose(step, "strategy", strategies, options.strategy);
  options.dry_run = step.flag("dry_run");
  options.into = step.optional_text("into");
  options.message = step.optional_text("message");
  return show(database(step, running).merge_branch(step.text("source"), options));
}

}  // namespace

const Table &branch_operations() {
  static const Table table = {
      {"create_branch",
       [](Step &s, Case &c) {
         database(s, c).create_branch(s.text("branch"), at(s, "from"), s.optional_text("description"));
         return nothing;
       }},
      {"delete_branch", [](Step &s, Case &c) { return database(s, c).delete_branch(s.text("branch")), nothing; }},
      {"list_branches", [](Step &s, Case &c) { return json{{"branches", show_all(database(s, c).list_branches())}}; }},
      {"diff_branches", [](Step &s, Case &c) { return show(database(s, c).diff_branches(s.text("a"), s.text("b"))); }},
      {"merge_branch", merge_branch},
      {"revert",
       [](Step &s, Case &c) { return show(database(s, c).revert(s.number("tx_id"), s.optional_text("message"))); }},
      {"set_branch_versions",
       [](Step &s, Case &c) {
         return show(database(s, c).set_branch_versions(s.text("branch"), versions(s.get("versions")),
                                                        s.optional_text("message")));
       }},
      {"create_tag", [](Step &s, Case &c) { return database(s, c).create_tag(s.text("tag"), at(s)), nothing; }},
      {"delete_tag", [](Step &s, Case &c) { return database(s, c).delete_tag(s.text("tag")), nothing; }},
      {"list_tags", [](Step &s, Case &c) { return json{{"tags", show_all(database(s, c).list_tags())}}; }},
      {"table_changes",
       [](Step &s, Case &c) {
         return answer_rows(
             s, c, database(s, c).table_changes(s.text("table"), s.number("from"), s.number("to"), cancel(s, c)));
       }},
  };
  return table;
}

}  // namespace conformance
