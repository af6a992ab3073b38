// The vocabulary of the suite, one function for each operation.
#include <functional>
#include <map>
#include <thread>

#include "files.hpp"
#include "results.hpp"
#include "rows.hpp"
#include "step.hpp"

namespace conformance {
namespace {

using namespace armillaria;

const json nothing = json::object();

Database &database(Step &step, Case &running) { return running.handles.get<OpenDatabase>(step.text("on")).database; }

Transaction *transaction(Step &step, Case &running) {
  return std::get_if<Transaction>(&running.handles.get(step.text("on")));
}

const CancelToken *cancel(Step &step, Case &running) {
  return step.has("cancel") ? &running.handles.get<CancelToken>(step.text("cancel")) : nullptr;
}

TableVersions versions(const json &value) {
  TableVersions versions;
  for (const auto &[table, version] : value.items()) versions[table] = to_unsigned(version);
  return versions;
}

At at(Step &step, const std::string &name = "at") {
  if (!step.has(name)) return {};
  Step fields(step.get(name));
  At place;
  if (fields.has("tag")) place = At::tag(fields.text("tag"));
  if (fields.has("tx_id")) place = At::tx(fields.number("tx_id"));
  if (fields.has("time_us")) place = At::time(Timestamp(std::chrono::microseconds(to_signed(fields.get("time_us")))));
  if (fields.has("branch")) place = std::move(place).on_branch(fields.text("branch"));
  if (fields.has("versions")) {
    for (const auto &[table, version] : versions(fields.get("versions"))) {
      place = std::move(place).with_version(table, version);
    }
  }
  fields.check_all_used();
  return place;
}

Value value(const json &parameter) {
  const auto &kind = parameter.begin().key();
  const auto &content = parameter.begin().value();
  if (kind == "null") return nullptr;
  if (kind == "bool") return content.get<bool>();
  if (kind == "int") return to_signed(content);
  if (kind == "uint") return to_unsigned(content);
  if (kind == "float") return to_double(content);
  if (kind == "text") return content.get<std::string>();
  if (kind == "bytes") return from_base64(content.get<std::string>());
  if (kind == "date") return Date{to_signed(content)};
  if (kind == "time") return TimeOfDay{std::chrono::microseconds(to_signed(content))};
  if (kind == "timestamp") return Timestamp(std::chrono::microseconds(to_signed(content)));
  throw Failure("no such kind of parameter: " + kind);
}

Parameters parameters(Step &step) {
  if (!step.has("params")) return {};
  const auto &given = step.get("params");
  if (given.is_object()) {
    std::vector<std::pair<std::string, Value>> named;
    for (const auto &[name, parameter] : given.items()) named.emplace_back(name, value(parameter));
    return Parameters::named(std::move(named));
  }
  std::vector<Value> values;
  for (const auto &parameter : given) values.push_back(value(parameter));
  return Parameters(values);
}

template <typename Choice>
Choice choose(Step &step, const std::string &name, const std::map<std::string, Choice> &choices, Choice otherwise) {
  if (!step.has(name)) return otherwise;
  const auto found = choices.find(step.text(name));
  if (found == choices.end()) throw Failure("no such " + name + ": " + step.text(name));
  return found->second;
}

// Rows that an operation answered: read to the end, or kept unread under a name.
json answer_rows(Step &step, Case &running, Stream stream) {
  if (!step.has("as")) return drain(stream);
  running.handles.put(step.text("as"), std::move(stream));
  return nothing;
}

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

TableOptions table_options(Step &step) {
  return {step.texts("key"), step.optional_text("branch"), step.optional_text("message")};
}

json create_table(Step &step, Case &running) {
  const auto table = step.text("table");
  auto schema = rows_schema(step.get("columns"));
  const auto options = table_options(step);
  auto *open = transaction(step, running);
  if (open == nullptr) return show(database(step, running).create_table(table, std::move(schema), options));
  open->create_table(table, std::move(schema), options.key);
  return nothing;
}

json drop_table(Step &step, Case &running) {
  const auto table = step.text("table");
  auto *open = transaction(step, running);
  if (open == nullptr) return show(database(step, running).drop_table(table, table_options(step)));
  open->drop_table(table);
  return nothing;
}

json list_tables(Step &step, Case &running) {
  auto *open = transaction(step, running);
  if (open == nullptr) return {{"tables", show_all(database(step, running).list_tables(at(step)))}};
  return {{"tables", all(open->list_tables(), [](const auto &name) { return json{{"name", name}}; })}};
}

json table_schema(Step &step, Case &running) {
  auto *open = transaction(step, running);
  const auto table = step.text("table");
  const auto schema = open ? open->table_schema(table) : database(step, running).table_schema(table, at(step));
  return {{"columns", describe_columns(*schema.get())}};
}

// What is to be written: rows of the case, or what a SELECT on the same handle answers.
Stream rows_to_write(Step &step, Case &running) {
  if (!step.has("query")) {
    return build_rows(step.get("columns"), step.get("rows"), step.optional_number("batch_rows").value_or(0));
  }
  auto *open = transaction(step, running);
  return open ? open->query(step.text("query")) : database(step, running).query(step.text("query"));
}

json write_table(Step &step, Case &running) {
  const std::map<std::string, WriteMode> modes = {
      {"overwrite", WriteMode::overwrite}, {"append", WriteMode::append}, {"upsert", WriteMode::upsert}};
  WriteOptions options;
  options.mode = choose(step, "mode", modes, options.mode);
  options.key = step.texts("key");
  options.branch = step.optional_text("branch");
  options.message = step.optional_text("message");
  options.cancel = cancel(step, running);
  const auto table = step.text("table");
  auto rows = rows_to_write(step, running);
  auto *open = transaction(step, running);
  if (open == nullptr) return show(database(step, running).write_table(table, std::move(rows), options));
  open->write_table(table, std::move(rows), options);
  return nothing;
}

json read_table(Step &step, Case &running) {
  const auto table = step.text("table");
  const auto columns = step.has("columns") ? std::optional(step.texts("columns")) : std::nullopt;
  const auto *token = cancel(step, running);
  auto *open = transaction(step, running);
  auto rows = open ? open->read_table(table, columns, token)
                   : database(step, running).read_table(table, columns, at(step), token);
  return answer_rows(step, running, std::move(rows));
}

json query(Step &step, Case &running) {
  const auto sql = step.text("sql");
  const auto given = parameters(step);
  const auto *token = cancel(step, running);
  auto *open = transaction(step, running);
  auto rows = open ? open->query(sql, given, token) : database(step, running).query(sql, given, at(step), token);
  return answer_rows(step, running, std::move(rows));
}

json execute(Step &step, Case &running) {
  const auto sql = step.text("sql");
  const auto given = parameters(step);
  const auto *token = cancel(step, running);
  auto *open = transaction(step, running);
  if (open == nullptr) return show(database(step, running).execute(sql, given, token));
  open->execute(sql, given, token);
  return nothing;
}

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

json commit_chunks(Step &step, Case &running) {
  const auto table = step.text("table");
  const auto version = step.number("version");
  const auto hashes = step.texts("hashes");
  auto *open = transaction(step, running);
  if (open == nullptr) return show(database(step, running).commit_chunks(table, version, hashes, table_options(step)));
  open->commit_chunks(table, version, hashes);
  return nothing;
}

json put_chunk(Step &step, Case &running) {
  const auto bytes =
      step.has("fixture") ? read_file(running.fixtures / step.text("fixture")) : from_base64(step.text("data"));
  return {{"hash", running.handles.get<ChunkStore>(step.text("on")).put(bytes)}};
}

using Operation = std::function<json(Step &, Case &)>;
using Table = std::map<std::string, Operation>;

const Table &tables() {
  static const Table table = {
      {"open", [](Step &s, Case &c) { return open_as(s, c, s.text("as")); }},
      {"open_parts", [](Step &s, Case &c) { return open_as(s, c, s.text("as")); }},
      {"reopen", reopen},
      {"close", close},
      {"checkout", [](Step &s, Case &c) { return database(s, c).checkout(s.text("branch")), nothing; }},
      {"current_branch", [](Step &s, Case &c) { return json{{"branch", database(s, c).current_branch()}}; }},
      {"version", [](Step &, Case &) { return json{{"version", armillaria::version()}}; }},
      {"create_table", create_table},
      {"drop_table", drop_table},
      {"list_tables", list_tables},
      {"table_schema", table_schema},
      {"table_key", [](Step &s, Case &c) { return json{{"key", database(s, c).table_key(s.text("table"), at(s))}}; }},
      {"write_table", write_table},
      {"read_table", read_table},
      {"history",
       [](Step &s, Case &c) {
         return json{{"entries", show_all(database(s, c).history(s.text("table"), s.optional_text("branch")))}};
       }},
      {"diff_versions",
       [](Step &s, Case &c) {
         return show(database(s, c).diff_versions(s.text("table"), s.number("from"), s.number("to"), s.texts("key"),
                                                  cancel(s, c)));
       }},
      {"diff_rows",
       [](Step &s, Case &c) {
         return answer_rows(
             s, c,
             database(s, c).diff_rows(s.text("table"), s.number("from"), s.number("to"), s.texts("key"), cancel(s, c)));
       }},
      {"compact",
       [](Step &s, Case &c) {
         const auto commit = database(s, c).compact(s.text("table"), s.optional_text("branch"));
         return json{{"commit", commit ? show(*commit) : json(nullptr)}};
       }},
      {"query", query},
      {"execute", execute},
      {"drain", [](Step &s, Case &c) { return drain(c.handles.get<Stream>(s.text("on"))); }},
  };
  return table;
}

const Table &branches_and_changes() {
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
      {"begin", begin},
      {"commit",
       [](Step &s, Case &c) {
         return show(c.handles.get<Transaction>(s.text("on")).commit(s.optional_text("message")));
       }},
      {"rollback", [](Step &s, Case &c) { return c.handles.get<Transaction>(s.text("on")).rollback(), nothing; }},
      {"latest_tx_id", [](Step &s, Case &c) { return json{{"tx_id", database(s, c).latest_tx_id()}}; }},
      {"changes",
       [](Step &s, Case &c) { return json{{"entries", show_all(database(s, c).changes(changes_options(s)))}}; }},
      {"table_changes",
       [](Step &s, Case &c) {
         return answer_rows(
             s, c, database(s, c).table_changes(s.text("table"), s.number("from"), s.number("to"), cancel(s, c)));
       }},
      {"subscribe",
       [](Step &s, Case &c) {
         return c.handles.put(s.text("as"), database(s, c).subscribe(changes_options(s))), nothing;
       }},
      {"poll", poll},
      {"cursor", [](Step &s, Case &c) { return json{{"tx_id", c.handles.get<Subscription>(s.text("on")).cursor()}}; }},
  };
  return table;
}

const Table &health_chunks_and_cases() {
  static const Table table = {
      {"verify", [](Step &s, Case &c) { return show(database(s, c).verify(s.flag("deep"), cancel(s, c))); }},
      {"stats", [](Step &s, Case &c) { return show(database(s, c).stats()); }},
      {"inspect",
       [](Step &s, Case &c) { return json{{"object", json::parse(database(s, c).inspect(s.text("object")))}}; }},
      {"commit_chunks", commit_chunks},
      {"chunk_hashes",
       [](Step &s, Case &c) {
         const auto chunks = database(s, c).chunk_hashes(s.text("table"), s.optional_number("version"));
         return json{{"version", chunks.version}, {"hashes", chunks.hashes}};
       }},
      {"list_versions",
       [](Step &s, Case &c) { return json{{"versions", database(s, c).list_versions(s.text("table"))}}; }},
      {"open_chunk_store",
       [](Step &s, Case &c) {
         return c.handles.put(s.text("as"), ChunkStore(c.place(s.text("location")), s.flag("read_only"))), nothing;
       }},
      {"put_chunk", put_chunk},
      {"get_chunk",
       [](Step &s, Case &c) {
         const auto data = c.handles.get<ChunkStore>(s.text("on")).get(s.text("hash"));
         return json{{"data", to_base64(data.data(), data.size())}};
       }},
      {"get_verified_chunk",
       [](Step &s, Case &c) {
         const auto data = c.handles.get<ChunkStore>(s.text("on")).get_verified(s.text("hash"));
         return json{{"data", to_base64(data.data(), data.size())}};
       }},
      {"chunk_exists",
       [](Step &s, Case &c) {
         return json{{"exists", c.handles.get<ChunkStore>(s.text("on")).exists(s.text("hash"))}};
       }},
      {"list_chunks",
       [](Step &s, Case &c) { return json{{"hashes", c.handles.get<ChunkStore>(s.text("on")).list()}}; }},
      {"new_cancel_token", [](Step &s, Case &c) { return c.handles.put(s.text("as"), CancelToken()), nothing; }},
      {"cancel", [](Step &s, Case &c) { return c.handles.get<CancelToken>(s.text("on")).cancel(), nothing; }},
      {"is_cancelled",
       [](Step &s, Case &c) { return json{{"cancelled", c.handles.get<CancelToken>(s.text("on")).is_cancelled()}}; }},
      {"release", [](Step &s, Case &c) { return c.handles.release(s.text("on")), nothing; }},
      {"copy_fixture",
       [](Step &s, Case &c) {
         return copy_fixture(c.fixtures / s.text("fixture"), c.directory / s.text("to")), nothing;
       }},
      {"write_file",
       [](Step &s, Case &c) { return write_file(c.directory / s.text("path"), s.text("text")), nothing; }},
      {"corrupt_file",
       [](Step &s, Case &c) { return corrupt(c.directory / s.text("path"), s.number("offset")), nothing; }},
      {"corrupt_chunk",
       [](Step &s, Case &c) {
         return corrupt(chunk_file(c.directory / s.text_or("location", "repo"), s.text("hash")), std::nullopt), nothing;
       }},
      {"delete_chunk",
       [](Step &s, Case &c) {
         return remove_file(chunk_file(c.directory / s.text_or("location", "repo"), s.text("hash"))), nothing;
       }},
      {"sleep_ms",
       [](Step &s, Case &) { return std::this_thread::sleep_for(std::chrono::milliseconds(s.number("ms"))), nothing; }},
  };
  return table;
}

}  // namespace

json run_operation(Step &step, Case &running) {
  const auto name = step.text("op");
  for (const auto *table : {&tables(), &branches_and_changes(), &health_chunks_and_cases()}) {
    const auto found = table->find(name);
    if (found != table->end()) return found->second(step, running);
  }
  throw Failure("unknown operation " + name);
}

}  // namespace conformance
