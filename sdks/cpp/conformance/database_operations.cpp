// Opening and closing, transactions, the changelog, health.
#include "arguments.hpp"
#include "results.hpp"

namespace conformance {
namespace {

OpenOptions open_options(Step &step, Case &running) {
  OpenOptions options;
  options.create = !step.flag("must_exist");
  options.read_only = step.flag("read_only");
  options.external_access = step.flag("external_access");
  options.threads = static_cast<std::uint32_t>(step.optional_number("threads").value_or(0));
  options.memory_limit_bytes = step.optional_number("memory_limit_bytes").value_or(0);
  options.author = step.optional_text("author");
  if (step.has("cache_dir")) options.cache_dir = running.place(step.text("cache_dir"));
  return options;
}

Database open(Step &step, Case &running) {
  const auto options = open_options(step, running);
  if (!step.has("chunks")) return Database::open(running.place(step.text_or("location", "repo")), options);
  PartLocations parts;
  parts.chunks = running.place(step.text("chunks"));
  parts.catalog = running.place(step.text("catalog"));
  if (step.has("branches")) parts.branches = running.place(step.text("branches"));
  if (step.has("transactions")) parts.transactions = running.place(step.text("transactions"));
  return Database::open(parts, options);
}

json open_as(Step &step, Case &running, const std::string &name) {
  auto opened = open(step, running);
  running.handles.put(name, OpenDatabase{std::move(opened), step});
  return nothing;
}

json reopen(Step &step, Case &running) {
  const auto name = step.text("on");
  auto opened_by = running.handles.get<OpenDatabase>(name).opened_by;
  database(step, running).close();
  running.handles.release(name);
  return open_as(opened_by, running, name);
}

json close(Step &step, Case &running) {
  auto &handle = running.handles.get(step.text("on"));
  if (auto *subscription = std::get_if<Subscription>(&handle)) {
    subscription->close();
  } else {
    database(step, running).close();
  }
  return nothing;
}

json begin(Step &step, Case &running) {
  const std::map<std::string, Isolation> isolations = {{"snapshot", Isolation::snapshot},
                                                       {"serializable", Isolation::serializable}};
  BeginOptions options;
  options.isolation = choose(step, "isolation", isolations, options.isolation);
  options.branch = step.optional_text("branch");
  running.handles.put(step.text("as"), database(step, running).begin(options));
  return nothing;
}

ChangesOptions changes_options(Step &step) {
  const auto time = [&](const char *name) -> std::optional<Timestamp> {
    if (!step.has(name)) return std::nullopt;
    return Timestamp(std::chrono::microseconds(to_signed(step.get(name))));
  };
  ChangesOptions options;
  options.since_tx = step.optional_number("since_tx");
  options.until_tx = step.optional_number("until_tx");
  options.from_time = time("from_time_us");
  options.to_time = time("to_time_us");
  options.limit = step.optional_number("limit");
  options.tables = step.texts("tables");
  options.branch = step.optional_text("branch");
  return options;
}

json poll(Step &step, Case &running) {
  const std::chrono::milliseconds timeout(step.optional_number("timeout_ms").value_or(0));
  auto &subscription = running.handles.get<Subscription>(step.text("on"));
  const auto entry = subscription.next(timeout, cancel(step, running));
  return {{"entry", entry ? show(*entry) : json(nullptr)}};
}

}  // namespace

const Table &database_operations() {
  static const Table table = {
      {"open", [](Step &s, Case &c) { return open_as(s, c, s.text("as")); }},
      {"open_parts", [](Step &s, Case &c) { return open_as(s, c, s.text("as")); }},
      {"reopen", reopen},
      {"close", close},
      {"checkout", [](Step &s, Case &c) { return database(s, c).checkout(s.text("branch")), nothing; }},
      {"current_branch", [](Step &s, Case &c) { return json{{"branch", database(s, c).current_branch()}}; }},
      {"version", [](Step &, Case &) { return json{{"version", armillaria::version()}}; }},
      {"begin", begin},
      {"commit",
       [](Step &s, Case &c) {
         return show(c.handles.get<Transaction>(s.text("on")).commit(s.optional_text("message")));
       }},
      {"rollback", [](Step &s, Case &c) { return c.handles.get<Transaction>(s.text("on")).rollback(), nothing; }},
      {"latest_tx_id", [](Step &s, Case &c) { return json{{"tx_id", database(s, c).latest_tx_id()}}; }},
      {"changes",
       [](Step &s, Case &c) { return json{{"entries", show_all(database(s, c).changes(changes_options(s)))}}; }},
      {"subscribe",
       [](Step &s, Case &c) {
         return c.handles.put(s.text("as"), database(s, c).subscribe(changes_options(s))), nothing;
       }},
      {"poll", poll},
      {"cursor", [](Step &s, Case &c) { return json{{"tx_id", c.handles.get<Subscription>(s.text("on")).cursor()}}; }},
      {"verify", [](Step &s, Case &c) { return show(database(s, c).verify(s.flag("deep"), cancel(s, c))); }},
      {"stats", [](Step &s, Case &c) { return show(database(s, c).stats()); }},
      {"inspect",
       [](Step &s, Case &c) { return json{{"object", json::parse(database(s, c).inspect(s.text("object")))}}; }},
  };
  return table;
}

}  // namespace conformance
